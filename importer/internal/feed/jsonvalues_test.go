package feed

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestJSONValues(t *testing.T) {
	for _, tt := range []struct {
		name, in  string
		want      []string
		truncated bool
	}{
		{"empty", " [ ] ", nil, false},
		{"array", `[{"a":"]}\"[,"},{"b":[1,{}]}]`, []string{`{"a":"]}\"[,"}`, `{"b":[1,{}]}`}, false},
		{"pretty", "[\n  {\n    \"a\": 1\n  },\n  {}\n]\n", []string{"{\n    \"a\": 1\n  }", "{}"}, false},
		{"others", `["x",1.5,null,[2],true]`, []string{`"x"`, "1.5", "null", "[2]", "true"}, false},
		{"no comma", `[{"a":1} {"b":2},{"c":3}]`, []string{`{"a":1}`, "!invalid_json", `{"c":3}`}, false},
		{"garbage between", `[{"a":1},x y,{"c":3}]`, []string{`{"a":1}`, "x", "!invalid_json", `{"c":3}`}, false},
		{"two commas", `[{"a":1},,{"c":3}]`, []string{`{"a":1}`, "!invalid_json", `{"c":3}`}, false},
		{"closed too often", `[{"a":1}},{"c":3}]`, []string{`{"a":1}`, "!invalid_json", `{"c":3}`}, false},
		{"not closed", `[{"a":1}`, []string{`{"a":1}`}, true},
		{"not closed after comma", `[{"a":1},`, []string{`{"a":1}`}, true},
		{"cut off", `[{"a":1},{"b":`, []string{`{"a":1}`, "!truncated"}, true},
		{"cut off in text", `[{"a":"x\`, []string{"!truncated"}, true},
		{"after the end", `[{"a":1}] {}`, []string{`{"a":1}`, "!invalid_json"}, true},
		{"one after the other", "{\n\"a\":1}\n{\"b\":2}", []string{"{\n\"a\":1}", `{"b":2}`}, false},
		{"one after the other, cut off", "{\n\"a\":1}\n{\"b\":", []string{"{\n\"a\":1}", "!truncated"}, true},
		{"wrapped", `{"products":[{"a":1},{"b":2}],"total":{"n":2}} `, []string{`{"a":1}`, `{"b":2}`}, false},
		{"wrapped alone", "{ \"Items\" : [\n{\"a\":1}]}", []string{`{"a":1}`}, false},
		{"wrapped, after words", `{"generated":"2026-11-01","page":{"n":1,"next_url":"x"},"products":[{"a":1},{"b":2}],"total":2}`, []string{`{"a":1}`, `{"b":2}`}, false},
		{"a record with items", `{"sku":"s","items":[{"a":1}]}`, []string{`{"sku":"s","items":[{"a":1}]}`}, false},
		{"a record with stock", `{"made":1,"stock":[{"a":1}]}`, []string{`{"made":1,"stock":[{"a":1}]}`}, false},
		{"wrapped, cut off", `{"products":[{"a":1}]`, []string{`{"a":1}`}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, content := range []string{tt.in, bom + tt.in, gz(tt.in)} {
				recs, err := readFile(t, "a.json", content, Options{Format: JSON})
				if errors.Is(err, ErrTruncated) != tt.truncated || err != nil && !tt.truncated || !slices.Equal(jsons(recs), tt.want) {
					t.Errorf("got  %q, %v\nwant %q", jsons(recs), err, tt.want)
				}
			}
		})
	}
}

func TestJSONValuesPlaces(t *testing.T) {
	var b strings.Builder
	b.WriteString("[\n")
	for i := range 30_000 {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, "{\n \"sku\":\"S%d\", \"t\":\"%s\"}", i, strings.Repeat(`\"]x`, i%50))
		if i%9000 == 5 {
			b.WriteString(strings.Repeat(" ", 3<<20))
		}
	}
	b.WriteString("\n]\n")
	text := b.String()
	for _, content := range []string{text, gz(text)} {
		recs, err := readFile(t, "a", content, Options{})
		if err != nil || len(recs) != 30_000 {
			t.Fatal(len(recs), err)
		}
		line, at := int64(1), int64(0)
		for i, r := range recs {
			line += int64(strings.Count(text[at:r.Offset], "\n"))
			at = r.Offset
			if !strings.HasPrefix(text[at:], r.JSON) || !strings.Contains(r.JSON, fmt.Sprintf(`"S%d"`, i)) || r.Line != line || r.Ord != int64(i) {
				t.Fatalf("record %d: line %d, want %d; ord %d, offset %d", i, r.Line, line, r.Ord, r.Offset)
			}
		}
	}
}

// What is valid JSON is split as encoding/json splits it.
func FuzzJSONValues(f *testing.F) {
	for _, s := range []string{"[]", `[{"a":"\\\""},1,"x",[[]]]`, "[1,2", "{}{}", "[{}x,,{}]]", `{"products":[{}],"b":1}`, "[\"\\", `[1 2]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if s == "" || strings.HasPrefix(s, bom) || strings.HasPrefix(s, "\xff\xfe") || strings.HasPrefix(s, "\xfe\xff") {
			return
		}
		r := &jsonValues{in: inMemory(s, JSON)}
		recs, err := readAll(t, r)
		if err != nil && !errors.Is(err, ErrTruncated) {
			t.Fatal(err)
		}
		last := int64(0)
		for _, rec := range recs {
			if rec.Offset < last || !strings.HasPrefix(s[rec.Offset:], rec.Raw) {
				t.Errorf("record at %d after %d: %q", rec.Offset, last, rec.Raw)
			}
			last = rec.Offset + int64(len(rec.Raw))
		}
		var want []json.RawMessage
		if json.Unmarshal([]byte(s), &want) != nil || strings.TrimLeft(s, " \t\r\n")[0] != '[' {
			return
		}
		if err != nil || len(recs) != len(want) {
			t.Fatalf("%d of %d, %v", len(recs), len(want), err)
		}
		for i, rec := range recs {
			if rec.JSON != string(want[i]) {
				t.Errorf("%q, want %q", rec.JSON, want[i])
			}
		}
	})
}
