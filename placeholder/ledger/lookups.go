package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"catalog/placeholder"
)

// valueTables are the backends whose values have a table of their own.
var valueTables = []string{"int", "decimal", "varchar", "text", "datetime"}

// needed are the attributes without which nothing can be sold.
var needed = []string{"status", "visibility", "name", "price", "tax_class_id"}

// load looks up all that the shop's tables say.
func load(ctx context.Context, q queryer, d Dialect, prefix string) (*Schema, error) {
	f := d.Facts()
	r, err := newReader(ctx, q, prefix)
	if err != nil {
		return nil, err
	}
	for _, t := range append([]string{
		f.Website, f.Store, f.Group, f.Quote, f.QuoteItem, f.Order, f.OrderItem, "eav_attribute",
		"eav_entity_type", "eav_entity_attribute", "catalog_product_website", "cataloginventory_stock_item",
	}, f.Needed...) {
		if !r.Has(t) {
			return nil, fmt.Errorf("%w: there is no table %s that this user may see", placeholder.ErrSchema, r.Name(t))
		}
	}
	s := &Schema{product: r.Table("catalog_product_entity"), values: map[string]*Table{}, seen: map[string]bool{}}
	for t := range r.tables {
		s.seen[t] = true
	}
	s.seenAll = r.all
	s.Info.Dialect, s.Info.Prefix, s.Info.Read = f.Name, r.prefix, time.Now()
	if v, _, err := scalar[string](ctx, q, "SELECT VERSION()"); err != nil {
		return nil, err
	} else {
		s.Info.Server, s.returning = v, hasReturning(v)
	}
	for _, step := range []func(context.Context, Reader, Facts) error{
		s.loadColumns, s.loadType, s.loadAttributes, s.loadRules, s.loadOptions, s.loadWebsites, s.loadTaxes, s.loadGroups,
	} {
		if err := step(ctx, r, f); err != nil {
			return nil, err
		}
	}
	s.commonTables(r, f)
	if err := d.Load(ctx, r, s); err != nil {
		return nil, err
	}
	return s, s.loadLeftovers(ctx, r, f)
}

// hasReturning reports whether a server of that version has INSERT … RETURNING:
// MariaDB from 10.5 on, no MySQL.
func hasReturning(version string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(strings.TrimPrefix(version, "5.5.5-"), "%d.%d", &major, &minor); err != nil {
		return false
	}
	return strings.Contains(version, "MariaDB") && (major > 10 || major == 10 && minor >= 5)
}

// loadColumns reads how the columns are declared that we write.
func (s *Schema) loadColumns(ctx context.Context, r Reader, f Facts) error {
	names := []string{"catalog_product_entity", f.QuoteItem}
	for _, v := range valueTables {
		names = append(names, "catalog_product_entity_"+v)
	}
	cols, err := r.columns(ctx, names...)
	if err != nil {
		return err
	}
	product := cols["catalog_product_entity"]
	if _, ok := product["row_id"]; ok {
		return placeholder.ErrCommerce
	}
	for _, c := range []string{"entity_id", "attribute_set_id", "type_id", "sku", "updated_at", "created_at"} {
		if _, ok := product[c]; !ok {
			return fmt.Errorf("%w: %s has no column %s that this user may see", placeholder.ErrSchema, r.Name("catalog_product_entity"), c)
		}
	}
	s.skuColumn = product["sku"]
	s.Info.SKUChars = s.skuColumn.Chars
	s.Info.SKU4Byte = wide(s.skuColumn)
	s.Info.Text4Byte = true
	for _, v := range valueTables {
		c, ok := cols["catalog_product_entity_"+v]["value"]
		if !ok {
			continue
		}
		s.values[v] = &Table{Name: r.Name("catalog_product_entity_" + v), Vals: []string{"value"}}
		s.scale(v, c)
		if v == "varchar" || v == "text" {
			s.Info.Text4Byte = s.Info.Text4Byte && wide(c)
		}
	}
	if name, ok := cols[f.QuoteItem]["name"]; ok {
		// The cart copies the name.
		s.Info.Text4Byte = s.Info.Text4Byte && wide(name)
	}
	return nil
}

// wide reports whether a column holds characters of four bytes.
func wide(c column) bool {
	return c.Charset == "utf8mb4" || c.Charset == "utf16" || c.Charset == "utf32"
}

