package placeholder_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/placeholder"
	"catalog/placeholder/memshop"
)

// BenchmarkEnsure is what a Service costs beside store and shop: 64 callers,
// one SKU each, all new or all there already.
func BenchmarkEnsure(b *testing.B) {
	const callers = 64
	fill := func(b *testing.B, n int) catalog.Store {
		store := memstore.New()
		b.Cleanup(func() { _ = store.Close() })
		writes := make([]catalog.Write, 0, 2*n)
		for i := range n {
			sku := fmt.Sprintf("sku-%07d", i)
			writes = append(writes,
				catalog.Write{Kind: catalog.KindProduct, Key: catalog.Key(sku), Body: fmt.Appendf(nil, `{"sku":%q,"name":"Plain product %d","type":"simple","description":"A text of some length, as products have, that is of no use in a cart.","categories":["Men/Shoes/Running"],"attributes":{"color":"red","size":"M"},"weight":1.25}`, sku, i)},
				catalog.Write{Kind: catalog.KindPrice, Key: catalog.Key(sku), Body: fmt.Appendf(nil, `{"sku":%q,"prices":[{"price":%d.99},{"currency":"USD","price":%d.50}]}`, sku, i%90+1, i%90+1)})
		}
		if _, err := store.Apply(context.Background(), writes); err != nil {
			b.Fatal(err)
		}
		return store
	}
	run := func(b *testing.B, s *placeholder.Service, skus int) {
		var next atomic.Int64
		var wg sync.WaitGroup
		b.ResetTimer()
		b.ReportAllocs()
		for range callers {
			wg.Go(func() {
				for {
					i := next.Add(1) - 1
					if i >= int64(b.N) {
						return
					}
					if _, err := s.Ensure(context.Background(), "c", []string{fmt.Sprintf("sku-%07d", int(i)%skus)}); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "skus/s")
	}
	b.Run("new", func(b *testing.B) {
		shop := memshop.New(placeholder.Info{}).Open()
		s := placeholder.New(fill(b, b.N), shop, placeholder.Options{})
		defer s.Close()
		run(b, s, b.N)
	})
	b.Run("present", func(b *testing.B) {
		shop := memshop.New(placeholder.Info{}).Open()
		const skus = 200
		s := placeholder.New(fill(b, skus), shop, placeholder.Options{})
		defer s.Close()
		for i := range skus {
			if _, err := s.Ensure(context.Background(), "c", []string{fmt.Sprintf("sku-%07d", i)}); err != nil {
				b.Fatal(err)
			}
		}
		run(b, s, skus)
	})
}
