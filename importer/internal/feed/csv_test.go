package feed

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestCSV(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		opts     Options
		want     []string
	}{
		{"plain", "sku,name,n\nA,Shirt,1\nB,,2\n", Options{}, []string{`{"sku":"A","name":"Shirt","n":"1"}`, `{"sku":"B","n":"2"}`}},
		{"crlf, blank lines, no end", "sku,name\r\n\r\nA,x\r\n\nB,y", Options{}, []string{`{"sku":"A","name":"x"}`, `{"sku":"B","name":"y"}`}},
		{"quotes", "sku,name\n\"A\",\"a \"\"b\"\", c\nd\"\n", Options{}, []string{`{"sku":"A","name":"a \"b\", c\nd"}`}},
		{"stray quotes", "sku,name\nA,5\" pipe\nB,say \"x\"\n", Options{}, []string{`{"sku":"A","name":"5\" pipe"}`, `{"sku":"B","name":"say \"x\""}`}},
		{"semicolon", "sku;name,x;y\nA;b,c;d\n", Options{}, []string{`{"sku":"A","name,x":"b,c","y":"d"}`}},
		{"tab", "sku\tname\nA\tb,c\n", Options{}, []string{`{"sku":"A","name":"b,c"}`}},
		{"pipe", "sku|name\nA|b\n", Options{}, []string{`{"sku":"A","name":"b"}`}},
		{"told", "sku,x^name\nA^b\n", Options{Format: CSV, Delimiter: "^"}, []string{`{"sku,x":"A","name":"b"}`}},
		{"tsv", "sku,a\tb\n1\t2\n", Options{Format: TSV}, []string{`{"sku,a":"1","b":"2"}`}},
		{"excel", "sep=;\r\nsku;name\r\nA;b\r\n", Options{}, []string{`{"sku":"A","name":"b"}`}},
		{"bom", bom + "sku,name\nA,b\n", Options{}, []string{`{"sku":"A","name":"b"}`}},
		{"quoted header", "\"sku\",\"a \"\"b\"\"\nc\"\nA,b\n", Options{}, []string{`{"sku":"A","a \"b\"\nc":"b"}`}},
		{"spaced header", " sku , name\nA, b\n", Options{}, []string{`{"sku":"A","name":" b"}`}},
		{"one column", "sku\nA\n\nB\n", Options{}, []string{`{"sku":"A"}`, `{"sku":"B"}`}},
		{"no rows", "sku,name\n", Options{}, nil},
		{"no rows, no end", "sku,name", Options{}, nil},
		{"controls", "sku,name\nA,\x00\x1f\t\n", Options{}, []string{`{"sku":"A","name":"\u0000\u001f\t"}`}},
		{
			"typed", "sku:string,n:number,b:bool,j:json,s:string,odd:thing,e:int\nA,1.50,true,\"{\"\"x\"\":[1]}\",\"\",o,\nB,null,0,null,,,7\n",
			Options{},
			[]string{`{"sku":"A","n":1.50,"b":true,"j":{"x":[1]},"s":"","odd:thing":"o"}`, `{"sku":"B","n":null,"b":false,"j":null,"e":7}`},
		},
		{
			"typed, wrong", "sku:string,n:number,b:bool,j:json\nA,x,,\nB,,maybe,\nC,,,{\nD,01,,\nE,1,,\n",
			Options{},
			[]string{"!cell_invalid", "!cell_invalid", "!cell_invalid", "!cell_invalid", `{"sku":"E","n":1}`},
		},
		{"ragged", "sku,name\nA\nB,b\nC,c,\nD,d\n", Options{}, []string{"!csv_columns", `{"sku":"B","name":"b"}`, "!csv_columns", `{"sku":"D","name":"d"}`}},
		{"misplaced quote", "sku,name\nA,\"a\"b\nB,b\nC,\"<p class=\"x\">\n</p>\"\nD,d\n", Options{}, []string{"!csv_quote", `{"sku":"B","name":"b"}`, "!csv_quote", `{"sku":"D","name":"d"}`}},
		{"open quote", "sku,name\nA,\"a\nB,b\nC,c\n", Options{}, []string{"!csv_quote", `{"sku":"B","name":"b"}`, `{"sku":"C","name":"c"}`}},
		{"bad utf-8", "sku,name\nA,ü\nB,\xff\n", Options{}, []string{`{"sku":"A","name":"ü"}`, "!invalid_utf8"}},
		{"1252", "sku,name\nA,M\xfcller \x80\n", Options{Encoding: "windows-1252"}, []string{`{"sku":"A","name":"Müller €"}`}},
		{"utf-16", "\xff\xfes\x00k\x00u\x00,\x00n\x00\n\x00A\x00,\x00\xfc\x00\n\x00", Options{}, []string{`{"sku":"A","n":"ü"}`}},
		{"utf-16, odd", "\xff\xfes\x00k\x00u\x00,\x00n\x00\n\x00A\x00,\x00b\x00\n", Options{}, []string{"!truncated"}},
		{"utf-16be asked", "\x00s\x00k\x00u\x00,\x00n\x00\n\x00A\x00,\x00\xfc\x00\n", Options{Encoding: "utf-16"}, []string{`{"sku":"A","n":"ü"}`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			recs, err := readFile(t, "a.csv", tt.in, tt.opts)
			if cut := slices.Contains(tt.want, "!truncated"); errors.Is(err, ErrTruncated) != cut || err != nil && !cut || !slices.Equal(jsons(recs), tt.want) {
				t.Errorf("got  %q, %v\nwant %q", jsons(recs), err, tt.want)
			}
		})
	}
}

