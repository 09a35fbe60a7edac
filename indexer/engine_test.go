package indexer_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

func TestEngine(t *testing.T) {
	s := tiny(t)
	s.run()
	e := s.engine()
	ctx := t.Context()
	if _, err := e.Browse(ctx, indexer.Query{}); !errors.Is(err, indexer.ErrQuery) {
		t.Errorf("browsing nothing: %v", err)
	}
	res, err := e.Browse(ctx, indexer.Query{Category: "Men", Facets: indexer.Facets{Names: []string{"color"}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Facets) != 1 || res.Facets[0].Label != "Color" || res.Facets[0].Values[0].Value != "red" {
		t.Errorf("facets %+v", res.Facets)
	}
	tree, err := e.Tree(ctx, indexer.Query{View: indexer.View{Store: "default"}})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range tree.Children {
		names = append(names, fmt.Sprintf("%s:%d", c.Name, c.Count))
	}
	if got := strings.Join(names, " "); !strings.HasPrefix(got, "Men:") || !strings.Contains(got, "Sale:") {
		t.Errorf("tree %s", got)
	}
	sug, err := e.Suggest(ctx, indexer.Query{Text: "sho"}, 5)
	if err != nil {
		t.Fatal(err)
	}
	if len(sug.Categories) != 1 || strings.Join(sug.Categories[0].Path, "/") != "Men/Shoes" {
		t.Errorf("categories %+v", sug.Categories)
	}
	if sug, err := e.Suggest(ctx, indexer.Query{Text: " "}, 5); err != nil || len(sug.Products)+len(sug.Categories) > 0 {
		t.Errorf("suggestions for nothing: %+v, %v", sug, err)
	}
	// What changes in the store is known to the engine that runs.
	s.put(catalog.KindAttribute, `{"code":"color","label":"Tint"}`)
	res, err = e.Browse(ctx, indexer.Query{Category: "Men", Facets: indexer.Facets{Names: []string{"color"}}})
	if err != nil || res.Facets[0].Label != "Tint" {
		t.Errorf("label %+v, %v", res, err)
	}
	s.put(catalog.KindProduct, `{"sku":"NEW","name":"Novelty","categories":["Brand new/Things"]}`)
	s.run()
	if _, err := e.Browse(ctx, indexer.Query{Category: "Brand new"}); err != nil {
		t.Errorf("a category that a product named: %v", err)
	}
}

func TestExplain(t *testing.T) {
	s := tiny(t)
	s.put(catalog.KindProduct,
		`{"sku":"OFF","status":"disabled"}`, `{"sku":"US","websites":["us"]}`, `{"sku":"SEARCH","name":"Sought","visibility":"search","categories":["Men"]}`,
		`{"sku":"EMPTY","type":"configurable"}`, `{"sku":"OFFDE","name":"x","stores":{"de":{"status":"disabled"}}}`)
	s.run()
	s.put(catalog.KindProduct, `{"sku":"LATE","name":"Late"}`)
	e := s.engine()
	for _, c := range []struct {
		sku  string
		q    indexer.Query
		want string
	}{
		{"TS-RED", indexer.Query{}, "shown"},
		{"TS-RED", indexer.Query{Text: "shirt"}, "shown"},
		{"TS-RED", indexer.Query{Text: "hoodie"}, "text"},
		{"TS-RED", indexer.Query{Filters: filter(t, "color=blue")}, "filtered_out"},
		{"MH-100", indexer.Query{Filters: filter(t, "color=blue", "size=XL")}, "filtered_out"},
		{"TS-RED", indexer.Query{Category: "Men/Hoodies"}, "no_category"},
		{"NONE", indexer.Query{}, "missing"},
		{"OFF", indexer.Query{}, "disabled"},
		{"OFFDE", indexer.Query{View: indexer.View{Store: "de"}}, "disabled"},
		{"OFFDE", indexer.Query{}, "shown"},
		{"US", indexer.Query{}, "website"},
		{"SEARCH", indexer.Query{Category: "Men"}, "visibility"},
		{"SEARCH", indexer.Query{Text: "sought"}, "shown"},
		{"SH-200-42", indexer.Query{}, "visibility,variant"},
		{"MH-100-RED-M", indexer.Query{}, "variant"},
		{"EMPTY", indexer.Query{}, "no_variants"},
		{"LATE", indexer.Query{}, "not_indexed"},
	} {
		x, err := e.Explain(t.Context(), c.sku, c.q)
		if err != nil {
			t.Errorf("%s: %v", c.sku, err)
			continue
		}
		var got []string
		for _, cause := range x.Causes {
			got = append(got, string(cause.Reason))
		}
		if x.Shown {
			got = append(got, "shown")
		}
		if strings.Join(got, ",") != c.want {
			t.Errorf("%s %+v: %v, want %s (%+v)", c.sku, c.q, got, c.want, x.Causes)
		}
	}
}

func TestVerifyFindsFaults(t *testing.T) {
	s := tiny(t)
	s.run()
	ctx := t.Context()
	// A document of the index with a fault planted in it.
	wrong := func(sku string, plant func(*indexer.Document)) {
		t.Helper()
		x, err := s.engine().Explain(ctx, sku, indexer.Query{})
		if err != nil || x.Doc == nil {
			t.Fatal(err, x)
		}
		d := *x.Doc
		d.Words, d.Units, d.Attrs = append([]indexer.Word(nil), d.Words...), append([]indexer.Unit(nil), d.Units...), append([]indexer.Attr(nil), d.Attrs...)
		plant(&d)
		if err := s.index.Apply(ctx, []indexer.Op{{SKU: sku, Docs: []*indexer.Document{&d}}}, catalog.Cursor{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name  string
		plant func()
		fault indexer.Fault
		part  indexer.Part
	}{
		{"a lost posting", func() { wrong("TS-RED", func(d *indexer.Document) { d.Words = d.Words[1:] }) }, indexer.Wrong, indexer.PartWords},
		{"a stale price", func() {
			wrong("TS-RED", func(d *indexer.Document) { d.Units[0].Live.Prices = []indexer.Price{{Amount: 1, Regular: 1}} })
		}, indexer.Wrong, indexer.PartPrice},
		{"a wrong stock", func() {
			wrong("TS-RED", func(d *indexer.Document) { d.Units[0].Live.InStock = !d.Units[0].Live.InStock })
		}, indexer.Wrong, indexer.PartStock},
		{"a wrong value", func() { wrong("TS-RED", func(d *indexer.Document) { d.Attrs = d.Attrs[1:] }) }, indexer.Wrong, indexer.PartAttrs},
		{"a wrong category", func() { wrong("TS-RED", func(d *indexer.Document) { d.Categories = d.Categories[1:] }) }, indexer.Wrong, indexer.PartCategories},
		{"a missing document", func() {
			if err := s.index.Apply(ctx, []indexer.Op{{SKU: "TS-RED"}}, catalog.Cursor{}); err != nil {
				t.Fatal(err)
			}
		}, indexer.Missing, indexer.NumParts},
		{"a document too many", func() {
			d := &indexer.Document{SKU: "GHOST", Stores: []string{"default"}, Search: true, Units: []indexer.Unit{{SKU: "GHOST"}}}
			if err := s.index.Apply(ctx, []indexer.Op{{SKU: "GHOST", Docs: []*indexer.Document{d}}}, catalog.Cursor{}); err != nil {
				t.Fatal(err)
			}
		}, indexer.Surplus, indexer.NumParts},
		{"a change that is on its way", func() { s.put(catalog.KindPrice, `{"sku":"TS-RED","price":77}`) }, indexer.Stale, indexer.PartPrice},
	} {
		c.plant()
		v, err := indexer.Verify(ctx, s.store, s.index, indexer.VerifyOptions{Name: "test"})
		if err != nil {
			t.Fatal(err)
		}
		if v.Counts[c.fault] != 1 || v.OK() != (c.fault == indexer.Stale) || len(v.Examples) != 1 || c.part < indexer.NumParts && v.Parts[c.part] != 1 {
			t.Errorf("%s: %+v", c.name, v)
		}
		v, err = indexer.Verify(ctx, s.store, s.index, indexer.VerifyOptions{Name: "test", Repair: true})
		if err != nil || v.Repaired != 1 {
			t.Errorf("%s: repair: %+v, %v", c.name, v, err)
		}
		if v, err = indexer.Verify(ctx, s.store, s.index, indexer.VerifyOptions{Name: "test"}); err != nil || v.Counts != [indexer.NumFaults]int64{} {
			t.Errorf("%s: after repair: %+v, %v", c.name, v, err)
		}
	}
}

// TestPricesChangeByThemselves lets a special price begin and end.
func TestPricesChangeByThemselves(t *testing.T) {
	s := newShop(t, "")
	now := time.Date(2026, 6, 1, 23, 59, 50, 0, time.UTC)
	s.opts.Now = func() time.Time { return now }
	s.put(catalog.KindProduct, `{"sku":"A","name":"A","price":10,"special_price":7,"special_from":"2026-06-02","special_to":"2026-06-02"}`,
		`{"sku":"P","name":"P","price":10,"special_price":8,"special_to":"2026-06-01","variants":[{"sku":"P-1"},{"sku":"P-2","price":20}]}`)
	s.run()
	cheap := indexer.Query{Filters: filter(t, "price=..<9")}
	s.want(cheap, "P")
	now = now.Add(10 * time.Second)
	s.run()
	s.want(cheap, "A")
	s.verify()
	now = now.Add(24 * time.Hour)
	s.run()
	s.want(cheap, "")
	s.verify()
}

// TestPriceOfParents: a variant without a price has that of its product, also
// when that changes, comes or goes.
func TestPriceOfParents(t *testing.T) {
	s := newShop(t, "")
	s.put(catalog.KindProduct, `{"sku":"P","name":"P","price":10,"variants":[{"sku":"P-1"},{"sku":"P-2","price":20,"qty":1}]}`)
	s.run()
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() { s.put(catalog.KindPrice, `{"sku":"P","price":11}`) }, "11.00"},
		{func() { s.put(catalog.KindPrice, `{"sku":"P-1","price":12}`) }, "12.00"},
		{func() { s.put(catalog.KindPrice, `{"sku":"P-2","price":5}`) }, "5.00"},
		{func() { s.remove(catalog.KindPrice, "P-1", "P-2") }, "11.00"},
	} {
		step.do()
		s.run()
		s.verify()
		res, err := s.engine().Search(t.Context(), indexer.Query{Text: "p"})
		if err != nil || len(res.Hits) != 1 || res.Hits[0].Price.String() != step.want {
			t.Errorf("%+v, %v, want %s", res.Hits, err, step.want)
		}
	}
}

func TestFilesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	f := &indexer.Files{Settings: write("s.json", `{"hidden":["a"]}`), Synonyms: write("syn.txt", "# none\n"), StopWords: write("stop.txt", "x\n")}
	first, err := f.Load()
	if err != nil || len(first.StopWords) != 1 || len(first.Synonyms) != 0 {
		t.Fatal(first, err)
	}
	if again, _ := f.Load(); again != first {
		t.Error("nothing changed, but the settings are others")
	}
	write("syn.txt", "tee => t-shirt\n")
	deadline := time.Now().Add(5 * time.Second)
	for {
		s, err := f.Load()
		if err == nil && len(s.Synonyms) == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the synonyms are not read again")
		}
		time.Sleep(50 * time.Millisecond)
	}
	write("s.json", `{"nonsense":1}`)
	time.Sleep(600 * time.Millisecond)
	if _, err := f.Load(); !errors.Is(err, indexer.ErrSettings) {
		t.Errorf("nonsense: %v", err)
	}
}
