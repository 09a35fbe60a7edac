package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"catalog/placeholder"
	"catalog/placeholder/gateway"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shelf is an Ensurer that knows some SKUs: those that begin with
//
//	own-     the merchant's own product
//	conf-    a configurable of ours
//	no-      unknown
//
// and in any other case a placeholder, spelled in upper case if it begins with
// "alike-".
type shelf struct {
	mu      sync.Mutex
	asked   [][]string
	clients []string
	orders  []gateway.Order
	before  func(ctx context.Context) error
}

func answer(sku string) placeholder.Result {
	r := placeholder.Result{SKU: sku, Status: placeholder.Present, Spelling: sku, EntityID: id(sku)}
	switch {
	case strings.HasPrefix(sku, "own-"):
		r.Status = placeholder.Foreign
	case strings.HasPrefix(sku, "conf-"):
		r = placeholder.Result{SKU: sku, Status: placeholder.Refused, Reason: placeholder.ReasonParent}
	case strings.HasPrefix(sku, "no-"):
		r = placeholder.Result{SKU: sku, Status: placeholder.Unknown}
	case strings.HasPrefix(sku, "alike-"):
		r.Spelling = strings.ToUpper(sku)
	}
	return r
}

// id is the entity id that answer gives a SKU.
func id(sku string) int64 { return int64(1000 + len(sku)) }

func (s *shelf) Ensure(ctx context.Context, client string, skus []string) ([]placeholder.Result, error) {
	s.mu.Lock()
	s.asked = append(s.asked, slices.Clone(skus))
	s.clients = append(s.clients, client)
	before := s.before
	s.mu.Unlock()
	if before != nil {
		if err := before(ctx); err != nil {
			return nil, err
		}
	}
	results := make([]placeholder.Result, 0, len(skus))
	for _, sku := range skus {
		results = append(results, answer(sku))
	}
	return results, nil
}

// skus returns what was asked for so far, in order.
func (s *shelf) skus() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.asked...)
}

// reorderShelf knows orders, too.
type reorderShelf struct{ shelf }

func (s *reorderShelf) EnsureOrders(_ context.Context, _ string, orders []gateway.Order) ([]placeholder.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orders = append(s.orders, orders...)
	return []placeholder.Result{answer("of-order")}, nil
}

// shop is an upstream that keeps the last request and answers "ok".
type shop struct {
	*httptest.Server
	mu   sync.Mutex
	last *http.Request
	body []byte
	n    int
}

func newShop(t testing.TB) *shop {
	t.Helper()
	s := &shop{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.last, s.body = r, b
		s.n++
		s.mu.Unlock()
		_, _ = io.WriteString(w, "ok")
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *shop) got() (*http.Request, []byte, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, s.body, s.n
}

// serve puts a gateway before an upstream and returns its URL.
func serve(t testing.TB, upstream string, e gateway.Ensurer, opts gateway.Options) (*gateway.Gateway, *httptest.Server) {
	t.Helper()
	u, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	if opts.Limit == 0 {
		opts.Limit = time.Minute // tests of other things must not fail on a busy machine
	}
	g, err := gateway.New(u, e, opts)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(g)
	t.Cleanup(func() {
		srv.Close()
		if err := g.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return g, srv
}

// send sends a request as it is written and returns the answer and its body.
func send(t testing.TB, method, target, contentType string, body []byte, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, target, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = res.Body.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	}()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

func TestNewRefusesWhatIsNoServer(t *testing.T) {
	for _, s := range []string{"", "/path", "ftp://shop", "http:///x", "unix:/tmp/s"} {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gateway.New(u, &shelf{}, gateway.Options{}); err == nil {
			t.Errorf("%q is taken for a shop", s)
		}
	}
	if _, err := gateway.New(nil, &shelf{}, gateway.Options{}); err == nil {
		t.Error("no URL is taken for a shop")
	}
}

func TestUpstreamPathAndDebugHeader(t *testing.T) {
	s := newShop(t)
	g, srv := serve(t, s.URL+"/base/", &shelf{}, gateway.Options{Debug: true})
	res, _ := send(t, "POST", srv.URL+"/rest/V1/carts/mine/items", "application/json",
		[]byte(`{"cartItem":{"sku":"A 1","qty":1}}`))
	r, _, _ := s.got()
	if r.URL.Path != "/base/rest/V1/carts/mine/items" {
		t.Errorf("the shop got path %q", r.URL.Path)
	}
	if got, want := res.Header.Get(gateway.DebugHeader), "A+1=present;1003"; got != want {
		t.Errorf("debug header %q, want %q", got, want)
	}
	if st := g.Stats(); st.Requests != 1 || st.Read != 1 || st.Ensured != 1 || st.SKUs[placeholder.Present] != 1 || st.Rewritten != 0 {
		t.Errorf("stats %+v", st)
	}
	if res, _ := send(t, "GET", srv.URL+"/x", "", nil); res.Header.Get(gateway.DebugHeader) != "" {
		t.Error("a request that is not read has the debug header")
	}
}

func TestShopIsDown(t *testing.T) {
	s := newShop(t)
	g, srv := serve(t, s.URL, &shelf{}, gateway.Options{})
	s.Close()
	res, _ := send(t, "GET", srv.URL+"/", "", nil)
	if res.StatusCode != http.StatusBadGateway {
		t.Errorf("status %d", res.StatusCode)
	}
	if st := g.Stats(); st.Upstream != 1 {
		t.Errorf("stats %+v", st)
	}
}

func TestClosedGatewayPasses(t *testing.T) {
	s := newShop(t)
	sh := &shelf{}
	g, srv := serve(t, s.URL, sh, gateway.Options{})
	if err := g.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	send(t, "POST", srv.URL+"/rest/V1/carts/mine/items", "application/json", []byte(`{"cartItem":{"sku":"A"}}`))
	if _, _, n := s.got(); n != 1 || len(sh.skus()) != 0 {
		t.Errorf("the shop got %d requests, ensured %q", n, sh.skus())
	}
}

func TestCloseGivesUpWithItsContext(t *testing.T) {
	s := newShop(t)
	release := make(chan struct{})
	sh := &shelf{before: func(context.Context) error { <-release; return nil }}
	g, srv := serve(t, s.URL, sh, gateway.Options{Limit: 1})
	send(t, "POST", srv.URL+"/rest/V1/carts/mine/items", "application/json", []byte(`{"cartItem":{"sku":"A"}}`))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("closing while ensuring hangs: %v", err)
	}
	close(release)
}
