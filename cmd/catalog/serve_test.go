package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"catalog/fixtures/mariadb"
	"catalog/fixtures/servertest"
	"catalog/placeholder"
	"catalog/placeholder/magento2"
)

// server is the real program serving in the background.
type server struct {
	t    *testing.T
	cmd  *exec.Cmd
	addr map[string]string // what it listens for → address
	mu   sync.Mutex
	log  strings.Builder
	done chan struct{} // its log ended
}

var listening = regexp.MustCompile(`msg=listening for=("[^"]*"|\S+) address=(\S+)`)

// startServer starts the program and waits until it listens n times, if n is
// above 0.
func startServer(t *testing.T, dir string, env []string, n int, args ...string) *server {
	t.Helper()
	s := &server{t: t, cmd: exec.Command(filepath.Join(dir, "catalog"), args...), addr: map[string]string{}, done: make(chan struct{})}
	s.cmd.Dir, s.cmd.Env = dir, append(os.Environ(), env...)
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill() // it may have ended
		<-s.done
		if t.Failed() {
			t.Logf("the server said\n%s", s.said())
		}
	})
	ready := make(chan struct{})
	go func() {
		defer close(s.done)
		found := 0
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			s.mu.Lock()
			fmt.Fprintln(&s.log, lines.Text())
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				s.addr[strings.Trim(m[1], `"`)] = m[2]
				if found++; found == n {
					close(ready)
				}
			}
			s.mu.Unlock()
		}
	}()
	if n == 0 {
		return s
	}
	select {
	case <-ready:
	case <-s.done:
		t.Fatalf("the server ended: %s", s.said())
	case <-time.After(time.Minute):
		t.Fatal("the server does not listen")
	}
	return s
}

func (s *server) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func (s *server) url(name, path string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return "http://" + s.addr[name] + path
}

// stop ends the server in order.
func (s *server) stop() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	<-s.done
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("after SIGTERM: %v", err)
	}
}

// request sends a request and returns the answer.
func request(t *testing.T, method, url, token, body string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

const shopFeed = `{"sku":"CHAIR","name":"Chair","price":100}
{"sku":"TABLE","name":"Table","price":200}
`

// shopFolder is a folder with the program and a store.
func shopFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	programCopy(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "feed.jsonl"), []byte(shopFeed), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "catalog"), "-q", "import", "feed.jsonl")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

func TestPlaceholderServe(t *testing.T) {
	shop := newShop(t, shopServer(t), fmt.Sprintf("serve_%d", time.Now().UnixNano()), false)
	dir := shopFolder(t)
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, dir, []string{"CATALOG_DSN=" + shop.DSN}, 1, "placeholder", "serve", "--listen", "127.0.0.1:0", "--token-file", "token")
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body := request(t, "GET", s.url("placeholders", path), "", ""); status != 200 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, _ := request(t, "POST", s.url("placeholders", "/v1/placeholders"), "", `{"skus":["CHAIR"]}`); status != 401 {
		t.Errorf("without token: %d", status)
	}
	for _, want := range []placeholder.Status{placeholder.Created, placeholder.Present} {
		status, body := request(t, "POST", s.url("placeholders", "/v1/placeholders"), "s3cret", `{"skus":["CHAIR","NONE"]}`)
		var r placeholder.Response
		if err := json.Unmarshal([]byte(body), &r); err != nil || status != 200 || len(r.Placeholders) != 2 ||
			r.Placeholders[0].Status != want || r.Placeholders[0].EntityID == 0 || r.Placeholders[1].Status != placeholder.Unknown {
			t.Errorf("%d %s (%v), want %s", status, body, err, want)
		}
	}
	if status, body := request(t, "GET", s.url("placeholders", "/stats"), "", ""); status != 200 || !strings.Contains(body, `"Asked": 4`) {
		t.Errorf("/stats: %d %s", status, body)
	}
	s.stop()
	for _, hidden := range []string{"s3cret", shop.DSN} {
		if strings.Contains(s.said(), hidden) {
			t.Errorf("the log has a secret: %s", s.said())
		}
	}
}