func TestCSVHeaderErrors(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		opts     Options
		want     error
	}{
		{"twice", "sku,name,sku\n", Options{}, ErrHeader},
		{"twice typed", "sku:string,name,sku\n", Options{}, ErrHeader},
		{"unnamed", "sku,,name\n", Options{}, ErrHeader},
		{"ends with delimiter", "sku,name,\n", Options{}, ErrHeader},
		{"open quote", "sku,\"name\nA,b\n", Options{}, ErrHeader},
		{"long name", "sku," + strings.Repeat("x", 2000) + "\n", Options{}, ErrHeader},
		{"no sku", "store_view_code,product_online\n", Options{Format: Magento}, ErrHeader},
		{"delimiter", "sku,name\n", Options{Delimiter: "ab"}, ErrOption},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := file(t, "a.csv", tt.in)
			ins, err := Expand(t.Context(), []string{path}, tt.opts)
			if err != nil {
				t.Fatal(err)
			}
			if _, err = ins[0].Open(t.Context()); !errors.Is(err, tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// A feed that is cut off in a quoted cell is told from one with a quote too many.
func TestCSVTruncated(t *testing.T) {
	recs, err := readFile(t, "a.csv", "sku,name,x\nA,a,\nB,\"b\nmore", Options{})
	if want := []string{`{"sku":"A","name":"a"}`, "!truncated"}; !errors.Is(err, ErrTruncated) || !slices.Equal(jsons(recs), want) {
		t.Errorf("got %q, %v", jsons(recs), err)
	}
	if recs[1].Line != 3 || recs[1].Offset != 16 {
		t.Errorf("at line %d, offset %d", recs[1].Line, recs[1].Offset)
	}
}

// Places are right over many chunks, with newlines in cells.
func TestCSVPlaces(t *testing.T) {
	var b strings.Builder
	b.WriteString("sku,text,n\n")
	for i := range 30_000 {
		fmt.Fprintf(&b, "S%d,\"%s\",%d\n", i, strings.Repeat("line\n\"\"x\"\"", i%9), i)
	}
	text := b.String()
	for _, content := range []string{text, gz(text)} {
		recs, err := readFile(t, "a.csv", content, Options{})
		if err != nil || len(recs) != 30_000 {
			t.Fatal(len(recs), err)
		}
		for i, r := range recs {
			if !strings.HasPrefix(text[r.Offset:], fmt.Sprintf("S%d,", i)) || r.Line != int64(1+strings.Count(text[:r.Offset], "\n")) || r.Ord != r.Line-1-1 && r.Ord != r.Line-1 {
				t.Fatalf("record %d: line %d, ord %d, offset %d", i, r.Line, r.Ord, r.Offset)
			}
		}
	}
}

func TestCSVKeys(t *testing.T) {
	for _, tt := range []struct {
		name, in, field string
		want            []string
	}{
		{"plain", "name,sku\nx,A\n\"y\nz\",\"B\"\"1\"\nragged\n,\n", "sku", []string{"A", `B"1`, "-"}},
		{"no column", "name,id\nx,A\n", "sku", []string{"-"}},
		{"json", "id:json,n\n\"\"\"x\\u0041\"\"\",1\n5,1\n", "id", []string{"xA", "5"}},
		{"magento", "sku,store_view_code,product_online\n A ,,1\nA,de,1\n", "sku", []string{"A", "A/overlay"}},
		{"magento other", "sku,store_view_code,product_online,url_key\nA,,1,u\nA,de,1,\n", "url_key", []string{"u", "-/overlay"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, _ := openInput(t, file(t, "a.csv", tt.in), Options{})
			var keys []string
			var ords []int64
			d := r.NewDecoder().(KeyDecoder)
			err := r.Chunks(t.Context(), func(c *Chunk) error {
				return d.Keys(c, tt.field, func(ord int64, key []byte, overlay bool) error {
					s := string(key)
					if key == nil {
						s = "-"
					}
					if overlay {
						s += "/overlay"
					}
					keys = append(keys, s)
					ords = append(ords, ord)
					return nil
				})
			})
			if err != nil || !slices.Equal(keys, tt.want) {
				t.Errorf("got %q, %v", keys, err)
			}
			recs, err := readAll(t, r)
			if err != nil {
				t.Fatal(err)
			}
			recs = slices.DeleteFunc(recs, func(g got) bool { return g.Reason != "" })
			for i, rec := range recs {
				if rec.Ord != ords[i] {
					t.Errorf("key %d has ord %d, its record %d", i, ords[i], rec.Ord)
				}
			}
		})
	}
}

// What encoding/csv reads, this reads alike; what it does not never does harm.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a,b\n\"1\n\",\"\"\"\"\n", "a\n\"\n", "a,b\n1\n\"x\"y,\n2,3", "a,b\r\n\r\n1,2\r\n", "a:json,b:number\n{},1\n", "a,b\n\"\",\n", "a;b\n;;\n", "a,b\n\xff,\x00\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		in := inMemory(s, CSV)
		r, err := newCSV(in, []byte(s))
		if err != nil || strings.HasPrefix(s, bom) {
			return
		}
		recs, err := readAll(t, r)
		if err != nil && !errors.Is(err, ErrTruncated) {
			t.Fatal(err)
		}
		for _, rec := range recs {
			if rec.Reason == "" && !json.Valid([]byte(rec.JSON)) {
				t.Errorf("%q", rec.JSON)
			}
		}
		h := r.(*csvFeed).header
		std := csv.NewReader(strings.NewReader(s[h.size:]))
		std.Comma = rune(h.delim)
		std.FieldsPerRecord = -1
		rows, err := std.ReadAll()
		if err != nil || h.delim == '\n' || strings.ContainsAny(s, "\r") {
			return
		}
		if len(rows) != len(recs) {
			t.Fatalf("%d records, encoding/csv has %d: %q", len(recs), len(rows), jsons(recs))
		}
		for i, row := range rows {
			switch {
			case len(row) != len(h.cols):
				if recs[i].Reason != string(ReasonRagged) {
					t.Errorf("row %d: %+v", i, recs[i])
				}
			case recs[i].Reason == "":
				var doc map[string]any
				if json.Unmarshal([]byte(recs[i].JSON), &doc) != nil {
					t.Fatal(recs[i].JSON)
				}
				for j, col := range h.cols {
					if v, _ := doc[col.name].(string); col.typ == "" && v != row[j] {
						t.Errorf("row %d, column %d: %q, encoding/csv has %q", i, j, v, row[j])
					}
				}
			}
		}
	})
}

