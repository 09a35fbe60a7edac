package mongostore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"catalog/catalog"
)

// stateID is the _id of the one document that describes the store as a whole.
const stateID = "store"

// state is that document. What must be decided together is in it, since an
// update of one document is atomic: a range of Seqs is reserved only while a
// lease is held, and the log is trimmed only behind all followers.
type state struct {
	Format    int            `bson:"format"`
	Epoch     string         `bson:"epoch"`
	Rev       int64          `bson:"rev"`      // of what follows Next; counts its changes
	Next      int64          `bson:"next"`     // the first Seq that nobody has reserved
	Reserved  bson.DateTime  `bson:"reserved"` // when Next was last raised; 0 where no version did that knew this
	Pos       int64          `bson:"pos"`      // all Seqs below are settled; may lag behind
	Tail      int64          `bson:"tail"`     // the last change below Pos
	Trimmed   int64          `bson:"trimmed"`  // changes up to here are gone
	First     int64          `bson:"first"`    // where the log begins: the _id of its first block
	Token     int64          `bson:"token"`    // of the last acquisition of any lease
	Base      []delta        `bson:"base"`     // what the blocks that were trimmed counted
	Leases    []leaseDoc     `bson:"leases"`
	Followers []followerDoc  `bson:"followers"`
	Made      bson.DateTime  `bson:"made"`
	Extra     map[string]any `bson:",inline"`
}

// delta is by how much a block of the log changes the number of records of a
// kind, for products those of one source.
type delta struct {
	Kind   int32         `bson:"kind"`
	Source bson.RawValue `bson:"source"`
	Number int64         `bson:"n"`
}

func byID(id any) bson.D { return bson.D{{Key: fieldID, Value: id}} }

// oldestWire is the wire version of MongoDB 5.0, the first that takes any name
// of a field.
const oldestWire = 13

// prepare checks that the server can keep a store, and makes one if need be.
func (s *Store) prepare(ctx context.Context) error {
	var hello struct {
		SetName string `bson:"setName"`
		Msg     string `bson:"msg"`
		Wire    int    `bson:"maxWireVersion"`
	}
	err := s.call(ctx, func(ctx context.Context) error {
		return s.db.RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello)
	})
	if err != nil {
		return err
	}
	if hello.SetName == "" && hello.Msg != "isdbgrid" {
		return fmt.Errorf("%w: it is neither a replica set nor a sharded cluster, and so has no transactions: start mongod with --replSet and run rs.initiate() once", ErrUnsuited)
	}
	if hello.Wire < oldestWire {
		return fmt.Errorf("%w: it is older than MongoDB 5.0", ErrUnsuited)
	}
	st, err := s.state(ctx)
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		if s.opts.Existing {
			return catalog.ErrNotFound
		}
		if st, err = s.found(ctx); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	if st.Format > formatVersion {
		return fmt.Errorf("%w: format %d, this program knows %d", catalog.ErrVersion, st.Format, formatVersion)
	}
	if st.Epoch == "" { // restored: see the package's doc
		if st, err = s.renewEpoch(ctx); err != nil {
			return err
		}
	}
	s.order.reset(st)
	return s.call(ctx, s.askTime)
}

