package segment

import "hash/maphash"

// interner numbers different strings, or pairs of them. It keeps copies, one
// behind the other, so that what they were part of can be freed.
type interner struct {
	seed  maphash.Seed
	data  []byte
	spans []span
	table []uint64 // half of the hash, number+1: what is compared first is together
}

// span is where a pair is.
type span struct{ from, cut, to uint32 }

func newInterner() *interner {
	return &interner{seed: maphash.MakeSeed(), table: make([]uint64, 16)}
}

// of returns the number of the pair. Pairs with the same first string are few.
func (n *interner) of(a, b string) uint32 {
	h := maphash.String(n.seed, a)
	mask := uint64(len(n.table) - 1)
	i := h & mask
	for ; n.table[i] != 0; i = (i + 1) & mask {
		if t := n.table[i]; t>>32 == h>>32 {
			k := uint32(t) - 1
			if s := &n.spans[k]; string(n.data[s.from:s.cut]) == a && string(n.data[s.cut:s.to]) == b {
				return k
			}
		}
	}
	from := uint32(len(n.data))
	n.data = append(append(n.data, a...), b...)
	n.spans = append(n.spans, span{from, from + uint32(len(a)), uint32(len(n.data))})
	k := uint32(len(n.spans))
	n.table[i] = h>>32<<32 | uint64(k)
	if len(n.spans)*2 > len(n.table) {
		n.grow()
	}
	return k - 1
}

func (n *interner) grow() {
	n.table = make([]uint64, 4*len(n.table))
	mask := uint64(len(n.table) - 1)
	for k, s := range n.spans {
		h := maphash.Bytes(n.seed, n.data[s.from:s.cut])
		i := h & mask
		for n.table[i] != 0 {
			i = (i + 1) & mask
		}
		n.table[i] = h>>32<<32 | uint64(k+1)
	}
}

// at returns the k-th pair, one string behind the other.
func (n *interner) at(k uint32) []byte {
	s := &n.spans[k]
	return n.data[s.from:s.to]
}

// pair returns the k-th pair.
func (n *interner) pair(k uint32) (a, b []byte) {
	s := &n.spans[k]
	return n.data[s.from:s.cut], n.data[s.cut:s.to]
}

func (n *interner) len() int { return len(n.spans) }
