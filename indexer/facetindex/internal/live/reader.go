package live

import (
	"encoding/binary"
	"math"
)

// Reader reads amounts of rows that mostly follow each other. It is not safe
// for concurrent use.
type Reader struct {
	scopes []scopeReader
}

type scopeReader struct {
	col column
	at  uint32 // number of block+1; 0: none
	b   *block
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
		if at := row>>blockBits + 1; at != s.at {
			s.at, s.b = at, s.col[at-1]
		}
		switch b := s.b; {
		case b == nil:
		case b.kind == narrow:
			if v := binary.LittleEndian.Uint32(b.data[4*(row&blockMask):]); v != noneNarrow {
				return int64(v), true
			}
		default:
			if a, ok := b.amount(row & blockMask); ok {
				return a, true
			}
		}
	}
	return 0, false
}

// None is what Append says of rows that have no amount.
const None = math.MinInt64

// Append appends what rows have.
func (r *Reader) Append(dst []int64, rows []uint32) []int64 {
	if len(r.scopes) == 1 {
		return r.appendOne(dst, rows)
	}
	for _, row := range rows {
		a, ok := r.Amount(row)
		if !ok {
			a = None
		}
		dst = append(dst, a)
	}
	return dst
}

// appendOne is Append of one scope.
func (r *Reader) appendOne(dst []int64, rows []uint32) []int64 {
	s := &r.scopes[0]
	for len(rows) > 0 {
		at, n := rows[0]>>blockBits, 1
		for n < len(rows) && rows[n]>>blockBits == at {
			n++
		}
		b := s.col[at]
		if b != nil && b.kind == narrow {
			data := b.data[:4*blockRows]
			for _, row := range rows[:n] {
				a := int64(binary.LittleEndian.Uint32(data[4*(row&blockMask):]))
				if a == noneNarrow {
					a = None
				}
				dst = append(dst, a)
			}
		} else {
			for _, row := range rows[:n] {
				a, ok := r.Amount(row)
				if !ok {
					a = None
				}
				dst = append(dst, a)
			}
		}
		rows = rows[n:]
	}
	return dst
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
