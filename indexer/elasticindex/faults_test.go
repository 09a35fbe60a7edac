package elasticindex_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/fixtures/elastic"
	"catalog/indexer"
	"catalog/indexer/elasticindex"
	"catalog/indexer/indextest"
)

// faulty is a transport that may answer in the server's place: when answer
// returns neither, the request goes through.
type faulty struct {
	mu     sync.Mutex
	answer func(n int, req *http.Request, body []byte) (*http.Response, error)
	n      int
}

func (f *faulty) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	f.mu.Lock()
	f.n++
	n, answer := f.n, f.answer
	f.mu.Unlock()
	if answer != nil {
		if resp, err := answer(n, req, body); resp != nil || err != nil {
			return resp, err
		}
	}
	return http.DefaultTransport.RoundTrip(req)
}

func (f *faulty) set(answer func(n int, req *http.Request, body []byte) (*http.Response, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

func respond(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {"application/json"}, "X-Elastic-Product": {"Elasticsearch"}},
	}
}

func at(seq int) catalog.Cursor { return catalog.Cursor{Epoch: "e", Seq: catalog.Seq(seq)} }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ops returns an op for each product, without a repetition.
func ops(w *indextest.World, from, to int) []indexer.Op {
	var list []indexer.Op
	for i := from; i < to; i++ {
		list = append(list, w.Op(i))
	}
	return list
}

// both applies the same to an index and to the oracle.
func both(t *testing.T, x, o indexer.Index, list []indexer.Op, seq int) {
	t.Helper()
	must(t, o.Apply(t.Context(), list, at(seq)))
	must(t, x.Apply(t.Context(), list, at(seq)))
}

func build(t testing.TB, list []indexer.Op, seq int, to ...indexer.Index) {
	t.Helper()
	for _, x := range to {
		b, err := x.Build(t.Context(), "fp")
		must(t, err)
		must(t, b.Apply(t.Context(), list))
		must(t, b.Publish(t.Context(), at(seq)))
	}
}

func wantCursor(t *testing.T, x indexer.Index, seq int) {
	t.Helper()
	if c, err := x.Cursor(t.Context()); err != nil || c != at(seq) {
		t.Errorf("Cursor = %v, %v; want %v", c, err, at(seq))
	}
}

// TestBusy lets every other request fail in one of the ways that pass.
func TestBusy(t *testing.T) {
	url := server(t)
	f := &faulty{}
	x := open(t, url, "", elasticindex.Options{Transport: f, BulkBytes: 64 << 10})
	defer x.Close()
	o := indextest.NewOracle()
	w := indextest.NewWorld(indextest.Seed(t))
	f.set(func(n int, _ *http.Request, _ []byte) (*http.Response, error) {
		switch n % 6 {
		case 1:
			return respond(http.StatusTooManyRequests, `{"error":{"type":"circuit_breaking_exception","reason":"planted"},"status":429}`), nil
		case 3:
			return respond(http.StatusServiceUnavailable, `not json`), nil
		case 5:
			return nil, errors.New("planted: connection reset")
		}
		return nil, nil
	})
	build(t, ops(w, 0, 100), 1, x, o)
	for i := range 5 {
		both(t, x, o, ops(w, i*20, i*20+30), 2+i)
	}
	wantCursor(t, x, 6)
	indextest.CompareDigests(t, x, o)
	indextest.Compare(t, w, x, o, 10)
}

