package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"catalog/catalog"
)

const copyBuffer = 1 << 20

// known is a file of the backup before.
type known struct {
	path string
	File
}

// writer fills the folder of a backup.
type writer struct {
	ctx      context.Context
	from, to string
	backup   *Backup
	progress func(done, total int64)
	known    map[string]known // tables by their name
	total    int64
}

// errGone ends a backup whose checkpoint another process took away meanwhile.
var errGone = errors.New("the checkpoint is no longer what it was")

// knows makes the tables of another backup known.
func (w *writer) knows(b *Backup) {
	for _, f := range b.Files {
		if isTable(f.Name) {
			w.known[f.Name] = known{filepath.Join(b.Dir, filepath.FromSlash(f.Name)), f}
		}
	}
}

// isTable reports that a file never changes once it is there.
func isTable(name string) bool {
	return strings.HasSuffix(name, ".sst") || strings.HasSuffix(name, ".blob")
}

// files lists what is to be written.
func (w *writer) files() ([]File, error) {
	var files []File
	err := filepath.WalkDir(w.from, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == "LOCK" { // Pebble's: it has no content
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(w.from, path)
		files = append(files, File{Name: filepath.ToSlash(rel), Size: info.Size()})
		return err
	})
	return files, err
}

// write fills the folder, and the backup's list of files.
func (w *writer) write() error {
	files, err := w.files()
	if err != nil {
		return err
	}
	for _, f := range files {
		w.total += f.Size
	}
	dirs := map[string]bool{w.to: true}
	for _, f := range files {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		target := filepath.Join(w.to, filepath.FromSlash(f.Name))
		if dir := filepath.Dir(target); !dirs[dir] {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			dirs[dir] = true
		}
		if err := w.file(&f, target); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		w.backup.Files = append(w.backup.Files, f)
		w.backup.Bytes += f.Size
		if w.progress != nil {
			w.progress(w.backup.Bytes, w.total)
		}
	}
	for dir := range dirs {
		if err := syncDir(dir); err != nil {
			return err
		}
	}
	// What was being removed while it was listed must not pass for all there is.
	if now, err := w.files(); err != nil || !slices.Equal(now, files) {
		return errors.Join(errGone, err)
	}
	return nil
}

// file makes one file of the backup, as cheaply as it can be had.
func (w *writer) file(f *File, target string) error {
	source := filepath.Join(w.from, filepath.FromSlash(f.Name))
	if isTable(f.Name) {
		if k, ok := w.known[f.Name]; ok && k.Size == f.Size && os.Link(k.path, target) == nil {
			f.SHA256 = k.SHA256
			return nil
		}
		w.backup.New += f.Size
		if os.Link(source, target) == nil {
			var err error
			f.SHA256, err = hashFile(w.ctx, target)
			return err
		}
	} else {
		w.backup.New += f.Size
	}
	w.backup.Copied += f.Size
	sum, n, err := copyFile(w.ctx, source, target)
	if err == nil && n != f.Size {
		err = fmt.Errorf("%w: it had %d bytes and now has %d", catalog.ErrCorrupt, f.Size, n)
	}
	f.SHA256 = sum
	return err
}

// copyFile copies a file durably and returns its digest and size.
func copyFile(ctx context.Context, from, to string) (sum string, n int64, err error) {
	in, err := os.Open(from)
	if err != nil {
		return "", 0, err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return "", 0, err
	}
	sum, n, err = hash(ctx, io.TeeReader(in, out))
	if err == nil {
		err = out.Sync()
	}
	return sum, n, errors.Join(err, out.Close())
}

// hashFile returns the digest of a file.
func hashFile(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum, _, err := hash(ctx, f)
	return sum, err
}

// hash reads all of r.
func hash(ctx context.Context, r io.Reader) (sum string, n int64, err error) {
	h, buf := sha256.New(), make([]byte, copyBuffer)
	for {
		if err := ctx.Err(); err != nil {
			return "", n, err
		}
		k, err := r.Read(buf)
		h.Write(buf[:k])
		n += int64(k)
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(h.Sum(nil)), n, nil
		}
		if err != nil {
			return "", n, err
		}
	}
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
