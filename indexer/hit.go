package indexer

import (
	"cmp"
	"slices"
	"strings"
)

// UnitsOf returns the units that make d, or its unit u if the query asks for
// variants (else nil), a hit: u, or those that are eligible and meet all
// filters, but for those of field except (see Meets).
func (q *Prepared) UnitsOf(d *Document, u *Unit, except string, attr bool) []*Unit {
	if u != nil {
		return []*Unit{u}
	}
	var list []*Unit
	for i := range d.Units {
		if u := &d.Units[i]; q.Eligible(u) && q.Meets(d, u, except, attr) {
			list = append(list, u)
		}
	}
	return list
}

// HitOf returns what is said of d, or of its unit u if the query asks for
// variants (else nil), when it is a hit with that score.
func (q *Prepared) HitOf(d *Document, u *Unit, score int) Hit {
	h := Hit{SKU: d.SKU, Score: score}
	var eligible []*Unit
	if u != nil {
		h.SKU = u.SKU
		if h.SKU != d.SKU {
			h.Parent = d.SKU
		}
		eligible = []*Unit{u}
	} else {
		for i := range d.Units {
			if q.Eligible(&d.Units[i]) {
				eligible = append(eligible, &d.Units[i])
			}
		}
	}
	for _, e := range eligible {
		h.InStock = h.InStock || e.Live.InStock
	}
	if c := q.cheapest(eligible); c != nil {
		var p Price
		p, h.HasPrice = q.PriceOf(c)
		h.Price, h.Regular = p.Amount, p.Regular
	}
	if c := q.cheapest(q.UnitsOf(d, u, "", false)); c != nil {
		h.Unit = c.SKU
	}
	return h
}

// cheapest returns the unit with the lowest price, then the lowest SKU; units
// without a price come last. nil if there are none.
func (q *Prepared) cheapest(units []*Unit) *Unit {
	if len(units) == 0 {
		return nil
	}
	return slices.MinFunc(units, func(a, b *Unit) int {
		pa, oka := q.PriceOf(a)
		pb, okb := q.PriceOf(b)
		if oka != okb {
			if oka {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(pa.Amount, pb.Amount), cmp.Compare(a.SKU, b.SKU))
	})
}

// Compare orders the ranges of a facet by their lower, then by their upper
// limit.
func (r Range) Compare(o Range) int {
	limit := func(a, b *float64, none int) int {
		switch {
		case a == nil && b == nil:
			return 0
		case a == nil:
			return none
		case b == nil:
			return -none
		}
		return cmp.Compare(*a, *b)
	}
	return cmp.Or(limit(r.From, o.From, -1), limit(r.To, o.To, 1))
}

// Option returns where a value stands in the order of its attribute's options:
// behind them all if it is none of them.
func (m *AttributeMeta) Option(value string) int {
	if i := slices.Index(m.Options, value); i >= 0 {
		return i
	}
	return len(m.Options)
}

// CompareFields orders suggestions that are as frequent: brands first, then by
// the field's name.
func CompareFields(a, b string) int {
	const brand = "brand"
	switch {
	case a == b:
		return 0
	case a == brand:
		return -1
	case b == brand:
		return 1
	}
	return strings.Compare(a, b)
}
