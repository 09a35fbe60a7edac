package indexer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"catalog/catalog"
)

// Options say how Run works. The zero value of each field works.
type Options struct {
	Name    string // of the index: "main". Its follower and lease are "index/NAME"
	Holder  string // who this is, for people
	Follow  bool   // stay at the tail; else end there
	Rebuild bool   // build a new generation first, whatever the old one is like
	Wait    bool   // for the lease as long as another holds it; else *catalog.LeasedError, unless that one is dead

	// Settings returns the settings as they are now; it is called now and then
	// while following. nil: there are none.
	Settings func() (*Settings, error)

	Log      *slog.Logger
	Progress func(Status) // called at most once a second or when the state changes, from one goroutine at a time
	Now      func() time.Time
	Workers  int           // mapping goroutines; 0: one per processor
	Batch    int           // bytes of records in one step; 0: 8 MiB
	TTL      time.Duration // of the lease; 0: 15 s
	Every    time.Duration // how often settings and store views are looked at; 0: 5 s
}

func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = "main"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Batch <= 0 {
		o.Batch = 8 << 20
	}
	if o.TTL <= 0 {
		o.TTL = 15 * time.Second
	}
	if o.Every <= 0 {
		o.Every = 5 * time.Second
	}
	if o.Settings == nil {
		none := new(Settings)
		o.Settings = func() (*Settings, error) { return none, nil }
	}
	return o
}

// Report is what Run did.
type Report struct {
	Rebuilt  bool
	Built    int64 // products of which documents were made for a new generation
	Changes  int64 // entries of the log
	Products int64 // of which documents were made again
	Live     int64 // units whose price and stock were
	Dead     int64 // products that could not be indexed
	Cursor   catalog.Cursor
}

// Run brings an index up to the tail of the store's change log, and keeps it
// there if asked to. One runs at a time for each name; a lease sees to it, and
// when its holder dies another takes over where the index stands.
//
// An index that is not there, cannot be read, was built with other settings, or
// stands where the log does not reach is built anew beside the one that
// serves, which goes on following meanwhile if it can; the new one takes over
// when it has caught up, so that no change is lost.
//
// Run returns nil at the tail, without Follow; ctx.Err() when ctx ends;
// catalog.ErrLeased when another has the lease; catalog.ErrFenced when the
// lease was lost. A product that cannot be indexed is logged and kept as a
// dead letter, see DeadLetters; the others go on.
func Run(ctx context.Context, s catalog.Store, x Index, opts Options) (Report, error) {
	r := &runner{store: s, index: x, opts: opts.withDefaults()}
	_, r.families.off = x.(FamilyIndex)
	err := r.run(ctx)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // whatever it came out as
	}
	r.result.Built = r.built.Load()
	return r.result, err
}

// follower is the name under which an index follows the log, and of its lease.
func follower(name string) string { return "index/" + name }

// runner is one Run. The fields below mu are guarded by it: whoever applies
// to the index holds it.
type runner struct {
	store catalog.Store
	index Index
	opts  Options
	quiet bool // leaves no dead letters and no status: verify's

	mu       sync.Mutex
	shop     *Shop
	mapper   *Mapper
	result   Report
	next     time.Time // when the earliest price changes that the current step computed
	families families  // which products have variants
	named    int       // of Tree.additions, how many are kept

	built    atomic.Int64
	building atomic.Bool
	beside   atomic.Bool // the old generation follows meanwhile

	deadMu sync.Mutex
	dead   map[string]bool

	statusMu sync.Mutex
	status   Status
	lag      lag
}

func (r *runner) run(ctx context.Context) (err error) {
	lease, err := r.acquire(ctx)
	if err != nil {
		return err
	}
	return catalog.KeepLease(ctx, r.store, lease, r.opts.TTL, func(ctx context.Context) error {
		return r.lead(catalog.WithFence(ctx, lease))
	})
}

// lead works with the lease, and tells the end even if ctx has ended.
func (r *runner) lead(ctx context.Context) (err error) {
	defer func() {
		cause := err
		switch lost := context.Cause(ctx); {
		case err != nil && errors.Is(lost, catalog.ErrFenced):
			cause = lost
		case errors.Is(err, context.Canceled):
			cause = nil
		}
		last, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer done()
		r.report(last, StateStopped, r.result.Cursor, cause)
	}()
	if err := r.start(ctx); err != nil {
		return err
	}
	return r.work(ctx)
}

// start loads what is needed before the first change.
func (r *runner) start(ctx context.Context) error {
	r.dead = map[string]bool{}
	for d, err := range DeadLetters(ctx, r.store, r.opts.Name) {
		if err != nil {
			return err
		}
		r.dead[d.SKU] = true
	}
	settings, err := r.opts.Settings()
	if err != nil {
		return err
	}
	shop, err := LoadShop(ctx, r.store, settings)
	if err != nil {
		return err
	}
	r.setShop(shop)
	return nil
}

func (r *runner) setShop(s *Shop) { r.shop, r.mapper, r.named = s, s.Mapper(), 0 }

// acquire takes the lease, or waits for it: without end if so asked, else until
// it is plain whether its holder lives.
func (r *runner) acquire(ctx context.Context) (catalog.Fence, error) {
	for {
		info, err := catalog.TakeLease(ctx, r.store, follower(r.opts.Name), r.opts.Holder, r.opts.TTL, func(l catalog.LeaseInfo) {
			if !r.opts.Wait {
				r.opts.Log.Info("looking whether the holder of the index's lease is alive", "holder", l.Holder, "since", l.Since, "expires", l.Expires)
			}
		})
		if err == nil {
			return info.Fence, nil
		}
		if !r.opts.Wait || !errors.Is(err, catalog.ErrLeased) {
			return catalog.Fence{}, fmt.Errorf("indexer: taking the lease: %w", err)
		}
		if err := catalog.Sleep(ctx, r.opts.TTL/15); err != nil {
			return catalog.Fence{}, err
		}
	}
}
