package segment

import (
	"hash/maphash"
	"slices"
	"unsafe"

	"catalog/indexer"
)

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

// reset forgets all strings, and keeps the memory for others.
func (n *interner) reset() {
	if len(n.spans) == 0 {
		return
	}
	n.data, n.spans = n.data[:0], n.spans[:0]
	clear(n.table)
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
	if more := len(a) + len(b); cap(n.data)-len(n.data) < more {
		n.data = slices.Grow(n.data, max(more, len(n.data)))
	}
	n.data = append(append(n.data, a...), b...)
	n.spans = append(roomy(n.spans), span{from, from + uint32(len(a)), uint32(len(n.data))})
	k := uint32(len(n.spans))
	n.table[i] = h>>32<<32 | uint64(k)
	if len(n.spans)*2 > len(n.table) {
		n.grow()
	}
	return k - 1
}

// roomy returns a slice with room for one more, twice as large as before if it
// has to move: append would move great ones five times as often.
func roomy[T any](a []T) []T {
	if len(a) == cap(a) {
		a = slices.Grow(a, max(len(a), 8))
	}
	return a
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

// A builder of many documents remembers 2^recentBits words and 2^valueBits
// values by address.
const (
	recentBits = 16
	valueBits  = 13
	manyDocs   = 2000
)

// recent knows the numbers of words and values that come again as the same
// strings, as they do from an indexer that remembers them: neither hashed nor
// compared.
type recent struct {
	words  []recentWord
	values []recentValue
}

type recentWord struct {
	term, stem string
	number     uint32 // 0: free; else one more
}

type recentValue struct {
	field  *builtField
	text   string
	num    uint64
	typ    indexer.ValueType
	number uint32 // of the value
}

func newRecent() *recent {
	return &recent{make([]recentWord, 1<<recentBits), make([]recentValue, 1<<valueBits)}
}

func (r *recent) reset() {
	clear(r.words)
	clear(r.values)
}

// word returns where the word may stand.
func (r *recent) word(w *indexer.Word) *recentWord {
	return &r.words[address(w.Term)>>(64-recentBits)]
}

// value returns where a value of the text may stand.
func (r *recent) value(text string) *recentValue {
	return &r.values[address(text)>>(64-valueBits)]
}

// address makes a number of where a string is. It says where to look and no
// more: what stands there is compared as strings are, of which two at the same
// address take no time. So whatever an address is worth, no string is taken for
// another, and none is read or kept by its address.
func address(s string) uint64 {
	return uint64(uintptr(unsafe.Pointer(unsafe.StringData(s)))) * 0x9e3779b97f4a7c15
}
