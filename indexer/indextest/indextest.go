// Package indextest is the conformance suite of search indexes: whatever
// indexer.Index says must hold, and every answer must be that of Oracle, which
// finds it by looking at every document.
package indextest

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// Harness says how an index is had.
type Harness struct {
	// New returns an index of its own in which nothing was built yet. It is
	// closed by the suite.
	New func(t *testing.T) indexer.Index
	// Reopen closes an index and opens it again; nil when it keeps nothing.
	Reopen func(t *testing.T, x indexer.Index) indexer.Index
	// Slow is for indexes across a network: fewer documents and queries.
	Slow bool
}

// Seed returns the seed of random tests: CATALOG_TEST_SEED, or one of the
// time, which the test prints when it fails.
func Seed(t testing.TB) uint64 {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("CATALOG_TEST_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("CATALOG_TEST_SEED: %v", err)
		}
		seed = n
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("CATALOG_TEST_SEED=%d", seed)
		}
	})
	return seed
}

// Run tests an index.
func Run(t *testing.T, h Harness) {
	for _, test := range []struct {
		name string
		f    func(*testing.T, Harness)
	}{
		{"Empty", testEmpty},
		{"Answers", testAnswers},
		{"Changes", testChanges},
		{"Pages", testPages},
		{"Suggest", testSuggest},
		{"Due", testDue},
		{"Rebuild", testRebuild},
		{"RebuildUnderReaders", testRebuildUnderReaders},
		{"Reopen", testReopen},
		{"Cancelled", testCancelled},
	} {
		t.Run(test.name, func(t *testing.T) { test.f(t, h) })
	}
}

const epoch = "epoch1"

func at(seq int) catalog.Cursor { return catalog.Cursor{Epoch: epoch, Seq: catalog.Seq(seq)} }

func (h Harness) scale(n int) int {
	if testing.Short() {
		n = max(n/4, 1)
	}
	if h.Slow {
		n = max(n/5, 1)
	}
	return n
}

