package mongostore

import (
	"context"
	"errors"
	"iter"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"catalog/catalog"
)

// Heads implements catalog.Store.
func (s *Store) Heads(ctx context.Context, kind catalog.Kind, r catalog.Range) iter.Seq2[catalog.Head, error] {
	return func(yield func(catalog.Head, error) bool) {
		err := s.walk(ctx, s.heads(kind), r, nil, func(raw bson.Raw) (bool, error) {
			h, err := parseHead(kind, raw)
			return err == nil && yield(h, nil), err
		})
		if err != nil {
			yield(catalog.Head{}, wrap(ctx, "list heads", err))
		}
	}
}

// Scan implements catalog.Store.
func (s *Store) Scan(ctx context.Context, kind catalog.Kind, r catalog.Range) iter.Seq2[catalog.Record, error] {
	return func(yield func(catalog.Record, error) bool) {
		var buf []byte
		err := s.walk(ctx, s.records(kind), r, nil, func(raw bson.Raw) (bool, error) {
			rec, err := parseRecord(kind, raw, buf[:0])
			if cap(rec.Body) > cap(buf) {
				buf = rec.Body
			}
			return err == nil && yield(rec, nil), err
		})
		if err != nil {
			yield(catalog.Record{}, wrap(ctx, "scan", err))
		}
	}
}

// walk calls f for the documents of a range in the order of their keys, until f
// returns false or an error.
func (s *Store) walk(ctx context.Context, c *mongo.Collection, r catalog.Range, fields bson.D, f func(bson.Raw) (bool, error)) error {
	from, to := lowest(r.From), lowest(r.To)
	last := ""
	return s.each(ctx, func(ctx context.Context) (*mongo.Cursor, error) {
		bounds := bson.D{}
		switch {
		case last != "":
			bounds = append(bounds, bson.E{Key: "$gt", Value: last})
		case from != "":
			bounds = append(bounds, bson.E{Key: "$gte", Value: from})
		}
		if to != "" {
			bounds = append(bounds, bson.E{Key: "$lt", Value: to})
		}
		filter := bson.D{}
		if len(bounds) > 0 {
			filter = byID(bounds)
		}
		o := options.Find().SetSort(byID(1))
		if fields != nil {
			o.SetProjection(fields)
		}
		return c.Find(ctx, filter, o)
	}, func(raw bson.Raw) (bool, error) {
		key, ok := raw.Lookup(fieldID).StringValueOK()
		if !ok {
			return false, corrupt("a document of %s without a key", c.Name())
		}
		last = key
		if !r.Contains(catalog.Key(key)) { // see lowest
			return true, nil
		}
		return f(raw)
	})
}

// lowest returns the end of a range as a string that BSON can say: where the
// bytes stop being UTF-8, all keys from the last one that is are asked for, and
// sorted out afterwards. An upper bound must not become lower by that.
func lowest(k catalog.Key) string {
	if utf8.ValidString(string(k)) {
		return string(k)
	}
	return ""
}

// each calls f for what a cursor has, which open opens, and again, where it left
// off, when the server lost it. f is called outside of any call of the server,
// so that it may take its time.
func (s *Store) each(ctx context.Context, open func(context.Context) (*mongo.Cursor, error), f func(bson.Raw) (bool, error)) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	var cur *mongo.Cursor
	defer func() { s.closeCursor(ctx, cur) }()
	b := backoff{store: s}
	for {
		if err := s.usable(ctx); err != nil {
			return err
		}
		if cur == nil {
			err := s.try(ctx, func(ctx context.Context) (err error) {
				cur, err = open(ctx)
				return err
			})
			if err != nil {
				return err
			}
		}
		more := false
		if cur.RemainingBatchLength() > 0 {
			more = cur.Next(ctx)
		} else if err := s.call(ctx, func(ctx context.Context) error { more = cur.Next(ctx); return nil }); err != nil {
			return err
		}
		if !more {
			err := cur.Err()
			if err == nil {
				return nil
			}
			var server mongo.ServerError
			if !away(err) && !(errors.As(err, &server) && server.HasErrorCode(codeCursorNotFound)) || !b.again(ctx, err) {
				return err
			}
			s.closeCursor(ctx, cur)
			cur = nil
			continue
		}
		b = backoff{store: s}
		if ok, err := f(cur.Current); !ok || err != nil {
			return err
		}
	}
}

// usable reports whether an iteration may go on.
func (s *Store) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.alive()
}

// closeCursor gives a cursor back to the server, also when ctx has ended.
func (s *Store) closeCursor(ctx context.Context, cur *mongo.Cursor) {
	if cur == nil {
		return
	}
	_ = s.call(context.WithoutCancel(ctx), cur.Close) // the server forgets it by itself
}
