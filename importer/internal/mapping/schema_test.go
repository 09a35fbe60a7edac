package mapping

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"catalog/importer/yaml"
	"catalog/schemas"
)

// TestSchema holds that the schema of mapping files and the code agree on what
// a mapping file is. Only the code knows paths and what is mapped twice.
func TestSchema(t *testing.T) {
	text, err := schemas.Get("mapping")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("catalog:mapping", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("catalog:mapping")
	if err != nil {
		t.Fatal(err)
	}
	check := func(file string, ok bool) {
		t.Helper()
		doc, err := yaml.ToJSON([]byte(file))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		inst, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse([]byte(file)); (err == nil) != ok {
			t.Errorf("%s: the code: %v", file, err)
		}
		if err := s.Validate(inst); (err == nil) != ok {
			t.Errorf("%s: the schema: %v", file, err)
		}
	}
	examples, _ := doc.(map[string]any)["examples"].([]any)
	for _, e := range examples {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		check(string(text), true)
	}
	for _, tt := range mapTests {
		check(tt.mapping, true)
	}
	for _, tt := range []struct {
		file string
		ok   bool
	}{
		{"sku: id", true},
		{"sku: id\nrest: keep", true},
		{"name: [a, {path: b, type: text}]", true},
		{"sku: id\nbrnad: b", false},
		{"sku: {path: id, tpye: text}", false},
		{"sku: {path: id, type: int}", false},
		{"sku: {path: id, value: x}", false},
		{"sku: {type: text}", false},
		{"sku: ''", false},
		{"sku: 5", false},
		{"sku: []", false},
		{"sku: id\nrest: forget", false},
		{"rest: {to: keep, dorp: [a]}", false},
		{"rest: {pairs: [{path: a, name: n}]}", false},
		{"name: {path: a, levels: x}", false},
		{"categories: {path: a, levels: '>', split: '|', array: levels}", true},
		{"categories: {path: a, array: both}", false},
		{"categories: {join: [a, b]}", true},
		{"prices: {each: a}", false},
		{"prices: {each: a, map: {price: b}}", true},
		{"prices: [{price: a}, {price: b, group: {value: vip}}]", true},
		{"price: {price: a, currency: {path: a, type: currency}, tiers: {each: t, map: {qty: q, price: p}}}", true},
		{"price: {pirce: a}", false},
		{"stock: {qty: a, in_stock: b, sources: [{source: {value: x}, qty: a}]}", true},
		{"stock: {quantity: a}", false},
		{"stores: {de: {name: a, fields: {x: b}}}", true},
		{"stores: {de: {nmae: a}}", false},
		{"fields: {a.b: c}", true},
		{"attributes: [a]", false},
		{"name: {path: a, with: x}", false},
		{"name: {path: a, decimal: ';'}", false},
		{"name: {path: a, index: -1}", false},
		{"name: {path: a, trim: 1}", false},
	} {
		check(tt.file, tt.ok)
	}
}
