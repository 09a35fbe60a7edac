package indexer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"catalog/catalog"
)

// build makes a new generation of all products, brings it up to the tail, and
// publishes it. The log is held from before the first product is read.
func (r *runner) build(ctx context.Context) (err error) {
	r.building.Store(true)
	defer r.building.Store(false)
	r.built.Store(0)
	start, err := r.store.Tail(ctx)
	if err != nil {
		return fmt.Errorf("indexer: reading the tail: %w", err)
	}
	hold := follower(r.opts.Name) + "/build"
	if err := r.store.Follow(ctx, hold, start); err != nil {
		return fmt.Errorf("indexer: registering the follower: %w", err)
	}
	defer func() {
		// An aborted build must not hold the log for ever.
		if uerr := r.store.Unfollow(context.WithoutCancel(ctx), hold); uerr != nil && err == nil && !errors.Is(uerr, catalog.ErrNotFound) {
			err = fmt.Errorf("indexer: letting go of the log: %w", uerr)
		}
	}()
	r.mu.Lock()
	if err := r.renewShop(ctx); err != nil && !errors.Is(err, errStale) {
		r.mu.Unlock()
		return err
	}
	g := &generation{r: r, shop: r.shop, mapper: r.mapper, at: start}
	r.mu.Unlock()
	r.report(ctx, StateBuilding, start, nil)
	if g.b, err = r.index.Build(ctx, g.shop.Print); err != nil {
		return fmt.Errorf("indexer: starting a build: %w", err)
	}
	defer func() {
		if aerr := g.b.Abort(); aerr != nil && err == nil {
			err = fmt.Errorf("indexer: tidying up after a build: %w", aerr)
		}
	}()
	if err := g.scan(ctx); err != nil {
		return err
	}
	return g.publish(ctx)
}

// generation is a build under way.
type generation struct {
	r       *runner
	shop    *Shop
	mapper  *Mapper
	b       Builder
	at      catalog.Cursor
	shopped []catalog.Change // changes of categories and attributes since it began
}

func (g *generation) sink(ctx context.Context, ops []Op, _ catalog.Cursor) error {
	if len(ops) == 0 {
		return nil
	}
	if err := g.b.Apply(ctx, ops); err != nil {
		return fmt.Errorf("indexer: building with %d products: %w", len(ops), err)
	}
	return nil
}

// batch is a run of products as Scan yields them.
type batch struct {
	skus   []string
	bodies []byte
	ends   []int
}

