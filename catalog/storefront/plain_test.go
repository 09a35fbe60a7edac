package storefront_test

import (
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
