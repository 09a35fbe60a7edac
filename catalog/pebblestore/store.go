package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"catalog/catalog"
	"catalog/catalog/internal/gate"
)

// Store is an embedded catalog.Store. One process at a time has it open.
type Store struct {
	opts  Options
	dir   string
	lock  *dirLock
	db    *pebble.DB
	dbo   *pebble.Options
	watch *watch
	sched *scheduler

	manifest atomic.Bool // Pebble has begun one since it opened the tables

	names  sources
	state  atomic.Pointer[state] // what is committed
	buried uint64                // leases up to this token ended with who had the store open before

	// commit is held by the one writer; what follows is the writer's.
	commit chan struct{}
	plan   plan
	load   loader
	filter [catalog.KindAttribute + 1]*filter
	missed [catalog.KindAttribute + 1]int64

	gate    *gate.Gate
	mu      sync.Mutex
	changed chan struct{} // closed when the tail moves
	done    chan struct{} // closed when Close is through
	err     error         // of Close
}

var (
	_ catalog.Store     = (*Store)(nil)
	_ catalog.Compacter = (*Store)(nil)
	_ catalog.Loader    = (*Store)(nil)
)

// Open opens the store in dir, making the directory if need be. The error is
// a *catalog.LockedError while another process has the store open,
// catalog.ErrVersion when a newer version of this package wrote it,
// catalog.ErrInvalid when the directory holds something else.
func Open(ctx context.Context, dir string, o *Options) (*Store, error) {
	s, err := open(ctx, dir, o)
	if err != nil {
		return nil, fmt.Errorf("pebblestore: open %q: %w", dir, mapError(err))
	}
	return s, nil
}

func open(ctx context.Context, dir string, o *Options) (_ *Store, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	opts := o.withDefaults()
	if opts.FS == vfs.Default { // locks know a directory by its full name
		if dir, err = filepath.Abs(dir); err != nil {
			return nil, err
		}
	}
	doors := gate.New()
	tables := tableFS{FS: opts.FS}
	if opts.Yield != nil {
		tables.pace = &pace{yield: opts.Yield, closed: doors.Closed()}
	}
	opts.FS = tables
	if err := makeDir(opts.FS, dir); err != nil {
		return nil, err
	}
	w := newWatch(opts.Logger)
	s := &Store{
		opts:  opts,
		dir:   dir,
		watch: w,
		sched: newScheduler(w.broken),

		commit:  make(chan struct{}, 1),
		gate:    doors,
		changed: make(chan struct{}),
		done:    make(chan struct{}),
	}
	if s.lock, err = lockDir(opts.FS, dir, opts.Holder); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil && s.watch.failure() == nil {
			err = errors.Join(err, s.lock.release())
		}
	}()
	if err := prepareDir(opts.FS, dir); err != nil {
		return nil, err
	}
	if err := s.openDB(); err != nil {
		return nil, err
	}
	if err := s.watch.guard(s.loadState); err != nil {
		return nil, errors.Join(err, s.closeDB())
	}
	if err := finishDir(opts.FS, dir); err != nil {
		return nil, errors.Join(err, s.closeDB())
	}
	return s, nil
}

func (s *Store) openDB() error {
	s.dbo = pebbleOptions(s.opts, s.checkpointDir(), s.watch, s.sched)
	cache := pebble.NewCache(s.opts.ScatteredCacheBytes)
	defer cache.Unref()
	s.dbo.Cache = cache
	s.dbo.EventListener.ManifestCreated = func(info pebble.ManifestCreateInfo) {
		if info.Err == nil {
			s.manifest.Store(true)
		}
	}
	db, err := openPebble(s.opts.FS.PathJoin(s.dir, tablesName), s.dbo)
	if err != nil {
		return err
	}
	s.db = db
	if spare := s.opts.ScatteredCacheBytes - s.opts.CacheBytes; spare > 0 && db.Metrics().ReadAmp() < scatteredFrom {
		cache.Reserve(int(spare)) // never to be used
	}
	s.watch.armed.Store(true)
	return s.watch.failure()
}

// openPebble is pebble.Open without its panics: it cleans up and panics when it
// cannot sync the directory.
func openPebble(dir string, o *pebble.Options) (db *pebble.DB, err error) {
	defer func() {
		if cause := panicked(recover()); cause != nil {
			db, err = nil, cause
		}
	}()
	return pebble.Open(dir, o)
}

// panicked returns the error that Pebble panics with, nil if it did not. What
// is a bug goes on.
func panicked(p any) error {
	if p == nil {
		return nil
	}
	cause, ok := p.(error)
	if bug := runtime.Error(nil); !ok || errors.As(cause, &bug) {
		panic(p)
	}
	return cause
}

// loadState reads what describes the store, and makes it in a new one.
func (s *Store) loadState() error {
	v, closer, err := s.db.Get([]byte{spaceState})
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		st := newState()
		if err := s.db.Set([]byte{spaceState}, st.append(nil), pebble.Sync); err != nil {
			return err
		}
		s.state.Store(st)
	case err != nil:
		return err
	default:
		st, err := parseState(v)
		if err = errors.Join(err, closer.Close()); err != nil {
			return err
		}
		s.state.Store(st)
		if !s.opts.KeepLeases {
			s.buried = st.token
		}
	}
	return s.names.load(s.db)
}

// enter begins an operation; the caller calls leave when it is through.
func (s *Store) enter(ctx context.Context) error {
	if err := s.gate.Enter(ctx); err != nil {
		return err
	}
	if err := s.watch.failure(); err != nil {
		s.leave()
		return err
	}
	return nil
}

func (s *Store) leave() { s.gate.Leave() }

// lockCommit makes the caller the one writer; it calls unlockCommit.
func (s *Store) lockCommit(ctx context.Context) error {
	select {
	case s.commit <- struct{}{}:
		return nil
	case <-s.gate.Closed():
		return catalog.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) unlockCommit() { <-s.commit }

// Close releases the store when all operations have ended; those that wait or
// iterate end with catalog.ErrClosed at their next step. It must not be called
// from inside a loop over one of the store's iterators.
func (s *Store) Close() error {
	idle, first := s.gate.Shut()
	if !first {
		<-s.done
		return s.err
	}
	defer close(s.done)
	select {
	case <-idle:
	case <-s.watch.broken:
	}
	err := s.closeDB()
	if s.watch.failure() == nil {
		err = errors.Join(err, s.lock.release())
	}
	s.err = wrap("close", err)
	return s.err
}

// closeDB closes Pebble. After a fatal error Pebble's locks are in no known
// state, so that nothing is closed and the lock is kept: what is left of Pebble
// in this process must not meet a second one in the same directory.
func (s *Store) closeDB() error {
	if s.watch.failure() != nil {
		return nil
	}
	return s.watch.guard(s.db.Close)
}

// alive reports catalog.ErrClosed once Close was called, and a fatal error.
func (s *Store) alive() error {
	select {
	case <-s.gate.Closed():
		return catalog.ErrClosed
	case <-s.watch.broken:
		return s.watch.err
	default:
		return nil
	}
}
