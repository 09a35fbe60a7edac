package indextest

import (
	"testing"

	"catalog/indexer"
)

func TestOracle(t *testing.T) {
	Run(t, Harness{New: func(*testing.T) indexer.Index { return NewOracle() }})
}

// TestWorldHits makes sure that the queries are not all about nothing.
func TestWorldHits(t *testing.T) {
	w := NewWorld(Seed(t))
	o := NewOracle()
	fill(t, w, 200, o)
	var hits, relaxed, next, facets, typos int
	const n = 600
	for range n {
		q := w.Query()
		r, err := o.Search(t.Context(), q)
		must(t, err)
		if r.Total > 0 {
			hits++
		}
		if r.Relaxed == indexer.RelaxedAny {
			relaxed++
		}
		if r.Relaxed == indexer.RelaxedTypos {
			typos++
		}
		if r.Next != "" {
			next++
		}
		if len(r.Facets) > 0 {
			facets++
		}
	}
	t.Logf("of %d queries %d have hits, %d any, %d typos, %d next, %d facets", n, hits, relaxed, typos, next, facets)
	for _, got := range []int{hits, relaxed * 4, typos * 60, next * 2, facets * 2} {
		if got < n/5 {
			t.Errorf("of %d queries %d have hits, %d any, %d typos, %d next, %d facets", n, hits, relaxed, typos, next, facets)
			break
		}
	}
}
