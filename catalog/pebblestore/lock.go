package pebblestore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"catalog/catalog"
)

// The files of the lock. The first is what the system locks, and has no
// content: to open it a second time would give the lock up. The second says
// for people who has it.
const (
	lockName   = "LOCK"
	holderName = "HOLDER"
)

// dirLock keeps all other processes out of a directory.
type dirLock struct {
	fs   vfs.FS
	path string // of the holder file
	file io.Closer
}

// lockDir takes the lock of dir; a *catalog.LockedError says who else has it.
func lockDir(fsys vfs.FS, dir, holder string) (*dirLock, error) {
	l := &dirLock{fs: fsys, path: fsys.PathJoin(dir, holderName)}
	file, err := fsys.Lock(fsys.PathJoin(dir, lockName))
	if err != nil {
		var place *fs.PathError // the file cannot be made: not a question of who has it
		if known := mapError(err); !errors.Is(err, known) || errors.As(err, &place) {
			return nil, known
		}
		return nil, lockedBy(fsys, dir, l.path)
	}
	l.file = file
	if holder == "" {
		holder = thisProcess()
	}
	text := fmt.Sprintf("%s\n%s\n", strings.ReplaceAll(holder, "\n", " "), time.Now().UTC().Format(time.RFC3339))
	if err := writeFile(fsys, l.path, text, false); err != nil {
		return nil, errors.Join(mapError(err), l.release())
	}
	return l, nil
}

// release gives the lock up.
func (l *dirLock) release() error {
	// Without the holder file nobody is told of a holder that is gone. That
	// it cannot be removed harms nobody: the lock itself is what counts.
	_ = l.fs.Remove(l.path)
	return l.file.Close()
}

func lockedBy(fsys vfs.FS, dir, path string) error {
	e := &catalog.LockedError{Dir: dir, Holder: "an unknown process"}
	text, err := readFile(fsys, path)
	if err != nil {
		return e
	}
	holder, since, _ := strings.Cut(text, "\n")
	if holder != "" {
		e.Holder = holder
	}
	if t, err := time.Parse(time.RFC3339, strings.TrimSpace(since)); err == nil {
		e.Since = t
	}
	return e
}

func thisProcess() string {
	host, err := os.Hostname()
	if err != nil {
		host = "this host"
	}
	program := "a program"
	if len(os.Args) > 0 {
		program = filepath.Base(os.Args[0])
	}
	return fmt.Sprintf("%s, process %d on %s", program, os.Getpid(), host)
}

// writeFile makes a small file; a durable one is synced.
func writeFile(fsys vfs.FS, path, text string, durable bool) error {
	f, err := fsys.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte(text))
	if err == nil && durable {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// readFile reads a small file.
func readFile(fsys vfs.FS, path string) (string, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(io.LimitReader(f, 4096))
	return string(b), errors.Join(err, f.Close())
}
