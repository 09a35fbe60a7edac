package indexer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"catalog/catalog"
)

// loader reads what a batch of products is made of. Not safe for concurrent
// use.
type loader struct {
	store catalog.Store
	got   map[catalog.Kind]map[string][]byte // nil: known to be absent
	bad   map[string]error                   // keys whose record cannot be read
	mem   slab[byte]                         // of bodies
}

func newLoader(s catalog.Store) *loader {
	l := &loader{store: s}
	l.reset()
	return l
}

// reset forgets all records; their bodies are gone with them.
func (l *loader) reset() {
	if l.got == nil {
		l.got = map[catalog.Kind]map[string][]byte{catalog.KindProduct: {}, catalog.KindPrice: {}, catalog.KindStock: {}}
	}
	for _, known := range l.got {
		clear(known)
	}
	l.bad = map[string]error{}
	l.mem.reset()
}

// get is Source.Get.
func (l *loader) get(k catalog.Kind, sku string) []byte { return l.got[k][sku] }

// load reads records that are not known yet.
func (l *loader) load(ctx context.Context, k catalog.Kind, skus []string) error {
	known := l.got[k]
	keys := make([]catalog.Key, 0, len(skus))
	for _, s := range skus {
		if _, ok := known[s]; !ok {
			keys = append(keys, catalog.Key(s))
			known[s] = nil
		}
	}
	if len(keys) == 0 {
		return nil
	}
	slices.Sort(keys)
	recs, err := l.store.Get(ctx, k, keys...)
	if err == nil {
		for i, r := range recs {
			if r.Exists() {
				known[string(keys[i])] = r.Body
			}
		}
		return nil
	}
	if ctx.Err() != nil || errors.Is(err, catalog.ErrClosed) {
		return err
	}
	// One record that cannot be read must not keep back the others.
	failed := 0
	for _, key := range keys {
		recs, err := l.store.Get(ctx, k, key)
		switch {
		case err != nil:
			l.bad[string(key)] = fmt.Errorf("indexer: reading %s %q: %w", k, key, err)
			failed++
		case recs[0].Exists():
			known[string(key)] = recs[0].Body
		}
	}
	if failed == len(keys) && failed > 1 {
		return fmt.Errorf("indexer: reading records: %w", err) // it is not the record's fault
	}
	return nil
}

// products reads products with all that belongs to them.
func (l *loader) products(ctx context.Context, skus []string) error {
	if err := l.load(ctx, catalog.KindProduct, skus); err != nil {
		return err
	}
	return l.related(ctx, skus)
}

// related reads what belongs to products that are read: their variants'
// records, and prices and stock.
func (l *loader) related(ctx context.Context, skus []string) error {
	units := slices.Clone(skus)
	var variants []string
	for _, s := range skus {
		if body := l.got[catalog.KindProduct][s]; body != nil {
			variants = append(variants, VariantSKUs(body)...)
		}
	}
	if err := l.load(ctx, catalog.KindProduct, variants); err != nil {
		return err
	}
	units = append(units, variants...)
	if err := l.load(ctx, catalog.KindPrice, units); err != nil {
		return err
	}
	return l.load(ctx, catalog.KindStock, units)
}

// around reads the prices and stock whose keys are among those of sorted
// products, in one go: cheaper than one by one when most products are there.
func (l *loader) around(ctx context.Context, skus []string) error {
	if len(skus) == 0 {
		return nil
	}
	r := catalog.Range{From: catalog.Key(skus[0]), To: catalog.Key(skus[len(skus)-1] + "\x00")}
	for _, k := range [...]catalog.Kind{catalog.KindPrice, catalog.KindStock} {
		known, n := l.got[k], 0
		whole := true
		for rec, err := range l.store.Scan(ctx, k, r) {
			if err != nil {
				return fmt.Errorf("indexer: reading %s: %w", k.Plural(), err)
			}
			if n++; n > 4*len(skus)+1000 {
				whole = false // prices of other products: read ours by key
				break
			}
			known[string(rec.Key)] = append(l.mem.take(len(rec.Body)), rec.Body...)
		}
		if !whole {
			continue
		}
		for _, s := range skus {
			if _, ok := known[s]; !ok {
				known[s] = nil
			}
		}
	}
	return nil
}

// fault returns why a product cannot be mapped: the error of a record that
// belongs to it.
func (l *loader) fault(sku string) error {
	if len(l.bad) == 0 {
		return nil
	}
	for _, s := range append([]string{sku}, VariantSKUs(l.got[catalog.KindProduct][sku])...) {
		if err := l.bad[s]; err != nil {
			return err
		}
	}
	return nil
}

// parents returns the products that have a variant of that SKU.
func parents(ctx context.Context, s catalog.Store, sku string) ([]string, error) {
	keys, err := s.Lookup(ctx, catalog.Ref{Type: catalog.RefVariant, Value: sku})
	if err != nil {
		return nil, fmt.Errorf("indexer: looking up the parents of %q: %w", sku, err)
	}
	out := make([]string, 0, len(keys))
	for _, k := range keys {
		if string(k) != sku {
			out = append(out, strings.Clone(string(k)))
		}
	}
	return out, nil
}
