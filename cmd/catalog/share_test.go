package main

import (
	"bytes"
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/catalog/remotestore"
)

// TestStoreOfAServer uses a store over the network, by commands as they are.
func TestStoreOfAServer(t *testing.T) {
	t.Chdir(t.TempDir())
	const token = "s3cr3t-t0k3n"
	h := remotestore.NewHandler(memstore.New(), &remotestore.HandlerOptions{Tokens: []string{token}})
	plain, encrypted := httptest.NewServer(h), httptest.NewTLSServer(h)
	t.Cleanup(plain.Close)
	t.Cleanup(encrypted.Close)
	for name, text := range map[string]string{
		"feed.jsonl": `{"sku":"a","price":1}` + "\n" + `{"sku":""}` + "\n", "token": token + "\n", "none": "\n",
		"ca.pem": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: encrypted.Certificate().Raw})),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"CATALOG_STORE_TOKEN": token}
	for _, c := range []struct {
		env    map[string]string
		args   string
		status int
		stdout string
	}{
		{env, "import --rejects rejects.jsonl --store " + plain.URL + " feed.jsonl", statusRejects, "products"},
		{env, "get --store " + plain.URL + " a", 0, `"sku": "a"`},
		{nil, "get --store " + encrypted.URL + " --store-ca ca.pem --store-token-file token a", 0, `"sku": "a"`},
		{env, "get --store " + encrypted.URL + " a", statusFailed, ""}, // signed by nobody we know
		{env, "export --kind products --store " + plain.URL, 0, `"sku":"a"`},
		{env, "stats --store " + plain.URL, 0, "shared_by: http://"},
		{env, "imports --store " + plain.URL, 0, "rejects"},
		{env, "delete --store " + plain.URL + " a", 0, ""},
		{env, "compact --store " + plain.URL, statusUsage, ""},
		{nil, "stats --store " + plain.URL, statusFailed, ""},
		{map[string]string{"CATALOG_STORE_TOKEN": "wr0ng"}, "stats --store " + plain.URL, statusFailed, ""},
		{nil, "stats --store-token-file none --store " + plain.URL, statusUsage, ""},
		{env, "stats --store-ca token --store " + plain.URL, statusUsage, ""},
		{env, "stats --store " + plain.URL + "/elsewhere?x=1", statusUsage, ""},
		{env, "search --store " + plain.URL + " a", statusUsage, ""}, // no index beside it
	} {
		got := catalogRun(t, c.env, strings.Fields(c.args)...)
		if got.status != c.status || !strings.Contains(got.stdout, c.stdout) {
			t.Errorf("catalog %s: status %d, want %d\n%s%s", c.args, got.status, c.status, got.stdout, got.stderr)
		}
		if all := got.stdout + got.stderr; strings.Contains(all, token) || strings.Contains(all, "wr0ng") {
			t.Errorf("catalog %s tells the token:\n%s", c.args, all)
		}
	}
}

// testApp is an app that shares, and what it logs.
func testApp() (*app, *bytes.Buffer) {
	var log bytes.Buffer
	return &app{log: slog.New(slog.NewTextHandler(&log, nil)), shares: true}, &log
}

// TestShareLongPath: a folder may be deeper than the path of a socket may be
// long.
func TestShareLongPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("deep/", 30)+"store")
	a, log := testApp()
	held, err := a.openEmbedded(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := held.Apply(t.Context(), []catalog.Write{{Kind: catalog.KindProduct, Key: "a", Body: []byte(`{}`)}}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(filepath.Join(dir, socketName))
	if err != nil || info.Mode().Perm() != 0o600 || info.Mode()&os.ModeSocket == 0 {
		t.Fatalf("the socket: %v, %v\n%s", info, err, log)
	}
	other, err := a.openEmbedded(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	recs, err := other.Get(t.Context(), catalog.KindProduct, "a")
	if err != nil || !recs[0].Exists() {
		t.Errorf("%v, %v", recs, err)
	}
	if err := errors.Join(other.Close(), held.Close(), other.Close()); err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*SOCKET*")); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

// TestTakeOver: when the holder ends, one of those who use its store takes it
// over, and the others find that one.
func TestTakeOver(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	a, log := testApp()
	var users []catalog.Store
	for range 3 {
		s, err := a.openEmbedded(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		users = append(users, s)
	}
	put := func(s catalog.Store, key catalog.Key) error {
		_, err := s.Apply(t.Context(), []catalog.Write{{Kind: catalog.KindProduct, Key: key, Body: []byte(`{}`)}})
		return err
	}
	tail, err := users[2].Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	woken := make(chan error, 1)
	go func() { woken <- users[2].Wait(t.Context(), tail) }()
	if err := users[0].Close(); err != nil {
		t.Fatal(err)
	}
	if err := put(users[1], "a"); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	select {
	case err := <-woken:
		if err != nil {
			t.Errorf("who waited: %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("who waited is not woken")
	}
	if err := errors.Join(put(users[2], "b"), users[1].Close(), put(users[2], "c"), users[2].Close()); err != nil {
		t.Errorf("%v\n%s", err, log)
	}
	last, err := a.openEmbedded(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	recs, err := last.Get(t.Context(), catalog.KindProduct, "a", "b", "c")
	if err = errors.Join(err, last.Close()); err != nil || !recs[0].Exists() || !recs[1].Exists() || !recs[2].Exists() {
		t.Errorf("%v, %v", recs, err)
	}
}

// TestShareOtherVersion: a holder that speaks another protocol is told apart
// from one that is not there.
func TestShareOtherVersion(t *testing.T) {
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		_, _ = w.Write([]byte("catst\x09"))
	}))
	t.Cleanup(server.Close)
	got := catalogRun(t, nil, "stats", "--store", server.URL)
	if got.status != statusFailed || !strings.Contains(got.stderr, "version") || calls.Load() != 1 {
		t.Errorf("status %d after %d calls: %s", got.status, calls.Load(), got.stderr)
	}
}

// TestBulkStepsBack: who reads or writes much through another process lets that
// one go first, and nobody else does.
func TestBulkStepsBack(t *testing.T) {
	dir := t.TempDir()
	owner, _ := testApp()
	h, err := owner.hold(t.Context(), dir, true, false)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for _, bulk := range []bool{false, true} {
		a, _ := testApp()
		steps := 0
		a.bulk, a.system.yield = bulk, func() { steps++ }
		s, err := a.reach(t.Context(), dir, "another")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if (steps > 0) != bulk {
			t.Errorf("bulk %t: stepped back %d times", bulk, steps)
		}
	}
}
