package catalog

import (
	"fmt"

	"catalog/catalog/internal/jsonscan"
)

// isPriceMember reports the members of a product that belong to its price.
func isPriceMember(key []byte) bool {
	switch string(key) {
	case "price", "prices", "special_price", "special_from", "special_to", "msrp", "currency", "tiers", "tier_prices":
		return true
	}
	return false
}

// isQualifier reports the members that say for whom a price entry holds.
func isQualifier(key []byte) bool {
	switch string(key) {
	case "currency", "website", "store", "group", "list":
		return true
	}
	return false
}

// priceParts collects the price members of a product, a variant or a price
// feed's record until the price record is made of them.
type priceParts struct {
	flat   []jsonscan.Member // of the entry that is spread over the document
	price  *jsonscan.Member  // "price" when it is an object
	prices *jsonscan.Member
	null   bool              // price or prices is null
	amount bool              // some member gives an amount
	common []jsonscan.Member // of a price feed: members of every entry
	stores []storePrice
	a, b   jsonscan.Member // what price and prices point at
}

// storePrice is a price member of a store's overlay.
type storePrice struct {
	store string
	m     jsonscan.Member
}

func (c *priceParts) reset() {
	c.flat, c.stores, c.common = c.flat[:0], c.stores[:0], nil
	c.price, c.prices, c.null, c.amount = nil, nil, false, false
}

func (c *priceParts) any() bool {
	return len(c.flat) > 0 || c.price != nil || c.prices != nil || c.null || len(c.stores) > 0
}

// leave gives back the flat members when none of them is an amount: they then
// are no price entry, and stay where they were.
func (c *priceParts) leave() []jsonscan.Member {
	if c.amount || len(c.flat) == 0 {
		return nil
	}
	out := append([]jsonscan.Member(nil), c.flat...)
	c.flat = c.flat[:0]
	return out
}

func (c *priceParts) add(m *jsonscan.Member, key []byte) {
	switch k := string(key); {
	case k == "prices" && m.Type == jsonscan.Null, k == "price" && m.Type == jsonscan.Null:
		c.null = true
	case k == "prices":
		c.b = *m
		c.prices = &c.b
	case k == "price" && m.Type == jsonscan.Object:
		c.a = *m
		c.price = &c.a
	default:
		c.flat = append(c.flat, *m)
		switch k {
		case "price", "special_price", "tiers", "tier_prices":
			c.amount = c.amount || m.Type != jsonscan.Null
		}
	}
}

func (c *priceParts) addStore(m jsonscan.Member, store string) {
	c.stores = append(c.stores, storePrice{store, m})
}

// pricePart makes the price record of what was collected.
func (p *Parser) pricePart(sku Key) (Part, error) {
	c := &p.price
	if !c.any() {
		return Part{}, nil
	}
	start := len(p.buf)
	p.buf = append(p.buf, `{"sku":`...)
	p.buf = jsonscan.AppendQuoted(p.buf, string(sku))
	p.buf = append(p.buf, `,"prices":[`...)
	entries := len(p.buf)
	if c.amount {
		if err := p.priceEntry(c.flat, p.doc, "", ""); err != nil {
			return Part{}, err
		}
	}
	if c.price != nil {
		if err := p.priceObject(c.price.Value(p.doc), "price", c.price.ValStart); err != nil {
			return Part{}, err
		}
	}
	if c.prices != nil {
		if err := p.priceList(c.prices); err != nil {
			return Part{}, err
		}
	}
	for i := 0; i < len(c.stores); {
		n := i
		p.entry = p.entry[:0]
		for ; n < len(c.stores) && c.stores[n].store == c.stores[i].store; n++ {
			p.entry = append(p.entry, c.stores[n].m)
		}
		store := c.stores[i].store
		if err := p.priceEntry(p.entry, p.doc, "stores."+store, store); err != nil {
			return Part{}, err
		}
		i = n
	}
	if len(p.buf) == entries {
		p.buf = p.buf[:start]
		if c.null || c.price != nil || c.prices != nil {
			return Part{State: PartNull}, nil
		}
		return Part{}, nil
	}
	p.buf = append(p.buf, ']', '}')
	return Part{State: PartSet, Body: p.buf[start:len(p.buf):len(p.buf)]}, nil
}

