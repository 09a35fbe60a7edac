// Package disk is what the index knows of files: few operations, all in one
// directory, behind an interface so that tests can fail or lose any of them.
package disk

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// ErrLocked is the error of Lock when another has the directory.
var ErrLocked = errors.New("directory is in use by another process")

// FS is a directory. Its methods are safe for concurrent use with different
// names.
type FS interface {
	Create(name string) (File, error) // empty, replacing what is there
	Append(name string) (File, error) // an existing file
	Map(name string) (Mapping, error) // its bytes
	Truncate(name string, size int64) error
	Rename(from, to string) error
	Remove(name string) error
	List() ([]string, error)
	Sync() error // renames, creations and removals
}

// File is a file that is being written.
type File interface {
	io.Writer
	Sync() error
	Close() error
}

// Mapping is the bytes of a file.
type Mapping interface {
	Bytes() []byte
	// Forget lets the system take back the memory in which bytes were read that
	// may not be wanted again soon. They can be read as before. Safe for
	// concurrent use with readers.
	Forget()
	Close() error
}

// OS returns the directory of that path, which it makes.
func OS(dir string) (FS, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	return osDir(dir), nil
}

type osDir string

func (d osDir) path(name string) string { return filepath.Join(string(d), name) }

func (d osDir) Create(name string) (File, error) { return os.Create(d.path(name)) }

func (d osDir) Append(name string) (File, error) {
	return os.OpenFile(d.path(name), os.O_WRONLY|os.O_APPEND, 0)
}

func (d osDir) Map(name string) (Mapping, error)       { return mapFile(d.path(name)) }
func (d osDir) Truncate(name string, size int64) error { return os.Truncate(d.path(name), size) }
func (d osDir) Rename(from, to string) error           { return os.Rename(d.path(from), d.path(to)) }
func (d osDir) Remove(name string) error               { return os.Remove(d.path(name)) }

func (d osDir) List() ([]string, error) {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func (d osDir) Sync() error {
	f, err := os.Open(string(d))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Write writes a file by f, durably but for its name.
func Write(fs FS, name string, f func(io.Writer) error) error {
	file, err := fs.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(file, 1<<20)
	err = f(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// Replace writes a file such that there is the old or the new one, whatever
// happens, and the new one when it returns nil.
func Replace(fs FS, name string, content []byte) error {
	tmp := name + ".tmp"
	err := Write(fs, tmp, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	if err != nil {
		return err
	}
	// What the content names must be there before the name is.
	if err := fs.Sync(); err != nil {
		return err
	}
	if err := fs.Rename(tmp, name); err != nil {
		return err
	}
	return fs.Sync()
}

// memory is a mapping that is a copy.
type memory []byte

// Memory returns bytes as a Mapping.
func Memory(b []byte) Mapping { return memory(b) }

func (m memory) Bytes() []byte { return m }
func (m memory) Forget()       {}
func (m memory) Close() error  { return nil }
