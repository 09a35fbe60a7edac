package jsonscan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// accepts is the slow and obvious reading of what a Scanner accepts.
func accepts(doc []byte, depth int) bool {
	if !utf8.Valid(doc) || !json.Valid(doc) || halfSurrogate(doc) {
		return false
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	type frame struct {
		object bool
		names  map[string]bool
		value  bool // the next string is a value
	}
	var stack []frame
	first := true
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return !first
		}
		if err != nil {
			return false
		}
		if first && t != json.Delim('{') {
			return false
		}
		first = false
		var top *frame
		if len(stack) > 0 {
			top = &stack[len(stack)-1]
		}
		if s, ok := t.(string); ok && top != nil && top.object && !top.value {
			if top.names[s] {
				return false
			}
			top.names[s], top.value = true, true
			continue
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			if top != nil {
				top.value = false
			}
			if len(stack) == depth {
				return false
			}
			stack = append(stack, frame{object: t == json.Delim('{'), names: map[string]bool{}})
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
		default:
			if top != nil {
				top.value = false
			}
		}
	}
}

// halfSurrogate reports an escape of half a surrogate pair in valid JSON.
func halfSurrogate(doc []byte) bool {
	for i := 0; i+1 < len(doc); i++ {
		if doc[i] != '\\' {
			continue
		}
		if doc[i+1] != 'u' {
			i++
			continue
		}
		r := hex4(doc, i+2)
		if r >= 0xdc00 && r <= 0xdfff {
			return true
		}
		if r >= 0xd800 && r < 0xdc00 {
			if i+7 >= len(doc) || doc[i+6] != '\\' || doc[i+7] != 'u' {
				return true
			}
			if low := hex4(doc, i+8); low < 0xdc00 || low > 0xdfff {
				return true
			}
			i += 6
		}
		i += 5
	}
	return false
}

