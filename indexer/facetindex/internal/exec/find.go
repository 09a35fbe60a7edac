package exec

import (
	"context"
	"math/bits"
	"slices"
	"sort"
	"sync"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
)

// chunkHits is what a query finds in a chunk.
type chunkHits struct {
	seg    *seg
	chunk  int
	docs   []uint64   // documents that are hits; plain and complex ones
	plain  []uint64   // those that are plain, or all if units need no look
	except [][]uint64 // by group: docs if its filters were not there; nil: docs
	units  []unitHit  // of complex documents of which only some units count
	pooled []*[codec.ChunkSize / 64]uint64
}

// unitHit is a unit of a complex document that is eligible and fails at most
// one group.
type unitHit struct {
	doc   uint32 // of the chunk
	row   uint32
	fails uint64
}

// counts reports whether a unit counts when a group is left out.
func (u *unitHit) counts(group int) bool {
	return u.fails == 0 || group >= 0 && u.fails == 1<<group
}

// finder is what one goroutine needs to find hits.
type finder struct {
	q       *query
	total   int
	best    []best    // by segment
	samples []sampler // all hits; then for each group those without it
	vals    []matched // buffers
	used    int       // of them
	acc     []uint32
	tmp     []uint64
	found   []uint64
	behind  int
	size    int
	sampled bool
}

// hits is what a query finds.
type hits struct {
	q       *query
	total   int
	behind  int // of total, those behind Prepared.After
	chunks  []*chunkHits
	best    []best
	samples []sampler
	taken   []*taken // by group
}

