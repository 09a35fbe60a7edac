package indexer_test

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"catalog/catalog"
	"catalog/indexer"
)

// realDir names the folder with the real feeds; CI has it.
const realDir = "CATALOG_TEST_DATA"

var update = flag.Bool("update", false, "write the golden files anew")

func realFeed(t *testing.T, name string) *bufio.Scanner {
	t.Helper()
	dir := os.Getenv(realDir)
	if dir == "" {
		t.Skip(realDir + " is not set: real feeds are tried where they are")
	}
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	s := bufio.NewScanner(z)
	s.Buffer(nil, 8<<20)
	return s
}

// part makes a record of a line of the feed of PC parts, as a mapping does.
func part(t *testing.T, line []byte) string {
	t.Helper()
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(line, &doc); err != nil {
		t.Fatal(err)
	}
	var meta map[string]json.RawMessage
	if err := json.Unmarshal(doc["metadata"], &meta); err != nil {
		t.Fatal(err)
	}
	move := func(to string, from map[string]json.RawMessage, name string) {
		if v, ok := from[name]; ok {
			delete(from, name)
			doc[to] = v
		}
	}
	move("sku", doc, "opendb_id")
	move("name", meta, "name")
	move("brand", meta, "manufacturer")
	move("categories", doc, "category")
	rest, err := json.Marshal(meta)
	if err != nil {
		t.Fatal(err)
	}
	doc["metadata"] = rest
	out, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestRealFacets browses ten categories of the PC parts: the facets that
// people expect are among the first six by themselves. The golden file has all
// six, so that a change of the choice is seen.
func TestRealFacets(t *testing.T) {
	s := newShop(t, "")
	var lines []string
	for feed := realFeed(t, "pc-parts-2026-08-17.jsonl.gz"); feed.Scan(); {
		lines = append(lines, part(t, feed.Bytes()))
	}
	for c := range slices.Chunk(lines, 5000) {
		s.put(catalog.KindProduct, c...)
	}
	if rep := s.run(); rep.Dead != 0 || rep.Built != 47551 {
		t.Fatalf("report: %+v", rep)
	}
	e := s.engine()
	var b strings.Builder
	for _, c := range []struct {
		category string
		expect   []string
	}{
		{"CPU", []string{"socket", "microarchitecture", "specifications.lithography"}},
		{"GPU", []string{"brand", "memory_type", "memory"}},
		{"RAM", []string{"ram_type", "capacity", "speed"}},
		{"Motherboard", []string{"socket", "form_factor", "chipset"}},
		{"Storage", []string{"form_factor", "interface", "capacity"}},
		{"PSU", []string{"wattage", "modular", "efficiency_rating"}},
		{"Monitor", []string{"screen_size", "panel_type", "refresh_rate"}},
		{"PCCase", []string{"brand", "form_factor", "side_panel"}},
		{"CaseFan", []string{"connector", "size", "pwm"}},
		{"CPUCooler", []string{"water_cooled", "brand", "min_noise_level"}},
	} {
		res, err := e.Browse(t.Context(), indexer.Query{Category: c.category, Facets: indexer.Facets{Auto: 6, Values: 3}})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s: %d\n", c.category, res.Total)
		var names []string
		for _, f := range res.Facets {
			names = append(names, f.Field)
			fmt.Fprintf(&b, "  %s:", f.Field)
			for _, v := range f.Values {
				fmt.Fprintf(&b, " %s (%d)", v.Value, v.Count)
			}
			for _, r := range f.Ranges {
				fmt.Fprintf(&b, " %s (%d)", r.Range, r.Count)
			}
			b.WriteString("\n")
		}
		for _, want := range c.expect {
			if !slices.Contains(names, want) {
				t.Errorf("%s: %s is not among %q", c.category, want, names)
			}
		}
	}
	golden(t, "testdata/pc-parts-facets.txt", b.String())
}

// golden compares with what is kept, or keeps it anew.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update writes it anew):\n%s", name, got)
	}
}

// TestRealVariants maps Magento's sample products: variants are counted where
// one of them is of a color and of a size.
func TestRealVariants(t *testing.T) {
	dir := os.Getenv(realDir)
	if dir == "" {
		t.Skip(realDir + " is not set: real feeds are tried where they are")
	}
	f, err := os.Open(filepath.Join(dir, "magento-products.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	s := newShop(t, "")
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	pairs := map[string]map[string]bool{} // configurable → "Color/Size" of its variants
	var lines []string
	for _, row := range rows[1:] {
		cell := func(name string) string { return row[column[name]] }
		doc := map[string]any{"sku": cell("sku"), "name": cell("name"), "description": cell("description"), "type": cell("product_type")}
		if cell("visibility") == "Not Visible Individually" {
			doc["visibility"] = "none"
		}
		doc["categories"] = strings.Split(cell("categories"), ",")
		attrs := map[string]any{}
		for pair := range strings.SplitSeq(cell("additional_attributes"), ",") {
			if name, value, ok := strings.Cut(pair, "="); ok {
				attrs[name] = strings.Split(value, "|")
			}
		}
		doc["attributes"] = attrs
		if v := cell("configurable_variations"); v != "" {
			var variants []string
			pairs[cell("sku")] = map[string]bool{}
			for one := range strings.SplitSeq(v, "|") {
				of := map[string]string{}
				for pair := range strings.SplitSeq(one, ",") {
					name, value, _ := strings.Cut(pair, "=")
					of[name] = value
				}
				variants = append(variants, of["sku"])
				pairs[cell("sku")][of["color"]+"/"+of["size"]] = true
			}
			doc["variants"] = variants
		}
		line, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	s.put(catalog.KindProduct, lines...)
	s.run()
	s.verify()
	e := s.engine()
	tried := 0
	for _, color := range []string{"Red", "Blue", "Black", "Green", "Lavender"} {
		for _, size := range []string{"XS", "S", "M", "L", "XL", "28", "32"} {
			want := 0
			for _, has := range pairs {
				if has[color+"/"+size] {
					want++
				}
			}
			res, err := e.Search(t.Context(), indexer.Query{Filters: filter(t, "color="+color, "size="+size), Facets: indexer.Facets{Names: []string{"size"}, Values: 100}})
			if err != nil {
				t.Fatal(err)
			}
			if res.Total != want {
				t.Errorf("%s %s: %d products, want %d", color, size, res.Total, want)
			}
			for _, v := range res.Facets[0].Values {
				n := 0
				for _, has := range pairs {
					if has[color+"/"+v.Value] {
						n++
					}
				}
				if v.Count != n {
					t.Errorf("%s: facet size=%s counts %d, want %d", color, v.Value, v.Count, n)
				}
			}
			if want > 0 {
				tried++
			}
		}
	}
	if tried < 10 {
		t.Errorf("only %d pairs of color and size have products", tried)
	}
}
