//go:build unix

package facetindex

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// benchWorld makes documents the size of real ones: 60 words of a vocabulary
// of 150,000 in Zipf's distribution, 18 attributes of a family's 40, a tree of
// 3,000 categories of which one top one has a tenth of all; besides, attributes
// that name things, with dictionaries that grow with the catalog.
type benchWorld struct {
	vocabulary []indexer.Token
	names      [][]string // of attributes, by family
	leaves     []string
	n          int
}

func newBenchWorld(n int) *benchWorld {
	w := &benchWorld{n: n}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 150_000 {
		word := make([]byte, 4+r.IntN(6))
		for j := range word {
			word[j] = "etaoinshrdlucmfgypwbvkjxqz"[min(r.IntN(26), r.IntN(26))]
		}
		term := string(word)
		if i%7 == 0 {
			term += strconv.Itoa(i)
		}
		w.vocabulary = append(w.vocabulary, indexer.Token{Term: term, Stem: "en:" + strings.TrimRight(term, "se")})
	}
	for f := range 30 {
		var names []string
		for a := range 40 {
			switch {
			case a < 8:
				names = append(names, fmt.Sprintf("common%02d", a))
			default:
				names = append(names, fmt.Sprintf("f%02d attribute %02d", f, a))
			}
		}
		w.names = append(w.names, names)
	}
	for i := range 10 { // each top category has a tenth
		for j := range 15 {
			for k := range 20 {
				w.leaves = append(w.leaves, fmt.Sprintf("top%d/group%02d/leaf%02d", i, j, k))
			}
		}
	}
	return w
}

func (w *benchWorld) sku(i int) string {
	return fmt.Sprintf("%08X", uint32(i)*2654435761)
}

func (w *benchWorld) op(i int) indexer.Op {
	r := rand.New(rand.NewPCG(uint64(i), 7))
	sku := w.sku(i)
	d := &indexer.Document{SKU: sku, Stores: []string{"de", "en", "fr"}, Search: true, Browse: true, Created: 1_700_000_000 + int64(r.IntN(50_000_000))}
	zipf := rand.NewZipf(r, 1.07, 20, uint64(len(w.vocabulary)-1))
	seen := map[string]bool{}
	var name []string
	for k := range 60 {
		t := w.vocabulary[zipf.Uint64()]
		if seen[t.Term] {
			continue
		}
		seen[t.Term] = true
		c := indexer.ClassDescription
		switch {
		case k < 6:
			c = indexer.ClassName
			name = append(name, t.Term)
		case k < 8:
			c = indexer.ClassBrand
		case k < 12:
			c = indexer.ClassCategory
		case k < 22:
			c = indexer.ClassAttribute
		}
		d.Words = append(d.Words, indexer.Word{Token: t, Class: c})
	}
	slices.SortFunc(d.Words, func(a, b indexer.Word) int { return cmp.Compare(a.Term, b.Term) })
	d.Name = strings.Join(name, " ")
	for _, c := range d.Name {
		d.NameKey = append(d.NameKey, 0x20+byte(c)>>4, byte(c)<<4)
	}
	d.NameWords = len(name)
	leaf := w.leaves[r.IntN(len(w.leaves))]
	for i, c := range leaf {
		if c == '/' {
			d.Categories = append(d.Categories, indexer.Membership{ID: leaf[:i], Position: indexer.NoPosition})
		}
	}
	direct := indexer.Membership{ID: leaf, Direct: true, Position: indexer.NoPosition}
	if i%5 == 0 {
		direct.Position = int32(r.IntN(1000))
	}
	d.Categories = append(d.Categories, direct)
	family := w.names[int(leaf[3]-'0')*3+int(leaf[10]-'0')%3]
	names := append(slices.Clone(family[:8]), family[8+r.IntN(20):]...)[:18]
	names = append(names, "ean", "weight") // nearly a value for each
	slices.Sort(names)
	value := func(name string) indexer.Value {
		switch name {
		case "ean":
			return indexer.Value{Text: sku}
		case "weight":
			k := r.IntN(w.n / 2)
			return indexer.Value{Text: strconv.Itoa(k), Num: float64(k), Type: indexer.Number}
		}
		h := len(name) + int(name[len(name)-1])
		n := []int{4, 12, 30, 200, 3000}[h%5]
		k := min(r.IntN(n), r.IntN(n))
		if h%3 == 0 {
			return indexer.Value{Text: strconv.Itoa(k), Num: float64(k), Type: indexer.Number}
		}
		return indexer.Value{Text: fmt.Sprintf("value %s %d", name[:2], k)}
	}
	for _, a := range slices.Compact(names) {
		d.Attrs = append(d.Attrs, indexer.Attr{Name: a, Values: []indexer.Value{value(a)}})
	}
	unit := func(sku string) indexer.Unit {
		a := indexer.Amount(1000 + r.IntN(2_000_000))
		l := indexer.Live{InStock: r.IntN(10) > 0}
		for _, s := range []indexer.Scope{{Currency: "EUR"}, {Currency: "USD"}} {
			l.Prices = append(l.Prices, indexer.Price{Scope: s, Amount: a, Regular: a + indexer.Amount(r.IntN(5)/4*1000)})
		}
		return indexer.Unit{SKU: sku, Live: l}
	}
	if i%20 == 0 {
		for v := range 8 {
			u := unit(sku + "-" + strconv.Itoa(v))
			u.Attrs = []indexer.Attr{
				{Name: "color", Values: []indexer.Value{{Text: "c" + strconv.Itoa(v%4)}}},
				{Name: "size", Values: []indexer.Value{{Text: strconv.Itoa(38 + v/4), Num: float64(38 + v/4), Type: indexer.Number}}},
			}
			d.Units = append(d.Units, u)
		}
	} else {
		d.Units = []indexer.Unit{unit(sku)}
	}
	return indexer.Op{SKU: sku, Docs: []*indexer.Document{d}}
}

