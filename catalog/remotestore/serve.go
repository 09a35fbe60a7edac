package remotestore

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"catalog/catalog"
)

// calls are what a handler serves, by the last element of the path.
var calls = map[string]func(*call) error{
	"get":        (*call).get,
	"headsof":    (*call).headsOf,
	"heads":      (*call).heads,
	"scan":       (*call).scan,
	"lookup":     (*call).lookup,
	"apply":      (*call).apply,
	"tail":       (*call).tail,
	"changes":    (*call).changes,
	"wait":       (*call).wait,
	"follow":     (*call).follow,
	"unfollow":   (*call).unfollow,
	"followers":  (*call).followers,
	"trim":       (*call).trim,
	"acquire":    (*call).acquire,
	"renew":      (*call).renew,
	"release":    (*call).release,
	"leases":     (*call).leases,
	"meta":       (*call).meta,
	"setmeta":    (*call).setMeta,
	"metas":      (*call).metas,
	"stats":      (*call).stats,
	"compact":    (*call).compact,
	"checkpoint": (*call).checkpoint,
	"untidy":     (*call).untidy,
	"hold":       (*call).hold,
	"session":    (*call).session,
	"bye":        (*call).bye,
	"cancel":     (*call).cancelOther,
}

// fence reads the fence under which a call is to be done.
func (c *call) fence() {
	if c.args.bool() {
		c.ctx = catalog.WithFence(c.ctx, c.args.fence())
	}
}

func (c *call) tail() error {
	if err := c.finish(); err != nil {
		return err
	}
	at, err := c.h.store.Tail(c.ctx)
	if err != nil {
		return err
	}
	return c.item(appendCursor(nil, at), nil)
}

func (c *call) wait() error {
	after := c.args.cursor()
	if err := c.finish(); err != nil {
		return err
	}
	ctx, cancel := c.untilClosing()
	defer cancel()
	return c.patiently(func() error { return ending(ctx, c.h.store.Wait(ctx, after)) })
}

func (c *call) follow() error {
	c.fence()
	name, at := c.args.string(), c.args.cursor()
	if err := c.finish(); err != nil {
		return err
	}
	return c.h.store.Follow(c.ctx, name, at)
}

func (c *call) unfollow() error {
	name := c.args.string()
	if err := c.finish(); err != nil {
		return err
	}
	return c.h.store.Unfollow(c.ctx, name)
}

func (c *call) followers() error {
	if err := c.finish(); err != nil {
		return err
	}
	all, err := c.h.store.Followers(c.ctx)
	if err != nil {
		return err
	}
	for _, f := range all {
		if err := c.item(appendFollower(c.head[:0], f), nil); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) trim() error {
	upTo := catalog.Seq(c.args.uint())
	if err := c.finish(); err != nil {
		return err
	}
	var last catalog.Seq
	err := c.patiently(func() (err error) {
		last, err = c.h.store.Trim(c.ctx, upTo)
		return err
	})
	if err != nil {
		return err
	}
	return c.item(binary.AppendUvarint(nil, uint64(last)), nil)
}

func (c *call) acquire() error {
	id, name, holder, ttl := c.args.string(), c.args.string(), c.args.string(), time.Duration(c.args.int())
	if err := c.finish(); err != nil {
		return err
	}
	info, err := c.h.store.Acquire(c.ctx, name, holder, ttl)
	if err != nil {
		return err
	}
	c.h.sessions.took(id, info.Fence)
	return c.item(appendLease(nil, info), nil)
}

// renew notes the lease, too: it may be of a time before this server's.
func (c *call) renew() error {
	id, f, ttl := c.args.string(), c.args.fence(), time.Duration(c.args.int())
	if err := c.finish(); err != nil {
		return err
	}
	err := c.h.store.Renew(c.ctx, f, ttl)
	if err == nil {
		c.h.sessions.took(id, f)
	}
	return err
}

func (c *call) release() error {
	id, f := c.args.string(), c.args.fence()
	if err := c.finish(); err != nil {
		return err
	}
	err := c.h.store.Release(c.ctx, f)
	if err == nil || errors.Is(err, catalog.ErrFenced) {
		c.h.sessions.gave(id, f)
	}
	return err
}

func (c *call) leases() error {
	if err := c.finish(); err != nil {
		return err
	}
	all, err := c.h.store.Leases(c.ctx)
	if err != nil {
		return err
	}
	for _, l := range all {
		if err := c.item(appendLease(c.head[:0], l), nil); err != nil {
			return err
		}
	}
	return nil
}

// session lasts as long as the client.
func (c *call) session() error {
	id := c.args.string()
	if err := c.finish(); err != nil {
		return err
	}
	ctx, cancel := c.untilClosing()
	defer cancel()
	c.h.sessions.connect(id)
	defer c.h.sessions.disconnect(id)
	return c.stay(ctx.Done(), func() error {
		err := ending(ctx, ctx.Err())
		if errors.Is(err, errEnding) {
			c.h.sessions.forget(id) // it is not the client that ends
		}
		return err
	})
}

// bye ends a session whose leases stay.
func (c *call) bye() error {
	id := c.args.string()
	if err := c.finish(); err != nil {
		return err
	}
	c.h.sessions.forget(id)
	return nil
}

// stay ticks until done is closed.
func (c *call) stay(done <-chan struct{}, end func() error) error {
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	for {
		if err := c.tick(); err != nil {
			return err
		}
		select {
		case <-t.C:
		case <-done:
			return end()
		}
	}
}

func (c *call) stats() error {
	if err := c.finish(); err != nil {
		return err
	}
	st, err := c.h.store.Stats(c.ctx)
	if err != nil {
		return err
	}
	text, err := json.Marshal(st)
	if err != nil {
		return fmt.Errorf("stats: %w", err)
	}
	return c.item(text, nil)
}

func (c *call) compact() error {
	if err := c.finish(); err != nil {
		return err
	}
	s, ok := c.h.store.(catalog.Compacter)
	if !ok {
		return errors.ErrUnsupported
	}
	ctx, cancel := c.untilClosing()
	defer cancel()
	return c.patiently(func() error { return ending(ctx, s.Compact(ctx)) })
}

func (c *call) untidy() error {
	if err := c.finish(); err != nil {
		return err
	}
	s, ok := c.h.store.(catalog.Compacter)
	return c.item(appendBool(nil, ok && s.Untidy()), nil)
}

// hold lasts until the client lets go of it.
func (c *call) hold() error {
	if err := c.finish(); err != nil {
		return err
	}
	s, ok := c.h.store.(catalog.Loader)
	if !ok {
		return errors.ErrUnsupported
	}
	ctx, cancel := c.untilClosing()
	defer cancel()
	defer s.Hold()()
	return c.stay(ctx.Done(), func() error { return ending(ctx, ctx.Err()) })
}
