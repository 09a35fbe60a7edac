package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/remotestore"
	"catalog/importer"
)

const serveToken = "admin-admin-admin-admin"

// serveStore serves a store of the killer's folder on a port of its own.
func (k *killer) serveStore(t *testing.T, store string) *server {
	t.Helper()
	return startServer(t, k.dir, []string{"CATALOG_TOKENS=admin:" + serveToken}, 1, "serve", "--store", "pebble:./"+store, "--listen", "127.0.0.1:0", "--no-window")
}

// outcome is what an import leaves behind, but for when and how fast.
type outcome struct {
	Status  int
	Report  map[string]any
	Rejects string
}

// imported runs an import and returns what it came to.
func (k *killer) imported(t *testing.T, args ...string) outcome {
	t.Helper()
	report, rejects := filepath.Join(k.dir, "report.json"), filepath.Join(k.dir, "rejects.jsonl")
	for _, path := range []string{report, rejects} {
		if err := os.Remove(path); err != nil && !notThere(err) {
			t.Fatal(err)
		}
	}
	var out outcome
	out.Status, _ = k.status(t, append(args, "--no-progress", "--report", "report.json", "--rejects", "rejects.jsonl")...)
	if text, err := os.ReadFile(report); err == nil {
		if err := json.Unmarshal(text, &out.Report); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"id", "started", "seconds", "per_second", "index_seconds", "tidy_seconds", "peak_rss_bytes", "recalled"} {
		delete(out.Report, name)
	}
	if text, err := os.ReadFile(rejects); err == nil {
		out.Rejects = string(text)
	}
	return out
}

