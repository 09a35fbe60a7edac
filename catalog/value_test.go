package catalog

import (
	"encoding/json"
	"reflect"
	"testing"
)

// build makes of a Value what encoding/json makes of its bytes.
func build(v Value) any {
	switch v.Type() {
	case ValueObject:
		m := map[string]any{}
		for k, e := range v.Members() {
			m[string(k)] = build(e)
		}
		return m
	case ValueArray:
		a := []any{}
		for e := range v.Elements() {
			a = append(a, build(e))
		}
		return a
	case ValueString:
		return v.Text()
	case ValueTrue, ValueFalse:
		return v.Type() == ValueTrue
	case ValueNull:
		return nil
	}
	var f float64
	if json.Unmarshal(v, &f) != nil {
		return v.Text()
	}
	return f
}

func FuzzValue(f *testing.F) {
	for _, s := range []string{
		`{"sku":"A","a":{"b":[1,2.5,"x\"y\u00e9",true,null,{}]},"c":[],"n\u0061me":"ü"}`,
		`{}`, `{ "a" : [ 1 , 2 ] }`, `{"a":"\\"}`, `[1`, `{"a":[1,,2]}`, `"`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		got := build(doc) // of anything: no panic, no endless loop
		var p Parser
		var r Parsed
		if p.Parse(KindCategory, doc, &r) != nil {
			return
		}
		var want any
		if json.Unmarshal(doc, &want) != nil {
			return
		}
		if d := Value(doc); len(d) > 0 && d[0] == '{' && !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %v\nwant %v", doc, got, want)
		}
	})
}

func TestElementsOfOne(t *testing.T) {
	for doc, want := range map[string]int{`"a"`: 1, `null`: 0, ``: 0, `[]`: 0, `{"a":1}`: 1, `[null]`: 1} {
		n := 0
		for range Value(doc).Elements() {
			n++
		}
		if n != want {
			t.Errorf("%q has %d elements, want %d", doc, n, want)
		}
	}
}
