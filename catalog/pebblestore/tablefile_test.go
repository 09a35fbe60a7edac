package pebblestore

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestTableFile writes tables in pieces of many sizes, through the page cache
// and around it, on a real file system and on one in memory.
func TestTableFile(t *testing.T) {
	dir := t.TempDir()
	for name, fsys := range map[string]vfs.FS{filepath.Join(dir, "real"): vfs.Default, "memory": vfs.NewMem()} {
		for _, direct := range []bool{false, true} {
			for _, size := range []int{0, 1, directAlign, writeBufferSize, 3*writeBufferSize - 1, 5*writeBufferSize + 4711} {
				rng := rand.New(rand.NewPCG(uint64(size), 0))
				want := make([]byte, size)
				for i := range want {
					want[i] = byte(rng.Uint32())
				}
				path := name + ".sst"
				f, err := tableFS{FS: fsys}.Create(path, vfs.WriteCategoryUnspecified)
				if err != nil {
					t.Fatal(err)
				}
				if direct {
					f.(*tableFile).goDirect()
				}
				for rest := want; len(rest) > 0; {
					n := min(len(rest), 1+rng.IntN(20_000))
					if _, err := f.Write(rest[:n]); err != nil {
						t.Fatal(err)
					}
					rest = rest[n:]
				}
				info, err := f.Stat()
				if err != nil || info.Size() != int64(size) {
					t.Errorf("%s: Stat before the end: %v, %v, want %d bytes", path, info, err, size)
				}
				if err := errors.Join(f.Sync(), f.Close()); err != nil {
					t.Fatal(err)
				}
				if got := readAll(t, fsys, path); !bytes.Equal(got, want) {
					t.Errorf("%s, direct %v: %d bytes came back otherwise, as %d", path, direct, size, len(got))
				}
			}
		}
	}
}

func readAll(t *testing.T, fsys vfs.FS, path string) []byte {
	t.Helper()
	f, err := fsys.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestTableFileFails has a write around the page cache fail while the next
// buffer fills: whatever is asked of the file after that must tell.
func TestTableFileFails(t *testing.T) {
	asked := map[string]func(vfs.File) error{
		"Write": func(f vfs.File) (err error) {
			for range 3 {
				_, err = f.Write(make([]byte, writeBufferSize))
			}
			return err
		},
		"Sync":     vfs.File.Sync,
		"SyncData": vfs.File.SyncData,
		"Stat":     func(f vfs.File) error { _, err := f.Stat(); return err },
		"Close":    vfs.File.Close,
	}
	for name, ask := range asked {
		path := filepath.Join(t.TempDir(), "000001.sst")
		f, err := tableFS{FS: vfs.Default}.Create(path, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		tf := f.(*tableFile)
		tf.goDirect()
		if err := tf.File.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(make([]byte, writeBufferSize+1)); err != nil && !errors.Is(err, fs.ErrClosed) {
			t.Fatal(err)
		}
		if err := ask(f); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s after a write that failed: %v", name, err)
		}
		_ = f.Close()
	}
}
