package mongostore

import (
	"context"
	"errors"
	"slices"
	"sync"

	"catalog/catalog"
)

// Apply implements catalog.Store. Large batches are written in parts, several
// at once, each a transaction of its own.
func (s *Store) Apply(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error) {
	results, err := s.apply(ctx, writes)
	return results, wrap(ctx, "apply", err)
}

func (s *Store) apply(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	for i := range writes {
		if err := check(i, &writes[i]); err != nil {
			return nil, err
		}
	}
	hashes := make([]catalog.Hash, len(writes))
	for i := range writes {
		if hashes[i] = writes[i].Hash; writes[i].Body != nil && hashes[i].IsZero() {
			hashes[i] = catalog.HashOf(writes[i].Body)
		}
	}
	b := &batch{store: s, writes: writes, hashes: hashes, results: make([]catalog.Result, len(writes))}
	all := parts(writes, s.opts.PartRecords, s.opts.PartBytes)
	errs := make([]error, len(all))
	b.run(ctx, all, errs)
	if err := errors.Join(errs...); err != nil {
		failed := &catalog.ApplyError{}
		for n, err := range errs {
			if err == nil {
				continue
			}
			if failed.Err == nil || errors.Is(failed.Err, errSkipped) {
				failed.Err = err
			}
			for _, g := range all[n] {
				failed.Failed = append(failed.Failed, g.writes...)
			}
		}
		slices.Sort(failed.Failed)
		return nil, failed
	}
	for i := range b.results {
		if b.results[i].Outcome == catalog.Conflict {
			return b.results, catalog.ErrConflict
		}
	}
	return b.results, nil
}

// errSkipped is of parts that were not begun, since another had failed.
var errSkipped = errors.New("not begun")

// batch is one Apply.
type batch struct {
	store   *Store
	writes  []catalog.Write
	hashes  []catalog.Hash
	results []catalog.Result
}

// run applies all parts, Workers of them at once, none after one has failed.
func (b *batch) run(ctx context.Context, all []part, errs []error) {
	if len(all) == 1 {
		errs[0] = b.apply(ctx, all[0])
		return
	}
	var mu sync.Mutex
	next, failed := 0, false
	take := func(err error) (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		failed = failed || err != nil
		for ; failed && next < len(all); next++ {
			errs[next] = errSkipped
		}
		next++
		return next - 1, next <= len(all)
	}
	var wg sync.WaitGroup
	for range min(b.store.opts.Workers, len(all)) {
		wg.Go(func() {
			var err error
			for n, ok := take(nil); ok; n, ok = take(err) {
				err = b.apply(ctx, all[n])
				errs[n] = err
			}
		})
	}
	wg.Wait()
}

// apply applies one part: reads its heads, decides, reserves its Seqs, writes;
// and all that again when another writer came first, or the server went away.
func (b *batch) apply(ctx context.Context, p part) error {
	s := b.store
	p.sort()
	unlock, err := s.keys.lock(ctx, p)
	if err != nil {
		return err
	}
	defer unlock()
	back := backoff{store: s}
	for {
		err := b.once(ctx, p)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || !clash(err) && !away(err) || !back.again(ctx, err) {
			return err
		}
	}
}

func (b *batch) once(ctx context.Context, p part) error {
	s := b.store
	outs, err := b.resolve(ctx, p)
	if err != nil {
		return err
	}
	if len(outs) == 0 {
		return s.checkFence(ctx)
	}
	t := newTransaction(s, b, outs)
	defer t.release()
	n := int64(0)
	for i := range outs {
		if outs[i].written {
			n++
		}
	}
	r, err := s.reserve(ctx, max(1, n))
	if err != nil {
		return err
	}
	t.number(r, b.results)
	committed, err := t.run(ctx, r)
	if !committed {
		s.abandon(ctx, r)
		return err
	}
	s.order.settle(r.from, r.span, t.block.Count)
	s.order.leave(r)
	s.watch.wake()
	return nil
}

// resolve reads the heads of a part and decides what is to be stored.
func (b *batch) resolve(ctx context.Context, p part) ([]out, error) {
	var outs []out
	for start := 0; start < len(p); {
		end := start
		var keys []catalog.Key
		for ; end < len(p) && p[end].kind == p[start].kind; end++ {
			keys = append(keys, p[end].key)
		}
		heads, err := b.store.headsAll(ctx, p[start].kind, keys)
		if err != nil {
			return nil, err
		}
		for i := range heads {
			if o, store := p[start+i].resolve(b.writes, b.hashes, heads[i], b.results); store {
				outs = append(outs, o)
			}
		}
		start = end
	}
	return outs, nil
}

// checkFence returns catalog.ErrFenced if ctx has the fence of a lease that is
// lost.
func (s *Store) checkFence(ctx context.Context) error {
	if _, ok := catalog.FenceOf(ctx); !ok {
		return nil
	}
	st, now, err := s.currentAt(ctx)
	if err != nil {
		return err
	}
	return st.fenced(ctx, now)
}

// keyLocks let small parts of this Store that write the same records take turns,
// instead of undoing one another's transactions. Large ones rarely meet.
type keyLocks [64]chan struct{}

// smallPart is up to how many records a part takes turns.
const smallPart = 16

func (k *keyLocks) init() {
	for i := range k {
		k[i] = make(chan struct{}, 1)
	}
}

func (k *keyLocks) lock(ctx context.Context, p part) (unlock func(), err error) {
	if len(p) > smallPart {
		return func() {}, nil
	}
	var stripes []int
	for _, g := range p {
		h := uint32(2166136261)
		for i := range len(g.key) {
			h = (h ^ uint32(g.key[i])) * 16777619
		}
		stripes = append(stripes, int(h%uint32(len(k))))
	}
	slices.Sort(stripes) // one order for all, so that nobody waits in a circle
	stripes = slices.Compact(stripes)
	unlock = func() {
		for _, i := range stripes {
			<-k[i]
		}
	}
	for n, i := range stripes {
		select {
		case k[i] <- struct{}{}:
		case <-ctx.Done():
			stripes = stripes[:n]
			unlock()
			return nil, ctx.Err()
		}
	}
	return unlock, nil
}
