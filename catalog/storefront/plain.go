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
// documents, which are twenty times as large; and of those asked for lately
// what price and stock are. It follows the change log, and forgets what
// changes.
type plainProducts struct {
	seed   maphash.Seed
	shards [plainShards]plainShard
}

type plainShard struct {
	mu      sync.Mutex
	known   map[uint64]struct{}   // of SKU and store
	live    map[uint64]*liveEntry // of some of them
	version uint64                // grows when anything is forgotten
}

// liveEntry is what price and stock of a plain product are until Live.Next.
type liveEntry struct {
	sku        string
	live       indexer.Live
	tiered     []byte // the price record, if it has tiers
	quantities []byte // as appendQuantities writes them
}

// newLiveEntry resolves the records of a plain product.
func newLiveEntry(sku string, live indexer.Live, price, stock []byte) *liveEntry {
	e := &liveEntry{sku: sku, live: live, quantities: appendQuantities(nil, stock)}
	if bytes.Contains(price, tiersName) {
		e.tiered = price
	}
	return e
}

// Bounds of what is remembered: some 100 MB each when full.
const (
	maxLive      = 256 << 10
	maxLiveShard = maxLive / plainShards

	plainShards   = 64
	maxPlain      = 4 << 20
	maxPlainShard = maxPlain / plainShards
)

func newPlainProducts() *plainProducts {
	p := &plainProducts{seed: maphash.MakeSeed()}
	for i := range p.shards {
		p.shards[i].known, p.shards[i].live = map[uint64]struct{}{}, map[uint64]*liveEntry{}
	}
	return p
}

func (p *plainProducts) at(sku, store string) (*plainShard, uint64) {
	var h maphash.Hash
	h.SetSeed(p.seed)
	_, _ = h.WriteString(sku) // never fails
	shard := h.Sum64() % plainShards
	_ = h.WriteByte(0)
	_, _ = h.WriteString(store)
	return &p.shards[shard], h.Sum64()
}

// has reports whether a product is known to be plain, and returns its price and
// stock if they are known, too. If not, version is what add takes when it turns
// out to be: what was forgotten in between is not known again.
func (p *plainProducts) has(sku, store string, now time.Time) (ok bool, e *liveEntry, version uint64) {
	s, key := p.at(sku, store)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok = s.known[key]
	if e = s.live[key]; e != nil && (e.sku != sku || !e.live.Next.IsZero() && !now.Before(e.live.Next)) {
		e = nil
	}
	return ok, e, s.version
}

// add remembers that a product is plain, as its document said that was read
// after has, and its price and stock unless e is nil.
func (p *plainProducts) add(sku, store string, e *liveEntry, version uint64) {
	s, key := p.at(sku, store)
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
func makeRoom[V any](m map[uint64]V, key uint64, most int) {
	if _, there := m[key]; there || len(m) < most {
		return
	}
	for other := range m {
		delete(m, other)
		return
	}
}

// forget forgets a product in some stores.
func (p *plainProducts) forget(sku string, stores []string) {
	for _, store := range stores {
		s, key := p.at(sku, store)
		s.mu.Lock()
		delete(s.known, key)
		delete(s.live, key)
		s.version++
		s.mu.Unlock()
	}
}

// clear forgets everything.
func (p *plainProducts) clear() {
	for i := range p.shards {
		s := &p.shards[i]
		s.mu.Lock()
		clear(s.known)
		clear(s.live)
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
				s.rest(ctx, time.Second)
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
				s.rest(ctx, time.Second)
			}
		}
	}
}

// rest waits, or until ctx ends.
func (s *Server) rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
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
