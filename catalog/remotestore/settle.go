package remotestore

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"sync"
	"time"
)

// callHeader names a call that changes something, so that it can be cancelled
// without breaking the connection.
const callHeader = "Catalog-Call"

// changing are the calls that change something. A cancelled one must have come
// to its end in the server before the client's caller goes on: else it could
// still overwrite what the caller writes next.
var changing = map[string]bool{
	"apply": true, "setmeta": true, "follow": true, "unfollow": true,
	"trim": true, "acquire": true, "renew": true, "release": true,
}

const (
	// settleTime is how long a cancelled call may take to end before its
	// connection is broken.
	settleTime  = 10 * time.Second
	settlePause = 20 * time.Millisecond
)

// settle gives a call a context that is not cancelled with its caller's: then
// the server is asked to cancel the call, and its answer is waited for.
func (o *op) settle(r *reply, body io.Reader) (id string) {
	id = rand.Text()
	r.ctx, r.cancel = context.WithCancelCause(context.WithoutCancel(o.ctx))
	over := make(chan struct{})
	done := make(chan struct{})
	stop := context.AfterFunc(o.ctx, func() {
		defer close(done)
		b, large := body.(*batchReader)
		if o.closed() || large && !b.sent() {
			r.cancel(nil) // nobody waits, or the server does not have it all
			return
		}
		o.s.cancelCall(id, over)
		r.cancel(nil)
	})
	r.free = sync.OnceFunc(func() {
		close(over)
		if !stop() {
			<-done
		}
	})
	return id
}

func (o *op) closed() bool {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	return o.s.closed
}

// cancelCall asks the server to cancel a call, until that is over or has had
// its time. The server may not have seen the call yet, so once is not enough.
func (s *Store) cancelCall(id string, over <-chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	stop := make(chan struct{})
	defer close(stop)
	go func() { // ends with this function
		select {
		case <-over:
			cancel()
		case <-stop:
		}
	}()
	t := time.NewTicker(settlePause)
	defer t.Stop()
	for {
		s.tell(ctx, "cancel", id)
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// tell makes a call beside what Close ends, and does not mind how it ends.
func (s *Store) tell(ctx context.Context, name, id string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o := &op{s: s, caller: ctx, ctx: ctx, cancel: cancel}
	body := request(appendString(nil, id))
	r, err := o.send(name, bytes.NewReader(body), int64(len(body)), nil)
	if err != nil {
		return
	}
	defer r.close()
	_, _ = r.next()
}

// cancels are the calls of a handler that can be cancelled, by their ids.
type cancels struct {
	mu  sync.Mutex
	all map[string]context.CancelFunc
}

// add registers a call until the function it returns is called.
func (c *cancels) add(ctx context.Context, id string) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]context.CancelFunc{}
	}
	c.all[id] = cancel
	return ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.all, id)
		cancel()
	}
}

func (c *cancels) cancel(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel := c.all[id]; cancel != nil {
		cancel()
	}
}

// cancelOther cancels another call.
func (c *call) cancelOther() error {
	id := c.args.string()
	if err := c.finish(); err != nil {
		return err
	}
	c.h.cancels.cancel(id)
	return nil
}
