package purge

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"catalog/catalog"
)

// send purges keys, for as long as it takes.
func (r *runner) send(ctx context.Context, keys []string, soft bool) error {
	if len(keys) == 0 {
		return nil
	}
	return halves(keys, func(some []string) error {
		return r.retry(ctx, len(some), func() error { return r.Target.Purge(ctx, some, soft) })
	}, func(key string, err error) {
		r.Metrics.Failed(err)
		r.Log.ErrorContext(ctx, "the cache does not take a key, which is left out", "target", r.Target.String(), "key", key, "cause", err)
	})
}

// retry calls f until the cache takes what it sends, or refuses it for good.
func (r *runner) retry(ctx context.Context, keys int, f func() error) error {
	pause := firstTry
	for {
		start := time.Now()
		err := f()
		if err == nil {
			r.Metrics.Sent(keys, time.Since(start))
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var se *statusError
		known := errors.As(err, &se)
		if known && se.refused() {
			return err
		}
		r.Metrics.Failed(err)
		// Half of the pause is left to chance: processes that failed together
		// need not come again together.
		wait := pause/2 + rand.N(pause/2)
		if known && se.after > wait {
			wait = se.after
		}
		r.Log.WarnContext(ctx, "the cache did not take a purge, which is repeated", "target", r.Target.String(), "after", wait, "cause", err)
		if err := catalog.Sleep(ctx, wait); err != nil {
			return err
		}
		pause = min(2*pause, lastTry)
	}
}
