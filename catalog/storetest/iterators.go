package storetest

import (
	"context"
	"fmt"
	"iter"
	"time"

	"catalog/catalog"
)

func iteratorPromises() []promise {
	return []promise{
		{"BreakAnywhere", breakAnywhere},
		{"CallTheStoreInTheLoop", callInLoop},
		{"WriteInTheLoop", writeInLoop},
		{"CancelInTheLoop", cancelInLoop},
		{"CancelledContext", cancelledContext},
		{"ExpiredContext", expiredContext},
	}
}

// iterators are all iterators of a store, their values counted only.
func iterators(ctx context.Context, s catalog.Store) map[string]iter.Seq2[int, error] {
	return map[string]iter.Seq2[int, error]{
		"Heads":   untyped(s.Heads(ctx, catalog.KindProduct, catalog.All)),
		"Scan":    untyped(s.Scan(ctx, catalog.KindProduct, catalog.All)),
		"Changes": untyped(s.Changes(ctx, catalog.Cursor{})),
		"Metas":   untyped(s.Metas(ctx, "")),
	}
}

func untyped[T any](seq iter.Seq2[T, error]) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		n := 0
		for _, err := range seq {
			if !yield(n, err) {
				return
			}
			n++
		}
	}
}

// fill writes n products, and as many metas.
func (e *env) fill(n, metas int) {
	e.Helper()
	writes := make([]catalog.Write, n)
	for i := range writes {
		key := catalog.Key(fmt.Sprintf("k%06d", i))
		writes[i] = put(catalog.KindProduct, key, doc(key, i))
	}
	e.apply(writes...)
	for i := range metas {
		e.ok(e.s.SetMeta(e.ctx, fmt.Sprintf("meta/%06d", i), []byte("value")))
	}
}

// breakAnywhere leaves each iterator after 0, 1, 2 … values. What a loop holds
// (a snapshot, a cursor, a connection) must be given back: the store is
// written to, and closed, after many of them.
func breakAnywhere(e *env) {
	e.fill(20, 20)
	for range 5 {
		for name, seq := range iterators(e.ctx, e.s) {
			for stop := range 20 {
				n := 0
				for _, err := range seq {
					e.ok(err)
					if n == stop {
						break
					}
					n++
				}
				if n != stop {
					e.Fatalf("%s: %d values before the break, want %d", name, n, stop)
				}
			}
		}
	}
	e.apply(put(catalog.KindProduct, "last", `{}`))
	e.ok(e.s.Close())
}

// callInLoop reads through the store inside each iterator, and iterates inside
// iterators.
func callInLoop(e *env) {
	e.fill(10, 10)
	for name, seq := range iterators(e.ctx, e.s) {
		n := 0
		for _, err := range seq {
			e.ok(err)
			n++
			e.get(catalog.KindProduct, "k000001", "nope")
			e.headsOf(catalog.KindProduct, "k000001")
			e.lookup(urlKey("", "x"))
			e.tail()
			_, err := e.s.Stats(e.ctx)
			e.ok(err)
			for inner, seq := range iterators(e.ctx, e.s) {
				if got, err := drain(seq); err != nil || got != 10 {
					e.Fatalf("%s inside %s: %d values, %v", inner, name, got, err)
				}
			}
		}
		if n != 10 {
			e.Errorf("%s: %d values, want 10", name, n)
		}
	}
}

// writeInLoop writes to what the loop reads: each loop ends all the same, and
// sees each record that was there before it exactly once.
func writeInLoop(e *env) {
	n := max(e.few(500), 150) // more than servers send at first
	e.fill(n, 0)
	round := 0
	rewrite := func(key catalog.Key) {
		e.apply(put(catalog.KindProduct, key, doc(key, -round)), put(catalog.KindProduct, key+"+", `{}`))
	}
	old := func(key catalog.Key) bool { return len(key) == len("k000000") }
	count := func(name string, seq iter.Seq2[catalog.Key, error]) {
		round++
		seen := map[catalog.Key]int{}
		total := 0
		for key, err := range seq {
			e.ok(err)
			seen[key]++
			if total++; total > 10*n {
				e.Fatalf("%s does not end while its loop writes", name)
			}
			if old(key) {
				rewrite(key)
			}
		}
		found := 0
		for key, times := range seen {
			if times != 1 {
				e.Fatalf("%s yields %q %d times", name, key, times)
			}
			if old(key) {
				found++
			}
		}
		if found != n {
			e.Errorf("%s yields %d of the %d records that were there before", name, found, n)
		}
	}
	count("Heads", func(yield func(catalog.Key, error) bool) {
		for h, err := range e.s.Heads(e.ctx, catalog.KindProduct, catalog.All) {
			if !yield(h.Key, err) {
				return
			}
		}
	})
	count("Scan", func(yield func(catalog.Key, error) bool) {
		for r, err := range e.s.Scan(e.ctx, catalog.KindProduct, catalog.All) {
			if !yield(r.Key, err) {
				return
			}
		}
	})

	// Changes may go on to the new tail, or end at the old one.
	tail, last, written := e.tail(), catalog.Seq(0), 0
	for c, err := range e.s.Changes(e.ctx, catalog.Cursor{}) {
		e.ok(err)
		if c.Seq <= last {
			e.Fatalf("change %d comes after %d", c.Seq, last)
		}
		last = c.Seq
		if written < n {
			written++
			e.apply(put(catalog.KindProduct, "extra", doc("extra", written)))
		}
	}
	if last < tail.Seq {
		e.Errorf("Changes ends at %d, before the tail %d", last, tail.Seq)
	}
}

