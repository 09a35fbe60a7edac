package elasticindex_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"catalog/indexer"
	"catalog/indexer/elasticindex"
	"catalog/indexer/indextest"
)

// envDocs is how many products the benchmarks have.
const envDocs = "CATALOG_BENCH_PRODUCTS"

func benchSize(b *testing.B) int {
	n := 20_000
	if s := os.Getenv(envDocs); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	return n
}

// product returns the i-th of n products: 60 words, 18 attributes, one in
// twenty with twelve variants.
func product(i int) indexer.Op {
	r := rand.New(rand.NewPCG(uint64(i), 7))
	sku := fmt.Sprintf("B-%07d", i)
	d := &indexer.Document{SKU: sku, Stores: []string{"de", "en"}, Search: true, Browse: true, Name: "Product " + sku, NameKey: []byte("product " + sku), NameWords: 4, Created: 1.7e9 + int64(i)}
	seen := map[string]bool{}
	for j := range 60 {
		term := "w" + strconv.Itoa(int(float64(30_000)*r.Float64()*r.Float64()*r.Float64()))
		if !seen[term] {
			seen[term] = true
			c := indexer.ClassDescription
			if j < 5 {
				c = indexer.ClassName
			}
			d.Words = append(d.Words, indexer.Word{Token: indexer.Token{Term: term, Stem: "en:" + term}, Class: c})
		}
	}
	slices.SortFunc(d.Words, func(a, b indexer.Word) int { return strings.Compare(a.Term, b.Term) })
	top := r.IntN(10)
	for _, id := range []string{fmt.Sprintf("c%d", top), fmt.Sprintf("c%d/s%d", top, r.IntN(20))} {
		d.Categories = append(d.Categories, indexer.Membership{ID: id, Position: indexer.NoPosition, Direct: strings.Contains(id, "/")})
	}
	for j := range 18 {
		a := indexer.Attr{Name: fmt.Sprintf("attribute%02d", j)}
		v := indexer.Value{Text: fmt.Sprintf("value %d", r.IntN(4+j*3))}
		if j%5 == 4 {
			f := float64(r.IntN(400))
			v = indexer.Value{Text: strconv.Itoa(int(f)), Num: f, Type: indexer.Number}
		}
		a.Values = []indexer.Value{v}
		d.Attrs = append(d.Attrs, a)
	}
	live := func() indexer.Live {
		a := indexer.Amount(1+r.IntN(100_000)) * 100
		return indexer.Live{InStock: r.IntN(10) > 0, Prices: []indexer.Price{{Scope: indexer.Scope{Currency: "EUR"}, Amount: a, Regular: a}}}
	}
	if i%20 != 0 {
		d.Units = []indexer.Unit{{SKU: sku, Live: live()}}
	} else {
		for j := range 12 {
			d.Units = append(d.Units, indexer.Unit{SKU: sku + "-" + string(rune('a'+j)), Live: live(), Attrs: []indexer.Attr{{Name: "attribute00", Values: []indexer.Value{{Text: "value " + strconv.Itoa(j%4)}}}}})
		}
	}
	return indexer.Op{SKU: sku, Docs: []*indexer.Document{d}}
}

// recorder keeps the bodies of requests.
type recorder struct {
	mu   sync.Mutex
	on   bool
	list []recorded
}

type recorded struct {
	method, path, mime string
	body               []byte
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	on := r.on
	r.mu.Unlock()
	if on {
		c := recorded{method: req.Method, path: req.URL.RequestURI(), mime: req.Header.Get("Content-Type")}
		if req.Body != nil {
			var err error
			if c.body, err = io.ReadAll(req.Body); err != nil {
				return nil, err
			}
			req.Body = io.NopCloser(bytes.NewReader(c.body))
		}
		r.mu.Lock()
		r.list = append(r.list, c)
		r.mu.Unlock()
	}
	return http.DefaultTransport.RoundTrip(req)
}

// record returns the requests that f makes.
func (r *recorder) record(f func()) []recorded {
	r.mu.Lock()
	r.on, r.list = true, nil
	r.mu.Unlock()
	f()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.on = false
	return r.list
}

