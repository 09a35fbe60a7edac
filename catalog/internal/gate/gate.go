// Package gate lets operations of a store in until the store is closed, and
// tells its Close when the last of them has gone.
package gate

import (
	"context"
	"sync"

	"catalog/catalog"
)

// Gate counts who is inside. Its methods are safe for concurrent use.
type Gate struct {
	shut chan struct{}

	mu    sync.Mutex
	users int
	idle  chan struct{} // closed when nobody is inside any more; nil before Shut
}

// New returns a Gate that is open.
func New() *Gate { return &Gate{shut: make(chan struct{})} }

// Enter lets an operation in, which calls Leave when it is through. The error is
// ctx's, or catalog.ErrClosed after Shut.
func (g *Gate) Enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.idle != nil {
		return catalog.ErrClosed
	}
	g.users++
	return nil
}

// Leave ends an operation that Enter let in.
func (g *Gate) Leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.users--
	if g.users == 0 && g.idle != nil {
		close(g.idle)
	}
}

// Shut lets nobody in from now on. What it returns is closed when nobody is
// inside; first is false if Shut was called before.
func (g *Gate) Shut() (idle <-chan struct{}, first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.idle != nil {
		return g.idle, false
	}
	g.idle = make(chan struct{})
	if g.users == 0 {
		close(g.idle)
	}
	close(g.shut)
	return g.idle, true
}

// Closed returns what Shut closes.
func (g *Gate) Closed() <-chan struct{} { return g.shut }
