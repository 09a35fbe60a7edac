package pebblestore

import (
	"errors"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// tableFS lets tables reach the disk in writes of 512 KiB. Pebble writes them
// block by block, some 10 KiB at any offset, and a file system that begins each
// such write by finding and clearing the pages that it touches (ext4 does)
// takes three times the processor time for it. All other files go through as
// they are.
type tableFS struct {
	vfs.FS
	pace *pace // of compactions; nil: they never rest
}

// Unwrap implements vfs.FS.
func (t tableFS) Unwrap() vfs.FS { return t.FS }

// Create implements vfs.FS.
func (t tableFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := t.FS.Create(name, c)
	if err != nil || !strings.HasSuffix(name, ".sst") {
		return f, err
	}
	file := &tableFile{File: f, buf: writeBuffers.Get().(*writeBuffer)}
	if t.pace != nil && c == compactionCategory {
		file.pace, file.since = t.pace, time.Now()
	}
	return file, nil
}

const (
	writeBufferSize = 512 << 10
	// directAlign is what the place in memory and in the file, and the length,
	// of a write around the page cache are a multiple of.
	directAlign = 4 << 10
)

type writeBuffer struct {
	n     int
	bytes []byte
}

var writeBuffers = sync.Pool{New: func() any {
	b := make([]byte, writeBufferSize+directAlign)
	skip := directAlign - int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))%directAlign)
	return &writeBuffer{bytes: b[skip : skip+writeBufferSize]}
}}

// tableFile is a file that is written from its start to its end by one
// goroutine, then synced and closed. SyncTo is the file's own: Pebble keeps a
// megabyte behind what it wrote, of which less is in the buffers.
type tableFile struct {
	vfs.File
	buf *writeBuffer // nil: closed

	direct bool
	spare  *writeBuffer // of direct files
	busy   bool         // the spare buffer is being written
	done   chan error   // tells what became of it
	err    error        // of an earlier write

	pace  *pace // nil: it is nobody's who rests
	since time.Time
}

// goDirect makes the file go around the page cache, if the system lets it,
// before anything is written. What is loaded in bulk is read much later, if
// at all before it is rewritten, and to the kernel a gigabyte of pages to be
// found, filled and dropped costs a tenth of an import. Without the cache
// somebody has to wait for the disk: a goroutine does, while the next buffer
// fills.
func (f *tableFile) goDirect() {
	if f.direct = setDirect(f.File, true); f.direct {
		f.spare, f.done = writeBuffers.Get().(*writeBuffer), make(chan error, 1)
	}
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
			f.rest()
		}
	}
	return written, nil
}

// rest lets a compaction rest after what it worked for a buffer.
func (f *tableFile) rest() {
	if f.pace == nil {
		return
	}
	f.pace.rest(time.Since(f.since))
	f.since = time.Now()
}

// flush writes what is in the buffer, or, to a direct file, begins to.
func (f *tableFile) flush() error {
	if f.buf == nil || f.buf.n == 0 {
		return f.err
	}
	if !f.direct {
		if f.err == nil {
			_, f.err = f.File.Write(f.buf.bytes[:f.buf.n])
		}
		f.buf.n = 0
		return f.err
	}
	if f.wait() != nil {
		f.buf.n = 0
		return f.err
	}
	f.buf, f.spare, f.busy = f.spare, f.buf, true
	f.buf.n = 0
	go func(p []byte) { f.done <- writeDirect(f.File, p) }(f.spare.bytes[:f.spare.n])
	return nil
}

// wait returns when nothing is being written.
func (f *tableFile) wait() error {
	if f.busy {
		f.busy = false
		if err := <-f.done; f.err == nil {
			f.err = err
		}
	}
	return f.err
}

// writeDirect writes to a direct file. What is no multiple of the alignment,
// as the end is, and what the file system will not take, goes the usual way.
func writeDirect(f vfs.File, p []byte) error {
	if len(p)%directAlign == 0 {
		_, err := f.Write(p)
		if !errors.Is(err, syscall.EINVAL) {
			return err
		}
	}
	setDirect(f, false)
	_, err := f.Write(p)
	return err
}

// settle returns when all is written.
func (f *tableFile) settle() error {
	if err := f.flush(); err != nil {
		_ = f.wait()
		return err
	}
	return f.wait()
}

// Sync implements vfs.File.
func (f *tableFile) Sync() error {
	if err := f.settle(); err != nil {
		return err
	}
	return f.File.Sync()
}

// SyncData implements vfs.File.
func (f *tableFile) SyncData() error {
	if err := f.settle(); err != nil {
		return err
	}
	return f.File.SyncData()
}

// Stat implements vfs.File.
func (f *tableFile) Stat() (vfs.FileInfo, error) {
	if err := f.settle(); err != nil {
		return nil, err
	}
	return f.File.Stat()
}

// Close implements vfs.File.
func (f *tableFile) Close() error {
	err := f.settle()
	for _, buf := range []*writeBuffer{f.buf, f.spare} {
		if buf != nil {
			buf.n = 0
			writeBuffers.Put(buf)
		}
	}
	f.buf, f.spare, f.direct = nil, nil, false
	if cerr := f.File.Close(); err == nil {
		err = cerr
	}
	return err
}
