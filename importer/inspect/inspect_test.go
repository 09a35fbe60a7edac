package inspect

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"catalog/importer/internal/feed"
	"catalog/importer/internal/mapping"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func inspected(t *testing.T, o Options, names ...string) *Report {
	t.Helper()
	r, err := Inspect(context.Background(), names, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *Report) field(path string) *Field {
	for i := range r.Fields {
		if r.Fields[i].Path == path {
			return &r.Fields[i]
		}
	}
	return nil
}

// lines returns n records made of a format with one %d.
func lines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format+"\n", i)
	}
	return b.String()
}

func TestFields(t *testing.T) {
	text := `{"id":1,"a":{"b":[1,2.5,-3]},"n":null,"t":"x","e":""}
{"id":2,"a":{"b":[]},"n":5,"t":"x"}
no JSON
{"id":3,"a.b":true,"t":"y"}
[1]
`
	r := inspected(t, Options{}, write(t, "f.jsonl", text))
	if r.Records != 5 || r.Sampled != 3 || r.Unreadable != 2 || r.Estimated {
		t.Errorf("counts are %+v", r)
	}
	tests := []struct {
		path     string
		types    string
		records  int64
		distinct int64
		min, max string
	}{
		{"id", "integer", 3, 3, "1", "3"},
		{"a", "object", 2, 0, "", ""},
		{"a.b", "array", 1, 0, "", ""},
		{"a.b[]", "integer|number", 1, 3, "-3", "2.5"},
		{"n", "integer", 1, 1, "5", "5"},
		{"t", "string", 3, 2, "", ""},
		{"e", "string", 0, 0, "", ""},
		{`a\.b`, "boolean", 1, 1, "", ""},
	}
	if len(r.Fields) != len(tests) {
		t.Errorf("%d fields, want %d", len(r.Fields), len(tests))
	}
	for _, tt := range tests {
		f := r.field(tt.path)
		if f == nil {
			t.Errorf("%s is missing", tt.path)
			continue
		}
		if f.types() != tt.types || f.Records != tt.records || f.Distinct != tt.distinct || !f.Exact || f.Min != tt.min || f.Max != tt.max {
			t.Errorf("%s is %+v", tt.path, f)
		}
	}
}

func TestEstimate(t *testing.T) {
	const n = 50_000
	name := write(t, "f.jsonl", lines(n, `{"id":%d,"name":"some product","text":"`+strings.Repeat("x", 100)+`"}`))
	r := inspected(t, Options{Records: 5000}, name)
	if !r.Estimated || r.Sampled != 5000 || r.Records < n*9/10 || r.Records > n*11/10 {
		t.Errorf("of %d records: %d estimated (%v) of %d", n, r.Records, r.Estimated, r.Sampled)
	}
	if r = inspected(t, Options{Records: -1}, name); r.Estimated || r.Records != n || r.Sampled != n {
		t.Errorf("all: %d of %d", r.Sampled, r.Records)
	}
	if f := r.field("id"); f.Distinct != n || !f.Exact {
		t.Errorf("id: %d distinct, exact %v", f.Distinct, f.Exact)
	}
}

func TestDistinctEstimate(t *testing.T) {
	const n = 60_000
	spare := maxKept
	var d distinct
	for i := range 2 * n {
		d.add(hash(fmt.Append(nil, i%n)), &spare)
	}
	got, exact := d.count()
	if exact || got < n*9/10 || got > n*11/10 {
		t.Errorf("%d values are %d (exact %v)", n, got, exact)
	}
	if spare != maxKept {
		t.Errorf("%d values are still kept", maxKept-spare)
	}
	// Without room everything is estimated, and memory stays what it is.
	none := 0
	var e distinct
	for i := range 1000 {
		e.add(hash(fmt.Append(nil, i)), &none)
	}
	if got, exact := e.count(); exact || got < 900 || got > 1100 {
		t.Errorf("1000 values are %d (exact %v)", got, exact)
	}
}

