package openmage_test

import (
	"context"
	"testing"

	"catalog/fixtures/mariadb"
	"catalog/fixtures/mariadbtest"
	"catalog/placeholder"
)

// TestManyLines: more cart lines than are read at once hide neither a cart that
// may still be ordered nor an order, and none of a stale cart is left behind.
func TestManyLines(t *testing.T) {
	d := server.Database(t, mariadb.Kind{OpenMage: true})
	shop := d.Open(t)
	ctx := context.WithoutCancel(t.Context())
	var products []placeholder.Product
	skus := []string{"lines-stale", "lines-held", "lines-ordered"}
	for _, sku := range append(skus, "zz-lines-highest") {
		products = append(products, mariadbtest.Product(t, shop, sku, "1"))
	}
	r, err := shop.Ensure(ctx, products)
	if err != nil {
		t.Fatal(err)
	}
	for _, sku := range skus {
		d.Idle(t, sku, 2000*3600e9)
	}
	const many = 2500
	stale := d.AddCart(t, false, r[0].EntityID)
	crowd := d.AddCart(t, false, r[1].EntityID)
	d.Exec(t, "INSERT INTO {sales_flat_quote_item} (quote_id, product_id) SELECT ?, ? FROM seq_1_to_2499", stale, r[0].EntityID)
	d.Exec(t, "INSERT INTO {sales_flat_quote_item} (quote_id, product_id) SELECT ?, ? FROM seq_1_to_2499", crowd, r[1].EntityID)
	d.AddCart(t, true, r[1].EntityID)
	d.AddOrder(t, "new", r[2].EntityID)
	report, err := placeholder.Prune(ctx, shop, placeholder.PruneConfig{UnusedFor: 1000 * 3600e9})
	if err != nil || report.Removed != 1 || report.Quotes != many || report.Kept[placeholder.KeepCart] != 1 || report.Kept[placeholder.KeepOrder] != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	if lines, recollect := d.Cart(t, stale); len(lines) != 0 || !recollect {
		t.Errorf("the stale cart holds %d lines, recollect %v", len(lines), recollect)
	}
	if lines, recollect := d.Cart(t, crowd); len(lines) != many || recollect {
		t.Errorf("the cart of what is kept holds %d lines, recollect %v", len(lines), recollect)
	}
}
