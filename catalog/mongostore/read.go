package mongostore

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"catalog/catalog"
)

// askKeys is how many keys one call of the server asks for: many enough that
// the way there and back does not count, few enough that any server looks them
// up one by one.
const askKeys = 100

// headFields is the projection of a head.
var headFields = bson.D{{Key: fieldSeq, Value: 1}, {Key: fieldHash, Value: 1}, {Key: fieldSource, Value: 1}}

// Get implements catalog.Store.
func (s *Store) Get(ctx context.Context, kind catalog.Kind, keys ...catalog.Key) ([]catalog.Record, error) {
	if err := s.enter(ctx); err != nil {
		return nil, wrap(ctx, "get", err)
	}
	defer s.leave()
	recs := make([]catalog.Record, len(keys))
	err := s.ask(ctx, s.near.Collection(kind.Plural()), nil, kind, keys, func(i int, raw bson.Raw) (err error) {
		recs[i], err = parseRecord(kind, raw, nil)
		return err
	})
	if err != nil {
		return nil, wrap(ctx, "get", err)
	}
	return recs, nil
}

// HeadsOf implements catalog.Store.
func (s *Store) HeadsOf(ctx context.Context, kind catalog.Kind, keys ...catalog.Key) ([]catalog.Head, error) {
	if err := s.enter(ctx); err != nil {
		return nil, wrap(ctx, "read heads", err)
	}
	defer s.leave()
	heads, err := s.headsAll(ctx, kind, keys)
	if err != nil {
		return nil, wrap(ctx, "read heads", err)
	}
	return heads, nil
}

// headsAll is HeadsOf for an operation that has entered.
func (s *Store) headsAll(ctx context.Context, kind catalog.Kind, keys []catalog.Key) ([]catalog.Head, error) {
	heads := make([]catalog.Head, len(keys))
	err := s.ask(ctx, s.heads(kind), headFields, kind, keys, func(i int, raw bson.Raw) (err error) {
		heads[i], err = parseHead(kind, raw)
		return err
	})
	return heads, err
}

// ask finds the documents of keys and hands each over with every index that
// its key has; raw is valid until the function returns.
func (s *Store) ask(ctx context.Context, c *mongo.Collection, fields bson.D, kind catalog.Kind, keys []catalog.Key, found func(i int, raw bson.Raw) error) error {
	at := make(map[string][]int, len(keys))
	for i, k := range keys {
		if possible(kind, k) {
			at[string(k)] = append(at[string(k)], i)
		}
	}
	ids := make(bson.A, 0, askKeys)
	for i, k := range keys {
		if places := at[string(k)]; len(places) > 0 && places[0] == i {
			ids = append(ids, string(k))
		}
		if len(ids) == askKeys || i == len(keys)-1 && len(ids) > 0 {
			if err := s.askSome(ctx, c, fields, ids, at, found); err != nil {
				return err
			}
			ids = ids[:0]
		}
	}
	return nil
}

func (s *Store) askSome(ctx context.Context, c *mongo.Collection, fields bson.D, ids bson.A, at map[string][]int, found func(i int, raw bson.Raw) error) error {
	var which any = bson.D{{Key: "$in", Value: ids}}
	if len(ids) == 1 {
		which = ids[0]
	}
	o := options.Find().SetBatchSize(int32(len(ids) + 1)) // one more: the cursor ends with its first batch
	if fields != nil {
		o.SetProjection(fields)
	}
	return s.try(ctx, func(ctx context.Context) error {
		cur, err := c.Find(ctx, byID(which), o)
		if err != nil {
			return err
		}
		defer cur.Close(ctx)
		for cur.Next(ctx) {
			id, ok := cur.Current.Lookup(fieldID).StringValueOK()
			if !ok {
				return corrupt("a document of %s without a key", c.Name())
			}
			for _, i := range at[id] {
				if err := found(i, cur.Current); err != nil {
					return err
				}
			}
		}
		return cur.Err()
	})
}

// Lookup implements catalog.Store.
func (s *Store) Lookup(ctx context.Context, ref catalog.Ref) ([]catalog.Key, error) {
	keys, err := s.lookup(ctx, ref)
	return keys, wrap(ctx, "look up", err)
}

func (s *Store) lookup(ctx context.Context, ref catalog.Ref) ([]catalog.Key, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	var keys []catalog.Key
	for _, kind := range refKinds {
		if !takesRef(kind, ref.Type) {
			continue
		}
		var some []catalog.Key
		err := s.try(ctx, func(ctx context.Context) error {
			some = some[:0]
			cur, err := s.near.Collection(kind.Plural()).Find(ctx, bson.D{{Key: fieldRefs, Value: refToken(ref)}}, options.Find().SetProjection(byID(1)))
			if err != nil {
				return err
			}
			defer cur.Close(ctx)
			for cur.Next(ctx) {
				some = append(some, catalog.Key(cur.Current.Lookup(fieldID).StringValue()))
			}
			return cur.Err()
		})
		if err != nil {
			return nil, err
		}
		keys = append(keys, some...)
	}
	slices.Sort(keys)
	return slices.Compact(keys), nil
}

// takesRef reports whether a record of a kind can have refs of a type. A url_key
// or variant is a product's, so that looking it up takes one call.
func takesRef(kind catalog.Kind, t catalog.RefType) bool {
	switch kind {
	case catalog.KindProduct:
		return refTypes[t] != ""
	case catalog.KindCategory:
		return t == catalog.RefCategoryURLKey
	}
	return false
}
