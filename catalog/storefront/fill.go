package storefront

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// filler knows of which products price and stock are to be read ahead: of all
// at first, then of those that have changed. Of too many at a time it only knows
// that it is all again.
type filler struct {
	mu   sync.Mutex
	skus map[string]struct{}
	all  bool
	news int // products that changed since changes was asked
	wake chan struct{}

	filled atomic.Bool // nothing is left to do
}

const (
	// maxChanged is how many products are known by name.
	maxChanged = 32 << 10
	// fillBatch is how many are read at once: next to each other in the store,
	// so that each of its blocks is read once.
	fillBatch = 256
	// fillAfter lets some changes come together.
	fillAfter = 200 * time.Millisecond
	// An import goes on while more than fillMany products change in fillQuiet.
	// After fillPatience all is read nevertheless: what changes all the time is
	// no import.
	fillQuiet    = 2 * time.Second
	fillMany     = 4096
	fillPatience = 10 * time.Minute
)

func newFiller() *filler {
	f := &filler{all: true, skus: map[string]struct{}{}, wake: make(chan struct{}, 1)}
	f.wake <- struct{}{}
	return f
}

// changed notes products.
func (f *filler) changed(sku string, more ...string) {
	f.note(func() {
		f.news++
		if f.all {
			return
		}
		f.skus[sku] = struct{}{}
		for _, s := range more {
			f.skus[s] = struct{}{}
		}
		f.all = len(f.skus) > maxChanged
	})
}

// changes returns how many products have changed since it was last asked.
func (f *filler) changes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer func() { f.news = 0 }()
	return f.news
}

// forgotten notes that nothing is remembered any more.
func (f *filler) forgotten() { f.note(func() { f.all = true }) }

func (f *filler) note(what func()) {
	f.mu.Lock()
	what()
	if f.all {
		clear(f.skus)
	}
	f.mu.Unlock()
	f.filled.Store(false)
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// take returns what there is to do.
func (f *filler) take() (skus []string, all bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for sku := range f.skus {
		skus = append(skus, sku)
	}
	clear(f.skus)
	all, f.all = f.all, false
	slices.Sort(skus)
	return skus, all
}

// fillAlways reads price and stock ahead, until the server ends.
func (s *Server) fillAlways() {
	ctx := s.done
	for first := true; ; first = false {
		select {
		case <-s.fill.wake:
		case <-ctx.Done():
			return
		}
		if !first && catalog.Sleep(ctx, fillAfter) != nil {
			return
		}
		for s.plainOff.Load() { // nothing would be remembered
			if catalog.Sleep(ctx, fillAfter) != nil {
				return
			}
		}
		skus, all := s.fill.take()
		err := s.fillSome(ctx, skus)
		if err == nil && all {
			if !first {
				err = s.untilQuiet(ctx)
			}
			if err == nil {
				err = s.fillAll(ctx)
			}
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil: // those who ask see it, too; what is missing they read
			s.opts.Log.Warn("price and stock were not read ahead", "cause", err)
		}
		s.fill.mu.Lock()
		s.fill.all = s.fill.all || err != nil // with the next change
		s.fill.filled.Store(len(s.fill.skus) == 0 && !s.fill.all)
		s.fill.mu.Unlock()
	}
}

// untilQuiet waits until little changes.
func (s *Server) untilQuiet(ctx context.Context) error {
	s.fill.changes() // those before do not count
	for start := time.Now(); time.Since(start) < fillPatience; {
		if err := catalog.Sleep(ctx, fillQuiet); err != nil {
			return err
		}
		if s.fill.changes() <= fillMany {
			break
		}
	}
	return nil
}

// fillAll reads price and stock of all products, store view by store view, so
// far as there is room.
func (s *Server) fillAll(ctx context.Context) error {
	st, err := s.shopNow(ctx)
	if err != nil {
		return err
	}
	for i := range st.Stores.All() {
		view := &st.Stores.All()[i]
		var from catalog.Key
		for done := false; !done; {
			batch := make([]string, 0, fillBatch)
			for h, err := range s.store.Heads(ctx, catalog.KindProduct, catalog.Range{From: from}) {
				if err != nil {
					return err
				}
				if batch = append(batch, string(h.Key)); len(batch) == fillBatch {
					break
				}
			}
			if done = len(batch) < fillBatch; !done {
				from = catalog.Key(batch[fillBatch-1] + "\x00")
			}
			if err := s.fillView(ctx, st, view, batch); err != nil {
				return err
			}
			if s.plain.full() {
				return nil
			}
			// An import is done sooner, and shoppers have more, if this waits.
			if s.fill.changes() > fillBatch {
				if err := s.untilQuiet(ctx); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// fillSome reads those of some products, for each store view.
func (s *Server) fillSome(ctx context.Context, skus []string) error {
	st, err := s.shopNow(ctx)
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(skus, fillBatch) {
		for i := range st.Stores.All() {
			if err := s.fillView(ctx, st, &st.Stores.All()[i], batch); err != nil {
				return err
			}
		}
	}
	return nil
}

// fillView says what it would say to who asks for the products, and takes no
// more than two thirds of a processor for that.
func (s *Server) fillView(ctx context.Context, st *shopState, view *indexer.StoreView, skus []string) error {
	start := time.Now()
	l, err := s.usualAnswer(st, view)
	if err != nil {
		return err
	}
	if err := l.load(ctx, skus); err != nil {
		return err
	}
	var b []byte
	for i, sku := range skus {
		if l.said[i] == nil && l.has(i) {
			b = l.item(b[:0], i, sku) // which remembers it
		}
	}
	return catalog.Sleep(ctx, time.Since(start)/2)
}
