package indexer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"catalog/catalog"
)

const (
	// maxChunk is how many products are read and mapped at once.
	maxChunk = 64
	// maxHand is how many are handed to an index at once.
	maxHand = 512
)

// sink takes ops: an Index or a Builder.
type sink func(ctx context.Context, ops []Op, at catalog.Cursor) error

func (r *runner) toIndex(ctx context.Context, ops []Op, at catalog.Cursor) error {
	if err := r.index.Apply(ctx, ops, at); err != nil {
		return fmt.Errorf("indexer: applying %d products: %w", len(ops), err)
	}
	return nil
}

// changed is what a number of log entries comes to.
type changed struct {
	products   []string // that changed, and parents of those
	units      []unitChange
	categories []catalog.Change
	attributes bool
}

// unitChange is a unit of which price, stock or both changed.
type unitChange struct {
	sku  string
	part LivePart
}

func sortOut(changes []catalog.Change) *changed {
	c := &changed{}
	seen := map[catalog.Key]bool{}
	for _, ch := range changes {
		switch ch.Kind {
		case catalog.KindProduct:
			if !seen[ch.Key] {
				seen[ch.Key] = true
				c.products = append(c.products, string(ch.Key))
			}
		case catalog.KindPrice:
			c.units = append(c.units, unitChange{string(ch.Key), LivePrices})
		case catalog.KindStock:
			c.units = append(c.units, unitChange{string(ch.Key), LiveStock})
		case catalog.KindCategory:
			c.categories = append(c.categories, ch)
		case catalog.KindAttribute:
			c.attributes = true
		}
	}
	c.units = mergeUnits(c.units)
	return c
}

// mergeUnits returns each unit once, by SKU: neighbours in the store are read
// from the same blocks.
func mergeUnits(list []unitChange) []unitChange {
	slices.SortFunc(list, func(a, b unitChange) int { return strings.Compare(a.sku, b.sku) })
	n := 0
	for _, u := range list {
		if n == 0 || list[n-1].sku != u.sku {
			list[n] = u
			n++
		} else if list[n-1].part != u.part {
			list[n-1].part = LiveAll
		}
	}
	return list[:n]
}

// take brings changes into the index, with the cursor behind them, and returns
// when the earliest of the prices it computed changes. The caller holds mu.
func (r *runner) take(ctx context.Context, changes []catalog.Change, at catalog.Cursor, f *following) (time.Time, error) {
	r.next = time.Time{}
	c := sortOut(changes)
	if c.attributes || len(c.categories) > 0 {
		if err := r.shopChanged(ctx, c, f); err != nil {
			return time.Time{}, err
		}
	}
	skus, err := r.withParents(ctx, c.products)
	if err != nil {
		return time.Time{}, err
	}
	more, err := r.live(ctx, c.units, skus)
	if err != nil {
		return time.Time{}, err
	}
	skus = append(skus, more...)
	if err := r.reindex(ctx, r.toIndex, skus, at); err != nil {
		return time.Time{}, err
	}
	return r.next, nil
}

// withParents returns products and the products that they are variants of.
func (r *runner) withParents(ctx context.Context, skus []string) ([]string, error) {
	out := slices.Clone(skus)
	for _, sku := range skus {
		up, err := parents(ctx, r.store, sku)
		if err != nil {
			return nil, err
		}
		out = append(out, up...)
	}
	return unique(out), nil
}

// unique returns the strings without repetitions, in their first order.
func unique(list []string) []string {
	seen := make(map[string]bool, len(list))
	return slices.DeleteFunc(list, func(s string) bool {
		old := seen[s]
		seen[s] = true
		return old
	})
}

// soon notes when a price that was computed changes.
func (r *runner) soon(t time.Time) {
	if !t.IsZero() && (r.next.IsZero() || t.Before(r.next)) {
		r.next = t
	}
}

