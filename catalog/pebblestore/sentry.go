package pebblestore

import "github.com/cockroachdb/pebble/v2/vfs"

// sentryFS is the file system that Pebble gets. Pebble cannot go on after a
// failed write of its own log or manifest: it panics with its mutexes in a
// state that not even a recovered panic survives. A failed flush it repeats at
// once, for ever, and lets writers wait meanwhile. So the goroutine that meets
// such an error never hears of it. It stands still, the watch lets all waiting
// callers go with the cause, and what was on disk is what the next Open finds.
type sentryFS struct {
	vfs.FS
	watch *watch
	aside string // the folder of checkpoints, of which the store is independent
}

// beside reports that a file is no part of the store.
func (s *sentryFS) beside(name string) bool {
	if s.aside == "" {
		return false
	}
	for len(name) > len(s.aside) {
		name = s.FS.PathDir(name)
	}
	return name == s.aside
}

// Unwrap implements vfs.FS.
func (s *sentryFS) Unwrap() vfs.FS { return s.FS }

// Create implements vfs.FS.
func (s *sentryFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := s.FS.Create(name, c)
	if s.beside(name) {
		return f, err
	}
	return s.guarded(f, err)
}

// ReuseForWrite implements vfs.FS.
func (s *sentryFS) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := s.FS.ReuseForWrite(oldname, newname, c)
	return s.guarded(f, err)
}

func (s *sentryFS) guarded(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, s.watch.fatal(err)
	}
	return &sentryFile{f, s.watch}, nil
}

// OpenDir implements vfs.FS. A directory is opened to be synced.
func (s *sentryFS) OpenDir(name string) (vfs.File, error) {
	f, err := s.FS.OpenDir(name)
	if s.beside(name) {
		return f, err
	}
	return s.guarded(f, err)
}

// sentryFile is a file that Pebble writes, or a directory that it syncs.
type sentryFile struct {
	vfs.File
	watch *watch
}

// Write implements vfs.File.
func (f *sentryFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, f.watch.fatal(err)
}

// Sync implements vfs.File.
func (f *sentryFile) Sync() error { return f.watch.fatal(f.File.Sync()) }

// SyncData implements vfs.File.
func (f *sentryFile) SyncData() error { return f.watch.fatal(f.File.SyncData()) }

// SyncTo implements vfs.File.
func (f *sentryFile) SyncTo(length int64) (bool, error) {
	full, err := f.File.SyncTo(length)
	return full, f.watch.fatal(err)
}

// Close implements vfs.File.
func (f *sentryFile) Close() error { return f.watch.fatal(f.File.Close()) }
