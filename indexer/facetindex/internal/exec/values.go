package exec

import (
	"cmp"
	"slices"
	"strings"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/segment"
)

// entry is a value of a facet.
type entry struct {
	value         string
	option, count int
}

func (c *counter) valueFacet(q *query, t *tally) (indexer.Facet, bool) {
	f := c.facet()
	var selected map[string]bool
	for _, own := range c.own {
		for _, v := range own.Values {
			if selected == nil {
				selected = map[string]bool{}
			}
			selected[v] = true
		}
	}
	var list []entry
	if c.kind == countTexts && len(t.codes) > 0 && len(c.meta.Options) == 0 {
		list, f.More = c.first(t, max(0, q.Facets.Values), selected)
	} else {
		list = c.allValues(t, selected)
	}
	for _, e := range list {
		if len(f.Values) >= q.Facets.Values && !selected[e.value] {
			f.More++
			continue
		}
		f.Values = append(f.Values, indexer.FacetValue{Value: e.value, Label: cmp.Or(c.meta.OptionLabels[e.value], e.value), Count: e.count, Selected: selected[e.value]})
	}
	return f, len(f.Values) > 0
}

// first returns the first n values and those that are selected, in order, with
// perhaps some others, and how many more there are. In a segment texts are
// numbered in their order, and those of the others are numbered as in the one
// with the most: so only texts that are shown need be made, and of others those
// that one does not have.
func (c *counter) first(t *tally, n int, selected map[string]bool) (list []entry, more int) {
	base, all, others := c.joined(t)
	top := make([]textCount, 0, min(n, len(all))+1)
	for _, x := range all {
		if len(top) == n && (n == 0 || x.n <= top[n-1].n) {
			continue
		}
		i, _ := slices.BinarySearchFunc(top, x.n, func(have textCount, n uint32) int {
			if have.n >= n {
				return -1 // what comes later is behind what is equal
			}
			return 1
		})
		top = slices.Insert(top, i, x)
		top = top[:min(n, len(top))]
	}
	for _, x := range top {
		list = append(list, entry{value: base.Texts.String(int(x.text)), count: int(x.n)})
	}
	more = len(all) - len(list)
	shown := list
	for v := range selected {
		if _, ok := others[v]; ok || slices.ContainsFunc(shown, func(e entry) bool { return e.value == v }) {
			continue
		}
		e := entry{value: v}
		if tx, ok := base.Texts.Find([]byte(v)); ok {
			if i, ok := slices.BinarySearchFunc(all, uint32(tx), func(x textCount, tx uint32) int { return cmp.Compare(x.text, tx) }); ok {
				e.count = int(all[i].n)
				more--
			}
		}
		list = append(list, e)
	}
	for v, n := range others {
		list = append(list, entry{value: v, count: int(n)})
	}
	sortEntries(list)
	return list, more
}

// joined returns the counts of all segments: in the order of the texts of base,
// the field of that with the most of them, and others that base does not have.
func (c *counter) joined(t *tally) (base *segment.Field, all []textCount, others map[string]uint32) {
	of := -1
	for num := range t.codes {
		f := c.segs[num].field
		if base == nil || f.Texts.Len() > base.Texts.Len() || f.Texts.Len() == base.Texts.Len() && num < of {
			base, of = f, num
		}
	}
	all = textCounts(base, t.codes[of], t.texts[of])
	for num, codes := range t.codes {
		if num == of {
			continue
		}
		f := c.segs[num].field
		places := f.TextsIn(base)
		list := textCounts(f, codes, t.texts[num])
		to := 0
		for _, x := range list {
			if p := places[x.text]; p != segment.Nowhere {
				list[to] = textCount{p, x.n}
				to++
				continue
			}
			if others == nil {
				others = map[string]uint32{}
			}
			others[f.Texts.String(int(x.text))] += x.n
		}
		all = sum(all, list[:to])
	}
	return base, all, others
}

// sum adds up two lists in the order of texts.
func sum(a, b []textCount) []textCount {
	if len(b) == 0 {
		return a
	}
	out := make([]textCount, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch x, y := a[0], b[0]; {
		case x.text < y.text:
			out, a = append(out, x), a[1:]
		case x.text > y.text:
			out, b = append(out, y), b[1:]
		default:
			out, a, b = append(out, textCount{x.text, x.n + y.n}), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

func sortEntries(list []entry) {
	slices.SortFunc(list, func(a, b entry) int {
		return cmp.Or(a.option-b.option, cmp.Compare(b.count, a.count), strings.Compare(a.value, b.value))
	})
}

// allValues returns all values in order.
func (c *counter) allValues(t *tally, selected map[string]bool) []entry {
	counts := c.byText(t)
	for v := range selected {
		if _, ok := counts[v]; !ok {
			counts[v] = 0
		}
	}
	option := map[string]int{}
	for i, v := range c.meta.Options {
		if _, ok := option[v]; !ok {
			option[v] = i
		}
	}
	list := make([]entry, 0, len(counts))
	for v, n := range counts {
		o, ok := option[v]
		if !ok {
			o = len(c.meta.Options)
		}
		list = append(list, entry{v, o, n})
	}
	sortEntries(list)
	return list
}

// byText returns the counts of all segments by the text of the value.
func (c *counter) byText(t *tally) map[string]int {
	all := map[string]int{}
	if c.kind == countStock {
		for i, v := range []string{"false", "true"} {
			if n := t.bits[i]; n > 0 {
				all[v] = n
			}
		}
		return all
	}
	for num, codes := range t.codes {
		f := c.segs[num].field
		for _, x := range textCounts(f, codes, t.texts[num]) {
			all[f.Texts.String(int(x.text))] += int(x.n)
		}
	}
	return all
}

// textCount says how many hits have a text.
type textCount struct{ text, n uint32 }

// textCounts returns how many hits have which text, in the order of texts: of
// those counted by code, and those counted by text, which may be nil.
func textCounts(f *segment.Field, codes, texts *counts) []textCount {
	var list []textCount
	rising := true
	add := func(tx, n uint32) {
		rising = rising && (len(list) == 0 || list[len(list)-1].text < tx)
		list = append(list, textCount{tx, n})
	}
	codes.each(func(code, n uint32) {
		if code == 0 {
			return
		}
		if f.Single(code) {
			add(f.Text(code-1), n)
			return
		}
		last := int64(-1)
		for i, to := f.Members(code); i < to; i++ {
			if tx := f.Text(f.Member(i)); int64(tx) != last {
				add(tx, n)
				last = int64(tx)
			}
		}
	})
	if texts != nil {
		texts.each(add)
	}
	if rising {
		return list
	}
	if n := f.Texts.Len(); len(list)*fewCounts > n {
		array := newArray(n)
		for _, x := range list {
			(*array)[x.text] += x.n
		}
		list = list[:0]
		for tx, n := range *array {
			if n > 0 {
				list = append(list, textCount{uint32(tx), n})
			}
		}
		arrayPool.Put(array)
		return list
	}
	slices.SortFunc(list, func(a, b textCount) int { return cmp.Compare(a.text, b.text) })
	to := 0
	for _, x := range list {
		if to > 0 && list[to-1].text == x.text {
			list[to-1].n += x.n
			continue
		}
		list[to] = x
		to++
	}
	return list[:to]
}
