package mongostore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"catalog/catalog"
	"catalog/catalog/internal/gate"
)

// Store is a catalog.Store in a database of a MongoDB server. Any number of
// processes may have the same database open.
type Store struct {
	opts     Options
	where    string // without secrets
	client   *mongo.Client
	db       *mongo.Database // every read of it is of the primary
	near     *mongo.Database // by the read preference of the URL
	writer   string          // names this Store in the log
	encoders sync.Pool
	keys     keyLocks
	order    order
	watch    watch

	gate    *gate.Gate
	mu      sync.Mutex
	done    chan struct{} // closed when Close is through
	err     error         // of Close
	skew    time.Duration // what the server's clock is ahead of ours
	skewOld time.Time     // when that was last asked
}

var (
	_ catalog.Store   = (*Store)(nil)
	_ catalog.Counter = (*Store)(nil)
)

// Open connects to the server of a URL of MongoDB, mongodb:// or mongodb+srv://,
// whose path names the database, and makes a store in it if there is none. All
// that the URL may say holds, but writes are always acknowledged by a majority.
//
// The error is ErrUnavailable when no server answers, ErrRefused when it does
// not let the user in, ErrUnsuited when it is neither a replica set nor a sharded
// cluster, catalog.ErrVersion when a newer version of this package wrote the
// store, catalog.ErrInvalid for a URL that is none, and catalog.ErrNotFound as
// Options.Existing says.
func Open(ctx context.Context, url string, o *Options) (*Store, error) {
	where, name, err := place(url)
	if err != nil {
		return nil, fmt.Errorf("mongostore: open: %w", err)
	}
	for try := 1; ; try++ {
		start := time.Now()
		s, err := open(ctx, url, where, name, o)
		if err == nil {
			return s, nil
		}
		// A connection that is cut while the store is opened says nothing of the
		// next one. Where there is no server it takes longer to find that out.
		if try == openTries || !away(err) || time.Since(start) > time.Second || catalog.Sleep(ctx, time.Duration(try)*openPause) != nil {
			return nil, wrap(ctx, "open "+where, err)
		}
	}
}

// How often Open tries when its connection is cut, and how long it waits first.
const (
	openTries = 3
	openPause = 200 * time.Millisecond
)

func open(ctx context.Context, url, where, name string, o *Options) (*Store, error) {
	opts := o.withDefaults()
	co := options.Client().ApplyURI(url)
	if co.AppName == nil {
		co.SetAppName("catalog")
	}
	preferred := readpref.Primary()
	if co.ReadPreference != nil {
		preferred = co.ReadPreference
	}
	co.SetWriteConcern(writeconcern.Majority()).SetReadConcern(readconcern.Majority()).SetReadPreference(readpref.Primary())
	co.SetRetryWrites(true).SetRetryReads(true)
	if co.ServerSelectionTimeout == nil {
		co.SetServerSelectionTimeout(opts.ConnectTimeout)
	}
	if co.ConnectTimeout == nil {
		co.SetConnectTimeout(opts.ConnectTimeout)
	}
	client, err := mongo.Connect(co)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", catalog.ErrInvalid, err)
	}
	s := &Store{
		opts: opts, where: where, client: client,
		db:     client.Database(name),
		near:   client.Database(name, options.Database().SetReadPreference(preferred)),
		writer: bson.NewObjectID().Hex(),
		gate:   gate.New(), done: make(chan struct{}),
	}
	s.encoders.New = func() any { return new(encoder) }
	s.keys.init()
	s.order.init()
	s.watch.init()
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.disconnect())
	}
	return s, nil
}

// disconnect gives all connections up.
func (s *Store) disconnect() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return s.client.Disconnect(ctx)
}

// enter begins an operation; the caller calls leave when it is through.
func (s *Store) enter(ctx context.Context) error { return s.gate.Enter(ctx) }

func (s *Store) leave() { s.gate.Leave() }

// alive reports catalog.ErrClosed once Close was called.
func (s *Store) alive() error {
	select {
	case <-s.gate.Closed():
		return catalog.ErrClosed
	default:
		return nil
	}
}

// Close releases the store when all operations have ended; those that wait or
// iterate end with catalog.ErrClosed at their next step. It must not be called
// from inside a loop over one of the store's iterators.
func (s *Store) Close() error {
	idle, first := s.gate.Shut()
	if !first {
		<-s.done
		return s.err
	}
	defer close(s.done)
	<-idle
	s.watch.stop()
	s.err = wrap(context.Background(), "close", s.disconnect())
	return s.err
}

// call makes one call of the server, in its time.
func (s *Store) call(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	return f(ctx)
}

// try makes calls of the server that may be repeated, and does so while it is
// away, until RetryFor ends.
func (s *Store) try(ctx context.Context, f func(context.Context) error) error {
	b := backoff{store: s}
	for {
		err := s.call(ctx, f)
		if err == nil || !away(err) {
			return err
		}
		if !b.again(ctx, err) {
			return err
		}
	}
}

// backoff is the waiting between repetitions, growing, with chance in it.
type backoff struct {
	store *Store
	start time.Time
	wait  time.Duration
}

const (
	firstWait = time.Millisecond
	mostWait  = 500 * time.Millisecond
)

// again waits for the next repetition after err; false when there is to be none.
func (b *backoff) again(ctx context.Context, err error) bool {
	if b.start.IsZero() {
		b.start, b.wait = time.Now(), firstWait
		if away(err) {
			b.store.opts.Logger.Warn("the database does not answer, trying again", "err", err)
		}
	}
	if time.Since(b.start) > b.store.opts.RetryFor {
		return false
	}
	wait := b.wait/2 + rand.N(b.wait)
	b.wait = min(b.wait*2, mostWait)
	return b.store.pause(ctx, wait) == nil
}

// pause waits for a time, or for the end of the context or the store.
func (s *Store) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-s.gate.Closed():
		return catalog.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// records returns the collection of a kind.
func (s *Store) records(k catalog.Kind) *mongo.Collection { return s.db.Collection(k.Plural()) }

// heads returns the collection that has the heads of a kind.
func (s *Store) heads(k catalog.Kind) *mongo.Collection {
	if headsApart(k) {
		return s.db.Collection(headsName)
	}
	return s.records(k)
}
