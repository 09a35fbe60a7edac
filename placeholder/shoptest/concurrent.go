package shoptest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"catalog/placeholder"
)

func concurrentTests() []test {
	return []test{
		{"one", testOneProduct},
		{"overlap", testOverlap},
		{"spellings", testConcurrentSpellings},
		{"refresh", testConcurrentRefresh},
		{"hold", testHold},
	}
}

// testOneProduct: sixty-four callers on two instances make one product.
func testOneProduct(e *env) {
	shops := []placeholder.Shop{e.shop, e.h.Open(e)}
	for round := range 5 {
		p := e.product(e.sku(fmt.Sprint(round)), plain)
		p.Fresh = round%2 == 0
		var mu sync.Mutex
		counts, ids := map[placeholder.Status]int{}, map[int64]bool{}
		var g errgroup.Group
		for i := range 64 {
			g.Go(func() error {
				results, err := shops[i%2].Ensure(e.ctx, []placeholder.Product{p})
				if err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				counts[results[0].Status]++
				ids[results[0].EntityID] = true
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			e.Fatal(err)
		}
		if counts[placeholder.Created] != 1 || counts[placeholder.Present] != 63 || len(ids) != 1 {
			e.Fatalf("answers %v with ids %v", counts, ids)
		}
		if same := e.h.Same(e, p.SKU); len(same) != 1 || !ids[same[0]] {
			e.Fatalf("the shop has the products %v, answered was %v", same, ids)
		}
		e.is(e.h.Same(e, p.SKU)[0], p)
	}
}

// testOverlap: batches that overlap, in any order, get over each other.
func testOverlap(e *env) {
	shops := []placeholder.Shop{e.shop, e.h.Open(e)}
	var products []placeholder.Product
	for i := range 60 {
		p := e.product(e.sku(fmt.Sprintf("%02d", i)), plain)
		p.Fresh = i < 45 // so that some batches go each way
		products = append(products, p)
	}
	var mu sync.Mutex
	ids := map[string]map[int64]bool{}
	created := 0
	var g errgroup.Group
	for worker := range 8 {
		g.Go(func() error {
			r := rand.New(rand.NewPCG(uint64(worker), 6))
			for range 5 {
				batch := slices.Clone(products)
				r.Shuffle(len(batch), func(i, k int) { batch[i], batch[k] = batch[k], batch[i] })
				results, err := shops[worker%2].Ensure(e.ctx, batch[:30])
				if err != nil {
					return err
				}
				mu.Lock()
				for _, a := range results {
					if ids[a.SKU] == nil {
						ids[a.SKU] = map[int64]bool{}
					}
					ids[a.SKU][a.EntityID] = true
					if a.Status == placeholder.Created {
						created++
					}
				}
				mu.Unlock()
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		e.Fatal(err)
	}
	if created != len(ids) {
		e.Errorf("%d times created, %d products", created, len(ids))
	}
	for sku, of := range ids {
		if same := e.h.Same(e, sku); len(of) != 1 || len(same) != 1 || !of[same[0]] {
			e.Errorf("%s: answered %v, the shop has %v", sku, of, same)
		}
	}
}

// testConcurrentSpellings: of two SKUs that are the same to the shop one is
// made, whoever comes first.
func testConcurrentSpellings(e *env) {
	if !e.h.Traits().Collates {
		return
	}
	shops := []placeholder.Shop{e.shop, e.h.Open(e)}
	for round := range 10 {
		pair := []placeholder.Product{e.product(e.sku(fmt.Sprintf("a%d", round)), plain), e.product(e.sku(fmt.Sprintf("A%d", round)), plain)}
		pair[0].Fresh, pair[1].Fresh = round%2 == 0, round%4 == 0
		var results [2]placeholder.Result
		var g errgroup.Group
		for i := range 2 {
			g.Go(func() error {
				r, err := shops[i].Ensure(e.ctx, pair[i:i+1])
				if err == nil {
					results[i] = r[0]
				}
				return err
			})
		}
		if err := g.Wait(); err != nil {
			e.Fatal(err)
		}
		first, second := results[0], results[1]
		if first.Status != placeholder.Created {
			first, second = second, first
		}
		if first.Status != placeholder.Created || second.Reason != placeholder.ReasonAlike || first.EntityID != second.EntityID {
			e.Fatalf("%+v and %+v", first, second)
		}
		if same := e.h.Same(e, first.SKU); !slices.Equal(same, []int64{first.EntityID}) {
			e.Fatalf("the shop has the products %v", same)
		}
	}
}

// testConcurrentRefresh: writers of different prices leave one of them whole.
func testConcurrentRefresh(e *env) {
	var skus []string
	for i := range 20 {
		skus = append(skus, e.sku(fmt.Sprintf("%02d", i)))
		e.made(skus[i])
	}
	shops := []placeholder.Shop{e.shop, e.h.Open(e)}
	var g errgroup.Group
	for worker := range 4 {
		g.Go(func() error {
			r := rand.New(rand.NewPCG(uint64(worker), 7))
			for range 5 {
				var batch []placeholder.Product
				for _, i := range r.Perm(len(skus)) {
					batch = append(batch, e.product(skus[i], priced(fmt.Sprintf("%d.25", worker+1))))
				}
				if worker == 0 {
					if _, err := shops[0].Ensure(e.ctx, batch); err != nil {
						return err
					}
				} else if _, err := shops[worker%2].Refresh(e.ctx, batch); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		e.Fatal(err)
	}
	for _, sku := range skus {
		f, s := e.find(sku), Stored{}
		ids := e.h.Same(e, sku)
		if len(ids) != 1 {
			e.Fatalf("%s: the shop has the products %v", sku, ids)
		}
		s = e.stored(ids[0])
		for worker := range 4 {
			if p := e.product(sku, priced(fmt.Sprintf("%d.25", worker+1))); p.Hash == f.Hash {
				e.is(ids[0], p)
				s = Stored{}
			}
		}
		if s.SKU != "" {
			e.Errorf("%s has the hash of nobody's product", sku)
		}
	}
}

// testHold: who waits for another's lock gives up when its context does, and
// others are not held up.
func testHold(e *env) {
	sku := e.sku("held")
	id := e.made(sku)
	release := e.h.Hold(e, sku)
	released := false
	defer func() {
		if !released {
			release()
		}
	}()
	ctx, cancel := context.WithTimeout(e.ctx, 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := e.shop.Ensure(ctx, []placeholder.Product{e.product(sku, priced("2"))}); err == nil {
		e.Errorf("a placeholder was written that another transaction holds")
	}
	if waited := time.Since(began); waited > 5*time.Second {
		e.Errorf("it gave up after %v, when its context ended after 300ms", waited)
	}
	e.ensure(e.product(e.sku("free"), plain), placeholder.Created)
	done := make(chan error, 1)
	go func() {
		results, err := e.shop.Ensure(e.ctx, []placeholder.Product{e.product(sku, priced("3"))})
		if err == nil && (results[0].Status != placeholder.Refreshed || results[0].EntityID != id) {
			err = fmt.Errorf("answered %+v", results[0])
		}
		done <- err
	}()
	select {
	case err := <-done:
		e.Fatalf("it did not wait: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	release()
	released = true
	if err := <-done; err != nil {
		e.Error(err)
	}
	e.is(id, e.product(sku, priced("3")))
}
