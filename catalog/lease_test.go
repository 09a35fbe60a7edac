package catalog_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/memstore"
)

const leaseTTL = 150 * time.Millisecond

func acquire(t *testing.T, s catalog.Store, holder string) catalog.LeaseInfo {
	t.Helper()
	l, err := s.Acquire(t.Context(), "work", holder, leaseTTL)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestKeepLease: a lease lasts for as long as the work does, and no longer.
func TestKeepLease(t *testing.T) {
	s := memstore.New()
	defer s.Close()
	own := errors.New("the work's")
	l := acquire(t, s, "a")
	err := catalog.KeepLease(t.Context(), s, l.Fence, leaseTTL, func(ctx context.Context) error {
		time.Sleep(3 * leaseTTL)
		if _, err := s.Acquire(ctx, "work", "b", leaseTTL); !errors.Is(err, catalog.ErrLeased) {
			t.Errorf("another gets the lease meanwhile: %v", err)
		}
		if ctx.Err() != nil {
			t.Error("the work was ended")
		}
		return own
	})
	if !errors.Is(err, own) {
		t.Errorf("the error is %v", err)
	}
	acquire(t, s, "b")
}

// TestKeepLeaseGivesUp: the lease is given up even when the caller's context
// has ended.
func TestKeepLeaseGivesUp(t *testing.T) {
	s := memstore.New()
	defer s.Close()
	l := acquire(t, s, "a")
	ctx, cancel := context.WithCancel(t.Context())
	err := catalog.KeepLease(ctx, s, l.Fence, leaseTTL, func(ctx context.Context) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	})
	if !errors.Is(err, context.Canceled) || errors.Is(err, catalog.ErrFenced) {
		t.Errorf("the error is %v", err)
	}
	acquire(t, s, "b")
}

// unwell is a store that does not renew.
type unwell struct {
	catalog.Store
	hang bool
}

var errUnwell = errors.New("no answer")

func (u unwell) Renew(ctx context.Context, _ catalog.Fence, _ time.Duration) error {
	if u.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return errUnwell
}

// TestKeepLeaseLost: whoever takes the lease, or keeps it from being renewed,
// ends the work.
func TestKeepLeaseLost(t *testing.T) {
	for name, of := range map[string]func(*memstore.Store) catalog.Store{
		"taken over":     func(s *memstore.Store) catalog.Store { return s },
		"renewing fails": func(s *memstore.Store) catalog.Store { return unwell{Store: s} },
		"renewing hangs": func(s *memstore.Store) catalog.Store { return unwell{Store: s, hang: true} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := memstore.New()
			defer m.Close()
			s := of(m)
			l := acquire(t, s, "a")
			err := catalog.KeepLease(t.Context(), s, l.Fence, leaseTTL, func(ctx context.Context) error {
				if name == "taken over" {
					acquire(t, m, "a") // the same holder may
				}
				select {
				case <-ctx.Done():
				case <-time.After(time.Minute):
					t.Error("the work goes on")
				}
				return ctx.Err()
			})
			if !errors.Is(err, catalog.ErrFenced) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// TestTakeLease: who waits gets the lease of one that is done or dead, and is
// told of one that lives.
func TestTakeLease(t *testing.T) {
	take := func(t *testing.T, s catalog.Store) (catalog.LeaseInfo, error) {
		t.Helper()
		told := 0
		l, err := catalog.TakeLease(t.Context(), s, "work", "b", leaseTTL, func(other catalog.LeaseInfo) {
			if told++; other.Holder != "a" {
				t.Errorf("the other is %q", other.Holder)
			}
		})
		if told != 1 {
			t.Errorf("told %d times of the other", told)
		}
		return l, err
	}
	t.Run("dead", func(t *testing.T) {
		s := memstore.New()
		defer s.Close()
		acquire(t, s, "a")
		if l, err := take(t, s); err != nil || l.Holder != "b" {
			t.Errorf("got %+v, %v", l, err)
		}
	})
	t.Run("done", func(t *testing.T) {
		s := memstore.New()
		defer s.Close()
		l := acquire(t, s, "a")
		time.AfterFunc(leaseTTL/10, func() { _ = s.Release(context.Background(), l.Fence) })
		start := time.Now()
		if l, err := take(t, s); err != nil || l.Holder != "b" || time.Since(start) > leaseTTL {
			t.Errorf("got %+v, %v", l, err)
		}
	})
	t.Run("alive", func(t *testing.T) {
		s := memstore.New()
		defer s.Close()
		l := acquire(t, s, "a")
		err := catalog.KeepLease(t.Context(), s, l.Fence, leaseTTL, func(context.Context) error {
			_, err := take(t, s)
			return err
		})
		var leased *catalog.LeasedError
		if !errors.As(err, &leased) || leased.Holder != "a" {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("in no hurry", func(t *testing.T) {
		s := memstore.New()
		defer s.Close()
		if _, err := s.Acquire(t.Context(), "work", "a", time.Hour); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := take(t, s); !errors.Is(err, catalog.ErrLeased) || time.Since(start) > leaseTTL {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestSleep(t *testing.T) {
	start := time.Now()
	if err := catalog.Sleep(t.Context(), 20*time.Millisecond); err != nil || time.Since(start) < 20*time.Millisecond {
		t.Errorf("slept %v, %v", time.Since(start), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if err := catalog.Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if err := catalog.Sleep(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("the error of a context that has ended is %v", err)
	}
}
