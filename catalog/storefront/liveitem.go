package storefront

import (
	"math"
	"strconv"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// item appends what is said of one SKU.
func (l *liveAnswer) item(b []byte, i int, sku string) []byte {
	if said := l.said[i]; said != nil {
		return append(b, said...)
	}
	start := len(b)
	b = append(b, skuMember[:len(skuMember)-1]...)
	b = appendString(b, sku)
	remember := l.asked != 0 && !l.s.plainOff.Load()
	if e := l.known[i]; e != nil {
		if l.price {
			b = l.appendPrice(b, e.tiered, e.live)
		}
		if l.stock {
			b = appendBool(b, "in_stock", e.live.InStock)
			b = append(b, e.quantities...)
		}
		b = append(b, '}')
		if remember {
			l.s.plain.say(sku, l.view.Code, l.asked, e.next, b[start:], l.versions[i])
		}
		return b
	}
	price, stock := l.prices[i], l.stocks[i]
	if units := indexer.VariantSKUs(l.products[i]); len(units) > 0 {
		b, next := l.variant(b, price, stock, l.products[i], units)
		b = append(b, '}')
		if remember {
			l.s.plain.sayFamily(sku, l.view.Code, l.asked, next, b[start:], l.versions[i], units, l.before)
		}
		return b
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
// cheapest that can be sold, as on a category's page. It holds until next, or
// until one of them changes.
func (l *liveAnswer) variant(b, price, stock []byte, product catalog.Value, units []string) (_ []byte, next time.Time) {
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
		if !live.Next.IsZero() && (next.IsZero() || live.Next.Before(next)) {
			next = live.Next
		}
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
	return b, next
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
