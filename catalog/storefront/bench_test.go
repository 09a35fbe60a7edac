package storefront_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"catalog/catalog/storefront"
)

// sink takes answers as a connection does, and keeps nothing.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header              { return s.header }
func (s *sink) WriteHeader(status int)           { s.status = status }
func (s *sink) Write(p []byte) (int, error)      { return len(p), nil }
func (s *sink) SetWriteDeadline(time.Time) error { return nil }
func (s *sink) SetReadDeadline(time.Time) error  { return nil }

// BenchmarkAnswer measures what the server itself adds to what a store and an
// index in memory take.
func BenchmarkAnswer(b *testing.B) {
	h := newShop(b, storefront.Options{})
	for name, url := range map[string]string{
		"product": "/v1/products?sku=SHOE-1",
		"path":    "/v1/products/SHOE-1",
		"live":    "/v1/live?sku=SHOE-1&sku=SHOE-2&sku=SHIRT",
		"browse":  "/v1/browse?category=Men/Shoes",
	} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, url, nil)
			w := &sink{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				h.server.ServeHTTP(w, r)
				if w.status != http.StatusOK {
					b.Fatalf("%s: %d", url, w.status)
				}
			}
		})
	}
}
