package ledger

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"catalog/placeholder"
)

// commonTables describes the tables that products have rows in, in both
// dialects.
func (s *Schema) commonTables(r Reader, f Facts) {
	var typed []Const
	if f.TypeID {
		typed = []Const{{"entity_type_id", strconv.Itoa(s.entityType)}}
	}
	ids := map[string][]string{}
	for _, a := range s.Info.Attributes {
		ids[a.Backend] = append(ids[a.Backend], strconv.Itoa(a.ID))
	}
	for _, backend := range valueTables {
		t := s.values[backend]
		if t == nil || len(ids[backend]) == 0 {
			continue
		}
		slices.Sort(ids[backend])
		*t = Table{
			Name: t.Name, ID: "entity_id", Auto: "value_id", Key: []string{"attribute_id", "store_id"}, Vals: []string{"value"},
			Const: typed, Scope: "attribute_id IN (" + strings.Join(ids[backend], ",") + ")", Spare: Null, Default: 1,
			Optional: backend == "text" || backend == "datetime",
		}
		s.Tables = append(s.Tables, t)
	}
	s.website = &Table{Name: r.Name("catalog_product_website"), ID: "product_id", Key: []string{"website_id"}, Spare: Drop}
	s.stockItem = &Table{
		Name: r.Name("cataloginventory_stock_item"), ID: "product_id", Auto: "item_id", Key: []string{"stock_id"},
		Vals: []string{
			"qty", "is_in_stock", "manage_stock", "use_config_manage_stock", "backorders", "use_config_backorders",
			"min_sale_qty", "use_config_min_sale_qty", "max_sale_qty", "use_config_max_sale_qty",
		},
	}
	s.Tables = append(s.Tables, s.website, s.stockItem)
	if r.Has("catalog_product_entity_tier_price") {
		s.tiers = &Table{
			Name: r.Name("catalog_product_entity_tier_price"), ID: "entity_id", Auto: "value_id",
			Key: []string{"all_groups", "customer_group_id", "qty", "website_id"}, Vals: []string{"value"}, Spare: Drop, Optional: true,
		}
		s.Tables = append(s.Tables, s.tiers)
		s.Info.GroupPrices = true
	}
	if r.Has("catalog_category_product") {
		s.category = &Table{
			Name: r.Name("catalog_category_product"), ID: "product_id", Key: []string{"category_id"},
			Const: []Const{{"position", "0"}}, Spare: Drop, Optional: true,
		}
		s.Tables = append(s.Tables, s.category)
	}
}

// commonRows puts the rows that products have in both dialects, but tiers.
func (s *Schema) commonRows(p *placeholder.Product, put Put) {
	for _, v := range p.Values {
		a, ok := s.Info.Attributes[v.Attribute]
		if !ok {
			continue // the set lost it since p was made
		}
		put(s.values[a.Backend], []string{strconv.Itoa(a.ID), strconv.Itoa(v.Store)}, []string{v.Text})
	}
	for _, w := range p.Websites {
		put(s.website, []string{strconv.Itoa(w)}, nil)
	}
	put(s.stockItem, []string{"1"}, stockItemValues(&p.Stock))
	if s.category != nil {
		for _, c := range p.Categories {
			put(s.category, []string{strconv.Itoa(c)}, nil)
		}
	}
}

// PutTier puts a tier price where both dialects have them.
func (s *Schema) PutTier(t placeholder.Tier, put Put) {
	if s.tiers != nil {
		put(s.tiers, []string{Flag(t.AllGroup), strconv.Itoa(t.Group), t.Qty, strconv.Itoa(t.Website)}, []string{t.Price})
	}
}

// stockItemValues are Table.Vals of the stock item.
func stockItemValues(k *placeholder.Stock) []string {
	qty, manage := "0.0000", "0"
	if k.Manage || !k.InStock {
		// Only a product whose stock is managed can be out of it.
		manage = "1"
	}
	if k.Manage && k.InStock {
		qty = k.Qty
	}
	backorders := Flag(k.Manage && k.InStock && k.Backorders)
	least, leastConfig := orDefault(k.MinSale, "1.0000")
	most, mostConfig := orDefault(k.MaxSale, "0.0000")
	return []string{qty, Flag(k.InStock), manage, "0", backorders, "0", least, leastConfig, most, mostConfig}
}

// stockQty is the index of qty in stockItemValues.
const stockQty = 0

func orDefault(v, def string) (value, useConfig string) {
	if v == "" {
		return def, "1"
	}
	return v, "0"
}

// Flag is a boolean as the shops write it.
func Flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// attributeID returns the id of an attribute that is always there.
func (s *Schema) attributeID(code string) int { return s.Info.Attributes[code].ID }

// statusTable is the value table narrowed to the status: what retiring a
// product changes.
func (s *Schema) statusTable() *Table {
	t := *s.values[s.Info.Attributes["status"].Backend]
	t.Scope = fmt.Sprintf("attribute_id=%d", s.attributeID("status"))
	return &t
}
