package mongostore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"catalog/catalog"
)

// leaseDoc is a lease in the state, expired or not.
type leaseDoc struct {
	Name    bson.RawValue `bson:"name"`
	Token   int64         `bson:"token"`
	Holder  bson.RawValue `bson:"holder"`
	Since   bson.DateTime `bson:"since"`
	Expires bson.DateTime `bson:"expires"`
}

func (l *leaseDoc) info() catalog.LeaseInfo {
	name, _ := textOf(l.Name)
	holder, _ := textOf(l.Holder)
	return catalog.LeaseInfo{
		Fence: catalog.Fence{Name: name, Token: uint64(l.Token)}, Holder: holder,
		Since: l.Since.Time(), Expires: l.Expires.Time(),
	}
}

func (l *leaseDoc) live(now time.Time) bool { return now.Before(l.Expires.Time()) }

// find returns the place of a lease, -1 if there is none of that name.
func (st *state) find(name string) int {
	return slices.IndexFunc(st.Leases, func(l leaseDoc) bool { return rawTextIs(l.Name, name) })
}

// held returns the place of the lease of f while f holds it, else
// catalog.ErrFenced.
func (st *state) held(f catalog.Fence, now time.Time) (int, error) {
	i := st.find(f.Name)
	if i < 0 || uint64(st.Leases[i].Token) != f.Token || !st.Leases[i].live(now) {
		return 0, catalog.ErrFenced
	}
	return i, nil
}

// Acquire implements catalog.Store. When it returns, all that the former holder
// has under way is either visible, or never will be.
func (s *Store) Acquire(ctx context.Context, name, holder string, ttl time.Duration) (catalog.LeaseInfo, error) {
	var lease leaseDoc
	err := s.lease(ctx, ttl, func(st *state, now time.Time) (bson.D, error) {
		list := slices.Clone(st.Leases)
		i := st.find(name)
		if i >= 0 {
			if old := list[i].info(); list[i].live(now) && old.Holder != holder {
				return nil, &catalog.LeasedError{LeaseInfo: old}
			}
			list = slices.Delete(list, i, i+1)
		}
		lease = leaseDoc{
			Name: rawText(name), Token: st.Token + 1, Holder: rawText(holder),
			Since: bson.NewDateTimeFromTime(now), Expires: bson.NewDateTimeFromTime(now.Add(ttl)),
		}
		return bson.D{{Key: "leases", Value: append(list, lease)}, {Key: "token", Value: lease.Token}}, nil
	})
	if err != nil {
		return catalog.LeaseInfo{}, wrap(ctx, fmt.Sprintf("acquire %q", name), err)
	}
	info := lease.info()
	if info.Expires, err = s.settledBy(ctx, info, ttl); err != nil {
		return catalog.LeaseInfo{}, wrap(ctx, fmt.Sprintf("acquire %q", name), err)
	}
	return info, nil
}

// settledBy returns when all is settled that has a place in the log by now, and
// until when the lease then lasts: behind writers that died it may take longer
// than the lease was acquired for. Until then nobody writes under its fence, so
// that it may well have expired meanwhile, as long as nobody else took it.
func (s *Store) settledBy(ctx context.Context, l catalog.LeaseInfo, ttl time.Duration) (expires time.Time, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	settled := make(chan error, 1)
	go func() { settled <- s.barrier(ctx) }()
	tick := time.NewTicker(max(ttl/3, time.Millisecond))
	defer tick.Stop()
	for expires = l.Expires; ; {
		select {
		case err := <-settled:
			return expires, err
		case <-tick.C:
		}
		expires, err = s.prolong(ctx, ttl, func(st *state, now time.Time) (int, error) {
			i := st.find(l.Name)
			if i >= 0 && uint64(st.Leases[i].Token) == l.Token {
				return i, nil
			}
			if i >= 0 && st.Leases[i].live(now) {
				return 0, &catalog.LeasedError{LeaseInfo: st.Leases[i].info()}
			}
			return 0, catalog.ErrFenced
		})
		if err != nil {
			cancel()
			if ended := <-settled; ended != nil && !errors.Is(ended, context.Canceled) {
				err = errors.Join(err, ended)
			}
			return expires, err
		}
	}
}

// barrier waits until all that has a place in the log by now is settled.
func (s *Store) barrier(ctx context.Context) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	st, _, err := s.view(ctx)
	if err != nil {
		return err
	}
	return s.settled(ctx, st.Next)
}

// Renew implements catalog.Store.
func (s *Store) Renew(ctx context.Context, f catalog.Fence, ttl time.Duration) error {
	_, err := s.prolong(ctx, ttl, func(st *state, now time.Time) (int, error) { return st.held(f, now) })
	return wrap(ctx, fmt.Sprintf("renew %q", f.Name), err)
}

// prolong lets the lease at the place that which returns last for ttl from now.
func (s *Store) prolong(ctx context.Context, ttl time.Duration, which func(st *state, now time.Time) (int, error)) (expires time.Time, err error) {
	err = s.lease(ctx, ttl, func(st *state, now time.Time) (bson.D, error) {
		i, err := which(st, now)
		if err != nil {
			return nil, err
		}
		expires = now.Add(ttl)
		st.Leases[i].Expires = bson.NewDateTimeFromTime(expires)
		return bson.D{{Key: "leases", Value: st.Leases}}, nil
	})
	return expires, err
}

// Release implements catalog.Store.
func (s *Store) Release(ctx context.Context, f catalog.Fence) error {
	return wrap(ctx, fmt.Sprintf("release %q", f.Name), s.lease(ctx, 1, func(st *state, now time.Time) (bson.D, error) {
		i, err := st.held(f, now)
		if err != nil {
			return nil, err
		}
		return bson.D{{Key: "leases", Value: slices.Delete(st.Leases, i, i+1)}}, nil
	}))
}

// lease lets f change the leases.
func (s *Store) lease(ctx context.Context, ttl time.Duration, f func(st *state, now time.Time) (bson.D, error)) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	if ttl <= 0 {
		return fmt.Errorf("a lease for %v: %w", ttl, catalog.ErrInvalid)
	}
	return s.change(ctx, func(st *state) (bson.D, error) {
		now, err := s.now(ctx)
		if err != nil {
			return nil, err
		}
		return f(st, now)
	})
}

// Leases implements catalog.Store.
func (s *Store) Leases(ctx context.Context) ([]catalog.LeaseInfo, error) {
	leases, err := s.leases(ctx)
	return leases, wrap(ctx, "list leases", err)
}

func (s *Store) leases(ctx context.Context) ([]catalog.LeaseInfo, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	st, now, err := s.currentAt(ctx)
	if err != nil {
		return nil, err
	}
	var out []catalog.LeaseInfo
	for _, l := range st.Leases {
		if l.live(now) {
			out = append(out, l.info())
		}
	}
	slices.SortFunc(out, func(a, b catalog.LeaseInfo) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}
