package indexer

import (
	"slices"
	"strings"
	"time"

	"catalog/catalog"
)

// units finds what can be sold of a product: its enabled variants, or itself.
func (s *session) units(src Source, now time.Time) {
	s.variants = s.variants[:0]
	get := src.Get
	if get == nil {
		get = func(catalog.Kind, string) []byte { return nil }
	}
	price, stock := get(catalog.KindPrice, src.SKU), get(catalog.KindStock, src.SKU)
	count := 0
	for v := range s.base.variants.Elements() {
		count++
		if count > maxUnits {
			break
		}
		s.unit(v, get, price, stock, now)
	}
	if count == 0 {
		if s.base.kind.Text() == "configurable" {
			return
		}
		s.variants = append(s.variants, variant{sku: src.SKU, live: s.pricer.live(s.m.stores, price, stock, now)})
		return
	}
	slices.SortStableFunc(s.variants, func(a, b variant) int { return strings.Compare(a.sku, b.sku) })
	s.variants = slices.CompactFunc(s.variants, func(a, b variant) bool { return a.sku == b.sku })
}

// unit adds a variant, unless it is disabled or there is nothing behind its
// SKU.
func (s *session) unit(e catalog.Value, get func(catalog.Kind, string) []byte, price, stock []byte, now time.Time) {
	v := variant{sku: variantSKU(e)}
	if v.sku == "" {
		return
	}
	v.own = get(catalog.KindProduct, v.sku)
	if e.Type() == catalog.ValueObject {
		v.embedded = e
	}
	if v.own == nil && v.embedded == nil {
		return
	}
	var websites catalog.Value
	for _, body := range [...]catalog.Value{v.own, v.embedded} {
		for key, m := range body.Members() {
			switch string(key) {
			case "status":
				if m.Text() == "disabled" {
					return
				}
			case "websites":
				websites = m
			}
		}
	}
	v.ok = s.allowed(websites)
	if own := get(catalog.KindPrice, v.sku); own != nil {
		price = own
	}
	if own := get(catalog.KindStock, v.sku); own != nil {
		stock = own
	}
	v.live = s.pricer.live(s.m.stores, price, stock, now)
	s.variants = append(s.variants, v)
}

// variantOverlays sets in want the stores for which a variant differs.
func (s *session) variantOverlays(v *variant, want []bool) {
	for _, body := range [...]catalog.Value{v.own, v.embedded} {
		for code := range catalog.Value(catalog.MemberValue(body, "stores")).Members() {
			if i := s.m.stores.index(string(code)); i >= 0 {
				want[i] = true
			}
		}
	}
}

// variantAttrs puts the attributes of a variant: those of its place in its
// product, and those of its own record that are not there.
func (s *session) variantAttrs(v *variant, store string, main, own *lang) {
	f := &s.vfields
	for i, body := range [...]catalog.Value{v.embedded, v.own} {
		if body == nil {
			continue
		}
		behind := uint8(i) * rankBelow // of the record: behind what the product says
		f.reset()
		s.read(f, body, rankAttr)
		if store != "" {
			if over := catalog.Value(catalog.MemberValue(f.stores, store)); over.Type() == catalog.ValueObject {
				n := len(f.attrs)
				s.read(f, over, rankOverlay)
				for j := n; j < len(f.attrs); j++ {
					f.attrs[j].rank = rankOverlay
				}
			}
		}
		for j := range f.attrs {
			if f.attrs[j].rank != rankOverlay {
				f.attrs[j].rank += behind
			}
		}
		b := f.brand
		if b.Type() == catalog.ValueString {
			s.put(main, "brand", b, rankAttr+behind, ClassBrand)
		}
		s.putAll(f.attrs, main, own)
	}
}
