package exec

import (
	"math"
	"math/bits"
	"sort"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
	"catalog/indexer/facetindex/internal/live"
)

// collect counts hits and keeps the best.
func (f *finder) collect(h *chunkHits) {
	s, base := h.seg, uint32(h.chunk)<<codec.ChunkBits
	b := &f.best[s.num]
	if f.size == 0 && s.order.after == nil {
		b = nil // only the number of hits is asked for
	}
	one := func(doc, row uint32, complicated bool) {
		f.total++
		if b == nil {
			return
		}
		score := f.score(s, doc)
		k := s.keyOf(doc, row, score, complicated)
		if s.order.after != nil {
			if k.less(s.order.after) {
				return
			}
			f.behind++
		}
		if !b.full(&k) {
			b.add(cand{key: k, seg: s, doc: doc, row: row, score: score})
		}
	}
	if !f.q.Variants {
		if b == nil {
			f.total += codec.OnesCount(h.docs)
			return
		}
		switch {
		case s.order.flat:
			f.collectFlat(h, b)
			return
		case s.order.scored:
			f.collectScored(h, b)
			return
		case s.order.after != nil:
		case s.order.by == indexer.SortName:
			f.collectNames(h, b)
			return
		case s.order.by == indexer.SortNewest:
			f.collectNewest(h, b)
			return
		case s.order.by == indexer.SortPrice:
			f.collectPrices(h, b)
			return
		}
		for i, w := range h.docs {
			for ; w != 0; w &= w - 1 {
				doc := base + uint32(i<<6|trailing(w))
				one(doc, 0, s.Seg.Flags.At(int(doc))&flagComplex != 0)
			}
		}
		return
	}
	for i, w := range h.plain {
		for ; w != 0; w &= w - 1 {
			doc := base + uint32(i<<6|trailing(w))
			one(doc, uint32(s.Seg.First.At(int(doc))), false)
		}
	}
	for _, u := range h.units {
		if u.fails == 0 {
			one(base+u.doc, u.row, true)
		}
	}
}

// collectFlat collects the hits of a category in the order of positions. Those
// without one come last, in the order of SKUs.
func (f *finder) collectFlat(h *chunkHits, b *best) {
	s, base := h.seg, uint32(h.chunk)<<codec.ChunkBits
	a := pinned(len(s.q.Pins), 0)
	add := func(k key, doc uint32) {
		if !b.full(&k) {
			b.add(cand{key: k, seg: s, doc: doc})
		}
	}
	rest := f.tmp[:len(h.docs)]
	copy(rest, h.docs)
	from, to := s.positions(h.chunk)
	for i := from; i < to; i++ {
		if doc, pos := s.Seg.PositionAt(i); codec.Has(h.docs, doc-base) {
			rest[(doc-base)>>6] &^= 1 << (doc & 63)
			add(key{a: a, b: sortable(float64(pos), s.order.desc), id: s.sku(doc)}, doc)
		}
	}
	f.total += codec.OnesCount(h.docs)
	limit := func() int64 {
		switch {
		case len(b.list) < b.n:
			return math.MaxUint32
		case b.n == 0 || b.list[0].b != missing:
			return -1 // enough have a position
		}
		return int64(b.list[0].id)
	}
	if at := limit(); at >= 0 {
		s.Seg.DocSKU.EachBelow(rest, int(base), at, func(doc int, sku int64) int64 {
			add(key{a: a, b: missing, id: uint32(sku)}, uint32(doc))
			return limit()
		})
	}
}

// positions returns where a chunk's positions in the category are: they are in
// the order of documents.
func (s *seg) positions(chunk int) (from, to int) {
	place := func(doc uint32) int {
		return s.order.from + sort.Search(s.order.to-s.order.from, func(i int) bool {
			d, _ := s.Seg.PositionAt(s.order.from + i)
			return d >= doc
		})
	}
	return place(uint32(chunk) << codec.ChunkBits), place(uint32(chunk+1) << codec.ChunkBits)
}

// collectScored collects hits that are ordered by score: most are worse than
// the worst of those that are kept, and need no whole key.
func (f *finder) collectScored(h *chunkHits, b *best) {
	s, base := h.seg, uint32(h.chunk)<<codec.ChunkBits
	for i, w := range h.docs {
		f.total += bits.OnesCount64(w)
		for ; w != 0; w &= w - 1 {
			d := uint32(i<<6 | trailing(w))
			score := int(f.acc[d])
			if len(s.exact) > 0 && s.exact[base+d] {
				score += indexer.ExactPoints
			}
			a := pinned(len(s.q.Pins), score)
			if len(b.list) == b.n && a > b.list[0].a {
				continue
			}
			k := key{a: a, tie: uint32(s.Seg.NameWords.At(int(base + d))), id: s.sku(base + d)}
			if !b.full(&k) {
				b.add(cand{key: k, seg: s, doc: base + d, score: score})
			}
		}
	}
}

// offer adds a hit if it is among the best.
func (f *finder) offer(b *best, s *seg, k key, doc uint32) {
	k.id = s.sku(doc)
	if !b.full(&k) {
		b.add(cand{key: k, seg: s, doc: doc, score: f.score(s, doc)})
	}
}

