package indexer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"catalog/catalog"
)

// work follows the log, and builds when that is needed.
func (r *runner) work(ctx context.Context) error {
	rebuild := r.opts.Rebuild
	for {
		usable, fresh, err := r.inspect(ctx)
		if err != nil {
			return err
		}
		switch {
		case !usable:
			// Nothing serves yet: nothing to keep current meanwhile.
			err = r.build(ctx)
		case rebuild || !fresh:
			err = r.buildBeside(ctx)
		default:
			err = r.follow(ctx, r.opts.Follow)
		}
		switch {
		case err == nil && usable && fresh && !rebuild:
			return nil // at the tail
		case err == nil:
			rebuild = false
		case errors.Is(err, errStale), errors.Is(err, catalog.ErrTrimmed):
			r.opts.Log.InfoContext(ctx, "the index is built anew", "cause", err)
		case errors.Is(err, ErrCorrupt):
			r.opts.Log.ErrorContext(ctx, "the index is corrupt and built anew", "cause", err)
			if err := r.build(ctx); err != nil {
				return err
			}
			rebuild = false
		default:
			return err
		}
	}
}

// errStale ends following: the index needs to be built anew.
var errStale = errors.New("other settings than the index was built with")

// inspect finds out whether the index can be followed from where it stands,
// and whether it was built with the settings of now.
func (r *runner) inspect(ctx context.Context) (usable, fresh bool, err error) {
	at, err := r.index.Cursor(ctx)
	switch {
	case errors.Is(err, ErrNoIndex), errors.Is(err, ErrFormat), errors.Is(err, ErrCorrupt):
		level := slog.LevelWarn
		if errors.Is(err, ErrNoIndex) {
			level = slog.LevelDebug // the first time
		}
		r.opts.Log.Log(ctx, level, "there is no index to go on with", "cause", err)
		return false, false, nil
	case err != nil:
		return false, false, fmt.Errorf("indexer: reading the index's cursor: %w", err)
	}
	print, err := r.index.Fingerprint(ctx)
	if err != nil {
		return false, false, fmt.Errorf("indexer: reading the index's fingerprint: %w", err)
	}
	fresh = print == r.shop.Print
	for _, err := range r.store.Changes(ctx, at) {
		if errors.Is(err, catalog.ErrTrimmed) {
			fresh = false
		} else if err != nil {
			return false, false, fmt.Errorf("indexer: reading the log: %w", err)
		}
		break
	}
	return true, fresh, nil
}

// buildBeside builds a new generation while the old one goes on following as
// well as it can.
func (r *runner) buildBeside(ctx context.Context) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		err := r.followOld(inner)
		if err != nil && inner.Err() == nil {
			r.opts.Log.WarnContext(ctx, "the old index does not follow while the new one is built", "cause", err)
		}
	})
	r.beside.Store(true)
	defer r.beside.Store(false)
	err := r.build(ctx)
	cancel()
	wg.Wait()
	return err
}

// followOld keeps the old generation current. When the log no longer reaches
// where it stands, it goes on from the tail: what it missed comes with the new
// one.
func (r *runner) followOld(ctx context.Context) error {
	tail, err := r.store.Tail(ctx)
	if err != nil {
		return err
	}
	f := &following{r: r, old: true}
	if f.at, err = r.index.Cursor(ctx); err != nil {
		return err
	}
	err = f.loop(ctx, true)
	if errors.Is(err, catalog.ErrTrimmed) {
		f.at = tail
		err = f.loop(ctx, true)
	}
	return err
}

// follow follows the log from where the index stands.
func (r *runner) follow(ctx context.Context, stay bool) error {
	f := &following{r: r}
	var err error
	if f.at, err = r.index.Cursor(ctx); err != nil {
		return fmt.Errorf("indexer: reading the index's cursor: %w", err)
	}
	r.result.Cursor = f.at
	if err := r.store.Follow(ctx, follower(r.opts.Name), f.at); err != nil {
		return fmt.Errorf("indexer: registering the follower: %w", err)
	}
	if err := r.replay(ctx); err != nil {
		return err
	}
	return f.loop(ctx, stay)
}

// replay tries dead letters again: what kept them back may be mended.
func (r *runner) replay(ctx context.Context) error {
	r.deadMu.Lock()
	skus := make([]string, 0, len(r.dead))
	for sku := range r.dead {
		skus = append(skus, sku)
	}
	r.deadMu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.reindex(ctx, r.toIndex, skus, catalog.Cursor{})
	if err != nil && ctx.Err() == nil && temporary(err) {
		r.opts.Log.WarnContext(ctx, "dead letters are not tried again", "cause", err)
		return nil
	}
	return err
}

