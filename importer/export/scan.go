package export

import (
	"context"
	"iter"
	"slices"

	"catalog/catalog"
)

// emit takes what is known of one key: for a SKU up to three bodies, nil for
// what there is not; for other kinds one. They are valid during the call only.
type emit func(kind catalog.Kind, product, price, stock []byte) error

// scan goes through what o asks for, in the order in which it is written.
func scan(ctx context.Context, store catalog.Store, o Options, yield emit) error {
	r := catalog.All
	if o.Prefix != "" {
		r = catalog.Prefix(o.Prefix)
	}
	for _, kind := range []catalog.Kind{catalog.KindAttribute, catalog.KindCategory} {
		if !slices.Contains(o.Kinds, kind) {
			continue
		}
		for rec, err := range store.Scan(ctx, kind, r) {
			if err == nil {
				err = yield(kind, rec.Body, nil, nil)
			}
			if err != nil {
				return err
			}
		}
	}
	return scanSKUs(ctx, store, o, r, yield)
}

// scanSKUs goes through products, prices and stock side by side.
func scanSKUs(ctx context.Context, store catalog.Store, o Options, r catalog.Range, yield emit) error {
	var sides [3]side
	for i, kind := range []catalog.Kind{catalog.KindProduct, catalog.KindPrice, catalog.KindStock} {
		if !slices.Contains(o.Kinds, kind) {
			continue
		}
		next, stop := iter.Pull2(store.Scan(ctx, kind, r))
		defer stop()
		sides[i] = side{next: next, there: true}
		if err := sides[i].advance(); err != nil {
			return err
		}
	}
	for {
		key, found := catalog.Key(""), false
		for i := range sides {
			if s := &sides[i]; s.there && (!found || s.rec.Key < key) {
				key, found = s.rec.Key, true
			}
		}
		if !found {
			return nil
		}
		var bodies [3][]byte
		for i := range sides {
			if s := &sides[i]; s.there && s.rec.Key == key {
				bodies[i] = s.rec.Body
			}
		}
		if err := yield(catalog.KindProduct, bodies[0], bodies[1], bodies[2]); err != nil {
			return err
		}
		for i := range sides {
			if bodies[i] == nil {
				continue
			}
			if err := sides[i].advance(); err != nil {
				return err
			}
		}
	}
}

// side is one of the kinds that are gone through together.
type side struct {
	next  func() (catalog.Record, error, bool)
	rec   catalog.Record
	there bool
}

func (s *side) advance() error {
	rec, err, ok := s.next()
	s.rec, s.there = rec, ok
	return err
}
