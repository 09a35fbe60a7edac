package copystore

import (
	"context"
	"errors"

	"catalog/catalog"
)

const (
	// maxKeys is how many changed keys are copied at a time; getKeys of them
	// are asked for in one call, since bodies may be large.
	maxKeys = 4096
	getKeys = 256
	// nearTail is how many changes a pass may find for the copy to count as
	// being at the tail of a source that changes all the time.
	nearTail = 1000
	// maxPasses ends the chase of a source that changes faster than it can be
	// copied; the comparison then says what is still moving.
	maxPasses = 1000
)

// item names a record.
type item struct {
	kind catalog.Kind
	key  catalog.Key
}

// follow copies what the source has changed, up to its tail.
func (c *copier) follow(ctx context.Context) error {
	for range maxPasses {
		n, err := c.pass(ctx)
		if errors.Is(err, catalog.ErrTrimmed) {
			return errAgain
		}
		if err != nil || n < nearTail {
			return err
		}
	}
	return nil
}

// pass copies the changes that the log has now.
func (c *copier) pass(ctx context.Context) (n int64, err error) {
	at, err := c.after()
	if err != nil {
		return 0, err
	}
	changed := map[item]struct{}{}
	for change, err := range c.from.Changes(ctx, at) {
		if err != nil {
			return n, err
		}
		n++
		c.report.Changes++
		changed[item{change.Kind, change.Key}] = struct{}{}
		at.Seq = change.Seq
		if len(changed) < maxKeys {
			continue
		}
		if err := c.again(ctx, changed); err != nil {
			return n, err
		}
		if err := c.advance(ctx, at); err != nil {
			return n, err
		}
		clear(changed)
		c.progress(Progress{Phase: PhaseLog, Done: c.report.Changes})
	}
	if n == 0 {
		return 0, nil
	}
	if err := c.again(ctx, changed); err != nil {
		return n, err
	}
	return n, c.advance(ctx, at)
}

// again makes records of the target what they are in the source now.
func (c *copier) again(ctx context.Context, items map[item]struct{}) error {
	var keys [catalog.KindAttribute + 1][]catalog.Key
	for it := range items {
		keys[it.kind] = append(keys[it.kind], it.key)
	}
	var m maker
	b := &batch{}
	for _, kind := range catalog.Kinds() {
		for left := keys[kind]; len(left) > 0; {
			n := min(len(left), getKeys)
			records, err := c.from.Get(ctx, kind, left[:n]...)
			if err != nil {
				return err
			}
			for i := range records {
				w := catalog.Write{Kind: kind, Key: left[i]}
				if records[i].Exists() {
					if w, err = m.put(&records[i]); err != nil {
						return err
					}
				}
				b.add(w)
			}
			if left = left[n:]; b.full(c.o) {
				if err := c.apply(ctx, b); err != nil {
					return err
				}
				b = &batch{}
			}
		}
	}
	return c.apply(ctx, b)
}
