package feed

import (
	"bytes"
	"fmt"

	"catalog/importer/internal/jsontext"
)

// The roles of the columns of Magento's product CSV.
type magentoRole int

const (
	asAttribute  magentoRole = iota // a custom attribute with a column of its own
	asText                          // a member of the document, under another name perhaps
	asNumber                        // the same, a number
	asStatus                        // product_online
	asVisibility                    // its names
	asDate                          // created_at …
	asList                          // a list of words separated by commas
	asCategories                    // a list of paths
	asElsewhere                     // part of what another column or group of columns becomes
)

// magentoColumns are the columns that Magento's export has for all products,
// by what becomes of them. What is not here is a custom attribute.
var magentoColumns = map[string]struct {
	role magentoRole
	name string // the member, where it differs from the column
}{
	"attribute_set_code": {asText, "attribute_set"}, "product_type": {asText, "type"}, "tax_class_name": {asText, "tax_class"},
	"name": {role: asText}, "description": {role: asText}, "short_description": {role: asText}, "url_key": {role: asText},
	"url_path": {role: asText}, "meta_title": {role: asText}, "meta_keywords": {role: asText},
	"meta_description": {role: asText}, "weight": {role: asNumber}, "product_online": {asStatus, "status"},
	"visibility": {role: asVisibility}, "created_at": {role: asDate}, "updated_at": {role: asDate},
	"new_from_date": {role: asDate}, "new_to_date": {role: asDate}, "categories": {role: asCategories},
	"product_websites": {asList, "websites"}, "related_skus": {asList, "related"}, "upsell_skus": {asList, "upsell"},
	"crosssell_skus": {asList, "crosssell"}, "related_position": {role: asText}, "upsell_position": {role: asText},
	"crosssell_position": {role: asText}, "display_product_options_in": {asText, "options_container"},
	"product_options_container": {role: asText}, "map_price": {role: asText}, "map_enabled": {role: asText},
	"gift_message_available": {role: asText}, "custom_design": {role: asText}, "custom_design_from": {role: asDate},
	"custom_design_to": {role: asDate}, "custom_layout": {role: asText}, "custom_layout_update": {role: asText},
	"page_layout": {role: asText}, "msrp_display_actual_price_type": {role: asText}, "custom_options": {role: asText},
	"hide_from_product_page": {role: asText}, "associated_skus": {role: asText}, "configurable_variation_prices": {role: asText},
	"bundle_price_type": {role: asText}, "bundle_sku_type": {role: asText}, "bundle_price_view": {role: asText},
	"bundle_weight_type": {role: asText}, "bundle_shipment_type": {role: asText}, "bundle_values": {role: asText},
	"downloadable_links": {role: asText}, "downloadable_samples": {role: asText}, "giftcard_type": {role: asText},

	"sku": {role: asElsewhere}, "store_view_code": {role: asElsewhere}, "additional_attributes": {role: asElsewhere},
	"configurable_variations": {role: asElsewhere}, "configurable_variation_labels": {role: asElsewhere},
	"base_image": {role: asElsewhere}, "base_image_label": {role: asElsewhere}, "small_image": {role: asElsewhere},
	"small_image_label": {role: asElsewhere}, "thumbnail_image": {role: asElsewhere}, "thumbnail_image_label": {role: asElsewhere},
	"swatch_image": {role: asElsewhere}, "swatch_image_label": {role: asElsewhere}, "additional_images": {role: asElsewhere},
	"additional_image_labels": {role: asElsewhere},
	"price":                   {role: asElsewhere}, "special_price": {role: asElsewhere}, "special_price_from_date": {role: asElsewhere},
	"special_price_to_date": {role: asElsewhere}, "cost": {role: asElsewhere}, "msrp_price": {role: asElsewhere}, "msrp": {role: asElsewhere},
	"qty": {role: asElsewhere}, "is_in_stock": {role: asElsewhere}, "manage_stock": {role: asElsewhere},
	"allow_backorders": {role: asElsewhere}, "min_cart_qty": {role: asElsewhere}, "max_cart_qty": {role: asElsewhere},
	"out_of_stock_qty": {role: asElsewhere}, "notify_on_stock_below": {role: asElsewhere}, "qty_increments": {role: asElsewhere},
	"enable_qty_increments": {role: asElsewhere}, "is_qty_decimal": {role: asElsewhere}, "is_decimal_divided": {role: asElsewhere},
	"use_config_manage_stock": {role: asElsewhere}, "use_config_backorders": {role: asElsewhere}, "use_config_min_sale_qty": {role: asElsewhere},
	"use_config_max_sale_qty": {role: asElsewhere}, "use_config_min_qty": {role: asElsewhere}, "use_config_notify_stock_qty": {role: asElsewhere},
	"use_config_qty_increments": {role: asElsewhere}, "use_config_enable_qty_inc": {role: asElsewhere},
	"website_id": {role: asElsewhere}, // of the stock item: always that of the whole shop
}

// magentoSigns are columns that hardly any other feed has.
var magentoSigns = []string{
	"store_view_code", "attribute_set_code", "additional_attributes", "product_websites",
	"product_online", "configurable_variations", "tax_class_name",
}