// priceList reads "prices": an array of entries, or one entry.
func (p *Parser) priceList(m *jsonscan.Member) error {
	v := m.Value(p.doc)
	switch m.Type {
	case jsonscan.Object:
		return p.priceObject(v, "prices", m.ValStart)
	case jsonscan.Array:
		for i, e := range jsonscan.AppendElements(nil, v) {
			path := fmt.Sprintf("prices[%d]", i)
			if jsonscan.TypeOf(e) != jsonscan.Object {
				return &InvalidError{Reason: ReasonPrice, Path: path, Offset: m.ValStart + offsetIn(v, e), Detail: "is " + jsonscan.TypeOf(e).String() + "; an object is needed"}
			}
			if err := p.priceObject(e, path, m.ValStart+offsetIn(v, e)); err != nil {
				return err
			}
		}
		return nil
	}
	return &InvalidError{Reason: ReasonPrice, Path: "prices", Offset: m.ValStart, Detail: "is " + m.Type.String() + "; an array of entries is needed"}
}

func (p *Parser) priceObject(obj []byte, path string, at int) error {
	p.entry = jsonscan.AppendMembers(p.entry[:0], obj)
	for i := range p.entry {
		p.entry[i] = shift(p.entry[i], at)
	}
	own := len(p.entry)
	for _, m := range p.price.common {
		if memberOf(p.entry[:own], p.doc, &m, p.doc) < 0 {
			p.entry = append(p.entry, m)
		}
	}
	if own == 0 {
		return nil
	}
	return p.priceEntry(p.entry, p.doc, path, "")
}

// priceEntry appends one entry, made of members of doc, to the record being
// built. Amounts that are strings become numbers; nulls are left out; members
// are in the order of their names, whatever that of the feed.
func (p *Parser) priceEntry(members []jsonscan.Member, doc []byte, path, store string) error {
	if p.buf[len(p.buf)-1] == '}' {
		p.buf = append(p.buf, ',')
	}
	p.buf = append(p.buf, '{')
	first := true
	sortMembers(members, doc)
	putStore := func() {
		p.buf = appendComma(p.buf, &first)
		p.buf = append(p.buf, `"store":`...)
		p.buf = jsonscan.AppendQuoted(p.buf, store)
		store = ""
	}
	for i := range members {
		m := &members[i]
		if m.Type == jsonscan.Null {
			continue
		}
		key, v := m.Key(doc), m.Value(doc)
		if store != "" && string(key) >= "store" {
			putStore()
		}
		p.buf = appendComma(p.buf, &first)
		if string(key) == "tier_prices" {
			p.buf = append(p.buf, `"tiers":`...)
		} else {
			p.buf = append(p.buf, doc[m.KeyStart-1:m.KeyEnd+1]...)
			p.buf = append(p.buf, ':')
		}
		var fault string
		switch string(key) {
		case "price", "special_price", "msrp", "cost":
			p.buf, fault = appendAmount(p.buf, v, m.Type)
		case "tiers", "tier_prices":
			p.buf, fault = appendTiers(p.buf, v, m.Type)
		case "special_from", "special_to":
			if m.Type != jsonscan.String {
				fault = "is " + m.Type.String() + "; a date as text is needed"
			}
			p.buf = append(p.buf, v...)
		default:
			if isQualifier(key) && m.Type != jsonscan.String {
				fault = "is " + m.Type.String() + "; a string is needed"
			}
			p.buf = jsonscan.AppendCompact(p.buf, v)
		}
		if fault != "" {
			if path != "" {
				path += "."
			}
			return &InvalidError{Reason: ReasonPrice, Path: path + string(key), Offset: m.ValStart, Detail: fault}
		}
	}
	if store != "" {
		putStore()
	}
	p.buf = append(p.buf, '}')
	return nil
}

// sortMembers sorts the few members of an entry by name.
func sortMembers(members []jsonscan.Member, doc []byte) {
	for i := 1; i < len(members); i++ {
		for j := i; j > 0 && string(members[j].Key(doc)) < string(members[j-1].Key(doc)); j-- {
			members[j], members[j-1] = members[j-1], members[j]
		}
	}
}

