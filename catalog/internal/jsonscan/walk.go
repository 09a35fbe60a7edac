package jsonscan

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// The functions of this file take JSON that a Scanner has accepted; what they
// do with anything else is undefined, except that they do not panic or hang.

// AppendMembers appends the members of the object that doc is.
func AppendMembers(dst []Member, doc []byte) []Member {
	i := SkipSpace(doc, SkipSpace(doc, 0)+1)
	for i < len(doc) && doc[i] == '"' {
		end := skipString(doc, i)
		m := Member{KeyStart: i + 1, KeyEnd: max(end-1, i+1)}
		m.Escaped = bytes.IndexByte(m.Key(doc), '\\') >= 0
		i = SkipSpace(doc, end)
		i = SkipSpace(doc, i+1)
		m.ValStart = min(i, len(doc))
		m.Type = TypeOf(doc[m.ValStart:])
		i = Skip(doc, i)
		m.ValEnd = i
		dst = append(dst, m)
		i = SkipSpace(doc, i)
		if i >= len(doc) || doc[i] != ',' {
			break
		}
		i = SkipSpace(doc, i+1)
	}
	return dst
}

// AppendElements appends the elements of the array that doc is.
func AppendElements(dst [][]byte, doc []byte) [][]byte {
	i := SkipSpace(doc, SkipSpace(doc, 0)+1)
	for i < len(doc) && doc[i] != ']' {
		end := Skip(doc, i)
		dst = append(dst, doc[i:end])
		i = SkipSpace(doc, end)
		if i >= len(doc) || doc[i] != ',' {
			break
		}
		i = SkipSpace(doc, i+1)
	}
	return dst
}

// TypeOf returns the type of the value that starts doc.
func TypeOf(doc []byte) Type {
	if len(doc) == 0 {
		return Invalid
	}
	switch doc[0] {
	case '{':
		return Object
	case '[':
		return Array
	case '"':
		return String
	case 't':
		return True
	case 'f':
		return False
	case 'n':
		return Null
	}
	return Number
}

// Skip returns the place after the value that starts at i.
func Skip(doc []byte, i int) int {
	if i >= len(doc) {
		return len(doc)
	}
	switch doc[i] {
	case '"':
		return skipString(doc, i)
	case '{', '[':
		depth := 0
		for i < len(doc) {
			switch doc[i] {
			case '"':
				i = skipString(doc, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return len(doc)
	}
	for i++; i < len(doc); i++ {
		switch doc[i] {
		case ',', '}', ']', ' ', '\t', '\n', '\r':
			return i
		}
	}
	return len(doc)
}

// SkipSpace returns the place of the first byte at or after i that is no white
// space.
func SkipSpace(doc []byte, i int) int {
	for i < len(doc) && (doc[i] == ' ' || doc[i] == '\t' || doc[i] == '\n' || doc[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the place after the string that starts at i.
func skipString(doc []byte, i int) int {
	i++
	for i < len(doc) {
		k := bytes.IndexByte(doc[i:], '"')
		if k < 0 {
			return len(doc)
		}
		i += k + 1
		// The quote is part of the text after an odd number of backslashes.
		n := 0
		for j := i - 2; j >= 0 && doc[j] == '\\'; j-- {
			n++
		}
		if n%2 == 0 {
			return i
		}
	}
	return len(doc)
}

// AppendCompact appends doc without the white space outside its strings.
func AppendCompact(dst, doc []byte) []byte {
	start := 0
	for i := 0; i < len(doc); {
		switch doc[i] {
		case '"':
			i = skipString(doc, i)
		case ' ', '\t', '\n', '\r':
			dst = append(dst, doc[start:i]...)
			i = SkipSpace(doc, i)
			start = i
		default:
			i++
		}
	}
	return append(dst, doc[start:]...)
}

// Text returns the text of a string value, with its quotes around it in doc.
func Text(doc []byte) string {
	if len(doc) < 2 {
		return ""
	}
	doc = doc[1 : len(doc)-1]
	if bytes.IndexByte(doc, '\\') < 0 {
		return string(doc)
	}
	return string(AppendUnquoted(nil, doc))
}

// AppendUnquoted appends the text that the inside of a string stands for.
func AppendUnquoted(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 >= len(s) {
			dst = append(dst, s[i])
			i++
			continue
		}
		switch c := s[i+1]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r := hex4(s, i+2)
			i += 4
			if r >= 0xd800 && r < 0xdc00 && i+3 < len(s) && s[i+2] == '\\' {
				r = utf16.DecodeRune(r, hex4(s, i+4))
				i += 6
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, c)
		}
		i += 2
	}
	return dst
}

const hexDigits = "0123456789abcdef"

// AppendQuoted appends text as a JSON string in its shortest form: only what
// must be escaped is. Bytes that are not UTF-8 become U+FFFD.
func AppendQuoted(dst []byte, text string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(append(dst, text[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += n
			continue
		}
		if c >= 0x20 && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, text[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(append(dst, text[start:]...), '"')
}

// IsNumber reports whether s is a JSON number.
func IsNumber(s []byte) bool {
	if len(s) == 0 || s[0] != '-' && (s[0] < '0' || s[0] > '9') {
		return false
	}
	sc := Scanner{doc: s}
	return sc.number(0) == len(s) && sc.err == nil
}
