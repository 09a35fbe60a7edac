package export_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/fixtures"
	"catalog/importer"
	"catalog/importer/export"
)

// oddities are records that formats find hard to keep.
const oddities = `{"sku":"odd-1","n":` + "9999999999999999999999999999999999999999999999999999999999999999.5" + `,"e":1e-30,"z":-0,"f":1.50,"i":007e0}
{"sku":"odd-2","empty":"","null":null,"no":{},"none":[],"nested":{"b":[1,{"a":null}],"a":"x"}}
{"sku":"odd-3","a:number":"text","b:json":1,"c:string":"s","d:":"x",":":"y","a,b":"1","q\"q":"2","l\nl":"3"," sp ":"4"}
{"sku":"odd-4","s":"line\nbreak, \"quoted\"; semi\ttab\r\nend","eq":"=1+1","sp":"  outer  ","num":"0012","t":"true","nul":"null"}
{"sku":"odd-5","mixed":1,"flag":true,"big":9223372036854775807,"bigger":9223372036854775808,"d":0.1}
{"sku":"odd-6","mixed":"1","flag":false,"big":-9223372036854775808,"bigger":1,"d":123456789.123456789}
{"sku":"odd-7","u":"é😀 \u2028 \u0001 \u007f","\u00e9":"name","😀":1}
{"sku":"odd,8","name":{"de":"D","default":"N"},"stores":{"de":{"name":"x"}}}
{"sku":"odd\"9","currency":"EUR"}
{"$kind":"price","sku":"odd\"9","price":"12.50"}
{"$kind":"stock","sku":"alone","qty":3,"sources":[{"source":"a","qty":1}]}
{"$kind":"category","path":"Men/Shoes","name":{"default":"Shoes","de":"Schuhe"},"position":2}
{"$kind":"category","id":"17","path":"Women"}
{"$kind":"attribute","code":"color","label":"Colour","options":["red","blue"]}
`

// load imports a feed's text into a store of its own.
func load(t *testing.T, name string, text []byte) catalog.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	report, err := importer.Run(t.Context(), store, importer.Options{Feeds: []string{path}})
	if err != nil || report.Rejected > 0 {
		t.Fatalf("%s: %v, %+v", name, err, report)
	}
	return store
}

func exported(t *testing.T, store catalog.Store, o export.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := export.Run(t.Context(), store, &b, o); err != nil {
		t.Fatalf("%+v: %v", o, err)
	}
	return b.Bytes()
}

// TestFormatsRoundTrip checks that what each format exports is imported as an
// equal store.
func TestFormatsRoundTrip(t *testing.T) {
	var feed bytes.Buffer
	if _, err := fixtures.Generate(t.Context(), &feed, fixtures.Options{Records: 400, Seed: 3}); err != nil {
		t.Fatal(err)
	}
	feed.WriteString(strings.ReplaceAll(oddities, "007e0", "7e0"))
	store := load(t, "feed.jsonl", feed.Bytes())
	want := exported(t, store, export.Options{Canonical: true})
	for _, tt := range []struct{ file, format, compression string }{
		{"a.jsonl", "jsonl", ""},
		{"a.jsonl.gz", "jsonl", "gzip"},
		{"a.jsonl.zst", "jsonl", "zstd"},
		{"a.json", "json", ""},
		{"a.json.gz", "json", "gzip"},
		{"a.csv", "csv", ""},
		{"a.csv.zst", "csv", "zstd"},
		{"a.tsv", "tsv", ""},
		{"a.parquet", "parquet", ""},
		{"b.parquet", "parquet", "gzip"},
	} {
		for _, canonical := range []bool{false, true} {
			t.Run(tt.file, func(t *testing.T) {
				text := exported(t, store, export.Options{Format: tt.format, Compression: tt.compression, Canonical: canonical})
				again := load(t, tt.file, text)
				got := exported(t, again, export.Options{Canonical: true})
				compare(t, got, want)
			})
		}
	}
}

