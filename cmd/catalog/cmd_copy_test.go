package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"catalog/fixtures/mongo"
	"catalog/fixtures/servertest"
)

// TestCopyKill kills copies at random moments, and changes their source. The
// same command again must end in a store with the source's records, owners and
// refs. CATALOG_TEST_COPY_KILLS says how often; CATALOG_TEST_SEED repeats a run.
func TestCopyKill(t *testing.T) {
	k, kills := newKiller(t, "CATALOG_TEST_COPY_KILLS", 2)
	k.run(t, 0, "generate", "--records", "3000", "-o", "night0.jsonl")
	k.run(t, 0, "import", "--no-index", "--source", "erp", "--store", "pebble:./from", "night0.jsonl")
	args := func(to string) []string {
		return []string{"copy", "--batch-bytes", "100000", "pebble:./from", "pebble:./" + to}
	}
	start := time.Now()
	k.run(t, 0, args("whole")...)
	span := time.Since(start)
	killed := 0
	for i := range kills {
		to := "to" + strconv.Itoa(i)
		after := time.Duration(k.rng.Int64N(int64(span)))
		if k.killed(t, args(to), after) {
			killed++
		}
		night := "night" + strconv.Itoa(i+1) + ".jsonl"
		k.run(t, 0, "generate", "--records", "3000", "--night", strconv.Itoa(i+1), "--churn", "10%", "-o", night)
		k.run(t, 0, "import", "--no-index", "--source", "erp", "--mode", "sync", "--store", "pebble:./from", night)
		k.run(t, 0, args(to)...)
		want, got := contents(t, filepath.Join(k.dir, "from")), contents(t, filepath.Join(k.dir, to))
		want.log, got.log = "", "" // each store has its own
		if got != want {
			t.Errorf("killed after %v: the copy is\n%+v, want\n%+v", after, got, want)
		}
	}
	t.Logf("%d of %d were killed before their end", killed, kills)
}

// database starts a server and returns the URL of a database of the test's own.
func database(t *testing.T) string {
	t.Helper()
	url, _ := databaseOf(t)
	return url
}

// databaseOf is database, and tells whether the server is the slow stand-in.
func databaseOf(t *testing.T) (url string, slow bool) {
	t.Helper()
	servertest.Need(t, servertest.MongoDB)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	server, err := mongo.Start(ctx, mongo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("catalog_test_copy_%d", time.Now().UnixNano())
	t.Cleanup(func() {
		if !server.Local() { // else it goes with all that it has
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := server.Drop(ctx, name); err != nil {
				t.Error(err)
			}
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server.URL(name), server.Slow()
}

// interrupt runs a command and signals it after a while.
func (k *killer) interrupt(t *testing.T, args []string, after time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), after)
	defer cancel()
	cmd, output := k.command(ctx, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	err := cmd.Run()
	// A signal before the program listens to signals ends it, too.
	if status := cmd.ProcessState.ExitCode(); status != statusOK && status != statusInterrupted && status != -1 {
		t.Fatalf("catalog %v, interrupted: %v\n%s", args, err, output)
	}
}

// TestCopyMongo takes a catalog to a database, with a stop on the way, and back.
func TestCopyMongo(t *testing.T) {
	url := database(t)
	k, _ := newKiller(t, "CATALOG_TEST_COPY_KILLS", 1)
	k.run(t, 0, "generate", "--records", "2000", "-o", "night0.jsonl")
	k.run(t, 0, "generate", "--records", "2000", "--night", "1", "--churn", "20%", "-o", "night1.jsonl")
	k.run(t, 0, "import", "--no-index", "--source", "erp", "--store", "pebble:./from", "night0.jsonl")
	there := []string{"copy", "--batch-bytes", "100000", "pebble:./from", url}
	k.interrupt(t, there, time.Duration(k.rng.Int64N(int64(time.Second))))
	k.run(t, 0, "import", "--no-index", "--source", "erp", "--mode", "sync", "--store", "pebble:./from", "night1.jsonl")
	k.run(t, 0, there...)
	k.run(t, 0, there...) // nothing is left to do
	k.run(t, 0, "copy", url, "pebble:./back")
	want, got := contents(t, filepath.Join(k.dir, "from")), contents(t, filepath.Join(k.dir, "back"))
	want.log, got.log = "", ""
	if got != want {
		t.Errorf("there and back it is\n%+v, want\n%+v", got, want)
	}
}

// firstLines returns a file with the first lines of one that is compressed.
func firstLines(t *testing.T, path string, n int) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var part bytes.Buffer
	for lines := bufio.NewReader(r); n > 0; n-- {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		part.Write(line)
	}
	name := filepath.Join(t.TempDir(), "part.jsonl")
	if err := os.WriteFile(name, part.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestCopyRealFeeds copies the catalog of a real feed there and back; with the
// slow stand-in a part of it.
func TestCopyRealFeeds(t *testing.T) {
	dir := os.Getenv("CATALOG_TEST_DATA")
	if dir == "" {
		t.Skip("CATALOG_TEST_DATA is not set: real feeds are copied where they are")
	}
	k, _ := newKiller(t, "CATALOG_TEST_COPY_KILLS", 0)
	path, err := filepath.Abs(filepath.Join(dir, "pc-parts-2026-08-17.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	url, slow := databaseOf(t)
	if slow {
		path = firstLines(t, path, 8000)
	}
	k.run(t, 0, "import", "--no-index", "--source", "parts", "--sku", "opendb_id", "--store", "pebble:./parts", path)
	k.run(t, 0, "copy", "pebble:./parts", "pebble:./there")
	k.run(t, 0, "copy", "pebble:./there", url)
	k.run(t, 0, "copy", url, "pebble:./back")
	want := contents(t, filepath.Join(k.dir, "parts"))
	for _, name := range []string{"there", "back"} {
		got := contents(t, filepath.Join(k.dir, name))
		want.log, got.log = "", ""
		if got != want {
			t.Errorf("%s is\n%+v, want\n%+v", name, got, want)
		}
	}
}
