package codec

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"sort"
)

// Lists of at most shortList documents are kept as differences; in longer ones
// a chunk of at most arrayMax documents is an array of 16-bit numbers, and a
// fuller one a bitmap.
const (
	shortList  = 32
	arrayMax   = 4096
	bitmapLen  = ChunkSize / 8
	chunkEntry = 8 // chunk 2, count-1 2, offset 4
)

// Postings is a sorted list of documents.
type Postings struct {
	n    int
	ids  []uint32 // of a short list
	dir  []byte   // of a long one
	data []byte
}

// AppendPostings appends an encoding of ids, which are in order and different.
func AppendPostings(dst []byte, ids []uint32) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(ids)))
	if len(ids) <= shortList {
		last := uint32(0)
		for _, id := range ids {
			dst = binary.AppendUvarint(dst, uint64(id-last))
			last = id
		}
		return dst
	}
	var dir []byte
	off := 0
	for rest := ids; len(rest) > 0; {
		c, n := rest[0]>>ChunkBits, 1
		for n < len(rest) && rest[n]>>ChunkBits == c {
			n++
		}
		dir = binary.LittleEndian.AppendUint16(dir, uint16(c))
		dir = binary.LittleEndian.AppendUint16(dir, uint16(n-1))
		dir = binary.LittleEndian.AppendUint32(dir, uint32(off))
		off += setLen(n)
		rest = rest[n:]
	}
	dst = AppendBlock(dst, dir)
	dst = binary.AppendUvarint(dst, uint64(off))
	for i := 0; i < len(dir); i += chunkEntry {
		n := int(binary.LittleEndian.Uint16(dir[i+2:])) + 1
		dst = appendSet(dst, ids[:n])
		ids = ids[n:]
	}
	return dst
}

func setLen(n int) int {
	switch {
	case n <= arrayMax:
		return 2 * n
	case n < ChunkSize:
		return bitmapLen
	}
	return 0
}

func appendSet(dst []byte, ids []uint32) []byte {
	switch {
	case len(ids) <= arrayMax:
		for _, id := range ids {
			dst = binary.LittleEndian.AppendUint16(dst, uint16(id))
		}
	case len(ids) < ChunkSize:
		var words [ChunkSize / 64]uint64
		for _, id := range ids {
			words[id&ChunkMask>>6] |= 1 << (id & 63)
		}
		for _, w := range words {
			dst = binary.LittleEndian.AppendUint64(dst, w)
		}
	}
	return dst
}

// ReadPostings reads what AppendPostings wrote; all documents are below n.
func ReadPostings(r *Reader, n int) (Postings, error) { return ReadPostingsIn(nil, r, n) }

// ReadPostingsIn is ReadPostings that appends to mem, if it is not nil, what a
// short list needs: the list holds as long as mem is not used otherwise.
func ReadPostingsIn(mem *[]uint32, r *Reader, n int) (Postings, error) {
	p := Postings{n: int(min(r.Uvarint(), 1<<32))}
	if p.n <= shortList {
		switch {
		case p.n == 0:
		case mem == nil:
			p.ids = make([]uint32, p.n)
		default:
			from := len(*mem)
			*mem = slices.Grow(*mem, p.n)[:from+p.n]
			p.ids = (*mem)[from : from+p.n : from+p.n]
		}
		last := uint64(0)
		for i := range p.ids {
			last += r.Uvarint()
			if last >= uint64(n) {
				r.fail("postings")
			}
			p.ids[i] = uint32(last)
		}
	} else {
		p.dir, p.data = r.Block(), r.Block()
		if len(p.dir)%chunkEntry != 0 {
			r.fail("postings")
		}
		chunks, total := (n+ChunkSize-1)>>ChunkBits, 0
		for i := 0; i+chunkEntry <= len(p.dir) && r.err == nil; i += chunkEntry {
			c, count := int(binary.LittleEndian.Uint16(p.dir[i:])), int(binary.LittleEndian.Uint16(p.dir[i+2:]))+1
			off := int(binary.LittleEndian.Uint32(p.dir[i+4:]))
			if c >= chunks || off+setLen(count) > len(p.data) || i > 0 && c <= int(binary.LittleEndian.Uint16(p.dir[i-chunkEntry:])) {
				r.fail("postings")
			}
			total += count
		}
		if total != p.n {
			r.fail("postings")
		}
	}
	if r.err != nil {
		return Postings{}, r.err
	}
	return p, nil
}

