package window_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"catalog/catalog/storefront/window"
)

func handler(t *testing.T, opts window.Options) http.Handler {
	t.Helper()
	h, err := window.Handler(opts)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func ask(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPage(t *testing.T) {
	h := handler(t, window.Options{Title: `Tom & "Jerry" <b>`, Media: "https://shop.example/media/"})
	page := ask(h, http.MethodGet, "/")
	for _, path := range []string{"/search?q=x", "/status", "/c/Men/Shoes", "/c?id=a%2F%2Fb", "/p?sku=a%2Fb", "/product?sku=a&store=de", "/p/MH-100", "/c/Audio%5C%2FVideo"} {
		if w := ask(h, http.MethodGet, path); w.Code != 200 || w.Body.String() != page.Body.String() || w.Header().Get("Etag") != page.Header().Get("Etag") {
			t.Errorf("%s answers %d, or another page", path, w.Code)
		}
	}
	for _, path := range []string{"/x", "/index.html", "/cc", "/assets/", "/assets/app.js", "/assets/index.html", "/assets/../window.go", "/favicon.ico", "/products"} {
		if w := ask(h, http.MethodGet, path); w.Code != 404 {
			t.Errorf("%s answers %d", path, w.Code)
		}
	}
	if w := ask(h, http.MethodPost, "/"); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
		t.Errorf("POST answers %d", w.Code)
	}
	body := page.Body.String()
	if strings.Contains(body, "<b>") || !strings.Contains(body, `data-media="https://shop.example/media"`) {
		t.Errorf("the options are not in the page as they should be:\n%s", body)
	}
	// The policy allows nothing that stands in the page itself, so nothing must.
	if policy := page.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %q", policy)
	}
	if inline := regexp.MustCompile(`<script(?:[^>]*[^c])?>[^<]|<style| style=| on[a-z]+=`).FindString(body); inline != "" {
		t.Errorf("the page has %q in it", inline)
	}
}

func TestFiles(t *testing.T) {
	h := handler(t, window.Options{})
	body := ask(h, http.MethodGet, "/").Body.String()
	files := regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`).FindAllStringSubmatch(body, -1)
	if len(files) < 10 {
		t.Fatalf("the page names %d files", len(files))
	}
	imports := regexp.MustCompile(`from '\./([^']+)'`)
	named := map[string]bool{}
	sum := 0
	for _, f := range files {
		named[f[1][strings.LastIndexByte(f[1], '/')+1:]] = true
	}
	for _, f := range files {
		path := f[1]
		w := ask(h, http.MethodGet, path)
		if w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Header().Get("Etag") == "" {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		for _, m := range imports.FindAllStringSubmatch(w.Body.String(), -1) {
			if !named[m[1]] {
				t.Errorf("%s imports %s, which the page does not fetch ahead", path, m[1])
			}
		}
		z := ask(h, http.MethodGet, path, "Accept-Encoding", "br, gzip;q=0.5")
		if z.Header().Get("Content-Encoding") != "gzip" || z.Header().Get("Etag") == w.Header().Get("Etag") {
			t.Errorf("%s is not compressed, or with the tag of what is not: %v", path, z.Header())
			continue
		}
		sum += z.Body.Len()
		zr, err := gzip.NewReader(z.Body)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := io.ReadAll(zr); err != nil || string(plain) != w.Body.String() {
			t.Errorf("%s is another when compressed (%v)", path, err)
		}
		if w := ask(h, http.MethodGet, path, "Accept-Encoding", "gzip;q=0"); w.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s is compressed for those who do not want it", path)
		}
		for _, tag := range []string{w.Header().Get("Etag"), "W/" + w.Header().Get("Etag"), `"x", ` + w.Header().Get("Etag"), "*"} {
			if n := ask(h, http.MethodGet, path, "If-None-Match", tag); n.Code != http.StatusNotModified || n.Body.Len() != 0 {
				t.Errorf("%s with If-None-Match %s: %d", path, tag, n.Code)
			}
		}
		if n := ask(h, http.MethodHead, path); n.Body.Len() != 0 || n.Header().Get("Content-Length") == "" {
			t.Errorf("HEAD %s has %d bytes", path, n.Body.Len())
		}
	}
	// Small: all of it is less than a picture of a product.
	if sum > 48<<10 {
		t.Errorf("all files have %d bytes when compressed", sum)
	}
}

func TestOldVersion(t *testing.T) {
	h := handler(t, window.Options{})
	if w := ask(h, http.MethodGet, "/assets/0123456789abcdef/app.js"); w.Code != 200 || w.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("a page of another version gets %d, %q", w.Code, w.Header().Get("Cache-Control"))
	}
	w := ask(h, http.MethodGet, "/assets/price-stock.js")
	if w.Code != 200 || strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("the script for others: %d %v", w.Code, w.Header())
	}
}
