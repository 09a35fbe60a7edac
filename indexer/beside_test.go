package indexer_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/pebblestore"
	"catalog/indexer"
	"catalog/indexer/facetindex"
	"catalog/indexer/indextest"
)

// besideEnv is the number of products of TestRebuildUnderChanges, which then
// makes a thousand changes a second and expects markers within one.
const besideEnv = "CATALOG_TEST_REBUILD_PRODUCTS"

// beside is a shop that is changed and read while its index is built anew.
type beside struct {
	*testing.T
	store    catalog.Store
	engine   *indexer.Engine
	products []catalog.Write
	units    []catalog.Key
	rate     int // changes a second

	mu    sync.Mutex
	times []time.Duration // from a marker's commit until it is found
	pages int
}

// TestRebuildUnderChanges builds an index anew while changes arrive. Readers
// must not see an empty page, a marker each 100 ms must be found in time, and
// at the end the index must be what the store says.
func TestRebuildUnderChanges(t *testing.T) {
	n, limit := 1500, 10*time.Second
	b := &beside{T: t, rate: 200}
	if v := os.Getenv(besideEnv); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil {
			t.Fatal(err)
		}
		b.rate, limit = 1000, time.Second
	}
	s, err := pebblestore.Open(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	x, err := facetindex.Open(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(errors.Join(err, s.Close()))
	}
	defer func() {
		if err := errors.Join(x.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	}()
	b.store, b.engine = s, indexer.NewEngine(x, s, indexer.EngineOptions{})
	b.products, b.units = loadShop(t, s, n)
	if _, err := indexer.Run(t.Context(), s, x, indexer.Options{}); err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var work sync.WaitGroup
	work.Go(func() { b.read(ctx) })
	work.Go(func() { b.change(ctx) })
	work.Go(func() { b.mark(ctx) })
	built := b.rebuild(t.Context(), x)
	cancel()
	work.Wait()
	if t.Failed() {
		return
	}
	// What is left of the changes.
	if _, err := indexer.Run(t.Context(), s, x, indexer.Options{}); err != nil {
		t.Fatal(err)
	}
	v, err := indexer.Verify(t.Context(), s, x, indexer.VerifyOptions{})
	if err != nil || !v.OK() || v.Counts[indexer.Stale] > 0 {
		t.Errorf("verify: %v, %+v", err, v)
	}
	slices.Sort(b.times)
	if len(b.times) == 0 || b.pages == 0 {
		t.Fatalf("%d markers, %d pages", len(b.times), b.pages)
	}
	p99 := b.times[(len(b.times)-1)*99/100]
	t.Logf("%d products built anew in %v; %d markers: p50 %v, p99 %v, most %v; %d pages",
		n, built, len(b.times), b.times[len(b.times)/2], p99, b.times[len(b.times)-1], b.pages)
	if p99 > limit {
		t.Errorf("of 100 markers, one is found after %v; want %v", p99, limit)
	}
}

// rebuild builds the index anew and follows for a second more; it returns how
// long the building took.
func (b *beside) rebuild(ctx context.Context, x indexer.Index) (took time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Minute)
	defer cancel()
	start, building := time.Now(), false
	_, err := indexer.Run(ctx, b.store, x, indexer.Options{Rebuild: true, Follow: true, Progress: func(s indexer.Status) {
		switch {
		case s.State == indexer.StateBuilding:
			building = true
		case building && took == 0:
			took = time.Since(start)
		case took > 0 && time.Since(start) > took+time.Second:
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		b.Errorf("run: %v", err)
	}
	return took
}

// every calls f so often until ctx ends.
func every(ctx context.Context, d time.Duration, f func(i int)) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f(i)
		}
	}
}

// read reads pages, all of which must be full.
func (b *beside) read(ctx context.Context) {
	q := indexer.Query{Size: 10, Sort: indexer.Sort{By: indexer.SortPrice}}
	least := 0
	every(ctx, 10*time.Millisecond, func(i int) {
		q.Sort.Desc = i%2 == 0
		res, err := b.engine.Search(ctx, q)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			b.Errorf("a search: %v", err)
			return
		case len(res.Hits) < q.Size || res.Total < least:
			b.Errorf("a page of %d hits of %d; there were %d", len(res.Hits), res.Total, least)
		}
		least = max(least, res.Total) // nothing is ever removed
		b.mu.Lock()
		defer b.mu.Unlock()
		b.pages++
	})
}

// change changes products, prices and stock.
func (b *beside) change(ctx context.Context) {
	const commits = 50 // a second
	r := rand.New(rand.NewPCG(indextest.Seed(b.T), 1))
	every(ctx, time.Second/commits, func(i int) {
		var writes []catalog.Write
		for range b.rate / commits {
			unit := b.units[r.IntN(len(b.units))]
			switch r.IntN(3) {
			case 0:
				writes = append(writes, catalog.Write{Kind: catalog.KindPrice, Key: unit, Body: fmt.Appendf(nil, `{"sku":%q,"prices":[{"price":%d.%02d}]}`, unit, 1+r.IntN(500), r.IntN(100))})
			case 1:
				writes = append(writes, catalog.Write{Kind: catalog.KindStock, Key: unit, Body: fmt.Appendf(nil, `{"sku":%q,"qty":%d}`, unit, r.IntN(9))})
			default:
				w := b.products[r.IntN(len(b.products))]
				w.Body = append(fmt.Appendf(nil, `{"changed":%d,`, i), w.Body[1:]...)
				writes = append(writes, w)
			}
		}
		b.apply(ctx, writes)
	})
}

func (b *beside) apply(ctx context.Context, writes []catalog.Write) {
	if _, err := b.store.Apply(ctx, writes); err != nil && ctx.Err() == nil {
		b.Errorf("a commit: %v", err)
	}
}

// mark adds products, and measures when they are found.
func (b *beside) mark(ctx context.Context) {
	var looking sync.WaitGroup
	defer looking.Wait()
	every(ctx, 100*time.Millisecond, func(i int) {
		sku := fmt.Sprintf("marker-%d", i)
		b.apply(ctx, []catalog.Write{{Kind: catalog.KindProduct, Key: catalog.Key(sku), Body: fmt.Appendf(nil, `{"sku":%q,"name":"Marker","attributes":{"marker":%q}}`, sku, sku)}})
		committed := time.Now()
		looking.Go(func() {
			q := indexer.Query{Size: 1, Filters: []indexer.Filter{{Field: "marker", Values: []string{sku}}}}
			found := func() {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.times = append(b.times, time.Since(committed))
			}
			for {
				res, err := b.engine.Search(ctx, q)
				switch {
				case ctx.Err() != nil:
					if time.Since(committed) > time.Second { // it will not be faster than that
						found()
					}
					return
				case err != nil:
					b.Errorf("a search: %v", err)
					return
				case res.Total == 1:
					found()
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
		})
	})
}
