package placeholder

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"catalog/catalog"
)

// Records are what the catalog has of one SKU.
type Records struct {
	SKU string
	// Document is the product's own document, or that of the parent whose
	// variant it is; nil when the catalog has neither.
	Document catalog.Value
	Variant  catalog.Value // the element of Document's variants; nil of a document of its own
	Parent   string        // the parent's SKU, with Variant
	Price    catalog.Value // the price record, or nil
	Stock    catalog.Value // the stock record, or nil
}

// Rules are what the operator decides about placeholders. The zero value works.
type Rules struct {
	// ManageStock lets the shop count quantities. By default the catalog alone
	// knows them, and the shop's stock is not managed.
	ManageStock bool
	// TaxClasses says which class of the shop a tax_class of the catalog is,
	// where the names differ: by name, or by id.
	TaxClasses map[string]string
}

// Made is what Make decided about a SKU.
type Made struct {
	// Product is what the shop should have: Retired unless Status is empty or
	// Reason is ReasonSoldOut.
	Product Product
	Status  Status // "" when it can be ensured; else Unknown, Disabled or Refused
	Reason  Reason
	Detail  string
}

// Make computes the placeholder of a SKU, or why there is none. It depends on
// its arguments alone, so that the same records always have the same Hash;
// special prices that begin or end at a time of day are why now is one.
func Make(info *Info, rules Rules, rec Records, now time.Time) Made {
	m := maker{info: info, rules: rules, rec: rec, now: now}
	made := m.make()
	made.Product.SKU, made.Product.Parent = rec.SKU, rec.Parent
	if made.Status != "" && made.Reason != ReasonSoldOut {
		made.Product = Retired(rec.SKU)
		made.Product.Parent = rec.Parent
		return made
	}
	made.Product.Hash = digest(&made.Product)
	return made
}

// Retired returns the Product of what must not be sold any more.
func Retired(sku string) Product {
	p := Product{SKU: sku, Retired: true}
	p.Hash = digest(&p)
	return p
}

// maker is the work of one Make.
type maker struct {
	info  *Info
	rules Rules
	rec   Records
	now   time.Time

	f fields
	p Product
}

func refused(r Reason, format string, args ...any) Made {
	return Made{Status: Refused, Reason: r, Detail: fmt.Sprintf(format, args...)}
}

func (m *maker) make() Made {
	if r, detail := CheckSKU(m.info, m.rec.SKU); r != "" {
		return Made{Status: Refused, Reason: r, Detail: detail}
	}
	if m.rec.Document == nil {
		return Made{Status: Unknown}
	}
	m.f.read(m.rec)
	if m.f.disabled {
		return Made{Status: Disabled}
	}
	switch {
	case m.f.kind == "configurable" || m.f.kind == "" && m.f.parent:
		return refused(ReasonParent, "one of its variants must be chosen")
	case m.f.kind == "", m.f.kind == "simple":
		m.p.Type = "simple"
	case m.f.kind == "virtual":
		m.p.Type = "virtual"
	default:
		return refused(ReasonType, "its type is %.40q; simple and virtual products can be placeholders", m.f.kind)
	}
	sites := m.sites()
	if len(sites) == 0 {
		return refused(ReasonWebsite, "none of its websites is one of the shop's")
	}
	if made := m.prices(sites); made.Status != "" {
		return made
	}
	if made := m.taxClass(); made.Status != "" {
		return made
	}
	m.names()
	m.set("status", 0, "1")
	m.set("visibility", 0, "1")
	if m.p.Type == "simple" {
		m.decimal("weight", m.f.weight)
	}
	m.decimal("cost", m.f.cost)
	m.ruleAttributes()
	m.ruleCategories()
	slices.SortFunc(m.p.Values, compareValues)
	m.p.Stock = stockOf(m.rec.Stock, m.rules.ManageStock)
	if !m.p.Stock.InStock {
		return Made{Product: m.p, Status: Refused, Reason: ReasonSoldOut, Detail: "it is sold out"}
	}
	return Made{Product: m.p}
}