// scan maps all products of the store.
func (g *generation) scan(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// A batch is being read, one waits, and each worker has one.
	size := max(64<<10, g.r.opts.Batch/(2*g.r.opts.Workers+2))
	batches, free := make(chan *batch), make(chan *batch, g.r.opts.Workers+1)
	var wg sync.WaitGroup
	for range g.r.opts.Workers {
		wg.Go(func() {
			l, a := newLoader(g.r.store), new(arena)
			for b := range batches {
				if err := g.take(ctx, l, a, b); err != nil {
					cancel(err)
					return
				}
				select {
				case free <- b:
				default:
				}
			}
		})
	}
	err := g.read(ctx, batches, free, size)
	close(batches)
	wg.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// read hands out batches of about size bytes. Those that come back are used
// again.
func (g *generation) read(ctx context.Context, out chan<- *batch, free <-chan *batch, size int) error {
	b := &batch{}
	flush := func() error {
		select {
		case out <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case b = <-free:
			b.skus, b.bodies, b.ends = b.skus[:0], b.bodies[:0], b.ends[:0]
		default:
			b = &batch{bodies: make([]byte, 0, size+size/8)}
		}
		return nil
	}
	for rec, err := range g.r.store.Scan(ctx, catalog.KindProduct, catalog.All) {
		if err != nil {
			return fmt.Errorf("indexer: reading products: %w", err)
		}
		b.skus = append(b.skus, string(rec.Key))
		b.bodies = append(b.bodies, rec.Body...)
		b.ends = append(b.ends, len(b.bodies))
		if len(b.bodies) >= size {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if len(b.skus) > 0 {
		return flush()
	}
	return nil
}

// take maps a batch and gives it to the builder.
func (g *generation) take(ctx context.Context, l *loader, a *arena, b *batch) error {
	l.reset()
	a.reset()
	start := 0
	for i, sku := range b.skus {
		l.got[catalog.KindProduct][sku] = b.bodies[start:b.ends[i]:b.ends[i]]
		start = b.ends[i]
	}
	if err := l.around(ctx, b.skus); err != nil {
		return err
	}
	if err := l.related(ctx, b.skus); err != nil {
		return err
	}
	ops, dead := g.r.mapAll(l, g.mapper, a, b.skus)
	// The builder is given nothing of products that no store shows.
	ops = slices.DeleteFunc(ops, func(op Op) bool { return len(op.Docs) == 0 })
	more, err := rejected(g.sink(ctx, ops, catalog.Cursor{}))
	if err != nil {
		return err
	}
	g.r.built.Add(int64(len(b.skus)))
	g.r.report(ctx, StateBuilding, g.at, nil)
	if len(dead)+len(more) == 0 && !g.r.hasDead() {
		return nil
	}
	if dead == nil {
		dead = more
	}
	for sku, cause := range more {
		dead[sku] = cause
	}
	return g.r.bury(ctx, dead, ops)
}

// maxLast is how many changes are left at most for the step during which the
// old generation stands still.
const maxLast = 1000

// catchUp follows the log until few changes are left.
func (g *generation) catchUp(ctx context.Context) error {
	for {
		n, err := g.follow(ctx)
		if err != nil || n < maxLast {
			return err
		}
	}
}

// publish brings the generation up to the tail and makes it the one that
// serves. The last steps are done while nobody else applies: so what takes
// long comes before.
func (g *generation) publish(ctx context.Context) error {
	if err := g.catchUp(ctx); err != nil {
		return err
	}
	if b, ok := g.b.(Settler); ok {
		if err := b.Settle(ctx); err != nil {
			return fmt.Errorf("indexer: settling a build: %w", err)
		}
		if err := g.catchUp(ctx); err != nil {
			return err
		}
	}
	g.r.mu.Lock()
	defer g.r.mu.Unlock()
	if err := g.catchUp(ctx); err != nil {
		return err
	}
	// An index that sends products in bulk may learn only now which it does not
	// take; it has published the others.
	late, err := rejected(g.b.Publish(ctx, g.at))
	if err != nil {
		return fmt.Errorf("indexer: publishing: %w", err)
	}
	if err := g.r.bury(ctx, late, nil); err != nil {
		return err
	}
	g.r.result.Rebuilt = true
	g.r.result.Cursor = g.at
	if err := g.r.store.Follow(ctx, follower(g.r.opts.Name), g.at); err != nil {
		return fmt.Errorf("indexer: moving the follower: %w", err)
	}
	if len(g.shopped) > 0 {
		// Its products were mapped with the categories as they were.
		g.r.shop, g.r.mapper = g.shop, g.mapper
		c := sortOut(g.shopped)
		if err := g.r.shopChanged(ctx, c, &following{r: g.r, at: g.at, old: true, catchUp: g.at.Seq}); err != nil {
			return err
		}
	}
	return g.r.keepNamed(ctx)
}

// follow takes the changes up to the tail into the generation, and returns how
// many there were.
func (g *generation) follow(ctx context.Context) (int, error) {
	total := 0
	for {
		var changes []catalog.Change
		for c, err := range g.r.store.Changes(ctx, g.at) {
			if err != nil {
				return 0, fmt.Errorf("indexer: reading the log: %w", err)
			}
			if changes = append(changes, c); len(changes) == maxChanges {
				break
			}
		}
		if len(changes) == 0 {
			return total, nil
		}
		total += len(changes)
		c := sortOut(changes)
		for _, ch := range changes {
			if ch.Kind == catalog.KindCategory || ch.Kind == catalog.KindAttribute {
				g.shopped = append(g.shopped, ch)
			}
		}
		for _, u := range c.units {
			c.products = append(c.products, u.sku)
		}
		skus, err := g.r.withParents(ctx, c.products)
		if err != nil {
			return 0, err
		}
		l := newLoader(g.r.store)
		for part := range slices.Chunk(skus, maxChunk) {
			ops, dead, err := g.r.chunk(ctx, l, g.mapper, part)
			if err != nil {
				return 0, err
			}
			more, err := rejected(g.sink(ctx, ops, catalog.Cursor{}))
			if err != nil {
				return 0, err
			}
			if dead == nil {
				dead = more
			}
			for sku, cause := range more {
				dead[sku] = cause
			}
			if err := g.r.bury(ctx, dead, ops); err != nil {
				return 0, err
			}
		}
		g.at = catalog.Cursor{Epoch: g.at.Epoch, Seq: changes[len(changes)-1].Seq}
		if err := g.r.store.Follow(ctx, follower(g.r.opts.Name)+"/build", g.at); err != nil {
			return 0, fmt.Errorf("indexer: moving the follower: %w", err)
		}
		if len(changes) < maxChanges {
			return total, nil
		}
	}
}
