package feed

import (
	"bytes"
	"context"
)

// jsonLines reads JSON lines: one record a line, blank lines are none. A
// record's Ord is its line, so that cutting needs only to count newlines.
type jsonLines struct{ in *Input }

func (r *jsonLines) Close() error { return nil }

func (r *jsonLines) NewDecoder() Decoder { return lineDecoder{} }

// Chunks cuts at newlines.
func (r *jsonLines) Chunks(ctx context.Context, yield func(*Chunk) error) error {
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
			c := w.rejected(w.buf[:longRaw], tooLong("line"))
			w.skipLine()
			err = yield(c)
		case w.ended() == nil: // the last line has no newline
			err = yield(w.chunk(len(w.buf)))
		default:
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
type lineDecoder struct{}

func (lineDecoder) Close() error { return nil }

func (lineDecoder) Decode(c *Chunk, yield func(*Record) error) error {
	if c.reject != nil {
		return decodeReject(c, yield)
	}
	rec := Record{Ord: c.Ord, Line: c.Line, Offset: c.Offset}
	for data := c.Data; len(data) > 0; {
		if n := blankLines(data); n > 0 {
			rec.Ord += int64(n)
			rec.Line += int64(n)
			rec.Offset += int64(n)
			data = data[n:]
			continue
		}
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
	return nil
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
