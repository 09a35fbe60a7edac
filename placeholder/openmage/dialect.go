// Package openmage is a placeholder.Shop in the database of OpenMage, or of
// the Magento 1 that it comes from.
//
// # Rows
//
// A placeholder has, beside its row in catalog_product_entity,
//
//	catalog_product_entity_*     what placeholder.Product.Values say; status,
//	                             visibility, name, price, tax class always
//	catalog_product_website      one for each website that sells it
//	cataloginventory_stock_item  one, of stock 1
//	catalog_product_entity_tier_price, catalog_product_entity_group_price,
//	catalog_category_product     where there are any
//
// The stock status and price tables are the indexers'; nothing on the way into
// a cart reads them. Foreign keys remove all rows with the product, cart lines
// included: that is why a cart which anybody might still order keeps it. Carts
// of the SOAP API are inactive until they are ordered, so age decides, not
// is_active: a cart is old when the shop's own cron job would delete it
// (checkout/cart/delete_quote_after, 30 days), or when it was ordered.
//
// # Rights
//
// The user needs, on the tables that Grants lists, SELECT and, of the rows
// above, INSERT, UPDATE and DELETE; UPDATE on sales_flat_quote (prune marks
// stale carts); SELECT on what is looked up; and CREATE once, for the ledger's
// two tables. A user with nothing else passes the tests.
package openmage

import (
	"context"
	"strconv"

	"catalog/placeholder"
	"catalog/placeholder/ledger"
)

// Options say how a shop's database is used.
type Options = ledger.Options

// Open opens the shop in the database of a DSN in the form of
// go-sql-driver/mysql; see ledger.Open.
func Open(ctx context.Context, dsn string, o Options) (*ledger.Shop, error) {
	return ledger.Open(ctx, dsn, dialect{}, o)
}

// Dialect is what ledger knows of such shops.
func Dialect() ledger.Dialect { return dialect{} }

type dialect struct{}

// cart is the condition under which a quote may still be ordered.
const cart = "q.updated_at>UTC_TIMESTAMP()-INTERVAL COALESCE((SELECT MAX(CAST(value AS UNSIGNED)) FROM `{prefix}core_config_data` WHERE path='checkout/cart/delete_quote_after'), 30) DAY" +
	" AND (q.is_active=1 OR NOT EXISTS (SELECT 1 FROM `{prefix}sales_flat_order` o WHERE o.quote_id=q.entity_id))"

// groupPrice is the table of group prices.
const groupPrice = "catalog_product_entity_group_price"

// Facts implements ledger.Dialect.
func (dialect) Facts() ledger.Facts {
	return ledger.Facts{
		Name: "openmage", Website: "core_website", Group: "core_store_group", Store: "core_store",
		Quote: "sales_flat_quote", QuoteItem: "sales_flat_quote_item", Order: "sales_flat_order", OrderItem: "sales_flat_order_item",
		TypeID: true, OrderItemByProduct: true, LineFK: true,
		Cart: cart, GroupPrice: groupPrice,
		Reads: []string{"report_event_types"},
		// Foreign keys reach all the rest.
		Leftovers: []ledger.Leftover{ledger.ReportEvent()},
	}
}

// Load implements ledger.Dialect.
func (dialect) Load(_ context.Context, r ledger.Reader, s *ledger.Schema) error {
	if !r.Has(groupPrice) {
		s.Own = (*ledger.Table)(nil)
		return nil
	}
	groups := &ledger.Table{
		Name: r.Name(groupPrice), ID: "entity_id", Auto: "value_id",
		Key: []string{"all_groups", "customer_group_id", "website_id"}, Vals: []string{"value"}, Spare: ledger.Drop, Optional: true,
	}
	s.Own = groups
	s.Tables = append(s.Tables, groups)
	return nil
}

// Rows implements ledger.Dialect.
func (dialect) Rows(s *ledger.Schema, p *placeholder.Product, put ledger.Put) {
	groups := s.Own.(*ledger.Table)
	for _, t := range p.Tiers {
		if groups != nil && t.Qty == "1.0000" && !t.AllGroup {
			put(groups, []string{"0", strconv.Itoa(t.Group), strconv.Itoa(t.Website)}, []string{t.Price})
			continue
		}
		s.PutTier(t, put)
	}
}
