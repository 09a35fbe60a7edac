package importer

import (
	"context"

	"golang.org/x/sync/errgroup"

	"catalog/catalog"
	"catalog/importer/internal/manifest"
)

// superseded marks an embedded variant whose price and stock come from
// elsewhere. The bit means something else for records of their own.
const superseded = manifest.Overlay

// folds reports whether several records of one key are folded into one rather
// than replacing each other.
func (r *run) folds() bool {
	return r.o.Mode == Patch || r.o.Kind == catalog.KindPrice && r.o.Mode != Delete
}

// replaces reports whether a record replaces its document as a whole.
func (r *run) replaces() bool { return r.o.Mode == Upsert || r.o.Mode == Sync }

// settleRecords finds the records of one key and decides which count.
func (r *run) settleRecords() {
	_ = r.man.Groups(func(g []manifest.Entry) error {
		lines, overlays, last := 0, 0, -1
		for i, e := range g {
			switch f := e.Flags(); {
			case f&manifest.Variant != 0:
			case f&manifest.Overlay != 0:
				lines++
				overlays++
			default:
				lines++
				last = i
			}
		}
		if lines < 2 && overlays == 0 {
			return nil
		}
		fold := overlays > 0 || r.folds()
		for i, e := range g {
			f := e.Flags()
			switch {
			case f&manifest.Variant != 0:
			case f&manifest.Overlay == 0 && i != last && !r.folds():
				r.drop.Set(e.Ord())
				r.dropped++
				r.todo--
			case fold:
				r.group.Set(e.Ord())
				e.SetFlags(f | manifest.Open)
				if e.Value() != 0 {
					e.SetValue(0) // from now on, where the row was spooled
				}
			}
		}
		return nil
	})
}

const (
	anyPrice = manifest.Price | manifest.PriceNull
	anyStock = manifest.Stock | manifest.StockNull
)

// leftOf returns the parts of f that a record which goes before leaves to it.
func leftOf(f, before manifest.Flags) manifest.Flags {
	f &= compareable
	if before&anyPrice != 0 {
		f &^= anyPrice
	}
	if before&anyStock != 0 {
		f &^= anyStock
	}
	return f
}

// settleVariants decides for each embedded variant whether its price and stock
// count: those of a record of its own go before, and of two parents the later.
func (r *run) settleVariants() {
	_ = r.man.Groups(func(g []manifest.Entry) error {
		var own manifest.Entry
		found := false
		later := manifest.Flags(0) // what later parents have
		for i := len(g) - 1; i >= 0; i-- {
			e := g[i]
			if e.Flags()&manifest.Variant == 0 && !r.drop.Has(e.Ord()) {
				own, found = e, true
			}
		}
		for i := len(g) - 1; i >= 0; i-- {
			e := g[i]
			f := e.Flags()
			switch {
			case f&manifest.Variant == 0 || f&manifest.Open != 0:
			case r.drop.Has(e.Ord()):
				e.SetFlags(manifest.Variant | superseded)
			default:
				free := leftOf(f, later)
				later |= f & compareable
				open := false
				if found {
					taken := own.Flags()
					open = taken&manifest.Open != 0
					free = leftOf(free, taken)
				}
				switch {
				case free == 0 && f&compareable != 0:
					e.SetFlags(f | superseded)
				case open, free != f&compareable: // one of two: the digest does not tell them apart
					e.SetFlags(f | manifest.Open)
				}
			}
		}
		return nil
	})
}

