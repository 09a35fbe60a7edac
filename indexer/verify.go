package indexer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"catalog/catalog"
)

// Fault is what Verify finds wrong with a document.
type Fault uint8

// The faults.
const (
	Missing Fault = iota // the store says it should be there
	Stale                // as it was before a change that the index has yet to follow
	Surplus              // the store says it should not be there
	Wrong                // not what its records make, and no change is under way
	NumFaults
)

// String returns the fault's name.
func (f Fault) String() string { return [NumFaults]string{"missing", "stale", "surplus", "wrong"}[f] }

// Finding is a document that is not as it should be.
type Finding struct {
	SKU, View string
	Fault     Fault
	Parts     []Part // that differ; empty of missing and surplus ones
}

// Verification is what Verify found.
type Verification struct {
	Products  int64 // records that were mapped
	Documents int64 // that the index has
	Counts    [NumFaults]int64
	Parts     [NumParts]int64 // documents that differ in each
	Examples  []Finding       // of each fault the first few, by SKU
	Unmapped  int64           // products that could not be mapped
	Repaired  int64           // products
	Outdated  bool            // the index was built with other settings: build it anew
	Cursor    catalog.Cursor  // the index's
}

// OK reports whether the index is what the store says; stale documents are
// only late.
func (v *Verification) OK() bool {
	return !v.Outdated && v.Counts[Missing]+v.Counts[Surplus]+v.Counts[Wrong]+v.Unmapped == 0
}

// VerifyOptions say how Verify works. The zero value of each field works.
type VerifyOptions struct {
	Name     string // of the index, as in Options
	Holder   string
	Repair   bool // make the documents anew of which something is wrong; takes the lease
	Settings *Settings
	Examples int // of each fault; 0: 10
	Workers  int
	Log      *slog.Logger
	Now      func() time.Time
	Progress func(products int64) // from one goroutine at a time
}

// Verify compares an index with the store completely: it maps all products and
// compares the documents with digests that the index computes from what it
// keeps. Both are read at the same time. What changes meanwhile is looked at
// again. It needs about 60 bytes of memory for each document that one side has
// come to and the other not: few where both are in the order of SKUs.
func Verify(ctx context.Context, s catalog.Store, x Index, opts VerifyOptions) (Verification, error) {
	o := Options{
		Name: opts.Name, Holder: opts.Holder, Workers: opts.Workers, Log: opts.Log, Now: opts.Now,
		Settings: func() (*Settings, error) { return opts.Settings, nil },
	}.withDefaults()
	if opts.Examples == 0 {
		opts.Examples = 10
	}
	v := &verifier{runner: &runner{store: s, index: x, opts: o, quiet: true}, opts: opts, h: NewDigester()}
	v.pairs = newPairs(v.h)
	if !opts.Repair {
		err := v.run(ctx)
		return v.out, err
	}
	lease, err := v.runner.acquire(ctx)
	if err != nil {
		return v.out, err
	}
	err = catalog.KeepLease(ctx, s, lease, o.TTL, func(ctx context.Context) error {
		return v.run(catalog.WithFence(ctx, lease))
	})
	return v.out, err
}

type verifier struct {
	runner *runner
	opts   VerifyOptions
	h      *Digester
	pairs  *pairs
	out    Verification

	suspects map[string]bool // SKUs of which some document is not as expected
	surplus  map[docID]bool  // documents of the index that are not expected
}

func (v *verifier) run(ctx context.Context) error {
	if err := v.runner.start(ctx); err != nil {
		return err
	}
	v.runner.dead = map[string]bool{} // only those that this pass finds count
	at, err := v.runner.index.Cursor(ctx)
	if err != nil {
		return fmt.Errorf("indexer: reading the index's cursor: %w", err)
	}
	v.out.Cursor = at
	print, err := v.runner.index.Fingerprint(ctx)
	if err != nil {
		return fmt.Errorf("indexer: reading the index's fingerprint: %w", err)
	}
	v.out.Outdated = print != v.runner.shop.Print
	if err := v.compare(ctx); err != nil {
		return err
	}
	findings, err := v.settle(ctx)
	if err != nil {
		return err
	}
	v.count(findings)
	if !v.opts.Repair || len(findings) == 0 {
		return nil
	}
	return v.repair(ctx, findings)
}