// following is one pass along the log.
type following struct {
	r       *runner
	at      catalog.Cursor
	stay    bool      // and wait for more at the tail
	old     bool      // of a generation that is about to be replaced
	due     time.Time // when the next special price begins or ends; zero: ask
	noDue   bool      // none is known
	looked  time.Time // at the settings
	synced  time.Time
	unsaved bool
	catchUp catalog.Seq // category changes up to it may be in the tree already
}

// maxChanges is how many entries of the log are taken at once. Of prices and
// stock alone there may be more: they are read, and columns copied, once for all.
const (
	maxChanges = 16_384
	maxLive    = 1 << 17
)

func (f *following) loop(ctx context.Context, stay bool) error {
	f.stay = stay
	tail, err := f.r.store.Tail(ctx)
	if err != nil {
		return fmt.Errorf("indexer: reading the tail: %w", err)
	}
	f.catchUp = tail.Seq
	f.looked, f.synced = f.r.opts.Now(), f.r.opts.Now()
	for {
		n, err := f.step(ctx)
		if err != nil {
			return err
		}
		if err := f.prices(ctx); err != nil {
			return err
		}
		if err := f.look(ctx); err != nil {
			return err
		}
		if !stay && f.at.Seq >= tail.Seq {
			return f.sync(ctx) // what was written since is for the next one
		}
		if n > 0 {
			f.r.report(ctx, StateFollowing, f.at, nil)
			if f.r.opts.Now().Sub(f.synced) > 10*time.Second {
				if err := f.sync(ctx); err != nil {
					return err
				}
			}
			continue
		}
		if !stay {
			return f.sync(ctx) // Seqs may have gaps up to the tail
		}
		if err := f.wait(ctx); err != nil {
			return err
		}
	}
}

// step applies the next changes and returns how many there were.
func (f *following) step(ctx context.Context) (int, error) {
	changes := make([]catalog.Change, 0, 64)
	limit := maxLive
	for c, err := range f.r.store.Changes(ctx, f.at) {
		if err != nil {
			return 0, fmt.Errorf("indexer: reading the log: %w", err)
		}
		changes = append(changes, c)
		if c.Kind != catalog.KindPrice && c.Kind != catalog.KindStock {
			limit = maxChanges
		}
		if len(changes) >= limit {
			break
		}
	}
	if len(changes) == 0 {
		return 0, nil
	}
	// The epoch of the zero cursor is not known: the tail has it.
	at := catalog.Cursor{Epoch: f.at.Epoch, Seq: changes[len(changes)-1].Seq}
	if at.Epoch == "" {
		tail, err := f.r.store.Tail(ctx)
		if err != nil {
			return 0, fmt.Errorf("indexer: reading the tail: %w", err)
		}
		at.Epoch = tail.Epoch
	}
	if err := f.apply(ctx, changes, at); err != nil {
		return 0, err
	}
	f.at, f.unsaved = at, true
	return len(changes), nil
}

// patience is how long a Run that is to end at the tail waits for an index that
// does not answer.
const patience = time.Minute

