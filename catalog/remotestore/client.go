package remotestore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"catalog/catalog"
)

// Path is where a handler is found on a server whose URL names no path.
const Path = "/v1/store/"

const (
	dialTimeout = 10 * time.Second
	// patience is how long a call that ticks may be silent.
	patience = 4 * tickEvery
	// repeats is how often in a row a lost connection is tried again, with a
	// pause before each that is doubled every time.
	repeats    = 3
	firstPause = 100 * time.Millisecond
	idleConns  = 64
	maxText    = 4 << 10 // of an answer that is none of ours
)

// Options say how to reach a store. The zero value of each field works.
type Options struct {
	// Token is sent as bearer token; it is never logged, nor part of an error.
	Token string
	// TLS is the configuration of https; nil trusts the system's authorities.
	TLS *tls.Config
	// Peer names the process that has the store, for errors; "" is the URL.
	Peer string
	// Revive, if it is not nil, is called when nobody listens on a local socket
	// any more; when it returns nil somebody does again, and the store goes on
	// there: reads, and whatever had not been sent. It may be called by several
	// goroutines at a time.
	Revive func(context.Context) error
	// Logger gets what happens in the background; nil discards it.
	Logger *slog.Logger
}

// Store is a catalog.Store that another process has.
type Store struct {
	base      string // the URL that calls are below
	peer      string
	local     bool // a socket: the process is there or it is not
	token     string
	client    *http.Client
	transport *http.Transport
	revive    func(context.Context) error
	log       *slog.Logger
	leaser    leaser
	buffers   buffers

	mu     sync.Mutex
	closed bool
	ops    map[*op]struct{} // under way
}

var (
	_ catalog.Store     = (*Store)(nil)
	_ catalog.Compacter = (*Store)(nil)
	_ catalog.Loader    = (*Store)(nil)
)

// Open connects to the store behind a URL: unix:PATH of a socket, or
// http(s)://HOST[:PORT][/PATH], where Path is understood if there is none. The
// error is ErrUnavailable when nobody answers, ErrUnauthorized when the token
// is not right, catalog.ErrInvalid when what answers is no store.
func Open(ctx context.Context, where string, o *Options) (*Store, error) {
	if o == nil {
		o = &Options{}
	}
	s := &Store{peer: o.Peer, token: o.Token, revive: o.Revive, log: o.Logger, ops: map[*op]struct{}{}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.locate(where, o); err != nil {
		return nil, fmt.Errorf("remotestore: open: %w", err)
	}
	s.client = &http.Client{
		Transport: s.transport,
		// A call is answered where it was sent: a token must not wander.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if _, err := s.leaser.open(ctx, s); err != nil {
		return nil, errors.Join(fmt.Errorf("remotestore: open: %w", err), s.Close())
	}
	return s, nil
}

// locate reads the URL.
func (s *Store) locate(where string, o *Options) error {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}
	s.transport = &http.Transport{
		DialContext: dialer.DialContext, TLSClientConfig: o.TLS, TLSHandshakeTimeout: dialTimeout,
		Proxy:        http.ProxyFromEnvironment,
		MaxIdleConns: idleConns, MaxIdleConnsPerHost: idleConns, IdleConnTimeout: time.Minute,
		DisableCompression: true, ReadBufferSize: bufferSize, WriteBufferSize: bufferSize,
	}
	if path, ok := strings.CutPrefix(where, "unix:"); ok {
		path = strings.TrimPrefix(path, "//")
		if path == "" {
			return fmt.Errorf("%w URL: unix: names no socket", catalog.ErrInvalid)
		}
		s.base, s.local = "http://catalog"+Path, true
		s.transport.Proxy = nil
		s.transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", path)
		}
		if s.peer == "" {
			s.peer = where
		}
		return nil
	}
	u, err := url.Parse(where)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		return fmt.Errorf("%w URL: use unix:PATH or http(s)://HOST[:PORT], without user and query", catalog.ErrInvalid)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = Path
	}
	s.base = strings.TrimSuffix(u.String(), "/") + "/"
	if s.peer == "" {
		s.peer = u.Scheme + "://" + u.Host
	}
	return nil
}

