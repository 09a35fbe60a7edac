package live

import (
	"encoding/binary"
	"math"
	"sort"
)

// Kinds of blocks.
const (
	sparse = iota // count entries: row 2; then amounts 8, then regulars 8
	narrow        // amounts 4 bytes a row; none is the greatest number
	wide          // amounts 8 bytes a row; none is the greatest number
	numKind
)

// sparseMax is how many rows of a block have something before all get a place.
const sparseMax = blockRows / 4

const (
	noneNarrow = math.MaxUint32
	noneWide   = math.MaxUint64
)

// block is what one column has of 1,024 rows. It is never changed.
type block struct {
	kind    uint8
	special bool // regular amounts follow the amounts; else they are equal to them
	count   uint16
	min     int64 // least amount
	data    []byte
}

// entry is what a row has in a column.
type entry struct {
	row             uint16 // of the block
	amount, regular int64
}

// newBlock returns a block of entries in the order of rows; nil without any.
func newBlock(list []entry) *block {
	if len(list) == 0 {
		return nil
	}
	b := &block{count: uint16(len(list)), min: list[0].amount}
	fits := true
	for i := range list {
		e := &list[i]
		b.min = min(b.min, e.amount)
		b.special = b.special || e.amount != e.regular
		fits = fits && e.amount >= 0 && e.amount < noneNarrow && e.regular >= 0 && e.regular < noneNarrow
	}
	le := binary.LittleEndian
	switch {
	case len(list) < sparseMax:
		b.kind = sparse
		n := len(list)
		b.data = make([]byte, sparseLen(n, b.special))
		for i := range list {
			le.PutUint16(b.data[2*i:], list[i].row)
			le.PutUint64(b.data[2*n+8*i:], uint64(list[i].amount))
			if b.special {
				le.PutUint64(b.data[10*n+8*i:], uint64(list[i].regular))
			}
		}
	case fits:
		b.kind = narrow
		b.data = filled(4*blockRows, b.special)
		for i := range list {
			at := 4 * int(list[i].row)
			le.PutUint32(b.data[at:], uint32(list[i].amount))
			if b.special {
				le.PutUint32(b.data[4*blockRows+at:], uint32(list[i].regular))
			}
		}
	default:
		b.kind = wide
		b.data = filled(8*blockRows, b.special)
		for i := range list {
			at := 8 * int(list[i].row)
			le.PutUint64(b.data[at:], uint64(list[i].amount)^wideFlip)
			if b.special {
				le.PutUint64(b.data[8*blockRows+at:], uint64(list[i].regular)^wideFlip)
			}
		}
	}
	return b
}

// wideFlip makes the least number, which no amount has, the mark of none.
const wideFlip = 1<<63 - 1

func sparseLen(n int, special bool) int {
	if special {
		return 18 * n
	}
	return 10 * n
}

func filled(n int, special bool) []byte {
	if special {
		n *= 2
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = 0xff
	}
	return b
}

// size returns how long the data of a block must be; -1 of an unknown kind.
func (b *block) size() int {
	n := 0
	switch b.kind {
	case sparse:
		return sparseLen(int(b.count), b.special)
	case narrow:
		n = 4 * blockRows
	case wide:
		n = 8 * blockRows
	default:
		return -1
	}
	if b.special {
		n *= 2
	}
	return n
}

// amount returns what a row has.
func (b *block) amount(row uint32) (int64, bool) {
	le := binary.LittleEndian
	switch b.kind {
	case narrow:
		v := le.Uint32(b.data[4*row:])
		return int64(v), v != noneNarrow
	case wide:
		v := le.Uint64(b.data[8*row:])
		return int64(v ^ wideFlip), v != noneWide
	}
	i, ok := b.find(row)
	if !ok {
		return 0, false
	}
	return int64(le.Uint64(b.data[2*int(b.count)+8*i:])), true
}

func (b *block) find(row uint32) (int, bool) {
	n := int(b.count)
	i := sort.Search(n, func(i int) bool { return b.row(i) >= row })
	return i, i < n && b.row(i) == row
}

// row returns the i-th row of a sparse block.
func (b *block) row(i int) uint32 { return uint32(binary.LittleEndian.Uint16(b.data[2*i:])) }

// get returns what a row has.
func (b *block) get(row uint32) (amount, regular int64, ok bool) {
	amount, ok = b.amount(row)
	if !ok || !b.special {
		return amount, amount, ok
	}
	le := binary.LittleEndian
	switch b.kind {
	case narrow:
		return amount, int64(le.Uint32(b.data[4*(blockRows+row):])), true
	case wide:
		return amount, int64(le.Uint64(b.data[8*(blockRows+row):]) ^ wideFlip), true
	}
	i, _ := b.find(row)
	return amount, int64(le.Uint64(b.data[10*int(b.count)+8*i:])), true
}

// entries appends all that the block has.
func (b *block) entries(dst []entry) []entry {
	if b == nil {
		return dst
	}
	if b.kind == sparse {
		for i := range int(b.count) {
			row := binary.LittleEndian.Uint16(b.data[2*i:])
			a, r, _ := b.get(uint32(row))
			dst = append(dst, entry{row, a, r})
		}
		return dst
	}
	for row := range uint32(blockRows) {
		if a, r, ok := b.get(row); ok {
			dst = append(dst, entry{uint16(row), a, r})
		}
	}
	return dst
}
