package catalog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// releaseTime bounds how long KeepLease tries to give a lease up; one that
// cannot be given up expires.
const releaseTime = 5 * time.Second

// LeaseTaker is the part of Store that TakeLease needs.
type LeaseTaker interface {
	Acquire(ctx context.Context, name, holder string, ttl time.Duration) (LeaseInfo, error)
}

// TakeLease acquires a lease. While another has it, it waits until that one is
// done, or until it is plain which of two things is true: its holder lives and
// renews it, then the error is a *LeasedError; or it was killed, and its lease
// expires. That takes a third of ttl, or ttl, if both use the same. waiting,
// if not nil, is told once who has it.
func TakeLease(ctx context.Context, s LeaseTaker, name, holder string, ttl time.Duration, waiting func(LeaseInfo)) (LeaseInfo, error) {
	var first LeaseInfo // the other's, as it was seen first
	for pause := min(10*time.Millisecond, ttl/15); ; pause = min(2*pause, ttl/15) {
		l, err := s.Acquire(ctx, name, holder, ttl)
		var leased *LeasedError
		switch {
		case !errors.As(err, &leased):
			return l, err
		case first.Token == 0:
			first = leased.LeaseInfo
			if waiting != nil {
				waiting(first)
			}
		case first.Token != leased.Token:
			first = leased.LeaseInfo // that one was done, and another was faster
		case !leased.Expires.Equal(first.Expires):
			return l, err
		}
		if time.Until(first.Expires) > ttl+ttl/3 {
			return l, err // whoever it is, it is in no hurry to renew it
		}
		if Sleep(ctx, pause) != nil {
			return l, context.Cause(ctx)
		}
	}
}

// LeaseKeeper is the part of Store that KeepLease needs.
type LeaseKeeper interface {
	Renew(ctx context.Context, f Fence, ttl time.Duration) error
	Release(ctx context.Context, f Fence) error
}

// KeepLease runs f while it keeps a lease that was acquired for ttl: it renews
// the lease every third of ttl, and gives it up when f has returned, even if
// ctx has ended by then.
//
// When the lease is lost, or could not be renewed for as long as ttl, f's
// context ends with a cause that is ErrFenced, and KeepLease returns that cause
// if f returns an error. f's writes are not fenced by themselves: see WithFence.
func KeepLease(ctx context.Context, s LeaseKeeper, lease Fence, ttl time.Duration, f func(context.Context) error) error {
	inner, cancel := context.WithCancelCause(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() { renewLease(inner, s, lease, ttl, cancel) })
	err := f(inner)
	if cause := context.Cause(inner); err != nil && errors.Is(cause, ErrFenced) {
		err = cause
	}
	cancel(nil)
	renewing.Wait()
	last, done := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer done()
	_ = s.Release(last, lease)
	return err
}

// renewLease renews until ctx ends; it ends ctx when the lease is lost.
func renewLease(ctx context.Context, s LeaseKeeper, lease Fence, ttl time.Duration, lost context.CancelCauseFunc) {
	tick := time.NewTicker(ttl / 3)
	defer tick.Stop()
	for until := time.Now().Add(ttl); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asked := time.Now()
		// A store that does not answer must not make this process believe that it
		// still has the lease.
		try, done := context.WithDeadline(ctx, until)
		err := s.Renew(try, lease, ttl)
		done()
		switch {
		case err == nil:
			until = asked.Add(ttl)
		case ctx.Err() != nil:
			return
		case errors.Is(err, ErrFenced):
			lost(fmt.Errorf("catalog: keeping a lease: %w", err))
			return
		case !time.Now().Before(until):
			lost(fmt.Errorf("catalog: keeping a lease: %w", errors.Join(ErrFenced, err)))
			return
		}
	}
}
