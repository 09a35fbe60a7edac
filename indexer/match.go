package indexer

import (
	"slices"
	"strings"
)

// Seen reports whether d can be a hit of q at all: whether its store and what
// is asked for see it. Hits have an eligible unit, too.
func (q *Prepared) Seen(d *Document) bool {
	if !slices.Contains(d.Stores, q.Store) {
		return false
	}
	switch {
	case len(q.Words) > 0:
		if !d.Search {
			return false
		}
	case q.Category != "":
		if !d.Browse {
			return false
		}
	case !d.Search && !d.Browse:
		return false
	}
	return q.Category == "" || d.In(q.Category)
}

// In reports whether the document is in a category or below it.
func (d *Document) In(category string) bool {
	return slices.ContainsFunc(d.Categories, func(m Membership) bool { return m.ID == category })
}

// Eligible reports whether a unit can be sold to whoever asks.
func (q *Prepared) Eligible(u *Unit) bool {
	if u.Stores != nil && !slices.Contains(u.Stores, q.Store) {
		return false
	}
	return u.Live.InStock || !q.InStockOnly
}

// PriceOf returns what a unit costs whoever asks.
func (q *Prepared) PriceOf(u *Unit) (Price, bool) {
	for _, s := range q.Scopes {
		for _, p := range u.Live.Prices {
			if p.Scope == s {
				return p, true
			}
		}
	}
	return Price{}, false
}

// Values returns the values of an attribute that a unit of d has: its own, or
// else its product's.
func (d *Document) Values(u *Unit, name string) []Value {
	for _, attrs := range [...][]Attr{u.Attrs, d.Attrs} {
		if i, ok := slices.BinarySearchFunc(attrs, name, func(a Attr, n string) int { return strings.Compare(a.Name, n) }); ok {
			return attrs[i].Values
		}
	}
	return nil
}

// Meets reports whether a unit of d meets all filters of q, but for those of
// field except ("": all), which is the name of an attribute when attr is set.
func (q *Prepared) Meets(d *Document, u *Unit, except string, attr bool) bool {
	for i := range q.Filters {
		if except != "" && q.Filters[i].Field == except && q.IsAttribute(i) == attr {
			continue
		}
		if !q.meet(d, u, &q.Filters[i], q.IsAttribute(i)) {
			return false
		}
	}
	return true
}

// IsAttribute reports whether the i-th filter's field is an attribute.
func (q *Prepared) IsAttribute(i int) bool {
	return i < len(q.Attribute) && q.Attribute[i] || !Reserved(q.Filters[i].Field)
}

// Reserved reports whether a field's name is not that of an attribute.
func Reserved(field string) bool {
	switch field {
	case FieldPrice, FieldStock, FieldCategory, FieldSKU, FieldCreated:
		return true
	}
	return false
}

// meets is Meets for the filters of a boost.
func (q *Prepared) meets(d *Document, u *Unit, filters []Filter, except string) bool {
	for i := range filters {
		if filters[i].Field != except && !q.meet(d, u, &filters[i], !Reserved(filters[i].Field)) {
			return false
		}
	}
	return true
}

func (q *Prepared) meet(d *Document, u *Unit, f *Filter, attr bool) bool {
	return q.has(d, u, f, attr) != f.Not
}

func (q *Prepared) has(d *Document, u *Unit, f *Filter, attr bool) bool {
	if attr {
		vals := d.Values(u, f.Field)
		if f.Exists && len(vals) > 0 {
			return true
		}
		return slices.ContainsFunc(vals, func(v Value) bool {
			return slices.Contains(f.Values, v.Text) || v.Type != Text && inRanges(f.Ranges, v.Num)
		})
	}
	switch f.Field {
	case FieldPrice:
		p, ok := q.PriceOf(u)
		return ok && (f.Exists || inRanges(f.Ranges, p.Amount.Float()) || slices.Contains(f.Values, p.Amount.String()))
	case FieldStock:
		text := "false"
		if u.Live.InStock {
			text = "true"
		}
		return f.Exists || slices.Contains(f.Values, text)
	case FieldCategory:
		return f.Exists && len(d.Categories) > 0 || slices.ContainsFunc(f.Values, d.In)
	case FieldSKU:
		return f.Exists || slices.Contains(f.Values, u.SKU) || slices.Contains(f.Values, d.SKU)
	case FieldCreated:
		return d.Created != 0 && (f.Exists || inRanges(f.Ranges, float64(d.Created)))
	}
	return false
}

func inRanges(ranges []Range, f float64) bool {
	return slices.ContainsFunc(ranges, func(r Range) bool { return r.Contains(f) })
}