func FuzzMagento(f *testing.F) {
	for _, s := range []string{"has_options=0,size=XS", `a="x,""y""",b=1|2`, "sku=A,size=S|sku=B", `R/A\/B,"R/C, D"`, "1/31/24, 2:05 PM", "__EMPTY__VALUE__", `"`, `"",""`, `a="""b""|""c"""`} {
		f.Add(s, s)
	}
	const columns = "sku,store_view_code,name,categories,visibility,price,qty,created_at,special_price_from_date,base_image,small_image,additional_images,additional_image_labels,additional_attributes,configurable_variations,configurable_variation_labels,own\n"
	f.Fuzz(func(t *testing.T, a, b string) {
		var feed bytes.Buffer
		feed.WriteString(columns)
		w := csv.NewWriter(&feed)
		for _, store := range []string{"", "de"} {
			w.Write([]string{a, store, a, b, a, b, a, b, a, a, b, a, b, a, b, a, b})
		}
		w.Flush()
		r, err := newCSV(inMemory(feed.String(), Magento), feed.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		recs, err := readAll(t, r)
		if err != nil || len(recs) != 2 {
			t.Fatal(len(recs), err)
		}
		for _, rec := range recs {
			if rec.Reason == "" {
				if err := noDuplicates(json.NewDecoder(strings.NewReader(rec.JSON))); err != nil {
					t.Errorf("%q: %v", rec.JSON, err)
				}
			}
		}
	})
}

// noDuplicates reads one JSON value and reports what is wrong with it, a member
// named twice included.
func noDuplicates(d *json.Decoder) error {
	tok, err := d.Token()
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for tok == json.Delim('{') || tok == json.Delim('[') {
		if !d.More() {
			_, err = d.Token()
			return err
		}
		if tok == json.Delim('{') {
			name, err := d.Token()
			if err != nil {
				return err
			}
			if s, ok := name.(string); !ok || seen[s] {
				return fmt.Errorf("%v twice", name)
			}
			seen[name.(string)] = true
		}
		if err := noDuplicates(d); err != nil {
			if errors.Is(err, io.EOF) {
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}