// TestPlaceholderFollow: what was imported while nobody followed is caught up
// with.
func TestPlaceholderFollow(t *testing.T) {
	shop := newShop(t, shopServer(t), fmt.Sprintf("follow_%d", time.Now().UnixNano()), true)
	dir := shopFolder(t)
	env := []string{"CATALOG_DSN=" + shop.DSN}
	step := func(args ...string) {
		t.Helper()
		cmd := exec.Command(filepath.Join(dir, "catalog"), args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("catalog %v: %v\n%s", args, err, out)
		}
	}
	price := func() (p string) {
		query := "SELECT CAST(MAX(v.value) AS CHAR) FROM {}catalog_product_entity_decimal v JOIN {}catalog_product_entity e ON e.entity_id=v.entity_id JOIN {}eav_attribute a ON a.attribute_id=v.attribute_id WHERE e.sku='CHAIR' AND a.attribute_code='price' AND v.store_id=0"
		if err := shop.SQL.QueryRowContext(t.Context(), strings.ReplaceAll(query, "{}", shop.Prefix)).Scan(&p); err != nil {
			t.Fatal(err)
		}
		return strings.TrimRight(strings.TrimRight(p, "0"), ".")
	}
	step("placeholder", "ensure", "CHAIR")
	for _, want := range []string{"111", "122"} {
		if err := os.WriteFile(filepath.Join(dir, "prices.jsonl"), []byte(`{"sku":"CHAIR","price":`+want+`}`), 0o600); err != nil {
			t.Fatal(err)
		}
		step("import", "--kind", "prices", "prices.jsonl")
		s := startServer(t, dir, env, 0, "placeholder", "follow")
		for end := time.Now().Add(30 * time.Second); price() != want; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("the price is %s, want %s", price(), want)
			}
		}
		s.stop()
	}
}

func TestGatewayServe(t *testing.T) {
	servertest.Need(t, servertest.MariaDB)
	srv, err := mariadb.StartLocal(t.Context(), mariadb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	shop := newShop(t, srv, "gateway", false)
	db, err := magento2.Open(t.Context(), shop.DSN, magento2.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	// The shop: when an item arrives its product must be there. It does not ask
	// a database that is frozen.
	var frozen atomic.Bool
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/items") {
			fmt.Fprint(w, "page")
			return
		}
		if frozen.Load() {
			fmt.Fprint(w, "frozen")
			return
		}
		var body struct {
			CartItem struct {
				SKU string `json:"sku"`
			} `json:"cartItem"`
		}
		err := json.NewDecoder(r.Body).Decode(&body)
		found, ferr := db.Find(r.Context(), []string{body.CartItem.SKU})
		if err := errors.Join(err, ferr); err != nil || found[0].State == placeholder.StateNone {
			http.Error(w, fmt.Sprintf("no product %q: %v", body.CartItem.SKU, err), http.StatusNotFound)
			return
		}
		fmt.Fprintf(w, "product %d", found[0].EntityID)
	}))
	defer upstream.Close()
	dir := shopFolder(t)
	s := startServer(t, dir, []string{"CATALOG_DSN=" + shop.DSN}, 2,
		"gateway", "--upstream", upstream.URL, "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--limit", "300ms", "--cooldown", "500ms")
	const visitors = "the shop's visitors"
	if status, body := request(t, "GET", s.url(visitors, "/chairs.html"), "", ""); status != 200 || body != "page" {
		t.Errorf("a page: %d %s", status, body)
	}
	add := func(sku string) (int, string) {
		return request(t, "POST", s.url(visitors, "/rest/V1/guest-carts/abc/items"), "", `{"cartItem":{"sku":"`+sku+`","qty":1,"quote_id":"abc"}}`)
	}
	if status, body := add("CHAIR"); status != 200 || !strings.HasPrefix(body, "product ") {
		t.Errorf("an item of the catalog: %d %s", status, body)
	}
	if status, _ := add("NONE"); status != 404 {
		t.Errorf("an item of nobody: %d", status)
	}
	if status, body := request(t, "POST", s.url("control", "/v1/placeholders"), "", `{"skus":["CHAIR"]}`); status != 200 || !strings.Contains(body, `"present"`) {
		t.Errorf("the API: %d %s", status, body)
	}
	if status, body := request(t, "GET", s.url("control", "/stats"), "", ""); status != 200 || !strings.Contains(body, `"gateway"`) {
		t.Errorf("/stats: %d %s", status, body)
	}

	// A database that does not answer costs no more than the limit, then nothing.
	frozen.Store(true)
	if err := srv.Freeze(); err != nil {
		t.Fatal(err)
	}
	quick := 0
	for i := range 20 {
		began := time.Now()
		status, body := add("TABLE")
		took := time.Since(began)
		if status != 200 || body != "frozen" || took > 1500*time.Millisecond {
			t.Errorf("request %d while the database is frozen: %d %s after %v", i, status, body, took)
		}
		if took < 100*time.Millisecond {
			quick++
		}
	}
	if quick < 5 {
		t.Errorf("the breaker did not open: %d of 20 requests were quick", quick)
	}
	if err := srv.Thaw(); err != nil {
		t.Fatal(err)
	}
	frozen.Store(false)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		if status, _ := add("TABLE"); status == 200 {
			break
		} else if time.Now().After(end) {
			t.Fatal("the breaker does not close again")
		}
	}
	s.stop()
}