// found makes the collections, their indexes, and last the state.
func (s *Store) found(ctx context.Context) (*state, error) {
	names := []string{headsName, logName, metaName, stateName}
	for _, k := range catalog.Kinds() {
		names = append(names, k.Plural())
	}
	for _, name := range names {
		err := s.call(ctx, func(ctx context.Context) error { return s.db.CreateCollection(ctx, name) })
		var server mongo.ServerError
		if err != nil && (!errors.As(err, &server) || !server.HasErrorCode(codeNamespaceExists)) {
			return nil, err
		}
	}
	for _, k := range refKinds {
		err := s.call(ctx, func(ctx context.Context) error {
			_, err := s.records(k).Indexes().CreateOne(ctx, mongo.IndexModel{
				Keys: bson.D{{Key: fieldRefs, Value: 1}}, Options: options.Index().SetName(fieldRefs).SetSparse(true),
			})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	st := state{
		Format: formatVersion, Epoch: newEpoch(), Next: 1, Pos: 1, First: 1, Made: bson.NewDateTimeFromTime(time.Now()),
		Base: []delta{}, Leases: []leaseDoc{}, Followers: []followerDoc{},
	}
	err := s.call(ctx, func(ctx context.Context) error {
		_, err := s.db.Collection(stateName).UpdateOne(ctx, byID(stateID), bson.D{{Key: "$setOnInsert", Value: st}}, options.UpdateOne().SetUpsert(true))
		return err
	})
	if err != nil && !mongo.IsDuplicateKeyError(err) {
		return nil, err
	}
	return s.state(ctx) // of whoever came first
}

const codeNamespaceExists = 48

func newEpoch() string { return rand.Text()[:16] }

// renewEpoch gives an epoch to a store that lacks one.
func (s *Store) renewEpoch(ctx context.Context) (*state, error) {
	err := s.call(ctx, func(ctx context.Context) error {
		none := bson.D{{Key: fieldID, Value: stateID}, {Key: "epoch", Value: bson.D{{Key: "$in", Value: bson.A{nil, ""}}}}}
		_, err := s.db.Collection(stateName).UpdateOne(ctx, none, bson.D{{Key: "$set", Value: bson.D{{Key: "epoch", Value: newEpoch()}}}})
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.state(ctx)
}

// state reads the state.
func (s *Store) state(ctx context.Context) (*state, error) {
	var st state
	err := s.call(ctx, func(ctx context.Context) error {
		st = state{}
		return s.db.Collection(stateName).FindOne(ctx, byID(stateID)).Decode(&st)
	})
	return &st, err
}

// current reads the state as often as it takes, of a store that is there.
func (s *Store) current(ctx context.Context) (*state, error) {
	var st *state
	err := s.try(ctx, func(ctx context.Context) (err error) {
		st, err = s.state(ctx)
		return err
	})
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, corrupt("the database lost its store")
	}
	return st, err
}

// change lets f change the state, and tries again when others did meanwhile. f
// returns the fields to be set; none changes nothing.
func (s *Store) change(ctx context.Context, f func(st *state) (bson.D, error)) error {
	b := backoff{store: s}
	for {
		st, err := s.current(ctx)
		if err != nil {
			return err
		}
		set, err := f(st)
		if err != nil || len(set) == 0 {
			return err
		}
		set = append(set, bson.E{Key: "rev", Value: st.Rev + 1})
		matched := int64(0)
		err = s.call(ctx, func(ctx context.Context) error {
			same := bson.D{{Key: fieldID, Value: stateID}, {Key: "epoch", Value: st.Epoch}, {Key: "rev", Value: st.Rev}}
			res, err := s.db.Collection(stateName).UpdateOne(ctx, same, bson.D{{Key: "$set", Value: set}})
			if err == nil {
				matched = res.MatchedCount
			}
			return err
		})
		if err == nil && matched == 1 {
			return nil
		}
		if err == nil {
			err = errAgain
		}
		if !clash(err) && !away(err) || !b.again(ctx, err) {
			return err
		}
	}
}

// cursor returns a place in the log of this epoch.
func (st *state) cursor(seq int64) catalog.Cursor {
	return catalog.Cursor{Epoch: st.Epoch, Seq: catalog.Seq(seq)}
}

// has reports whether the log, which ends at tail, has all that follows c.
func (st *state) has(c catalog.Cursor, tail int64) bool {
	return (c.IsZero() || c.Epoch == st.Epoch) && c.Seq >= catalog.Seq(st.Trimmed) && c.Seq <= catalog.Seq(tail)
}

// clockLife is how long the difference of two clocks is taken for the same.
const clockLife = time.Minute

// askTime learns what the server's clock is ahead of this machine's: leases
// expire by the server's, since their holders are on different machines.
func (s *Store) askTime(ctx context.Context) error {
	var hello struct {
		Time time.Time `bson:"localTime"`
	}
	start := time.Now()
	if err := s.db.RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		return err
	}
	end := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew = 0
	// A difference below the time that the call took is none.
	if d := hello.Time.Sub(start.Add(end.Sub(start) / 2)); d.Abs() > end.Sub(start)+20*time.Millisecond {
		s.skew = d
	}
	s.skewOld = end
	return nil
}

// currentAt returns the state as it is, and the server's time by which its
// leases are judged.
func (s *Store) currentAt(ctx context.Context) (*state, time.Time, error) {
	st, err := s.current(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	now, err := s.now(ctx)
	return st, now, err
}

// now returns the server's time.
func (s *Store) now(ctx context.Context) (time.Time, error) {
	s.mu.Lock()
	old := time.Since(s.skewOld) > clockLife
	s.mu.Unlock()
	if old {
		if err := s.try(ctx, s.askTime); err != nil {
			return time.Time{}, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.skew), nil
}
