package shoptest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"catalog/catalog"
	"catalog/placeholder"
)

func serviceTests() []test {
	return []test{
		{"answers", testAnswers},
		{"clients", testClients},
		{"follow", testFollow},
		{"converge", testConverge},
		{"reorder", testReorder},
	}
}

// put writes a product's records into a catalog.
func (e *env) put(store catalog.Store, sku string, d document) {
	e.Helper()
	rec := d.records(sku)
	writes := []catalog.Write{
		{Kind: catalog.KindProduct, Key: catalog.Key(sku), Body: rec.Document},
		{Kind: catalog.KindPrice, Key: catalog.Key(sku), Body: rec.Price},
		{Kind: catalog.KindStock, Key: catalog.Key(sku), Body: rec.Stock},
	}
	if _, err := store.Apply(e.ctx, writes); err != nil {
		e.Fatal(err)
	}
}

func (e *env) service(store catalog.Store, shop placeholder.Shop, o placeholder.Options) *placeholder.Service {
	s := placeholder.New(store, shop, o)
	e.Cleanup(func() {
		if err := s.Close(); err != nil {
			e.Error(err)
		}
	})
	return s
}

func (e *env) ask(s *placeholder.Service, skus ...string) []placeholder.Result {
	e.Helper()
	results, err := s.Ensure(e.ctx, "suite", skus)
	if err != nil {
		e.Fatal(err)
	}
	return results
}

// testAnswers: each answer there is.
func testAnswers(e *env) {
	store := e.h.Catalog(e)
	s := e.service(store, e.shop, placeholder.Options{})
	disabled, free, none, out, parent := plain, plain, plain, plain, plain
	disabled.doc += `,"status":"disabled"`
	free.prices, none.prices, out.stock = `{"price":0}`, ``, `"qty":0`
	parent.doc += `,"type":"configurable"`
	for name, d := range map[string]document{"ok": plain, "disabled": disabled, "free": free, "none": none, "out": out, "parent": parent, "theirs": plain} {
		e.put(store, e.sku(name), d)
	}
	e.h.AddProduct(e, e.sku("theirs"))
	e.h.AddProduct(e, e.sku("only-theirs"))
	rows := e.h.Rows(e)
	refusals := e.ask(s, e.sku("disabled"), e.sku("free"), e.sku("none"), e.sku("out"), e.sku("parent"), e.sku("unknown"), e.sku("theirs"), e.sku("only-theirs"), "")
	for i, want := range []placeholder.Result{
		{Status: placeholder.Disabled},
		{Status: placeholder.Refused, Reason: placeholder.ReasonNoPrice},
		{Status: placeholder.Refused, Reason: placeholder.ReasonNoPrice},
		{Status: placeholder.Refused, Reason: placeholder.ReasonSoldOut},
		{Status: placeholder.Refused, Reason: placeholder.ReasonParent},
		{Status: placeholder.Unknown},
		{Status: placeholder.Foreign},
		{Status: placeholder.Foreign},
		{Status: placeholder.Unknown},
	} {
		if got := refusals[i]; got.Status != want.Status || got.Reason != want.Reason {
			e.Errorf("%+v, want %s %s", got, want.Status, want.Reason)
		}
	}
	e.sameRows(rows)
	for _, want := range []placeholder.Status{placeholder.Created, placeholder.Present} {
		r := e.ask(s, e.sku("ok"))[0]
		e.status(r, want)
		e.is(r.EntityID, e.product(e.sku("ok"), plain))
	}
	e.put(store, e.sku("ok"), priced("4"))
	e.status(e.ask(s, e.sku("ok"))[0], placeholder.Refreshed)
	// A placeholder whose product is sold no more is told so by being asked for.
	e.put(store, e.sku("ok"), disabled)
	r := e.ask(s, e.sku("ok"))[0]
	e.status(r, placeholder.Disabled)
	e.buyable(r.EntityID, "base", false)
}

