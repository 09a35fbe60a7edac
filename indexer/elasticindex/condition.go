package elasticindex

import (
	"math"
	"slices"

	"catalog/indexer"
)

// plan turns one prepared query into those of the engine.
type plan struct {
	q      *indexer.Prepared
	scopes []int // numbers of q.Scopes, without those that no price has
	// products are the documents with several units that boosts hold for, where
	// hits are variants and do not see their siblings.
	boosted [][]string
}

// kinds returns what documents can be hits.
func (p *plan) kinds(variants bool) object {
	if variants {
		return terms("k", []string{kindBoth, kindVariant})
	}
	return terms("k", []string{kindBoth, kindProduct})
}

// seen is Prepared.Seen.
func (p *plan) seen() []any {
	search, browse := term("ws", p.q.Store), term("wb", p.q.Store)
	var list []any
	switch {
	case len(p.q.Words) > 0:
		list = append(list, search)
	case p.q.Category != "":
		list = append(list, browse)
	default:
		list = append(list, anyOf(search, browse))
	}
	if p.q.Category != "" {
		list = append(list, term("c", p.q.Category))
	}
	return list
}

// condition is a filter, and whether its field is an attribute.
type condition struct {
	*indexer.Filter
	attr bool
}

// filters returns the query's filters but those of a field.
func (p *plan) filters(except string, attr bool) []condition {
	var list []condition
	for i := range p.q.Filters {
		f := &p.q.Filters[i]
		if except != "" && f.Field == except && p.q.IsAttribute(i) == attr {
			continue
		}
		list = append(list, condition{f, p.q.IsAttribute(i)})
	}
	return list
}

// whole reports whether a filter looks at the document and not at its units.
func (c *condition) whole() bool {
	return !c.attr && (c.Field == indexer.FieldCategory || c.Field == indexer.FieldCreated)
}

// someUnit holds for documents with an eligible unit that meets all filters:
// for those that are flat by their own fields, for the others by nested ones.
func (p *plan) someUnit(list []condition, variants bool) []any {
	var out, rest []any
	var units []condition
	for _, c := range list {
		if c.whole() {
			out = append(out, p.meets(c, ""))
		} else {
			units = append(units, c)
		}
	}
	if len(units) == 0 {
		field := "es"
		if p.q.InStockOnly {
			field = "ei"
		}
		return append(out, term(field, p.q.Store))
	}
	flat := p.unit(units, "")
	if variants {
		return append(out, flat...)
	}
	rest = append(rest, all(append([]any{term("k", kindBoth)}, flat...)...), nested(all(p.unit(units, nestedPrefix)...)))
	return append(out, anyOf(rest...))
}

// unit holds for units that are eligible and meet filters; prefix says where
// their fields are.
func (p *plan) unit(list []condition, prefix string) []any {
	out := []any{term(prefix+fieldStores, p.q.Store)}
	if p.q.InStockOnly {
		out = append(out, term(prefix+fieldInStock, true))
	}
	for _, c := range list {
		if !c.whole() {
			out = append(out, p.meets(c, prefix))
		}
	}
	return out
}

func (p *plan) meets(c condition, prefix string) any {
	has := p.has(c, prefix)
	if c.Not {
		return not(has)
	}
	return has
}

// has is Prepared.has.
func (p *plan) has(c condition, prefix string) any {
	if c.attr {
		return attribute(c.Filter, prefix)
	}
	switch c.Field {
	case indexer.FieldPrice:
		return p.price(c.Filter, prefix)
	case indexer.FieldStock:
		var list []any
		for _, v := range [...]bool{true, false} {
			if c.Exists || slices.Contains(c.Values, map[bool]string{true: "true", false: "false"}[v]) {
				list = append(list, term(prefix+fieldInStock, v))
			}
		}
		return anyOf(list...)
	case indexer.FieldSKU:
		switch {
		case c.Exists:
			return everything()
		case len(c.Values) > 0:
			return terms(prefix+fieldIDs, c.Values)
		}
	case indexer.FieldCategory:
		switch {
		case c.Exists:
			return object{"exists": object{"field": "c"}}
		case len(c.Values) > 0:
			return terms("c", c.Values)
		}
	case indexer.FieldCreated:
		if c.Exists {
			return object{"exists": object{"field": "cr"}}
		}
		var list []any
		for _, r := range c.Ranges {
			if lo, hi, ok := integers(r, 1); ok {
				list = append(list, object{"range": object{"cr": object{"gte": lo, "lte": hi}}})
			}
		}
		return anyOf(list...)
	}
	return nothing()
}

