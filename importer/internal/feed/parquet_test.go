package feed

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
)

// parquetOf writes rows with the library's own writer.
func parquetOf[T any](t testing.TB, rows []T, o ...parquet.WriterOption) string {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, o...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type variantRow struct {
	SKU   string            `parquet:"sku"`
	Attrs map[string]string `parquet:"attributes"`
	Tags  []string          `parquet:"tags,list"`
}

type fullRow struct {
	SKU      string             `parquet:"sku"`
	Name     *string            `parquet:"name,optional,dict"`
	I8       int8               `parquet:"i8"`
	U64      uint64             `parquet:"u64"`
	U32      uint32             `parquet:"u32"`
	F32      float32            `parquet:"f32"`
	F64      float64            `parquet:"f64"`
	OK       bool               `parquet:"ok"`
	Price    int64              `parquet:"price,decimal(2:18)"`
	Cost     int32              `parquet:"cost,decimal(3:9)"`
	Day      int32              `parquet:"day,date"`
	At       time.Time          `parquet:"at,timestamp(microsecond)"`
	ID       [16]byte           `parquet:"id,uuid"`
	Raw      []byte             `parquet:"raw"`
	Doc      string             `parquet:"doc,json"`
	Plain    []int64            `parquet:"plain"`
	List     []string           `parquet:"list,list"`
	Map      map[string]float64 `parquet:"map"`
	IntMap   map[int32]bool     `parquet:"intmap"`
	Variants []variantRow       `parquet:"variants,list"`
	Group    *struct {
		A *string `parquet:"a,optional"`
		B struct {
			C *int32 `parquet:"c,optional"`
		} `parquet:"b"`
		L []int32 `parquet:"l,list"`
	} `parquet:"group,optional"`
}

func TestParquetTypes(t *testing.T) {
	name, c := "Ü \"x\"", int32(5)
	full := fullRow{
		SKU: "A", Name: &name, I8: -8, U64: math.MaxUint64, U32: math.MaxUint32, F32: 0.1, F64: 1e100, OK: true, Price: -1, Cost: 12345,
		Day: 19754, At: time.Date(2024, 2, 1, 3, 4, 5, 600_000_000, time.UTC), ID: [16]byte{0x12, 15: 0xff}, Raw: []byte{0xff, 0}, Doc: `{"x": [1]}`,
		Plain: []int64{1, 2}, List: []string{"a", ""}, Map: map[string]float64{"k": 1.5}, IntMap: map[int32]bool{7: true},
		Variants: []variantRow{{SKU: "V1", Attrs: map[string]string{"s": "M"}, Tags: []string{"x", "y"}}, {SKU: "V2"}},
	}
	full.Group = &struct {
		A *string `parquet:"a,optional"`
		B struct {
			C *int32 `parquet:"c,optional"`
		} `parquet:"b"`
		L []int32 `parquet:"l,list"`
	}{L: []int32{1}}
	full.Group.B.C = &c
	empty := fullRow{SKU: "B", Doc: "null", Raw: []byte("text")}
	recs, err := readFile(t, "a", parquetOf(t, []fullRow{full, empty}), Options{})
	if err != nil || len(recs) != 2 {
		t.Fatal(recs, err)
	}
	got := value(t, recs[0].JSON).(map[string]any)
	for k, want := range map[string]string{
		"sku": `"A"`, "name": `"Ü \"x\""`, "i8": "-8", "u64": "18446744073709551615", "u32": "4294967295", "f32": "0.1", "f64": "1e+100", "ok": "true",
		"price": "-0.01", "cost": "12.345", "day": `"2024-02-01"`, "at": `"2024-02-01T03:04:05.6Z"`, "id": `"12000000-0000-0000-0000-0000000000ff"`,
		"raw": `"/wA="`, "doc": `{"x":[1]}`, "plain": "[1,2]", "list": `["a",""]`, "map": `{"k":1.5}`, "intmap": `{"7":true}`,
		"variants": `[{"sku":"V1","attributes":{"s":"M"},"tags":["x","y"]},{"sku":"V2","attributes":{},"tags":[]}]`,
		"group":    `{"b":{"c":5},"l":[1]}`,
	} {
		if !reflect.DeepEqual(got[k], value(t, want)) {
			t.Errorf("%s: got %v, want %s", k, got[k], want)
		}
	}
	got = value(t, recs[1].JSON).(map[string]any)
	for _, k := range []string{"name", "group"} {
		if v, ok := got[k]; ok {
			t.Errorf("%s: %v is there", k, v)
		}
	}
	if got["raw"] != "text" {
		t.Errorf("raw: %v", got["raw"])
	}
}

func TestParquetCells(t *testing.T) {
	type row struct {
		SKU string   `parquet:"sku"`
		F   *float64 `parquet:"f,optional"`
		J   string   `parquet:"j,json"`
		T   string   `parquet:"t"`
	}
	nan, inf, one := math.NaN(), math.Inf(-1), 1.0
	recs, err := readFile(t, "a.parquet", parquetOf(t, []row{{"A", &nan, "1", ""}, {"B", &one, "{}", ""}, {"C", &inf, "1", ""}, {"D", nil, "{", ""}, {"E", nil, "1", "\xff"}, {"F", nil, "[ ]", ""}}), Options{})
	want := []string{"!cell_invalid", `{"sku":"B","f":1,"j":{},"t":""}`, "!cell_invalid", "!cell_invalid", "!invalid_utf8", `{"sku":"F","j":[ ],"t":""}`}
	if err != nil || !slices.Equal(jsons(recs), want) {
		t.Errorf("got %q, %v", jsons(recs), err)
	}
	if recs[2].Line != 3 || recs[2].Offset != -1 || recs[2].Ord != 2 {
		t.Errorf("%+v", recs[2])
	}
}

// wideRows makes rows with many columns, each of which most rows do not have,
// over several row groups and pages.
func wideRows(t testing.TB, rows, columns int, o WriterOptions) (string, []string) {
	t.Helper()
	var records []string
	for i := range rows {
		var b strings.Builder
		fmt.Fprintf(&b, `{"sku":"S%d"`, i)
		for j := range 20 {
			fmt.Fprintf(&b, `,"attr%d":"value %d %s"`, (i*7+j*(columns/20))%columns, i%97, strings.Repeat("x", i%30))
		}
		b.WriteString("}")
		records = append(records, b.String())
	}
	o.Format = Parquet
	return string(written(t, o, records)), records
}

// Any number of decoders, taking chunks in turn, give the same records.
func TestParquetParallel(t *testing.T) {
	type row struct {
		SKU  string   `parquet:"sku"`
		N    *int64   `parquet:"n,optional"`
		Tags []string `parquet:"tags,list"`
	}
	many := 50_000
	if testing.Short() {
		many = 10_000
	}
	var rows []row
	for i := range many {
		r := row{SKU: fmt.Sprint("S", i)}
		if i%3 == 0 {
			n := int64(i)
			r.N = &n
		}
		for j := range i % 4 {
			r.Tags = append(r.Tags, fmt.Sprint(i, "-", j))
		}
		rows = append(rows, r)
	}
	for _, version := range []int{1, 2} {
		content := parquetOf(t, rows, parquet.DataPageVersion(version), parquet.PageBufferSize(4<<10), parquet.MaxRowsPerRowGroup(int64(many*3/5)))
		for _, strip := range []bool{false, true} {
			r, _ := openInput(t, file(t, "a", content), Options{})
			if strip { // as writers do that know no page index
				for i := range r.(*parquetFeed).file.Metadata().RowGroups {
					cols := r.(*parquetFeed).file.Metadata().RowGroups[i].Columns
					for j := range cols {
						cols[j].OffsetIndexOffset, cols[j].OffsetIndexLength = 0, 0
					}
				}
			}
			decoders := []Decoder{r.NewDecoder(), r.NewDecoder(), r.NewDecoder()}
			n, i := 0, 0
			for range 2 { // passes
				n = 0
				err := r.Chunks(t.Context(), func(c *Chunk) error {
					i++
					return decoders[i%3].Decode(c, func(rec *Record) error {
						doc := value(t, string(rec.JSON)).(map[string]any)
						tags, _ := doc["tags"].([]any)
						if doc["sku"] != rows[n].SKU || (doc["n"] != nil) != (rows[n].N != nil) || len(tags) != n%4 || n%4 > 0 && tags[0] != fmt.Sprint(n, "-0") || rec.Ord != int64(n) {
							return fmt.Errorf("row %d is %s, ord %d", n, rec.JSON, rec.Ord)
						}
						n++
						return nil
					})
				})
				if err != nil || n != len(rows) {
					t.Fatalf("version %d, strip %v: %d, %v", version, strip, n, err)
				}
			}
		}
	}
}

func TestParquetWide(t *testing.T) {
	content, records := wideRows(t, 3000, 1600, WriterOptions{})
	r, _ := openInput(t, file(t, "a", content), Options{})
	recs, err := readAll(t, r)
	if err != nil || len(recs) != len(records) {
		t.Fatal(len(recs), err)
	}
	for i, rec := range recs {
		if !reflect.DeepEqual(value(t, rec.JSON), value(t, records[i])) {
			t.Fatalf("%s\nwant %s", rec.JSON, records[i])
		}
	}
	var keys []string
	d := r.NewDecoder()
	defer d.Close()
	err = r.Chunks(t.Context(), func(c *Chunk) error {
		return d.(KeyDecoder).Keys(c, "sku", func(ord int64, key []byte, overlay bool) error {
			if ord != int64(len(keys)) || overlay {
				t.Errorf("ord %d, overlay %v", ord, overlay)
			}
			keys = append(keys, string(key))
			return nil
		})
	})
	if err != nil || len(keys) != 3000 || keys[2999] != "S2999" {
		t.Error(len(keys), err)
	}
}

// A damaged file is an error, never a panic, and never costs more than it is.
func TestParquetDamaged(t *testing.T) {
	content, _ := wideRows(t, 300, 40, WriterOptions{})
	open := func(content string) error {
		ins, err := Expand(t.Context(), []string{file(t, "a.parquet", content)}, Options{Format: Parquet})
		if err != nil {
			t.Fatal(err)
		}
		defer ins[0].Close()
		r, err := ins[0].Open(t.Context())
		if err != nil {
			return err
		}
		defer r.Close()
		d := r.NewDecoder()
		defer d.Close()
		return r.Chunks(t.Context(), func(c *Chunk) error { return d.Decode(c, func(*Record) error { return nil }) })
	}
	if err := open(content); err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{5, 11, 12, 100, len(content) / 2, len(content) - 1, len(content) - 9} {
		if err := open(content[:cut]); !errors.Is(err, ErrTruncated) {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
	huge := []byte(content)
	binary.LittleEndian.PutUint32(huge[len(huge)-8:], math.MaxUint32)
	if err := open(string(huge)); !errors.Is(err, ErrFormat) {
		t.Errorf("footer: %v", err)
	}
	for i := 4; i < len(content)-8; i += max(1, len(content)/500) { // a byte wrong somewhere
		b := []byte(content)
		b[i] ^= 0xff
		if err := open(string(b)); err != nil && !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrHeader) {
			t.Errorf("byte %d: %v", i, err)
		}
	}
}

func FuzzParquet(f *testing.F) {
	content, _ := wideRows(f, 20, 20, WriterOptions{})
	f.Add([]byte(content))
	f.Add([]byte(parquetOf(f, []fullRow{{SKU: "A", List: []string{"x"}, Variants: []variantRow{{SKU: "V"}}}})))
	f.Add([]byte("PAR1PAR1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := newParquet(t.Context(), inMemory(string(b), Parquet))
		if err != nil {
			return
		}
		defer r.Close()
		d := r.NewDecoder()
		defer d.Close()
		n := 0
		stop := errors.New("enough")
		err = r.Chunks(t.Context(), func(c *Chunk) error {
			return d.Decode(c, func(rec *Record) error {
				if n++; n > 10_000 {
					return stop
				}
				return nil
			})
		})
		if err != nil && !errors.Is(err, stop) && !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrFormat) {
			t.Error(err)
		}
	})
}
