package mapping

// rule says what we know about one of our fields.
type rule struct {
	conv     conversion // of a source without a type
	list     bool       // always an array
	weak     bool       // qualifies an object, is none
	category bool       // values are category paths
	sub      *scope     // of the objects that the field holds
	entries  bool       // takes a list of objects of sub
}

// scope is what may be named at one level of a mapping.
type scope struct {
	fields  map[string]rule
	product bool        // also attributes, stores and variants
	rest    disposition // the default
}

func textRule() rule { return rule{conv: convLabel} }

// productScope returns the fields of a product, as the top level, `stores` and
// `variants` have them.
func productScope() *scope {
	prices := entryScope()
	list := rule{conv: convLabel, list: true}
	return &scope{product: true, rest: toKeep, fields: map[string]rule{
		"sku": {conv: convText}, "name": textRule(), "description": textRule(), "short_description": textRule(),
		"url_key": textRule(), "brand": textRule(), "type": textRule(), "status": {conv: convStatus},
		"visibility": textRule(), "weight": {}, "tax_class": textRule(), "cost": {conv: convAmount},
		"unit": textRule(), "created_at": {conv: convDate},
		"related": list, "upsell": list, "crosssell": list, "websites": list,
		"categories": {list: true, category: true, sub: objectScope("path", "id", "position")},
		"images":     {list: true, sub: objectScope("url", "label", "role")},
		"price":      {conv: convAmount, sub: prices},
		"prices":     {list: true, sub: prices, entries: true},
		"stock":      {conv: convQuantity, sub: stockScope()},
	}}
}

// entryScope returns the fields of an entry of a price record.
func entryScope() *scope {
	tiers := &scope{rest: toDrop, fields: map[string]rule{"qty": {conv: convQuantity, weak: true}, "price": {conv: convAmount}, "percent": {conv: convNumber}}}
	amount := rule{conv: convAmount}
	return &scope{rest: toDrop, fields: map[string]rule{
		"price": amount, "special_price": amount, "msrp": amount, "cost": amount,
		"special_from": {conv: convDate, weak: true}, "special_to": {conv: convDate, weak: true},
		"currency": {conv: convCurrency, weak: true}, "website": {conv: convText, weak: true}, "store": {conv: convText, weak: true},
		"group": {conv: convText, weak: true}, "list": {conv: convText, weak: true},
		"tiers": {list: true, sub: tiers, entries: true},
	}}
}

// stockScope returns the fields of a stock record.
func stockScope() *scope {
	qty, flag := rule{conv: convQuantity}, rule{conv: convBoolean}
	sources := &scope{rest: toDrop, fields: map[string]rule{"source": {conv: convText, weak: true}, "qty": qty}}
	return &scope{rest: toDrop, fields: map[string]rule{
		"qty": qty, "in_stock": {conv: convAvailability}, "manage": flag, "backorders": {},
		"min_qty": qty, "max_qty": qty,
		"sources": {list: true, sub: sources, entries: true},
	}}
}

func objectScope(names ...string) *scope {
	s := &scope{rest: toDrop, fields: map[string]rule{}}
	for _, n := range names {
		s.fields[n] = rule{}
	}
	return s
}
