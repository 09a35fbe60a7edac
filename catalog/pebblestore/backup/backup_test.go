package backup_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"catalog/catalog"
	"catalog/catalog/pebblestore"
	"catalog/catalog/pebblestore/backup"
	"catalog/catalog/storetest"
)

func open(t testing.TB, dir string) *pebblestore.Store {
	t.Helper()
	s, err := pebblestore.Open(t.Context(), dir, &pebblestore.Options{BulkBytes: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// fill stores n products whose text does not compress.
func fill(t testing.TB, s catalog.Store, from, n int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(from), 0))
	var writes []catalog.Write
	for i := range n {
		text := make([]byte, 500)
		for k := range text {
			text[k] = "0123456789abcdefghijklmnopqrstuvwxyz"[rng.IntN(36)]
		}
		sku := fmt.Sprintf("SKU-%05d", from+i)
		writes = append(writes,
			catalog.Write{Kind: catalog.KindProduct, Key: catalog.Key(sku), Source: "erp", Body: fmt.Appendf(nil, `{"sku":%q,"text":%q}`, sku, text)},
			catalog.Write{Kind: catalog.KindStock, Key: catalog.Key(sku), Source: "wms", Body: fmt.Appendf(nil, `{"sku":%q,"qty":%d}`, sku, i)})
	}
	if _, err := s.Apply(t.Context(), writes); err != nil {
		t.Fatal(err)
	}
}

// create makes a backup of an open store.
func create(t testing.TB, s *pebblestore.Store, store, dir string, o backup.Options) *backup.Backup {
	t.Helper()
	if err := s.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, err := backup.Create(t.Context(), filepath.Join(store, pebblestore.CheckpointName), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(store, pebblestore.CheckpointName)); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBackup(t *testing.T) {
	root := t.TempDir()
	store, dir := filepath.Join(root, "store"), filepath.Join(root, "backups")
	s := open(t, store)
	fill(t, s, 0, 2000)
	first := create(t, s, store, dir, backup.Options{})
	if first.Records["product"] != 2000 || first.Copied >= first.Bytes/2 || first.New != first.Bytes {
		t.Errorf("the first backup: %+v", first)
	}
	fill(t, s, 5000, 20)
	second := create(t, s, store, dir, backup.Options{})
	if second.Records["product"] != 2020 || second.New > second.Bytes/4 {
		t.Errorf("the second backup has %d new bytes of %d", second.New, second.Bytes)
	}
	if found, err := backup.Find(dir); err != nil || found.Dir != second.Dir {
		t.Errorf("the newest is %v, %v, want %s", found, err, second.Dir)
	}
	// The store may do what it likes: the backups stay.
	if _, err := s.Apply(t.Context(), []catalog.Write{{Kind: catalog.KindProduct, Key: "SKU-00001"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	third := create(t, s, store, dir, backup.Options{Keep: 2})
	if all, err := backup.List(dir); err != nil || len(all) != 2 || all[0].Dir != second.Dir || all[1].Dir != third.Dir {
		t.Errorf("left are %v, %v", all, err)
	}
	if err := backup.Check(t.Context(), second, backup.Options{}); err != nil {
		t.Error(err)
	}
	for i, b := range []*backup.Backup{second, third} {
		to := filepath.Join(root, fmt.Sprint("restored", i))
		stats, err := backup.Restore(t.Context(), b, to, backup.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if stats.Location != to || stats.Tail.Epoch == b.Epoch {
			t.Errorf("restored is %+v", stats)
		}
		r := open(t, to)
		if i == 1 {
			storetest.Equal(t, s, r)
		} else if err := storetest.Check(t.Context(), r); err != nil {
			t.Error(err)
		}
		fill(t, r, 9000, 10) // it can be written to, and the backup stays as it was
		if err := errors.Join(r.Compact(t.Context()), backup.Check(t.Context(), b, backup.Options{})); err != nil {
			t.Error(err)
		}
		if _, err := backup.Restore(t.Context(), b, to, backup.Options{}); !errors.Is(err, backup.ErrExists) {
			t.Errorf("over a store: %v", err)
		}
	}
	left, err := filepath.Glob(filepath.Join(root, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

// TestRot damages each file of a backup in turn.
func TestRot(t *testing.T) {
	root := t.TempDir()
	store, dir := filepath.Join(root, "store"), filepath.Join(root, "backups")
	s := open(t, store)
	fill(t, s, 0, 200)
	b := create(t, s, store, dir, backup.Options{})
	if err := s.Close(); err != nil { // tables are shared with it
		t.Fatal(err)
	}
	for _, f := range b.Files {
		path := filepath.Join(b.Dir, filepath.FromSlash(f.Name))
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		damaged := append([]byte(nil), text...)
		if len(damaged) > 0 {
			damaged[len(damaged)/2] ^= 1
		} else {
			damaged = []byte{1}
		}
		for what, do := range map[string]func() error{
			"changed": func() error { return os.WriteFile(path, damaged, 0o600) },
			"gone":    func() error { return os.Remove(path) },
		} {
			if err := do(); err != nil {
				t.Fatal(err)
			}
			if err := backup.Check(t.Context(), b, backup.Options{}); !errors.Is(err, catalog.ErrCorrupt) {
				t.Errorf("%s %s: Check says %v", f.Name, what, err)
			}
			to := filepath.Join(root, "to")
			if _, err := backup.Restore(t.Context(), b, to, backup.Options{}); !errors.Is(err, catalog.ErrCorrupt) {
				t.Errorf("%s %s: Restore says %v", f.Name, what, err)
			}
			if _, err := os.Stat(to); err == nil {
				t.Fatalf("%s %s: a store was made of it", f.Name, what)
			}
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := backup.Check(t.Context(), b, backup.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.Dir, "BACKUP"), []byte(`{"format":1,"files":[{"name":"../../x"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Find(b.Dir); !errors.Is(err, catalog.ErrCorrupt) {
		t.Errorf("a manifest that leads elsewhere: %v", err)
	}
}

// TestInterrupted ends a backup and a restore after each file.
func TestInterrupted(t *testing.T) {
	root := t.TempDir()
	store, dir := filepath.Join(root, "store"), filepath.Join(root, "backups")
	s := open(t, store)
	fill(t, s, 0, 200)
	good := create(t, s, store, dir, backup.Options{})
	if err := s.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range min(6, len(good.Files)-1) {
		for what, do := range map[string]func(context.Context, backup.Options) error{
			"backup": func(ctx context.Context, o backup.Options) error {
				_, err := backup.Create(ctx, filepath.Join(store, pebblestore.CheckpointName), dir, o)
				return err
			},
			"restore": func(ctx context.Context, o backup.Options) error {
				_, err := backup.Restore(ctx, good, filepath.Join(root, "to"), o)
				return err
			},
		} {
			ctx, cancel := context.WithCancel(t.Context())
			n := 0
			err := do(ctx, backup.Options{Progress: func(int64, int64) {
				if n++; n > i {
					cancel()
				}
			}})
			cancel()
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("%s, file %d: %v", what, i, err)
			}
		}
	}
	if all, err := backup.List(dir); err != nil || len(all) != 1 {
		t.Errorf("there are %d backups, %v", len(all), err)
	}
	if _, err := os.Stat(filepath.Join(root, "to")); err == nil {
		t.Error("a part of a store was restored")
	}
	// A checkpoint that is taken away meanwhile makes no backup.
	if _, err := backup.Create(t.Context(), filepath.Join(store, pebblestore.CheckpointName), dir, backup.Options{Progress: func(done, total int64) {
		if done == total {
			if err := os.RemoveAll(filepath.Join(store, pebblestore.CheckpointName, "CATALOG")); err != nil {
				t.Error(err)
			}
		}
	}}); err == nil {
		t.Error("a part of a checkpoint makes a backup")
	}
	// What a killed process leaves is taken away by the next.
	for _, name := range []string{filepath.Join(dir, ".partial-x", "tables"), filepath.Join(root, ".to.restoring-x", "tables")} {
		if err := os.MkdirAll(name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	create(t, s, store, dir, backup.Options{})
	if _, err := backup.Restore(t.Context(), good, filepath.Join(root, "to"), backup.Options{}); err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, d := range []string{root, dir} {
		entries, err := os.ReadDir(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") {
				left = append(left, e.Name())
			}
		}
	}
	if len(left) > 0 {
		t.Errorf("left are %q", left)
	}
}

func TestNone(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		if _, err := backup.Find(dir); !errors.Is(err, backup.ErrNone) {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if _, err := backup.Create(t.Context(), t.TempDir(), filepath.Join(t.TempDir(), "b"), backup.Options{}); !errors.Is(err, catalog.ErrInvalid) {
		t.Errorf("of no store: %v", err)
	}
}
