package placeholder

import (
	"sync"
	"time"
)

// queue hands what was put into it to workers, as much at once as there is:
// while a worker is busy with a batch the next one gathers, so that load makes
// batches and idleness costs no waiting.
type queue[T any] struct {
	// While another worker is busy a batch of less than gather items waits for
	// more, for patience at most, or half the time that a batch takes of late if
	// that is longer: what it costs to write many is little more than to write a
	// few, and the more so the slower the database is. 0 is no waiting.
	gather   int
	patience time.Duration
	// The queue that batches of this one go on to, or nil. While it has work a
	// batch waits here, too: those whose answers it gives out are back in a
	// moment, all of them, and who starts with the first looks up one by one what
	// is written together. next has this one for its prev, to tell it when there is
	// none any more: who is answered alone comes back before the worker has.
	next, prev *queue[T]

	mu     sync.Mutex
	ready  sync.Cond
	items  []T
	busy   int           // workers that are not in take
	took   time.Duration // by a batch, the last ones the most
	closed bool
}

func newQueue[T any](workers, gather int, patience time.Duration) *queue[T] {
	q := &queue[T]{gather: gather, patience: patience, busy: workers}
	q.ready.L = &q.mu
	return q
}

// put adds items; false when the queue is closed.
func (q *queue[T]) put(items ...T) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.items = append(q.items, items...)
	q.ready.Signal()
	return true
}

// take waits for items and returns at most limit of them; none when the queue
// is closed and empty. A worker calls it when it is done with the last ones.
func (q *queue[T]) take(limit int) []T {
	q.rest()
	q.mu.Lock()
	defer q.mu.Unlock()
	defer func() { q.busy++ }()
	q.wait()
	n := min(limit, len(q.items))
	batch := q.items[:n:n]
	q.items = q.items[n:]
	if len(q.items) == 0 {
		q.items = nil
	} else {
		q.ready.Signal()
	}
	return batch
}

// before makes next the queue that batches of this one go on to.
func (q *queue[T]) before(next *queue[T]) { q.next, next.prev = next, q }

// rest notes that a worker is done with its batch.
func (q *queue[T]) rest() {
	q.mu.Lock()
	q.busy--
	last := q.busy == 0
	q.mu.Unlock() // prev's lock is held around this one's, not within it
	if last && q.prev != nil {
		q.prev.mu.Lock()
		defer q.prev.mu.Unlock()
		q.prev.ready.Broadcast()
	}
}

// maxPatience is the longest that a batch waits for more.
const maxPatience = 20 * time.Millisecond

// note takes down how long a batch took.
func (q *queue[T]) note(took time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.took += (took - q.took) / 8
}

// atWork reports whether a worker is busy with a batch; of no queue none is.
func (q *queue[T]) atWork() bool {
	if q == nil {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.busy > 0
}

// wait returns when a batch may be taken, or the queue is closed.
func (q *queue[T]) wait() {
	var patience *time.Timer
	over := false // guarded by mu
	for !q.closed {
		switch {
		case len(q.items) == 0:
			if patience != nil { // another worker took them
				patience.Stop()
				patience, over = nil, false
			}
		case over || len(q.items) >= q.gather || q.busy == 0 && !q.next.atWork():
			if patience != nil {
				patience.Stop()
			}
			return
		case patience == nil:
			patience = time.AfterFunc(max(q.patience, min(q.took/2, maxPatience)), func() {
				q.mu.Lock()
				defer q.mu.Unlock()
				over = true
				q.ready.Broadcast()
			})
		}
		q.ready.Wait()
	}
	if patience != nil {
		patience.Stop()
	}
}

// close lets take return what is left, and then nothing.
func (q *queue[T]) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.ready.Broadcast()
}
