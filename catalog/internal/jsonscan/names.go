package jsonscan

import (
	"bytes"
	"hash/maphash"
)

// names finds names that occur twice in one object, for all objects that are
// open at once. Small objects are searched from end to end; larger ones get a
// hash table. The hash is seeded, so that no feed can be built to collide.
type names struct {
	seed   maphash.Seed
	seeded bool
	list   []name  // of all open objects, the innermost last
	tables []table // of open objects with many names, the innermost last
	free   []table
	a, b   []byte // for names with escapes
}

type name struct {
	hash uint64
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
// it was there.
func (n *names) add(base int, doc []byte, m Member) bool {
	text := m.Key(doc)
	if m.Escaped {
		n.a = AppendUnquoted(n.a[:0], text)
		text = n.a
	}
	h := maphash.Bytes(n.seed, text)
	count := len(n.list) - base
	if count < small {
		for i := base; i < len(n.list); i++ {
			if n.list[i].hash == h && n.same(doc, i, text) {
				return true
			}
		}
		n.list = append(n.list, name{h, m})
		return false
	}
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

// same reports whether name i of the list is text.
func (n *names) same(doc []byte, i int, text []byte) bool {
	other := n.list[i].Key(doc)
	if n.list[i].Escaped {
		n.b = AppendUnquoted(n.b[:0], other)
		other = n.b
	}
	return bytes.Equal(other, text)
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
