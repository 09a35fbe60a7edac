package purge

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// Store is the part of catalog.Store that Run needs.
type Store interface {
	Get(ctx context.Context, kind catalog.Kind, keys ...catalog.Key) ([]catalog.Record, error)
	Lookup(ctx context.Context, ref catalog.Ref) ([]catalog.Key, error)
	Tail(ctx context.Context) (catalog.Cursor, error)
	Changes(ctx context.Context, after catalog.Cursor) iter.Seq2[catalog.Change, error]
	Wait(ctx context.Context, after catalog.Cursor) error
	Follow(ctx context.Context, name string, at catalog.Cursor) error
	Followers(ctx context.Context) ([]catalog.Follower, error)
	Acquire(ctx context.Context, name, holder string, ttl time.Duration) (catalog.LeaseInfo, error)
	Renew(ctx context.Context, f catalog.Fence, ttl time.Duration) error
	Release(ctx context.Context, f catalog.Fence) error
}

// Options say what Run works on, and how. Store, Index, Shop and Target are
// needed; the zero value of each other field works.
type Options struct {
	Store Store
	// Index tells up to where searches see the log: an indexer.Index does.
	Index interface {
		Cursor(ctx context.Context) (catalog.Cursor, error)
	}
	Shop   func(ctx context.Context) (*indexer.Shop, error) // as indexer.Engine's
	Target Target

	Holder  string        // who this is, for people
	Every   time.Duration // least time between two purges of a category; 0: 30 s
	Log     *slog.Logger
	Metrics Metrics
}

// Metrics are told what Run does. Each may be nil; they are called from one
// goroutine at a time and must not block.
type Metrics struct {
	Sent   func(keys int, took time.Duration) // a cache took keys
	Failed func(err error)                    // it did not; it will be asked again
	Behind func(changes int64)                // changes whose keys are not sent yet
}

// How Run goes about it.
const (
	defaultEvery = 30 * time.Second
	maxChanges   = 2000                   // of the log, in one step
	poll         = 200 * time.Millisecond // how often an index that lags is asked
	idle         = 5 * time.Second        // how long to wait for a change before looking around
	leaseTime    = 15 * time.Second
	// underWay is how long an answer may take that was made before the index passed
	// a change: purges wait for it, or the cache would be filled with the old page
	// just after them.
	underWay = time.Second
	// settle is how much longer category pages may be made of the old categories:
	// what indexer.Engine knows of the shop is that old.
	settle   = 2 * time.Second
	firstTry = 500 * time.Millisecond // before a purge is repeated; doubled each time
	lastTry  = 30 * time.Second
)

// Run sends purges to a cache until ctx ends, and returns ctx.Err() then. Of
// several processes that do so for one cache and store, one works at a time.
// Where it is in the log is kept as the follower "purge/TARGET"; to stop
// purging a cache for good, unfollow that name.
//
// A cache that does not answer, or refuses, is asked again with growing pauses
// for as long as it takes; a single key that it refuses as invalid is logged
// and left out. Other errors are the store's.
func Run(ctx context.Context, opts Options) error {
	if opts.Every <= 0 {
		opts.Every = defaultEvery
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Metrics.Sent == nil {
		opts.Metrics.Sent = func(int, time.Duration) {}
	}
	if opts.Metrics.Failed == nil {
		opts.Metrics.Failed = func(error) {}
	}
	if opts.Metrics.Behind == nil {
		opts.Metrics.Behind = func(int64) {}
	}
	for {
		err := hold(ctx, opts)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, catalog.ErrClosed):
			return fmt.Errorf("purge: following the log: %w", err)
		case errors.Is(err, catalog.ErrLeased):
			// Another process is at work.
		default:
			opts.Log.WarnContext(ctx, "purging starts again", "target", opts.Target.String(), "cause", err)
		}
		if err := catalog.Sleep(ctx, leaseTime/5); err != nil {
			return err
		}
	}
}

// follower is the name under which a target follows the log, and of its lease.
func follower(t Target) string { return "purge/" + t.String() }

// hold takes the lease and works until ctx ends, the lease is lost, or the
// store fails.
func hold(ctx context.Context, opts Options) error {
	name := follower(opts.Target)
	lease, err := opts.Store.Acquire(ctx, name, opts.Holder, leaseTime)
	if err != nil {
		return err
	}
	return catalog.KeepLease(ctx, opts.Store, lease.Fence, leaseTime, func(ctx context.Context) error {
		r := &runner{Options: opts, name: name, collector: newCollector(opts.Store, opts.Shop), held: newThrottle(opts.Every)}
		return r.run(catalog.WithFence(ctx, lease.Fence))
	})
}

// runner is one process at work for one target.
type runner struct {
	Options
	name      string
	collector *collector
	held      *throttle
	at        catalog.Cursor // everything up to it was sent, but what is held back
	kept      catalog.Cursor // as the store knows it
	keptAt    time.Time

	seen   catalog.Cursor // of the index, when it was looked at
	seenAt time.Time
	ripe   catalog.Cursor // that it had passed long enough ago
}

