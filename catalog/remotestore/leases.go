package remotestore

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"catalog/catalog"
)

// Acquire implements catalog.Store. The process that has the store knows when
// this one dies, and releases the lease then.
func (s *Store) Acquire(ctx context.Context, name, holder string, ttl time.Duration) (info catalog.LeaseInfo, err error) {
	id, err := s.leaser.open(ctx, s)
	if err != nil {
		return catalog.LeaseInfo{}, wrap("acquire", err)
	}
	args := binary.AppendVarint(appendString(appendString(appendString(nil, id), name), holder), int64(ttl))
	err = s.one(ctx, "acquire", false, args, func(d *decoder) { info = d.lease() })
	return info, wrap("acquire", err)
}

// Renew implements catalog.Store.
func (s *Store) Renew(ctx context.Context, f catalog.Fence, ttl time.Duration) error {
	args := appendFence(appendString(nil, s.leaser.name()), f)
	return wrap("renew", s.unary(ctx, "renew", false, binary.AppendVarint(args, int64(ttl)), nil))
}

// Release implements catalog.Store.
func (s *Store) Release(ctx context.Context, f catalog.Fence) error {
	return wrap("release", s.unary(ctx, "release", false, appendFence(appendString(nil, s.leaser.name()), f), nil))
}

// Leases implements catalog.Store.
func (s *Store) Leases(ctx context.Context) ([]catalog.LeaseInfo, error) {
	var out []catalog.LeaseInfo
	err := s.unary(ctx, "leases", true, nil, func(d *decoder, i int) error {
		out = append(out[:i], d.lease())
		return nil
	})
	if err != nil {
		return nil, wrap("leases", err)
	}
	return out, nil
}

// leaser keeps the connection by which the server knows that its client lives.
type leaser struct {
	mu   sync.Mutex
	id   string        // "" while there is none
	up   chan struct{} // closed when the connection stands, or cannot be made
	err  error         // why it cannot; set before up is closed
	work sync.WaitGroup
}

func (l *leaser) name() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.id
}

// open sees to it that the server knows this client, and returns its id there.
func (l *leaser) open(ctx context.Context, s *Store) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	l.mu.Lock()
	if l.id == "" {
		o, err := s.begin(context.WithoutCancel(ctx))
		if err != nil {
			l.mu.Unlock()
			return "", err
		}
		l.id, l.up, l.err = rand.Text(), make(chan struct{}), nil
		id, up := l.id, l.up
		l.work.Go(func() {
			defer o.end()
			l.stay(o, id, sync.OnceFunc(func() { close(up) }))
		})
	}
	id, up := l.id, l.up
	l.mu.Unlock()
	select {
	case <-up:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return id, l.err
}

// stay keeps the connection until Close, or until nobody is there.
func (l *leaser) stay(o *op, id string, up func()) {
	defer up()
	body := request(appendString(nil, id))
	ever := false
	err := o.attempt(true, func() (bool, error) {
		stood, err := hang(o, "session", body, up)
		ever = ever || stood
		if err == nil {
			err = &lostError{err: errors.New("the session ended")}
		}
		return stood, err
	})
	if ever && o.ended() == nil {
		o.s.log.Warn("the process that has the store no longer knows of this one: its leases may be lost", "peer", o.s.peer, "err", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.id = "" // the next Acquire begins a new one
	if !ever {
		l.err = o.s.give(err, false)
	}
}

// hang makes a call that lasts until the server ends it, or the op does; up is
// called when it stands.
func hang(o *op, name string, body []byte, up func()) (stood bool, err error) {
	r, err := o.send(name, bytes.NewReader(body), int64(len(body)), nil)
	if err != nil {
		return false, err
	}
	defer r.close()
	for {
		typ, payload, err := r.frame()
		if err != nil {
			return stood, err
		}
		switch typ {
		case frameTick:
			stood = true
			up()
		case frameError:
			return stood, o.remote(decodeError(payload))
		default:
			return stood, nil
		}
	}
}

// leave says that the client leaves and its leases stay. When the server cannot
// be told, they are released as those of the dead are.
func (l *leaser) leave(s *Store) {
	if id := l.name(); id != "" {
		ctx, cancel := context.WithTimeout(context.Background(), quick)
		defer cancel()
		s.tell(ctx, "bye", id)
	}
}

// Hold implements catalog.Loader, in the process that has the store; one that
// cannot hold goes on as it is.
func (s *Store) Hold() (release func()) {
	o, err := s.begin(context.Background())
	if err != nil {
		return func() {}
	}
	up := make(chan struct{})
	stands := sync.OnceFunc(func() { close(up) })
	var work sync.WaitGroup
	work.Go(func() {
		defer o.end()
		defer stands()
		// When it breaks, the import goes on without.
		_, _ = hang(o, "hold", request(nil), stands)
	})
	t := time.NewTimer(quick)
	defer t.Stop()
	select {
	case <-up:
	case <-t.C:
	}
	return func() {
		o.cancel()
		work.Wait()
	}
}
