package storefront

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// plainProducts remembers which products are shown by a store and have no
// variants, so that their price and stock can be told without reading their
// documents, which are twenty times as large; what was said of them, and of
// those with variants (families.go), to who is nobody in particular; and for
// others what price and stock are of those asked for lately. It follows the
// change log, and forgets what changes.
type plainProducts struct {
	seed   maphash.Seed
	shards [plainShards]plainShard

	mu    sync.RWMutex
	views map[priceView]uint16 // numbered from 1
}

type plainShard struct {
	mu      sync.Mutex
	known   map[uint64]struct{}   // of SKU and store
	live    map[uint64]*liveEntry // of some of them
	said    board                 // of them, and of products with variants
	up      families              // of a variant: of which products it is that said has
	version uint64                // grows when anything is forgotten
}

// liveEntry is what price and stock of a plain product are until next.
type liveEntry struct {
	sku        string
	next       time.Time // zero: until it is forgotten
	live       indexer.Live
	tiered     []byte // the price record, if it has tiers
	quantities []byte // as appendQuantities writes them
}

// newLiveEntry resolves the records of a plain product.
func newLiveEntry(sku string, live indexer.Live, price, stock []byte) *liveEntry {
	e := &liveEntry{sku: sku, next: live.Next, live: live, quantities: appendQuantities(nil, stock)}
	if bytes.Contains(price, tiersName) {
		e.tiered = price
	}
	return e
}

// Bounds of what is remembered: some 100 MB for each when full.
const (
	maxLive      = 256 << 10
	maxLiveShard = maxLive / plainShards
	maxUp        = 4 << 20
	maxUpShard   = maxUp / plainShards

	plainBits     = 6
	plainShards   = 1 << plainBits
	maxPlain      = 4 << 20
	maxPlainShard = maxPlain / plainShards

	maxSaid = plainShards << 31 // a board's places are 32 bits
)

// newPlainProducts keeps at most so many bytes of what was said.
func newPlainProducts(said int64) *plainProducts {
	p := &plainProducts{seed: maphash.MakeSeed(), views: map[priceView]uint16{}}
	for i := range p.shards {
		s := &p.shards[i]
		s.known, s.live, s.up = map[uint64]struct{}{}, map[uint64]*liveEntry{}, newFamilies()
		s.said = newBoard(int(min(said, maxSaid) / plainShards))
	}
	return p
}

// asked returns what tells apart what is asked of a product in a store: whose
// prices, and which of price and stock. 0 says that it is not remembered.
func (p *plainProducts) asked(v priceView, price, stock bool) uint16 {
	p.mu.RLock()
	id := p.views[v]
	p.mu.RUnlock()
	if id == 0 {
		p.mu.Lock()
		if id = p.views[v]; id == 0 && len(p.views) < maxAsking {
			id = uint16(len(p.views) + 1) //nolint:gosec // maxAsking is far below
			p.views[v] = id
		}
		p.mu.Unlock()
	}
	switch id <<= 2; {
	case id == 0:
	case price && stock:
		id |= 3
	case price:
		id |= 1
	case stock:
		id |= 2
	}
	return id
}

// items returns of how many products something is remembered that was said.
func (p *plainProducts) items() (n int) {
	for i := range p.shards {
		s := &p.shards[i]
		s.mu.Lock()
		n += len(s.said.at)
		s.mu.Unlock()
	}
	return n
}

// full reports whether more would displace what was said of others.
func (p *plainProducts) full() bool {
	s := &p.shards[0] // keys are hashes: one is like the other
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.full()
}

// key returns the key of a product in a store.
func (p *plainProducts) key(sku, store string) uint64 {
	return maphash.String(p.seed, sku) + maphash.String(p.seed, store)
}

func (p *plainProducts) shard(key uint64) *plainShard { return &p.shards[key>>(64-plainBits)] }

