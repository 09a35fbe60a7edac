package elasticindex

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"catalog/indexer"
)

// maxBuckets is how many values of a facet are counted in the first request;
// a facet that has more takes further ones.
const maxBuckets = 1000

// facet is one in the making.
type facet struct {
	indexer.Facet
	key    fieldKey
	meta   indexer.AttributeMeta
	own    []indexer.Filter // that select in it
	ranged bool
	ranges []indexer.FacetRange
	counts map[string]int
}

// facets makes the facets that were asked for, and those that it chooses.
func (s *session) facets(ctx context.Context, a attempt, all samples) ([]indexer.Facet, error) {
	q := s.p.q
	names := q.Facets.Names
	if q.Facets.Auto > 0 {
		names = append(slices.Clone(names), s.chosen(all)...)
	}
	list := make([]*facet, len(names))
	groups := map[fieldKey][]int{} // facets that are counted among the same hits
	var order []fieldKey
	for i, name := range names {
		list[i] = s.facet(all, name)
		group := fieldKey{}
		if s.filtered(list[i].key) {
			group = list[i].key
		}
		if groups[group] == nil {
			order = append(order, group)
		}
		groups[group] = append(groups[group], i)
	}
	bodies := make([]object, len(order))
	for i, group := range order {
		bodies[i] = s.countQuery(a, group, list, groups[group])
	}
	if len(bodies) == 0 {
		return nil, nil
	}
	answers, err := s.run(ctx, bodies...)
	if err != nil {
		return nil, err
	}
	for n, group := range order {
		flat, nested := answers[n].Aggs, map[string]json.RawMessage{}
		if raw := flat["n"]; raw != nil {
			var inner struct {
				Q map[string]json.RawMessage `json:"q"`
			}
			if err := json.Unmarshal(raw, &inner); err != nil {
				return nil, err
			}
			nested = inner.Q
		}
		for _, i := range groups[group] {
			if err := s.count(ctx, a, list[i], i, flat, nested); err != nil {
				return nil, err
			}
		}
	}
	var out []indexer.Facet
	for _, f := range list {
		if f.finish(q) {
			out = append(out, f.Facet)
		}
	}
	return out, nil
}

// facet looks at the sample of a facet: values or ranges, and which.
func (s *session) facet(all samples, asked string) *facet {
	q := s.p.q
	f := &facet{key: facetField(asked)}
	f.meta = q.Facets.Labels(f.key.name)
	f.Facet = indexer.Facet{Field: asked, Label: cmp.Or(f.meta.Label, f.key.name), Unit: f.meta.Unit}
	for i := range q.Filters {
		if fl := q.Filters[i]; fl.Field == f.key.name && q.IsAttribute(i) == f.key.attr && !fl.Not {
			f.own = append(f.own, fl)
		}
	}
	smp := s.sample(all, f.key)
	f.ranged = smp.Ranged() || f.key == fieldKey{indexer.FieldPrice, false}
	if !f.ranged {
		f.counts = map[string]int{}
		return f
	}
	for _, r := range indexer.Buckets(smp.Nums) {
		f.ranges = append(f.ranges, indexer.FacetRange{Range: r})
	}
	for _, fl := range f.own {
		for _, r := range fl.Ranges {
			i := slices.IndexFunc(f.ranges, func(o indexer.FacetRange) bool {
				return o.Range.Compare(r) == 0 && o.Open == r.Open
			})
			if i < 0 {
				i = len(f.ranges)
				f.ranges = append(f.ranges, indexer.FacetRange{Range: r})
			}
			f.ranges[i].Selected = true
		}
	}
	return f
}

// countQuery returns the search that counts facets of one group: among flat
// documents by their fields, among the others by their nested units that meet
// the filters, brought back to the products that have them.
func (s *session) countQuery(a attempt, group fieldKey, list []*facet, members []int) object {
	flat, inner := object{}, object{}
	for _, i := range members {
		s.aggregate(flat, list[i], i, "")
		s.aggregate(inner, list[i], i, nestedPrefix)
	}
	return s.countBody(a, group, flat, inner)
}

func (s *session) countBody(a attempt, group fieldKey, flat, inner object) object {
	q := s.p.q
	filter := s.query(a, q.Variants, group.name, group.attr)
	if len(q.Words) > 0 {
		filter = append(filter, s.p.text(a, false))
	}
	if !q.Variants && len(inner) > 0 {
		units := s.p.unit(s.p.filters(group.name, group.attr), nestedPrefix)
		flat["n"] = object{
			"nested": object{"path": "u"},
			"aggs":   object{"q": object{"filter": all(units...), "aggs": inner}},
		}
	}
	return object{"size": 0, "track_total_hits": false, "query": all(filter...), "aggs": flat}
}