// TestCanonicalIsStable checks that the canonical export of an import of a
// canonical export is that export.
func TestCanonicalIsStable(t *testing.T) {
	store := load(t, "feed.jsonl", []byte(strings.ReplaceAll(oddities, "007e0", "7e0")))
	first := exported(t, store, export.Options{Canonical: true})
	second := exported(t, load(t, "first.jsonl", first), export.Options{Canonical: true})
	compare(t, second, first)
}

func compare(t *testing.T, got, want []byte) {
	t.Helper()
	a, b := bytes.Split(got, []byte{'\n'}), bytes.Split(want, []byte{'\n'})
	if len(a) != len(b) {
		t.Errorf("%d lines, want %d", len(a), len(b))
	}
	shown := 0
	for i := 0; i < min(len(a), len(b)) && shown < 3; i++ {
		if !bytes.Equal(a[i], b[i]) {
			shown++
			t.Errorf("line %d:\ngot  %.1500s\nwant %.1500s", i+1, a[i], b[i])
		}
	}
}

// TestWrite writes records that are in no store.
func TestWrite(t *testing.T) {
	records := func(yield func([]byte, error) bool) {
		for _, r := range []string{`{"sku":"a","n":1}`, `{"sku":"b","n":2}`} {
			if !yield([]byte(r), nil) {
				return
			}
		}
	}
	for _, format := range []string{"jsonl", "json", "csv", "parquet"} {
		var b bytes.Buffer
		if err := export.Write(t.Context(), &b, records, export.Options{Format: format}); err != nil {
			t.Fatal(err)
		}
		got := exported(t, load(t, "feed."+format, b.Bytes()), export.Options{Canonical: true})
		compare(t, got, []byte(`{"n":1,"sku":"a"}`+"\n"+`{"n":2,"sku":"b"}`+"\n"))
	}
}

// TestUnnamed checks that what a table cannot hold is said, not lost.
func TestUnnamed(t *testing.T) {
	store := load(t, "feed.jsonl", []byte(`{"sku":"a","":1}`))
	for _, format := range []string{"csv", "parquet"} {
		if _, err := export.Run(t.Context(), store, &bytes.Buffer{}, export.Options{Format: format}); !errors.Is(err, export.ErrOptions) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestCompress(t *testing.T) {
	for _, compression := range []string{"", "none", "gzip", "zstd"} {
		var b bytes.Buffer
		w, err := export.Compress(&b, compression)
		if err != nil {
			t.Fatal(err)
		}
		// Lines in pieces, the last one without its end.
		for _, piece := range []string{`{"sku"`, `:"a"}` + "\n" + `{"sku":"b"}` + "\n" + `{"s`, `ku":"c"}`} {
			if n, err := w.Write([]byte(piece)); n != len(piece) || err != nil {
				t.Fatalf("%d, %v", n, err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got := exported(t, load(t, "feed.jsonl", b.Bytes()), export.Options{})
		compare(t, got, []byte(`{"sku":"a"}`+"\n"+`{"sku":"b"}`+"\n"+`{"sku":"c"}`+"\n"))
	}
	if _, err := export.Compress(&bytes.Buffer{}, "rar"); err == nil {
		t.Error("rar is no compression of ours")
	}
}

func BenchmarkRun(b *testing.B) {
	path := filepath.Join(b.TempDir(), "feed.jsonl")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := fixtures.Generate(b.Context(), f, fixtures.Options{Records: 20000}); err != nil {
		b.Fatal(err)
	}
	f.Close()
	store := memstore.New()
	if _, err := importer.Run(b.Context(), store, importer.Options{Feeds: []string{path}}); err != nil {
		b.Fatal(err)
	}
	for _, o := range []export.Options{{}, {Canonical: true}, {Format: "csv"}, {Format: "parquet"}} {
		name := o.Format
		if o.Canonical {
			name = "canonical"
		}
		b.Run("format="+name, func(b *testing.B) {
			for b.Loop() {
				var n counter
				if _, err := export.Run(b.Context(), store, &n, o); err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(n))
			}
			b.ReportMetric(20000*float64(b.N)/b.Elapsed().Seconds(), "products/s")
		})
	}
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