func TestCandidates(t *testing.T) {
	tests := []struct {
		name, record string // with one %d
		want         []string
	}{
		{"an id by its name", `{"title":"T %[1]d x","article_id":%[1]d,"count":%[1]d}`, []string{"article_id", "count"}},
		{"the outer one first", `{"meta":{"id":"b%[1]d"},"id":"a%[1]d"}`, []string{"id", "meta.id"}},
		{"none in arrays, of decimals or prose", `{"v":[{"id":%[1]d}],"p":%[1]d.5,"name":"The %[1]d. product"}`, nil},
		{"none that repeats", `{"n":7,"x":%[1]d}`, []string{"x"}},
		{"the sku", `{"id":%[1]d,"sku":"s%[1]d"}`, []string{"sku", "id"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var sample [][]byte
			for i := range 100 {
				sample = append(sample, fmt.Appendf(nil, tt.record, i))
			}
			sample = append(sample, []byte("no JSON"), nil, []byte("[]"))
			var got []string
			for _, c := range Candidates(sample) {
				got = append(got, c.Path)
				if !c.Unique || c.Coverage != 1 {
					t.Errorf("%+v", c)
				}
			}
			if strings.Join(got, " ") != strings.Join(tt.want, " ") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestKeyWithGaps: a field that is called SKU is the key, whatever else has no
// gaps.
func TestKeyWithGaps(t *testing.T) {
	var sample [][]byte
	for i := range 100 {
		sku := fmt.Sprintf(`"S%d"`, i)
		if i%5 == 0 {
			sku = `""`
		}
		sample = append(sample, fmt.Appendf(nil, `{"row":%d,"Variant SKU":%s}`, i, sku))
	}
	got := Candidates(sample)
	if len(got) == 0 || got[0].Path != "Variant SKU" || got[0].Coverage != 0.8 {
		t.Errorf("got %+v", got)
	}
}

// TestSuggestion holds that the suggested mapping makes the records that one
// would want.
func TestSuggestion(t *testing.T) {
	tests := []struct{ name, record, want string }{
		{
			"nested", `{"uid":"u%[1]d","info":{"title":"T %[1]d","vendor":"V"},"category":"Shoes","specs":{"size":{"eu":%[1]d}},"slots":[{"_id":"i%[1]d","k":1}]}`,
			`{"sku":"u7","name":"T 7","brand":"V","categories":["Shoes"],"attributes":{"size_eu":7,"slots_k":[1]}}`,
		},
		{
			"Google", `{"g:id":"G%[1]d","g:title":"T %[1]d","g:product_type":"Home > TV > %[1]d","g:price":"15.00 EUR","g:availability":"in stock","g:image_link":"http://x/%[1]d.jpg","g:gtin":"%[1]d"}`,
			`{"sku":"G7","name":"T 7","categories":["Home/TV/7"],"images":["http://x/7.jpg"],"price":{"price":15.00,"currency":"EUR"},"stock":{"in_stock":true},"attributes":{"g:gtin":"7"}}`,
		},
		{"a price that is none in some records stays an attribute", `{"item id":%[1]d,"price":"%[1]d,500"}`, `{"sku":"7","attributes":{"price":"7,500"}}`},
		{
			"names that YAML and paths take for something else", `{"a\"\\b: #.id":%[1]d,"no":"x","[*]{}":{"\u0001é\n":true}}`,
			`{"sku":"7","attributes":{"no":"x","[*]{}_\u0001é\n":true}}`,
		},
		{
			"decimal commas", `{"Artikelnummer":"A%[1]d","Preis":"%[1]d.999 €","Angebotspreis":"5,90 €"}`,
			`{"sku":"A7","price":{"price":7999,"special_price":5.90,"currency":"EUR"}}`,
		},
		{
			"Shopify", `{"Handle":"shirt-%[1]d","Title":"T %[1]d","Body (HTML)":"<p>x</p>","Vendor":"V","Variant SKU":"S%[1]d","Variant Inventory Qty":"%[1]d","Variant Price":"25.00","Image Src":"http://x/%[1]d.jpg"}`,
			`{"sku":"S7","name":"T 7","brand":"V","description":"<p>x</p>","url_key":"shirt-7","images":["http://x/7.jpg"],"price":{"price":25.00},"stock":{"qty":7}}`,
		},
		{
			"WooCommerce", `{"ID":"%[1]d","Type":"simple","SKU":"W%[1]d","Name":"T %[1]d","In stock?":"1","Stock":"%[1]d","Regular price":"19,90"}`,
			`{"sku":"W7","name":"T 7","price":{"price":19.90},"stock":{"qty":7,"in_stock":true},"attributes":{"ID":"7","Type":"simple"}}`,
		},
		{"our own shape", `{"sku":"s%[1]d","name":"N","price":1.5,"stock":{"qty":2},"attributes":{"a":1}}`, ""},
		{"a sku, and a price to be read", `{"sku":"s%[1]d","title":"N","price":"1.5 EUR","color":"red"}`, `{"sku":"s7","name":"N","price":{"price":1.5,"currency":"EUR"},"color":"red"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var text strings.Builder
			for i := range 50 {
				fmt.Fprintf(&text, tt.record+"\n", i)
			}
			r := inspected(t, Options{}, write(t, "f.jsonl", text.String()))
			if tt.want == "" {
				if r.Mapping != "" || r.Note == "" {
					t.Fatalf("a mapping is suggested:\n%s", r.Mapping)
				}
				return
			}
			m, err := mapping.Parse([]byte(r.Mapping))
			if err != nil {
				t.Fatalf("%v in\n%s", err, r.Mapping)
			}
			got, err := m.NewMapper().Map(fmt.Appendf(nil, tt.record, 7))
			if err != nil {
				t.Fatalf("%v with\n%s", err, r.Mapping)
			}
			if !sameJSON(t, got, []byte(tt.want)) {
				t.Errorf("got  %s\nwant %s\nwith\n%s", got, tt.want, r.Mapping)
			}
		})
	}
}

// TestCSV holds that a table, compressed, is inspected like any other feed.
func TestCSV(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, err := io.WriteString(w, "Artikelnummer;Bezeichnung;Kategorie;Preis;meta.x\nA-1;Hemd;Herren > Hemden;1.299,50 EUR;1\nA-2;Hose;Herren > Hosen;49,00 EUR;2\n")
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	r := inspected(t, Options{}, write(t, "f.csv.gz", z.String()))
	if f := r.Feeds[0]; f.Format != feed.CSV || f.Compression != feed.Gzip || f.Records != 2 {
		t.Errorf("the feed is %+v", f)
	}
	m, err := mapping.Parse([]byte(r.Mapping))
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.NewMapper().Map([]byte(`{"Artikelnummer":"A-1","Bezeichnung":"Hemd","Kategorie":"Herren > Hemden","Preis":"1.299,50 EUR","meta.x":"1"}`))
	want := `{"sku":"A-1","name":"Hemd","categories":["Herren/Hemden"],"price":{"price":1299.50,"currency":"EUR"},"attributes":{"meta.x":"1"}}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v\nwant %s\nwith\n%s", got, err, want, r.Mapping)
	}
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	norm := func(b []byte) string {
		var v any
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%v in %s", err, b)
		}
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	return norm(a) == norm(b)
}

func TestNoKey(t *testing.T) {
	r := inspected(t, Options{}, write(t, "f.jsonl", strings.Repeat(`{"a":1,"b":"x"}`+"\n", 20)))
	if len(r.Candidates) != 0 || r.Mapping != "" || r.Note == "" {
		t.Errorf("got %+v", r)
	}
}

// TestHostile holds that no feed grows memory or time without bounds.
func TestHostile(t *testing.T) {
	var names strings.Builder
	for i := range 300 {
		names.WriteByte('{')
		for j := range 100 {
			fmt.Fprintf(&names, `"k%d":%d,`, i*100+j, j)
		}
		names.WriteString("\"id\":1}\n")
	}
	r := inspected(t, Options{}, write(t, "names.jsonl", names.String()))
	if len(r.Fields) > maxFields || !r.MoreFields {
		t.Errorf("%d fields, more: %v", len(r.Fields), r.MoreFields)
	}
	deep := strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000) + "\n" + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "\n"
	r = inspected(t, Options{}, write(t, "deep.jsonl", deep))
	if len(r.Fields) > 70 || r.Records != 2 {
		t.Errorf("%d fields of %d records", len(r.Fields), r.Records)
	}
}

func TestInspectErrors(t *testing.T) {
	if _, err := Inspect(context.Background(), []string{filepath.Join(t.TempDir(), "none.jsonl")}, Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Inspect(context.Background(), []string{write(t, "e.jsonl", "")}, Options{}); !errors.Is(err, feed.ErrNoFeed) {
		t.Errorf("an empty file: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Inspect(ctx, []string{write(t, "f.jsonl", `{"id":1}`)}, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestWriteText(t *testing.T) {
	long := strings.Repeat("very_long_name.", 20)
	text := lines(10, `{"id":%d,"`+long+`":{"x":"a\u001b[31m\u0007"},"d":"`+strings.Repeat("wörter ", 50)+`"}`)
	r := inspected(t, Options{}, write(t, "f.jsonl", text))
	for _, width := range []int{0, 70, 80, 200} {
		var b bytes.Buffer
		if err := r.WriteText(&b, width); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(b.String(), "\x1b\x07") {
			t.Error("control characters reach the terminal")
		}
		table, _, _ := strings.Cut(b.String(), "\n\nFields that")
		_, table, _ = strings.Cut(table, "\n\n")
		limit := width
		if limit == 0 {
			limit = 100
		}
		for line := range strings.Lines(table) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > limit+2 {
				t.Errorf("width %d: a line has %d columns: %s", width, n, line)
			}
		}
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}
