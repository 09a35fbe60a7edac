package jsonscan

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// names finds names that occur twice in one object, for all objects that are
// open at once. Small objects are searched from end to end, by a print of each
// name that costs next to nothing; larger ones get a hash table, whose hash is
// seeded, so that no feed can be built to collide.
type names struct {
	seed   maphash.Seed
	seeded bool
	list   []name  // of all open objects, the innermost last
	tables []table // of open objects with many names, the innermost last
	free   []table
	a, b   []byte // for names with escapes
}

type name struct {
	hash uint64 // the print of a name in an object without a table
	Member
}

type table struct {
	base  int     // index in list of the object's first name
	slots []int32 // index in list + 1, relative to base
}

const small = 24 // names of an object that are searched from end to end

func (n *names) reset() {
	if !n.seeded {
		n.seed, n.seeded = maphash.MakeSeed(), true
	}
	n.list = n.list[:0]
	n.free = append(n.free, n.tables...)
	n.tables = n.tables[:0]
	// One object of a million names must not cost memory for ever.
	if cap(n.list) > 1<<16 {
		n.list, n.free = nil, nil
	}
}

func (n *names) open() int { return len(n.list) }

func (n *names) close(base int) {
	n.list = n.list[:base]
	if k := len(n.tables); k > 0 && n.tables[k-1].base == base {
		n.free = append(n.free, n.tables[k-1])
		n.tables = n.tables[:k-1]
	}
}

// add notes a name of the object whose names start at base and reports whether
// it was there. Seen belongs to the object, and is 0 at first: a bit for each
// print, so that most names need not be compared with those before.
func (n *names) add(base int, seen *uint64, doc []byte, m Member) bool {
	text := m.Key(doc)
	if m.Escaped {
		n.a = AppendUnquoted(n.a[:0], text)
		text = n.a
	}
	count := len(n.list) - base
	if count < small {
		h := fingerprint(text)
		bit := uint64(1) << (h >> 58)
		if *seen&bit != 0 {
			for i := base; i < len(n.list); i++ {
				if n.list[i].hash == h && n.same(doc, i, text) {
					return true
				}
			}
		}
		*seen |= bit
		n.list = append(n.list, name{h, m})
		return false
	}
	if count == small {
		n.rehash(base, doc)
	}
	h := maphash.Bytes(n.seed, text)
	if k := len(n.tables); k == 0 || n.tables[k-1].base != base || 2*count >= len(n.tables[k-1].slots) {
		n.grow(base)
	}
	t := &n.tables[len(n.tables)-1]
	mask := uint64(len(t.slots) - 1)
	for p := h & mask; ; p = (p + 1) & mask {
		at := t.slots[p]
		if at == 0 {
			n.list = append(n.list, name{h, m})
			t.slots[p] = int32(len(n.list) - base)
			return false
		}
		if i := base + int(at) - 1; n.list[i].hash == h && n.same(doc, i, text) {
			return true
		}
	}
}

// fingerprint mixes the first and the last bytes of a name and its length. Names
// that share it are compared whole.
func fingerprint(text []byte) uint64 {
	const odd = 0x9e3779b97f4a7c15
	var first, last uint64
	switch n := len(text); {
	case n >= 8:
		first, last = binary.LittleEndian.Uint64(text), binary.LittleEndian.Uint64(text[n-8:])
	case n >= 4:
		first, last = uint64(binary.LittleEndian.Uint32(text)), uint64(binary.LittleEndian.Uint32(text[n-4:]))
	default:
		for _, c := range text {
			first = first<<8 | uint64(c)
		}
	}
	return (first ^ bits.RotateLeft64(last, 23) ^ uint64(len(text))) * odd
}

// rehash turns the prints of the innermost object's names into hashes.
func (n *names) rehash(base int, doc []byte) {
	for i := base; i < len(n.list); i++ {
		n.list[i].hash = maphash.Bytes(n.seed, n.text(doc, i))
	}
}

// same reports whether name i of the list is text.
func (n *names) same(doc []byte, i int, text []byte) bool { return bytes.Equal(n.text(doc, i), text) }

// text returns name i of the list without its escapes, until the next call.
func (n *names) text(doc []byte, i int) []byte {
	text := n.list[i].Key(doc)
	if n.list[i].Escaped {
		n.b = AppendUnquoted(n.b[:0], text)
		return n.b
	}
	return text
}

// grow gives the innermost object, whose names start at base, a table of twice
// the size it needs.
func (n *names) grow(base int) {
	k := len(n.tables)
	if k == 0 || n.tables[k-1].base != base {
		var t table
		if f := len(n.free); f > 0 {
			t, n.free = n.free[f-1], n.free[:f-1]
		}
		t.base = base
		n.tables = append(n.tables, t)
		k++
	}
	t := &n.tables[k-1]
	size := 64
	for size < 4*(len(n.list)-base) {
		size *= 2
	}
	if cap(t.slots) >= size {
		t.slots = t.slots[:size]
		clear(t.slots)
	} else {
		t.slots = make([]int32, size)
	}
	mask := uint64(size - 1)
	for i := base; i < len(n.list); i++ {
		p := n.list[i].hash & mask
		for t.slots[p] != 0 {
			p = (p + 1) & mask
		}
		t.slots[p] = int32(i - base + 1)
	}
}
