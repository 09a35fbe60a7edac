package codec

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Ints is an array of integers, each in as few bytes as the largest needs.
type Ints struct {
	data  []byte
	base  int64
	n     int
	width uint8 // 0, 1, 2, 4, 8
}

// AppendInts appends an encoding of a.
func AppendInts[T ~int32 | ~uint32 | ~int64 | ~uint8 | ~int](dst []byte, a []T) []byte {
	var lo, hi int64
	for i, v := range a {
		if i == 0 || int64(v) < lo {
			lo = int64(v)
		}
		if i == 0 || int64(v) > hi {
			hi = int64(v)
		}
	}
	width := widthOf(uint64(hi) - uint64(lo)) // wraps, and so does At
	dst = slices.Grow(dst, len(a)*int(width)+2*binary.MaxVarintLen64+1)
	dst = binary.AppendUvarint(dst, uint64(len(a)))
	dst = append(dst, width)
	dst = binary.AppendVarint(dst, lo)
	for _, v := range a {
		dst = appendUint(dst, uint64(v)-uint64(lo), width)
	}
	return dst
}

func widthOf(v uint64) uint8 {
	switch {
	case v == 0:
		return 0
	case v < 1<<8:
		return 1
	case v < 1<<16:
		return 2
	case v < 1<<32:
		return 4
	}
	return 8
}

func appendUint(dst []byte, v uint64, width uint8) []byte {
	switch width {
	case 0:
		return dst
	case 1:
		return append(dst, byte(v))
	case 2:
		return binary.LittleEndian.AppendUint16(dst, uint16(v))
	case 4:
		return binary.LittleEndian.AppendUint32(dst, uint32(v))
	}
	return binary.LittleEndian.AppendUint64(dst, v)
}

// ReadInts reads what AppendInts wrote.
func ReadInts(r *Reader) (Ints, error) {
	n, width, base := readHead(r)
	if r.err != nil {
		return Ints{}, r.err
	}
	return readInts(r, n, width, base)
}

// readHead reads what is in front of an array's integers.
func readHead(r *Reader) (n uint64, width uint8, base int64) {
	n = r.Uvarint()
	if w := r.Bytes(1); len(w) > 0 {
		width = w[0]
	}
	return n, width, r.Varint()
}

func readInts(r *Reader, n uint64, width uint8, base int64) (Ints, error) {
	switch width {
	case 0, 1, 2, 4, 8:
	default:
		return Ints{}, fmt.Errorf("integers of %d bytes: %w", width, ErrFormat)
	}
	if n > 1<<32 {
		return Ints{}, fmt.Errorf("%d integers: %w", n, ErrFormat)
	}
	p := Ints{base: base, n: int(n), width: width, data: r.Bytes(n * uint64(width))}
	return p, r.err
}

// Len returns how many integers there are.
func (p *Ints) Len() int { return p.n }

// At returns the i-th integer, which must be there.
func (p *Ints) At(i int) int64 {
	switch p.width {
	case 0:
		return p.base
	case 1:
		return p.base + int64(p.data[i])
	case 2:
		return p.base + int64(binary.LittleEndian.Uint16(p.data[2*i:]))
	case 4:
		return p.base + int64(binary.LittleEndian.Uint32(p.data[4*i:]))
	}
	return p.base + int64(binary.LittleEndian.Uint64(p.data[8*i:]))
}

// Within reports whether all integers are at least lo and below hi.
func (p *Ints) Within(lo, hi int64) bool {
	for i := range p.n {
		if v := p.At(i); v < lo || v >= hi {
			return false
		}
		if p.width == 0 {
			break
		}
	}
	return true
}

// Rising reports whether no integer is less than the one before.
func (p *Ints) Rising() bool {
	if p.width == 0 {
		return true
	}
	for i := 1; i < p.n; i++ {
		if p.At(i) < p.At(i-1) {
			return false
		}
	}
	return true
}

// Gather appends the integers that a bitmap asks for, the first bit being that
// of the integer at base; all of them are 32-bit numbers.
func (p *Ints) Gather(dst []uint32, bitmap []uint64, base int) []uint32 {
	if p.width == 4 {
		data, add := p.data[4*base:], uint32(p.base)
		for i, w := range bitmap {
			for ; w != 0; w &= w - 1 {
				dst = append(dst, add+binary.LittleEndian.Uint32(data[4*(i<<6|trailing(w)):]))
			}
		}
		return dst
	}
	for i, w := range bitmap {
		for ; w != 0; w &= w - 1 {
			dst = append(dst, uint32(p.At(base+(i<<6|trailing(w)))))
		}
	}
	return dst
}

// EachFrom is EachBelow for integers that are at least limit.
func (p *Ints) EachFrom(bitmap []uint64, base int, limit int64, f func(i int, v int64) int64) {
	if p.width == 4 {
		data := p.data[4*base:]
		for i, w := range bitmap {
			for ; w != 0; w &= w - 1 {
				j := i<<6 | trailing(w)
				if v := p.base + int64(binary.LittleEndian.Uint32(data[4*j:])); v >= limit {
					limit = f(base+j, v)
				}
			}
		}
		return
	}
	for i, w := range bitmap {
		for ; w != 0; w &= w - 1 {
			j := base + (i<<6 | trailing(w))
			if v := p.At(j); v >= limit {
				limit = f(j, v)
			}
		}
	}
}

// EachBelow calls f for the integers that are at most limit and that a bitmap
// asks for, the first bit being that of the integer at base. f returns a new
// limit.
func (p *Ints) EachBelow(bitmap []uint64, base int, limit int64, f func(i int, v int64) int64) {
	if p.width == 4 {
		data := p.data[4*base:]
		for i, w := range bitmap {
			for ; w != 0; w &= w - 1 {
				j := i<<6 | trailing(w)
				if v := p.base + int64(binary.LittleEndian.Uint32(data[4*j:])); v <= limit {
					limit = f(base+j, v)
				}
			}
		}
		return
	}
	for i, w := range bitmap {
		for ; w != 0; w &= w - 1 {
			j := base + (i<<6 | trailing(w))
			if v := p.At(j); v <= limit {
				limit = f(j, v)
			}
		}
	}
}