// aggregate adds what counts the i-th facet.
func (s *session) aggregate(aggs object, f *facet, i int, prefix string) {
	add := func(name string, agg object) {
		if prefix != "" && name[0] != 'l' && name[0] != 'h' {
			agg["aggs"] = object{"p": object{"reverse_nested": object{}}}
		}
		aggs[name+strconv.Itoa(i)] = agg
	}
	switch {
	case !f.key.attr && f.key.name == indexer.FieldStock:
		add("v", object{"terms": object{"field": prefix + fieldInStock}})
	case !f.key.attr && f.key.name == indexer.FieldPrice:
		if len(s.p.scopes) == 0 {
			return // nobody pays in these currencies
		}
		ranges := make([]any, len(f.ranges))
		for j := range f.ranges {
			ranges[j] = s.p.price(&indexer.Filter{Ranges: []indexer.Range{f.ranges[j].Range}}, prefix)
		}
		if len(ranges) > 0 {
			add("r", object{"filters": object{"filters": ranges}})
		}
		for name, desc := range map[string]bool{"l": false, "h": true} {
			params := s.p.priceParams(noNumber(desc))
			params["f"] = prefix + fieldPrices
			add(name, object{map[bool]string{false: "min", true: "max"}[desc]: object{"script": object{"source": scriptUnitPrice, "params": params}}})
		}
	case !f.key.attr:
	case !f.ranged:
		add("v", object{"terms": object{
			"field": prefix + fieldValues(f.key.name), "size": maxBuckets, "include": startsWith(escape(f.key.name) + sep),
		}})
	default:
		field := prefix + fieldNumbers(f.key.name)
		ranges := make([]any, len(f.ranges))
		for j := range f.ranges {
			ranges[j] = numbers(field, escape(f.key.name), typeNumber, f.ranges[j].Range)
		}
		if len(ranges) > 0 {
			add("r", object{"filters": object{"filters": ranges}})
		}
		for name, dir := range map[string]string{"l": "asc", "h": "desc"} {
			add(name, object{"terms": object{
				"field": field, "size": 1, "order": object{"_key": dir}, "include": startsWith(escape(f.key.name) + sep + typeNumber),
			}})
		}
	}
}

