package pebblestore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"catalog/catalog"
)

func mustOpen(t testing.TB, dir string, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir, &o)
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

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	before := time.Now().Add(-2 * time.Second)
	first := mustOpen(t, dir, Options{Holder: "catalog import, process 7 on shop"})
	_, err := Open(t.Context(), dir, nil)
	var locked *catalog.LockedError
	if !errors.As(err, &locked) || !errors.Is(err, catalog.ErrLocked) {
		t.Fatalf("the error is %v", err)
	}
	if locked.Holder != "catalog import, process 7 on shop" || locked.Dir != dir || locked.Since.Before(before) || locked.Since.After(time.Now()) {
		t.Errorf("the holder is %+v", locked)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, dir, Options{}) // free again
}

func TestLockedByUnknown(t *testing.T) {
	mem := vfs.NewMem()
	mustOpen(t, "/s", Options{FS: mem})
	if err := mem.Remove("/s/" + holderName); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), "/s", &Options{FS: mem}); !errors.Is(err, catalog.ErrLocked) {
		t.Errorf("the error is %v", err)
	}
}

func TestDefaultHolderNamesProcess(t *testing.T) {
	if h := thisProcess(); !strings.Contains(h, "process ") {
		t.Errorf("%q does not name the process", h)
	}
}

func TestOpenRefuses(t *testing.T) {
	file := func(name, text string) func(t *testing.T, mem vfs.FS) {
		return func(t *testing.T, mem vfs.FS) {
			if err := errors.Join(mem.MkdirAll("/s", 0o755), writeFile(mem, name, text, true)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		prepare func(t *testing.T, mem vfs.FS)
		want    error
	}{
		"not empty": {file("/s/photo.jpg", "x"), catalog.ErrInvalid},
		"newer":     {file("/s/CATALOG", "catalog store, format 99\n"), catalog.ErrVersion},
		"no format": {file("/s/CATALOG", "something else"), catalog.ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			mem := vfs.NewMem()
			c.prepare(t, mem)
			for range 2 { // the second time shows that the first left no lock
				if _, err := Open(t.Context(), "/s", &Options{FS: mem}); !errors.Is(err, c.want) {
					t.Fatalf("the error is %v, want %v", err, c.want)
				}
			}
		})
	}
}

// TestErrorsOfTheDisk: what the file system says reaches the caller as an error
// of package catalog, and bulk Applies that could not be written harm nothing.
func TestErrorsOfTheDisk(t *testing.T) {
	for _, c := range []struct{ cause, want error }{
		{syscall.ENOSPC, catalog.ErrFull},
		{syscall.EDQUOT, catalog.ErrFull},
		{syscall.EROFS, catalog.ErrReadOnly},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES}, catalog.ErrReadOnly},
	} {
		var failing bool
		inject := errorfs.InjectorFunc(func(op errorfs.Op) error {
			if failing && strings.Contains(op.Path, "/"+loadName+"/") && op.Kind == errorfs.OpFileWrite {
				return c.cause
			}
			return nil
		})
		s := mustOpen(t, "/s", Options{FS: errorfs.Wrap(vfs.NewMem(), inject), BulkBytes: 1})
		w := []catalog.Write{{Kind: catalog.KindProduct, Key: "a", Body: []byte(`{"sku":"a"}`)}}
		failing = true
		_, err := s.Apply(t.Context(), w)
		var failed *catalog.ApplyError
		if !errors.Is(err, c.want) || !errors.As(err, &failed) || len(failed.Failed) != 1 {
			t.Errorf("%v: the error is %v, want %v", c.cause, err, c.want)
		}
		failing = false
		res, err := s.Apply(t.Context(), w)
		if err != nil || res[0].Outcome != catalog.Created || res[0].Seq != 1 {
			t.Errorf("after %v: %+v, %v", c.cause, res, err)
		}
	}
}

// TestFullDiskIsSeenBefore: a write that does not fit is refused while the
// store can still go on.
func TestFullDiskIsSeenBefore(t *testing.T) {
	mem := vfs.NewMem()
	s := mustOpen(t, "/s", Options{FS: mem})
	w := []catalog.Write{{Kind: catalog.KindProduct, Key: "a", Body: []byte(`{"sku":"a"}`)}}
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 20, TotalBytes: 1 << 30})
	if _, err := s.Apply(t.Context(), w); !errors.Is(err, catalog.ErrFull) {
		t.Errorf("the error is %v", err)
	}
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 29, TotalBytes: 1 << 30})
	if _, err := s.Apply(t.Context(), w); err != nil {
		t.Error(err)
	}
}

// TestLeftOverTablesGo: what a process that died while it loaded has left is
// removed.
func TestLeftOverTablesGo(t *testing.T) {
	mem := vfs.NewMem()
	s := mustOpen(t, "/s", Options{FS: mem})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(mem, "/s/load/000001.sst", "half a table", true); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, "/s", Options{FS: mem})
	if names, err := mem.List("/s/load"); err != nil || len(names) != 0 {
		t.Errorf("still there: %v, %v", names, err)
	}
}

// TestCorruption: bytes that changed on disk are noticed, not served.
func TestCorruption(t *testing.T) {
	mem := vfs.NewMem()
	o := Options{FS: mem, BulkBytes: 1}
	s := mustOpen(t, "/s", o)
	w := []catalog.Write{{Kind: catalog.KindProduct, Key: "a", Body: []byte(strings.Repeat(`{"sku":"a"}`, 500))}}
	if _, err := s.Apply(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := mem.List("/s/tables")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".sst") {
			data, err := mem.UnsafeGetFileDataBuffer("/s/tables/" + name)
			if err != nil {
				t.Fatal(err)
			}
			data[10] ^= 0xff
		}
	}
	s, err = Open(t.Context(), "/s", &o)
	if err == nil {
		defer s.Close()
		_, err = s.Get(t.Context(), catalog.KindProduct, "a")
	}
	if !errors.Is(err, catalog.ErrCorrupt) {
		t.Errorf("the error is %v", err)
	}
}

// TestBegunWithoutContent opens a directory in which a process was killed
// after it had made the marker and before it had written it.
func TestBegunWithoutContent(t *testing.T) {
	dir := t.TempDir()
	for _, text := range []string{"", "catalog st"} {
		if err := os.WriteFile(filepath.Join(dir, beginName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time as a finished store
			s, err := Open(context.Background(), dir, nil)
			if err != nil {
				t.Fatalf("marker %q: %v", text, err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(dir, 0o750); err != nil {
			t.Fatal(err)
		}
	}
}
