package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Selective is what a Reader also is where records can be had without reading
// those around them: JSON lines in a file of UTF-8 that is not compressed.
type Selective interface {
	// Mark makes the next whole pass note where records are: half a byte of
	// memory for each.
	Mark()

	// Select makes the passes that follow leave out what wanted has no use
	// for: it is asked about runs of records, by their Ord, from from up to
	// but not including to. Nil ends that. It reports false, and changes
	// nothing, when it was not noted where records are.
	Select(wanted func(from, to int64) bool) bool
}

const (
	markEvery = 16      // lines: of each sixteenth it is noted where it starts
	markSpan  = 4 << 20 // bytes of so many lines: longer ones are not read at once
)

// marks are the places of lines in a text.
type marks struct {
	mu     sync.Mutex
	at     []int64 // of line number i*markEvery, from 0; -1 where it is not known
	lines  int64
	end    int64 // of the text
	spoilt bool  // there are lines that are not in it
}

// put notes the marks of a chunk whose lines begin with number first and end
// before number last, at the offset end.
func (m *marks) put(first int64, at []int64, last, end int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	from := (first + markEvery - 1) / markEvery
	for int64(len(m.at)) < from+int64(len(at)) {
		m.at = append(m.at, -1)
	}
	copy(m.at[from:], at)
	if last > m.lines {
		m.lines, m.end = last, end
	}
}

// spoil says that there are lines whose places are not noted.
func (m *marks) spoil() {
	if m != nil {
		m.mu.Lock()
		m.spoilt = true
		m.mu.Unlock()
	}
}

// sound reports whether all lines can be found.
func (m *marks) sound() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.spoilt || len(m.at) == 0 {
		return false
	}
	for i := range m.at {
		if next := m.after(i); m.at[i] < 0 || next < m.at[i] || next-m.at[i] > markSpan {
			return false
		}
	}
	return true
}

// after returns where the run of lines ends that starts at mark i.
func (m *marks) after(i int) int64 {
	if i+1 < len(m.at) {
		return m.at[i+1]
	}
	return m.end
}

// Mark implements Selective.
func (r *jsonLines) Mark() {
	if r.in.Compression == None && r.in.Encoding == utf8Name {
		r.marks, r.begun = new(marks), false
		r.noting.Store(r.marks)
	}
}

// Select implements Selective.
func (r *jsonLines) Select(wanted func(from, to int64) bool) bool {
	if wanted == nil {
		r.wanted = nil
		return true
	}
	if r.marks == nil || !r.marks.sound() {
		return false
	}
	r.wanted = wanted
	return true
}

// selected is a pass over what is wanted. Runs that follow each other become
// one chunk.
func (r *jsonLines) selected(ctx context.Context, yield func(*Chunk) error) error {
	src, err := r.in.open()
	if err != nil {
		return r.in.failed(err)
	}
	defer src.Close()
	var pool buffers
	m := r.marks
	for i := 0; i < len(m.at); {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		first := i
		for i < len(m.at) && (i == first || m.after(i)-m.at[first] <= chunkSize) && r.wanted(m.run(i)) {
			i++
		}
		if i == first {
			i++
			continue
		}
		size := int(m.after(i-1) - m.at[first])
		buf := pool.get()
		if size > cap(buf) {
			buf = make([]byte, 0, size)
		}
		line, _ := m.run(first)
		c := &Chunk{Ord: line, Line: line + 1, Offset: m.at[first], Read: m.at[first] + int64(size), Data: buf[:size], buf: buf, free: pool.release}
		if n, err := src.file.ReadAt(c.Data, c.Offset); n < size {
			if errors.Is(err, io.EOF) {
				err = fmt.Errorf("%w: it is shorter than it was", ErrChanged)
			}
			return r.in.failed(pathless(err))
		}
		if err := yield(c); err != nil {
			return err
		}
	}
	if err := src.unchanged(); err != nil {
		return r.in.failed(err)
	}
	return nil
}

// run returns the numbers of the lines from mark i to the next.
func (m *marks) run(i int) (from, to int64) {
	return int64(i) * markEvery, min(int64(i+1)*markEvery, m.lines)
}
