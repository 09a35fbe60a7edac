// Package jsonscan checks a JSON document and finds the members of its outer
// object in one pass over the bytes, without building values.
//
// It accepts exactly RFC 8259 in UTF-8, and refuses what different readers
// would read differently: names that occur twice in one object, escapes of
// lone surrogates, nesting deeper than a limit. Numbers are not converted, so
// they survive as they were written.
package jsonscan

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// Type is the type of a JSON value.
type Type uint8

// The types of JSON values.
const (
	Invalid Type = iota
	Object
	Array
	String
	Number
	True
	False
	Null
)

// String names the type for messages.
func (t Type) String() string {
	return [...]string{"nothing", "an object", "an array", "a string", "a number", "true", "false", "null"}[t]
}

// Code says what is wrong with a document.
type Code uint8

// The faults of documents.
const (
	Syntax    Code = iota + 1 // not JSON
	Truncated                 // ends too early
	Trailing                  // more than one value
	Encoding                  // not UTF-8, or the escape of a lone surrogate
	Duplicate                 // a name twice in one object
	Depth                     // nested too deeply
	NotObject                 // JSON, but not an object
)

// Error is a fault and its place.
type Error struct {
	Code   Code
	Offset int // in bytes
	Detail string
}

func (e *Error) Error() string { return fmt.Sprintf("%s at byte %d", e.Detail, e.Offset) }

// Member is a name and value of an object, as spans of the document.
type Member struct {
	KeyStart, KeyEnd int  // inside the quotes
	ValStart, ValEnd int  // with the quotes of a string
	Escaped          bool // the name has escapes
	Type             Type // of the value
}

// Key returns the name as it stands in doc: with its escapes, without quotes.
func (m *Member) Key(doc []byte) []byte { return doc[m.KeyStart:m.KeyEnd] }

// Value returns the value as it stands in doc.
func (m *Member) Value(doc []byte) []byte { return doc[m.ValStart:m.ValEnd] }

// Scanner checks documents. Its zero value with a MaxDepth works; it is not
// safe for concurrent use.
type Scanner struct {
	MaxDepth int      // levels of objects and arrays; 0: 64
	Members  []Member // of the outer object, after Object
	Space    bool     // white space stands outside strings

	doc   []byte
	err   *Error
	names names
	level int
}

// Object checks doc, which must be one JSON object, and fills in Members and
// Space. The error is an *Error.
func (s *Scanner) Object(doc []byte) error {
	if s.MaxDepth == 0 {
		s.MaxDepth = 64
	}
	s.doc, s.err, s.Members, s.Space, s.level = doc, nil, s.Members[:0], false, 0
	s.names.reset()
	i := s.space(0)
	if i >= len(doc) {
		s.fail(Truncated, i, "nothing is here")
		return s.err
	}
	end, t := s.value(i)
	if s.err != nil {
		return s.err
	}
	if end = s.space(end); end < len(doc) {
		s.fail(Trailing, end, "something follows the value")
		return s.err
	}
	if t != Object {
		s.fail(NotObject, i, "this is "+t.String()+", not an object")
		return s.err
	}
	return nil
}

func (s *Scanner) fail(c Code, at int, detail string) int {
	if s.err == nil {
		s.err = &Error{Code: c, Offset: at, Detail: detail}
	}
	return len(s.doc)
}

// space returns the place of the first byte at or after i that is no white space.
func (s *Scanner) space(i int) int {
	doc := s.doc
	if i < len(doc) && doc[i] > ' ' {
		return i
	}
	for i < len(doc) {
		switch doc[i] {
		case ' ', '\t', '\n', '\r':
			s.Space = true
			i++
		default:
			return i
		}
	}
	return i
}

// value checks the value that starts at i and returns where it ends.
func (s *Scanner) value(i int) (int, Type) {
	if i >= len(s.doc) {
		return s.fail(Truncated, i, "a value is missing"), Invalid
	}
	switch c := s.doc[i]; c {
	case '{':
		return s.object(i), Object
	case '[':
		return s.array(i), Array
	case '"':
		end, _ := s.str(i)
		return end, String
	case 't':
		return s.literal(i, "true"), True
	case 'f':
		return s.literal(i, "false"), False
	case 'n':
		return s.literal(i, "null"), Null
	default:
		if c == '-' || c >= '0' && c <= '9' {
			return s.number(i), Number
		}
		return s.fail(Syntax, i, fmt.Sprintf("%q does not start a value", rune(c))), Invalid
	}
}

