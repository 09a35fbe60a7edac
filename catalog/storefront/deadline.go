package storefront

import (
	"context"
	"sync"
	"time"
)

// deadlineContext ends with its parent or at a time, as those of
// context.WithDeadline do. Most requests are answered in less time than it
// takes to set a timer, to enter it with the parent and to take both back: that
// is done only for who waits for the end.
type deadlineContext struct {
	context.Context // the parent
	at              time.Time

	mu     sync.Mutex
	waited context.Context // the same with a timer; nil: nobody waits
	cancel context.CancelFunc
	ended  bool
}

// Deadline implements context.Context.
func (c *deadlineContext) Deadline() (time.Time, bool) {
	if d, ok := c.Context.Deadline(); ok && d.Before(c.at) {
		return d, true
	}
	return c.at, true
}

// Done implements context.Context.
func (c *deadlineContext) Done() <-chan struct{} { return c.wait().Done() }

// Err implements context.Context.
func (c *deadlineContext) Err() error {
	c.mu.Lock()
	asked := c.waited != nil || c.ended
	c.mu.Unlock()
	if !asked && time.Now().Before(c.at) {
		return c.Context.Err()
	}
	return c.wait().Err()
}

// AfterFunc is what package context looks for in contexts of other packages, so
// that those derived from this one need no goroutine that waits for it.
func (c *deadlineContext) AfterFunc(f func()) (stop func() bool) {
	return context.AfterFunc(c.wait(), f)
}

// wait returns the context with a timer.
func (c *deadlineContext) wait() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waited == nil {
		c.waited, c.cancel = context.WithDeadline(c.Context, c.at)
		if c.ended {
			c.cancel()
		}
	}
	return c.waited
}

// end ends the context before its time.
func (c *deadlineContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.cancel != nil {
		c.cancel()
	}
}
