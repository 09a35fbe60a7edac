package storefront

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// liveQuery is what both forms of asking for prices and stock come to.
type liveQuery struct {
	SKUs     []string `json:"skus"`
	Store    string   `json:"store"`
	Currency string   `json:"currency"`
	Website  string   `json:"website"`
	Group    string   `json:"group"`
	Lists    []string `json:"lists"`
	Quantity *float64 `json:"quantity"`
	At       string   `json:"at"`
}

// maxQuantity bounds the quantity that prices are asked for.
const maxQuantity = 1e9

// live answers with price and stock of SKUs.
func (s *Server) live(a *answer, r *request, price, stock bool) error {
	var q liveQuery
	where := "sku"
	if r.Method == http.MethodPost {
		where = "skus"
		if err := s.readJSON(r, &q); err != nil {
			return err
		}
	} else {
		p := r.q
		q = liveQuery{
			SKUs: p.all(make([]string, 0, len(p)), "sku"), Store: p.get("store"), Currency: p.get("currency"), Website: p.get("website"),
			Group: p.get("group"), Lists: p.all(nil, "list"), At: p.get("at"),
		}
		if text := p.get("quantity"); text != "" || p.has("quantity") {
			n, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return badRequest("quantity", "%q is no number", clip(text))
			}
			q.Quantity = &n
		}
	}
	skus, err := s.skusOf(q.SKUs, where)
	if err != nil {
		return err
	}
	l, err := s.newLiveAnswer(a, r, &q, price, stock)
	if err != nil {
		return err
	}
	if err := l.load(r.Context(), skus); err != nil {
		return err
	}
	b := append(a.body, `{"store":`...)
	b = appendString(b, l.view.Code)
	if price {
		if c := l.currency(); c != "" {
			b = appendField(b, "currency", c)
		}
	}
	b = append(b, `,"items":[`...)
	n := 0
	var missing []string
	for i, sku := range skus {
		if !l.has(i) {
			missing = append(missing, sku)
			continue
		}
		b = comma(b, n)
		n++
		b = l.item(b, i, sku)
	}
	b = appendStrings(append(b, `],"missing":`...), missing)
	a.body = append(b, '}')
	if a.life == LifeNone {
		a.life = LifePrice
	}
	return nil
}

// liveAnswer computes price and stock of SKUs for who asks.
type liveAnswer struct {
	s            *Server
	st           *shopState
	view         *indexer.StoreView
	asks         *indexer.Prepared
	looks        looks
	money        string // the currency asked for
	price, stock bool
	now          time.Time
	quantity     float64 // above 1, or 0

	usual bool // now, and of a quantity of one

	// By the place of the SKU; bodies are nil where there is none or it was not read.
	prices, stocks, products [][]byte
	plain                    []bool                 // nothing in the product's document matters
	known                    []*liveEntry           // price and stock, if they are known
	variants                 map[string]variantLive // what variants have, by SKU
}

// variantLive are the bodies of a variant's records.
type variantLive struct {
	price, stock []byte
	gone         bool // it has a record of its own, and is disabled
}

func (s *Server) newLiveAnswer(a *answer, r *request, q *liveQuery, price, stock bool) (*liveAnswer, error) {
	st, err := s.shopNow(r.Context())
	if err != nil {
		return nil, err
	}
	var view *indexer.StoreView
	if q.Website != "" && q.Store == "" {
		for i, v := range st.Stores.All() {
			if v.Website == q.Website {
				view = &st.Stores.All()[i]
				break
			}
		}
		if view == nil {
			return nil, badRequest("website", "no store is in a website %q: /v1/stores lists them", clip(q.Website))
		}
	} else if view, err = s.storeOf(a, r, st, q.Store); err != nil {
		return nil, err
	}
	l := &liveAnswer{s: s, st: st, view: view, looks: looksOf(view, nil), price: price, stock: stock, money: q.Currency, now: s.opts.Now()}
	if len(q.Currency) > 16 {
		return nil, badRequest("currency", "%q is no code of a currency, such as EUR", clip(q.Currency))
	}
	group, lists := "", []string(nil)
	if price {
		if group, lists, err = s.who(a, r, q.Group, q.Lists); err != nil {
			return nil, err
		}
	}
	if q.At != "" {
		a.life = LifePrivate
		if err := s.need(r.Request, RoleRead); err != nil {
			return nil, err
		}
		t, _, ok := indexer.ParseDate(q.At)
		if !ok {
			return nil, badRequest("at", "%q is no time: write it as 2026-12-24 or 2026-12-24T18:00:00Z", clip(q.At))
		}
		l.now = t
	}
	if q.Quantity != nil {
		n := *q.Quantity
		if !(n > 0) || n > maxQuantity {
			return nil, badRequest("quantity", "a quantity is above 0 and at most %g", float64(maxQuantity))
		}
		if n > 1 {
			l.quantity = n
		}
	}
	l.usual = q.At == "" && l.quantity == 0
	l.asks, err = st.asks(indexer.View{Store: view.Code, Currency: q.Currency, Group: group, Lists: lists})
	return l, err
}

