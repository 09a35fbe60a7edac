// Package backup keeps backups of an embedded store in a folder, and makes
// stores of them again.
//
// # Folder
//
// A folder of backups belongs to one store and has a folder for each backup,
// named by its moment in UTC, so that names sort by age:
//
//	20261121T190000Z/
//	  BACKUP    what is in it (JSON): the store's epoch, tail and counts, and
//	            size and SHA-256 of each file; written last
//	  CATALOG   with all that follows, a store's directory, as pebblestore has it
//	  tables/
//	.partial-…  being written, or left by a process that was killed
//
// A backup is whole when it has its name. Tables never change, so those that the
// backup before has too are hard links to it, and those of a store on the same
// file system are links to the store's; everything else is copied. Each backup
// can be removed, or moved elsewhere, without regard to the others. Links share
// the disk's faults, too: keep backups on another disk than the store.
//
// A table is known by its name, its size and the store's epoch: Pebble never
// uses the number of a table again, and a restored store has another epoch.
package backup

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"catalog/catalog"
	"catalog/catalog/pebblestore"
)

const (
	manifestName   = "BACKUP"
	manifestFormat = 1
	partialPrefix  = ".partial-"
	nameLayout     = "20060102T150405Z"
)

// ErrNone says that a folder has no backup.
var ErrNone = errors.New("no backup")

// Backup describes a backup.
type Backup struct {
	Format  int              `json:"format"`
	Dir     string           `json:"-"`
	Taken   time.Time        `json:"taken"`
	Epoch   string           `json:"epoch"` // of the store
	Tail    catalog.Seq      `json:"tail"`
	Records map[string]int64 `json:"records"` // by kind
	Files   []File           `json:"files"`
	Bytes   int64            `json:"bytes"`     // of all files
	New     int64            `json:"new_bytes"` // of those that no backup before had
	Copied  int64            `json:"copied_bytes"`
}

// File is a file of a backup.
type File struct {
	Name   string `json:"name"` // with slashes
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Options say how to make a backup or to restore one. The zero value works.
type Options struct {
	// Keep is how many backups are left in the folder, the new one included;
	// 0 keeps all.
	Keep int
	// Progress, if it is not nil, is called with how many bytes are done.
	Progress func(done, total int64)
}

// Create makes a backup, in the folder dir, of the copy of a store that
// pebblestore's Checkpoint made, which must stay meanwhile. It calls for nobody
// else making one in that folder. What a process that was killed has left there
// is removed.
func Create(ctx context.Context, checkpoint, dir string, o Options) (*Backup, error) {
	b, err := create(ctx, checkpoint, dir, o)
	if err != nil {
		return nil, fmt.Errorf("backup: into %q: %w", dir, err)
	}
	return b, nil
}

func create(ctx context.Context, checkpoint, dir string, o Options) (*Backup, error) {
	stats, err := pebblestore.Inspect(ctx, checkpoint)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := clean(dir); err != nil {
		return nil, err
	}
	before, err := List(dir)
	if err != nil {
		return nil, err
	}
	partial, err := os.MkdirTemp(dir, partialPrefix)
	if err != nil {
		return nil, err
	}
	b := &Backup{
		Format: manifestFormat, Taken: time.Now().UTC().Truncate(time.Second),
		Epoch: stats.Tail.Epoch, Tail: stats.Tail.Seq, Records: map[string]int64{},
	}
	for k, n := range stats.Records {
		b.Records[k.String()] = n
	}
	w := &writer{ctx: ctx, from: checkpoint, to: partial, backup: b, progress: o.Progress, known: map[string]known{}}
	if n := len(before); n > 0 && before[n-1].Epoch == b.Epoch {
		w.knows(before[n-1])
	}
	err = w.write()
	if err == nil {
		err = b.save(partial)
	}
	if err == nil {
		err = b.settle(partial, dir)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(partial))
	}
	return b, prune(append(before, b), dir, o.Keep)
}

// save writes the manifest, after everything else is on disk.
func (b *Backup) save(dir string) error {
	text, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, manifestName))
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close(), syncDir(dir))
}

// settle gives a backup its name, which says that it is whole.
func (b *Backup) settle(partial, dir string) error {
	if err := os.Chmod(partial, 0o755); err != nil {
		return err
	}
	name := b.Taken.Format(nameLayout)
	for n := 2; ; n++ {
		b.Dir = filepath.Join(dir, name)
		if _, err := os.Lstat(b.Dir); errors.Is(err, fs.ErrNotExist) {
			break
		}
		name = fmt.Sprintf("%s-%03d", b.Taken.Format(nameLayout), n)
	}
	return errors.Join(os.Rename(partial, b.Dir), syncDir(dir))
}

// clean removes what is no backup and never will be.
func clean(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), partialPrefix) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// prune removes the oldest backups but for keep of them.
func prune(all []*Backup, dir string, keep int) error {
	if keep <= 0 || len(all) <= keep {
		return nil
	}
	for _, b := range all[:len(all)-keep] {
		// First the name: who finds a part of a backup takes it for none.
		gone := filepath.Join(dir, partialPrefix+filepath.Base(b.Dir))
		if err := os.Rename(b.Dir, gone); err != nil {
			return err
		}
		if err := os.RemoveAll(gone); err != nil {
			return err
		}
	}
	return syncDir(dir)
}

// List returns the backups in a folder, the oldest first.
func List(dir string) ([]*Backup, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []*Backup
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		b, err := load(filepath.Join(dir, e.Name()))
		if errors.Is(err, ErrNone) {
			continue // something else that the operator keeps here
		}
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b *Backup) int {
		return cmp.Or(a.Taken.Compare(b.Taken), cmp.Compare(a.Dir, b.Dir))
	})
	return all, nil
}

// Find returns the backup that dir is, or the newest of those in it. ErrNone if
// it is neither a backup nor a folder of backups.
func Find(dir string) (*Backup, error) {
	b, err := load(dir)
	if !errors.Is(err, ErrNone) {
		return b, err
	}
	all, err := List(dir)
	if err == nil && len(all) == 0 || errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("backup: %w in %q", ErrNone, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	return all[len(all)-1], nil
}

// load reads the manifest in a folder.
func load(dir string) (*Backup, error) {
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, err
	}
	b := &Backup{Dir: dir}
	if err := json.Unmarshal(text, b); err != nil {
		return nil, fmt.Errorf("%w: %s of %q: %w", catalog.ErrCorrupt, manifestName, dir, err)
	}
	if b.Format != manifestFormat {
		return nil, fmt.Errorf("%w: the backup in %q has format %d", catalog.ErrVersion, dir, b.Format)
	}
	for _, f := range b.Files {
		if !filepath.IsLocal(filepath.FromSlash(f.Name)) {
			return nil, fmt.Errorf("%w: %s of %q names the file %q", catalog.ErrCorrupt, manifestName, dir, f.Name)
		}
	}
	return b, nil
}
