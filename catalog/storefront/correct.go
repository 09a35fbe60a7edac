package storefront

import (
	"strings"
	"unicode"

	"catalog/catalog"
	"catalog/indexer"
)

// Bounds of what is looked at for a correction.
const (
	maxCorrected = 8 // words of the text
	maxLookedAt  = 3 // hits
)

// correction returns what was perhaps meant by a text, "" if nothing else:
// words that no first hit has are replaced by those of their names and brands
// that were found for them, typos allowed.
func correction(text string, bodies []catalog.Value, l *looks) string {
	words := strings.Fields(text)
	if len(words) > maxCorrected {
		return ""
	}
	bodies = bodies[:min(len(bodies), maxLookedAt)]
	var known []string // words of names and brands, as they are written
	var all strings.Builder
	for _, body := range bodies {
		if body == nil {
			continue
		}
		for _, name := range [...]string{"name", "brand", "categories"} {
			for v := range l.member(body, name).Elements() {
				known = append(known, strings.FieldsFunc(v.Text(), notWord)...)
			}
		}
		all.Write(body)
	}
	if len(known) == 0 {
		return ""
	}
	has := indexer.Fold(all.String())
	changed := false
	for i, w := range words {
		folded := indexer.Fold(w)
		if strings.Contains(has, folded) {
			continue
		}
		if meant := nearest(folded, known); meant != "" {
			words[i], changed = strings.ToLower(meant), true
		}
	}
	if !changed {
		return ""
	}
	return strings.Join(words, " ")
}

func notWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }

// nearest returns the word with the fewest typos against a folded one, "" if
// all have too many, or one is merely another form of it.
func nearest(folded string, known []string) string {
	best, typos := "", indexer.MaxTypos(folded)+1
	for _, k := range known {
		f := indexer.Fold(k)
		if strings.HasPrefix(folded, f) || strings.HasPrefix(f, folded) {
			return ""
		}
		if n := indexer.Typos(folded, f, typos-1); n > 0 && n < typos {
			best, typos = k, n
		}
	}
	return best
}
