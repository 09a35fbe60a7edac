package elasticindex

import (
	"encoding/base64"
	"slices"
	"strconv"
	"unicode/utf8"
)

// writer appends the members of a JSON object. It is for documents only, of
// which there are millions: everything else goes through encoding/json.
type writer struct{ b []byte }

func (w *writer) name(name string) {
	if c := w.b[len(w.b)-1]; c != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, '"', ':')
}

func (w *writer) text(name, v string) {
	w.name(name)
	w.b = appendString(w.b, v)
}

func (w *writer) int(name string, v int64) {
	w.name(name)
	w.b = strconv.AppendInt(w.b, v, 10)
}

func (w *writer) bool(name string, v bool) {
	w.name(name)
	w.b = strconv.AppendBool(w.b, v)
}

// texts writes an array, or nothing when it is empty.
func (w *writer) texts(name string, list []string) {
	if len(list) == 0 {
		return
	}
	w.name(name)
	c := byte('[')
	for _, s := range list {
		w.b = append(w.b, c)
		w.b = appendString(w.b, s)
		c = ','
	}
	w.b = append(w.b, ']')
}

// lines writes a list as one string with a line for each, or nothing when it is
// empty.
func (w *writer) lines(name string, list []string) {
	if len(list) == 0 {
		return
	}
	w.name(name)
	for i, s := range list {
		if i > 0 {
			w.b = append(w.b[:len(w.b)-1], '\\', 'n') // in place of the closing quote
		}
		start := len(w.b)
		w.b = appendString(w.b, lineOf(s))
		if i > 0 {
			w.b = slices.Delete(w.b, start, start+1)
		}
	}
}

func (w *writer) ints(name string, list []int64) {
	if len(list) == 0 {
		return
	}
	w.name(name)
	c := byte('[')
	for _, n := range list {
		w.b = append(w.b, c)
		w.b = strconv.AppendInt(w.b, n, 10)
		c = ','
	}
	w.b = append(w.b, ']')
}

func (w *writer) binary(name string, v []byte) {
	w.name(name)
	w.b = append(w.b, '"')
	w.b = base64.StdEncoding.AppendEncode(w.b, v)
	w.b = append(w.b, '"')
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string; what is no UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			if c == '"' || c == '\\' {
				b = append(b, '\\', c)
			} else {
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			b = append(b, s[start:i]...)
			b = append(b, "\ufffd"...)
			start = i + 1
		}
		i += n
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
