package purge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"catalog/catalog/storefront/purge"
)

// seen is what a cache was asked.
type seen struct {
	method, path, auth string
	header             http.Header
	keys               []string
	body               string
}

// cache is an HTTP server that takes purges; answer may refuse one.
type cache struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []seen
	answer func(s seen) int
}

func newCache(t *testing.T) *cache {
	c := &cache{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s := seen{method: r.Method, path: r.URL.Path, auth: r.Header.Get("Authorization"), header: r.Header, body: string(body)}
		for _, name := range []string{"Xkey-Purge", "Xkey-Softpurge", "Surrogate-Key"} {
			s.keys = append(s.keys, strings.Fields(r.Header.Get(name))...)
		}
		var doc struct{ Tags []string }
		if json.Unmarshal(body, &doc) == nil {
			s.keys = append(s.keys, doc.Tags...)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked = append(c.asked, s)
		if c.answer != nil {
			if status := c.answer(s); status != 0 {
				w.WriteHeader(status)
				return
			}
		}
		_, _ = io.WriteString(w, `{"success":true}`)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *cache) took() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, s := range c.asked {
		out = append(out, s.keys...)
	}
	return out
}

func target(t *testing.T, address, token string) purge.Target {
	t.Helper()
	out, err := purge.ParseTarget(address, token, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTargets(t *testing.T) {
	for _, tt := range []struct {
		name, prefix, suffix string
		method, path         string
		soft, hard           func(h http.Header) bool
		secret               func(s seen) string
		most                 int // keys in a request
		all                  string
	}{
		{
			name: "varnish", method: "PURGE", path: "/", most: 1000,
			soft:   func(h http.Header) bool { return h.Get("Xkey-Softpurge") != "" && h.Get("Xkey-Purge") == "" },
			hard:   func(h http.Header) bool { return h.Get("Xkey-Purge") != "" && h.Get("Xkey-Softpurge") == "" },
			secret: func(s seen) string { return strings.TrimPrefix(s.auth, "Bearer ") },
			all:    "/",
		},
		{
			name: "fastly", prefix: "fastly+", suffix: "/service/S1/", method: http.MethodPost, path: "/service/S1/purge", most: 256,
			soft:   func(h http.Header) bool { return h.Get("Fastly-Soft-Purge") == "1" },
			hard:   func(h http.Header) bool { return h.Get("Fastly-Soft-Purge") == "" },
			secret: func(s seen) string { return s.header.Get("Fastly-Key") },
			all:    "/service/S1/purge_all",
		},
		{
			name: "cloudflare", prefix: "cloudflare+", suffix: "/zones/Z1", method: http.MethodPost, path: "/zones/Z1/purge_cache", most: 30,
			soft:   func(http.Header) bool { return true },
			hard:   func(http.Header) bool { return true },
			secret: func(s seen) string { return strings.TrimPrefix(s.auth, "Bearer ") },
			all:    "/zones/Z1/purge_cache",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCache(t)
			x := target(t, tt.prefix+c.URL+tt.suffix, "geheim")
			var keys []string
			for i := range 700 {
				keys = append(keys, fmt.Sprintf("p:%d-%s", i, strings.Repeat("x", i%200)))
			}
			if err := x.Purge(t.Context(), keys, true); err != nil {
				t.Fatal(err)
			}
			if got := c.took(); !slices.Equal(got, keys) {
				t.Errorf("the cache got %d keys of %d, or in another order", len(got), len(keys))
			}
			for _, s := range c.asked {
				if s.method != tt.method || s.path != tt.path || tt.secret(s) != "geheim" || !tt.soft(s.header) {
					t.Errorf("was asked by %s %s, headers %v", s.method, s.path, s.header)
				}
				if len(s.keys) > tt.most {
					t.Errorf("got %d keys in one request, more than %d", len(s.keys), tt.most)
				}
				for name, v := range s.header {
					if len(v[0]) > 16<<10 || tt.name == "varnish" && len(name)+len(v[0]) > 8000 {
						t.Errorf("header %s has %d bytes", name, len(v[0]))
					}
				}
			}
			c.asked = nil
			if err := x.Purge(t.Context(), []string{"p:a"}, false); err != nil || !tt.hard(c.asked[0].header) {
				t.Errorf("a hard purge came with %v, error %v", c.asked, err)
			}
			c.asked = nil
			if err := x.PurgeAll(t.Context()); err != nil || len(c.asked) != 1 || c.asked[0].path != tt.all {
				t.Errorf("purging everything asked %+v, error %v", c.asked, err)
			}
			c.answer = func(seen) int { return http.StatusForbidden }
			err := x.Purge(t.Context(), []string{"p:a"}, true)
			if err == nil || strings.Contains(err.Error(), "geheim") {
				t.Errorf("a refusal made the error %v", err)
			}
			if strings.Contains(x.String(), "geheim") {
				t.Errorf("the target is called %s", x)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := x.Purge(ctx, []string{"p:a"}, true); !errors.Is(err, context.Canceled) {
				t.Errorf("after cancel the error is %v", err)
			}
		})
	}
}

func TestCloudflareSaysNo(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"success":false,"errors":[{"code":7003,"message":"no such zone"}]}`)
	}))
	defer srv.Close()
	if err := target(t, "cloudflare+"+srv.URL+"/zones/Z", "").Purge(t.Context(), []string{"p:a"}, true); err == nil {
		t.Error("an answer without success was taken for one")
	}
}

func TestParseTarget(t *testing.T) {
	for address, want := range map[string]string{
		"http://127.0.0.1:6081":                      "http://127.0.0.1:6081/",
		"https://cache.example/":                     "https://cache.example/",
		"varnish+http://cache:80/x":                  "http://cache:80/x/",
		"fastly://SERVICE1":                          "https://api.fastly.com/service/SERVICE1",
		"cloudflare://zone1":                         "https://api.cloudflare.com/client/v4/zones/zone1",
		"fastly+https://cdn.example/service/S/":      "https://cdn.example/service/S",
		"cloudflare+http://127.0.0.1:8080/zones/abc": "http://127.0.0.1:8080/zones/abc",
	} {
		if got := target(t, address, "").String(); got != want {
			t.Errorf("%s is %s, not %s", address, got, want)
		}
	}
	for _, address := range []string{"", "cache:6081", "http://", "ftp://cache", "http://user:word@cache", "fastly+ftp://x", "http+fastly://x", "://", "varnish://x"} {
		_, err := purge.ParseTarget(address, "", nil)
		if !errors.Is(err, purge.ErrTarget) {
			t.Errorf("%q made the error %v", address, err)
		}
		if err != nil && strings.Contains(err.Error(), "word") {
			t.Errorf("%v tells a secret", err)
		}
	}
}
