package mongostore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"catalog/catalog"
)

const fieldValue = "value"

// Meta implements catalog.Store.
func (s *Store) Meta(ctx context.Context, name string) ([]byte, error) {
	if err := s.enter(ctx); err != nil {
		return nil, wrap(ctx, "read meta", err)
	}
	defer s.leave()
	value, err := s.meta(ctx, name)
	return value, wrap(ctx, fmt.Sprintf("read meta %q", name), err)
}

func (s *Store) meta(ctx context.Context, name string) ([]byte, error) {
	var m struct {
		Value bson.RawValue `bson:"value"`
	}
	err := s.try(ctx, func(ctx context.Context) error {
		return s.db.Collection(metaName).FindOne(ctx, byID(text(name))).Decode(&m)
	})
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, catalog.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	value, ok := textOf(m.Value)
	if !ok {
		return nil, corrupt("the meta %q", name)
	}
	return []byte(value), nil
}

// SetMeta implements catalog.Store.
func (s *Store) SetMeta(ctx context.Context, name string, value []byte) error {
	op := fmt.Sprintf("set meta %q", name)
	if len(value) > catalog.MaxBody {
		return wrap(ctx, op, fmt.Errorf("%w: a value of %d bytes", catalog.ErrInvalid, len(value)))
	}
	if err := s.enter(ctx); err != nil {
		return wrap(ctx, op, err)
	}
	defer s.leave()
	write := func(ctx context.Context) error {
		if value == nil {
			_, err := s.db.Collection(metaName).DeleteOne(ctx, byID(text(name)))
			return err
		}
		doc := bson.D{{Key: fieldID, Value: text(name)}, {Key: fieldValue, Value: text(string(value))}}
		_, err := s.db.Collection(metaName).ReplaceOne(ctx, byID(text(name)), doc, options.Replace().SetUpsert(true))
		return err
	}
	b := backoff{store: s}
	for {
		var err error
		if f, ok := catalog.FenceOf(ctx); ok {
			err = s.underFence(ctx, f, write)
		} else {
			err = s.call(ctx, write)
		}
		if err == nil || !clash(err) && !away(err) || !b.again(ctx, err) {
			return wrap(ctx, op, err)
		}
	}
}

// underFence runs write in a transaction that touches the leases: a takeover
// comes before it or after it.
func (s *Store) underFence(ctx context.Context, f catalog.Fence, write func(context.Context) error) error {
	st, now, err := s.currentAt(ctx)
	if err != nil {
		return err
	}
	if _, err := st.held(f, now); err != nil {
		return err
	}
	return s.transaction(ctx, func(ctx context.Context) error {
		same := bson.D{{Key: fieldID, Value: stateID}, {Key: "epoch", Value: st.Epoch}, {Key: "rev", Value: st.Rev}}
		res, err := s.db.Collection(stateName).UpdateOne(ctx, same, bson.D{{Key: "$inc", Value: bson.D{{Key: "rev", Value: 1}}}})
		if err != nil {
			return err
		}
		if res.MatchedCount == 0 {
			return errAgain
		}
		return write(ctx)
	})
}

// Metas implements catalog.Store. Names are few; they are read first and sorted
// here, since those that are no strings of BSON have another order there.
func (s *Store) Metas(ctx context.Context, prefix string) iter.Seq2[catalog.MetaEntry, error] {
	return func(yield func(catalog.MetaEntry, error) bool) {
		if err := s.metas(ctx, prefix, yield); err != nil {
			yield(catalog.MetaEntry{}, wrap(ctx, "list metas", err))
		}
	}
}

func (s *Store) metas(ctx context.Context, prefix string, yield func(catalog.MetaEntry, error) bool) error {
	var names []string
	err := s.each(ctx, func(ctx context.Context) (*mongo.Cursor, error) {
		names = names[:0]
		return s.db.Collection(metaName).Find(ctx, bson.D{}, options.Find().SetProjection(byID(1)))
	}, func(raw bson.Raw) (bool, error) {
		if name, ok := textOf(raw.Lookup(fieldID)); ok && strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		if err := s.usable(ctx); err != nil {
			return err
		}
		value, err := s.meta(ctx, name)
		switch {
		case errors.Is(err, catalog.ErrNotFound): // deleted meanwhile
		case err != nil:
			return err
		case !yield(catalog.MetaEntry{Name: name, Value: value}, nil):
			return nil
		}
	}
	return nil
}
