package codec

import (
	"encoding/binary"
	"slices"
)

// Codes is a set of codes; 0 is none of them.
type Codes struct {
	few []uint32 // in order
	all []bool   // by code; nil: few has all
}

// FewCodes returns the set of some codes, which are in order.
func FewCodes(list []uint32) Codes { return Codes{few: list} }

// AllCodes returns the set of those codes for which in is true.
func AllCodes(in []bool) Codes { return Codes{all: in} }

// Has reports whether a code is in the set.
func (c *Codes) Has(code uint32) bool {
	if c.all != nil {
		return c.all[code]
	}
	if len(c.few) > 8 {
		_, ok := slices.BinarySearch(c.few, code)
		return ok
	}
	for _, x := range c.few {
		if x == code {
			return true
		}
	}
	return false
}

// Match keeps in a bitmap the numbers whose code is in a set; or, if not is
// set, those whose code is not, those without a code among them.
func (k *ColumnChunk) Match(bitmap, tmp []uint64, match *Codes, not bool) {
	if !k.dense {
		k.matchSparse(bitmap, tmp, match, not)
		return
	}
	if match.all == nil && len(match.few) == 1 {
		k.matchOne(bitmap, match.few[0], not)
		return
	}
	for i, w := range bitmap {
		keep := uint64(0)
		for m := w; m != 0; m &= m - 1 {
			if match.Has(k.code(i<<6|trailing(m))) != not {
				keep |= m & -m
			}
		}
		bitmap[i] = keep
	}
}

// matchOne is Match of one code in a dense chunk.
func (k *ColumnChunk) matchOne(bitmap []uint64, code uint32, not bool) {
	for i, w := range bitmap {
		keep := uint64(0)
		switch k.width {
		case 1:
			for m := w; m != 0; m &= m - 1 {
				if (uint32(k.codes[i<<6|trailing(m)]) == code) != not {
					keep |= m & -m
				}
			}
		case 2:
			for m := w; m != 0; m &= m - 1 {
				if (uint32(binary.LittleEndian.Uint16(k.codes[2*(i<<6|trailing(m)):])) == code) != not {
					keep |= m & -m
				}
			}
		default:
			for m := w; m != 0; m &= m - 1 {
				if (k.code(i<<6|trailing(m)) == code) != not {
					keep |= m & -m
				}
			}
		}
		bitmap[i] = keep
	}
}

// matchSparse is Match in a chunk that is not dense.
func (k *ColumnChunk) matchSparse(bitmap, tmp []uint64, match *Codes, not bool) {
	tmp = tmp[:len(bitmap)]
	clear(tmp)
	for i := range len(k.ids) / 2 {
		if match.Has(k.code(i)) {
			Put(tmp, k.id(i))
		}
	}
	for i := range bitmap {
		if not {
			bitmap[i] &^= tmp[i]
		} else {
			bitmap[i] &= tmp[i]
		}
	}
}