// isMagentoHeader recognises Magento's product CSV by its header.
func isMagentoHeader(line []byte) bool {
	names := bytes.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ';' || r == '\t' || r == '|' })
	has := make(map[string]bool, len(names))
	for _, n := range names {
		has[string(bytes.Trim(n, `" `+"\r"))] = true
	}
	if !has["sku"] {
		return false
	}
	for _, s := range magentoSigns {
		if has[s] {
			return true
		}
	}
	return false
}

// magentoPlan says where the columns are and what becomes of them.
type magentoPlan struct {
	direct     []magentoColumn // members of the document, in the order of the header
	attributes []magentoColumn // columns that are attributes
	at         map[string]int  // of the columns asElsewhere

	sku, store, extra, variants, labels int // columns, -1 if not there
	price                               []magentoColumn
	stock                               []magentoStock
	images                              []magentoImage
	gallery, galleryLabels              int
}

type magentoColumn struct {
	at     int
	role   magentoRole
	name   string
	key    []byte // `"name":`
	global bool   // the same in all stores
}

// magentoStock is a column of the stock item; it counts only where the shop's
// own setting does not.
type magentoStock struct {
	magentoColumn
	flag      bool // 1 is true
	useConfig int  // column that says whether the shop's setting counts, -1 if there is none
	unlessNo  bool // left out when 0
}

type magentoImage struct {
	at, label int
	role      string
}

func newMagentoPlan(h csvHeader) (*magentoPlan, error) {
	p := &magentoPlan{at: make(map[string]int)}
	for i, col := range h.cols {
		known, ok := magentoColumns[col.name]
		c := magentoColumn{at: i, role: known.role, name: known.name}
		if c.name == "" {
			c.name = col.name
		}
		c.key = append(jsontext.AppendString(nil, []byte(c.name)), ':')
		c.global = c.name == "type" || c.name == "attribute_set" || c.name == "websites"
		switch {
		case !ok:
			p.attributes = append(p.attributes, c)
		case known.role == asElsewhere:
			p.at[col.name] = i
		default:
			p.direct = append(p.direct, c)
		}
	}
	if p.sku = p.column("sku"); p.sku < 0 {
		return nil, fmt.Errorf("%w: Magento's product CSV has a column sku, and this has none", ErrHeader)
	}
	p.store, p.extra = p.column("store_view_code"), p.column("additional_attributes")
	p.variants, p.labels = p.column("configurable_variations"), p.column("configurable_variation_labels")
	p.gallery, p.galleryLabels = p.column("additional_images"), p.column("additional_image_labels")
	for _, role := range []string{"base", "small", "thumbnail", "swatch"} {
		if at := p.column(role + "_image"); at >= 0 {
			p.images = append(p.images, magentoImage{at, p.column(role + "_image_label"), role})
		}
	}
	p.planPrice()
	p.planStock()
	return p, nil
}

// column returns the number of a column, -1 if it is not there.
func (p *magentoPlan) column(name string) int {
	if i, ok := p.at[name]; ok {
		return i
	}
	return -1
}

func (p *magentoPlan) planPrice() {
	for _, c := range []struct {
		column, member string
		role           magentoRole
	}{
		{"price", "price", asNumber},
		{"special_price", "special_price", asNumber},
		{"special_price_from_date", "special_from", asDate},
		{"special_price_to_date", "special_to", asDate},
		{"cost", "cost", asNumber},
		{"msrp_price", "msrp", asNumber},
		{"msrp", "msrp", asNumber},
	} {
		if at := p.column(c.column); at >= 0 && !(c.column == "msrp" && p.column("msrp_price") >= 0) {
			p.price = append(p.price, magentoColumn{at: at, role: c.role, name: c.member, key: []byte(`"` + c.member + `":`)})
		}
	}
}

func (p *magentoPlan) planStock() {
	for _, c := range []struct {
		column, member, useConfig string
		flag, unlessNo            bool
	}{
		{"qty", "qty", "", false, false},
		{"is_in_stock", "in_stock", "", true, false},
		{"manage_stock", "manage", "use_config_manage_stock", true, false},
		{"allow_backorders", "backorders", "use_config_backorders", false, false},
		{"min_cart_qty", "min_qty", "use_config_min_sale_qty", false, false},
		{"max_cart_qty", "max_qty", "use_config_max_sale_qty", false, false},
		{"out_of_stock_qty", "out_of_stock_qty", "use_config_min_qty", false, false},
		{"notify_on_stock_below", "notify_qty", "use_config_notify_stock_qty", false, false},
		{"qty_increments", "qty_increments", "use_config_qty_increments", false, true},
		{"enable_qty_increments", "enable_qty_increments", "use_config_enable_qty_inc", true, true},
		{"is_qty_decimal", "qty_decimal", "", true, true},
		{"is_decimal_divided", "decimal_divided", "", true, true},
	} {
		if at := p.column(c.column); at >= 0 {
			p.stock = append(p.stock, magentoStock{
				magentoColumn: magentoColumn{at: at, role: asNumber, name: c.member, key: []byte(`"` + c.member + `":`)},
				flag:          c.flag, useConfig: p.column(c.useConfig), unlessNo: c.unlessNo,
			})
		}
	}
}
