package placeholder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"catalog/catalog"
)

// Defaults and limits of prune.
const (
	// DefaultGrace is how long a placeholder is safe after its last use.
	DefaultGrace = 24 * time.Hour
	// DefaultPruneWorkers is how many transactions a prune has under way at once.
	DefaultPruneWorkers = 2
	// One transaction removes between pruneLeast and pruneMost products;
	// pruneAhead candidates are read at once.
	pruneLeast = 25
	pruneMost  = 200
	pruneAhead = 10_000
	// A transaction that takes longer than pruneSlow is followed by smaller ones.
	// One that takes longer than pruneBusy for each product tells that others
	// want the database: then there is one at a time. On a quiet machine it takes
	// half of that.
	pruneSlow = 200 * time.Millisecond
	pruneBusy = 400 * time.Microsecond
	// pruneTTL is how long a prune that was killed keeps the next one waiting.
	pruneTTL = time.Minute
)

// PruneConfig says what Prune removes: by age, by count, or both.
type PruneConfig struct {
	UnusedFor time.Duration // removes what was not used for so long; 0: not by age
	ByCount   bool          // removes the least recently used beyond Keep
	Keep      int64
	// Grace protects what was used within it, whatever else is asked; 0 is
	// DefaultGrace. TouchEvery is added to it, and to UnusedFor.
	Grace time.Duration
	Dry   bool     // only looks
	Extra []string // see PruneOptions
	// Pause is waited between transactions, to leave the database to others;
	// there is one at a time then.
	Pause time.Duration
	// Workers is how many transactions are under way at once while the database
	// is not busy; 0 is DefaultPruneWorkers.
	Workers int
}

// Validate reports what makes no sense.
func (c PruneConfig) Validate() error {
	switch {
	case c.UnusedFor < 0 || c.Grace < 0 || c.Pause < 0 || c.Keep < 0 || c.Workers < 0:
		return errors.New("placeholder: prune: a duration or count is negative")
	case c.UnusedFor == 0 && !c.ByCount:
		return errors.New("placeholder: prune: neither an age nor a count is given")
	}
	return nil
}

// PruneReport says what a run of Prune did. Field names are stable.
type PruneReport struct {
	Dry      bool           `json:"dry_run"`
	Started  time.Time      `json:"started"`
	Seconds  float64        `json:"seconds"`
	Before   int64          `json:"live_before"` // live placeholders
	Looked   int64          `json:"looked_at"`   // candidates
	Removed  int64          `json:"removed"`
	Kept     map[Keep]int64 `json:"kept"`
	Quotes   int64          `json:"stale_quotes"` // stale quotes that lost a line
	Batches  int64          `json:"batches"`
	Slowest  float64        `json:"slowest_batch_seconds"`
	Finished bool           `json:"finished"` // false: it was stopped, and the next run does the rest
}

// Prune removes the least recently used placeholders from shop, in small
// transactions, and reports what it did, also with an error. It can be killed
// at any moment: each transaction is whole, and the next run does the rest.
// ErrLocked when another prune is running, ErrFenced when the lock was lost.
func Prune(ctx context.Context, shop Shop, c PruneConfig) (PruneReport, error) {
	r := PruneReport{Dry: c.Dry, Started: time.Now().UTC(), Kept: map[Keep]int64{}}
	if err := c.Validate(); err != nil {
		return r, err
	}
	if c.Grace == 0 {
		c.Grace = DefaultGrace
	}
	switch {
	case c.Pause > 0:
		c.Workers = 1
	case c.Workers == 0:
		c.Workers = DefaultPruneWorkers
	}
	err := prune(ctx, shop, c, &r)
	r.Seconds = time.Since(r.Started).Seconds()
	r.Finished = err == nil
	if err != nil {
		err = fmt.Errorf("placeholder: prune: %w", err)
	}
	return r, err
}

func prune(ctx context.Context, shop Shop, c PruneConfig, r *PruneReport) (err error) {
	p, err := shop.StartPrune(ctx, processName(), pruneTTL, PruneOptions{Dry: c.Dry, Extra: c.Extra})
	if err != nil {
		return err
	}
	defer func() {
		if cerr := p.Close(); err == nil {
			err = cerr
		}
	}()
	if r.Before, err = p.Live(ctx); err != nil {
		return err
	}
	run := pruneRun{pruner: p, config: c, report: r, renewed: time.Now(), size: pruneMost}
	grace := c.Grace + TouchEvery
	if c.UnusedFor > 0 {
		if err := run.phase(ctx, max(grace, c.UnusedFor+TouchEvery), -1); err != nil {
			return err
		}
	}
	if excess := r.Before - r.Removed - c.Keep; c.ByCount && excess > 0 {
		return run.phase(ctx, grace, excess)
	}
	return nil
}