// benchIndex returns an index of so many documents as CATALOG_BENCH_DOCS says,
// kept in CATALOG_BENCH_DIR if that is set.
func benchIndex(b *testing.B) (*Index, *benchWorld) {
	n := 20_000
	if s := os.Getenv("CATALOG_BENCH_DOCS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	w := newBenchWorld(n)
	dir := b.TempDir()
	if s := os.Getenv("CATALOG_BENCH_DIR"); s != "" {
		dir = filepath.Join(s, strconv.Itoa(n))
	}
	start := time.Now()
	x, err := Open(b.Context(), dir, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := x.Close(); err != nil {
			b.Error(err)
		}
	})
	if s, err := x.Stats(b.Context()); err == nil && s.Documents > 0 {
		b.Logf("opened in %v: %d documents, %d MB", time.Since(start), s.Documents, s.DiskBytes>>20)
		return x, w
	}
	buildBench(b, x, w)
	return x, w
}

func buildBench(b *testing.B, x *Index, w *benchWorld) {
	bld, err := x.Build(b.Context(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	var inside time.Duration
	var mu sync.Mutex
	var wg sync.WaitGroup
	const batch = 500
	for g := range 2 {
		wg.Go(func() {
			var own time.Duration
			for from := g * batch; from < w.n; from += 2 * batch {
				var ops []indexer.Op
				for i := from; i < min(from+batch, w.n); i++ {
					ops = append(ops, w.op(i))
				}
				start := time.Now()
				if err := bld.Apply(context.Background(), ops); err != nil {
					b.Error(err)
				}
				own += time.Since(start)
			}
			mu.Lock()
			inside += own
			mu.Unlock()
		})
	}
	wg.Wait()
	start := time.Now()
	if err := bld.Publish(b.Context(), catalog.Cursor{Epoch: "bench", Seq: 1}); err != nil {
		b.Fatal(err)
	}
	publish := time.Since(start)
	s, err := x.Stats(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.Logf("%d documents: %.1f µs each in Apply (of one goroutine), %v to publish, %d MB on disk, heap from the system %d MB",
		w.n, float64(inside.Microseconds())/float64(w.n), publish, s.DiskBytes>>20, m.HeapSys>>20)
}

// times runs f n times and reports percentiles.
func times(b *testing.B, f func(i int)) {
	var list []time.Duration
	var before, after syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &before); err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		start := time.Now()
		f(i)
		list = append(list, time.Since(start))
	}
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &after); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(after.Utime.Nano()+after.Stime.Nano()-before.Utime.Nano()-before.Stime.Nano())/1e6/float64(len(list)), "cpu-ms")
	slices.Sort(list)
	b.ReportMetric(float64(list[len(list)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(list[len(list)*95/100].Microseconds())/1000, "p95-ms")
}

func BenchmarkQueries(b *testing.B) {
	x, w := benchIndex(b)
	labels := func(string) indexer.AttributeMeta { return indexer.AttributeMeta{} }
	base := func() *indexer.Prepared {
		return &indexer.Prepared{
			Store: "en", Scopes: []indexer.Scope{{Currency: "EUR"}}, Size: 24,
			Facets: indexer.PreparedFacets{Auto: 8, Values: 20, Labels: labels}, Sort: indexer.Sort{By: indexer.SortPosition},
		}
	}
	top := func(i int) *indexer.Prepared {
		q := base()
		q.Category = "top" + strconv.Itoa(i%10)
		for k := range 15 {
			q.Facets.Children = append(q.Facets.Children, fmt.Sprintf("%s/group%02d", q.Category, k))
		}
		return q
	}
	run := func(b *testing.B, q *indexer.Prepared) *indexer.Result {
		r, err := x.Search(context.Background(), q)
		if err != nil {
			b.Fatal(err)
		}
		return r
	}
	word := func(k int) indexer.QueryWord {
		t := w.vocabulary[k]
		return indexer.QueryWord{Text: t.Term, Alts: []indexer.Alternative{{Words: []indexer.QueryToken{{Term: t.Term, Stems: []string{t.Stem}}}}}}
	}
	text := func(i int) *indexer.Prepared {
		q := base()
		q.Sort.By = indexer.SortRelevance
		q.Words = []indexer.QueryWord{word(20 + i%200), word(50 + i*7%500)}
		q.Words[1].Last = true
		q.Exact = q.Words[0].Text + " " + q.Words[1].Text
		return q
	}
	b.Run("category", func(b *testing.B) { times(b, func(i int) { run(b, top(i)) }) })
	b.Run("category-stock", func(b *testing.B) {
		times(b, func(i int) {
			q := top(i)
			q.InStockOnly = true
			run(b, q)
		})
	})
	b.Run("category-price", func(b *testing.B) {
		times(b, func(i int) {
			q := top(i)
			q.Sort.By = indexer.SortPrice
			run(b, q)
		})
	})
	b.Run("category-filter", func(b *testing.B) {
		times(b, func(i int) {
			q := top(i)
			lo, hi := 10.0, 120.0
			q.Filters = []indexer.Filter{{Field: "common01", Values: []string{"value co 1", "value co 2", "1", "2"}}, {Field: "price", Ranges: []indexer.Range{{From: &lo, To: &hi}}}}
			q.Facets.Names = []string{"price"}
			run(b, q)
		})
	})
	b.Run("leaf", func(b *testing.B) {
		times(b, func(i int) {
			q := base()
			q.Category = w.leaves[i*37%len(w.leaves)]
			run(b, q)
		})
	})
	b.Run("everything", func(b *testing.B) { times(b, func(int) { run(b, base()) }) })
	b.Run("two-words", func(b *testing.B) { times(b, func(i int) { run(b, text(i)) }) })
	b.Run("typo", func(b *testing.B) {
		times(b, func(i int) {
			q := text(i)
			t := &q.Words[0].Alts[0].Words[0]
			t.Term, t.Stems = t.Term+"q", nil
			run(b, q)
		})
	})
	for _, n := range []int{2, 4} {
		b.Run("suggest-"+strconv.Itoa(n), func(b *testing.B) {
			times(b, func(i int) {
				q := base()
				q.Sort.By = indexer.SortRelevance
				q.Words = []indexer.QueryWord{word(20 + i%500)}
				t := &q.Words[0].Alts[0].Words[0]
				t.Term, t.Stems, q.Words[0].Last = t.Term[:n], nil, true
				if _, err := x.Suggest(context.Background(), q, 8); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
	b.Cleanup(func() {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.Logf("heap in use %d MB, from the system %d MB", m.HeapInuse>>20, m.HeapSys>>20)
	})
	b.Run("pages-parallel", func(b *testing.B) {
		b.RunParallel(func(p *testing.PB) {
			for i := 0; p.Next(); i++ {
				q := base()
				q.Category = w.leaves[i*37%len(w.leaves)]
				switch {
				case i%10 == 0:
					q = top(i / 10)
				case i%10 < 4:
					q.Category = q.Category[:len(q.Category)-7]
				}
				run(b, q)
			}
		})
	})
}

// BenchmarkChanges changes products, and prices, of an index.
func BenchmarkChanges(b *testing.B) {
	x, w := benchIndex(b)
	seq := catalog.Seq(10)
	b.Run("apply-100", func(b *testing.B) {
		batches := make([][]indexer.Op, 50)
		for i := range batches {
			for k := range 100 {
				batches[i] = append(batches[i], w.op((i*7919+k*104729)%w.n))
			}
		}
		times(b, func(i int) {
			seq++
			if err := x.Apply(context.Background(), batches[i%len(batches)], catalog.Cursor{Epoch: "bench", Seq: seq}); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("prices-100000", func(b *testing.B) {
		var ops []indexer.LiveOp
		for i := range min(100_000, w.n) {
			l := indexer.Live{InStock: i%3 > 0, Prices: []indexer.Price{{Scope: indexer.Scope{Currency: "EUR"}, Amount: indexer.Amount(i), Regular: indexer.Amount(i)}}}
			ops = append(ops, indexer.LiveOp{SKU: w.sku(i * 13 % w.n), Live: l})
		}
		times(b, func(int) {
			seq++
			if err := x.ApplyLive(context.Background(), ops, catalog.Cursor{Epoch: "bench", Seq: seq}); err != nil {
				b.Fatal(err)
			}
		})
	})
}
