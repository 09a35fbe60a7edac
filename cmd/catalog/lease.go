package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"catalog/catalog"
)

// withLease runs f while this process has a lease. When it is lost, f's
// context ends with catalog.ErrFenced.
func withLease(ctx context.Context, s catalog.Store, name string, ttl time.Duration, f func(context.Context) error) error {
	lease, err := s.Acquire(ctx, name, holder(), ttl)
	if err != nil {
		return err
	}
	inner, cancel := context.WithCancelCause(ctx)
	stop := make(chan struct{})
	var renewing sync.WaitGroup
	renewing.Go(func() {
		tick := time.NewTicker(ttl / 3)
		defer tick.Stop()
		for last := time.Now(); ; {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			switch err := s.Renew(inner, lease.Fence, ttl); {
			case err == nil:
				last = time.Now()
			case errors.Is(err, catalog.ErrFenced), time.Since(last) > ttl:
				cancel(err)
				return
			}
		}
	})
	err = f(inner)
	close(stop)
	renewing.Wait()
	if cause := context.Cause(inner); err != nil && ctx.Err() == nil && cause != nil {
		err = cause
	}
	cancel(nil)
	// One that cannot be given up expires.
	_ = s.Release(context.WithoutCancel(ctx), lease.Fence)
	return err
}
