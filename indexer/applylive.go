package indexer

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"catalog/catalog"
)

// liveChunk is how many units are read at once.
const liveChunk = 512

// live brings price and stock of units, which are in order, into the index
// where that can be done without their documents, and returns the products for
// which it cannot.
func (r *runner) live(ctx context.Context, units []unitChange, known []string) ([]string, error) {
	if len(units) == 0 {
		return nil, nil
	}
	done := make(map[string]bool, len(known))
	for _, sku := range known {
		done[sku] = true
	}
	x, fast := r.index.(LiveIndex)
	parts := slices.Collect(slices.Chunk(units, liveChunk))
	made := make([]liveStep, len(parts))
	var wg sync.WaitGroup
	for w := range min(r.opts.Workers, len(parts)) {
		wg.Go(func() {
			l := newLoader(r.store)
			for i := w; i < len(parts); i += r.opts.Workers {
				made[i].err = r.liveOf(ctx, l, parts[i], fast, &made[i])
			}
		})
	}
	wg.Wait()
	var whole []string
	ops := make([]LiveOp, 0, len(units))
	for i := range made {
		if made[i].err != nil {
			return nil, made[i].err
		}
		whole = append(whole, made[i].whole...)
		ops = append(ops, made[i].ops...)
	}
	for i := range ops {
		r.soon(ops[i].Live.Next)
	}
	if len(ops) > 0 {
		if err := x.ApplyLive(ctx, ops, catalog.Cursor{}); err != nil {
			return nil, fmt.Errorf("indexer: applying prices and stock of %d units: %w", len(ops), err)
		}
		r.result.Live += int64(len(ops))
	}
	return slices.DeleteFunc(unique(whole), func(sku string) bool { return done[sku] }), nil
}

// liveStep is what becomes of some units whose price or stock changed.
type liveStep struct {
	whole []string // products to be made anew
	ops   []LiveOp
	err   error
}

// liveOf reads what changed of units and computes what they cost.
func (r *runner) liveOf(ctx context.Context, l *loader, units []unitChange, fast bool, out *liveStep) error {
	l.reset()
	skus := make([]string, len(units))
	for i := range units {
		skus[i] = units[i].sku
	}
	if err := l.load(ctx, catalog.KindProduct, r.families.unknown(skus)); err != nil {
		return err
	}
	if fast {
		if err := l.changed(ctx, units); err != nil {
			return err
		}
	}
	family, err := r.heirs(ctx, l, units, skus)
	if err != nil {
		return err
	}
	p := pricer{prices: new(slab[Price])}
	now := r.opts.Now()
	out.ops = make([]LiveOp, 0, len(units))
	for _, u := range units {
		price, stock := l.get(catalog.KindPrice, u.sku), l.get(catalog.KindStock, u.sku)
		alone := fast && (price != nil || !u.part.Prices()) && (stock != nil || !u.part.Stock())
		if !alone {
			// A variant without a record of its own has its parents'.
			up, err := parents(ctx, r.store, u.sku)
			if err != nil {
				return err
			}
			out.whole = append(out.whole, up...)
			alone = fast && len(up) == 0
		}
		if body := l.get(catalog.KindProduct, u.sku); body != nil {
			r.families.learn(u.sku, body)
		}
		if !alone || family[u.sku] || r.families.is(u.sku, l.get(catalog.KindProduct, u.sku)) {
			out.whole = append(out.whole, u.sku)
		}
		if alone && l.bad[u.sku] == nil {
			out.ops = append(out.ops, LiveOp{u.sku, u.part, p.live(r.shop.Stores, price, stock, now)})
		}
	}
	return nil
}

// heirs returns the products of which a unit has no record of its own of what
// changed, and so has its product's, as far as the index knows its units.
func (r *runner) heirs(ctx context.Context, l *loader, units []unitChange, skus []string) (map[string]bool, error) {
	x, ok := r.index.(FamilyIndex)
	if !ok {
		return nil, nil
	}
	families, err := x.Families(ctx, skus)
	if err != nil {
		return nil, fmt.Errorf("indexer: asking which of %d products have variants: %w", len(units), err)
	}
	if len(families) == 0 {
		return nil, nil
	}
	var variants []unitChange
	for _, u := range units {
		for _, sku := range families[u.sku] {
			variants = append(variants, unitChange{sku, u.part})
		}
	}
	if err := l.changed(ctx, variants); err != nil {
		return nil, err
	}
	heirs := map[string]bool{}
	for _, u := range units {
		heirs[u.sku] = slices.ContainsFunc(families[u.sku], func(sku string) bool {
			return sku != u.sku && (u.part.Prices() && l.get(catalog.KindPrice, sku) == nil || u.part.Stock() && l.get(catalog.KindStock, sku) == nil)
		})
	}
	return heirs, nil
}

// changed reads those of prices and stock of units that changed: a feed of
// prices reads no stock.
func (l *loader) changed(ctx context.Context, units []unitChange) error {
	skus := make([]string, 0, len(units))
	for _, k := range [...]catalog.Kind{catalog.KindPrice, catalog.KindStock} {
		skus = skus[:0]
		for _, u := range units {
			if k == catalog.KindPrice && u.part.Prices() || k == catalog.KindStock && u.part.Stock() {
				skus = append(skus, u.sku)
			}
		}
		if err := l.load(ctx, k, skus); err != nil {
			return err
		}
	}
	return nil
}

// refresh computes prices of units anew. The caller holds mu.
func (r *runner) refresh(ctx context.Context, units []string) error {
	list := make([]unitChange, len(units))
	for i, sku := range units {
		list[i] = unitChange{sku, LivePrices}
	}
	skus, err := r.live(ctx, mergeUnits(list), nil)
	if err != nil {
		return err
	}
	return r.reindex(ctx, r.toIndex, skus, catalog.Cursor{})
}
