package codec

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

// packed is the width of an array of which each block has its own.
const packed = 9

// Blocks of packed integers.
const (
	packBits = 7
	packLen  = 1 << packBits
	packMask = packLen - 1
	packMax  = 56 // bits: what is read at once, wherever in a byte it begins
	packPad  = 8  // bytes behind the last block, so that reading never ends early
)

// Packed is an array of integers of which neighbours are alike. It takes less
// space than Ints, and a little longer to read.
type Packed struct {
	plain Ints // if it is no longer than in blocks
	data  []byte
	base  int64
	n     int
	bases Ints // least number of each block, less base
	offs  Ints // where each begins, and the end
}

// AppendPacked appends an encoding that ReadPacked reads: each block of 128
// integers has a base and as many bits a number as it needs.
func AppendPacked[T ~int32 | ~uint32 | ~int64 | ~uint8 | ~int](dst []byte, a []T) []byte {
	if len(a) < packLen {
		return AppendInts(dst, a)
	}
	lo, hi := int64(a[0]), int64(a[0])
	for _, v := range a {
		lo, hi = min(lo, int64(v)), max(hi, int64(v))
	}
	n := (len(a) + packMask) >> packBits
	bases, offs := make([]int64, 0, n), make([]int64, 1, n+1)
	data := make([]byte, 0, len(a))
	for rest := a; len(rest) > 0; {
		k := min(len(rest), packLen)
		least, most := int64(rest[0]), int64(rest[0])
		for _, v := range rest[:k] {
			least, most = min(least, int64(v)), max(most, int64(v))
		}
		width := bits.Len64(uint64(most) - uint64(least))
		if width > packMax || uint64(least)-uint64(lo) > 1<<62 {
			return AppendInts(dst, a)
		}
		bases = append(bases, least-lo)
		var word uint64
		have := 0
		for i := range packLen {
			v := uint64(0)
			if i < k {
				v = uint64(rest[i]) - uint64(least)
			}
			word |= v << have
			if have += width; have >= 64 {
				data = binary.LittleEndian.AppendUint64(data, word)
				have -= 64
				word = v >> (width - have)
			}
		}
		// 128 numbers of any width fill whole words: nothing is left in word.
		offs = append(offs, int64(len(data)))
		rest = rest[k:]
	}
	if plain := int(widthOf(uint64(hi) - uint64(lo))); len(data)+len(bases)*8 >= plain*len(a) {
		return AppendInts(dst, a)
	}
	dst = binary.AppendUvarint(dst, uint64(len(a)))
	dst = append(dst, packed)
	dst = binary.AppendVarint(dst, lo)
	dst = AppendInts(dst, bases)
	dst = AppendInts(dst, offs)
	return AppendBlock(dst, append(data, make([]byte, packPad)...))
}

// ReadPacked reads what AppendPacked wrote.
func ReadPacked(r *Reader) (Packed, error) {
	n, width, base := readHead(r)
	if r.err != nil {
		return Packed{}, r.err
	}
	var p Packed
	var err error
	if width != packed {
		p.plain, err = readInts(r, n, width, base)
		p.n = p.plain.n
		return p, err
	}
	if p.bases, err = ReadInts(r); err != nil {
		return Packed{}, err
	}
	if p.offs, err = ReadInts(r); err != nil {
		return Packed{}, err
	}
	p.data = r.Block()
	if r.err != nil {
		return Packed{}, r.err
	}
	count := p.bases.n
	if n == 0 || n > 1<<32 || uint64(count) != (n+packMask)>>packBits || p.offs.n != count+1 ||
		p.offs.At(0) != 0 || p.offs.At(count) != int64(len(p.data))-packPad {
		return Packed{}, fmt.Errorf("packed integers: %w", ErrFormat)
	}
	for i := range count {
		if d := p.offs.At(i+1) - p.offs.At(i); d < 0 || d%(packLen/8) != 0 || d/(packLen/8) > packMax || p.bases.At(i) < 0 {
			return Packed{}, fmt.Errorf("packed integers: %w", ErrFormat)
		}
	}
	p.base, p.n = base, int(n)
	return p, nil
}

// Len returns how many integers there are.
func (p *Packed) Len() int { return p.n }

// block returns the least number of a block, its width and where it begins.
func (p *Packed) block(b int) (base int64, width int, data []byte) {
	from, to := p.offs.At(b), p.offs.At(b+1)
	return p.base + p.bases.At(b), int(to-from) / (packLen / 8), p.data[from : to+packPad]
}

// At returns the i-th integer, which must be there.
func (p *Packed) At(i int) int64 {
	if p.data == nil {
		return p.plain.At(i)
	}
	base, width, data := p.block(i >> packBits)
	at := (i & packMask) * width
	v := binary.LittleEndian.Uint64(data[at>>3:]) >> (at & 7)
	return base + int64(v&(1<<width-1))
}

// Within is that of Ints.
func (p *Packed) Within(lo, hi int64) bool {
	if p.data == nil {
		return p.plain.Within(lo, hi)
	}
	return p.each(func(v int64) bool { return v >= lo && v < hi })
}

// Rising is that of Ints.
func (p *Packed) Rising() bool {
	if p.data == nil {
		return p.plain.Rising()
	}
	last := int64(math.MinInt64)
	return p.each(func(v int64) bool {
		ok := v >= last
		last = v
		return ok
	})
}

// each calls f for the integers of all blocks in order, until it returns false.
func (p *Packed) each(f func(v int64) bool) bool {
	for b := range p.bases.n {
		base, width, data := p.block(b)
		mask := uint64(1)<<width - 1
		for i, at := 0, 0; i < min(packLen, p.n-b<<packBits); i, at = i+1, at+width {
			if !f(base + int64(binary.LittleEndian.Uint64(data[at>>3:])>>(at&7)&mask)) {
				return false
			}
		}
	}
	return true
}

// EachBelow is that of Ints; base begins a block. Blocks of which all integers
// are above the limit are passed over.
func (p *Packed) EachBelow(bitmap []uint64, base int, limit int64, f func(i int, v int64) int64) {
	if p.data == nil {
		p.plain.EachBelow(bitmap, base, limit, f)
		return
	}
	const words = packLen / 64
	for i := 0; i < len(bitmap); i += words {
		part := bitmap[i:min(i+words, len(bitmap))]
		if part[0] == 0 && part[len(part)-1] == 0 || p.base+p.bases.At((base+i<<6)>>packBits) > limit {
			continue
		}
		least, width, data := p.block((base + i<<6) >> packBits)
		mask := uint64(1)<<width - 1
		for j, w := range part {
			for ; w != 0; w &= w - 1 {
				k := j<<6 | trailing(w)
				at := k * width
				if v := least + int64(binary.LittleEndian.Uint64(data[at>>3:])>>(at&7)&mask); v <= limit {
					limit = f(base+i<<6+k, v)
				}
			}
		}
	}
}
