package indexer_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/indexer"
	"catalog/indexer/indextest"
)

// shop is a store with an index that follows it.
type shop struct {
	*testing.T
	store catalog.Store
	index indexer.Index
	opts  indexer.Options
}

const storeViews = `{"default":{"language":"en","currency":"EUR","website":"eu"},"de":{"language":"de","website":"eu","root_category":"Root"}}`

func newShop(t *testing.T, views string) *shop {
	t.Helper()
	s := &shop{T: t, store: memstore.New(), index: indextest.NewOracle(), opts: indexer.Options{Name: "test", Holder: "the test"}}
	t.Cleanup(func() {
		if err := errors.Join(s.index.Close(), s.store.Close()); err != nil {
			t.Error(err)
		}
	})
	if views != "" {
		if err := s.store.SetMeta(t.Context(), catalog.MetaStoreViews, []byte(views)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// put imports records of a kind, one a line, as the importer would.
func (s *shop) put(k catalog.Kind, lines ...string) {
	s.Helper()
	var writes []catalog.Write
	for _, doc := range lines {
		for line := range strings.Lines(doc) {
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			var p catalog.Parser
			var r catalog.Parsed
			if err := p.Parse(k, []byte(line), &r); err != nil {
				s.Fatalf("%s: %v", line, err)
			}
			writes = append(writes, catalog.Write{Kind: r.Kind, Key: r.Key, Body: r.Body, Refs: r.Refs})
			parts := append([]catalog.Variant{{SKU: r.Key, Price: r.Price, Stock: r.Stock}}, r.Variants...)
			for _, v := range parts {
				if v.Price.State == catalog.PartSet {
					writes = append(writes, catalog.Write{Kind: catalog.KindPrice, Key: v.SKU, Body: v.Price.Body})
				}
				if v.Stock.State == catalog.PartSet {
					writes = append(writes, catalog.Write{Kind: catalog.KindStock, Key: v.SKU, Body: v.Stock.Body})
				}
			}
		}
	}
	if _, err := s.store.Apply(s.Context(), writes); err != nil {
		s.Fatal(err)
	}
}

func (s *shop) remove(k catalog.Kind, keys ...string) {
	s.Helper()
	var writes []catalog.Write
	for _, key := range keys {
		writes = append(writes, catalog.Write{Kind: k, Key: catalog.Key(key)})
	}
	if _, err := s.store.Apply(s.Context(), writes); err != nil {
		s.Fatal(err)
	}
}

// run brings the index to the tail.
func (s *shop) run() indexer.Report {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 2*time.Minute)
	defer cancel()
	rep, err := indexer.Run(ctx, s.store, s.index, s.opts)
	if err != nil {
		s.Fatalf("run: %v", err)
	}
	return rep
}

// verify checks that the index is what the store says.
func (s *shop) verify() {
	s.Helper()
	v, err := indexer.Verify(s.Context(), s.store, s.index, indexer.VerifyOptions{Name: "test", Now: s.opts.Now})
	if err != nil {
		s.Fatal(err)
	}
	if !v.OK() || v.Counts[indexer.Stale] > 0 {
		s.Errorf("verify: %+v", v)
	}
}

func (s *shop) engine() *indexer.Engine {
	return indexer.NewEngine(s.index, s.store, indexer.EngineOptions{Settings: s.opts.Settings, Refresh: time.Nanosecond, Now: s.opts.Now})
}

// hits returns the SKUs that a query finds.
func (s *shop) hits(q indexer.Query) string {
	s.Helper()
	res, err := s.engine().Search(s.Context(), q)
	if err != nil {
		s.Fatalf("%+v: %v", q, err)
	}
	var out []string
	for _, h := range res.Hits {
		out = append(out, h.SKU)
	}
	return strings.Join(out, " ")
}

func (s *shop) want(q indexer.Query, skus string) {
	s.Helper()
	if got := s.hits(q); got != skus {
		s.Errorf("%+v: hits %q, want %q", q, got, skus)
	}
}

// filter reads filters.
func filter(t *testing.T, texts ...string) []indexer.Filter {
	t.Helper()
	var out []indexer.Filter
	for _, text := range texts {
		f, err := indexer.ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}
