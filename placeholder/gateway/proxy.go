package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// NewTransport returns how the gateway talks to the shop if Options has no
// other: HTTP/1.1, compressed bodies left as they are, and idle connections
// closed before the shop's server closes them (Apache after 5 s), since a
// request whose body streams through cannot be sent twice.
func NewTransport() *http.Transport {
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		DisableCompression:    true,
		MaxIdleConnsPerHost:   256,
		IdleConnTimeout:       4 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// newProxy returns the proxy that everything goes through.
func (g *Gateway) newProxy(upstream *url.URL) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Transport:     g.opts.Transport,
		FlushInterval: -1, // nothing is held back
		BufferPool:    &buffers{},
		ErrorLog:      slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
		ErrorHandler:  g.upstreamFailed,
		ModifyResponse: func(res *http.Response) error {
			if s, ok := res.Request.Context().Value(debugKey{}).(string); ok {
				res.Header.Set(DebugHeader, s)
			}
			return nil
		},
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.SetURL(upstream)
			// SetURL joins what ReverseProxy made of the query: parameters that
			// Go cannot parse are the shop's to judge.
			pr.Out.URL.RawQuery = pr.In.URL.RawQuery
			pr.Out.URL.ForceQuery = pr.In.URL.ForceQuery
			if path, ok := rawPath(pr.In); ok && strings.TrimSuffix(upstream.Path, "/") == "" {
				pr.Out.URL.Opaque = path
			}
			if pr.Out.Host = pr.In.Host; g.opts.Host != "" {
				pr.Out.Host = g.opts.Host
			}
			// The map that gets the request's trailers as its body ends.
			pr.Out.Trailer = pr.In.Trailer
			g.forwarded(pr)
		},
	}
}

// rawPath returns the path as the client wrote it, if Go would write it
// otherwise. RequestURI is empty for requests whose path we rewrote.
func rawPath(r *http.Request) (string, bool) {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || path == r.URL.EscapedPath() {
		return "", false
	}
	return path, true
}

// forwarded tells the shop who asked, and how. What a client says of itself
// is left out; what a proxy of ours says is kept.
func (g *Gateway) forwarded(pr *httputil.ProxyRequest) {
	from := peer(pr.In)
	trusted := g.trusts(from) || !from.IsValid()
	if trusted {
		for _, h := range []string{"X-Forwarded-For", "Forwarded"} {
			if v := pr.In.Header[h]; v != nil {
				pr.Out.Header[h] = v
			}
		}
	}
	pr.SetXForwarded()
	if trusted {
		for _, h := range []string{"X-Forwarded-Proto", "X-Forwarded-Host"} {
			if v := pr.In.Header[h]; v != nil {
				pr.Out.Header[h] = v
			}
		}
	}
}

type debugKey struct{}

// pass sends a request on and its answer back.
func (g *Gateway) pass(w http.ResponseWriter, r *http.Request, debug string) {
	if g.opts.Debug && debug != "" {
		r = r.WithContext(context.WithValue(r.Context(), debugKey{}, debug))
	}
	if r.ContentLength != 0 && r.GetBody == nil {
		// The shop may answer before it has read a body that streams through:
		// without this Go's server would read the rest of it for itself.
		_ = http.NewResponseController(w).EnableFullDuplex() // HTTP/2 needs none
	}
	g.proxy.ServeHTTP(continued{w}, r)
}

// continued leaves it to Go's server to tell a client to go on: it does when the
// body is first read, which is when the shop has said so. Passed on as well, the
// client would be told twice, or once, as the two come about.
type continued struct{ http.ResponseWriter }

func (w continued) WriteHeader(status int) {
	if status != http.StatusContinue {
		w.ResponseWriter.WriteHeader(status)
	}
}

// Unwrap is for http.ResponseController.
func (w continued) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (g *Gateway) debug(h http.Header, s string) {
	if g.opts.Debug {
		h.Set(DebugHeader, s)
	}
}

// upstreamFailed answers a request that the shop did not.
func (g *Gateway) upstreamFailed(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // nobody is there to read an answer
	}
	g.stats.upstream.Add(1)
	status := http.StatusBadGateway
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		status = http.StatusGatewayTimeout
	}
	g.log.LogAttrs(r.Context(), slog.LevelError, "shop did not answer", slog.Any("error", err))
	http.Error(w, "The shop does not answer.", status)
}

// write answers in the words of the route's API.
func (r *refusal) write(w http.ResponseWriter, rt route) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if rt != routeREST && rt != routeGraphQL {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(r.sentence() + "\n"))
		return
	}
	type message struct {
		Message    string            `json:"message"`
		Extensions map[string]string `json:"extensions,omitempty"`
	}
	var answer any = message{Message: r.sentence()}
	status := http.StatusBadRequest
	if rt == routeGraphQL {
		status = http.StatusOK // as Magento answers errors of input
		one := map[string]any{"errors": []message{{r.sentence(), map[string]string{"category": "graphql-input"}}}}
		answer = one
		if r.batch > 0 {
			all := make([]any, r.batch)
			for i := range all {
				all[i] = one
			}
			answer = all
		}
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // a client that went away needs no answer
}

// buffers keeps the buffers that bodies are copied with.
type buffers struct{ pool sync.Pool }

const bufferSize = 32 << 10

// Get returns a buffer for httputil.ReverseProxy.
func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return p[:]
	}
	return make([]byte, bufferSize)
}

// Put takes a buffer back.
func (b *buffers) Put(p []byte) {
	if cap(p) >= bufferSize {
		b.pool.Put((*[bufferSize]byte)(p[:bufferSize]))
	}
}
