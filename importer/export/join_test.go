package export

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestJoin(t *testing.T) {
	tests := []struct{ product, price, stock, want string }{
		{`{"sku":"a"}`, ``, ``, `{"sku":"a"}`},
		{
			`{"sku":"a"}`, `{"sku":"a","prices":[{"price":1}]}`, `{"sku":"a","qty":1,"sources":[{"source":"x","qty":1}]}`,
			`{"sku":"a","prices":[{"price":1}],"stock":{"qty":1,"sources":[{"source":"x","qty":1}]}}`,
		},
		{`{"sku":"a"}`, `{"prices":[{"price":1}],"sku":"a\"]}"}`, ``, `{"sku":"a","prices":[{"price":1}]}`},
		// What a document cannot carry stays out.
		{`{"sku":"a"}`, `{"sku":"a","prices":[]}`, `{"sku":"a"}`, `{"sku":"a"}`},
		{`{"sku":"a"}`, `{"sku":"a","prices":[{"price":1}],"x":1}`, ``, `{"sku":"a"}`},
		{`{"sku":"a","msrp":3,"b":{}}`, `{"sku":"a","prices":[{"price":1}]}`, ``, `{"sku":"a","msrp":3,"b":{}}`},
		{`{"sku":"a","b":{"msrp":3}}`, `{"sku":"a","prices":[{"price":1}]}`, ``, `{"sku":"a","b":{"msrp":3},"prices":[{"price":1}]}`},
	}
	for _, tt := range tests {
		if got := Join(nil, []byte(tt.product), []byte(tt.price), []byte(tt.stock)); string(got) != tt.want {
			t.Errorf("Join(%s, %s, %s) = %s, want %s", tt.product, tt.price, tt.stock, got, tt.want)
		}
	}
}

// FuzzJoin joins what a store could hold, and what it could not: of the first
// the parts must be in the whole, the second must do no harm.
func FuzzJoin(f *testing.F) {
	f.Add([]byte(`{"sku":"a","n":[1,{"x":"]}\""}]}`), []byte(`{"sku":"a","prices":[{"price":1}]}`), []byte(`{"sku":"a","qty":1}`))
	f.Add([]byte(`{}`), []byte(`{"prices":[[]]}`), []byte(`{"a":{},"b":"\\"}`))
	f.Add([]byte(`{"msrp":1}`), []byte(`{"prices":`), []byte(`{"`))
	f.Fuzz(func(t *testing.T, product, price, stock []byte) {
		got, priceIn, stockIn := join([]byte("x"), product, price, stock)
		if !compactObject(product) || !compactObject(price) || !compactObject(stock) {
			return
		}
		want := members(t, product)
		if priceIn {
			want["prices"] = members(t, price)["prices"]
		}
		if stockIn {
			rest := members(t, stock)
			delete(rest, "sku")
			text, err := json.Marshal(rest)
			if err != nil {
				t.Fatal(err)
			}
			want["stock"] = text
		}
		have := members(t, got[1:])
		if len(have) != len(want) {
			t.Fatalf("%s has %d members, want %d", got, len(have), len(want))
		}
		var c Canonicalizer
		for name, value := range want {
			a, aerr := c.Append(nil, value)
			b, berr := c.Append(nil, have[name])
			if aerr != nil || berr != nil || !bytes.Equal(a, b) {
				t.Fatalf("%s: member %q is %s (%v), want %s (%v)", got, name, b, berr, a, aerr)
			}
		}
	})
}

// compactObject reports whether text is an object as stores keep it: compact,
// with names that are plain and different.
func compactObject(text []byte) bool {
	var b bytes.Buffer
	if len(text) == 0 || text[0] != '{' || tooDeep(text) || json.Compact(&b, text) != nil || !bytes.Equal(b.Bytes(), text) {
		return false
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(text, &m) != nil {
		return false
	}
	n := 0
	return eachMember(text, func(name, _ []byte) bool { n++; return m[string(name)] != nil }) && n == len(m) && m["stock"] == nil
}

func members(t *testing.T, text []byte) map[string]json.RawMessage {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return m
}
