package segment

import (
	"math"
	"slices"
	"sync"
)

// lowestShare is how many times more documents there are than Lowest has.
const lowestShare = 32

// Lowest returns the documents with the lowest sample hashes: each as
// hash<<32 | document, ascending. All whose hash is at most limit are among
// them. The list is made when it is asked for first.
func (s *Segment) Lowest() (list []uint64, limit int64) {
	s.lowest.once.Do(s.makeLowest)
	return s.lowest.list, s.lowest.limit
}

// lowest is what Lowest returns, once it is made.
type lowest struct {
	once  sync.Once
	list  []uint64
	limit int64
}

func (s *Segment) makeLowest() {
	const limit = math.MaxUint32 / lowestShare
	list := make([]uint64, 0, s.Docs/lowestShare+s.Docs/(8*lowestShare))
	for doc := range s.Docs {
		if h := s.Hash.At(doc); h <= limit {
			list = append(list, uint64(h)<<32|uint64(doc))
		}
	}
	slices.Sort(list)
	s.lowest.list, s.lowest.limit = list, limit
}
