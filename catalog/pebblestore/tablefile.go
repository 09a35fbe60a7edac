package pebblestore

import (
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// tableFS lets tables reach the disk in writes of 256 KiB. Pebble writes them
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

type writeBuffer struct {
	n     int
	bytes [256 << 10]byte
}

var writeBuffers = sync.Pool{New: func() any { return new(writeBuffer) }}

// tableFile is a file that is written from its start to its end by one
// goroutine, then synced and closed. SyncTo is the file's own: Pebble keeps a
// megabyte behind what it wrote, of which nothing is in the buffer.
type tableFile struct {
	vfs.File
	buf *writeBuffer // nil: closed
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
	_, err := f.File.Write(f.buf.bytes[:f.buf.n])
	f.buf.n = 0
	return err
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