// TestImportBesideServe runs the same imports with a store of their own and
// beside a server: exit status, report, rejects, store and index are the same.
func TestImportBesideServe(t *testing.T) {
	dir := t.TempDir()
	k := &killer{program: programCopy(t, dir), dir: dir}
	for name, text := range map[string]string{
		"feed.jsonl": `{"sku":"A","name":"Lamp","price":10,"stock":3}` + "\n" + `{"sku":"B","name":"Table","price":20}` + "\n" +
			`{"sku":"A","name":"Lamp, newer","price":11}` + "\n" + `{"sku":"","name":"x"}` + "\n" + `{"sku":"C","name":7}` + "\n" + `no JSON` + "\n",
		"half.jsonl":   `{"sku":"B","name":"Table"}` + "\n",
		"patch.jsonl":  `{"sku":"A","brand":"Asics"}` + "\n" + `{"sku":"NONE","brand":"x"}` + "\n",
		"prices.csv":   "sku,price\nA,12.5\nB,0\n",
		"delete.jsonl": `{"sku":"A"}` + "\n" + `{"sku":"NONE"}` + "\n",
		"bad.jsonl":    strings.Repeat(`{"sku":""}`+"\n", 5),
	} {
		if err := os.WriteFile(filepath.Join(k.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	srv := k.serveStore(t, "served")
	seen := map[int]bool{}
	for i, args := range [][]string{
		{"import", "--dry-run", "feed.jsonl"},
		{"import", "--source", "erp", "feed.jsonl"},
		{"import", "--source", "erp", "feed.jsonl"}, // all unchanged
		{"import", "--source", "erp", "--mode", "sync", "half.jsonl"},
		{"import", "--source", "erp", "--mode", "sync", "--max-delete", "none", "half.jsonl"},
		{"import", "--source", "erp", "feed.jsonl"},
		{"import", "--mode", "patch", "patch.jsonl"},
		{"import", "--kind", "prices", "prices.csv"},
		{"import", "--kind", "prices", "--max-price-change", "none", "prices.csv"},
		{"import", "--max-rejects", "2", "bad.jsonl"},
		{"import", "--mode", "delete", "delete.jsonl"},
		{"import", "missing.jsonl"},
		{"import", "--kind", "nonsense", "feed.jsonl"},
	} {
		alone := k.imported(t, append(args, "--store", "pebble:./alone")...)
		beside := k.imported(t, append(args, "--store", "pebble:./served")...)
		if !reflect.DeepEqual(alone, beside) {
			t.Errorf("%v: alone\n%+v\nbeside a server\n%+v", args, alone, beside)
		}
		seen[alone.Status] = true
		if i%2 == 0 {
			continue // each search is a process of its own
		}
		q := []string{"search", "--sort", "name", "--json"}
		if a, b := k.hits(t, "alone", q), k.hits(t, "served", q); a != b {
			t.Errorf("after %v: alone %s, beside a server %s", args, a, b)
		}
	}
	for _, status := range []int{statusOK, statusFailed, statusUsage, statusRejects, statusRefused} {
		if !seen[status] {
			t.Errorf("no import ended with %d", status)
		}
	}
	leasedElsewhere(t, srv)
	srv.stop()
	alone, served := contents(t, filepath.Join(k.dir, "alone")), contents(t, filepath.Join(k.dir, "served"))
	if alone.records != served.records || alone.heads != served.heads || alone.refs != served.refs {
		t.Errorf("the stores end as\n%+v and\n%+v", alone, served)
	}
}

// leasedElsewhere: while another process imports a source, the server refuses
// to, says when to come again, and takes other sources and kinds.
func leasedElsewhere(t *testing.T, srv *server) {
	t.Helper()
	other, err := remotestore.Open(t.Context(), srv.url("shoppers", ""), &remotestore.Options{Token: serveToken})
	if err != nil {
		t.Fatal(err)
	}
	lease, err := other.Acquire(t.Context(), importer.LeaseName(catalog.KindProduct, "busy"), "another process", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{"source=busy": http.StatusConflict, "source=busy&kind=prices": http.StatusOK, "source=idle": http.StatusOK, "source=busy&dry_run=true": http.StatusOK} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.url("shoppers", "/v1/imports?format=jsonl&mode=delete&"+query), strings.NewReader(`{"sku":"NONE"}`+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+serveToken)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if again := res.Header.Get("Retry-After"); res.StatusCode != want || (again != "") != (want == http.StatusConflict) {
			t.Errorf("%s: %d, Retry-After %q, want %d", query, res.StatusCode, again, want)
		}
	}
	if err := errors.Join(other.Release(t.Context(), lease.Fence), other.Close()); err != nil {
		t.Error(err)
	}
}

// hits returns what a search finds, as text.
func (k *killer) hits(t *testing.T, store string, args []string) string {
	t.Helper()
	status, output := k.status(t, append(args, "--store", "pebble:./"+store)...)
	var page searchPage
	if status != 0 {
		if strings.Contains(output, "no index") || strings.Contains(output, "no store") {
			return "[]" // nothing was imported yet
		}
		t.Fatalf("%v of %s: status %d: %s", args, store, status, output)
	}
	if err := json.Unmarshal([]byte(output), &page); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return fmt.Sprint(page.Hits)
}

// TestServeKill kills, at random moments of an import that goes through a
// server, the server or who sends the feed: by POST /v1/imports or through the
// local socket. After a restart the same import must end in the store of one
// that nobody killed, its report must close, and the index must be right.
// CATALOG_TEST_SERVE_KILLS says how often; CATALOG_TEST_SEED repeats a run.
func TestServeKill(t *testing.T) {
	k, kills := newKiller(t, "CATALOG_TEST_SERVE_KILLS", 4)
	k.run(t, 0, "generate", "--records", "1000", "-o", "feed.jsonl")
	args := []string{"import", "--no-index", "--source", "erp", "--batch-bytes", "100000", "feed.jsonl"}
	span := k.timed(t, "whole", args)
	want := contents(t, filepath.Join(k.dir, "whole"))

	for i := range kills {
		store := "killed" + strconv.Itoa(i)
		byPost, killsServer := i%2 == 0, i/2%2 == 0
		what := fmt.Sprintf("round %d, by POST: %v, the server is killed: %v", i, byPost, killsServer)
		srv := k.serveStore(t, store)
		after := time.Duration(k.rng.Int64N(int64(span)))
		var left func() // ends who sends the feed, if it has not ended
		if byPost {
			left = k.post(t, srv)
		} else {
			client, _ := k.command(t.Context(), append(args, "--store", "pebble:./"+store)...)
			if err := client.Start(); err != nil {
				t.Fatal(err)
			}
			left = func() {
				_ = client.Process.Kill() // it may have ended
				_ = client.Wait()
			}
		}
		time.Sleep(after)
		if killsServer {
			if err := srv.cmd.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			<-srv.done
			_ = srv.cmd.Wait()
			left()
			srv = k.serveStore(t, store)
		} else {
			left()
		}
		again := k.imported(t, append(args, "--store", "pebble:./"+store)...)
		if n := func(name string) float64 { v, _ := again.Report[name].(float64); return v }; again.Status != 0 || again.Report["status"] != "ok" || n("read") != 1000 ||
			n("read") != n("created")+n("updated")+n("unchanged")+n("rejected")+n("merged")+n("duplicates") {
			t.Errorf("%s after %v: the repeated import ends with %d: %v", what, after, again.Status, again.Report)
		}
		k.run(t, 0, "index", "--no-progress", "--store", "pebble:./"+store)
		k.run(t, 0, "verify", "--no-progress", "--store", "pebble:./"+store)
		// Who was not killed has told of the import that was cut off.
		if byPost && !killsServer {
			k.told(t, srv)
		}
		srv.stop()
		if got := contents(t, filepath.Join(k.dir, store)); got.records != want.records || got.heads != want.heads || got.refs != want.refs {
			t.Errorf("%s after %v: the store ends as\n%+v, want\n%+v", what, after, got, want)
		}
	}
}

// post begins to send the feed, and returns what cuts the connection as the end
// of a killed process does, and waits.
func (k *killer) post(t *testing.T, srv *server) (cut func()) {
	t.Helper()
	feed, err := os.ReadFile(filepath.Join(k.dir, "feed.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var dialer net.Dialer
	c, err := dialer.DialContext(t.Context(), "tcp", strings.TrimSuffix(strings.TrimPrefix(srv.url("shoppers", ""), "http://"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		// The length is larger than the feed: it never ends by itself.
		_, _ = fmt.Fprintf(c, "POST /v1/imports?source=erp&format=jsonl HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n", serveToken, 2*len(feed))
		_, _ = c.Write(feed) // until it is cut
	}()
	return func() {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
		<-sent
	}
}

// told checks that the last import but one is in the list as one that did not
// end, unless it was cut off before it began.
func (k *killer) told(t *testing.T, srv *server) {
	t.Helper()
	status, text := request(t, http.MethodGet, srv.url("shoppers", "/v1/imports"), serveToken, "")
	var list struct {
		Running []any `json:"running"`
		Imports []struct {
			Status string `json:"status"`
		} `json:"imports"`
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil || status != http.StatusOK || len(list.Running) != 0 {
		t.Fatalf("%d %v: %s", status, err, text)
	}
	for i, rep := range list.Imports {
		if ok := rep.Status == "ok"; ok != (i == 0) {
			t.Errorf("import %d before the last ended %q", i, rep.Status)
		}
	}
}
