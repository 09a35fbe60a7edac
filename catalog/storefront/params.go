package storefront

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// params are the parameters of a query string in their order. Unlike
// url.Values it makes no map, and refuses what it cannot read instead of
// leaving it out.
type params []param

type param struct{ name, value string }

// maxParams bounds the parameters of a query string.
const maxParams = 4096

// parseParams appends the parameters of a query string. A plus is a space, a
// semicolon a character like any other.
func parseParams(dst params, query string) (params, error) {
	for query != "" {
		var part string
		part, query, _ = strings.Cut(query, "&")
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, ok := unescape(name)
		if !ok {
			return dst, badRequest("", "the query string has a parameter whose name cannot be read: write what is no letter or digit as %%XX of its UTF-8 bytes")
		}
		value, ok = unescape(value)
		if !ok {
			return dst, badRequest(name, "the value cannot be read: write what is no letter or digit as %%XX of its UTF-8 bytes")
		}
		if len(dst) == maxParams {
			return dst, badRequest("", "the query string has more than %d parameters: use POST", maxParams)
		}
		dst = append(dst, param{name, value})
	}
	return dst, nil
}

// unescape returns the text of a part of a query string; not ok of what is no
// escape, or no UTF-8.
func unescape(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s, utf8.ValidString(s)
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '+':
			out = append(out, ' ')
		case '%':
			if i+2 >= len(s) {
				return "", false
			}
			hi, ok1 := unhex(s[i+1])
			lo, ok2 := unhex(s[i+2])
			if !ok1 || !ok2 {
				return "", false
			}
			out = append(out, hi<<4|lo)
			i += 2
		default:
			out = append(out, c)
		}
	}
	return string(out), utf8.Valid(out)
}

func unhex(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

// get returns the first value of a parameter, "" if there is none.
func (p params) get(name string) string {
	for i := range p {
		if p[i].name == name {
			return p[i].value
		}
	}
	return ""
}

// all appends all values of a parameter.
func (p params) all(dst []string, name string) []string {
	for i := range p {
		if p[i].name == name {
			dst = append(dst, p[i].value)
		}
	}
	return dst
}

// has reports whether a parameter is there.
func (p params) has(name string) bool {
	for i := range p {
		if p[i].name == name {
			return true
		}
	}
	return false
}

// number reads a whole number within limits; otherwise if it is not there.
func (p params) number(name string, otherwise, least, most int) (int, error) {
	text := p.get(name)
	if text == "" {
		if p.has(name) {
			return 0, badRequest(name, "is empty: give a whole number from %d to %d", least, most)
		}
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, badRequest(name, "%q is no whole number from %d to %d", clip(text), least, most)
	}
	return n, nil
}

// flag reads true or false; false if it is not there.
func (p params) flag(name string) (bool, error) {
	switch text := p.get(name); text {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	case "":
		if !p.has(name) {
			return false, nil
		}
		return false, badRequest(name, "is empty: give true or false")
	default:
		return false, badRequest(name, "%q is neither true nor false", clip(text))
	}
}

// list reads names separated by commas, or repeated.
func (p params) list(name string) []string {
	var out []string
	for i := range p {
		if p[i].name != name {
			continue
		}
		for part := range strings.SplitSeq(p[i].value, ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
	}
	return out
}

// clip shortens what a message repeats of a request.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
