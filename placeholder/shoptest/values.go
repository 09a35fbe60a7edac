package shoptest

import (
	"catalog/placeholder"
)

func valueTests() []test {
	return []test{
		{"virtual", testVirtual},
		{"refresh", testRefresh},
		{"nulls", testNulls},
		{"retire", testRetire},
		{"soldout", testSoldOut},
		{"stores", testStores},
		{"tiers", testTiers},
		{"websites", testWebsites},
		{"categories", testCategories},
		{"managed", testManaged},
		{"text", testText},
	}
}

func testVirtual(e *env) {
	d := plain
	d.doc = `"name":"Voucher","type":"virtual","weight":3`
	p := e.product(e.sku("a"), d)
	r := e.ensure(p, placeholder.Created)
	e.is(r.EntityID, p)
	if s := e.stored(r.EntityID); s.Type != "virtual" || s.Value("weight", 0) != "" {
		e.Errorf("type %s, weight %q", s.Type, s.Value("weight", 0))
	}
	e.buyable(r.EntityID, "base", true)
}

// testRefresh: Refresh makes nothing, and brings what is there to what it is
// told.
func testRefresh(e *env) {
	sku := e.sku("a")
	rows := e.h.Rows(e)
	e.refresh(e.product(sku, plain), placeholder.Unknown)
	e.refresh(placeholder.Retired(sku), placeholder.Unknown)
	e.sameRows(rows)

	id := e.made(sku)
	d := priced("8.25")
	d.doc = `"name":"Another name","weight":2,"tax_class":"Reduced","attributes":{"color":"blue"}`
	p := e.product(sku, d)
	if r := e.refresh(p, placeholder.Refreshed); r.EntityID != id {
		e.Errorf("product %d became %d", id, r.EntityID)
	}
	e.is(id, p)
	if f := e.find(sku); f.Hash != p.Hash {
		e.Errorf("the hash is %s, want %s", f.Hash, p.Hash)
	}
	back := e.product(sku, plain)
	e.ensure(back, placeholder.Refreshed)
	e.is(id, back)
	e.buyable(id, "base", true)
}

// testNulls: a value that goes becomes NULL, and when it comes back no new row
// is needed.
func testNulls(e *env) {
	sku := e.sku("a")
	with := plain
	with.prices = `{"price":9.99,"special_price":5,"special_from":"2026-01-01","special_to":"2036-12-31"},{"currency":"USD","website":"second","price":12.5}`
	p := e.product(sku, with)
	id := e.ensure(p, placeholder.Created).EntityID
	e.is(id, p)
	serial := e.h.Serial(e)
	for range 3 {
		without := e.product(sku, plain)
		e.refresh(without, placeholder.Refreshed)
		e.is(id, without)
		e.refresh(p, placeholder.Refreshed)
		e.is(id, p)
	}
	if e.h.Traits().NullsInPlace && e.h.Serial(e) != serial {
		e.Errorf("a value that comes and goes burnt %d of an auto-increment", e.h.Serial(e)-serial)
	}
}

func testRetire(e *env) {
	sku := e.sku("a")
	id := e.made(sku)
	before := e.stored(id)
	e.refresh(placeholder.Retired(sku), placeholder.Refreshed)
	e.refresh(placeholder.Retired(sku), placeholder.Present)
	s := e.stored(id)
	if s.Value("status", 0) != "2" || s.Value("name", 0) != before.Value("name", 0) || s.Value("price", 0) != before.Value("price", 0) {
		e.Errorf("status %q, name %q, price %q", s.Value("status", 0), s.Value("name", 0), s.Value("price", 0))
	}
	e.buyable(id, "base", false)
	if f := e.find(sku); f.State != placeholder.StateLive || f.Hash != placeholder.Retired(sku).Hash {
		e.Errorf("found %+v", f)
	}
	p := e.product(sku, plain)
	e.ensure(p, placeholder.Refreshed)
	e.is(id, p)
	e.buyable(id, "base", true)
}

// testSoldOut: nothing in the shop may sell it, and it stays a product.
func testSoldOut(e *env) {
	sku := e.sku("a")
	id := e.made(sku)
	out := plain
	out.stock = `"qty":0,"in_stock":false`
	p := e.product(sku, out)
	if p.Stock.InStock {
		e.Fatal("a product without stock is in stock")
	}
	e.refresh(p, placeholder.Refreshed)
	e.buyable(id, "base", false)
	e.buyable(id, "second", false)
	if s := e.stored(id); s.InStock || s.Value("status", 0) != "1" {
		e.Errorf("in stock %v, status %s", s.InStock, s.Value("status", 0))
	}
	back := e.product(sku, plain)
	e.refresh(back, placeholder.Refreshed)
	e.is(id, back)
	e.buyable(id, "base", true)
	e.buyable(id, "second", true)
}

