package indexer

import (
	"bytes"
	"html"
)

// plainText returns a text without markup: tags become spaces, scripts and
// styles nothing, entities what they stand for. It works in the memory of
// text.
func plainText(text []byte) []byte {
	if i := bytes.IndexByte(text, '<'); i >= 0 {
		text = stripTags(text, i)
	}
	if bytes.IndexByte(text, '&') < 0 {
		return text
	}
	return append(text[:0], html.UnescapeString(string(text))...)
}

// stripTags replaces the tags of text, the first of which may start at i.
func stripTags(text []byte, i int) []byte {
	out := text[:i]
	for i < len(text) {
		c := text[i]
		if c != '<' || !tagStart(text, i+1) {
			out = append(out, c)
			i++
			continue
		}
		name := text[i+1:]
		end := bytes.IndexByte(name, '>')
		if end < 0 {
			break // a tag that was cut off
		}
		next := i + 1 + end + 1
		for _, skip := range [...]string{"script", "style"} {
			if len(name) > len(skip) && bytes.EqualFold(name[:len(skip)], []byte(skip)) {
				if k := closing(text[next:], skip); k >= 0 {
					next += k
				}
			}
		}
		out = append(out, ' ')
		i = next
	}
	return out
}

// tagStart reports whether what stands behind a < makes it a tag's.
func tagStart(text []byte, i int) bool {
	if i >= len(text) {
		return false
	}
	c := text[i]
	return c == '/' || c == '!' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// closing returns where the closing tag of that name starts, or -1.
func closing(text []byte, name string) int {
	for i := 0; i < len(text); {
		k := bytes.Index(text[i:], []byte("</"))
		if k < 0 {
			return -1
		}
		i += k
		if rest := text[i+2:]; len(rest) >= len(name) && bytes.EqualFold(rest[:len(name)], []byte(name)) {
			return i
		}
		i += 2
	}
	return -1
}
