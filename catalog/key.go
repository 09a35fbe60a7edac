package catalog

import (
	"fmt"
	"unicode/utf8"
)

// CheckKey reports the rule that s breaks as a key of kind k, as ErrInvalid:
// 1 to MaxSKU bytes (MaxKey for categories and attributes), UTF-8, no control
// characters, no white space at either end.
func (k Kind) CheckKey(s string) error {
	limit := MaxSKU
	if k == KindCategory || k == KindAttribute {
		limit = MaxKey
	}
	if detail := keyFault(s, limit); detail != "" {
		return &InvalidError{Reason: ReasonKey, Path: k.KeyField(), Offset: -1, Detail: detail}
	}
	return nil
}

// KeyField returns the name of the member that holds the key of kind k.
func (k Kind) KeyField() string {
	switch k {
	case KindCategory:
		return "id"
	case KindAttribute:
		return "code"
	}
	return "sku"
}

// keyFault says in words which rule s breaks, or nothing.
func keyFault(s string, limit int) string {
	switch {
	case s == "":
		return "is empty"
	case len(s) > limit:
		return fmt.Sprintf("has %d bytes, more than %d", len(s), limit)
	case s[0] == ' ' || s[len(s)-1] == ' ':
		return "starts or ends with a space"
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < 0x20 || c == 0x7f {
			return fmt.Sprintf("has the control character 0x%02x at byte %d", c, i)
		}
		if c >= utf8.RuneSelf {
			return wideKeyFault(s)
		}
	}
	return ""
}

// wideKeyFault checks a key that is not ASCII alone.
func wideKeyFault(s string) string {
	if !utf8.ValidString(s) {
		return "is not UTF-8"
	}
	for i, r := range s {
		switch {
		case r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029:
			return fmt.Sprintf("has the control character U+%04X at byte %d", r, i)
		case isSpace(r) && (i == 0 || i+utf8.RuneLen(r) == len(s)):
			return "starts or ends with a space"
		}
	}
	return ""
}

// isSpace reports the white space beyond ASCII that copying from documents
// leaves at the ends of keys.
func isSpace(r rune) bool {
	switch {
	case r == 0xa0, r == 0x1680, r >= 0x2000 && r <= 0x200a, r == 0x202f, r == 0x205f, r == 0x3000, r == 0xfeff:
		return true
	}
	return r == ' '
}
