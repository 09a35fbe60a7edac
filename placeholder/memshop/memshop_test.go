package memshop_test

import (
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/placeholder"
	"catalog/placeholder/memshop"
	"catalog/placeholder/shoptest"
)

func TestShop(t *testing.T) {
	shoptest.Run(t, func(testing.TB) shoptest.Harness { return harness{memshop.New(placeholder.Info{})} })
}

// harness lets the suite play the shop's part on a memshop.
type harness struct{ db *memshop.DB }

func (h harness) Open(t testing.TB) placeholder.Shop {
	s := h.db.Open()
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (h harness) Catalog(t testing.TB) catalog.Store {
	s := memstore.New()
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (h harness) AddProduct(_ testing.TB, sku string) int64 { return h.db.AddProduct(sku) }
func (h harness) EditProduct(_ testing.TB, id int64)        { h.db.EditProduct(id) }
func (h harness) DeleteProduct(_ testing.TB, id int64)      { h.db.DeleteProduct(id) }
func (h harness) LoseRow(_ testing.TB, id int64)            { h.db.LoseName(id) }

func (h harness) Product(_ testing.TB, id int64) (shoptest.Stored, bool) {
	p, ok := h.db.Product(id)
	if !ok {
		return shoptest.Stored{}, false
	}
	s := shoptest.Stored{
		SKU: p.SKU, Type: p.Type, Values: map[placeholder.Value]bool{}, Websites: p.Websites, Tiers: p.Tiers,
		Categories: p.Categories, Managed: p.Stock.Manage, InStock: p.Stock.InStock, Qty: p.Stock.Qty,
	}
	for _, v := range p.Values {
		s.Values[v] = true
	}
	return s, true
}

func (h harness) Same(_ testing.TB, sku string) []int64             { return h.db.Same(sku) }
func (h harness) Buy(_ testing.TB, id int64, website string) error  { return h.db.Buy(id, website) }
func (h harness) AddCart(_ testing.TB, on bool, ids ...int64) int64 { return h.db.AddCart(on, ids...) }
func (h harness) Cart(_ testing.TB, id int64) ([]int64, bool)       { return h.db.Cart(id) }
func (h harness) AddOrder(_ testing.TB, s string, ids ...int64) int64 {
	return h.db.AddOrder(s, ids...)
}
func (h harness) OrderItems(_ testing.TB, id int64) string         { return h.db.OrderItems(id) }
func (h harness) AddWish(_ testing.TB, id int64)                   { h.db.AddWish(id) }
func (h harness) Idle(_ testing.TB, sku string, ago time.Duration) { h.db.Idle(sku, ago) }
func (h harness) Hold(_ testing.TB, sku string) func()             { return h.db.Hold(sku) }
func (h harness) Rows(testing.TB) map[string]int64                 { return h.db.Rows() }
func (h harness) Serial(testing.TB) int64                          { return h.db.Serial() }
func (h harness) Traits() shoptest.Traits                          { return shoptest.Traits{Collates: true} }

func (h harness) Inject(_ testing.TB, f shoptest.Fault, n int) bool {
	err := memshop.Deadlock()
	if f == shoptest.Lost {
		err = placeholder.ErrUnavailable
	}
	h.db.Fail(err, n)
	return true
}