// op is a call under way, which Close ends.
type op struct {
	s      *Store
	caller context.Context
	ctx    context.Context
	cancel context.CancelFunc
}

// begin starts an operation; the caller calls end when it is through.
func (s *Store) begin(ctx context.Context) (*op, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, catalog.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o := &op{s: s, caller: ctx}
	o.ctx, o.cancel = context.WithCancel(ctx)
	s.ops[o] = struct{}{}
	return o, nil
}

func (o *op) end() {
	o.cancel()
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	delete(o.s.ops, o)
}

// ended is why an operation cannot go on, or nil.
func (o *op) ended() error {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	if o.s.closed {
		return catalog.ErrClosed
	}
	return o.caller.Err()
}

// Close ends all calls under way with catalog.ErrClosed. Leases that were not
// released stay until they expire. The store itself stays open, in its process.
func (s *Store) Close() error {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	if again {
		return nil
	}
	s.leaser.leave(s) // before the connection breaks by which it is known to live
	s.mu.Lock()
	for o := range s.ops {
		o.cancel()
	}
	s.mu.Unlock()
	s.leaser.work.Wait()
	s.transport.CloseIdleConnections()
	return nil
}

// reply is the answer to a call. Its reader closes it.
type reply struct {
	o      *op
	ctx    context.Context
	cancel context.CancelCauseFunc
	body   io.ReadCloser
	frames *frameReader
	watch  *time.Timer // of a call that ticks
	ended  bool        // the server marked the end
	free   func()      // ends what looks after the call
}

// errSilent is why a call that ticks was given up.
var errSilent = fmt.Errorf("nothing was heard for %v", patience)

// send sends a call and returns the beginning of its answer. A lostError says
// that the connection was lost. again, if it is not nil, returns the body anew.
func (o *op) send(name string, body io.Reader, size int64, again func() (io.ReadCloser, error)) (*reply, error) {
	r := &reply{o: o, free: func() {}}
	id := ""
	if changing[name] {
		id = o.settle(r, body)
	} else {
		r.ctx, r.cancel = context.WithCancelCause(o.ctx)
	}
	req, err := http.NewRequestWithContext(r.ctx, http.MethodPost, o.s.base+name, body)
	if err != nil {
		r.free()
		r.cancel(nil)
		return nil, err
	}
	req.ContentLength = size
	if again != nil {
		req.GetBody = again
	}
	req.Header.Set("Content-Type", contentType)
	if o.s.token != "" {
		req.Header.Set("Authorization", "Bearer "+o.s.token)
	}
	if id != "" {
		req.Header.Set(callHeader, id)
	}
	resp, err := o.s.client.Do(req)
	if err != nil {
		err = r.fault(err)
		r.free()
		r.cancel(nil)
		return nil, err
	}
	if err := o.s.check(resp); err != nil {
		resp.Body.Close()
		r.free()
		r.cancel(nil)
		return nil, err
	}
	r.body, r.frames = resp.Body, o.s.buffers.reader(resp.Body)
	if ticking[name] {
		r.watch = time.AfterFunc(patience, func() { r.cancel(errSilent) })
	}
	return r, nil
}

// check reports an answer that is not one of a handler's.
func (s *Store) check(resp *http.Response) error {
	if resp.StatusCode == http.StatusOK && resp.Header.Get("Content-Type") == contentType {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxText)) // best effort: it only adds to the message
	said := strings.TrimSpace(string(text))
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return fmt.Errorf("%s: %w: %s", s.peer, ErrUnauthorized, resp.Status)
	case code == http.StatusTooManyRequests, code >= 500:
		return &lostError{err: fmt.Errorf("%s answered %s: %.200q", s.peer, resp.Status, said)}
	}
	return fmt.Errorf("%w: there is no catalog store at %s, which answered %s: %.200q", catalog.ErrInvalid, s.peer, resp.Status, said)
}