// currency returns that of the answer.
func (l *liveAnswer) currency() string {
	if l.money != "" {
		return l.money
	}
	return l.view.Currency
}

// load reads the records of SKUs that are not known, and of the variants of
// those that have some.
func (l *liveAnswer) load(ctx context.Context, skus []string) error {
	n := len(skus)
	l.known, l.plain = make([]*liveEntry, n), make([]bool, n)
	l.prices, l.stocks, l.products = make([][]byte, n), make([][]byte, n), make([][]byte, n)
	versions := make([]uint64, n)
	off := l.s.plainOff.Load()
	var rest, unread []int
	for i, sku := range skus {
		ok, e, version := l.s.plain.has(sku, l.view.Code, l.now)
		versions[i] = version
		if off {
			ok, e = false, nil
		}
		l.plain[i] = ok
		if ok && e != nil && l.usual {
			l.known[i] = e
			continue
		}
		rest = append(rest, i)
		if !ok {
			unread = append(unread, i)
		}
	}
	if err := l.read(ctx, catalog.KindPrice, l.prices, skus, rest, l.price); err != nil {
		return err
	}
	// Whether something is sold out decides on which variant is the cheapest
	// in a shop that hides what is sold out.
	if err := l.read(ctx, catalog.KindStock, l.stocks, skus, rest, l.stock || l.asks.InStockOnly); err != nil {
		return err
	}
	if err := l.read(ctx, catalog.KindProduct, l.products, skus, unread, true); err != nil {
		return err
	}
	var want []string
	for _, i := range unread {
		doc := l.products[i]
		if variants := indexer.VariantSKUs(doc); len(variants) > 0 {
			want = append(want, variants...)
		} else if l.looks.shown(doc) && !off {
			l.plain[i] = true
		}
	}
	if l.price && l.stock && l.usual {
		for _, i := range rest {
			if l.plain[i] {
				live := l.st.mapper.Live(l.prices[i], l.stocks[i], l.now)
				l.known[i] = newLiveEntry(skus[i], live, l.prices[i], l.stocks[i])
				l.s.plain.add(skus[i], l.view.Code, l.known[i], versions[i])
			}
		}
	} else {
		for _, i := range unread {
			if l.plain[i] {
				l.s.plain.add(skus[i], l.view.Code, nil, versions[i])
			}
		}
	}
	if len(want) == 0 {
		return nil
	}
	return l.loadVariants(ctx, want)
}

// read reads the bodies of records of some of the SKUs, if they are wanted.
func (l *liveAnswer) read(ctx context.Context, kind catalog.Kind, into [][]byte, skus []string, some []int, wanted bool) error {
	if !wanted || len(some) == 0 {
		return nil
	}
	names := make([]string, len(some))
	for j, i := range some {
		names[j] = skus[i]
	}
	records, err := l.s.records(ctx, kind, names)
	if err != nil {
		return err
	}
	for j, i := range some {
		into[i] = records[j].Body
	}
	return nil
}

func (l *liveAnswer) loadVariants(ctx context.Context, skus []string) error {
	l.variants = make(map[string]variantLive, len(skus))
	prices, err := l.s.records(ctx, catalog.KindPrice, skus)
	if err != nil {
		return err
	}
	stocks, err := l.s.records(ctx, catalog.KindStock, skus)
	if err != nil {
		return err
	}
	products, err := l.s.records(ctx, catalog.KindProduct, skus)
	if err != nil {
		return err
	}
	for i, sku := range skus {
		l.variants[sku] = variantLive{prices[i].Body, stocks[i].Body, products[i].Exists() && !l.looks.shown(products[i].Body)}
	}
	return nil
}

// has reports whether there is anything to say of a SKU.
func (l *liveAnswer) has(i int) bool {
	if l.plain[i] {
		return true
	}
	if doc := l.products[i]; doc != nil {
		return l.looks.shown(doc)
	}
	return l.prices[i] != nil || l.stocks[i] != nil
}

// item appends what is said of one SKU.
func (l *liveAnswer) item(b []byte, i int, sku string) []byte {
	b = append(b, `{"sku":`...)
	b = appendString(b, sku)
	if e := l.known[i]; e != nil {
		if l.price {
			b = l.appendPrice(b, e.tiered, e.live)
		}
		if l.stock {
			b = appendBool(b, "in_stock", e.live.InStock)
			b = append(b, e.quantities...)
		}
		return append(b, '}')
	}
	price, stock := l.prices[i], l.stocks[i]
	if units := indexer.VariantSKUs(l.products[i]); len(units) > 0 {
		return append(l.variant(b, price, stock, l.products[i], units), '}')
	}
	live := l.st.mapper.Live(l.quantified(price), stock, l.now)
	if l.price {
		b = l.appendPrice(b, price, live)
	}
	if l.stock {
		b = appendBool(b, "in_stock", live.InStock)
		b = appendQuantities(b, stock)
	}
	return append(b, '}')
}

