package feed

import (
	"bytes"
	"context"
	"sync/atomic"
)

// jsonLines reads JSON lines: one record a line, blank lines are none. A
// record's Ord is its line, so that cutting needs only to count newlines.
type jsonLines struct {
	in     *Input
	wanted func(from, to int64) bool // of the lines; nil: all

	marks  *marks                // where lines are; nil: not noted
	noting atomic.Pointer[marks] // what the decoders of this pass note it in
	begun  bool                  // the pass that notes it
}

func (r *jsonLines) Close() error { return nil }

func (r *jsonLines) NewDecoder() Decoder {
	return &lineDecoder{marks: r.noting.Load()}
}

// Chunks cuts at newlines.
func (r *jsonLines) Chunks(ctx context.Context, yield func(*Chunk) error) error {
	if r.wanted != nil {
		return r.selected(ctx, yield)
	}
	if r.begun {
		r.noting.Store(nil)
	}
	r.begun = true
	t, err := r.in.openText(ctx)
	if err != nil {
		return r.in.failed(err)
	}
	defer t.Close()
	w := newWindow(t)
	for {
		w.fill()
		if len(w.buf) == 0 {
			return r.in.failed(w.ended())
		}
		n := bytes.LastIndexByte(w.buf, '\n') + 1
		switch {
		case n > 0:
			err = yield(w.chunk(n))
		case w.more(MaxRecord + 1):
		case w.err == nil:
			r.noting.Load().spoil() // no decoder sees this line
			c := w.rejected(w.buf[:longRaw], tooLong("line"))
			w.skipLine()
			err = yield(c)
		case w.ended() == nil: // the last line has no newline
			err = yield(w.chunk(len(w.buf)))
		default:
			r.noting.Load().spoil()
			c := w.rejected(w.buf, cutOff(w.err))
			w.discard(len(w.buf))
			err = yield(c)
		}
		if err != nil {
			return err
		}
	}
}

// lineDecoder splits chunks at newlines.
type lineDecoder struct {
	marks *marks // to note the places of lines in; nil: it is not asked for
	at    []int64
}

func (*lineDecoder) Close() error { return nil }

func (d *lineDecoder) Decode(c *Chunk, yield func(*Record) error) error {
	if c.reject != nil {
		return decodeReject(c, yield)
	}
	d.at = d.at[:0]
	rec := Record{Ord: c.Ord, Line: c.Line, Offset: c.Offset}
	for data := c.Data; len(data) > 0; {
		if n := blankLines(data); n > 0 {
			for i := range int64(n) {
				d.mark(rec.Ord+i, rec.Offset+i)
			}
			rec.Ord += int64(n)
			rec.Line += int64(n)
			rec.Offset += int64(n)
			data = data[n:]
			continue
		}
		d.mark(rec.Ord, rec.Offset)
		n := bytes.IndexByte(data, '\n')
		size := n + 1
		if n < 0 {
			n, size = len(data), len(data)
		}
		line := trim(data[:n])
		if len(line) > 0 {
			rec.JSON, rec.Raw = line, line[:min(len(line), MaxRaw)]
			if err := yield(&rec); err != nil {
				return err
			}
		}
		rec.Ord++
		rec.Line++
		rec.Offset += int64(size)
		data = data[size:]
	}
	if d.marks != nil {
		d.marks.put(c.Ord, d.at, rec.Ord, rec.Offset)
	}
	return nil
}

// mark notes the place of a line, if it is one of every so many.
func (d *lineDecoder) mark(ord, offset int64) {
	if d.marks != nil && ord%markEvery == 0 {
		d.at = append(d.at, offset)
	}
}

// blankLines counts the newlines at the start of b.
func blankLines(b []byte) int {
	n := 0
	for n < len(b) && b[n] == '\n' {
		n++
	}
	return n
}

// trim drops JSON's white space from both ends.
func trim(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// isSpace reports JSON's white space.
func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }
