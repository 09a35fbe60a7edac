package exec

import (
	"maps"
	"math/rand/v2"
	"testing"
)

// TestBag counts numbers of which some are alike, in bags that are used again.
func TestBag(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var b bag
	for _, n := range []int{0, 1, 256, 7, 256, 3000, 256} {
		want, got := map[uint32]uint32{}, map[uint32]uint32{}
		b.reset(n)
		for range n {
			x, k := r.Uint32N(uint32(n)+100)<<r.IntN(2), 1+r.Uint32N(3)
			want[x] += k
			b.add(x, k)
		}
		b.each(func(x, k uint32) { got[x] += k })
		if !maps.Equal(got, want) {
			t.Errorf("%d numbers: counted %v, want %v", n, got, want)
		}
	}
}
