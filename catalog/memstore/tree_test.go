package memstore

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTreeIsAMap compares a tree, and copies taken of it on the way, with maps
// that were copied at the same times.
func TestTreeIsAMap(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	type copied struct {
		tree tree[int, int]
		want map[int]int
	}
	var (
		tr     tree[int, int]
		want   = map[int]int{}
		copies []copied
	)
	for range 3000 {
		if rng.IntN(50) == 0 {
			copies = append(copies, copied{tr, maps.Clone(want)})
			tr.begin()
		}
		k := rng.IntN(200)
		if rng.IntN(3) == 0 {
			tr.delete(k)
			delete(want, k)
		} else {
			v := rng.Int()
			tr.set(k, v)
			want[k] = v
		}
	}
	for _, c := range append(copies, copied{tr, want}) {
		if got := maps.Collect(c.tree.ascend(-1)); !maps.Equal(got, c.want) || c.tree.size != len(c.want) {
			t.Fatalf("got %v (size %d), want %v", got, c.tree.size, c.want)
		}
		for from := -1; from < 202; from += 7 {
			var keys, expect []int
			for k := range c.tree.ascend(from) {
				keys = append(keys, k)
			}
			for _, k := range slices.Sorted(maps.Keys(c.want)) {
				if k >= from {
					expect = append(expect, k)
				}
			}
			if !slices.Equal(keys, expect) {
				t.Fatalf("from %d: got %v, want %v", from, keys, expect)
			}
		}
		for k := range 200 {
			v, ok := c.tree.get(k)
			if w, there := c.want[k]; v != w || ok != there {
				t.Fatalf("%d: got %d, %v; want %d, %v", k, v, ok, w, there)
			}
		}
	}
}

// TestTreeIsBalanced: keys in order, as imports bring them, must not make a list.
func TestTreeIsBalanced(t *testing.T) {
	var tr tree[int, int]
	const n = 1 << 14
	for i := range n {
		tr.set(i, i)
	}
	var depth func(*node[int, int]) int
	depth = func(n *node[int, int]) int {
		if n == nil {
			return 0
		}
		return 1 + max(depth(n.left), depth(n.right))
	}
	if d := depth(tr.root); d > 6*14 { // about 2.5 times the logarithm is to be expected
		t.Errorf("%d keys are %d deep", n, d)
	}
}
