package storefront_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/catalog/storefront"
	"catalog/indexer"
	"catalog/indexer/facetindex"
)

// TestRefused holds the server to its limits, and errors to saying where.
func TestRefused(t *testing.T) {
	h := newShop(t, storefront.Options{Limits: storefront.Limits{SKUs: 50, Filters: 3, Values: 10, URL: 4 << 10}})
	many := strings.Repeat("&sku=x", 51)
	var distinct strings.Builder
	for i := range 51 {
		fmt.Fprintf(&distinct, `"s%d",`, i)
	}
	for _, c := range []struct {
		method, url, body string
		status            int
		where             any
	}{
		{"GET", "/v1/products", "", 400, "sku"},
		{"GET", "/v1/products?sku=", "", 400, "sku"},
		{"GET", "/v1/products?sku=%zz", "", 400, "sku"},
		{"GET", "/v1/products?sku=%ff", "", 400, "sku"},
		{"GET", "/v1/products?" + many[1:], "", 400, "sku"},
		{"POST", "/v1/products", `{"skus":[` + strings.TrimSuffix(distinct.String(), ",") + `]}`, 400, "skus"},
		{"POST", "/v1/products", `{"skus":"x"}`, 400, "skus"},
		{"POST", "/v1/products", `{"skus":["x"],"nonsense":1}`, 400, nil},
		{"POST", "/v1/products", `{"skus":["x"]`, 400, nil},
		{"GET", "/v1/products/NONE", "", 404, "sku"},
		{"GET", "/v1/products?sku=x&store=fr", "", 400, "store"},
		{"GET", "/v1/products?sku=x&expand=all", "", 400, "expand"},
		{"GET", "/v1/url-keys/none", "", 404, "url_key"},
		{"GET", "/v1/browse", "", 400, "category"},
		{"GET", "/v1/browse?category=None", "", 404, "category"},
		{"GET", "/v1/search?q=x&page=0", "", 400, "page"},
		{"GET", "/v1/search?q=x&page=10001", "", 400, "page"},
		{"GET", "/v1/search?q=x&page=10000", "", 400, nil},
		{"GET", "/v1/search?q=x&size=501", "", 400, "size"},
		{"GET", "/v1/search?q=x&size=many", "", 400, "size"},
		{"GET", "/v1/search?q=x&variants=perhaps", "", 400, "variants"},
		{"GET", "/v1/search?q=x&filter=%22open", "", 400, "filter"},
		{"GET", "/v1/search?filter=a&filter=b&filter=c&filter=d", "", 400, "filter"},
		{"GET", "/v1/search?filter=a=1,2,3,4,5,6,7,8,9,10,11", "", 400, "filter"},
		{"GET", "/v1/search?sort=price:sideways", "", 400, "sort"},
		{"GET", "/v1/search?after=nonsense", "", 400, nil},
		{"GET", "/v1/search?q=" + strings.Repeat("x", 2000), "", 400, "q"},
		{"GET", "/v1/search?q=" + strings.Repeat("x", 5000), "", 414, nil},
		{"POST", "/v1/search", `{"filters":[{"values":["x"]}]}`, 400, "filters"},
		{"POST", "/v1/search", `{"size":-1}`, 400, "size"},
		{"GET", "/v1/live?sku=x&quantity=0", "", 400, "quantity"},
		{"GET", "/v1/live?sku=x&quantity=NaN", "", 400, "quantity"},
		{"GET", "/v1/live?sku=x&website=mars", "", 400, "website"},
		{"GET", "/v1/live?sku=x&at=2026-01-01", "", 401, "Authorization"},
		{"GET", "/v1/explain?sku=x", "", 401, "Authorization"},
		{"GET", "/v1/nothing", "", 404, nil},
		{"GET", "/nothing", "", 404, nil},
		{"DELETE", "/v1/products", "", 405, nil},
		{"BREW", "/v1/search", "", 405, nil},
	} {
		r := h.do(c.method, c.url, c.body)
		if r.StatusCode != c.status || r.at("where") != c.where || r.at("detail") == "" || r.at("request_id") == nil {
			t.Errorf("%s %.100s: %d %s, want %d at %v", c.method, c.url, r.StatusCode, r.body, c.status, c.where)
		}
		if r.StatusCode == 405 && r.Header.Get("Allow") == "" {
			t.Errorf("%s: no Allow", c.url)
		}
	}
	r := httptest.NewRequest("POST", "/v1/products", strings.NewReader("sku=x"))
	r.Header.Set("Content-Type", "text/plain")
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, r)
	if w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("text: %d", w.Code)
	}
}

