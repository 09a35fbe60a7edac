package elasticindex

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"catalog/indexer"
)

// Suggest implements indexer.Searcher.
func (x *Index) Suggest(ctx context.Context, q *indexer.Prepared, limit int) (*indexer.Suggestions, error) {
	p := *q
	p.Offset, p.Size, p.After = 0, limit, nil
	p.Facets = indexer.PreparedFacets{Labels: q.Facets.Labels}
	out := &indexer.Suggestions{}
	err := x.search(ctx, &p, false, func(ctx context.Context, s *session) error {
		r, err := s.search(ctx)
		if err != nil {
			return err
		}
		*out = indexer.Suggestions{Products: r.Hits}
		if len(q.Words) == 0 {
			return nil
		}
		return s.completions(ctx, out, q.Words[len(q.Words)-1].Alts[0].Words[0].Term, limit)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// value is one of an attribute.
type value struct{ field, text string }

// completions counts the words, and the values with a word, that begin with
// term.
func (s *session) completions(ctx context.Context, out *indexer.Suggestions, term string, limit int) error {
	for size := maxBuckets; ; size *= 8 {
		words, values, complete, err := s.complete(ctx, term, size)
		if err != nil {
			return err
		}
		if !complete && size < 60_000 {
			continue
		}
		out.Words = top(words, limit, strings.Compare)
		for _, v := range top(values, limit, func(a, b value) int {
			return cmp.Or(indexer.CompareFields(a.field, b.field), strings.Compare(a.text, b.text))
		}) {
			out.Values = append(out.Values, indexer.ValueSuggestion{Field: v.field, Value: v.text, Count: values[v]})
		}
		return nil
	}
}

// complete counts up to size words and values of each kind; complete is false
// when there are more.
func (s *session) complete(ctx context.Context, prefix string, size int) (words map[string]int, values map[value]int, complete bool, err error) {
	q := s.p.q
	agg := func(field, prefix string) object {
		return object{"terms": object{"field": field, "size": size, "include": startsWith(prefix)}}
	}
	inner := agg(nestedPrefix+fieldSuggest, escape(prefix))
	inner["aggs"] = object{"p": object{"reverse_nested": object{}}}
	answers, err := s.run(ctx, object{
		"size": 0, "track_total_hits": false, "query": all(s.p.kinds(false), term("ws", q.Store)),
		"aggs": object{
			"t": agg("t", prefix),
			"f": object{"filter": all(s.p.unit(nil, "")...), "aggs": object{"v": agg(fieldSuggest, escape(prefix))}},
			"n": object{"nested": object{"path": "u"}, "aggs": object{"q": object{"filter": all(s.p.unit(nil, nestedPrefix)...), "aggs": object{"v": inner}}}},
		},
	})
	if err != nil {
		return nil, nil, false, err
	}
	words, values = map[string]int{}, map[value]int{}
	list, err := readBuckets(answers[0].Aggs["t"])
	if err != nil {
		return nil, nil, false, err
	}
	complete = len(list) < size
	for i := range list {
		words[list[i].key()] = list[i].Count
	}
	for _, path := range [...][]string{{"f", "v"}, {"n", "q", "v"}} {
		raw, err := below(answers[0].Aggs, path...)
		if err != nil {
			return nil, nil, false, err
		}
		if list, err = readBuckets(raw); err != nil {
			return nil, nil, false, err
		}
		complete = complete && len(list) < size
		// A value is there once for each of its words that match, always with
		// the same count.
		here := map[value]int{}
		for i := range list {
			if parts := strings.SplitN(list[i].key(), sep, 3); len(parts) == 3 {
				if n := list[i].hits(); n > 0 {
					here[value{unescaper.Replace(parts[1]), parts[2]}] = n
				}
			}
		}
		for v, n := range here {
			values[v] += n
		}
	}
	return words, values, complete, nil
}

// top returns the n keys with the greatest counts, ties in the given order.
func top[K comparable](counts map[K]int, n int, order func(a, b K) int) []K {
	keys := slices.Collect(maps.Keys(counts))
	slices.SortFunc(keys, func(a, b K) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), order(a, b)) })
	return keys[:min(n, len(keys))]
}
