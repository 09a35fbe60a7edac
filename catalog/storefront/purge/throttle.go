package purge

import (
	"slices"
	"time"

	"catalog/catalog"
)

// throttle holds keys back so that each is sent at most once in a time.
type throttle struct {
	every time.Duration
	held  map[string]heldKey
	last  map[string]time.Time // when a key was sent, if that was less than every ago
}

// heldKey is a key that waits.
type heldKey struct {
	due   time.Time
	seq   catalog.Seq // the earliest change that asked for it
	again catalog.Seq // the earliest change for which due is too soon; 0: none
}

func newThrottle(every time.Duration) *throttle {
	return &throttle{every: every, held: map[string]heldKey{}, last: map[string]time.Time{}}
}

// add takes keys, none of which is due before a time.
func (t *throttle) add(keys map[string]catalog.Seq, soonest time.Time) {
	for k, seq := range keys {
		h, waits := t.held[k]
		if !waits {
			h = heldKey{due: soonest, seq: seq}
			if last, ok := t.last[k]; ok && last.Add(t.every).After(soonest) {
				h.due = last.Add(t.every)
			}
		} else if h.due.Before(soonest) && h.again == 0 {
			// Putting it off would never end in an import: it is sent twice.
			h.again = seq
		}
		t.held[k] = h
	}
}

// due returns the keys whose time has come, in order.
func (t *throttle) due(now time.Time) []string {
	var out []string
	for k, h := range t.held {
		if !h.due.After(now) {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// sent takes note that keys were sent.
func (t *throttle) sent(keys []string, now time.Time) {
	for _, k := range keys {
		again := t.held[k].again
		delete(t.held, k)
		if again != 0 {
			t.held[k] = heldKey{due: now.Add(t.every), seq: again}
		}
		t.last[k] = now
	}
	for k, at := range t.last {
		if now.Sub(at) >= t.every {
			delete(t.last, k)
		}
	}
}

// next returns when the next key is due.
func (t *throttle) next() (time.Time, bool) {
	var next time.Time
	for _, h := range t.held {
		if next.IsZero() || h.due.Before(next) {
			next = h.due
		}
	}
	return next, !next.IsZero()
}

// first returns the earliest change that asked for a key that waits.
func (t *throttle) first() (catalog.Seq, bool) {
	var first catalog.Seq
	for _, h := range t.held {
		if first == 0 || h.seq < first {
			first = h.seq
		}
	}
	return first, first != 0
}

func (t *throttle) empty() bool { return len(t.held) == 0 }
