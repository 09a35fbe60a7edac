package codec

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sort"
)

// blockLen is how many strings of a dictionary share a block.
const blockLen = 16

// halfMax is what half of a byte says of lengths that are not less.
const halfMax = 15

// Dict is a sorted list of different strings. Each block begins with a whole
// string; of those that follow only what differs from the one before is kept,
// behind a byte of two halves: how much is shared, and how much follows. A half
// of 15 says that a number does.
type Dict struct {
	n    int
	offs []byte // of the blocks, 4 bytes each
	data []byte
}

// DictWriter makes a Dict of strings that are added in order.
type DictWriter struct {
	n    int
	last []byte
	offs []byte
	data []byte
}

// Add adds a string, which must be greater than the one before.
func (w *DictWriter) Add(s []byte) {
	if w.n%blockLen == 0 {
		w.offs = binary.LittleEndian.AppendUint32(w.offs, uint32(len(w.data)))
		w.data = AppendBlock(w.data, s)
	} else {
		shared := 0
		for shared < len(s) && shared < len(w.last) && s[shared] == w.last[shared] {
			shared++
		}
		more := len(s) - shared
		w.data = append(w.data, byte(min(shared, halfMax)<<4|min(more, halfMax)))
		if shared >= halfMax {
			w.data = binary.AppendUvarint(w.data, uint64(shared-halfMax))
		}
		if more >= halfMax {
			w.data = binary.AppendUvarint(w.data, uint64(more-halfMax))
		}
		w.data = append(w.data, s[shared:]...)
	}
	w.last = append(w.last[:0], s...)
	w.n++
}

// Len returns how many strings were added.
func (w *DictWriter) Len() int { return w.n }

// AppendTo appends the encoding.
func (w *DictWriter) AppendTo(dst []byte) []byte {
	dst = slices.Grow(dst, len(w.offs)+len(w.data)+3*binary.MaxVarintLen64)
	dst = binary.AppendUvarint(dst, uint64(w.n))
	dst = AppendBlock(dst, w.offs)
	return AppendBlock(dst, w.data)
}

// ReadDict reads what AppendTo wrote.
func ReadDict(r *Reader) (Dict, error) {
	n := r.Uvarint()
	d := Dict{offs: r.Block(), data: r.Block()}
	if r.err == nil && (n > uint64(len(d.data)) || uint64(len(d.offs)) != (n+blockLen-1)/blockLen*4) {
		r.fail("dictionary")
	}
	d.n = int(n)
	last := -1
	for i := 0; i < len(d.offs) && r.err == nil; i += 4 {
		off := int(binary.LittleEndian.Uint32(d.offs[i:]))
		if off <= last || off >= len(d.data) {
			r.fail("dictionary")
		}
		last = off
	}
	if r.err != nil {
		return Dict{}, r.err
	}
	return d, nil
}

// Len returns how many strings there are.
func (d *Dict) Len() int { return d.n }

// head returns the first string of a block and what follows it.
func (d *Dict) head(block int) (head, rest []byte) {
	b := d.data[binary.LittleEndian.Uint32(d.offs[4*block:]):]
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return nil, nil
	}
	return b[w : w+int(n)], b[w+int(n):]
}

// next makes the string behind one that it shares a part with.
func next(buf, rest []byte) (s, tail []byte) {
	if len(rest) == 0 {
		return buf, nil
	}
	shared, more := uint64(rest[0]>>4), uint64(rest[0]&halfMax)
	rest = rest[1:]
	for _, n := range [...]*uint64{&shared, &more} {
		if *n < halfMax {
			continue
		}
		v, w := binary.Uvarint(rest)
		if w <= 0 || v > 1<<32 {
			return buf, nil
		}
		*n, rest = *n+v, rest[w:]
	}
	if shared > uint64(len(buf)) || more > uint64(len(rest)) {
		return buf, nil
	}
	return append(buf[:shared], rest[:more]...), rest[more:]
}

// At appends the i-th string, which must be there, to buf[:0].
func (d *Dict) At(i int, buf []byte) []byte {
	head, rest := d.head(i / blockLen)
	buf = append(buf[:0], head...)
	for range i % blockLen {
		buf, rest = next(buf, rest)
	}
	return buf
}

// String returns the i-th string, which must be there.
func (d *Dict) String(i int) string {
	var a [64]byte
	return string(d.At(i, a[:0]))
}

// PrefixEnd returns the index of the first string behind those that begin with
// prefix.
func (d *Dict) PrefixEnd(prefix []byte) int {
	next := bytes.Clone(prefix)
	for len(next) > 0 && next[len(next)-1] == 0xff {
		next = next[:len(next)-1]
	}
	if len(next) == 0 {
		return d.n
	}
	next[len(next)-1]++
	at, _ := d.Find(next)
	return at
}

// Find returns the index of the first string that is not less than s, and
// whether it is s.
func (d *Dict) Find(s []byte) (int, bool) {
	if d.n == 0 {
		return 0, false
	}
	blocks := len(d.offs) / 4
	block := sort.Search(blocks, func(i int) bool {
		head, _ := d.head(i)
		return bytes.Compare(head, s) > 0
	}) - 1
	if block < 0 {
		return 0, false
	}
	var a [64]byte
	head, rest := d.head(block)
	buf := append(a[:0], head...)
	for i := block * blockLen; ; {
		if c := bytes.Compare(buf, s); c >= 0 {
			return i, c == 0
		}
		if i++; i%blockLen == 0 || i == d.n {
			return i, false
		}
		buf, rest = next(buf, rest)
	}
}

// DictIter walks through a Dict.
type DictIter struct {
	d    *Dict
	i    int
	buf  []byte
	rest []byte
}

// Iter returns an iterator at the i-th string; it is at an end if there is
// none.
func (d *Dict) Iter(i int) *DictIter {
	it := &DictIter{d: d}
	it.Seek(i)
	return it
}

// Seek moves to the i-th string.
func (it *DictIter) Seek(i int) {
	it.i = i
	if i >= it.d.n {
		return
	}
	head, rest := it.d.head(i / blockLen)
	it.buf, it.rest = append(it.buf[:0], head...), rest
	for range i % blockLen {
		it.buf, it.rest = next(it.buf, it.rest)
	}
}

// Valid reports whether the iterator is at a string.
func (it *DictIter) Valid() bool { return it.i < it.d.n }

// Index returns where the iterator is.
func (it *DictIter) Index() int { return it.i }

// Key returns the string, which holds until the iterator moves.
func (it *DictIter) Key() []byte { return it.buf }

// Next moves to the next string.
func (it *DictIter) Next() {
	it.i++
	switch {
	case it.i >= it.d.n:
	case it.i%blockLen == 0:
		it.Seek(it.i)
	default:
		it.buf, it.rest = next(it.buf, it.rest)
	}
}
