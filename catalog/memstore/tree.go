package memstore

import (
	"cmp"
	"iter"
	"math/rand/v2"
)

// tree is an ordered map whose copies are snapshots: a writer copies the nodes
// on its path and leaves those that an earlier copy of the tree can reach as
// they are. So readers iterate over a copy without any lock, and a loop's body
// may write to the store it reads. It is a treap: random priorities keep it
// balanced.
type tree[K cmp.Ordered, V any] struct {
	root *node[K, V]
	size int
	gen  uint64 // nodes of this generation are in no copy and may be changed in place
}

type node[K cmp.Ordered, V any] struct {
	key         K
	value       V
	priority    uint64
	gen         uint64
	left, right *node[K, V]
}

// begin starts a new generation: from now on no node that exists is changed.
// A writer calls it before its first change after a copy may have been taken.
func (t *tree[K, V]) begin() { t.gen++ }

// get returns the value of key.
func (t *tree[K, V]) get(key K) (v V, ok bool) {
	for n := t.root; n != nil; {
		switch {
		case key < n.key:
			n = n.left
		case key > n.key:
			n = n.right
		default:
			return n.value, true
		}
	}
	return v, false
}

// set gives key a value.
func (t *tree[K, V]) set(key K, value V) { t.root = t.put(t.root, key, value) }

func (t *tree[K, V]) put(n *node[K, V], key K, value V) *node[K, V] {
	if n == nil {
		t.size++
		return &node[K, V]{key: key, value: value, priority: rand.Uint64(), gen: t.gen}
	}
	n = t.own(n)
	switch {
	case key < n.key:
		l := t.put(n.left, key, value)
		n.left = l
		if l.priority > n.priority {
			n.left, l.right = l.right, n
			return l
		}
	case key > n.key:
		r := t.put(n.right, key, value)
		n.right = r
		if r.priority > n.priority {
			n.right, r.left = r.left, n
			return r
		}
	default:
		n.value = value
	}
	return n
}

// delete removes key, which may be absent.
func (t *tree[K, V]) delete(key K) {
	if _, ok := t.get(key); !ok {
		return
	}
	t.root = t.remove(t.root, key)
	t.size--
}

// remove takes key, which is there, out of the tree under n.
func (t *tree[K, V]) remove(n *node[K, V], key K) *node[K, V] {
	switch {
	case key < n.key:
		n = t.own(n)
		n.left = t.remove(n.left, key)
	case key > n.key:
		n = t.own(n)
		n.right = t.remove(n.right, key)
	default:
		return t.join(n.left, n.right)
	}
	return n
}

// join makes one tree of two, all keys of a being below those of b.
func (t *tree[K, V]) join(a, b *node[K, V]) *node[K, V] {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.priority > b.priority:
		a = t.own(a)
		a.right = t.join(a.right, b)
		return a
	default:
		b = t.own(b)
		b.left = t.join(a, b.left)
		return b
	}
}

// own returns n, or a copy of it when an earlier copy of the tree may hold n.
func (t *tree[K, V]) own(n *node[K, V]) *node[K, V] {
	if n.gen == t.gen {
		return n
	}
	c := *n
	c.gen = t.gen
	return &c
}

// ascend yields the keys from from on, in order, as they are at the call.
func (t tree[K, V]) ascend(from K) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		var path []*node[K, V] // nodes still to be yielded, with what is right of them
		for n := t.root; n != nil; {
			if n.key < from {
				n = n.right
				continue
			}
			path = append(path, n)
			n = n.left
		}
		for len(path) > 0 {
			n := path[len(path)-1]
			path = path[:len(path)-1]
			if !yield(n.key, n.value) {
				return
			}
			for c := n.right; c != nil; c = c.left {
				path = append(path, c)
			}
		}
	}
}
