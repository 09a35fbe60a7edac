package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/big"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCanonical(t *testing.T) {
	tests := []struct{ in, want string }{
		{`{}`, `{}`},
		{`[ ]`, `[]`},
		{` { "b" : 1 , "a" : [ true , null , false ] } `, `{"a":[true,null,false],"b":1}`},
		{`{"b":{"z":1,"y":{"d":1,"c":2}},"a":2}`, `{"a":2,"b":{"y":{"c":2,"d":1},"z":1}}`},
		{`{"a":1,"B":2,"é":3,"":4}`, `{"":4,"B":2,"a":1,"é":3}`},
		// Names are compared unescaped: a quote (0x22) is before A (0x41), its escape's backslash (0x5c) is not.
		{`{"A":1,"\"":2}`, `{"\"":2,"A":1}`},
		{`{"a":"\/\u0041\u00e9\u001f\u000a\b\f\r\t\"\\"}`, `{"a":"/Aé\u001f\n\b\f\r\t\"\\"}`},
		{`"\ud83d\ude00 \u2028\u007f"`, "\"😀 \u2028\u007f\""},
		{`"\uD800x\udc00"`, `"\ud800x\udc00"`},
		{`"12345678\n12345678"`, `"12345678\n12345678"`},
		{`"aaaaaaaéaaaaaaaa"`, `"aaaaaaaéaaaaaaaa"`},
		{`{"n":1.50,"a":1.0}`, `{"a":1,"n":1.5}`},
	}
	var c Canonicalizer
	for _, tt := range tests {
		got, err := c.Append([]byte("x"), []byte(tt.in))
		if err != nil || string(got) != "x"+tt.want {
			t.Errorf("Append(%s) = %s, %v; want x%s", tt.in, got, err, tt.want)
		}
	}
}

// TestCanonicalManyMembers sorts an object too large for the simple way.
func TestCanonicalManyMembers(t *testing.T) {
	in := map[string]int{}
	var b strings.Builder
	b.WriteByte('{')
	for i := range 500 {
		name := strings.Repeat("k", i%7) + string(rune('a'+i%26)) + strings.Repeat("z", i/26)
		if _, ok := in[name]; ok {
			continue
		}
		if len(in) > 0 {
			b.WriteByte(',')
		}
		in[name] = i
		text, err := json.Marshal(map[string]int{name: i})
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text[1 : len(text)-1])
	}
	b.WriteByte('}')
	want, err := json.Marshal(in) // sorts names by their bytes
	if err != nil {
		t.Fatal(err)
	}
	var c Canonicalizer
	got, err := c.Append(nil, []byte(b.String()))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for _, in := range []string{
		``, ` `, `{`, `[`, `{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`, `[1 2]`, `{1:2}`, `tru`, `nul`, `-`, `01`, `1.`, `.5`, `1e`,
		`"a`, `"\x"`, `"\u12"`, "\"\n\"", `1 2`, `{"a":1}}`, strings.Repeat("[", 100000),
	} {
		var c Canonicalizer
		if got, err := c.Append([]byte("x"), []byte(in)); !errors.Is(err, errJSON) || string(got) != "x" {
			t.Errorf("Append(%.20q) = %q, %v; want an error and nothing written", in, got, err)
		}
	}
}

