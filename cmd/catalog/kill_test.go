package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/pebblestore"
	"catalog/importer/export"
)

// TestKill kills the real program at random moments of an import into an empty
// store and of the next night's sync. The same command again must end in the
// store, the change log and the refs of an import that nobody killed.
// CATALOG_TEST_KILLS says how often; CATALOG_TEST_SEED repeats a run.
func TestKill(t *testing.T) {
	k, kills := newKiller(t, "CATALOG_TEST_KILLS", 4)
	dir := k.dir
	k.run(t, 0, "generate", "--records", "3000", "-o", "night0.jsonl")
	k.run(t, 0, "generate", "--records", "3000", "--night", "1", "--churn", "20%", "-o", "night1.jsonl")

	first := []string{"import", "--no-index", "--source", "erp", "--batch-bytes", "500000", "night0.jsonl"}
	second := []string{"import", "--no-index", "--source", "erp", "--mode", "sync", "--batch-bytes", "200000", "night1.jsonl"}
	took := k.timed(t, "whole", first)
	wantFirst := contents(t, filepath.Join(dir, "whole"))
	copyStore(t, filepath.Join(dir, "whole"), filepath.Join(dir, "base"))
	tookSecond := k.timed(t, "whole", second)
	wantSecond := contents(t, filepath.Join(dir, "whole"))

	killed := 0
	for i := range kills {
		store := "killed" + strconv.Itoa(i)
		args, want, span := first, wantFirst, took
		if i%2 == 1 {
			args, want, span = second, wantSecond, tookSecond
			copyStore(t, filepath.Join(dir, "base"), filepath.Join(dir, store))
		}
		after := time.Duration(k.rng.Int64N(int64(span)))
		if k.kill(t, store, args, after) {
			killed++
		}
		k.run(t, 0, append(args, "--store", "pebble:./"+store)...)
		if got := contents(t, filepath.Join(dir, store)); got != want {
			t.Errorf("%v killed after %v: the store ends as\n%+v, want\n%+v", args, after, got, want)
		}
		for _, part := range []string{"", ".feeds"} {
			if err := os.RemoveAll(filepath.Join(dir, store+part)); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d of %d were killed before their end", killed, kills)
}

// envNumber reads a number from the environment.
func envNumber(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// programCopy makes the program of the test's own executable, which TestMain
// lets be it under that name.
func programCopy(t *testing.T, dir string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "catalog")
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// killer runs the program, and kills it.
type killer struct {
	program, dir string
	rng          *rand.Rand
}

// newKiller returns a killer in a folder of its own, and how often it is to
// kill: what the environment says under that name, or else otherwise.
func newKiller(t *testing.T, name string, otherwise uint64) (k *killer, kills int) {
	t.Helper()
	kills, seed := int(envNumber(t, name, otherwise)), envNumber(t, "CATALOG_TEST_SEED", rand.Uint64())
	t.Logf("%s=%d CATALOG_TEST_SEED=%d", name, kills, seed)
	dir := t.TempDir()
	return &killer{program: programCopy(t, dir), dir: dir, rng: rand.New(rand.NewPCG(seed, 0))}, kills
}

func (k *killer) command(ctx context.Context, args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.CommandContext(ctx, k.program, args...)
	var output bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = k.dir, &output, &output
	cmd.Env = []string{"TMPDIR=" + k.dir}
	return cmd, &output
}

func (k *killer) run(t *testing.T, want int, args ...string) {
	t.Helper()
	if got, output := k.status(t, args...); got != want {
		t.Fatalf("catalog %v: status %d, want %d\n%s", args, got, want, output)
	}
}

// status runs the program to its end.
func (k *killer) status(t *testing.T, args ...string) (status int, output string) {
	t.Helper()
	cmd, text := k.command(t.Context(), args...)
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), text.String()
}

// timed runs an import to its end and says how long that took.
func (k *killer) timed(t *testing.T, store string, args []string) time.Duration {
	t.Helper()
	start := time.Now()
	k.run(t, 0, append(args, "--store", "pebble:./"+store)...)
	return time.Since(start)
}

// kill runs an import, kills it after a while, and reports whether it was
// still running.
func (k *killer) kill(t *testing.T, store string, args []string, after time.Duration) bool {
	t.Helper()
	return k.killed(t, append(args, "--store", "pebble:./"+store), after)
}

// killed runs a command as kill does.
func (k *killer) killed(t *testing.T, args []string, after time.Duration) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), after)
	defer cancel()
	cmd, output := k.command(ctx, args...)
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return false
	case errors.As(err, &exit) && !exit.Exited(), errors.Is(err, context.DeadlineExceeded):
		return true
	}
	t.Fatalf("catalog %v, before it was killed: %v\n%s", args, err, output)
	return false
}

// copyStore copies the folder of a closed store.
func copyStore(t *testing.T, from, to string) {
	t.Helper()
	for _, part := range []string{"", ".feeds"} { // and what is remembered of its feeds
		if err := os.CopyFS(to+part, os.DirFS(from+part)); err != nil {
			t.Fatal(err)
		}
	}
}

// state is what two stores with the same history have in common.
type state struct {
	records string // digest of the canonical export
	heads   string // of who owns what
	log     string // of what was changed, whatever the order; not when
	refs    int
}

// contents reads the state of a store.
func contents(t *testing.T, dir string) state {
	t.Helper()
	ctx := t.Context()
	store, err := pebblestore.Open(ctx, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var s state
	sum := sha256.New()
	if _, err := export.Run(ctx, store, sum, export.Options{Canonical: true}); err != nil {
		t.Fatal(err)
	}
	s.records = fmt.Sprintf("%x", sum.Sum(nil))

	sum.Reset()
	for _, kind := range catalog.Kinds() {
		for h, err := range store.Heads(ctx, kind, catalog.All) {
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(sum, "%s %q %s %q\n", kind, h.Key, h.Hash, h.Source)
		}
	}
	s.heads = fmt.Sprintf("%x", sum.Sum(nil))

	changes := map[string]int{}
	for c, err := range store.Changes(ctx, catalog.Cursor{}) {
		if err != nil {
			t.Fatal(err)
		}
		changes[fmt.Sprintf("%s %s %q", c.Op, c.Kind, c.Key)]++
	}
	sum.Reset()
	fmt.Fprint(sum, changes) // sorted by key
	s.log = fmt.Sprintf("%d changes %x", len(changes), sum.Sum(nil))
	s.refs = countRefs(t, store)
	return s
}

// countRefs checks that each product is found by each of its refs.
func countRefs(t *testing.T, store catalog.Store) int {
	t.Helper()
	var p catalog.Parser
	var parsed catalog.Parsed
	n := 0
	for rec, err := range store.Scan(t.Context(), catalog.KindProduct, catalog.All) {
		if err != nil {
			t.Fatal(err)
		}
		p.Reset(nil)
		if err := p.Parse(catalog.KindProduct, rec.Body, &parsed); err != nil {
			t.Fatal(err)
		}
		for _, ref := range parsed.Refs {
			n++
			keys, err := store.Lookup(t.Context(), ref)
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, key := range keys {
				found = found || key == rec.Key
			}
			if !found {
				t.Fatalf("%q is not found by %+v", rec.Key, ref)
			}
		}
	}
	return n
}
