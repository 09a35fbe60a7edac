package indextest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"catalog/indexer"
)

// hit is a hit before it is cut to a page.
type hit struct {
	doc   *indexer.Document
	unit  *indexer.Unit // set in variants mode
	score int
	key   indexer.SortKey
}

// Search implements indexer.Searcher.
func (o *Oracle) Search(ctx context.Context, q *indexer.Prepared) (*indexer.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if o.isClosed() {
		return nil, indexer.ErrClosed
	}
	docs := o.all()
	typos := unknownWords(docs, q)
	relaxed := indexer.RelaxedNot
	if q.After != nil {
		relaxed = q.After.Relaxed
	}
	hits := find(docs, q, relaxed, typos, "", false)
	for q.After == nil && len(hits) == 0 && len(q.Words) > 0 && relaxed < indexer.RelaxedAny {
		relaxed++
		hits = find(docs, q, relaxed, typos, "", false)
	}
	if len(hits) == 0 {
		relaxed = indexer.RelaxedNot
	}
	r := &indexer.Result{Total: len(hits), Relaxed: relaxed, Sort: q.Sort}
	r.At, _ = o.Cursor(ctx)
	slices.SortFunc(hits, func(a, b hit) int { return q.Sort.Compare(&a.key, &b.key) })

	rest := hits
	if q.After != nil {
		i, _ := slices.BinarySearchFunc(hits, &q.After.Key, func(h hit, k *indexer.SortKey) int {
			if q.Sort.Compare(&h.key, k) <= 0 {
				return -1
			}
			return 1
		})
		rest = hits[i:]
	} else {
		rest = hits[min(q.Offset, len(hits)):]
	}
	page := rest[:min(q.Size, len(rest))]
	for i := range page {
		r.Hits = append(r.Hits, q.HitOf(page[i].doc, page[i].unit, page[i].score))
	}
	if len(page) < len(rest) && len(page) > 0 {
		r.Next = (&indexer.Keyset{Sort: q.Sort, Key: page[len(page)-1].key, Relaxed: relaxed}).String()
	}
	r.Facets = facets(docs, q, relaxed, typos)
	for _, id := range q.Facets.Children {
		n := 0
		for _, h := range hits {
			if h.doc.In(id) {
				n++
			}
		}
		if n > 0 {
			r.Categories = append(r.Categories, indexer.CategoryCount{ID: id, Count: n})
		}
	}
	return r, nil
}

// Rank implements indexer.Searcher.
func (o *Oracle) Rank(ctx context.Context, q *indexer.Prepared, sku string) (int, error) {
	all := *q
	all.Offset, all.Size, all.After, all.Facets = 0, 1<<30, nil, indexer.PreparedFacets{Labels: q.Facets.Labels}
	r, err := o.Search(ctx, &all)
	if err != nil {
		return 0, err
	}
	return 1 + slices.IndexFunc(r.Hits, func(h indexer.Hit) bool { return h.SKU == sku }), nil
}

// unknownWords says of each word whether no document that the store's search
// sees has it without a typo.
func unknownWords(docs []*indexer.Document, q *indexer.Prepared) []bool {
	unknown := make([]bool, len(q.Words))
	for i := range q.Words {
		unknown[i] = !slices.ContainsFunc(docs, func(d *indexer.Document) bool {
			return d.Search && slices.Contains(d.Stores, q.Store) && q.Words[i].Score(d, false) > 0
		})
	}
	return unknown
}

// find returns all hits in no order, the filters of one field excepted.
func find(docs []*indexer.Document, q *indexer.Prepared, relaxed indexer.Relaxed, typos []bool, except string, attr bool) []hit {
	var hits []hit
	for _, d := range docs {
		if !q.Seen(d) {
			continue
		}
		score, ok := q.Score(d, relaxed, typos)
		if !ok {
			continue
		}
		for i := range d.Units {
			u := &d.Units[i]
			if !q.Eligible(u) || !q.Meets(d, u, except, attr) {
				continue
			}
			if q.Variants {
				hits = append(hits, hit{d, u, score, q.KeyOf(d, u, score)})
				continue
			}
			hits = append(hits, hit{d, nil, score, q.KeyOf(d, nil, score)})
			break
		}
	}
	return hits
}

// Suggest implements indexer.Searcher.
func (o *Oracle) Suggest(ctx context.Context, q *indexer.Prepared, limit int) (*indexer.Suggestions, error) {
	p := *q
	p.Offset, p.Size, p.After = 0, limit, nil
	p.Facets = indexer.PreparedFacets{Labels: q.Facets.Labels}
	r, err := o.Search(ctx, &p)
	if err != nil {
		return nil, err
	}
	s := &indexer.Suggestions{Products: r.Hits}
	if len(q.Words) == 0 {
		return s, nil
	}
	last := q.Words[len(q.Words)-1]
	term := last.Alts[0].Words[0].Term
	words := map[string]int{}
	values := map[[2]string]int{}
	for _, d := range o.all() {
		if !d.Search || !slices.Contains(d.Stores, q.Store) {
			continue
		}
		for _, w := range d.Words {
			if w.Class <= indexer.ClassAttribute && w.Class != indexer.ClassSKU && strings.HasPrefix(w.Term, term) {
				words[w.Term]++
			}
		}
		seen := map[[2]string]bool{}
		for i := range d.Units {
			u := &d.Units[i]
			if !q.Eligible(u) {
				continue
			}
			for _, attrs := range [...][]indexer.Attr{d.Attrs, u.Attrs} {
				for _, a := range attrs {
					for _, v := range d.Values(u, a.Name) {
						if v.Type == indexer.Text && suggests(v.Text, term) {
							seen[[2]string{a.Name, v.Text}] = true
						}
					}
				}
			}
		}
		for k := range seen {
			values[k]++
		}
	}
	s.Words = top(words, limit, func(a, b string) int { return strings.Compare(a, b) })
	for _, k := range top(values, limit, func(a, b [2]string) int {
		return cmp.Or(indexer.CompareFields(a[0], b[0]), strings.Compare(a[1], b[1]))
	}) {
		s.Values = append(s.Values, indexer.ValueSuggestion{Field: k[0], Value: k[1], Count: values[k]})
	}
	return s, nil
}

// suggests reports whether some word of a value starts with term.
func suggests(value, term string) bool {
	return slices.ContainsFunc(strings.Fields(indexer.Fold(value)), func(w string) bool { return strings.HasPrefix(w, term) })
}

// top returns the n keys with the greatest counts, ties in the given order.
func top[K comparable](counts map[K]int, n int, order func(a, b K) int) []K {
	keys := slices.Collect(maps.Keys(counts))
	slices.SortFunc(keys, func(a, b K) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), order(a, b)) })
	return keys[:min(n, len(keys))]
}
