package feed

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"catalog/catalog"
)

// jsonValues reads a JSON array of records, or records one after the other
// that are spread over lines, or an object like {"products":[…]}. Only the ends
// of values are looked for; what is in them is for the importer to judge.
type jsonValues struct{ in *Input }

func (r *jsonValues) Close() error { return nil }

func (r *jsonValues) NewDecoder() Decoder { return valueDecoder{} }

// Chunks cuts between values.
func (r *jsonValues) Chunks(ctx context.Context, yield func(*Chunk) error) error {
	t, err := r.in.openText(ctx)
	if err != nil {
		return r.in.failed(err)
	}
	defer t.Close()
	cut := &valueCut{w: newWindow(t)}
	for {
		c, err := cut.next()
		if c != nil {
			ord := cut.ord
			cut.ord += int64(max(1, len(c.spans)))
			c.Ord = ord
			if yerr := yield(c); yerr != nil {
				return yerr
			}
		}
		if err != nil {
			return r.in.failed(err)
		}
		if c == nil {
			return nil
		}
	}
}

// valueState says what a cutter expects next.
type valueState int

const (
	atStart valueState = iota // the feed's first byte
	atFirst                   // a value or the end of the array
	atValue                   // a value
	atComma                   // a comma or the end
	atTail                    // what closes the object around the array
	atEnd                     // nothing more
)

// valueCut cuts one pass.
type valueCut struct {
	w     *window
	state valueState
	array bool // else values one after the other
	outer bool // the array is a member of an object
	loose bool // the next value has no comma before it
	ord   int64
}

// next returns the next chunk, nil at the end; an error may come with a chunk.
func (c *valueCut) next() (*Chunk, error) {
	w := c.w
	for {
		w.fill()
		var spans []span
		i := 0
		flush := func(n int) *Chunk {
			ch := w.chunk(n)
			ch.spans = spans
			return ch
		}
	scan:
		for {
			if i = skipSpace(w.buf, i); i == len(w.buf) {
				break
			}
			b := w.buf[i]
			switch {
			case c.state == atStart:
				i = c.begin(i)
			case c.state == atEnd, c.state == atTail && b != '}' && b != ',':
				if len(spans) > 0 {
					return flush(i), nil
				}
				return c.garbage(i)
			case c.state == atTail && b == ',': // other members of the object around it
				if len(spans) > 0 {
					return flush(i), nil
				}
				return nil, c.skipTail(i)
			case c.state == atTail:
				c.state = atEnd
				i++
			case c.state == atComma && b == ',':
				c.state = atValue
				i++
			case b == ']' && c.array:
				if c.state = atEnd; c.outer {
					c.state = atTail
				}
				i++
			case c.state == atComma:
				c.state, c.loose = atValue, c.array
			default: // a value
				if (c.loose || b == ',') && len(spans) > 0 {
					return flush(i), nil
				}
				var s skim
				s.start(b)
				end, ok := s.run(w.buf, i)
				if !ok && (w.err == nil || !s.scalar) {
					break scan
				}
				if c.loose || b == ',' {
					return c.misplaced(i, max(end, i+1)), nil
				}
				spans = append(spans, span{int32(i), int32(end)})
				i = end
				c.state = atComma
			}
		}
		switch {
		case len(spans) > 0:
			return flush(i), nil
		case i > 0: // only white space and punctuation, or the start of a value
			w.discard(i)
		case len(w.buf) == 0:
			return nil, c.finish()
		case w.more(MaxRecord + 1):
		case w.err == nil:
			return c.long(), nil
		default:
			return c.cut()
		}
	}
}

// begin looks at the feed's first byte, at i, and returns where the records
// start.
func (c *valueCut) begin(i int) int {
	c.state = atValue
	if c.w.buf[i] == '[' {
		c.array, c.state = true, atFirst
		return i + 1
	}
	if n := wrapper(c.w.buf[i:]); n > 0 {
		c.array, c.outer, c.state = true, true, atFirst
		return i + n
	}
	return i
}

// wrapper returns the length of the beginning of an object around an array of
// records, up to its first record; 0 if b is none. What stands before the array
// are a few words about the feed: when it was made, how many there are. An
// object with what a record has before it is a record.
func wrapper(b []byte) int {
	i := skipSpace(b, 1)
	for first := true; ; first = false {
		end := stringEnd(b, i)
		if end < 0 {
			return 0
		}
		name := string(bytes.ToLower(b[i+1 : end-1]))
		if i = skipSpace(b, end); i >= len(b) || b[i] != ':' {
			return 0
		}
		if i = skipSpace(b, i+1); i >= len(b) {
			return 0
		}
		switch name {
		case "prices", "stock", "categories", "attributes": // a product may have such a member further on
			if first && recordsAt(b, i) {
				return i + 1
			}
			return 0
		case "products", "items", "data", "records", "rows", "results":
			if recordsAt(b, i) {
				return i + 1
			}
		}
		if ofRecord(name) {
			return 0
		}
		var s skim
		s.start(b[i])
		end, ok := s.run(b, i)
		if !ok {
			return 0
		}
		if i = skipSpace(b, end); i >= len(b) || b[i] != ',' {
			return 0
		}
		i = skipSpace(b, i+1)
	}
}