func (s *Scanner) literal(i int, want string) int {
	if n := i + len(want); n <= len(s.doc) && string(s.doc[i:n]) == want {
		return n
	}
	for j := range len(want) {
		if i+j >= len(s.doc) {
			return s.fail(Truncated, len(s.doc), "the value is cut off")
		}
		if s.doc[i+j] != want[j] {
			return s.fail(Syntax, i+j, "not "+want)
		}
	}
	return len(s.doc)
}

func (s *Scanner) number(i int) int {
	doc := s.doc
	j := i
	if doc[j] == '-' {
		j++
	}
	switch {
	case j >= len(doc):
		return s.fail(Truncated, j, "the number is cut off")
	case doc[j] == '0':
		j++
	case doc[j] >= '1' && doc[j] <= '9':
		j = digits(doc, j)
	default:
		return s.fail(Syntax, j, "a digit is missing")
	}
	if j < len(doc) && doc[j] == '.' {
		k := digits(doc, j+1)
		if k == j+1 {
			return s.missingDigit(k)
		}
		j = k
	}
	if j < len(doc) && doc[j]|0x20 == 'e' {
		j++
		if j < len(doc) && (doc[j] == '+' || doc[j] == '-') {
			j++
		}
		k := digits(doc, j)
		if k == j {
			return s.missingDigit(k)
		}
		j = k
	}
	if j < len(doc) && doc[j] >= '0' && doc[j] <= '9' {
		return s.fail(Syntax, j, "a number starts with 0")
	}
	return j
}

func (s *Scanner) missingDigit(i int) int {
	if i >= len(s.doc) {
		return s.fail(Truncated, i, "the number is cut off")
	}
	return s.fail(Syntax, i, "a digit is missing")
}

func digits(doc []byte, i int) int {
	for i < len(doc) && doc[i] >= '0' && doc[i] <= '9' {
		i++
	}
	return i
}

func (s *Scanner) array(i int) int {
	if s.level++; s.level > s.MaxDepth {
		return s.fail(Depth, i, fmt.Sprintf("nested deeper than %d levels", s.MaxDepth))
	}
	start := i
	i = s.space(i + 1)
	if i < len(s.doc) && s.doc[i] == ']' {
		s.level--
		return i + 1
	}
	for s.err == nil {
		i, _ = s.value(i)
		i = s.space(i)
		if i >= len(s.doc) {
			return s.fail(Truncated, i, fmt.Sprintf("the array that starts at byte %d is not closed", start))
		}
		switch s.doc[i] {
		case ',':
			i = s.space(i + 1)
		case ']':
			s.level--
			return i + 1
		default:
			return s.fail(Syntax, i, fmt.Sprintf("%q stands where , or ] is expected", rune(s.doc[i])))
		}
	}
	return i
}

func (s *Scanner) object(i int) int {
	if s.level++; s.level > s.MaxDepth {
		return s.fail(Depth, i, fmt.Sprintf("nested deeper than %d levels", s.MaxDepth))
	}
	outer := s.level == 1
	start := i
	i = s.space(i + 1)
	if i < len(s.doc) && s.doc[i] == '}' {
		s.level--
		return i + 1
	}
	base := s.names.open()
	var seen uint64
	for s.err == nil {
		if i >= len(s.doc) {
			return s.fail(Truncated, i, fmt.Sprintf("the object that starts at byte %d is not closed", start))
		}
		if s.doc[i] != '"' {
			return s.fail(Syntax, i, fmt.Sprintf("%q stands where a name in quotes is expected", rune(s.doc[i])))
		}
		end, escaped := s.str(i)
		if s.err != nil {
			return end
		}
		key := Member{KeyStart: i + 1, KeyEnd: end - 1, Escaped: escaped}
		if s.names.add(base, &seen, s.doc, key) {
			return s.fail(Duplicate, i, fmt.Sprintf("the name %s stands twice in one object", clip(s.doc[i:end])))
		}
		i = s.space(end)
		if i >= len(s.doc) {
			return s.fail(Truncated, i, fmt.Sprintf("the object that starts at byte %d is not closed", start))
		}
		if s.doc[i] != ':' {
			return s.fail(Syntax, i, fmt.Sprintf("%q stands where : is expected", rune(s.doc[i])))
		}
		i = s.space(i + 1)
		key.ValStart = i
		i, key.Type = s.value(i)
		if outer {
			key.ValEnd = i
			s.Members = append(s.Members, key)
		}
		i = s.space(i)
		if i >= len(s.doc) {
			return s.fail(Truncated, i, fmt.Sprintf("the object that starts at byte %d is not closed", start))
		}
		switch s.doc[i] {
		case ',':
			i = s.space(i + 1)
		case '}':
			s.names.close(base)
			s.level--
			return i + 1
		default:
			return s.fail(Syntax, i, fmt.Sprintf("%q stands where , or } is expected", rune(s.doc[i])))
		}
	}
	return i
}

