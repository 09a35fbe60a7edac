package gateway

import (
	"sync/atomic"
	"time"

	"catalog/placeholder"
)

// Stats are counts since the gateway was made, and its present state.
type Stats struct {
	Requests int64 // all
	Read     int64 // those on a route that is read
	Unread   int64 // of these: too large, of an unknown compression or broken off
	Ensured  int64 // those whose SKUs were ensured, whatever the answers
	// What passed without having been ensured, by reason.
	Failed    int64 // ensuring failed
	Late      int64 // it took longer than the limit
	Rejected  int64 // the breaker was open
	Busy      int64 // too many were under way, or the gateway was being closed
	Gone      int64 // the client went away
	Rewritten int64 // requests that went on with another body, query or path
	Refused   int64 // requests answered in the shop's place: configurables
	Upstream  int64 // requests that the shop did not answer

	SKUs map[placeholder.Status]int64 // answers by status

	Waited        time.Duration // that requests waited for ensuring, in all
	LongestWait   time.Duration
	UnderWay      int // requests being ensured now
	Breaker       State
	BreakerOpened int64 // how many times
}

// statuses are those that are counted, in the order of counters.skus.
var statuses = [...]placeholder.Status{
	placeholder.Created, placeholder.Refreshed, placeholder.Present, placeholder.Foreign,
	placeholder.Unknown, placeholder.Disabled, placeholder.Refused,
}

// counters are what Stats reports.
type counters struct {
	requests, read, unread, ensured      atomic.Int64
	failed, late, rejected, busy, gone   atomic.Int64
	rewritten, refused, upstream, waited atomic.Int64
	longest, opened                      atomic.Int64
	skus                                 [len(statuses)]atomic.Int64
}

func (c *counters) count(results []placeholder.Result) {
	c.ensured.Add(1)
	for _, r := range results {
		for i, s := range statuses {
			if r.Status == s {
				c.skus[i].Add(1)
			}
		}
	}
}

func (c *counters) ensureTime(d time.Duration) {
	c.waited.Add(int64(d))
	for {
		max := c.longest.Load()
		if int64(d) <= max || c.longest.CompareAndSwap(max, int64(d)) {
			return
		}
	}
}

// Stats returns the counts so far. It is cheap and safe for concurrent use.
func (g *Gateway) Stats() Stats {
	c := &g.stats
	s := Stats{
		Requests: c.requests.Load(), Read: c.read.Load(), Unread: c.unread.Load(), Ensured: c.ensured.Load(),
		Failed: c.failed.Load(), Late: c.late.Load(), Rejected: c.rejected.Load(), Busy: c.busy.Load(), Gone: c.gone.Load(),
		Rewritten: c.rewritten.Load(), Refused: c.refused.Load(), Upstream: c.upstream.Load(),
		SKUs:   map[placeholder.Status]int64{},
		Waited: time.Duration(c.waited.Load()), LongestWait: time.Duration(c.longest.Load()),
		UnderWay: len(g.slots), Breaker: g.breaker.now(), BreakerOpened: c.opened.Load(),
	}
	for i, st := range statuses {
		s.SKUs[st] = c.skus[i].Load()
	}
	return s
}
