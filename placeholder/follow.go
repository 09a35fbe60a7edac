package placeholder

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"catalog/catalog"
)

// How Follow works through the change log.
const (
	// followBatch is how many records' changes are dealt with at once.
	followBatch = MaxLive
	// leaseTTL is how long a follower that was killed keeps others waiting.
	leaseTTL = 10 * time.Second
	// followRetry is how long Follow waits after trouble, at first and at most.
	followRetry, followRetryMax = 250 * time.Millisecond, 15 * time.Second
	// owedRetry is how often placeholders are tried that failed for themselves.
	owedRetry = 3 * time.Second
)

// Follow keeps live placeholders true to the catalog until ctx ends, whose
// error it returns: it reads the store's change log with a cursor of its own,
// registered as Options.Name, and refreshes the placeholders of the records
// that changed. When the log no longer has its place, or it never ran, it goes
// through all placeholders once; it does so every Options.Sweep as well.
//
// Of several followers of one name, in whatever process, one works and the
// others stand by. Trouble with the shop's database is waited out.
func (s *Service) Follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	wait := followRetry
	for {
		began := time.Now()
		err := s.lead(ctx)
		s.stats.running.Store(false)
		if ctx.Err() != nil {
			if s.ctx.Err() != nil {
				return ErrClosed
			}
			return ctx.Err()
		}
		if errors.Is(err, ErrClosed) || errors.Is(err, catalog.ErrClosed) {
			return err
		}
		if time.Since(began) > followRetryMax {
			wait = followRetry
		}
		if errors.Is(err, catalog.ErrLeased) {
			s.log.Debug("another process follows the catalog", "error", err)
			wait = leaseTTL / 3
		} else {
			s.log.Warn("following the catalog is interrupted", "error", err, "retry_in", wait)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		wait = min(2*wait, followRetryMax)
	}
}

// lead takes the followers' lease and follows until something fails.
func (s *Service) lead(ctx context.Context) error {
	lease, err := s.store.Acquire(ctx, "follow/"+s.opts.Name, s.name, leaseTTL)
	if err != nil {
		return err
	}
	return catalog.KeepLease(ctx, s.store, lease.Fence, leaseTTL, func(ctx context.Context) error {
		s.stats.running.Store(true)
		return s.followLog(catalog.WithFence(ctx, lease.Fence))
	})
}

// followLog follows the change log from where this follower was.
func (s *Service) followLog(ctx context.Context) error {
	at, err := s.place(ctx)
	if err != nil {
		return err
	}
	swept := time.Time{}
	if at.IsZero() {
		if at, err = s.restart(ctx); err != nil {
			return err
		}
		swept = time.Now()
	}
	tried := time.Now()
	for {
		if s.owes() && time.Since(tried) >= owedRetry {
			if err := s.refreshAll(ctx, s.takeOwed()); err != nil {
				return err
			}
			tried = time.Now()
		}
		if time.Since(swept) >= s.opts.Sweep {
			// Also the first thing after a start: what another version of this
			// program, or other settings, made of the same records is put right.
			if err := s.Sweep(ctx); err != nil {
				return err
			}
			swept = time.Now()
		}
		next, err := s.step(ctx, at)
		if errors.Is(err, catalog.ErrTrimmed) {
			next, err = s.restart(ctx)
			swept = time.Now()
		}
		if err != nil {
			return err
		}
		if next != at {
			at = next
			continue
		}
		limit := time.Until(swept.Add(s.opts.Sweep))
		if s.owes() {
			limit = min(limit, time.Until(tried.Add(owedRetry)))
		}
		if err := s.waitFor(ctx, at, limit); err != nil && !errors.Is(err, catalog.ErrTrimmed) {
			return err
		}
	}
}

// place returns where the follower is; the zero Cursor when it is new, or the
// store is another.
func (s *Service) place(ctx context.Context) (catalog.Cursor, error) {
	followers, err := s.store.Followers(ctx)
	if err != nil {
		return catalog.Cursor{}, err
	}
	for _, f := range followers {
		if f.Name == s.opts.Name {
			return f.At, nil
		}
	}
	return catalog.Cursor{}, nil
}

// restart goes through all placeholders and follows from the tail before that.
func (s *Service) restart(ctx context.Context) (catalog.Cursor, error) {
	tail, err := s.store.Tail(ctx)
	if err != nil {
		return catalog.Cursor{}, err
	}
	if err := s.store.Follow(ctx, s.opts.Name, tail); err != nil {
		return catalog.Cursor{}, err
	}
	return tail, s.Sweep(ctx)
}

// waitFor returns when there are changes after at, or the time is up.
func (s *Service) waitFor(ctx context.Context, at catalog.Cursor, limit time.Duration) error {
	wait, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := s.store.Wait(wait, at)
	if err != nil && ctx.Err() == nil && wait.Err() != nil {
		return nil
	}
	return err
}