// clip shortens a span for a message.
func clip(b []byte) string {
	if len(b) > 60 {
		return string(b[:57]) + "…"
	}
	return string(b)
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// str checks the string that starts at i and returns the place after its
// closing quote, and whether it has escapes. Eight bytes are looked at at a
// time; a byte that is a quote, a backslash, a control character or not ASCII
// raises its high bit in the mask.
func (s *Scanner) str(i int) (end int, escaped bool) {
	doc := s.doc
	start := i
	i++
	wide := false
	for {
		for i+8 <= len(doc) {
			w := binary.LittleEndian.Uint64(doc[i:])
			quote := w ^ ones*'"'
			slash := w ^ ones*'\\'
			m := ((quote - ones) &^ quote) | ((slash - ones) &^ slash) | ((w - ones*0x20) &^ w) | w
			if m &= highs; m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		if i >= len(doc) {
			return s.fail(Truncated, i, fmt.Sprintf("the string that starts at byte %d is not closed", start)), escaped
		}
		switch c := doc[i]; {
		case c == '"':
			if wide && !utf8.Valid(doc[start+1:i]) {
				return s.fail(Encoding, badUTF8(doc, start+1), "these bytes are not UTF-8"), escaped
			}
			return i + 1, escaped
		case c == '\\':
			escaped = true
			if i = s.escape(i); s.err != nil {
				return i, escaped
			}
		case c < 0x20:
			return s.fail(Syntax, i, fmt.Sprintf("the control character 0x%02x stands in a string", c)), escaped
		case c >= utf8.RuneSelf:
			wide = true
			// Text in other scripts is run through byte by byte up to the
			// next ASCII byte; it is checked as a whole at the end.
			for i++; i < len(doc) && doc[i] >= utf8.RuneSelf; i++ {
			}
		default:
			i++
		}
	}
}

// badUTF8 returns the place of the first byte from i on that is not UTF-8.
func badUTF8(doc []byte, i int) int {
	for i < len(doc) {
		r, n := utf8.DecodeRune(doc[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return i
}

// escape checks the escape that starts at i.
func (s *Scanner) escape(i int) int {
	doc := s.doc
	if i+1 >= len(doc) {
		return s.fail(Truncated, len(doc), "the string is cut off")
	}
	switch doc[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		r := hex4(doc, i+2)
		switch {
		case r < 0 && i+6 > len(doc):
			return s.fail(Truncated, len(doc), "the string is cut off")
		case r < 0:
			return s.fail(Syntax, i, "\\u is not followed by four hexadecimal digits")
		case r < 0xd800 || r > 0xdfff:
			return i + 6
		case r < 0xdc00 && i+7 < len(doc) && doc[i+6] == '\\' && doc[i+7] == 'u':
			if low := hex4(doc, i+8); low >= 0xdc00 && low <= 0xdfff {
				return i + 12
			}
		}
		return s.fail(Encoding, i, "the escape is half of a surrogate pair")
	}
	return s.fail(Syntax, i, fmt.Sprintf("\\%c is no escape", doc[i+1]))
}

// hex4 returns the value of the four hexadecimal digits at i, or -1.
func hex4(doc []byte, i int) rune {
	if i+4 > len(doc) {
		return -1
	}
	var r rune
	for _, c := range doc[i : i+4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return -1
		}
	}
	return r
}
