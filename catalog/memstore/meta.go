package memstore

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"strings"

	"catalog/catalog"
)

// Meta implements catalog.Store.
func (s *Store) Meta(ctx context.Context, name string) ([]byte, error) {
	var out []byte
	err := s.read(ctx, "meta", func() error {
		v, ok := s.metas.get(name)
		if !ok {
			return fmt.Errorf("%q: %w", name, catalog.ErrNotFound)
		}
		out = bytes.Clone(v)
		return nil
	})
	return out, err
}

// SetMeta implements catalog.Store.
func (s *Store) SetMeta(ctx context.Context, name string, value []byte) error {
	return s.write(ctx, "set meta", func() error {
		if len(value) > catalog.MaxBody {
			return fmt.Errorf("%q has %d bytes, more than %d: %w", name, len(value), catalog.MaxBody, catalog.ErrInvalid)
		}
		if err := s.leases.check(ctx); err != nil {
			return err
		}
		s.metas.begin()
		if value == nil {
			s.metas.delete(name)
			return nil
		}
		s.metas.set(name, bytes.Clone(value))
		return nil
	})
}

// Metas implements catalog.Store.
func (s *Store) Metas(ctx context.Context, prefix string) iter.Seq2[catalog.MetaEntry, error] {
	return func(yield func(catalog.MetaEntry, error) bool) {
		var snapshot tree[string, []byte]
		err := s.read(ctx, "metas", func() error {
			snapshot = s.metas
			return nil
		})
		if err != nil {
			yield(catalog.MetaEntry{}, err)
			return
		}
		for name, value := range snapshot.ascend(prefix) {
			if !strings.HasPrefix(name, prefix) {
				return
			}
			if err := s.usable(ctx); err != nil {
				yield(catalog.MetaEntry{}, wrap("metas", err))
				return
			}
			if !yield(catalog.MetaEntry{Name: name, Value: bytes.Clone(value)}, nil) {
				return
			}
		}
	}
}
