package facetindex

import (
	"errors"
	"sync"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/indexer/indextest"
)

// TestConcurrent changes documents and live data while searches run and the
// background flushes and merges as fast as it can, then compares with the
// oracle: as it is, and reopened.
func TestConcurrent(t *testing.T) {
	ctx := t.Context()
	w, o := indextest.NewWorld(indextest.Seed(t)), indextest.NewOracle()
	dir := t.TempDir()
	opts := &Options{FlushAfter: 5 * time.Millisecond, FlushDocs: 40, JournalBytes: 20_000, OnError: func(err error) { t.Errorf("in the background: %v", err) }}
	x, err := Open(ctx, dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	b, err := x.Build(ctx, "fp")
	if err != nil {
		t.Fatal(err)
	}
	var ops []indexer.Op
	for i := range 200 {
		ops = append(ops, w.Op(i))
	}
	at := catalog.Cursor{Epoch: "e", Seq: 1}
	if err := errors.Join(b.Apply(ctx, ops), b.Publish(ctx, at), o.Apply(ctx, ops, at)); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for n := range uint64(2) {
		readers.Go(func() {
			queries := indextest.NewWorld(n)
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := x.Search(ctx, queries.Query()); err != nil {
					t.Errorf("a search: %v", err)
					return
				}
			}
		})
	}
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end) && !t.Failed(); {
		at.Seq++
		var err error
		switch w.IntN(3) {
		case 0:
			ops := []indexer.Op{w.Op(w.IntN(200))}
			if second := w.Op(w.IntN(250)); second.SKU != ops[0].SKU {
				ops = append(ops, second)
			}
			err = errors.Join(x.Apply(ctx, ops, at), o.Apply(ctx, ops, at))
		default:
			ops := []indexer.LiveOp{{SKU: indextest.SKU(w.IntN(200)), Part: indexer.LivePart(w.IntN(3)), Live: w.Live()}, {SKU: indextest.SKU(w.IntN(200)) + "-1", Live: w.Live()}}
			err = errors.Join(x.ApplyLive(ctx, ops, at), o.ApplyLive(ctx, ops, at))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	readers.Wait()
	indextest.CompareDigests(t, x, o)
	indextest.Compare(t, w, x, o, 20)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if x, err = Open(ctx, dir, opts); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}()
	if c, err := x.Cursor(ctx); err != nil || c != at {
		t.Errorf("Cursor after reopening = %v, %v; want %v", c, err, at)
	}
	indextest.CompareDigests(t, x, o)
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	x, err := Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, nil); !errors.Is(err, ErrLocked) {
		t.Errorf("opening twice: %v, want ErrLocked", err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if x, err = Open(t.Context(), dir, nil); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
}

// opened opens an index until the test ends.
func opened(t *testing.T, dir string, opts *Options) *Index {
	t.Helper()
	x, err := Open(t.Context(), dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

// TestLastOfBuild applies products to a build more than once: the last counts.
func TestLastOfBuild(t *testing.T) {
	ctx := t.Context()
	w, o := indextest.NewWorld(3), indextest.NewOracle()
	x := opened(t, t.TempDir(), nil)
	b, err := x.Build(ctx, "fp")
	if err != nil {
		t.Fatal(err)
	}
	for round := range 6 {
		if round == 4 {
			if err := b.(indexer.Settler).Settle(ctx); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 60 {
			ops := []indexer.Op{w.Op(i)}
			if round == 5 && i%3 == 0 {
				ops[0].Docs = nil
			}
			if err := errors.Join(b.Apply(ctx, ops), o.Apply(ctx, ops, catalog.Cursor{})); err != nil {
				t.Fatal(err)
			}
		}
		if round%2 == 0 { // as if the shards were full
			for _, s := range b.(*builder).shards {
				if err := b.(*builder).spill(s); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := b.Publish(ctx, catalog.Cursor{Epoch: "e", Seq: 1}); err != nil {
		t.Fatal(err)
	}
	indextest.CompareDigests(t, x, o)
}
