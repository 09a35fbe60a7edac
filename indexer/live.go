package indexer

import (
	"math"
	"slices"
	"strings"
	"time"

	"catalog/catalog"
)

// StoreScope returns the Scope.Website of prices that hold in one store only.
func StoreScope(store string) string { return "@" + store }

// Live returns price and stock of a unit at a moment. price and stock are
// bodies of records; nil if there is none, in which case a variant is given
// its product's.
//
// A special price holds from the start of special_from to the end of
// special_to: both days included in UTC, or both instants, to the second.
// A customer group pays its own price or the base price of its website,
// whichever is less; a price list replaces both. A price of a tier counts from
// a quantity of 1. An amount of 0 is no price. Entries without a currency are
// in that of their store, their website, or the shop.
//
// A unit can be sold when stock is not managed, when backorders are allowed,
// and when in_stock says so; without that flag, when the quantity is above
// out_of_stock_qty (0). A unit without a stock record can.
func (m *Mapper) Live(price, stock []byte, now time.Time) Live {
	var p pricer
	return p.live(m.stores, price, stock, now)
}

// entry is one of a price record.
type entry struct {
	scope           Scope
	amount, regular Amount
	list, special   Amount // as they stand there; 0: none
	from, to        []byte
	tiers           catalog.Value
	currency        bool // was given
	store           string
}

// pricer computes Live; it keeps memory between calls and is not safe for
// concurrent use.
type pricer struct {
	entries []entry
	found   []entry // by scope, resolved
	next    time.Time
	now     time.Time
	prices  *slab[Price] // where they are; nil: each by itself
}

func (p *pricer) live(stores *Stores, price, stock []byte, now time.Time) Live {
	l := Live{InStock: salable(stock)}
	p.entries, p.found = p.entries[:0], p.found[:0]
	p.next, p.now = time.Time{}, now.Truncate(time.Second)
	for e := range catalog.Value(catalog.MemberValue(price, "prices")).Elements() {
		p.add(stores, e)
	}
	if len(p.entries) == 0 {
		return l
	}
	for i := range p.entries {
		p.resolve(&p.entries[i])
	}
	p.groups()
	if stores.Default().Currency == "" {
		p.anyCurrency()
	}
	if len(p.found) > 0 {
		l.Prices = p.prices.take(len(p.found))
		for i := range p.found {
			l.Prices = append(l.Prices, Price{p.found[i].scope, p.found[i].amount, p.found[i].regular})
		}
		slices.SortFunc(l.Prices, func(a, b Price) int { return a.Scope.Compare(b.Scope) })
	}
	l.Next = p.next
	return l
}

// add reads an entry.
func (p *pricer) add(stores *Stores, v catalog.Value) {
	var e entry
	for key, f := range v.Members() {
		switch string(key) {
		case "currency":
			e.scope.Currency, e.currency = f.Text(), true
		case "website":
			e.scope.Website = f.Text()
		case "store":
			e.store = f.Text()
		case "group":
			e.scope.Group = f.Text()
		case "list":
			e.scope.List = f.Text()
		case "price":
			e.list, _ = parseAmount(f)
		case "special_price":
			e.special, _ = parseAmount(f)
		case "special_from":
			e.from = f
		case "special_to":
			e.to = f
		case "tiers":
			e.tiers = f
		}
	}
	if e.store == DefaultStore && stores.index(DefaultStore) < 0 {
		e.store = ""
	}
	if !e.currency {
		e.scope.Currency = currencyOf(stores, e.store, e.scope.Website)
	}
	if e.store != "" {
		e.scope.Website = StoreScope(e.store)
	}
	p.entries = append(p.entries, e)
}

// currencyOf returns the currency of an entry that names none.
func currencyOf(stores *Stores, store, website string) string {
	if store != "" {
		if v := stores.Find(store); v != nil {
			return v.Currency
		}
	}
	if website != "" && website != stores.Default().Website {
		for i := range stores.list {
			if stores.list[i].Website == website {
				return stores.list[i].Currency
			}
		}
	}
	return stores.Default().Currency
}

// resolve computes what an entry costs now, and with it what the tiers that
// are for others cost.
func (p *pricer) resolve(e *entry) {
	e.amount, e.regular = e.list, e.list
	if e.special > 0 && p.active(e.from, e.to) && (e.list == 0 || e.special < e.list) {
		e.amount = e.special
		if e.list == 0 {
			e.regular = e.special
		}
	}
	for t := range e.tiers.Elements() {
		p.tier(e, t)
	}
	if e.amount > 0 {
		p.put(e.scope, e.amount, max(e.regular, e.amount))
	}
}

// tier takes a tier that holds from a quantity of one.
func (p *pricer) tier(e *entry, t catalog.Value) {
	var qty, price, percent catalog.Value
	scope := e.scope
	for key, f := range t.Members() {
		switch string(key) {
		case "qty":
			qty = f
		case "price":
			price = f
		case "percent":
			percent = f
		case "group":
			scope.Group = f.Text()
		case "website":
			if e.store == "" {
				scope.Website = f.Text()
			}
		}
	}
	if q, ok := parseAmount(qty); qty != nil && (!ok || q > AmountScale) {
		return
	}
	amount, ok := parseAmount(price)
	if !ok {
		pc, ok := parseAmount(percent)
		if !ok || pc > 100*AmountScale || e.list == 0 {
			return
		}
		amount = Amount(math.Round(float64(e.list) * float64(100*AmountScale-pc) / (100 * AmountScale)))
	}
	if amount == 0 {
		return
	}
	if scope == e.scope {
		if e.amount == 0 || amount < e.amount {
			e.amount = amount
			if e.regular == 0 {
				e.regular = amount
			}
		}
		return
	}
	p.put(scope, amount, max(amount, e.list))
}

