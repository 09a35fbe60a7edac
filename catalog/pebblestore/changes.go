package pebblestore

import (
	"bytes"
	"context"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"catalog/catalog"
)

// Tail implements catalog.Store.
func (s *Store) Tail(ctx context.Context) (catalog.Cursor, error) {
	if err := s.enter(ctx); err != nil {
		return catalog.Cursor{}, wrap("tail", err)
	}
	defer s.leave()
	st, err := s.stored()
	if err != nil {
		return catalog.Cursor{}, wrap("tail", err)
	}
	return st.cursor(), nil
}

// stored returns the state as it is on disk. What a reader sees of a commit it
// sees there, a moment before it is in s.state.
func (s *Store) stored() (*state, error) {
	v, err := s.value([]byte{spaceState})
	if err != nil {
		return nil, err
	}
	return parseState(v)
}

func (s *state) cursor() catalog.Cursor {
	return catalog.Cursor{Epoch: s.epoch, Seq: s.tail}
}

// has reports whether the log has all that follows c. It has not when c is
// beyond the tail: that c comes from before the store was set back.
func (s *state) has(c catalog.Cursor) bool {
	return (c.IsZero() || c.Epoch == s.epoch) && c.Seq >= s.trimmed && c.Seq <= s.tail
}

// current returns the state to judge c by, which a reader may have from a commit
// that is not in s.state yet.
func (s *Store) current(c catalog.Cursor) (*state, error) {
	if st := s.state.Load(); c.Seq <= st.tail {
		return st, nil
	}
	return s.stored()
}

// Changes implements catalog.Store.
func (s *Store) Changes(ctx context.Context, after catalog.Cursor) iter.Seq2[catalog.Change, error] {
	return func(yield func(catalog.Change, error) bool) {
		err := s.enter(ctx)
		if err == nil {
			defer s.leave()
			err = s.changes(ctx, after, yield)
		}
		if err != nil {
			yield(catalog.Change{}, wrap("read changes", err))
		}
	}
}

func (s *Store) changes(ctx context.Context, after catalog.Cursor, yield func(catalog.Change, error) bool) error {
	st, err := s.current(after)
	if err != nil {
		return err
	}
	if !st.has(after) {
		return catalog.ErrTrimmed
	}
	seq := after.Seq
	for more := true; more && err == nil; {
		seq, more, err = s.changeRun(ctx, seq, yield)
	}
	return err
}

// changeRun yields changes after a Seq through one iterator and returns the
// last; more is false when that was the tail, or yield has had enough.
func (s *Store) changeRun(ctx context.Context, after catalog.Seq, yield func(catalog.Change, error) bool) (_ catalog.Seq, more bool, err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceLog}, UpperBound: []byte{spaceLog + 1}})
	if err != nil {
		return after, false, err
	}
	defer closeIter(it, &err)
	// What was trimmed before the iterator was made shows in the state that is
	// read after that; what is trimmed from now on the iterator still has.
	if after < s.state.Load().trimmed {
		return after, false, catalog.ErrTrimmed
	}
	if !it.SeekLT(logKey(nil, after+2)) { // the last block that starts at after+1 or before
		it.First()
	}
	n := 0
	for ; it.Valid(); it.Next() {
		first, err := logKeySeq(it.Key())
		if err != nil {
			return after, false, err
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return after, false, err
		}
		r := logReader{rest: v, seq: first}
		for {
			c, ok, err := r.next()
			if err != nil {
				return after, false, err
			}
			if !ok {
				break
			}
			if c.Seq <= after {
				continue
			}
			if c.Seq != after+1 {
				return after, false, corrupt("the log goes from %d to %d", after, c.Seq)
			}
			if n++; n%checkEvery == 0 {
				if err := s.check(ctx); err != nil {
					return after, false, err
				}
			}
			if !yield(c, nil) {
				return after, false, nil
			}
			after = c.Seq
		}
		if n >= renewEvery {
			return after, true, nil
		}
	}
	return after, false, it.Error()
}

// Wait implements catalog.Store.
func (s *Store) Wait(ctx context.Context, after catalog.Cursor) error {
	return wrap("wait for changes", s.wait(ctx, after))
}

func (s *Store) wait(ctx context.Context, after catalog.Cursor) error {
	for {
		if err := s.enter(ctx); err != nil {
			return err
		}
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		st, err := s.current(after)
		s.leave() // whoever waits does not hold up Close
		switch {
		case err != nil:
			return err
		case !st.has(after):
			return catalog.ErrTrimmed
		case after.Seq < st.tail:
			return nil
		}
		select {
		case <-changed:
		case <-s.gate.Closed():
			return catalog.ErrClosed
		case <-s.watch.broken:
			return s.watch.err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Trim implements catalog.Store.
func (s *Store) Trim(ctx context.Context, upTo catalog.Seq) (catalog.Seq, error) {
	last, err := s.trim(ctx, upTo)
	return last, wrap("trim the log", err)
}

func (s *Store) trim(ctx context.Context, upTo catalog.Seq) (catalog.Seq, error) {
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	defer s.leave()
	if err := s.lockCommit(ctx); err != nil {
		return 0, err
	}
	defer s.unlockCommit()
	st := s.state.Load().clone()
	upTo = min(upTo, st.tail)
	followers, err := s.followers(st)
	if err != nil {
		return 0, err
	}
	for _, f := range followers {
		if f.At.Epoch == st.epoch || f.At.IsZero() {
			upTo = min(upTo, f.At.Seq)
		}
	}
	if upTo <= st.trimmed {
		return st.trimmed, nil
	}
	b := s.db.NewBatch()
	defer s.release(b)
	if err := s.keepPart(b, upTo); err != nil {
		return 0, err
	}
	st.trimmed = upTo
	if err := b.Set([]byte{spaceState}, st.append(nil), nil); err != nil {
		return 0, err
	}
	if err := s.sync(b); err != nil {
		return 0, err
	}
	s.publish(st)
	return upTo, nil
}

// keepPart deletes the log up to a Seq; of the block that goes on behind it
// the rest becomes a block of its own.
func (s *Store) keepPart(b *pebble.Batch, upTo catalog.Seq) (err error) {
	if err := b.DeleteRange([]byte{spaceLog}, logKey(nil, upTo+1), nil); err != nil {
		return err
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceLog}, UpperBound: []byte{spaceLog + 1}})
	if err != nil {
		return err
	}
	defer closeIter(it, &err)
	if !it.SeekLT(logKey(nil, upTo+1)) {
		return it.Error()
	}
	first, err := logKeySeq(it.Key())
	if err != nil {
		return err
	}
	v, err := it.ValueAndErr()
	if err != nil {
		return err
	}
	r := logReader{rest: bytes.Clone(v), seq: first}
	var w logWriter
	for {
		c, ok, err := r.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if c.Seq > upTo {
			w.add(c)
		}
	}
	for _, block := range w.blocks {
		if err := b.Set(logKey(nil, block.first), w.value(block), nil); err != nil {
			return err
		}
	}
	return nil
}
