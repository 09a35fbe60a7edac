package indexer

import (
	"slices"
	"strings"

	"catalog/catalog"
)

// Limits of what one product can bring along. What is beyond them is not
// indexed; the product is.
const (
	maxAttrs  = 2000    // attribute values of a product or variant
	maxDepth  = 4       // of nested objects that become attributes with dots
	maxText   = 1 << 16 // bytes of each text
	maxUnits  = 5000    // of a product
	maxLevels = 32      // of a category's path
)

// fields is what a product or variant record says, with its members sorted
// into those the index understands. Values are parts of the record's body.
type fields struct {
	name, short, long, brand               catalog.Value
	status, visibility, kind               catalog.Value
	categories, websites, variants, stores catalog.Value
	created                                catalog.Value
	attrs                                  []rawAttr
	texts                                  []catalog.Value // more that is searched, but no attribute
	own                                    overlaid        // which of the texts are an overlay's
}

// rawAttr is one value of an attribute. Of one name, values of the lowest rank
// count alone.
type rawAttr struct {
	name string
	val  catalog.Value
	rank uint8
}

// Ranks of attribute values.
const (
	rankOverlay uint8 = iota
	rankAttr          // member of attributes
	rankMember        // a member of the record that we do not know
	rankBelow         // of the record that stands behind an embedded variant
)

// overlaid says which texts are in the language of the overlay.
type overlaid struct{ name, short, long, brand bool }

func (f *fields) reset() {
	*f = fields{attrs: f.attrs[:0], texts: f.texts[:0]}
}

// read sorts the members of a record. Members of attributes come in with rank,
// others that become attributes one rank behind.
func (s *session) read(f *fields, body catalog.Value, rank uint8) {
	for key, v := range body.Members() {
		if v.Type() == catalog.ValueNull {
			continue
		}
		switch string(key) {
		case "sku", "url_key", "images", "related", "upsell", "crosssell", "cost", "tax_class", "unit", "$kind",
			"price", "prices", "special_price", "special_from", "special_to", "msrp", "currency", "tiers", "tier_prices",
			"stock", "qty", "in_stock":
		case "name":
			f.name = v
		case "description":
			f.long = v
		case "short_description":
			f.short = v
		case "brand":
			f.brand = v
		case "type":
			f.kind = v
		case "status":
			f.status = v
		case "visibility":
			f.visibility = v
		case "categories":
			f.categories = v
		case "websites":
			f.websites = v
		case "variants":
			f.variants = v
		case "stores":
			f.stores = v
		case "created_at":
			f.created = v
		case "attributes":
			for name, a := range v.Members() {
				s.flatten(f, name, a, rank, 0)
			}
		case "meta_title", "meta_keywords", "meta_description":
			f.texts = append(f.texts, v)
		default:
			s.flatten(f, key, v, rank+1, 0)
		}
	}
}

// flatten makes attribute values of a member: members of objects get names
// with dots, elements of arrays are values of one name.
func (s *session) flatten(f *fields, name []byte, v catalog.Value, rank uint8, depth int) {
	if len(f.attrs) >= maxAttrs {
		return
	}
	switch v.Type() {
	case catalog.ValueObject:
		if depth == maxDepth {
			return
		}
		base := len(s.path)
		s.path = append(append(s.path, name...), '.')
		n := len(s.path)
		for key, m := range v.Members() {
			s.path = append(s.path[:n], key...)
			// The recursion may move and overwrite what is behind n only.
			full := s.intern(s.path[base:])
			s.flattenNamed(f, full, m, rank, depth+1)
		}
		s.path = s.path[:base]
	default:
		s.flattenNamed(f, s.intern(name), v, rank, depth)
	}
}

func (s *session) flattenNamed(f *fields, name string, v catalog.Value, rank uint8, depth int) {
	switch v.Type() {
	case catalog.ValueObject:
		s.flatten(f, []byte(name), v, rank, depth)
	case catalog.ValueArray:
		if depth == maxDepth {
			return
		}
		for e := range v.Elements() {
			s.flattenNamed(f, name, e, rank, depth+1)
		}
	case catalog.ValueString, catalog.ValueNumber, catalog.ValueTrue, catalog.ValueFalse:
		if len(name) > 0 && len(name) <= MaxValue && len(f.attrs) < maxAttrs {
			f.attrs = append(f.attrs, rawAttr{name, v, rank})
		}
	}
}

