package remotestore_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/catalog/remotestore"
)

func open(t *testing.T, where string, o *remotestore.Options) *remotestore.Store {
	t.Helper()
	s, err := remotestore.Open(t.Context(), where, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func product(key catalog.Key, body string) catalog.Write {
	return catalog.Write{Kind: catalog.KindProduct, Key: key, Body: []byte(body)}
}

func TestToken(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(remotestore.NewHandler(memstore.New(), &remotestore.HandlerOptions{Tokens: []string{"one", "two"}}))
	t.Cleanup(server.Close)
	for token, ok := range map[string]bool{"one": true, "two": true, "": false, "thre": false, "on": false} {
		s, err := remotestore.Open(t.Context(), server.URL, &remotestore.Options{Token: token})
		if (err == nil) != ok || !ok && !errors.Is(err, remotestore.ErrUnauthorized) {
			t.Errorf("%q: %v", token, err)
		}
		if err == nil {
			_, err = s.Apply(t.Context(), []catalog.Write{product("a", `{}`)})
			if err = errors.Join(err, s.Close()); err != nil {
				t.Errorf("%q: %v", token, err)
			}
		} else if token != "" && strings.Contains(err.Error(), token) {
			t.Errorf("the error tells the token: %v", err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	redirect := httptest.NewServer(http.RedirectHandler(web.URL, http.StatusTemporaryRedirect))
	t.Cleanup(redirect.Close)
	for where, want := range map[string]error{
		"ftp://x": catalog.ErrInvalid, "unix:": catalog.ErrInvalid, "http://": catalog.ErrInvalid, "http://u:secret@h": catalog.ErrInvalid,
		web.URL: catalog.ErrInvalid, redirect.URL: catalog.ErrInvalid,
		"unix:" + socketDir(t) + "/none": remotestore.ErrUnavailable, "http://127.0.0.1:1": remotestore.ErrUnavailable,
	} {
		s, err := remotestore.Open(t.Context(), where, nil)
		if !errors.Is(err, want) || s != nil {
			t.Errorf("%s: %v, want %v", where, err, want)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}

// TestHashIsChecked: a client on the network cannot make a body and its hash
// disagree.
func TestHashIsChecked(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(remotestore.NewHandler(memstore.New(), nil))
	t.Cleanup(server.Close)
	s := open(t, server.URL, nil)
	w := product("a", `{"n":1}`)
	w.Hash = catalog.HashOf([]byte("another"))
	if _, err := s.Apply(t.Context(), []catalog.Write{w}); !errors.Is(err, catalog.ErrInvalid) {
		t.Errorf("a wrong hash: %v", err)
	}
}

// cutter breaks connections after some bytes of their answers.
type cutter struct {
	net.Listener
	after atomic.Int64 // bytes; negative: never
}

func (c *cutter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &cutConn{Conn: conn, c: c}, nil
}

type cutConn struct {
	net.Conn
	c    *cutter
	sent int64
}

func (c *cutConn) Write(p []byte) (int, error) {
	if limit := c.c.after.Load(); limit >= 0 && c.sent+int64(len(p)) > limit {
		n, _ := c.Conn.Write(p[:max(0, min(int64(len(p)), limit-c.sent))])
		c.Conn.Close()
		return n, io.ErrClosedPipe
	}
	n, err := c.Conn.Write(p)
	c.sent += int64(n)
	return n, err
}

func cutServer(t *testing.T, s catalog.Store) (*cutter, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: l}
	c.after.Store(-1)
	serveOn(t, c, remotestore.NewHandler(s, nil))
	return c, "http://" + l.Addr().String()
}

// TestIteratorsGoOn: an answer that breaks off again and again is still read
// to its end, once.
func TestIteratorsGoOn(t *testing.T) {
	t.Parallel()
	behind := memstore.New()
	var writes []catalog.Write
	for i := range 3000 {
		writes = append(writes, product(catalog.Key(strings.Repeat("k", 1+i%100)+string(rune('a'+i/100))), `{"text":"`+strings.Repeat("x", i%50)+`"}`))
	}
	if _, err := behind.Apply(t.Context(), writes); err != nil {
		t.Fatal(err)
	}
	c, where := cutServer(t, behind)
	s := open(t, where, nil)
	c.after.Store(100_000)
	n, last := 0, catalog.Key("")
	for rec, err := range s.Scan(t.Context(), catalog.KindProduct, catalog.All) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Key <= last {
			t.Fatalf("%q comes after %q", rec.Key, last)
		}
		last = rec.Key
		n++
	}
	changes, seq := 0, catalog.Seq(0)
	c.after.Store(70_000)
	for change, err := range s.Changes(t.Context(), catalog.Cursor{}) {
		if err != nil {
			t.Fatal(err)
		}
		if change.Seq != seq+1 {
			t.Fatalf("%d comes after %d", change.Seq, seq)
		}
		seq = change.Seq
		changes++
	}
	if n != 3000 || changes != 3000 {
		t.Errorf("%d records, %d changes", n, changes)
	}
}

// TestTruncated: an iterator that ends without its end mark is an error, after
// what arrived and a few tries.
func TestTruncated(t *testing.T) {
	t.Parallel()
	behind := memstore.New()
	if _, err := behind.Apply(t.Context(), []catalog.Write{product("a", `{}`), product("b", `{"text":"`+strings.Repeat("x", 5000)+`"}`)}); err != nil {
		t.Fatal(err)
	}
	c, where := cutServer(t, behind)
	s := open(t, where, nil)
	c.after.Store(3000)
	n, end := 0, error(nil)
	for _, err := range s.Scan(t.Context(), catalog.KindProduct, catalog.All) {
		if end = err; err == nil {
			n++
		}
	}
	if n > 1 || !errors.Is(end, remotestore.ErrUnavailable) || errors.Is(end, remotestore.ErrUnknown) {
		t.Errorf("%d records, then %v", n, end)
	}
}

// lossy loses the answers to Apply.
type lossy struct {
	http.Handler
	lose  atomic.Int64 // how many more
	calls atomic.Int64
}

func (l *lossy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/apply") {
		l.Handler.ServeHTTP(w, r)
		return
	}
	l.calls.Add(1)
	if l.lose.Add(-1) >= 0 {
		l.Handler.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
	l.Handler.ServeHTTP(w, r)
}

func TestLostAnswer(t *testing.T) {
	t.Parallel()
	behind := memstore.New()
	l := &lossy{Handler: remotestore.NewHandler(behind, nil)}
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	s := open(t, server.URL, nil)

	// Without If it is repeated.
	l.lose.Store(1)
	if _, err := s.Apply(t.Context(), []catalog.Write{product("a", `{}`)}); err != nil {
		t.Errorf("repeating is harmless: %v", err)
	}
	if l.calls.Load() != 2 {
		t.Errorf("%d calls", l.calls.Load())
	}
	// With it, nobody knows.
	l.lose.Store(1)
	l.calls.Store(0)
	w := product("b", `{}`)
	w.If = new(catalog.Seq)
	_, err := s.Apply(t.Context(), []catalog.Write{product("c", `{}`), w})
	var named *catalog.ApplyError
	if !errors.Is(err, remotestore.ErrUnknown) || !errors.Is(err, remotestore.ErrUnavailable) || !errors.As(err, &named) || len(named.Failed) != 2 || l.calls.Load() != 1 {
		t.Errorf("%d calls, %v", l.calls.Load(), err)
	}
	if err := s.SetMeta(t.Context(), "x", []byte("1")); err != nil {
		t.Error(err)
	}
}

// TestDeadClient: the leases of a client that dies are free at once, those of
// one that leaves are not.
func TestDeadClient(t *testing.T) {
	t.Parallel()
	behind := memstore.New()
	where, _ := serve(t, remotestore.NewHandler(behind, local))
	acquire := func(s catalog.Store, name, holder string) error {
		_, err := s.Acquire(t.Context(), name, holder, time.Hour)
		return err
	}
	leaving := open(t, where, nil)
	if err := acquire(leaving, "kept", "a"); err != nil {
		t.Fatal(err)
	}
	if err := leaving.Close(); err != nil {
		t.Fatal(err)
	}
	if err := acquire(behind, "kept", "b"); !errors.Is(err, catalog.ErrLeased) {
		t.Errorf("the lease of a client that left: %v", err)
	}

	// A process that is killed: its connections break.
	proxy, kill := proxyTo(t, strings.TrimPrefix(where, "unix:"))
	dying := open(t, proxy, nil)
	if err := acquire(dying, "lost", "a"); err != nil {
		t.Fatal(err)
	}
	if err := acquire(behind, "lost", "b"); !errors.Is(err, catalog.ErrLeased) {
		t.Errorf("the lease of a client that lives: %v", err)
	}
	kill()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		err := acquire(behind, "lost", "b")
		if err == nil {
			break
		}
		if !errors.Is(err, catalog.ErrLeased) || time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// proxyTo forwards a socket's connections until kill breaks them all.
func proxyTo(t *testing.T, path string) (where string, kill func()) {
	t.Helper()
	l, err := net.Listen("unix", socketDir(t)+"/p")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("unix", path)
			if err != nil {
				in.Close()
				continue
			}
			context.AfterFunc(ctx, func() { in.Close(); out.Close() })
			go func() { _, _ = io.Copy(out, in); out.Close() }()
			go func() { _, _ = io.Copy(in, out); in.Close() }()
		}
	}()
	kill = func() {
		l.Close()
		cancel()
		<-done
	}
	t.Cleanup(kill)
	return "unix:" + l.Addr().String(), kill
}
