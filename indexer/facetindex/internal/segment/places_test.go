package segment

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"catalog/indexer/facetindex/internal/codec"
)

// TestTextsIn: the place of each text among those of another field, whether
// there are many or few of them.
func TestTextsIn(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	field := func(n, of int) (*Field, []string) {
		var texts []string
		for range n {
			texts = append(texts, fmt.Sprintf("text %d of them", rng.IntN(of)))
		}
		slices.Sort(texts)
		texts = slices.Compact(texts)
		var w codec.DictWriter
		for _, s := range texts {
			w.Add([]byte(s))
		}
		d, err := codec.ReadDict(codec.NewReader(w.AppendTo(nil)))
		if err != nil {
			t.Fatal(err)
		}
		return &Field{Texts: d}, texts
	}
	for _, c := range [][3]int{{0, 0, 1}, {0, 5, 10}, {5, 0, 10}, {1, 1, 1}, {50, 50, 60}, {500, 300, 400}, {3, 900, 1000}, {20, 5000, 9000}} {
		f, mine := field(c[0], c[2])
		for range 2 { // of two others, one after the other, and again
			other, theirs := field(c[1], c[2])
			for range 2 {
				at := f.TextsIn(other)
				for i, s := range mine {
					want := Nowhere
					if k, ok := slices.BinarySearch(theirs, s); ok {
						want = uint32(k)
					}
					if at[i] != want {
						t.Fatalf("%v: %q is at %d, want %d", c, s, at[i], want)
					}
				}
			}
		}
	}
}
