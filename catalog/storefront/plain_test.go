package storefront_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/storefront"
)

// TestLiveFollowsProducts holds price and stock to what products become: gone,
// disabled, with variants, in another website.
func TestLiveFollowsProducts(t *testing.T) {
	h := newShop(t, storefront.Options{})
	ready(t, h)
	known := func(sku string) bool { return len(h.ok("/v1/live?sku="+sku).at("items").([]any)) == 1 }
	for range 2 { // the second time it is remembered
		if !known("SHOE-1") {
			t.Fatal("SHOE-1 is not known")
		}
	}
	for _, c := range []struct{ name, doc, want string }{
		{"disabled", `{"sku":"SHOE-1","name":"x","status":"disabled"}`, "missing"},
		{"back", `{"sku":"SHOE-1","name":"x"}`, "80.00"},
		{"in another website", `{"sku":"SHOE-1","name":"x","websites":["us"]}`, "missing"},
		{"with variants", `{"sku":"SHOE-1","name":"x","variants":["SHOE-2"]}`, "90.00"},
		{"without", `{"sku":"SHOE-1","name":"x"}`, "80.00"},
	} {
		put(t, h.store, catalog.KindProduct, c.doc)
		var got any
		for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
			got = "missing"
			if r := h.ok("/v1/live?sku=SHOE-1"); len(r.at("items").([]any)) == 1 {
				got = r.at("items", 0, "price")
			}
			if got == c.want || time.Now().After(end) {
				break
			}
		}
		if got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestLiveFollowsVariants holds price and stock of a product with variants to
// what its variants become, whether they are part of it or products of their
// own.
func TestLiveFollowsVariants(t *testing.T) {
	h := newShop(t, storefront.Options{})
	ready(t, h)
	put(t, h.store, catalog.KindProduct, `{"sku":"OWN-V","name":"own"}`)
	put(t, h.store, catalog.KindProduct, `{"sku":"FAM","name":"x","variants":["OWN-V",{"sku":"IN-V","attributes":{"size":"S"}}]}`)
	ask := func() string {
		r := h.ok("/v1/live?sku=FAM")
		if len(r.at("items").([]any)) == 0 {
			return "missing"
		}
		return fmt.Sprint(r.at("items", 0))
	}
	for _, c := range []struct {
		kind catalog.Kind
		doc  string
		want string // in the answer
	}{
		{catalog.KindPrice, `{"sku":"OWN-V","price":20}`, "price:20.00"},
		{catalog.KindPrice, `{"sku":"IN-V","price":15}`, "unit:IN-V"},
		{catalog.KindPrice, `{"sku":"IN-V","price":25}`, "unit:OWN-V"},
		{catalog.KindStock, `{"sku":"OWN-V","qty":3}`, "in_stock:true"},
		{catalog.KindStock, `{"sku":"IN-V","qty":0}`, "in_stock:true"},
		{catalog.KindStock, `{"sku":"OWN-V","qty":0}`, "in_stock:false"},
		{catalog.KindStock, `{"sku":"IN-V","qty":2}`, "in_stock:true"},
		{catalog.KindProduct, `{"sku":"OWN-V","name":"own","status":"disabled"}`, "price:25.00"},
		{catalog.KindProduct, `{"sku":"OWN-V","name":"own"}`, "max_price:25.00"},
		{catalog.KindPrice, `{"sku":"FAM","price":7}`, "price:20.00"},
		{catalog.KindProduct, `{"sku":"FAM","name":"x","variants":["OWN-V","OTHER-V"]}`, "unit:OTHER-V"}, // which has the product's price
		{catalog.KindPrice, `{"sku":"FAM","price":6}`, "price:6.00"},
		{catalog.KindProduct, `{"sku":"FAM","name":"x","status":"disabled"}`, "missing"},
	} {
		put(t, h.store, c.kind, c.doc)
		var got string
		for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
			ask() // it is remembered
			if got = ask(); strings.Contains(got, c.want) || time.Now().After(end) {
				break
			}
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("after %s: %s, want %s", c.doc, got, c.want)
		}
	}
}
