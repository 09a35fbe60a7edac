package analysis

import (
	"strings"

	"catalog/indexer/internal/memo"
)

// MaxTerm bounds a term, in bytes; what is longer is cut.
const MaxTerm = 64

// Word is what becomes of a word of a text. Words are shared: Mark and At are
// for the owner of the Analyzer, to tell which it has seen. It is as large as
// a line of the processor's cache, since most of the time goes into getting
// them there.
type Word struct {
	Term  string // folded
	Stem  string // language, ":", stem; at most MaxTerm bytes
	Order uint64 // the first bytes of Term: words of different Order sort by it
	parts *[]*Word
	Mark  uint32
	At    int32
	Stop  bool // says nothing: "the"

	Hyphens bool // stand between its parts
}

// Parts returns the words that a word is made of: "16gb" is also "16" and "gb",
// "NH-D15" is "nhd15", and also "nh" and "d15". Parts may have parts.
func (w *Word) Parts() []*Word {
	if w.parts == nil {
		return nil
	}
	return *w.parts
}

// Analyzer makes words of texts in one language. It remembers words it has
// seen, as many as its limit says, and is not safe for concurrent use.
type Analyzer struct {
	lang  language
	stops map[string]bool
	words *memo.Memo[Word] // by word as written
}

// New returns an Analyzer of the language of a tag ("de", "de-CH", ""), which
// remembers up to twice limit words.
func New(tag string, limit int) *Analyzer {
	l := languageOf(tag)
	return &Analyzer{lang: l, stops: l.stopWords(), words: memo.New[Word](limit)}
}

// Language returns the code of the analyzer's language.
func (a *Analyzer) Language() string { return a.lang.code }

// Append appends the words of a text in their order. A word that the language
// takes for nothing (the article of an elision) is left out.
func (a *Analyzer) Append(dst []*Word, text []byte) []*Word {
	for i := 0; i < len(text); {
		start, end, wide := next(text, i)
		if start == end {
			break
		}
		i = end
		if wide {
			dst = a.appendPairs(dst, text[start:end])
			continue
		}
		switch w := a.word(text[start:end]); {
		case w == nil:
		case w.Term == "":
			dst = append(dst, w.Parts()...)
		default:
			dst = append(dst, w)
		}
	}
	return dst
}

// appendPairs appends the overlapping pairs of a run of characters, or the
// single one it has.
func (a *Analyzer) appendPairs(dst []*Word, run []byte) []*Word {
	before := -1
	for i := 0; i < len(run); {
		n := runeLen(run[i:])
		if before >= 0 {
			dst = append(dst, a.word(run[before:i+n]))
		}
		if before < 0 && i+n == len(run) {
			dst = append(dst, a.word(run))
		}
		before = i
		i += n
	}
	return dst
}

// word looks a word up; nil if it is none.
func (a *Analyzer) word(raw []byte) *Word {
	w, hash, ok := a.words.Get(raw)
	if !ok {
		w = a.make(string(raw))
		a.words.Put(hash, w)
	}
	return w
}

// make analyses a word. One without a term stands for its parts.
func (a *Analyzer) make(raw string) *Word {
	if list := pieces(raw); len(list) > 1 {
		return a.join(list)
	}
	if n, ok := cutInch(raw); ok {
		return a.measure(n+a.lang.inch, n, a.lang.inch)
	}
	raw = strings.Trim(raw, "-")
	text := a.apostrophes(lower(cut(raw, 4*MaxTerm)))
	term := cut(Fold(text), MaxTerm)
	if term == "" {
		return nil
	}
	w := &Word{Term: term, Stop: a.stops[term], Order: order(term)}
	stem := term
	if !hasDigit(term) {
		stem = Fold(a.lang.stem(text))
	}
	w.setStem(a.lang.code, stem)
	if n := unitAt(term); n > 0 {
		return a.measure(term, term[:n], term[n:])
	}
	return w
}

// setStem sets the stem. Where it is the term, both are kept in one place.
func (w *Word) setStem(lang, stem string) {
	w.Stem = cut(lang+":"+stem, MaxTerm)
	if own := w.Stem[len(lang)+1:]; own == w.Term {
		w.Term = own
	}
}

// measure makes the word of a number with its unit.
func (a *Analyzer) measure(term, number, unit string) *Word {
	term = cut(term, MaxTerm)
	w := &Word{Term: term, Order: order(term)}
	w.setStem(a.lang.code, term)
	parts := make([]*Word, 0, 2)
	for _, text := range [...]string{number, unit} {
		if p := a.word([]byte(text)); p != nil {
			parts = append(parts, p)
		}
	}
	w.parts = &parts
	return w
}

// Words of more pieces than that, or of figures alone, are not written without
// the hyphens.
const maxPieces = 6

// join makes the word of pieces with hyphens between them.
func (a *Analyzer) join(list []string) *Word {
	parts := make([]*Word, 0, len(list))
	var term strings.Builder
	figures := true
	for _, piece := range list {
		w := a.word([]byte(piece))
		if w == nil {
			continue
		}
		parts = append(parts, w)
		term.WriteString(w.Term)
		figures = figures && strings.Trim(w.Term, "0123456789.") == ""
	}
	switch {
	case len(parts) == 0:
		return nil
	case len(parts) == 1:
		return parts[0]
	case len(parts) > maxPieces || figures || term.Len() > MaxTerm:
		return &Word{parts: &parts}
	}
	w := &Word{Term: term.String(), Order: order(term.String()), Hyphens: true, parts: &parts}
	stem := w.Term
	if !hasDigit(stem) {
		stem = Fold(a.lang.stem(a.apostrophes(lower(strings.Join(list, "")))))
	}
	w.setStem(a.lang.code, stem)
	return w
}

// order returns the first eight bytes of a term as a number.
func order(term string) uint64 {
	var n uint64
	for i := range 8 {
		n <<= 8
		if i < len(term) {
			n |= uint64(term[i])
		}
	}
	return n
}

// apostrophes takes away what an apostrophe cuts off in the language.
func (a *Analyzer) apostrophes(s string) string {
	if !strings.ContainsAny(s, "'’") {
		return s
	}
	s = strings.Trim(strings.ReplaceAll(s, "’", "'"), "'")
	if head, tail, ok := strings.Cut(s, "'"); ok && a.lang.elides && len(head) <= 5 && len(tail) > 1 {
		s = tail
	}
	if a.lang.genitive {
		s = strings.TrimSuffix(s, "'s")
	}
	return strings.ReplaceAll(s, "'", "")
}

func hasDigit(s string) bool {
	return strings.ContainsAny(s, "0123456789")
}

// unitAt returns where the unit starts in a number with one ("16gb"); 0 if s
// is something else. Units of one letter are few: "5600x" is a name.
func unitAt(s string) int {
	n := 0
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[n] == '.') {
		n++
	}
	if n == 0 || n > 6 || len(s)-n < 1 || len(s)-n > 4 {
		return 0
	}
	if len(s)-n == 1 && !strings.Contains("aglmvw", s[n:]) {
		return 0
	}
	for i := n; i < len(s); i++ {
		if s[i] < 'a' || s[i] > 'z' {
			return 0
		}
	}
	return n
}
