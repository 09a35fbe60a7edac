package elasticindex_test

import (
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"catalog/indexer"
	"catalog/indexer/elasticindex"
	"catalog/indexer/indextest"
)

// TestAccess goes through TLS with a certificate of its own authority, with
// each way to say who asks, and by the second node when the first is away.
func TestAccess(t *testing.T) {
	target, err := url.Parse(server(t))
	must(t, err)
	want := ""
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	front := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); !strings.EqualFold(got, want) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error":{"type":"security_exception","reason":"missing authentication credentials"},"status":401}`))
			return
		}
		r.Header.Del("Authorization")
		proxy.ServeHTTP(w, r)
	}))
	front.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // handshakes that are meant to fail
	front.StartTLS()
	defer front.Close()
	dead := httptest.NewUnstartedServer(nil)
	away := dead.Listener.Addr().String()
	must(t, dead.Listener.Close())
	ca := filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw}), 0o600))

	try := func(address string) error {
		t.Helper()
		nodes, name, o, err := elasticindex.ParseURL(address)
		must(t, err)
		t.Cleanup(func() { drop(t, target.String(), name) })
		x, err := elasticindex.Open(nodes, name, &o)
		must(t, err)
		defer x.Close()
		b, err := x.Build(t.Context(), "fp")
		if err != nil {
			return err
		}
		must(t, b.Apply(t.Context(), []indexer.Op{indextest.NewWorld(1).Op(1)}))
		must(t, b.Publish(t.Context(), at(1)))
		wantCursor(t, x, 1)
		return nil
	}
	host := strings.TrimPrefix(front.URL, "https://")
	query := "/access?ca=" + url.QueryEscape(ca)
	want = "Basic dXNlcjpzZWNyZXQ="
	if err := try("https://user:secret@" + away + "," + host + query); err != nil {
		t.Errorf("by user and password: %v", err)
	}
	if err := try("https://user:wrong@" + host + query); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("with a wrong password: %v", err)
	}
	want = "ApiKey a2V5"
	if err := try("https://" + host + query + "&api_key=a2V5"); err != nil {
		t.Errorf("by API key: %v", err)
	}
	start := time.Now()
	if err := try("https://" + host + "/access?api_key=a2V5"); err == nil || errors.Is(err, elasticindex.ErrUnavailable) {
		t.Errorf("with a certificate of an unknown authority: %v", err)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("a certificate that will not get better was tried for %v", d)
	}
}

// TestProduct asks a server that is something else.
func TestProduct(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"version":{"number":"8.19.0"}}`)
	}))
	defer other.Close()
	x, err := elasticindex.Open([]string{other.URL}, "product", &elasticindex.Options{})
	must(t, err)
	defer x.Close()
	start := time.Now()
	if _, err := x.Build(t.Context(), "fp"); !errors.Is(err, elasticindex.ErrProduct) {
		t.Errorf("Build on another server: %v", err)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("a server that will not become Elasticsearch was tried for %v", d)
	}
}
