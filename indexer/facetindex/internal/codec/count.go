package codec

import (
	"encoding/binary"
	"math/bits"
)

// Hits are some numbers of a chunk.
type Hits struct {
	Bitmap []uint64
	Len    int
	list   []uint16 // of few; nil of many
}

// manyHits is from how many hits of a chunk on a bitmap is read as fast as a
// list.
const manyHits = 512

// MakeHits returns the numbers in a bitmap, which must stay as it is, as must
// buf, in which a list of them is kept.
func MakeHits(bitmap []uint64, buf *[]uint16) Hits {
	h := Hits{Bitmap: bitmap, Len: OnesCount(bitmap)}
	if h.Len < manyHits {
		*buf = AppendBits((*buf)[:0], bitmap)
		h.list = *buf
	}
	return h
}

// Count adds 1 to counts at the code of each hit that has one. counts has room
// for all codes, 0 included, and what it has at 0 means nothing afterwards.
func (k *ColumnChunk) Count(hits *Hits, counts []uint32) {
	switch {
	case k.dense && hits.list == nil:
		k.countBits(hits.Bitmap, counts)
	case k.dense:
		k.countList(hits.list, counts)
	case hits.Len*8 < k.count && hits.list != nil:
		for _, h := range hits.list {
			counts[k.Get(uint32(h))]++
		}
	case k.width == 1:
		for i, code := range k.codes {
			counts[code] += uint32(bit(hits.Bitmap, uint32(binary.LittleEndian.Uint16(k.ids[2*i:]))))
		}
	default:
		for i := range len(k.ids) / 2 {
			counts[k.code(i)] += uint32(bit(hits.Bitmap, uint32(binary.LittleEndian.Uint16(k.ids[2*i:]))))
		}
	}
}

// countList is Count for a dense chunk and few hits.
func (k *ColumnChunk) countList(list []uint16, counts []uint32) {
	switch k.width {
	case 1:
		for _, h := range list {
			counts[k.codes[h]]++
		}
	case 2:
		for _, h := range list {
			counts[binary.LittleEndian.Uint16(k.codes[2*int(h):])]++
		}
	case 3:
		for _, h := range list {
			counts[code3(k.codes, int(h))]++
		}
	default:
		for _, h := range list {
			counts[binary.LittleEndian.Uint32(k.codes[4*int(h):])]++
		}
	}
}

// countBits is Count for a dense chunk and many hits.
func (k *ColumnChunk) countBits(bitmap []uint64, counts []uint32) {
	switch k.width {
	case 1:
		countBytes(k.codes, bitmap, counts)
	case 2:
		for i, w := range bitmap {
			if w == 0 {
				continue
			}
			b := k.codes[i<<7:]
			if len(b) < 128 {
				for ; w != 0; w &= w - 1 {
					counts[binary.LittleEndian.Uint16(b[2*bits.TrailingZeros64(w):])]++
				}
				break
			}
			word := (*[128]byte)(b)
			for ; w != 0; w &= w - 1 {
				j := 2 * (bits.TrailingZeros64(w) & 63)
				counts[uint32(word[j])|uint32(word[j+1])<<8]++
			}
		}
	default:
		for i, w := range bitmap {
			for ; w != 0; w &= w - 1 {
				counts[k.code(i<<6|bits.TrailingZeros64(w))]++
			}
		}
	}
}

// countBytes is countBits for codes of a byte. Neighbours are often equal:
// counting them by turns in two arrays, nobody waits for the one before.
func countBytes(codes []byte, bitmap []uint64, counts []uint32) {
	var n [2][256]uint32
	for i, w := range bitmap {
		if w == 0 {
			continue
		}
		if len(codes) < i<<6+64 {
			for ; w != 0; w &= w - 1 {
				n[0][codes[i<<6|bits.TrailingZeros64(w)]]++
			}
			break
		}
		b := (*[64]byte)(codes[i<<6:])
		for w != 0 {
			n[0][b[bits.TrailingZeros64(w)&63]]++
			if w &= w - 1; w == 0 {
				break
			}
			n[1][b[bits.TrailingZeros64(w)&63]]++
			w &= w - 1
		}
	}
	for i := range min(len(counts), 256) {
		counts[i] += n[0][i] + n[1][i]
	}
}

// AppendCodes appends the code of each hit that has one.
func (k *ColumnChunk) AppendCodes(dst []uint32, hits *Hits) []uint32 {
	if !k.dense && (hits.list == nil || hits.Len*8 >= k.count) {
		for i := range len(k.ids) / 2 {
			if Has(hits.Bitmap, uint32(binary.LittleEndian.Uint16(k.ids[2*i:]))) {
				dst = append(dst, k.code(i))
			}
		}
		return dst
	}
	if hits.list == nil {
		for i, w := range hits.Bitmap {
			for ; w != 0; w &= w - 1 {
				if code := k.Get(uint32(i<<6 | bits.TrailingZeros64(w))); code != 0 {
					dst = append(dst, code)
				}
			}
		}
		return dst
	}
	for _, h := range hits.list {
		if code := k.Get(uint32(h)); code != 0 {
			dst = append(dst, code)
		}
	}
	return dst
}