// has reports whether a product is known to be plain, and returns its price and
// stock if they are known, and what was said to who asked for a view of them,
// unless that is 0. version is what add and say take when it turns out what the
// product is: what was forgotten in between is not known again.
func (p *plainProducts) has(sku, store string, view uint16, now time.Time) (ok bool, e *liveEntry, said []byte, version uint64) {
	key := p.key(sku, store)
	s := p.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if view != 0 {
		if said = s.said.get(key, view, sku, now); said != nil {
			return true, nil, said, s.version
		}
	}
	if e = s.live[key]; e != nil && (e.sku != sku || !e.next.IsZero() && !now.Before(e.next)) {
		e = nil
	}
	if e != nil {
		return true, e, nil, s.version
	}
	_, ok = s.known[key]
	return ok, nil, nil, s.version
}

// add remembers that a product is plain, as its document said that was read
// after has, and its price and stock unless e is nil.
func (p *plainProducts) add(sku, store string, e *liveEntry, version uint64) {
	key := p.key(sku, store)
	s := p.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version != version {
		return
	}
	makeRoom(s.known, key, maxPlainShard)
	s.known[key] = struct{}{}
	if e != nil {
		makeRoom(s.live, key, maxLiveShard)
		s.live[key] = e
	}
}

// say remembers what was said of a product, of what was read after has, until
// end if that is not zero.
func (p *plainProducts) say(sku, store string, view uint16, end time.Time, text []byte, version uint64) {
	key := p.key(sku, store)
	s := p.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version == version {
		s.said.put(key, view, end, text)
	}
}

// makeRoom makes a place for a key: whichever other comes first has to go.
func makeRoom[V any](m map[uint64]V, key uint64, most int) {
	if _, there := m[key]; there || len(m) < most {
		return
	}
	for other := range m {
		delete(m, other)
		return
	}
}

// forget forgets a product in some stores, and those that it is a variant of,
// and returns the SKUs of these of which something was said.
func (p *plainProducts) forget(sku string, stores []string) (parents []string) {
	for _, store := range stores {
		parents = p.forgetKey(parents, p.key(sku, store))
	}
	return parents
}

// clear forgets everything.
func (p *plainProducts) clear() {
	for i := range p.shards {
		s := &p.shards[i]
		s.mu.Lock()
		clear(s.known)
		clear(s.live)
		s.said.clear()
		s.up.clear()
		s.version++
		s.mu.Unlock()
	}
}

// forgetAll forgets all products, to be read ahead again.
func (s *Server) forgetAll() {
	s.plain.clear()
	s.fill.forgotten()
}

// followPlain forgets products as they change, until the server ends. While
// the log cannot be read nothing is known.
func (s *Server) followPlain() {
	ctx := s.done
	var at catalog.Cursor
	lost := true
	for ctx.Err() == nil {
		if lost {
			s.plainOff.Store(true)
			s.forgetAll()
			tail, err := s.store.Tail(ctx)
			if err != nil {
				_ = catalog.Sleep(ctx, time.Second) // the loop looks at ctx
				continue
			}
			at, lost = tail, false
			// What was noted while nobody followed is of no use.
			s.forgetAll()
			s.plainOff.Store(false)
		}
		next, err := s.forgetChanges(ctx, at)
		if err == nil {
			at = next
			err = s.store.Wait(ctx, at)
		}
		if err != nil && ctx.Err() == nil {
			lost = true
			if !errors.Is(err, catalog.ErrTrimmed) {
				_ = catalog.Sleep(ctx, time.Second) // the loop looks at ctx
			}
		}
	}
}

// forgetChanges forgets the products that changed after a cursor, and returns
// the newest.
func (s *Server) forgetChanges(ctx context.Context, at catalog.Cursor) (catalog.Cursor, error) {
	for c, err := range s.store.Changes(ctx, at) {
		if err != nil {
			return at, err
		}
		at.Seq = c.Seq
		if err := s.forgetRecord(ctx, c.Kind, c.Key); err != nil {
			return at, err
		}
	}
	return at, nil
}

// forgetRecord forgets what is known of a record's product.
func (s *Server) forgetRecord(ctx context.Context, kind catalog.Kind, key catalog.Key) error {
	switch kind {
	case catalog.KindProduct, catalog.KindPrice, catalog.KindStock:
	default:
		return nil
	}
	st, err := s.shopNow(ctx)
	if err != nil {
		return err
	}
	parents := s.plain.forget(string(key), st.codes)
	if s.opts.Fill {
		s.fill.changed(string(key), parents...)
	}
	return nil
}