// frame reads a frame, and hears by it that the server is at work.
func (r *reply) frame() (typ byte, payload []byte, err error) {
	typ, payload, err = r.frames.next()
	switch {
	case errors.Is(err, errFrame):
		return 0, nil, fmt.Errorf("%s: %w", r.o.s.peer, err)
	case err != nil:
		return 0, nil, r.fault(err)
	}
	if r.watch != nil {
		r.watch.Reset(patience)
	}
	return typ, payload, nil
}

// next returns the next item, which is valid until the one after it; io.EOF is
// the end that the server marked.
func (r *reply) next() ([]byte, error) {
	for {
		typ, payload, err := r.frame()
		if err != nil {
			return nil, err
		}
		switch typ {
		case frameItem:
			return payload, nil
		case frameTick:
		case frameEnd:
			r.ended = true
			return nil, io.EOF
		case frameError:
			r.ended = true
			return nil, r.o.remote(decodeError(payload))
		default:
			return nil, fmt.Errorf("%s: %w: type %q", r.o.s.peer, errFrame, typ)
		}
	}
}

// close gives the connection back when the answer was read to its end, and
// breaks it otherwise.
func (r *reply) close() {
	if r.watch != nil {
		r.watch.Stop()
	}
	if r.ended {
		_, _ = r.frames.r.ReadByte() // the end that HTTP gives it
	}
	r.body.Close()
	r.free()
	r.cancel(nil)
	r.o.s.buffers.doneReading(r.frames)
}

// remote says what an error of the store behind the server means here.
func (o *op) remote(err error) error {
	if cause := o.ended(); cause != nil {
		return cause
	}
	switch {
	case errors.Is(err, errEnding):
		return &lostError{err: errEnding, gone: o.s.local, unsent: true}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		// It was not this caller's context that ended there.
		return &lostError{err: errors.New(err.Error())}
	}
	return err
}

// fault says what an error of the connection means.
func (r *reply) fault(err error) error {
	o := r.o
	if cause := o.ended(); cause != nil {
		return cause
	}
	if errors.Is(context.Cause(r.ctx), errSilent) {
		err = errSilent
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	var place *net.OpError
	unsent := errors.As(err, &place) && place.Op == "dial"
	if unsent {
		err = place.Err
	}
	lost := &lostError{err: err, unsent: unsent}
	if o.s.local && unsent && (errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, os.ErrNotExist)) {
		lost.gone = true
	}
	return lost
}

// lostError is a connection that was lost, or never made.
type lostError struct {
	err    error
	unsent bool // nothing was done
	gone   bool // and there is nobody to ask again
}

func (e *lostError) Error() string { return e.err.Error() }

func (e *lostError) Unwrap() error { return e.err }

// give turns a lost connection into what callers see. unknown says that
// something may have been changed.
func (s *Store) give(err error, unknown bool) error {
	var lost *lostError
	if !errors.As(err, &lost) {
		return err
	}
	text := "cannot be reached"
	if s.local {
		text = "has ended, or crashed"
	}
	err = fmt.Errorf("%w: %s %s: %w", ErrUnavailable, s.peer, text, lost.err)
	if unknown && !lost.unsent {
		err = fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return err
}

// attempt runs f, again after a lost connection if that is harmless: if repeat
// says so, or nothing was sent. f reports whether it got further than before.
func (o *op) attempt(repeat bool, f func() (further bool, err error)) error {
	wait := firstPause
	for n := 0; ; n++ {
		further, err := f()
		var lost *lostError
		switch {
		case err == nil || !errors.As(err, &lost) || !repeat && !lost.unsent:
			return err
		case lost.gone && o.s.revive == nil:
			return err
		case further:
			n, wait = 0, firstPause
		}
		if n == repeats {
			return err
		}
		if lost.gone {
			if rerr := o.s.revive(o.ctx); rerr != nil {
				if cause := o.ended(); cause != nil {
					return cause
				}
				return &lostError{err: fmt.Errorf("%w: %w", lost.err, rerr), unsent: lost.unsent, gone: true}
			}
			continue
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-o.ctx.Done():
			t.Stop()
			return o.ended()
		}
		wait *= 2
	}
}
