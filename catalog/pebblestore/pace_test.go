package pebblestore

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"catalog/catalog/storetest"
)

// TestYield: while others want the processor a compaction rests about as long
// as it works, and ends in the same store; a store that is closed waits for no
// rest.
func TestYield(t *testing.T) {
	feed := newTestFeed(4000)
	compact := func(yield func() bool) (*Store, time.Duration) {
		s := mustOpen(t, "/s", Options{FS: vfs.NewMem(), BulkBytes: 1, Compactions: 1, Yield: yield})
		if _, err := s.Apply(t.Context(), feed.writes(nil, 0, feed.n, 0)); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := s.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s, time.Since(start)
	}
	var asked atomic.Int64
	free, _ := compact(nil)
	alone, _ := compact(func() bool { asked.Add(1); return false })
	beside, _ := compact(func() bool { return true })
	if asked.Load() == 0 {
		t.Error("nobody is asked whether others want the processor")
	}
	storetest.Equal(t, free, alone)
	storetest.Equal(t, free, beside)
}

// TestPace: a rest is as long as the work, but for the longest; others than
// compactions never rest.
func TestPace(t *testing.T) {
	closed := make(chan struct{})
	busy := true
	fsys := tableFS{FS: vfs.NewMem(), pace: &pace{yield: func() bool { return busy }, closed: closed}}
	took := func(category vfs.DiskWriteCategory) time.Duration {
		f, err := fsys.Create("1.sst", category)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		time.Sleep(50 * time.Millisecond)
		start := time.Now()
		if _, err := f.Write(make([]byte, writeBufferSize)); err != nil {
			t.Fatal(err)
		}
		return time.Since(start)
	}
	if d := took(compactionCategory); d < 50*time.Millisecond {
		t.Errorf("after 50 ms of work a rest of %v", d)
	}
	// Far less than a rest would be, on a busy machine too.
	const none = 45 * time.Millisecond
	least := func(category vfs.DiskWriteCategory) time.Duration {
		d := took(category)
		for range 4 {
			d = min(d, took(category))
		}
		return d
	}
	if d := least("pebble-memtable-flush"); d > none {
		t.Errorf("a flush rests %v", d)
	}
	busy = false
	if d := least(compactionCategory); d > none {
		t.Errorf("a rest of %v for nobody", d)
	}
	busy = true
	close(closed)
	if d := least(compactionCategory); d > none {
		t.Errorf("a closed store waits %v for a rest", d)
	}
}
