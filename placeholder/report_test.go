package placeholder_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"catalog/placeholder"
	"catalog/schemas"
)

// TestPruneReport holds reports to their schema, which other programs read.
func TestPruneReport(t *testing.T) {
	w := newWorld(t, placeholder.Options{})
	for _, sku := range []string{"a", "b", "c"} {
		w.put(sku, "1")
		id := w.ensure("c", sku)[0].EntityID
		w.db.Idle(sku, 1000*time.Hour)
		if sku == "b" {
			w.db.AddCart(true, id)
		}
	}
	r, err := placeholder.Prune(t.Context(), w.shop, placeholder.PruneConfig{UnusedFor: time.Hour})
	if err != nil || r.Removed != 1 || r.Kept[placeholder.KeepCart] != 1 || r.Kept[placeholder.KeepHighest] != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	text, err := schemas.Get("prune")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("catalog:prune", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("catalog:prune")
	if err != nil {
		t.Fatal(err)
	}
	for _, report := range []placeholder.PruneReport{r, {Kept: map[placeholder.Keep]int64{}}} {
		data, err := json.Marshal(report)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", data, err)
		}
	}
}
