package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"catalog/placeholder"
)

const (
	// readyTimeout is how long /readyz waits for the shop's database.
	readyTimeout = 2 * time.Second
	// drainTimeout is how long requests under way may take when a server ends.
	drainTimeout = 15 * time.Second
)

// listener is a server to run: what it is, where, and what answers.
type listener struct {
	name, address string
	handler       http.Handler
}

// runServers serves until ctx ends, and follows the catalog beside it. A
// server that is told to end has succeeded.
func runServers(ctx context.Context, a *app, s *placeholder.Service, follow bool, listeners ...listener) error {
	g, ctx := errgroup.WithContext(ctx)
	var sockets []net.Listener
	closeAll := func() {
		for _, l := range sockets {
			_ = l.Close()
		}
	}
	for _, l := range listeners {
		var config net.ListenConfig
		socket, err := config.Listen(ctx, "tcp", l.address)
		if err != nil {
			closeAll()
			return fmt.Errorf("listen for %s: %w", l.name, err)
		}
		sockets = append(sockets, socket)
	}
	for i, l := range listeners {
		// Neither bodies nor answers have a time limit: the gateway passes
		// uploads and streams of any length.
		server := &http.Server{
			Handler: l.handler, ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
			ErrorLog: nil, BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		}
		a.log.Info("listening", "for", l.name, "address", sockets[i].Addr().String())
		g.Go(func() error {
			if err := server.Serve(sockets[i]); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve %s: %w", l.name, err)
			}
			return nil
		})
		g.Go(func() error {
			<-ctx.Done()
			drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
			defer cancel()
			if err := server.Shutdown(drain); err != nil {
				a.log.Warn("requests were cut off", "for", l.name, "error", err)
				return server.Close()
			}
			return nil
		})
	}
	if follow {
		g.Go(func() error {
			if err := s.Follow(ctx); !errors.Is(err, context.Canceled) {
				return err
			}
			return nil
		})
	}
	return g.Wait()
}
