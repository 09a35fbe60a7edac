package shoptest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"catalog/placeholder"
)

func raceTests() []test {
	return []test{
		{"between", testBetween},
		{"queued", testQueued},
		{"random", testRandom},
	}
}

// testBetween: whatever happens between finding a candidate and removing it.
func testBetween(e *env) {
	c := e.aged("ensure", "cart", "order", "wish", "edit", "refresh", "nothing")
	p := e.start(placeholder.PruneOptions{})
	for i, step := range []struct {
		do   func(c placeholder.Candidate)
		want placeholder.Keep
	}{
		{func(c placeholder.Candidate) { e.ensure(e.product(c.SKU, plain), placeholder.Present) }, placeholder.KeepUsed},
		{func(c placeholder.Candidate) { e.h.AddCart(e, true, c.EntityID) }, placeholder.KeepCart},
		{func(c placeholder.Candidate) { e.h.AddOrder(e, "new", c.EntityID) }, placeholder.KeepOrder},
		{func(c placeholder.Candidate) { e.h.AddWish(e, c.EntityID) }, placeholder.KeepWishlist},
		{func(c placeholder.Candidate) { e.h.EditProduct(e, c.EntityID) }, placeholder.KeepEdited},
		{func(c placeholder.Candidate) { e.refresh(e.product(c.SKU, priced("2")), placeholder.Refreshed) }, ""},
		{func(placeholder.Candidate) {}, ""},
	} {
		found, err := p.Candidates(e.ctx, old/2, placeholder.Candidate{}, 1000)
		if err != nil {
			e.Fatal(err)
		}
		var candidate placeholder.Candidate
		for _, f := range found {
			if f.SKU == c[i].SKU {
				candidate = f
			}
		}
		if candidate.EntityID != c[i].EntityID {
			e.Fatalf("%s is no candidate", c[i].SKU)
		}
		step.do(candidate)
		if got := e.remove(p, false, candidate)[0]; got != step.want {
			e.Errorf("%s: kept for %q, want %q", candidate.SKU, got, step.want)
		}
	}
}

// testQueued: Ensure and Remove of one placeholder wait for the same lock, and
// then go on in either order.
func testQueued(e *env) {
	other := e.h.Open(e)
	for round := range 6 {
		c := e.aged(fmt.Sprint(round))[0]
		p := e.start(placeholder.PruneOptions{})
		release := e.h.Hold(e, c.SKU)
		var answer placeholder.Result
		var g errgroup.Group
		tasks := []func() error{
			func() error {
				results, err := other.Ensure(e.ctx, []placeholder.Product{e.product(c.SKU, plain)})
				if err == nil {
					answer = results[0]
				}
				return err
			},
			func() error {
				_, err := p.Remove(e.ctx, []placeholder.Candidate{c}, old/2, false)
				return err
			},
		}
		for i := range tasks {
			g.Go(tasks[(i+round)%2])
			time.Sleep(20 * time.Millisecond)
		}
		release()
		if err := g.Wait(); err != nil {
			e.Fatal(err)
		}
		if !answer.Status.InShop() {
			e.Fatalf("ensured as %+v", answer)
		}
		e.is(answer.EntityID, e.product(c.SKU, plain))
		e.buyable(answer.EntityID, "base", true)
		if err := p.Close(); err != nil {
			e.Fatal(err)
		}
	}
}

// testRandom: ensures, refreshes and prunes at once: what an Ensure answered
// is there, whole, for as long as the grace time holds.
func testRandom(e *env) {
	const n = 24
	seed := uint64(time.Now().UnixNano())
	e.Logf("seed %d", seed)
	skus := make([]string, n)
	var used [n]sync.RWMutex // read-locked while somebody relies on the grace time
	for i := range skus {
		skus[i] = e.sku(fmt.Sprintf("%02d", i))
	}
	shops := []placeholder.Shop{e.shop, e.h.Open(e), e.h.Open(e)}
	stop := time.Now().Add(2 * time.Second)
	var removed, ensured atomic.Int64
	var g errgroup.Group
	for worker := range 4 {
		g.Go(func() error {
			r := rand.New(rand.NewPCG(seed, uint64(worker)))
			for time.Now().Before(stop) {
				i := r.IntN(n)
				p := e.product(skus[i], priced(fmt.Sprintf("%d.5", 1+r.IntN(3))))
				if r.IntN(3) == 0 {
					if _, err := shops[worker%2].Refresh(e.ctx, []placeholder.Product{p}); err != nil {
						return fmt.Errorf("refresh: %w", err)
					}
					continue
				}
				if err := func() error {
					used[i].RLock()
					defer used[i].RUnlock()
					results, err := shops[worker%2].Ensure(e.ctx, []placeholder.Product{p})
					if err != nil {
						return fmt.Errorf("ensure: %w", err)
					}
					ensured.Add(1)
					s, ok := e.h.Product(e, results[0].EntityID)
					if !ok || s.Value("name", 0) == "" || s.Value("price", 0) == "" || len(s.Websites) == 0 || !s.InStock {
						return fmt.Errorf("%s was answered as %+v, but has %+v", skus[i], results[0], s)
					}
					return nil
				}(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		r := rand.New(rand.NewPCG(seed, 99))
		for time.Now().Before(stop) {
			i := r.IntN(n)
			used[i].Lock()
			e.h.Idle(e, skus[i], old)
			used[i].Unlock()
			time.Sleep(time.Millisecond)
		}
		return nil
	})
	g.Go(func() error {
		for time.Now().Before(stop) {
			report, err := placeholder.Prune(e.ctx, shops[2], placeholder.PruneConfig{UnusedFor: old / 2})
			if err != nil {
				return fmt.Errorf("prune: %w", err)
			}
			removed.Add(report.Removed)
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		e.Fatal(err)
	}
	if removed.Load() == 0 || ensured.Load() == 0 {
		e.Errorf("%d ensured, %d removed: the test did not test", ensured.Load(), removed.Load())
	}
	e.clean()
}

// clean checks that Check finds nothing about this test's products.
func (e *env) clean() {
	e.Helper()
	for _, f := range e.check(false) {
		e.Errorf("check finds %+v", f)
	}
}
