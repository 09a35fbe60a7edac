package shoptest

import (
	"slices"

	"catalog/placeholder"
)

// fresh is p with the hint that the shop has nothing under its SKU.
func fresh(p placeholder.Product) placeholder.Product {
	p.Fresh = true
	return p
}

// testFresh: the hint changes how, not what is answered and done, whether it
// is right or wrong.
func testFresh(e *env) {
	rows := e.h.Rows(e)
	p := fresh(e.product(e.sku("new"), plain))
	id := e.ensure(p, placeholder.Created).EntityID
	e.is(id, p)
	e.buyable(id, "base", true)
	if f := e.find(p.SKU); f.State != placeholder.StateLive || f.EntityID != id || f.Hash != p.Hash || f.Spelling != p.SKU {
		e.Errorf("found %+v", f)
	}
	first, second := e.sku("one"), e.sku("two")
	e.ensure(e.product(first, plain), placeholder.Created)
	e.ensure(fresh(e.product(second, plain)), placeholder.Created)
	e.sameShape(rows)

	// Wrong.
	e.ensure(p, placeholder.Present)
	changed := fresh(e.product(p.SKU, priced("4.75")))
	if r := e.ensure(changed, placeholder.Refreshed); r.EntityID != id {
		e.Errorf("product %d became %d", id, r.EntityID)
	}
	e.is(id, changed)
	merchant := e.sku("merchant")
	foreign := e.h.AddProduct(e, merchant)
	before := e.stored(foreign)
	if r := e.ensure(fresh(e.product(merchant, plain)), placeholder.Foreign); r.EntityID != foreign {
		e.Errorf("answered with product %d, not %d", r.EntityID, foreign)
	}
	e.unchanged(foreign, before)
	e.h.EditProduct(e, id)
	if r := e.ensure(p, placeholder.Foreign); r.EntityID != id {
		e.Errorf("answered with product %d, not %d", r.EntityID, id)
	}
	lost := fresh(e.product(e.sku("lost"), plain))
	e.h.DeleteProduct(e, e.ensure(lost, placeholder.Created).EntityID)
	e.is(e.ensure(lost, placeholder.Created).EntityID, lost)

	// One that is not new among those that are.
	mixed := []placeholder.Product{fresh(e.product(e.sku("b"), plain)), lost, fresh(e.product(e.sku("a"), plain))}
	for i, r := range e.ensureAll(mixed...) {
		e.status(r, []placeholder.Status{placeholder.Created, placeholder.Present, placeholder.Created}[i])
		e.is(r.EntityID, mixed[i])
	}
	for _, m := range mixed {
		if same := e.h.Same(e, m.SKU); len(same) != 1 {
			e.Errorf("the shop has %v under %q", same, m.SKU)
		}
	}
	if !e.h.Traits().Collates {
		return
	}
	twins := []placeholder.Product{fresh(e.product(e.sku("twin"), plain)), fresh(e.product(e.sku("TWIN"), plain))}
	r := e.ensureAll(twins...)
	e.status(r[0], placeholder.Created)
	if r[1].Reason != placeholder.ReasonAlike || r[1].EntityID != r[0].EntityID {
		e.Errorf("the same SKU again is %+v", r[1])
	}
	if same := e.h.Same(e, twins[0].SKU); !slices.Equal(same, []int64{r[0].EntityID}) {
		e.Errorf("the shop has the products %v", same)
	}
}

// sameShape checks that three placeholders were added since before, each with
// as many rows in every table as the others.
func (e *env) sameShape(before map[string]int64) {
	e.Helper()
	for table, n := range e.h.Rows(e) {
		if more := n - before[table]; more%3 != 0 {
			e.Errorf("three placeholders have %d rows in %s", more, table)
		}
	}
}