// send repeats a request, and reads the answer.
func send(b testing.TB, url string, c recorded) {
	req, err := http.NewRequest(c.method, url+c.path, bytes.NewReader(c.body))
	must(b, err)
	req.Header.Set("Content-Type", c.mime)
	resp, err := http.DefaultTransport.RoundTrip(req)
	must(b, err)
	_, err = io.Copy(io.Discard, resp.Body)
	must(b, err)
	must(b, resp.Body.Close())
	if resp.StatusCode >= 300 {
		b.Fatalf("%s %s: %s", c.method, c.path, resp.Status)
	}
}

// BenchmarkBuild builds an index of products; beside it the same bulk requests,
// ready-made, are sent by a bare loop on 1, 2 and 4 connections. One round is
// one build: run it with -benchtime=1x.
func BenchmarkBuild(b *testing.B) {
	url, n := server(b), benchSize(b)
	list := make([]indexer.Op, n)
	for i := range list {
		list[i] = product(i)
	}
	rec := &recorder{}
	x := open(b, url, "", elasticindex.Options{Transport: rec})
	defer x.Close()
	name, _ := names.Load(x)
	fill := func(bl indexer.Builder) {
		var wg sync.WaitGroup
		work := make(chan []indexer.Op)
		for range 2 {
			wg.Go(func() {
				for ops := range work {
					if err := bl.Apply(b.Context(), ops); err != nil {
						b.Error(err)
					}
				}
			})
		}
		for ops := range slices.Chunk(list, 64) {
			work <- ops
		}
		close(work)
		wg.Wait()
	}
	var bulks []recorded
	var generation string
	run := func(b *testing.B, keep bool) {
		for range b.N {
			bl, err := x.Build(b.Context(), "fp")
			must(b, err)
			start := time.Now()
			f := func() {
				fill(bl)
				must(b, bl.Publish(b.Context(), at(1)))
			}
			if keep {
				bulks = rec.record(f)
			} else {
				f()
			}
			b.ReportMetric(float64(n)/time.Since(start).Seconds(), "products/s")
		}
	}
	run(b, true) // warms the server up, too
	bulks = slices.DeleteFunc(bulks, func(c recorded) bool { return !strings.Contains(c.path, "/_bulk") })
	generation = strings.Split(bulks[0].path, "/")[1]
	b.Run("index", func(b *testing.B) { run(b, false) })
	for _, conns := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("bare/%d", conns), func(b *testing.B) {
			for range b.N {
				bl, err := x.Build(b.Context(), "fp") // an empty generation with the same mapping
				must(b, err)
				all := indexes(b, url, name.(string))
				slices.Sort(all)
				to := all[len(all)-2] // the last is the dictionary
				start := time.Now()
				var wg sync.WaitGroup
				work := make(chan recorded)
				for range conns {
					wg.Go(func() {
						for c := range work {
							c.path = strings.Replace(c.path, generation, to, 1)
							send(b, url, c)
						}
					})
				}
				for _, c := range bulks {
					work <- c
				}
				close(work)
				wg.Wait()
				send(b, url, recorded{method: "POST", path: "/" + to + "/_refresh", mime: "application/json"})
				b.ReportMetric(float64(n)/time.Since(start).Seconds(), "products/s")
				must(b, bl.Abort())
			}
		})
	}
}

