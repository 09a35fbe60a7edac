package mapping

import (
	"encoding/json"
	"errors"
	"testing"

	"catalog/catalog"
	"catalog/importer/yaml"
)

func mustParse(tb testing.TB, text string) *Mapping {
	tb.Helper()
	m, err := Parse([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

var mapTests = []struct{ name, mapping, doc, want string }{
	{"a path", `sku: id`, `{"id":"a"}`, `{"sku":"a"}`},
	{"a number as sku keeps its digits", `sku: id`, `{"id":10000000000000000000001}`, `{"sku":"10000000000000000000001"}`},
	{"the sku comes first, fields in their order", "name: t\nbrand: b\nsku: id", `{"b":"B","id":"a","t":"T"}`, `{"sku":"a","name":"T","brand":"B"}`},
	{"the first that has a value", "sku: [a, b.c, d]", `{"a":null,"b":{"c":""},"d":"x"}`, `{"sku":"x"}`},
	{"nested and kept", `sku: m.id`, `{"m":{"id":"a","n":1.10,"o":{}},"z":[ ]}`, `{"sku":"a","m":{"n":1.10,"o":{}},"z":[ ]}`},
	{"an object of which nothing is left goes", `sku: m.id`, `{"m":{"id":"a"}}`, `{"sku":"a"}`},
	{"escaped paths", `sku: a\.b\[0\]`, `{"a.b[0]":"x"}`, `{"sku":"x"}`},
	{"names with escapes", `sku: "größe"`, `{"gr\u00f6\u00dfe":"x"}`, `{"sku":"x"}`},
	{
		"elements", "sku: id\nname: a[1]\nfields: {all: 'b[].c', rest: 'a[0]'}\nrest: drop", `{"id":"1","a":["p","q"],"b":[{"c":1},{"d":2},{"c":3}]}`,
		`{"sku":"1","name":"q","all":[1,3],"rest":"p"}`,
	},
	{"a constant, a default", "sku: id\ntype: {value: virtual}\nbrand: {path: b, default: None}", `{"id":"1"}`, `{"sku":"1","type":"virtual","brand":"None"}`},
	{"a template", `sku: {template: "X-{a}-{b.c}"}`, `{"a":1,"b":{"c":"z\"\n"}}`, `{"sku":"X-1-z\"\n"}`},
	{"a template without a value", "sku: [{template: 'X-{a}'}, b]", `{"b":"y"}`, `{"sku":"y"}`},
	{"joined texts", "sku: id\nname: {join: [b, t, c]}", `{"id":"1","b":"B","c":2}`, `{"sku":"1","name":"B 2"}`},
	{"values of several paths", "sku: id\nimages: {all: [a, b]}", `{"id":"1","b":["y","z"],"a":"x"}`, `{"sku":"1","images":["x","y","z"]}`},
	{
		"split, index, trim", "sku: {path: id, trim: true}\nwebsites: {path: w, split: ','}\nname: {path: n, split: '/', index: 1}",
		`{"id":" a ","w":"x, y,","n":"p/q"}`, `{"sku":"a","websites":["x","y"],"name":"q"}`,
	},
	{"replaced values", "sku: id\nvisibility: {path: v, values: {'1': none, '4': catalog_search}}", `{"id":"1","v":4}`, `{"sku":"1","visibility":"catalog_search"}`},
	{"kept paths", "sku: {path: id, keep: true}", `{"id":"a"}`, `{"sku":"a","id":"a"}`},
	{"a kept field with a mapped name", "sku: id\nname: title", `{"id":"a","name":"n","name_":"m","title":"t"}`, `{"sku":"a","name":"t","name_":"n","name__":"m"}`},
	{"free fields", "sku: id\nfields: {a.b: x, a.c: y}\nrest: drop", `{"id":"1","x":1,"y":2}`, `{"sku":"1","a":{"b":1,"c":2}}`},
	{"stores", "sku: id\nstores: {de: {name: n_de}, fr: {name: n_fr}}", `{"id":"1","n_de":"D"}`, `{"sku":"1","stores":{"de":{"name":"D"}}}`},

	{"categories as ours", "sku: id\ncategories: c", `{"id":"1","c":"A/B"}`, `{"sku":"1","categories":["A/B"]}`},
	{"levels in a text", "sku: id\ncategories: {path: c, levels: '>'}", `{"id":"1","c":"A > B/C > D"}`, `{"sku":"1","categories":["A/B\\/C/D"]}`},
	{"a text that is one level", "sku: id\ncategories: {path: c, levels: ''}", `{"id":"1","c":"A/B"}`, `{"sku":"1","categories":["A\\/B"]}`},
	{"several in a text", "sku: id\ncategories: {path: c, split: '|', levels: '>'}", `{"id":"1","c":"A>B|C"}`, `{"sku":"1","categories":["A/B","C"]}`},
	{"an array of paths", "sku: id\ncategories: c", `{"id":"1","c":["A/B","C"]}`, `{"sku":"1","categories":["A/B","C"]}`},
	{"an array of levels", "sku: id\ncategories: {path: c, array: levels}", `{"id":"1","c":["A/B","C"]}`, `{"sku":"1","categories":["A\\/B/C"]}`},
	{"levels in fields of their own", "sku: id\ncategories: {join: [a, b, c]}", `{"id":"1","a":"X","c":"Z/"}`, `{"sku":"1","categories":["X/Z\\/"]}`},

	{"a price", "sku: id\nprice: p", `{"id":"1","p":"1.299,50 €"}`, `{"sku":"1","price":1299.50}`},
	{"a price as written", "sku: id\nprice: p", `{"id":"1","p":9.90}`, `{"sku":"1","price":9.90}`},
	{"an entry", "sku: id\nprice: {price: p, special_price: s, currency: {path: p, type: currency}}", `{"id":"1","p":"15.00 EUR"}`, `{"sku":"1","price":{"price":15.00,"currency":"EUR"}}`},
	{"an entry without amounts is none", "sku: id\nprice: {price: p, currency: {value: EUR}}", `{"id":"1"}`, `{"sku":"1"}`},
	{"entries", "sku: id\nprices: [{price: p}, {price: v, group: {value: vip}}]\nrest: drop", `{"id":"1","p":2,"v":"1,5"}`, `{"sku":"1","prices":[{"price":2},{"price":1.5,"group":"vip"}]}`},
	{
		"each entry", "sku: id\nprices: {each: offers, map: {price: amount, group: grp, tiers: {each: t, map: {qty: q, price: p}}}}",
		`{"id":"1","offers":[{"amount":"3.00 USD","grp":1,"t":[{"q":"10","p":"2.5"}]}]}`, `{"sku":"1","prices":[{"price":3.00,"group":"1","tiers":[{"qty":10,"price":2.5}]}]}`,
	},
	{"stock", "sku: id\nstock: {qty: q, in_stock: a}", `{"id":"1","q":"5","a":"in stock"}`, `{"sku":"1","stock":{"qty":5,"in_stock":true}}`},
	{"bare stock", "sku: id\nstock: q", `{"id":"1","q":5}`, `{"sku":"1","stock":5}`},
	{"status", "sku: id\nstatus: s", `{"id":"1","s":0}`, `{"sku":"1","status":"disabled"}`},
	{
		"variants", "sku: id\nvariants: {each: kids, map: {sku: id, attributes: {color: c}, rest: drop}}", `{"id":"1","kids":[{"id":2,"c":"red","x":1}]}`,
		`{"sku":"1","variants":[{"sku":"2","attributes":{"color":"red"}}]}`,
	},

	{
		"the rest as attributes", "sku: id\nrest: attributes", `{"id":"1","a":{"b":1,"c":{"d":"x"}},"e":[1,2,1],"f":null,"g":"","h":true}`,
		`{"sku":"1","attributes":{"a_b":1,"a_c_d":"x","e":[1,2],"h":true}}`,
	},
	{"the rest in another order", "sku: id\nrest: attributes", `{"c":{"z":1,"y":2},"b":3,"id":"1","a":4}`, `{"sku":"1","attributes":{"a":4,"b":3,"c_y":2,"c_z":1}}`},
	{"arrays of objects", "sku: id\nrest: attributes", `{"id":"1","s":[{"k":"M","v":1},{"k":"M","v":2}]}`, `{"sku":"1","attributes":{"s_k":["M"],"s_v":[1,2]}}`},
	{"separator and strip", "sku: id\nrest: {to: attributes, separator: '.', strip: [a]}", `{"id":"1","a":{"b":{"c":1}},"b":{"c":2}}`, `{"sku":"1","attributes":{"b.c":[1,2]}}`},
	{"dropped paths", "sku: id\nrest: {to: attributes, drop: ['*[]._id', 'g.*_sku']}", `{"id":"1","s":[{"_id":1,"v":2}],"g":{"x_sku":1,"y":3}}`, `{"sku":"1","attributes":{"g_y":3,"s_v":[2]}}`},
	{"kept paths beside attributes", "sku: id\nrest: {to: attributes, keep: [r.k]}", `{"id":"1","r":{"k":[{"a":null}],"l":1}}`, `{"sku":"1","attributes":{"r_l":1},"r":{"k":[{"a":null}]}}`},
	{"attributes beside a kept rest", "sku: id\nrest: {attributes: [specs], strip: [specs]}", `{"id":"1","specs":{"a":1},"z":2}`, `{"sku":"1","attributes":{"a":1},"z":2}`},
	{"attributes that the feed has", "sku: id\nattributes: {b: x}", `{"id":"1","x":1,"attributes":{"a":[2]}}`, `{"sku":"1","attributes":{"b":1,"a":[2]}}`},
	{"an attribute of an object", "sku: id\nattributes: {m: mem}", `{"id":"1","mem":{"max":1,"slots":[2]}}`, `{"sku":"1","attributes":{"m_max":1,"m_slots":[2]}}`},
	{
		"pairs", "sku: id\nrest: {pairs: [{path: specs, name: n, value: v}]}", `{"id":"1","specs":[{"n":"Color","v":"red"},{"n":"Size","v":["S","M"]},{"n":"Color","v":"blue"}]}`,
		`{"sku":"1","attributes":{"Color":["red","blue"],"Size":["S","M"]}}`,
	},
	{"nothing but a rest", "rest: keep", `{"sku":"1","a":{"b":[]}}`, `{"sku":"1","a":{"b":[]}}`},
	{"JSON in a text", "sku: id\nfields: {j: {path: j, type: json}}", `{"id":"1","j":"{\"a\":[1.0]}"}`, `{"sku":"1","j":{"a":[1.0]}}`},
	{
		"a Google feed", `
sku: g:id
name: g:title
brand: g:brand
categories: {path: g:product_type, levels: ">"}
images: {all: ['g:image_link', 'g:additional_image_link'], split: ","}
price:
  price: g:price
  currency: {path: g:price, type: currency}
  special_price: g:sale_price
  special_from: {path: g:sale_price_effective_date, split: "/", index: 0}
  special_to: {path: g:sale_price_effective_date, split: "/", index: 1}
stock: {in_stock: g:availability}
rest: attributes`,
		`{"g:id":"TV_1","g:title":"TV","g:brand":"B","g:product_type":"Home > TV","g:image_link":"http://x/1.jpg","g:additional_image_link":"http://x/2.jpg,http://x/3.jpg",
			"g:price":"15.00 EUR","g:sale_price":"12.50 EUR","g:sale_price_effective_date":"2016-02-24T13:00-0800/2016-02-29T15:30-0800","g:availability":"out_of_stock","g:gtin":"123"}`,
		`{"sku":"TV_1","name":"TV","brand":"B","categories":["Home/TV"],"images":["http://x/1.jpg","http://x/2.jpg","http://x/3.jpg"],"price":{"price":15.00,"currency":"EUR","special_price":12.50,"special_from":"2016-02-24T13:00:00-08:00","special_to":"2016-02-29T15:30:00-08:00"},"stock":{"in_stock":false},"attributes":{"g:gtin":"123"}}`,
	},
}

func TestMap(t *testing.T) {
	for _, tt := range mapTests {
		t.Run(tt.name, func(t *testing.T) {
			p := mustParse(t, tt.mapping).NewMapper()
			for range 2 { // the second time with known shapes
				out, err := p.Map([]byte(tt.doc))
				if err != nil {
					t.Fatal(err)
				}
				if string(out) != tt.want {
					t.Fatalf("\n got %s\nwant %s", out, tt.want)
				}
				if !json.Valid(out) {
					t.Fatal("is no JSON")
				}
			}
		})
	}
}

func TestMapInvalid(t *testing.T) {
	tests := []struct {
		name, mapping, doc string
		reason             catalog.Reason
		path               string
	}{
		{"no sku", "sku: m.id", `{"m":{"id":null}}`, catalog.ReasonNoKey, "m.id"},
		{"an object as sku", "sku: id", `{"id":{"a":1}}`, catalog.ReasonType, "id"},
		{"no object", "sku: id", `[1]`, catalog.ReasonObject, ""},
		{"no JSON", "sku: id", `{"id":"1"`, catalog.ReasonJSON, ""},
		{"two records", "sku: id", `{"id":"1"}{}`, catalog.ReasonJSON, ""},
		{"trailing comma", "sku: id", `{"id":"1",}`, catalog.ReasonJSON, ""},
		{"trailing comma in an array", "sku: id", `{"id":"1","a":[1,]}`, catalog.ReasonJSON, ""},
		{"leading zero", "sku: id", `{"id":"1","a":01}`, catalog.ReasonJSON, ""},
		{"a name twice", "sku: id", `{"id":"1","a":{"b":1,"\u0062":2}}`, catalog.ReasonDuplicate, "a.b"},
		{"a name twice in what is dropped", "sku: id\nrest: drop", `{"id":"1","a":[{"b":1},{"b":1,"b":2}]}`, catalog.ReasonDuplicate, "a[].b"},
		{"a lone surrogate", "sku: id", `{"id":"1","a":"\ud800x"}`, catalog.ReasonUTF8, ""},
		{"not UTF-8", "sku: id", "{\"id\":\"1\",\"a\":\"\xff\"}", catalog.ReasonUTF8, ""},
		{"an ambiguous price", "sku: id\nprice: p", `{"id":"1","p":"1,299"}`, catalog.ReasonPrice, "p"},
		{"no price", "sku: id\nprice: {price: p}", `{"id":"1","p":"on request"}`, catalog.ReasonPrice, "p"},
		{"no quantity", "sku: id\nstock: {qty: q}", `{"id":"1","q":"many"}`, catalog.ReasonStock, "q"},
		{"no flag", "sku: id\nstock: {in_stock: q}", `{"id":"1","q":"perhaps"}`, catalog.ReasonType, "q"},
		{"no date", "sku: id\ncreated_at: d", `{"id":"1","d":"03/04/2026"}`, catalog.ReasonType, "d"},
		{"inside each", "sku: id\nvariants: {each: v, map: {sku: id}}", `{"id":"1","v":[{"id":"2"},{"x":1}]}`, catalog.ReasonNoKey, "v.id"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := mustParse(t, tt.mapping).NewMapper()
			_, err := p.Map([]byte(tt.doc))
			var inv *catalog.InvalidError
			if !errors.As(err, &inv) || !errors.Is(err, catalog.ErrInvalid) {
				t.Fatalf("error is %v", err)
			}
			if inv.Reason != tt.reason || inv.Path != tt.path {
				t.Errorf("got %s at %q, want %s at %q (%v)", inv.Reason, inv.Path, tt.reason, tt.path, err)
			}
			// A bad record leaves nothing behind for the next.
			if out, err := p.Map([]byte(`{"id":"n","m":{"id":"n"}}`)); err != nil || !json.Valid(out) {
				t.Errorf("the next record: %s, %v", out, err)
			}
		})
	}
}

func TestParseInvalid(t *testing.T) {
	tests := []struct {
		name, mapping string
		line          int
	}{
		{"nothing", "", 0},
		{"a list", "- a", 1},
		{"an unknown field", "sku: id\nbrnad: b", 2},
		{"an unknown key of a source", "sku: id\nname:\n  path: a\n  tpye: text", 4},
		{"an unknown type", "sku: {path: id, type: int}", 1},
		{"two operations", "sku: {path: id, value: x}", 1},
		{"no operation", "sku: {type: text}", 1},
		{"a field twice", "sku: id\nsku: x", 2},
		{"a field twice through fields", "name: id\nfields: {name: x}", 2},
		{"an empty path", "sku: ''", 1},
		{"a path with an empty name", "sku: a..b", 1},
		{"a bad index", "sku: a[x]", 1},
		{"an open index", "sku: a[0", 1},
		{"a bad escape", `sku: a\b`, 1},
		{"price and prices", "price: a\nprices: b", 1},
		{"an unknown rest", "sku: id\nrest: forget", 2},
		{"an unknown key of rest", "sku: id\nrest:\n  to: keep\n  dorp: [a]", 4},
		{"levels of a name", "sku: id\nname: {path: a, levels: x}", 2},
		{"each without map", "prices: {each: a}", 1},
		{"a template without a path", "sku: {template: abc}", 1},
		{"an open template", "sku: {template: 'a{b'}", 1},
		{"no YAML", "sku: [a\nb: c", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.mapping))
			var e *yaml.Error
			if !errors.As(err, &e) {
				t.Fatalf("error is %v", err)
			}
			if tt.line > 0 && e.Line != tt.line {
				t.Errorf("line %d, want %d: %v", e.Line, tt.line, err)
			}
		})
	}
}

