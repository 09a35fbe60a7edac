package placeholder

import "sync"

// queue hands what was put into it to workers, as much at once as there is:
// while a worker is busy with a batch the next one gathers, so that load makes
// batches and idleness costs no waiting.
type queue[T any] struct {
	mu     sync.Mutex
	ready  sync.Cond
	items  []T
	closed bool
}

func newQueue[T any]() *queue[T] {
	q := &queue[T]{}
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
// is closed and empty.
func (q *queue[T]) take(limit int) []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == 0 && !q.closed {
		q.ready.Wait()
	}
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

// close lets take return what is left, and then nothing.
func (q *queue[T]) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.ready.Broadcast()
}