func open(t *testing.T, h Harness) indexer.Index {
	t.Helper()
	x := h.New(t)
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return x
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fill builds x of the first n products of the world, some by Build, others
// changed by Apply afterwards.
func fill(t *testing.T, w *World, n int, list ...indexer.Index) {
	t.Helper()
	ctx := t.Context()
	var ops, more []indexer.Op
	for i := range n {
		ops = append(ops, w.Op(i))
	}
	for range n / 4 {
		more = append(more, w.Op(w.IntN(n+20)))
	}
	more = unique(more)
	for _, x := range list {
		b, err := x.Build(ctx, "fp1")
		must(t, err)
		for chunk := range slices.Chunk(ops, 37) {
			must(t, lend(ctx, b, chunk))
		}
		must(t, b.Publish(ctx, at(n)))
		must(t, b.Abort())
		for chunk := range slices.Chunk(more, 11) {
			must(t, x.Apply(ctx, chunk, at(n+1)))
		}
	}
}

// lend gives ops to a builder and uses their memory again, as Run does.
func lend(ctx context.Context, b indexer.Builder, ops []indexer.Op) error {
	own := slices.Clone(ops)
	for i := range own {
		own[i].Docs = slices.Clone(own[i].Docs)
		for j, d := range own[i].Docs {
			own[i].Docs[j] = Clone(d)
		}
	}
	err := b.Apply(ctx, own)
	attrs := func(list []indexer.Attr) {
		for i := range list {
			clear(list[i].Values)
		}
		clear(list)
	}
	for _, op := range own {
		for _, d := range op.Docs {
			for i := range d.Units {
				clear(d.Units[i].Stores)
				attrs(d.Units[i].Attrs)
				clear(d.Units[i].Live.Prices)
			}
			attrs(d.Attrs)
			clear(d.Units)
			clear(d.Words)
			clear(d.Stores)
			clear(d.NameKey)
			clear(d.Categories)
			*d = indexer.Document{}
		}
		clear(op.Docs)
	}
	return err
}

// unique keeps the last op of each product.
func unique(ops []indexer.Op) []indexer.Op {
	seen := map[string]bool{}
	var out []indexer.Op
	for _, op := range slices.Backward(ops) {
		if !seen[op.SKU] {
			seen[op.SKU] = true
			out = append(out, op)
		}
	}
	return out
}

func testEmpty(t *testing.T, h Harness) {
	x := open(t, h)
	ctx := t.Context()
	if _, err := x.Cursor(ctx); !errors.Is(err, indexer.ErrNoIndex) {
		t.Errorf("Cursor before anything was built: %v, want ErrNoIndex", err)
	}
	if _, err := x.Fingerprint(ctx); !errors.Is(err, indexer.ErrNoIndex) {
		t.Errorf("Fingerprint before anything was built: %v, want ErrNoIndex", err)
	}
	b, err := x.Build(ctx, "fp0")
	must(t, err)
	must(t, b.Abort())
	if _, err := x.Cursor(ctx); !errors.Is(err, indexer.ErrNoIndex) {
		t.Errorf("Cursor after an aborted build: %v, want ErrNoIndex", err)
	}
	b, err = x.Build(ctx, "fp1")
	must(t, err)
	must(t, b.Publish(ctx, at(7)))
	if c, err := x.Cursor(ctx); err != nil || c != at(7) {
		t.Errorf("Cursor = %v, %v; want %v", c, err, at(7))
	}
	if f, err := x.Fingerprint(ctx); err != nil || f != "fp1" {
		t.Errorf("Fingerprint = %q, %v", f, err)
	}
	w := NewWorld(1)
	for range 20 {
		r, err := x.Search(ctx, w.Query())
		must(t, err)
		if r.Total != 0 || len(r.Hits) != 0 || r.Next != "" || len(r.Facets) != 0 && !selectedOnly(r.Facets) {
			t.Errorf("an empty index answers %s", dump(r))
		}
	}
	must(t, x.Apply(ctx, []indexer.Op{w.Op(1), w.Op(2), w.Op(3)}, at(8)))
	must(t, x.Sync(ctx))
	if c, err := x.Cursor(ctx); err != nil || c != at(8) {
		t.Errorf("Cursor after Sync = %v, %v; want %v", c, err, at(8))
	}
}

func selectedOnly(list []indexer.Facet) bool {
	for _, f := range list {
		for _, v := range f.Values {
			if !v.Selected {
				return false
			}
		}
		for _, r := range f.Ranges {
			if !r.Selected {
				return false
			}
		}
	}
	return true
}

// testAnswers compares random queries over random documents with the oracle.
func testAnswers(t *testing.T, h Harness) {
	seed := Seed(t)
	for round := range uint64(h.scale(5)) {
		w := NewWorld(seed + round)
		x, o := open(t, h), NewOracle()
		fill(t, w, 200, x, o)
		Compare(t, w, x, o, h.scale(400))
		if t.Failed() {
			return
		}
	}
}

// testChanges applies random changes and compares answers and digests.
func testChanges(t *testing.T, h Harness) {
	w := NewWorld(Seed(t))
	x, o := open(t, h), NewOracle()
	ctx := t.Context()
	fill(t, w, 150, x, o)
	live, _ := x.(indexer.LiveIndex)
	for round := range h.scale(60) {
		var ops []indexer.Op
		for range 1 + w.IntN(20) {
			ops = append(ops, w.Op(w.IntN(170)))
		}
		ops = unique(ops)
		must(t, o.Apply(ctx, ops, at(1000+round)))
		must(t, x.Apply(ctx, ops, at(1000+round)))
		if live != nil {
			changes := w.liveOps(o)
			must(t, o.ApplyLive(ctx, changes, at(1000+round)))
			must(t, live.ApplyLive(ctx, changes, at(1000+round)))
		}
		Compare(t, w, x, o, 8)
		if round%10 == 9 {
			CompareDigests(t, x, o)
			a, err := x.Attributes(ctx)
			must(t, err)
			b, err := o.Attributes(ctx)
			must(t, err)
			if !equal(a, b) {
				t.Errorf("Attributes =\n %v, want\n %v", a, b)
			}
			compareFamilies(t, x, o)
		}
		if t.Failed() {
			return
		}
	}
}

// compareFamilies asks an index that knows it which products have variants.
func compareFamilies(t *testing.T, x indexer.Index, o *Oracle) {
	f, ok := x.(indexer.FamilyIndex)
	if !ok {
		return
	}
	skus, want := []string{"no such product"}, map[string][]string{}
	for sku, docs := range o.docs {
		skus = append(skus, sku)
		for _, d := range docs {
			skus = append(skus, d.Units[0].SKU)
			if len(d.Units) != 1 || d.Units[0].SKU != sku {
				for _, list := range docs {
					for _, u := range list.Units {
						want[sku] = append(want[sku], u.SKU)
					}
				}
				slices.Sort(want[sku])
				want[sku] = slices.Compact(want[sku])
			}
		}
	}
	got, err := f.Families(t.Context(), skus)
	must(t, err)
	for _, list := range got {
		slices.Sort(list)
	}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("Families = %v, want %v", got, want)
	}
}

