package pebblestore

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"golang.org/x/sync/errgroup"

	"catalog/catalog"
)

// checkEvery is how many steps an iteration makes between two looks at its
// context and at whether the store is still open.
const checkEvery = 256

// Get implements catalog.Store.
func (s *Store) Get(ctx context.Context, kind catalog.Kind, keys ...catalog.Key) ([]catalog.Record, error) {
	records := make([]catalog.Record, len(keys))
	err := s.lookup(ctx, kind, keys, true, func(i int, h catalog.Head, _, body []byte) error {
		records[i] = catalog.Record{Head: h, Body: bytes.Clone(body)}
		return nil
	})
	if err != nil {
		return nil, wrap(fmt.Sprintf("get %s", kind.Plural()), err)
	}
	return records, nil
}

// HeadsOf implements catalog.Store.
func (s *Store) HeadsOf(ctx context.Context, kind catalog.Kind, keys ...catalog.Key) ([]catalog.Head, error) {
	heads := make([]catalog.Head, len(keys))
	err := s.lookup(ctx, kind, keys, false, func(i int, h catalog.Head, _, _ []byte) error {
		heads[i] = h
		return nil
	})
	if err != nil {
		return nil, wrap(fmt.Sprintf("get heads of %s", kind.Plural()), err)
	}
	return heads, nil
}

// RefsOf implements catalog.Referrer.
func (s *Store) RefsOf(ctx context.Context, kind catalog.Kind, keys ...catalog.Key) ([]catalog.Head, [][]catalog.Ref, error) {
	heads, refs := make([]catalog.Head, len(keys)), make([][]catalog.Ref, len(keys))
	err := s.lookup(ctx, kind, keys, false, func(i int, h catalog.Head, stored, _ []byte) (err error) {
		heads[i] = h
		if len(stored) > 0 {
			refs[i], err = parseRefs(nil, stored)
		}
		return err
	})
	if err != nil {
		return nil, nil, wrap(fmt.Sprintf("get refs of %s", kind.Plural()), err)
	}
	return heads, refs, nil
}

// lookupPart is the least number of keys that a goroutine of its own looks up.
const lookupPart = 512

// lookup calls found for each of keys that is there, with its head and, if bodies
// are asked for, its body; else its refs as they are stored. Many keys are looked
// up by several goroutines, all in one view of the store; found is called by
// each of them.
func (s *Store) lookup(ctx context.Context, kind catalog.Kind, keys []catalog.Key, bodies bool,
	found func(i int, h catalog.Head, refs, body []byte) error,
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
	if len(keys) == 1 {
		l := lookup{s: s, ctx: ctx, kind: kind, keys: keys, bodies: bodies && hasBodyApart(kind), found: found}
		return l.one(it)
	}
	// In the order of the keys, each block is read once, however they are asked.
	order := make([]int, len(keys))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(string(keys[a]), string(keys[b])) })
	l := lookup{s: s, ctx: ctx, kind: kind, keys: keys, bodies: bodies && hasBodyApart(kind), found: found}
	size := max((len(order)+s.workers()-1)/s.workers(), lookupPart)
	if len(order) <= size {
		return l.run(it, order)
	}
	defer closeIter(it, &err)
	var g *errgroup.Group
	g, l.ctx = errgroup.WithContext(ctx)
	for part := range slices.Chunk(order, size) {
		g.Go(func() error {
			mine, err := it.Clone(pebble.CloneOptions{})
			if err != nil {
				return err
			}
			return l.run(mine, part)
		})
	}
	return g.Wait()
}

// lookup looks up keys; what it has may be read by several goroutines.
type lookup struct {
	s      *Store
	ctx    context.Context
	kind   catalog.Kind
	keys   []catalog.Key
	bodies bool // those kept apart
	found  func(i int, h catalog.Head, refs, body []byte) error
}

// run looks up the keys at the places that order names, in that order, and
// closes it.
func (l *lookup) run(it *pebble.Iterator, order []int) (err error) {
	defer closeIter(it, &err)
	var bodies *pebble.Iterator // of the same view of the store; each of the two only moves on
	if l.bodies {
		if bodies, err = it.Clone(pebble.CloneOptions{}); err != nil {
			return err
		}
		defer closeIter(bodies, &err)
	}
	var buf []byte
	for n, i := range order {
		if n%checkEvery == checkEvery-1 {
			if err := l.s.check(l.ctx); err != nil {
				return err
			}
		}
		if buf, err = l.find(i, it, bodies, buf); err != nil {
			return err
		}
	}
	return nil
}

// one looks up the only key, and closes it. A second iterator would cost more
// than to go back and forth with one.
func (l *lookup) one(it *pebble.Iterator) (err error) {
	defer closeIter(it, &err)
	_, err = l.find(0, it, it, make([]byte, 0, 64))
	return err
}

// find looks up the key at i, and returns buf, which it makes keys in.
func (l *lookup) find(i int, heads, bodies *pebble.Iterator, buf []byte) ([]byte, error) {
	key := l.keys[i]
	buf = recordKey(buf[:0], l.kind, key)
	if !heads.SeekPrefixGE(buf) {
		return buf, heads.Error()
	}
	v, err := heads.ValueAndErr()
	if err != nil {
		return buf, err
	}
	h, refs, body, err := l.s.decodeHead(l.kind, v)
	if err != nil {
		return buf, fmt.Errorf("%s %q: %w", l.kind, key, err)
	}
	h.Key = key
	if l.bodies {
		refs = nil // the two may be one iterator, which moves on
		buf = bodyKey(buf[:0], l.kind, key)
		if !bodies.SeekPrefixGE(buf) {
			if err := bodies.Error(); err != nil {
				return buf, err
			}
			return buf, corrupt("%s %q has no body", l.kind, key)
		}
		if body, err = bodies.ValueAndErr(); err != nil {
			return buf, err
		}
	}
	if err := l.found(i, h, refs, body); err != nil {
		return buf, fmt.Errorf("%s %q: %w", l.kind, key, err)
	}
	return buf, nil
}

// check reports whether an operation under way must end.
func (s *Store) check(ctx context.Context) error {
	if err := s.alive(); err != nil {
		return err
	}
	return ctx.Err()
}

// decodeHead decodes the value under a record's key: its head, which has no key
// yet, its refs as they are stored, and what is behind.
func (s *Store) decodeHead(kind catalog.Kind, v []byte) (_ catalog.Head, refs, rest []byte, err error) {
	h, rest, err := parseHead(v)
	if err != nil {
		return catalog.Head{}, nil, nil, err
	}
	source, err := s.names.name(h.source)
	if err != nil {
		return catalog.Head{}, nil, nil, err
	}
	return catalog.Head{Kind: kind, Hash: h.hash, Seq: h.seq, Source: source}, h.refs, rest, nil
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