// reindex makes the documents of products anew and hands them to a sink, with
// the cursor after the last of them. The caller holds mu.
func (r *runner) reindex(ctx context.Context, to sink, skus []string, at catalog.Cursor) error {
	if len(skus) == 0 {
		if at.IsZero() {
			return nil
		}
		return to(ctx, nil, at)
	}
	r.result.Products += int64(len(skus))
	if len(skus) <= maxChunk {
		ops, dead, err := r.chunk(ctx, newLoader(r.store), r.mapper, skus)
		if err != nil {
			return err
		}
		return r.hand(ctx, to, ops, dead, at)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type made struct {
		ops  []Op
		dead map[string]error
		err  error
	}
	chunks, out := make(chan []string), make(chan made)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(chunks)
		for part := range slices.Chunk(skus, maxChunk) {
			select {
			case chunks <- part:
			case <-ctx.Done():
				return
			}
		}
	})
	mapper := r.mapper
	for range r.opts.Workers {
		wg.Go(func() {
			l := newLoader(r.store)
			for part := range chunks {
				ops, dead, err := r.chunk(ctx, l, mapper, part)
				select {
				case out <- made{ops, dead, err}:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	go func() { // ends with the last worker, whom the loop below waits for
		wg.Wait()
		close(out)
	}()
	var err error
	var all made // what is yet to be handed over: an index takes a few large steps more easily
	hand := func() {
		if err == nil && len(all.ops)+len(all.dead) > 0 {
			err = r.hand(ctx, to, all.ops, all.dead, catalog.Cursor{})
		}
		all = made{}
	}
	for m := range out {
		if err == nil {
			err = m.err
		}
		all.ops = append(all.ops, m.ops...)
		if all.dead == nil {
			all.dead = m.dead
		} else {
			maps.Copy(all.dead, m.dead)
		}
		if len(all.ops) >= maxHand {
			hand()
		}
		if err != nil {
			cancel()
		}
	}
	hand()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil || at.IsZero() {
		return err
	}
	return to(ctx, nil, at)
}

// hand gives ops to a sink, and keeps what cannot be indexed.
func (r *runner) hand(ctx context.Context, to sink, ops []Op, dead map[string]error, at catalog.Cursor) error {
	for _, op := range ops {
		for _, d := range op.Docs {
			for i := range d.Units {
				r.soon(d.Units[i].Live.Next)
			}
		}
	}
	more, err := rejected(to(ctx, ops, at))
	if err != nil {
		return err
	}
	if len(dead)+len(more) == 0 && !r.hasDead() {
		return nil
	}
	if dead == nil {
		dead = more
	}
	for sku, cause := range more {
		dead[sku] = cause
	}
	r.result.Dead += int64(len(dead))
	return r.bury(ctx, dead, ops)
}

func (r *runner) hasDead() bool {
	r.deadMu.Lock()
	defer r.deadMu.Unlock()
	return len(r.dead) > 0
}

// chunk reads and maps a few products. Those of which a record cannot be read
// are dead letters, without an op: their documents stay as they are.
func (r *runner) chunk(ctx context.Context, l *loader, m *Mapper, skus []string) ([]Op, map[string]error, error) {
	l.reset()
	if err := l.products(ctx, skus); err != nil {
		return nil, nil, err
	}
	ops, dead := r.mapAll(l, m, nil, skus)
	return ops, dead, nil
}

// mapAll maps products that are loaded, in an arena if there is one.
func (r *runner) mapAll(l *loader, m *Mapper, a *arena, skus []string) ([]Op, map[string]error) {
	ops := make([]Op, 0, len(skus))
	var dead map[string]error
	now := r.opts.Now()
	// One session for all: what it knows stays near the processor.
	s := m.session()
	s.into(a)
	for _, sku := range skus {
		if a != nil && r.beside.Load() {
			runtime.Gosched() // whoever follows or searches meanwhile waits for one product at most
		}
		err := l.fault(sku)
		if err == nil {
			op := Op{SKU: sku}
			if body := l.get(catalog.KindProduct, sku); body != nil {
				r.families.learn(sku, body)
				if op.Docs, err = s.try(Source{SKU: sku, Body: body, Get: l.get}, now); err != nil {
					s = m.session()
					s.into(a)
				}
			}
			if err == nil {
				ops = append(ops, op)
			}
		}
		if err != nil {
			if dead == nil {
				dead = map[string]error{}
			}
			dead[sku] = err
		}
	}
	m.done(s)
	return ops, dead
}

// errMapping: a fault of the mapper, which must not stop the others.
var errMapping = errors.New("the record cannot be mapped: a fault of this program")

// try is documents for followers that run for months: no record makes it panic
// that the tests have seen, and one that they have not must not end the index.
// After an error the session is of no more use.
func (s *session) try(src Source, now time.Time) (docs []*Document, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errMapping, p, debug.Stack())
		}
	}()
	return s.documents(src, now), nil
}

// shopChanged loads categories and attributes anew, and indexes again the
// products of categories whose change their documents show.
func (r *runner) shopChanged(ctx context.Context, c *changed, f *following) error {
	before := r.shop
	err := r.renewShop(ctx)
	if errors.Is(err, errStale) && f.old {
		err = nil // the index that takes over will be built anew once more
	}
	if err != nil {
		return err
	}
	for _, path := range before.Tree.named() {
		r.shop.Tree.Chain(SplitPath(path))
	}
	// The tree may be newer than these changes: all that differs is looked at
	// now, since nothing will differ when the log comes to it.
	ids := before.Tree.differs(r.shop.Tree)
	for _, ch := range c.categories {
		if ch.Seq <= f.catchUp {
			ids[string(ch.Key)] = true // the tree had it before the products
		}
	}
	paths := map[string]bool{}
	for id := range ids {
		for _, t := range [...]*Tree{before.Tree, r.shop.Tree} {
			if cat := t.ByID(id); cat != nil {
				paths[cat.Path] = true
			}
		}
	}
	for path := range paths {
		ids[path] = true
	}
	for _, t := range [...]*Tree{before.Tree, r.shop.Tree} {
		t.withPaths(paths, ids) // of several with one path, another may have stood for all
	}
	list := make([]string, 0, len(ids))
	for id := range ids {
		list = append(list, id)
	}
	slices.Sort(list)
	for part := range slices.Chunk(list, 200) {
		if err := r.reindexCategories(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// reindexCategories indexes the products again that the index has in
// categories.
func (r *runner) reindexCategories(ctx context.Context, ids []string) error {
	for i := range r.shop.Stores.list {
		q := &Prepared{
			Store:   r.shop.Stores.list[i].Code,
			Filters: []Filter{{Field: FieldCategory, Values: ids}},
			Sort:    Sort{By: SortRelevance}, // the score of all is 0: by SKU
			Size:    MaxSize,
			Facets:  PreparedFacets{Labels: func(string) AttributeMeta { return AttributeMeta{} }},
			Now:     r.opts.Now(),
		}
		for {
			res, err := r.index.Search(ctx, q)
			if errors.Is(err, ErrNoIndex) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("indexer: finding the products of categories: %w", err)
			}
			skus := make([]string, len(res.Hits))
			for j, h := range res.Hits {
				skus[j] = h.SKU
			}
			if err := r.reindex(ctx, r.toIndex, skus, catalog.Cursor{}); err != nil {
				return err
			}
			if res.Next == "" {
				break
			}
			if q.After, err = ParseKeyset(res.Next); err != nil {
				return fmt.Errorf("indexer: finding the products of categories: %w", err)
			}
		}
	}
	return nil
}

// keepNamed keeps the categories that only products name.
func (r *runner) keepNamed(ctx context.Context) error {
	n := r.shop.Tree.additions()
	if n == r.named {
		return nil
	}
	b, err := json.Marshal(r.shop.Tree.named())
	if err == nil {
		err = r.store.SetMeta(ctx, metaNamed, b)
	}
	if err != nil {
		return fmt.Errorf("indexer: keeping the categories that products name: %w", err)
	}
	r.named = n
	return nil
}
