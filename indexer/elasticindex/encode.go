package elasticindex

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"catalog/indexer"
)

// item is an Elasticsearch document to be written.
type item struct {
	id    string
	extra bool  // id is not the SKU
	hash  int64 // of the body of an extra one
	body  []byte
}

// encoder makes Elasticsearch documents of a product's documents. It is not
// safe for concurrent use; what it returns is valid until its next use.
type encoder struct {
	scope func(indexer.Scope) (int, error)
	w     writer
	buf   []byte
	items []item
	ends  []int
	terms [indexer.NumClasses][]string
	stems [indexer.NumClasses][]string
	list  []string
	nums  []int64
}

// product returns the documents that stand for a product.
func (e *encoder) product(docs []*indexer.Document) ([]item, error) {
	e.items, e.ends, e.w.b = e.items[:0], e.ends[:0], e.w.b[:0]
	base := baseOf(docs)
	for _, d := range docs {
		if err := e.document(d, d == base); err != nil {
			return nil, err
		}
	}
	// Bodies are cut only now: the buffer moves while it grows.
	start := 0
	for i, end := range e.ends {
		it := &e.items[i]
		it.body = e.w.b[start:end:end]
		start = end
	}
	return e.items, nil
}

// baseOf returns the document that counts for its product's statistics.
func baseOf(docs []*indexer.Document) *indexer.Document {
	if len(docs) == 0 {
		return nil
	}
	return slices.MinFunc(docs, func(a, b *indexer.Document) int { return strings.Compare(a.View, b.View) })
}

func (e *encoder) document(d *indexer.Document, base bool) error {
	if len(d.Units) == 1 {
		return e.add(d, kindBoth, 0, base)
	}
	if err := e.add(d, kindProduct, -1, base); err != nil {
		return err
	}
	for i := range d.Units {
		if err := e.add(d, kindVariant, i, false); err != nil {
			return err
		}
	}
	return nil
}

// idOf returns the _id of a document, or of its variant.
func idOf(d *indexer.Document, variant string) string {
	if d.View == "" && variant == "" {
		return d.SKU
	}
	sum := sha256.Sum256([]byte(d.View + sep + variant))
	return d.SKU + sep + base64.RawURLEncoding.EncodeToString(sum[:15])
}

// add writes one Elasticsearch document: of kindProduct, or of the n-th unit.
func (e *encoder) add(d *indexer.Document, kind string, n int, base bool) error {
	w := &e.w
	start := len(w.b)
	w.b = append(w.b, '{')
	id := idOf(d, "")
	if kind == kindVariant {
		id = idOf(d, d.Units[n].SKU)
	}
	it := item{id: id, extra: id != d.SKU}
	w.text("k", kind)
	if it.extra {
		w.bool("x", true)
	}
	if kind != kindBoth {
		w.text("dk", docKey(d))
	}
	if base {
		w.texts("as", stats(d))
	}
	e.common(d, kind)
	units := d.Units
	if n >= 0 {
		units = d.Units[n : n+1]
	}
	e.sold(d, units)
	var err error
	if n >= 0 {
		w.text("usku", d.Units[n].SKU)
		err = e.unit(d, &d.Units[n], kind != kindVariant)
	} else {
		err = e.nested(d)
	}
	if err != nil {
		return err
	}
	content := *d
	content.Units = units
	e.buf = appendBinary(e.buf[:0], &content)
	w.binary("d", e.buf)
	if it.extra {
		h := fnv.New64a()
		h.Write(w.b[start:])
		it.hash = int64(h.Sum64())
		w.int("h", it.hash)
	}
	w.b = append(w.b, '}')
	e.items = append(e.items, it)
	e.ends = append(e.ends, len(w.b))
	return nil
}

// completed are the classes of the terms that Suggest completes words with.
var completed = [...]indexer.Class{indexer.ClassCategory, indexer.ClassName, indexer.ClassBrand, indexer.ClassAttribute}

// common writes what a product has whatever its units are.
func (e *encoder) common(d *indexer.Document, kind string) {
	w := &e.w
	w.text("sku", d.SKU)
	w.text("view", d.View)
	if d.Search {
		w.texts("ws", d.Stores)
	}
	if d.Browse {
		w.texts("wb", d.Stores)
	}
	e.categories(d)
	if d.Created != 0 {
		w.int("cr", d.Created)
	}
	if len(d.NameKey) > 0 {
		w.text("nk", nameKey(d.NameKey))
	}
	w.int("nw", int64(d.NameWords))
	w.int("sh", sampleKey(d.SKU))
	e.list = append(e.list[:0], indexer.Fold(d.SKU))
	for i := range d.Units {
		if f := indexer.Fold(d.Units[i].SKU); f != e.list[0] {
			e.list = append(e.list, f)
		}
	}
	w.texts("xf", e.list)
	for c := range e.terms {
		e.terms[c], e.stems[c] = e.terms[c][:0], e.stems[c][:0]
	}
	for i := range d.Words {
		word := &d.Words[i]
		e.terms[word.Class] = append(e.terms[word.Class], word.Term)
		e.stems[word.Class] = append(e.stems[word.Class], word.Stem)
	}
	for c := range e.terms {
		w.lines(termFields[c], e.terms[c])
		w.lines(stemFields[c], e.stems[c])
	}
	if kind == kindVariant {
		return // words are completed of products
	}
	e.list = e.list[:0]
	for _, c := range completed {
		e.list = append(e.list, e.terms[c]...)
	}
	w.texts("t", e.list)
}

