package exec

import (
	"maps"
	"math/rand/v2"
	"testing"
)

// TestCounts compares counts, kept as lists, arrays, and merged ones, with a
// map.
func TestCounts(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		n := 1 + r.IntN(2000)
		want := map[uint32]uint32{}
		fill := func() *counts {
			c := &counts{n: n}
			for range r.IntN(1 + r.IntN(600)) {
				x := r.Uint32N(uint32(n))
				c.add(x)
				want[x]++
			}
			return c
		}
		c := fill()
		for range r.IntN(3) {
			o := fill()
			c.merge(o)
			o.release()
		}
		got, last := map[uint32]uint32{}, -1
		c.each(func(x, k uint32) {
			if int(x) <= last {
				t.Fatalf("%d comes behind %d", x, last)
			}
			last = int(x)
			got[x] = k
		})
		c.release()
		if !maps.Equal(got, want) {
			t.Fatalf("counted %v, want %v", got, want)
		}
	}
}
