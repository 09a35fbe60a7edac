package shoptest

import (
	"slices"
	"strings"

	"catalog/placeholder"
)

func foreignTests() []test {
	return []test{
		{"merchant", testMerchant},
		{"edited", testEdited},
		{"deleted", testDeleted},
		{"replaced", testReplaced},
	}
}

// testMerchant: the merchant's own product is used and never touched.
func testMerchant(e *env) {
	sku := e.sku("a")
	id := e.h.AddProduct(e, sku)
	before, rows := e.stored(id), e.h.Rows(e)
	for range 3 {
		if r := e.ensure(e.product(sku, plain), placeholder.Foreign); r.EntityID != id || r.Spelling != sku {
			e.Errorf("answered with product %d, %q", r.EntityID, r.Spelling)
		}
	}
	if f := e.find(sku); f.State != placeholder.StateForeign || f.EntityID != id {
		e.Errorf("found %+v", f)
	}
	for _, p := range []placeholder.Product{e.product(sku, priced("1")), placeholder.Retired(sku)} {
		results, err := e.shop.Refresh(e.ctx, []placeholder.Product{p})
		if err != nil || results[0].Status != placeholder.Foreign && results[0].Status != placeholder.Unknown {
			e.Errorf("refreshing the merchant's product: %+v, %v", results, err)
		}
	}
	e.unchanged(id, before)
	now := e.h.Rows(e)
	for table, n := range now {
		if n != rows[table] && !strings.Contains(table, "ledger") && !strings.Contains(table, "placeholder") {
			e.Errorf("%s has %d rows, had %d", table, n, rows[table])
		}
	}
}

// unchanged checks that nothing wrote to a product.
func (e *env) unchanged(id int64, before Stored) {
	e.Helper()
	now := e.stored(id)
	if listing(now.Values) != listing(before.Values) || now.SKU != before.SKU || !slices.Equal(now.Websites, before.Websites) || now.InStock != before.InStock || now.Managed != before.Managed {
		e.Errorf("product %d was touched: %+v, was %+v", id, now, before)
	}
}

// testEdited: a placeholder that the merchant edits becomes the merchant's.
func testEdited(e *env) {
	sku := e.sku("a")
	id := e.made(sku)
	e.h.EditProduct(e, id)
	before := e.stored(id)
	if f := e.find(sku); f.State != placeholder.StateForeign || f.EntityID != id {
		e.Errorf("found %+v", f)
	}
	if r := e.ensure(e.product(sku, priced("3")), placeholder.Foreign); r.EntityID != id {
		e.Errorf("answered with product %d, want %d", r.EntityID, id)
	}
	e.refresh(e.product(sku, priced("4")), placeholder.Foreign)
	e.refresh(placeholder.Retired(sku), placeholder.Foreign)
	e.unchanged(id, before)
	// By Refresh alone, before any Ensure, too.
	other := e.sku("b")
	id = e.made(other)
	e.h.EditProduct(e, id)
	before = e.stored(id)
	e.refresh(placeholder.Retired(other), placeholder.Foreign)
	e.unchanged(id, before)
	if live, err := e.shop.Live(e.ctx, []string{sku, other}); err != nil || len(live) != 0 {
		e.Errorf("edited placeholders are live: %v, %v", live, err)
	}
}

// testDeleted: a placeholder that the merchant deletes is made anew.
func testDeleted(e *env) {
	sku := e.sku("a")
	id := e.made(sku)
	e.h.DeleteProduct(e, id)
	if f := e.find(sku); f.State != placeholder.StateNone {
		e.Errorf("found %+v", f)
	}
	e.refresh(e.product(sku, priced("2")), placeholder.Unknown)
	p := e.product(sku, plain)
	r := e.ensure(p, placeholder.Created)
	e.is(r.EntityID, p)
	e.buyable(r.EntityID, "base", true)
	if ids := e.h.Same(e, sku); !slices.Equal(ids, []int64{r.EntityID}) {
		e.Errorf("the shop has the products %v", ids)
	}
}

// testReplaced: the merchant deletes the placeholder and makes the product.
func testReplaced(e *env) {
	sku := e.sku("a")
	e.h.DeleteProduct(e, e.made(sku))
	id := e.h.AddProduct(e, sku)
	before := e.stored(id)
	if r := e.ensure(e.product(sku, plain), placeholder.Foreign); r.EntityID != id {
		e.Errorf("answered with product %d, want %d", r.EntityID, id)
	}
	if f := e.find(sku); f.State != placeholder.StateForeign || f.EntityID != id {
		e.Errorf("found %+v", f)
	}
	e.unchanged(id, before)
}
