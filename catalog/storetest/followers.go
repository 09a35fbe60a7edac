package storetest

import (
	"context"
	"fmt"
	"time"

	"catalog/catalog"
)

func followerPromises() []promise {
	return []promise{
		{"ListedByName", followersListed},
		{"TrimKeepsWhatTheyNeed", trimHolds},
		{"FromTheStart", followFromStart},
		{"UnknownIsNotFound", unfollowUnknown},
		{"ForeignEpochIsTrimmed", followForeign},
	}
}

func waitPromises() []promise {
	return []promise{
		{"ReturnsAtOnceWhenThereAreChanges", waitAtOnce},
		{"WakesOnAChange", waitWakes},
		{"WakesAllWhoWait", waitWakesAll},
		{"EndsWithItsContext", waitCancelled},
		{"SleepsThroughUnchanged", waitUnchanged},
	}
}

func (e *env) followers() []catalog.Follower {
	e.Helper()
	out, err := e.s.Followers(e.ctx)
	e.ok(err)
	return out
}

func followersListed(e *env) {
	if got := e.followers(); len(got) != 0 {
		e.Errorf("a new store has the followers %v", got)
	}
	e.fill(5, 0)
	mid := e.tail()
	e.ok(e.s.Follow(e.ctx, "search", mid))
	start := time.Now()
	e.ok(e.s.Follow(e.ctx, "placeholder:de/1", mid))
	e.apply(put(catalog.KindProduct, "x", `{}`), put(catalog.KindProduct, "y", `{}`))
	tail := e.tail()
	e.ok(e.s.Follow(e.ctx, "search", tail))
	e.ok(e.s.Follow(e.ctx, "a", catalog.Cursor{Epoch: tail.Epoch}))

	got := e.followers()
	for i, want := range []struct {
		name string
		at   catalog.Seq
	}{{"a", 0}, {"placeholder:de/1", mid.Seq}, {"search", tail.Seq}} {
		if i >= len(got) || got[i].Name != want.name || got[i].At != (catalog.Cursor{Epoch: tail.Epoch, Seq: want.at}) ||
			got[i].Behind != int64(tail.Seq-want.at) {
			e.Fatalf("follower %d: %+v, want %+v", i, got, want)
		}
		if d := got[i].Moved.Sub(start); d < -patience || d > patience {
			e.Errorf("%s moved at %v, want about %v", got[i].Name, got[i].Moved, start)
		}
	}
	e.ok(e.s.Unfollow(e.ctx, "placeholder:de/1"))
	if got := e.followers(); len(got) != 2 || got[0].Name != "a" || got[1].Name != "search" {
		e.Errorf("the followers are %v", got)
	}
}

func trimHolds(e *env) {
	e.fill(100, 0)
	all, tail := e.changes(catalog.Cursor{}), e.tail()
	at := func(i int) catalog.Cursor { return catalog.Cursor{Epoch: tail.Epoch, Seq: all[i].Seq} }
	e.ok(e.s.Follow(e.ctx, "slow", at(30)))
	e.ok(e.s.Follow(e.ctx, "fast", at(60)))
	trimTo := func(upTo catalog.Seq, want int) {
		e.Helper()
		last, err := e.s.Trim(e.ctx, upTo)
		e.ok(err)
		if last != all[want].Seq {
			e.Errorf("Trim up to %d returns %d, want %d", upTo, last, all[want].Seq)
		}
		equal(e, "changes", e.changes(at(want)), all[want+1:])
		if want > 0 {
			e.trimmed(at(want - 1))
		}
	}
	trimTo(all[10].Seq, 10)
	trimTo(tail.Seq, 30)
	e.ok(e.s.Follow(e.ctx, "slow", at(50)))
	trimTo(1<<50, 50)
	e.ok(e.s.Unfollow(e.ctx, "slow"))
	trimTo(tail.Seq, 60)
	e.ok(e.s.Unfollow(e.ctx, "fast"))
	trimTo(tail.Seq, 99)
}

