package pebblestore

import (
	"bytes"
	"context"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// Compact implements catalog.Compacter. It merges all tables into one layer,
// compressed for size. It takes as much disk again while it runs.
func (s *Store) Compact(ctx context.Context) error {
	return wrap("compact", s.compact(ctx))
}

func (s *Store) compact(ctx context.Context) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	s.sched.force()
	defer s.sched.unforce()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends with ctx at the latest
		select {
		case <-s.gate.Closed():
			cancel()
		case <-ctx.Done():
		}
	}()
	err := s.watch.guard(func() error {
		if err := s.stir(); err != nil {
			return err
		}
		return s.db.Compact(ctx, []byte{0}, []byte{spaceEnd}, true)
	})
	if err != nil && s.alive() != nil {
		return s.alive()
	}
	return err
}

// untidyLayers is how many layers of tables may lie over each other before
// reading is much slower than it could be.
const untidyLayers = 8

// Untidy implements catalog.Compacter.
func (s *Store) Untidy() bool {
	if s.enter(context.Background()) != nil {
		return false
	}
	defer s.leave()
	return s.db.Metrics().Levels[0].Sublevels > untidyLayers
}

// Hold keeps compactions back, as a bulk Apply does, until the function that it
// returns is called: for an import that needs the processor for itself even
// while it only compares. A Compact runs nevertheless. More than one may hold.
func (s *Store) Hold() (release func()) {
	s.sched.beginLoad()
	return sync.OnceFunc(s.sched.endLoad)
}

// stir makes the next compaction rewrite the tables at the bottom that were
// loaded straight there and are compressed for speed. A compaction moves what
// is above something, so it puts a deletion of a key that never exists above
// each. Tables that were loaded a moment ago are in no level before a flush.
func (s *Store) stir() error {
	if err := s.db.Flush(); err != nil {
		return err
	}
	levels, err := s.db.SSTables(pebble.WithProperties())
	if err != nil {
		return err
	}
	b := s.db.NewBatch()
	defer s.release(b)
	for _, t := range levels[len(levels)-1] {
		if t.Properties == nil || t.Properties.CompressionName == bottomCompression.Name {
			continue
		}
		// No key is another one and a zero byte.
		if err := b.Delete(append(bytes.Clone(t.Smallest.UserKey), 0), nil); err != nil {
			return err
		}
	}
	if b.Empty() {
		return nil
	}
	return b.Commit(pebble.Sync)
}
