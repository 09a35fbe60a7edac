package pebblestore

import (
	"context"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"catalog/catalog"
)

// Apply implements catalog.Store. All writes of one call become durable
// together or not at all.
func (s *Store) Apply(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error) {
	results, err := s.apply(ctx, writes)
	return results, wrap("apply", err)
}

func (s *Store) apply(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	for i := range writes {
		if err := writes[i].Validate(); err != nil {
			return nil, fmt.Errorf("write %d, %s %q: %w", i, writes[i].Kind, writes[i].Key, err)
		}
	}
	if err := s.lockCommit(ctx); err != nil {
		return nil, err
	}
	defer s.unlockCommit()
	if err := s.checkFence(ctx); err != nil {
		return nil, err
	}
	p := &s.plan
	p.begin(writes, s.state.Load().clone())
	defer p.end()
	if err := s.resolve(ctx, p); err != nil {
		return nil, err
	}
	p.number()
	if err := s.commitPlan(ctx, p); err != nil {
		return nil, &catalog.ApplyError{Failed: p.failed(), Err: mapError(err)}
	}
	if p.clash {
		return p.results, catalog.ErrConflict
	}
	return p.results, nil
}

// resolve decides all outcomes.
func (s *Store) resolve(ctx context.Context, p *plan) error {
	for _, k := range catalog.Kinds() {
		if len(p.order[k]) == 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		p.sort(k)
		if err := s.resolveKind(ctx, p, k); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) resolveKind(ctx context.Context, p *plan, k catalog.Kind) (err error) {
	if err := s.prepareFilter(ctx, k, int64(len(p.order[k]))); err != nil {
		return err
	}
	one := headFinder{db: s.db, kind: k, filter: s.filter[k]}
	// With a filter there is little to be read.
	if n := s.workers(); n > 1 && one.filter == nil && len(p.order[k]) > finderPart {
		f := newHeadFinders(one, n, p.keys(k))
		defer func() { s.missed[k] += f.close(&err) }()
		return p.resolve(k, f, &s.names)
	}
	defer one.close(&err)
	err = p.resolve(k, &one, &s.names)
	s.missed[k] += one.missed
	return err
}

// commitPlan stores what p came to and makes it visible.
func (s *Store) commitPlan(ctx context.Context, p *plan) error {
	stored := 0
	for k := range p.outs {
		stored += len(p.outs[k])
	}
	if stored == 0 && p.changes == 0 {
		return nil
	}
	if err := p.planRefs(); err != nil {
		return err
	}
	if err := s.checkSpace(p.bytes); err != nil {
		return err
	}
	for k := range p.outs {
		f := s.filter[k]
		if f == nil {
			continue
		}
		for n := range p.outs[k] {
			if o := &p.outs[k][n]; !o.existed {
				f.add(p.writes[o.i].Key)
			}
		}
	}
	var err error
	if p.bytes >= s.opts.BulkBytes {
		err = s.bulk(ctx, p)
	} else {
		err = s.small(p)
	}
	if err != nil {
		return err
	}
	s.publish(p.state)
	return nil
}

// small stores p through the write-ahead log.
func (s *Store) small(p *plan) error {
	b := s.db.NewBatchWithSize(int(p.bytes) + len(p.log.buf) + len(p.refs.arena) + 256)
	defer s.release(b)
	to := batchSink{b}
	for k := range p.outs {
		kind := catalog.Kind(k)
		if err := p.emitHeads(to, kind, p.outs[k]); err != nil {
			return err
		}
		if !hasBodyApart(kind) {
			continue
		}
		if err := p.emitBodies(to, kind, p.outs[k]); err != nil {
			return err
		}
	}
	if err := p.emitRefs(to); err != nil {
		return err
	}
	if err := p.emitSystem(to, &s.names); err != nil {
		return err
	}
	return s.sync(b)
}

// sync commits a batch durably.
func (s *Store) sync(b *pebble.Batch) error {
	return s.watch.guard(func() error { return b.Commit(pebble.Sync) })
}

// release gives a batch's memory back, for use by the next batch of any store;
// after a fatal error Pebble may still be at it.
func (s *Store) release(b *pebble.Batch) {
	if s.watch.failure() == nil {
		_ = b.Close() // has no error to give
	}
}

// publish makes st what readers and the next writer see, and wakes those who
// wait for changes.
func (s *Store) publish(st *state) {
	s.names.committed()
	old := s.state.Swap(st)
	if st.tail == old.tail && st.trimmed == old.trimmed {
		return
	}
	s.mu.Lock()
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
}

// spareBytes is the space that Pebble needs to go on working.
const spareBytes = 16 << 20

// checkSpace refuses to write n bytes where they do not fit: Pebble's own log
// does not survive a full disk, a refused Apply harms nothing.
func (s *Store) checkSpace(n int64) error {
	usage, err := s.opts.FS.GetDiskUsage(s.dir)
	if err != nil { // not every file system can tell
		return nil
	}
	if usage.AvailBytes < uint64(n)+spareBytes {
		return fmt.Errorf("%w: %d MiB are free", catalog.ErrFull, usage.AvailBytes>>20)
	}
	return nil
}
