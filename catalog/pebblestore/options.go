package pebblestore

import (
	"log/slog"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options says how to keep a store. The zero value of each field works.
type Options struct {
	// Logger gets what happens in the background; nil discards it.
	Logger *slog.Logger
	// FS is the file system that holds the directory; nil is the machine's.
	FS vfs.FS
	// Holder describes this process to those who find the store locked; ""
	// gives the program's name, process id and host.
	Holder string
	// CacheBytes is the size of the cache of uncompressed blocks; 0 is 64 MiB.
	// It does not depend on how much is stored.
	CacheBytes int64
	// ScatteredCacheBytes is that size for a store whose tables overlap much,
	// since it was loaded and not compacted since: each look-up then asks the
	// filters and indexes of many. 0, or less than CacheBytes, is CacheBytes.
	ScatteredCacheBytes int64
	// BulkBytes is the size from which an Apply is written as sorted tables
	// instead of through the write-ahead log; 0 is 2.5 MiB.
	BulkBytes int64
	// KeepLeases lets leases go on that were held when the store was closed:
	// for a process that takes it over from one that has ended, beside others
	// who held theirs through it. Without, Open ends them.
	KeepLeases bool
	// Workers is how many goroutines look up the keys of one call, or build the
	// tables of one Apply; 0 is one per processor.
	Workers int
	// Compactions is how many compactions may run at a time; 0 is two. Compact,
	// too, takes no more processors than that, and the longer.
	Compactions int
	// Yield is asked by compactions each time that they have written half a MiB:
	// while it returns true they rest as long as they worked. It is for processes
	// in which others wait for the processor; nil never yields. It must be safe
	// for concurrent use.
	Yield func() bool
}

const (
	// scatteredFrom is how many tables a look-up may have to ask in a store that
	// counts as scattered.
	scatteredFrom     = 12
	defaultCacheBytes = 64 << 20
	defaultBulkBytes  = 5 << 19
)

func (o *Options) withDefaults() Options {
	var r Options
	if o != nil {
		r = *o
	}
	if r.Logger == nil {
		r.Logger = slog.New(slog.DiscardHandler)
	}
	if r.FS == nil {
		r.FS = vfs.Default
	}
	if r.CacheBytes <= 0 {
		r.CacheBytes = defaultCacheBytes
	}
	r.ScatteredCacheBytes = max(r.ScatteredCacheBytes, r.CacheBytes)
	if r.BulkBytes <= 0 {
		r.BulkBytes = defaultBulkBytes
	}
	if r.Compactions <= 0 {
		r.Compactions = 2
	}
	return r
}
