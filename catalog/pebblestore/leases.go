package pebblestore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"catalog/catalog"
)

// Acquire implements catalog.Store.
func (s *Store) Acquire(ctx context.Context, name, holder string, ttl time.Duration) (catalog.LeaseInfo, error) {
	var lease catalog.LeaseInfo
	err := s.write(ctx, free, func(b *pebble.Batch, st *state) error {
		if err := checkName(name); err != nil {
			return err
		}
		now := time.Now()
		old, err := s.lease(name)
		switch {
		case errors.Is(err, catalog.ErrNotFound):
		case err != nil:
			return err
		case old.Holder != holder && now.Before(old.Expires):
			return &catalog.LeasedError{LeaseInfo: old}
		}
		st.token++
		lease = catalog.LeaseInfo{
			Fence:   catalog.Fence{Name: name, Token: st.token},
			Holder:  holder,
			Since:   now,
			Expires: now.Add(ttl),
		}
		return putLease(b, lease)
	})
	if err != nil {
		return catalog.LeaseInfo{}, wrap(fmt.Sprintf("acquire %q", name), err)
	}
	return lease, nil
}

// Renew implements catalog.Store.
func (s *Store) Renew(ctx context.Context, f catalog.Fence, ttl time.Duration) error {
	return wrap(fmt.Sprintf("renew %q", f.Name), s.write(ctx, free, func(b *pebble.Batch, _ *state) error {
		lease, err := s.held(f)
		if err != nil {
			return err
		}
		lease.Expires = time.Now().Add(ttl)
		return putLease(b, lease)
	}))
}

// Release implements catalog.Store.
func (s *Store) Release(ctx context.Context, f catalog.Fence) error {
	return wrap(fmt.Sprintf("release %q", f.Name), s.write(ctx, free, func(b *pebble.Batch, _ *state) error {
		if _, err := s.held(f); err != nil {
			return err
		}
		return b.Delete(appendKey(nil, spaceLease, f.Name), nil)
	}))
}

// Leases implements catalog.Store.
func (s *Store) Leases(ctx context.Context) ([]catalog.LeaseInfo, error) {
	if err := s.enter(ctx); err != nil {
		return nil, wrap("list leases", err)
	}
	defer s.leave()
	var leases []catalog.LeaseInfo
	now := time.Now()
	err := s.each(spaceLease, "", func(name string, v []byte) error {
		lease, err := parseLease(name, v)
		if err == nil && lease.Token > s.buried && now.Before(lease.Expires) {
			leases = append(leases, lease)
		}
		return err
	})
	return leases, wrap("list leases", err)
}

// checkFence returns catalog.ErrFenced if ctx has the fence of a lease that is
// lost.
func (s *Store) checkFence(ctx context.Context) error {
	f, ok := catalog.FenceOf(ctx)
	if !ok {
		return nil
	}
	_, err := s.held(f)
	return err
}

// held returns the lease of f while f holds it, else catalog.ErrFenced.
func (s *Store) held(f catalog.Fence) (catalog.LeaseInfo, error) {
	lease, err := s.lease(f.Name)
	if errors.Is(err, catalog.ErrNotFound) || err == nil && (lease.Token != f.Token || !time.Now().Before(lease.Expires)) {
		return lease, catalog.ErrFenced
	}
	return lease, err
}

// lease returns the lease of that name, expired or not; catalog.ErrNotFound
// when there is none. Those who held one when the store was closed, or its
// process died, held it through that process and do so no more: who comes next
// need not wait until it expires.
func (s *Store) lease(name string) (catalog.LeaseInfo, error) {
	v, err := s.value(appendKey(nil, spaceLease, name))
	if err != nil {
		return catalog.LeaseInfo{}, err
	}
	l, err := parseLease(name, v)
	if err == nil && l.Token <= s.buried {
		return catalog.LeaseInfo{}, catalog.ErrNotFound
	}
	return l, err
}

func putLease(b *pebble.Batch, l catalog.LeaseInfo) error {
	v := binary.AppendUvarint(nil, l.Token)
	v = binary.AppendVarint(v, l.Since.UnixNano())
	v = binary.AppendVarint(v, l.Expires.UnixNano())
	v = append(v, l.Holder...)
	return b.Set(appendKey(nil, spaceLease, l.Name), v, nil)
}

func parseLease(name string, v []byte) (catalog.LeaseInfo, error) {
	l := catalog.LeaseInfo{Fence: catalog.Fence{Name: name}}
	var err error
	if l.Token, v, err = cutUvarint(v); err != nil {
		return l, err
	}
	for _, t := range []*time.Time{&l.Since, &l.Expires} {
		nanos, n := binary.Varint(v)
		if n <= 0 {
			return l, corrupt("the lease %q", name)
		}
		*t, v = time.Unix(0, nanos), v[n:]
	}
	l.Holder = string(v)
	return l, nil
}
