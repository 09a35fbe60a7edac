package indexer

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"catalog/indexer/analysis"
)

// analysers are those of queries, by language. Not safe for concurrent use.
type analysers struct{ by map[string]*analysis.Analyzer }

// maxQueryMemo is how many words the analysis of queries remembers.
const maxQueryMemo = 1 << 12

func (a *analysers) of(lang string) *analysis.Analyzer {
	if a.by == nil {
		a.by = map[string]*analysis.Analyzer{}
	}
	if a.by[lang] == nil {
		a.by[lang] = analysis.New(lang, maxQueryMemo)
	}
	return a.by[lang]
}

// queryWords analyses a text in the languages of a store's documents, its own
// first. Stop words are left out unless there are no others; the last word
// stays when it may be the start of another (typing).
func (s *Shop) queryWords(text string, langs []string, typing bool) []QueryWord {
	a := s.queries.Get().(*analysers)
	defer s.queries.Put(a)
	toks := tokens(a, text, langs)
	if len(toks) == 0 {
		return nil
	}
	// A text that ends behind its last word says that the word is whole.
	end, _ := utf8.DecodeLastRuneInString(text)
	toks[len(toks)-1].last = unicode.IsLetter(end) || unicode.IsNumber(end) || unicode.IsMark(end)
	toks = toks[:min(len(toks), MaxWords)]
	kept := slices.DeleteFunc(slices.Clone(toks), func(t token) bool {
		return (t.stop || s.stops[t.Term]) && !(typing && t.last) && t.whole == nil
	})
	if len(kept) == 0 {
		kept = toks
	}
	syn := s.synonyms[langs[0]]
	var words []QueryWord
	for i := 0; i < len(kept); {
		n, alts := syn.match(kept[i:])
		n = max(n, 1)
		w := QueryWord{Alts: make([]Alternative, 1, 1+len(alts))}
		for _, t := range kept[i : i+n] {
			w.Text = strings.TrimSpace(w.Text + " " + t.Term)
			w.Alts[0].Words = append(w.Alts[0].Words, t.QueryToken)
			w.Last = t.last
		}
		if n == 1 {
			w.Alts = append(w.Alts, spellings(a, kept, i, langs)...)
		}
		w.Alts = append(w.Alts, alts...)
		words = append(words, w)
		i += n
	}
	return words
}

// spellings returns other ways to write the i-th word: in its parts, and in one
// with its neighbours. So "rtx4070" finds "RTX 4070", and both words of "mouse
// pad" or "mouse-pad" a "mousepad".
func spellings(a *analysers, words []token, i int, langs []string) []Alternative {
	var alts []Alternative
	if w := words[i].whole; w != nil {
		alts = append(alts, Alternative{Words: []QueryToken{*w}})
	}
	if len(words[i].parts) > 0 {
		alts = append(alts, Alternative{Words: words[i].parts, Synonym: true})
	}
	for _, j := range [...]int{i - 1, i} {
		if j < 0 || j+1 >= len(words) || words[j].at+1 != words[j+1].at ||
			words[j].whole != nil && words[j].whole == words[j+1].whole || figures(words[j].Term) && figures(words[j+1].Term) {
			continue
		}
		if one := tokens(a, words[j].Term+words[j+1].Term, langs); len(one) == 1 && len(one[0].Term) < analysis.MaxTerm {
			alts = append(alts, Alternative{Words: []QueryToken{one[0].QueryToken}, Synonym: true})
		}
	}
	return alts
}

// figures reports whether a term is a number.
func figures(term string) bool { return strings.Trim(term, "0123456789.") == "" }

// runs splits a term where letters and figures meet; nil if the pieces would
// be too short to mean something: "rtx4070", but not "i7" or "5600x".
func runs(term string) []string {
	var out []string
	start := 0
	for i := 1; i <= len(term); i++ {
		if i < len(term) && isFigure(term[i]) == isFigure(term[i-1]) {
			continue
		}
		out = append(out, term[start:i])
		start = i
	}
	if len(out) < 2 || len(out) > 4 {
		return nil
	}
	letters := 0
	for _, r := range out {
		if !isFigure(r[0]) {
			letters = max(letters, len(r))
		}
		if len(r) < 2 && !isFigure(r[0]) {
			return nil
		}
	}
	for _, r := range out {
		if len(r) < 2 && letters < 4 {
			return nil
		}
	}
	return out
}

