package shoptest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/placeholder"
)

// Run holds the shop that newHarness makes to the contract of
// placeholder.Shop. All tests share one harness, and so one database: each
// uses SKUs of its own.
func Run(t *testing.T, newHarness func(testing.TB) Harness) {
	h := newHarness(t)
	for _, group := range []struct {
		name  string
		tests []test
	}{
		{"Ensure", ensureTests()},
		{"Values", valueTests()},
		{"Foreign", foreignTests()},
		{"Spelling", spellingTests()},
		{"Concurrent", concurrentTests()},
		{"Prune", pruneTests()},
		{"PruneRaces", raceTests()},
		{"Check", checkTests()},
		{"Faults", faultTests()},
		{"Service", serviceTests()},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.tests {
				t.Run(c.name, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
					defer cancel()
					c.run(&env{TB: t, ctx: ctx, h: h, shop: h.Open(t), prefix: strings.ToLower(group.name[:1]) + "-" + c.name + "-"})
				})
			}
		})
	}
}

type test struct {
	name string
	run  func(*env)
}

// env is what a test works with.
type env struct {
	testing.TB
	ctx    context.Context
	h      Harness
	shop   placeholder.Shop
	prefix string
}

// sku returns a SKU of this test's own.
func (e *env) sku(name string) string { return e.prefix + name }

// document is what the catalog says of a product, as JSON: members of the
// document, the price entries, and the stock record.
type document struct{ doc, prices, stock string }

// plain is a product like most.
var plain = document{
	`"name":"Plain product","weight":1.5,"categories":["Men/Shoes"],"attributes":{"color":"red"},"brand":"Fjordlin"`,
	`{"price":9.99},{"currency":"USD","website":"second","price":12.5}`, ``,
}

// priced is plain at another price.
func priced(price string) document {
	d := plain
	d.prices = `{"price":` + price + `},{"currency":"USD","website":"second","price":12.5}`
	return d
}

// quote returns s as JSON.
func quote(s string) string {
	data, _ := json.Marshal(s) // of a string: no error
	return string(data)
}

func (e *env) now() time.Time { return time.Now() }

func (d document) records(sku string) placeholder.Records {
	rec := placeholder.Records{SKU: sku, Document: catalog.Value(fmt.Sprintf(`{"sku":%s,%s}`, quote(sku), d.doc))}
	if d.prices != "" {
		rec.Price = catalog.Value(fmt.Sprintf(`{"sku":%s,"prices":[%s]}`, quote(sku), d.prices))
	}
	if d.stock != "" {
		rec.Stock = catalog.Value(fmt.Sprintf(`{"sku":%s,%s}`, quote(sku), d.stock))
	}
	return rec
}

// product makes the placeholder of d.
func (e *env) product(sku string, d document) placeholder.Product {
	e.Helper()
	info := e.shop.Info()
	m := placeholder.Make(&info, placeholder.Rules{}, d.records(sku), time.Now())
	if m.Product.SKU == "" || m.Product.Retired {
		e.Fatalf("%s cannot be made: %s %s %s", sku, m.Status, m.Reason, m.Detail)
	}
	return m.Product
}

// ensure ensures one product and checks the answer.
func (e *env) ensure(p placeholder.Product, want placeholder.Status) placeholder.Result {
	e.Helper()
	r := e.ensureAll(p)[0]
	e.status(r, want)
	return r
}

func (e *env) ensureAll(products ...placeholder.Product) []placeholder.Result {
	e.Helper()
	results, err := e.shop.Ensure(e.ctx, products)
	if err != nil {
		e.Fatalf("ensuring %d products: %v", len(products), err)
	}
	if len(results) != len(products) {
		e.Fatalf("%d answers for %d products", len(results), len(products))
	}
	for i, r := range results {
		if r.SKU != products[i].SKU {
			e.Fatalf("answer %d is of %q, not of %q", i, r.SKU, products[i].SKU)
		}
	}
	return results
}

// made ensures a new placeholder of plain and returns its id.
func (e *env) made(sku string) int64 {
	e.Helper()
	return e.ensure(e.product(sku, plain), placeholder.Created).EntityID
}