// join compares the manifest with the heads of the store: each head takes its
// digest away from the sum that its entry holds, so that what is left is 0
// where all is the same.
func (r *run) join(ctx context.Context) error {
	r.prog.phase("comparing", 0)
	r.gone = map[catalog.Kind]*gone{}
	for _, kind := range r.touches() {
		r.gone[kind] = &gone{}
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, kind := range r.touches() { // all at once, so that none is left for the end
		g.Go(func() error {
			// In batches, since each look-up of a key by itself waits for memory.
			heads := make([]catalog.Head, 0, 128)
			keys := make([]manifest.Key, 0, cap(heads))
			flush := func() {
				r.man.Touch(keys)
				for i := range heads {
					found := r.match(&heads[i], keys[i])
					if heads[i].Source == r.o.Source {
						r.gone[kind].note(&heads[i], found)
					}
				}
				r.prog.records(int64(len(heads)))
				heads, keys = heads[:0], keys[:0]
			}
			for h, err := range r.store.Heads(ctx, kind, catalog.All) {
				if err != nil {
					return err
				}
				heads = append(heads, h)
				keys = append(keys, r.man.OfString(string(h.Key)))
				if len(heads) == cap(heads) {
					flush()
				}
			}
			flush()
			return nil
		})
	}
	return g.Wait()
}

// differs is taken away instead of a digest to leave a sum that is not 0.
const differs = 0x9e3779b97f4a7c15

// match compares a head with what the feed has of its key, and reports whether
// the feed has it at all.
func (r *run) match(h *catalog.Head, k manifest.Key) (found bool) {
	has, null := manifest.Main, manifest.Flags(0)
	if h.Kind != r.o.Kind {
		switch h.Kind {
		case catalog.KindPrice:
			has, null = manifest.Price, manifest.PriceNull
		case catalog.KindStock:
			has, null = manifest.Stock, manifest.StockNull
		}
	}
	value := digestOf(h.Kind, h.Hash)
	if h.Source != r.o.Source {
		value += differs // it changes hands
	}
	r.man.Each(k, func(e manifest.Entry) bool {
		f := e.Flags()
		found = found || h.Kind != r.o.Kind || f&manifest.Variant == 0
		switch {
		case f&manifest.Open != 0, f&manifest.Variant != 0 && f&superseded != 0:
		case f&has != 0:
			e.Subtract(value)
		case f&null != 0:
			e.Subtract(differs)
		}
		return true
	})
	return found
}

// settleSame marks the records whose every part the store has as it is, and
// counts them.
func (r *run) settleSame() {
	changed := manifest.NewBits(int64(len(r.same)) * 64)
	skip := func(e manifest.Entry) bool {
		f := e.Flags()
		return r.drop.Has(e.Ord()) || f&manifest.Variant != 0 && f&superseded != 0
	}
	_ = r.man.Groups(func(g []manifest.Entry) error {
		for _, e := range g {
			if !skip(e) && (e.Flags()&manifest.Open != 0 || e.Value() != 0) {
				changed.Set(e.Ord())
			}
		}
		return nil
	})
	var main, price, stock Counts
	_ = r.man.Groups(func(g []manifest.Entry) error {
		for _, e := range g {
			if r.drop.Has(e.Ord()) || changed.Has(e.Ord()) {
				continue
			}
			f := e.Flags()
			if f&manifest.Variant == 0 {
				r.same.Set(e.Ord())
				r.todo--
				main.Read++
				main.Unchanged++
			}
			countPart(&price, f, manifest.Price, manifest.PriceNull)
			countPart(&stock, f, manifest.Stock, manifest.StockNull)
		}
		return nil
	})
	r.acc.add(r.o.Kind, main)
	r.acc.add(catalog.KindPrice, price)
	r.acc.add(catalog.KindStock, stock)
}

// countPart counts the price or stock of a record that is the same.
func countPart(c *Counts, f, set, null manifest.Flags) {
	switch {
	case f&(set|null) == 0:
		return
	case f&manifest.Variant != 0 && f&superseded != 0:
		c.Duplicates++
	case f&set != 0:
		c.Unchanged++
	default:
		c.Absent++
	}
	c.Read++
}

// verdict says what becomes of an embedded variant's price or stock.
type verdict uint8

const (
	takes  verdict = iota // it counts
	yields                // another record has it
	waits                 // only the end of the pass tells
)

// embedded decides about the price and stock of a variant that the record at
// ord embeds. One that had been replaced, and counts after all, is asked for
// again: what was noted of its variants then is void.
func (r *run) embedded(sku catalog.Key, ord uint32, back bool) (price, stock verdict) {
	var later manifest.Flags // what later parents have
	won, lost := false, false
	r.man.Each(r.man.OfString(string(sku)), func(e manifest.Entry) bool {
		f := e.Flags()
		switch {
		case r.drop.Has(e.Ord()) && e.Ord() != ord:
		case f&manifest.Variant != 0 && e.Ord() > ord:
			later |= f
		case f&manifest.Variant == 0 && f&manifest.Open != 0:
			price, stock = max(price, waits), max(stock, waits)
		case f&manifest.Variant == 0:
			if f&anyPrice != 0 {
				price = yields
			}
			if f&anyStock != 0 {
				stock = yields
			}
		case e.Ord() == ord && f&manifest.Open == 0 && !back:
			if f&superseded != 0 {
				lost = true
			} else {
				won = true
			}
		}
		return true
	})
	if later&anyPrice != 0 {
		price = yields
	}
	if later&anyStock != 0 {
		stock = yields
	}
	if lost && !won {
		return yields, yields
	}
	return price, stock
}
