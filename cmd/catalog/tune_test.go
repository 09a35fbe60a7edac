package main

import (
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
