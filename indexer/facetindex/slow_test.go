package facetindex

import (
	"fmt"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/indexer/facetindex/internal/disk"
	"catalog/indexer/indextest"
)

// slowFS takes a while to create each file.
type slowFS struct {
	disk.FS
	delay time.Duration
}

func (d *slowFS) Create(name string) (disk.File, error) {
	time.Sleep(d.delay)
	return d.FS.Create(name)
}

// TestSlowDisk changes documents, prices and stock as fast as the index takes
// them, on a disk that is slower. What waits in memory must not grow.
func TestSlowDisk(t *testing.T) {
	for _, kind := range []string{"documents", "prices"} {
		t.Run(kind, func(t *testing.T) {
			testSlowDisk(t, kind == "documents")
		})
	}
}

func testSlowDisk(t *testing.T, documents bool) {
	const flushDocs, logged = 20, 100
	delay := 10 * time.Millisecond
	if documents { // which take longer to make
		delay = 60 * time.Millisecond
	}
	ctx := t.Context()
	opts := &Options{
		FlushDocs: flushDocs, JournalBytes: 5_000, liveLog: logged, OnError: func(err error) { t.Error(err) },
		disk: &slowFS{newFaultFS(-1), delay},
	}
	x, err := Open(ctx, "slow", opts)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}()
	w, o := indextest.NewWorld(indextest.Seed(t)), indextest.NewOracle()
	b, err := x.Build(ctx, "fp")
	if err != nil {
		t.Fatal(err)
	}
	var ops []indexer.Op
	for i := range 60 {
		ops = append(ops, w.Op(i))
	}
	at := catalog.Cursor{Epoch: "e", Seq: 1}
	for _, err := range []error{b.Apply(ctx, ops), b.Publish(ctx, at), o.Apply(ctx, ops, at)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	most, start := [2]int{}, time.Now()
	for n := 0; time.Since(start) < 700*time.Millisecond; n++ {
		at.Seq++
		if documents {
			ops := []indexer.Op{w.Op(n % 150)}
			if err := x.Apply(ctx, ops, at); err != nil {
				t.Fatal(err)
			}
			if err := o.Apply(ctx, ops, at); err != nil {
				t.Fatal(err)
			}
		}
		live := make([]indexer.LiveOp, 3)
		for i := range live {
			live[i] = indexer.LiveOp{SKU: indextest.SKU(w.IntN(150)), Part: indexer.LivePart(w.IntN(3)), Live: w.Live()}
		}
		if err := x.ApplyLive(ctx, live, at); err != nil {
			t.Fatal(err)
		}
		if err := o.ApplyLive(ctx, live, at); err != nil {
			t.Fatal(err)
		}
		x.mu.Lock()
		most[0], most[1] = max(most[0], x.memoryDocs()), max(most[1], len(x.liveLog))
		x.mu.Unlock()
	}
	changes := fmt.Sprintf("after %d changes", at.Seq)
	// A product has up to some documents, and the last op is taken as a whole.
	if limit := maxWaiting*flushDocs + 20; documents && (most[0] > limit || most[0] < flushDocs) {
		t.Errorf("%s, up to %d documents waited in memory; want up to %d", changes, most[0], limit)
	}
	if limit := logged + 2; most[1] > limit || most[1] == 0 {
		t.Errorf("%s, up to %d prices waited for a merge; want up to %d", changes, most[1], limit)
	}
	indextest.CompareDigests(t, x, o)
}
