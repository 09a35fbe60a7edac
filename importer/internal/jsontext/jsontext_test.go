package jsontext

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzString(f *testing.F) {
	for _, s := range []string{"", "plain", "tab\tline\nquote\"slash\\ \x00\x1f", "é漢😀", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted := AppendString([]byte("x"), s)[1:]
		if got := string(AppendText(nil, quoted)); got != s {
			t.Fatalf("%q came back as %q", s, got)
		}
		if !utf8.ValidString(s) {
			return
		}
		var want string
		if err := json.Unmarshal(quoted, &want); err != nil || want != s {
			t.Fatalf("%s is read as %q, %v", quoted, want, err)
		}
		// However it is escaped.
		full, _ := json.Marshal(s)
		if got := string(AppendText(nil, full)); got != s {
			t.Fatalf("%s came out as %q", full, got)
		}
	})
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{`\n`, `\u00e9`, `\ud83d\ude00`, `\ud83d`, `\ude00\ud83d`, `\u12`, `\x`, `\`, ``} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, n := Escape([]byte(s))
		if n < 0 || n > len(s) {
			t.Fatalf("%q: length %d", s, n)
		}
		var want string
		err := json.Unmarshal([]byte(`"`+s[:n]+`"`), &want)
		if n > 0 && (err != nil || want != string(r)) {
			t.Fatalf("%q: %q, want %q, %v", s, r, want, err)
		}
	})
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "-0.5e+10", "01", "1.", ".5", "-", "1e", "1E5", "+1", "007", "", " 1", "1 ", "Infinity"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		valid := s != "" && strings.Trim(s, "+-.0123456789eE") == "" && json.Valid([]byte(s))
		if IsNumber(s) != valid {
			t.Fatalf("%q: %v", s, !valid)
		}
		n := NumberLen(s)
		if n > 0 && !IsNumber(s[:n]) {
			t.Fatalf("%q: the first %d bytes are none", s, n)
		}
	})
}