// put sets the price of a scope; of two the later counts.
func (p *pricer) put(s Scope, amount, regular Amount) {
	for i := range p.found {
		if p.found[i].scope == s {
			p.found[i].amount, p.found[i].regular = amount, regular
			return
		}
	}
	p.found = append(p.found, entry{scope: s, amount: amount, regular: regular})
}

// get returns the price of a scope without price list that holds in its
// website, or else in all.
func (p *pricer) get(s Scope) *entry {
	for {
		for i := range p.found {
			if p.found[i].scope == s {
				return &p.found[i]
			}
		}
		if s.Website == "" {
			return nil
		}
		s.Website = ""
	}
}

// groups gives each customer group the lesser of its own price and the base
// price, in each website that has either.
func (p *pricer) groups() {
	n := len(p.found)
	if n < 2 || !slices.ContainsFunc(p.found, func(e entry) bool { return e.scope.Group != "" }) {
		return
	}
	var out []entry
	for i := range p.found[:n] {
		g := &p.found[i]
		if g.scope.Group == "" || g.scope.List != "" {
			continue
		}
		for j := range p.found[:n] {
			w := &p.found[j]
			if w.scope.List != "" || w.scope.Currency != g.scope.Currency || w.scope.Group != "" && w.scope.Group != g.scope.Group {
				continue
			}
			s := Scope{Currency: g.scope.Currency, Website: w.scope.Website, Group: g.scope.Group}
			own, base := p.get(s), p.get(Scope{Currency: s.Currency, Website: s.Website})
			if own == nil {
				continue
			}
			e := entry{scope: s, amount: own.amount, regular: own.regular}
			if base != nil {
				e.amount, e.regular = min(own.amount, base.amount), min(own.regular, base.regular)
			}
			e.regular = max(e.regular, e.amount)
			if !slices.ContainsFunc(out, func(o entry) bool { return o.scope == s }) {
				out = append(out, e)
			}
		}
	}
	for _, e := range out {
		p.put(e.scope, e.amount, e.regular)
	}
}

// anyCurrency makes the prices of a shop that says nothing of currencies found
// without naming one: the first currency by its code counts.
func (p *pricer) anyCurrency() {
	n := len(p.found)
	slices.SortFunc(p.found, func(a, b entry) int { return a.scope.Compare(b.scope) })
	for i := range n {
		e := p.found[i]
		if e.scope.Currency == "" {
			continue
		}
		s := e.scope
		s.Currency = ""
		if !slices.ContainsFunc(p.found, func(o entry) bool { return o.scope == s }) {
			p.found = append(p.found, entry{scope: s, amount: e.amount, regular: e.regular})
		}
	}
}

// active reports whether now is within a special price's dates, and notes
// when that will change. A date that cannot be read never comes.
func (p *pricer) active(from, to catalog.Value) bool {
	start, end := time.Time{}, time.Time{}
	if from.Type() == catalog.ValueString && len(from) > 2 {
		t, _, ok := ParseDate(from.Text())
		if !ok {
			return false
		}
		start = ceil(t)
	}
	if to.Type() == catalog.ValueString && len(to) > 2 {
		t, day, ok := ParseDate(to.Text())
		switch {
		case !ok:
			return false
		case day:
			end = t.AddDate(0, 0, 1)
		default:
			end = t.Truncate(time.Second).Add(time.Second)
		}
	}
	if !end.IsZero() && (!p.now.Before(end) || !start.Before(end)) {
		return false
	}
	if p.now.Before(start) {
		p.change(start)
		return false
	}
	p.change(end)
	return true
}

// ceil rounds up to seconds, so that a price never begins before its date.
func ceil(t time.Time) time.Time {
	if c := t.Truncate(time.Second); !c.Before(t) {
		return c
	}
	return t.Truncate(time.Second).Add(time.Second)
}

// change notes a time after now at which prices change.
func (p *pricer) change(t time.Time) {
	if t.After(p.now) && (p.next.IsZero() || t.Before(p.next)) {
		p.next = t.UTC()
	}
}

// salable reports whether a unit with that stock record can be sold.
func salable(stock catalog.Value) bool {
	var qty, least, sources catalog.Value
	flag, backorders := catalog.Value(nil), catalog.Value(nil)
	for key, v := range stock.Members() {
		switch string(key) {
		case "manage":
			if !truth(v, true) {
				return true
			}
		case "backorders":
			backorders = v
		case "in_stock":
			flag = v
		case "qty":
			qty = v
		case "out_of_stock_qty":
			least = v
		case "sources":
			sources = v
		}
	}
	if backorders != nil && backorders.Type() != catalog.ValueNull && truth(backorders, len(strings.TrimSpace(backorders.Text())) > 0) {
		return true
	}
	if flag != nil && flag.Type() != catalog.ValueNull {
		return truth(flag, true)
	}
	limit, _ := number(least)
	if n, ok := number(qty); ok {
		return n > limit
	}
	sum, any := 0.0, false
	for s := range sources.Elements() {
		if n, ok := number(catalog.MemberValue(s, "qty")); ok {
			sum, any = sum+n, true
		}
	}
	return !any || sum > limit
}

// number reads a number, or a text that holds one.
func number(v catalog.Value) (float64, bool) {
	if t := v.Type(); t != catalog.ValueNumber && t != catalog.ValueString {
		return 0, false
	}
	_, f, ok := canonicalNumber(v.AppendText(nil))
	return f, ok
}
