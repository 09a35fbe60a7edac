package memstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"catalog/catalog"
)

// leases are the leases by name, expired ones included until they are taken
// again. The store's lock guards them.
type leases struct {
	held  map[string]catalog.LeaseInfo
	token uint64 // of the newest acquisition
}

// holds reports whether the lease is still held by the acquisition f.
func (l *leases) holds(f catalog.Fence) bool {
	info, ok := l.held[f.Name]
	return ok && info.Token == f.Token && time.Now().Before(info.Expires)
}

// check returns ErrFenced when ctx has a fence that no longer holds.
func (l *leases) check(ctx context.Context) error {
	if f, ok := catalog.FenceOf(ctx); ok && !l.holds(f) {
		return fmt.Errorf("lease %q: %w", f.Name, catalog.ErrFenced)
	}
	return nil
}

// Acquire implements catalog.Store. A holder that asks again for what it holds
// gets it anew, and its former acquisition is fenced off.
func (s *Store) Acquire(ctx context.Context, name, holder string, ttl time.Duration) (catalog.LeaseInfo, error) {
	var info catalog.LeaseInfo
	err := s.write(ctx, "acquire", func() error {
		now := time.Now()
		if ttl <= 0 {
			return fmt.Errorf("lease %q for %v: %w", name, ttl, catalog.ErrInvalid)
		}
		if cur, ok := s.leases.held[name]; ok && cur.Holder != holder && now.Before(cur.Expires) {
			return &catalog.LeasedError{LeaseInfo: cur}
		}
		s.leases.token++
		info = catalog.LeaseInfo{
			Fence:  catalog.Fence{Name: name, Token: s.leases.token},
			Holder: holder, Since: now, Expires: now.Add(ttl),
		}
		s.leases.held[name] = info
		return nil
	})
	return info, err
}

// Renew implements catalog.Store.
func (s *Store) Renew(ctx context.Context, f catalog.Fence, ttl time.Duration) error {
	return s.write(ctx, "renew", func() error {
		if ttl <= 0 {
			return fmt.Errorf("lease %q for %v: %w", f.Name, ttl, catalog.ErrInvalid)
		}
		if !s.leases.holds(f) {
			return fmt.Errorf("lease %q: %w", f.Name, catalog.ErrFenced)
		}
		info := s.leases.held[f.Name]
		info.Expires = time.Now().Add(ttl)
		s.leases.held[f.Name] = info
		return nil
	})
}

// Release implements catalog.Store.
func (s *Store) Release(ctx context.Context, f catalog.Fence) error {
	return s.write(ctx, "release", func() error {
		if !s.leases.holds(f) {
			return fmt.Errorf("lease %q: %w", f.Name, catalog.ErrFenced)
		}
		delete(s.leases.held, f.Name)
		return nil
	})
}

// Leases implements catalog.Store.
func (s *Store) Leases(ctx context.Context) ([]catalog.LeaseInfo, error) {
	var out []catalog.LeaseInfo
	err := s.read(ctx, "leases", func() error {
		now := time.Now()
		for _, info := range s.leases.held {
			if now.Before(info.Expires) {
				out = append(out, info)
			}
		}
		slices.SortFunc(out, func(a, b catalog.LeaseInfo) int { return cmp.Compare(a.Name, b.Name) })
		return nil
	})
	return out, err
}
