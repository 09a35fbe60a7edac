package exec

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"catalog/indexer"
)

// facets returns the facets and category counts of all hits.
func (h *hits) facets(ctx context.Context) ([]indexer.Facet, []indexer.CategoryCount, error) {
	q := h.q
	cats, err := newCatCounter(q)
	if err != nil {
		return nil, nil, err
	}
	names := q.Facets.Names
	if q.Facets.Auto > 0 {
		chosen, err := h.choose()
		if err != nil {
			return nil, nil, err
		}
		names = slices.Concat(names, chosen)
	}
	var list []*counter
	for _, name := range names {
		c, err := h.newCounter(name)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, c)
	}
	if len(list) == 0 && len(cats.ids) == 0 {
		return nil, nil, nil
	}
	tallies, err := h.countAll(ctx, list, cats)
	if err != nil {
		return nil, nil, err
	}
	var out []indexer.Facet
	for i, c := range list {
		var f indexer.Facet
		var ok bool
		if c.kind == countNumbers || c.kind == countPrices {
			f, ok = c.rangeFacet(tallies[i])
		} else {
			f, ok = c.valueFacet(q, tallies[i])
		}
		tallies[i].release()
		if ok {
			out = append(out, f)
		}
	}
	var counts []indexer.CategoryCount
	for i, n := range cats.counts {
		if n > 0 {
			counts = append(counts, indexer.CategoryCount{ID: cats.ids[i], Count: n})
		}
	}
	return out, counts, nil
}

// group returns the number of the filters of a field; -1 without any.
func (q *query) group(name string, attr bool) int {
	return slices.IndexFunc(q.groups, func(g group) bool { return g.field == name && g.attr == attr })
}

// choose returns the attributes that narrow the hits best.
func (h *hits) choose() ([]string, error) {
	q := h.q
	exclude := maps.Clone(q.Facets.Exclude)
	if exclude == nil {
		exclude = map[string]bool{}
	}
	for _, name := range q.Facets.Names {
		exclude[name] = true
	}
	all := h.take(-1)
	var samples []indexer.Sample
	for _, g := range q.groups {
		if g.attr && !exclude[g.field] {
			s, err := h.take(q.group(g.field, true)).describe(g.field)
			if err != nil {
				return nil, err
			}
			samples = append(samples, s)
		}
	}
	// The most frequent first: when there are enough that are better than one
	// that is as rare can be, the others need no look.
	names := slices.DeleteFunc(all.attrCounts(), func(a attrCount) bool { return exclude[a.name] || q.group(a.name, true) >= 0 })
	var scores []float64 // the best, ascending
	for len(names) > 0 {
		if len(scores) == q.Facets.Auto && maxScore(names[0].having, len(all.docs)) < scores[0] {
			break
		}
		var batch []string
		for _, n := range names[:min(8, len(names))] {
			batch = append(batch, n.name)
		}
		names = names[len(batch):]
		list, err := all.describeAll(batch)
		if err != nil {
			return nil, err
		}
		for i := range list {
			score := list[i].Score()
			k, _ := slices.BinarySearch(scores, score)
			scores = slices.Insert(scores, k, score)
			if len(scores) > q.Facets.Auto {
				scores = scores[1:]
			}
		}
		samples = append(samples, list...)
	}
	return indexer.Choose(samples, q.Facets.Auto, exclude), nil
}

// maxScore returns what indexer.Sample.Score is at most of an attribute that
// so many of the hits have: it is perfectly balanced then, and has few names
// as values. A test compares it with Score, should that ever change.
func maxScore(having, hits int) float64 {
	s := indexer.Sample{Hits: hits, Having: having, Counts: []int{0, 0}, Texts: having}
	return s.Score()
}

// newCounter decides how a facet is shown: by what a sample of the hits has.
func (h *hits) newCounter(asked string) (*counter, error) {
	q := h.q
	c := &counter{asked: asked, name: asked}
	if rest, ok := strings.CutPrefix(asked, "attributes."); ok {
		c.name, c.attr = rest, true
	} else {
		c.attr = !indexer.Reserved(asked)
	}
	c.meta = q.Facets.Labels(c.name)
	c.group = q.group(c.name, c.attr)
	if c.group >= 0 {
		for _, i := range q.groups[c.group].filters {
			if !q.Filters[i].Not {
				c.own = append(c.own, &q.Filters[i])
			}
		}
	}
	var nums []float64
	switch {
	case c.attr:
		s, err := h.take(c.group).describe(c.name)
		if err != nil {
			return nil, err
		}
		if s.Ranged() {
			c.kind, nums = countNumbers, s.Nums
		}
	case c.name == indexer.FieldPrice:
		c.kind, nums = countPrices, h.take(c.group).prices()
	case c.name == indexer.FieldStock:
		c.kind = countStock
	default:
		c.kind = countNothing
	}
	if c.kind == countNumbers || c.kind == countPrices {
		return c, c.setRanges(nums)
	}
	return c, nil
}

// prices returns the different prices of each sampled document.
func (t *taken) prices() []float64 {
	var nums []float64
	for i := range t.docs {
		first := len(nums)
		t.docs[i].units(func(row uint32) {
			if a, ok := t.docs[i].seg.amount(row); ok {
				if x := indexer.Amount(a).Float(); !slices.Contains(nums[first:], x) {
					nums = append(nums, x)
				}
			}
		})
	}
	return nums
}

// setRanges sets the ranges that are counted: those of the sample and those
// that are chosen.
func (c *counter) setRanges(nums []float64) error {
	for _, r := range indexer.Buckets(nums) {
		c.ranges = append(c.ranges, indexer.FacetRange{Range: r})
	}
	for _, f := range c.own {
		for _, r := range f.Ranges {
			i := slices.IndexFunc(c.ranges, func(b indexer.FacetRange) bool { return b.Range.Compare(r) == 0 && b.Open == r.Open })
			if i < 0 {
				i = len(c.ranges)
				c.ranges = append(c.ranges, indexer.FacetRange{Range: r})
			}
			c.ranges[i].Selected = true
		}
	}
	if len(c.ranges) > maxRanges {
		return tooManyRanges(c.name)
	}
	return nil
}

func (c *counter) facet() indexer.Facet {
	return indexer.Facet{Field: c.asked, Label: cmp.Or(c.meta.Label, c.name), Unit: c.meta.Unit}
}

func (c *counter) rangeFacet(t *tally) (indexer.Facet, bool) {
	f := c.facet()
	var buf []uint32
	for num, codes := range t.codes {
		field := c.segs[num].field
		codes.each(func(code, n uint32) {
			mask, lo, hi := c.numbers(field, code, &buf)
			if lo > hi {
				return
			}
			t.extend(lo, hi)
			for ; mask != 0; mask &= mask - 1 {
				t.bits[trailing(mask)] += int(n)
			}
		})
	}
	f.Min, f.Max = t.min, t.max
	for i := range c.ranges {
		c.ranges[i].Count = t.bits[i]
	}
	slices.SortStableFunc(c.ranges, func(a, b indexer.FacetRange) int { return a.Range.Compare(b.Range) })
	for _, r := range c.ranges {
		if r.Count > 0 || r.Selected {
			f.Ranges = append(f.Ranges, r)
		}
	}
	return f, len(f.Ranges) > 0
}
