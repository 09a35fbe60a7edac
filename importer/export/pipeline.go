package export

import (
	"context"

	"golang.org/x/sync/errgroup"

	"catalog/catalog"
)

// batchBytes is how many bytes of bodies go through the pipeline together.
const batchBytes = 256 << 10

// pipeline puts lines together on several goroutines and hands them on in
// order: one goroutine scans into batches, workers turn each batch into lines,
// and the caller's goroutine takes the batches in the order of the scan. The
// number of batches is fixed, so memory is too, but for the size of a record.
type pipeline struct {
	store  catalog.Store
	o      Options
	counts *Counts
	mixed  bool // several kinds: lines need their marker
}

func newPipeline(store catalog.Store, o Options, counts *Counts) *pipeline {
	return &pipeline{store: store, o: o, counts: counts, mixed: len(o.Kinds) > 1}
}

// batch is a run of records and, once made, their lines.
type batch struct {
	entries []entry
	in      []byte
	out     []byte
	ends    []int // of the lines in out
	counts  [catalog.KindAttribute + 1]int64
	err     error
	made    chan struct{} // holds one token when the lines are made
}

// entry says where the bodies of one key end in a batch's in; a body that is
// not there is empty.
type entry struct {
	kind                catalog.Kind
	product, price, end int
}

func (b *batch) reset() {
	b.entries, b.in, b.out, b.ends, b.err = b.entries[:0], b.in[:0], b.out[:0], b.ends[:0], nil
	b.counts = [len(b.counts)]int64{}
}

// run scans the store and calls yield for each line.
func (p *pipeline) run(ctx context.Context, yield func(line []byte) error) error {
	g, ctx := errgroup.WithContext(ctx)
	n := 2*p.o.Workers + 2
	free, work, ordered := make(chan *batch, n), make(chan *batch, n), make(chan *batch, n)
	for range n {
		free <- &batch{made: make(chan struct{}, 1)}
	}
	g.Go(func() error {
		defer close(work)
		defer close(ordered)
		return p.produce(ctx, free, work, ordered)
	})
	for range p.o.Workers {
		g.Go(func() error {
			var m maker
			for b := range work {
				m.make(b, p.o.Canonical, p.mixed)
				b.made <- struct{}{}
			}
			return nil
		})
	}
	g.Go(func() error {
		for b := range ordered {
			<-b.made
			if err := p.take(b, yield); err != nil {
				return err
			}
			b.reset()
			free <- b
		}
		return nil
	})
	return g.Wait()
}

// produce scans into batches. Channels have room for all batches there are, so
// that only the wait for a free one can block.
func (p *pipeline) produce(ctx context.Context, free <-chan *batch, work, ordered chan<- *batch) error {
	var b *batch
	send := func() {
		if b != nil && len(b.entries) > 0 {
			ordered <- b
			work <- b
			b = nil
		}
	}
	err := scan(ctx, p.store, p.o, func(kind catalog.Kind, product, price, stock []byte) error {
		if b == nil {
			select {
			case b = <-free:
			case <-ctx.Done():
				return ctx.Err() // only this run's: Wait has the error that came first
			}
		}
		e := entry{kind: kind}
		b.in = append(b.in, product...)
		e.product = len(b.in)
		b.in = append(b.in, price...)
		e.price = len(b.in)
		b.in = append(b.in, stock...)
		e.end = len(b.in)
		b.entries = append(b.entries, e)
		if len(b.in) >= batchBytes {
			send()
		}
		return nil
	})
	send()
	return err
}

// take hands on the lines of a batch.
func (p *pipeline) take(b *batch, yield func(line []byte) error) error {
	if b.err != nil {
		return b.err
	}
	from := 0
	for _, end := range b.ends {
		if err := yield(b.out[from:end]); err != nil {
			return err
		}
		from = end
	}
	p.counts.Lines += int64(len(b.ends))
	for kind, n := range b.counts {
		if n > 0 {
			p.counts.Records[catalog.Kind(kind)] += n
		}
	}
	if p.o.Progress != nil {
		p.o.Progress(p.counts.Lines, p.counts.Records[catalog.KindProduct])
	}
	return nil
}

// maker makes lines; each worker has one.
type maker struct {
	canon Canonicalizer
	line  []byte
}

// make makes the lines of a batch.
func (m *maker) make(b *batch, canonical, mixed bool) {
	from := 0
	for _, e := range b.entries {
		product, price, stock := b.in[from:e.product], b.in[e.product:e.price], b.in[e.price:e.end]
		from = e.end
		if e.kind != catalog.KindProduct {
			m.add(b, e.kind, product, canonical, mixed)
			continue
		}
		if len(product) > 0 {
			priceIn, stockIn := false, false
			if len(price) > 0 || len(stock) > 0 {
				m.line, priceIn, stockIn = join(m.line[:0], product, price, stock)
				product = m.line
			}
			m.add(b, catalog.KindProduct, product, canonical, false)
			if priceIn {
				b.counts[catalog.KindPrice]++
				price = nil
			}
			if stockIn {
				b.counts[catalog.KindStock]++
				stock = nil
			}
		}
		if len(price) > 0 {
			m.add(b, catalog.KindPrice, price, canonical, mixed)
		}
		if len(stock) > 0 {
			m.add(b, catalog.KindStock, stock, canonical, mixed)
		}
		if b.err != nil {
			return
		}
	}
}

// add appends one line.
func (m *maker) add(b *batch, kind catalog.Kind, body []byte, canonical, marked bool) {
	b.counts[kind]++
	start := len(b.out)
	if canonical {
		var err error
		if b.out, err = m.canon.Append(b.out, body); err != nil {
			b.err = err
			return
		}
		body = b.out[start:]
	}
	switch {
	case marked:
		m.line = appendMarked(m.line[:0], kind.String(), body)
		b.out = append(b.out[:start], m.line...)
	case !canonical:
		b.out = append(b.out, body...)
	}
	b.ends = append(b.ends, len(b.out))
}