func (e *env) refresh(p placeholder.Product, want placeholder.Status) placeholder.Result {
	e.Helper()
	results, err := e.shop.Refresh(e.ctx, []placeholder.Product{p})
	if err != nil || len(results) != 1 {
		e.Fatalf("refreshing %s: %d answers, %v", p.SKU, len(results), err)
	}
	e.status(results[0], want)
	return results[0]
}

func (e *env) status(r placeholder.Result, want placeholder.Status) {
	e.Helper()
	if r.Status != want {
		e.Fatalf("%q is %s (%s %s), want %s", r.SKU, r.Status, r.Reason, r.Detail, want)
	}
	if r.Status.InShop() && (r.EntityID <= 0 || r.Spelling == "") {
		e.Fatalf("%q is %s, but has entity id %d and spelling %q", r.SKU, r.Status, r.EntityID, r.Spelling)
	}
}

func (e *env) find(sku string) placeholder.Found {
	e.Helper()
	found, err := e.shop.Find(e.ctx, []string{sku})
	if err != nil || len(found) != 1 {
		e.Fatalf("finding %q: %d answers, %v", sku, len(found), err)
	}
	return found[0]
}

// stored reads a product that must be there.
func (e *env) stored(id int64) Stored {
	e.Helper()
	s, ok := e.h.Product(e, id)
	if !ok {
		e.Fatalf("product %d has no rows", id)
	}
	return s
}

// is compares a product's rows with what they should be.
func (e *env) is(id int64, p placeholder.Product) {
	e.Helper()
	s := e.stored(id)
	if s.SKU != p.SKU || s.Type != p.Type {
		e.Errorf("product %d is %q of type %s, want %q of type %s", id, s.SKU, s.Type, p.SKU, p.Type)
	}
	want := make(map[placeholder.Value]bool, len(p.Values))
	for _, v := range p.Values {
		want[v] = true
	}
	if !maps.Equal(s.Values, want) {
		e.Errorf("product %d has the values\n%s, want\n%s", id, listing(s.Values), listing(want))
	}
	if !slices.Equal(s.Websites, p.Websites) {
		e.Errorf("product %d is in the websites %v, want %v", id, s.Websites, p.Websites)
	}
	if !slices.Equal(sortedTiers(s.Tiers), sortedTiers(p.Tiers)) {
		e.Errorf("product %d has the tiers %v, want %v", id, s.Tiers, p.Tiers)
	}
	if !slices.Equal(s.Categories, p.Categories) {
		e.Errorf("product %d is in the categories %v, want %v", id, s.Categories, p.Categories)
	}
	if s.InStock != p.Stock.InStock {
		e.Errorf("product %d is in stock: %v, want %v", id, s.InStock, p.Stock.InStock)
	}
	if p.Stock.InStock && s.Managed != p.Stock.Manage {
		e.Errorf("product %d has its stock managed: %v, want %v", id, s.Managed, p.Stock.Manage)
	}
	if p.Stock.Manage && s.Qty != p.Stock.Qty {
		e.Errorf("product %d has a quantity of %s, want %s", id, s.Qty, p.Stock.Qty)
	}
}

func sortedTiers(tiers []placeholder.Tier) []string {
	var out []string
	for _, t := range tiers {
		out = append(out, fmt.Sprintf("%+v", t))
	}
	slices.Sort(out)
	return out
}

func listing(values map[placeholder.Value]bool) string {
	var lines []string
	for v := range values {
		lines = append(lines, fmt.Sprintf("  %s[%d] = %q\n", v.Attribute, v.Store, v.Text))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// buyable checks that a website sells a product, or does not.
func (e *env) buyable(id int64, website string, want bool) {
	e.Helper()
	if err := e.h.Buy(e, id, website); (err == nil) != want {
		e.Errorf("product %d can be bought in %s: %v, want %v (%v)", id, website, err == nil, want, err)
	}
}

// sameRows checks that no row came or went.
func (e *env) sameRows(before map[string]int64) {
	e.Helper()
	e.rowsAre(before, "as before")
}

func (e *env) rowsAre(want map[string]int64, why string) {
	e.Helper()
	now := e.h.Rows(e)
	for table, n := range now {
		if n != want[table] {
			e.Errorf("%s has %d rows, want %d: %s", table, n, want[table], why)
		}
	}
}
