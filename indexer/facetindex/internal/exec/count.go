package exec

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
	"catalog/indexer/facetindex/internal/segment"
)

// maxRanges is how many ranges a facet can have: one bit each.
const maxRanges = 64

// counter is a facet that is being counted.
type counter struct {
	asked, name string
	attr        bool
	group       int // the filters that do not count; -1: none
	meta        indexer.AttributeMeta
	own         []*indexer.Filter
	kind        counterKind
	ranges      []indexer.FacetRange
	segs        map[int]*segCounter
}

type counterKind uint8

const (
	countTexts counterKind = iota
	countNumbers
	countPrices
	countStock
	countNothing
)

// segCounter is what a counter needs of a segment.
type segCounter struct {
	field *segment.Field
}

// tally is what one goroutine has counted of a facet.
type tally struct {
	codes    map[int]*counts // by segment, of codes
	texts    map[int]*counts // by segment, of texts
	bits     [maxRanges]int
	min, max float64
	found    bool
}

// countsOf returns what is counted of a segment, of numbers below n.
func countsOf(m *map[int]*counts, seg, n int) *counts {
	c := (*m)[seg]
	if c == nil {
		c = &counts{n: n}
		if *m == nil {
			*m = map[int]*counts{}
		}
		(*m)[seg] = c
	}
	return c
}

// release gives memory back.
func (t *tally) release() {
	for _, c := range t.codes {
		c.release()
	}
	for _, c := range t.texts {
		c.release()
	}
}

func (t *tally) extend(lo, hi float64) {
	if !t.found || lo < t.min {
		t.min = lo
	}
	if !t.found || hi > t.max {
		t.max = hi
	}
	t.found = true
}

func (t *tally) addBits(mask uint64) {
	for ; mask != 0; mask &= mask - 1 {
		t.bits[trailing(mask)]++
	}
}

// prepare looks the facet's field up in a segment.
func (c *counter) prepare(s *seg) error {
	if c.kind != countTexts && c.kind != countNumbers {
		return nil
	}
	i := s.Seg.Attr(c.name)
	if i < 0 {
		return nil
	}
	f, err := s.Seg.Field(i)
	if err != nil {
		return err
	}
	c.segs[s.num] = &segCounter{field: f}
	return nil
}

