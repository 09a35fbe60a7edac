package inspect

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"catalog/catalog"
	"catalog/importer/internal/mapping"
)

// suggestion writes a mapping file for what was collected.
type suggestion struct {
	c          *collector
	candidates []Candidate
	sku        *field
	lines      []line
}

// line is one entry of the mapping file.
type line struct {
	key    string
	value  string
	source *field // shown in the comment; nil: none
	note   string // after it
	nested []line
}

// noSuggestion is the note when what was written is no mapping file: a fault of
// this package, which the fuzz test looks for.
const noSuggestion = "No mapping can be suggested."

// text returns the file, checked by mapping the sample with it, and a note.
func (s *suggestion) text() (file, note string) {
	if s.c.records == 0 {
		return "", "There is no readable record."
	}
	own := s.c.root.children["sku"]
	ours := own != nil && own.filled*2 > s.c.records
	switch {
	case ours:
		s.sku = own
	case len(s.candidates) > 0:
		s.sku = s.c.find(s.candidates[0].Path)
	default:
		return "", "No field looks like a key: none is in all records and different in each."
	}
	asIs := ours && s.fits(nil)
	s.choose(asIs)
	if asIs && len(s.lines) == 1 {
		return "", "The records are in our own shape: no mapping is needed."
	}
	note = "Save the mapping to a file, change what you like, and import with --map FILE."
	if asIs {
		note = "The records have a sku: they can be imported as they are, or with the mapping, which takes more fields for what they are."
	}
	for range len(s.lines) + 1 {
		file = s.write(ours)
		key, ok := s.try(file)
		if !ok {
			return "", noSuggestion
		}
		if key == "" || key == "sku" {
			break
		}
		// What some record cannot be mapped by is better left to the rest.
		s.lines = slices.DeleteFunc(s.lines, func(l line) bool { return l.key == key })
	}
	return file, note
}

// fits reports whether the sample can be imported, mapped by m if there is one.
func (s *suggestion) fits(m *mapping.Mapping) bool {
	return s.fault(m) == nil
}

// fault returns the first fault that the sample has by the rules of products,
// but for a missing key, which is the record's and not the mapping's.
func (s *suggestion) fault(m *mapping.Mapping) *catalog.InvalidError {
	var p *mapping.Mapper
	if m != nil {
		p = m.NewMapper()
	}
	var parser catalog.Parser
	for _, doc := range s.c.sample.docs {
		var err error
		if p != nil {
			doc, err = p.Map(doc)
		}
		if err == nil {
			var parsed catalog.Parsed
			parser.Reset(nil)
			err = parser.Parse(catalog.KindProduct, doc, &parsed)
		}
		var inv *catalog.InvalidError
		if errors.As(err, &inv) && inv.Reason != catalog.ReasonNoKey {
			return inv
		}
	}
	return nil
}

// find returns the field at a path.
func (c *collector) find(path string) *field {
	var found *field
	c.root.all(func(f *field) bool {
		if f.path == path {
			found = f
		}
		return found == nil
	})
	return found
}

// try maps the sample by the file, and returns the key of the line that is to
// blame for a fault, if one is; not ok when the file itself is wrong.
func (s *suggestion) try(file string) (key string, ok bool) {
	m, err := mapping.Parse([]byte(file))
	if err != nil {
		return "", false
	}
	fault := s.fault(m)
	if fault == nil {
		return "", true
	}
	for _, l := range s.lines {
		if l.blamed(fault.Path) {
			return l.key, true
		}
	}
	return "", true
}

func (l *line) blamed(path string) bool {
	if l.source != nil && l.source.path == path || l.key == path || strings.HasPrefix(path, l.key+".") || strings.HasPrefix(path, l.key+"[") {
		return true
	}
	return slices.ContainsFunc(l.nested, func(n line) bool { return n.blamed(path) })
}

// choose picks the fields of ours that the feed has. What is ours by its name
// and right as it is needs no line.
func (s *suggestion) choose(asIs bool) {
	defer func() {
		s.lines = slices.DeleteFunc(s.lines, func(l line) bool { return asIs && l.key != "sku" && l.source != nil && l.source.path == l.key })
	}()
	s.add("sku", s.sku, "")
	text := func(f *field) bool { return f.is(typeString) }
	scalar := func(f *field) bool { return f.is(typeString, typeInteger, typeNumber) }
	if name := s.pick(text, 0.5, "name", "title", "productname", "producttitle", "itemname", "articlename", "displayname", "bezeichnung"); name != nil {
		s.add("name", name, "")
	}
	if brand := s.pick(text, 0.3, "brand", "manufacturer", "brandname", "manufacturername", "vendor", "maker", "hersteller", "marke"); brand != nil {
		s.add("brand", brand, "")
	}
	s.categories()
	for _, r := range []struct {
		key   string
		names []string
	}{
		{"description", []string{"description", "longdescription", "productdescription", "bodyhtml", "descriptionhtml", "beschreibung"}},
		{"short_description", []string{"shortdescription", "summary", "teaser", "kurzbeschreibung"}},
		{"url_key", []string{"urlkey", "slug", "handle"}},
	} {
		if f := s.pick(text, 0.1, r.names...); f != nil {
			s.add(r.key, f, "")
		}
	}
	s.images()
	if asIs {
		return // price and stock are read as they are
	}
	s.price(scalar)
	s.stock(scalar)
}

