package indextest

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// Oracle is an Index in memory that answers every query by looking at every
// document, with the functions that package indexer defines the answers by. It
// is slow and obviously right: the suite compares other indexes with it, and
// tests of what uses an index may use it.
type Oracle struct {
	mu          sync.RWMutex
	docs        map[string][]*indexer.Document // by SKU
	cursor      catalog.Cursor
	fingerprint string
	built       bool
	closed      bool
}

var _ indexer.LiveIndex = (*Oracle)(nil)

// NewOracle returns an empty index that nothing was built for yet.
func NewOracle() *Oracle {
	return &Oracle{docs: map[string][]*indexer.Document{}}
}

// Apply implements indexer.Index.
func (o *Oracle) Apply(ctx context.Context, ops []indexer.Op, at catalog.Cursor) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return indexer.ErrClosed
	}
	put(o.docs, ops)
	if !at.IsZero() {
		o.cursor = at
	}
	return nil
}

func put(docs map[string][]*indexer.Document, ops []indexer.Op) {
	for _, op := range ops {
		if len(op.Docs) == 0 {
			delete(docs, op.SKU)
			continue
		}
		list := make([]*indexer.Document, len(op.Docs))
		for i, d := range op.Docs {
			list[i] = Clone(d)
		}
		docs[op.SKU] = list
	}
}

// Clone copies a document with all its slices: who lent it may use them again.
func Clone(d *indexer.Document) *indexer.Document {
	attrs := func(list []indexer.Attr) []indexer.Attr {
		list = slices.Clone(list)
		for i := range list {
			list[i].Values = slices.Clone(list[i].Values)
		}
		return list
	}
	c := *d
	c.Stores, c.Words, c.NameKey = slices.Clone(d.Stores), slices.Clone(d.Words), slices.Clone(d.NameKey)
	c.Categories, c.Attrs, c.Units = slices.Clone(d.Categories), attrs(d.Attrs), slices.Clone(d.Units)
	for i := range c.Units {
		u := &c.Units[i]
		u.Stores, u.Attrs, u.Live.Prices = slices.Clone(u.Stores), attrs(u.Attrs), slices.Clone(u.Live.Prices)
	}
	return &c
}

// ApplyLive implements indexer.LiveIndex.
func (o *Oracle) ApplyLive(ctx context.Context, ops []indexer.LiveOp, at catalog.Cursor) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return indexer.ErrClosed
	}
	live := map[string][]indexer.LiveOp{}
	for _, op := range ops {
		live[op.SKU] = append(live[op.SKU], op)
	}
	for sku, list := range o.docs {
		for i, d := range list {
			if !slices.ContainsFunc(d.Units, func(u indexer.Unit) bool { _, ok := live[u.SKU]; return ok }) {
				continue
			}
			c := Clone(d)
			for j := range c.Units {
				for _, op := range live[c.Units[j].SKU] {
					l := &c.Units[j].Live
					if op.Part.Prices() {
						l.Prices, l.Next = op.Live.Prices, op.Live.Next
					}
					if op.Part.Stock() {
						l.InStock = op.Live.InStock
					}
				}
			}
			list = slices.Clone(list) // a reader may have the old one
			list[i] = c
			o.docs[sku] = list
		}
	}
	if !at.IsZero() {
		o.cursor = at
	}
	return nil
}

// Sync implements indexer.Index.
func (o *Oracle) Sync(ctx context.Context) error { return ctx.Err() }

// Cursor implements indexer.Index.
func (o *Oracle) Cursor(context.Context) (catalog.Cursor, error) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if !o.built {
		return catalog.Cursor{}, indexer.ErrNoIndex
	}
	return o.cursor, nil
}

// Fingerprint implements indexer.Index.
func (o *Oracle) Fingerprint(context.Context) (string, error) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if !o.built {
		return "", indexer.ErrNoIndex
	}
	return o.fingerprint, nil
}

