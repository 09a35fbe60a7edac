package indexer

// arena is where the documents of a batch are made, to be used again for those
// of the next: a build makes one document after the other, of a few kilobytes
// each, and an index keeps none of them. A nil arena makes documents that are
// kept. Not safe for concurrent use.
type arena struct {
	words   slab[Word]
	attrs   slab[Attr]
	values  slab[Value]
	units   slab[Unit]
	members slab[Membership]
	prices  slab[Price]
	keys    slab[byte]
}

// reset makes all memory free again.
func (a *arena) reset() {
	a.words.reset()
	a.attrs.reset()
	a.values.reset()
	a.units.reset()
	a.members.reset()
	a.prices.reset()
	a.keys.reset()
}

// slab hands out slices of arrays that it keeps.
type slab[T any] struct {
	blocks [][]T
	at     int // block that is handed out of
}

const slabLen = 1 << 12

// take returns an empty slice with room for n.
func (s *slab[T]) take(n int) []T {
	if s == nil {
		return make([]T, 0, n)
	}
	for ; s.at < len(s.blocks); s.at++ {
		b := s.blocks[s.at]
		if k := len(b); cap(b)-k >= n {
			s.blocks[s.at] = b[:k+n]
			return b[k : k : k+n]
		}
	}
	b := make([]T, n, max(n, slabLen))
	s.blocks = append(s.blocks, b)
	return b[:0:n]
}

func (s *slab[T]) reset() {
	for i := range s.blocks {
		s.blocks[i] = s.blocks[i][:0]
	}
	s.at = 0
}
