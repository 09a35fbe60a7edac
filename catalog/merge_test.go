package catalog

import "testing"

// TestMergePatch has the examples of RFC 7396, appendix A, that are objects.
func TestMergePatch(t *testing.T) {
	tests := []struct{ doc, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{`{"a":1.50,"z":{"y":1}}`, `{"\u0061":2,"z":{"x":{"n":null,"m":3}}}`, `{"a":2,"z":{"y":1,"x":{"m":3}}}`},
	}
	for _, tt := range tests {
		if got := MergePatch(nil, []byte(tt.doc), []byte(tt.patch)); string(got) != tt.want {
			t.Errorf("%s + %s = %s, want %s", tt.doc, tt.patch, got, tt.want)
		}
	}
}

func TestMemberValue(t *testing.T) {
	tests := []struct{ doc, name, want string }{
		{`{"sku":"A"}`, "sku", `"A"`},
		{` { "x" : {"sku":1} , "sku" : "B\"c" }`, "sku", `"B\"c"`},
		{`{"x":[1,{"sku":2}],"sku":3}`, "sku", `3`},
		{`{"\u0073ku":4}`, "sku", `4`},
		{`{"x":1}`, "sku", ``},
		{`[{"sku":1}]`, "sku", ``},
		{`{"sku"`, "sku", ``},
		{`{"sku":`, "sku", ``},
		{`{"`, "sku", ``},
		{``, "sku", ``},
	}
	for _, tt := range tests {
		if got := MemberValue([]byte(tt.doc), tt.name); string(got) != tt.want {
			t.Errorf("%s of %s = %s, want %s", tt.name, tt.doc, got, tt.want)
		}
	}
}

func FuzzMemberValue(f *testing.F) {
	f.Add([]byte(`{"x":[1,{"sku":2}],"sku":3}`))
	f.Add([]byte(`{"sku`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		got := MemberValue(doc, "sku")
		var p Parser
		var r Parsed
		if p.Parse(KindProduct, doc, &r) == nil && r.Key != "" && r.Kind == KindProduct {
			if string(KeyText(got)) != string(r.Key) {
				t.Fatalf("%q: quick key %q, parsed %q", doc, got, r.Key)
			}
		}
	})
}