// cancelInLoop cancels long iterations after their first value.
func cancelInLoop(e *env) {
	n := e.few(5000)
	e.fill(n, 0)
	for _, name := range []string{"Heads", "Scan", "Changes"} {
		ctx, cancel := context.WithCancel(e.ctx)
		got, end := 0, error(nil)
		for _, err := range iterators(ctx, e.s)[name] {
			if err != nil {
				end = err
				continue
			}
			if got++; got == 1 {
				cancel()
			}
		}
		cancel()
		if end == nil {
			e.Errorf("%s yields %d values and no error after it was cancelled", name, got)
			continue
		}
		e.is(end, context.Canceled)
		if got == n {
			e.Errorf("%s yields all %d values although it was cancelled", name, got)
		}
	}
}

// cancelledContext calls every method with a context that is cancelled.
func cancelledContext(e *env) {
	e.fill(3, 3)
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	for _, c := range calls(e) {
		if err := c.do(ctx, e.s); err == nil {
			e.Errorf("%s works with a cancelled context", c.name)
		} else {
			e.is(err, context.Canceled)
		}
	}
}

func expiredContext(e *env) {
	e.fill(3, 3)
	ctx, cancel := context.WithDeadline(e.ctx, time.Now().Add(-time.Second))
	defer cancel()
	for _, c := range calls(e) {
		if err := c.do(ctx, e.s); err == nil {
			e.Errorf("%s works with an expired context", c.name)
		} else {
			e.is(err, context.DeadlineExceeded)
		}
	}
}

// call is one method, with arguments under which it has something to do.
type call struct {
	name string
	do   func(context.Context, catalog.Store) error
}

// calls are all methods but Close.
func calls(e *env) []call {
	tail := e.tail()
	e.ok(e.s.Follow(e.ctx, "follower", tail))
	lease, err := e.s.Acquire(e.ctx, "lease", "me", time.Hour)
	e.ok(err)
	out := []call{
		{"Get", func(ctx context.Context, s catalog.Store) error {
			_, err := s.Get(ctx, catalog.KindProduct, "k000001")
			return err
		}},
		{"HeadsOf", func(ctx context.Context, s catalog.Store) error {
			_, err := s.HeadsOf(ctx, catalog.KindProduct, "k000001")
			return err
		}},
		{"Lookup", func(ctx context.Context, s catalog.Store) error {
			_, err := s.Lookup(ctx, urlKey("", "x"))
			return err
		}},
		{"Apply", func(ctx context.Context, s catalog.Store) error {
			_, err := s.Apply(ctx, []catalog.Write{put(catalog.KindProduct, "new", `{}`)})
			return err
		}},
		{"Tail", func(ctx context.Context, s catalog.Store) error {
			_, err := s.Tail(ctx)
			return err
		}},
		{"Wait", func(ctx context.Context, s catalog.Store) error { return s.Wait(ctx, tail) }},
		{"Follow", func(ctx context.Context, s catalog.Store) error { return s.Follow(ctx, "new", tail) }},
		{"Unfollow", func(ctx context.Context, s catalog.Store) error { return s.Unfollow(ctx, "follower") }},
		{"Followers", func(ctx context.Context, s catalog.Store) error {
			_, err := s.Followers(ctx)
			return err
		}},
		{"Trim", func(ctx context.Context, s catalog.Store) error {
			_, err := s.Trim(ctx, tail.Seq)
			return err
		}},
		{"Acquire", func(ctx context.Context, s catalog.Store) error {
			_, err := s.Acquire(ctx, "new", "me", time.Hour)
			return err
		}},
		{"Renew", func(ctx context.Context, s catalog.Store) error { return s.Renew(ctx, lease.Fence, time.Hour) }},
		{"Release", func(ctx context.Context, s catalog.Store) error { return s.Release(ctx, lease.Fence) }},
		{"Leases", func(ctx context.Context, s catalog.Store) error {
			_, err := s.Leases(ctx)
			return err
		}},
		{"Meta", func(ctx context.Context, s catalog.Store) error {
			_, err := s.Meta(ctx, "meta/000001")
			return err
		}},
		{"SetMeta", func(ctx context.Context, s catalog.Store) error { return s.SetMeta(ctx, "new", []byte("x")) }},
		{"Stats", func(ctx context.Context, s catalog.Store) error {
			_, err := s.Stats(ctx)
			return err
		}},
		{"Counts", func(ctx context.Context, s catalog.Store) error {
			_, err := catalog.Counts(ctx, s)
			return err
		}},
	}
	for _, name := range []string{"Heads", "Scan", "Changes", "Metas"} {
		out = append(out, call{name, func(ctx context.Context, s catalog.Store) error {
			n, err := drain(iterators(ctx, s)[name])
			if n > 0 {
				return fmt.Errorf("%d values came before %w", n, err)
			}
			return err
		}})
	}
	return out
}