func isFigure(c byte) bool { return c >= '0' && c <= '9' || c == '.' }

// token is a word of a query.
type token struct {
	QueryToken
	at         int // its place in the text, in words
	stop, last bool
	parts      []QueryToken // that it is made of, if any
	whole      *QueryToken  // that it is a part of, with hyphens
}

func newToken(w *analysis.Word) token {
	t := token{QueryToken: QueryToken{Term: w.Term, Stems: []string{w.Stem}}, stop: w.Stop}
	for _, p := range w.Parts() {
		t.parts = append(t.parts, QueryToken{Term: p.Term, Stems: []string{p.Stem}})
	}
	return t
}

// tokens splits a text as the first language does, and stems it in all.
func tokens(a *analysers, text string, langs []string) []token {
	var out []token
	for _, w := range a.of(langs[0]).Append(nil, []byte(text)) {
		if !w.Hyphens {
			out = append(out, newToken(w))
			continue
		}
		whole := &QueryToken{Term: w.Term, Stems: []string{w.Stem}}
		for _, p := range w.Parts() {
			t := newToken(p)
			t.whole = whole
			out = append(out, t)
		}
	}
	for i := range out {
		t := &out[i]
		t.at = i
		if t.parts == nil {
			for _, r := range runs(t.Term) {
				t.parts = append(t.parts, QueryToken{Term: r, Stems: stemsOf(a, nil, langs[0], r)})
			}
		}
	}
	for _, lang := range langs[1:] {
		other := a.of(lang).Append(nil, []byte(text))
		for i := range out {
			t := &out[i]
			if len(other) == len(out) && other[i].Term == t.Term {
				t.Stems = append(t.Stems, other[i].Stem)
			} else {
				t.Stems = stemsOf(a, t.Stems, lang, t.Term)
			}
			for j := range t.parts {
				t.parts[j].Stems = stemsOf(a, t.parts[j].Stems, lang, t.parts[j].Term)
			}
			if w := t.whole; w != nil && (i == 0 || out[i-1].whole != w) {
				w.Stems = stemsOf(a, w.Stems, lang, w.Term)
			}
		}
	}
	return out
}

// stemsOf appends the stem of a term in a language.
func stemsOf(a *analysers, stems []string, lang, term string) []string {
	if one := a.of(lang).Append(nil, []byte(term)); len(one) == 1 {
		stems = append(stems, one[0].Stem)
	}
	return stems
}

// synonyms finds what else is meant by phrases of a language.
type synonyms struct {
	rules map[string][]synonym // by the first stem
}

type synonym struct {
	from []string // stems
	to   []Alternative
}

// newSynonyms reads the lines of a settings file.
func newSynonyms(lines []string, lang string) *synonyms {
	s := &synonyms{rules: map[string][]synonym{}}
	if len(lines) == 0 {
		return s
	}
	a := &analysers{}
	code := analysis.Code(lang)
	phrase := func(text string) []QueryToken {
		var out []QueryToken
		for _, t := range tokens(a, text, []string{code}) {
			out = append(out, t.QueryToken)
		}
		return out
	}
	for _, line := range lines {
		from, to, ok := synonymLine(line)
		if !ok {
			continue
		}
		for _, f := range from {
			words := phrase(f)
			if len(words) == 0 {
				continue
			}
			r := synonym{}
			for _, w := range words {
				r.from = append(r.from, w.Stems[0])
			}
			for _, t := range to {
				alt := phrase(t)
				same := slices.EqualFunc(alt, words, func(x, y QueryToken) bool { return x.Term == y.Term })
				if len(alt) > 0 && !same {
					r.to = append(r.to, Alternative{Words: alt, Synonym: true})
				}
			}
			s.rules[r.from[0]] = append(s.rules[r.from[0]], r)
		}
	}
	return s
}

// match returns how many of the words the longest phrase has that stands at
// their start, and what else is meant by it.
func (s *synonyms) match(words []token) (int, []Alternative) {
	if s == nil {
		return 0, nil
	}
	best, alts := 0, []Alternative(nil)
	for _, r := range s.rules[words[0].Stems[0]] {
		if len(r.from) > len(words) || len(r.from) < best {
			continue
		}
		fits := true
		for i, stem := range r.from {
			fits = fits && words[i].Stems[0] == stem
		}
		if !fits {
			continue
		}
		if len(r.from) > best {
			best, alts = len(r.from), nil
		}
		alts = append(alts, r.to...)
	}
	return best, alts
}
