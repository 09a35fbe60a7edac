package pebblestore

import (
	"bytes"
	"context"
	"fmt"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"catalog/catalog"
)

// renewEvery is after how many records a scan takes a new iterator: an old one
// keeps files and memory that compactions and flushes could give up.
const renewEvery = 200_000

// Heads implements catalog.Store.
func (s *Store) Heads(ctx context.Context, kind catalog.Kind, r catalog.Range) iter.Seq2[catalog.Head, error] {
	return func(yield func(catalog.Head, error) bool) {
		op := "read heads of " + kind.Plural()
		if err := s.enter(ctx); err != nil {
			yield(catalog.Head{}, wrap(op, err))
			return
		}
		defer s.leave()
		for h, err := range s.heads(ctx, kind, r) {
			if !yield(h, wrap(op, err)) {
				return
			}
		}
	}
}

// heads is Heads for operations that have entered already.
func (s *Store) heads(ctx context.Context, kind catalog.Kind, r catalog.Range) iter.Seq2[catalog.Head, error] {
	return func(yield func(catalog.Head, error) bool) {
		err := s.walk(ctx, kind, r, false, func(h catalog.Head, _ []byte) bool { return yield(h, nil) })
		if err != nil {
			yield(catalog.Head{}, err)
		}
	}
}

// Scan implements catalog.Store.
func (s *Store) Scan(ctx context.Context, kind catalog.Kind, r catalog.Range) iter.Seq2[catalog.Record, error] {
	return func(yield func(catalog.Record, error) bool) {
		err := s.enter(ctx)
		if err == nil {
			defer s.leave()
			err = s.walk(ctx, kind, r, true, func(h catalog.Head, body []byte) bool {
				return yield(catalog.Record{Head: h, Body: body}, nil)
			})
		}
		if err != nil {
			yield(catalog.Record{}, wrap("scan "+kind.Plural(), err))
		}
	}
}

// walk yields the records of a kind, with their bodies or without.
func (s *Store) walk(ctx context.Context, kind catalog.Kind, r catalog.Range, bodies bool,
	yield func(h catalog.Head, body []byte) bool,
) error {
	lower, upper := bounds(spaceRecord+byte(kind), r)
	for bytes.Compare(lower, upper) < 0 {
		w := walker{s: s, ctx: ctx, kind: kind, lower: lower, upper: upper}
		last, more, err := w.run(bodies && hasBodyApart(kind), yield)
		if err != nil || !more {
			return err
		}
		lower = append(append([]byte(nil), last...), 0)
	}
	return nil
}

// walker reads the records of a kind through one iterator.
type walker struct {
	s            *Store
	ctx          context.Context
	kind         catalog.Kind
	lower, upper []byte
}

// run yields up to renewEvery records; more is false when there are none left
// or yield has had enough. last is the key of the last one.
func (w *walker) run(apart bool, yield func(catalog.Head, []byte) bool) (last []byte, more bool, err error) {
	it, err := w.s.db.NewIter(&pebble.IterOptions{LowerBound: w.lower, UpperBound: w.upper})
	if err != nil {
		return nil, false, err
	}
	defer closeIter(it, &err)
	var bodies *pebble.Iterator
	if apart {
		if bodies, err = w.bodies(it); err != nil {
			return nil, false, err
		}
		defer closeIter(bodies, &err)
	}
	n := 0
	for it.First(); it.Valid(); it.Next() {
		if n++; n%checkEvery == 0 {
			if err := w.s.check(w.ctx); err != nil {
				return nil, false, err
			}
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return nil, false, err
		}
		key := catalog.Key(it.Key()[1:])
		h, _, body, err := w.s.decodeHead(w.kind, v)
		if err != nil {
			return nil, false, fmt.Errorf("%s %q: %w", w.kind, key, err)
		}
		h.Key = key
		if bodies != nil {
			if body, err = w.body(bodies, key); err != nil {
				return nil, false, err
			}
		}
		if !yield(h, body) {
			return nil, false, nil
		}
		if n == renewEvery {
			return bytes.Clone(it.Key()), true, nil
		}
	}
	return nil, false, it.Error()
}

// bodies returns an iterator over the bodies, of the same moment as heads.
func (w *walker) bodies(heads *pebble.Iterator) (*pebble.Iterator, error) {
	lower := append([]byte{spaceBody + byte(w.kind)}, w.lower[1:]...)
	upper := []byte{spaceBody + byte(w.kind) + 1}
	if len(w.upper) > 1 {
		upper = append([]byte{spaceBody + byte(w.kind)}, w.upper[1:]...)
	}
	it, err := heads.Clone(pebble.CloneOptions{IterOptions: &pebble.IterOptions{LowerBound: lower, UpperBound: upper}})
	if err != nil {
		return nil, err
	}
	it.First()
	return it, nil
}

// body returns the body of key, which is where the iterator stands, and moves
// on from the one before.
func (w *walker) body(it *pebble.Iterator, key catalog.Key) ([]byte, error) {
	if it.Valid() && string(it.Key()[1:]) < string(key) {
		it.Next()
	}
	if !it.Valid() || string(it.Key()[1:]) != string(key) {
		if err := it.Error(); err != nil {
			return nil, err
		}
		return nil, corrupt("%s %q has no body", w.kind, key)
	}
	return it.ValueAndErr()
}