func testStores(e *env) {
	sku := e.sku("a")
	d := plain
	d.doc += `,"stores":{"de":{"name":"Schlichtes Ding"}}`
	p := e.product(sku, d)
	id := e.ensure(p, placeholder.Created).EntityID
	e.is(id, p)
	found := false
	for v := range e.stored(id).Values {
		found = found || v.Attribute == "name" && v.Store != 0 && v.Text == "Schlichtes Ding"
	}
	if !found {
		e.Errorf("no store has its own name")
	}
	without := e.product(sku, plain)
	e.refresh(without, placeholder.Refreshed)
	e.is(id, without)
}

func testTiers(e *env) {
	sku := e.sku("a")
	for i, prices := range []string{
		`{"price":10,"tiers":[{"qty":5,"price":9},{"qty":10,"price":8.5}]},{"group":"Wholesale","price":7}`,
		`{"price":10,"tiers":[{"qty":5,"price":8.75},{"qty":20,"price":8}]},{"group":"Wholesale","price":7}`,
		`{"price":10},{"group":"wholesale","price":6,"tiers":[{"qty":3,"price":5}]}`,
		`{"price":10},{"currency":"USD","price":11,"tiers":[{"qty":2,"percent":10}]}`,
		`{"price":10}`,
		`{"price":10,"tiers":[{"qty":5,"price":9}]}`,
	} {
		d := plain
		d.prices = prices
		p := e.product(sku, d)
		want := placeholder.Refreshed
		if i == 0 {
			want = placeholder.Created
		}
		e.is(e.ensure(p, want).EntityID, p)
	}
}

// testWebsites: a website is one that sells it as long as it has a price.
func testWebsites(e *env) {
	sku := e.sku("a")
	one := plain
	one.prices = `{"price":9.99}`
	p := e.product(sku, one)
	id := e.ensure(p, placeholder.Created).EntityID
	e.is(id, p)
	e.buyable(id, "base", true)
	e.buyable(id, "second", false)
	both := e.product(sku, plain)
	e.refresh(both, placeholder.Refreshed)
	e.is(id, both)
	e.buyable(id, "second", true)
	e.refresh(p, placeholder.Refreshed)
	e.is(id, p)
	e.buyable(id, "second", false)
}

func testCategories(e *env) {
	sku := e.sku("a")
	p := e.product(sku, plain)
	id := e.ensure(p, placeholder.Created).EntityID
	e.is(id, p)
	none := plain
	none.doc = `"name":"Nowhere"`
	q := e.product(sku, none)
	e.refresh(q, placeholder.Refreshed)
	e.is(id, q)
	e.refresh(p, placeholder.Refreshed)
	e.is(id, p)
}

func testManaged(e *env) {
	sku := e.sku("a")
	info := e.shop.Info()
	of := func(stock string) placeholder.Product {
		d := plain
		d.stock = stock
		m := placeholder.Make(&info, placeholder.Rules{ManageStock: true}, d.records(sku), e.now())
		return m.Product
	}
	p := of(`"qty":12,"in_stock":true`)
	id := e.ensure(p, placeholder.Created).EntityID
	e.is(id, p)
	e.buyable(id, "base", true)
	more := of(`"qty":15.5,"in_stock":true`)
	e.refresh(more, placeholder.Refreshed)
	e.is(id, more)
	none := of(`"qty":0,"in_stock":true`)
	e.refresh(none, placeholder.Refreshed)
	e.buyable(id, "base", false)
	e.refresh(p, placeholder.Refreshed)
	e.is(id, p)
	e.buyable(id, "base", true)
}

// testText: names of all kinds fit, and come back as they were written.
func testText(e *env) {
	for i, name := range []string{
		`Größe "L" \\ 50 % — it's 茶碗`, `Gift 🎁 card`, `'; DROP TABLE catalog_product_entity; --`, `?`, `<b>bold</b> &amp;`,
	} {
		d := plain
		d.doc = `"name":` + quote(name)
		p := e.product(e.sku(string(rune('a'+i))), d)
		e.is(e.ensure(p, placeholder.Created).EntityID, p)
	}
}