// CheckSKU says why the shop's column cannot hold a SKU; "" if it can.
func CheckSKU(info *Info, sku string) (Reason, string) {
	if n := utf8.RuneCountInString(sku); n > info.SKUChars {
		return ReasonLong, fmt.Sprintf("the SKU has %d characters, the shop takes %d", n, info.SKUChars)
	}
	if !utf8.ValidString(sku) || !info.SKU4Byte && hasAstral(sku) {
		return ReasonCharset, "the shop's database cannot hold all characters of the SKU"
	}
	return "", ""
}

// hasAstral reports whether s has characters that utf8mb3 cannot hold.
func hasAstral(s string) bool {
	for i := range len(s) {
		if s[i] >= 0xf0 {
			return true
		}
	}
	return false
}

func compareValues(a, b Value) int {
	if c := strings.Compare(a.Attribute, b.Attribute); c != 0 {
		return c
	}
	return a.Store - b.Store
}

// set adds a value if the shop has the attribute.
func (m *maker) set(attribute string, store int, text string) {
	if _, ok := m.info.Attributes[attribute]; ok {
		m.p.Values = append(m.p.Values, Value{attribute, store, text})
	}
}

// decimal adds a value to the default store if text is a decimal.
func (m *maker) decimal(attribute, text string) {
	a, ok := m.info.Attributes[attribute]
	if !ok || text == "" {
		return
	}
	if v := fixed(text, a.Scale); v != "" {
		m.p.Values = append(m.p.Values, Value{attribute, 0, v})
	}
}

// sites returns the websites that may sell the product.
func (m *maker) sites() []*Website {
	var sites []*Website
	for i := range m.info.Websites {
		w := &m.info.Websites[i]
		if m.f.websites == nil || slices.Contains(m.f.websites, w.Code) {
			sites = append(sites, w)
		}
	}
	return sites
}

// taxClass adds the tax class: by the operator's table, by name, or by id.
func (m *maker) taxClass() Made {
	name := m.f.taxClass
	if mapped, ok := m.rules.TaxClasses[name]; ok {
		name = mapped
	}
	id := -1
	switch strings.ToLower(name) {
	case "", "standard", "default":
		id = m.info.DefaultTax
	case "none", "0":
		id = 0
	}
	for _, c := range m.info.TaxClasses {
		if strings.EqualFold(c.Name, name) {
			id = c.ID
			break
		}
		if id < 0 && strconv.Itoa(c.ID) == name {
			id = c.ID
		}
	}
	if id < 0 {
		return refused(ReasonTaxClass, "the shop has no tax class %.60q: map it in the settings", name)
	}
	m.set("tax_class_id", 0, strconv.Itoa(id))
	return Made{}
}

// names adds the name, and those of stores that have another.
func (m *maker) names() {
	a := m.info.Attributes["name"]
	name := m.clean(m.f.defaultName(m.info), a)
	if name == "" {
		name = m.clean(m.rec.SKU, a)
	}
	m.set("name", 0, name)
	for _, w := range m.info.Websites {
		if !slices.Contains(m.p.Websites, w.ID) {
			continue
		}
		for _, s := range w.Stores {
			if n := m.clean(m.f.storeName(s.Code), a); n != "" && n != name {
				m.set("name", s.ID, n)
			}
		}
	}
}

// clean makes text fit for its column: no control characters, none that the
// column's character set has not, no longer than it.
func (m *maker) clean(text string, a Attribute) string {
	return fit(text, a.Chars, m.info.Text4Byte)
}

func fit(text string, chars int, astral bool) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.TrimSpace(text) {
		switch {
		case r < ' ' || r == 0x7f:
			r = ' '
		case r > 0xffff && !astral, r == utf8.RuneError:
			continue
		}
		if chars > 0 && n == chars {
			break
		}
		b.WriteRune(r)
		n++
	}
	return strings.TrimSpace(b.String())
}
