package pebblestore

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"catalog/catalog"
)

// Follow implements catalog.Store.
func (s *Store) Follow(ctx context.Context, name string, at catalog.Cursor) error {
	return wrap(fmt.Sprintf("follow as %q", name), s.write(ctx, fenced, func(b *pebble.Batch, st *state) error {
		if err := checkName(name); err != nil {
			return err
		}
		if !at.IsZero() && at.Epoch != st.epoch || at.Seq > st.tail {
			return catalog.ErrTrimmed
		}
		v := appendString(nil, at.Epoch)
		v = binary.AppendUvarint(v, uint64(at.Seq))
		v = binary.AppendVarint(v, time.Now().UnixNano())
		return b.Set(appendKey(nil, spaceFollower, name), v, nil)
	}))
}

// Unfollow implements catalog.Store.
func (s *Store) Unfollow(ctx context.Context, name string) error {
	return wrap(fmt.Sprintf("unfollow %q", name), s.write(ctx, free, func(b *pebble.Batch, _ *state) error {
		key := appendKey(nil, spaceFollower, name)
		if _, err := s.value(key); err != nil {
			return err
		}
		return b.Delete(key, nil)
	}))
}

// Followers implements catalog.Store.
func (s *Store) Followers(ctx context.Context) ([]catalog.Follower, error) {
	if err := s.enter(ctx); err != nil {
		return nil, wrap("list followers", err)
	}
	defer s.leave()
	followers, err := s.followers(s.state.Load())
	return followers, wrap("list followers", err)
}

func (s *Store) followers(st *state) (followers []catalog.Follower, err error) {
	err = s.each(spaceFollower, "", func(name string, v []byte) error {
		f := catalog.Follower{Name: name}
		epoch, v, err := cutString(v)
		if err != nil {
			return err
		}
		seq, v, err := cutUvarint(v)
		if err != nil {
			return err
		}
		moved, n := binary.Varint(v)
		if n <= 0 {
			return corrupt("the follower %q", name)
		}
		f.At = catalog.Cursor{Epoch: string(epoch), Seq: catalog.Seq(seq)}
		f.Moved = time.Unix(0, moved)
		f.Behind = int64(st.tail)
		if f.At.Epoch == st.epoch {
			f.Behind -= int64(f.At.Seq)
		}
		followers = append(followers, f)
		return nil
	})
	return followers, err
}

// fencing says whether a write heeds the fence of its context.
type fencing bool

const (
	free   fencing = false
	fenced fencing = true
)

// write lets f fill a batch, and change the state, as the one writer, and
// commits it.
func (s *Store) write(ctx context.Context, how fencing, f func(b *pebble.Batch, st *state) error) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	if err := s.lockCommit(ctx); err != nil {
		return err
	}
	defer s.unlockCommit()
	if how == fenced {
		if err := s.checkFence(ctx); err != nil {
			return err
		}
	}
	b := s.db.NewBatch()
	defer s.release(b)
	old := s.state.Load()
	st := old.clone()
	if err := f(b, st); err != nil || b.Empty() {
		return err
	}
	if err := s.checkSpace(int64(b.Len())); err != nil {
		return err
	}
	if st.token != old.token {
		if err := b.Set([]byte{spaceState}, st.append(nil), nil); err != nil {
			return err
		}
	}
	if err := s.sync(b); err != nil {
		return err
	}
	s.state.Store(st)
	return nil
}
