package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"catalog/catalog"
	"catalog/catalog/remotestore"
)

// shared is an embedded store that another process has open, and this one uses.
// When that process ends, one of those who use it takes the store over and
// shares it with the others.
type shared struct {
	*remotestore.Store
	a   *app
	dir *place

	opened atomic.Bool
	turn   chan struct{} // held by who looks for a new holder, and by Close
	own    *holding      // when this process took over
	closed bool
}

// reach goes through the process that has the store in dir.
func (a *app) reach(ctx context.Context, dir, holder string) (*shared, error) {
	p, err := newPlace(dir)
	if err != nil {
		return nil, err
	}
	s := &shared{a: a, dir: p, turn: make(chan struct{}, 1)}
	s.Store, err = remotestore.Open(ctx, "unix:"+p.path(), &remotestore.Options{
		Peer: oneLine(holder), Logger: a.log, Revive: func(ctx context.Context) error { return s.revive(ctx) },
	})
	if err != nil {
		p.close()
		return nil, err
	}
	s.opened.Store(true)
	if a.bulk && a.yield != nil {
		a.yield() // who has the store answers shoppers, perhaps
	}
	a.log.Debug("the store is used through the process that has it", "process", holder)
	return s, nil
}

// errNotOpen is why a store that is still being opened is not taken over.
var errNotOpen = errors.New("nobody listens")

// revive makes the store available again after its process has ended: this
// process takes it over unless another one has.
func (s *shared) revive(ctx context.Context) error {
	if !s.opened.Load() {
		return errNotOpen // openEmbedded tries the lock itself
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for end := time.Now().Add(revivePatience); !s.closed; pause(ctx, lockPause) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if s.dir.dial(ctx) {
			return nil
		}
		held, err := s.a.hold(ctx, s.dir.dir, true, true)
		switch {
		case err == nil && held.share == nil:
			return errors.Join(errors.New("the store cannot be shared"), held.Close())
		case err == nil:
			s.own = held
			s.a.log.Warn("the process that had the store has ended; this one has it now and goes on")
			return nil
		case !errors.Is(err, catalog.ErrLocked) || time.Now().After(end):
			return err
		}
	}
	return catalog.ErrClosed
}

// Close ends the use of the store, and closes it if this process has it by now.
func (s *shared) Close() error {
	err := s.Store.Close()
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	if s.closed {
		return err
	}
	s.closed = true
	if s.own != nil {
		err = errors.Join(err, s.own.Close())
	}
	s.dir.close()
	return err
}

// openRemote reaches the store behind a server.
func (a *app) openRemote(ctx context.Context) (catalog.Store, error) {
	opts := &remotestore.Options{Logger: a.log}
	var err error
	if opts.Token, err = a.storeToken(); err != nil {
		return nil, err
	}
	if opts.TLS, err = a.storeTLS(); err != nil {
		return nil, err
	}
	if u, err := url.Parse(a.global.store); err == nil && u.Scheme == "http" && opts.Token != "" && !loopback(u.Hostname()) {
		a.log.Warn("the token crosses the network in the clear: use https", "host", u.Host)
	}
	s, err := remotestore.Open(ctx, a.global.store, opts)
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, catalog.ErrInvalid):
		return nil, usageError{err}
	case errors.Is(err, remotestore.ErrUnauthorized):
		return nil, fmt.Errorf("%w: give the server's token by CATALOG_STORE_TOKEN or --store-token-file", err)
	}
	return nil, err
}

// storeTLS says whom a store behind https is to be signed by; nil: whom the
// system trusts.
func (a *app) storeTLS() (*tls.Config, error) {
	ca, err := readOption("--store-ca", a.global.storeCA)
	if err != nil || ca == nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	if !config.RootCAs.AppendCertsFromPEM(ca) {
		return nil, usagef("--store-ca: %s has no certificate in PEM", a.global.storeCA)
	}
	return config, nil
}

// storeToken returns the token for a store behind a server, from the
// environment or a file, where nobody else sees it.
func (a *app) storeToken() (string, error) {
	if a.global.storeTokenFile == "" {
		token, _ := a.lookup("CATALOG_STORE_TOKEN")
		return strings.TrimSpace(token), nil
	}
	text, err := os.ReadFile(a.global.storeTokenFile)
	if err != nil {
		return "", usagef("--store-token-file: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsAny(token, "\r\n") {
		return "", usagef("--store-token-file: %s holds no token, or more than one line", a.global.storeTokenFile)
	}
	return token, nil
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