func attribute(f *indexer.Filter, prefix string) any {
	name := escape(f.Field)
	if f.Exists {
		return term(prefix+fieldNames, lineOf(f.Field))
	}
	var list []any
	if len(f.Values) > 0 {
		keys := make([]string, len(f.Values))
		for i, v := range f.Values {
			keys[i] = name + sep + v
		}
		list = append(list, terms(prefix+fieldValues(f.Field), keys))
	}
	for _, r := range f.Ranges {
		for _, typ := range [...]string{typeNumber, typeDate} {
			list = append(list, numbers(prefix+fieldNumbers(f.Field), name, typ, r))
		}
	}
	return anyOf(list...)
}

// numbers holds for numbers of an attribute in a range; name is escaped.
func numbers(field, name, typ string, r indexer.Range) any {
	c := object{"gte": numberKey(name, typ, math.Inf(-1)), "lte": numberKey(name, typ, math.Inf(1))}
	if r.From != nil {
		c["gte"] = numberKey(name, typ, *r.From)
	}
	if r.To != nil {
		delete(c, "lte")
		c[map[bool]string{true: "lt", false: "lte"}[r.Open]] = numberKey(name, typ, *r.To)
	}
	return object{"range": object{field: c}}
}

// price holds for units that have a price in the first of the scopes in which
// they have any, and that price is in one of the ranges.
func (p *plan) price(f *indexer.Filter, prefix string) any {
	type span struct{ lo, hi int64 }
	var spans []span
	if f.Exists {
		spans = append(spans, span{-int64(maxAmount), int64(maxAmount)})
	} else {
		for _, r := range f.Ranges {
			if lo, hi, ok := integers(r, indexer.AmountScale); ok {
				spans = append(spans, span{lo, hi})
			}
		}
		for _, v := range f.Values {
			if a, ok := parseAmount(v); ok {
				spans = append(spans, span{int64(a), int64(a)})
			}
		}
	}
	field := prefix + fieldPrices
	in := func(scope int, s span) object {
		base := scopeBase(scope) + amountBias
		limit := int64(maxAmount)
		return object{"range": object{field: object{"gte": base + max(s.lo, -limit), "lte": base + min(s.hi, limit)}}}
	}
	whole := span{-int64(maxAmount), int64(maxAmount)}
	var list, before []any
	for _, scope := range p.scopes {
		for _, s := range spans {
			if s.lo > whole.hi || s.hi < whole.lo {
				continue
			}
			c := object{"filter": []any{in(scope, s)}}
			if len(before) > 0 {
				c["must_not"] = slices.Clone(before)
			}
			list = append(list, object{"bool": c})
		}
		before = append(before, in(scope, whole))
	}
	return anyOf(list...)
}

// integers returns the least and the greatest n such that n/scale, as Amounts
// and dates are compared, is in a range.
func integers(r indexer.Range, scale float64) (lo, hi int64, ok bool) {
	const limit = 1 << 62
	in := func(n int64) bool { return r.Contains(float64(n) / scale) }
	lo, hi = -limit, limit
	if r.From != nil {
		f := *r.From * scale
		if math.IsNaN(f) || f >= limit {
			return 0, 0, false
		}
		if f > -limit {
			// Rounding may be off by a little either way.
			for lo = int64(math.Floor(f)) - 2; float64(lo)/scale < *r.From; lo++ {
			}
		}
	}
	if r.To != nil {
		f := *r.To * scale
		if math.IsNaN(f) || f <= -limit {
			return 0, 0, false
		}
		if f < limit {
			above := func(n int64) bool {
				v := float64(n) / scale
				return v > *r.To || v == *r.To && r.Open
			}
			for hi = int64(math.Ceil(f)) + 2; above(hi); hi-- {
			}
		}
	}
	return lo, hi, lo <= hi && (r.From == nil || r.To == nil || in(lo))
}

// parseAmount reads an amount that is written as Amount.String does.
func parseAmount(s string) (indexer.Amount, bool) {
	digits, neg := s, false
	if digits != "" && digits[0] == '-' {
		digits, neg = digits[1:], true
	}
	var n, scale int64 = 0, 0
	for _, c := range []byte(digits) {
		switch {
		case c == '.' && scale == 0:
			scale = 1
		case c < '0' || c > '9' || n > int64(maxAmount):
			return 0, false
		default:
			n = n*10 + int64(c-'0')
			scale *= 10
		}
	}
	if scale == 0 || scale > indexer.AmountScale {
		return 0, false
	}
	a := indexer.Amount(n * (indexer.AmountScale / scale))
	if neg {
		a = -a
	}
	return a, a.String() == s
}