// pick returns the field with one of the names, the earlier the better, that
// is the least nested, in at least a share of the records, and fits.
func (s *suggestion) pick(fits func(*field) bool, share float64, names ...string) *field {
	var best *field
	bestAt := 0
	s.c.root.all(func(f *field) bool {
		at := slices.Index(names, bare(f.name))
		if at < 0 || f.nameless || f.many || f.depth > 2 || f == s.sku || !fits(f) || float64(f.filled) < share*float64(s.c.records) {
			return true
		}
		if rank := at + 4*f.depth; best == nil || rank < bestAt || rank == bestAt && f.filled > best.filled {
			best, bestAt = f, rank
		}
		return true
	})
	return best
}

func (s *suggestion) add(key string, f *field, note string) {
	s.lines = append(s.lines, line{key: key, value: scalarText(f.path), source: f, note: note})
}

// listOf returns what a text or an array of texts holds.
func listOf(f *field) *field {
	if f.elem != nil {
		return f.elem
	}
	return f
}

func isList(f *field) bool {
	return f.is(typeString) || f.is(typeArray) && (f.elem == nil || f.elem.is(typeString))
}

// categories tells from the texts how their levels are separated.
func (s *suggestion) categories() {
	f := s.pick(isList, 0.3, "categories", "category", "categorypath", "producttype", "categoryname", "breadcrumb", "breadcrumbs", "googleproductcategory", "productcategory", "kategorie", "warengruppe")
	if f == nil {
		return
	}
	of := listOf(f)
	l := line{key: "categories", source: f}
	nested := func(key, value, note string) { l.nested = append(l.nested, line{key: key, value: value, note: note}) }
	nested("path", scalarText(f.path), "")
	switch {
	case of.with[0] > 0:
		if of.with[1] > 0 {
			nested("split", `"|"`, "separates several categories")
		}
		nested("levels", `">"`, "separates the levels of one")
	case of.with[1] > 0:
		nested("levels", `"|"`, `separates the levels; if it separates several categories, say split: "|"`)
	case of.with[2] > 0:
		// As in our records.
		l.value, l.nested, l.note = scalarText(f.path), nil, `a slash separates levels; if it does not, use {path: …, levels: ""}`
	default:
		nested("levels", `""`, "each text is one level")
	}
	s.lines = append(s.lines, l)
}

func (s *suggestion) images() {
	f := s.pick(isList, 0.1, "images", "image", "imagelink", "imageurl", "imageurls", "picture", "pictures", "media", "thumbnail", "imagesrc")
	if f == nil {
		return
	}
	if more := s.pick(isList, 0, "additionalimagelink", "additionalimagelinks", "additionalimages", "gallery"); more != nil {
		s.lines = append(s.lines, line{key: "images", value: fmt.Sprintf(`{all: [%s, %s], split: ","}`, scalarText(f.path), scalarText(more.path)), source: f})
		return
	}
	s.add("images", f, "")
}

// price maps amounts, and the currency if there is one.
func (s *suggestion) price(fits func(*field) bool) {
	f := s.pick(fits, 0.2, "price", "listprice", "regularprice", "baseprice", "unitprice", "priceamount", "amount", "preis", "variantprice")
	if f == nil {
		return
	}
	l := line{key: "price"}
	add := func(key, value string, f *field) {
		l.nested = append(l.nested, line{key: key, value: value, source: f})
	}
	special := s.pick(fits, 0, "saleprice", "specialprice", "discountprice", "offerprice", "angebotspreis")
	comma := f.comma > 0 || special != nil && special.comma > 0
	add("price", amount(f, comma), f)
	if special != nil {
		add("special_price", amount(special, comma), special)
	}
	if currency := s.pick(func(f *field) bool { return f.is(typeString) && f.longest == 5 }, 0.2, "currency", "currencycode", "pricecurrency", "waehrung"); currency != nil {
		add("currency", scalarText(currency.path), currency)
	} else if f.letters > 0 {
		add("currency", "{path: "+scalarText(f.path)+", type: currency}", nil)
	}
	s.lines = append(s.lines, l)
}

// amount returns the source of an amount. Where some have a decimal comma, a
// dot before three digits is none.
func amount(f *field, comma bool) string {
	if comma {
		return "{path: " + scalarText(f.path) + `, decimal: ","}`
	}
	return scalarText(f.path)
}

