package remotestore_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/catalog/pebblestore"
	"catalog/catalog/remotestore"
	"catalog/catalog/storetest"
)

// shared is a store that a server of its own shares over a socket.
type shared struct {
	catalog.Store // the client
	dir           string
	behind        catalog.Store
	stop          func()
}

// Close closes the client, then the server, then the store.
func (s *shared) Close() error {
	err := s.Store.Close()
	s.stop()
	if berr := s.behind.Close(); err == nil {
		err = berr
	}
	return err
}

// socketDir is short, since the path of a socket has to be.
func socketDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "remote")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// serve serves a handler over a socket and returns its URL.
func serve(t testing.TB, h http.Handler) (where string, stop func()) {
	t.Helper()
	path := filepath.Join(socketDir(t), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	return "unix:" + path, serveOn(t, l, h)
}

func serveOn(t testing.TB, l net.Listener, h http.Handler) (stop func()) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l)
	}()
	stop = func() {
		_ = server.Close()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

func share(t testing.TB, s catalog.Store, o *remotestore.HandlerOptions) *shared {
	t.Helper()
	where, stop := serve(t, remotestore.NewHandler(s, o))
	client, err := remotestore.Open(t.Context(), where, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &shared{Store: client, behind: s, stop: stop}
}

var local = &remotestore.HandlerOptions{Trusted: true}

func memory() storetest.Harness {
	return storetest.Harness{Open: func(t testing.TB) catalog.Store { return share(t, memstore.New(), local) }}
}

// pebble shares embedded stores, on a file system in memory.
func pebble() storetest.Harness {
	fs := vfs.NewMem()
	var n atomic.Int64
	open := func(t testing.TB, dir string) catalog.Store {
		s, err := pebblestore.Open(t.Context(), dir, &pebblestore.Options{FS: fs, CacheBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		c := share(t, s, local)
		c.dir = dir
		return c
	}
	return storetest.Harness{
		EndsLeases: true,
		Open:       func(t testing.TB) catalog.Store { return open(t, fmt.Sprintf("/store%d", n.Add(1))) },
		Reopen: func(t testing.TB, s catalog.Store) catalog.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, s.(*shared).dir)
		},
	}
}

func TestOverMemory(t *testing.T) {
	t.Parallel()
	storetest.Run(t, memory())
}

func TestOverPebble(t *testing.T) {
	t.Parallel()
	storetest.Run(t, pebble())
}

func BenchmarkOverPebble(b *testing.B) { storetest.Bench(b, pebble()) }
