// Package memo remembers what was computed of texts that come again and again:
// a bounded cache that costs one look into memory where a map costs three.
package memo

import "hash/maphash"

// Memo maps texts to values. It forgets what was not asked for during two
// times its limit of new texts. Texts are told apart by a hash of 64 bits with
// a seed of its own, and by nothing else: of a billion texts that are new to a
// memo of 60,000, two are taken for one with a probability of 1 in 300,000.
// Not safe for concurrent use.
type Memo[T any] struct {
	seed       maphash.Seed
	limit      int
	young, old []slot[T]
	n          int // used slots of young
}

type slot[T any] struct {
	hash uint64 // 0: free
	val  *T
}

// New returns a memo of up to twice limit texts.
func New[T any](limit int) *Memo[T] {
	m := &Memo[T]{seed: maphash.MakeSeed(), limit: max(limit, 8)}
	m.young = make([]slot[T], 16)
	return m
}

// Len returns how many texts are remembered at most.
func (m *Memo[T]) Len() int {
	n := m.n
	for i := range m.old {
		if m.old[i].hash != 0 {
			n++
		}
	}
	return n
}

// Get returns what was put for a text, and the hash to put it with. A nil
// value may have been put.
func (m *Memo[T]) Get(text []byte) (val *T, hash uint64, ok bool) {
	hash = maphash.Bytes(m.seed, text) | 1
	if s := find(m.young, hash); s.hash == hash {
		return s.val, hash, true
	}
	if len(m.old) > 0 {
		if s := find(m.old, hash); s.hash == hash {
			m.Put(hash, s.val)
			return s.val, hash, true
		}
	}
	return nil, hash, false
}

// Put remembers a value for the text of a hash that Get returned.
func (m *Memo[T]) Put(hash uint64, val *T) {
	if m.n >= m.limit {
		m.old, m.young, m.n = m.young, make([]slot[T], len(m.young)), 0
	}
	if 2*(m.n+1) > len(m.young) {
		grown := make([]slot[T], 2*len(m.young))
		for _, s := range m.young {
			if s.hash != 0 {
				*find(grown, s.hash) = s
			}
		}
		m.young = grown
	}
	s := find(m.young, hash)
	if s.hash == 0 {
		m.n++
	}
	*s = slot[T]{hash, val}
}

// find returns the slot of a hash, or the free one where it belongs. At most
// half of the slots are used.
func find[T any](slots []slot[T], hash uint64) *slot[T] {
	mask := uint64(len(slots) - 1)
	for i := hash >> 1 & mask; ; i = (i + 1) & mask {
		if s := &slots[i]; s.hash == hash || s.hash == 0 {
			return s
		}
	}
}
