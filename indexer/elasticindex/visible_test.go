package elasticindex_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/indexer/elasticindex"
	"catalog/indexer/indextest"
)

// TestSteps applies many steps without a cursor: the server is not asked to
// refresh for each, but whoever searches sees them all, and a product whose
// variants change from step to step has none of the former ones.
func TestSteps(t *testing.T) {
	f := &faulty{}
	x := open(t, server(t), "", elasticindex.Options{Transport: f})
	defer x.Close()
	o := indextest.NewOracle()
	w := indextest.NewWorld(indextest.Seed(t))
	build(t, ops(w, 0, 60), 1, x, o)
	var refreshes atomic.Int64
	f.set(func(_ int, req *http.Request, _ []byte) (*http.Response, error) {
		if strings.HasSuffix(req.URL.Path, "/_refresh") || strings.Contains(req.URL.RawQuery, "refresh=true") {
			refreshes.Add(1)
		}
		return nil, nil
	})
	step := func(list []indexer.Op) {
		t.Helper()
		must(t, x.Apply(t.Context(), list, catalog.Cursor{}))
		must(t, o.Apply(t.Context(), list, catalog.Cursor{}))
	}
	for i := range 6 { // other products each
		step(ops(w, i*10, i*10+10))
	}
	if n := refreshes.Load(); n != 0 {
		t.Errorf("%d refreshes for steps that nobody looked at", n)
	}
	indextest.Compare(t, w, x, o, 10)
	indextest.CompareDigests(t, x, o)
	if n := refreshes.Load(); n != 1 {
		t.Errorf("%d refreshes for searches after steps, want 1", n)
	}
	for range 4 { // the same products: what they had is searched for
		step(ops(w, 0, 10))
	}
	indextest.CompareDigests(t, x, o)
	both(t, x, o, ops(w, 5, 15), 2)
	wantCursor(t, x, 2)
	before := refreshes.Load()
	indextest.CompareDigests(t, x, o)
	if n := refreshes.Load() - before; n != 0 {
		t.Errorf("%d refreshes for a search after a step that moved the cursor", n)
	}
}
