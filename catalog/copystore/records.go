package copystore

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"catalog/catalog"
)

// maxWrites is how many writes a batch has at most.
const maxWrites = 50_000

// batch is what is written at a time.
type batch struct {
	writes []catalog.Write
	bytes  int
}

func (b *batch) add(w catalog.Write) {
	b.writes = append(b.writes, w)
	b.bytes += len(w.Body) + len(w.Key) + 128
}

func (b *batch) full(o Options) bool { return b.bytes >= o.BatchBytes || len(b.writes) >= maxWrites }

// records copies the records that the source has, from where the state is.
func (c *copier) records(ctx context.Context) error {
	p := Progress{Phase: PhaseRecords}
	var err error
	if p.Total, err = c.total(ctx); err != nil {
		return err
	}
	batches := make(chan *batch, 1)
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(batches)
		return c.read(gctx, batches)
	})
	g.Go(func() error {
		for b := range batches {
			if err := c.apply(gctx, b); err != nil {
				return err
			}
			last := &b.writes[len(b.writes)-1]
			c.kind(last.Kind).Read += int64(len(b.writes))
			c.state.Kind, c.state.Key = last.Kind.String(), string(last.Key)
			if err := c.save(gctx); err != nil {
				return err
			}
			p.Done += int64(len(b.writes))
			c.progress(p)
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return err
	}
	c.state.Phase, c.state.Kind, c.state.Key = PhaseLog, "", ""
	return c.save(ctx)
}

// total is how many records the source has.
func (c *copier) total(ctx context.Context) (total int64, err error) {
	st, err := catalog.Counts(ctx, c.from)
	for _, n := range st.Records {
		total += n
	}
	return total, err
}

// read sends batches of one kind each.
func (c *copier) read(ctx context.Context, to chan<- *batch) error {
	kinds, from := catalog.Kinds(), catalog.Key("")
	if c.state.Kind != "" {
		kind, err := catalog.ParseKind(c.state.Kind)
		if err != nil {
			return fmt.Errorf("%w: the state of the copy: %w", catalog.ErrVersion, err)
		}
		kinds = kinds[slices.Index(kinds, kind):]
		from = catalog.Key(c.state.Key) + "\x00" // no key is another one and a zero byte
	}
	send := func(b *batch) error {
		if len(b.writes) == 0 {
			return nil
		}
		select {
		case to <- b:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	var m maker
	for _, kind := range kinds {
		b := &batch{}
		for r, err := range c.from.Scan(ctx, kind, catalog.Range{From: from}) {
			if err != nil {
				return err
			}
			r.Body = bytes.Clone(r.Body)
			w, err := m.put(&r)
			if err != nil {
				return err
			}
			if b.add(w); b.full(c.o) {
				if err := send(b); err != nil {
					return err
				}
				b = &batch{}
			}
		}
		if err := send(b); err != nil {
			return err
		}
		from = ""
	}
	return nil
}

// apply writes a batch and counts what became of it.
func (c *copier) apply(ctx context.Context, b *batch) error {
	if len(b.writes) == 0 {
		return nil
	}
	results, err := c.to.Apply(c.fenced(ctx), b.writes)
	if err != nil {
		return err
	}
	for i, r := range results {
		k := c.kind(b.writes[i].Kind)
		switch r.Outcome {
		case catalog.Created:
			k.Created++
		case catalog.Updated:
			k.Updated++
		case catalog.Unchanged:
			k.Unchanged++
		case catalog.Deleted:
			k.Deleted++
		}
	}
	return nil
}

// maker makes writes of records.
type maker struct {
	parser catalog.Parser
	parsed catalog.Parsed
}

// put returns the write that makes a record what it is in the source. It keeps
// the record's body.
func (m *maker) put(r *catalog.Record) (catalog.Write, error) {
	if catalog.HashOf(r.Body) != r.Hash {
		return catalog.Write{}, fmt.Errorf("%w: %s %q of the source", catalog.ErrCorrupt, r.Kind, r.Key)
	}
	w := catalog.Write{Kind: r.Kind, Key: r.Key, Body: r.Body, Hash: r.Hash, Source: r.Source}
	if r.Kind != catalog.KindProduct && r.Kind != catalog.KindCategory {
		return w, nil // the others have no refs
	}
	m.parser.Reuse()
	if err := m.parser.Parse(r.Kind, r.Body, &m.parsed); err != nil {
		return w, fmt.Errorf("%s %q of the source: %w", r.Kind, r.Key, err)
	}
	w.Refs = slices.Clone(m.parsed.Refs)
	return w, nil
}