// numbers returns the ranges that the numbers of a code are in, and the least
// and the greatest of them; lo is above hi if there are none.
func (c *counter) numbers(f *segment.Field, code uint32, buf *[]uint32) (mask uint64, lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	*buf = f.Append((*buf)[:0], code)
	for _, v := range *buf {
		if f.Type(v) == indexer.Number {
			x := f.Num(v)
			mask |= c.mask(x)
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	return mask, lo, hi
}

// mask returns the ranges that a number is in.
func (c *counter) mask(x float64) uint64 {
	m := uint64(0)
	for i := range c.ranges {
		if c.ranges[i].Contains(x) {
			m |= 1 << i
		}
	}
	return m
}

// count counts the facet in a chunk.
func (c *counter) count(h *chunkHits, l *lists, t *tally) {
	switch c.kind {
	case countTexts, countNumbers:
		sc := c.segs[h.seg.num]
		if sc == nil {
			return
		}
		codes := countsOf(&t.codes, h.seg.num, sc.field.Codes())
		k := sc.field.Any.Chunk(h.chunk)
		if !h.seg.picky || !h.seg.q.Variants && !h.vary(sc.field) {
			codes.chunk(&k, l.all(h, c.group))
			return
		}
		codes.chunk(&k, l.plain(h, c.group))
		c.countUnits(h, sc, t, codes)
	case countPrices:
		c.eachHit(h, l, func(rows []uint32) {
			mask, found := uint64(0), false
			lo, hi := math.Inf(1), math.Inf(-1)
			for _, row := range rows {
				if a, ok := h.seg.amount(row); ok {
					x := indexer.Amount(a).Float()
					mask |= c.mask(x)
					lo, hi, found = min(lo, x), max(hi, x), true
				}
			}
			if found {
				t.extend(lo, hi)
				t.addBits(mask)
			}
		})
	case countStock:
		c.eachHit(h, l, func(rows []uint32) {
			mask := uint64(0)
			for _, row := range rows {
				if h.seg.Live.InStock(row) {
					mask |= 2
				} else {
					mask |= 1
				}
			}
			t.addBits(mask)
		})
	}
}

// countUnits counts what units of complex documents have.
func (c *counter) countUnits(h *chunkHits, sc *segCounter, t *tally, codes *counts) {
	f := sc.field
	var group []uint32 // codes of a document's units
	var vals []uint32
	flush := func() {
		switch {
		case len(group) == 0:
			return
		case same(group):
			codes.add(group[0])
		case c.kind == countNumbers:
			mask := uint64(0)
			for _, code := range group {
				in, lo, hi := c.numbers(f, code, &vals)
				mask |= in
				if lo <= hi {
					t.extend(lo, hi)
				}
			}
			t.addBits(mask)
		default:
			texts := countsOf(&t.texts, h.seg.num, f.Texts.Len())
			vals = vals[:0]
			for _, code := range group {
				vals = f.Append(vals, code)
			}
			for i, v := range vals {
				vals[i] = f.Text(v)
			}
			slices.Sort(vals)
			for _, tx := range slices.Compact(vals) {
				texts.add(tx)
			}
		}
		group = group[:0]
	}
	own, unit := f.Own.Cursor(), f.Unit.Cursor()
	base := uint32(h.chunk) << codec.ChunkBits
	for i := 0; i < len(h.units); {
		u := &h.units[i]
		to := i + 1
		for to < len(h.units) && h.units[to].doc == u.doc {
			to++
		}
		product := own.Get(base + u.doc)
		if !h.seg.q.Variants && !unit.Any(u.row, h.units[to-1].row+1) {
			// All have what their product has.
			if slices.ContainsFunc(h.units[i:to], func(u unitHit) bool { return u.counts(c.group) }) {
				codes.add(product)
			}
			i = to
			continue
		}
		for ; i < to; i++ {
			u := &h.units[i]
			if !u.counts(c.group) {
				continue
			}
			if h.seg.q.Variants {
				flush()
			}
			code := unit.Get(u.row)
			if code == 0 {
				code = product
			}
			group = append(group, code)
		}
		flush()
	}
}

func same(list []uint32) bool {
	for _, x := range list[1:] {
		if x != list[0] {
			return false
		}
	}
	return true
}

// eachHit calls f for each hit with its rows that count.
func (c *counter) eachHit(h *chunkHits, l *lists, f func(rows []uint32)) {
	s, base := h.seg, uint32(h.chunk)<<codec.ChunkBits
	var rows []uint32
	for i, w := range l.plain(h, c.group).Bitmap {
		for ; w != 0; w &= w - 1 {
			from, to := s.rows(base + uint32(i<<6|trailing(w)))
			rows = rows[:0]
			for ; from < to; from++ {
				rows = append(rows, from)
			}
			f(rows)
		}
	}
	rows = rows[:0]
	last := uint32(math.MaxUint32)
	for i := range h.units {
		u := &h.units[i]
		if !u.counts(c.group) {
			continue
		}
		if (u.doc != last || s.q.Variants) && len(rows) > 0 {
			f(rows)
			rows = rows[:0]
		}
		last = u.doc
		rows = append(rows, u.row)
	}
	if len(rows) > 0 {
		f(rows)
	}
}

// lists makes lists of the hits of a chunk, once for all facets.
type lists struct {
	h     *chunkHits
	group int
	some  bool // only the plain ones
	hits  codec.Hits
	list  []uint16
	buf   []uint64
}

var listsPool = sync.Pool{New: func() any { return new(lists) }}

// vary reports whether any of the chunk's documents of which only some units
// count may have units with something of their own of a field. If not, all of
// its units have what its product has.
func (c *chunkHits) vary(f *segment.Field) bool {
	if len(c.units) == 0 || f.Unit.Len() == 0 {
		return false
	}
	base := uint32(c.chunk) << codec.ChunkBits
	from, _ := c.seg.rows(base + c.units[0].doc)
	_, to := c.seg.rows(base + c.units[len(c.units)-1].doc)
	units := f.Unit.Cursor()
	return units.Any(from, to)
}

// all returns the hits.
func (l *lists) all(h *chunkHits, group int) *codec.Hits {
	if h.except == nil {
		group = -1
	}
	if l.h != h || l.group != group || l.some {
		l.h, l.group, l.some = h, group, false
		l.hits = codec.MakeHits(h.without(group), &l.list)
	}
	return &l.hits
}

// plain returns the hits whose units need no look.
func (l *lists) plain(h *chunkHits, group int) *codec.Hits {
	if h.except == nil {
		group = -1
	}
	if l.h == h && l.group == group && l.some {
		return &l.hits
	}
	l.h, l.group, l.some = h, group, true
	bitmap := h.plain
	if group >= 0 {
		l.buf = append(l.buf[:0], h.except[group]...)
		for i := range h.units {
			d := h.units[i].doc
			l.buf[d>>6] &^= 1 << (d & 63)
		}
		bitmap = l.buf
	}
	l.hits = codec.MakeHits(bitmap, &l.list)
	return &l.hits
}

// countAll counts facets and categories over all hits.
func (h *hits) countAll(ctx context.Context, list []*counter, cats *catCounter) ([]*tally, error) {
	for _, c := range list {
		c.segs = map[int]*segCounter{}
		for _, s := range h.q.segs {
			if err := c.prepare(s); err != nil {
				return nil, err
			}
		}
	}
	type work struct {
		lists   *lists
		tallies []*tally
		cats    []int
	}
	all := make([]work, h.q.workers(len(h.chunks), h.total))
	for i := range all {
		all[i].lists = listsPool.Get().(*lists)
		for range list {
			all[i].tallies = append(all[i].tallies, &tally{})
		}
		all[i].cats = make([]int, len(cats.ids))
	}
	// Of a category that is in few chunks, facets are shared out as well.
	parts := len(list) + 1
	err := parallel(len(h.chunks)*parts, len(all), func(worker, i int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		w, chunk, k := &all[worker], h.chunks[i/parts], i%parts
		if k == len(list) {
			return cats.count(chunk, w.cats)
		}
		list[k].count(chunk, w.lists, w.tallies[k])
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, w := range all {
		w.lists.h = nil
		listsPool.Put(w.lists)
	}
	for _, w := range all[1:] {
		for k := range list {
			all[0].tallies[k].merge(w.tallies[k])
		}
		for k, n := range w.cats {
			all[0].cats[k] += n
		}
	}
	cats.counts = all[0].cats
	return all[0].tallies, nil
}

func (t *tally) merge(o *tally) {
	for k, v := range o.codes {
		countsOf(&t.codes, k, v.n).merge(v)
		v.release()
	}
	for k, v := range o.texts {
		countsOf(&t.texts, k, v.n).merge(v)
		v.release()
	}
	for i, n := range o.bits {
		t.bits[i] += n
	}
	if o.found {
		t.extend(o.min, o.max)
	}
}

// catCounter counts hits by category.
type catCounter struct {
	ids    []string
	lists  map[int][]codec.Postings // by segment
	counts []int
}

func newCatCounter(q *query) (*catCounter, error) {
	c := &catCounter{ids: q.Facets.Children, lists: map[int][]codec.Postings{}}
	if len(c.ids) == 0 {
		return c, nil
	}
	for _, s := range q.segs {
		list := make([]codec.Postings, len(c.ids))
		for i, id := range c.ids {
			if k, ok := s.Seg.Cats.Texts.Find([]byte(id)); ok {
				p, err := s.Seg.InCat.Get(k)
				if err != nil {
					return nil, err
				}
				list[i] = p
			}
		}
		c.lists[s.num] = list
	}
	return c, nil
}

func (c *catCounter) count(h *chunkHits, counts []int) error {
	list := c.lists[h.seg.num]
	for i := range list {
		set := list[i].Chunk(h.chunk)
		if set.Len() == 0 {
			continue
		}
		if !h.seg.q.Variants {
			counts[i] += set.CountAnd(h.docs)
			continue
		}
		counts[i] += set.CountAnd(h.plain)
		for k := range h.units {
			if u := &h.units[k]; u.fails == 0 && set.Contains(u.doc) {
				counts[i]++
			}
		}
	}
	return nil
}

func tooManyRanges(name string) error {
	return fmt.Errorf("ranges of %q: more than %d: %w", name, maxRanges, indexer.ErrQuery)
}
