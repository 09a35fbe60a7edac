package main

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// TestIndexKeeper: work is done while the follower rests, in turn, and the
// follower goes on after.
func TestIndexKeeper(t *testing.T) {
	k := newIndexKeeper()
	var follows, works atomic.Int32
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	began := make(chan struct{}, 100)
	go func() {
		ended <- k.follow(ctx, func(ctx context.Context) error {
			follows.Add(1)
			defer follows.Add(-1)
			began <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
	}()
	failure := errors.New("full disk")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			err := k.instead(t.Context(), func(context.Context) error {
				if works.Add(1) != 1 || follows.Load() != 0 {
					t.Error("somebody else is at work")
				}
				time.Sleep(time.Millisecond)
				works.Add(-1)
				if i == 0 {
					return failure
				}
				return nil
			})
			if i == 0 && !errors.Is(err, failure) || i > 0 && err != nil {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	wg.Wait()
	for range 9 {
		<-began
	}

	// Who asked goes away: his work ends, and the follower goes on.
	asked, away := context.WithCancel(t.Context())
	if err := k.instead(asked, func(ctx context.Context) error { away(); <-ctx.Done(); return ctx.Err() }); !errors.Is(err, context.Canceled) || errors.Is(err, errEnding) {
		t.Errorf("who went away is told %v", err)
	}
	<-began

	// The process ends: so does work, and nobody is kept waiting.
	err := k.instead(t.Context(), func(ctx context.Context) error { cancel(); <-ctx.Done(); return ctx.Err() })
	if !errors.Is(err, errEnding) {
		t.Errorf("at the end: %v", err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the follower ends with %v", err)
	}
	if err := k.instead(t.Context(), func(context.Context) error { return nil }); !errors.Is(err, errEnding) {
		t.Errorf("after the end: %v", err)
	}
	if err := (*indexKeeper)(nil).instead(t.Context(), func(context.Context) error { return failure }); !errors.Is(err, failure) {
		t.Errorf("without a follower: %v", err)
	}
}

// TestMendBesideFollower: an index that is wrong is mended and built anew by
// the process that follows, which goes on following.
func TestMendBesideFollower(t *testing.T) {
	t.Chdir(t.TempDir())
	a, _ := testApp()
	a.global.store = "pebble:./data"
	a.lookup = os.LookupEnv
	o := &serveCommand{indexOptions: indexOptions{name: "main"}}
	store, err := a.openStore(t.Context(), mayCreate)
	if err != nil {
		t.Fatal(err)
	}
	index, err := a.openIndex(t.Context(), &o.indexOptions, mayCreate)
	if err != nil {
		t.Fatal(err)
	}
	r := a.newRespondent(store, index, &o.indexOptions)
	r.keeper = newIndexKeeper()
	put := func(keys ...catalog.Key) {
		t.Helper()
		var writes []catalog.Write
		for _, k := range keys {
			writes = append(writes, catalog.Write{Kind: catalog.KindProduct, Key: k, Body: []byte(`{"sku":"` + string(k) + `","name":"Chair ` + string(k) + `"}`)})
		}
		if _, err := store.Apply(t.Context(), writes); err != nil {
			t.Fatal(err)
		}
	}
	put("a", "b", "c")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- r.keeper.follow(ctx, func(ctx context.Context) error { return o.follow(ctx, a, store, index) })
	}()
	ask := func(q *question) any {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		out, err := r.answer(ctx, q, func(int64) {})
		if err != nil {
			t.Fatalf("%s: %v", q.What, err)
		}
		return out
	}
	ask(&question{What: askUpdate})
	at, err := index.Cursor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := index.Apply(t.Context(), []indexer.Op{{SKU: "b"}}, at); err != nil { // it loses one
		t.Fatal(err)
	}
	if v, _ := ask(&question{What: askVerify}).(verifyReport); v.OK || v.Faults["missing"] != 1 || v.Repaired != 0 {
		t.Errorf("verify: %+v", v)
	}
	if v, _ := ask(&question{What: askVerify, Repair: true}).(verifyReport); v.Repaired != 1 {
		t.Errorf("repair: %+v", v)
	}
	if v, _ := ask(&question{What: askVerify, Repair: true}).(verifyReport); !v.OK || v.Documents != 3 {
		t.Errorf("after the repair: %+v", v)
	}
	put("d")
	ask(&question{What: askUpdate})
	if b, _ := ask(&question{What: askRebuild}).(indexReport); !b.Rebuilt || b.Built != 4 {
		t.Errorf("rebuild: %+v", b)
	}
	put("e")
	ask(&question{What: askUpdate})
	if p, _ := ask(&question{What: askSearch, Text: "chair"}).(searchPage); p.Total != 5 {
		t.Errorf("after all of it %d are found", p.Total)
	}
	other := &question{What: askRebuild, Settings: &indexer.Settings{DefaultStore: "other"}}
	if _, err := r.answer(t.Context(), other, nil); exitStatus(err) != statusUsage {
		t.Errorf("with other settings: %v", err)
	}
	cancel()
	if err := errors.Join(<-ended, index.Close(), store.Close()); err != nil {
		t.Error(err)
	}
}