// step deals with the next changes and moves the follower behind them. It
// returns at itself when there are none.
func (s *Service) step(ctx context.Context, at catalog.Cursor) (catalog.Cursor, error) {
	var keys []string
	seen := map[string]bool{}
	next, changes := at, int64(0)
	for c, err := range s.store.Changes(ctx, at) {
		if err != nil {
			return at, err
		}
		changes++
		next.Seq = c.Seq
		switch c.Kind {
		case catalog.KindProduct, catalog.KindPrice, catalog.KindStock:
			if key := string(c.Key); !seen[key] {
				seen[key] = true
				keys = append(keys, key)
			}
		}
		if len(keys) == followBatch {
			break
		}
	}
	if changes == 0 {
		return at, nil
	}
	if next.Epoch == "" {
		tail, err := s.store.Tail(ctx)
		if err != nil {
			return at, err
		}
		next.Epoch = tail.Epoch
	}
	if len(keys) > 0 {
		live, err := s.live(ctx, keys)
		if err != nil {
			return at, err
		}
		if err := s.refreshAll(ctx, live); err != nil {
			return at, err
		}
	}
	s.stats.changes.Add(changes)
	if tail, err := s.store.Tail(ctx); err == nil {
		s.stats.behind.Store(int64(tail.Seq - next.Seq))
	}
	return next, s.store.Follow(ctx, s.opts.Name, next)
}

func (s *Service) live(ctx context.Context, keys []string) ([]string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.opts.Timeout, ErrUnavailable)
	defer cancel()
	live, err := s.shop.Live(ctx, keys)
	return live, cause(ctx, err)
}

// Sweep brings all live placeholders to what the catalog says. Those that
// cannot be written are logged and left to the next time.
func (s *Service) Sweep(ctx context.Context) error {
	for after := ""; ; {
		entries, err := s.list(ctx, after)
		if err != nil {
			return fmt.Errorf("placeholder: listing placeholders after %q: %w", after, err)
		}
		var skus []string
		for _, e := range entries {
			if e.State == StateLive {
				skus = append(skus, e.SKU)
			}
		}
		if err := s.refreshAll(ctx, skus); err != nil {
			return err
		}
		if len(entries) < MaxLive {
			return nil
		}
		after = entries[len(entries)-1].SKU
	}
}

func (s *Service) list(ctx context.Context, after string) ([]Entry, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.opts.Timeout, ErrUnavailable)
	defer cancel()
	entries, err := s.shop.List(ctx, after, MaxLive)
	return entries, cause(ctx, err)
}

// refreshAll refreshes the placeholders of SKUs, in batches, two at a time: one
// is computed while the database writes the other.
func (s *Service) refreshAll(ctx context.Context, skus []string) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(writers)
	for batch := range slices.Chunk(skus, MaxBatch) {
		g.Go(func() error {
			if err := s.refresh(ctx, batch); err != nil {
				return fmt.Errorf("placeholder: refreshing %d placeholders: %w", len(batch), err)
			}
			return nil
		})
	}
	return g.Wait()
}

// owe remembers a placeholder that failed, for followLog to try again.
func (s *Service) owe(sku string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owed[sku] = true
}

// owes reports whether there are such.
func (s *Service) owes() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.owed) > 0
}

// takeOwed returns and forgets them.
func (s *Service) takeOwed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	owed := slices.Collect(maps.Keys(s.owed))
	clear(s.owed)
	return owed
}

// refresh refreshes one batch. What fails for itself is logged and left out,
// so that one product does not hold up the others' prices.
func (s *Service) refresh(ctx context.Context, skus []string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.opts.Timeout, ErrUnavailable)
	defer cancel()
	err := s.refreshOnce(ctx, skus)
	switch {
	case err == nil:
		return nil
	case !curable(ctx, err):
		return cause(ctx, err)
	case len(skus) == 1:
		s.log.Error("a placeholder cannot be refreshed", "sku", skus[0], "error", err)
		s.owe(skus[0])
		return nil
	}
	if err := s.refresh(ctx, skus[:len(skus)/2]); err != nil {
		return err
	}
	return s.refresh(ctx, skus[len(skus)/2:])
}

func (s *Service) refreshOnce(ctx context.Context, skus []string) error {
	found, err := s.shop.Find(ctx, skus)
	if err != nil {
		return err
	}
	sources, err := load(ctx, s.store, skus)
	if err != nil {
		return err
	}
	info := s.shop.Info()
	var products []Product
	var written []source
	for i := range sources {
		if found[i].State != StateLive || found[i].Spelling != skus[i] {
			continue
		}
		p := Make(&info, s.opts.Rules, sources[i].Records, time.Now()).Product
		if p.Hash != found[i].Hash {
			products, written = append(products, p), append(written, sources[i])
		}
	}
	if len(products) == 0 {
		return nil
	}
	results, err := s.shop.Refresh(ctx, products)
	if err != nil {
		return err
	}
	for _, r := range results {
		if r.Status == Refreshed {
			s.stats.refreshed.Add(1)
		}
	}
	_, err = s.settle(ctx, written)
	return err
}