// recordsAt reports whether an array of objects begins at i.
func recordsAt(b []byte, i int) bool {
	if b[i] != '[' {
		return false
	}
	i = skipSpace(b, i+1)
	return i < len(b) && b[i] == '{'
}

// ofRecord reports whether a member's name is one that records have.
func ofRecord(name string) bool {
	switch name {
	case "url", "type", "ean", "gtin", "mpn":
		return true
	}
	for _, end := range []string{"sku", "id", "code", "name", "title", "price", "number", "urlkey", "url_key", "qty", "brand", "description"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// misplaced rejects what stands between from and to: a value without a comma
// before it, or a comma without a value.
func (c *valueCut) misplaced(from, to int) *Chunk {
	w := c.w
	w.discard(from)
	detail := "there is no comma between this and the record before"
	if w.buf[0] == ',' {
		detail = "there is no record between two commas"
		to = from + 1
		c.state = atValue
	} else {
		c.state = atComma
	}
	c.loose = false
	rej := w.rejected(w.buf[:to-from], Reject{catalog.ReasonJSON, detail})
	w.discard(to - from)
	return rej
}

// garbage rejects what comes after the end.
func (c *valueCut) garbage(i int) (*Chunk, error) {
	w := c.w
	w.discard(i)
	rej := w.rejected(w.buf[:min(longRaw, len(w.buf))], Reject{catalog.ReasonJSON, "there is something after the end of the array"})
	return rej, fmt.Errorf("%w: there is something after the end of the array, in line %d", ErrTruncated, w.line)
}

// skipTail reads the members after the array of records to the end of the
// object, and of the feed.
func (c *valueCut) skipTail(i int) error {
	w := c.w
	s := skim{depth: 1}
	for {
		end, ok := s.run(w.buf, i)
		w.discard(end)
		if ok {
			break
		}
		if w.fill(); len(w.buf) == 0 {
			return c.finish()
		}
		i = 0
	}
	for {
		w.discard(skipSpace(w.buf, 0))
		if w.fill(); len(w.buf) == 0 {
			return w.ended()
		}
		if !isSpace(w.buf[0]) {
			return fmt.Errorf("%w: there is something after the end of the object, in line %d", ErrTruncated, w.line)
		}
	}
}

// long rejects a value longer than MaxRecord and reads to its end.
func (c *valueCut) long() *Chunk {
	w := c.w
	rej := w.rejected(w.buf[:longRaw], tooLong("record"))
	var s skim
	s.start(w.buf[0])
	for {
		end, ok := s.run(w.buf, 0)
		w.discard(end)
		if w.fill(); ok || len(w.buf) == 0 {
			break
		}
	}
	c.state, c.loose = atComma, false
	return rej
}

// cut rejects a value inside which the feed ends.
func (c *valueCut) cut() (*Chunk, error) {
	w := c.w
	rej := w.rejected(w.buf, cutOff(w.err))
	w.discard(len(w.buf))
	if err := w.ended(); err != nil {
		return rej, err
	}
	return rej, fmt.Errorf("%w: it ends inside the record that starts in line %d", ErrTruncated, rej.Line)
}

// finish says whether the feed may end here.
func (c *valueCut) finish() error {
	if err := c.w.ended(); err != nil {
		return err
	}
	if c.array && c.state != atEnd {
		return fmt.Errorf("%w: the array of records is not closed", ErrTruncated)
	}
	return nil
}

// valueDecoder yields the values whose places the cutter noted.
type valueDecoder struct{}

func (valueDecoder) Close() error { return nil }

func (valueDecoder) Decode(c *Chunk, yield func(*Record) error) error {
	if c.reject != nil {
		return decodeReject(c, yield)
	}
	rec := Record{Ord: c.Ord, Line: c.Line}
	at := 0
	for _, s := range c.spans {
		rec.Line += int64(bytes.Count(c.Data[at:s.from], newline))
		at = int(s.from)
		rec.Offset = c.Offset + int64(s.from)
		rec.JSON = c.Data[s.from:s.to]
		rec.Raw = rec.JSON[:min(len(rec.JSON), MaxRaw)]
		if err := yield(&rec); err != nil {
			return err
		}
		rec.Ord++
	}
	return nil
}