// compare maps all products and reads the index's digests, and notes what
// differs.
func (v *verifier) compare(ctx context.Context) error {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var reading sync.WaitGroup
	reading.Go(func() {
		if err := v.read(inner); err != nil {
			cancel(err)
		}
	})
	if err := v.expect(inner); err != nil {
		cancel(err)
	}
	reading.Wait()
	if err := context.Cause(inner); err != nil {
		return err
	}
	v.suspects = v.pairs.differ
	missing, surplus := v.pairs.alone()
	v.pairs, v.surplus = nil, surplus
	return v.find(ctx, missing)
}

// expect maps all products.
func (v *verifier) expect(ctx context.Context) error {
	g := &generation{r: v.runner, shop: v.runner.shop, mapper: v.runner.mapper}
	g.b = &expecter{v: v}
	if err := g.scan(ctx); err != nil {
		return err
	}
	v.out.Products = v.runner.built.Load()
	v.out.Unmapped = int64(len(v.runner.dead))
	return nil
}

// read reads the index's digests.
func (v *verifier) read(ctx context.Context) error {
	for d, err := range v.runner.index.Digests(ctx, v.h) {
		if err != nil {
			return fmt.Errorf("indexer: reading the index: %w", err)
		}
		v.out.Documents++
		v.pairs.put(&d, sideIndex)
	}
	return ctx.Err()
}

// expecter is a Builder that keeps digests only.
type expecter struct {
	v  *verifier
	mu sync.Mutex
}

func (e *expecter) Apply(_ context.Context, ops []Op) error {
	for _, op := range ops {
		for _, d := range op.Docs {
			g := e.v.h.Of(d)
			e.v.pairs.put(&g, sideStore)
		}
	}
	if e.v.opts.Progress != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.v.opts.Progress(e.v.runner.built.Load())
	}
	return nil
}

func (e *expecter) Publish(context.Context, catalog.Cursor) error { return nil }
func (e *expecter) Abort() error                                  { return nil }

// find makes suspects of the products whose documents are missing.
func (v *verifier) find(ctx context.Context, missing map[docID]bool) error {
	if len(missing) == 0 {
		return nil
	}
	for head, err := range v.runner.store.Heads(ctx, catalog.KindProduct, catalog.All) {
		if err != nil {
			return fmt.Errorf("indexer: reading heads: %w", err)
		}
		sku := string(head.Key)
		found := missing[idOf(v.h, sku, "")]
		for i := range v.runner.shop.Stores.list {
			found = found || missing[idOf(v.h, sku, v.runner.shop.Stores.list[i].Code)]
		}
		if found {
			v.suspects[strings.Clone(sku)] = true
		}
	}
	return nil
}

// settle looks at the suspects again, until what is found does not change:
// the index may be following while it is compared.
func (v *verifier) settle(ctx context.Context) ([]Finding, error) {
	var last []Finding
	for range 5 {
		if len(v.suspects)+len(v.surplus) == 0 {
			return nil, nil
		}
		findings, err := v.examine(ctx)
		if err != nil {
			return nil, err
		}
		if slices.EqualFunc(findings, last, func(a, b Finding) bool { return a.SKU == b.SKU && a.View == b.View && a.Fault == b.Fault }) {
			return findings, nil
		}
		last = findings
		v.suspects, v.surplus = map[string]bool{}, nil
		for _, f := range findings {
			v.suspects[f.SKU] = true
		}
		if len(findings) == 0 {
			return nil, nil
		}
		if err := catalog.Sleep(ctx, 200*time.Millisecond); err != nil {
			return nil, err
		}
	}
	return last, nil
}

