package yaml

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestToJSON(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", "", "null"},
		{"comments alone", "# nothing\n", "null"},
		{"order and nesting", "b: 1\na:\n  - x\n  - {c: d, e: [1, 2]}\n", `{"b":1,"a":["x",{"c":"d","e":[1,2]}]}`},
		{"numbers as written", "a: 1.10\nb: 1.0e+3\nc: 0x1f\nd: -5", `{"a":1.10,"b":1.0e+3,"c":31,"d":-5}`},
		{"scalars", "a: true\nb: no\nc: null\nd: ~\ne:\nf: '1'", `{"a":true,"b":"no","c":null,"d":null,"e":null,"f":"1"}`},
		{"texts", "a: \"q\\n\"\nb: |\n  x\n  y\nc: 'it''s'\nd: <b>", `{"a":"q\n","b":"x\ny\n","c":"it's","d":"<b>"}`},
		{"keys that are no texts", "1: a\ntrue: b", `{"1":"a","true":"b"}`},
		{"aliases", "a: &x {b: 1}\nc: *x", `{"a":{"b":1},"c":{"b":1}}`},
		{"JSON with tabs", "{\n\t\"a\": [1.0, null],\n\t\"b\": {}\n}", `{"a":[1.0,null],"b":{}}`},
		{"a byte order mark", "\ufeffa: 1", `{"a":1}`},
		{"empty ones", "a: {}\nb: []", `{"a":{},"b":[]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ToJSON([]byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestToJSONInvalid(t *testing.T) {
	bomb := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 9; i++ {
		prev, this := string(rune('0'+i-1)), string(rune('0'+i))
		bomb += "a" + this + ": &a" + this + " [" + strings.Repeat("*a"+prev+",", 9) + "*a" + prev + "]\n"
	}
	tests := []struct {
		name, in string
		line     int
	}{
		{"syntax", "a: b\nc: [", 2},
		{"a key twice", "a: 1\nb: 2\na: 3", 3},
		{"a key twice in JSON", "{\"a\": 1,\n\"a\": 2}", 2},
		{"two documents", "a: 1\n---\nb: 2", 3},
		{"an infinity", "a: .inf", 1},
		{"a merge key", "a: &x {b: 1}\nc:\n  <<: *x", 3},
		{"no anchor", "a: *x", 1},
		{"an alias in its own anchor", "a: &x [*x]", 1},
		{"a bomb", bomb, 0},
		{"deep JSON", strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), 1},
		{"a large file", strings.Repeat("#", maxBytes+1), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ToJSON([]byte(tt.in))
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %.100s, %v", got, err)
			}
			if tt.line != 0 && e.Line != tt.line {
				t.Errorf("line %d, want %d (%v)", e.Line, tt.line, err)
			}
		})
	}
}

// FuzzToJSON holds that what comes out is JSON, and that JSON stays what it is.
func FuzzToJSON(f *testing.F) {
	for _, s := range []string{"a: 1", "- x\n- y: &z {q: 1}\n- *z", `{"a":[1,{"b":null}]}`, "a: |\n x", "? [a]\n: b", "!!x y", "{a: b, c}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := ToJSON(data)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("error is %T", err)
			}
			return
		}
		if !json.Valid(out) {
			t.Fatalf("%q gives %q", data, out)
		}
	})
}