// pruneRun is the state of a run.
type pruneRun struct {
	pruner  Pruner
	config  PruneConfig
	after   Candidate // the last one looked at: phases go on from there
	renewed time.Time

	mu     sync.Mutex
	report *PruneReport
	queue  []Candidate   // to be removed next
	size   int           // how many a transaction removes
	each   time.Duration // how long the last one took for each product
}

// phase removes what was unused for idle, the least recently used first, until
// limit are removed; a negative limit is none.
func (run *pruneRun) phase(ctx context.Context, idle time.Duration, limit int64) error {
	for limit != 0 {
		n := int64(pruneAhead)
		if limit > 0 {
			n = min(n, limit)
		}
		candidates, err := run.pruner.Candidates(ctx, idle, run.after, int(n))
		if err != nil {
			return err
		}
		if len(candidates) == 0 {
			return nil
		}
		run.after = candidates[len(candidates)-1]
		removed, err := run.remove(ctx, candidates, idle)
		if err != nil {
			return err
		}
		if limit > 0 {
			limit -= removed
		}
		if len(candidates) < int(n) {
			return nil
		}
	}
	return nil
}

// remove removes candidates, in several transactions at once.
func (run *pruneRun) remove(ctx context.Context, candidates []Candidate, idle time.Duration) (removed int64, err error) {
	// Neighbours in the shop's tables go together: their rows are on the same
	// pages.
	slices.SortFunc(candidates, func(a, b Candidate) int { return cmp.Compare(a.EntityID, b.EntityID) })
	before := run.report.Removed
	run.queue = candidates
	g, ctx := errgroup.WithContext(ctx)
	for n := range run.config.Workers {
		g.Go(func() error { return run.work(ctx, n > 0, idle) })
	}
	err = g.Wait()
	return run.report.Removed - before, err
}

// work removes what is queued. One worker goes on whatever happens, and keeps
// the lock; others are extra, and rest while the database is busy.
func (run *pruneRun) work(ctx context.Context, extra bool, idle time.Duration) error {
	for {
		some, busy := run.next(extra)
		switch {
		case busy:
			if err := catalog.Sleep(ctx, pruneSlow/2); err != nil {
				return err
			}
			continue
		case len(some) == 0:
			return nil
		}
		if err := run.batch(ctx, some, idle); err != nil {
			return err
		}
		if err := catalog.Sleep(ctx, run.config.Pause); err != nil {
			return err
		}
		if !extra {
			if err := run.renew(ctx); err != nil {
				return err
			}
		}
	}
}

// next takes candidates for a transaction; an extra worker gets none while the
// database is busy.
func (run *pruneRun) next(extra bool) (some []Candidate, busy bool) {
	run.mu.Lock()
	defer run.mu.Unlock()
	if extra && len(run.queue) > 0 && run.each > pruneBusy {
		return nil, true
	}
	n := min(run.size, len(run.queue))
	some, run.queue = run.queue[:n], run.queue[n:]
	return some, false
}

// batch removes candidates in one transaction and counts what became of them.
func (run *pruneRun) batch(ctx context.Context, candidates []Candidate, idle time.Duration) error {
	began := time.Now()
	removals, err := run.pruner.Remove(ctx, candidates, idle, run.config.Dry)
	if err != nil {
		return err
	}
	run.mu.Lock()
	defer run.mu.Unlock()
	took := time.Since(began)
	run.each = took / time.Duration(len(candidates))
	switch {
	case took > pruneSlow:
		run.size = max(run.size/2, pruneLeast)
	case took < pruneSlow/2:
		run.size = min(run.size*2, pruneMost)
	}
	r := run.report
	r.Batches++
	r.Slowest = max(r.Slowest, took.Seconds())
	for _, m := range removals {
		r.Looked++
		if m.Keep != "" {
			r.Kept[m.Keep]++
			continue
		}
		r.Removed++
		r.Quotes += int64(m.Quotes)
	}
	return nil
}

// renew keeps the lock.
func (run *pruneRun) renew(ctx context.Context) error {
	if !run.config.Dry && time.Since(run.renewed) > pruneTTL/3 {
		run.renewed = time.Now()
		return run.pruner.Renew(ctx)
	}
	return nil
}
