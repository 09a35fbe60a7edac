package storefront_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"catalog/catalog"
	"catalog/catalog/storefront"
)

// TestConcurrent reads everything while records, categories and stores change:
// no answer but 200, and none with what was before a write that has been
// answered.
func TestConcurrent(t *testing.T) {
	h := newShop(t, storefront.Options{})
	ready(t, h)
	urls := []string{
		"/v1/products?sku=SHOE-1&sku=SHIRT&expand=variants,breadcrumbs", "/v1/live?sku=SHOE-1&sku=SHIRT&sku=SHOE-2", "/v1/browse?category=Men/Shoes&facet=color&facet=price",
		"/v1/search?q=shoe", "/v1/suggest?q=sh", "/v1/categories?store=de", "/v1/status", "/metrics", "/v1/sitemap-part.xml", "/v1/url-keys/shoes", "/v1/attributes",
	}
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for i := range 4 {
		readers.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				url := urls[n%len(urls)]
				w := httptest.NewRecorder()
				h.server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
				if w.Code != http.StatusOK {
					t.Errorf("%s: %d %s", url, w.Code, w.Body)
					return
				}
			}
		})
	}
	for n := range 60 {
		r := h.do("PUT", "/v1/records/prices?key=SHOE-1", fmt.Sprintf(`{"price":%d}`, 100+n), "Authorization", "Bearer "+importToken)
		if r.StatusCode != http.StatusOK {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		if got := h.ok("/v1/live?sku=SHOE-1").at("items", 0, "price"); got != fmt.Sprintf("%d.00", 100+n) {
			t.Fatalf("the price written is %d, the one read %v", 100+n, got)
		}
		switch n % 20 {
		case 5:
			put(t, h.store, catalog.KindCategory, fmt.Sprintf(`{"id":"11","path":"Men/Shoes","name":"Shoes %d","url_key":"shoes"}`, n))
		case 10:
			h.follow()
		}
	}
	stop()
	readers.Wait()
}