// examine compares the suspects' documents with their records as they are now.
func (v *verifier) examine(ctx context.Context) ([]Finding, error) {
	type both struct{ want, got *Digest }
	docs := map[[2]string]*both{}
	at := func(sku, view string) *both {
		k := [2]string{sku, view}
		if docs[k] == nil {
			docs[k] = &both{}
		}
		return docs[k]
	}
	for d, err := range v.runner.index.Digests(ctx, v.h) {
		if err != nil {
			return nil, fmt.Errorf("indexer: reading the index: %w", err)
		}
		if len(v.surplus) > 0 && v.surplus[idOf(v.h, d.SKU, d.View)] {
			v.suspects[strings.Clone(d.SKU)] = true
		}
		if v.suspects[d.SKU] {
			d.SKU, d.View = strings.Clone(d.SKU), strings.Clone(d.View)
			at(d.SKU, d.View).got = &d
		}
	}
	skus := make([]string, 0, len(v.suspects))
	for sku := range v.suspects {
		skus = append(skus, sku)
	}
	slices.Sort(skus)
	cursor, err := v.runner.index.Cursor(ctx)
	if err != nil {
		return nil, fmt.Errorf("indexer: reading the index's cursor: %w", err)
	}
	v.out.Cursor = cursor
	changes, err := v.pendingSince(ctx, cursor)
	if err != nil {
		return nil, err
	}
	l := newLoader(v.runner.store)
	late := map[string]bool{}
	for part := range slices.Chunk(skus, maxChunk) {
		ops, _, err := v.runner.chunk(ctx, l, v.runner.mapper, part)
		if err != nil {
			return nil, err
		}
		for _, op := range ops {
			for _, d := range op.Docs {
				g := v.h.Of(d)
				at(d.SKU, d.View).want = &g
			}
			late[op.SKU] = changes.late(l, op.SKU)
		}
	}
	var out []Finding
	for k, b := range docs {
		f := Finding{SKU: k[0], View: k[1]}
		switch {
		case b.got == nil:
			f.Fault = Missing
		case b.want == nil:
			f.Fault = Surplus
		case b.got.Parts == b.want.Parts:
			continue
		default:
			f.Fault = Wrong
			for p := range NumParts {
				if b.got.Parts[p] != b.want.Parts[p] {
					f.Parts = append(f.Parts, p)
				}
			}
		}
		if late[f.SKU] {
			f.Fault = Stale
		}
		out = append(out, f)
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].SKU != out[j].SKU {
			return out[i].SKU < out[j].SKU
		}
		return out[i].View < out[j].View
	})
	return out, nil
}

// pending is what changed after the index's cursor.
type pending struct {
	all  bool // too much to tell, or what concerns all products
	keys map[catalog.Key]bool
}

// maxPending bounds how many changed keys are remembered.
const maxPending = 1 << 20

// pendingSince reads the log after a cursor.
func (v *verifier) pendingSince(ctx context.Context, at catalog.Cursor) (*pending, error) {
	p := &pending{keys: map[catalog.Key]bool{}}
	for c, err := range v.runner.store.Changes(ctx, at) {
		if errors.Is(err, catalog.ErrTrimmed) {
			return &pending{all: true}, nil // the index is about to be built anew
		}
		if err != nil {
			return nil, fmt.Errorf("indexer: reading the log: %w", err)
		}
		if c.Kind == catalog.KindCategory || c.Kind == catalog.KindAttribute || len(p.keys) >= maxPending {
			return &pending{all: true}, nil
		}
		p.keys[catalog.Key(strings.Clone(string(c.Key)))] = true
	}
	return p, nil
}

// late reports whether a record that a product's documents are made of changed
// after the index's cursor.
func (p *pending) late(l *loader, sku string) bool {
	if p.all || p.keys[catalog.Key(sku)] {
		return true
	}
	return slices.ContainsFunc(VariantSKUs(l.get(catalog.KindProduct, sku)), func(s string) bool { return p.keys[catalog.Key(s)] })
}

func (v *verifier) count(findings []Finding) {
	for _, f := range findings {
		if v.out.Counts[f.Fault]++; v.out.Counts[f.Fault] <= int64(v.opts.Examples) {
			v.out.Examples = append(v.out.Examples, f)
		}
		for _, p := range f.Parts {
			v.out.Parts[p]++
		}
	}
}

// repair makes the documents of faulty products anew.
func (v *verifier) repair(ctx context.Context, findings []Finding) error {
	var skus []string
	for _, f := range findings {
		skus = append(skus, f.SKU)
	}
	skus = unique(skus)
	r := v.runner
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.reindex(ctx, r.toIndex, skus, catalog.Cursor{}); err != nil {
		return err
	}
	v.out.Repaired = int64(len(skus))
	if err := r.index.Sync(ctx); err != nil {
		return fmt.Errorf("indexer: syncing: %w", err)
	}
	return nil
}
