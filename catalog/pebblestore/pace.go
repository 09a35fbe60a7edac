package pebblestore

import "time"

// compactionCategory is what Pebble calls the tables that compactions write.
const compactionCategory = "pebble-compaction"

// longestRest bounds a rest: who worked long mostly waited for the disk.
const longestRest = 200 * time.Millisecond

// pace lets compactions rest while others want the processor. A goroutine has no
// priority: one that compresses tables for a minute takes half of two
// processors from requests that take a millisecond each.
type pace struct {
	yield  func() bool
	closed <-chan struct{} // the store is: nobody waits any more
}

// rest returns after as long as the caller has worked, at once if nobody else
// wants the processor.
func (p *pace) rest(worked time.Duration) {
	if !p.yield() {
		return
	}
	t := time.NewTimer(min(worked, longestRest))
	defer t.Stop()
	select {
	case <-t.C:
	case <-p.closed:
	}
}
