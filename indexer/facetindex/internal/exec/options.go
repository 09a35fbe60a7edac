package exec

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"catalog/indexer"
)

// place is where a segment has what may be suggested.
type place struct {
	seg  *seg
	x, y uint32
}

// option is what the largest segment alone has and may be suggested: where, and
// how many documents have it at most. There may be a hundred thousand, of which
// few are looked at.
type option struct{ most, x, y uint32 }

// candidate is something that may be suggested.
type candidate struct {
	field, text string
	most        int
	places      []place
	count       int
}

// options says how a kind of suggestions is found.
type options struct {
	each  func(g *seg, f func(x, y, most uint32)) error // all of a segment
	name  func(p place) (field, text string)
	find  func(g *seg, field, text string) (place, bool)
	most  func(p place) (int, error) // how many documents have it at most
	count func(p place) (int, error) // how many have it
	first map[*seg]uint32            // x of what comes first of those that are as frequent
}

var optionPool = sync.Pool{New: func() any { return new([]option) }}

// top returns the candidates with the greatest counts, at most limit. It counts
// only as many as are needed to know.
func (s *suggester) top(o *options, limit int) ([]*candidate, error) {
	if limit <= 0 || len(s.q.segs) == 0 {
		return nil, nil
	}
	base := slices.MaxFunc(s.q.segs, func(a, b *seg) int { return cmp.Compare(a.Seg.Docs, b.Seg.Docs) })
	others, known, err := s.others(o, base)
	if err != nil {
		return nil, err
	}
	buf := optionPool.Get().(*[]option)
	defer optionPool.Put(buf)
	*buf = (*buf)[:0]
	if err := o.each(base, func(x, y, most uint32) {
		if most > 0 && !known[[2]uint32{x, y}] {
			*buf = append(*buf, option{most, x, y})
		}
	}); err != nil {
		return nil, err
	}
	h := optionHeap{list: *buf, first: -1}
	if x, ok := o.first[base]; ok {
		h.first = int64(x)
	}
	h.init()
	var out []*candidate
	for {
		var c *candidate
		if len(h.list) > 0 && (len(others) == 0 || int(h.list[0].most) >= others[0].most) {
			c = s.candidate(o, place{base, h.list[0].x, h.list[0].y}, int(h.list[0].most))
		}
		// What is as frequent is taken in order.
		if len(others) > 0 && (c == nil || compareBest(others[0], c) < 0) {
			c, others = others[0], others[1:]
		} else if c != nil {
			h.pop()
		}
		if c == nil {
			return out, nil
		}
		if len(out) == limit && compareBest(c, out[limit-1]) > 0 {
			return out, nil // as do all that follow
		}
		if out, err = s.count(o, c, out, limit); err != nil {
			return nil, err
		}
	}
}

func (s *suggester) candidate(o *options, p place, most int) *candidate {
	c := &candidate{most: most, count: most, places: []place{p}}
	c.field, c.text = o.name(p)
	return c
}

// compareBest orders candidates by their counts.
func compareBest(a, b *candidate) int {
	return cmp.Or(cmp.Compare(b.count, a.count), indexer.CompareFields(a.field, b.field), strings.Compare(a.text, b.text))
}

// count counts a candidate and puts it where it belongs.
func (s *suggester) count(o *options, c *candidate, out []*candidate, limit int) ([]*candidate, error) {
	if err := s.ctx.Err(); err != nil {
		return nil, err
	}
	c.count = 0
	for _, p := range c.places {
		n, err := o.count(p)
		if err != nil {
			return nil, err
		}
		c.count += n
	}
	if c.count == 0 {
		return out, nil
	}
	i, _ := slices.BinarySearchFunc(out, c, compareBest)
	out = slices.Insert(out, i, c)
	return out[:min(limit, len(out))], nil
}

// others returns what any but the largest segment has, in order, with what the
// largest one has of it; and where that has it.
func (s *suggester) others(o *options, base *seg) ([]*candidate, map[[2]uint32]bool, error) {
	var list []*candidate
	known := map[[2]uint32]bool{}
	byName := map[[2]string]*candidate{}
	for _, g := range s.q.segs {
		if g == base {
			continue
		}
		seen := map[[2]uint32]bool{}
		add := func(p place, most int) error {
			field, text := o.name(p)
			k := [2]string{field, text}
			c := byName[k]
			if c == nil {
				c = &candidate{field: field, text: text}
				byName[k] = c
				list = append(list, c)
				if p, ok := o.find(base, field, text); ok {
					known[[2]uint32{p.x, p.y}] = true
					n, err := o.most(p)
					if err != nil {
						return err
					}
					c.most += n
					c.places = append(c.places, p)
				}
			}
			c.most += most
			c.places = append(c.places, p)
			return nil
		}
		var first error
		err := o.each(g, func(x, y, most uint32) {
			if most > 0 && first == nil && !seen[[2]uint32{x, y}] {
				seen[[2]uint32{x, y}] = true
				first = add(place{g, x, y}, int(most))
			}
		})
		if err = cmp.Or(err, first); err != nil {
			return nil, nil, err
		}
	}
	for _, c := range list {
		c.count = c.most
	}
	slices.SortFunc(list, compareBest)
	return list, known, nil
}

// optionHeap has the most frequent option first; of those that are as frequent
// the one that comes first: they are numbered in their order.
type optionHeap struct {
	list  []option
	first int64 // x of those that come before all others; -1: none
}

func (h *optionHeap) less(a, b *option) bool {
	if a.most != b.most {
		return a.most > b.most
	}
	if a.x != b.x {
		if int64(a.x) == h.first || int64(b.x) == h.first {
			return int64(a.x) == h.first
		}
		return a.x < b.x
	}
	return a.y < b.y
}

func (h *optionHeap) init() {
	for i := len(h.list)/2 - 1; i >= 0; i-- {
		h.down(i)
	}
}

// pop removes the first option, however often it is there.
func (h *optionHeap) pop() {
	for top := h.list[0]; len(h.list) > 0 && h.list[0] == top; {
		last := len(h.list) - 1
		h.list[0] = h.list[last]
		h.list = h.list[:last]
		h.down(0)
	}
}

func (h *optionHeap) down(i int) {
	for {
		j := 2*i + 1
		if j >= len(h.list) {
			return
		}
		if j+1 < len(h.list) && h.less(&h.list[j+1], &h.list[j]) {
			j++
		}
		if !h.less(&h.list[j], &h.list[i]) {
			return
		}
		h.list[i], h.list[j] = h.list[j], h.list[i]
		i = j
	}
}