// errDisk is what a store that fails says.
var errDisk = errors.New("input/output error on /secret/path")

// failing is a store that fails while it is told to.
type failing struct {
	catalog.Store
	fails atomic.Bool
}

func (s *failing) err() error {
	if s.fails.Load() {
		return fmt.Errorf("get: %w", errDisk)
	}
	return nil
}

func (s *failing) Get(ctx context.Context, k catalog.Kind, keys ...catalog.Key) ([]catalog.Record, error) {
	if err := s.err(); err != nil {
		return nil, err
	}
	return s.Store.Get(ctx, k, keys...)
}

func (s *failing) Tail(ctx context.Context) (catalog.Cursor, error) {
	if err := s.err(); err != nil {
		return catalog.Cursor{}, err
	}
	return s.Store.Tail(ctx)
}

func (s *failing) Lookup(ctx context.Context, ref catalog.Ref) ([]catalog.Key, error) {
	if err := s.err(); err != nil {
		return nil, err
	}
	return s.Store.Lookup(ctx, ref)
}

// TestStoreFails holds the server to saying nothing of what is inside, to not
// being ready, and to going on when the store does.
func TestStoreFails(t *testing.T) {
	s := &failing{Store: memstore.New()}
	t.Cleanup(func() { _ = s.Close() })
	put(t, s, catalog.KindProduct, `{"sku":"A","name":"A thing","url_key":"a","categories":["C"],"price":1}`)
	settingsBefore := settings
	t.Cleanup(func() { settings = settingsBefore })
	settings = &indexer.Settings{}
	h := serveShop(t, s, storefront.Options{})
	ready(t, h)
	s.fails.Store(true)
	for _, url := range []string{"/v1/products?sku=A", "/v1/products/A", "/v1/live?sku=A", "/v1/url-keys/a", "/v1/browse?category=C"} {
		r := h.get(url)
		if r.StatusCode != 500 || strings.Contains(string(r.body), "secret") || r.at("request_id") == nil {
			t.Errorf("%s: %d %s", url, r.StatusCode, r.body)
		}
	}
	if r := h.get("/readyz"); r.StatusCode != 503 || r.at("waiting", 0) == nil {
		t.Errorf("readyz: %d %s", r.StatusCode, r.body)
	}
	if r := h.get("/livez"); r.StatusCode != 200 {
		t.Errorf("livez: %d", r.StatusCode)
	}
	h.ok("/metrics")
	s.fails.Store(false)
	ready(t, h)
	h.ok("/v1/products?sku=A")
}

// ready waits until the server is.
func ready(t *testing.T, h *shop) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		r := h.get("/readyz")
		if r.StatusCode == 200 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not ready: %s", r.body)
		}
	}
}

// TestNoIndexYet holds the server to serving what needs no index, and to
// saying what it waits for.
func TestNoIndexYet(t *testing.T) {
	s := memstore.New()
	t.Cleanup(func() { _ = s.Close() })
	put(t, s, catalog.KindProduct, `{"sku":"A","name":"A","price":1}`)
	x, err := facetindex.Open(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	h := &shop{t: t, store: s, index: x, api: openDocument(t)}
	h.server = storefront.New(s, indexer.NewEngine(x, s, indexer.EngineOptions{}), storefront.Options{Index: x})
	t.Cleanup(func() { _ = h.server.Close() })
	h.ok("/v1/products?sku=A")
	h.ok("/v1/live?sku=A")
	if r := h.get("/v1/search?q=a"); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("search: %d %s", r.StatusCode, r.body)
	}
	if r := h.get("/readyz"); r.StatusCode != 503 || !strings.Contains(string(r.body), "index") {
		t.Errorf("readyz: %d %s", r.StatusCode, r.body)
	}
	if r := h.do("PUT", "/v1/records/products?key=B", `{}`); r.StatusCode != 403 {
		t.Errorf("a server without tokens takes writes: %d", r.StatusCode)
	}
}

