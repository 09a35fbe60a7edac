package varnish_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/catalog/storefront"
	"catalog/catalog/storefront/purge"
	"catalog/fixtures/servertest"
	"catalog/indexer"
	"catalog/indexer/facetindex"
)

const envVarnish = "CATALOG_TEST_VARNISH" // path of varnishd

const secret = "a-token-of-the-test"

// patience is how long the test waits for what must come.
const patience = 15 * time.Second

// site is Varnish before a catalog, a gateway and a shop.
type site struct {
	*testing.T
	URL    string // of Varnish
	store  catalog.Store
	mu     sync.Mutex
	asked  map[string]int // address → how often the catalog was asked
	broken bool           // the catalog answers 503
	keys   int            // that were purged
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, store: memstore.New(), asked: map[string]int{}}
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		work.Wait()
		_ = s.store.Close()
	})
	index, err := facetindex.Open(ctx, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); work.Wait(); _ = index.Close() })
	s.put(catalog.KindProduct, `{"sku":"A-1","name":"One","categories":["Shop"]}`, `{"sku":"A-2","name":"Two","categories":["Shop"]}`, `{"sku":"B-1","name":"Other","categories":["Elsewhere"]}`)
	s.put(catalog.KindPrice, `{"sku":"A-1","price":10}`)
	for _, sku := range oddSKUs {
		s.put(catalog.KindProduct, odd(sku, "old"))
	}
	if _, err := indexer.Run(ctx, s.store, index, indexer.Options{}); err != nil {
		t.Fatal(err)
	}
	engine := indexer.NewEngine(index, s.store, indexer.EngineOptions{})
	token, err := storefront.NewToken(storefront.RoleRead, secret)
	if err != nil {
		t.Fatal(err)
	}
	api := storefront.New(s.store, engine, storefront.Options{Index: index, Tokens: []storefront.Token{token}})
	t.Cleanup(func() { _ = api.Close() })
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked[r.URL.RequestURI()]++
		broken := s.broken
		s.mu.Unlock()
		if broken && r.URL.Path != "/readyz" {
			http.Error(w, "broken", http.StatusServiceUnavailable)
			return
		}
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(behind.Close)
	t.Cleanup(api.Drain)
	s.URL = start(t, behind.URL, named(t, "gateway"), named(t, "magento"))
	target, err := purge.ParseTarget(s.URL, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	work.Go(func() {
		if _, err := indexer.Run(ctx, s.store, index, indexer.Options{Follow: true}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	work.Go(func() {
		err := purge.Run(ctx, purge.Options{Store: s.store, Index: index, Shop: engine.Shop, Target: target, Metrics: purge.Metrics{
			Sent:   func(n int, _ time.Duration) { s.mu.Lock(); s.keys += n; s.mu.Unlock() },
			Failed: func(err error) { t.Error(err) },
		}})
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	s.until("purging has begun", func() bool {
		f, err := s.store.Followers(t.Context())
		return err == nil && len(f) == 2
	})
	return s
}

// named is a server that says its name.
func named(t *testing.T, name string) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Cache-Control", "public, max-age=60")
		_, _ = io.WriteString(w, name+" "+r.Method+" "+r.URL.RequestURI()+" "+string(body))
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// start starts Varnish with the files of this folder, in which the ports are
// those of the test's servers, and returns its address.
func start(t *testing.T, catalogURL, gatewayURL, magentoURL string) string {
	t.Helper()
	servertest.Need(t, servertest.Varnish)
	program := os.Getenv(envVarnish)
	if program == "" {
		program = "varnishd"
		if _, err := exec.LookPath(program); err != nil {
			program = "/usr/sbin/varnishd"
		}
	}
	servertest.Uses(t, servertest.Varnish, program)
	admin := filepath.Join(filepath.Dir(program), "varnishadm")
	if p, err := exec.LookPath("varnishadm"); err == nil {
		admin = p
	}
	dir := t.TempDir()
	backends, err := os.ReadFile("backends.vcl")
	if err != nil {
		t.Fatal(err)
	}
	for port, address := range map[string]string{"8080": catalogURL, "8082": gatewayURL, "8081": magentoURL} {
		_, own, err := net.SplitHostPort(strings.TrimPrefix(address, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		before := `.port = "` + port + `"`
		if !bytes.Contains(backends, []byte(before)) {
			t.Fatalf("backends.vcl has no %s", before)
		}
		backends = bytes.Replace(backends, []byte(before), []byte(`.port = "`+own+`"`), 1)
	}
	main, err := os.ReadFile("catalog.vcl")
	if err == nil {
		err = errors.Join(os.WriteFile(filepath.Join(dir, "backends.vcl"), backends, 0o600), os.WriteFile(filepath.Join(dir, "catalog.vcl"), main, 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(dir, "n")
	var log bytes.Buffer
	cmd := exec.Command(program, "-F", "-j", "none", "-n", work, "-a", "127.0.0.1:0", "-T", "127.0.0.1:0", "-s", "malloc,32m",
		"-p", "vcl_path="+dir, "-p", "thread_pools=1", "-p", "thread_pool_min=10", "-p", "feature=+http2", "-f", filepath.Join(dir, "catalog.vcl"))
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: apt-get install varnish varnish-modules, or name varnishd by %s, or skip these tests by %s=%s", err, envVarnish, servertest.EnvSkip, servertest.Varnish)
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
	})
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		select {
		case <-done:
			t.Fatalf("varnishd ended: %s", log.String())
		default:
		}
		out, err := exec.Command(admin, "-n", work, "-t", "2", "debug.listen_address").Output()
		if f := strings.Fields(string(out)); err == nil && len(f) == 3 && f[2] != "0" {
			address := "http://" + net.JoinHostPort(f[1], f[2])
			if resp, err := http.Get(address + "/v1/stores"); err == nil {
				_ = resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					return address
				}
			}
		}
	}
	t.Fatalf("varnishd does not answer: %s", log.String())
	return ""
}

// put writes records of a kind.
func (s *site) put(k catalog.Kind, docs ...string) {
	s.Helper()
	var writes []catalog.Write
	for _, doc := range docs {
		var p catalog.Parser
		var r catalog.Parsed
		if err := p.Parse(k, []byte(doc), &r); err != nil {
			s.Fatal(err)
		}
		writes = append(writes, catalog.Write{Kind: r.Kind, Key: r.Key, Body: r.Body, Refs: r.Refs})
	}
	if _, err := s.store.Apply(s.Context(), writes); err != nil {
		s.Fatal(err)
	}
}

// answer is what came through Varnish.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) hit() bool { return a.header.Get("X-Cache") == "hit" }

func (s *site) get(path string, header ...string) answer {
	s.Helper()
	return s.do(http.MethodGet, path, header...)
}

func (s *site) do(method, path string, header ...string) answer {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.URL+path, nil)
	if err != nil {
		s.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// until waits for something.
func (s *site) until(what string, f func() bool) {
	s.Helper()
	for deadline := time.Now().Add(patience); !f(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("%s: not after %s", what, patience)
		}
	}
}

// purged waits until all changes were looked through for purges.
func (s *site) purged() {
	s.Helper()
	tail, err := s.store.Tail(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	s.until("purging follows the log", func() bool {
		f, err := s.store.Followers(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		for _, f := range f {
			if strings.HasPrefix(f.Name, "purge/") && f.At == tail {
				return true
			}
		}
		return false
	})
}

func (s *site) count(of func() int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return of()
}

func (s *site) requests() int {
	return s.count(func() int {
		n := 0
		for path, k := range s.asked {
			if path != "/readyz" {
				n += k
			}
		}
		return n
	})
}

// fill has pages cached.
func (s *site) fill(paths ...string) {
	s.Helper()
	for _, p := range paths {
		s.until(p+" is cached", func() bool { return s.get(p).hit() })
	}
}

const (
	one   = "/v1/products?sku=A-1"
	two   = "/v1/products?sku=A-2"
	shop  = "/v1/browse?category=Shop&auto_facets=0"
	other = "/v1/browse?category=Elsewhere&auto_facets=0"
)

var oddSKUs = []string{"a/b/c", "12.5,3", "100%", "%2F", `15" "Pro"`, "it's", "🎁-GIFT", "日本 001", "a?b&c=d#e+f", "..", "a;b", `back\slash`, "ÄÖ"}

func odd(sku, name string) string {
	return `{"sku":"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(sku) + `","name":"` + name + `","categories":["Odd"]}`
}

func TestVarnish(t *testing.T) {
	s := newSite(t)
	for _, step := range []struct {
		name string
		do   func(s *site)
	}{
		{"routes", routes},
		{"one page, one address", addresses},
		{"what is not shared", private},
		{"a price purges nothing", price},
		{"a product purges its keys alone", product},
		{"no way back to the old page", noWayBack},
		{"any SKU", anySKU},
		{"who may purge what", purges},
		{"the catalog is away", away},
		{"events", events},
	} {
		t.Run(step.name, func(t *testing.T) {
			s.T = t
			step.do(s)
		})
	}
	s.T = t
}

func routes(s *site) {
	for path, want := range map[string]string{
		"/":                         "magento GET / ",
		"/men/shoes.html?p=2&a=1":   "magento GET /men/shoes.html?p=2&a=1 ",
		"/checkout/cart/?x=1":       "gateway GET /checkout/cart/?x=1 ",
		"/graphql?query=%7Bcart%7D": "gateway GET /graphql?query=%7Bcart%7D ",
		"/v1x":                      "magento GET /v1x ",
	} {
		if a := s.get(path); a.body != want {
			s.Errorf("%s was answered by %q", path, a.body)
		}
	}
	if a := s.do(http.MethodPost, "/checkout/cart/add"); a.body != "gateway POST /checkout/cart/add " {
		s.Errorf("an add was answered by %q", a.body)
	}
	if a := s.get("/v1/stores"); a.status != 200 || !strings.Contains(a.body, `"default"`) {
		s.Errorf("the catalog answered %d %q", a.status, a.body)
	}
	if a := s.get("/metrics", "Host", "preview.example"); a.status == 200 && strings.Contains(a.body, "go_goroutines") {
		s.Error("metrics are public")
	}
}

func addresses(s *site) {
	s.fill(shop)
	before := s.requests()
	for _, path := range []string{
		"/v1/browse?auto_facets=0&category=Shop",
		shop + "&utm_source=mail&gclid=x",
		"/v1/browse?utm_medium=a&category=Shop&fbclid=1&auto_facets=0",
	} {
		if a := s.get(path); !a.hit() || a.status != 200 {
			s.Errorf("%s is not the page that is cached (%d)", path, a.status)
		}
	}
	if n := s.requests() - before; n != 0 {
		s.Errorf("the catalog was asked %d times", n)
	}
	// Where order means something it stays.
	for _, order := range [][]string{{"A-1", "A-2"}, {"A-2", "A-1"}} {
		a := s.get("/v1/products?sku=" + order[0] + "&sku=" + order[1])
		if i, j := strings.Index(a.body, order[0]), strings.Index(a.body, order[1]); i < 0 || j < i {
			s.Errorf("asked for %v, got %s", order, a.body)
		}
	}
	// A conditional request is answered from the cache.
	tag := s.get(shop).header.Get("Etag")
	if a := s.get(shop, "If-None-Match", tag); a.status != http.StatusNotModified || tag == "" {
		s.Errorf("with its own ETag %q the page answers %d", tag, a.status)
	}
	if a := s.get(shop); a.header.Get("Xkey") != "" || a.header.Get("Age") != "" {
		s.Errorf("the page shows %v", a.header)
	}
}

func private(s *site) {
	s.fill(one)
	if a := s.get(one, "Cookie", "PHPSESSID=1; private_content_version=2"); !a.hit() {
		s.Error("a cookie keeps the page from being shared")
	}
	for range 2 {
		if a := s.get("/v1/live?sku=A-1", "Authorization", "Bearer "+secret); a.hit() || a.status != 200 {
			s.Errorf("an answer to somebody with a token: %d, %s", a.status, a.header.Get("X-Cache"))
		}
		if a := s.get("/v1/live?sku=A-1", "X-Customer", "group=x&signature=00"); a.hit() {
			s.Error("an answer to one customer is shared")
		}
	}
	s.fill("/v1/live?sku=A-1") // but that to everybody is, for its seconds
}

func price(s *site) {
	s.fill(one, two, shop, other)
	requests, keys := s.requests(), s.count(func() int { return s.keys })
	s.put(catalog.KindPrice, `{"sku":"A-1","price":11}`)
	s.put(catalog.KindStock, `{"sku":"A-1","qty":5}`)
	s.purged()
	for _, p := range []string{one, two, shop, other} {
		if a := s.get(p); !a.hit() {
			s.Errorf("%s was purged by a price", p)
		}
	}
	if n := s.requests() - requests; n != 0 {
		s.Errorf("the catalog was asked %d times", n)
	}
	if n := s.count(func() int { return s.keys }) - keys; n != 0 {
		s.Errorf("%d keys were purged", n)
	}
}

func product(s *site) {
	s.fill(one, two, other)
	s.put(catalog.KindProduct, `{"sku":"A-1","name":"Uno","categories":["Shop"]}`)
	s.until("the product's page is new", func() bool { return strings.Contains(s.get(one).body, `"Uno"`) })
	s.until("the category's page is new", func() bool { return strings.Contains(s.get(shop).body, `"Uno"`) })
	before := s.requests()
	for _, p := range []string{two, other} {
		if a := s.get(p); !a.hit() {
			s.Errorf("%s was purged by a change of another product", p)
		}
	}
	if n := s.requests() - before; n != 0 {
		s.Errorf("the catalog was asked %d times", n)
	}

	// A product that comes into a category, and one that goes.
	s.fill(shop)
	s.put(catalog.KindProduct, `{"sku":"A-3","name":"Three","categories":["Shop"]}`)
	s.until("the new product is shown", func() bool { return strings.Contains(s.get(shop).body, `"A-3"`) })
	s.fill("/v1/products/A-3")
	if _, err := s.store.Apply(s.Context(), []catalog.Write{{Kind: catalog.KindProduct, Key: "A-3"}}); err != nil {
		s.Fatal(err)
	}
	s.until("its page is gone", func() bool { return s.get("/v1/products/A-3").status == http.StatusNotFound })
	s.until("it is not shown", func() bool { return !strings.Contains(s.get(shop).body, `"A-3"`) })
}

// noWayBack reads pages without end while a product changes: whoever has seen
// the new one never sees an old one.
func noWayBack(s *site) {
	s.fill(one)
	for _, name := range []string{"R-1", "R-2"} {
		s.put(catalog.KindProduct, `{"sku":"A-1","name":"`+name+`","categories":["Shop"]}`)
		seen := false
		s.until(name+" is shown, and stays", func() bool {
			for range 20 {
				new := strings.Contains(s.get(one).body, name)
				if seen && !new {
					s.Errorf("%s was there, and an older page came back", name)
				}
				seen = seen || new
			}
			return seen
		})
	}
}

func anySKU(s *site) {
	address := func(sku string) string { return "/v1/products?sku=" + url.QueryEscape(sku) }
	for _, sku := range oddSKUs {
		a := s.get(address(sku))
		if a.status != 200 || !strings.Contains(a.body, `"name":"old"`) {
			s.Errorf("%q: %d %s", sku, a.status, a.body)
		}
		// The path form: what a path cannot have is escaped. Two dots are for the query.
		if sku == ".." {
			continue
		}
		if b := s.get("/v1/products/" + url.PathEscape(sku)); b.status != 200 || !strings.Contains(b.body, `"name":"old"`) {
			s.Errorf("%q in the path: %d %s", sku, b.status, b.body)
		}
	}
	for _, sku := range oddSKUs {
		s.fill(address(sku))
		s.put(catalog.KindProduct, odd(sku, "new"))
	}
	for _, sku := range oddSKUs {
		s.until(sku+" is new", func() bool { return strings.Contains(s.get(address(sku)).body, `"name":"new"`) })
	}
}

func purges(s *site) {
	if a := s.do("PURGE", "/"); a.status != http.StatusBadRequest {
		s.Errorf("a purge without keys is answered %d", a.status)
	}
	s.fill(two)
	if a := s.do("PURGE", "/", "Xkey-Purge", "p:none p:A-2"); a.status != 200 || !strings.HasPrefix(a.body, "purged ") || a.body == "purged 0\n" {
		s.Errorf("a purge was answered %d %q", a.status, a.body)
	}
	if a := s.do("PURGE", "/", "Xkey-Purge", "p:none"); a.body != "purged 0\n" {
		s.Errorf("a purge of nothing was answered %q", a.body)
	}
	// As many keys as one request has.
	var many strings.Builder
	for many.Len() < 5900 {
		many.WriteString("p:none ")
	}
	s.fill(other)
	if a := s.do("PURGE", "/", "Xkey-Softpurge", many.String()+"p:B-1"); a.status != 200 || a.body == "purged 0\n" {
		s.Errorf("a purge of many keys was answered %d %q", a.status, a.body)
	}
	if a := s.get(two); a.hit() {
		s.Error("a purged page is still there")
	}
	// Everything goes stale by the key "all", of the catalog only.
	s.fill(one, other)
	before := s.requests()
	s.until("pages are fetched anew", func() bool {
		s.do("PURGE", "/", "Xkey-Softpurge", purge.AllKey) // again, for what was under way
		s.get(one)
		s.get(other)
		return s.requests() >= before+2
	})
}

func away(s *site) {
	s.fill(one, shop)
	s.mu.Lock()
	s.broken = true
	s.mu.Unlock()
	s.do("PURGE", "/", "Xkey-Softpurge", purge.AllKey)
	for range 5 {
		for _, p := range []string{one, shop} {
			if a := s.get(p); a.status != 200 {
				s.Errorf("%s answers %d while the catalog is broken", p, a.status)
			}
		}
	}
	if a := s.get("/v1/products?sku=never-asked-before"); a.status != http.StatusServiceUnavailable {
		s.Errorf("what is not cached answers %d", a.status)
	}
	s.mu.Lock()
	s.broken = false
	s.mu.Unlock()
	if a := s.get("/v1/products?sku=never-asked-before"); a.status != 200 {
		s.Errorf("when the catalog is back it answers %d", a.status)
	}
}

func events(s *site) {
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/v1/status/events", nil)
	if err != nil {
		s.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	buf := make([]byte, 64)
	if _, err := io.ReadFull(resp.Body, buf); err != nil || !bytes.Contains(buf, []byte("event: status")) {
		s.Errorf("the stream begins %q, error %v", buf, err)
	}
}
