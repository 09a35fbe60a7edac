package pebblestore

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestTableFile writes files of many sizes in pieces of any size, past the page
// cache where the file system can, and reads them again.
func TestTableFile(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	disk := tableFS{vfs.Default}
	dir := t.TempDir()
	for _, size := range []int{0, 1, writeAlign, writeSize - 1, writeSize, writeSize + 1, 3*writeSize + writeAlign, 2*writeSize + 12345} {
		for _, stop := range []int{size, size / 2, size / writeSize * writeSize} { // where it is synced on the way
			want := make([]byte, size)
			for i := range want {
				want[i] = byte(rng.Uint32())
			}
			path := filepath.Join(dir, "000001.sst")
			v, err := disk.Create(path, vfs.WriteCategoryUnspecified)
			if err != nil {
				t.Fatal(err)
			}
			f := v.(*tableFile)
			f.bypass()
			for at := 0; at < size; {
				end := min(size, at+1+rng.IntN(300_000))
				if at < stop {
					end = min(end, stop)
				}
				if n, err := f.Write(want[at:end]); err != nil || n != end-at {
					t.Fatalf("Write of %d bytes: %d, %v", end-at, n, err)
				}
				if at = end; at == stop {
					if err := f.Sync(); err != nil {
						t.Fatal(err)
					}
					if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want[:stop]) {
						t.Fatalf("size %d: synced at %d, the file has %d bytes, %v", size, stop, len(got), err)
					}
				}
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
				t.Errorf("size %d, synced at %d: %d bytes came back, %v", size, stop, len(got), err)
			}
		}
	}
}

func TestAligned(t *testing.T) {
	for range 100 {
		b := aligned(writeSize)
		if a := addressOf(b); a%writeAlign != 0 || len(b) != writeSize {
			t.Fatalf("%d bytes at %#x", len(b), a)
		}
	}
}

// refusing is a file whose file system accepts the mode and then no writes in it.
type refusing struct {
	vfs.File
	refuse int
}

func (f *refusing) Write(p []byte) (int, error) {
	if f.refuse > 0 {
		f.refuse--
		return 0, os.NewSyscallError("write", errInvalid)
	}
	return f.File.Write(p)
}

// TestTableFileRefused: such a file is written through the page cache, and any
// other error is the caller's.
func TestTableFileRefused(t *testing.T) {
	mem := vfs.NewMem()
	for refuse, ok := range map[int]bool{0: true, 1: true, 2: false} {
		v, err := mem.Create("x", vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		f := &tableFile{File: &refusing{v, refuse}, buf: writeBuffers.Get().(*writeBuffer), direct: true}
		_, err = f.Write(bytes.Repeat([]byte{7}, writeSize+9))
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if (err == nil) != ok {
			t.Errorf("refused %d times: %v", refuse, err)
		}
		if info, serr := mem.Stat("x"); ok && (serr != nil || info.Size() != writeSize+9) {
			t.Errorf("refused %d times: the file has %v, %v", refuse, info, serr)
		}
	}
}
