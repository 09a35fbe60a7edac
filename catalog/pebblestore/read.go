package pebblestore

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"catalog/catalog"
)

// checkEvery is how many steps an iteration makes between two looks at its
// context and at whether the store is still open.
const checkEvery = 256

// Get implements catalog.Store.
func (s *Store) Get(ctx context.Context, kind catalog.Kind, keys ...catalog.Key) ([]catalog.Record, error) {
	records := make([]catalog.Record, len(keys))
	var bodies *pebble.Iterator // of the same view of the store; each of the two only moves on
	var key []byte
	err := s.lookup(ctx, kind, keys, func(i int, it *pebble.Iterator, h catalog.Head, body []byte) (err error) {
		if hasBodyApart(kind) {
			if bodies == nil {
				if bodies, err = it.Clone(pebble.CloneOptions{}); err != nil {
					return err
				}
			}
			key = bodyKey(key[:0], kind, keys[i])
			if !bodies.SeekPrefixGE(key) {
				if err := bodies.Error(); err != nil {
					return err
				}
				return corrupt("%s %q has no body", kind, keys[i])
			}
			if body, err = bodies.ValueAndErr(); err != nil {
				return err
			}
		}
		records[i] = catalog.Record{Head: h, Body: bytes.Clone(body)}
		return nil
	})
	if bodies != nil {
		closeIter(bodies, &err)
	}
	if err != nil {
		return nil, wrap(fmt.Sprintf("get %s", kind.Plural()), err)
	}
	return records, nil
}

// HeadsOf implements catalog.Store.
func (s *Store) HeadsOf(ctx context.Context, kind catalog.Kind, keys ...catalog.Key) ([]catalog.Head, error) {
	heads := make([]catalog.Head, len(keys))
	err := s.lookup(ctx, kind, keys, func(i int, _ *pebble.Iterator, h catalog.Head, _ []byte) error {
		heads[i] = h
		return nil
	})
	if err != nil {
		return nil, wrap(fmt.Sprintf("get heads of %s", kind.Plural()), err)
	}
	return heads, nil
}

// lookup calls found for each of keys that is there, with its head and what
// stands behind the head. found may move the iterator.
func (s *Store) lookup(ctx context.Context, kind catalog.Kind, keys []catalog.Key,
	found func(i int, it *pebble.Iterator, h catalog.Head, rest []byte) error,
) (err error) {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	if len(keys) == 0 {
		return nil
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceRecord}, UpperBound: []byte{spaceRef}})
	if err != nil {
		return err
	}
	defer closeIter(it, &err)
	// In the order of the keys, each block is read once, however they are asked.
	order := make([]int, len(keys))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(string(keys[a]), string(keys[b])) })
	var buf []byte
	for n, i := range order {
		key := keys[i]
		if n%checkEvery == checkEvery-1 {
			if err := s.check(ctx); err != nil {
				return err
			}
		}
		buf = recordKey(buf[:0], kind, key)
		if !it.SeekPrefixGE(buf) {
			if err := it.Error(); err != nil {
				return err
			}
			continue
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		h, rest, err := s.decodeHead(kind, v)
		if err != nil {
			return fmt.Errorf("%s %q: %w", kind, key, err)
		}
		h.Key = key
		if err := found(i, it, h, rest); err != nil {
			return err
		}
	}
	return nil
}

// check reports whether an operation under way must end.
func (s *Store) check(ctx context.Context) error {
	if err := s.alive(); err != nil {
		return err
	}
	return ctx.Err()
}

// decodeHead decodes the value under a record's key. The head has no key yet.
func (s *Store) decodeHead(kind catalog.Kind, v []byte) (catalog.Head, []byte, error) {
	h, rest, err := parseHead(v)
	if err != nil {
		return catalog.Head{}, nil, err
	}
	source, err := s.names.name(h.source)
	if err != nil {
		return catalog.Head{}, nil, err
	}
	return catalog.Head{Kind: kind, Hash: h.hash, Seq: h.seq, Source: source}, rest, nil
}

// Lookup implements catalog.Store.
func (s *Store) Lookup(ctx context.Context, ref catalog.Ref) ([]catalog.Key, error) {
	keys, err := s.lookupRef(ctx, ref)
	return keys, wrap("look up a ref", err)
}

func (s *Store) lookupRef(ctx context.Context, ref catalog.Ref) (keys []catalog.Key, err error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	prefix := refPrefix(nil, ref)
	// The last byte of a prefix is refEnd, which is not the highest.
	upper := bytes.Clone(prefix)
	upper[len(upper)-1]++
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: upper})
	if err != nil {
		return nil, err
	}
	defer closeIter(it, &err)
	for it.First(); it.Valid(); it.Next() {
		key, err := refOwner(it.Key()[len(prefix):])
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
		if len(keys)%checkEvery == 0 {
			if err := s.check(ctx); err != nil {
				return nil, err
			}
		}
	}
	return keys, nil
}