// followFromStart: one that registers before the first change, by the zero
// cursor too, keeps the whole log.
func followFromStart(e *env) {
	e.ok(e.s.Follow(e.ctx, "zero", catalog.Cursor{}))
	e.fill(10, 0)
	e.ok(e.s.Follow(e.ctx, "other", e.tail()))
	if _, err := e.s.Trim(e.ctx, e.tail().Seq); err != nil {
		e.Fatal(err)
	}
	if got := e.changes(catalog.Cursor{}); len(got) != 10 {
		e.Errorf("%d changes are left, want 10", len(got))
	}
	if got := e.followers(); len(got) != 2 || got[1].Name != "zero" || got[1].Behind != int64(e.tail().Seq) {
		e.Errorf("the followers are %+v", got)
	}
}

func unfollowUnknown(e *env) {
	e.is(e.s.Unfollow(e.ctx, "nobody"), catalog.ErrNotFound)
	e.ok(e.s.Follow(e.ctx, "somebody", e.tail()))
	e.is(e.s.Unfollow(e.ctx, "some"), catalog.ErrNotFound)
	e.ok(e.s.Unfollow(e.ctx, "somebody"))
	e.is(e.s.Unfollow(e.ctx, "somebody"), catalog.ErrNotFound)
}

// followForeign: Trim cannot keep what a cursor of another epoch needs, so it
// is no place to follow from.
func followForeign(e *env) {
	e.fill(3, 0)
	other, err := e.open().Tail(e.ctx)
	e.ok(err)
	e.is(e.s.Follow(e.ctx, "lost", other), catalog.ErrTrimmed)
	if got := e.followers(); len(got) != 0 {
		e.Errorf("the followers are %v", got)
	}
}

func waitAtOnce(e *env) {
	start := e.tail()
	e.fill(3, 0)
	e.ok(e.s.Wait(e.ctx, catalog.Cursor{}))
	e.ok(e.s.Wait(e.ctx, start))
	e.ok(e.s.Wait(e.ctx, catalog.Cursor{Epoch: start.Epoch, Seq: e.tail().Seq - 1}))
}

// waitWakes: when Wait returns, the change is there to be read.
func waitWakes(e *env) {
	at := catalog.Cursor{}
	for i := range 30 {
		woken := make(chan error, 1)
		go func() { woken <- e.s.Wait(e.ctx, at) }()
		if i%3 == 0 { // give it time to fall asleep; without, it may not
			time.Sleep(2 * time.Millisecond)
		}
		e.apply(put(catalog.KindProduct, "a", doc("a", i)))
		e.ok(receive(e, woken))
		if got := e.changes(at); len(got) != 1 {
			e.Fatalf("%d changes after %v when Wait returned", len(got), at)
		}
		at = e.tail()
	}
}

// receive returns what arrives on c before patience ends.
func receive[T any](e *env, c <-chan T) T {
	e.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		e.Fatalf("nothing happened for %v", patience)
		panic("unreachable")
	}
}

func waitWakesAll(e *env) {
	at := e.tail()
	const n = 20
	woken := make(chan error, n)
	for range n {
		go func() { woken <- e.s.Wait(e.ctx, at) }()
	}
	time.Sleep(10 * time.Millisecond) // most of them sleep by now; all need not
	e.apply(put(catalog.KindProduct, "a", `{}`))
	for range n {
		e.ok(receive(e, woken))
	}
}

func waitCancelled(e *env) {
	e.fill(3, 0)
	tail := e.tail()
	ctx, cancel := context.WithTimeout(e.ctx, 20*time.Millisecond)
	defer cancel()
	e.is(e.s.Wait(ctx, tail), context.DeadlineExceeded)

	ctx, cancel = context.WithCancel(e.ctx)
	woken := make(chan error, 1)
	go func() { woken <- e.s.Wait(ctx, tail) }()
	time.Sleep(5 * time.Millisecond)
	cancel()
	e.is(receive(e, woken), context.Canceled)
}

// waitUnchanged: what writes no log entry is nothing to wait for.
func waitUnchanged(e *env) {
	w := put(catalog.KindProduct, "a", `{}`)
	e.apply(w)
	tail := e.tail()
	ctx, cancel := context.WithTimeout(e.ctx, 50*time.Millisecond)
	defer cancel()
	woken := make(chan error, 1)
	go func() { woken <- e.s.Wait(ctx, tail) }()
	for i := range 5 {
		w.Source = fmt.Sprint(i)
		e.apply(w, del(catalog.KindProduct, "nope"))
		e.ok(e.s.SetMeta(e.ctx, "name", []byte(w.Source)))
	}
	e.is(receive(e, woken), context.DeadlineExceeded)
}
