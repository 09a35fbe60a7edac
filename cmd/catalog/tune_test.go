package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// What is tuned is as before when it is over.
func TestTuneForBulk(t *testing.T) {
	percent, limit := debug.SetGCPercent(77), debug.SetMemoryLimit(1<<40)
	defer debug.SetGCPercent(percent)
	defer debug.SetMemoryLimit(limit)
	for name, set := range map[string]bool{"": false, "GOGC": true, "GOMEMLIMIT": true} {
		a := &app{system: system{lookup: func(n string) (string, bool) { return "", set && n == name }}}
		tuneForBulk(a)()
		if got := debug.SetGCPercent(77); got != 77 {
			t.Errorf("%q set: GC percent %d afterwards", name, got)
		}
		if got := debug.SetMemoryLimit(-1); got != 1<<40 {
			t.Errorf("%q set: memory limit %d afterwards", name, got)
		}
		if a.cacheBytes != bulkCache {
			t.Errorf("%q set: cache of %d bytes", name, a.cacheBytes)
		}
	}
}

// A server has threads to spare while it runs, unless the user says how many.
func TestTuneForRequests(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	for _, set := range []bool{false, true} {
		a := &app{system: system{lookup: func(n string) (string, bool) { return "", set && n == "GOMAXPROCS" }}}
		done := a.tuneForRequests()
		want := 2 * before
		if set {
			want = before
		}
		if got := runtime.GOMAXPROCS(0); got != want || a.workers != before {
			t.Errorf("GOMAXPROCS set is %v: %d threads and %d workers, want %d and %d", set, got, a.workers, want, before)
		}
		done()
		if got := runtime.GOMAXPROCS(0); got != before || a.workers != 0 {
			t.Errorf("GOMAXPROCS set is %v: %d threads and %d workers afterwards", set, got, a.workers)
		}
	}
}

// A server keeps more where there is more memory, and knows of a limit.
func TestCacheFor(t *testing.T) {
	for have, want := range map[int64]int64{0: 512 << 20, 1 << 30: 512 << 20, 24 << 30: 4 << 30} {
		if got := cacheFor(have); got != want {
			t.Errorf("%d bytes: cache of %d, want %d", have, got, want)
		}
	}
	if n := memory(); n < 256<<20 {
		t.Errorf("this machine has %d bytes", n)
	}
	before := debug.SetMemoryLimit(300 << 20)
	defer debug.SetMemoryLimit(before)
	if n := memory(); n != 300<<20 {
		t.Errorf("GOMEMLIMIT of 300 MiB: %d", n)
	}
}

// A server leaves as much garbage whatever it keeps, within reason.
func TestTuneForServing(t *testing.T) {
	for live, want := range map[int64]int{0: mostPercent, 1 << 20: mostPercent, 128 << 20: 200, 256 << 20: 100, 8 << 30: leastPercent} {
		if got := percentOf(live, serveSlack, leastPercent, mostPercent); got != want {
			t.Errorf("%d bytes: %d %%, want %d", live, got, want)
		}
	}
	before := debug.SetGCPercent(77)
	defer debug.SetGCPercent(before)
	for name, set := range map[string]bool{"": false, "GOMEMLIMIT": false, "GOGC": true} {
		a := &app{system: system{lookup: func(n string) (string, bool) { return "", n == name }}}
		done := a.tuneForServing()
		if got := debug.SetGCPercent(77); (got == 77) != set {
			t.Errorf("%q set: GC percent %d", name, got)
		}
		done()
		if got := debug.SetGCPercent(77); got != 77 {
			t.Errorf("%q set: GC percent %d afterwards", name, got)
		}
	}
}
