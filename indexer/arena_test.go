package indexer

import (
	"reflect"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/fixtures"
)

// TestArena makes documents of batches in an arena: they are as those that are
// kept, also when the arena is used again.
func TestArena(t *testing.T) {
	recs := records{}
	var skus []string
	for line, err := range fixtures.Records(t.Context(), fixtures.Options{Records: 600}) {
		if err != nil {
			t.Fatal(err)
		}
		skus = append(skus, recs.read(t, catalog.KindProduct, string(line)))
	}
	stores, err := ParseStores([]byte(`{"default":{"language":"en","currency":"EUR"},"de":{"language":"de"},"fr":{"language":"fr"}}`), "")
	if err != nil {
		t.Fatal(err)
	}
	m := NewMapper(stores, NewTree(), nil)
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	a := new(arena)
	const batch = 200
	for from := 0; from < len(skus); from += batch {
		a.reset()
		var made [][]*Document
		for _, sku := range skus[from:min(from+batch, len(skus))] {
			s := m.session()
			s.into(a)
			made = append(made, s.documents(recs.source(sku), now))
			m.done(s)
		}
		for i, docs := range made { // after the last, which must not be in their place
			sku := skus[from+i]
			if want := m.Map(recs.source(sku), now); !reflect.DeepEqual(docs, want) {
				t.Fatalf("%s is in an arena\n %+v, else\n %+v", sku, docs, want)
			}
		}
	}
	if n := len(a.words.blocks); n == 0 || n > 8 {
		t.Errorf("the words of %d products at a time are in %d blocks", batch, n)
	}
}
