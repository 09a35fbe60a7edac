package placeholder

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"catalog/catalog"
)

// entry is an entry of a price record.
type entry struct {
	currency, website, store, group, list string

	price, special, cost string
	from, to             string
	tiers                catalog.Value
}

// entries reads a price record, without the price lists of single customers:
// the shop has nothing like them.
func entries(record catalog.Value) []entry {
	var out []entry
	for _, body := range catalog.PriceEntries(record) {
		var e entry
		for key, v := range catalog.Value(body).Members() {
			switch string(key) {
			case "currency":
				e.currency = textOf(v)
			case "website":
				e.website = textOf(v)
			case "store":
				e.store = textOf(v)
			case "group":
				e.group = textOf(v)
			case "list":
				e.list = textOf(v)
			case "price":
				e.price = textOf(v)
			case "special_price":
				e.special = textOf(v)
			case "special_from":
				e.from = textOf(v)
			case "special_to":
				e.to = textOf(v)
			case "cost":
				e.cost = textOf(v)
			case "tiers":
				e.tiers = v
			}
		}
		if e.list == "" {
			out = append(out, e)
		}
	}
	return out
}

// match says how well an entry fits a website, and a store of it if store is
// not empty; 0 if not at all. An entry without currency has its website's, or
// that of the shop's default website.
func (e *entry) match(w *Website, store, shopCurrency string) int {
	score, currency := 1, e.currency
	if e.website != "" {
		if e.website != w.Code {
			return 0
		}
		score += 2
	}
	if e.store != "" {
		if e.store != store {
			return 0
		}
		score += 4
	}
	switch {
	case currency != "":
		score++
	case e.website != "" || e.store != "":
		currency = w.Currency
	default:
		currency = shopCurrency
	}
	if !strings.EqualFold(currency, w.Currency) {
		return 0
	}
	return score
}

// best returns the entry of a customer group ("" is everybody) that fits best.
func best(list []entry, w *Website, store, group, shopCurrency string) *entry {
	var found *entry
	score := 0
	for i := range list {
		e := &list[i]
		if !strings.EqualFold(e.group, group) {
			continue
		}
		if s := e.match(w, store, shopCurrency); s > score {
			found, score = e, s
		}
	}
	return found
}

// amount is a price as the shop's rows have it.
type amount struct {
	price, special, from, to string
}

// site is what a website asks for a product.
type site struct {
	w      *Website
	amount          // of the website
	stores []amount // of each of its stores
	tiers  []Tier
	entry  *entry
}

// prices adds websites and prices. A website that has no price is none that
// sells the product.
func (m *maker) prices(websites []*Website) Made {
	list := entries(m.rec.Price)
	scale := m.info.Attributes["price"].Scale
	shop := m.info.currency()
	var sites []site
	for _, w := range websites {
		if s, ok := m.priceOf(list, w, shop, scale); ok {
			sites = append(sites, s)
			m.p.Websites = append(m.p.Websites, w.ID)
		}
	}
	if len(sites) == 0 {
		if len(list) == 0 {
			return refused(ReasonNoPrice, "it has no price")
		}
		return refused(ReasonNoPrice, "it has no price above 0 in the currency of a website that sells it")
	}
	slices.Sort(m.p.Websites)
	first := &sites[0]
	for i := range sites {
		if sites[i].w.Default {
			first = &sites[i]
		}
	}
	m.amount(0, first.amount)
	if m.f.cost == "" {
		m.f.cost = first.entry.cost
	}
	if m.info.PricePerSite {
		for i := range sites {
			for k, s := range sites[i].w.Stores {
				m.override(s.ID, first.amount, sites[i].stores[k])
			}
		}
	}
	m.tiers(sites, first)
	return Made{}
}

// currency returns that of the shop's default website.
func (i *Info) currency() string {
	for _, w := range i.Websites {
		if w.Default {
			return w.Currency
		}
	}
	if len(i.Websites) > 0 {
		return i.Websites[0].Currency
	}
	return ""
}

// priceOf returns what a website asks; false if it has no price.
func (m *maker) priceOf(list []entry, w *Website, shop string, scale int) (site, bool) {
	s := site{w: w}
	e := best(list, w, "", "", shop)
	if e != nil {
		s.amount = m.amountOf(e, scale)
		s.entry = e
	}
	for _, st := range w.Stores {
		a := s.amount
		if own := best(list, w, st.Code, "", shop); own != nil && own != e {
			if b := m.amountOf(own, scale); !isZero(b.price) {
				a = b
				if isZero(s.price) {
					// Only its stores have prices: the first stands for all.
					s.amount, s.entry, e = b, own, own
				}
			}
		}
		s.stores = append(s.stores, a)
	}
	if isZero(s.price) {
		return site{}, false
	}
	for i := range s.stores {
		if isZero(s.stores[i].price) {
			s.stores[i] = s.amount
		}
	}
	s.tiers = m.tiersOf(list, w, shop, scale, s.entry, s.price)
	return s, true
}

