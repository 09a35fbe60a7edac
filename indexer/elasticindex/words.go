package elasticindex

import (
	"cmp"
	"slices"

	"catalog/indexer"
)

// level is a set of conditions that count the same.
type level struct {
	points  int
	queries []any
}

// levels returns how a token can be found, and what each way counts: one
// condition per class and quality.
func levels(t *indexer.QueryToken, prefix, typos bool) []level {
	var list []level
	add := func(points int, q any) {
		for i := range list {
			if list[i].points == points {
				list[i].queries = append(list[i].queries, q)
				return
			}
		}
		list = append(list, level{points, []any{q}})
	}
	stems := make([]string, len(t.Stems))
	for i, s := range t.Stems {
		stems[i] = lineOf(s)
	}
	edits := 0
	if typos {
		edits = indexer.MaxTypos(t.Term)
	}
	for c := range indexer.NumClasses {
		w := c.Weight()
		add(w*indexer.QualityExact, term(termFields[c], lineOf(t.Term)))
		if len(t.Stems) > 0 {
			add(w*indexer.QualityStem, terms(stemFields[c], stems))
		}
		if prefix {
			add(w*indexer.QualityPrefix, object{"prefix": object{termFields[c]: object{"value": escape(t.Term)}}})
		}
		for n, quality := range [...]int{1: indexer.QualityTypo, 2: indexer.QualityTypos} {
			if n > 0 && n <= edits {
				add(w*quality, fuzzy(termFields[c], lineOf(t.Term), n))
			}
		}
	}
	slices.SortFunc(list, func(a, b level) int { return cmp.Compare(b.points, a.points) })
	return list
}

// fuzzy finds all terms so many edits away, the first letter being right: this
// rewrite has no limit of expansions, others would leave terms out.
func fuzzy(field, term string, edits int) object {
	return object{"fuzzy": object{field: object{
		"value": term, "fuzziness": edits, "prefix_length": 1, "transpositions": true, "rewrite": "constant_score",
	}}}
}

// word finds documents by a word; with score it counts what QueryWord.Score
// says.
func word(w *indexer.QueryWord, typos, score bool) any {
	var list []any
	for i := range w.Alts {
		list = append(list, phrase(&w.Alts[i], w.Last, typos, score)...)
	}
	switch {
	case len(list) == 0:
		return nothing()
	case !score:
		return anyOf(list...)
	}
	return object{"dis_max": object{"queries": list}}
}

// phrase returns the conditions for an alternative. What it counts is what the
// weakest of its words counts, so for several words there is a condition for
// each count: all of them count that or more.
func phrase(alt *indexer.Alternative, last, typos, score bool) []any {
	found := make([][]level, len(alt.Words))
	var points []int
	for i := range alt.Words {
		found[i] = levels(&alt.Words[i], last && !alt.Synonym, typos && !alt.Synonym)
		for _, l := range found[i] {
			points = append(points, l.points)
		}
	}
	if len(alt.Words) == 0 {
		return nil
	}
	slices.Sort(points)
	points = slices.Compact(points)
	if !score {
		points = points[:1]
	}
	var out []any
	for _, n := range slices.Backward(points) {
		var words []any
		for _, levels := range found {
			var queries []any
			for _, l := range levels {
				if l.points == n || l.points > n && (len(alt.Words) > 1 || !score) {
					queries = append(queries, l.queries...)
				}
			}
			words = append(words, anyOf(queries...))
		}
		q := all(words...)
		if score {
			q = scored(q, pointsOf(alt, n))
		}
		out = append(out, q)
	}
	return out
}

func pointsOf(alt *indexer.Alternative, n int) int {
	if alt.Synonym {
		return indexer.SynonymScore(n)
	}
	return n
}

// attempt says how a text is to be met.
type attempt struct {
	relaxed indexer.Relaxed
	typos   []bool // per word, at RelaxedNot; nil: none
}

func (a *attempt) typo(i int) bool {
	return a.relaxed > indexer.RelaxedNot || a.typos != nil && a.typos[i]
}

// text returns the condition that the words make; with score a query that
// counts Prepared.Score.
func (p *plan) text(a attempt, score bool) object {
	words := make([]any, len(p.q.Words))
	for i := range p.q.Words {
		words[i] = word(&p.q.Words[i], a.typo(i), score)
	}
	b := object{}
	switch {
	case a.relaxed == indexer.RelaxedAny:
		b["should"], b["minimum_should_match"] = words, 1
	case score:
		b["must"] = words
	default:
		b["filter"] = words
	}
	if score && p.q.Exact != "" {
		b = object{"must": []any{object{"bool": b}}, "should": []any{scored(term("xf", p.q.Exact), indexer.ExactPoints)}}
	}
	return object{"bool": b}
}

// boosts returns queries whose scores add up to the boosts' points and an
// offset, because a score cannot be negative: a document that is buried scores
// nothing, the others do.
func (p *plan) boosts() (queries []any, offset int) {
	for i := range p.q.Boosts {
		b := &p.q.Boosts[i]
		var list []any
		if len(b.SKUs) > 0 {
			list = append(list, terms("sku", b.SKUs))
		}
		if len(b.Filters) > 0 {
			list = append(list, p.boosting(i))
		}
		switch q := anyOf(list...); {
		case b.Points > 0:
			queries = append(queries, scored(q, b.Points))
		case b.Points < 0:
			queries = append(queries, scored(not(q), -b.Points))
			offset -= b.Points
		}
	}
	return queries, offset
}

// boosting is the condition of the i-th boost's filters.
func (p *plan) boosting(i int) any {
	var list []condition
	for j := range p.q.Boosts[i].Filters {
		f := &p.q.Boosts[i].Filters[j]
		list = append(list, condition{f, !indexer.Reserved(f.Field)})
	}
	if !p.q.Variants {
		return all(p.someUnit(list, false)...)
	}
	// A variant is boosted if any of its product's units is.
	own := all(append([]any{term("k", kindBoth)}, p.someUnit(list, true)...)...)
	if p.boosted == nil || len(p.boosted[i]) == 0 {
		return own
	}
	return anyOf(own, terms("dk", p.boosted[i]))
}