func (r *runner) run(ctx context.Context) error {
	followers, err := r.Store.Followers(ctx)
	if err != nil {
		return fmt.Errorf("purge: reading the followers: %w", err)
	}
	for _, f := range followers {
		if f.Name == r.name {
			r.at, r.kept = f.At, f.At
		}
	}
	for {
		more, err := r.step(ctx)
		if err != nil {
			return err
		}
		if err := r.flush(ctx); err != nil {
			return err
		}
		if !more {
			if err := r.wait(ctx); err != nil {
				return err
			}
		}
	}
}

// step sends the keys of the next changes that the index has passed. It
// reports whether there may be more.
func (r *runner) step(ctx context.Context) (bool, error) {
	tail, err := r.Store.Tail(ctx)
	if err != nil {
		return false, fmt.Errorf("purge: reading the tail: %w", err)
	}
	passed, err := r.Index.Cursor(ctx)
	if errors.Is(err, indexer.ErrNoIndex) || err == nil && passed.Epoch != tail.Epoch {
		return false, nil // it is being built
	}
	if err != nil {
		return false, fmt.Errorf("purge: asking the index: %w", err)
	}
	r.Metrics.Behind(behind(r.at, tail))
	if r.at.IsZero() {
		r.at = passed // from now on: nothing was promised about before
		return false, r.keep(ctx)
	}
	if r.at.Epoch != passed.Epoch {
		return false, r.all(ctx, passed)
	}
	if passed = r.ripened(passed, time.Now()); passed.Epoch != r.at.Epoch {
		return false, nil
	}
	if r.at.Seq >= passed.Seq {
		return false, nil
	}
	var changes []catalog.Change
	next := passed
	for c, err := range r.Store.Changes(ctx, r.at) {
		if errors.Is(err, catalog.ErrTrimmed) {
			return false, r.all(ctx, passed)
		}
		if err != nil {
			return false, fmt.Errorf("purge: reading the log: %w", err)
		}
		if c.Seq > passed.Seq {
			break
		}
		changes = append(changes, c)
		if len(changes) == maxChanges {
			next.Seq = c.Seq
			break
		}
	}
	k, err := r.collector.collect(ctx, changes)
	if err != nil {
		return false, err
	}
	if err := r.send(ctx, k.soft, true); err != nil {
		return false, err
	}
	if err := r.send(ctx, k.hard, false); err != nil {
		return false, err
	}
	r.held.add(k.categories, time.Now().Add(settle))
	r.at = next
	r.Metrics.Behind(behind(r.at, tail))
	return next.Seq < passed.Seq, nil
}

// ripened takes note of where the index is, and returns where it was a while
// ago.
func (r *runner) ripened(at catalog.Cursor, now time.Time) catalog.Cursor {
	if now.Sub(r.seenAt) >= underWay {
		r.ripe = r.seen
		if at != r.seen {
			r.seen, r.seenAt = at, now
		}
	}
	return r.ripe
}

// behind returns how many changes there are between two places at most.
func behind(at, tail catalog.Cursor) int64 {
	if at.Epoch != tail.Epoch || at.Seq > tail.Seq {
		return 0
	}
	return int64(tail.Seq - at.Seq)
}

// all purges everything, and goes on at a place.
func (r *runner) all(ctx context.Context, at catalog.Cursor) error {
	r.Log.WarnContext(ctx, "the log does not reach back to the last purge: all pages are purged", "target", r.Target.String())
	if err := r.retry(ctx, 1, func() error { return r.Target.PurgeAll(ctx) }); err != nil {
		return err
	}
	r.held = newThrottle(r.Every)
	r.at = at
	return r.keep(ctx)
}

// flush sends the keys of categories whose time has come, and keeps the place.
func (r *runner) flush(ctx context.Context) error {
	due := r.held.due(time.Now())
	if err := r.send(ctx, due, true); err != nil {
		return err
	}
	r.held.sent(due, time.Now())
	if time.Since(r.keptAt) < time.Second {
		return nil
	}
	return r.keep(ctx)
}

// keep tells the store up to where everything was sent.
func (r *runner) keep(ctx context.Context) error {
	at := r.at
	if first, ok := r.held.first(); ok && first <= at.Seq {
		at.Seq = first - 1
	}
	if at.IsZero() || at == r.kept {
		return nil
	}
	err := r.Store.Follow(ctx, r.name, at)
	if errors.Is(err, catalog.ErrTrimmed) {
		return nil // the next step finds out
	}
	if err != nil {
		return fmt.Errorf("purge: moving the follower: %w", err)
	}
	r.kept, r.keptAt = at, time.Now()
	return nil
}

// wait returns when there may be something to do.
func (r *runner) wait(ctx context.Context) error {
	pause := idle
	if next, ok := r.held.next(); ok {
		pause = min(pause, max(0, time.Until(next)))
	}
	if !r.held.empty() || r.at != r.kept {
		pause = min(pause, time.Second) // the place is to be kept
	}
	tail, err := r.Store.Tail(ctx)
	if err != nil {
		return fmt.Errorf("purge: reading the tail: %w", err)
	}
	if tail != r.at {
		return catalog.Sleep(ctx, min(pause, poll)) // the index lags
	}
	inner, cancel := context.WithTimeout(ctx, pause)
	defer cancel()
	err = r.Store.Wait(inner, r.at)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case inner.Err() != nil, errors.Is(err, catalog.ErrTrimmed):
		return nil
	case err != nil:
		return fmt.Errorf("purge: waiting for changes: %w", err)
	}
	return nil
}