// amountOf turns an entry into rows. A special price with a time of day is
// written only while it holds: the shop knows days alone.
func (m *maker) amountOf(e *entry, scale int) amount {
	a := amount{price: fixed(e.price, scale)}
	special := fixed(e.special, scale)
	if isZero(special) {
		return a
	}
	from, ok1 := m.bound(e.from, false)
	to, ok2 := m.bound(e.to, true)
	if ok1 && ok2 {
		a.special, a.from, a.to = special, from, to
	}
	return a
}

// bound turns special_from or special_to into a day as the shop keeps it. ok
// is false while it forbids the special price.
func (m *maker) bound(text string, end bool) (day string, ok bool) {
	if text == "" {
		return "", true
	}
	const midnight = " 00:00:00"
	if len(text) == len(time.DateOnly) {
		_, err := time.Parse(time.DateOnly, text)
		return text + midnight, err == nil
	}
	at, err := time.Parse(time.RFC3339, text)
	switch {
	case err != nil:
		return "", false
	case end:
		// The day is for a shop that loses sight of us: it ends there by itself.
		return at.UTC().Format(time.DateOnly) + midnight, m.now.Before(at)
	}
	return "", !m.now.Before(at)
}

// amount adds the rows of an amount.
func (m *maker) amount(store int, a amount) {
	for _, v := range [...]Value{
		{"price", store, a.price},
		{"special_price", store, a.special},
		{"special_from_date", store, a.from},
		{"special_to_date", store, a.to},
	} {
		if v.Text != "" {
			m.set(v.Attribute, store, v.Text)
		}
	}
}

// override adds the rows of a store that differ from those of all stores. What
// the store has not must not shine through: an own special price is the
// store's price then.
func (m *maker) override(store int, all, own amount) {
	if own.price != all.price {
		m.set("price", store, own.price)
	}
	if own.special == all.special && own.from == all.from && own.to == all.to {
		return
	}
	if own.special == "" {
		// An empty row would be the shop's "use default": the price itself as
		// special price without dates is none.
		own.special = own.price
	}
	for _, v := range [...]Value{
		{"special_price", store, own.special}, {"special_from_date", store, own.from}, {"special_to_date", store, own.to},
	} {
		if v.Text == "" && v.Attribute == "special_from_date" {
			v.Text = "2000-01-01 00:00:00"
		}
		if v.Text == "" {
			v.Text = "2099-12-31 00:00:00"
		}
		m.set(v.Attribute, store, v.Text)
	}
}

// tiersOf returns the tier and group prices of a website, without its id.
func (m *maker) tiersOf(list []entry, w *Website, shop string, scale int, base *entry, price string) []Tier {
	var out []Tier
	add := func(e *entry, all bool, group int, price string) {
		for t := range e.tiers.Elements() {
			qty := fixed(textOf(member(t, "qty")), 4)
			amount := fixed(textOf(member(t, "price")), scale)
			if amount == "" {
				amount = discounted(price, textOf(member(t, "percent")), scale)
			}
			if isZero(qty) || isZero(amount) {
				continue
			}
			out = append(out, Tier{AllGroup: all, Group: group, Qty: qty, Price: amount})
		}
	}
	add(base, true, 0, price)
	if m.info.GroupPrices {
		for _, g := range m.info.Groups {
			e := best(list, w, "", g.Code, shop)
			if e == nil {
				continue
			}
			a := m.amountOf(e, scale)
			own := a.price
			if a.special != "" && m.today(a) && (isZero(own) || less(a.special, own)) {
				own = a.special
			}
			if !isZero(own) {
				out = append(out, Tier{Group: g.ID, Qty: "1.0000", Price: own})
			} else {
				own = price
			}
			add(e, false, g.ID, own)
		}
	}
	slices.SortStableFunc(out, compareTiers)
	return slices.CompactFunc(out, func(a, b Tier) bool {
		return a.AllGroup == b.AllGroup && a.Group == b.Group && a.Qty == b.Qty
	})
}

// today reports whether a special price with days holds now.
func (m *maker) today(a amount) bool {
	day := m.now.UTC().Format(time.DateOnly)
	return (a.from == "" || a.from[:len(day)] <= day) && (a.to == "" || a.to[:len(day)] >= day)
}

func compareTiers(a, b Tier) int {
	if a.AllGroup != b.AllGroup {
		if a.AllGroup {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(len(a.Qty), len(b.Qty)), cmp.Compare(a.Qty, b.Qty))
}

// tiers adds the tier prices: for all websites at once where they agree, or
// where the shop's prices are not the websites'. Those of all websites are in
// the shop's currency: other currencies' websites get theirs by its rates.
func (m *maker) tiers(sites []site, first *site) {
	same := true
	for i := range sites {
		same = same && slices.Equal(sites[i].tiers, first.tiers) && strings.EqualFold(sites[i].w.Currency, m.info.currency())
	}
	if same || !m.info.PricePerSite {
		m.p.Tiers = first.tiers
		return
	}
	slices.SortFunc(sites, func(a, b site) int { return a.w.ID - b.w.ID })
	for i := range sites {
		for _, t := range sites[i].tiers {
			t.Website = sites[i].w.ID
			m.p.Tiers = append(m.p.Tiers, t)
		}
	}
}
