package exec

import (
	"context"
	"maps"
	"slices"
	"time"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
)

// Attributes returns statistics of all attributes.
func Attributes(ctx context.Context, views []View) (out []indexer.AttributeStats, err error) {
	defer guard(&err)
	stats := map[string]*indexer.AttributeStats{}
	for i := range views {
		v := &views[i]
		firsts := v.firsts()
		for a := range v.Seg.AttrNames.Len() {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if err := v.attribute(a, firsts, stats); err != nil {
				return nil, err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(stats)) {
		out = append(out, *stats[name])
	}
	return out, nil
}

// firsts returns the first document of each product.
func (v *View) firsts() []uint64 {
	b := make([]uint64, codec.Words(v.Seg.Docs))
	last := int64(-1)
	for doc := range v.Seg.Docs {
		if sku := v.Seg.DocSKU.At(doc); sku != last && v.Alive(uint32(doc)) {
			codec.Put(b, uint32(doc))
			last = sku
		}
	}
	return b
}

func (v *View) attribute(a int, firsts []uint64, stats map[string]*indexer.AttributeStats) error {
	f, err := v.Seg.Field(a)
	if err != nil {
		return err
	}
	numbers, dates := make([]bool, f.Codes()), make([]bool, f.Codes())
	var buf []uint32
	for code := range numbers {
		buf = f.Append(buf[:0], uint32(code))
		numbers[code] = !slices.ContainsFunc(buf, func(x uint32) bool { return f.Type(x) != indexer.Number })
		dates[code] = !slices.ContainsFunc(buf, func(x uint32) bool { return f.Type(x) != indexer.Date })
	}
	var s indexer.AttributeStats
	f.Any.Each(func(doc, code uint32) {
		if !codec.Has(firsts, doc) {
			return
		}
		own := f.Own.Get(doc) // may be hidden by all units
		s.Products++
		if numbers[code] && numbers[own] {
			s.Numbers++
		}
		if dates[code] && dates[own] {
			s.Dates++
		}
	})
	if s.Products == 0 {
		return nil
	}
	s.Name = v.Seg.AttrNames.String(a)
	if have := stats[s.Name]; have != nil {
		have.Products += s.Products
		have.Numbers += s.Numbers
		have.Dates += s.Dates
		return nil
	}
	stats[s.Name] = &s
	return nil
}

// Due returns SKUs of units whose prices change by themselves not after now,
// and the earliest such moment after now.
func Due(ctx context.Context, views []View, now time.Time, limit int) (skus []string, next time.Time, err error) {
	defer guard(&err)
	seen := map[string]bool{}
	for i := range views {
		if err := ctx.Err(); err != nil {
			return nil, time.Time{}, err
		}
		v := &views[i]
		alive := func(row uint32) bool { return v.Alive(v.Seg.DocOf(row)) }
		n := v.Live.Due(now, alive, func(row uint32) bool {
			if len(skus) >= limit {
				return false
			}
			if sku := v.Seg.SKUs.String(int(v.Seg.RowSKU.At(int(row)))); !seen[sku] {
				seen[sku] = true
				skus = append(skus, sku)
			}
			return true
		})
		if !n.IsZero() && (next.IsZero() || n.Before(next)) {
			next = n
		}
	}
	return skus, next, nil
}
