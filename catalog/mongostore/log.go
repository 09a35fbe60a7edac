package mongostore

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"catalog/catalog"
)

// Tail implements catalog.Store.
func (s *Store) Tail(ctx context.Context) (catalog.Cursor, error) {
	if err := s.enter(ctx); err != nil {
		return catalog.Cursor{}, wrap(ctx, "tail", err)
	}
	defer s.leave()
	st, tail, err := s.view(ctx)
	if err != nil {
		return catalog.Cursor{}, wrap(ctx, "tail", err)
	}
	return st.cursor(tail), nil
}

// Changes implements catalog.Store.
func (s *Store) Changes(ctx context.Context, after catalog.Cursor) iter.Seq2[catalog.Change, error] {
	return func(yield func(catalog.Change, error) bool) {
		if err := s.changes(ctx, after, yield); err != nil {
			yield(catalog.Change{}, wrap(ctx, "read changes", err))
		}
	}
}

func (s *Store) changes(ctx context.Context, after catalog.Cursor, yield func(catalog.Change, error) bool) error {
	st, tail, err := s.place(ctx, after)
	if err != nil || int64(after.Seq) >= tail {
		return err
	}
	seq := after.Seq
	pos := int64(0) // where the next block must begin
	stopped := false
	step := func(b *block) (more bool, err error) {
		if pos != 0 && b.ID < pos {
			return true, nil // of a gap that was closed twice
		}
		if pos != 0 && b.ID != pos {
			return false, corrupt("the log goes on at %d, not %d", b.ID, pos)
		}
		pos = b.ID + b.Span
		var end error
		more, err = b.changes(seq, func(c catalog.Change) bool {
			if end = s.usable(ctx); end != nil {
				return false
			}
			seq = c.Seq
			stopped = !yield(c, nil)
			return !stopped
		})
		return more && pos <= tail, errors.Join(err, end)
	}
	// Whoever follows the log asks for what is just beyond the last block that
	// it had: that is found by its name.
	var next block
	err = s.try(ctx, func(ctx context.Context) error {
		next = block{}
		return s.db.Collection(logName).FindOne(ctx, byID(int64(after.Seq)+1)).Decode(&next)
	})
	if err == nil {
		more, err := step(&next)
		if err != nil || !more {
			return err
		}
	} else if err != mongo.ErrNoDocuments { //nolint:errorlint // FindOne returns it as it is
		return err
	}
	err = s.each(ctx, func(ctx context.Context) (*mongo.Cursor, error) {
		from := pos
		if from == 0 {
			from = max(st.First, int64(seq)-maxSpan+2) // may begin before what is asked for
		}
		return s.db.Collection(logName).Find(ctx, byID(bson.D{{Key: "$gte", Value: from}}), options.Find().SetSort(byID(1)))
	}, func(raw bson.Raw) (bool, error) {
		var b block
		if err := bson.Unmarshal(raw, &b); err != nil {
			return false, corrupt("a block of the log: %v", err)
		}
		if pos == 0 && b.ID+b.Span <= int64(after.Seq) {
			return true, nil
		}
		return step(&b)
	})
	if err != nil || stopped || int64(seq) >= tail {
		return err
	}
	// It ended too early: somebody trimmed it meanwhile.
	return catalog.ErrTrimmed
}

// place returns the state and the tail, if the log has what follows a cursor.
func (s *Store) place(ctx context.Context, after catalog.Cursor) (*state, int64, error) {
	if err := s.enter(ctx); err != nil {
		return nil, 0, err
	}
	defer s.leave()
	st, tail, err := s.view(ctx)
	if err == nil && !st.has(after, tail) {
		err = catalog.ErrTrimmed
	}
	return st, tail, err
}

// Wait implements catalog.Store. A change stream of the log wakes it.
func (s *Store) Wait(ctx context.Context, after catalog.Cursor) error {
	return wrap(ctx, "wait for changes", s.wait(ctx, after))
}

