package indextest

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"catalog/indexer"
)

// facets returns the facets that were asked for and chosen.
func facets(docs []*indexer.Document, q *indexer.Prepared, relaxed indexer.Relaxed, typos []bool) []indexer.Facet {
	var out []indexer.Facet
	add := func(name string) {
		if f, ok := facet(docs, q, relaxed, typos, name); ok {
			out = append(out, f)
		}
	}
	for _, name := range q.Facets.Names {
		add(name)
	}
	if q.Facets.Auto > 0 {
		exclude := maps.Clone(q.Facets.Exclude)
		if exclude == nil {
			exclude = map[string]bool{}
		}
		for _, name := range q.Facets.Names {
			exclude[name] = true
		}
		for _, name := range chosen(docs, q, relaxed, typos, exclude) {
			add(name)
		}
	}
	return out
}

// chosen returns the attributes that narrow the hits best.
func chosen(docs []*indexer.Document, q *indexer.Prepared, relaxed indexer.Relaxed, typos []bool, exclude map[string]bool) []string {
	names := map[string]bool{}
	hits := sampled(find(docs, q, relaxed, typos, "", false))
	for _, h := range hits {
		for _, u := range q.UnitsOf(h.doc, h.unit, "", false) {
			for _, attrs := range [...][]indexer.Attr{h.doc.Attrs, u.Attrs} {
				for _, a := range attrs {
					names[a.Name] = true
				}
			}
		}
	}
	for i, f := range q.Filters {
		if q.IsAttribute(i) {
			names[f.Field] = true
		}
	}
	var samples []indexer.Sample
	for name := range names {
		s, _ := sample(docs, q, relaxed, typos, name, true)
		samples = append(samples, s)
	}
	return indexer.Choose(samples, q.Facets.Auto, exclude)
}

// sampled returns the hits of a sample, all units of a product being one.
func sampled(hits []hit) []hit {
	var out []hit
	seen := map[string]bool{}
	for _, h := range hits { // find keeps the order of Oracle.all
		if seen[h.doc.SKU] {
			continue
		}
		if len(seen) == indexer.SampleSize {
			break
		}
		seen[h.doc.SKU] = true
		h.unit = nil
		out = append(out, h)
	}
	return out
}

// isAttr reports whether a facet's name is that of an attribute, and returns
// the name without the prefix that says so.
func isAttr(name string) (string, bool) {
	if rest, ok := strings.CutPrefix(name, "attributes."); ok {
		return rest, true
	}
	return name, !indexer.Reserved(name)
}

// sample describes what the sampled hits have of a field; nums are all numbers.
func sample(docs []*indexer.Document, q *indexer.Prepared, relaxed indexer.Relaxed, typos []bool, name string, attr bool) (indexer.Sample, []float64) {
	hits := sampled(find(docs, q, relaxed, typos, name, attr))
	s := indexer.Sample{Name: name, Hits: len(hits)}
	counts := map[string]int{}
	for _, h := range hits {
		texts := map[string]bool{}
		nums := map[float64]bool{}
		text := false
		for _, u := range q.UnitsOf(h.doc, h.unit, name, attr) {
			for _, v := range values(q, h.doc, u, name, attr) {
				texts[v.Text] = true
				if v.Type == indexer.Number {
					nums[v.Num] = true
				} else {
					text = true
				}
			}
		}
		if len(texts) == 0 {
			continue
		}
		s.Having++
		if text {
			s.Texts++
		}
		for t := range texts {
			counts[t]++
		}
		s.Nums = slices.AppendSeq(s.Nums, maps.Keys(nums))
	}
	s.Counts = slices.Collect(maps.Values(counts))
	return s, s.Nums
}

