package window_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/catalog/storefront"
	"catalog/catalog/storefront/window"
	"catalog/fixtures"
	"catalog/indexer"
	"catalog/indexer/facetindex"
)

const storeViews = `{
	"default": {"language":"en","currency":"EUR","website":"base"},
	"de": {"language":"de","currency":"EUR","website":"base"}
}`

// router is a product with variants, reduced prices and tiers; not all of its
// colours come in all sizes.
const router = `{"sku":"RO/1","type":"configurable","name":"Léña Joti Router","brand":"Léña","categories":["Electronics/Router"],` +
	`"short_description":"With a washable lining.","description":"<p>The <b>easy-care</b> hem holds.</p><script>document.title='x'</script>",` +
	`"attributes":{"material":"Cotton","warranty":50},"images":["/l/e/1.jpg","/l/e/2.jpg"],"related":["TS-RED","MH-100"],"variants":[` +
	`{"sku":"RO/1-TRK-S","attributes":{"color":"Türkis","size":"S"},"price":134.75,"special_price":121.27,"stock":{"qty":847,"in_stock":true}},` +
	`{"sku":"RO/1-TRK-M","attributes":{"color":"Türkis","size":"M"},"price":96.5,"tiers":[{"qty":10,"price":91.67},{"qty":50,"price":86.85}],"stock":{"qty":11,"in_stock":true}},` +
	`{"sku":"RO/1-TRK-L","attributes":{"color":"Türkis","size":"L"},"price":117,"stock":{"qty":0,"in_stock":false}},` +
	`{"sku":"RO/1-CRM-S","attributes":{"color":"Crème","size":"S"},"price":124.99,"stock":{"qty":350,"in_stock":true}},` +
	`{"sku":"RO/1-CRM-M","attributes":{"color":"Crème","size":"M"},"price":148.99,"stock":{"qty":793,"in_stock":true}},` +
	`{"sku":"RO/1-BLK-XL","attributes":{"color":"Black","size":"XL"},"price":112.5,"stock":{"qty":19,"in_stock":true}}]}`

// running and report are what the status tells of imports.
const (
	running = `[{"id":"2","state":"running","kind":"products","mode":"sync","source":"erp","progress":{"phase":"importing","done":300,"total":1000,"records":120345,"rejected":2,"elapsed_seconds":6,"per_second":20050.4,"eta_seconds":14}}]`
	report  = `{"id":"20261120T010000Z-1","kind":"products","mode":"sync","source":"erp","status":"rejects","read":2000,"created":1043,"updated":0,"unchanged":954,"deleted":0,"absent":0,` +
		`"rejected":3,"merged":0,"duplicates":0,"started":"2026-11-20T01:00:00Z","seconds":91.5,"per_second":21,"peak_rss_bytes":1,"feeds":[],"rejects_by_reason":{"key_missing":2,"json_syntax":1},` +
		`"first_rejects":[{"feed":"feed.jsonl.gz","line":7,"offset":812,"reason":"key_missing","path":"sku","detail":"is missing"}]}`
)

// shop is a catalog with its window, served on loopback.
type shop struct {
	*httptest.Server
	store catalog.Store
	held  atomic.Pointer[chan struct{}]
	other atomic.Value // string: a page at /other
}

// hold keeps answers to calls for price and stock back until release is called.
func (s *shop) hold() (release func()) {
	c := make(chan struct{})
	s.held.Store(&c)
	return sync.OnceFunc(func() {
		s.held.Store(nil)
		close(c)
	})
}

func itoa(n int) string { return strconv.Itoa(n) }

func newShop(t testing.TB, records int64) *shop {
	t.Helper()
	store := memstore.New()
	t.Cleanup(func() { _ = store.Close() })
	for name, value := range map[string]string{catalog.MetaStoreViews: storeViews, "reports/20261120T010000Z-1": report} {
		if err := store.SetMeta(t.Context(), name, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	var feed bytes.Buffer
	if _, err := fixtures.Generate(t.Context(), &feed, fixtures.Options{Records: records, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	put(t, store, catalog.KindAttribute, fixtures.TinyAttributes())
	put(t, store, catalog.KindCategory, fixtures.TinyCategories())
	put(t, store, catalog.KindProduct, fixtures.TinyShop())
	put(t, store, catalog.KindProduct, []byte(router))
	put(t, store, catalog.KindProduct, feed.Bytes())
	index, err := facetindex.Open(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = index.Close() })
	if _, err := indexer.Run(t.Context(), store, index, indexer.Options{}); err != nil {
		t.Fatal(err)
	}
	page, err := window.Handler(window.Options{Title: "Fjordlin"})
	if err != nil {
		t.Fatal(err)
	}
	api := storefront.New(store, indexer.NewEngine(index, store, indexer.EngineOptions{}), storefront.Options{
		Index: index, Window: page, PublicGroups: []string{"wholesale"},
		Running:      func() any { return json.RawMessage(running) },
		Placeholders: func(context.Context) (any, error) { return map[string]int{"live": 12}, nil },
	})
	t.Cleanup(func() { _ = api.Close() })
	s := &shop{store: store}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/other":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, s.other.Load().(string))
			return
		case "/v1/live":
			if c := s.held.Load(); c != nil {
				select {
				case <-*c:
				case <-r.Context().Done():
				}
			}
		}
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	t.Cleanup(api.Drain) // before the server waits for streams of events
	return s
}

// put imports records of a kind, one a line.
func put(t testing.TB, store catalog.Store, k catalog.Kind, lines []byte) {
	t.Helper()
	var writes []catalog.Write
	for line := range bytes.Lines(lines) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		var p catalog.Parser
		var r catalog.Parsed
		if err := p.Parse(k, line, &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		writes = append(writes, catalog.Write{Kind: r.Kind, Key: r.Key, Body: r.Body, Refs: r.Refs})
		for _, v := range append([]catalog.Variant{{SKU: r.Key, Price: r.Price, Stock: r.Stock}}, r.Variants...) {
			if v.Price.State == catalog.PartSet {
				writes = append(writes, catalog.Write{Kind: catalog.KindPrice, Key: v.SKU, Body: v.Price.Body})
			}
			if v.Stock.State == catalog.PartSet {
				writes = append(writes, catalog.Write{Kind: catalog.KindStock, Key: v.SKU, Body: v.Stock.Body})
			}
		}
	}
	if _, err := store.Apply(t.Context(), writes); err != nil {
		t.Fatal(err)
	}
}
