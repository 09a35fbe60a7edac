package feed

import (
	"bytes"
	"context"
	"fmt"
)

// farLook is how far beyond a misplaced quote the cutter looks for the next
// record, in bytes.
const farLook = 64 << 10

// csvFeed reads CSV with a header. Its cutter finds records by their quotes
// alone. A quote that is not closed would swallow the rest of the feed: it
// costs only the lines up to the next one that has as many cells as the header.
type csvFeed struct {
	in      *Input
	header  csvHeader
	magento *magentoPlan // nil for plain CSV
}

// newCSV reads the header from a sample of the text.
func newCSV(in *Input, sample []byte) (Reader, error) {
	delimiter := in.opts.Delimiter
	if in.Format == TSV && delimiter == "" {
		delimiter = "tab"
	}
	h, err := readHeader(sample, delimiter)
	if err != nil {
		return nil, err
	}
	r := &csvFeed{in: in, header: h}
	if in.Format == Magento {
		if r.magento, err = newMagentoPlan(h); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *csvFeed) Close() error { return nil }

func (r *csvFeed) NewDecoder() Decoder {
	d := csvDecoder{header: r.header, scan: csvScanner{delim: r.header.delim}, check: r.in.Encoding == utf8Name}
	if r.magento != nil {
		return &magentoDecoder{csvDecoder: d, plan: r.magento}
	}
	return &d
}

// Chunks cuts at the ends of records. Like that of JSON lines, a record's Ord
// is the line it starts in.
func (r *csvFeed) Chunks(ctx context.Context, yield func(*Chunk) error) error {
	t, err := r.in.openText(ctx)
	if err != nil {
		return r.in.failed(err)
	}
	defer t.Close()
	w := newWindow(t)
	for w.fill(); len(w.buf) < r.header.size && w.more(r.header.size+chunkSize); {
	}
	w.discard(min(r.header.size, len(w.buf)))
	cut := &csvCut{w: w, scan: csvScanner{delim: r.header.delim}, cells: len(r.header.cols), far: true}
	for {
		c, err := cut.next()
		if err == nil && c == nil {
			return nil
		}
		if c != nil {
			if yerr := yield(c); yerr != nil {
				return yerr
			}
		}
		if err != nil {
			return r.in.failed(err)
		}
	}
}

// csvCut cuts one pass.
type csvCut struct {
	w     *window
	scan  csvScanner
	cells int
	far   bool // looking far beyond a misplaced quote made sense the last time
}

// next returns the next chunk, nil at the end; an error may come with a chunk.
func (c *csvCut) next() (*Chunk, error) {
	w := c.w
	for {
		w.fill()
		if len(w.buf) == 0 {
			return nil, w.ended()
		}
		atEnd := w.err != nil && w.ended() == nil
		n, state, at := c.scan.records(w.buf, atEnd)
		switch {
		case n > 0:
			return w.chunk(n), nil
		case state == endBad:
			return c.misplaced(at), nil
		case w.more(MaxRecord + 1):
			continue
		case w.err == nil && state == endOutside:
			rej := w.rejected(w.buf[:longRaw], tooLong("row"))
			w.skipLine()
			return rej, nil
		case w.err == nil:
			return c.unclosed(), nil
		case !atEnd:
			rej := w.rejected(w.buf, cutOff(w.err))
			w.discard(len(w.buf))
			return rej, w.err
		case state == endOutside:
			return w.chunk(len(w.buf)), nil
		case c.nextRecord(len(w.buf)) > 0:
			return c.unclosed(), nil
		default:
			rej := w.rejected(w.buf, Reject{ReasonTruncated, "the feed ends inside a quoted cell"})
			w.discard(len(w.buf))
			return rej, fmt.Errorf("%w: it ends inside a quoted cell of the record in line %d", ErrTruncated, rej.Line)
		}
	}
}

// nextRecord returns the start of the first line after the first one, within
// limit, that is a record by itself; 0 if there is none.
func (c *csvCut) nextRecord(limit int) int {
	b := c.w.buf[:min(limit, len(c.w.buf))]
	for pos := 0; ; {
		i := bytes.IndexByte(b[pos:], '\n')
		if i < 0 || pos+i+1 == len(b) {
			return 0
		}
		pos += i + 1
		if c.scan.conforms(c.w.buf[pos:], c.cells) {
			return pos
		}
	}
}

// unclosed rejects a record whose quote is not closed within the window.
func (c *csvCut) unclosed() *Chunk {
	w := c.w
	n := c.nextRecord(len(w.buf))
	why := Reject{ReasonQuote, fmt.Sprintf("a quote is opened in line %d and not closed within %d bytes", w.line, len(w.buf))}
	if n > 0 {
		rej := w.rejected(w.buf[:n], why)
		w.discard(n)
		return rej
	}
	rej := w.rejected(w.buf[:min(longRaw, len(w.buf))], why)
	w.discard(len(w.buf) - 1)
	w.skipLine()
	return rej
}

// misplaced rejects a record with something between a closing quote and the
// next delimiter.
func (c *csvCut) misplaced(at int) *Chunk {
	w := c.w
	n := 0
	if c.far {
		n = c.nextRecord(at + farLook)
	} else {
		n = c.nextRecord(at + 1)
	}
	c.far = n > 0
	line := w.line + int64(bytes.Count(w.buf[:at], newline))
	why := Reject{ReasonQuote, fmt.Sprintf("in line %d a closing quote is followed by %q instead of a delimiter: is a quote within the cell not doubled?", line, w.buf[at])}
	if n == 0 {
		if i := bytes.IndexByte(w.buf[at:], '\n'); i >= 0 {
			n = at + i + 1
		}
	}
	if n > 0 {
		rej := w.rejected(w.buf[:n], why)
		w.discard(n)
		return rej
	}
	rej := w.rejected(w.buf, why)
	w.discard(at)
	w.skipLine()
	return rej
}