// stock maps a quantity and an availability. What is called quantity may be
// another one, unless nearly all records have it.
func (s *suggestion) stock(fits func(*field) bool) {
	qty := s.pick(fits, 0.8, "qty", "quantity")
	if qty == nil {
		qty = s.pick(fits, 0.2, "stock", "stockqty", "stockquantity", "inventory", "inventoryquantity", "availablequantity", "stocklevel", "bestand", "variantinventoryqty")
	}
	in := s.pick(func(f *field) bool { return f.is(typeString) || f.is(typeBoolean) || f.is(typeInteger) }, 0.5,
		"availability", "instock", "isinstock", "available", "stockstatus")
	l := line{key: "stock"}
	if qty != nil {
		l.nested = append(l.nested, line{key: "qty", value: scalarText(qty.path), source: qty})
	}
	if in != nil {
		l.nested = append(l.nested, line{key: "in_stock", value: scalarText(in.path), source: in})
	}
	if len(l.nested) > 0 {
		s.lines = append(s.lines, l)
	}
}

// write returns the file.
func (s *suggestion) write(ours bool) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# A mapping suggested by `catalog inspect`, from %d records. Change what you like.\n", s.c.records)
	for _, l := range s.lines {
		l.write(&b, "", s.c.records)
	}
	if others := s.others(); others != "" {
		b.WriteString("# Other fields that could be the sku: " + others + "\n")
	}
	b.WriteString("\n# Everything else. keep: stays as it is; attributes: becomes facets, the names of\n# nested objects joined by _; drop: is forgotten.\n")
	if ours {
		b.WriteString("rest: keep\n")
		return b.String()
	}
	b.WriteString("rest:\n  to: attributes\n")
	writePaths(&b, "strip", "left out of the joined names", s.containers())
	writePaths(&b, "drop", "ids of list entries", s.innerIDs())
	return b.String()
}

func (s *suggestion) others() string {
	var paths []string
	for _, c := range s.candidates {
		if c.Path != s.sku.path {
			paths = append(paths, strings.Join(strings.Fields(c.Path), " "))
		}
	}
	return strings.Join(paths, ", ")
}

func (l *line) write(b *bytes.Buffer, indent string, records int64) {
	text := indent + l.key + ":"
	if l.value != "" {
		text += " " + l.value
	}
	var notes []string
	if l.source != nil && (l.value != "" || len(l.nested) > 0) {
		notes = append(notes, percent(l.source.filled, records))
		if of := listOf(l.source); len(of.examples) > 0 {
			notes = append(notes, strconv.Quote(of.examples[0]))
		}
	}
	if l.note != "" {
		notes = append(notes, l.note)
	}
	if len(notes) > 0 {
		text = fmt.Sprintf("%-40s # %s", text, strings.Join(notes, ", "))
	}
	b.WriteString(text + "\n")
	for _, n := range l.nested {
		n.write(b, indent+"  ", records)
	}
}

func writePaths(b *bytes.Buffer, key, note string, paths []string) {
	if len(paths) == 0 {
		return
	}
	fmt.Fprintf(b, "  %s:%s# %s\n", key, strings.Repeat(" ", max(1, 37-len(key))), note)
	for _, p := range paths {
		b.WriteString("    - " + scalarText(p) + "\n")
	}
}

// containers returns the objects whose name says nothing.
func (s *suggestion) containers() []string {
	var paths []string
	for _, f := range s.c.root.order {
		if len(f.children) == 0 || f.nameless {
			continue
		}
		switch n := bare(f.name); {
		case strings.HasPrefix(n, "meta"), strings.HasPrefix(n, "general"), strings.HasPrefix(n, "spec"), strings.HasPrefix(n, "detail"),
			strings.HasPrefix(n, "propert"), n == "data", n == "info", n == "product", n == "fields", n == "customattributes":
			paths = append(paths, f.path)
		}
	}
	return paths
}

// innerIDs returns the ids that databases give to the elements of arrays.
func (s *suggestion) innerIDs() []string {
	var paths []string
	s.c.root.all(func(f *field) bool {
		if f.many && f.name == "_id" && !f.nameless {
			paths = append(paths, f.path)
		}
		return true
	})
	return paths
}

// scalarText returns a path as YAML takes it, also inside brackets.
func scalarText(s string) string {
	plain := s != "" && (s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z') && !slices.Contains([]string{"true", "false", "null", "y", "n", "yes", "no", "on", "off"}, strings.ToLower(s))
	for i := 0; i < len(s) && plain; i++ {
		c := s[i]
		plain = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '-'
	}
	if plain {
		return s
	}
	return quoted(s)
}

// quoted returns s in double quotes, which YAML reads as JSON does.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f || r == 0x85 || r == 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func percent(n, of int64) string {
	if of == 0 {
		return "0 %"
	}
	p := 100 * float64(n) / float64(of)
	switch {
	case n == of:
		return "100 %"
	case p > 0 && p < 0.1:
		return "<0.1 %"
	case p < 10 || p > 99:
		return strconv.FormatFloat(min(p, 99.9), 'f', 1, 64) + " %"
	}
	return strconv.FormatFloat(p, 'f', 0, 64) + " %"
}
