package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"catalog/placeholder"
)

// maxUnderWay is how many requests are ensured at once; more pass as they are.
const maxUnderWay = 1024

// DebugHeader is the response header that Options.Debug adds: for each SKU
// "sku=status" with its entity id, or why nothing was ensured.
const DebugHeader = "Catalog-Placeholder"

// Options are how a gateway works. The zero value works.
type Options struct {
	// OpenMage says that the shop is OpenMage, not Magento 2.
	OpenMage bool
	// Limit is how long a request waits for ensuring at most; 500 ms by
	// default.
	Limit time.Duration
	// Cooldown is how long the breaker stays open before it lets a request
	// try; 5 s by default.
	Cooldown time.Duration
	// MaxBody is how many bytes of a body are read, before and after its
	// compression is undone; 1 MiB by default. Larger ones pass untouched.
	MaxBody int64
	// Trusted are networks of reverse proxies before the gateway, whose
	// X-Forwarded-For, -Proto and -Host are believed; PrivateNetworks by
	// default. An empty list that is not nil trusts nobody.
	Trusted []netip.Prefix
	// Host is the Host header that the shop gets; the client's by default.
	Host string
	// Debug adds DebugHeader to answers.
	Debug bool
	// Transport sends requests to the shop; NewTransport's by default. It must
	// not decompress answers.
	Transport http.RoundTripper
	// Logger gets what operators should know; nil discards it. Neither paths
	// nor queries, headers or bodies are logged: they hold customers' secrets.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Limit <= 0 {
		o.Limit = 500 * time.Millisecond
	}
	if o.Cooldown <= 0 {
		o.Cooldown = 5 * time.Second
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 1 << 20
	}
	if o.Trusted == nil {
		o.Trusted = PrivateNetworks()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Gateway is an http.Handler; New makes one. All its methods are safe for
// concurrent use.
type Gateway struct {
	opts    Options
	ensurer Ensurer
	proxy   *httputil.ReverseProxy
	log     *slog.Logger
	own     *http.Transport // if it is ours to close

	breaker breaker
	slots   chan struct{} // one for each request being ensured
	memory  memory
	stats   counters

	mu      sync.Mutex
	closed  bool
	pending sync.WaitGroup // Ensurer's calls
}

var _ http.Handler = (*Gateway)(nil)

// New returns a gateway to the shop at upstream, an http or https URL, which
// may have a path that requests' paths are put behind. It starts nothing;
// Close it when its server has been shut down.
func New(upstream *url.URL, e Ensurer, opts Options) (*Gateway, error) {
	if upstream == nil || upstream.Host == "" || upstream.Scheme != "http" && upstream.Scheme != "https" {
		return nil, errors.New("gateway: upstream is not an http or https URL with a host")
	}
	g := &Gateway{opts: opts.withDefaults(), ensurer: e, slots: make(chan struct{}, maxUnderWay)}
	g.log = g.opts.Logger
	g.memory.limit = maxMemory
	g.breaker.cooldown = g.opts.Cooldown
	g.breaker.changed = g.breakerChanged
	if g.opts.Transport == nil {
		g.own = NewTransport()
		g.opts.Transport = g.own
	}
	g.proxy = g.newProxy(upstream)
	return g, nil
}

func (g *Gateway) breakerChanged(s State) {
	level := slog.LevelInfo
	if s == Open {
		g.stats.opened.Add(1)
		level = slog.LevelWarn
	}
	g.log.LogAttrs(context.Background(), level, "breaker changed", slog.String("state", s.String()))
}

// enter counts a call of the Ensurer's that Close must wait for; false once
// the gateway is closed.
func (g *Gateway) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.pending.Add(1)
	return true
}

func (g *Gateway) leave() { g.pending.Done() }

// Close waits for the Ensurer's calls that are under way and closes idle
// connections to the shop. Requests that come yet pass without being ensured.
// The error is ctx's, if it ends first.
func (g *Gateway) Close(ctx context.Context) error {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	waited := make(chan struct{})
	go func() {
		g.pending.Wait()
		close(waited)
	}()
	if g.own != nil {
		g.own.CloseIdleConnections()
	}
	select {
	case <-waited:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("gateway: closing: %w", context.Cause(ctx))
	}
}

