package storefront_test

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/catalog/storefront"
)

// counting counts what is read by key.
type counting struct {
	catalog.Store
	gets atomic.Int64
}

func (s *counting) Get(ctx context.Context, k catalog.Kind, keys ...catalog.Key) ([]catalog.Record, error) {
	s.gets.Add(1)
	return s.Store.Get(ctx, k, keys...)
}

// TestFill: price and stock of all products are read ahead, at first and after
// changes, few and many, and are what they are when they are read on demand.
func TestFill(t *testing.T) {
	plain := newShop(t, storefront.Options{})
	store := &counting{Store: plain.store}
	h := serveShop(t, store, storefront.Options{Fill: true})
	ready(t, h)
	many := 0
	for i := range 3000 {
		put(t, plain.store, catalog.KindProduct, fmt.Sprintf(`{"sku":"N-%d","name":"New","price":%d}`, i, i+1))
		many = i
	}
	items := func(from *shop) map[string]string {
		out := map[string]string{}
		for _, view := range []string{"", "&store=de"} {
			for _, sku := range []string{"SHOE-1", "SHOE-2", "OFF", "US", "SHIRT", "SHIRT-S", "SHIRT-L", "SAME-1", "NONE", "N-0", fmt.Sprint("N-", many)} {
				out[sku+view] = string(from.ok("/v1/live?sku=" + sku + view).body)
			}
		}
		return out
	}
	for _, change := range []string{
		"", `{"sku":"SHOE-2","price":95}`, `{"sku":"SHIRT-L","price":20}`, `{"sku":"N-0","price":7}`,
	} {
		if change != "" {
			put(t, plain.store, catalog.KindPrice, change)
		}
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			want := items(plain) // it, too, hears of the change a little later
			filled := got(h, "catalog_live_filled ")
			before := store.gets.Load()
			said := items(h)
			n := store.gets.Load() - before
			// What is not sold in a view is looked up: OFF, US, NONE, SHIRT-S.
			if filled == "1" && n <= 3*2*4 && maps.Equal(said, want) {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("after %q: filled %s, %d reads, %v\nwant %v", change, filled, n, said, want)
			}
		}
	}
	// A category changes, and with it the shop: all is read again.
	put(t, plain.store, catalog.KindCategory, `{"id":"12","path":"Women"}`)
	h.advance(time.Minute)
	h.ok("/v1/live?sku=SHOE-1")
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		text := got(h, "catalog_live_remembered ")
		n, err := strconv.Atoi(text)
		if err == nil && n >= 2*many && got(h, "catalog_live_filled ") == "1" {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%q products are remembered", text)
		}
	}
}

// TestFillBesideChanges: in a shop in which something changes all the time, what
// was forgotten is read ahead again.
func TestFillBesideChanges(t *testing.T) {
	store := newShop(t, storefront.Options{}).store
	const many = 600
	for i := range many {
		put(t, store, catalog.KindProduct, fmt.Sprintf(`{"sku":"N-%d","name":"New","price":%d}`, i, i+1))
	}
	h := serveShop(t, store, storefront.Options{Fill: true})
	ready(t, h)
	known := func() bool {
		n, err := strconv.Atoi(got(h, "catalog_live_remembered "))
		return err == nil && n >= 3*many // in each of three store views
	}
	wait := func(what string, change func(i int)) {
		t.Helper()
		for i, end := 0, time.Now().Add(30*time.Second); !known(); i++ {
			if time.Now().After(end) {
				t.Fatalf("%s: %s remembered", what, got(h, "catalog_live_remembered "))
			}
			change(i)
			time.Sleep(20 * time.Millisecond)
		}
	}
	wait("at first", func(int) {})
	put(t, store, catalog.KindCategory, `{"id":"12","path":"Women"}`)
	h.advance(time.Minute)
	h.ok("/v1/live?sku=SHOE-1")
	wait("again", func(i int) { put(t, store, catalog.KindPrice, fmt.Sprintf(`{"sku":"N-%d","price":%d}`, i%3, i+1)) })
}

// TestLiveInTurns: who asks in several currencies, one after the other, has no
// record read again and again.
func TestLiveInTurns(t *testing.T) {
	store := &counting{Store: newShop(t, storefront.Options{}).store}
	h := serveShop(t, store, storefront.Options{Fill: true})
	ready(t, h)
	for end := time.Now().Add(20 * time.Second); got(h, "catalog_live_filled ") != "1"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it is never filled")
		}
	}
	first := int64(0)
	for round := range 4 {
		before := store.gets.Load()
		eur, usd := h.ok("/v1/live?sku=SHOE-1").at("items", 0, "price"), h.ok("/v1/live?sku=SHOE-1&currency=USD").at("items", 0, "price")
		if eur != "80.00" || usd != "110.00" {
			t.Errorf("%v and %v", eur, usd)
		}
		if n := store.gets.Load() - before; round == 0 {
			first = n
		} else if n > 0 {
			t.Errorf("round %d: %d reads, %d in the first", round, n, first)
		}
	}
	// The currency of the store itself is what those ask who name none.
	before := store.gets.Load()
	for range 3 {
		for _, q := range []string{"sku=SHOE-2", "sku=SHOE-2&currency=EUR", "sku=SHOE-2&currency=EUR&store=de"} {
			if got := h.ok("/v1/live?" + q).at("currency"); got != "EUR" {
				t.Errorf("%s: in %v", q, got)
			}
		}
	}
	if n := store.gets.Load() - before; n > 0 {
		t.Errorf("%d reads for the store's own currency", n)
	}
}

// TestNoCurrency: a shop that says nothing of its currency has its prices for
// those who name one, too.
func TestNoCurrency(t *testing.T) {
	store := memstore.New()
	t.Cleanup(func() { _ = store.Close() })
	if err := store.SetMeta(context.Background(), catalog.MetaStoreViews, []byte(`{"en":{"language":"en"},"de":{"language":"de","currency":"CHF"}}`)); err != nil {
		t.Fatal(err)
	}
	put(t, store, catalog.KindProduct, `{"sku":"A","name":"A"}`)
	put(t, store, catalog.KindPrice, `{"sku":"A","price":5}`)
	h := serveShop(t, store, storefront.Options{})
	for range 2 {
		for _, q := range []string{"sku=A", "sku=A&currency=CHF", "sku=A&currency=CHF&store=de"} {
			if got := h.ok("/v1/live?"+q).at("items", 0, "price"); got != "5.00" {
				t.Errorf("%s: %v", q, got)
			}
		}
	}
}

// got returns the value of a metric.
func got(h *shop, name string) string {
	for line := range strings.Lines(string(h.ok("/metrics").body)) {
		if v, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
