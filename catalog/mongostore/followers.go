package mongostore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"catalog/catalog"
)

// followerDoc is a follower in the state.
type followerDoc struct {
	Name  bson.RawValue `bson:"name"`
	At    int64         `bson:"at"`
	Moved bson.DateTime `bson:"moved"`
}

// rawText is text as a field of a document in the state.
func rawText(s string) bson.RawValue {
	t, data, err := bson.MarshalValue(text(s))
	if err != nil { // of strings and bytes there is none
		return bson.RawValue{}
	}
	return bson.RawValue{Type: t, Value: data}
}

func rawTextIs(v bson.RawValue, s string) bool {
	got, ok := textOf(v)
	return ok && got == s
}

// Follow implements catalog.Store.
func (s *Store) Follow(ctx context.Context, name string, at catalog.Cursor) error {
	op := fmt.Sprintf("follow as %q", name)
	if err := s.enter(ctx); err != nil {
		return wrap(ctx, op, err)
	}
	defer s.leave()
	_, tail, err := s.view(ctx)
	if err != nil {
		return wrap(ctx, op, err)
	}
	now, err := s.now(ctx)
	if err != nil {
		return wrap(ctx, op, err)
	}
	return wrap(ctx, op, s.change(ctx, func(st *state) (bson.D, error) {
		if err := st.fenced(ctx, now); err != nil {
			return nil, err
		}
		if !st.has(at, tail) {
			return nil, catalog.ErrTrimmed
		}
		list := slices.DeleteFunc(st.Followers, func(f followerDoc) bool { return rawTextIs(f.Name, name) })
		list = append(list, followerDoc{Name: rawText(name), At: int64(at.Seq), Moved: bson.NewDateTimeFromTime(now)})
		return bson.D{{Key: "followers", Value: list}}, nil
	}))
}

// Unfollow implements catalog.Store.
func (s *Store) Unfollow(ctx context.Context, name string) error {
	op := fmt.Sprintf("unfollow %q", name)
	if err := s.enter(ctx); err != nil {
		return wrap(ctx, op, err)
	}
	defer s.leave()
	return wrap(ctx, op, s.change(ctx, func(st *state) (bson.D, error) {
		list := slices.DeleteFunc(slices.Clone(st.Followers), func(f followerDoc) bool { return rawTextIs(f.Name, name) })
		if len(list) == len(st.Followers) {
			return nil, catalog.ErrNotFound
		}
		return bson.D{{Key: "followers", Value: list}}, nil
	}))
}

// Followers implements catalog.Store.
func (s *Store) Followers(ctx context.Context) ([]catalog.Follower, error) {
	if err := s.enter(ctx); err != nil {
		return nil, wrap(ctx, "list followers", err)
	}
	defer s.leave()
	st, tail, err := s.view(ctx)
	if err != nil {
		return nil, wrap(ctx, "list followers", err)
	}
	var out []catalog.Follower
	for _, f := range st.Followers {
		name, _ := textOf(f.Name)
		out = append(out, catalog.Follower{Name: name, At: st.cursor(f.At), Moved: f.Moved.Time(), Behind: max(0, tail-f.At)})
	}
	slices.SortFunc(out, func(a, b catalog.Follower) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// fenced returns catalog.ErrFenced if ctx has the fence of a lease that is lost.
func (st *state) fenced(ctx context.Context, now time.Time) error {
	f, ok := catalog.FenceOf(ctx)
	if !ok {
		return nil
	}
	_, err := st.held(f, now)
	return err
}