// TestHalfBulk lets the server reject the second half of every bulk request
// for want of time, and lose its answer to the next.
func TestHalfBulk(t *testing.T) {
	url := server(t)
	f := &faulty{}
	x := open(t, url, "", elasticindex.Options{Transport: f})
	defer x.Close()
	o := indextest.NewOracle()
	w := indextest.NewWorld(indextest.Seed(t))
	build(t, ops(w, 0, 60), 1, x, o)
	halves := 0
	f.set(func(n int, req *http.Request, body []byte) (*http.Response, error) {
		if !strings.HasSuffix(req.URL.Path, "/_bulk") {
			return nil, nil
		}
		actions := splitBulk(body)
		if len(actions) < 2 {
			return nil, nil
		}
		halves++
		half := len(actions) / 2
		req.Body = io.NopCloser(bytes.NewReader(bytes.Join(actions[:half], nil)))
		req.ContentLength = int64(len(bytes.Join(actions[:half], nil)))
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		if halves%3 == 0 {
			return nil, errors.New("planted: the answer is lost")
		}
		var answer struct {
			Errors bool              `json:"errors"`
			Items  []json.RawMessage `json:"items"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			return nil, err
		}
		answer.Errors = true
		for len(answer.Items) < len(actions) {
			answer.Items = append(answer.Items, json.RawMessage(`{"index":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"planted"}}}`))
		}
		b, err := json.Marshal(answer)
		return respond(http.StatusOK, string(b)), err
	})
	for i := range 4 {
		both(t, x, o, ops(w, i*10, i*10+40), 2+i)
	}
	if halves < 4 {
		t.Errorf("only %d bulk requests were cut in half", halves)
	}
	wantCursor(t, x, 5)
	indextest.CompareDigests(t, x, o)
}

// splitBulk cuts a bulk body into its actions.
func splitBulk(body []byte) [][]byte {
	var list [][]byte
	for line := range bytes.Lines(body) {
		if bytes.HasPrefix(line, []byte(`{"index":{"_id"`)) || bytes.HasPrefix(line, []byte(`{"delete":{"_id"`)) {
			list = append(list, nil)
		}
		list[len(list)-1] = append(list[len(list)-1], line...)
	}
	return list
}

// TestPoison applies a product that the server refuses for a number that is
// out of range, and one whose SKU is longer than an _id may be.
func TestPoison(t *testing.T) {
	url := server(t)
	x := open(t, url, "", elasticindex.Options{})
	defer x.Close()
	o := indextest.NewOracle()
	w := indextest.NewWorld(indextest.Seed(t))
	poison := indexer.Op{SKU: "P-9999", Docs: []*indexer.Document{{SKU: "P-9999", Stores: []string{"en"}, NameWords: 1 << 40, Units: []indexer.Unit{{SKU: "P-9999"}}}}}
	long := strings.Repeat("x", 600)
	second := indexer.Op{SKU: long, Docs: []*indexer.Document{{SKU: long, Stores: []string{"en"}, Units: []indexer.Unit{{SKU: long}}}}}
	first := ops(w, 0, 20)
	must(t, o.Apply(t.Context(), first, at(1)))
	b, err := x.Build(t.Context(), "fp")
	must(t, err)
	// What is wrong at first sight Apply says, the rest the server at last.
	rejects(t, b.Apply(t.Context(), append(slices.Clone(first), poison, second)), long)
	rejects(t, b.Publish(t.Context(), at(1)), poison.SKU)
	wantCursor(t, x, 1)
	indextest.CompareDigests(t, x, o)

	next := ops(w, 10, 30)
	must(t, o.Apply(t.Context(), next, at(2)))
	rejects(t, x.Apply(t.Context(), append([]indexer.Op{poison, second}, next...), at(2)), poison.SKU, long)
	wantCursor(t, x, 2)
	indextest.CompareDigests(t, x, o)
}

func rejects(t *testing.T, err error, skus ...string) {
	t.Helper()
	var e *indexer.RejectedError
	if !errors.As(err, &e) || len(e.Products) != len(skus) {
		t.Fatalf("poisoned products: %.300v, want a RejectedError of them alone", err)
	}
	for _, sku := range skus {
		if e.Products[sku] == nil {
			t.Errorf("%.20s is not among the rejected products", sku)
		}
	}
}

// TestReadOnly blocks the index as a full disk does, and lifts the block.
func TestReadOnly(t *testing.T) {
	url := server(t)
	name := ""
	x := open(t, url, name, elasticindex.Options{})
	defer x.Close()
	o := indextest.NewOracle()
	w := indextest.NewWorld(indextest.Seed(t))
	build(t, ops(w, 0, 20), 1, x, o)
	both(t, x, o, ops(w, 0, 5), 2)
	n, _ := names.Load(x)
	settings := url + "/catalog-" + n.(string) + "/_settings"
	call(t, "PUT", settings, `{"index.blocks.read_only_allow_delete":true}`)
	list := ops(w, 5, 25)
	start := time.Now()
	if err := x.Apply(t.Context(), list, at(3)); !errors.Is(err, elasticindex.ErrReadOnly) || !errors.Is(err, catalog.ErrFull) {
		t.Errorf("Apply to a blocked index: %v", err)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("a blocked index was tried for %v", d)
	}
	wantCursor(t, x, 2)
	indextest.Compare(t, w, x, o, 5) // what was there still answers
	call(t, "PUT", settings, `{"index.blocks.read_only_allow_delete":null}`)
	both(t, x, o, list, 3)
	wantCursor(t, x, 3)
	indextest.CompareDigests(t, x, o)
}

// TestLateRepetition sends an old bulk request again after newer ones, as a
// proxy may that had lost it for a while, also one of a removed product.
func TestLateRepetition(t *testing.T) {
	url := server(t)
	f := &faulty{}
	x := open(t, url, "", elasticindex.Options{Transport: f})
	defer x.Close()
	o := indextest.NewOracle()
	w := indextest.NewWorld(indextest.Seed(t))
	build(t, ops(w, 0, 20), 1, x, o)
	var late *http.Request
	var lateBody []byte
	f.set(func(_ int, req *http.Request, body []byte) (*http.Response, error) {
		if late == nil && strings.HasSuffix(req.URL.Path, "/_bulk") {
			late, lateBody = req.Clone(t.Context()), body
		}
		return nil, nil
	})
	both(t, x, o, ops(w, 0, 20), 2)
	newer := ops(w, 0, 20)
	for i := range newer[:5] {
		newer[i].Docs = nil
	}
	both(t, x, o, newer, 3)
	late.Body = io.NopCloser(bytes.NewReader(lateBody))
	resp, err := http.DefaultTransport.RoundTrip(late)
	must(t, err)
	must(t, resp.Body.Close())
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the repetition was answered %s", resp.Status)
	}
	both(t, x, o, nil, 4)
	indextest.CompareDigests(t, x, o)
}

// TestStopped kills the server under writes and starts it again: nothing that
// was confirmed is lost, and the rest is caught up with.
func TestStopped(t *testing.T) {
	server(t)
	s := shared.server
	if !s.Local() {
		var err error
		s, err = elastic.StartLocal(t.Context(), elastic.Options{})
		must(t, err)
		defer func() { must(t, s.Close()) }()
	}
	o := indextest.NewOracle()
	w := indextest.NewWorld(indextest.Seed(t))
	x := open(t, s.URL(), "", elasticindex.Options{RetryFor: 300 * time.Millisecond})
	defer func() { must(t, x.Close()) }()
	build(t, ops(w, 0, 50), 1, x, o)
	both(t, x, o, ops(w, 0, 50), 2)

	last, killed := 2, make(chan error, 1)
	go func() {
		time.Sleep(500 * time.Millisecond)
		killed <- s.Kill()
	}()
	var list []indexer.Op
	var err error
	for err == nil {
		list = ops(w, 0, 60)
		if err = x.Apply(t.Context(), list, at(last+1)); err == nil {
			must(t, o.Apply(t.Context(), list, at(last+1)))
			last++
		}
	}
	must(t, <-killed)
	if !errors.Is(err, elasticindex.ErrUnavailable) {
		t.Errorf("Apply to a server that is away: %v", err)
	}
	if _, err := x.Search(t.Context(), w.Query()); !errors.Is(err, elasticindex.ErrUnavailable) {
		t.Errorf("Search of a server that is away: %v", err)
	}
	must(t, s.Restart(t.Context()))
	// The cursor may be one further when only the answer was lost.
	if c, err := x.Cursor(t.Context()); err != nil || c != at(last) && c != at(last+1) {
		t.Errorf("Cursor after the crash = %v, %v; want %v or the next", c, err, at(last))
	}
	both(t, x, o, list, last+1)
	wantCursor(t, x, last+1)
	indextest.CompareDigests(t, x, o)
	indextest.Compare(t, w, x, o, 10)
}

// TestRebuildUnderWrites rebuilds while the serving generation changes, each
// change going into both, and looks at what remains on the server.
func TestRebuildUnderWrites(t *testing.T) {
	url := server(t)
	x := open(t, url, "", elasticindex.Options{BulkBytes: 32 << 10})
	defer x.Close()
	n, _ := names.Load(x)
	name := n.(string)
	o := indextest.NewOracle()
	w := indextest.NewWorld(indextest.Seed(t))
	all := ops(w, 0, 200)
	build(t, all, 1, x, o)
	abandoned, err := x.Build(t.Context(), "never")
	must(t, err)
	must(t, abandoned.Apply(t.Context(), ops(w, 0, 50)))
	b, err := x.Build(t.Context(), "fp2")
	must(t, err)
	for i := range 20 {
		must(t, b.Apply(t.Context(), all[i*10:i*10+10]))
		if i > 2 {
			change := ops(w, (i-2)*5, (i-2)*5+8)
			both(t, x, o, change, 2+i)
			must(t, b.Apply(t.Context(), change)) // also products that are there already
		}
	}
	must(t, b.Publish(t.Context(), at(50)))
	must(t, b.Abort())
	wantCursor(t, x, 50)
	indextest.CompareDigests(t, x, o)
	if list := indexes(t, url, name); len(list) != 2 {
		t.Errorf("after a rebuild there are %v, want one generation and the dictionary", list)
	}
	if err := abandoned.Publish(t.Context(), at(51)); err == nil {
		t.Error("a build that was removed could be published")
	}
	must(t, abandoned.Abort())
	both(t, x, o, ops(w, 0, 10), 52)
	indextest.CompareDigests(t, x, o)
}

// TestSettings looks at the settings of a build, of what it published, and of
// an index that was left with those of a build.
func TestSettings(t *testing.T) {
	url := server(t)
	x := open(t, url, "", elasticindex.Options{})
	n, _ := names.Load(x)
	name := n.(string)
	w := indextest.NewWorld(indextest.Seed(t))
	interval := func(index string) string {
		t.Helper()
		var answer map[string]struct {
			Settings struct {
				Index struct {
					Refresh  string `json:"refresh_interval"`
					Replicas string `json:"number_of_replicas"`
					Translog struct {
						Durability string `json:"durability"`
					} `json:"translog"`
				} `json:"index"`
			} `json:"settings"`
		}
		must(t, json.Unmarshal(call(t, "GET", url+"/"+index+"/_settings", ""), &answer))
		for _, a := range answer {
			i := a.Settings.Index
			return i.Refresh + " " + i.Replicas + " " + i.Translog.Durability
		}
		return ""
	}
	b, err := x.Build(t.Context(), "fp")
	must(t, err)
	if got := interval("catalog-" + name + "-000001"); got != "-1 0 async" {
		t.Errorf("settings of a build are %q", got)
	}
	must(t, b.Publish(t.Context(), at(1)))
	if got := interval("catalog-" + name); got != "1s 0 request" {
		t.Errorf("settings of what was published are %q", got)
	}
	call(t, "PUT", url+"/catalog-"+name+"/_settings", `{"index":{"refresh_interval":"-1","translog.durability":"async"}}`)
	must(t, x.Close())
	x = open(t, url, name, elasticindex.Options{})
	defer x.Close()
	must(t, x.Apply(t.Context(), ops(w, 0, 3), at(2)))
	if got := interval("catalog-" + name); got != "1s 0 request" {
		t.Errorf("settings after the next process's first Apply are %q", got)
	}
}

// TestSuperseded lets a second process write: the first one's writes, which it
// does not know to be late, must not undo the second one's.
func TestSuperseded(t *testing.T) {
	url := server(t)
	first := open(t, url, "", elasticindex.Options{})
	defer first.Close()
	n, _ := names.Load(first)
	o := indextest.NewOracle()
	w := indextest.NewWorld(indextest.Seed(t))
	build(t, ops(w, 0, 30), 1, first, o)
	both(t, first, o, ops(w, 0, 30), 2)
	second := open(t, url, n.(string), elasticindex.Options{})
	defer second.Close()
	both(t, second, o, ops(w, 0, 30), 3)
	if err := first.Apply(t.Context(), ops(w, 0, 30), at(4)); !errors.Is(err, elasticindex.ErrSuperseded) {
		t.Errorf("Apply of the first process: %v, want ErrSuperseded", err)
	}
	wantCursor(t, first, 3)
	// Documents that the second did not have are the first's, until the second
	// says otherwise: it follows the same log.
	both(t, second, o, ops(w, 0, 30), 4)
	indextest.CompareDigests(t, second, o)
}

// TestFormat opens an index of another version.
func TestFormat(t *testing.T) {
	url := server(t)
	x := open(t, url, "", elasticindex.Options{})
	n, _ := names.Load(x)
	w := indextest.NewWorld(1)
	build(t, ops(w, 0, 3), 1, x)
	must(t, x.Close())
	call(t, "PUT", url+"/catalog-"+n.(string)+"/_mapping", `{"_meta":{"format":999}}`)
	x = open(t, url, n.(string), elasticindex.Options{})
	defer x.Close()
	for doing, err := range map[string]error{
		"Cursor": second(x.Cursor(t.Context())), "Search": second(x.Search(t.Context(), w.Query())), "Apply": x.Apply(t.Context(), nil, at(2)),
	} {
		if !errors.Is(err, indexer.ErrFormat) {
			t.Errorf("%s of another format: %v, want ErrFormat", doing, err)
		}
	}
	build(t, ops(w, 0, 3), 2, x)
	wantCursor(t, x, 2)
}

func second[T any](_ T, err error) error { return err }

// TestPlantedFaults changes documents behind the index's back and expects the
// digests to say so.
func TestPlantedFaults(t *testing.T) {
	url := server(t)
	x := open(t, url, "", elasticindex.Options{})
	defer x.Close()
	n, _ := names.Load(x)
	index := url + "/catalog-" + n.(string)
	u := func(sku, colour string) indexer.Unit {
		return indexer.Unit{
			SKU: sku, Attrs: []indexer.Attr{{Name: "color", Values: []indexer.Value{{Text: colour}}}},
			Live: indexer.Live{InStock: true, Prices: []indexer.Price{{Scope: indexer.Scope{Currency: "EUR"}, Amount: 10000, Regular: 10000}}},
		}
	}
	doc := &indexer.Document{
		SKU: "A", Stores: []string{"en"}, Search: true, Browse: true, NameKey: []byte("a"),
		Words: []indexer.Word{{Token: indexer.Token{Term: "shoe", Stem: "en:shoe"}, Class: indexer.ClassName}},
		Units: []indexer.Unit{u("A-1", "red"), u("A-2", "blue")},
	}
	build(t, []indexer.Op{{SKU: "A", Docs: []*indexer.Document{doc}}}, 1, x)
	h := indexer.NewDigester()
	digest := func() indexer.Digest {
		t.Helper()
		var list []indexer.Digest
		for d, err := range x.Digests(t.Context(), h) {
			must(t, err)
			list = append(list, d)
		}
		if len(list) != 1 {
			t.Fatalf("%d digests, want 1", len(list))
		}
		return list[0]
	}
	want := h.Of(doc)
	if got := digest(); got != want {
		t.Fatalf("digest %v, want %v", got, want)
	}
	for _, c := range []struct {
		part   indexer.Part
		script string
	}{
		{indexer.PartWords, `ctx._source.t1 = 'boot'`},
		{indexer.PartWords, `ctx._source.t1 = []`},
		{indexer.PartShown, `ctx._source.ws = ['de']`},
		{indexer.PartSort, `ctx._source.nk = '00'`},
		{indexer.PartUnits, `ctx._source.u[0].a = ['size']`},
		{indexer.PartPrice, `ctx._source.mv = [1, 2]`},
		{indexer.PartStock, `ctx._source.ei = []`},
	} {
		call(t, "POST", index+"/_update/A?refresh=true", fmt.Sprintf(`{"script":{"source":%q}}`, c.script))
		got := digest()
		for p := range indexer.NumParts {
			if (got.Parts[p] != want.Parts[p]) != (p == c.part) {
				t.Errorf("after %s: part %v differs: %v", c.script, p, got.Parts[p] != want.Parts[p])
			}
		}
		must(t, x.Apply(t.Context(), []indexer.Op{{SKU: "A", Docs: []*indexer.Document{doc}}}, at(2)))
		if got := digest(); got != want {
			t.Fatalf("digest after repairing %s: %v, want %v", c.script, got, want)
		}
	}
	call(t, "POST", index+"/_delete_by_query?refresh=true", `{"query":{"term":{"usku":"A-2"}}}`)
	if got := digest(); got.Parts[indexer.PartUnits] == want.Parts[indexer.PartUnits] {
		t.Error("a variant that is missing is not noticed")
	}
}