var seeds = []string{
	`{}`, ` { } `, `{"a":1}`, `{"a":1,"b":[true,false,null,{"c":"d"}]}`, `{"a":1,"a":2}`, `{"a":{"b":1,"b":2}}`,
	`{"a":"\u00e9\n\"\\\/"}`, `{"a":"\ud83d\ude00"}`, `{"a":"\ud83d"}`, `{"a":"\ude00"}`, `{"\u0061":1,"a":2}`,
	`{"a":-0.5e+10}`, `{"a":01}`, `{"a":1.}`, `{"a":.5}`, `{"a":-}`, `{"a":1e}`, `{"a":tru}`, `{"a":nulll}`,
	`{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `[1,2]`, `[]`, `"x"`, `1`, ``, ` `, `{"a":1}{}`, `{"a":1} x`,
	"{\"a\":\"tab\there\"}", "{\"a\":\"\xff\"}", "{\"a\":\"ünïcödé and a longer run of text\"}", `{"long name of a member":"value of it"}`,
	strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70), strings.Repeat(`{"a":[`, 32) + strings.Repeat("]}", 32),
	"{\"a\":\"\x00\"}", "\ufeff{}", `{"a":[1,]}`, `{"a":[1 2]}`, `{"a" 1}`, `{1:2}`, `{"a":"\x"}`, `{"a":"\u12"}`,
}

func TestScannerAcceptsWhatItShould(t *testing.T) {
	for _, doc := range seeds {
		check(t, []byte(doc))
	}
}

func check(t *testing.T, doc []byte) {
	t.Helper()
	s := Scanner{MaxDepth: 64}
	err := s.Object(doc)
	if want := accepts(doc, 64); (err == nil) != want {
		t.Fatalf("%q: got %v, want accepted = %v", doc, err, want)
	}
	if err != nil {
		var e *Error
		if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(doc) {
			t.Fatalf("%q: the error has no place: %v", doc, err)
		}
		return
	}
	// The members are those that encoding/json sees, and compacting keeps them.
	var want map[string]json.RawMessage
	if err := json.Unmarshal(doc, &want); err != nil {
		t.Fatal(err)
	}
	walked := AppendMembers(nil, doc)
	if len(walked) != len(s.Members) || len(want) != len(s.Members) {
		t.Fatalf("%q: %d members scanned, %d walked, %d wanted", doc, len(s.Members), len(walked), len(want))
	}
	for i, m := range s.Members {
		if walked[i] != m {
			t.Fatalf("%q: member %d: scanned %+v, walked %+v", doc, i, m, walked[i])
		}
		name := string(AppendUnquoted(nil, m.Key(doc)))
		if !bytes.Equal(want[name], m.Value(doc)) {
			t.Fatalf("%q: member %q is %q, want %q", doc, name, m.Value(doc), want[name])
		}
		if m.Type == String {
			var s string
			if err := json.Unmarshal(m.Value(doc), &s); err != nil || s != Text(m.Value(doc)) {
				t.Fatalf("%q: text %q, want %q", doc, Text(m.Value(doc)), s)
			}
			var back string
			if err := json.Unmarshal(AppendQuoted(nil, s), &back); err != nil || back != s {
				t.Fatalf("%q quoted is %q", s, AppendQuoted(nil, s))
			}
		}
		if m.Type == Array {
			var want []json.RawMessage
			if err := json.Unmarshal(m.Value(doc), &want); err != nil {
				t.Fatal(err)
			}
			got := AppendElements(nil, m.Value(doc))
			if len(got) != len(want) {
				t.Fatalf("%q: %d elements, want %d", doc, len(got), len(want))
			}
			for i := range got {
				if !bytes.Equal(got[i], want[i]) {
					t.Fatalf("%q: element %d is %q, want %q", doc, i, got[i], want[i])
				}
			}
		}
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, doc); err != nil {
		t.Fatal(err)
	}
	if got := AppendCompact(nil, doc); !bytes.Equal(got, compact.Bytes()) {
		t.Fatalf("%q: compacted to %q, want %q", doc, got, compact.Bytes())
	}
	if s.Space != (compact.Len() != len(doc)) {
		t.Fatalf("%q: Space is %v", doc, s.Space)
	}
}

func TestManyNames(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"x":{`)
	for i := range 5000 {
		fmt.Fprintf(&b, `"n%d":{"a":1,"b":2},`, i)
	}
	doc := b.String()
	var s Scanner
	if err := s.Object([]byte(doc + `"z":1},"y":1}`)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"n0", "n17", "n4999"} {
		var e *Error
		if err := s.Object([]byte(doc + `"` + name + `":1},"y":1}`)); !errors.As(err, &e) || e.Code != Duplicate {
			t.Errorf("%s twice: %v", name, err)
		}
	}
}

func FuzzScanner(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) { check(t, doc) })
}

// FuzzWalk holds that the walking functions survive what is not JSON.
func FuzzWalk(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(_ *testing.T, doc []byte) {
		for _, m := range AppendMembers(nil, doc) {
			_ = m.Value(doc)
		}
		AppendElements(nil, doc)
		AppendCompact(nil, doc)
		AppendUnquoted(nil, doc)
		Text(doc)
	})
}

func BenchmarkScanner(b *testing.B) {
	doc := []byte(`{"sku":"MH-48213-RED-XL","name":"Trail running shoe with a longer name","description":"` + strings.Repeat("Some text of moderate length, with words. ", 15) + `","attributes":{"color":"red","size":"XL","weight_g":312,"waterproof":true,"materials":["mesh","rubber","foam"],"drop":8,"season":"2026"},"categories":["Men/Shoes/Running","Sale/Shoes"],"price":99.90,"stock":{"qty":5,"in_stock":true}}`)
	b.SetBytes(int64(len(doc)))
	var s Scanner
	for b.Loop() {
		if err := s.Object(doc); err != nil {
			b.Fatal(err)
		}
	}
}
