package indexer

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a word found as it is, by its stem, as a prefix or with typos counts; a
// word's score is that times the weight of the class it is found in.
const (
	QualityExact  = 10
	QualityStem   = 9
	QualityPrefix = 7 // only the last word of a text
	QualityTypo   = 5 // one edit
	QualityTypos  = 3 // two edits
)

// ExactPoints are added when the whole text is the SKU of the product or of
// one of its units.
const ExactPoints = 100_000

// SynonymScore returns what a synonym's phrase counts when the word itself
// would have counted score.
func SynonymScore(score int) int { return score * 9 / 10 }

// MaxTypos returns how many edits a word of a query may be away from a word of
// a document: 1 from 4 letters, 2 from 8, none in words with digits. The first
// letter must be right always.
func MaxTypos(term string) int {
	if strings.ContainsFunc(term, unicode.IsDigit) {
		return 0
	}
	switch n := utf8.RuneCountInString(term); {
	case n >= 8:
		return 2
	case n >= 4:
		return 1
	}
	return 0
}

// Typos returns the number of edits (insert, delete, replace, transpose two
// neighbours, no part edited twice) that make a of b if that is at most max
// and both start with the same letter; else -1.
func Typos(a, b string, max int) int {
	if a == "" || b == "" {
		return -1
	}
	// Most words begin otherwise, or are of another length.
	fa, _ := utf8.DecodeRuneInString(a)
	fb, _ := utf8.DecodeRuneInString(b)
	if fa != fb {
		return -1
	}
	if n := utf8.RuneCountInString(a) - utf8.RuneCountInString(b); n > max || -n > max {
		return -1
	}
	ra, rb := []rune(a), []rune(b)
	rows := [3][]int{make([]int, len(rb)+1), make([]int, len(rb)+1), make([]int, len(rb)+1)}
	before, prev, row := rows[0], rows[1], rows[2]
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(ra); i++ {
		row[0] = i
		for j := 1; j <= len(rb); j++ {
			cost := 1
			if ra[i-1] == rb[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && ra[i-1] == rb[j-2] && ra[i-2] == rb[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	if prev[len(rb)] > max {
		return -1
	}
	return prev[len(rb)]
}

// Quality returns how well a document's token matches t; 0: not at all.
func (t *QueryToken) Quality(d Token, prefix, typos bool) int {
	switch {
	case d.Term == t.Term:
		return QualityExact
	case slices.Contains(t.Stems, d.Stem):
		return QualityStem
	case prefix && strings.HasPrefix(d.Term, t.Term):
		return QualityPrefix
	case typos:
		if n := MaxTypos(t.Term); n > 0 {
			switch Typos(t.Term, d.Term, n) {
			case 0, 1:
				return QualityTypo
			case 2:
				return QualityTypos
			}
		}
	}
	return 0
}

// Score returns what a document's best match of the word counts; 0: it has
// none. Typos hold for the word itself, not for its synonyms.
func (w *QueryWord) Score(d *Document, typos bool) int {
	best := 0
	for i := range w.Alts {
		alt := &w.Alts[i]
		score := 0
		for j := range alt.Words {
			s := 0
			for k := range d.Words {
				own := !alt.Synonym
				s = max(s, d.Words[k].Class.Weight()*alt.Words[j].Quality(d.Words[k].Token, own && w.Last, own && typos))
			}
			if j == 0 || s < score {
				score = s
			}
		}
		if alt.Synonym {
			score = SynonymScore(score)
		}
		best = max(best, score)
	}
	return best
}

// Score returns the score of a document, and whether its text is a hit, when
// the text is relaxed so far. typos says for each word whether it may have
// some at RelaxedNot: whether no document that the store's search sees (of any
// category and filter) has it without.
func (q *Prepared) Score(d *Document, relaxed Relaxed, typos []bool) (int, bool) {
	if len(q.Words) == 0 {
		return 0, true
	}
	sum, found := 0, 0
	for i := range q.Words {
		if s := q.Words[i].Score(d, relaxed > RelaxedNot || typos[i]); s > 0 {
			sum += s
			found++
		}
	}
	if found == 0 || found < len(q.Words) && relaxed != RelaxedAny {
		return 0, false
	}
	if q.Exact != "" && (Fold(d.SKU) == q.Exact || slices.ContainsFunc(d.Units, func(u Unit) bool { return Fold(u.SKU) == q.Exact })) {
		sum += ExactPoints
	}
	return sum, true
}
