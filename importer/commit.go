package importer

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"catalog/catalog"
)

// Batches are as large as memory allows, because the embedded store sorts each
// into a table of its own, and the fewer there are the less is merged later.
const (
	batchBytes  = 48 << 20
	batchWrites = 100_000
	writeCost   = 160 // bytes of memory of a write beside its body
)

// committer gathers writes into batches and applies them one at a time, while
// the next one fills.
type committer struct {
	ctx   context.Context
	r     *run
	g     *errgroup.Group
	bufs  buffers
	batch *batch
	queue chan *batch
	spare chan *batch
	limit int64 // bytes of a batch
}

type batch struct {
	writes []catalog.Write
	bufs   [][]byte
	size   int
	counts [catalog.KindAttribute + 1]Counts // beside what the writes come to
}

func newCommitter(ctx context.Context, r *run) *committer {
	c := &committer{r: r, queue: make(chan *batch), spare: make(chan *batch, 1)}
	switch c.limit = r.o.BatchBytes; {
	case r.kept != nil:
		// What is read is in the order of the store, so that a small batch
		// reads no block of it that another reads as well.
		c.limit = max(c.limit/12, 1)
	case r.had > 0:
		// Few records of many change: what they were is looked up while the
		// next ones are read.
		c.limit = max(c.limit/4, 1)
	}
	c.g, c.ctx = errgroup.WithContext(ctx)
	c.batch = &batch{}
	c.spare <- &batch{}
	c.g.Go(c.apply)
	return c
}

// take accounts for what came of a chunk and adds its writes to the batch.
func (c *committer) take(in *input, l *loaded) error {
	c.r.prog.records(l.records)
	if l.came != nil {
		c.r.recall.out.Append(l.came)
	}
	// What is read counts once it is applied, so that the counting closes
	// wherever an import ends.
	for k := range l.counts {
		c.batch.counts[k].add(l.counts[k])
	}
	c.batch.writes = append(c.batch.writes, l.writes...)
	c.bufs.putWrites(l.writes)
	c.batch.bufs = append(c.batch.bufs, l.bufs...)
	c.batch.size += l.size + len(l.writes)*writeCost
	l.writes = nil
	for _, x := range l.rejects {
		if err := c.reject(x); err != nil {
			return err
		}
	}
	if len(l.patches) > 0 {
		if err := c.flush(); err != nil {
			return err
		}
		if err := c.applyPatches(l.patches); err != nil {
			return err
		}
	}
	for _, row := range l.rows {
		if err := c.r.spoolRow(row); err != nil {
			return err
		}
	}
	if int64(c.batch.size) >= c.limit || len(c.batch.writes) >= batchWrites {
		return c.flush()
	}
	return nil
}

func (c *committer) reject(x *Reject) error {
	total, err := c.r.rej.add(x)
	if err != nil {
		return err
	}
	return c.r.hopeless(total)
}

// flush hands the batch over to be applied and starts the next one.
func (c *committer) flush() error {
	select {
	case c.queue <- c.batch:
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
	select {
	case c.batch = <-c.spare:
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
	return nil
}

// apply runs until the queue is closed.
func (c *committer) apply() error {
	for b := range c.queue {
		if err := c.r.apply(c.ctx, b); err != nil {
			return err
		}
		for _, buf := range b.bufs {
			c.bufs.put(buf)
		}
		clear(b.writes)
		clear(b.bufs)
		b.writes, b.bufs, b.size = b.writes[:0], b.bufs[:0], 0
		clear(b.counts[:])
		c.spare <- b
	}
	return nil
}

// close applies what is left and ends; err is what the pass came to.
func (c *committer) close(err error) error {
	// What was accepted before a pass ended early is kept.
	if err == nil || errors.Is(err, ErrTooManyRejects) {
		err = errors.Join(err, c.flush())
	}
	close(c.queue)
	if gerr := c.g.Wait(); gerr != nil && (err == nil || errors.Is(err, context.Canceled)) {
		err = gerr // the cause, not that the pass was told to end
	}
	return err
}

// apply writes and counts. An If that does not hold means that the record is
// there by now and this one yields.
func (r *run) apply(ctx context.Context, b *batch) error {
	writes, counts := b.writes, b.counts
	var results []catalog.Result
	if len(writes) > 0 {
		if r.had > 0 && r.o.Mode != Delete && r.mend == nil {
			if err := r.keepAlike(ctx, writes); err != nil {
				return err
			}
		}
		var err error
		if results, err = r.store.Apply(ctx, writes); err != nil && !errors.Is(err, catalog.ErrConflict) {
			return err
		}
	}
	if r.once != nil {
		if err := r.once.applied(results); err != nil {
			return err
		}
	}
	for i, res := range results {
		k := writes[i].Kind
		if res.Outcome == catalog.Conflict {
			counts[k].Duplicates++
			continue
		}
		if r.o.Mode == Delete && k != r.o.Kind && res.Outcome == catalog.Absent {
			continue // not every product has a price and stock
		}
		counts[k].outcome(res.Outcome)
	}
	for k, n := range counts {
		if n != (Counts{}) {
			r.acc.add(catalog.Kind(k), n)
		}
	}
	return nil
}
