package openmage_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"catalog/fixtures/mariadb"
	"catalog/fixtures/mariadbtest"
	"catalog/placeholder"
)

// TestMissingRows holds that each row is there for a reason: what a running
// OpenMage did without it is what the statements of each path do.
func TestMissingRows(t *testing.T) {
	const all = "storefront soap reindex"
	for _, c := range []struct {
		missing string
		delete  string // run with the product's id
		buyable string // the paths that go as they should
		why     string // for people
	}{
		{missing: "nothing", buyable: all},
		{missing: "name", delete: "DELETE FROM {catalog_product_entity_varchar} WHERE entity_id=?", why: "sold without a name, and the URL reindex dies"},
		{missing: "price", delete: "DELETE FROM {catalog_product_entity_decimal} WHERE entity_id=?", buyable: "reindex", why: "sold at 0.00"},
		{missing: "tax class", delete: "DELETE FROM {catalog_product_entity_int} WHERE entity_id=? AND attribute_id=" + attribute("tax_class_id"), buyable: "reindex", why: "no VAT"},
		{missing: "status", delete: "DELETE FROM {catalog_product_entity_int} WHERE entity_id=? AND attribute_id=" + attribute("status"), buyable: "storefront soap"},
		{missing: "disabled", delete: "UPDATE {catalog_product_entity_int} SET value=2 WHERE entity_id=? AND attribute_id=" + attribute("status"), buyable: "reindex"},
		{missing: "website", delete: "DELETE FROM {catalog_product_website} WHERE product_id=?", buyable: "reindex", why: "the next load of the cart drops it"},
		{missing: "stock item", delete: "DELETE FROM {cataloginventory_stock_item} WHERE product_id=?", buyable: "storefront soap"},
		{missing: "stock item's values", delete: "UPDATE {cataloginventory_stock_item} SET is_in_stock=0, use_config_manage_stock=1 WHERE product_id=?", buyable: "reindex"},
		{missing: "managed without quantity", delete: "UPDATE {cataloginventory_stock_item} SET qty=0, use_config_manage_stock=1 WHERE product_id=?", buyable: "reindex"},
		{missing: "weight", delete: "DELETE FROM {catalog_product_entity_decimal} WHERE entity_id=? AND attribute_id=" + attribute("weight"), buyable: all},
		{missing: "visibility", delete: "DELETE FROM {catalog_product_entity_int} WHERE entity_id=? AND attribute_id=" + attribute("visibility"), buyable: all},
		{missing: "stock status", delete: "DELETE FROM {cataloginventory_stock_status} WHERE product_id=?", buyable: all},
	} {
		t.Run(c.missing, func(t *testing.T) {
			d := server.Database(t, mariadb.Kind{OpenMage: true})
			shop := d.Open(t)
			r, err := shop.Ensure(context.WithoutCancel(t.Context()), []placeholder.Product{mariadbtest.Product(t, shop, "matrix", "9.90")})
			if err != nil || r[0].Status != placeholder.Created {
				t.Fatalf("%+v, %v", r, err)
			}
			if c.delete != "" {
				d.Exec(t, c.delete, r[0].EntityID)
			}
			for name, err := range d.Paths(t, r[0].EntityID, "base") {
				if want := slices.Contains(strings.Fields(c.buyable), name); (err == nil) != want {
					t.Errorf("%s: bought %v (%v), want %v", name, err == nil, err, want)
				}
			}
		})
	}
}

// attribute is a query of an attribute's id.
func attribute(code string) string {
	return "(SELECT a.attribute_id FROM {eav_attribute} a JOIN {eav_entity_type} t USING (entity_type_id) WHERE t.entity_type_code='catalog_product' AND a.attribute_code='" + code + "')"
}

// TestAPICarts holds that a cart of the SOAP API, which is inactive until it is
// ordered, keeps its placeholder while it is young, and one that was ordered
// does not.
func TestAPICarts(t *testing.T) {
	d := server.Database(t, mariadb.Kind{OpenMage: true})
	shop := d.Open(t)
	ctx := context.WithoutCancel(t.Context())
	var products []placeholder.Product
	for _, sku := range []string{"young", "ordered", "old", "zz-highest"} {
		products = append(products, mariadbtest.Product(t, shop, sku, "1"))
	}
	r, err := shop.Ensure(ctx, products)
	if err != nil {
		t.Fatal(err)
	}
	young, ordered := d.AddCart(t, true, r[0].EntityID), d.AddCart(t, true, r[1].EntityID)
	old := d.AddCart(t, false, r[2].EntityID)
	d.Exec(t, "UPDATE {sales_flat_quote} SET is_active=0 WHERE entity_id IN (?,?)", young, ordered)
	d.Exec(t, "INSERT INTO {sales_flat_order} (state, quote_id) VALUES ('complete',?)", ordered)
	before := d.One(t, "SELECT updated_at FROM {sales_flat_quote} WHERE entity_id=?", old)
	for _, sku := range []string{"young", "ordered", "old"} {
		d.Idle(t, sku, 2000*3600e9)
	}
	report, err := placeholder.Prune(ctx, shop, placeholder.PruneConfig{UnusedFor: 1000 * 3600e9})
	if err != nil || report.Removed != 2 || report.Kept[placeholder.KeepCart] != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	if lines, _ := d.Cart(t, young); len(lines) != 1 {
		t.Errorf("the young cart holds %v", lines)
	}
	if after := d.One(t, "SELECT updated_at FROM {sales_flat_quote} WHERE entity_id=?", old); after != before {
		t.Errorf("the old cart's age changed: %s, %s", before, after)
	}
}