// scale keeps how a backend's column is declared, until attributes are read.
func (s *Schema) scale(backend string, c column) {
	if s.Info.Attributes == nil {
		s.Info.Attributes = map[string]placeholder.Attribute{}
	}
	s.Info.Attributes[" "+backend] = placeholder.Attribute{Scale: c.Scale, Chars: c.Chars}
}

// loadType finds products among the entity types, and their attribute set.
func (s *Schema) loadType(ctx context.Context, r Reader, _ Facts) error {
	err := r.Each(ctx, func(rows *sql.Rows) error { return rows.Scan(&s.entityType, &s.set) },
		"SELECT entity_type_id, default_attribute_set_id FROM "+r.Table("eav_entity_type")+" WHERE entity_type_code='catalog_product'")
	if err == nil && s.entityType == 0 {
		err = fmt.Errorf("%w: eav_entity_type has no catalog_product", placeholder.ErrSchema)
	}
	return err
}

// loadAttributes reads the attributes of the set that have a value table.
func (s *Schema) loadAttributes(ctx context.Context, r Reader, _ Facts) error {
	declared := s.Info.Attributes
	s.Info.Attributes = map[string]placeholder.Attribute{}
	err := r.Each(ctx, func(rows *sql.Rows) error {
		var code, backend string
		var input sql.NullString
		var id int
		if err := rows.Scan(&id, &code, &backend, &input); err != nil {
			return err
		}
		if table := "catalog_product_entity_" + backend; s.values[backend] == nil && slices.Contains(valueTables, backend) && r.Has(table) {
			return fmt.Errorf("%w: GRANT SELECT, INSERT, UPDATE, DELETE ON %s", placeholder.ErrRights, r.Name(table))
		}
		if s.values[backend] != nil {
			c := declared[" "+backend]
			s.Info.Attributes[code] = placeholder.Attribute{ID: id, Backend: backend, Input: input.String, Scale: c.Scale, Chars: c.Chars}
		}
		return nil
	}, "SELECT a.attribute_id, a.attribute_code, a.backend_type, a.frontend_input FROM "+r.Table("eav_attribute")+" a JOIN "+
		r.Table("eav_entity_attribute")+" e ON e.attribute_id=a.attribute_id AND e.attribute_set_id=? WHERE a.entity_type_id=?", s.set, s.entityType)
	if err != nil {
		return err
	}
	for _, code := range needed {
		if _, ok := s.Info.Attributes[code]; !ok {
			return fmt.Errorf("%w: the attribute %s is not in attribute set %d, or has no value table (%s) that this user may see", placeholder.ErrSchema, code, s.set,
				strings.Join(s.blind(r), ", "))
		}
	}
	return nil
}

// blind are the value tables that this user does not see.
func (s *Schema) blind(r Reader) (names []string) {
	for _, v := range valueTables {
		if s.values[v] == nil {
			names = append(names, r.Name("catalog_product_entity_"+v))
		}
	}
	return names
}

// loadOptions reads the labels of the selects that cart rules ask for.
func (s *Schema) loadOptions(ctx context.Context, r Reader, _ Facts) error {
	byID := map[int]string{}
	for _, code := range s.Info.RuleAttributes {
		if a := s.Info.Attributes[code]; a.Input == "select" || a.Input == "multiselect" {
			byID[a.ID] = code
		}
	}
	if len(byID) == 0 || !r.Has("eav_attribute_option") || !r.Has("eav_attribute_option_value") {
		return nil
	}
	var ids []any
	for id := range byID {
		ids = append(ids, id)
	}
	return r.Each(ctx, func(rows *sql.Rows) error {
		var id, option int
		var label sql.NullString
		if err := rows.Scan(&id, &option, &label); err != nil {
			return err
		}
		a := s.Info.Attributes[byID[id]]
		if a.Options == nil {
			a.Options = map[string]int{}
		}
		if key := strings.ToLower(label.String); a.Options[key] == 0 {
			a.Options[key] = option
		}
		s.Info.Attributes[byID[id]] = a
		return nil
	}, "SELECT o.attribute_id, o.option_id, v.value FROM "+r.Table("eav_attribute_option")+" o JOIN "+r.Table("eav_attribute_option_value")+
		" v ON v.option_id=o.option_id AND v.store_id=0 WHERE o.attribute_id IN "+marks(len(ids))+" ORDER BY o.option_id", ids...)
}

