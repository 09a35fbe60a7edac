package codec

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Hits are some numbers of a chunk.
type Hits struct {
	Bitmap []uint64
	Len    int
	list   []uint16 // of few; nil of many
	lo, hi uint32   // the first, and the last
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
	for i, w := range bitmap {
		if w != 0 {
			h.lo = uint32(i<<6 | bits.TrailingZeros64(w))
			break
		}
	}
	for i, w := range slices.Backward(bitmap) {
		if w != 0 {
			h.hi = uint32(i<<6 | 63 - bits.LeadingZeros64(w))
			break
		}
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
	default:
		k.countSparse(hits, counts)
	}
}

// countSparse is Count for a chunk that is not dense.
func (k *ColumnChunk) countSparse(hits *Hits, counts []uint32) {
	from, to := k.around(hits)
	switch {
	case hits.few(to - from):
		for _, h := range hits.list {
			counts[k.GetFrom(&from, uint32(h))]++
		}
	case k.width == 1:
		for i, code := range k.codes[from:to] {
			counts[code] += uint32(bit(hits.Bitmap, k.id(from+i)))
		}
	default:
		for i := from; i < to; i++ {
			counts[k.code(i)] += uint32(bit(hits.Bitmap, k.id(i)))
		}
	}
}

// around returns between which places of a sparse chunk all hits are.
func (k *ColumnChunk) around(hits *Hits) (from, to int) {
	if hits.Len == 0 {
		return 0, 0
	}
	from = k.find(hits.lo)
	return from, k.from(from, hits.hi+1)
}

// few reports whether to look for each hit is faster than to look at so many
// numbers.
func (h *Hits) few(numbers int) bool { return h.list != nil && h.Len*4 < numbers }

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
			if bits.OnesCount64(w) >= nearlyAll {
				countWord(word, w, counts)
				continue
			}
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

// nearlyAll is how many bits of a word must be set for it to be faster to look at
// all of them than to look for those.
const nearlyAll = 44

// countWord adds the bits of w to counts at 64 codes of two bytes.
func countWord(codes *[128]byte, w uint64, counts []uint32) {
	for j := 0; j < len(codes); j += 8 {
		four, m := binary.LittleEndian.Uint64(codes[j:]), uint32(w)
		w >>= 4
		counts[uint16(four)] += m & 1
		counts[uint16(four>>16)] += m >> 1 & 1
		counts[uint16(four>>32)] += m >> 2 & 1
		counts[uint16(four>>48)] += m >> 3 & 1
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
	at := 0
	if !k.dense {
		from, to := k.around(hits)
		if !hits.few(to - from) {
			for i := from; i < to; i++ {
				if Has(hits.Bitmap, k.id(i)) {
					dst = append(dst, k.code(i))
				}
			}
			return dst
		}
		at = from
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
		if code := k.GetFrom(&at, uint32(h)); code != 0 {
			dst = append(dst, code)
		}
	}
	return dst
}
