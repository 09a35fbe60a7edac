package mapping

import (
	"unicode/utf16"
	"unicode/utf8"

	"catalog/catalog"
)

// scanner reads JSON strictly: RFC 8259, UTF-8, no lone surrogates.
type scanner struct {
	doc []byte
	pos int
}

func (s *scanner) invalid(reason catalog.Reason, detail string) error {
	return &catalog.InvalidError{Reason: reason, Offset: s.pos, Detail: detail}
}

func (s *scanner) syntax(detail string) error { return s.invalid(catalog.ReasonJSON, detail) }

// space skips white space and returns the next byte, 0 at the end.
func (s *scanner) space() byte {
	for s.pos < len(s.doc) {
		switch c := s.doc[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// plainByte tells the bytes that stand for themselves inside a string.
var plainByte = func() (t [256]bool) {
	for c := 0x20; c < 0x80; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// str reads a string, quotes included, and reports whether it has escapes.
func (s *scanner) str() (escaped bool, err error) {
	s.pos++
	for s.pos < len(s.doc) {
		c := s.doc[s.pos]
		switch {
		case plainByte[c]:
			s.pos++
		case c == '"':
			s.pos++
			return escaped, nil
		case c == '\\':
			escaped = true
			if err := s.escape(); err != nil {
				return false, err
			}
		case c < 0x20:
			return false, s.syntax("a control character stands in a text")
		default:
			r, n := utf8.DecodeRune(s.doc[s.pos:])
			if r == utf8.RuneError && n <= 1 {
				return false, s.invalid(catalog.ReasonUTF8, "is not UTF-8")
			}
			s.pos += n
		}
	}
	return false, s.syntax("ends inside a text")
}

// escape reads one escape, or two that make a surrogate pair.
func (s *scanner) escape() error {
	if s.pos+1 >= len(s.doc) {
		return s.syntax("ends inside a text")
	}
	switch s.doc[s.pos+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos += 2
		return nil
	case 'u':
	default:
		return s.syntax("has an unknown escape")
	}
	r, ok := hex4(s.doc[s.pos+2:])
	if !ok {
		return s.syntax("has a \\u without four hexadecimal digits")
	}
	if !utf16.IsSurrogate(r) {
		s.pos += 6
		return nil
	}
	if next := s.doc[s.pos+6:]; len(next) > 1 && next[0] == '\\' && next[1] == 'u' {
		if low, ok := hex4(next[2:]); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
			s.pos += 12
			return nil
		}
	}
	return s.invalid(catalog.ReasonUTF8, "has a lone surrogate")
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// number reads a number.
func (s *scanner) number() error {
	n := numberLen(s.doc[s.pos:])
	if n == 0 {
		return s.syntax("is no JSON")
	}
	s.pos += n
	return nil
}

// numberLen returns the length of the number at the start of b, 0 if none.
func numberLen(b []byte) int {
	i := 0
	digits := func() bool {
		from := i
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(b) && b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if !digits() {
		return 0
	}
	if i < len(b) && b[i] == '.' {
		i++
		if !digits() {
			return 0
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if !digits() {
			return 0
		}
	}
	return i
}

// literal reads true, false or null.
func (s *scanner) literal(word string) error {
	if len(s.doc)-s.pos < len(word) || string(s.doc[s.pos:s.pos+len(word)]) != word {
		return s.syntax("is no JSON")
	}
	s.pos += len(word)
	return nil
}

// scalar reads a scalar that starts with c.
func (s *scanner) scalar(c byte) error {
	switch c {
	case '"':
		_, err := s.str()
		return err
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	case 0:
		if s.pos >= len(s.doc) {
			return s.syntax("ends too early")
		}
	}
	return s.number()
}

// appendText appends the text of a valid JSON string, quotes included in raw.
func appendText(b, raw []byte) []byte {
	raw = raw[1 : len(raw)-1]
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			b = append(b, raw[i])
			continue
		}
		i++
		switch raw[i] {
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			r, _ := hex4(raw[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				low, _ := hex4(raw[i+3:])
				r = utf16.DecodeRune(r, low)
				i += 6
			}
			b = utf8.AppendRune(b, r)
		default:
			b = append(b, raw[i])
		}
	}
	return b
}

// appendString appends s, which is UTF-8, as a JSON string.
func appendString[T string | []byte](b []byte, s T) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= 0x20:
			b = append(b, c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\t':
			b = append(b, '\\', 't')
		case c == '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(b, '"')
}