// find finds the hits at a step of relaxation. size is how many of the first
// are kept; without sampled no sample is taken and no chunks are kept.
func (q *query) find(ctx context.Context, size int, sampled bool) (*hits, error) {
	type task struct {
		seg   *seg
		chunk int
	}
	var tasks []task
	for _, s := range q.segs {
		if len(q.Words) > 0 {
			if err := s.lookUpWords(); err != nil {
				return nil, err
			}
		}
		for c := range s.chunks() {
			tasks = append(tasks, task{s, c})
		}
	}
	weight := 0 // documents to be looked at, at most
	for _, s := range q.segs {
		n := s.visible.Len()
		if s.inCat != nil {
			n = min(n, s.inCat.Len())
		}
		weight += n
	}
	finders := make([]*finder, workers(len(tasks), weight))
	for i := range finders {
		finders[i] = newFinder(q, size, sampled)
	}
	out := &hits{q: q, samples: make([]sampler, 1+len(q.groups))}
	found := make([]*chunkHits, len(tasks))
	err := parallel(len(tasks), len(finders), func(worker, i int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		h := finders[worker].chunk(tasks[i].seg, tasks[i].chunk)
		found[i] = h
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, h := range found {
		if h != nil {
			out.chunks = append(out.chunks, h)
		}
	}
	for _, f := range finders {
		out.total += f.total
		out.behind += f.behind
		out.best = append(out.best, f.best...)
		for i := range f.samples {
			out.samples[i].merge(&f.samples[i])
		}
		f.release()
	}
	return out, nil
}

var finderPool sync.Pool

func newFinder(q *query, size int, sampled bool) *finder {
	f, _ := finderPool.Get().(*finder)
	if f == nil {
		f = &finder{tmp: make([]uint64, codec.ChunkSize/64), found: make([]uint64, codec.ChunkSize/64)}
	}
	n := 0
	for _, s := range q.segs {
		n = max(n, s.num+1)
	}
	*f = finder{
		q: q, size: size, sampled: sampled, best: make([]best, n), samples: slices.Grow(f.samples[:0], 1+len(q.groups))[:1+len(q.groups)],
		vals: f.vals, acc: f.acc, tmp: f.tmp, found: f.found,
	}
	for i := range f.samples {
		f.samples[i].reset()
	}
	for i := range f.best {
		f.best[i].n = size
	}
	return f
}

func (f *finder) release() {
	f.q, f.best = nil, nil
	finderPool.Put(f)
}

// chunk finds the hits of a chunk; nil without any, nor any for a facet whose
// own filters do not count.
func (f *finder) chunk(s *seg, chunk int) *chunkHits {
	set := s.visible.Chunk(chunk)
	if set.Len() == 0 {
		return nil
	}
	var in codec.Set
	if s.inCat != nil {
		if in = s.inCat.Chunk(chunk); in.Len() == 0 {
			return nil
		}
	}
	n := codec.Words(s.size(chunk))
	h := &chunkHits{seg: s, chunk: chunk}
	docs := h.bitmap(n)
	keep := false
	defer func() {
		if !keep {
			h.release()
		}
	}()
	if s.inCat != nil {
		if in.Few() {
			in.AndFew(docs, &set)
		} else {
			in.OrInto(docs)
			set.AndInto(docs, f.tmp)
		}
	} else {
		set.OrInto(docs)
	}
	for i, w := range s.dead(chunk) {
		docs[i] &^= w
	}
	if len(f.q.Words) > 0 && !f.text(s, chunk, docs) {
		return nil
	}
	if empty(docs) {
		return nil
	}
	h.docs, h.plain = docs, docs
	if s.picky {
		f.units(h)
	}
	f.collect(h)
	if keep = f.sampled; keep {
		f.sample(h)
		return h
	}
	return nil
}

// bitmapPool has bitmaps of whole chunks.
var bitmapPool = sync.Pool{New: func() any { return new([codec.ChunkSize / 64]uint64) }}

// unitPool has lists of units.
var unitPool = sync.Pool{New: func() any { return new([]unitHit) }}

// bitmap returns an empty bitmap, which the chunk's release gives back.
func (c *chunkHits) bitmap(n int) []uint64 {
	b := bitmapPool.Get().(*[codec.ChunkSize / 64]uint64)
	c.pooled = append(c.pooled, b)
	clear(b[:n])
	return b[:n]
}

func (c *chunkHits) copyOf(b []uint64) []uint64 {
	to := c.bitmap(len(b))
	copy(to, b)
	return to
}

func (c *chunkHits) release() {
	for _, b := range c.pooled {
		bitmapPool.Put(b)
	}
	if units := c.units; units != nil {
		unitPool.Put(&units)
	}
	*c = chunkHits{}
}

// release gives back what the hits were kept in.
func (h *hits) release() {
	for _, c := range h.chunks {
		c.release()
	}
	h.chunks = nil
}

func empty(b []uint64) bool {
	for _, w := range b {
		if w != 0 {
			return false
		}
	}
	return true
}

// units applies filters and eligibility.
func (f *finder) units(h *chunkHits) {
	s, base := h.seg, uint32(h.chunk)<<codec.ChunkBits
	n := len(h.docs)
	complicated := h.bitmap(n)
	set := s.Seg.Complex.Chunk(h.chunk)
	set.OrInto(complicated)
	h.plain = h.bitmap(n)
	for i, w := range h.docs {
		h.plain[i] = w &^ complicated[i]
		complicated[i] &= w
	}
	if s.q.InStockOnly {
		keepIf(h.plain, func(d uint32) bool { return s.Live.InStock(uint32(s.Seg.First.At(int(base + d)))) })
	}
	switch len(s.groups) {
	case 0:
	case 1:
		if f.sampled {
			h.except = [][]uint64{h.copyOf(h.plain)}
		}
		for _, x := range s.groups[0] {
			x.keep(s, h.chunk, h.plain, f.tmp)
		}
	default:
		f.groups(h)
	}
	copy(h.docs, h.plain)
	if !empty(complicated) {
		h.units = (*unitPool.Get().(*[]unitHit))[:0]
	}
	for i, w := range complicated {
		for ; w != 0; w &= w - 1 {
			d := uint32(i<<6 | trailing(w))
			f.complexDoc(h, base+d, d)
		}
	}
}

// groups applies the filters of several fields to plain documents.
func (f *finder) groups(h *chunkHits) {
	s := h.seg
	if !f.sampled { // nobody asks what it would be without one of them
		for _, list := range s.groups {
			for _, x := range list {
				x.keep(s, h.chunk, h.plain, f.tmp)
			}
		}
		return
	}
	n := len(h.plain)
	passed := make([][]uint64, len(s.groups))
	for g, list := range s.groups {
		passed[g] = h.copyOf(h.plain)
		for _, x := range list {
			x.keep(s, h.chunk, passed[g], f.tmp)
		}
	}
	h.except = make([][]uint64, len(s.groups))
	for g := range s.groups {
		e := h.copyOf(h.plain)
		for o := range passed {
			if o != g {
				for i := range n {
					e[i] &= passed[o][i]
				}
			}
		}
		h.except[g] = e
	}
	for i := range n {
		h.plain[i] &= passed[0][i] & h.except[0][i]
	}
}

// complexDoc looks at the units of a document.
func (f *finder) complexDoc(h *chunkHits, doc, d uint32) {
	s := h.seg
	first, whole := len(h.units), !s.q.Variants
	for row, to := s.rows(doc); row < to; row++ {
		if !s.eligible(row, true) {
			whole = false
			continue
		}
		fails := s.fails(doc, row, true)
		switch {
		case fails == 0:
			codec.Put(h.docs, d)
			for g := range h.except {
				codec.Put(h.except[g], d)
			}
		case fails&(fails-1) == 0 && h.except != nil:
			codec.Put(h.except[trailing(fails)], d)
			whole = false
		default:
			whole = false
			continue
		}
		h.units = append(h.units, unitHit{d, row, fails})
	}
	if whole { // all count: no need to tell them apart
		h.units = h.units[:first]
		codec.Put(h.plain, d)
	}
}

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
		score := 0
		if len(f.q.Words) > 0 {
			score = int(f.acc[doc&codec.ChunkMask])
			if s.exact[doc] {
				score += indexer.ExactPoints
			}
		}
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
// without one have all the same key, and so the first are the best.
func (f *finder) collectFlat(h *chunkHits, b *best) {
	s, base := h.seg, uint32(h.chunk)<<codec.ChunkBits
	a := pinned(len(s.q.Pins), 0)
	add := func(k key) bool {
		if b.full(&k) {
			return false
		}
		b.add(cand{key: k, seg: s, doc: k.id})
		return true
	}
	rest := f.tmp[:len(h.docs)]
	copy(rest, h.docs)
	from, to := s.positions(h.chunk)
	for i := from; i < to; i++ {
		if doc, pos := s.Seg.PositionAt(i); codec.Has(h.docs, doc-base) {
			rest[(doc-base)>>6] &^= 1 << (doc & 63)
			add(key{a: a, b: sortable(float64(pos), s.order.desc), id: doc})
		}
	}
	f.total += codec.OnesCount(h.docs)
	for i, w := range rest {
		for ; w != 0; w &= w - 1 {
			if !add(key{a: a, b: missing, id: base + uint32(i<<6|trailing(w))}) {
				return
			}
		}
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
			k := key{a: a, tie: uint32(s.Seg.NameWords.At(int(base + d))), id: base + d}
			if !b.full(&k) {
				b.add(cand{key: k, seg: s, doc: base + d, score: score})
			}
		}
	}
}
