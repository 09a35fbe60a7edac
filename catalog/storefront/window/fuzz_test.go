package window_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"catalog/catalog/storefront/window"
)

// FuzzRequest asks the window for anything: it answers with its page, a file, a
// 304 or 404, never with another file's type, and compressed only for those who
// take that.
func FuzzRequest(f *testing.F) {
	for _, seed := range [][3]string{
		{"/", "gzip", ""},
		{"/c/Men%2FShoes", "br, gzip;q=0.5", `"x"`},
		{"/assets/price-stock.js", "gzip;q=0", "*"},
		{"/assets/../x", "", `W/"a", "b`},
		{"/assets/0123/app.js", "*;q=0", ","},
		{"/p/\x00", "gzip;q=x", `"`},
		{"/assets/words-de.json", "identity", ""},
		{"/product", "GZIP", "W/"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	h, err := window.Handler(window.Options{Title: "T"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path, accept, match string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL = &url.URL{Path: path}
		r.Header.Set("Accept-Encoding", accept)
		r.Header.Set("If-None-Match", match)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK:
			if w.Body.Len() == 0 || w.Header().Get("Etag") == "" {
				t.Errorf("%q: an empty file", path)
			}
		case http.StatusNotModified:
			if match == "" || w.Body.Len() > 0 {
				t.Errorf("%q is not modified for who has nothing", path)
			}
		case http.StatusNotFound:
		default:
			t.Errorf("%q answers %d", path, w.Code)
		}
		if w.Header().Get("Content-Encoding") != "" && !strings.Contains(accept, "gzip") && !strings.Contains(accept, "*") {
			t.Errorf("%q is compressed for %q", path, accept)
		}
		if page := strings.HasPrefix(w.Header().Get("Content-Type"), "text/html"); w.Code == http.StatusOK && page != (w.Header().Get("Content-Security-Policy") != "") {
			t.Errorf("%q: the policy belongs to the page and nothing else", path)
		}
	})
}