// overlay returns in dst the fields as a store sees them: those of base, with
// what its overlay says instead.
func (s *session) overlay(dst, base *fields, store string) {
	attrs, texts := dst.attrs[:0], dst.texts[:0]
	*dst = *base
	dst.attrs, dst.texts = append(attrs, base.attrs...), append(texts, base.texts...)
	dst.own = overlaid{}
	pick := func(v *catalog.Value, own *bool) {
		if v.Type() != catalog.ValueObject {
			return
		}
		if t := catalog.Value(catalog.MemberValue(*v, store)); t.Type() == catalog.ValueString {
			*v, *own = t, true
		}
	}
	pick(&dst.name, &dst.own.name)
	pick(&dst.short, &dst.own.short)
	pick(&dst.long, &dst.own.long)
	pick(&dst.brand, &dst.own.brand)
	over := catalog.Value(catalog.MemberValue(base.stores, store))
	if over.Type() != catalog.ValueObject {
		return
	}
	o := &s.over
	o.reset()
	s.read(o, over, rankOverlay)
	for i := range o.attrs {
		o.attrs[i].rank = rankOverlay
	}
	put := func(v *catalog.Value, own *bool, from catalog.Value) {
		if from != nil {
			*v, *own = from, true
		}
	}
	var none bool
	put(&dst.name, &dst.own.name, o.name)
	put(&dst.short, &dst.own.short, o.short)
	put(&dst.long, &dst.own.long, o.long)
	put(&dst.brand, &dst.own.brand, o.brand)
	put(&dst.status, &none, o.status)
	put(&dst.visibility, &none, o.visibility)
	put(&dst.categories, &none, o.categories)
	put(&dst.created, &none, o.created)
	dst.attrs = append(dst.attrs, o.attrs...)
	if len(o.texts) > 0 {
		dst.texts = append(dst.texts[:0], o.texts...)
	}
}

// overlayStores sets in want the stores that a record has an overlay for.
func (s *session) overlayStores(f *fields, want []bool) {
	for code := range f.stores.Members() {
		if i := s.m.stores.index(string(code)); i >= 0 {
			want[i] = true
		}
	}
	for _, v := range [...]catalog.Value{f.name, f.short, f.long, f.brand} {
		if v.Type() != catalog.ValueObject {
			continue
		}
		for code := range v.Members() {
			if i := s.m.stores.index(string(code)); i >= 0 && !isBase(code) {
				want[i] = true
			}
		}
	}
}

// allowed sets in dst the stores whose website a record is in; nil: all.
func (s *session) allowed(websites catalog.Value) []bool {
	if t := websites.Type(); t != catalog.ValueArray && t != catalog.ValueString {
		return nil
	}
	list := s.m.stores.list
	ok := make([]bool, len(list))
	for i := range list {
		ok[i] = list[i].Website == ""
	}
	for w := range websites.Elements() {
		for i := range list {
			if w.Text() == list[i].Website {
				ok[i] = true
			}
		}
	}
	if !slices.Contains(ok, false) {
		return nil
	}
	return ok
}

func enabled(f *fields) bool { return f.status.Text() != "disabled" }

// visible returns whether a product is found by search and listed.
func visible(f *fields) (search, browse bool) {
	switch f.visibility.Text() {
	case "none":
		return false, false
	case "catalog":
		return false, true
	case "search":
		return true, false
	}
	return true, true
}

// VariantSKUs returns the SKUs of a product record's variants.
func VariantSKUs(body []byte) []string {
	var out []string
	for v := range catalog.Value(catalog.MemberValue(body, "variants")).Elements() {
		if sku := variantSKU(v); sku != "" && len(out) < maxUnits {
			out = append(out, sku)
		}
	}
	return out
}

func variantSKU(v catalog.Value) string {
	if v.Type() == catalog.ValueObject {
		v = catalog.MemberValue(v, "sku")
	}
	return strings.Clone(string(catalog.KeyText(v)))
}
