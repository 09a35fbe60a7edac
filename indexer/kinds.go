package indexer

import (
	"strings"
	"unicode"

	"catalog/indexer/analysis"
)

// kindWord is a word of a category's name.
type kindWord struct {
	*analysis.Word
	class Class
}

// headFirst has the languages whose names of several words start with what the
// thing is: "carte graphique". In others it comes last: "graphics card".
var headFirst = map[string]bool{"fr": true, "es": true, "it": true, "pt": true}

// kindsOf returns the words by which the products of a category are found. A
// category says what its products are, as nothing else does: so its name as a
// whole is in ClassCategory. Of the words of a name of several, which say less,
// the one that the others describe weighs as in a product's name, the others as
// in an attribute. Of "Hoodies & Sweatshirts" a product is one or the
// other: both weigh as in its own name. "CPUCooler" is "CPU Cooler", and found
// as "cpucooler" by whoever types two words, since these are tried in one.
func (s *session) kindsOf(l *lang, name string) []kindWord {
	if k, ok := l.kinds[name]; ok {
		return k
	}
	var out []kindWord
	put := func(text string, c Class) {
		for _, w := range l.Append(nil, []byte(text)) {
			out = append(out, kindWord{w, c})
		}
	}
	parts := strings.FieldsFunc(spaced(name), func(r rune) bool { return strings.ContainsRune("&,;/|()", r) })
	whole := ClassCategory
	if len(parts) > 1 {
		whole = ClassName
	}
	for _, part := range parts {
		words := strings.Fields(part)
		if len(words) == 1 {
			put(words[0], whole)
			continue
		}
		head := len(words) - 1
		if headFirst[l.Language()] {
			head = 0
		}
		for i, w := range words {
			if i == head {
				put(w, ClassName)
			} else {
				put(w, ClassAttribute)
			}
			if i > 0 {
				put(words[i-1]+w, whole)
			}
		}
	}
	if len(l.kinds) >= maxMemo {
		clear(l.kinds)
	}
	l.kinds[name] = out
	return out
}

// spaced puts spaces between the words of a name that are told apart by
// capitals alone.
func spaced(name string) string {
	letters := []rune(name)
	var out strings.Builder
	for i, r := range letters {
		if i > 1 && unicode.IsUpper(r) {
			last, next := letters[i-1], letters[min(i+1, len(letters)-1)]
			if unicode.IsLower(last) && unicode.IsLower(letters[i-2]) || unicode.IsUpper(last) && unicode.IsLower(next) {
				out.WriteByte(' ')
			}
		}
		out.WriteRune(r)
	}
	return out.String()
}
