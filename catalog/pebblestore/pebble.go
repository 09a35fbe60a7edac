package pebblestore

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// pebbleFormat is fixed, so that an upgrade of Pebble alone never makes a
// store unreadable to the version before.
const pebbleFormat = pebble.FormatValueSeparation

const (
	// blockBytes is the size of the blocks that are read and compressed as one;
	// bottomBlockBytes that of the level where nearly everything ends up. There
	// three times the size makes a catalog a fifth smaller.
	blockBytes       = 8 << 10
	bottomBlockBytes = 24 << 10
	// tableBytes is the size of tables that compactions write.
	tableBytes = 32 << 20
	// deepLevel0 is how many tables of level 0 may lie over one key before
	// compactions run even while an import is loading.
	deepLevel0 = 100
)

func pebbleOptions(o Options, aside string, w *watch, sched *scheduler) *pebble.Options {
	p := &pebble.Options{
		FS:                 &sentryFS{FS: o.FS, watch: w, aside: aside},
		Logger:             w,
		FormatMajorVersion: pebbleFormat,
		// Loads go around the memtable, so that small ones do.
		MemTableSize:                8 << 20,
		MemTableStopWritesThreshold: 4,
		// An import lays one table over the other; they are merged when it is
		// over, and never hold it up.
		L0CompactionThreshold:     4,
		L0CompactionFileThreshold: 1 << 20,
		L0StopWritesThreshold:     1 << 20,
		LBaseMaxBytes:             256 << 20,
		MaxOpenFiles:              2000,
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) { w.log.Error("background work of the store", "err", mapError(err)) },
			// The reader that meets the corruption gets it as an error; the
			// default of ending the process would help nobody.
			DataCorruption: func(info pebble.DataCorruptionInfo) { w.log.Error("corrupt data", "info", info.String()) },
		},
		CompactionConcurrencyRange: func() (int, int) { return 1, o.Compactions },
	}
	p.Experimental.CompactionScheduler = sched
	p.Experimental.L0CompactionConcurrency = deepLevel0
	p.Experimental.CompactionDebtConcurrency = 1 << 50
	for i := range p.Levels {
		p.TargetFileSizes[i] = tableBytes
		l := &p.Levels[i]
		l.BlockSize = blockBytes
		l.IndexBlockSize = 64 << 10
		l.FilterPolicy = bloom.FilterPolicy(10)
		profile := upperCompression
		if i == len(p.Levels)-1 {
			profile = bottomCompression
			l.BlockSize = bottomBlockBytes
			// Who looks for what is not there reads one block too many; the
			// filters of everything would take half a percent of the disk.
			l.FilterPolicy = pebble.NoFilterPolicy
		}
		l.Compression = func() *sstable.CompressionProfile { return profile }
	}
	p.EnsureDefaults()
	return p
}

// What is loaded is rewritten soon, and compressed for speed; where it stays,
// for size.
var (
	upperCompression  = sstable.FastestCompression
	bottomCompression = sstable.ZstdCompression
)
