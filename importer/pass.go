package importer

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"catalog/importer/internal/feed"
)

// worker turns chunks into results. Each is used by one goroutine at a time.
// With feed.ErrTruncated comes the result of what could be read.
type worker interface {
	begin(in *input)
	chunk(ctx context.Context, c *feed.Chunk) (any, error)
	end() error
}

// pass reads all inputs once: one goroutine cuts them into chunks, the workers
// turn these into results, and done gets the results in the order of the feed.
// An input that ends too early is marked, and the next one follows.
func (r *run) pass(ctx context.Context, workers []worker, done func(in *input, result any) error) error {
	for _, in := range r.inputs {
		if err := r.passInput(ctx, in, workers, done); err != nil {
			return err
		}
	}
	return nil
}

// job is a chunk on its way through a worker.
type job struct {
	chunk *feed.Chunk
	out   chan any // gets the result
}

func (r *run) passInput(ctx context.Context, in *input, workers []worker, done func(*input, any) error) error {
	g, ctx := errgroup.WithContext(ctx)
	jobs := make(chan job)
	// What waits in order bounds how far the workers run ahead.
	order := make(chan job, len(workers)+1)
	g.Go(func() error {
		defer close(jobs)
		defer close(order)
		err := in.passed().Chunks(ctx, func(c *feed.Chunk) error {
			j := job{c, make(chan any, 1)}
			for _, ch := range []chan job{order, jobs} {
				select {
				case ch <- j:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
		if errors.Is(err, feed.ErrTruncated) {
			in.damaged(err)
			return nil
		}
		return err
	})
	for _, w := range workers {
		g.Go(func() (err error) {
			w.begin(in)
			defer func() { err = errors.Join(err, w.end()) }()
			for j := range jobs {
				r.prog.at(in.Name, in.before+j.chunk.Read)
				result, err := w.chunk(ctx, j.chunk)
				j.chunk.Release()
				if errors.Is(err, feed.ErrTruncated) {
					// A damaged part of a feed whose other parts can be read.
					in.damaged(err)
				} else if err != nil {
					return err
				}
				j.out <- result
			}
			return nil
		})
	}
	g.Go(func() error {
		for j := range order {
			select {
			case result := <-j.out:
				if err := done(in, result); err != nil {
					return err
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return g.Wait()
}

// skipSame lets passes leave out, where a feed can, what the survey found to
// be as it is in the store, if that is most of it, until the function returned
// is called.
func (r *run) skipSame() (end func()) {
	if !r.full || r.todo > r.total/4 {
		return func() {}
	}
	for _, in := range r.inputs {
		if s, ok := in.reader.(feed.Selective); ok {
			s.Select(func(from, to int64) bool {
				for ord := in.base + from; ord < in.base+to; ord++ {
					if !r.same.Has(uint32(ord)) {
						return true
					}
				}
				return false
			})
		}
	}
	return func() {
		for _, in := range r.inputs {
			if s, ok := in.reader.(feed.Selective); ok {
				s.Select(nil)
			}
		}
	}
}