// AppendShort reads what AppendPostings wrote: it appends the documents of a
// short list, or returns a longer one. All documents are below n.
func AppendShort(dst []uint32, r *Reader, n int) ([]uint32, Postings, error) {
	b := r.b
	count, w := binary.Uvarint(b)
	if w <= 0 || count > shortList {
		long, err := ReadPostings(r, n)
		return dst, long, err
	}
	b = b[w:]
	last := uint64(0)
	for range count {
		var d uint64
		if len(b) > 0 && b[0] < 0x80 {
			d, b = uint64(b[0]), b[1:]
		} else {
			if d, w = binary.Uvarint(b); w <= 0 {
				r.fail("postings")
				return dst, Postings{}, r.err
			}
			b = b[w:]
		}
		if last += d; last >= uint64(n) {
			r.fail("postings")
			return dst, Postings{}, r.err
		}
		dst = append(dst, uint32(last))
	}
	r.b = b
	return dst, Postings{}, nil
}

// First returns the first document of a list that is not empty.
func (p *Postings) First() uint32 {
	if p.n <= shortList {
		return p.ids[0]
	}
	c := uint32(binary.LittleEndian.Uint16(p.dir)) << ChunkBits
	switch s := p.Chunk(int(c >> ChunkBits)); {
	case s.arr != nil:
		return c + uint32(binary.LittleEndian.Uint16(s.arr))
	case s.bits != nil:
		for i := 0; i < bitmapLen; i += 8 {
			if w := binary.LittleEndian.Uint64(s.bits[i:]); w != 0 {
				return c + uint32(8*i+bits.TrailingZeros64(w))
			}
		}
	}
	return c
}

// Len returns how many documents are in the list.
func (p *Postings) Len() int { return p.n }

// Chunk returns the documents of a chunk.
func (p *Postings) Chunk(c int) Set {
	if p.n <= shortList {
		lo := sort.Search(len(p.ids), func(i int) bool { return int(p.ids[i]>>ChunkBits) >= c })
		hi := lo
		for hi < len(p.ids) && int(p.ids[hi]>>ChunkBits) == c {
			hi++
		}
		return Set{n: hi - lo, ids: p.ids[lo:hi]}
	}
	chunks := len(p.dir) / chunkEntry
	i := sort.Search(chunks, func(i int) bool { return int(binary.LittleEndian.Uint16(p.dir[i*chunkEntry:])) >= c })
	if i == chunks || int(binary.LittleEndian.Uint16(p.dir[i*chunkEntry:])) != c {
		return Set{}
	}
	e := p.dir[i*chunkEntry:]
	n, off := int(binary.LittleEndian.Uint16(e[2:]))+1, binary.LittleEndian.Uint32(e[4:])
	data := p.data[off:]
	switch {
	case n <= arrayMax:
		return Set{n: n, arr: data[:2*n]}
	case n < ChunkSize:
		return Set{n: n, bits: data[:bitmapLen]}
	}
	return Set{n: n, full: true}
}

// AppendTo appends all documents.
func (p *Postings) AppendTo(dst []uint32) []uint32 {
	if p.n <= shortList {
		return append(dst, p.ids...)
	}
	for i := 0; i < len(p.dir); i += chunkEntry {
		c := uint32(binary.LittleEndian.Uint16(p.dir[i:]))
		s := p.Chunk(int(c))
		dst = s.AppendTo(dst, c<<ChunkBits)
	}
	return dst
}

// Contains reports whether a document is in the list.
func (p *Postings) Contains(id uint32) bool {
	s := p.Chunk(int(id >> ChunkBits))
	return s.Contains(id & ChunkMask)
}

// Set is what a list has in one chunk; numbers are relative to the chunk.
type Set struct {
	n    int
	ids  []uint32 // absolute
	arr  []byte
	bits []byte
	full bool
}

// Len returns how many documents are in the set.
func (s *Set) Len() int { return s.n }

// OrInto adds the set to a bitmap that is long enough for all documents there
// are.
func (s *Set) OrInto(dst []uint64) {
	switch {
	case s.ids != nil:
		for _, id := range s.ids {
			Put(dst, id&ChunkMask)
		}
	case s.arr != nil:
		for i := 0; i+1 < len(s.arr); i += 2 {
			Put(dst, uint32(binary.LittleEndian.Uint16(s.arr[i:])))
		}
	case s.bits != nil:
		for i := range dst {
			dst[i] |= binary.LittleEndian.Uint64(s.bits[8*i:])
		}
	case s.full:
		for i := range dst {
			dst[i] = ^uint64(0)
		}
	}
}

// AndFew adds to an empty bitmap what is in the set, which has few documents,
// and in another, too.
func (s *Set) AndFew(dst []uint64, o *Set) {
	for _, id := range s.ids {
		if o.Contains(id & ChunkMask) {
			Put(dst, id&ChunkMask)
		}
	}
	for i := 0; i+1 < len(s.arr); i += 2 {
		if id := uint32(binary.LittleEndian.Uint16(s.arr[i:])); o.Contains(id) {
			Put(dst, id)
		}
	}
}

