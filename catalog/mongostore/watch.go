package mongostore

import (
	"context"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// watch wakes those who wait for changes: by a change stream of the log, which
// is opened when the first one waits, and right away after what this Store wrote
// itself.
type watch struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	started bool
	open    chan struct{} // closed while the stream is open
	woken   chan struct{} // closed at the next change, and when the stream was lost
}

func (w *watch) init() {
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.open, w.woken = make(chan struct{}), make(chan struct{})
}

func (w *watch) stop() {
	w.mu.Lock()
	w.started = true // nobody starts it any more
	w.mu.Unlock()
	w.cancel()
	w.wg.Wait()
}

// listen returns what is closed at the next change from now on.
func (w *watch) listen(ctx context.Context, s *Store) (<-chan struct{}, error) {
	for {
		if err := s.usable(ctx); err != nil {
			return nil, err
		}
		w.mu.Lock()
		if !w.started {
			w.started = true
			w.wg.Go(func() { w.run(s) })
		}
		open, woken := w.open, w.woken
		w.mu.Unlock()
		select {
		case <-open:
			return woken, nil
		default:
		}
		// Not open: what comes meanwhile would be missed, so that the caller
		// waits for it, and only then looks at the log.
		select {
		case <-open:
		case <-s.gate.Closed():
		case <-ctx.Done():
		}
	}
}

// wake wakes all.
func (w *watch) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.woken)
	w.woken = make(chan struct{})
}

// run keeps the stream open.
func (w *watch) run(s *Store) {
	b := backoff{store: s}
	for w.ctx.Err() == nil {
		err := w.stream(s, func() { b = backoff{store: s} })
		if w.ctx.Err() != nil {
			return
		}
		if !b.start.IsZero() && time.Since(b.start) > s.opts.RetryFor/2 {
			b.start = time.Now() // whoever waits does so without end
		}
		b.again(w.ctx, err)
	}
}

// stream wakes at each change while a stream lives.
func (w *watch) stream(s *Store, opened func()) error {
	pipeline := mongo.Pipeline{
		{{Key: "$match", Value: bson.D{{Key: "operationType", Value: "insert"}}}},
		{{Key: "$project", Value: bson.D{{Key: "documentKey", Value: 1}}}},
	}
	var cs *mongo.ChangeStream
	err := s.call(w.ctx, func(ctx context.Context) (err error) {
		cs, err = s.db.Collection(logName).Watch(ctx, pipeline, options.ChangeStream().SetMaxAwaitTime(time.Second))
		return err
	})
	if err != nil {
		return err
	}
	w.mu.Lock()
	close(w.open)
	w.mu.Unlock()
	opened()
	defer func() {
		w.mu.Lock()
		w.open = make(chan struct{})
		w.mu.Unlock()
		w.wake() // for what came while it broke
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = cs.Close(ctx)
	}()
	for cs.Next(w.ctx) {
		w.wake()
	}
	return cs.Err()
}