// liveOps returns changes of some units' live data, or of parts of it, some
// of them of one unit.
func (w *World) liveOps(o *Oracle) []indexer.LiveOp {
	docs := o.all()
	var ops []indexer.LiveOp
	for range w.IntN(30) {
		if len(docs) == 0 {
			break
		}
		u := pick(w, pick(w, docs).Units)
		ops = append(ops, indexer.LiveOp{SKU: u.SKU, Part: indexer.LivePart(w.IntN(3)), Live: w.Live()})
	}
	return append(ops, indexer.LiveOp{SKU: "unknown-" + strconv.Itoa(w.IntN(9)), Live: w.Live()})
}

// testPages reads whole answers page by page, by number and by cursor, also
// while other products come and go.
func testPages(t *testing.T, h Harness) {
	w := NewWorld(Seed(t))
	x, o := open(t, h), NewOracle()
	ctx := t.Context()
	fill(t, w, 150, x, o)
	for range h.scale(40) {
		q := w.Query()
		q.Offset, q.Facets = 0, indexer.PreparedFacets{Labels: Labels}
		q.Size = 1 << 20
		all, err := o.Search(ctx, q)
		must(t, err)
		q.Size = 1 + w.IntN(20)
		var got []indexer.Hit
		for {
			r, err := x.Search(ctx, q)
			must(t, err)
			got = append(got, r.Hits...)
			if r.Total != all.Total || len(got) > all.Total || r.Next == "" {
				break
			}
			q.After, err = indexer.ParseKeyset(r.Next)
			must(t, err)
		}
		if !slices.Equal(got, all.Hits) {
			t.Fatalf("the pages of %s are\n %v, want\n %v", dump(q), got, all.Hits)
		}
		for i := range all.Hits {
			if w.chance(10) {
				n, err := x.Rank(ctx, &indexer.Prepared{
					Store: q.Store, Scopes: q.Scopes, InStockOnly: q.InStockOnly, Words: q.Words, Exact: q.Exact,
					Category: q.Category, Filters: q.Filters, Attribute: q.Attribute, Facets: q.Facets, Sort: q.Sort, Variants: q.Variants,
					Size: 1, Pins: q.Pins, Boosts: q.Boosts, Now: q.Now,
				}, all.Hits[i].SKU)
				must(t, err)
				if n != i+1 {
					t.Fatalf("Rank of %s in %s = %d, want %d", all.Hits[i].SKU, dump(q), n, i+1)
				}
			}
		}
		if n, err := x.Rank(ctx, q, "nobody"); err != nil || n != 0 {
			t.Errorf("Rank of a SKU that is no hit = %d, %v", n, err)
		}
	}
	// Nothing whose key stays is skipped or comes twice while others change.
	q := &indexer.Prepared{Store: "en", Size: 7, Sort: indexer.Sort{By: indexer.SortName}, Facets: indexer.PreparedFacets{Labels: Labels}}
	changed := map[string]bool{}
	seen := map[string]int{}
	whole := *q
	whole.Size = 1 << 20
	before, err := x.Search(ctx, &whole)
	must(t, err)
	for seq := 2000; ; seq++ {
		r, err := x.Search(ctx, q)
		must(t, err)
		for _, hit := range r.Hits {
			seen[hit.SKU]++
		}
		if r.Next == "" {
			break
		}
		q.After, err = indexer.ParseKeyset(r.Next)
		must(t, err)
		op := w.Op(w.IntN(170))
		changed[op.SKU] = true
		must(t, x.Apply(ctx, []indexer.Op{op}, at(seq)))
	}
	for _, hit := range before.Hits {
		if n := seen[hit.SKU]; n != 1 && !changed[hit.SKU] {
			t.Errorf("%s, which did not change, came %d times", hit.SKU, n)
		}
	}
}

