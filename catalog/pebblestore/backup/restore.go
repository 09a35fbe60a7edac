package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"catalog/catalog"
	"catalog/catalog/pebblestore"
)

// ErrExists says that there is something already where a store is to be restored.
var ErrExists = errors.New("it is there already")

// Check reads all files of a backup and compares them with what was written.
// catalog.ErrCorrupt if one is not that.
func Check(ctx context.Context, b *Backup, o Options) error {
	var done int64
	for _, f := range b.Files {
		path := filepath.Join(b.Dir, filepath.FromSlash(f.Name))
		sum, err := hashFile(ctx, path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && sum != f.SHA256 {
			return fmt.Errorf("backup: %w: %s", catalog.ErrCorrupt, path)
		}
		if err != nil {
			return fmt.Errorf("backup: %w", err)
		}
		if done += f.Size; o.Progress != nil {
			o.Progress(done, b.Bytes)
		}
	}
	return nil
}

// Restore makes a store of a backup in the directory to, which must not be
// there, or be empty. Every file is compared with its digest, and every record
// of the new store is read once before it gets its name. The store has a new
// epoch: indexes and whatever else followed the old one are made anew.
func Restore(ctx context.Context, b *Backup, to string, o Options) (catalog.Stats, error) {
	stats, err := restore(ctx, b, to, o)
	if err != nil {
		return stats, fmt.Errorf("backup: restore %q: %w", to, err)
	}
	return stats, nil
}

func restore(ctx context.Context, b *Backup, to string, o Options) (stats catalog.Stats, err error) {
	to, err = filepath.Abs(to)
	if err != nil {
		return stats, err
	}
	switch entries, err := os.ReadDir(to); {
	case err == nil && len(entries) > 0:
		return stats, ErrExists
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return stats, err
	}
	parent, name := filepath.Split(to)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return stats, err
	}
	pattern := "." + name + ".restoring-"
	left, err := os.ReadDir(parent)
	if err != nil {
		return stats, err
	}
	for _, e := range left { // of a process that was killed
		if len(e.Name()) > len(pattern) && e.Name()[:len(pattern)] == pattern {
			if err := os.RemoveAll(filepath.Join(parent, e.Name())); err != nil {
				return stats, err
			}
		}
	}
	temp, err := os.MkdirTemp(parent, pattern)
	if err != nil {
		return stats, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(temp))
		}
	}()
	if err := copyAll(ctx, b, temp, o); err != nil {
		return stats, err
	}
	if err := pebblestore.Renew(ctx, temp, nil); err != nil {
		return stats, err
	}
	if stats, err = verify(ctx, b, temp); err != nil {
		return stats, err
	}
	if err := errors.Join(os.Chmod(temp, 0o755), syncDir(temp)); err != nil {
		return stats, err
	}
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) { // an empty folder
		return stats, err
	}
	stats.Location = to
	return stats, errors.Join(os.Rename(temp, to), syncDir(parent))
}

// copyAll copies the files of a backup and compares them with their digests.
func copyAll(ctx context.Context, b *Backup, to string, o Options) error {
	var done int64
	dirs := map[string]bool{to: true}
	for _, f := range b.Files {
		target := filepath.Join(to, filepath.FromSlash(f.Name))
		if dir := filepath.Dir(target); !dirs[dir] {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			dirs[dir] = true
		}
		source := filepath.Join(b.Dir, filepath.FromSlash(f.Name))
		sum, _, err := copyFile(ctx, source, target)
		if errors.Is(err, fs.ErrNotExist) || err == nil && sum != f.SHA256 {
			return fmt.Errorf("%w: %s", catalog.ErrCorrupt, source)
		}
		if err != nil {
			return err
		}
		if done += f.Size; o.Progress != nil {
			o.Progress(done, b.Bytes)
		}
	}
	for dir := range dirs {
		if err := syncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// verify reads every record of a restored store.
func verify(ctx context.Context, b *Backup, dir string) (stats catalog.Stats, err error) {
	s, err := pebblestore.Open(ctx, dir, nil)
	if err != nil {
		return stats, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if stats, err = s.Stats(ctx); err != nil {
		return stats, err
	}
	if stats.Tail.Epoch == b.Epoch || stats.Tail.Seq != b.Tail {
		return stats, fmt.Errorf("%w: the restored store ends at %v, the backup at %d", catalog.ErrCorrupt, stats.Tail, b.Tail)
	}
	for _, kind := range catalog.Kinds() {
		var n int64
		for r, err := range s.Scan(ctx, kind, catalog.All) {
			if err != nil {
				return stats, err
			}
			if n++; catalog.HashOf(r.Body) != r.Hash {
				return stats, fmt.Errorf("%w: %s %q", catalog.ErrCorrupt, kind, r.Key)
			}
		}
		if n != stats.Records[kind] || n != b.Records[kind.String()] {
			return stats, fmt.Errorf("%w: %d %s are there, %d were", catalog.ErrCorrupt, n, kind.Plural(), b.Records[kind.String()])
		}
	}
	return stats, nil
}