func TestAppendNumber(t *testing.T) {
	nines := strings.Repeat("9", 400)
	tests := []struct{ in, want string }{
		{"0", "0"},
		{"-0", "0"},
		{"0.000", "0"},
		{"-0e99999999999999999999999", "0"},
		{"1", "1"},
		{"-1", "-1"},
		{"10", "10"},
		{"1.10", "1.1"},
		{"1.0", "1"},
		{"-2.50", "-2.5"},
		{"1e2", "100"},
		{"1E+2", "100"},
		{"1.5e3", "1500"},
		{"15e-1", "1.5"},
		{"100e-2", "1"},
		{"0.015", "0.015"},
		{"15e-3", "0.015"},
		{"1e20", "1" + strings.Repeat("0", 20)},
		{"1e21", "1e21"},
		{"1" + strings.Repeat("0", 21), "1e21"},
		{"12e20", "12" + strings.Repeat("0", 20)},
		{"12e21", "1.2e22"},
		{"1e-21", "0." + strings.Repeat("0", 20) + "1"},
		{"1e-22", "1e-22"},
		{"0." + strings.Repeat("0", 21) + "10", "1e-22"},
		{nines, nines},
		{nines + ".0", nines},
		{nines + "e1", nines + "0"},
		{nines + "e-399", "9." + nines[1:]},
		{"0." + nines, "0." + nines},
		{"1.5e-300", "1.5e-300"},
		{"1e9223372036854775807", "1e9223372036854775807"},
		{"100e99999999999999999999", "1e100000000000000000001"},
		{"0.001e100000000000000000000", "1e99999999999999999997"},
		{"12e-100000000000000000000", "1.2e-99999999999999999999"},
		{"0.01e-99999999999999999999", "1e-100000000000000000001"},
	}
	for _, tt := range tests {
		if got := AppendNumber(nil, []byte(tt.in)); string(got) != tt.want {
			t.Errorf("AppendNumber(%.60s) = %.60s, want %.60s", tt.in, got, tt.want)
		}
	}
}

// FuzzCanonical holds the canonicaliser to encoding/json: it accepts no more
// than that, the meaning stays, and what it wrote it writes again.
func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{
		`{"b":1,"a":[1.50,-0,1e400,{"z":"\u00e9\ud83d\ude00\ud800"}]}`, `"\"\\\/"`, ` [ ] `, `{"\u0061":1,"\"":{"é":2}}`,
		`1e-22`, `0.00010e5`, `{"a":1,"a":2}`, `123456789012345678901234567890`, `"aaaaaaaaaaaaaaaa\u0000"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var c Canonicalizer
		got, err := c.Append(nil, in)
		if err != nil {
			if json.Valid(in) && !tooDeep(in) {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		if !json.Valid(in) {
			t.Fatalf("accepted")
		}
		again, err := c.Append(nil, got)
		if err != nil || !bytes.Equal(again, got) {
			t.Fatalf("%q became %q, %v", got, again, err)
		}
		if !utf8.Valid(in) || farExponent.Match(in) {
			return // encoding/json replaces what we keep; math/big writes all digits
		}
		if a, b := decode(t, in), decode(t, got); !reflect.DeepEqual(a, b) {
			t.Fatalf("%q means %v, %q means %v", in, a, got, b)
		}
	})
}

var farExponent = regexp.MustCompile(`[eE][+-]?[0-9]{4}`)

func tooDeep(in []byte) bool {
	return bytes.Count(in, []byte{'['})+bytes.Count(in, []byte{'{'}) > maxDepth
}

// decode reads JSON into values that compare as they mean: numbers become
// fractions.
func decode(t *testing.T, in []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(in))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return meaning(v)
}

func meaning(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = meaning(v[k])
		}
	case []any:
		for i := range v {
			v[i] = meaning(v[i])
		}
	case json.Number:
		r, ok := new(big.Rat).SetString(string(v))
		if !ok {
			return "no number"
		}
		return r.String()
	}
	return v
}

func BenchmarkCanonical(b *testing.B) {
	doc := []byte(`{"sku":"ABC-123456","name":"Some product with a name of usual length","description":"` +
		strings.Repeat(`<p>Text with \"quotes\" and line\nbreaks as shops have them, of a usual length.</p>`, 8) +
		`","categories":["Men/Shoes/Running","Sale"],"attributes":{"size":"XL","color":"red","material":"leather","weight":1.50,` +
		`"season":["summer","winter"],"origin":"PT","a1":"x","a2":"y","a3":12,"a4":true},"price":9.99,"stores":{"de":{"name":"Ein Produkt"}}}`)
	var c Canonicalizer
	var dst []byte
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, err = c.Append(dst[:0], doc); err != nil {
			b.Fatal(err)
		}
	}
}
