package exec

import (
	"math/rand/v2"
	"testing"

	"catalog/indexer"
)

// TestMaxScore holds maxScore to its promise, which lets most attributes go
// unlooked at: that no sample has a greater score.
func TestMaxScore(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 100_000 {
		s := indexer.Sample{Name: []string{"a", "a.b", "color"}[r.IntN(3)], Hits: 1 + r.IntN(indexer.SampleSize)}
		s.Having = 1 + r.IntN(s.Hits)
		for range 1 + r.IntN(1+r.IntN(s.Having)) {
			s.Counts = append(s.Counts, 1+r.IntN(1+r.IntN(s.Having)))
		}
		if r.IntN(2) == 0 {
			s.Texts = r.IntN(s.Having + 1)
		}
		if got, most := s.Score(), maxScore(s.Having, s.Hits); got > most {
			t.Fatalf("%+v has a score of %g, more than %g", s, got, most)
		}
		if maxScore(s.Having, s.Hits) > maxScore(s.Hits, s.Hits) {
			t.Fatalf("maxScore falls with more hits having the attribute: %d of %d", s.Having, s.Hits)
		}
	}
}