// values returns what a unit has of a field that facets can count.
func values(q *indexer.Prepared, d *indexer.Document, u *indexer.Unit, name string, attr bool) []indexer.Value {
	switch {
	case attr:
		return d.Values(u, name)
	case name == indexer.FieldPrice:
		if p, ok := q.PriceOf(u); ok {
			return []indexer.Value{{Text: p.Amount.String(), Num: p.Amount.Float(), Type: indexer.Number}}
		}
	case name == indexer.FieldStock:
		if u.Live.InStock {
			return []indexer.Value{{Text: "true"}}
		}
		return []indexer.Value{{Text: "false"}}
	}
	return nil
}

func facet(docs []*indexer.Document, q *indexer.Prepared, relaxed indexer.Relaxed, typos []bool, asked string) (indexer.Facet, bool) {
	name, attr := isAttr(asked)
	meta := q.Facets.Labels(name)
	f := indexer.Facet{Field: asked, Label: cmp.Or(meta.Label, name), Unit: meta.Unit}
	smp, nums := sample(docs, q, relaxed, typos, name, attr)
	ranged := smp.Ranged() || !attr && name == indexer.FieldPrice

	var own []indexer.Filter
	for i, fl := range q.Filters {
		if fl.Field == name && q.IsAttribute(i) == attr && !fl.Not {
			own = append(own, fl)
		}
	}
	hits := find(docs, q, relaxed, typos, name, attr)
	if ranged {
		return rangeFacet(f, q, hits, own, nums, name, attr)
	}
	counts := map[string]int{}
	for _, h := range hits {
		seen := map[string]bool{}
		for _, u := range q.UnitsOf(h.doc, h.unit, name, attr) {
			for _, v := range values(q, h.doc, u, name, attr) {
				seen[v.Text] = true
			}
		}
		for t := range seen {
			counts[t]++
		}
	}
	selected := map[string]bool{}
	for _, fl := range own {
		for _, v := range fl.Values {
			selected[v] = true
			if _, ok := counts[v]; !ok {
				counts[v] = 0
			}
		}
	}
	for _, v := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(meta.Option(a)-meta.Option(b), cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	}) {
		if len(f.Values) >= q.Facets.Values && !selected[v] {
			f.More++
			continue
		}
		f.Values = append(f.Values, indexer.FacetValue{Value: v, Label: cmp.Or(meta.OptionLabels[v], v), Count: counts[v], Selected: selected[v]})
	}
	return f, len(f.Values) > 0
}

func rangeFacet(f indexer.Facet, q *indexer.Prepared, hits []hit, own []indexer.Filter, nums []float64, name string, attr bool) (indexer.Facet, bool) {
	type bucket struct {
		indexer.FacetRange
		seen int
	}
	var list []bucket
	for _, r := range indexer.Buckets(nums) {
		list = append(list, bucket{FacetRange: indexer.FacetRange{Range: r}})
	}
	for _, fl := range own {
		for _, r := range fl.Ranges {
			i := slices.IndexFunc(list, func(b bucket) bool { return same(b.Range, r) })
			if i < 0 {
				i = len(list)
				list = append(list, bucket{FacetRange: indexer.FacetRange{Range: r}})
			}
			list[i].Selected = true
		}
	}
	first := true
	for n, h := range hits {
		for _, u := range q.UnitsOf(h.doc, h.unit, name, attr) {
			for _, v := range values(q, h.doc, u, name, attr) {
				if v.Type != indexer.Number {
					continue
				}
				if first || v.Num < f.Min {
					f.Min = v.Num
				}
				if first || v.Num > f.Max {
					f.Max = v.Num
				}
				first = false
				for i := range list {
					if list[i].seen != n+1 && list[i].Contains(v.Num) {
						list[i].seen = n + 1
						list[i].Count++
					}
				}
			}
		}
	}
	slices.SortStableFunc(list, func(a, b bucket) int { return a.Range.Compare(b.Range) })
	for _, b := range list {
		if b.Count > 0 || b.Selected {
			f.Ranges = append(f.Ranges, b.FacetRange)
		}
	}
	return f, len(f.Ranges) > 0
}

func same(a, b indexer.Range) bool { return a.Compare(b) == 0 && a.Open == b.Open }
