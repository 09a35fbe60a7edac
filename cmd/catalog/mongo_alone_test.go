package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/mongostore"
	"catalog/importer"
)

// TestMongoAlone: of two imports of one source in processes of their own the
// second is refused, and told who runs, where and since when; one of another
// source is not. When the first is killed, its successor goes on as soon as its
// lease is over, without anybody's help.
func TestMongoAlone(t *testing.T) {
	t.Parallel() // it waits most of the time
	url := database(t)
	k, _ := newKiller(t, "CATALOG_TEST_KILLS", 0)
	k.run(t, 0, "generate", "--records", "20", "-o", "feed.jsonl")
	bad := strings.Repeat(`{"sku":"","name":"`+strings.Repeat("x", 2000)+`"}`+"\n", 1000)
	if err := os.WriteFile(filepath.Join(k.dir, "bad.jsonl"), []byte(`{"sku":"good"}`+"\n"+bad), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"import", "--no-index", "--store", url, "--source", "erp"}

	// The first does not end: nobody reads what it rejects, and pipes are small.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	first, said := k.command(ctx, append(args, "--rejects", "-", "bad.jsonl")...)
	unread, rejects, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer unread.Close()
	defer rejects.Close()
	first.Stdout = rejects
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Process.Kill() }() // it may have ended
	lease := leased(t, url)

	status, output := k.status(t, append(args, "feed.jsonl")...)
	if status != 1 {
		t.Errorf("the second ended with status %d\n%s", status, output)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"erp", host, strconv.Itoa(first.Process.Pid), lease.Holder, lease.Since.Format(time.RFC3339)} {
		if !strings.Contains(output, what) {
			t.Errorf("the second was not told %q:\n%s", what, output)
		}
	}
	if _, text := k.status(t, "stats", "--store", url); !strings.Contains(text, lease.Holder) {
		t.Errorf("stats does not show the lease:\n%s", text)
	}
	k.run(t, 0, "import", "--no-index", "--store", url, "--source", "other", "feed.jsonl")

	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := first.Wait(); !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("the first was not killed, but ended before: %v\n%s", err, said)
	}
	killed := time.Now()
	k.run(t, 0, append(args, "feed.jsonl")...)
	// Its lease lasts 15 s from when it was renewed last; the rest is for a
	// machine that is busy.
	if after := time.Since(killed); after > 25*time.Second {
		t.Errorf("its successor was done after %v", after)
	} else {
		t.Logf("its successor was done after %v", after)
	}
	k.run(t, 0, append(args, "feed.jsonl")...) // nobody has the lease now
}

// leased waits until somebody imports the products of erp; the zero LeaseInfo
// if nobody does.
func leased(t *testing.T, url string) catalog.LeaseInfo {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		s, err := mongostore.Open(t.Context(), url, &mongostore.Options{Existing: true})
		if errors.Is(err, catalog.ErrNotFound) {
			continue
		}
		if err != nil {
			t.Error(err)
			return catalog.LeaseInfo{}
		}
		leases, err := s.Leases(t.Context())
		if err := errors.Join(err, s.Close()); err != nil {
			t.Error(err)
		}
		for _, l := range leases {
			if l.Name == importer.LeaseName(catalog.KindProduct, "erp") {
				return l
			}
		}
	}
	t.Error("nobody took the lease of an import")
	return catalog.LeaseInfo{}
}