// variant appends what is said of a product with variants: the price of the
// cheapest that can be sold, as on a category's page.
func (l *liveAnswer) variant(b, price, stock []byte, product catalog.Value, units []string) []byte {
	off := disabledVariants(product)
	var best indexer.Price
	var bestLive indexer.Live
	var bestPrice []byte
	bestUnit, found, inStock, dearest := "", false, false, indexer.Amount(0)
	for _, sku := range units {
		v := l.variants[sku]
		if v.gone || off[sku] {
			continue
		}
		if v.price == nil {
			v.price = price
		}
		if v.stock == nil {
			v.stock = stock
		}
		live := l.st.mapper.Live(l.quantified(v.price), v.stock, l.now)
		inStock = inStock || live.InStock
		if l.asks.InStockOnly && !live.InStock {
			continue
		}
		p, ok := l.asks.PriceOf(&indexer.Unit{Live: live})
		if !ok {
			continue
		}
		dearest = max(dearest, p.Amount)
		if !found || p.Amount < best.Amount || p.Amount == best.Amount && sku < bestUnit {
			best, bestLive, bestPrice, bestUnit, found = p, live, v.price, sku, true
		}
	}
	if l.price && found {
		b = l.appendPrice(b, bestPrice, bestLive)
		if dearest > best.Amount {
			b = appendAmount(b, "max_price", dearest)
		}
		b = appendField(b, "unit", bestUnit)
	}
	if l.stock {
		b = appendBool(b, "in_stock", inStock)
	}
	return b
}

// disabledVariants returns the variants that are switched off in their
// product's document.
func disabledVariants(product catalog.Value) map[string]bool {
	var off map[string]bool
	for v := range catalog.Value(catalog.MemberValue(product, "variants")).Elements() {
		if v.Type() == catalog.ValueObject && string(catalog.MemberValue(v, "status")) == `"disabled"` {
			if off == nil {
				off = map[string]bool{}
			}
			off[catalog.Value(catalog.MemberValue(v, "sku")).Text()] = true
		}
	}
	return off
}

func appendAmount(b []byte, name string, amount indexer.Amount) []byte {
	b = appendName(b, name)
	b = append(b, '"')
	b = append(b, amount.String()...)
	return append(b, '"')
}

// appendPrice appends what one pays, and what would be cheaper.
func (l *liveAnswer) appendPrice(b, record []byte, live indexer.Live) []byte {
	p, ok := l.asks.PriceOf(&indexer.Unit{Live: live})
	if !ok {
		return b
	}
	b = appendAmount(b, "price", p.Amount)
	if p.Regular > p.Amount {
		b = appendAmount(b, "regular", p.Regular)
	}
	if c := p.Scope.Currency; c != "" {
		b = appendField(b, "currency", c)
	}
	if !live.Next.IsZero() {
		b = appendName(b, "until")
		b = append(b, '"')
		b = live.Next.UTC().AppendFormat(b, time.RFC3339)
		b = append(b, '"')
	}
	n := 0
	least := p.Amount
	for _, qty := range tierQuantities(record) {
		if qty <= max(l.quantity, 1) {
			continue
		}
		t, ok := l.asks.PriceOf(&indexer.Unit{Live: l.st.mapper.Live(atQuantity(record, qty), nil, l.now)})
		if !ok || t.Amount >= least {
			continue
		}
		least = t.Amount
		if n == 0 {
			b = append(b, `,"tiers":[`...)
		} else {
			b = append(b, ',')
		}
		n++
		b = append(b, `{"quantity":`...)
		b = strconv.AppendFloat(b, qty, 'f', -1, 64)
		b = appendAmount(b, "price", t.Amount)
		b = append(b, '}')
	}
	if n > 0 {
		b = append(b, ']')
	}
	return b
}

// appendQuantities appends what a stock record says of quantities.
func appendQuantities(b []byte, stock catalog.Value) []byte {
	if stock == nil {
		return b
	}
	managed := string(catalog.MemberValue(stock, "manage")) != "false"
	number := func(name, as string) {
		v := catalog.Value(catalog.MemberValue(stock, name))
		if f, err := strconv.ParseFloat(string(v), 64); v.Type() == catalog.ValueNumber && err == nil && !math.IsInf(f, 0) {
			b = append(appendName(b, as), v...)
		}
	}
	if managed {
		number("qty", "quantity")
	}
	number("min_qty", "min_quantity")
	number("max_qty", "max_quantity")
	if v := catalog.Value(catalog.MemberValue(stock, "backorders")); v != nil {
		switch v.Text() {
		case "true", "1", "2", "yes", "notify":
			b = appendBool(b, "backorders", true)
		}
	}
	return b
}
