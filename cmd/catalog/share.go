package main

import (
	"context"
	"errors"
	"fmt"
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
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// holding is an embedded store that this process has open.
type holding struct {
	*pebblestore.Store
	share *share // nil: not shared
}

// hold opens an embedded store, and shares it if shares says so. That it cannot
// be shared is no reason not to use it. One that takes it over from another
// process lets those go on who hold leases.
func (a *app) hold(ctx context.Context, dir string, shares, takesOver bool) (*holding, error) {
	s, err := pebblestore.Open(ctx, dir, &pebblestore.Options{Logger: a.log, CacheBytes: a.cacheBytes, ScatteredCacheBytes: a.scatteredBytes, KeepLeases: takesOver})
	if err != nil {
		return nil, err
	}
	h := &holding{Store: s}
	if shares {
		if h.share, err = a.listen(ctx, dir, s); err != nil {
			a.log.Warn("other commands cannot use the store meanwhile", "err", err)
		}
	}
	return h, nil
}

// Close ends the sharing, then closes the store.
func (h *holding) Close() error {
	h.share.stop()
	return h.Store.Close()
}

// share is a socket that others reach the store through.
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

// listen shares the store in dir, whose lock this process has: what another
// left of its socket is of no use to anybody.
func (a *app) listen(ctx context.Context, dir string, store catalog.Store) (_ *share, err error) {
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
	handler := remotestore.NewHandler(store, &remotestore.HandlerOptions{Trusted: true, Closing: s.closing, Logger: a.log})
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
			a.log.Warn("other commands can no longer use the store", "err", err)
		}
	})
	return s, nil
}

// stop ends the sharing. Others are told, so that one of them takes the store
// over once it is closed.
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
				s.log("commands of others that use the store are cut off")
				break
			}
		}
		_ = s.server.Close()
		s.done.Wait()
		s.dir.close()
	})
}

// place is the folder of a store, under a name that is short enough for
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
