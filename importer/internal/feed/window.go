package feed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
)

// buffers are the chunk buffers of one pass, reused.
type buffers struct{ pool sync.Pool }

func (b *buffers) get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return (*p)[:0]
	}
	return make([]byte, 0, chunkSize)
}

func (b *buffers) put(buf []byte) {
	if cap(buf) == chunkSize { // larger ones were for one long record
		buf = buf[:0]
		b.pool.Put(&buf)
	}
}

// release takes the buffer of a chunk back; it is its free.
func (b *buffers) release(c *Chunk) {
	b.put(c.buf)
	c.buf, c.Data, c.free = nil, nil, nil
}

// window is the part of a text that a cutter looks at. It starts where the
// last chunk ended.
type window struct {
	t    *text
	pool buffers
	base []byte // what buf is part of, from its start
	buf  []byte
	off  int64 // of buf[0]
	line int64 // of buf[0]
	err  error // why no more can be read: io.EOF at the proper end
}

func newWindow(t *text) *window {
	w := &window{t: t, line: 1, off: t.skip}
	w.base = w.pool.get()
	w.buf = w.base
	return w
}

// fill reads on when the window is less than half full.
func (w *window) fill() {
	if w.err == nil && len(w.buf) < cap(w.base)/2 {
		w.refill()
	}
}

// refill moves what is left to the front and reads until the window is full or
// the text ends.
func (w *window) refill() {
	w.buf = append(w.base[:0], w.buf...)
	for w.err == nil && len(w.buf) < cap(w.buf) {
		n, err := w.t.Read(w.buf[len(w.buf):cap(w.buf)])
		w.buf = w.buf[:len(w.buf)+n]
		w.err = err
	}
}

// more reads on when a record is longer than the window, growing it to limit
// bytes at most. It reports whether there may be more in the window now.
func (w *window) more(limit int) bool {
	switch {
	case w.err != nil:
		return false
	case len(w.buf) < cap(w.base): // does not start at the front, or is not full
	case cap(w.base) < limit:
		w.base = make([]byte, 0, min(limit, 2*cap(w.base)))
	default:
		return false
	}
	w.refill()
	return true
}

// chunk cuts the first n bytes off as a chunk.
func (w *window) chunk(n int) *Chunk {
	c := &Chunk{Ord: w.line - 1, Line: w.line, Offset: w.off, Read: w.t.src.n, Data: w.buf[:n:n], buf: w.base, free: w.pool.release}
	rest := w.buf[n:]
	if w.base = w.pool.get(); len(rest) > cap(w.base) {
		w.base = make([]byte, 0, cap(c.buf))
	}
	w.off += int64(n)
	w.line += int64(bytes.Count(c.Data, newline))
	w.buf = append(w.base, rest...)
	return c
}

// rejected returns a chunk that is one unreadable record at the window's
// start. It does not move on.
func (w *window) rejected(raw []byte, reason Reject) *Chunk {
	return &Chunk{
		Ord: w.line - 1, Line: w.line, Offset: w.off, Read: w.t.src.n,
		Data: bytes.Clone(raw[:min(len(raw), MaxRaw)]), reject: &reason,
	}
}

// discard drops the first n bytes.
func (w *window) discard(n int) {
	w.off += int64(n)
	w.line += int64(bytes.Count(w.buf[:n], newline))
	w.buf = w.buf[n:]
}

// skipLine drops bytes, as many as it takes, up to and with the next newline.
// It returns how many.
func (w *window) skipLine() int64 {
	from := w.off
	for {
		if i := bytes.IndexByte(w.buf, '\n'); i >= 0 {
			w.discard(i + 1)
			return w.off - from
		}
		w.discard(len(w.buf))
		if w.err != nil {
			return w.off - from
		}
		w.fill()
	}
}

// ended returns what the end of the text means for the pass: nil at the proper
// end.
func (w *window) ended() error {
	if errors.Is(w.err, io.EOF) {
		return nil
	}
	return w.err
}

// tooLong is the reject of a record longer than MaxRecord.
func tooLong(what string) Reject {
	return Reject{ReasonLong, fmt.Sprintf("the %s is longer than %d bytes", what, MaxRecord)}
}

// cutOff is the reject of a record inside which the feed ends.
func cutOff(err error) Reject {
	if err == nil || errors.Is(err, io.EOF) {
		return Reject{ReasonTruncated, "the feed ends inside this record"}
	}
	return Reject{ReasonTruncated, "the feed breaks off inside this record: " + err.Error()}
}

var newline = []byte{'\n'}

// decodeReject yields the record of a chunk that is one unreadable record.
func decodeReject(c *Chunk, yield func(*Record) error) error {
	return yield(&Record{Ord: c.Ord, Line: c.Line, Offset: c.Offset, Raw: c.Data, Err: c.reject})
}
