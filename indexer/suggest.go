package indexer

import (
	"cmp"
	"slices"
	"strings"
)

// maxSuggestScan is how many categories are looked at for suggestions. A shop
// with more has the rest found by search, not while typing.
const maxSuggestScan = 20_000

// suggestCategories finds the categories of a view in whose name all words of
// a text match, the last as a prefix: those nearest to the root first.
func (s *Shop) suggestCategories(p *Prepared, limit int) []CategorySuggestion {
	view := s.Stores.Find(p.Store)
	type match struct {
		c            *Category
		score, depth int
		name         string
	}
	var found []match
	for _, c := range s.categoryWords(view) {
		score := 0
		for i := range p.Words {
			best := 0
			for _, w := range c.words {
				best = max(best, p.Words[i].Alts[0].Words[0].Quality(w, p.Words[i].Last, true))
			}
			if best == 0 {
				score = 0
				break
			}
			score += best
		}
		if score > 0 {
			found = append(found, match{c.Category, score, strings.Count(c.Path, "/"), c.NameIn(view.Code)})
		}
	}
	slices.SortFunc(found, func(a, b match) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.depth, b.depth), cmp.Compare(a.name, b.name), cmp.Compare(a.c.ID, b.c.ID))
	})
	var out []CategorySuggestion
	for _, m := range found[:min(limit, len(found))] {
		out = append(out, CategorySuggestion{ID: m.c.ID, Path: s.NamesOf(m.c.ID, view.Code)})
	}
	return out
}

// worded is a category with the words of its name in a store.
type worded struct {
	*Category
	words []Token
}

// categoryWords returns the categories of a view that menus show, with the
// words of their names. They are found out once for a Shop and view.
func (s *Shop) categoryWords(view *StoreView) []worded {
	s.wordsMu.Lock()
	defer s.wordsMu.Unlock()
	if w, ok := s.words[view.Code]; ok {
		return w
	}
	var out []worded
	a := &analysers{}
	langs := s.Stores.languages(view)
	var walk func(n *Node)
	walk = func(n *Node) {
		for _, c := range n.Children {
			if !c.Hidden {
				w := worded{Category: c.Category}
				for _, t := range tokens(a, c.NameIn(view.Code), langs) {
					for _, stem := range t.Stems {
						w.words = append(w.words, Token{Term: t.Term, Stem: stem})
					}
				}
				out = append(out, w)
			}
			walk(c)
		}
	}
	walk(s.Tree.Below(JoinPath(view.Root...), view.Code, maxSuggestScan))
	if s.words == nil {
		s.words = map[string][]worded{}
	}
	s.words[view.Code] = out
	return out
}