func (s *Store) wait(ctx context.Context, after catalog.Cursor) error {
	for {
		woken, err := s.watch.listen(ctx, s)
		if err != nil {
			return err
		}
		_, tail, err := s.place(ctx, after)
		if err != nil {
			return err
		}
		if int64(after.Seq) < tail {
			return nil
		}
		select {
		case <-woken:
		case <-s.gate.Closed():
			return catalog.ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Trim implements catalog.Store.
func (s *Store) Trim(ctx context.Context, upTo catalog.Seq) (catalog.Seq, error) {
	if err := s.enter(ctx); err != nil {
		return 0, wrap(ctx, "trim the log", err)
	}
	defer s.leave()
	b := backoff{store: s}
	for {
		last, err := s.trim(ctx, upTo)
		if err == nil || !clash(err) && !away(err) || !b.again(ctx, err) {
			return catalog.Seq(last), wrap(ctx, "trim the log", err)
		}
	}
}

// trim drops whole blocks, of which the state keeps what they counted; of the
// block that goes on behind the last one dropped the state hides a part.
func (s *Store) trim(ctx context.Context, to catalog.Seq) (int64, error) {
	st, tail, err := s.view(ctx)
	if err != nil {
		return 0, err
	}
	upTo := tail
	if to < catalog.Seq(upTo) {
		upTo = int64(to)
	}
	for _, f := range st.Followers {
		upTo = min(upTo, f.At)
	}
	if upTo <= st.Trimmed {
		return st.Trimmed, nil
	}
	pos, settled, _ := s.order.at()
	sum := counts{}
	sum.add(st.Base)
	first := st.First
	err = s.blocks(ctx, first, upTo, func(b *block) {
		if b.ID == first && b.ID+b.Span-1 <= upTo {
			first = b.ID + b.Span
			sum.add(b.Deltas)
		}
	})
	if err != nil {
		return 0, err
	}
	err = s.transaction(ctx, func(ctx context.Context) error {
		same := bson.D{{Key: fieldID, Value: stateID}, {Key: "epoch", Value: st.Epoch}, {Key: "rev", Value: st.Rev}}
		res, err := s.db.Collection(stateName).UpdateOne(ctx, same, bson.D{
			{Key: "$set", Value: bson.D{
				{Key: "rev", Value: st.Rev + 1}, {Key: "trimmed", Value: upTo}, {Key: "first", Value: first}, {Key: "base", Value: sum.deltas()},
			}},
			{Key: "$max", Value: bson.D{{Key: "pos", Value: pos}, {Key: "tail", Value: settled}}},
		})
		if err != nil {
			return err
		}
		if res.MatchedCount == 0 {
			return errAgain
		}
		_, err = s.db.Collection(logName).DeleteMany(ctx, byID(bson.D{{Key: "$lt", Value: first}}))
		return err
	})
	if err != nil {
		return 0, err
	}
	return upTo, nil
}

// blocks calls f for the blocks from first on that begin at or before upTo,
// without their entries. A block that lies in another is none.
func (s *Store) blocks(ctx context.Context, first, upTo int64, f func(*block)) error {
	next := first
	return s.each(ctx, func(ctx context.Context) (*mongo.Cursor, error) {
		bounds := bson.D{{Key: "$gte", Value: next}, {Key: "$lte", Value: upTo}}
		return s.db.Collection(logName).Find(ctx, byID(bounds), options.Find().SetSort(byID(1)).SetProjection(bson.D{{Key: fieldEntries, Value: 0}}))
	}, func(raw bson.Raw) (bool, error) {
		var b block
		if err := bson.Unmarshal(raw, &b); err != nil {
			return false, corrupt("a block of the log: %v", err)
		}
		if b.ID < next {
			return true, nil
		}
		next = b.ID + max(b.Span, 1)
		f(&b)
		return true, nil
	})
}

// transaction runs f in a transaction of its own.
func (s *Store) transaction(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	session, err := s.client.StartSession()
	if err != nil {
		return err
	}
	defer session.EndSession(context.WithoutCancel(ctx))
	if err := session.StartTransaction(snapshot); err != nil {
		return err
	}
	if err := f(mongo.NewSessionContext(ctx, session)); err != nil {
		s.abort(ctx, session)
		return err
	}
	return session.CommitTransaction(ctx)
}

// abort ends a transaction that is not to be. The server would do so in time.
func (s *Store) abort(ctx context.Context, session *mongo.Session) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = session.AbortTransaction(ctx)
}

// counts are the numbers of records by kind and, for products, source.
type counts map[countKey]int64

type countKey struct {
	kind   catalog.Kind
	source string
}

func (c counts) add(deltas []delta) {
	for _, d := range deltas {
		source, _ := textOf(d.Source)
		c[countKey{catalog.Kind(d.Kind), source}] += d.Number
	}
}

func (c counts) deltas() []delta {
	out := []delta{}
	for k, n := range c {
		if n != 0 {
			t, data, err := bson.MarshalValue(text(k.source))
			if err != nil {
				continue // of a string there is none
			}
			out = append(out, delta{Kind: int32(k.kind), Source: bson.RawValue{Type: t, Value: data}, Number: n})
		}
	}
	slices.SortFunc(out, func(a, b delta) int { return int(a.Kind) - int(b.Kind) })
	return out
}
