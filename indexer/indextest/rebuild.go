package indextest

import (
	"context"
	"sync"
	"testing"

	"catalog/indexer"
)

// testRebuild compares an index that changed step by step with one that was
// built of the same documents, and with itself rebuilt.
func testRebuild(t *testing.T, h Harness) {
	w := NewWorld(Seed(t))
	x, o := open(t, h), NewOracle()
	ctx := t.Context()
	fill(t, w, 150, x, o)
	for round := range h.scale(10) {
		var ops []indexer.Op
		for range 20 {
			ops = append(ops, w.Op(w.IntN(170)))
		}
		ops = unique(ops)
		must(t, o.Apply(ctx, ops, at(3000+round)))
		must(t, x.Apply(ctx, ops, at(3000+round)))
	}
	b, err := x.Build(ctx, "fp2")
	must(t, err)
	var wg sync.WaitGroup // a builder takes several writers
	errs := make(chan error, 1000)
	for sku, docs := range o.docs {
		wg.Go(func() { errs <- lend(ctx, b, []indexer.Op{{SKU: sku, Docs: docs}}) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		must(t, err)
	}
	Compare(t, w, x, o, 5) // the old one still answers
	if s, ok := b.(indexer.Settler); ok {
		must(t, s.Settle(ctx))
	}
	var ops []indexer.Op // that replace, add and remove
	for range 30 {
		ops = append(ops, w.Op(w.IntN(200)))
	}
	ops = unique(ops)
	must(t, o.Apply(ctx, ops, at(4000)))
	must(t, lend(ctx, b, ops))
	must(t, b.Publish(ctx, at(4000)))
	if f, err := x.Fingerprint(ctx); err != nil || f != "fp2" {
		t.Errorf("Fingerprint after a rebuild = %q, %v", f, err)
	}
	if c, err := x.Cursor(ctx); err != nil || c != at(4000) {
		t.Errorf("Cursor after a rebuild = %v, %v", c, err)
	}
	CompareDigests(t, x, o)
	Compare(t, w, x, o, h.scale(100))
	// What was there before and not in the new generation is gone.
	b, err = x.Build(ctx, "fp3")
	must(t, err)
	one := w.Op(1000)
	for len(one.Docs) == 0 {
		one = w.Op(1000)
	}
	must(t, b.Apply(ctx, []indexer.Op{one}))
	must(t, b.Publish(ctx, at(4001)))
	o2 := NewOracle()
	must(t, o2.Apply(ctx, []indexer.Op{one}, at(4001)))
	CompareDigests(t, x, o2)
}

// testRebuildUnderReaders looks for empty pages while generations change.
func testRebuildUnderReaders(t *testing.T, h Harness) {
	w := NewWorld(Seed(t))
	x, o := open(t, h), NewOracle()
	fill(t, w, 100, x, o)
	q := &indexer.Prepared{Store: "en", Size: 10, Sort: indexer.Sort{By: indexer.SortName}, Facets: indexer.PreparedFacets{Labels: Labels}}
	want, err := o.Search(t.Context(), q)
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for ctx.Err() == nil {
				r, err := x.Search(ctx, q)
				if ctx.Err() != nil {
					return
				}
				if err != nil || r.Total != want.Total {
					t.Errorf("during a rebuild a search gave %d hits, %v; want %d", r.Total, err, want.Total)
					return
				}
			}
		})
	}
	for round := range h.scale(10) {
		b, err := x.Build(t.Context(), "fp1")
		must(t, err)
		for sku, docs := range o.docs {
			must(t, b.Apply(t.Context(), []indexer.Op{{SKU: sku, Docs: docs}}))
		}
		must(t, b.Publish(t.Context(), at(5000+round)))
	}
	stop()
	wg.Wait()
}

func testReopen(t *testing.T, h Harness) {
	if h.Reopen == nil {
		return
	}
	w := NewWorld(Seed(t))
	x, o := h.New(t), NewOracle()
	defer func() { must(t, x.Close()) }()
	ctx := t.Context()
	fill(t, w, 100, x, o)
	for round := range h.scale(15) {
		ops := unique([]indexer.Op{w.Op(w.IntN(120)), w.Op(w.IntN(120)), w.Op(w.IntN(120))})
		must(t, o.Apply(ctx, ops, at(6000+round)))
		must(t, x.Apply(ctx, ops, at(6000+round)))
		if l, ok := x.(indexer.LiveIndex); ok {
			changes := w.liveOps(o)
			must(t, o.ApplyLive(ctx, changes, at(6000+round)))
			must(t, l.ApplyLive(ctx, changes, at(6000+round)))
		}
		must(t, x.Sync(ctx))
		x = h.Reopen(t, x)
		if c, err := x.Cursor(ctx); err != nil || c != at(6000+round) {
			t.Fatalf("Cursor after Sync and reopening = %v, %v; want %v", c, err, at(6000+round))
		}
		CompareDigests(t, x, o)
		Compare(t, w, x, o, 5)
		if t.Failed() {
			return
		}
	}
}