// apply takes changes into the index; what fails for a while is tried again.
func (f *following) apply(ctx context.Context, changes []catalog.Change, at catalog.Cursor) error {
	waited := time.Duration(0)
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		f.r.mu.Lock()
		next, err := f.r.take(ctx, changes, at, f)
		if err == nil {
			f.r.result.Changes += int64(len(changes))
			f.r.result.Cursor = at
		}
		f.r.mu.Unlock()
		if err == nil {
			f.soon(next)
			return nil
		}
		if waited += pause; ctx.Err() != nil || !temporary(err) || !f.stay && waited > patience {
			return err
		}
		f.r.opts.Log.WarnContext(ctx, "the index does not take changes; they are tried again", "cause", err, "pause", pause)
		f.r.report(ctx, StateFollowing, f.at, err)
		if err := catalog.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// temporary reports whether an error may go away by itself.
func temporary(err error) bool {
	for _, lasting := range [...]error{ErrCorrupt, ErrFormat, ErrNoIndex, ErrClosed, errStale, catalog.ErrFenced, catalog.ErrClosed, catalog.ErrCorrupt, catalog.ErrTrimmed, catalog.ErrInvalid, context.Canceled} {
		if errors.Is(err, lasting) {
			return false
		}
	}
	return true
}

// soon notes when prices change by themselves.
func (f *following) soon(next time.Time) {
	if !next.IsZero() && (f.noDue || !f.due.IsZero() && next.Before(f.due)) {
		f.due, f.noDue = next, false
	}
}

// prices computes what changed with the hour.
func (f *following) prices(ctx context.Context) error {
	now := f.r.opts.Now()
	var last []string
	for !f.noDue && !now.Before(f.due) {
		skus, next, err := f.r.index.Due(ctx, now, 1000)
		if err != nil {
			return fmt.Errorf("indexer: asking which prices change: %w", err)
		}
		if len(skus) > 0 && slices.Equal(skus, last) {
			// Their products cannot be indexed: they must not keep the rest back.
			f.r.opts.Log.WarnContext(ctx, "prices stay as they were, since their products cannot be indexed", "first", skus[0], "units", len(skus))
			f.due = now.Add(time.Minute)
			return nil
		}
		last = skus
		if len(skus) == 0 {
			f.due, f.noDue = next, next.IsZero()
			return nil
		}
		f.r.mu.Lock()
		err = f.r.refresh(ctx, skus)
		f.r.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// look looks at settings and store views from time to time.
func (f *following) look(ctx context.Context) error {
	if f.old || f.r.opts.Now().Sub(f.looked) < f.r.opts.Every {
		return nil
	}
	f.looked = f.r.opts.Now()
	return f.r.look(ctx)
}

// look compares what influences documents with what the index was built with.
func (r *runner) look(ctx context.Context) error {
	settings, err := r.opts.Settings()
	if err != nil {
		r.opts.Log.WarnContext(ctx, "the settings are not taken", "cause", err)
		settings = r.shop.Settings
	}
	views, err := metaOf(ctx, r.store, catalog.MetaStoreViews)
	if err != nil {
		return err
	}
	stores, err := ParseStores(views, settings.DefaultStore)
	if err != nil {
		r.opts.Log.WarnContext(ctx, "the store views are not taken", "cause", err)
		return nil
	}
	if fingerprint(stores, r.shop.attrs.silent(settings.NotSearched)) == r.shop.Print {
		return nil
	}
	return r.renewShop(ctx)
}

// renewShop loads the shop anew; errStale if documents are others with it.
func (r *runner) renewShop(ctx context.Context) error {
	settings, err := r.opts.Settings()
	if err != nil {
		settings = r.shop.Settings
	}
	shop, err := LoadShop(ctx, r.store, settings)
	if err != nil {
		return err
	}
	old := r.shop.Print
	r.setShop(shop)
	if shop.Print != old {
		return errStale
	}
	return nil
}

// wait waits for changes, the next price or the next look.
func (f *following) wait(ctx context.Context) error {
	pause := f.r.opts.Every
	if f.unsaved {
		// Changes that trickle in are not worth a sync each.
		left := time.Second - f.r.opts.Now().Sub(f.synced)
		if left <= 0 {
			if err := f.sync(ctx); err != nil {
				return err
			}
		} else {
			pause = min(pause, left)
		}
	}
	f.r.report(ctx, StateWaiting, f.at, nil)
	if !f.noDue && !f.due.IsZero() {
		pause = min(pause, max(0, f.due.Sub(f.r.opts.Now())))
	}
	if pause == 0 {
		return nil
	}
	inner, cancel := context.WithTimeout(ctx, pause)
	defer cancel()
	err := f.r.store.Wait(inner, f.at)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case inner.Err() != nil:
		return nil
	}
	if err != nil {
		return fmt.Errorf("indexer: waiting for changes: %w", err)
	}
	return nil
}

// sync makes durable what was applied, and lets the log go up to there.
func (f *following) sync(ctx context.Context) error {
	if err := f.r.index.Sync(ctx); err != nil {
		return fmt.Errorf("indexer: syncing: %w", err)
	}
	if !f.old {
		at, err := f.r.index.Cursor(ctx)
		if err != nil {
			return fmt.Errorf("indexer: reading the index's cursor: %w", err)
		}
		if err := f.r.store.Follow(ctx, follower(f.r.opts.Name), at); err != nil {
			return fmt.Errorf("indexer: moving the follower: %w", err)
		}
	}
	f.synced, f.unsaved = f.r.opts.Now(), false
	return f.r.keepNamed(ctx)
}