var (
	termFields = [indexer.NumClasses]string{"t0", "t1", "t2", "t3", "t4", "t5"}
	stemFields = [indexer.NumClasses]string{"s0", "s1", "s2", "s3", "s4", "s5"}
)

// categories writes the memberships, and the positions as two lists of which
// each sorts like the other: the engine keeps a field's numbers in their order.
func (e *encoder) categories(d *indexer.Document) {
	e.list = e.list[:0]
	type place struct{ hash, position int64 }
	var places []place
	for i := range d.Categories {
		m := &d.Categories[i]
		e.list = append(e.list, m.ID)
		if m.Position != indexer.NoPosition {
			places = append(places, place{categoryHash(m.ID), int64(m.Position)})
		}
	}
	e.w.texts("c", e.list)
	slices.SortFunc(places, func(a, b place) int { return cmp.Compare(a.hash, b.hash) })
	e.nums = e.nums[:0]
	for _, p := range places {
		e.nums = append(e.nums, p.hash)
	}
	e.w.ints("ck", e.nums)
	for i, p := range places {
		e.nums[i] = int64(i)<<32 | (p.position + 1<<31)
	}
	e.w.ints("cv", e.nums)
}

// sold writes in which stores some of the units are eligible.
func (e *encoder) sold(d *indexer.Document, units []indexer.Unit) {
	for _, field := range [...]string{"es", "ei"} {
		e.list = e.list[:0]
		for _, store := range d.Stores {
			if slices.ContainsFunc(units, func(u indexer.Unit) bool {
				return (u.Stores == nil || slices.Contains(u.Stores, store)) && (field == "es" || u.Live.InStock)
			}) {
				e.list = append(e.list, store)
			}
		}
		e.w.texts(field, e.list)
	}
}

// unit writes the fields of a unit; suggested says whether its values are
// completed.
func (e *encoder) unit(d *indexer.Document, u *indexer.Unit, suggested bool) error {
	w := &e.w
	if u.Stores != nil {
		w.texts(fieldStores, u.Stores)
	} else {
		w.texts(fieldStores, d.Stores)
	}
	w.bool(fieldInStock, u.Live.InStock)
	e.list = append(e.list[:0], u.SKU)
	if u.SKU != d.SKU {
		e.list = append(e.list, d.SKU)
	}
	w.texts(fieldIDs, e.list)
	if !u.Live.Next.IsZero() {
		w.int(fieldNext, nextMillis(&u.Live))
	}
	e.nums = e.nums[:0]
	for i := range u.Live.Prices {
		p := &u.Live.Prices[i]
		n, err := e.scope(p.Scope)
		if err != nil {
			return err
		}
		e.nums = append(e.nums, packPrice(n, p.Amount))
	}
	w.ints(fieldPrices, e.nums)
	e.values(d, u, suggested)
	return nil
}

// values writes the attributes that a unit has, its product's included.
func (e *encoder) values(d *indexer.Document, u *indexer.Unit, suggested bool) {
	var parts [partitions]struct{ values, numbers []string }
	var names, words []string
	each(d, u, func(name string, values []indexer.Value) {
		if len(values) == 0 {
			return
		}
		p := &parts[partition(name)]
		names = append(names, name)
		name = escape(name)
		for i := range values {
			v := &values[i]
			p.values = append(p.values, name+sep+v.Text)
			switch v.Type {
			case indexer.Number:
				p.numbers = append(p.numbers, numberKey(name, typeNumber, v.Num))
			case indexer.Date:
				p.numbers = append(p.numbers, numberKey(name, typeDate, v.Num))
			default:
				if !suggested {
					continue
				}
				for _, word := range strings.Fields(indexer.Fold(v.Text)) {
					words = append(words, escape(word)+sep+name+sep+v.Text)
				}
			}
		}
	})
	e.w.lines(fieldNames, names)
	for i := range parts {
		e.w.texts("kv"+digit(i), parts[i].values)
		e.w.texts("nu"+digit(i), parts[i].numbers)
	}
	e.w.texts(fieldSuggest, words)
}

const (
	typeNumber = "n"
	typeDate   = "d"
)

// numberKey is the term of a number; name is escaped.
func numberKey(name, typ string, f float64) string {
	return string(sortable([]byte(name+sep+typ), f))
}

