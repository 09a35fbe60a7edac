package schemas_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/importer"
	"catalog/importer/yaml"
)

// TestReportSchema holds that the schema has exactly the members of the report
// that the importer writes, and takes what it writes.
func TestReportSchema(t *testing.T) {
	doc, _ := document(t, "report").(map[string]any)
	defs, _ := doc["$defs"].(map[string]any)
	sameMembers(t, "report", doc, reflect.TypeFor[importer.Report]())
	sameMembers(t, "counts", defs["counts"], reflect.TypeFor[importer.Counts]())
	sameMembers(t, "feed", defs["feed"], reflect.TypeFor[importer.FeedReport]())
	sameMembers(t, "refusal", defs["refusal"], reflect.TypeFor[importer.Refusal]())
	sameMembers(t, "reject", defs["reject"], reflect.TypeFor[importer.Reject]())
	sameMembers(t, "reject", document(t, "reject"), reflect.TypeFor[importer.Reject]())

	counts := importer.Counts{Read: 3, Created: 1, Rejected: 1, Duplicates: 1}
	reject := importer.Reject{Feed: "f", Line: 1, Offset: -1, Key: "a", Reason: catalog.ReasonType, Path: "name", Detail: "is a number", Record: map[string]any{"sku": "a"}}
	reports := []importer.Report{
		{ID: "1", Kind: "products", Mode: importer.Upsert, Source: "default", Status: "ok", Feeds: []importer.FeedReport{}},
		{
			ID: "1", Kind: "stock", Mode: importer.Sync, Source: "s", Status: "refused", DryRun: true, Counts: counts, Prices: &counts, Stock: &counts, Categories: &counts,
			Attributes: &counts, ProductCounts: &counts, Started: time.Unix(1, 5), Seconds: 0.5, PerSecond: 6, PeakRSSBytes: 1,
			Feeds:   []importer.FeedReport{{Name: "f", Format: "csv", Compression: "zstd", Bytes: 1, Read: 3, Truncated: true}},
			Rejects: map[catalog.Reason]int64{catalog.ReasonType: 1}, FirstRejects: []importer.Reject{reject}, Warnings: map[string]int64{"w": 1},
			Refused: []importer.Refusal{{Guard: "max_delete", What: "w", Count: 1, Of: 2, Option: "--max-delete"}}, Error: "e",
		},
	}
	s := compile(t, "report")
	for i, r := range reports {
		if err := s.Validate(decode(t, marshal(t, r))); err != nil {
			t.Errorf("report %d: %v", i, err)
		}
	}
	r := compile(t, "reject")
	if err := r.Validate(decode(t, marshal(t, reject))); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{`{}`, `{"feed":"f","line":1,"offset":-2,"reason":"x","detail":"d"}`, `{"feed":"f","line":"1","offset":0,"reason":"x","detail":"d"}`} {
		if r.Validate(decode(t, []byte(bad))) == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sameMembers compares a schema's properties and required with a struct's tags.
func sameMembers(t *testing.T, name string, schema any, typ reflect.Type) {
	t.Helper()
	s, _ := schema.(map[string]any)
	props, _ := s["properties"].(map[string]any)
	required, _ := s["required"].([]any)
	var have, must, wantHave, wantMust []string
	for p := range props {
		have = append(have, p)
	}
	for _, r := range required {
		text, _ := r.(string)
		must = append(must, text)
	}
	for _, f := range reflect.VisibleFields(typ) {
		tag, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag == "" || tag == "-" {
			continue
		}
		wantHave = append(wantHave, tag)
		if !strings.Contains(opts, "omit") {
			wantMust = append(wantMust, tag)
		}
	}
	for _, l := range [][]string{have, must, wantHave, wantMust} {
		slices.Sort(l)
	}
	if !slices.Equal(have, wantHave) {
		t.Errorf("%s: the schema has %q, the code %q", name, have, wantHave)
	}
	if !slices.Equal(must, wantMust) {
		t.Errorf("%s: the schema requires %q, the code always writes %q", name, must, wantMust)
	}
}

func TestSettingsSchema(t *testing.T) {
	s := compile(t, "settings")
	for _, tt := range []struct {
		file string
		ok   bool
	}{
		{"", true},
		{"store: pebble:./data\nsource: erp", true},
		{"stores: {de: {language: de, currency: EUR, website: eu, root_category: Root}}", true},
		{"stores: {de: {langauge: de}}", false},
		{"stores: {de: {language: 1}}", false},
		{"stores: [de]", false},
		{"import: {mode: sync, max-delete: 5%, workers: 2, max-rejects: 100}", true},
		{"import: {mode: merge}", false},
		{"import: {rejects: {a: b}}", false},
		{"Import: {}", false},
		{"- a", false},
	} {
		doc, err := yaml.ToJSON([]byte(tt.file))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(decode(t, doc)); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.file, err)
		}
	}
}