// ServeHTTP passes a request on to the shop, once the products it needs are
// there.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.stats.requests.Add(1)
	if r.ContentLength < 0 && r.Trailer == nil {
		r.Trailer = http.Header{} // for trailers that were not announced
	}
	rt, params := classify(r.Method, r.URL.EscapedPath(), g.opts.OpenMage)
	if rt == routeOther {
		g.pass(w, r, "")
		return
	}
	g.stats.read.Add(1)
	r, debug, refused := g.prepare(r, rt, params)
	if refused != nil {
		g.stats.refused.Add(1)
		g.debug(w.Header(), debug)
		refused.write(w, rt)
		return
	}
	g.pass(w, r, debug)
}

// prepare makes a request's products be in the shop and returns what is to be
// sent on in its place, and the value of DebugHeader; or a refusal.
func (g *Gateway) prepare(r *http.Request, rt route, params int) (*http.Request, string, *refusal) {
	mem := &share{of: &g.memory}
	defer mem.release()
	r, p, err := g.read(r, rt, params, mem)
	if err == nil && p != nil && p.excess {
		err = errTooMany
	}
	if err != nil {
		g.stats.unread.Add(1)
		return r, "skipped=" + skipReason(err), nil
	}
	if p == nil || p.nothing() {
		return r, "", nil
	}
	results, err := g.ensure(r.Context(), rt, g.client(r), p)
	if err != nil {
		return r, "skipped=" + skipReason(err), nil
	}
	a := make(answers, len(results))
	for _, res := range results {
		a[res.SKU] = res
	}
	var next rewritten
	if p.rewrite != nil {
		next = p.rewrite(a)
	}
	if out := next.apply(r); out != r {
		g.stats.rewritten.Add(1)
		r = out
	}
	return r, describe(results), next.refusal
}

// read finds out what a request needs: nil if nothing. The request returned
// is to be passed on in r's place.
func (g *Gateway) read(r *http.Request, rt route, params int, mem *share) (*http.Request, *parsed, error) {
	path := r.URL.EscapedPath()
	if rt == routeReorder {
		if _, ok := g.ensurer.(OrderEnsurer); !ok {
			return r, nil, nil
		}
		return r, parseReorder(pathParams(path, params), urlencoded(r.URL.RawQuery)), nil
	}
	if r.Method == http.MethodGet && rt == routeGraphQL {
		return r, parseGraphQLQuery(r.URL.RawQuery), nil
	}
	places := []place{pathParams(path, params), urlencoded(r.URL.RawQuery)}
	if rt != routeAdd {
		places = nil
	}
	var body []byte
	if r.Method != http.MethodGet {
		out, plain, err := readBody(r, g.opts.MaxBody, mem)
		if err != nil {
			return out, nil, err
		}
		r, body = out, plain
	}
	contentType := r.Header.Get("Content-Type")
	switch rt {
	case routeREST:
		return r, parseREST(contentType, body), nil
	case routeGraphQL:
		return r, parseGraphQL(body), nil
	}
	places = append(places, formBody(contentType, body))
	return r, parseAdd(places, func(i int, source string) rewritten {
		switch i {
		case 0:
			return rewritten{path: source}
		case 1:
			return rewritten{query: &source}
		}
		return rewritten{body: []byte(source)}
	}), nil
}

// parseReorder reads the storefront's reorder, by the order's entity id.
func parseReorder(places ...place) *parsed {
	for _, pl := range places {
		for _, f := range pl.fields {
			if f.name == "order_id" && digits(f.value) {
				return &parsed{orders: []string{f.value}}
			}
		}
	}
	return nil
}

// apply returns the request to send in r's place; r itself if it goes on as
// it is.
func (n rewritten) apply(r *http.Request) *http.Request {
	if n.body == nil && n.query == nil && n.path == "" {
		return r
	}
	out := r.Clone(r.Context())
	if n.body != nil {
		replaceBody(out, n.body)
	}
	if n.query != nil {
		out.URL.RawQuery = *n.query
	}
	if n.path != "" {
		if p, err := url.PathUnescape(n.path); err == nil {
			out.URL.Path, out.URL.RawPath = p, n.path
			out.RequestURI = "" // which has the old one
		}
	}
	return out
}

// describe is the value of DebugHeader for results.
func describe(results []placeholder.Result) string {
	var b strings.Builder
	for i, r := range results {
		if i == 50 {
			b.WriteString(", …")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s=%s", url.QueryEscape(r.SKU), r.Status)
		if r.Reason != "" {
			fmt.Fprintf(&b, ";%s", r.Reason)
		}
		if r.EntityID != 0 {
			fmt.Fprintf(&b, ";%d", r.EntityID)
		}
	}
	return b.String()
}
