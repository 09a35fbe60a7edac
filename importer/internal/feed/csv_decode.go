package feed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"catalog/catalog"
	"catalog/importer/internal/jsontext"
)

// csvDecoder makes each row of plain CSV a flat JSON object.
//
// In an untyped column every cell is a JSON string, and an empty one is
// absent. In a typed one ("weight:number") it is what the type says; an empty
// cell is absent, but of a string column a cell of two quotes ("") is the empty
// string; null is null, except in a string column.
type csvDecoder struct {
	header csvHeader
	scan   csvScanner
	check  bool // the text may not be UTF-8
	out    []byte
	buf    []byte
	rec    Record
}

func (d *csvDecoder) Close() error { return nil }

// rows calls yield for each row of c that is not blank. Cells are nil when
// rec.Err is set. Rows that are not UTF-8 are found if check says so.
func (d *csvDecoder) rows(c *Chunk, check bool, yield func(rec *Record, cells []cell) error) error {
	rec := &d.rec
	*rec = Record{Ord: c.Ord, Line: c.Line, Offset: c.Offset}
	for data := c.Data; len(data) > 0; {
		n := blankLines(data)
		if n == 0 && data[0] == '\r' && len(data) > 1 && data[1] == '\n' {
			n = 2
		}
		if n > 0 {
			d.advance(data[:n])
			data = data[n:]
			continue
		}
		cells, next, ok := d.scan.row(data)
		raw := data[:next]
		rec.Raw, rec.JSON, rec.Err, rec.Overlay = raw[:min(len(raw), MaxRaw)], nil, nil, false
		switch {
		case !ok: // the cutter finds these first
			rec.Err = &Reject{ReasonQuote, "a quote is in the wrong place"}
		case len(cells) != len(d.header.cols):
			rec.Err = &Reject{ReasonRagged, fmt.Sprintf("the row has %d cells, the header %d", len(cells), len(d.header.cols))}
		case check && !utf8.Valid(raw):
			rec.Err = &Reject{catalog.ReasonUTF8, "the row is not UTF-8: if the feed is Windows-1252 say so with --encoding windows-1252"}
		}
		if rec.Err != nil {
			cells = nil
		}
		if err := yield(rec, cells); err != nil {
			return err
		}
		d.advance(raw)
		data = data[next:]
	}
	return nil
}

func (d *csvDecoder) advance(raw []byte) {
	lines := int64(bytes.Count(raw, newline))
	d.rec.Ord += lines
	d.rec.Line += lines
	d.rec.Offset += int64(len(raw))
}

// Decode yields the rows.
func (d *csvDecoder) Decode(c *Chunk, yield func(*Record) error) error {
	if c.reject != nil {
		return decodeReject(c, yield)
	}
	return d.rows(c, d.check, func(rec *Record, cells []cell) error {
		if rec.Err == nil {
			rec.Err = d.object(rec.rest(c), cells)
			if rec.Err == nil {
				rec.JSON = d.out
			}
		}
		return yield(rec)
	})
}

// object writes a row as a JSON object to d.out.
func (d *csvDecoder) object(raw []byte, cells []cell) *Reject {
	out := append(d.out[:0], '{')
	for i, c := range cells {
		col := &d.header.cols[i]
		if c.from == c.to && !(c.quoted && col.typ == TypeString) {
			continue
		}
		text := c.text(raw, d.buf)
		if c.doubled {
			d.buf = text
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, col.key...)
		switch {
		case col.typ == "" || col.typ == TypeString:
			out = jsontext.AppendString(out, text)
		case string(text) == "null":
			out = append(out, text...)
		case col.typ == TypeBool:
			switch string(text) {
			case "true", "TRUE", "True", "1":
				out = append(out, "true"...)
			case "false", "FALSE", "False", "0":
				out = append(out, "false"...)
			default:
				return badCell(col, text)
			}
		case col.typ == TypeJSON && json.Valid(text), col.typ != TypeJSON && jsontext.IsNumber(text):
			out = append(out, text...)
		default:
			return badCell(col, text)
		}
	}
	d.out = append(out, '}')
	return nil
}

func badCell(col *csvColumn, text []byte) *Reject {
	return &Reject{ReasonCell, fmt.Sprintf("column %q: %.60q is not of type %s", col.name, text, col.typ)}
}

// HasField reports whether there is a column of that name.
func (d *csvDecoder) HasField(field string) bool { return d.header.index(field) >= 0 }

// Keys yields the cells of the field's column.
func (d *csvDecoder) Keys(c *Chunk, field string, yield func(ord int64, key []byte, overlay bool) error) error {
	if c.reject != nil {
		return nil
	}
	at := d.header.index(field)
	return d.rows(c, false, func(rec *Record, cells []cell) error {
		if rec.Err != nil {
			return nil
		}
		return yield(rec.Ord, d.key(c, rec, cells, at), false)
	})
}

// key returns the text of one cell, nil if it is absent.
func (d *csvDecoder) key(c *Chunk, rec *Record, cells []cell, at int) []byte {
	if at < 0 || cells[at].from == cells[at].to {
		return nil
	}
	text := cells[at].text(rec.rest(c), d.buf)
	if cells[at].doubled {
		d.buf = text
	}
	if d.header.cols[at].typ == TypeJSON {
		return keyText(text)
	}
	return text
}

// index returns the number of the column of that name, -1 if there is none.
func (h *csvHeader) index(name string) int {
	for i := range h.cols {
		if h.cols[i].name == name {
			return i
		}
	}
	return -1
}

// rest is the rest of the chunk from the record's start: Raw without its limit.
func (r *Record) rest(c *Chunk) []byte { return c.Data[r.Offset-c.Offset:] }
