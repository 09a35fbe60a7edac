package main

import (
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// importCache is enough for an import: it reads the store from end to end,
	// or looks up keys in their order.
	importCache = 4 << 20
	// importScatteredCache keeps the filters and indexes of a store that was
	// never compacted from one key to the next.
	importScatteredCache = 32 << 20
	// importSlack is how much garbage an import may leave before it is
	// collected. Looking for it is cheap, since most of an import's memory is
	// bodies, in which there is nothing to look for.
	importSlack = 10 << 20
	// importHeap is what the buffers of an import of products take, and some
	// garbage: a size at which it is collected all the same.
	importHeap = 200 << 20
)

// tuneForImport makes the peak of memory hardly depend on how much is loaded.
// The heap of an import is buffers that are used over and over; by default it
// would be let grow to twice that, and how near it comes to that depends on how
// long the import takes. Here a constant size may be garbage, or a quarter if
// that is more. Call the function returned when the import is over.
func tuneForImport(a *app) (done func()) {
	a.cacheBytes, a.scatteredBytes = importCache, importScatteredCache
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		if _, set := a.lookup(name); set {
			return func() {}
		}
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		percent, ceiling := 400, int64(importHeap)
		before := debug.SetGCPercent(percent)
		limit := debug.SetMemoryLimit(ceiling)
		defer func() {
			debug.SetGCPercent(before)
			debug.SetMemoryLimit(limit)
		}()
		for {
			select {
			case <-tick.C:
			case <-stop:
				return
			}
			live := max(liveHeap(), 1)
			p := min(max(int(100*importSlack/live), 25), 400)
			// A limit near what is in use would collect without end.
			c := max(importHeap, live/4*5)
			if p != percent || c != ceiling {
				debug.SetGCPercent(p)
				debug.SetMemoryLimit(c)
				percent, ceiling = p, c
			}
		}
	})
	return func() {
		close(stop)
		wg.Wait()
	}
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