// TestShopFlags: flags that make no sense, without any database.
func TestShopFlags(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, args := range []string{
		"prune --dsn x@tcp(y)/z", "prune --unused-for 3x", "prune --unused-for -1d", "prune --unused-for 99999999d", "prune --keep many",
		"prune --keep 1 --pause -1s --dsn x", "gateway --upstream shop", "gateway --upstream ftp://shop", "gateway --upstream http://shop --trusted 10.0.0.1",
		"gateway --upstream http://shop --token-file none", "placeholder serve extra", "placeholder ensure --max-new -1 A", "magento", "magento nonsense",
		"magento discover --env none.php", "placeholder follow x",
	} {
		got := catalogRun(t, nil, strings.Fields(args)...)
		want := statusUsage
		if args == "magento" {
			want = statusOK
		}
		if got.status != want {
			t.Errorf("catalog %s: status %d, %q; want %d", args, got.status, got.stderr, want)
		}
	}
}

func TestDays(t *testing.T) {
	for text, want := range map[string]time.Duration{"31d": 31 * 24 * time.Hour, "2w": 14 * 24 * time.Hour, "36h": 36 * time.Hour, "0d": 0, "90m": 90 * time.Minute} {
		var d days
		if err := d.Set(text); err != nil || time.Duration(d) != want {
			t.Errorf("%s: %v, %v", text, time.Duration(d), err)
		}
		var again days
		if err := again.Set(d.String()); err != nil || again != d {
			t.Errorf("%s: shown as %s", text, &d)
		}
	}
	for _, text := range []string{"", "d", "-1d", "1.5d", "month", "40000d"} {
		if err := new(days).Set(text); err == nil {
			t.Errorf("%q is a duration", text)
		}
	}
}

func TestSecret(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "user@tcp(h)/db": "user@tcp(h)/db", "user:pass@tcp(h:3306)/db": "user:…@tcp(h:3306)/db",
		"user:p@ss:word@tcp(h)/db": "user:…@tcp(h)/db", "user:pass@/db": "user:…@/db",
	} {
		var s secret
		if err := s.Set(text); err != nil || s.String() != want {
			t.Errorf("%q is shown as %q, want %q", text, &s, want)
		}
	}
}
