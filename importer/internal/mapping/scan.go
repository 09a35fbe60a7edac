package mapping

import (
	"unicode/utf16"
	"unicode/utf8"

	"catalog/catalog"
	"catalog/importer/internal/jsontext"
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
	r, n := jsontext.Escape(s.doc[s.pos:])
	switch {
	case n == 0 && s.pos+1 >= len(s.doc):
		return s.syntax("ends inside a text")
	case n == 0 && s.doc[s.pos+1] == 'u':
		return s.syntax("has a \\u without four hexadecimal digits")
	case n == 0:
		return s.syntax("has an unknown escape")
	case utf16.IsSurrogate(r):
		return s.invalid(catalog.ReasonUTF8, "has a lone surrogate")
	}
	s.pos += n
	return nil
}

// number reads a number.
func (s *scanner) number() error {
	n := jsontext.NumberLen(s.doc[s.pos:])
	if n == 0 {
		return s.syntax("is no JSON")
	}
	s.pos += n
	return nil
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
