package mapping

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"catalog/catalog"
)

// FuzzMap holds that whatever is mapped is JSON without a fault of its own,
// that nothing else is accepted than encoding/json accepts, and that a mapper
// gives the same answer the second time.
func FuzzMap(f *testing.F) {
	for _, doc := range []string{
		`{"id":"1","a":{"b":[1,2,{"c":null}]},"p":"1.299,00 €","c":"A>B|C"}`, `{"id":1e400,"a":[[[]]],"s":[{"n":"x","v":[1]}]}`,
		`{"id":"\ud83d\ude00\u0000","a\u0062":1,"ab":2}`, `{"id":"1","v":[{"id":2,"p":"x"},7]}`, `[]`, `{"id":`, "\xff", `{"id":"1"}x`,
		`{"sku":"a","name":"n","name_":{},"attributes":{"a":[1],"b":{"c":2}}}`, ` {"id" : "1" , "a" : [ ] , "d":"2026-01-02"} `,
	} {
		f.Add([]byte(doc))
	}
	var all []*Mapping
	for _, text := range []string{
		"sku: id", "sku: [id, a.b, sku]\nrest: attributes\nname: 'a.b[0]'\nfields: {x.y: 'a[].c', z: 'a.b[].c'}",
		"sku: {template: '{id}-{a}'}\nprice: {price: p, currency: {path: p, type: currency}}\ncategories: {path: c, split: '|', levels: '>'}\nrest: {to: attributes, drop: ['a.*'], keep: [s], strip: [attributes]}",
		"sku: id\ncreated_at: d\nvariants: {each: v, map: {sku: id, price: p}}\nattributes: {q: a, n: name}\nrest: {pairs: [{path: s, name: n, value: v}]}\nimages: {all: [a, c], split: ','}",
	} {
		m, err := Parse([]byte(text))
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, m)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		for i, m := range all {
			p := m.NewMapper()
			out, err := p.Map(doc)
			if err != nil {
				if !errors.Is(err, catalog.ErrInvalid) {
					t.Fatalf("mapping %d: %v", i, err)
				}
				continue
			}
			if !json.Valid(doc) || !utf8.Valid(doc) {
				t.Fatalf("mapping %d takes what is no JSON: %q", i, doc)
			}
			first := string(out)
			if !json.Valid(out) {
				t.Fatalf("mapping %d: %q gives %q", i, doc, out)
			}
			// Keeping everything finds what stands twice in one object.
			keep, err := Parse([]byte("rest: keep"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := keep.NewMapper().Map([]byte(first)); err != nil {
				t.Fatalf("mapping %d: %q gives %q: %v", i, doc, first, err)
			}
			if again, err := p.Map(doc); err != nil || string(again) != first {
				t.Fatalf("mapping %d: %q gives %q, then %q, %v", i, doc, first, again, err)
			}
		}
	})
}

// FuzzParse holds that no file makes the parser fall over.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"sku: id", "sku: {first: [a, {path: b, type: text}]}\nrest: {to: drop, pairs: [{path: a, name: n, value: v}]}",
		"a: &x [*x]", "{\"sku\": \"id\"}", "prices: [{price: a}, {price: {each: b, map: {}}}]", "? a\n: b", "sku: !!binary x", "stores: {de: {name: x}}\nfields: {stores.de.x: y}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err == nil {
			_, _ = m.NewMapper().Map([]byte(`{"id":"1","a":{"b":[1]}}`))
		}
	})
}
