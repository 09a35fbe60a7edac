package placeholder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"catalog/catalog"
)

// Options are the settings of a Service. The zero value works.
type Options struct {
	Rules Rules
	// PerMinute and PerClient cap new placeholders in a minute, in all and for
	// one client; 0 is no cap.
	PerMinute, PerClient int
	// Timeout is how long a batch may take in the shop's database; 0 is 10 s.
	Timeout time.Duration
	// Sweep is how often Follow looks at all live placeholders, for special
	// prices that begin or end at a time of day; 0 is 5 minutes.
	Sweep time.Duration
	// Name is Follow's among the store's followers, for a store that serves
	// more than one shop; "" is "placeholder".
	Name string
	// Logger takes what is worth a person's time; nil is none.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Sweep <= 0 {
		o.Sweep = 5 * time.Minute
	}
	if o.Name == "" {
		o.Name = "placeholder"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// How many batches are under way at once: finders read, writers write. Two of
// each keep the database busy while a batch's answers are given out; more make
// smaller batches, and so more commits.
const (
	finders = 2
	writers = 2
)

// While one writer is at work the other one waits for that many SKUs, for
// patience at most, or half a transaction: what a transaction costs by itself
// all share that are in it. Finders wait for as many while another finder or a
// writer is at work, for a time in which the callers of a batch that was
// written come back. Without that the callers of one transaction come to the
// next in many small look-ups, too late for it to be theirs together.
const (
	gather       = 32
	patience     = 2 * time.Millisecond
	findPatience = time.Millisecond
)

// maxFlights is how many SKUs may wait at once: who asks for more of a database
// that does not keep up is told so.
const maxFlights = 20_000

// Service makes placeholders of a catalog in a shop, and keeps them true. It
// is safe for concurrent use. Store and shop are the caller's to close, after
// the Service.
type Service struct {
	store catalog.Store
	shop  Shop
	opts  Options
	log   *slog.Logger
	limit *limiter
	name  string // tells this Service from all others

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	asked  *queue[*flight]
	dirty  *queue[*flight]

	mu      sync.Mutex
	closed  bool
	flights map[string]*flight
	owed    map[string]bool // placeholders that could not be refreshed, to be tried again

	stats stats
}

// flight is the work on one SKU that all who ask for it meanwhile wait for.
type flight struct {
	sku     string
	wish    int64    // Product.WishID
	clients []string // who asked; guarded by Service.mu until the flight is decided

	src    source
	tail   catalog.Cursor // from before src was read
	made   Made
	fresh  bool // the shop had nothing under the SKU when we looked
	payer  string
	result Result
	err    error
	done   chan struct{}
}

// New returns a Service for a store and a shop.
func New(store catalog.Store, shop Shop, o Options) *Service {
	o = o.withDefaults()
	s := &Service{
		store: store, shop: shop, opts: o, log: o.Logger,
		limit: newLimiter(o.PerMinute, o.PerClient),
		asked: newQueue[*flight](finders, gather, findPatience), dirty: newQueue[*flight](writers, gather, patience),
		flights: map[string]*flight{}, owed: map[string]bool{},
		name: fmt.Sprintf("%s (%08x)", processName(), rand.Uint32()),
	}
	s.asked.before(s.dirty)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for range finders {
		s.wg.Go(func() { work(s.asked, s.find) })
	}
	for range writers {
		s.wg.Go(func() { work(s.dirty, s.write) })
	}
	return s
}

func work(q *queue[*flight], do func([]*flight)) {
	for {
		batch := q.take(MaxBatch)
		if len(batch) == 0 {
			return
		}
		began := time.Now()
		do(batch)
		q.note(time.Since(began))
	}
}

// Close ends the work under way and waits for it. Those who wait for an answer
// get ErrClosed. It may be called more than once.
func (s *Service) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.asked.close()
	s.dirty.close()
	s.wg.Wait()
	return nil
}

// Ensure makes the shop hold a product for each SKU and answers for each, in
// order; what cannot be sold, and why, is an answer, too. Client is who asks,
// for the cap; "" is one client like others. SKUs are taken without trailing
// spaces, which no shop tells apart.
//
// An error means that nothing is known of some of them: ErrUnavailable, also
// when too many wait already, the store's or the context's, ErrClosed. Work
// that was begun goes on.
func (s *Service) Ensure(ctx context.Context, client string, skus []string) ([]Result, error) {
	return s.ensure(ctx, client, skus, nil)
}

// ensure is Ensure; wish has entity ids that new products should get.
func (s *Service) ensure(ctx context.Context, client string, skus []string, wish map[string]int64) ([]Result, error) {
	flights := make([]*flight, len(skus))
	var begun []*flight
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, ErrClosed
	}
	if len(s.flights)+len(skus) > maxFlights {
		s.mu.Unlock()
		return nil, fmt.Errorf("placeholder: %d SKUs wait already: %w", maxFlights, ErrUnavailable)
	}
	for i, sku := range skus {
		sku = strings.TrimRight(sku, " ")
		f := s.flights[sku]
		if f == nil {
			f = &flight{sku: sku, wish: wish[sku], done: make(chan struct{})}
			s.flights[sku] = f
			begun = append(begun, f)
		}
		f.clients = append(f.clients, client)
		flights[i] = f
	}
	s.mu.Unlock()
	if len(begun) > 0 && !s.asked.put(begun...) {
		s.finish(begun, ErrClosed)
	}
	results := make([]Result, len(skus))
	for i, f := range flights {
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if f.err != nil {
			return nil, f.err
		}
		results[i] = f.result
		results[i].SKU = skus[i]
	}
	return results, nil
}

// finish answers all who wait for flights; err is for those without answer.
func (s *Service) finish(flights []*flight, err error) {
	if err != nil && s.ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = ErrClosed
	}
	s.mu.Lock()
	for _, f := range flights {
		if s.flights[f.sku] == f {
			delete(s.flights, f.sku)
		}
	}
	s.mu.Unlock()
	for _, f := range flights {
		f.err = err
		s.stats.count(f)
		close(f.done)
	}
}

// call returns the context of one batch's work.
func (s *Service) call() (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(s.ctx, s.opts.Timeout, ErrUnavailable)
}

// Stats are counts since New.
type Stats struct {
	Asked   int64            // SKUs, those that shared another's work not counted
	Answers map[Status]int64 // of them
	Failed  int64            // of them, without answer
	Batches int64            // transactions that made placeholders
	Follow  FollowStats
}

// FollowStats are those of Follow.
type FollowStats struct {
	Changes   int64 // of the catalog seen
	Refreshed int64 // placeholders
	Behind    int64 // Seqs behind the catalog's tail when last looked
	Running   bool
}

type stats struct {
	asked, failed, batches     atomic.Int64
	changes, refreshed, behind atomic.Int64
	running                    atomic.Bool
	mu                         sync.Mutex
	answers                    map[Status]int64
}

func (t *stats) count(f *flight) {
	t.asked.Add(1)
	if f.err != nil {
		t.failed.Add(1)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.answers == nil {
		t.answers = map[Status]int64{}
	}
	t.answers[f.result.Status]++
}

// Stats returns what the Service has done so far.
func (s *Service) Stats() Stats {
	t := &s.stats
	out := Stats{
		Asked: t.asked.Load(), Failed: t.failed.Load(), Batches: t.batches.Load(), Answers: map[Status]int64{},
		Follow: FollowStats{Changes: t.changes.Load(), Refreshed: t.refreshed.Load(), Behind: t.behind.Load(), Running: t.running.Load()},
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for status, n := range t.answers {
		out.Answers[status] = n
	}
	return out
}
