package live

import (
	"encoding/binary"
	"math"
	"slices"
)

// Reader reads amounts of rows that mostly follow each other. It is not safe
// for concurrent use.
type Reader struct {
	scopes []scopeReader
}

// scopeReader reads one column.
type scopeReader struct {
	col column
	at  uint32 // number of block+1; 0: none
	b   *block
	pos int // in a sparse block: what is before is of lower rows than the last one
}

// seek moves to the block of a row.
func (s *scopeReader) seek(row uint32) {
	if at := row>>blockBits + 1; at != s.at {
		s.at, s.b, s.pos = at, s.col[at-1], 0
	}
}

// sparse is block.amount for a sparse block and rows that rise.
func (s *scopeReader) sparse(row uint32) (int64, bool) {
	b, n := s.b, int(s.b.count)
	if s.pos > 0 && b.row(s.pos-1) >= row {
		s.pos = 0
	}
	for range 8 {
		if s.pos == n || b.row(s.pos) >= row {
			break
		}
		s.pos++
	}
	if s.pos < n && b.row(s.pos) < row {
		s.pos, _ = b.find(row)
	}
	if s.pos == n || b.row(s.pos) != row {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint64(b.data[2*n+8*s.pos:])), true
}

// amount returns what a row of the block at hand has.
func (s *scopeReader) amount(row uint32) (int64, bool) {
	switch b := s.b; {
	case b == nil:
		return 0, false
	case b.kind == narrow:
		v := binary.LittleEndian.Uint32(b.data[4*row:])
		return int64(v), v != noneNarrow
	case b.kind == sparse:
		return s.sparse(row)
	default:
		return b.amount(row)
	}
}

// Reader returns a reader of the prices in some scopes, the first of which that
// has one for a row counts.
func (c *Columns) Reader(scopes []int) Reader {
	r := Reader{scopes: make([]scopeReader, len(scopes))}
	for i, s := range scopes {
		r.scopes[i].col = c.prices[s]
	}
	return r
}

// Amount returns what a row has.
func (r *Reader) Amount(row uint32) (int64, bool) {
	for i := range r.scopes {
		s := &r.scopes[i]
		s.seek(row)
		if a, ok := s.amount(row & blockMask); ok {
			return a, true
		}
	}
	return 0, false
}

// None is what Append says of rows that have no amount.
const None = math.MinInt64

// Append appends what rows have.
func (r *Reader) Append(dst []int64, rows []uint32) []int64 {
	n := len(dst)
	dst = slices.Grow(dst, len(rows))[:n+len(rows)]
	out := dst[n:]
	for i := range out {
		out[i] = None
	}
	for i := range slices.Backward(r.scopes) { // the first replaces what others have
		r.scopes[i].put(out, rows)
	}
	return dst
}

// put replaces the amounts of those rows that have one.
func (s *scopeReader) put(amounts []int64, rows []uint32) {
	for len(rows) > 0 {
		at, n := rows[0]>>blockBits, 1
		for n < len(rows) && rows[n]>>blockBits == at {
			n++
		}
		s.seek(rows[0])
		switch out := amounts[:n]; {
		case s.b == nil:
		case s.b.kind == narrow:
			data := s.b.data[:4*blockRows]
			for i, row := range rows[:n] {
				if v := binary.LittleEndian.Uint32(data[4*(row&blockMask):]); v != noneNarrow {
					out[i] = int64(v)
				}
			}
		default:
			for i, row := range rows[:n] {
				if a, ok := s.amount(row & blockMask); ok {
					out[i] = a
				}
			}
		}
		rows, amounts = rows[n:], amounts[n:]
	}
}

// Stocked returns which rows from one on, and below another at most 64 further,
// are in stock, one bit each.
func (c *Columns) Stocked(from, to uint32) uint64 {
	set := uint64(0)
	for row := from; row < to; row++ {
		if c.InStock(row) {
			set |= 1 << (row - from)
		}
	}
	return set
}
