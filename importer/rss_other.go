//go:build !linux

package importer

import "runtime"

// peakRSS returns what the runtime took from the system, which is the closest
// that can be had here.
func peakRSS() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}
