package storefront

import (
	"slices"
	"time"
)

// Of a product with variants the price is that of one of them, and each may be
// a product of its own. What was said of it is remembered together with whose
// change makes it wrong.

// families are the keys of products by those of their variants. Nearly all
// variants are of one product.
type families struct {
	one  map[uint64]uint64
	more map[uint64][]uint64 // of those of several, all but the first
}

func newFamilies() families {
	return families{one: map[uint64]uint64{}, more: map[uint64][]uint64{}}
}

// add notes that a variant is of a product, and returns the products of another
// variant that had to go for it.
func (f *families) add(variant, parent uint64, most int) (gone []uint64) {
	first, ok := f.one[variant]
	switch {
	case !ok:
		if len(f.one) >= most {
			for other := range f.one {
				gone = f.take(other)
				break
			}
		}
		f.one[variant] = parent
	case first != parent && !slices.Contains(f.more[variant], parent):
		f.more[variant] = append(f.more[variant], parent)
	}
	return gone
}

// take returns the products of a variant, and forgets them.
func (f *families) take(variant uint64) []uint64 {
	first, ok := f.one[variant]
	if !ok {
		return nil
	}
	all := append(f.more[variant], first)
	delete(f.one, variant)
	delete(f.more, variant)
	return all
}

func (f *families) clear() {
	clear(f.one)
	clear(f.more)
}

// versions returns those of all shards: sayFamily takes them, if variants were
// read after.
func (p *plainProducts) versions() *[plainShards]uint64 {
	out := new([plainShards]uint64)
	for i := range p.shards {
		s := &p.shards[i]
		s.mu.Lock()
		out[i] = s.version
		s.mu.Unlock()
	}
	return out
}

// sayFamily is say of a product whose variants were read after versions told
// before.
func (p *plainProducts) sayFamily(sku, store string, view uint16, end time.Time, text []byte, version uint64, variants []string, before *[plainShards]uint64) {
	parent := p.key(sku, store)
	for _, v := range variants {
		key := p.key(v, store)
		s := p.shard(key)
		s.mu.Lock()
		if s.version != before[key>>(64-plainBits)] {
			s.mu.Unlock()
			return
		}
		// Whoever is no longer watched for must not be remembered either.
		gone := s.up.add(key, parent, maxUpShard)
		s.mu.Unlock()
		for _, other := range gone {
			p.drop(other)
		}
	}
	p.say(sku, store, view, end, text, version)
}

// forgetKey forgets a product, and those that it is a variant of, whose SKUs it
// appends. A family that is being added meanwhile is not: either its variants'
// shards or its own have another version by then.
func (p *plainProducts) forgetKey(dst []string, key uint64) []string {
	s := p.shard(key)
	s.mu.Lock()
	delete(s.known, key)
	delete(s.live, key)
	s.said.forget(key)
	parents := s.up.take(key)
	s.version++
	s.mu.Unlock()
	for _, parent := range parents {
		if said := p.drop(parent); said != nil {
			dst = append(dst, skuOf(said))
		}
	}
	return dst
}

// drop forgets what was said of a product, and returns it.
func (p *plainProducts) drop(key uint64) []byte {
	s := p.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	return s.said.forget(key)
}
