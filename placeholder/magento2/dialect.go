// Package magento2 is a placeholder.Shop in the database of Magento Open Source
// 2.4, with or without its multi-source inventory (MSI). Adobe Commerce, whose
// products have row ids, is recognised and refused.
//
// # Rows
//
// A placeholder has, beside its row in catalog_product_entity,
//
//	catalog_product_entity_*       what placeholder.Product.Values say; status,
//	                               visibility, name, price, tax class always
//	catalog_product_website        one for each website that sells it
//	cataloginventory_stock_item    one, of stock 1
//	cataloginventory_stock_status  one, of website 0 and stock 1: the storefront
//	                               and GraphQL look at nothing else
//	inventory_source_item          for a website that sells from a stock of its
//	inventory_stock_N              own, N; and the first also for the default
//	                               stock when the shop counts stock
//	catalog_product_entity_tier_price, catalog_category_product   where there are any
//
// The price index is the indexer's: no path needs it before it is there. A
// product with visibility 1 has no URL, so no rewrite either.
//
// # Rights
//
// The user needs, on the tables that Grants lists, SELECT and, of the rows
// above, INSERT, UPDATE and DELETE; UPDATE on quote and DELETE on quote_item
// (prune marks stale carts and takes pruned lines out of them); SELECT on what
// is looked up; and CREATE once, for the ledger's two tables. Triggers run with
// the rights of who made them. A user with nothing else passes the tests.
package magento2

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
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

// product is the condition on rows of url_rewrite that are a product's.
const product = "entity_type='product'"

// Facts implements ledger.Dialect.
func (dialect) Facts() ledger.Facts {
	return ledger.Facts{
		Name: "magento2", Website: "store_website", Group: "store_group", Store: "store",
		Quote: "quote", QuoteItem: "quote_item", Order: "sales_order", OrderItem: "sales_order_item",
		Cart:   "q.is_active=1",
		Needed: []string{"cataloginventory_stock_status"},
		Reads:  []string{"inventory_stock_sales_channel", "inventory_source", "inventory_source_stock_link", "inventory_reservation", "report_event_types"},
		Leftovers: []ledger.Leftover{
			{Like: "cataloginventory_stock_status", Column: "product_id", Derived: true},
			{Like: "cataloginventory_stock_status_replica", Column: "product_id", Derived: true},
			{Like: "catalog_product_index_price", Column: "entity_id", Derived: true},
			{Like: "catalog_product_index_price_replica", Column: "entity_id", Derived: true},
			{Like: "catalog_product_index_price_ws%", Column: "entity_id", Derived: true},
			{Like: "catalog_product_index_price_cg%", Column: "entity_id", Derived: true},
			{Like: "catalog_product_index_eav", Column: "entity_id", Derived: true},
			{Like: "catalog_product_index_eav_replica", Column: "entity_id", Derived: true},
			{Like: "catalog_product_index_eav_decimal", Column: "entity_id", Derived: true},
			{Like: "catalog_product_index_eav_decimal_replica", Column: "entity_id", Derived: true},
			{Like: "catalog_category_product_index", Column: "product_id", Derived: true},
			{Like: "catalog_category_product_index_replica", Column: "product_id", Derived: true},
			{Like: "catalog_category_product_index_store%", Column: "product_id", Derived: true},
			{Like: "catalog_product_flat_%", Column: "entity_id", Derived: true},
			{Like: "catalogrule_product", Column: "product_id", Derived: true},
			{Like: "catalogrule_product_replica", Column: "product_id", Derived: true},
			{Like: "catalogrule_product_price", Column: "product_id", Derived: true},
			{Like: "catalogrule_product_price_replica", Column: "product_id", Derived: true},
			{Like: "url_rewrite", Column: "entity_id", And: product},
			{Like: "inventory_source_item", Column: "sku", BySKU: true},
			// Its key begins with the source, of which there are few.
			{
				Like: "inventory_low_stock_notification_configuration", Column: "sku", BySKU: true,
				And: "source_code IN (SELECT source_code FROM `{prefix}inventory_source`)",
			},
			{Like: "inventory_stock_%", Column: "sku", BySKU: true, Derived: true},
			ledger.ReportEvent(),
		},
	}
}

// own is what this dialect looked up.
type own struct {
	status  *ledger.Table
	sources *ledger.Table // inventory_source_item; nil without MSI
	stocks  map[int]stock // by stock id, those that websites sell from
	site    map[int]int   // website id → stock id
}

