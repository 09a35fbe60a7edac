package analysis

import (
	"strings"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/analysis/lang/de"
	"github.com/blevesearch/bleve/v2/analysis/lang/en"
	"github.com/blevesearch/bleve/v2/analysis/lang/es"
	"github.com/blevesearch/bleve/v2/analysis/lang/fr"
	"github.com/blevesearch/bleve/v2/analysis/lang/it"
	"github.com/blevesearch/bleve/v2/analysis/lang/nl"
	"github.com/blevesearch/bleve/v2/analysis/lang/pt"
	"github.com/blevesearch/bleve/v2/analysis/lang/sv"
)

// language is what is particular about one.
type language struct {
	code     string
	stemmer  analysis.TokenFilter // nil: words are their own stems
	stops    []byte
	elides   bool   // l'eau is eau
	genitive bool   // men's is men
	inch     string // what is said for the mark behind a number
}

// languageOf returns the language of a tag such as "de" or "de-CH". One that
// has no stemmer is folded and split like any other.
func languageOf(tag string) language {
	l := language{code: Code(tag), inch: "inch"}
	switch l.code {
	case "en":
		l.stemmer, l.stops, l.genitive = en.NewEnglishStemmerFilter(), en.EnglishStopWords, true
	case "de":
		l.inch = "zoll"
		l.stemmer, l.stops = de.NewGermanStemmerFilter(), de.GermanStopWords
	case "fr":
		l.inch = "pouces"
		l.stemmer, l.stops, l.elides = fr.NewFrenchStemmerFilter(), fr.FrenchStopWords, true
	case "es":
		l.inch = "pulgadas"
		l.stemmer, l.stops = es.NewSpanishStemmerFilter(), es.SpanishStopWords
	case "it":
		l.inch = "pollici"
		l.stemmer, l.stops, l.elides = it.NewItalianStemmerFilter(), it.ItalianStopWords, true
	case "nl":
		l.stemmer, l.stops = nl.NewDutchStemmerFilter(), nl.DutchStopWords
	case "pt":
		l.inch = "polegadas"
		l.stemmer, l.stops = pt.NewPortugueseLightStemmerFilter(), pt.PortugueseStopWords
	case "sv":
		l.inch = "tum"
		l.stemmer, l.stops = sv.NewSwedishStemmerFilter(), sv.SwedishStopWords
	}
	return l
}

// Code returns the part of a language tag that names the language, in lower
// case: two to eight letters (RFC 5646, 2.1). "und" of what is no tag.
func Code(tag string) string {
	code, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(tag, "_", "-")), "-")
	if len(code) < 2 || len(code) > 8 || strings.Trim(code, "abcdefghijklmnopqrstuvwxyz") != "" {
		return "und"
	}
	return code
}

// stopWords returns the language's list, folded.
func (l *language) stopWords() map[string]bool {
	if l.stops == nil {
		return nil
	}
	list := analysis.NewTokenMap()
	if err := list.LoadBytes(l.stops); err != nil {
		return nil // it reads from memory
	}
	out := make(map[string]bool, len(list))
	for w := range list {
		for part := range strings.FieldsFuncSeq(Fold(w), func(r rune) bool { return r == '\'' }) {
			out[part] = true
		}
	}
	return out
}

// stem returns the stem of a word in lower case.
func (l *language) stem(word string) string {
	if l.stemmer == nil || word == "" {
		return word
	}
	out := l.stemmer.Filter(analysis.TokenStream{{Term: []byte(word), Start: 0, End: len(word), Position: 1}})
	if len(out) != 1 || len(out[0].Term) == 0 {
		return word
	}
	return string(out[0].Term)
}
