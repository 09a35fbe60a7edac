package main

import (
	"context"
	"errors"
)

// indexKeeper is what brings the index of a process that stays up to date. It
// steps aside for work that needs the index's lease, which others ask for: they
// cannot have it while this one follows the log.
type indexKeeper struct {
	asks chan *errand
	gone chan struct{} // closed when nobody follows any more
}

// errand is work that is done in the follower's place.
type errand struct {
	ctx  context.Context
	work func(context.Context) error
	done chan error
}

func newIndexKeeper() *indexKeeper {
	return &indexKeeper{asks: make(chan *errand), gone: make(chan struct{})}
}

// follow calls run, which follows the log until its context ends, again
// whenever work asked of instead is done. It is called once.
func (k *indexKeeper) follow(ctx context.Context, run func(context.Context) error) error {
	defer close(k.gone)
	for {
		e, err := k.until(ctx, run)
		if e == nil {
			return err
		}
		e.done <- k.do(ctx, e)
	}
}

// until calls run until it returns, or somebody asks for work instead.
func (k *indexKeeper) until(ctx context.Context, run func(context.Context) error) (*errand, error) {
	inner, stop := context.WithCancel(ctx)
	defer stop()
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = run(inner)
	}()
	select {
	case <-ended:
		return nil, err
	case e := <-k.asks:
		stop()
		<-ended // it has given the lease up
		return e, nil
	}
}

// do does the work, which ends when who asked goes away or the process ends.
func (k *indexKeeper) do(ctx context.Context, e *errand) error {
	inner, cancel := context.WithCancel(e.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	err := e.work(inner)
	if err != nil && ctx.Err() != nil {
		return errors.Join(errEnding, err)
	}
	return err
}

// instead has work done in the follower's place, when it is its turn. A keeper
// that is nil keeps nothing: then work is done at once.
func (k *indexKeeper) instead(ctx context.Context, work func(context.Context) error) error {
	if k == nil {
		return work(ctx)
	}
	e := &errand{ctx: ctx, work: work, done: make(chan error, 1)}
	select {
	case k.asks <- e:
		return <-e.done
	case <-k.gone:
		return errEnding
	case <-ctx.Done():
		return ctx.Err()
	}
}
