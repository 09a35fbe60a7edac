package placeholder

import (
	"context"

	"catalog/catalog"
)

// recordKinds are the kinds of record that a placeholder is made of.
var recordKinds = [...]catalog.Kind{catalog.KindProduct, catalog.KindPrice, catalog.KindStock}

// source is a SKU's records and what tells that they changed since.
type source struct {
	Records
	seqs   [len(recordKinds)]catalog.Seq
	parent catalog.Seq // of the parent's document
}

// load reads the records of SKUs, in order; variants that have no document of
// their own are looked for in their parents'.
func load(ctx context.Context, store catalog.Store, skus []string) ([]source, error) {
	keys := make([]catalog.Key, len(skus))
	out := make([]source, len(skus))
	for i, sku := range skus {
		keys[i] = catalog.Key(sku)
		out[i].SKU = sku
	}
	for k, kind := range recordKinds {
		records, err := store.Get(ctx, kind, keys...)
		if err != nil {
			return nil, err
		}
		for i := range records {
			if !records[i].Exists() {
				continue
			}
			out[i].seqs[k] = records[i].Seq
			body := catalog.Value(records[i].Body)
			switch kind {
			case catalog.KindProduct:
				out[i].Document = body
			case catalog.KindPrice:
				out[i].Price = body
			case catalog.KindStock:
				out[i].Stock = body
			}
		}
	}
	for i := range out {
		if out[i].Document == nil {
			if err := loadParent(ctx, store, &out[i]); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// loadParent looks for the document that has s as a variant. Of several the
// one with the lowest key counts.
func loadParent(ctx context.Context, store catalog.Store, s *source) error {
	keys, err := store.Lookup(ctx, catalog.Ref{Type: catalog.RefVariant, Value: s.SKU})
	if err != nil || len(keys) == 0 {
		return err
	}
	records, err := store.Get(ctx, catalog.KindProduct, keys...)
	if err != nil {
		return err
	}
	for _, r := range records {
		for v := range member(catalog.Value(r.Body), "variants").Elements() {
			if v.Type() == catalog.ValueObject && textOf(member(v, "sku")) == s.SKU {
				s.Document, s.Variant = catalog.Value(r.Body), v
				s.Parent, s.parent = string(r.Key), r.Seq
				return nil
			}
		}
	}
	return nil
}

// changed returns the SKUs whose records are others than when they were read.
func changed(ctx context.Context, store catalog.Store, sources []source) ([]string, error) {
	keys := make([]catalog.Key, len(sources))
	var parents []catalog.Key
	var of []int
	for i := range sources {
		keys[i] = catalog.Key(sources[i].SKU)
		if sources[i].Parent != "" {
			parents = append(parents, catalog.Key(sources[i].Parent))
			of = append(of, i)
		}
	}
	moved := make([]bool, len(sources))
	for k, kind := range recordKinds {
		heads, err := store.HeadsOf(ctx, kind, keys...)
		if err != nil {
			return nil, err
		}
		for i := range heads {
			moved[i] = moved[i] || heads[i].Seq != sources[i].seqs[k]
		}
	}
	if len(parents) > 0 {
		heads, err := store.HeadsOf(ctx, catalog.KindProduct, parents...)
		if err != nil {
			return nil, err
		}
		for n, i := range of {
			moved[i] = moved[i] || heads[n].Seq != sources[i].parent
		}
	}
	var skus []string
	for i, m := range moved {
		if m {
			skus = append(skus, sources[i].SKU)
		}
	}
	return skus, nil
}
