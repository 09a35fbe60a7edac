package indexer

import (
	"cmp"
	"slices"
	"strings"

	"catalog/catalog"
	"catalog/indexer/analysis"
)

// attrValue is a value of an attribute on its way into a document.
type attrValue struct {
	name string
	rank uint8
	*known
}

// value returns what is known of a value in a language; nil of an empty one.
func (s *session) value(l *lang, v catalog.Value) *known {
	if len(v) > MaxValue {
		return s.analyse(l, v)
	}
	k, hash, ok := l.values.Get(v)
	if !ok {
		k = s.analyse(l, v)
		l.values.Put(hash, k)
	}
	return k
}

// maxIdentifier is how many digits a text of digits has at most to be taken
// for a number: longer ones are codes, of which ranges make no sense.
const maxIdentifier = 7

func (s *session) analyse(l *lang, v catalog.Value) *known {
	k := &known{}
	switch v.Type() {
	case catalog.ValueTrue, catalog.ValueFalse:
		k.Text = v.Text()
		return k
	case catalog.ValueNumber:
		if k.Text, k.Num, k.Type = numberValue(v); k.Text == "" {
			return nil
		}
		k.words = l.Append(nil, []byte(k.Text))
		return k
	case catalog.ValueString:
	default:
		return nil
	}
	text := v[:min(len(v), maxText)].AppendText(nil)
	k.words = l.Append(nil, text)
	if len(text) > MaxValue || len(v) > maxText {
		k.long = true
		k.words = distinct(k.words)
		return k
	}
	k.Text = strings.TrimSpace(string(text))
	if k.Text == "" {
		return nil
	}
	switch {
	case isNumber([]byte(k.Text)):
		if digits := strings.TrimLeft(k.Text, "-"); len(digits) <= maxIdentifier || strings.Contains(digits, ".") {
			_, k.Num, k.Type = numberValue([]byte(k.Text))
		}
	default:
		if t, _, ok := ParseDate(k.Text); ok {
			k.Num, k.Type = float64(t.Unix()), Date
		}
	}
	return k
}

func numberValue(text []byte) (string, float64, ValueType) {
	t, f, ok := canonicalNumber(text)
	if !ok {
		if len(text) > MaxValue {
			return "", 0, Text
		}
		return string(text), 0, Text
	}
	return t, f, Number
}

// distinct returns the words without repetitions: long texts have many.
func distinct(words []*analysis.Word) []*analysis.Word {
	seen := make(map[*analysis.Word]bool, len(words))
	return slices.DeleteFunc(words, func(w *analysis.Word) bool {
		old := seen[w]
		seen[w] = true
		return old
	})
}

// attributes adds the attributes and units of a product.
func (s *session) attributes(d *Document, f *fields, brand, main, own *lang) {
	s.attrs = s.attrs[:0]
	b := f.brand
	if b.Type() == catalog.ValueObject {
		b = baseOf(b)
	}
	if b.Type() == catalog.ValueString || b.Type() == catalog.ValueNumber {
		s.put(brand, "brand", b, 0, ClassBrand)
	}
	s.putAll(f.attrs, main, own)
	d.Attrs = s.collect()

	d.Units = s.out.units.take(len(s.variants))
	for i := range s.variants {
		v := &s.variants[i]
		u := Unit{SKU: v.sku, Live: v.live}
		if v.own != nil || v.embedded != nil {
			s.attrs = s.attrs[:0]
			s.variantAttrs(v, d.View, main, own)
			s.number(main, v.sku)
			u.Attrs = s.collect()
			u.Attrs = slices.DeleteFunc(u.Attrs, func(a Attr) bool {
				return slices.ContainsFunc(d.Attrs, func(b Attr) bool { return a.Name == b.Name && slices.Equal(a.Values, b.Values) })
			})
			if len(u.Attrs) == 0 {
				u.Attrs = nil
			}
		}
		d.Units = append(d.Units, u)
	}
}

func (s *session) putAll(attrs []rawAttr, main, own *lang) {
	for i := range attrs {
		a := &attrs[i]
		l := main
		if a.rank == rankOverlay {
			l = own
		}
		s.put(l, a.name, a.val, a.rank, ClassAttribute)
	}
}

// put adds a value, and its words unless its attribute is not searched.
func (s *session) put(l *lang, name string, v catalog.Value, rank uint8, c Class) {
	k := s.value(l, v)
	if k == nil {
		return
	}
	if !s.m.silent[name] {
		if k.long {
			c = ClassDescription
		}
		for _, w := range k.words {
			s.addWord(w, c)
		}
		if k.Text == "true" && len(v) == 4 {
			// What a product has is found by the name of the flag.
			s.text = append(s.text[:0], name...)
			s.add(l, s.text, ClassDescription)
		}
	}
	if !k.long {
		s.attrs = append(s.attrs, attrValue{name, rank, k})
	}
}

// collect returns the attributes that were put, by name, of each the values of
// the lowest rank, by text.
func (s *session) collect() []Attr {
	if len(s.attrs) == 0 {
		return nil
	}
	slices.SortStableFunc(s.attrs, func(a, b attrValue) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		if a.rank != b.rank {
			return cmp.Compare(a.rank, b.rank)
		}
		return strings.Compare(a.Text, b.Text)
	})
	names, total := 0, 0
	for i := range s.attrs {
		if i == 0 || s.attrs[i].name != s.attrs[i-1].name {
			names++
		}
		total++
	}
	out, values := s.out.attrs.take(names), s.out.values.take(total)
	for i := 0; i < len(s.attrs); {
		a, start := &s.attrs[i], len(values)
		for ; i < len(s.attrs) && s.attrs[i].name == a.name; i++ {
			v := &s.attrs[i]
			if v.rank == a.rank && (len(values) == start || values[len(values)-1].Text != v.Text) {
				values = append(values, v.Value)
			}
		}
		out = append(out, Attr{a.name, values[start:len(values):len(values)]})
	}
	return out
}