// TestLag holds /readyz to the index's lag.
func TestLag(t *testing.T) {
	h := newShop(t, storefront.Options{MaxLag: time.Nanosecond})
	ready(t, h)
	put(t, h.store, catalog.KindProduct, `{"sku":"LATE","name":"Late"}`)
	if r := h.get("/readyz"); r.StatusCode != 503 || !strings.Contains(fmt.Sprint(r.at("waiting")), "behind") {
		t.Errorf("readyz: %d %s", r.StatusCode, r.body)
	}
	if got := h.ok("/v1/status").at("index", "behind"); got == 0.0 {
		t.Error("the status says that nothing is behind")
	}
	h.follow()
	ready(t, h)
}

// blocking is an index whose searches wait.
type blocking struct {
	indexer.Index
	entered chan struct{}
	release chan struct{}
	blocks  atomic.Bool
}

func (b *blocking) Search(ctx context.Context, q *indexer.Prepared) (*indexer.Result, error) {
	if b.blocks.Load() {
		b.entered <- struct{}{}
		select {
		case <-b.release:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return b.Index.Search(ctx, q)
}

// TestBusy holds the server to answering 429 when too many expensive queries
// run, and everything else meanwhile.
func TestBusy(t *testing.T) {
	h := newShop(t, storefront.Options{})
	x := &blocking{Index: h.index, entered: make(chan struct{}, 10), release: make(chan struct{})}
	h.server = storefront.New(h.store, indexer.NewEngine(x, h.store, indexer.EngineOptions{}), storefront.Options{
		Index: x, Limits: storefront.Limits{Queries: 1, Wait: time.Millisecond, Request: 5 * time.Second},
	})
	t.Cleanup(func() { _ = h.server.Close() })
	ready(t, h)
	x.blocks.Store(true)
	var first sync.WaitGroup
	first.Go(func() {
		if r := h.get("/v1/search?q=shoe"); r.StatusCode != 200 {
			t.Errorf("the first: %d %s", r.StatusCode, r.body)
		}
	})
	<-x.entered
	if r := h.get("/v1/search?q=shoe"); r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
		t.Errorf("the second: %d %s", r.StatusCode, r.body)
	}
	h.ok("/v1/products?sku=SHOE-1")
	x.blocks.Store(false)
	close(x.release)
	first.Wait()
	h.ok("/v1/search?q=shoe")
}

// TestSlowClients talks to a real server as bad clients do.
func TestSlowClients(t *testing.T) {
	h := newShop(t, storefront.Options{})
	srv := httptest.NewUnstartedServer(h.server)
	srv.Config.ReadHeaderTimeout = 200 * time.Millisecond
	srv.Config.MaxHeaderBytes = 16 << 10
	srv.Start()
	t.Cleanup(srv.Close)
	address := srv.Listener.Addr().String()
	talk := func(text string, half bool) string {
		t.Helper()
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.WriteString(c, text); err != nil {
			return ""
		}
		if half {
			if err := c.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
		}
		line, _ := bufio.NewReader(c).ReadString('\n')
		return strings.TrimSpace(line)
	}
	for _, c := range []struct {
		name, text string
		half       bool
		want       string
	}{
		{"half a header", "GET /v1/products?sku=A HTTP/1.1\r\nHost: x\r\nX-", false, "HTTP/1.1 40"},
		{"a large header", "GET / HTTP/1.1\r\nHost: x\r\nX-A: " + strings.Repeat("a", 1<<20), false, "HTTP/1.1 431"},
		{"half a body", "POST /v1/products HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"skus\":", true, "HTTP/1.1 400"},
	} {
		if got := talk(c.text, c.half); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	res, err := http.Get(srv.URL + "/v1/products?sku=SHOE-1")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("afterwards: %d", res.StatusCode)
	}
}

// TestEvents reads the status as it changes, and its end when the server
// stops.
func TestEvents(t *testing.T) {
	h := newShop(t, storefront.Options{})
	srv := httptest.NewServer(h.server)
	t.Cleanup(srv.Close)
	res, err := http.Get(srv.URL + "/v1/status/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	in := bufio.NewReader(res.Body)
	if line, err := in.ReadString('\n'); err != nil || line != "event: status\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if line, err := in.ReadString('\n'); err != nil || !strings.HasPrefix(line, `data: {"time":`) {
		t.Fatalf("%q, %v", line, err)
	}
	h.server.Drain()
	if _, err := io.ReadAll(in); err != nil {
		t.Errorf("the stream ends with %v", err)
	}
	if r := h.get("/readyz"); r.StatusCode != 503 || r.at("status") != "stopping" {
		t.Errorf("readyz: %s", r.body)
	}
}

// TestCORS holds the server to letting the scripts of named origins read.
func TestCORS(t *testing.T) {
	h := newShop(t, storefront.Options{Origins: []string{"https://shop.example"}})
	for origin, want := range map[string]string{"https://shop.example": "https://shop.example", "https://evil.example": ""} {
		r := h.ok("/v1/products?sku=SHOE-1", "Origin", origin)
		if r.Header.Get("Access-Control-Allow-Origin") != want || !strings.Contains(strings.Join(r.Header.Values("Vary"), ","), "Origin") {
			t.Errorf("%s: %v", origin, r.Header)
		}
		p := h.do("OPTIONS", "/v1/records/products?key=x", "", "Origin", origin)
		if p.StatusCode != http.StatusNoContent || (p.Header.Get("Access-Control-Allow-Methods") != "") != (want != "") {
			t.Errorf("preflight of %s: %d %v", origin, p.StatusCode, p.Header)
		}
	}
}

// TestStatus holds the status to keeping searches and imports to those with a
// token.
func TestStatus(t *testing.T) {
	h := newShop(t, storefront.Options{})
	if err := h.store.SetMeta(t.Context(), "reports/2026-05-31", []byte(`{"status":"ok","source":"erp","started":"2026-05-31T02:00:00Z","seconds":60}`)); err != nil {
		t.Fatal(err)
	}
	h.ok("/v1/search?q=shoe")
	h.ok("/v1/search?q=shoe")
	h.ok("/v1/search?q=zzzzzz")
	open := h.ok("/v1/status")
	if open.at("searches", "total") != 3.0 || open.at("searches", "top") != nil || open.at("imports") != nil {
		t.Errorf("%s", open.body)
	}
	all := h.ok("/v1/status", "Authorization", "Bearer "+readToken)
	if all.at("searches", "top", 0, "q") != "shoe" || all.at("searches", "without_results", 0, "q") != "zzzzzz" || all.at("imports", 0, "id") != "2026-05-31" {
		t.Errorf("%s", all.body)
	}
	m := string(h.ok("/metrics").body)
	for _, want := range []string{
		`catalog_import_last_success_timestamp_seconds{source="erp"} 1.78019286e+09`, `catalog_records{kind="products"}`,
		`catalog_http_requests_total{code="200",method="GET",route="/v1/search"} 3`, "catalog_index_behind 0", "go_goroutines",
	} {
		if !strings.Contains(m, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}

func TestSitemaps(t *testing.T) {
	h := newShop(t, storefront.Options{BaseURL: "https://shop.example/", ProductURL: "{base}/{store}/{url_key}.html"})
	r := h.ok("/v1/sitemap.xml?store=de")
	if !strings.Contains(string(r.body), "https://shop.example/v1/sitemap-part.xml?store=de") {
		t.Errorf("%s", r.body)
	}
	part := string(h.ok("/v1/sitemap-part.xml?store=de").body)
	if !strings.Contains(part, "<loc>https://shop.example/de/trailschuh.html</loc>") || strings.Contains(part, "American") || strings.Contains(part, "old-shoe") {
		t.Errorf("%s", part)
	}
	if got := strings.Count(string(h.ok("/v1/sitemap-part.xml?from="+url.QueryEscape("SHOE-1")+"&to=SHOE-2").body), "<loc>"); got != 1 {
		t.Errorf("%d products in a range", got)
	}
}
