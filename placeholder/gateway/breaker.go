package gateway

import (
	"math/bits"
	"sync"
	"time"
)

// The breaker opens after failuresInRow failures in a row, or when half of the
// last window outcomes were failures.
const (
	failuresInRow = 5
	window        = 20
)

// State is what the breaker does.
type State uint8

// The states of the breaker.
const (
	Closed   State = iota // requests are ensured
	Open                  // requests pass at once, without being ensured
	HalfOpen              // one request is being ensured, to see if it works again
)

// String returns "closed", "open" or "half-open".
func (s State) String() string { return [...]string{"closed", "open", "half-open"}[s] }

// outcome is how a try went.
type outcome uint8

const (
	succeeded outcome = iota
	failed
	undecided // the client went away: it says nothing
)

// breaker keeps requests from waiting for what does not answer. It is safe for
// concurrent use.
type breaker struct {
	cooldown time.Duration
	changed  func(State) // called without the lock, after each change

	mu      sync.Mutex
	state   State
	history uint32 // the last outcomes, newest in bit 0; 1 is a failure
	seen    int    // how many bits of history count
	reopen  time.Time
	round   uint64 // counts changes, so that what began before one is not counted after it
}

// try reports whether something may be tried. If so done must be called once.
func (b *breaker) try() (done func(outcome), ok bool) {
	b.mu.Lock()
	switch b.state {
	case HalfOpen:
		b.mu.Unlock()
		return nil, false
	case Open:
		if time.Now().Before(b.reopen) {
			b.mu.Unlock()
			return nil, false
		}
		b.set(HalfOpen)
	case Closed:
	}
	round, probing := b.round, b.state == HalfOpen
	b.mu.Unlock()
	if probing {
		b.changed(HalfOpen)
	}
	return func(o outcome) { b.done(round, o) }, true
}

// set changes the state under the lock.
func (b *breaker) set(s State) {
	b.state = s
	b.round++
	b.history, b.seen = 0, 0
}

func (b *breaker) done(round uint64, o outcome) {
	b.mu.Lock()
	if round != b.round {
		b.mu.Unlock()
		return
	}
	before := b.state
	switch {
	case b.state == HalfOpen && o == succeeded:
		b.set(Closed)
	case b.state == HalfOpen:
		b.set(Open)
		if o == failed {
			b.reopen = time.Now().Add(b.cooldown)
		} // undecided: the next request probes
	case o != undecided:
		b.history = b.history<<1 | uint32(o)
		b.seen = min(b.seen+1, window)
		const row, all = 1<<failuresInRow - 1, 1<<window - 1
		if b.history&row == row || b.seen == window && bits.OnesCount32(b.history&all) >= window/2 {
			b.set(Open)
			b.reopen = time.Now().Add(b.cooldown)
		}
	}
	after := b.state
	b.mu.Unlock()
	if after != before {
		b.changed(after)
	}
}

// now returns the state.
func (b *breaker) now() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}
