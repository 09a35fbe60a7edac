package pebblestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"catalog/catalog"
)

// Meta implements catalog.Store.
func (s *Store) Meta(ctx context.Context, name string) ([]byte, error) {
	if err := s.enter(ctx); err != nil {
		return nil, wrap("read meta", err)
	}
	defer s.leave()
	v, err := s.value(appendKey(nil, spaceMeta, name))
	return v, wrap(fmt.Sprintf("read meta %q", name), err)
}

// SetMeta implements catalog.Store.
func (s *Store) SetMeta(ctx context.Context, name string, value []byte) error {
	return wrap(fmt.Sprintf("set meta %q", name), s.write(ctx, fenced, func(b *pebble.Batch, _ *state) error {
		if err := checkName(name); err != nil {
			return err
		}
		if len(value) > catalog.MaxBody {
			return fmt.Errorf("%w: %d bytes are more than %d", catalog.ErrInvalid, len(value), catalog.MaxBody)
		}
		key := appendKey(nil, spaceMeta, name)
		if value == nil {
			return b.Delete(key, nil)
		}
		return b.Set(key, value, nil)
	}))
}

// Metas implements catalog.Store.
func (s *Store) Metas(ctx context.Context, prefix string) iter.Seq2[catalog.MetaEntry, error] {
	return func(yield func(catalog.MetaEntry, error) bool) {
		err := s.enter(ctx)
		if err == nil {
			defer s.leave()
			err = s.each(spaceMeta, prefix, func(name string, v []byte) error {
				if err := s.check(ctx); err != nil {
					return err
				}
				if !yield(catalog.MetaEntry{Name: name, Value: bytes.Clone(v)}, nil) {
					return errStop
				}
				return nil
			})
		}
		if err != nil {
			yield(catalog.MetaEntry{}, wrap("list meta", err))
		}
	}
}

// errStop ends each without an error.
var errStop = errors.New("stop")

// each calls f with the names and values of a space whose names start with
// prefix, in order. The value is valid during the call.
func (s *Store) each(space byte, prefix string, f func(name string, v []byte) error) (err error) {
	lower, upper := bounds(space, catalog.Prefix(catalog.Key(prefix)))
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return err
	}
	defer closeIter(it, &err)
	for it.First(); it.Valid(); it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if err := f(string(it.Key()[1:]), v); err != nil {
			if errors.Is(err, errStop) {
				return nil
			}
			return err
		}
	}
	return it.Error()
}

// value returns a copy of the value of a key, or catalog.ErrNotFound.
func (s *Store) value(key []byte) ([]byte, error) {
	v, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, catalog.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	v = append([]byte{}, v...)
	return v, closer.Close()
}

// checkName reports the names of followers, leases and meta that are not
// allowed.
func checkName(name string) error {
	if name == "" || len(name) > catalog.MaxKey {
		return fmt.Errorf("%w: a name has 1 to %d bytes", catalog.ErrInvalid, catalog.MaxKey)
	}
	return nil
}
