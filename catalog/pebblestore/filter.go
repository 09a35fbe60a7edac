package pebblestore

import (
	"hash/maphash"

	"catalog/catalog"
)

// filter knows for certain of most keys that are not in the store that they are
// not, so that loading new records reads nothing. It is a row of Bloom filters
// in blocks of 32 bytes, each twice as large as the one before; about 1.5 to 3
// bytes a key.
type filter struct {
	seed   maphash.Seed
	layers []filterLayer
	size   int // of the next layer, in keys
}

type filterBlock [8]uint32

type filterLayer struct {
	blocks []filterBlock
	room   int // how many keys may still be added
}

const (
	filterBitsPerKey = 12
	minFilterLayer   = 4 << 20 // so that the memory of an import does not depend on what it loads
	maxFilterLayer   = 16 << 20
)

// newFilter returns an empty filter with room for n keys in its first layer.
func newFilter(n int64) *filter {
	return &filter{seed: maphash.MakeSeed(), size: int(min(max(n, minFilterLayer), maxFilterLayer))}
}

// add puts a key into the newest layer.
func (f *filter) add(key catalog.Key) {
	last := len(f.layers) - 1
	if last < 0 || f.layers[last].room == 0 {
		blocks := f.size*filterBitsPerKey/256 + 1
		f.layers = append(f.layers, filterLayer{blocks: make([]filterBlock, blocks), room: f.size})
		f.size = min(2*f.size, maxFilterLayer)
		last++
	}
	l := &f.layers[last]
	l.room--
	h := maphash.String(f.seed, string(key))
	b := l.block(h)
	for i, salt := range filterSalts {
		b[i] |= 1 << (uint32(h) * salt >> 27)
	}
}

// has reports whether the key may have been added; false is certain.
func (f *filter) has(key catalog.Key) bool {
	h := maphash.String(f.seed, string(key))
layers:
	for n := range f.layers {
		b := f.layers[n].block(h)
		for i, salt := range filterSalts {
			if b[i]&(1<<(uint32(h)*salt>>27)) == 0 {
				continue layers
			}
		}
		return true
	}
	return false
}

func (l *filterLayer) block(h uint64) *filterBlock {
	return &l.blocks[(h>>32)*uint64(len(l.blocks))>>32]
}

// filterSalts are odd numbers that spread one hash over the words of a block.
var filterSalts = [8]uint32{
	0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f,
	0x165667b1, 0xd3a2646d, 0xfd7046c5, 0xb55a4f09,
}
