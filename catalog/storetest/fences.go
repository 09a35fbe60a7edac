package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"catalog/catalog"
)

func fencePromises() []promise {
	return []promise{
		{"HeldLeaseWrites", fenceHeld},
		{"LostLeaseIsRefused", fenceLost},
		{"ExpiredLeaseIsRefused", fenceExpired},
		{"UnknownLeaseIsRefused", fenceUnknown},
		{"ReadersAreNotFenced", fenceReaders},
		{"TakeoverIsABarrier", fenceBarrier},
	}
}

// fenced are the methods that WithFence guards.
func (e *env) fenced(f catalog.Fence, want error) {
	e.Helper()
	ctx := catalog.WithFence(e.ctx, f)
	before := e.dump(DumpOptions{Seqs: true, Log: true, Metas: true})
	tail, followers := e.tail(), len(e.followers())
	_, err := e.s.Apply(ctx, []catalog.Write{put(catalog.KindProduct, "fenced", doc("fenced", int(tail.Seq)))})
	e.is(err, want)
	e.is(e.s.SetMeta(ctx, "fenced", []byte(fmt.Sprint(tail))), want)
	e.is(e.s.Follow(ctx, fmt.Sprint("fenced ", tail), tail), want)
	changed := e.dump(DumpOptions{Seqs: true, Log: true, Metas: true}) != before
	if changed != (want == nil) || (len(e.followers()) != followers) != (want == nil) {
		e.Errorf("with the error %v something was written: %v", want, changed)
	}
}

func fenceHeld(e *env) {
	a := e.acquire("import", "a", time.Hour)
	e.fenced(a.Fence, nil)
	e.ok(e.s.Renew(e.ctx, a.Fence, time.Hour))
	e.fenced(a.Fence, nil)
}

func fenceLost(e *env) {
	a := e.acquire("import", "a", time.Hour)
	e.fenced(a.Fence, nil)
	e.ok(e.s.Release(e.ctx, a.Fence))
	e.fenced(a.Fence, catalog.ErrFenced)
	b := e.acquire("import", "b", time.Hour)
	e.fenced(a.Fence, catalog.ErrFenced)
	e.fenced(b.Fence, nil)
	e.fenced(catalog.Fence{Name: "other", Token: b.Token}, catalog.ErrFenced)
}

func fenceExpired(e *env) {
	a := e.acquire("import", "a", short)
	e.expired(a)
	e.fenced(a.Fence, catalog.ErrFenced)
	e.takeOver("import", "b")
	e.fenced(a.Fence, catalog.ErrFenced)
}

func fenceUnknown(e *env) {
	e.fenced(catalog.Fence{Name: "nobody has it", Token: 1}, catalog.ErrFenced)
	e.fenced(catalog.Fence{}, catalog.ErrFenced)
}

// fenceReaders: a writer that lost its lease may still read, to see why.
func fenceReaders(e *env) {
	e.fill(3, 3)
	ctx := catalog.WithFence(e.ctx, catalog.Fence{Name: "nobody has it", Token: 1})
	fenced := map[string]bool{"Apply": true, "SetMeta": true, "Follow": true, "Wait": true}
	for _, c := range calls(e) {
		if !fenced[c.name] {
			if err := c.do(ctx, e.s); errors.Is(err, catalog.ErrFenced) {
				e.Errorf("%s: %v", c.name, err)
			}
		}
	}
}

// fenceBarrier: a write of the former holder that was under way when the lease
// was taken over is either visible by then, or never. A store that looks at the
// fence first and writes later fails here.
func fenceBarrier(e *env) {
	lease := e.acquire("import", "0", time.Hour)
	for round := range 20 {
		ctx, cancel := context.WithCancel(catalog.WithFence(e.ctx, lease.Fence))
		var wg sync.WaitGroup
		var writing error
		started := make(chan struct{}, 1)
		wg.Go(func() {
			for i := 0; writing == nil; i++ {
				_, writing = e.s.Apply(ctx, []catalog.Write{put(catalog.KindProduct, "a", doc("a", round<<16+i))})
				select {
				case started <- struct{}{}:
				default:
				}
			}
		})
		<-started
		next, err := e.s.Acquire(e.ctx, "import", "0", time.Hour) // its own holder may
		if err != nil {
			cancel()
		}
		tail, tailErr := e.s.Tail(e.ctx)
		wg.Wait()
		cancel()
		e.ok(errors.Join(err, tailErr))
		e.is(writing, catalog.ErrFenced)
		if got := e.changes(tail); len(got) != 0 {
			e.Fatalf("the former holder wrote %d times after the takeover", len(got))
		}
		lease = next
	}
}
