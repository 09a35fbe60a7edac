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
	words := s.categoryWords(view)
	// What a word counts is found out once, however many names have it.
	counts := make([][]int, len(p.Words))
	for i := range p.Words {
		w := &p.Words[i]
		counts[i] = make([]int, len(words.tokens))
		for k, t := range words.tokens {
			counts[i][k] = w.Alts[0].Words[0].Quality(t, w.Last, true)
		}
	}
	for _, c := range words.list {
		score := 0
		for _, by := range counts {
			best := 0
			for _, k := range c.tokens {
				best = max(best, by[k])
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

// worded has categories with the words of their names in a store.
type worded struct {
	tokens []Token // different ones
	list   []wordedCategory
}

type wordedCategory struct {
	*Category
	tokens []int // places in worded.tokens
}

// categoryWords returns the categories of a view that menus show, with the
// words of their names. They are found out once for a Shop and view.
func (s *Shop) categoryWords(view *StoreView) *worded {
	s.wordsMu.Lock()
	defer s.wordsMu.Unlock()
	if w, ok := s.words[view.Code]; ok {
		return w
	}
	out := &worded{}
	a := &analysers{}
	langs := s.Stores.languages(view)
	places := map[Token]int{}
	var walk func(n *Node)
	walk = func(n *Node) {
		for _, c := range n.Children {
			if !c.Hidden {
				w := wordedCategory{Category: c.Category}
				for _, t := range tokens(a, c.NameIn(view.Code), langs) {
					for _, stem := range t.Stems {
						t := Token{Term: t.Term, Stem: stem}
						at, ok := places[t]
						if !ok {
							at = len(out.tokens)
							places[t] = at
							out.tokens = append(out.tokens, t)
						}
						w.tokens = append(w.tokens, at)
					}
				}
				out.list = append(out.list, w)
			}
			walk(c)
		}
	}
	walk(s.Tree.Below(JoinPath(view.Root...), view.Code, maxSuggestScan))
	if s.words == nil {
		s.words = map[string]*worded{}
	}
	s.words[view.Code] = out
	return out
}