// testClients: sixty-four clients of two services and one new SKU.
func testClients(e *env) {
	store := e.h.Catalog(e)
	services := []*placeholder.Service{e.service(store, e.shop, placeholder.Options{}), e.service(store, e.h.Open(e), placeholder.Options{})}
	for round := range 5 {
		sku := e.sku(fmt.Sprint(round))
		e.put(store, sku, plain)
		var mu sync.Mutex
		ids := map[int64]bool{}
		var g errgroup.Group
		for i := range 64 {
			g.Go(func() error {
				results, err := services[i%2].Ensure(e.ctx, fmt.Sprint(i), []string{sku})
				if err != nil {
					return err
				}
				if !results[0].Status.InShop() {
					return fmt.Errorf("answered %+v", results[0])
				}
				mu.Lock()
				defer mu.Unlock()
				ids[results[0].EntityID] = true
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			e.Fatal(err)
		}
		if same := e.h.Same(e, sku); len(ids) != 1 || len(same) != 1 || !ids[same[0]] {
			e.Fatalf("answered %v, the shop has %v", ids, same)
		}
	}
}

// testFollow: what changes in the catalog changes in the shop.
func testFollow(e *env) {
	store := e.h.Catalog(e)
	s := e.service(store, e.shop, placeholder.Options{})
	names := []string{"price", "disabled", "gone", "out", "noprice", "never"}
	ids := map[string]int64{}
	for _, name := range names {
		e.put(store, e.sku(name), plain)
		if name != "never" {
			ids[name] = e.ask(s, e.sku(name))[0].EntityID
		}
	}
	variants := document{`"name":"Shirt","type":"configurable","variants":[{"sku":` + quote(e.sku("v1")) + `,"attributes":{"size":"M"}},{"sku":` + quote(e.sku("v2")) + `}]`, ``, ``}
	parent := catalog.Key(e.sku("parent"))
	refs := []catalog.Ref{{Type: catalog.RefVariant, Value: e.sku("v1")}, {Type: catalog.RefVariant, Value: e.sku("v2")}}
	writes := []catalog.Write{{Kind: catalog.KindProduct, Key: parent, Body: variants.records(string(parent)).Document, Refs: refs}}
	for _, v := range []string{"v1", "v2"} {
		writes = append(writes, catalog.Write{Kind: catalog.KindPrice, Key: catalog.Key(e.sku(v)), Body: plain.records(e.sku(v)).Price})
	}
	if _, err := store.Apply(e.ctx, writes); err != nil {
		e.Fatal(err)
	}
	for i, r := range e.ask(s, e.sku("v1"), e.sku("v2")) {
		e.status(r, placeholder.Created)
		ids[[]string{"v1", "v2"}[i]] = r.EntityID
	}
	if name := e.stored(ids["v1"]).Value("name", 0); name != "Shirt, M" {
		e.Errorf("the variant's name is %q", name)
	}

	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.Follow(ctx) }()
	disabled, out, noprice := plain, plain, plain
	disabled.doc += `,"status":"disabled"`
	out.stock, noprice.prices = `"qty":0,"in_stock":false`, `{"price":0}`
	e.put(store, e.sku("price"), priced("3.33"))
	e.put(store, e.sku("disabled"), disabled)
	e.put(store, e.sku("out"), out)
	e.put(store, e.sku("noprice"), noprice)
	e.put(store, e.sku("never"), priced("1"))
	one := document{`"name":"Shirt","type":"configurable","variants":[{"sku":` + quote(e.sku("v2")) + `,"name":"Shirt in large"}]`, ``, ``}
	if _, err := store.Apply(e.ctx, []catalog.Write{
		{Kind: catalog.KindProduct, Key: catalog.Key(e.sku("gone"))},
		{Kind: catalog.KindPrice, Key: catalog.Key(e.sku("gone"))},
		{Kind: catalog.KindProduct, Key: parent, Body: one.records(string(parent)).Document, Refs: refs[1:]},
	}); err != nil {
		e.Fatal(err)
	}
	e.eventually("what changed is in the shop", func() bool {
		status := func(name string) string { return e.stored(ids[name]).Value("status", 0) }
		return e.stored(ids["price"]).Value("price", 0) == e.product("x", priced("3.33")).Values[indexOf(e.product("x", priced("3.33")).Values, "price")].Text &&
			status("disabled") == "2" && status("gone") == "2" && status("noprice") == "2" && status("v1") == "2" &&
			!e.stored(ids["out"]).InStock && e.stored(ids["v2"]).Value("name", 0) == "Shirt in large"
	})
	if f := e.find(e.sku("never")); f.State != placeholder.StateNone {
		e.Errorf("following made %+v", f)
	}
	// And back.
	for _, name := range []string{"disabled", "gone", "out", "noprice"} {
		e.put(store, e.sku(name), plain)
	}
	e.eventually("what came back is in the shop", func() bool {
		for _, name := range []string{"disabled", "gone", "out", "noprice"} {
			if s := e.stored(ids[name]); s.Value("status", 0) != "1" || !s.InStock {
				return false
			}
		}
		return true
	})
	for _, name := range []string{"disabled", "gone", "out", "noprice"} {
		e.is(ids[name], e.product(e.sku(name), plain))
		e.buyable(ids[name], "base", true)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		e.Errorf("following ended with %v", err)
	}
}

func indexOf(values []placeholder.Value, attribute string) int {
	for i, v := range values {
		if v.Attribute == attribute && v.Store == 0 {
			return i
		}
	}
	return -1
}

func (e *env) eventually(what string, ok func() bool) {
	e.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	e.Fatalf("not within 10 s: %s", what)
}

// testConverge: prices that change while placeholders are made from them end
// up in the shop, with a follower in another service.
func testConverge(e *env) {
	store := e.h.Catalog(e)
	makers := []*placeholder.Service{e.service(store, e.shop, placeholder.Options{}), e.service(store, e.h.Open(e), placeholder.Options{})}
	follower := e.service(store, e.h.Open(e), placeholder.Options{})
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	var g errgroup.Group
	g.Go(func() error {
		if err := follower.Follow(ctx); !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	})
	const n = 20
	var skus []string
	for i := range n {
		skus = append(skus, e.sku(fmt.Sprintf("%02d", i)))
		e.put(store, skus[i], priced("1"))
	}
	var work errgroup.Group
	for m := range makers {
		work.Go(func() error {
			for range 5 {
				if _, err := makers[m].Ensure(e.ctx, "suite", skus); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for round := range 10 {
		for _, sku := range skus {
			e.put(store, sku, priced(fmt.Sprintf("%d", round+2)))
		}
	}
	if err := work.Wait(); err != nil {
		e.Fatal(err)
	}
	e.eventually("all placeholders have the last price", func() bool {
		for _, sku := range skus {
			if e.find(sku).Hash != e.product(sku, priced("11")).Hash {
				return false
			}
		}
		return true
	})
	for _, sku := range skus {
		e.is(e.h.Same(e, sku)[0], e.product(sku, priced("11")))
	}
	cancel()
	if err := g.Wait(); err != nil {
		e.Error(err)
	}
}

// testReorder: what was ordered, and pruned since, comes back under the entity
// id that the order has.
func testReorder(e *env) {
	if _, ok := e.shop.(placeholder.OrderShop); !ok {
		return
	}
	store := e.h.Catalog(e)
	s := e.service(store, e.shop, placeholder.Options{})
	c := e.aged("a", "b", "c")
	for _, k := range c {
		e.put(store, k.SKU, plain)
	}
	order := e.h.AddOrder(e, "complete", c[0].EntityID, c[1].EntityID)
	again := e.h.AddOrder(e, "complete", c[0].EntityID, c[2].EntityID)
	p := e.start(placeholder.PruneOptions{})
	for i, keep := range e.remove(p, false, c[:2]...) {
		if keep != "" {
			e.Fatalf("%s is kept: %s", c[i].SKU, keep)
		}
	}
	e.gone(c[0])
	for round, want := range []placeholder.Status{placeholder.Created, placeholder.Present} {
		results, err := s.EnsureOrders(e.ctx, "suite", []placeholder.OrderRef{{ID: order}})
		if err != nil || len(results) != 2 {
			e.Fatalf("%+v, %v", results, err)
		}
		for _, r := range results {
			id := c[0].EntityID
			if r.SKU == c[1].SKU {
				id = c[1].EntityID
			}
			if r.Status != want || r.EntityID != id {
				e.Errorf("round %d: %+v, want %s with id %d", round, r, want, id)
			}
			e.is(r.EntityID, e.product(r.SKU, plain))
			e.buyable(r.EntityID, "base", true)
		}
	}
	if results, err := s.EnsureOrders(e.ctx, "suite", []placeholder.OrderRef{{ID: again}, {ID: 1 << 30}, {Number: "none"}}); err != nil || len(results) != 2 {
		e.Errorf("%+v, %v", results, err)
	}
	if results, err := s.EnsureOrders(e.ctx, "suite", nil); err != nil || len(results) != 0 {
		e.Errorf("no orders: %+v, %v", results, err)
	}
}
