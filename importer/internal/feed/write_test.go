package feed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// value parses JSON, keeping numbers as they are written.
func value(t testing.TB, s string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %.200q", err, s)
	}
	return v
}

// written writes records in a format, scanning them for columns.
func written(t testing.TB, o WriterOptions, records []string) []byte {
	t.Helper()
	var scan ColumnScan
	for _, r := range records {
		if err := scan.Add([]byte(r)); err != nil {
			t.Fatal(err)
		}
	}
	o.Columns = scan.Columns()
	var b bytes.Buffer
	w, err := NewWriter(&b, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := w.Write([]byte(r)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var samples = []string{
	`{"sku":"A","name":"x, \"y\"\nz","n":1,"d":1.5,"num":1.50,"ok":true,"tags":["a",{"b":null}],"mixed":1,"empty":"","nul":null}`,
	`{"sku":"B","name":"","n":-9007199254740993,"d":2,"num":1e400,"ok":false,"tags":[],"mixed":"x","esc\"\u00e9":"\u0000\u001f\\/ü€😀","a:number":"text"}`,
	`{"sku":"C;D\tE|F","name":"  spaced  ","d":-0.25,"num":0.1e-5,"nul":7,"crlf":"a\r\nb\r","a:number":":","wide":123456789012345678}`,
	`{"sku":"123","wide":0.5}`,
	`{"sku":"null","name":"null","nul":{"a":[1,2,{"c":"d"}]}}`,
}

func TestWritersRoundTrip(t *testing.T) {
	var many []string
	for i := range 5000 {
		many = append(many, fmt.Sprintf(`{"sku":"S%d","n":%d,"text":%q,"list":[%d]}`, i, i, strings.Repeat("lorem ", i%40), i))
	}
	for name, records := range map[string][]string{"samples": samples, "many": many, "none": {`{"sku":"only"}`}} {
		for _, format := range []string{JSONL, JSON, CSV, TSV, Parquet} {
			for _, compression := range []string{None, Gzip, Zstd} {
				t.Run(name+" "+format+" "+compression, func(t *testing.T) {
					content := written(t, WriterOptions{Format: format, Compression: compression}, records)
					r, in := openInput(t, file(t, "f", string(content)), Options{})
					if want := strings.Replace(format, TSV, CSV, 1); in.Format != want {
						t.Errorf("recognised as %s", in.Format)
					}
					recs, err := readAll(t, r)
					if err != nil || len(recs) != len(records) {
						t.Fatal(len(recs), err)
					}
					for i, rec := range recs {
						if got, want := value(t, rec.JSON), value(t, records[i]); !reflect.DeepEqual(got, want) {
							t.Fatalf("%s\nwant %s", rec.JSON, records[i])
						}
					}
				})
			}
		}
	}
}

func TestColumnScan(t *testing.T) {
	var scan ColumnScan
	for _, r := range samples {
		if err := scan.Add([]byte(r)); err != nil {
			t.Fatal(err)
		}
	}
	want := []Column{
		{"sku", TypeString},
		{"a:number", TypeString},
		{"crlf", TypeString},
		{"d", TypeDouble},
		{"empty", TypeString},
		{"esc\"é", TypeString},
		{"mixed", TypeJSON},
		{"n", TypeInt},
		{"name", TypeString},
		{"nul", TypeJSON},
		{"num", TypeNumber},
		{"ok", TypeBool},
		{"tags", TypeJSON},
		{"wide", TypeNumber},
	}
	if got := scan.Columns(); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestWriterErrors(t *testing.T) {
	for _, o := range []WriterOptions{
		{Format: "xml"},
		{Format: JSONL, Compression: "lzma"},
		{Format: Parquet, Compression: "lzma", Columns: []Column{{"a", TypeInt}}},
		{Format: CSV},
		{Format: Parquet},
		{Format: CSV, Columns: []Column{{"a", TypeInt}, {"a", TypeBool}}},
		{Format: CSV, Columns: []Column{{"", TypeInt}}},
		{Format: CSV, Columns: []Column{{"a", "date"}}},
	} {
		if _, err := NewWriter(&bytes.Buffer{}, o); !errors.Is(err, ErrOption) {
			t.Errorf("%v: got %v", o, err)
		}
	}
	for _, format := range []string{CSV, Parquet} {
		w, err := NewWriter(&bytes.Buffer{}, WriterOptions{Format: format, Columns: []Column{{"s", TypeString}, {"n", TypeInt}, {"d", TypeDouble}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range []string{`{"x":1}`, `{"s":1}`, `{"s":null}`, `{"n":1.5}`, `{"d":1.50}`, `[]`} {
			if err := w.Write([]byte(rec)); !errors.Is(err, ErrOption) {
				t.Errorf("%s %s: got %v", format, rec, err)
			}
		}
	}
}
