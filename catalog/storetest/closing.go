package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"catalog/catalog"
)

func closePromises() []promise {
	return []promise{
		{"MoreThanOnce", closeTwice},
		{"ErrClosedAfterwards", closedAfterwards},
		{"WakesWhoWaits", closeWakes},
		{"WhileInUse", closeInUse},
	}
}

func closeTwice(e *env) {
	e.fill(3, 3)
	for range 3 {
		e.ok(e.s.Close())
	}
}

func closedAfterwards(e *env) {
	e.fill(3, 3)
	all := calls(e)
	early := iterators(e.ctx, e.s) // made before, used after
	e.ok(e.s.Close())
	for _, c := range all {
		if err := c.do(e.ctx, e.s); err == nil {
			e.Errorf("%s works after Close", c.name)
		} else {
			e.is(err, catalog.ErrClosed)
		}
	}
	for name, seq := range early {
		if n, err := drain(seq); n != 0 || !errors.Is(err, catalog.ErrClosed) {
			e.Errorf("%s made before Close: %d values, %v", name, n, err)
		}
	}
}

func closeWakes(e *env) {
	tail := e.tail()
	woken := make(chan error, 1)
	go func() { woken <- e.s.Wait(e.ctx, tail) }()
	time.Sleep(5 * time.Millisecond) // most likely it sleeps by now; it need not
	e.ok(e.s.Close())
	e.is(receive(e, woken), catalog.ErrClosed)
}

// closeInUse closes the store under readers and writers: each call either
// works or says that the store is closed.
func closeInUse(e *env) {
	e.fill(500, 0)
	var wg sync.WaitGroup
	errs := make(chan error, 100)
	work := func(name string, f func(i int) error) {
		wg.Go(func() {
			for i := 0; ; i++ {
				if err := f(i); err != nil {
					errs <- fmt.Errorf("%s: %w", name, err)
					return
				}
			}
		})
	}
	for range 2 {
		work("apply", func(i int) error {
			_, err := e.s.Apply(e.ctx, []catalog.Write{put(catalog.KindProduct, "a", doc("a", i))})
			return err
		})
		for _, name := range []string{"Heads", "Scan", "Changes"} {
			work(name, func(int) error {
				_, err := drain(iterators(e.ctx, e.s)[name])
				return err
			})
		}
		work("get", func(int) error {
			_, err := e.s.Get(e.ctx, catalog.KindProduct, "a", "k000001")
			return err
		})
		work("wait", func(int) error {
			tail, err := e.s.Tail(e.ctx)
			if err != nil {
				return err
			}
			return e.s.Wait(e.ctx, tail)
		})
	}
	time.Sleep(30 * time.Millisecond)
	closed := make(chan error, 1)
	go func() { closed <- e.s.Close() }()
	e.ok(receive(e, closed))
	wg.Wait()
	close(errs)
	for err := range errs {
		if !errors.Is(err, catalog.ErrClosed) || errors.Is(err, context.DeadlineExceeded) {
			e.Error(err)
		}
	}
}
