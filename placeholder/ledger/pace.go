package ledger

import (
	"sync"
	"time"
)

// One statement deletes between paceLeast and paceMost products, each of which
// has the server look into some forty tables. It should take paceLong at most,
// also on a server that others keep busy: a shopper may wait for what it locks.
const (
	paceLeast = 5
	paceFirst = 20
	paceMost  = 50
	paceLong  = 50 * time.Millisecond
)

// pace is how many products one statement deletes: half as many after a slow
// one, a few more after quick ones, so that a server that starves for a moment
// does not do so with a long statement in hand twice. The zero value is ready;
// it is safe for concurrent use.
type pace struct {
	mu   sync.Mutex
	step int
}

// next is how many products the next statement deletes.
func (p *pace) next() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.step == 0 {
		p.step = paceFirst
	}
	return p.step
}

// note takes down how long statements of so many products each took on average.
func (p *pace) note(step int, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case took > paceLong:
		// Of two that were under way together, one is enough to slow down.
		p.step = max(min(p.step, step/2), paceLeast)
	case took < paceLong/4 && step == p.step:
		p.step = min(p.step+p.step/4, paceMost)
	}
}
