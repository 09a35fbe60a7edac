package elasticindex

import (
	"maps"
	"slices"
	"strings"

	"catalog/indexer"
)

// fieldKey is a field whose filters are left out; the zero one is none.
type fieldKey struct {
	name string
	attr bool
}

// samples holds documents by the field whose filters were left out.
type samples map[fieldKey][]*indexer.Document

// facetField reports whether a facet's name is that of an attribute, and
// returns the name without the prefix that says so.
func facetField(name string) fieldKey {
	if rest, ok := strings.CutPrefix(name, "attributes."); ok {
		return fieldKey{rest, true}
	}
	return fieldKey{name, !indexer.Reserved(name)}
}

// filtered reports whether the query filters by a field.
func (s *session) filtered(k fieldKey) bool {
	q := s.p.q
	for i := range q.Filters {
		if q.Filters[i].Field == k.name && q.IsAttribute(i) == k.attr {
			return true
		}
	}
	return false
}

// samplesWanted returns the samples that choosing and making facets may need:
// that of all filters, and one for each filtered field.
func (s *session) samplesWanted() []fieldKey {
	q := s.p.q
	if len(q.Facets.Names) == 0 && q.Facets.Auto <= 0 {
		return nil
	}
	list := []fieldKey{{}}
	add := func(k fieldKey) {
		if s.filtered(k) && !slices.Contains(list, k) {
			list = append(list, k)
		}
	}
	for _, name := range q.Facets.Names {
		add(facetField(name))
	}
	if q.Facets.Auto > 0 {
		for i := range q.Filters {
			if q.IsAttribute(i) {
				add(fieldKey{q.Filters[i].Field, true})
				// Should it be chosen, it is a facet by its name.
				add(facetField(q.Filters[i].Field))
			}
		}
		for i := range q.Filters {
			if !q.IsAttribute(i) {
				add(fieldKey{q.Filters[i].Field, false})
			}
		}
	}
	return list
}

func (s *session) sampleQueries(a attempt, wanted []fieldKey) []object {
	var list []object
	for _, k := range wanted {
		filter := s.query(a, false, k.name, k.attr)
		if len(s.p.q.Words) > 0 {
			filter = append(filter, s.p.text(a, false))
		}
		list = append(list, fromColumns(object{
			"query": all(filter...), "size": indexer.SampleSize, "track_total_hits": false,
			"sort": []any{object{"sh": "asc"}, object{"sku": "asc"}},
		}))
	}
	return list
}

func decodeSample(a *searchAnswer) ([]*indexer.Document, error) {
	docs := make([]*indexer.Document, len(a.Hits.Hits))
	for i := range a.Hits.Hits {
		d, err := a.Hits.Hits[i].Fields.document()
		if err != nil {
			return nil, err
		}
		docs[i] = d
	}
	return docs, nil
}

// sampleOf returns the sample that holds for a field.
func (s *session) sampleOf(all samples, k fieldKey) []*indexer.Document {
	if s.filtered(k) {
		return all[k]
	}
	return all[fieldKey{}]
}

// gathered is a Sample in the making.
type gathered struct {
	having, texts int
	counts        map[string]int
	nums          []float64
	text          bool // of the document being looked at
	last          int  // number of that document, from 1
	seen          []string
	seenNums      []float64
}

func (g *gathered) add(doc int, values []indexer.Value) {
	if len(values) == 0 {
		return
	}
	if g.last != doc {
		g.close()
		g.last = doc
		g.having++
	}
	for i := range values {
		v := &values[i]
		if !slices.Contains(g.seen, v.Text) {
			g.seen = append(g.seen, v.Text)
			g.counts[v.Text]++
		}
		switch {
		case v.Type != indexer.Number:
			g.text = true
		case !slices.Contains(g.seenNums, v.Num):
			g.seenNums = append(g.seenNums, v.Num)
		}
	}
}

// close ends a document.
func (g *gathered) close() {
	if g.text {
		g.texts++
	}
	g.nums = append(g.nums, g.seenNums...)
	g.text, g.seen, g.seenNums = false, g.seen[:0], g.seenNums[:0]
}

func (g *gathered) sample(name string, hits int) indexer.Sample {
	g.close()
	return indexer.Sample{
		Name: name, Hits: hits, Having: g.having, Texts: g.texts, Nums: g.nums,
		Counts: slices.Collect(maps.Values(g.counts)),
	}
}

// sample describes what sampled documents have of a field.
func (s *session) sample(all samples, k fieldKey) indexer.Sample {
	docs := s.sampleOf(all, k)
	g := &gathered{counts: map[string]int{}}
	for n, d := range docs {
		for _, u := range s.p.q.UnitsOf(d, nil, k.name, k.attr) {
			g.add(n+1, values(s.p.q, d, u, k))
		}
	}
	return g.sample(k.name, len(docs))
}

// values returns what a unit has of a field that facets can count.
func values(q *indexer.Prepared, d *indexer.Document, u *indexer.Unit, k fieldKey) []indexer.Value {
	switch {
	case k.attr:
		return d.Values(u, k.name)
	case k.name == indexer.FieldPrice:
		if p, ok := q.PriceOf(u); ok {
			return []indexer.Value{{Text: p.Amount.String(), Num: p.Amount.Float(), Type: indexer.Number}}
		}
	case k.name == indexer.FieldStock:
		if u.Live.InStock {
			return []indexer.Value{{Text: "true"}}
		}
		return []indexer.Value{{Text: "false"}}
	}
	return nil
}

// chosen returns the attributes that narrow the hits best.
func (s *session) chosen(all samples) []string {
	q := s.p.q
	exclude := map[string]bool{}
	maps.Copy(exclude, q.Facets.Exclude)
	for _, name := range q.Facets.Names {
		exclude[name] = true
	}
	found := map[string]*gathered{}
	docs := all[fieldKey{}]
	for n, d := range docs {
		h := hit{doc: d}
		for _, u := range q.UnitsOf(h.doc, h.unit, "", false) {
			each(d, u, func(name string, values []indexer.Value) {
				g := found[name]
				if g == nil {
					g = &gathered{counts: map[string]int{}}
					found[name] = g
				}
				g.add(n+1, values)
			})
		}
	}
	list := make([]indexer.Sample, 0, len(found))
	for name, g := range found {
		if !s.filtered(fieldKey{name, true}) {
			list = append(list, g.sample(name, len(docs)))
		}
	}
	done := map[string]bool{}
	for i := range q.Filters {
		if name := q.Filters[i].Field; q.IsAttribute(i) && !done[name] {
			done[name] = true
			list = append(list, s.sample(all, fieldKey{name, true}))
		}
	}
	return indexer.Choose(list, q.Facets.Auto, exclude)
}
