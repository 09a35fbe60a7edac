package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"catalog/catalog"
	"catalog/catalog/pebblestore"
	"catalog/catalog/remotestore"
	"catalog/catalog/storefront"
)

// An embedded store is open in one process at a time. Those that have it for
// long listen on a socket in its folder, and all others go through that. Short
// commands do not listen: they have ended before another could make use of it,
// so whoever comes meanwhile waits for the lock instead.
const (
	socketName = "SOCKET"
	socketTemp = ".socket-" // prefix of the folder in which a socket is made

	// socketRoom is how long the path of a socket may be: 108 bytes on Linux,
	// 104 elsewhere, with a zero at the end.
	socketRoom = 103

	// lockPatience is how long a command waits for one that does not share.
	lockPatience = time.Second
	// revivePatience is how long it waits for one that is ending.
	revivePatience = 30 * time.Second
	lockPause      = 50 * time.Millisecond
	// shareDrain is how long calls of others may take when a holder ends, and
	// shareLinger how long calls that are on their way are still answered.
	shareDrain  = 5 * time.Second
	shareLinger = 50 * time.Millisecond
)

// openEmbedded opens the store in a folder, or goes through the process that
// has it open.
func (a *app) openEmbedded(ctx context.Context, dir string) (catalog.Store, error) {
	for end := time.Now().Add(lockPatience); ; {
		held, err := a.hold(ctx, dir, a.shares, false)
		if err == nil {
			return held, nil
		}
		var locked *catalog.LockedError
		if !errors.As(err, &locked) {
			return nil, err
		}
		shared, serr := a.reach(ctx, dir, locked.Holder)
		if serr == nil {
			return shared, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !errors.Is(serr, remotestore.ErrUnavailable) || time.Now().After(end) {
			if _, none := os.Lstat(filepath.Join(dir, socketName)); notThere(none) {
				return nil, err // it is one that does not share
			}
			return nil, fmt.Errorf("%w, and cannot be used beside it: %w", err, serr)
		}
		pause(ctx, lockPause)
	}
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	_ = catalog.Sleep(ctx, d) // who waits looks at ctx
}

// holding is an embedded store that this process has open.
type holding struct {
	*pebblestore.Store
	share *share // nil: not shared
	urls  *storefront.URLKeeper
	log   *slog.Logger
}

// hold opens an embedded store, and shares it if shares says so. That it cannot
// be shared is no reason not to use it. One that takes it over from another
// process lets those go on who hold leases.
func (a *app) hold(ctx context.Context, dir string, shares, takesOver bool) (*holding, error) {
	s, err := pebblestore.Open(ctx, dir, &pebblestore.Options{Logger: a.log, CacheBytes: a.cacheBytes, ScatteredCacheBytes: a.scatteredBytes, KeepLeases: takesOver, Workers: a.workers, Compactions: a.compactions, Yield: a.crowded})
	if err != nil {
		return nil, err
	}
	empty := true
	for _, err := range s.Heads(ctx, catalog.KindProduct, catalog.All) {
		empty = false
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		break
	}
	h := &holding{Store: s, urls: storefront.NewURLKeeper(s, empty), log: a.log}
	if shares {
		if h.share, err = a.listen(ctx, dir, func(closing <-chan struct{}) http.Handler {
			return remotestore.NewHandler(h, &remotestore.HandlerOptions{Trusted: true, Closing: closing, Logger: a.log})
		}); err != nil {
			a.log.Warn("other commands cannot use the store meanwhile", "err", err)
		}
	}
	return h, nil
}

// Apply implements catalog.Store. The url_keys that products lose by it lead on
// to their new ones, whoever writes: that they cannot be remembered is no
// reason not to.
func (h *holding) Apply(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error) {
	left, err := h.urls.Keep(ctx, writes)
	if err != nil && ctx.Err() == nil {
		h.log.Warn("former url_keys are not remembered", "cause", err)
	}
	if left > 0 {
		h.log.Warn("a feed renames so much that some former url_keys are not remembered", "url_keys", left)
	}
	return h.Store.Apply(ctx, writes)
}

// Close ends the sharing, then closes the store.
func (h *holding) Close() error {
	h.share.stop()
	return h.Store.Close()
}

// share is a socket through which others reach what a process has open in a
// folder: a store, or an index.
type share struct {
	dir     *place
	socket  net.Listener
	server  *http.Server
	closing chan struct{}
	calls   atomic.Int64 // of others under way
	done    sync.WaitGroup
	once    sync.Once
	log     func(msg string, args ...any)
}

// listen shares what is in dir, whose lock this process has: what another left
// of its socket is of no use to anybody. The handler's calls are to end when
// closing is closed.
func (a *app) listen(ctx context.Context, dir string, newHandler func(closing <-chan struct{}) http.Handler) (_ *share, err error) {
	p, err := newPlace(dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	l, err := p.socket(ctx)
	if err != nil {
		return nil, err
	}
	s := &share{dir: p, socket: l, closing: make(chan struct{}), log: a.log.Warn}
	handler := newHandler(s.closing)
	s.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.calls.Add(1)
			defer s.calls.Add(-1)
			handler.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 5 * time.Minute,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	s.done.Go(func() {
		if err := s.server.Serve(l); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			a.log.Warn("other commands can no longer use what this one has", "folder", dir, "err", err)
		}
	})
	return s, nil
}

// stop ends the sharing. Others are told, so that one of them takes it over
// once it is closed.
func (s *share) stop() {
	if s == nil {
		return
	}
	s.once.Do(func() {
		// Nobody new comes; who waits or asks is sent away, who works may finish.
		_ = os.Remove(filepath.Join(s.dir.dir, socketName))
		close(s.closing)
		_ = s.socket.Close()
		end := time.Now().Add(shareDrain)
		for time.Sleep(shareLinger); s.calls.Load() > 0; time.Sleep(shareLinger / 5) {
			if time.Now().After(end) {
				s.log("commands of others are cut off", "folder", s.dir.dir)
				break
			}
		}
		_ = s.server.Close()
		s.done.Wait()
		s.dir.close()
	})
}

// place is the folder of a store or an index, under a name that is short enough for
// sockets.
type place struct {
	dir   string
	short string
	open  *os.File // keeps short alive; nil where dir is short by itself
}

func newPlace(dir string) (*place, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	p := &place{dir: dir, short: dir}
	if len(dir)+len("/"+socketTemp+"0123456789/s") <= socketRoom {
		return p, nil
	}
	if p.open, err = os.Open(dir); err != nil {
		return nil, err
	}
	p.short = fmt.Sprintf("/proc/self/fd/%d", p.open.Fd())
	if _, err := os.Stat(p.short); err != nil {
		p.close()
		return nil, fmt.Errorf("the path of %s is too long for a socket", dir)
	}
	return p, nil
}

func (p *place) close() {
	if p.open != nil {
		_ = p.open.Close()
	}
}

// path returns the name of the socket.
func (p *place) path() string { return p.short + "/" + socketName }

// socket listens. The socket gets its name when nobody but this user can use
// it, which its mode says only after it was made.
func (p *place) socket(ctx context.Context) (net.Listener, error) {
	left, err := filepath.Glob(filepath.Join(p.dir, socketTemp+"*"))
	if err != nil {
		left = nil // a folder whose name is a bad pattern: then they stay
	}
	for _, dir := range left {
		_ = os.RemoveAll(dir) // of a process that was killed meanwhile
	}
	temp, err := os.MkdirTemp(p.dir, socketTemp) // for this user alone
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	name := p.short + "/" + filepath.Base(temp) + "/s"
	var config net.ListenConfig
	l, err := config.Listen(ctx, "unix", name)
	if err != nil {
		return nil, err
	}
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false) // it has another name by then
	}
	err = os.Chmod(name, 0o600)
	if err == nil {
		err = os.Rename(name, p.path())
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// dial reports whether somebody listens.
func (p *place) dial(ctx context.Context) bool {
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "unix", p.path())
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}
