package remotestore

import (
	"context"
	"errors"
)

// checkpointer is a store that can lay a copy of itself beside its files.
type checkpointer interface {
	Checkpoint(ctx context.Context) error
}

// checkpoint makes the copy in the folder of the store, where only who may
// read that folder finds it. So over a network it is of no use.
func (c *call) checkpoint() error {
	if err := c.finish(); err != nil {
		return err
	}
	s, ok := c.h.store.(checkpointer)
	if !ok || !c.h.trusted {
		return errors.ErrUnsupported
	}
	ctx, cancel := c.untilClosing()
	defer cancel()
	return c.patiently(func() error { return ending(ctx, s.Checkpoint(ctx)) })
}

// Checkpoint makes a copy of an embedded store as it is at one moment, in the
// store's folder, by the process that has it; see pebblestore. The error is
// errors.ErrUnsupported when the store has no files, or is on another machine.
func (s *Store) Checkpoint(ctx context.Context) error {
	return wrap("make a checkpoint", s.unary(ctx, "checkpoint", true, nil, nil))
}
