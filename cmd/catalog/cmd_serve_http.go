package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"catalog/catalog"
	"catalog/catalog/storefront"
	"catalog/placeholder"
	"catalog/placeholder/ledger"
)

// Limits of connections. Bodies and answers have theirs request by request:
// imports may take hours.
const (
	headerTimeout  = 10 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 128 << 10
)

// serve listens and serves until ctx ends, then answers what is under way.
func (o *serveCommand) serve(ctx context.Context, a *app, s *storefront.Server, drain func()) error {
	g, gctx := errgroup.WithContext(ctx)
	var config net.ListenConfig
	public, err := config.Listen(ctx, "tcp", o.listen)
	if err != nil {
		return fmt.Errorf("listen for shoppers: %w", err)
	}
	servers := []*http.Server{o.newServer(ctx, a, o.crowd.count(s))}
	sockets := []net.Listener{public}
	if o.private != "" {
		socket, err := config.Listen(ctx, "tcp", o.private)
		if err != nil {
			return errors.Join(fmt.Errorf("listen for operators: %w", err), public.Close())
		}
		servers, sockets = append(servers, o.newServer(ctx, a, privateMux(s))), append(sockets, socket)
	}
	if o.cert != "" {
		certs := &certificate{cert: o.cert, key: o.key}
		if _, err := certs.get(nil); err != nil {
			closeAll(sockets)
			return usagef("--tls-cert: %w", err)
		}
		sockets[0] = tls.NewListener(public, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certs.get, NextProtos: []string{"h2", "http/1.1"}})
	}
	for i, name := range []string{"shoppers", "operators"}[:len(servers)] {
		a.log.Info("listening", "for", name, "address", sockets[i].Addr().String())
		g.Go(func() error {
			if err := servers[i].Serve(sockets[i]); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve %s: %w", name, err)
			}
			return nil
		})
	}
	g.Go(func() error {
		<-gctx.Done()
		a.log.Info("stopping", "grace", o.grace)
		s.Drain()
		drain()
		pause(context.WithoutCancel(gctx), o.grace)
		return shutdown(a, servers)
	})
	return g.Wait()
}

func closeAll(sockets []net.Listener) {
	for _, l := range sockets {
		_ = l.Close() // it is of no use any more
	}
}

// shutdown lets requests under way end, for a while.
func shutdown(a *app, servers []*http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	var failed error
	for _, server := range servers {
		if err := server.Shutdown(ctx); err != nil {
			a.log.Warn("requests were cut off", "error", err)
			failed = errors.Join(failed, server.Close())
		}
	}
	return failed
}

func (o *serveCommand) newServer(ctx context.Context, a *app, h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		// What clients do wrong is no news.
		ErrorLog:    slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
}

// crowd counts shoppers' requests. It is safe for concurrent use.
type crowd struct{ came, seen atomic.Int64 }

// count counts the requests that h answers.
func (c *crowd) count(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.came.Add(1)
		h.ServeHTTP(w, r)
	})
}

// busy reports whether any has come since it was last asked.
func (c *crowd) busy() bool {
	n := c.came.Load()
	return c.seen.Swap(n) != n
}

// privateMux serves what only operators may see.
func privateMux(s *storefront.Server) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	for _, path := range []string{"/metrics", "/livez", "/readyz"} {
		mux.Handle(path, s)
	}
	return mux
}

// certificate is a pair of files, read again when one of them has changed.
type certificate struct {
	cert, key string

	mu    sync.Mutex
	pair  *tls.Certificate
	stamp [2]time.Time
	seen  time.Time
}

// lookAgain is how often the files are looked at.
const lookAgain = 10 * time.Second

// get returns the certificate; while new files cannot be read, the old one.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pair != nil && time.Since(c.seen) < lookAgain {
		return c.pair, nil
	}
	c.seen = time.Now()
	var stamp [2]time.Time
	for i, path := range []string{c.cert, c.key} {
		info, err := os.Stat(path)
		if err != nil {
			return c.old(err)
		}
		stamp[i] = info.ModTime()
	}
	if c.pair != nil && stamp == c.stamp {
		return c.pair, nil
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return c.old(err)
	}
	c.pair, c.stamp = &pair, stamp
	return c.pair, nil
}

func (c *certificate) old(err error) (*tls.Certificate, error) {
	if c.pair != nil {
		return c.pair, nil
	}
	return nil, err
}

// placeholders are what serve does for a shop whose database it knows.
type placeholders struct {
	service *placeholder.Service
	shop    *ledger.Shop
	handler placeholder.HandlerOptions
}

// openPlaceholders opens the shop's database if the flags name one.
func (o *serveCommand) openPlaceholders(ctx context.Context, a *app, store catalog.Store) (*placeholders, error) {
	if o.shop.dsn == "" && o.shop.dsnFile == "" && o.shop.env == "" {
		return nil, nil
	}
	opts, err := o.shop.options(a)
	if err != nil {
		return nil, err
	}
	shop, err := o.shop.openShop(ctx)
	if err != nil {
		return nil, err
	}
	return &placeholders{service: placeholder.New(store, shop, opts), shop: shop}, nil
}

func (p *placeholders) close() error { return errors.Join(p.service.Close(), p.shop.Close()) }

// counts returns what the status tells of placeholders.
func (p *placeholders) counts(context.Context) (any, error) { return p.service.Stats(), nil }
