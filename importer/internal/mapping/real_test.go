package mapping

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"catalog/catalog"
)

// realDir names the folder with the real feeds.
const realDir = "CATALOG_TEST_DATA"

func realLines(tb testing.TB, name string) [][]byte {
	tb.Helper()
	dir := os.Getenv(realDir)
	if dir == "" {
		tb.Skip(realDir + " is not set: no real feeds")
	}
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	var lines [][]byte
	sc := bufio.NewScanner(z)
	sc.Buffer(nil, 1<<24)
	for sc.Scan() {
		lines = append(lines, append([]byte(nil), sc.Bytes()...))
	}
	if sc.Err() != nil {
		tb.Fatal(sc.Err())
	}
	return lines
}

func pcParts(tb testing.TB) *Mapping {
	tb.Helper()
	data, err := os.ReadFile("testdata/pc-parts.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	m, err := Parse(data)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// TestRealPCParts maps the whole feed: every record keeps its id, name and
// category, and the two facets that categories spell differently are found.
func TestRealPCParts(t *testing.T) {
	p := pcParts(t).NewMapper()
	var parser catalog.Parser
	counts := map[string]int{}
	for i, line := range realLines(t, "pc-parts-2026-08-10.jsonl.gz") {
		out, err := p.Map(line)
		if err != nil {
			t.Fatalf("record %d: %v", i+1, err)
		}
		var parsed catalog.Parsed
		parser.Reset(parser.Buffer())
		if err := parser.Parse(catalog.KindProduct, out, &parsed); err != nil || parsed.Price.State != catalog.PartAbsent || parsed.Stock.State != catalog.PartAbsent {
			t.Fatalf("record %d: %v: %s", i+1, err, out)
		}
		var src struct {
			ID       string `json:"opendb_id"`
			Category string `json:"category"`
			Metadata struct{ Name string }
		}
		var got struct {
			SKU, Name  string
			Categories []string
			Attributes map[string]any
		}
		if json.Unmarshal(line, &src) != nil || json.Unmarshal(out, &got) != nil {
			t.Fatalf("record %d: is no JSON: %s", i+1, out)
		}
		if got.SKU != src.ID || got.Name != src.Metadata.Name || len(got.Categories) != 1 || got.Categories[0] != src.Category {
			t.Fatalf("record %d: sku, name or category lost: %s", i+1, out)
		}
		for name, v := range got.Attributes {
			if _, nested := v.(map[string]any); nested || v == nil {
				t.Fatalf("record %d: attribute %q is %v", i+1, name, v)
			}
			counts[name]++
		}
		counts[""]++
	}
	if counts[""] != 47517 {
		t.Errorf("%d records, want 47517", counts[""])
	}
	for name, want := range map[string]int{"socket": 6874, "memory_type": 13057} {
		if counts[name] != want {
			t.Errorf("%d parts have the attribute %s, want %d", counts[name], name, want)
		}
	}
}

func BenchmarkRealPCParts(b *testing.B) {
	lines := realLines(b, "pc-parts-2026-08-10.jsonl.gz")
	size := 0
	for _, l := range lines {
		size += len(l)
	}
	p := pcParts(b).NewMapper()
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, l := range lines {
			if _, err := p.Map(l); err != nil {
				b.Fatal(err)
			}
		}
	}
}
