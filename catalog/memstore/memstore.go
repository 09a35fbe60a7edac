// Package memstore keeps a catalog in memory: the whole contract of
// catalog.Store, without durability. Tests of other packages use it in place
// of mocks; catalog/storetest holds it to the contract.
//
// Iterators see the store as it is when their loop starts, and hold no lock
// while they yield. What a record's body is made of is copied in and out, and
// Scan yields each body in the same buffer, so that code which keeps what it
// does not own fails here and not in production.
package memstore

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"catalog/catalog"
)

// Store is a catalog.Store in memory. New makes one.
type Store struct {
	epoch  string
	closed atomic.Bool
	done   chan struct{} // closed by Close

	mu      sync.RWMutex // guards all below; never held while yielding
	records [catalog.KindAttribute + 1]tree[catalog.Key, *record]
	refs    map[catalog.Ref]map[catalog.Key]struct{}
	sources map[string]int64 // product heads by owner
	metas   tree[string, []byte]
	log     changeLog
	leases  leases
}

// record is immutable: a write puts another in its place.
type record struct {
	catalog.Head
	body []byte
	refs []catalog.Ref
}

var _ catalog.Store = (*Store)(nil)

// New returns an empty store of an epoch of its own.
func New() *Store {
	return &Store{
		epoch:   rand.Text(),
		done:    make(chan struct{}),
		refs:    map[catalog.Ref]map[catalog.Key]struct{}{},
		sources: map[string]int64{},
		log:     newChangeLog(),
		leases:  leases{held: map[string]catalog.LeaseInfo{}},
	}
}

// Close makes all other methods return catalog.ErrClosed, those that wait too.
func (s *Store) Close() error {
	s.mu.Lock() // after the writer that is under way
	defer s.mu.Unlock()
	if !s.closed.Swap(true) {
		close(s.done)
	}
	return nil
}

// usable is why a method cannot go on, or nil.
func (s *Store) usable(ctx context.Context) error {
	if s.closed.Load() {
		return catalog.ErrClosed
	}
	return ctx.Err()
}

// read runs f while nobody writes.
func (s *Store) read(ctx context.Context, verb string, f func() error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	err := s.usable(ctx)
	if err == nil {
		err = f()
	}
	return wrap(verb, err)
}

// write runs f alone.
func (s *Store) write(ctx context.Context, verb string, f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.usable(ctx)
	if err == nil {
		err = f()
	}
	return wrap(verb, err)
}

func wrap(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("memstore: %s: %w", verb, err)
}

// find returns the record of a key, nil if there is none.
func (s *Store) find(kind catalog.Kind, key catalog.Key) *record {
	if int(kind) >= len(s.records) {
		return nil
	}
	r, _ := s.records[kind].get(key)
	return r
}

// Get implements catalog.Store.
func (s *Store) Get(ctx context.Context, kind catalog.Kind, keys ...catalog.Key) ([]catalog.Record, error) {
	out := make([]catalog.Record, len(keys))
	err := s.read(ctx, "get", func() error {
		for i, k := range keys {
			if r := s.find(kind, k); r != nil {
				out[i] = catalog.Record{Head: r.Head, Body: slices.Clone(r.body)}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// HeadsOf implements catalog.Store.
func (s *Store) HeadsOf(ctx context.Context, kind catalog.Kind, keys ...catalog.Key) ([]catalog.Head, error) {
	out := make([]catalog.Head, len(keys))
	err := s.read(ctx, "heads", func() error {
		for i, k := range keys {
			if r := s.find(kind, k); r != nil {
				out[i] = r.Head
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// RefsOf implements catalog.Referrer.
func (s *Store) RefsOf(ctx context.Context, kind catalog.Kind, keys ...catalog.Key) ([]catalog.Head, [][]catalog.Ref, error) {
	heads, refs := make([]catalog.Head, len(keys)), make([][]catalog.Ref, len(keys))
	err := s.read(ctx, "refs", func() error {
		for i, k := range keys {
			if r := s.find(kind, k); r != nil {
				heads[i], refs[i] = r.Head, slices.Clone(r.refs)
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return heads, refs, nil
}

// Heads implements catalog.Store.
func (s *Store) Heads(ctx context.Context, kind catalog.Kind, r catalog.Range) iter.Seq2[catalog.Head, error] {
	return func(yield func(catalog.Head, error) bool) {
		for rec, err := range s.scan(ctx, "heads", kind, r) {
			if err != nil {
				yield(catalog.Head{}, err)
				return
			}
			if !yield(rec.Head, nil) {
				return
			}
		}
	}
}

// Scan implements catalog.Store.
func (s *Store) Scan(ctx context.Context, kind catalog.Kind, r catalog.Range) iter.Seq2[catalog.Record, error] {
	return func(yield func(catalog.Record, error) bool) {
		var body []byte
		for rec, err := range s.scan(ctx, "scan", kind, r) {
			if err != nil {
				yield(catalog.Record{}, err)
				return
			}
			body = append(body[:0], rec.body...)
			if !yield(catalog.Record{Head: rec.Head, Body: body}, nil) {
				return
			}
		}
	}
}

// scan yields the records of a range as they are when the loop starts.
func (s *Store) scan(ctx context.Context, verb string, kind catalog.Kind, r catalog.Range) iter.Seq2[*record, error] {
	return func(yield func(*record, error) bool) {
		var snapshot tree[catalog.Key, *record]
		err := s.read(ctx, verb, func() error {
			if int(kind) < len(s.records) {
				snapshot = s.records[kind]
			}
			return nil
		})
		if err != nil {
			yield(nil, err)
			return
		}
		for k, rec := range snapshot.ascend(r.From) {
			if !r.Contains(k) {
				return
			}
			if err := s.usable(ctx); err != nil {
				yield(nil, wrap(verb, err))
				return
			}
			if !yield(rec, nil) {
				return
			}
		}
	}
}

// Lookup implements catalog.Store.
func (s *Store) Lookup(ctx context.Context, ref catalog.Ref) ([]catalog.Key, error) {
	var out []catalog.Key
	err := s.read(ctx, "lookup", func() error {
		out = slices.Sorted(maps.Keys(s.refs[ref]))
		return nil
	})
	return out, err
}

// Stats implements catalog.Store.
func (s *Store) Stats(ctx context.Context) (catalog.Stats, error) {
	var st catalog.Stats
	err := s.read(ctx, "stats", func() error {
		st = catalog.Stats{
			Backend:    "memory",
			Records:    map[catalog.Kind]int64{},
			Sources:    maps.Clone(s.sources),
			Tail:       catalog.Cursor{Epoch: s.epoch, Seq: s.log.tail},
			LogEntries: int64(len(s.log.entries)),
		}
		for _, k := range catalog.Kinds() {
			st.Records[k] = int64(s.records[k].size)
		}
		if len(s.log.entries) > 0 {
			st.LogFirst = s.log.entries[0].Seq
		}
		return nil
	})
	return st, err
}
