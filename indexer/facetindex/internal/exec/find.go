package exec

import (
	"context"
	"sync"

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
	best    []best     // by segment
	vals    []*matched // buffers
	used    int        // of them
	acc     []uint32
	tmp     []uint64
	found   []uint64
	behind  int
	size    int
	sampled bool
	rd      *reader
	rows    []uint32 // buffers
	amounts []int64
	few     []uint16
}

// hits is what a query finds.
type hits struct {
	q      *query
	total  int
	behind int // of total, those behind Prepared.After
	chunks []*chunkHits
	best   []best
	taken  []*taken // by group
}

// find finds the hits at a step of relaxation. size is how many of the first
// are kept; without sampled no sample is taken and no chunks are kept.
func (q *query) find(ctx context.Context, size int, sampled bool) (*hits, error) {
	if len(q.Words) > 0 {
		for _, s := range q.segs {
			if err := s.lookUpWords(); err != nil {
				return nil, err
			}
		}
	}
	if q.least = q.leastOf(size); q.least > 0 {
		h, err := q.findAll(ctx, size, sampled)
		if err != nil || h.total >= size {
			return h, err
		}
		h.release()
		q.least = 0
	}
	return q.findAll(ctx, size, sampled)
}

// leastOf returns what a word must count to be looked at, if only the first
// hits are asked for, not how many there are, and they are likely to be found
// among those that count more; else 0.
func (q *query) leastOf(size int) uint8 {
	if !q.firstOnly || len(q.Words) != 1 {
		return 0
	}
	var counts [256]int // documents by what they count
	for _, s := range q.segs {
		if !s.order.scored || len(s.exact) > 0 {
			return 0
		}
		for i := range s.words[0].alts {
			a := &s.words[0].alts[i]
			if a.synonym || len(a.tokens) > 1 {
				return 0
			}
			for _, x := range a.tokens[0].long {
				counts[x.Val] += x.Len()
			}
			for _, v := range a.tokens[0].vals {
				counts[v]++
			}
		}
	}
	n := 0
	for v := len(counts) - 1; v > 0; v-- {
		if n += counts[v]; n >= 8*size {
			return uint8(v)
		}
	}
	return 0
}

func (q *query) findAll(ctx context.Context, size int, sampled bool) (*hits, error) {
	type task struct {
		seg   *seg
		chunk int
	}
	var tasks []task
	for _, s := range q.segs {
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
	finders := make([]*finder, q.workers(len(tasks), weight))
	for i := range finders {
		finders[i] = newFinder(q, size, sampled)
	}
	out := &hits{q: q}
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
		q: q, size: size, sampled: sampled, best: make([]best, n),
		vals: f.vals, acc: f.acc, tmp: f.tmp, found: f.found, rows: f.rows, amounts: f.amounts, few: f.few,
	}
	for i := range f.best {
		f.best[i].n = size
	}
	return f
}

func (f *finder) release() {
	f.q, f.best, f.rd = nil, nil, nil
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
	for _, t := range h.taken {
		if t != nil {
			t.release()
		}
	}
	h.taken = nil
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
	f.complicated(complicated, h)
	h.plain = h.bitmap(n)
	for i, w := range h.docs {
		h.plain[i] = w &^ complicated[i]
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
			x.keep(f, s, h.chunk, h.plain)
		}
	default:
		f.groups(h)
	}
	copy(h.docs, h.plain)
	if !empty(complicated) {
		h.units = (*unitPool.Get().(*[]unitHit))[:0]
	}
	f.complexDocs(h, complicated)
}

// complicated makes dst the complex ones of a chunk's hits.
func (f *finder) complicated(dst []uint64, h *chunkHits) {
	s, base := h.seg, h.chunk<<codec.ChunkBits
	clear(dst)
	if s.Seg.Docs == s.Seg.Rows && s.Seg.Complex.Len() == 0 {
		return
	}
	set := s.Seg.Complex.Chunk(h.chunk)
	if set.Len() < codec.OnesCount(h.docs)*2 {
		set.OrInto(dst)
		for i, w := range h.docs {
			dst[i] &= w
		}
		return
	}
	for i, w := range h.docs {
		for ; w != 0; w &= w - 1 {
			if s.Seg.Flags.At(base+(i<<6|trailing(w)))&flagComplex != 0 {
				dst[i] |= w & -w
			}
		}
	}
}

// groups applies the filters of several fields to plain documents.
func (f *finder) groups(h *chunkHits) {
	s := h.seg
	if !f.sampled { // nobody asks what it would be without one of them
		for _, list := range s.groups {
			for _, x := range list {
				x.keep(f, s, h.chunk, h.plain)
			}
		}
		return
	}
	n := len(h.plain)
	passed := make([][]uint64, len(s.groups))
	for g, list := range s.groups {
		passed[g] = h.copyOf(h.plain)
		for _, x := range list {
			x.keep(f, s, h.chunk, passed[g])
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
