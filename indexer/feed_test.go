package indexer_test

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/indexer/facetindex"
)

// counting counts the records that are read by key.
type counting struct {
	catalog.Store
	mu  sync.Mutex
	got map[catalog.Kind]int
}

func (s *counting) Get(ctx context.Context, k catalog.Kind, keys ...catalog.Key) ([]catalog.Record, error) {
	s.mu.Lock()
	s.got[k] += len(keys)
	s.mu.Unlock()
	return s.Store.Get(ctx, k, keys...)
}

// TestFeedsReadLittle changes prices, and then stock, and looks at what of the
// store was read for it: only what changed, unless a variant has the record of
// its product.
func TestFeedsReadLittle(t *testing.T) {
	const plain = 50
	s := newShop(t, storeViews)
	if err := s.index.Close(); err != nil {
		t.Fatal(err)
	}
	x, err := facetindex.Open(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.index = x
	store := &counting{Store: s.store, got: map[catalog.Kind]int{}}
	s.store = store
	for i := range plain {
		s.put(catalog.KindProduct, fmt.Sprintf(`{"sku":"P%d","name":"Thing","price":%d,"stock":{"qty":1}}`, i, i+1))
	}
	s.put(catalog.KindProduct, `{"sku":"own","type":"configurable","price":5,"stock":{"qty":1},"variants":[{"sku":"own-1","price":5,"stock":{"qty":1}},{"sku":"own-2","price":6,"stock":{"qty":1}}]}`)
	s.put(catalog.KindProduct, `{"sku":"heir","type":"configurable","price":7,"stock":{"qty":1},"variants":[{"sku":"heir-1"},{"sku":"heir-2","price":8,"stock":{"qty":1}}]}`)
	s.run()
	feed := func(k catalog.Kind, format string, skus ...string) (int64, map[catalog.Kind]int) {
		t.Helper()
		for _, sku := range skus {
			s.put(k, fmt.Sprintf(format, sku))
		}
		store.got = map[catalog.Kind]int{}
		rep := s.run()
		got := maps.Clone(store.got)
		s.verify()
		return rep.Products, got
	}
	var all []string
	for i := range plain {
		all = append(all, fmt.Sprintf("P%d", i))
	}
	const price, stock = `{"sku":%q,"prices":[{"price":99}]}`, `{"sku":%q,"qty":0}`
	for _, c := range []struct {
		name     string
		kind     catalog.Kind
		format   string
		skus     []string
		products int64
		want     map[catalog.Kind]int
	}{
		{"prices", catalog.KindPrice, price, all, 0, map[catalog.Kind]int{catalog.KindPrice: plain}},
		{"stock", catalog.KindStock, stock, all, 0, map[catalog.Kind]int{catalog.KindStock: plain}},
		{"a variant's price", catalog.KindPrice, price, []string{"own-1"}, 0, map[catalog.Kind]int{catalog.KindPrice: 1}},
		{"the price of a product whose variants have theirs", catalog.KindPrice, price, []string{"own"}, 0, map[catalog.Kind]int{catalog.KindPrice: 3}},
		{"stock of a product whose variants have theirs", catalog.KindStock, stock, []string{"own"}, 0, map[catalog.Kind]int{catalog.KindStock: 3}},
	} {
		if products, got := feed(c.kind, c.format, c.skus...); products != c.products || !maps.Equal(got, c.want) {
			t.Errorf("%s: %d products were made again, and %v was read; want %d and %v", c.name, products, got, c.products, c.want)
		}
	}
	if products, _ := feed(catalog.KindPrice, `{"sku":%q,"prices":[{"price":98}]}`, "heir"); products != 1 {
		t.Errorf("the price of a product of which a variant has none: %d products were made again, want 1", products)
	}
	if got := s.hits(indexer.Query{Variants: true, Sort: indexer.Sort{By: indexer.SortPrice, Desc: true}, Size: 100}); got == "" {
		t.Error("no hits")
	}
}
