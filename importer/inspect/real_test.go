package inspect

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"catalog/catalog"
	"catalog/importer/internal/feed"
	"catalog/importer/internal/mapping"
)

// realDir names the folder with the real feeds.
const realDir = "CATALOG_TEST_DATA"

// TestRealPCParts inspects a real feed whole and imports it by what is
// suggested.
func TestRealPCParts(t *testing.T) {
	dir := os.Getenv(realDir)
	if dir == "" {
		t.Skip(realDir + " is not set: no real feeds")
	}
	name := filepath.Join(dir, "pc-parts-2026-08-10.jsonl.gz")
	r, err := Inspect(context.Background(), []string{name}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Records != 47517 || r.Estimated || r.Unreadable != 0 || r.Feeds[0].Format != feed.JSONL || r.Feeds[0].Compression != feed.Gzip {
		t.Errorf("the feed is %+v", r.Feeds[0])
	}
	if len(r.Candidates) == 0 || r.Candidates[0].Path != "opendb_id" {
		t.Fatalf("candidates are %+v", r.Candidates)
	}
	want := map[string]Field{
		"category":           {Records: 47517, Distinct: 30, Exact: true},
		"opendb_id":          {Records: 47517, Distinct: 47517, Exact: true},
		"m2_slots[].size":    {Records: 3693},
		"specifications.tdp": {Records: 789},
	}
	for _, f := range r.Fields {
		w, ok := want[f.Path]
		if !ok {
			continue
		}
		delete(want, f.Path)
		if w.Exact && (f.Records != w.Records || f.Distinct != w.Distinct || !f.Exact) {
			t.Errorf("%s: %+v", f.Path, f)
		}
	}
	if len(want) > 0 {
		t.Errorf("not reported: %v", want)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text, 100); err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(text.String(), "# A mapping")
	for line := range strings.Lines(table) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 110 {
			t.Errorf("a line has %d columns: %s", n, line)
		}
	}
	t.Log(text.String())
	m, err := mapping.Parse([]byte(r.Mapping))
	if err != nil {
		t.Fatalf("%v in\n%s", err, r.Mapping)
	}
	mapAll(t, name, m, 47517)
}

// mapAll maps and parses all records of a feed.
func mapAll(t *testing.T, name string, m *mapping.Mapping, want int) {
	t.Helper()
	inputs, err := feed.Expand(context.Background(), []string{name}, feed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer inputs[0].Close()
	r, err := inputs[0].Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	d := r.NewDecoder()
	defer d.Close()
	p := m.NewMapper()
	var parser catalog.Parser
	n := 0
	err = r.Chunks(context.Background(), func(c *feed.Chunk) error {
		defer c.Release()
		return d.Decode(c, func(rec *feed.Record) error {
			out, err := p.Map(rec.JSON)
			if err == nil {
				var parsed catalog.Parsed
				parser.Reset(parser.Buffer())
				err = parser.Parse(catalog.KindProduct, out, &parsed)
			}
			if err != nil {
				t.Errorf("line %d: %v", rec.Line, err)
			}
			n++
			return nil
		})
	})
	if err != nil || n != want {
		t.Errorf("%d records, %v", n, err)
	}
}
