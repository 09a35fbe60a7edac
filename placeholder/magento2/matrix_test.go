package magento2_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"catalog/fixtures/mariadb"
	"catalog/fixtures/mariadbtest"
	"catalog/placeholder"
)

// TestMissingRows holds that each row is there for a reason: what running
// Magento 2 shops did without it is what the statements of each path do. It is
// the reason for the rows that Ensure writes, and for those it does not.
func TestMissingRows(t *testing.T) {
	const all = "storefront graphql rest storefront-after-reindex graphql-after-reindex"
	for _, c := range []struct {
		missing string
		delete  string // run with the product's id
		own     bool   // the website sells from a stock of its own
		buyable string // the paths on which it can still be bought as it should
		why     string // for people
	}{
		{missing: "nothing", buyable: all},
		{missing: "nothing, own stock", own: true, buyable: all},
		{missing: "name", delete: "DELETE FROM {catalog_product_entity_varchar} WHERE entity_id=?", why: "sold without a name"},
		{missing: "price", delete: "DELETE FROM {catalog_product_entity_decimal} WHERE entity_id=?", why: "sold at 0.00"},
		{missing: "tax class", delete: "DELETE FROM {catalog_product_entity_int} WHERE entity_id=? AND attribute_id=" + attribute("tax_class_id"), why: "no VAT"},
		{missing: "status", delete: "DELETE FROM {catalog_product_entity_int} WHERE entity_id=? AND attribute_id=" + attribute("status"), buyable: "storefront rest"},
		{missing: "disabled", delete: "UPDATE {catalog_product_entity_int} SET value=2 WHERE entity_id=? AND attribute_id=" + attribute("status")},
		{missing: "visibility", delete: "DELETE FROM {catalog_product_entity_int} WHERE entity_id=? AND attribute_id=" + attribute("visibility"), buyable: "storefront rest storefront-after-reindex"},
		{missing: "website", delete: "DELETE FROM {catalog_product_website} WHERE product_id=?", why: "REST takes it, and the next load of the cart drops it"},
		{missing: "stock item", delete: "DELETE FROM {cataloginventory_stock_item} WHERE product_id=?", buyable: "storefront graphql rest"},
		{missing: "stock status", delete: "DELETE FROM {cataloginventory_stock_status} WHERE product_id=?", buyable: "rest storefront-after-reindex graphql-after-reindex"},
		{missing: "stock item's values", delete: "UPDATE {cataloginventory_stock_item} SET is_in_stock=0, use_config_manage_stock=1 WHERE product_id=?", buyable: "storefront graphql"},
		{missing: "source item, default stock", delete: "DELETE FROM {inventory_source_item} WHERE sku=(SELECT sku FROM {catalog_product_entity} WHERE entity_id=?)", buyable: all},
		{missing: "source item, own stock", own: true, delete: "DELETE FROM {inventory_source_item} WHERE sku=(SELECT sku FROM {catalog_product_entity} WHERE entity_id=?)"},
		{missing: "index of own stock", own: true, delete: "DELETE FROM {inventory_stock_2} WHERE sku=(SELECT sku FROM {catalog_product_entity} WHERE entity_id=?)", buyable: "rest storefront-after-reindex graphql-after-reindex"},
		{missing: "price index", delete: "DELETE FROM {catalog_product_index_price} WHERE entity_id=?", buyable: all},
		{missing: "weight", delete: "DELETE FROM {catalog_product_entity_decimal} WHERE entity_id=? AND attribute_id=" + attribute("weight"), buyable: all},
	} {
		t.Run(c.missing, func(t *testing.T) {
			d := server.Database(t, mariadb.Kind{})
			shop := d.Open(t)
			r, err := shop.Ensure(context.WithoutCancel(t.Context()), []placeholder.Product{mariadbtest.Product(t, shop, "matrix", "9.90")})
			if err != nil || r[0].Status != placeholder.Created {
				t.Fatalf("%+v, %v", r, err)
			}
			if c.delete != "" {
				d.Exec(t, c.delete, r[0].EntityID)
			}
			website := "base"
			if c.own {
				website = "second"
			}
			for name, err := range d.Paths(t, r[0].EntityID, website) {
				want := slices.Contains(strings.Fields(c.buyable), strings.ReplaceAll(name, " ", "-"))
				if (err == nil) != want {
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

// TestPruneWithIndexes: rows that Magento's own processes made for a
// placeholder go with it, from every table that no foreign key clears, and
// those of others stay.
func TestPruneWithIndexes(t *testing.T) {
	for _, kind := range mariadbtest.Kinds(false) {
		if kind.OneStock {
			continue
		}
		t.Run(kind.String(), func(t *testing.T) {
			d := server.Database(t, kind)
			shop := d.Open(t)
			ctx := context.WithoutCancel(t.Context())
			merchant := d.AddProduct(t, "the-merchants")
			indexed(t, d, merchant, "the-merchants")
			other, err := shop.Ensure(ctx, []placeholder.Product{mariadbtest.Product(t, shop, "newest", "1")})
			if err != nil {
				t.Fatal(err)
			}
			before, err := d.Rows(ctx)
			if err != nil {
				t.Fatal(err)
			}
			r, err := shop.Ensure(ctx, []placeholder.Product{mariadbtest.Product(t, shop, "victim", "1"), mariadbtest.Product(t, shop, "zz-highest", "1")})
			if err != nil {
				t.Fatal(err)
			}
			_ = other
			only, err := d.Rows(ctx) // two more
			if err != nil {
				t.Fatal(err)
			}
			indexed(t, d, r[0].EntityID, "victim")
			d.Idle(t, "victim", 2000*3600e9)
			report, err := placeholder.Prune(ctx, shop, placeholder.PruneConfig{UnusedFor: 1000 * 3600e9})
			if err != nil || report.Removed != 1 {
				t.Fatalf("%+v, %v", report, err)
			}
			after, err := d.Rows(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for table, n := range after {
				if want := (before[table] + only[table]) / 2; n != want {
					t.Errorf("%s has %d rows, want %d", table, n, want)
				}
			}
			if err := shop.Check(ctx, false, func(f placeholder.Finding) error { t.Errorf("%+v", f); return nil }); err != nil {
				t.Error(err)
			}
			// What an index process left behind of a product that is gone is found.
			d.Exec(t, "INSERT INTO {cataloginventory_stock_status} (product_id, website_id, stock_id, qty, stock_status) VALUES (999999,0,1,0,1)")
			found := 0
			for range 2 {
				if err := shop.Check(ctx, true, func(f placeholder.Finding) error {
					if f.Kind != placeholder.FindingOrphan || f.EntityID != 999999 || !f.Repaired {
						t.Errorf("%+v", f)
					}
					found++
					return nil
				}); err != nil {
					t.Fatal(err)
				}
			}
			if found != 1 {
				t.Errorf("%d orphans found, want 1", found)
			}
		})
	}
}

// indexed adds the rows that indexers and others make for a product.
func indexed(t *testing.T, d *mariadbtest.DB, id int64, sku string) {
	t.Helper()
	d.Exec(t, "INSERT INTO {catalog_product_index_price} (entity_id, customer_group_id, website_id, price) VALUES (?,0,1,1),(?,1,1,1)", id, id)
	d.Exec(t, "INSERT INTO {cataloginventory_stock_status_replica} (product_id, website_id, stock_id, stock_status) VALUES (?,0,1,1)", id)
	d.Exec(t, "INSERT INTO {catalog_category_product_index_store1} (category_id, product_id, store_id"+indexColumns(d)+") VALUES (2,?,1"+indexValues(d)+")", id)
	d.Exec(t, "INSERT INTO {catalogrule_product} (rule_id, product_id, website_id) VALUES (1,?,1)", id)
	d.Exec(t, "INSERT INTO {catalogrule_product_price} (rule_date, customer_group_id, product_id, website_id) VALUES ('2026-01-01',0,?,1)", id)
	d.Exec(t, "INSERT INTO {url_rewrite} (entity_type, entity_id, request_path, store_id) VALUES ('product',?,?,1),('category',?,?,1)", id, sku+".html", id, sku)
	d.Exec(t, "DELETE FROM {url_rewrite} WHERE entity_type='category'")
	d.Exec(t, "INSERT IGNORE INTO {inventory_source_item} (source_code, sku, quantity, status) VALUES ('default',?,0,1)", sku)
	d.Exec(t, "INSERT INTO {inventory_low_stock_notification_configuration} (source_code, sku) VALUES ('default',?)", sku)
	if n := d.One(t, "SELECT COUNT(*) FROM {report_event_types}"); n != "0" {
		d.Exec(t, "INSERT INTO {report_event} (event_type_id, object_id, store_id) VALUES (4,?,1)", id)
	}
}

func indexColumns(d *mariadbtest.DB) string {
	if d.True {
		return ", visibility"
	}
	return ""
}

func indexValues(d *mariadbtest.DB) string {
	if d.True {
		return ",1"
	}
	return ""
}