// loadWebsites reads websites, their stores and base currencies.
func (s *Schema) loadWebsites(ctx context.Context, r Reader, f Facts) error {
	base, err := r.config(ctx, "currency/options/base")
	if err != nil {
		return err
	}
	scope, err := r.config(ctx, "catalog/price/scope")
	if err != nil {
		return err
	}
	s.Info.PricePerSite = scope["default/0"] == "1"
	err = r.Each(ctx, func(rows *sql.Rows) error {
		w := placeholder.Website{StockID: 1}
		if err := rows.Scan(&w.ID, &w.Code, &w.Default); err != nil {
			return err
		}
		w.Currency = "USD" // what both shops ship with
		for _, key := range []string{fmt.Sprintf("websites/%d", w.ID), "default/0"} {
			if key != "default/0" && !s.Info.PricePerSite {
				continue // one base currency for all
			}
			if c := base[key]; c != "" {
				w.Currency = c
				break
			}
		}
		s.Info.Websites = append(s.Info.Websites, w)
		return nil
	}, "SELECT website_id, COALESCE(code,''), COALESCE(is_default,0) FROM "+r.Table(f.Website)+" WHERE website_id<>0 ORDER BY website_id")
	if err != nil {
		return err
	}
	if len(s.Info.Websites) == 0 {
		return fmt.Errorf("%w: %s has no website", placeholder.ErrSchema, r.Name(f.Website))
	}
	return r.Each(ctx, func(rows *sql.Rows) error {
		var v placeholder.StoreView
		var website int
		if err := rows.Scan(&v.ID, &v.Code, &website); err != nil {
			return err
		}
		if i := slices.IndexFunc(s.Info.Websites, func(w placeholder.Website) bool { return w.ID == website }); i >= 0 {
			s.Info.Websites[i].Stores = append(s.Info.Websites[i].Stores, v)
		}
		return nil
	}, "SELECT store_id, COALESCE(code,''), website_id FROM "+r.Table(f.Store)+" WHERE store_id<>0 ORDER BY store_id")
}

// loadTaxes reads the product tax classes and which one products get.
func (s *Schema) loadTaxes(ctx context.Context, r Reader, _ Facts) error {
	if !r.Has("tax_class") {
		return nil
	}
	err := r.Each(ctx, func(rows *sql.Rows) error {
		var c placeholder.TaxClass
		if err := rows.Scan(&c.ID, &c.Name); err != nil {
			return err
		}
		s.Info.TaxClasses = append(s.Info.TaxClasses, c)
		return nil
	}, "SELECT class_id, class_name FROM "+r.Table("tax_class")+" WHERE class_type='PRODUCT' ORDER BY class_id")
	if err != nil || len(s.Info.TaxClasses) == 0 {
		return err
	}
	s.Info.DefaultTax = s.Info.TaxClasses[0].ID
	chosen, err := r.config(ctx, "tax/classes/default_product_tax_class")
	if err != nil {
		return err
	}
	for _, c := range s.Info.TaxClasses {
		if fmt.Sprint(c.ID) == chosen["default/0"] {
			s.Info.DefaultTax = c.ID
		}
	}
	return nil
}

// loadGroups reads the customer groups.
func (s *Schema) loadGroups(ctx context.Context, r Reader, _ Facts) error {
	if !r.Has("customer_group") {
		return nil
	}
	return r.Each(ctx, func(rows *sql.Rows) error {
		var g placeholder.Group
		if err := rows.Scan(&g.ID, &g.Code); err != nil {
			return err
		}
		s.Info.Groups = append(s.Info.Groups, g)
		return nil
	}, "SELECT customer_group_id, customer_group_code FROM "+r.Table("customer_group")+" ORDER BY customer_group_id")
}

// loadLeftovers finds out which tables must be cleared by hand.
func (s *Schema) loadLeftovers(ctx context.Context, r Reader, f Facts) error {
	var names []string
	at := map[string]Leftover{}
	for _, l := range f.Leftovers {
		start, family := strings.CutSuffix(l.Like, "%")
		if !family {
			if r.Has(l.Like) {
				names, at[l.Like] = append(names, l.Like), l
			}
			continue
		}
		numbered := func(rest string) bool { return rest != "" && rest[0] >= '0' && rest[0] <= '9' }
		for _, n := range r.Like(start, numbered) {
			if _, known := at[n]; !known {
				names, at[n] = append(names, n), l
			}
		}
	}
	cols, err := r.columns(ctx, names...)
	if err != nil {
		return err
	}
	for _, n := range names {
		// Without a right to a table its columns are not seen: the check of
		// rights tells.
		if _, ok := cols[n][at[n].Column]; ok || cols[n] == nil {
			s.leftovers = append(s.leftovers, leftover{at[n], r.Name(n)})
		}
	}
	return nil
}