// score returns what the words count in a document of the chunk that was
// looked for last.
func (f *finder) score(s *seg, doc uint32) int {
	if len(f.q.Words) == 0 {
		return 0
	}
	score := int(f.acc[doc&codec.ChunkMask])
	if s.exact[doc] {
		score += indexer.ExactPoints
	}
	return score
}

// worst returns the value of the last hit that is kept, if no hit with a
// greater one would be.
func (b *best) worst() (uint64, bool) {
	if len(b.list) < b.n || b.n == 0 || b.list[0].b == missing {
		return 0, false
	}
	return b.list[0].b, true
}

// collectNames collects hits in the order of names. Only those that may be
// among the best get a key.
func (f *finder) collectNames(h *chunkHits, b *best) {
	s, base := h.seg, h.chunk<<codec.ChunkBits
	f.total += codec.OnesCount(h.docs)
	desc := s.order.desc
	limit := func() int64 {
		switch w, ok := b.worst(); {
		case !ok && desc:
			return math.MinInt64
		case !ok:
			return math.MaxInt64
		case desc:
			return int64(nameBits-w+1) / 2
		default:
			return int64(w+1) / 2
		}
	}
	each := func(doc int, n int64) int64 {
		k := key{b: missing}
		if n > 0 {
			k.b = nameKey(2*uint64(n-1)+1, desc)
		}
		f.offer(b, s, k, uint32(doc))
		return limit()
	}
	if desc {
		s.Seg.NameKey.EachFrom(h.docs, base, limit(), each)
	} else {
		s.Seg.NameKey.EachBelow(h.docs, base, limit(), each)
	}
}

// collectNewest is collectNames for the time of creation.
func (f *finder) collectNewest(h *chunkHits, b *best) {
	s, base := h.seg, h.chunk<<codec.ChunkBits
	f.total += codec.OnesCount(h.docs)
	desc := s.order.desc
	limit := func() int64 {
		switch w, ok := b.worst(); {
		case !ok && desc:
			return math.MinInt64
		case !ok:
			return math.MaxInt64
		case desc:
			return int64(number(w, desc)) - 1 // whatever was rounded
		default:
			return int64(number(w, desc)) + 1
		}
	}
	each := func(doc int, c int64) int64 {
		k := key{b: missing}
		if c != 0 {
			k.b = sortable(float64(c), desc)
		}
		f.offer(b, s, k, uint32(doc))
		return limit()
	}
	if desc {
		s.Seg.Created.EachFrom(h.docs, base, limit(), each)
	} else {
		s.Seg.Created.EachBelow(h.docs, base, limit(), each)
	}
}

// collectPrices is collectNames for prices.
func (f *finder) collectPrices(h *chunkHits, b *best) {
	s, base := h.seg, uint32(h.chunk)<<codec.ChunkBits
	f.total += codec.OnesCount(h.docs)
	r, desc := f.reader(s), s.order.desc
	offer := func(doc uint32, a int64) {
		k := key{b: missing}
		if a != live.None {
			k.b = sortable(float64(a), false)
			if desc {
				k.b = ^k.b
			}
		}
		f.offer(b, s, k, doc)
	}
	// Those with one unit first.
	simple, rest := f.tmp[:len(h.docs)], f.found[:len(h.docs)]
	f.complicated(rest, h)
	for i, w := range h.docs {
		simple[i] = w &^ rest[i]
	}
	f.rows = s.Seg.First.Gather(f.rows[:0], simple, int(base))
	f.amounts = r.amounts.Append(f.amounts[:0], f.rows)
	amounts := f.amounts
	least, most := b.amounts(desc)
	for i, w := range simple {
		for ; w != 0; w &= w - 1 {
			a := amounts[0]
			amounts = amounts[1:]
			if a >= least && a <= most {
				offer(base+uint32(i<<6|trailing(w)), a)
				least, most = b.amounts(desc)
			}
		}
	}
	for i, w := range rest {
		for ; w != 0; w &= w - 1 {
			d := uint32(i<<6 | trailing(w))
			offer(base+d, r.cheapest(base+d, !s.picky || codec.Has(h.plain, d)))
		}
	}
}

// amounts returns between which amounts hits may be among the best, in the
// order of prices.
func (b *best) amounts(desc bool) (least, most int64) {
	w, ok := b.worst()
	switch n := number(w, desc); {
	case !ok || math.Abs(n) > 1<<53:
		return math.MinInt64, math.MaxInt64
	case desc:
		return int64(n), math.MaxInt64
	default:
		return live.None + 1, int64(n)
	}
}

// cheapest returns the least amount of the eligible units of a document; all
// are, if all is set.
func (r *reader) cheapest(doc uint32, all bool) int64 {
	least := int64(live.None)
	for row, to := r.seg.rows(doc); row < to; row++ {
		if !all && !r.seg.eligible(row, true) {
			continue
		}
		if a, ok := r.amounts.Amount(row); ok && (least == live.None || a < least) {
			least = a
		}
	}
	return least
}