// stock is an MSI stock.
type stock struct {
	index  *ledger.Table // inventory_stock_N; nil for the default stock
	source string        // the source that its quantity is in; "" if it has none
}

// Load implements ledger.Dialect.
func (dialect) Load(ctx context.Context, r ledger.Reader, s *ledger.Schema) error {
	o := &own{stocks: map[int]stock{}, site: map[int]int{}}
	s.Own = o
	o.status = &ledger.Table{
		Name: r.Name("cataloginventory_stock_status"), ID: "product_id", Key: []string{"website_id", "stock_id"},
		Vals: []string{"qty", "stock_status"},
	}
	s.Tables = append(s.Tables, o.status)
	if !r.Has("inventory_stock_sales_channel") || !r.Has("inventory_source_item") {
		return nil
	}
	o.sources = &ledger.Table{
		Name: r.Name("inventory_source_item"), ID: "sku", BySKU: true, Auto: "source_item_id", Key: []string{"source_code"},
		Vals: []string{"quantity", "status"}, Optional: true,
	}
	s.Tables = append(s.Tables, o.sources)
	if err := o.channels(ctx, r, s); err != nil {
		return err
	}
	return o.indexes(ctx, r, s)
}

// channels reads which stock each website sells from.
func (o *own) channels(ctx context.Context, r ledger.Reader, s *ledger.Schema) error {
	return r.Each(ctx, func(rows *sql.Rows) error {
		var code string
		var id int
		if err := rows.Scan(&code, &id); err != nil {
			return err
		}
		for i := range s.Info.Websites {
			if w := &s.Info.Websites[i]; w.Code == code {
				w.StockID = id
				o.site[w.ID] = id
				o.stocks[id] = stock{}
			}
		}
		return nil
	}, "SELECT code, stock_id FROM "+r.Table("inventory_stock_sales_channel")+" WHERE type='website'")
}

// defaultStock is the stock that the tables of the time before MSI stand for.
const defaultStock = 1

// indexes reads the sources and the index tables of the stocks.
func (o *own) indexes(ctx context.Context, r ledger.Reader, s *ledger.Schema) error {
	ids := make([]int, 0, len(o.stocks))
	for id := range o.stocks {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		var k stock
		err := r.Each(ctx, func(rows *sql.Rows) error { return rows.Scan(&k.source) },
			"SELECT l.source_code FROM "+r.Table("inventory_source_stock_link")+" l JOIN "+r.Table("inventory_source")+
				" s ON s.source_code=l.source_code WHERE l.stock_id=? ORDER BY s.enabled DESC, l.priority, l.source_code LIMIT 1", id)
		if err != nil {
			return err
		}
		if id != defaultStock {
			name := "inventory_stock_" + strconv.Itoa(id)
			if !r.Has(name) {
				return fmt.Errorf("%w: a website sells from stock %d, but there is no table %s that this user may see: run 'bin/magento indexer:reindex inventory'",
					placeholder.ErrSchema, id, r.Name(name))
			}
			if k.source == "" {
				return fmt.Errorf("%w: a website sells from stock %d, which has no source", placeholder.ErrSchema, id)
			}
			k.index = &ledger.Table{Name: r.Name(name), ID: "sku", BySKU: true, Vals: []string{"quantity", "is_salable"}, Optional: true}
			s.Tables = append(s.Tables, k.index)
		}
		o.stocks[id] = k
	}
	return nil
}

// Rows implements ledger.Dialect.
func (dialect) Rows(s *ledger.Schema, p *placeholder.Product, put ledger.Put) {
	o := s.Own.(*own)
	for _, t := range p.Tiers {
		s.PutTier(t, put)
	}
	qty, salable := "0.0000", ledger.Flag(p.Stock.InStock)
	if p.Stock.Manage && p.Stock.InStock {
		qty = p.Stock.Qty
	}
	put(o.status, []string{"0", strconv.Itoa(defaultStock)}, []string{qty, salable})
	if o.sources == nil {
		return
	}
	var done []string
	source := func(code string) {
		if code != "" && !slices.Contains(done, code) {
			done = append(done, code)
			put(o.sources, []string{code}, []string{qty, salable})
		}
	}
	var indexed []int
	for _, w := range p.Websites {
		id, ok := o.site[w]
		if !ok || slices.Contains(indexed, id) {
			continue
		}
		indexed = append(indexed, id)
		k := o.stocks[id]
		if k.index != nil {
			put(k.index, nil, []string{qty, salable})
			source(k.source)
		} else if p.Stock.Manage {
			source(k.source)
		}
	}
}
