package mongostore

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"catalog/catalog"
)

// order knows how far the log is settled: which Seqs below have their block, so
// that nothing can come before them any more. A reservation of this Store is
// waited for here, one of another process by looking for its block.
type order struct {
	mu    sync.Mutex
	epoch string
	pos   int64 // all Seqs below are settled
	tail  int64 // the last change below pos
	live  map[int64]*reservation
}

// reservation is a range of Seqs that one part of an Apply has to itself.
type reservation struct {
	from, span int64
	done       chan struct{} // closed when it has its block, or was left
}

func (o *order) init() { o.live = map[int64]*reservation{} }

// reset begins anew with what the state says.
func (o *order) reset(st *state) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.epoch, o.pos, o.tail = st.Epoch, st.Pos, st.Tail
}

// adopt takes over what the state knows better.
func (o *order) adopt(st *state) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if st.Epoch != o.epoch || st.Pos > o.pos {
		o.epoch, o.pos, o.tail = st.Epoch, st.Pos, st.Tail
	}
}

// at returns what is settled, and the reservation of this Store that is next.
func (o *order) at() (pos, tail int64, next *reservation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.pos, o.tail, o.live[o.pos]
}

// hint is what to tell others: the place that all Stores may begin to look at.
func (o *order) hint() (epoch string, pos, tail int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.epoch, o.pos, o.tail
}

// settle notes the block that begins at from.
func (o *order) settle(from, span, count int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if from != o.pos {
		return // known, or before its turn
	}
	o.pos += span
	if count > 0 {
		o.tail = from + count - 1
	}
}

// leave ends a reservation, which has its block or not.
func (o *order) leave(r *reservation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.live[r.from] == r {
		delete(o.live, r.from)
	}
	close(r.done)
}

// reserve takes the next n Seqs; catalog.ErrFenced when the context's fence no
// longer holds, which is decided in the same step.
func (s *Store) reserve(ctx context.Context, n int64) (*reservation, error) {
	epoch, pos, tail := s.order.hint()
	filter := append(byID(stateID), bson.E{Key: "epoch", Value: epoch})
	if f, ok := catalog.FenceOf(ctx); ok {
		at, err := s.now(ctx)
		if err != nil {
			return nil, err
		}
		held := bson.D{
			{Key: "name", Value: text(f.Name)},
			{Key: "token", Value: int64(f.Token)},
			{Key: "expires", Value: bson.D{{Key: "$gt", Value: bson.NewDateTimeFromTime(at)}}},
		}
		filter = append(filter, bson.E{Key: "leases", Value: bson.D{{Key: "$elemMatch", Value: held}}})
	}
	update := bson.D{
		{Key: "$inc", Value: bson.D{{Key: "next", Value: n}}},
		{Key: "$max", Value: bson.D{{Key: "pos", Value: pos}, {Key: "tail", Value: tail}}},
		{Key: "$currentDate", Value: bson.D{{Key: "reserved", Value: true}}},
	}
	// What the document is after the update is asked for, and not what it was
	// before: that is sure to be of the same step on every server.
	var after struct {
		Next int64 `bson:"next"`
	}
	o := options.FindOneAndUpdate().SetReturnDocument(options.After).SetProjection(bson.D{{Key: "next", Value: 1}})
	err := s.call(ctx, func(ctx context.Context) error {
		return s.db.Collection(stateName).FindOneAndUpdate(ctx, filter, update, o).Decode(&after)
	})
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, s.unreserved(ctx, epoch)
	}
	if err != nil {
		return nil, err
	}
	r := &reservation{from: after.Next - n, span: n, done: make(chan struct{})}
	s.order.mu.Lock()
	defer s.order.mu.Unlock()
	s.order.live[r.from] = r
	return r, nil
}

// unreserved says why there was nothing to reserve from.
func (s *Store) unreserved(ctx context.Context, epoch string) error {
	st, err := s.current(ctx)
	switch {
	case err != nil:
		return err
	case st.Epoch != epoch: // the store was made anew meanwhile
		s.order.adopt(st)
		return errAgain
	}
	return catalog.ErrFenced
}