// Few reports whether a set is a short list.
func (s *Set) Few() bool { return s.n <= 256 }

// AndInto takes from a bitmap what is not in the set.
func (s *Set) AndInto(dst []uint64, tmp []uint64) {
	switch {
	case s.n == 0:
		clear(dst)
	case s.full:
	case s.bits != nil:
		for i := range dst {
			dst[i] &= binary.LittleEndian.Uint64(s.bits[8*i:])
		}
	default:
		tmp = tmp[:len(dst)]
		clear(tmp)
		s.OrInto(tmp)
		for i := range dst {
			dst[i] &= tmp[i]
		}
	}
}

// CountAnd returns how many documents of the set are in a bitmap.
func (s *Set) CountAnd(b []uint64) int {
	n := 0
	switch {
	case s.ids != nil:
		for _, id := range s.ids {
			n += int(bit(b, id&ChunkMask))
		}
	case s.arr != nil:
		for i := 0; i+1 < len(s.arr); i += 2 {
			n += int(bit(b, uint32(binary.LittleEndian.Uint16(s.arr[i:]))))
		}
	case s.bits != nil:
		for i, w := range b {
			n += bits.OnesCount64(w & binary.LittleEndian.Uint64(s.bits[8*i:]))
		}
	case s.full:
		for _, w := range b {
			n += bits.OnesCount64(w)
		}
	}
	return n
}

// Fill sets what vals has at the set's documents to v.
func (s *Set) Fill(vals []uint8, v uint8) {
	switch {
	case s.ids != nil:
		for _, id := range s.ids {
			set(vals, id&ChunkMask, v)
		}
	case s.arr != nil:
		for i := 0; i+1 < len(s.arr); i += 2 {
			set(vals, uint32(binary.LittleEndian.Uint16(s.arr[i:])), v)
		}
	case s.bits != nil:
		for i := 0; i < bitmapLen/8 && i<<6 < len(vals); i++ {
			for w := binary.LittleEndian.Uint64(s.bits[8*i:]); w != 0; w &= w - 1 {
				set(vals, uint32(i<<6|bits.TrailingZeros64(w)), v)
			}
		}
	case s.full:
		for i := range vals {
			vals[i] = v
		}
	}
}

// AppendTo appends the set's documents, each with base added.
func (s *Set) AppendTo(dst []uint32, base uint32) []uint32 {
	switch {
	case s.ids != nil:
		for _, id := range s.ids {
			dst = append(dst, base+id&ChunkMask)
		}
	case s.arr != nil:
		for i := 0; i+1 < len(s.arr); i += 2 {
			dst = append(dst, base+uint32(binary.LittleEndian.Uint16(s.arr[i:])))
		}
	case s.bits != nil:
		for i := range bitmapLen / 8 {
			for w := binary.LittleEndian.Uint64(s.bits[8*i:]); w != 0; w &= w - 1 {
				dst = append(dst, base+uint32(i<<6|bits.TrailingZeros64(w)))
			}
		}
	case s.full:
		for i := range uint32(ChunkSize) {
			dst = append(dst, base+i)
		}
	}
	return dst
}

// Contains reports whether a document is in the set.
func (s *Set) Contains(id uint32) bool {
	switch {
	case s.ids != nil:
		for _, x := range s.ids {
			if x&ChunkMask == id {
				return true
			}
		}
	case s.arr != nil:
		i := sort.Search(len(s.arr)/2, func(i int) bool { return uint32(binary.LittleEndian.Uint16(s.arr[2*i:])) >= id })
		return i < len(s.arr)/2 && uint32(binary.LittleEndian.Uint16(s.arr[2*i:])) == id
	case s.bits != nil:
		return s.bits[id>>3]>>(id&7)&1 != 0
	}
	return s.full
}

// Put sets a bit, if the bitmap is that long.
func Put(b []uint64, i uint32) {
	if w := i >> 6; w < uint32(len(b)) {
		b[w] |= 1 << (i & 63)
	}
}

// Has reports whether a bit is set.
func Has(b []uint64, i uint32) bool { return bit(b, i) != 0 }

func bit(b []uint64, i uint32) uint64 {
	if w := i >> 6; w < uint32(len(b)) {
		return b[w] >> (i & 63) & 1
	}
	return 0
}

func set(vals []uint8, i uint32, v uint8) {
	if i < uint32(len(vals)) {
		vals[i] = v
	}
}
