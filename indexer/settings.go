package indexer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Settings is what a shop says of its search beside its store views: a JSON
// file that people write, see schemas/index-settings.schema.json. The zero
// Settings works.
type Settings struct {
	DefaultStore string   `json:"default_store,omitempty"`
	InStockOnly  bool     `json:"in_stock_only,omitempty"`
	Hidden       []string `json:"hidden,omitempty"`       // attributes that are no facet unless asked for
	NotSearched  []string `json:"not_searched,omitempty"` // attributes whose words are not searched
	// Synonyms are lines: "sneaker, trainer" for words of one meaning, and
	// "tee => t-shirt, top" for what else is found by the left side.
	Synonyms []string `json:"synonyms,omitempty"`
	// StopWords are left out of queries, beside those of the language.
	StopWords []string    `json:"stop_words,omitempty"`
	Facets    []FacetRule `json:"facets,omitempty"`
	Rules     []Rule      `json:"rules,omitempty"`
}

// FacetRule says which facets a category and those below it show. Of several
// rules that fit, the one of the deepest category counts.
type FacetRule struct {
	Category string   `json:"category,omitempty"` // path or id; "": everywhere
	Show     []string `json:"show,omitempty"`     // these first, in this order
	Hide     []string `json:"hide,omitempty"`     // these never by themselves
	Auto     *int     `json:"auto,omitempty"`     // at most so many more by themselves
	Values   int      `json:"values,omitempty"`   // values of each
}

// Rule is a merchandiser's: it holds for a query, a category, or both.
type Rule struct {
	Query    string   `json:"query,omitempty"` // the words of a text, in any spelling that folds to the same
	Category string   `json:"category,omitempty"`
	Stores   []string `json:"stores,omitempty"` // empty: all
	Pin      []string `json:"pin,omitempty"`    // SKUs that come first
	Boost    []Weight `json:"boost,omitempty"`
	Bury     []Weight `json:"bury,omitempty"`
}

// Weight moves products up or down: those of SKUs, or those with a unit that
// meets all Filters. A word found in a name counts 80 points.
type Weight struct {
	Filters []string `json:"filters,omitempty"` // as ParseFilter reads them
	SKUs    []string `json:"skus,omitempty"`
	Points  int      `json:"points,omitempty"` // 0 is 100
}

// ErrSettings is that of a settings file that makes no sense; the text says where.
var ErrSettings = errors.New("invalid index settings")

// ParseSettings reads and checks a settings file; an empty one is the zero
// Settings.
func ParseSettings(doc []byte) (*Settings, error) {
	s := new(Settings)
	if len(bytes.TrimSpace(doc)) == 0 {
		return s, nil
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("indexer: settings: %w: %w", ErrSettings, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("indexer: settings: something follows the closing brace: %w", ErrSettings)
	}
	return s, s.check()
}

// check finds what cannot be used.
func (s *Settings) check() error {
	for i, r := range s.Rules {
		if r.Query == "" && r.Category == "" {
			return fmt.Errorf("indexer: settings: rules[%d] has neither query nor category: %w", i, ErrSettings)
		}
		for _, w := range slices.Concat(r.Boost, r.Bury) {
			if len(w.Filters) == 0 && len(w.SKUs) == 0 {
				return fmt.Errorf("indexer: settings: rules[%d] has a weight with neither filters nor skus: %w", i, ErrSettings)
			}
			if w.Points < 0 {
				return fmt.Errorf("indexer: settings: rules[%d]: points are not negative: use bury: %w", i, ErrSettings)
			}
			for _, text := range w.Filters {
				if _, err := ParseFilter(text); err != nil {
					return fmt.Errorf("indexer: settings: rules[%d]: %w: %w", i, ErrSettings, err)
				}
			}
		}
	}
	for i, line := range s.Synonyms {
		if _, _, ok := synonymLine(line); !ok {
			return fmt.Errorf("indexer: settings: synonyms[%d]: %q names fewer than two phrases: %w", i, line, ErrSettings)
		}
	}
	return nil
}

// synonymLine reads a line of synonyms: what is typed, and what else is then
// found. ok is false of a line that says nothing.
func synonymLine(line string) (from, to []string, ok bool) {
	split := func(s string) []string {
		var out []string
		for p := range strings.SplitSeq(s, ",") {
			if p = strings.TrimSpace(p); p != "" {
				out = append(out, p)
			}
		}
		return out
	}
	left, right, oneWay := strings.Cut(line, "=>")
	from = split(left)
	if !oneWay {
		return from, from, len(from) > 1
	}
	to = split(right)
	return from, to, len(from) > 0 && len(to) > 0
}

// lines returns the lines of a text file that people write: without those that
// are empty or start with #.
func lines(doc []byte) []string {
	var out []string
	for line := range strings.Lines(string(doc)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out
}

// formatOfDocuments changes whenever the same records make other documents.
const formatOfDocuments = "1"

// fingerprint sums up what influences documents: another one needs another
// index. What influences queries only is not in it.
func fingerprint(stores *Stores, silent map[string]bool) string {
	h := sha256.New()
	put := func(s ...string) {
		for _, t := range s {
			fmt.Fprintf(h, "%d:%s", len(t), t)
		}
	}
	put(formatOfDocuments, stores.Default().Code)
	for _, v := range stores.list {
		put(v.Code, v.Language, v.Currency, v.Website, JoinPath(v.Root...))
	}
	names := make([]string, 0, len(silent))
	for n := range silent {
		names = append(names, n)
	}
	slices.Sort(names)
	put(names...)
	return hex.EncodeToString(h.Sum(nil)[:16])
}