// settled waits until all Seqs below upTo are settled. A gap that another
// process leaves longer than Patience is closed: that process, should it ever
// come back, finds its place in the log taken and its transaction ends there.
// A gap behind that one had its time too: its writer, if alive, waits only for
// its turn. And where nobody has begun anything for twice as long, there is
// nobody who could be waited for.
func (s *Store) settled(ctx context.Context, upTo int64) error {
	const most = 20 * time.Millisecond
	var stuck time.Time
	last, wait, patience := int64(-1), firstWait, s.opts.Patience
	quiet := false
	for {
		pos, _, next := s.order.at()
		if pos >= upTo {
			return nil
		}
		if next != nil {
			select {
			case <-next.done:
			case <-ctx.Done():
				return ctx.Err()
			}
			continue
		}
		found, err := s.step(ctx, pos)
		if err != nil {
			return err
		}
		if found {
			continue
		}
		if pos != last {
			last, wait, stuck = pos, firstWait, time.Now()
		}
		if quiet || time.Since(stuck) > patience {
			s.opts.Logger.Warn("a writer of another process is gone, its place in the log is taken away", "seq", pos)
			if err := s.closeGap(ctx, pos, upTo); err != nil {
				return err
			}
			patience = s.opts.Patience / 5
			continue
		}
		if err := s.pause(ctx, wait); err != nil {
			return err
		}
		wait = min(2*wait, most)
		st, err := s.current(ctx)
		if err != nil {
			return err
		}
		s.order.adopt(st) // others may have trimmed the log beyond pos
		if now, err := s.now(ctx); err != nil {
			return err
		} else if at := st.Reserved.Time(); st.Reserved != 0 {
			quiet = now.Sub(at) > 2*s.opts.Patience
		}
	}
}

// step looks whether the block at pos is there, and settles it.
func (s *Store) step(ctx context.Context, pos int64) (found bool, err error) {
	var b block
	err = s.try(ctx, func(ctx context.Context) error {
		return s.db.Collection(logName).FindOne(ctx, byID(pos), options.FindOne().SetProjection(blockSizes)).Decode(&b)
	})
	if errors.Is(err, mongo.ErrNoDocuments) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if b.Span < 1 {
		return false, corrupt("the block %d of the log has no length", pos)
	}
	s.order.settle(pos, b.Span, b.Count)
	return true, nil
}

// closeGap fills the Seqs from pos on, as far as they have no block, with
// empty ones, each of one Seq: where in there others begin is not known.
func (s *Store) closeGap(ctx context.Context, pos, upTo int64) error {
	var docs []any
	for p := pos; p < min(upTo, pos+maxSpan); p++ {
		docs = append(docs, block{ID: p, Span: 1})
	}
	return s.try(ctx, func(ctx context.Context) error {
		_, err := s.db.Collection(logName).InsertMany(ctx, docs, options.InsertMany().SetOrdered(false))
		if onlyDuplicates(err) {
			return nil
		}
		return err
	})
}

// onlyDuplicates reports whether all that failed was there before.
func onlyDuplicates(err error) bool {
	var bulk mongo.BulkWriteException
	if !errors.As(err, &bulk) || bulk.WriteConcernError != nil {
		return mongo.IsDuplicateKeyError(err)
	}
	for _, e := range bulk.WriteErrors {
		if !mongo.IsDuplicateKeyError(e) {
			return false
		}
	}
	return true
}

// view reads the state and the tail of the log, which is not before anything
// that was visible when view was called.
func (s *Store) view(ctx context.Context) (*state, int64, error) {
	st, err := s.current(ctx)
	if err != nil {
		return nil, 0, err
	}
	s.order.adopt(st)
	for {
		pos, tail, _ := s.order.at()
		found, err := s.step(ctx, pos)
		if err != nil || !found {
			return st, tail, err
		}
	}
}

// abandon gives a reservation up that is not to be used, so that nobody waits
// for it. It goes on where the caller's context has ended.
func (s *Store) abandon(ctx context.Context, r *reservation) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, err := s.db.Collection(logName).InsertOne(ctx, block{ID: r.from, Span: r.span})
	if err == nil {
		s.order.settle(r.from, r.span, 0)
	} else if !mongo.IsDuplicateKeyError(err) {
		s.opts.Logger.Warn("a place in the log could not be given back: the next writer waits for it", "seq", r.from, "err", err)
	}
	s.order.leave(r)
}
