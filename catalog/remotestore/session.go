package remotestore

import (
	"context"
	"sync"
	"time"

	"catalog/catalog"
)

// releaseTimeout is how long giving up a dead client's lease may take.
const releaseTimeout = 5 * time.Second

// sessions know which leases were taken through which client.
type sessions struct {
	store catalog.Store
	grace time.Duration

	mu   *sync.Mutex
	open map[string]*session
}

// session is a client that took a lease.
type session struct {
	conns  int // that the client keeps open: one, or two while it connects again
	leases map[catalog.Fence]struct{}
	lost   *time.Timer // while there is no connection
}

func newSessions(store catalog.Store, grace time.Duration) sessions {
	return sessions{store: store, grace: grace, mu: new(sync.Mutex), open: map[string]*session{}}
}

// connect notes that a client keeps a connection open.
func (s *sessions) connect(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.open[id]
	if c == nil {
		c = &session{leases: map[catalog.Fence]struct{}{}}
		s.open[id] = c
	}
	c.conns++
	if c.lost != nil {
		c.lost.Stop()
		c.lost = nil
	}
}

// disconnect notes that a connection broke; after the grace time the client
// counts as dead.
func (s *sessions) disconnect(id string) {
	s.mu.Lock()
	c := s.open[id]
	if c == nil {
		s.mu.Unlock()
		return
	}
	c.conns--
	if c.conns > 0 {
		s.mu.Unlock()
		return
	}
	if s.grace == 0 || len(c.leases) == 0 {
		delete(s.open, id)
		s.mu.Unlock()
		s.release(c)
		return
	}
	c.lost = time.AfterFunc(s.grace, func() { s.bury(id, c) })
	s.mu.Unlock()
}

// bury releases the leases of a client that has not come back.
func (s *sessions) bury(id string, c *session) {
	s.mu.Lock()
	if c.conns > 0 || s.open[id] != c {
		s.mu.Unlock()
		return
	}
	delete(s.open, id)
	s.mu.Unlock()
	s.release(c)
}

// release gives up the leases of a session that nobody has any more.
func (s *sessions) release(c *session) {
	for f := range c.leases {
		ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
		// One that was lost meanwhile is another's, and one that cannot be
		// released expires.
		_ = s.store.Release(ctx, f)
		cancel()
	}
}

// forget ends a session whose leases stay: the client said that it leaves.
func (s *sessions) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.open[id]; c != nil {
		if c.lost != nil {
			c.lost.Stop()
		}
		delete(s.open, id)
	}
}

// took notes a lease; a client without a session keeps it until it expires.
func (s *sessions) took(id string, f catalog.Fence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.open[id]; c != nil {
		c.leases[f] = struct{}{}
	}
}

// gave notes that a client released a lease.
func (s *sessions) gave(id string, f catalog.Fence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.open[id]; c != nil {
		delete(c.leases, f)
	}
}
