package mongostore

import (
	"bytes"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"catalog/catalog"
)

// TestBodyAsDocument: what is in a document, under which type, and what must be
// kept beside it.
func TestBodyAsDocument(t *testing.T) {
	for _, c := range []struct {
		body  string
		value any // of v
		spelt int
	}{
		{`{"v":1}`, int32(1), 0},
		{`{"v":-2147483648}`, int32(-2147483648), 0},
		{`{"v":2147483648}`, int64(2147483648), 0},
		{`{"v":9.9}`, 9.9, 0},
		{`{"v":9.90}`, 9.9, 1},
		{`{"v":1e3}`, 1000.0, 1},
		{`{"v":0.1}`, 0.1, 0},
		{`{"v":-0}`, 0.0, 0}, // negative zero, which is equal
		{`{"v":0.00000000000000000001}`, 1e-20, 0},
		{`{"v":123456789012.345}`, 123456789012.345, 0},
		{`{"v":"a/b"}`, "a/b", 0},
		{`{"v":"a\/b"}`, "a/b", 1},
		{`{"v":"\u00e9"}`, "é", 1},
		{`{"v":"\n"}`, "\n", 0},
		{`{"v":"\u0000"}`, "\x00", 0},
		{`{"v":true}`, true, 0},
		{`{"v":null}`, nil, 0},
		{`{"\u0076":1}`, int32(1), 1},
	} {
		var e encoder
		doc, as, ok := e.body([]byte(c.body))
		if !ok {
			t.Errorf("%s: no document", c.body)
			continue
		}
		var got bson.D
		if err := bson.Unmarshal(doc, &got); err != nil {
			t.Errorf("%s: %v", c.body, err)
			continue
		}
		if len(got) != 1 || got[0].Key != "v" || got[0].Value != c.value || len(as) != c.spelt {
			t.Errorf("%s: %v with %d spellings %v, want %v with %d", c.body, got, len(as), as, c.value, c.spelt)
		}
	}
}

func TestLongNumbersAreDecimals(t *testing.T) {
	for body, want := range map[string]string{
		`{"v":12345678901234567890.5}`: "12345678901234567890.5",
		`{"v":0.1234567890123456789}`:  "0.1234567890123456789",
		`{"v":1e400}`:                  "1E+400",
	} {
		var e encoder
		doc, _, ok := e.body([]byte(body))
		if got := bson.Raw(doc).Lookup("v"); !ok || got.Type != bson.TypeDecimal128 || got.Decimal128().String() != want {
			t.Errorf("%s: %v", body, got)
		}
	}
}

// TestNoDocument: what is kept as bytes.
func TestNoDocument(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":        "",
		"not JSON":       `{"a":`,
		"an array":       `[1]`,
		"white space":    `{"a": 1}`,
		"twice":          `{"a":1,"a":2}`,
		"not UTF-8":      "{\"a\":\"\xff\"}",
		"lone surrogate": `{"a":"\ud800"}`,
		"zero in name":   `{"a\u0000b":1}`,
		"too deep":       strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65),
		"grows":          `{"a":[` + strings.Repeat("1,", 2<<20) + `1]}`,
	} {
		var e encoder
		if _, _, ok := e.body([]byte(body)); ok {
			t.Errorf("%s: is a document", name)
		}
		raw, _ := e.record(nil, "k", catalog.Hash{1}, "s", nil, []byte(body))
		putSeq(raw, bytes.Index(raw, []byte("seq\x00"))+4, 7)
		r, err := parseRecord(catalog.KindProduct, raw, nil)
		if err != nil || string(r.Body) != body || r.Seq != 7 || r.Key != "k" || r.Body == nil {
			t.Errorf("%s: comes back as %.50q, %v", name, r.Body, err)
		}
	}
}

// FuzzBody: every body comes back byte by byte.
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":1.10,"b":1e400,"c":-0,"d":12345678901234567890.000,"e":1E7000,"f":-1.5e-3}`,
		`{"z":[1,{"":[]},[null,true,false]],"$set":{"a.b":"x"},"_id":4}`, `{"a":"é e\u0301 \u0000 \ud83d\ude00 <&>\/\b\f\n\r\t\"\\"}`,
		`{"\u0061":1,"\/":2}`, `{"a\u0000":1}`, ` {} `, "[]", "{\"a\":\"\xff\"}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var e encoder
		doc, as, ok := e.body(body)
		if !ok {
			return
		}
		if err := bson.Raw(doc).Validate(); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		got, err := appendBody(nil, doc, as)
		if err != nil || !bytes.Equal(got, body) {
			t.Fatalf("%q comes back as %q, %v", body, got, err)
		}
	})
}

// FuzzRecord: what somebody else wrote is refused, or read, but never the end
// of the program.
func FuzzRecord(f *testing.F) {
	var e encoder
	raw, at := e.record(nil, "key", catalog.Hash{1, 2}, "source", []catalog.Ref{{Type: catalog.RefURLKey, Value: "x"}}, []byte(`{"sku":"key","n":[1.10,2.5,"\/"]}`))
	putSeq(raw, at, 5)
	f.Add([]byte(raw))
	raw, at = e.record(nil, "key", catalog.Hash{}, "\xff", nil, []byte("no JSON"))
	putSeq(raw, at, 5)
	f.Add([]byte(raw))
	f.Fuzz(func(t *testing.T, data []byte) {
		if bson.Raw(data).Validate() != nil {
			return // the driver hands over documents
		}
		r, err := parseRecord(catalog.KindProduct, data, nil)
		if err == nil && (!r.Exists() || r.Body == nil) {
			t.Errorf("%+v", r)
		}
		_, _ = appendBody(nil, data, []spelling{{0, "1"}})
	})
}

// FuzzEntries: the entries of a block are read as they were written.
func FuzzEntries(f *testing.F) {
	f.Add("1+SKU-1\n2-a b\n5+é", int64(3))
	f.Add("", int64(0))
	f.Add("9+x", int64(1))
	f.Fuzz(func(t *testing.T, entries string, count int64) {
		b := block{ID: 10, Span: count, Count: count, Entries: entries}
		var again []byte
		seq := catalog.Seq(10)
		_, err := b.changes(0, func(c catalog.Change) bool {
			if c.Seq != seq {
				t.Fatalf("Seq %d comes where %d is due", c.Seq, seq)
			}
			seq++
			again = appendEntry(again, c.Kind, c.Op, c.Key)
			return true
		})
		if err == nil && string(again) != entries && count > 0 {
			t.Errorf("%q is read as %q", entries, again)
		}
	})
}

func TestPlace(t *testing.T) {
	for url, want := range map[string][2]string{
		"mongodb://h:1/db":                        {"mongodb://h:1/db", "db"},
		"mongodb://u:p@h:1,i:2/db?w=1":            {"mongodb://h:1,i:2/db", "db"},
		"mongodb+srv://u:p%40x@h/a%2Db?tls=true":  {"mongodb+srv://h/a-b", "a-b"},
		"mongodb://user:not/escaped@host/db":      {"mongodb://host/db", "db"},
		"mongodb://h/":                            {},
		"mongodb://h":                             {},
		"mongodb:///db":                           {},
		"http://h/db":                             {},
		"mongodb://h/a%zz":                        {},
		"mongodb://h/a%20b":                       {},
		"mongodb://h/" + strings.Repeat("x", 64):  {},
		"mongodb://u:secret@/?authSource=another": {},
	} {
		where, name, err := place(url)
		if where != want[0] || name != want[1] || (err == nil) != (want[1] != "") {
			t.Errorf("%s: %q, %q, %v", url, where, name, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error has the password: %v", err)
		}
	}
}