// each calls f for the attributes that a unit has, by name.
func each(d *indexer.Document, u *indexer.Unit, f func(name string, values []indexer.Value)) {
	own, rest := u.Attrs, d.Attrs
	for len(own) > 0 || len(rest) > 0 {
		switch {
		case len(rest) == 0 || len(own) > 0 && own[0].Name <= rest[0].Name:
			if len(rest) > 0 && own[0].Name == rest[0].Name {
				rest = rest[1:]
			}
			f(own[0].Name, own[0].Values)
			own = own[1:]
		default:
			f(rest[0].Name, rest[0].Values)
			rest = rest[1:]
		}
	}
}

// nested writes a product with several units: each as a nested document, and
// beside them what sorting needs, because that cannot look into these.
func (e *encoder) nested(d *indexer.Document) error {
	w := &e.w
	if len(d.Units) > 0 {
		w.name("u")
		w.b = append(w.b, '[')
		for i := range d.Units {
			if i > 0 {
				w.b = append(w.b, ',')
			}
			w.b = append(w.b, '{')
			if err := e.unit(d, &d.Units[i], true); err != nil {
				return err
			}
			w.b = append(w.b, '}')
		}
		w.b = append(w.b, ']')
	}
	return e.columns(d)
}

// maxEntries is how many prices of one product it can be sorted by.
const maxEntries = 1 << 16

func (e *encoder) columns(d *indexer.Document) error {
	var keys, amounts, out []int64
	var unsold []string
	type number struct {
		name string
		num  float64
	}
	have := map[number][]int{}
	var order []number
	for i := range d.Units {
		u := &d.Units[i]
		first := len(keys)
		for j := range u.Live.Prices {
			p := &u.Live.Prices[j]
			n, err := e.scope(p.Scope)
			if err != nil {
				return err
			}
			keys = append(keys, int64(i)<<16|int64(n))
			amounts = append(amounts, packPrice(0, p.Amount)-scopeBase(0))
		}
		sortPairs(keys[first:], amounts[first:])
		if !u.Live.InStock {
			out = append(out, int64(i))
		}
		if u.Stores != nil {
			for _, s := range d.Stores {
				if !slices.Contains(u.Stores, s) {
					unsold = append(unsold, s+sep+strconv.Itoa(i))
				}
			}
		}
		each(d, u, func(name string, values []indexer.Value) {
			for _, v := range values {
				if v.Type == indexer.Text {
					continue
				}
				k := number{name, v.Num}
				l, ok := have[k]
				if !ok {
					order = append(order, k)
				}
				if !ok || l[len(l)-1] != i {
					have[k] = append(l, i)
				}
			}
		})
	}
	keys, amounts = keys[:min(len(keys), maxEntries)], amounts[:min(len(amounts), maxEntries)]
	for i := range amounts { // the rank in front keeps both lists in the same order
		amounts[i] += scopeBase(i)
	}
	var numbers []string
	for _, k := range order {
		key := numberKey(escape(k.name), "", k.num)
		if units := have[k]; len(units) < len(d.Units) {
			for _, u := range units {
				numbers = append(numbers, key+sep+strconv.Itoa(u))
			}
			continue
		}
		numbers = append(numbers, key)
	}
	e.w.ints("mk", keys)
	e.w.ints("mv", amounts)
	e.w.ints("mo", out)
	e.w.texts("mx", unsold)
	e.w.texts("mn", numbers)
	return nil
}

// sortPairs sorts two lists by the first, which is short and nearly sorted.
func sortPairs(a, b []int64) {
	for i := range a {
		for j := i; j > 0 && a[j] < a[j-1]; j-- {
			a[j], a[j-1] = a[j-1], a[j]
			b[j], b[j-1] = b[j-1], b[j]
		}
	}
}

// stats returns what a product counts for in the statistics of attributes: its
// names, each with what all its values are.
func stats(d *indexer.Document) []string {
	const text, number, date = 4, 1, 2
	kinds := map[string]int{}
	var names []string
	add := func(attrs []indexer.Attr) {
		for i := range attrs {
			name := attrs[i].Name
			if _, ok := kinds[name]; !ok {
				names = append(names, name)
				kinds[name] = 0
			}
			for j := range attrs[i].Values {
				switch attrs[i].Values[j].Type {
				case indexer.Number:
					kinds[name] |= number
				case indexer.Date:
					kinds[name] |= date
				default:
					kinds[name] |= text
				}
			}
		}
	}
	add(d.Attrs)
	for i := range d.Units {
		add(d.Units[i].Attrs)
	}
	for i, name := range names {
		kind := "t"
		switch kinds[name] {
		case 0:
			kind = "e"
		case number:
			kind = "n"
		case date:
			kind = "d"
		}
		names[i] = escape(name) + sep + kind
	}
	return names
}
