package pebblestore

import (
	"errors"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// tableFS lets tables reach the disk in writes of 1 MiB. Pebble writes them
// block by block, some 10 KiB at any offset, and a file system that begins each
// such write by finding and clearing the pages that it touches (ext4 does)
// takes three times the processor time for it. All other files go through as
// they are.
type tableFS struct{ vfs.FS }

// Unwrap implements vfs.FS.
func (t tableFS) Unwrap() vfs.FS { return t.FS }

// Create implements vfs.FS.
func (t tableFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := t.FS.Create(name, c)
	if err != nil || !strings.HasSuffix(name, ".sst") {
		return f, err
	}
	return &tableFile{File: f, buf: writeBuffers.Get().(*writeBuffer)}, nil
}

const (
	writeSize  = 1 << 20
	writeAlign = 4 << 10 // of memory, offset and length of what goes past the page cache
)

type writeBuffer struct {
	n     int
	bytes []byte
}

var writeBuffers = sync.Pool{New: func() any { return &writeBuffer{bytes: aligned(writeSize)} }}

// aligned returns memory that begins at a multiple of writeAlign.
func aligned(n int) []byte {
	b := make([]byte, n+writeAlign)
	at := -int(addressOf(b)) & (writeAlign - 1)
	return b[at : at+n : at+n]
}

func addressOf(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// errInvalid is what a write past the page cache gets that the file system or
// the disk cannot do.
const errInvalid = syscall.EINVAL

// tableFile is a file that is written from its start to its end by one
// goroutine, then synced and closed. SyncTo is the file's own: Pebble keeps a
// megabyte behind what it wrote, of which nothing is in the buffer.
type tableFile struct {
	vfs.File
	buf    *writeBuffer // nil: closed
	direct bool         // writes go past the page cache
}

// Write implements vfs.File. An error may be that of an earlier Write.
func (f *tableFile) Write(p []byte) (written int, err error) {
	for len(p) > 0 {
		n := copy(f.buf.bytes[f.buf.n:], p)
		f.buf.n += n
		written += n
		p = p[n:]
		if f.buf.n == len(f.buf.bytes) {
			if err := f.flush(); err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

func (f *tableFile) flush() error {
	if f.buf == nil || f.buf.n == 0 {
		return nil
	}
	p := f.buf.bytes[:f.buf.n]
	f.buf.n = 0
	if f.direct && len(p) < len(f.buf.bytes) {
		f.buffered() // the end of the file
	}
	n, err := f.File.Write(p)
	if err != nil && n == 0 && f.direct && errors.Is(err, errInvalid) {
		f.buffered() // a file system that promised too much
		_, err = f.File.Write(p)
	}
	return err
}

// bypass lets what is written go past the page cache, where the file system can
// do that. The tables of a load are a gigabyte and more that is merged before
// much of it is read; taking pages for it, copying into them and writing them
// out costs ten times the processor time, a seventh of that of the whole import,
// and pushes out what those who are served meanwhile read. The tables that
// Pebble merges them into stay in the page cache.
func (f *tableFile) bypass() { f.direct = setDirect(f.File, true) }

// buffered ends that.
func (f *tableFile) buffered() {
	setDirect(f.File, false)
	f.direct = false
}

// Sync implements vfs.File.
func (f *tableFile) Sync() error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.File.Sync()
}

// SyncData implements vfs.File.
func (f *tableFile) SyncData() error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.File.SyncData()
}

// Stat implements vfs.File.
func (f *tableFile) Stat() (vfs.FileInfo, error) {
	if err := f.flush(); err != nil {
		return nil, err
	}
	return f.File.Stat()
}

// Close implements vfs.File.
func (f *tableFile) Close() error {
	err := f.flush()
	if f.buf != nil {
		writeBuffers.Put(f.buf)
		f.buf = nil
	}
	if cerr := f.File.Close(); err == nil {
		err = cerr
	}
	return err
}