// startsWith is the regular expression of a prefix.
func startsWith(prefix string) string {
	var b strings.Builder
	for _, r := range prefix {
		if strings.ContainsRune(`.?+*|{}[]()"\#@&<>~^-$`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String() + ".*"
}

// bucket is one of a terms or filters aggregation.
type bucket struct {
	Key   json.RawMessage `json:"key"`
	Text  *string         `json:"key_as_string"`
	Count int             `json:"doc_count"`
	P     *struct {
		Count int `json:"doc_count"`
	} `json:"p"`
}

func (b *bucket) key() string {
	if b.Text != nil {
		return *b.Text
	}
	var s string
	if json.Unmarshal(b.Key, &s) != nil {
		return ""
	}
	return s
}

// hits is how many products the bucket's units have.
func (b *bucket) hits() int {
	if b.P != nil {
		return b.P.Count
	}
	return b.Count
}

func readBuckets(raw json.RawMessage) ([]bucket, error) {
	var a struct {
		Buckets []bucket `json:"buckets"`
	}
	err := json.Unmarshal(raw, &a)
	return a.Buckets, err
}

// count takes over what was counted for the i-th facet.
func (s *session) count(ctx context.Context, a attempt, f *facet, i int, parts ...map[string]json.RawMessage) error {
	n := strconv.Itoa(i)
	low, high := math.Inf(1), math.Inf(-1)
	for _, aggs := range parts {
		if raw := aggs["v"+n]; raw != nil {
			buckets, err := readBuckets(raw)
			if err != nil {
				return err
			}
			if len(buckets) == maxBuckets {
				return s.countAll(ctx, a, f)
			}
			f.add(buckets)
		}
		if raw := aggs["r"+n]; raw != nil {
			buckets, err := readBuckets(raw)
			if err != nil {
				return err
			}
			if len(buckets) != len(f.ranges) {
				return fmt.Errorf("%d counts of %d ranges", len(buckets), len(f.ranges))
			}
			for j := range buckets {
				f.ranges[j].Count += buckets[j].hits()
			}
		}
		for _, name := range [...]string{"l", "h"} {
			v, ok, err := limitOf(aggs[name+n], f)
			if err != nil {
				return err
			}
			if ok {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	if low <= high {
		f.Min, f.Max = low, high
	}
	return nil
}

// add counts values.
func (f *facet) add(buckets []bucket) {
	skip := 0
	if f.key.attr {
		skip = len(escape(f.key.name) + sep)
	}
	for i := range buckets {
		if k := buckets[i].key(); len(k) >= skip {
			if n := buckets[i].hits(); n > 0 {
				f.counts[k[skip:]] += n
			}
		}
	}
}

// limitOf reads the least or greatest number of a facet.
func limitOf(raw json.RawMessage, f *facet) (float64, bool, error) {
	if raw == nil {
		return 0, false, nil
	}
	if !f.key.attr {
		var a struct {
			Value *float64 `json:"value"`
		}
		err := json.Unmarshal(raw, &a)
		if err != nil || a.Value == nil || math.Abs(*a.Value) > float64(maxAmount) {
			return 0, false, err
		}
		return indexer.Amount(*a.Value).Float(), true, nil
	}
	buckets, err := readBuckets(raw)
	if err != nil || len(buckets) == 0 {
		return 0, false, err
	}
	k := buckets[0].key()
	v, ok := unsortable(k[max(0, len(k)-16):])
	return v, ok, nil
}

// countAll counts a facet that has too many values for one request, a part of
// them after the other.
func (s *session) countAll(ctx context.Context, a attempt, f *facet) error {
	group := fieldKey{}
	if s.filtered(f.key) {
		group = f.key
	}
	f.counts = map[string]int{}
	prefixes := []string{"", nestedPrefix}
	if s.p.q.Variants {
		prefixes = prefixes[:1]
	}
	begin := escape(f.key.name) + sep
	for _, prefix := range prefixes {
		after := escape(f.key.name)
		for {
			agg := object{"composite": object{
				"size": maxWindow, "after": object{"v": after},
				"sources": []any{object{"v": object{"terms": object{"field": prefix + fieldValues(f.key.name)}}}},
			}}
			flat, inner := object{"c": agg}, object{}
			if prefix != "" {
				agg["aggs"] = object{"p": object{"reverse_nested": object{}}}
				flat, inner = inner, flat
			}
			answers, err := s.run(ctx, s.countBody(a, group, flat, inner))
			if err != nil {
				return err
			}
			buckets, err := compositeBuckets(answers[0].Aggs)
			if err != nil {
				return err
			}
			mine := slices.IndexFunc(buckets, func(b bucket) bool { return !strings.HasPrefix(b.key(), begin) })
			if mine < 0 {
				mine = len(buckets)
			}
			f.add(buckets[:mine])
			if mine < maxWindow {
				break
			}
			after = buckets[mine-1].key()
		}
	}
	return nil
}

// compositeBuckets finds the buckets of aggregation c, which may be below n.
func compositeBuckets(aggs map[string]json.RawMessage) ([]bucket, error) {
	raw := aggs["c"]
	if aggs["n"] != nil {
		var inner struct {
			Q struct {
				C json.RawMessage `json:"c"`
			} `json:"q"`
		}
		if err := json.Unmarshal(aggs["n"], &inner); err != nil {
			return nil, err
		}
		raw = inner.Q.C
	}
	var a struct {
		Buckets []struct {
			bucket
			Key struct {
				V string `json:"v"`
			} `json:"key"`
		} `json:"buckets"`
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return nil, err
	}
	out := make([]bucket, len(a.Buckets))
	for i := range a.Buckets {
		out[i] = a.Buckets[i].bucket
		out[i].Text = &a.Buckets[i].Key.V
	}
	return out, nil
}

// finish orders and cuts a facet; false when nothing is left of it.
func (f *facet) finish(q *indexer.Prepared) bool {
	if f.ranged {
		slices.SortStableFunc(f.ranges, func(a, b indexer.FacetRange) int { return a.Range.Compare(b.Range) })
		for _, r := range f.ranges {
			if r.Count > 0 || r.Selected {
				f.Ranges = append(f.Ranges, r)
			}
		}
		return len(f.Ranges) > 0
	}
	selected := map[string]bool{}
	for _, fl := range f.own {
		for _, v := range fl.Values {
			selected[v] = true
			f.counts[v] += 0
		}
	}
	for _, v := range slices.SortedFunc(maps.Keys(f.counts), func(a, b string) int {
		return cmp.Or(f.meta.Option(a)-f.meta.Option(b), cmp.Compare(f.counts[b], f.counts[a]), strings.Compare(a, b))
	}) {
		if len(f.Values) >= q.Facets.Values && !selected[v] {
			f.More++
			continue
		}
		f.Values = append(f.Values, indexer.FacetValue{Value: v, Label: cmp.Or(f.meta.OptionLabels[v], v), Count: f.counts[v], Selected: selected[v]})
	}
	return len(f.Values) > 0
}
