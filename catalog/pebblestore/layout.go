package pebblestore

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"catalog/catalog"
)

// formatVersion is the version of the layout that this package writes; see the
// package's comment.
const formatVersion = 1

// The names in a store's directory, beside those of the lock.
const (
	markerName = "CATALOG"     // says that this is a store, and its format's version
	beginName  = "CATALOG.new" // the marker while the store is being made
	tablesName = "tables"      // Pebble's directory
	loadName   = "load"        // tables that are being written and not part of the store yet
)

const markerText = "catalog store, format "

// prepareDir makes sure that dir is a store's directory, or can become one. A
// directory that holds something else is left alone. finishDir must follow
// when the tables are there.
func prepareDir(fsys vfs.FS, dir string) error {
	tables := fsys.PathJoin(dir, tablesName)
	version, err := readMarker(fsys, dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := beginDir(fsys, dir, tables); err != nil {
			return err
		}
	case err != nil:
		return err
	case version > formatVersion:
		return fmt.Errorf("%w %d: this program knows up to %d", catalog.ErrVersion, version, formatVersion)
	}
	if err := makeDir(fsys, tables); err != nil {
		return err
	}
	if err := makeDir(fsys, fsys.PathJoin(dir, loadName)); err != nil {
		return err
	}
	return emptyLoadDir(fsys, fsys.PathJoin(dir, loadName))
}

// beginDir begins to make a store, or begins anew where a process ended in the
// middle of that: nothing was ever stored there.
func beginDir(fsys vfs.FS, dir, tables string) error {
	begun := fsys.PathJoin(dir, beginName)
	_, err := fsys.Stat(begun)
	switch {
	case err == nil:
		// The process may have ended before it had written what the file says,
		// so it is written again.
		if err := fsys.RemoveAll(tables); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	default:
		if err := mustBeEmpty(fsys, dir); err != nil {
			return err
		}
	}
	if err := writeFile(fsys, begun, markerText+strconv.Itoa(formatVersion)+"\n", true); err != nil {
		return err
	}
	return syncDir(fsys, dir)
}

// finishDir makes dir a store that has something to lose.
func finishDir(fsys vfs.FS, dir string) error {
	begun := fsys.PathJoin(dir, beginName)
	if _, err := fsys.Stat(begun); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	if err := fsys.Rename(begun, fsys.PathJoin(dir, markerName)); err != nil {
		return err
	}
	return syncDir(fsys, dir)
}

// makeDir makes dir and those above it durably, unless they are there.
func makeDir(fsys vfs.FS, dir string) error {
	if _, err := fsys.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := fsys.PathDir(dir)
	if parent != dir {
		if err := makeDir(fsys, parent); err != nil {
			return err
		}
	}
	if err := fsys.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return syncDir(fsys, parent)
}

func readMarker(fsys vfs.FS, dir string) (int, error) {
	text, err := readFile(fsys, fsys.PathJoin(dir, markerName))
	if err != nil {
		return 0, err
	}
	number, ok := strings.CutPrefix(strings.TrimSpace(text), markerText)
	version, err := strconv.Atoi(number)
	if !ok || err != nil || version < 1 {
		return 0, corrupt("the file %s does not name a format", markerName)
	}
	return version, nil
}

func mustBeEmpty(fsys vfs.FS, dir string) error {
	names, err := fsys.List(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		switch name {
		case lockName, holderName, "lost+found":
		default:
			return fmt.Errorf("%w place for a store: the directory is not empty and holds no store (it has %q)", catalog.ErrInvalid, name)
		}
	}
	return nil
}

// emptyLoadDir removes what a process that ended while it wrote tables left.
func emptyLoadDir(fsys vfs.FS, dir string) error {
	names, err := fsys.List(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := fsys.Remove(fsys.PathJoin(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func syncDir(fsys vfs.FS, dir string) error {
	d, err := fsys.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