// appendAmount appends a decimal that is a number, or a string that holds one.
func appendAmount(dst, v []byte, t jsonscan.Type) ([]byte, string) {
	n := numberText(v, t)
	switch {
	case n == nil:
		return dst, fmt.Sprintf("is %.40s; a decimal such as 9.90 is needed", v)
	case n[0] == '-' && !isZeroNumber(n):
		return dst, fmt.Sprintf("is %.40s; an amount cannot be negative", v)
	}
	return append(dst, n...), ""
}

// numberText returns the number that a value is, or that a string holds, as it
// is written; nil if there is none.
func numberText(v []byte, t jsonscan.Type) []byte {
	switch t {
	case jsonscan.Number:
		return v
	case jsonscan.String:
		if s := v[1 : len(v)-1]; jsonscan.IsNumber(s) {
			return s
		}
	}
	return nil
}

// isZeroNumber reports whether a number is 0, however it is written.
func isZeroNumber(n []byte) bool {
	for _, c := range n {
		if c >= '1' && c <= '9' {
			return false
		}
		if c|0x20 == 'e' {
			break
		}
	}
	return true
}

// appendTiers appends an array of {qty, price}.
func appendTiers(dst, v []byte, t jsonscan.Type) ([]byte, string) {
	if t != jsonscan.Array {
		return dst, "is " + t.String() + "; an array of {qty, price} is needed"
	}
	dst = append(dst, '[')
	for i, e := range jsonscan.AppendElements(nil, v) {
		if jsonscan.TypeOf(e) != jsonscan.Object {
			return dst, fmt.Sprintf("element %d is %s; an object {qty, price} is needed", i, jsonscan.TypeOf(e))
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '{')
		first := true
		for _, m := range jsonscan.AppendMembers(nil, e) {
			if m.Type == jsonscan.Null {
				continue
			}
			dst = appendComma(dst, &first)
			dst = append(dst, e[m.KeyStart-1:m.KeyEnd+1]...)
			dst = append(dst, ':')
			switch string(m.Key(e)) {
			case "qty", "price", "percent":
				var fault string
				if dst, fault = appendAmount(dst, m.Value(e), m.Type); fault != "" {
					return dst, fmt.Sprintf("element %d: %s %s", i, m.Key(e), fault)
				}
			default:
				dst = jsonscan.AppendCompact(dst, m.Value(e))
			}
		}
		dst = append(dst, '}')
	}
	return append(dst, ']'), ""
}

// priceRecord reads a record of a price feed: a flat entry, or price or prices
// as in a product, beside sku.
func (p *Parser) priceRecord(r *Parsed) error {
	p.price.reset()
	var rest []jsonscan.Member
	for i := range p.scan.Members {
		m := &p.scan.Members[i]
		key := m.Key(p.doc)
		switch {
		case string(key) == "sku":
		case isPriceMember(key):
			p.price.add(m, key)
		default:
			rest = append(rest, *m)
		}
	}
	switch {
	case p.price.amount:
		p.price.flat = append(p.price.flat, rest...)
	case p.price.price != nil || p.price.prices != nil:
		// What stands beside the entries holds for each that does not say otherwise.
		p.price.common = append(p.price.leave(), rest...)
	case !p.price.null:
		return &InvalidError{Reason: ReasonPrice, Offset: -1, Detail: "the record has no price"}
	}
	part, err := p.pricePart(r.Key)
	if err != nil {
		return err
	}
	r.Body = part.Body
	return nil
}

// PriceEntries returns the entries of a price record's body, as parts of it.
func PriceEntries(body []byte) [][]byte {
	list := MemberValue(body, "prices")
	if len(list) == 0 {
		return nil
	}
	return jsonscan.AppendElements(nil, list)
}

// PriceQualifiers returns a text that two entries share if they hold for the
// same combination of currency, website, store, group and list.
func PriceQualifiers(entry []byte) string {
	var out []byte
	for _, q := range [...]string{"currency", "website", "store", "group", "list"} {
		out = append(out, KeyText(MemberValue(entry, q))...)
		out = append(out, 0)
	}
	return string(out)
}

// PriceRecord returns the body of the price record that has these entries.
func PriceRecord(sku Key, entries [][]byte) []byte {
	out := jsonscan.AppendQuoted([]byte(`{"sku":`), string(sku))
	out = append(out, `,"prices":[`...)
	for i, e := range entries {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, e...)
	}
	return append(out, ']', '}')
}
