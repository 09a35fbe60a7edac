package copystore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"catalog/catalog"
)

// metaState is the name under which the target keeps how far the copy is.
const metaState = "copy/state"

const (
	stateFormat = 1
	leaseTTL    = 15 * time.Second
)

// state is how far a copy is. What it speaks of is durable in the target.
type state struct {
	Format int       `json:"format"`
	From   string    `json:"from"` // for people
	Begun  time.Time `json:"begun"`
	Phase  string    `json:"phase"`
	After  string    `json:"after"`          // the source's cursor: all changes behind it are to be copied
	Kind   string    `json:"kind,omitempty"` // while records are copied: the last one that is in
	Key    string    `json:"key,omitempty"`
	Tail   string    `json:"tail,omitempty"` // the target's, when the copy was whole
}

// errAgain ends a try because the source's log was trimmed under it.
var errAgain = errors.New("the log was trimmed")

// follower is the name of a copy in the source: one for each target.
func follower(target catalog.Cursor) string { return "copy/" + target.Epoch }

// begin finds out what is left to be done, and whether it may be.
func (c *copier) begin(ctx context.Context) error {
	source, err := c.from.Tail(ctx)
	if err != nil {
		return err
	}
	target, err := c.to.Tail(ctx)
	if err != nil {
		return err
	}
	if source.Epoch == target.Epoch {
		return ErrSame
	}
	c.name = follower(target)
	st, after, err := c.kept(ctx)
	if errors.Is(err, catalog.ErrNotFound) {
		return c.beginNew(ctx)
	}
	if err != nil {
		return err
	}
	switch {
	case after.Epoch != source.Epoch && !c.o.Overwrite:
		return fmt.Errorf("%w: %s, as it was on %s", ErrOther, st.From, st.Begun.Format(time.DateTime))
	case after.Epoch != source.Epoch:
		return c.restart(ctx)
	case st.Phase == phaseDone && st.Tail != target.String() && !c.o.Overwrite:
		return ErrWritten
	case st.Phase == phaseDone && st.Tail != target.String():
		return c.restart(ctx)
	}
	c.state, c.report.Resumed = st, true
	if st.Phase == phaseDone {
		c.state.Phase, c.state.Tail = PhaseLog, ""
	}
	// The follower is there unless somebody took it away.
	if err := c.from.Follow(ctx, c.name, after); errors.Is(err, catalog.ErrTrimmed) {
		return c.restart(ctx)
	} else if err != nil {
		return err
	}
	return c.save(ctx)
}

// kept reads the state of a copy into the target, and its cursor.
func (c *copier) kept(ctx context.Context) (st state, after catalog.Cursor, err error) {
	text, err := c.to.Meta(ctx, metaState)
	if err != nil {
		return st, after, err
	}
	if err := json.Unmarshal(text, &st); err != nil || st.Format != stateFormat {
		return st, after, fmt.Errorf("%w: the state of the copy in the target", catalog.ErrVersion)
	}
	after, err = catalog.ParseCursor(st.After)
	return st, after, err
}

// abandon ends a copy that is not whole.
func (c *copier) abandon(ctx context.Context) error {
	source, err := c.from.Tail(ctx)
	if err != nil {
		return err
	}
	target, err := c.to.Tail(ctx)
	if err != nil {
		return err
	}
	st, after, err := c.kept(ctx)
	if err != nil {
		return err
	}
	if st.Phase == phaseDone || after.Epoch != source.Epoch {
		return catalog.ErrNotFound
	}
	if err := c.from.Unfollow(ctx, follower(target)); err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return err
	}
	return c.to.SetMeta(ctx, metaState, nil)
}

func (c *copier) beginNew(ctx context.Context) error {
	st, err := catalog.Counts(ctx, c.to)
	if err != nil {
		return err
	}
	for k, n := range st.Records {
		if n > 0 && !c.o.Overwrite {
			return fmt.Errorf("%w: it has %d %s", ErrNotEmpty, n, k.Plural())
		}
	}
	return c.restart(ctx)
}

// restart begins with the first record.
func (c *copier) restart(ctx context.Context) error {
	at, err := c.from.Tail(ctx)
	if err != nil {
		return err
	}
	// First the state: whoever kills this process now finds what to take away.
	c.state = state{Format: stateFormat, From: c.report.From, Begun: c.report.Started, Phase: PhaseRecords, After: at.String()}
	if err := c.save(ctx); err != nil {
		return err
	}
	return c.from.Follow(ctx, c.name, at)
}

func (c *copier) save(ctx context.Context) error {
	text, err := json.Marshal(c.state)
	if err != nil {
		return err
	}
	return c.to.SetMeta(c.fenced(ctx), metaState, text)
}

// fenced is for writes to the target, which a lost lease forbids.
func (c *copier) fenced(ctx context.Context) context.Context {
	return catalog.WithFence(ctx, c.lease)
}

// after is the source's cursor that the copy has reached.
func (c *copier) after() (catalog.Cursor, error) { return catalog.ParseCursor(c.state.After) }

// advance notes that all changes up to at are in the target.
func (c *copier) advance(ctx context.Context, at catalog.Cursor) error {
	c.state.After = at.String()
	if err := c.save(ctx); err != nil {
		return err
	}
	return c.from.Follow(ctx, c.name, at)
}

// finish notes that the copy is whole.
func (c *copier) finish(ctx context.Context) error {
	target, err := c.to.Tail(ctx)
	if err != nil {
		return err
	}
	c.report.Source, c.report.Target = c.state.After, target.String()
	c.state.Phase, c.state.Kind, c.state.Key, c.state.Tail = phaseDone, "", "", target.String()
	if c.report.Faults > 0 {
		// The next try goes over all of it again.
		c.state.Phase, c.state.Tail = PhaseRecords, ""
	}
	if err := c.save(ctx); err != nil {
		return err
	}
	if c.report.Faults > 0 {
		return fmt.Errorf("%w in %d records", ErrDiffers, c.report.Faults)
	}
	if err := c.from.Unfollow(ctx, c.name); err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return err
	}
	return nil
}

// leased runs f while no other copy into the target runs.
func (c *copier) leased(ctx context.Context, f func(context.Context) error) error {
	lease, err := catalog.TakeLease(ctx, c.to, leaseName, c.o.Holder, leaseTTL, func(l catalog.LeaseInfo) {
		c.o.Logger.Info("another copy into this store runs, or was killed a moment ago", "holder", l.Holder, "since", l.Since)
	})
	if err != nil {
		return err
	}
	c.lease = lease.Fence
	return catalog.KeepLease(ctx, c.to, lease.Fence, leaseTTL, f)
}
