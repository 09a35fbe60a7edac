package shoptest

import (
	"strings"

	"catalog/placeholder"
)

func checkTests() []test {
	return []test{
		{"clean", func(e *env) { e.made(e.sku("a")); e.clean() }},
		{"lostrow", testLostRow},
		{"lostproduct", testLostProduct},
		{"edited", testCheckEdited},
	}
}

// check returns what Check finds about this test's placeholders, and what has
// no SKU.
func (e *env) check(repair bool) []placeholder.Finding {
	e.Helper()
	var out []placeholder.Finding
	err := e.shop.Check(e.ctx, repair, func(f placeholder.Finding) error {
		if f.SKU == "" || strings.HasPrefix(f.SKU, e.prefix) {
			out = append(out, f)
		}
		return nil
	})
	if err != nil {
		e.Fatal(err)
	}
	return out
}

// one returns the only finding, of that kind.
func (e *env) one(repair bool, sku string, kind placeholder.FindingKind) placeholder.Finding {
	e.Helper()
	found := e.check(repair)
	if len(found) != 1 || found[0].Kind != kind || found[0].SKU != sku || found[0].Repaired != repair || found[0].Detail == "" {
		e.Fatalf("found %+v, want one %s of %s", found, kind, sku)
	}
	return found[0]
}

// testLostRow: a placeholder without a row is found, and the next write makes
// it whole.
func testLostRow(e *env) {
	sku := e.sku("a")
	p := e.product(sku, plain)
	id := e.ensure(p, placeholder.Created).EntityID
	e.h.LoseRow(e, id)
	e.one(false, sku, placeholder.FindingLostRow)
	if f := e.one(true, sku, placeholder.FindingLostRow); !f.NeedsRefresh {
		e.Errorf("%+v does not ask for a refresh", f)
	}
	e.refresh(p, placeholder.Refreshed)
	e.is(id, p)
	e.clean()
	// Ensure repairs, too.
	e.h.LoseRow(e, id)
	e.check(true)
	e.ensure(p, placeholder.Refreshed)
	e.is(id, p)
	e.clean()
}

func testLostProduct(e *env) {
	sku := e.sku("a")
	id := e.made(sku)
	e.h.DeleteProduct(e, id)
	e.one(false, sku, placeholder.FindingLostProduct)
	e.one(true, sku, placeholder.FindingLostProduct)
	e.clean()
	p := e.product(sku, plain)
	e.is(e.ensure(p, placeholder.Created).EntityID, p)
	e.clean()
}

func testCheckEdited(e *env) {
	sku := e.sku("a")
	id := e.made(sku)
	e.h.EditProduct(e, id)
	before := e.stored(id)
	e.one(false, sku, placeholder.FindingEdited)
	e.one(true, sku, placeholder.FindingEdited)
	e.clean()
	e.unchanged(id, before)
	if f := e.find(sku); f.State != placeholder.StateForeign {
		e.Errorf("found %+v", f)
	}
}
