package analysis

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// next returns the next word of text at or after i, and whether it is a run of
// characters without spaces between words. Without one, start is end.
func next(text []byte, i int) (start, end int, wide bool) {
	for i < len(text) {
		c := text[i]
		if c < utf8.RuneSelf {
			if alnum[c] {
				break
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if isWord(r) {
			if isWide(r) {
				return i, wideEnd(text, i+n), true
			}
			break
		}
		i += n
	}
	start = i
	for i < len(text) {
		c := text[i]
		if c < utf8.RuneSelf {
			if alnum[c] || i > start && joins(text, i, i+1) {
				i++
				continue
			}
			break
		}
		r, n := utf8.DecodeRune(text[i:])
		if isWide(r) || !isWord(r) && (r != '’' || i == start || !joinsAt(text, i, i+n)) {
			break
		}
		i += n
	}
	return start, inchEnd(text, start, i), false
}

// inchEnd returns where a word of figures ends together with the mark for
// inches that follows it.
func inchEnd(text []byte, start, i int) int {
	if i == start || i-start > 5 || i == len(text) || !digit(text[i-1]) || text[i] != '"' && text[i] != 0xe2 {
		return i
	}
	for _, c := range text[start:i] {
		if !digit(c) && c != '.' {
			return i
		}
	}
	for _, mark := range inches {
		if bytes.HasPrefix(text[i:], []byte(mark)) {
			return i + len(mark)
		}
	}
	return i
}

// inches are the ways to write the mark for inches.
var inches = [...]string{`"`, "″", "”"}

// cutInch returns the number in front of a mark for inches.
func cutInch(raw string) (string, bool) {
	for _, mark := range inches {
		if n, ok := strings.CutSuffix(raw, mark); ok {
			return n, true
		}
	}
	return raw, false
}

// pieces returns what stands between hyphens, and between full stops next to a
// letter.
func pieces(raw string) []string {
	if !strings.ContainsAny(raw, "-.") {
		return nil
	}
	var list []string
	start := 0
	for i := 0; i < len(raw); i++ {
		if raw[i] != '-' && (raw[i] != '.' || decimal(raw, i)) {
			continue
		}
		if i > start {
			list = append(list, raw[start:i])
		}
		start = i + 1
	}
	if start < len(raw) {
		list = append(list, raw[start:])
	}
	return list
}

// decimal reports whether figures stand on both sides of a full stop.
func decimal(s string, i int) bool {
	return i > 0 && i+1 < len(s) && digit(s[i-1]) && digit(s[i+1])
}

// wideEnd returns where a run of wide characters ends.
func wideEnd(text []byte, i int) int {
	for i < len(text) {
		r, n := utf8.DecodeRune(text[i:])
		if !isWide(r) {
			break
		}
		i += n
	}
	return i
}

// joins reports whether the byte between i and j holds a word together: a full
// stop next to a digit, an apostrophe between letters, a hyphen between both.
func joins(text []byte, i, j int) bool {
	if i == 0 || j >= len(text) {
		return false
	}
	switch text[i] {
	case '.':
		return digit(text[i-1]) && (digit(text[j]) || letter(text[j])) || digit(text[j]) && letter(text[i-1])
	case '-':
		return (digit(text[i-1]) || letter(text[i-1])) && (digit(text[j]) || letter(text[j]))
	case '\'':
		return joinsAt(text, i, j)
	}
	return false
}

// joinsAt reports whether letters stand on both sides of an apostrophe.
func joinsAt(text []byte, i, j int) bool {
	return i > 0 && j < len(text) && letter(text[i-1]) && letter(text[j])
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// letter takes all bytes of characters beyond ASCII for letters.
func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= utf8.RuneSelf }

var alnum = func() (t [utf8.RuneSelf]bool) {
	for c := range t {
		t[c] = digit(byte(c)) || letter(byte(c))
	}
	return t
}()

func isWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)
}

// isWide reports characters of scripts that do not put spaces between words.
func isWide(r rune) bool {
	return r >= 0x2e80 && (unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r == 'ー')
}

func runeLen(b []byte) int {
	_, n := utf8.DecodeRune(b)
	return n
}