func TestBySKU(t *testing.T) {
	for _, tt := range []struct{ field, doc, want string }{
		{"id", `{"a":{"b":1.50},"id":7,"price":3}`, `{"sku":"7","a":{"b":1.50},"price":3}`},
		{"meta.id", `{"a":1,"meta":{"id":7,"x":null}}`, `{"sku":"7","a":1,"meta":{"x":null}}`},
		{"Item. No [1]", `{"Item. No [1]":"x","a":null}`, `{"sku":"x","a":null}`},
		{"meta.id", `{"meta.id":"x"}`, `{"sku":"x"}`},
		{"a..b", `{"a..b":"x"}`, `{"sku":"x"}`},
	} {
		m, err := BySKU(tt.field)
		if err != nil {
			t.Fatal(err)
		}
		out, err := m.NewMapper().Map([]byte(tt.doc))
		if err != nil || string(out) != tt.want {
			t.Errorf("%s: got %s, %v, want %s", tt.field, out, err, tt.want)
		}
	}
	if _, err := BySKU(""); err == nil {
		t.Error("no name is taken")
	}
}

// TestManyShapes feeds records that all have other names: what the mapper
// remembers stays bounded.
func TestManyShapes(t *testing.T) {
	p := mustParse(t, "sku: id\nrest: attributes").NewMapper()
	for i := range 40 {
		doc := []byte(`{"id":"1"`)
		for j := range 10_000 {
			doc = append(doc, `,"k`...)
			doc = append(doc, json.Number(itoa(i*10_000+j))...)
			doc = append(doc, `":1`...)
		}
		if _, err := p.Map(append(doc, '}')); err != nil {
			t.Fatal(err)
		}
		if p.count > maxShapes+20_000 {
			t.Fatalf("%d shapes are remembered", p.count)
		}
	}
}

func itoa(i int) string { b, _ := json.Marshal(i); return string(b) }
