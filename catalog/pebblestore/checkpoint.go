package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"catalog/catalog"
	"catalog/catalog/internal/gate"
)

// CheckpointName is the folder in a store's directory that Checkpoint makes.
const CheckpointName = "checkpoint"

// Checkpoint makes the folder CheckpointName in the store's directory: the
// directory of a store that is this one as it is at one moment. It replaces the
// one before. Writers wait for it, which takes no time where its tables can be
// hard links to those of the store. These keep the room that they take on disk,
// so that the folder should be removed soon. It must not be opened as a store,
// but copied, and the copy be given to Renew. That it cannot be written does the
// store no harm.
func (s *Store) Checkpoint(ctx context.Context) error {
	return wrap("make a checkpoint", s.checkpoint(ctx))
}

func (s *Store) checkpointDir() string { return s.opts.FS.PathJoin(s.dir, CheckpointName) }

func (s *Store) checkpoint(ctx context.Context) (err error) {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	// Pebble copies its log last, with what came into it meanwhile: tables that
	// a bulk Apply had just loaded would be named there, and be missing.
	if err := s.lockCommit(ctx); err != nil {
		return err
	}
	defer s.unlockCommit()
	fsys, dir := s.opts.FS, s.checkpointDir()
	if err := fsys.RemoveAll(dir); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = fsys.RemoveAll(dir) // best effort: the next one tries again
		}
	}()
	if err := makeDir(fsys, dir); err != nil {
		return err
	}
	// All commits are synced before they are acknowledged: nothing is to flush,
	// but where Pebble would copy the empty beginning of a manifest. It writes its
	// own with the first change of its tables, and opening a store changes them
	// only if there is a log, which a process that was killed while it opened the
	// store may not have begun.
	if !s.manifest.Load() {
		if err := s.watch.guard(s.db.Flush); err != nil {
			return err
		}
	}
	if err := s.watch.guard(func() error { return s.checkpointTables(fsys.PathJoin(dir, tablesName)) }); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	// The marker comes last: without it the folder is no store.
	if err := writeFile(fsys, fsys.PathJoin(dir, markerName), markerText+strconv.Itoa(formatVersion)+"\n", true); err != nil {
		return err
	}
	return syncDir(fsys, dir)
}

// checkpointTables is Pebble's Checkpoint without its panics: it cleans up and
// panics when it cannot sync the directory.
func (s *Store) checkpointTables(dir string) (err error) {
	defer func() {
		if cause := panicked(recover()); cause != nil {
			err = cause
		}
	}()
	return s.db.Checkpoint(dir)
}

// Inspect says what is in the store in dir, which no process may have open,
// without changing anything but for a lock file. It knows Records, Sources and
// what the log has.
func Inspect(ctx context.Context, dir string) (catalog.Stats, error) {
	st, err := inspect(ctx, dir)
	if err != nil {
		return catalog.Stats{}, fmt.Errorf("pebblestore: inspect %q: %w", dir, mapError(err))
	}
	return st, nil
}

func inspect(ctx context.Context, dir string) (stats catalog.Stats, err error) {
	if err := ctx.Err(); err != nil {
		return stats, err
	}
	version, err := readMarker(vfs.Default, dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return stats, fmt.Errorf("%w: it holds no store", catalog.ErrInvalid)
	case err != nil:
		return stats, err
	case version > formatVersion:
		return stats, fmt.Errorf("%w %d: this program knows up to %d", catalog.ErrVersion, version, formatVersion)
	}
	opts := (*Options)(nil).withDefaults()
	w := newWatch(opts.Logger)
	dbo := pebbleOptions(opts, "", w, newScheduler(w.broken))
	dbo.ReadOnly = true
	db, err := openPebble(vfs.Default.PathJoin(dir, tablesName), dbo)
	if err != nil {
		return stats, err
	}
	s := &Store{opts: opts, dir: dir, watch: w, db: db, gate: gate.New()}
	defer func() { err = errors.Join(err, db.Close()) }()
	v, closer, err := db.Get([]byte{spaceState})
	if err != nil {
		return stats, err
	}
	st, err := parseState(v)
	if err = errors.Join(err, closer.Close()); err != nil {
		return stats, err
	}
	s.state.Store(st)
	if err := s.names.load(db); err != nil {
		return stats, err
	}
	return s.stats(ctx)
}

// Renew makes the copy of a store that dir holds a store of its own, with a new
// epoch: whoever followed the other one notices. Nobody may have it open.
func Renew(ctx context.Context, dir string, o *Options) error {
	s, err := Open(ctx, dir, o)
	if err != nil {
		return err
	}
	return errors.Join(wrap("renew", s.renew(ctx)), s.Close())
}

func (s *Store) renew(ctx context.Context) error {
	return s.write(ctx, free, func(b *pebble.Batch, st *state) error {
		st.epoch = newState().epoch
		return b.Set([]byte{spaceState}, st.append(nil), nil)
	})
}
