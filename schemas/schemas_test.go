package schemas_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"catalog/schemas"
)

// compile returns a schema ready to validate, with formats asserted.
func compile(tb testing.TB, name string) *jsonschema.Schema {
	tb.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("catalog:"+name, document(tb, name)); err != nil {
		tb.Fatal(err)
	}
	s, err := c.Compile("catalog:" + name)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func document(tb testing.TB, name string) any {
	tb.Helper()
	text, err := schemas.Get(name)
	if err != nil {
		tb.Fatal(err)
	}
	return decode(tb, text)
}

func decode(tb testing.TB, text []byte) any {
	tb.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		tb.Fatalf("%v in %s", err, text)
	}
	return doc
}

// TestSchemas holds that each schema is one, and that its examples satisfy it.
func TestSchemas(t *testing.T) {
	names := schemas.Names()
	if len(names) < 10 {
		t.Errorf("there are %d schemas: %q", len(names), names)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			doc, _ := document(t, name).(map[string]any)
			if doc["$id"] != "catalog:"+name || doc["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
				t.Errorf("$id is %v, $schema %v", doc["$id"], doc["$schema"])
			}
			examples, _ := doc["examples"].([]any)
			if len(examples) == 0 {
				t.Fatal("has no examples")
			}
			s := compile(t, name)
			for i, e := range examples {
				if err := s.Validate(e); err != nil {
					t.Errorf("example %d: %v", i, err)
				}
			}
		})
	}
}

func TestGetUnknown(t *testing.T) {
	for _, name := range []string{"", "products", "../product", "product.schema.json"} {
		if _, err := schemas.Get(name); !errors.Is(err, schemas.ErrUnknown) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