// Due implements indexer.Index.
func (o *Oracle) Due(_ context.Context, now time.Time, limit int) ([]string, time.Time, error) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	due := map[string]bool{}
	var next time.Time
	for _, list := range o.docs {
		for _, d := range list {
			for _, u := range d.Units {
				switch n := u.Live.Next; {
				case n.IsZero():
				case !n.After(now):
					due[u.SKU] = true
				case next.IsZero() || n.Before(next):
					next = n
				}
			}
		}
	}
	skus := slices.Sorted(maps.Keys(due))
	return skus[:min(limit, len(skus))], next, nil
}

// Digests implements indexer.Index.
func (o *Oracle) Digests(ctx context.Context, h *indexer.Digester) iter.Seq2[indexer.Digest, error] {
	return func(yield func(indexer.Digest, error) bool) {
		o.mu.RLock()
		docs := maps.Clone(o.docs)
		o.mu.RUnlock()
		for _, list := range docs {
			for _, d := range list {
				if !yield(h.Of(d), ctx.Err()) {
					return
				}
			}
		}
	}
}

// Build implements indexer.Index.
func (o *Oracle) Build(_ context.Context, fingerprint string) (indexer.Builder, error) {
	return &builder{o: o, fingerprint: fingerprint, docs: map[string][]*indexer.Document{}}, nil
}

type builder struct {
	o           *Oracle
	mu          sync.Mutex
	fingerprint string
	docs        map[string][]*indexer.Document
}

func (b *builder) Apply(ctx context.Context, ops []indexer.Op) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	put(b.docs, ops)
	return ctx.Err()
}

func (b *builder) Publish(ctx context.Context, at catalog.Cursor) error {
	b.o.mu.Lock()
	defer b.o.mu.Unlock()
	b.o.docs, b.o.cursor, b.o.fingerprint, b.o.built = b.docs, at, b.fingerprint, true
	return ctx.Err()
}

func (b *builder) Abort() error { return nil }

// Stats implements indexer.Index.
func (o *Oracle) Stats(context.Context) (indexer.IndexStats, error) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	s := indexer.IndexStats{Backend: "oracle", Cursor: o.cursor, Fingerprint: o.fingerprint}
	for _, list := range o.docs {
		for _, d := range list {
			s.Documents++
			s.Units += int64(len(d.Units))
		}
	}
	return s, nil
}

// Close implements indexer.Index.
func (o *Oracle) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	return nil
}

func (o *Oracle) isClosed() bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.closed
}

// all returns the documents ordered by SampleHash, SKU and view.
func (o *Oracle) all() []*indexer.Document {
	o.mu.RLock()
	defer o.mu.RUnlock()
	var list []*indexer.Document
	for _, l := range o.docs {
		list = append(list, l...)
	}
	slices.SortFunc(list, func(a, b *indexer.Document) int {
		return cmp.Or(cmp.Compare(indexer.SampleHash(a.SKU), indexer.SampleHash(b.SKU)), cmp.Compare(a.Key(), b.Key()))
	})
	return list
}

// Attributes implements indexer.Searcher.
func (o *Oracle) Attributes(context.Context) ([]indexer.AttributeStats, error) {
	stats := map[string]*indexer.AttributeStats{}
	last := ""
	for _, d := range o.all() {
		if d.SKU == last {
			continue
		}
		last = d.SKU
		values := map[string][]indexer.Value{}
		for _, a := range d.Attrs {
			values[a.Name] = append(values[a.Name], a.Values...)
		}
		for _, u := range d.Units {
			for _, a := range u.Attrs {
				values[a.Name] = append(values[a.Name], a.Values...)
			}
		}
		for name, vals := range values {
			s := stats[name]
			if s == nil {
				s = &indexer.AttributeStats{Name: name}
				stats[name] = s
			}
			s.Products++
			if !slices.ContainsFunc(vals, func(v indexer.Value) bool { return v.Type != indexer.Number }) {
				s.Numbers++
			}
			if !slices.ContainsFunc(vals, func(v indexer.Value) bool { return v.Type != indexer.Date }) {
				s.Dates++
			}
		}
	}
	out := make([]indexer.AttributeStats, 0, len(stats))
	for _, name := range slices.Sorted(maps.Keys(stats)) {
		out = append(out, *stats[name])
	}
	return out, nil
}
