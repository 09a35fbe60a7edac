package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

const (
	// bulkCache is enough for an import or export: it reads the store from end
	// to end, or looks up keys in their order.
	bulkCache = 4 << 20
	// bulkScatteredCache keeps the filters and indexes of a store that was
	// never compacted from one key to the next.
	bulkScatteredCache = 32 << 20
	// bulkSlack is how much garbage may be left before it is collected. Every
	// block that is read from the store is some, so that an import that looks
	// things up makes gigabytes of it; with 10 MiB a sync of two million
	// products collected 1,500 times, a third of its processor time.
	bulkSlack = 48 << 20
	// bulkPercent is the most that garbage may be of what is in use: so much
	// that a small import is let grow by bulkSlack as well, or nearly.
	bulkPercent = 1600
	// bulkHeap is what the buffers of an import of products take, and some
	// garbage: a size at which it is collected all the same.
	bulkHeap = 200 << 20
)

// tuneForBulk makes the peak of memory of an import or export hardly depend on
// how much it reads. Its heap is buffers that are used over and over; by default
// it would be let grow to twice that, and how near it comes to that depends on
// how long it takes. Here a constant size may be garbage, or a quarter if that
// is more. Call the function returned when the work is over.
func tuneForBulk(a *app) (done func()) {
	a.bulk, a.cacheBytes, a.scatteredBytes = true, bulkCache, bulkScatteredCache
	if a.tuned() {
		return func() {}
	}
	before, limit := debug.SetGCPercent(-1), debug.SetMemoryLimit(bulkHeap)
	percent, ceiling := 0, int64(bulkHeap)
	stop := watchHeap(50*time.Millisecond, func(live int64) {
		p := percentOf(live, bulkSlack, 25, bulkPercent)
		// A limit near what is in use would collect without end.
		c := max(bulkHeap, live/4*5)
		if p != percent || c != ceiling {
			debug.SetGCPercent(p)
			debug.SetMemoryLimit(c)
			percent, ceiling = p, c
		}
	})
	return func() {
		stop()
		debug.SetGCPercent(before)
		debug.SetMemoryLimit(limit)
	}
}

// collectAt lets garbage come to percent of what is in use before it is
// collected. Call the function returned when the work is over.
func (a *app) collectAt(percent int) (done func()) {
	if a.tuned() {
		return func() {}
	}
	before := debug.SetGCPercent(percent)
	return func() { debug.SetGCPercent(before) }
}

// tuneForRequests gives a server twice as many threads for Go's code as it may
// use processors, and lets one piece of heavy work have no more than before. When
// indexing and an Apply have all threads, a request waits until one of
// them has had its 10 ms: that the request is there, even, is only seen when a
// thread runs out of work, or each 10 ms. With threads to spare one of them
// waits for the network, and the system, which favours who has slept, gives it a
// processor within its own, shorter turns. Call the function returned when the
// work is over.
func (a *app) tuneForRequests() (done func()) {
	n := runtime.GOMAXPROCS(0)
	a.workers = n
	if _, set := a.lookup("GOMAXPROCS"); set {
		return func() { a.workers = 0 }
	}
	runtime.GOMAXPROCS(2 * n)
	return func() {
		runtime.GOMAXPROCS(n)
		a.workers = 0
	}
}

const (
	// leastCache is what a server keeps of what it reads, in bytes, however
	// little memory there is, and cacheShare which part of it where there is
	// more. Blocks that are read again are not decompressed again: a product that
	// is there costs half of what one costs that is not.
	leastCache = 512 << 20
	cacheShare = 6
	// liveShare is which part of that is for price and stock as they are told.
	// They take a seventh of the room of the documents that they are read apart
	// from, and most requests are for them.
	liveShare = 8
)

// cacheFor returns how many bytes a server may keep of what it reads.
func cacheFor(memory int64) int64 { return max(leastCache, memory/cacheShare) }

// memory returns how many bytes this process may have, so far as the system or
// GOMEMLIMIT says; 0 if neither does.
func memory() int64 {
	most := uint64(math.MaxInt64)
	for _, ask := range []func() (uint64, error){memlimit.FromSystem, memlimit.FromCgroup} {
		if n, err := ask(); err == nil && n > 0 { // there may be no group, or no limit
			most = min(most, n)
		}
	}
	most = min(most, uint64(debug.SetMemoryLimit(-1))) //nolint:gosec // never negative
	if most == math.MaxInt64 {
		return 0
	}
	return int64(most) //nolint:gosec // at most MaxInt64
}

const (
	// serveSlack is how much garbage a server may leave before it is collected.
	// Without cgo what it keeps of the store is a part of Go's heap, some
	// megabytes at its start and hundreds later: by a share of that it would
	// collect without end just when all has to be read for the first time, and
	// requests help to collect; and later leave a gigabyte for nothing.
	serveSlack = 256 << 20
	// leastPercent and mostPercent are what that may be of what is in use.
	leastPercent, mostPercent = 10, 1600
)

// tuneForServing lets a server leave serveSlack of garbage, unless the user says
// how much; below GOMEMLIMIT it stays all the same. Call the function returned
// when the work is over.
func (a *app) tuneForServing() (done func()) {
	if _, set := a.lookup("GOGC"); set {
		return func() {}
	}
	before, percent := debug.SetGCPercent(-1), 0
	stop := watchHeap(time.Second, func(live int64) {
		if p := percentOf(live, serveSlack, leastPercent, mostPercent); p != percent {
			debug.SetGCPercent(p)
			percent = p
		}
	})
	return func() {
		stop()
		debug.SetGCPercent(before)
	}
}

// watchHeap calls set with how many bytes are in use, before it returns and then
// at each interval, until the function returned is called.
func watchHeap(every time.Duration, set func(live int64)) (stop func()) {
	set(liveHeap())
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				set(liveHeap())
			case <-over:
				return
			}
		}
	})
	return func() {
		close(over)
		wg.Wait()
	}
}

// percentOf returns the percentage of live bytes that slack is, within bounds.
func percentOf(live, slack int64, least, most int) int {
	return min(max(int(100*slack/max(live, 1)), least), most)
}

// tuned reports whether the user tells the collector of garbage what to do.
func (a *app) tuned() bool {
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		if _, set := a.lookup(name); set {
			return true
		}
	}
	return false
}

// liveHeap returns how many bytes the last collection of garbage left.
func liveHeap() int64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int64(s[0].Value.Uint64())
}
