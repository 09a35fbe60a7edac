package pebblestore

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"catalog/catalog"
	"catalog/catalog/storetest"
)

// TestCloseEndsAll: Close leaves no goroutine behind. (What a fatal error leaves
// is another matter: see sentryFS.)
func TestCloseEndsAll(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s, err := Open(t.Context(), t.TempDir(), &Options{BulkBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 20 {
		write := catalog.Write{Kind: catalog.KindProduct, Key: catalog.Key(fmt.Sprintf("a%d", n%7)), Body: fmt.Appendf(nil, `{"n":%d}`, n)}
		if _, err := s.Apply(t.Context(), []catalog.Write{write}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	goleak.VerifyNone(t, before)
}

// harness opens stores by o, each in a directory of its own that dir gives.
func harness(o Options, dir func(testing.TB) string) storetest.Harness {
	open := func(t testing.TB, dir string) catalog.Store {
		s, err := Open(t.Context(), dir, &o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	return storetest.Harness{
		Slow: testing.Short(), // as it is under the race detector
		Open: func(t testing.TB) catalog.Store { return open(t, dir(t)) },
		Reopen: func(t testing.TB, s catalog.Store) catalog.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, s.(*Store).dir)
		},
		EndsLeases: !o.KeepLeases,
	}
}

// memDir gives directories of a file system in memory.
func memDir() (vfs.FS, func(testing.TB) string) {
	var n atomic.Int64
	return vfs.NewMem(), func(testing.TB) string { return fmt.Sprintf("/store%d", n.Add(1)) }
}

func TestStoreInMemory(t *testing.T) {
	t.Parallel()
	fs, dir := memDir()
	storetest.Run(t, harness(Options{FS: fs, CacheBytes: 1 << 20}, dir))
}

// TestStoreBulk keeps the promises when everything goes through tables.
func TestStoreBulk(t *testing.T) {
	t.Parallel()
	fs, dir := memDir()
	storetest.Run(t, harness(Options{FS: fs, CacheBytes: 1 << 20, BulkBytes: 1, KeepLeases: true}, dir))
}

func TestStoreOnDisk(t *testing.T) {
	t.Parallel()
	storetest.Run(t, harness(Options{CacheBytes: 1 << 20}, func(t testing.TB) string {
		return filepath.Join(t.TempDir(), "new", "store")
	}))
}

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, harness(Options{}, func(t testing.TB) string { return t.TempDir() }))
}
