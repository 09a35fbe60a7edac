package storefront

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// plainProducts remembers which products are shown by a store and have no
// variants, so that their price and stock can be told without reading their
// documents, which are twenty times as large; and of those asked for lately
// what price and stock are, of those with variants, too (families.go). It
// follows the change log, and forgets what changes.
type plainProducts struct {
	seed   maphash.Seed
	shards [plainShards]plainShard
}

type plainShard struct {
	mu      sync.Mutex
	known   map[uint64]struct{}    // of SKU and store
	live    map[uint64]*liveEntry  // of some of them, and of products with variants
	up      map[uint64][]parentKey // of a variant: of which products it is, that live has
	version uint64                 // grows when anything is forgotten
}

// liveEntry is what price and stock of a product are until next.
type liveEntry struct {
	sku        string
	next       time.Time // zero: until it is forgotten
	family     bool      // it has variants: only the text is known
	live       indexer.Live
	tiered     []byte // the price record, if it has tiers
	quantities []byte // as appendQuantities writes them

	text atomic.Pointer[liveText]
}

// liveText is what was said of a product to who is nobody in particular.
type liveText struct {
	asks         *indexer.Prepared
	price, stock bool
	text         []byte
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
	maxUpShard   = 2 * maxLiveShard

	plainBits     = 6
	plainShards   = 1 << plainBits
	maxPlain      = 4 << 20
	maxPlainShard = maxPlain / plainShards
)

func newPlainProducts() *plainProducts {
	p := &plainProducts{seed: maphash.MakeSeed()}
	for i := range p.shards {
		s := &p.shards[i]
		s.known, s.live, s.up = map[uint64]struct{}{}, map[uint64]*liveEntry{}, map[uint64][]parentKey{}
	}
	return p
}

// key returns the key of a product in a store.
func (p *plainProducts) key(sku, store string) uint64 {
	return maphash.String(p.seed, sku) + maphash.String(p.seed, store)
}

func (p *plainProducts) shard(key uint64) *plainShard { return &p.shards[key>>(64-plainBits)] }

// has reports whether a product is known to be plain, and returns its price and
// stock if they are known, too. If not, version is what add takes when it turns
// out to be: what was forgotten in between is not known again.
func (p *plainProducts) has(sku, store string, now time.Time) (ok bool, e *liveEntry, version uint64) {
	key := p.key(sku, store)
	s := p.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e = s.live[key]; e != nil && (e.sku != sku || !e.next.IsZero() && !now.Before(e.next)) {
		e = nil
	}
	if e != nil {
		return !e.family, e, s.version
	}
	_, ok = s.known[key]
	return ok, nil, s.version
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

// makeRoom makes a place for a key: whichever other comes first has to go.
func makeRoom[V any](m map[uint64]V, key uint64, most int) (gone V) {
	if _, there := m[key]; there || len(m) < most {
		return gone
	}
	for other, v := range m {
		delete(m, other)
		return v
	}
	return gone
}

// forget forgets a product in some stores, and those that it is a variant of.
func (p *plainProducts) forget(sku string, stores []string) {
	for _, store := range stores {
		p.forgetKey(p.key(sku, store))
	}
}

// clear forgets everything.
func (p *plainProducts) clear() {
	for i := range p.shards {
		s := &p.shards[i]
		s.mu.Lock()
		clear(s.known)
		clear(s.live)
		clear(s.up)
		s.version++
		s.mu.Unlock()
	}
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
			s.plain.clear()
			tail, err := s.store.Tail(ctx)
			if err != nil {
				_ = catalog.Sleep(ctx, time.Second) // the loop looks at ctx
				continue
			}
			at, lost = tail, false
			// What was noted while nobody followed is of no use.
			s.plain.clear()
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
	s.plain.forget(string(key), st.codes)
	return nil
}
