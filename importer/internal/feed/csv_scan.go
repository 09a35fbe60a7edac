package feed

import "bytes"

// csvScanner knows the grammar of CSV: a cell that starts with a quote ends
// with one, and has "" for a quote within; a quote elsewhere in a cell is a
// character like others, as spreadsheets have it. Records end with a newline
// outside quotes.
type csvScanner struct {
	delim byte
	cells []cell
	outer []span // segments outside quotes, reused
}

// cell is the place of a cell's content in a record.
type cell struct {
	from, to int
	quoted   bool
	doubled  bool // has "" in it
}

// text returns the cell's content; buf is used when it has to be changed.
func (c cell) text(rec, buf []byte) []byte {
	if !c.doubled {
		return rec[c.from:c.to]
	}
	buf = buf[:0]
	for b := rec[c.from:c.to]; ; {
		i := bytes.IndexByte(b, '"')
		if i < 0 {
			return append(buf, b...)
		}
		buf = append(buf, b[:i+1]...)
		b = b[i+2:]
	}
}

// row splits the record at the start of b into cells, which are valid until
// the next call, and returns where the next record starts. It is not ok when a
// quote is not closed or followed by something else than a delimiter.
func (s *csvScanner) row(b []byte) (cells []cell, next int, ok bool) {
	s.cells = s.cells[:0]
	i, delim := 0, s.delim
	for {
		c := cell{from: i}
		if i < len(b) && b[i] == '"' {
			end, doubled := closingQuote(b, i+1)
			if end < 0 {
				return s.cells, len(b), false
			}
			c = cell{from: i + 1, to: end, quoted: true, doubled: doubled}
			if i = end + 1; i < len(b) && b[i] == '\r' && (i+1 == len(b) || b[i+1] == '\n') {
				i++
			}
			if i < len(b) && b[i] != delim && b[i] != '\n' {
				return s.cells, i, false
			}
		} else {
			for i < len(b) && b[i] != delim && b[i] != '\n' {
				i++
			}
			if c.to = i; c.to > c.from && b[c.to-1] == '\r' && (i == len(b) || b[i] == '\n') {
				c.to--
			}
		}
		s.cells = append(s.cells, c)
		if i >= len(b) {
			return s.cells, len(b), true
		}
		i++
		if b[i-1] == '\n' {
			return s.cells, i, true
		}
	}
}

// closingQuote finds the quote that ends the cell whose content starts at i;
// -1 if there is none.
func closingQuote(b []byte, i int) (end int, doubled bool) {
	for {
		q := bytes.IndexByte(b[i:], '"')
		if q < 0 {
			return -1, doubled
		}
		if i += q; i+1 >= len(b) || b[i+1] != '"' {
			return i, doubled
		}
		doubled = true
		i += 2
	}
}

// csvEnd says in which state a scan ran out of bytes.
type csvEnd int

const (
	endOutside csvEnd = iota // in an unquoted part of a record, or between records
	endQuoted                // inside quotes
	endBad                   // a closing quote is followed by something else than a delimiter
)

// records finds the ends of the records in b, which starts with one. It
// returns how many bytes are whole records, the state after them, and for
// endBad where. At the end of the feed (last) a closing quote may be the last
// byte.
func (s *csvScanner) records(b []byte, last bool) (n int, state csvEnd, at int) {
	s.outer = s.outer[:0]
	pos := 0
	for {
		q := bytes.IndexByte(b[pos:], '"')
		if q < 0 {
			s.outer = append(s.outer, span{int32(pos), int32(len(b))})
			return s.lastEnd(b), endOutside, 0
		}
		p := pos + q
		if p > 0 && b[p-1] != s.delim && b[p-1] != '\n' { // not at the start of a cell
			s.outer = append(s.outer, span{int32(pos), int32(p)})
			pos = p + 1
			continue
		}
		s.outer = append(s.outer, span{int32(pos), int32(p)})
		end, _ := closingQuote(b, p+1)
		switch {
		case end < 0, end+1 == len(b) && !last, end+2 == len(b) && b[end+1] == '\r' && !last:
			return s.lastEnd(b), endQuoted, 0
		}
		if pos = end + 1; pos < len(b) && b[pos] != s.delim && b[pos] != '\n' &&
			(b[pos] != '\r' || pos+1 < len(b) && b[pos+1] != '\n') {
			return s.lastEnd(b), endBad, pos
		}
	}
}

// lastEnd returns the end of the last record in b, looking for the last
// newline outside quotes.
func (s *csvScanner) lastEnd(b []byte) int {
	for i := len(s.outer) - 1; i >= 0; i-- {
		o := s.outer[i]
		if j := bytes.LastIndexByte(b[o.from:o.to], '\n'); j >= 0 {
			return int(o.from) + j + 1
		}
	}
	return 0
}

// conforms reports that the line at the start of b is a record of n cells by
// itself.
func (s *csvScanner) conforms(b []byte, n int) bool {
	line := b
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		line = b[:i+1]
	}
	if bytes.IndexByte(line, '"') < 0 {
		return len(line) > 1 && bytes.Count(line, []byte{s.delim}) == n-1
	}
	cells, next, ok := s.row(line)
	return ok && next == len(line) && len(cells) == n
}
