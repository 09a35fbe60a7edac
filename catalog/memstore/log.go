package memstore

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"catalog/catalog"
)

// changeLog is the log of changes and who follows it. The store's lock guards it.
type changeLog struct {
	entries   []catalog.Change // appended to, never changed: readers keep a slice of it
	tail      catalog.Seq      // of the newest change ever
	trimmed   catalog.Seq      // of the newest change dropped
	followers map[string]catalog.Follower
	grown     chan struct{} // closed when there are new entries
}

func newChangeLog() changeLog {
	return changeLog{followers: map[string]catalog.Follower{}, grown: make(chan struct{})}
}

// append adds an entry and returns its Seq.
func (l *changeLog) append(kind catalog.Kind, op catalog.Op, key catalog.Key) catalog.Seq {
	l.tail++
	l.entries = append(l.entries, catalog.Change{Seq: l.tail, Kind: kind, Op: op, Key: key})
	return l.tail
}

// wake wakes all that wait for new entries.
func (l *changeLog) wake() {
	close(l.grown)
	l.grown = make(chan struct{})
}

// after returns the entries after seq.
func (l *changeLog) after(seq catalog.Seq) []catalog.Change {
	i, _ := slices.BinarySearchFunc(l.entries, seq+1, func(c catalog.Change, s catalog.Seq) int { return cmp.Compare(c.Seq, s) })
	return l.entries[i:]
}

// trim drops the entries up to and including upTo.
func (l *changeLog) trim(upTo catalog.Seq) {
	for _, f := range l.followers {
		upTo = min(upTo, f.At.Seq)
	}
	upTo = min(upTo, l.tail)
	if upTo <= l.trimmed {
		return
	}
	l.entries = slices.Clone(l.after(upTo)) // a copy, so that the dropped ones' memory is freed
	l.trimmed = upTo
}

// missing reports whether the log lacks changes after a cursor, or never came
// as far as it.
func (s *Store) missing(after catalog.Cursor) bool {
	return !after.IsZero() && after.Epoch != s.epoch || after.Seq < s.log.trimmed || after.Seq > s.log.tail
}

// Tail implements catalog.Store.
func (s *Store) Tail(ctx context.Context) (catalog.Cursor, error) {
	var c catalog.Cursor
	err := s.read(ctx, "tail", func() error {
		c = catalog.Cursor{Epoch: s.epoch, Seq: s.log.tail}
		return nil
	})
	return c, err
}

// Changes implements catalog.Store.
func (s *Store) Changes(ctx context.Context, after catalog.Cursor) iter.Seq2[catalog.Change, error] {
	return func(yield func(catalog.Change, error) bool) {
		var entries []catalog.Change
		err := s.read(ctx, "changes", func() error {
			if s.missing(after) {
				return catalog.ErrTrimmed
			}
			entries = s.log.after(after.Seq)
			return nil
		})
		if err != nil {
			yield(catalog.Change{}, err)
			return
		}
		for _, c := range entries {
			if err := s.usable(ctx); err != nil {
				yield(catalog.Change{}, wrap("changes", err))
				return
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// Wait implements catalog.Store.
func (s *Store) Wait(ctx context.Context, after catalog.Cursor) error {
	for {
		var grown chan struct{}
		err := s.read(ctx, "wait", func() error {
			if s.missing(after) {
				return catalog.ErrTrimmed
			}
			if s.log.tail <= after.Seq {
				grown = s.log.grown
			}
			return nil
		})
		if err != nil || grown == nil {
			return err
		}
		select {
		case <-grown:
		case <-s.done:
		case <-ctx.Done():
		}
	}
}

// Follow implements catalog.Store. A cursor that Changes would refuse is
// refused here with the same error: Trim could not keep what it needs.
func (s *Store) Follow(ctx context.Context, name string, at catalog.Cursor) error {
	return s.write(ctx, "follow", func() error {
		if err := s.leases.check(ctx); err != nil {
			return err
		}
		if s.missing(at) {
			return catalog.ErrTrimmed
		}
		at.Epoch = s.epoch
		s.log.followers[name] = catalog.Follower{Name: name, At: at, Moved: time.Now()}
		return nil
	})
}

// Unfollow implements catalog.Store.
func (s *Store) Unfollow(ctx context.Context, name string) error {
	return s.write(ctx, "unfollow", func() error {
		if _, ok := s.log.followers[name]; !ok {
			return catalog.ErrNotFound
		}
		delete(s.log.followers, name)
		return nil
	})
}

// Followers implements catalog.Store.
func (s *Store) Followers(ctx context.Context) ([]catalog.Follower, error) {
	var out []catalog.Follower
	err := s.read(ctx, "followers", func() error {
		out = slices.SortedFunc(maps.Values(s.log.followers), func(a, b catalog.Follower) int { return cmp.Compare(a.Name, b.Name) })
		for i := range out {
			out[i].Behind = int64(s.log.tail - out[i].At.Seq)
		}
		return nil
	})
	return out, err
}

// Trim implements catalog.Store. It returns the last Seq that any Trim dropped.
func (s *Store) Trim(ctx context.Context, upTo catalog.Seq) (catalog.Seq, error) {
	var last catalog.Seq
	err := s.write(ctx, "trim", func() error {
		s.log.trim(upTo)
		last = s.log.trimmed
		return nil
	})
	return last, err
}