// BenchmarkQueries asks for pages, each another one, and beside it sends the
// same requests bare. It applies changes of prices at last.
func BenchmarkQueries(b *testing.B) {
	url, n := server(b), benchSize(b)
	rec := &recorder{}
	x := open(b, url, "", elasticindex.Options{Transport: rec})
	defer x.Close()
	bl, err := x.Build(b.Context(), "fp")
	must(b, err)
	for i := 0; i < n; i += 1000 {
		var list []indexer.Op
		for j := i; j < min(i+1000, n); j++ {
			list = append(list, product(j))
		}
		must(b, bl.Apply(b.Context(), list))
	}
	must(b, bl.Publish(b.Context(), at(1)))
	labels := indexer.PreparedFacets{Labels: indextest.Labels}
	eight := indexer.PreparedFacets{Labels: indextest.Labels, Auto: 8, Values: 20}
	word := func(i int) indexer.QueryWord {
		t := "w" + strconv.Itoa(i)
		return indexer.QueryWord{Text: t, Alts: []indexer.Alternative{{Words: []indexer.QueryToken{{Term: t, Stems: []string{"en:" + t}}}}}}
	}
	eur := []indexer.Scope{{Currency: "EUR"}}
	for _, c := range []struct {
		name  string
		query func(i int) *indexer.Prepared
	}{
		{"category10", func(i int) *indexer.Prepared {
			return &indexer.Prepared{
				Category: fmt.Sprintf("c%d", i%10), Sort: indexer.Sort{By: indexer.SortPosition}, Facets: eight,
				Filters: []indexer.Filter{{Field: fmt.Sprintf("attribute%02d", i%3), Values: []string{"value 1", "value 2", "value 0"}}},
			}
		}},
		{"category10plain", func(i int) *indexer.Prepared {
			return &indexer.Prepared{Category: fmt.Sprintf("c%d", i%10), Sort: indexer.Sort{By: indexer.SortName}, Offset: i % 240, Facets: eight}
		}},
		{"category10hits", func(i int) *indexer.Prepared {
			return &indexer.Prepared{Category: fmt.Sprintf("c%d", i%10), Sort: indexer.Sort{By: indexer.SortName}, Offset: i % 240, Facets: labels}
		}},
		{"leaf", func(i int) *indexer.Prepared {
			return &indexer.Prepared{Category: fmt.Sprintf("c%d/s%d", i%10, i%20), Sort: indexer.Sort{By: indexer.SortPrice}, Facets: eight}
		}},
		{"price10", func(i int) *indexer.Prepared {
			return &indexer.Prepared{Category: fmt.Sprintf("c%d", i%10), Sort: indexer.Sort{By: indexer.SortPrice}, Facets: labels}
		}},
		{"words", func(i int) *indexer.Prepared {
			return &indexer.Prepared{Words: []indexer.QueryWord{word(i % 300), word(300 + i%700)}, Sort: indexer.Sort{By: indexer.SortRelevance}, Facets: eight}
		}},
	} {
		prepared := func(i int) *indexer.Prepared {
			q := c.query(i)
			q.Store, q.Size, q.Scopes = "en", 24, eur
			return q
		}
		measure := func(b *testing.B, f func(i int)) {
			var times []time.Duration
			for i := 0; b.Loop(); i++ {
				start := time.Now()
				f(i)
				times = append(times, time.Since(start))
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "ms-p50")
			b.ReportMetric(float64(times[len(times)*95/100].Microseconds())/1000, "ms-p95")
		}
		search := func(i int) {
			_, err := x.Search(b.Context(), prepared(i))
			must(b, err)
		}
		for i := range 50 {
			search(i)
		}
		b.Run(c.name+"/index", func(b *testing.B) { measure(b, search) })
		requests := make([][]recorded, 60)
		for i := range requests {
			requests[i] = slices.DeleteFunc(rec.record(func() { search(i) }), func(c recorded) bool { return !strings.Contains(c.path, "_msearch") })
			for j := range requests[i] {
				requests[i][j].body = withoutPIT(requests[i][j].body, x, b)
			}
		}
		b.Run(c.name+"/bare", func(b *testing.B) {
			measure(b, func(i int) {
				for _, r := range requests[i%len(requests)] {
					send(b, url, r)
				}
			})
		})
	}
	b.Run("changes", func(b *testing.B) {
		seq, total := 2, 0
		for b.Loop() {
			var list []indexer.Op
			for range 1000 {
				op := product(rand.IntN(n))
				u := &op.Docs[0].Units[0]
				u.Live.Prices[0].Amount += indexer.Amount(seq)
				list = append(list, op)
			}
			must(b, x.Apply(b.Context(), list, at(seq)))
			seq++
			total += len(list)
		}
		b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "changes/s")
	})
}

// withoutPIT lets recorded searches go to the index itself.
func withoutPIT(body []byte, x *elasticindex.Index, b *testing.B) []byte {
	name, _ := names.Load(x)
	lines := bytes.Split(body, []byte("\n"))
	for i, l := range lines {
		if at := bytes.Index(l, []byte(`"pit":{`)); at >= 0 {
			end := at + bytes.IndexByte(l[at:], '}') + 1
			if l[end] == ',' {
				end++
			}
			lines[i] = append(slices.Clone(l[:at]), l[end:]...)
			lines[i-1] = []byte(`{"allow_partial_search_results":false,"index":"catalog-` + name.(string) + `"}`)
		}
	}
	return bytes.Join(lines, []byte("\n"))
}
