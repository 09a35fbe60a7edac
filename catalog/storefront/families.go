package storefront

// Of a product with variants the price is that of one of them, and each may be
// a product of its own. What was said of it is remembered together with whose
// change makes it wrong.

// parentKey is the key of a product with variants.
type parentKey uint64

// versions returns those of all shards: addFamily takes them, if variants were
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

// addFamily remembers what was said of a product whose document was read after
// has told version, and its variants after versions told before.
func (p *plainProducts) addFamily(store string, e *liveEntry, version uint64, variants []string, before *[plainShards]uint64) {
	parent := p.key(e.sku, store)
	for _, sku := range variants {
		key := p.key(sku, store)
		s := p.shard(key)
		s.mu.Lock()
		if s.version != before[key>>(64-plainBits)] {
			s.mu.Unlock()
			return
		}
		// Whoever is no longer watched for must not be remembered either.
		gone := makeRoom(s.up, key, maxUpShard)
		if !containsKey(s.up[key], parentKey(parent)) {
			s.up[key] = append(s.up[key], parentKey(parent))
		}
		s.mu.Unlock()
		for _, other := range gone {
			p.drop(uint64(other))
		}
	}
	s := p.shard(parent)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version == version {
		makeRoom(s.live, parent, maxLiveShard)
		s.live[parent] = e
	}
}

func containsKey(list []parentKey, key parentKey) bool {
	for _, k := range list {
		if k == key {
			return true
		}
	}
	return false
}

// forgetKey forgets a product, and those that it is a variant of. A family that
// is being added meanwhile is not: either its variants' shards or its own have
// another version by then.
func (p *plainProducts) forgetKey(key uint64) {
	s := p.shard(key)
	s.mu.Lock()
	delete(s.known, key)
	delete(s.live, key)
	parents := s.up[key]
	delete(s.up, key)
	s.version++
	s.mu.Unlock()
	for _, parent := range parents {
		p.drop(uint64(parent))
	}
}

// drop forgets what was said of a product.
func (p *plainProducts) drop(key uint64) {
	s := p.shard(key)
	s.mu.Lock()
	delete(s.live, key)
	s.version++
	s.mu.Unlock()
}