func testSuggest(t *testing.T, h Harness) {
	w := NewWorld(Seed(t))
	x, o := open(t, h), NewOracle()
	fill(t, w, 150, x, o)
	for range h.scale(100) {
		q := w.Query()
		q.Variants, q.Category, q.Filters, q.After = false, "", nil, nil
		q.Sort = indexer.Sort{By: indexer.SortRelevance}
		n := 1 + w.IntN(8)
		want, err := o.Suggest(t.Context(), q, n)
		must(t, err)
		got, err := x.Suggest(t.Context(), q, n)
		must(t, err)
		if !equal(got, want) {
			t.Fatalf("Suggest %s\n got %s\nwant %s", dump(q), dump(got), dump(want))
		}
	}
}

func testDue(t *testing.T, h Harness) {
	w := NewWorld(Seed(t))
	x, o := open(t, h), NewOracle()
	fill(t, w, 150, x, o)
	for _, hours := range []int{0, 1, 100, 500, 999, 1000, 5000} {
		now := w.Base.Add(time.Duration(hours) * time.Hour)
		for _, limit := range []int{3, 10_000} {
			want, wantNext, err := o.Due(t.Context(), now, limit)
			must(t, err)
			got, gotNext, err := x.Due(t.Context(), now, limit)
			must(t, err)
			if limit == 3 { // any three of them
				all, _, err := o.Due(t.Context(), now, 10_000)
				must(t, err)
				if len(got) != len(want) || slices.ContainsFunc(got, func(s string) bool { return !slices.Contains(all, s) }) {
					t.Errorf("Due at %v, 3 of %v: %v", now, all, got)
				}
				continue
			}
			slices.Sort(got)
			if !slices.Equal(got, want) || !gotNext.Equal(wantNext) {
				t.Errorf("Due at %v = %v, %v; want %v, %v", now, got, gotNext, want, wantNext)
			}
		}
	}
}

func testCancelled(t *testing.T, h Harness) {
	w := NewWorld(1)
	x, o := open(t, h), NewOracle()
	fill(t, w, 20, x, o)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Search(ctx, w.Query()); !errors.Is(err, context.Canceled) {
		t.Errorf("Search under a cancelled context: %v", err)
	}
	if err := x.Apply(ctx, []indexer.Op{w.Op(1)}, at(7000)); !errors.Is(err, context.Canceled) {
		t.Errorf("Apply under a cancelled context: %v", err)
	}
	must(t, x.Close())
	if _, err := x.Search(t.Context(), w.Query()); !errors.Is(err, indexer.ErrClosed) {
		t.Errorf("Search after Close: %v, want ErrClosed", err)
	}
}
