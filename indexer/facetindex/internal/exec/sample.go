package exec

import (
	"cmp"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
	"catalog/indexer/facetindex/internal/segment"
)

// sampler keeps the documents with the lowest hashes.
type sampler struct {
	keys  []uint64 // hash<<32 | place in docs
	docs  []uint64 // number of the segment<<32 | document
	spare []uint64 // memory for docs
	limit uint32   // hashes above it are not needed
	full  bool     // there is a limit
}

// sampled is a document of a sample.
type sampled struct {
	doc  uint32
	seg  *seg
	rows []uint32 // those that count, if not all do
	some bool     // not all do
}

// keepSample is when a sampler drops what it does not need.
const keepSample = 4 * indexer.SampleSize

func (s *sampler) add(hash uint32, doc uint64) {
	s.keys = append(s.keys, uint64(hash)<<32|uint64(len(s.docs)))
	s.docs = append(s.docs, doc)
	if len(s.keys) >= keepSample {
		s.cut()
	}
}

// cut keeps the sample, and more only where hashes are equal at its end.
func (s *sampler) cut() {
	n := indexer.SampleSize
	if len(s.keys) < n {
		return
	}
	slices.Sort(s.keys)
	s.limit, s.full = uint32(s.keys[n-1]>>32), true
	for n < len(s.keys) && uint32(s.keys[n]>>32) == s.limit {
		n++
	}
	s.keys = s.keys[:n]
	docs := s.spare[:0]
	for i, k := range s.keys {
		docs = append(docs, s.docs[uint32(k)])
		s.keys[i] = k>>32<<32 | uint64(i)
	}
	s.docs, s.spare = docs, s.docs
}

// reset empties a sampler and keeps its memory.
func (s *sampler) reset() {
	*s = sampler{keys: s.keys[:0], docs: s.docs[:0], spare: s.spare[:0]}
}

func (s *sampler) merge(o *sampler) {
	for _, k := range o.keys {
		s.keys = append(s.keys, k>>32<<32|uint64(len(s.docs)))
		s.docs = append(s.docs, o.docs[uint32(k)])
	}
}

// sample returns the sample, by segment and document.
func (s *sampler) sample(q *query) []sampled {
	s.cut()
	docs := make([]uint64, len(s.keys))
	for i, k := range s.keys {
		docs[i] = s.docs[uint32(k)]
	}
	segs := map[uint32]*seg{}
	for _, g := range q.segs {
		segs[uint32(g.num)] = g
	}
	if len(docs) > indexer.SampleSize {
		// Halves of hashes are equal at the end: the whole ones decide.
		sku := func(d uint64) string {
			g := segs[uint32(d>>32)].Seg
			return g.SKUs.String(int(g.DocSKU.At(int(uint32(d)))))
		}
		slices.SortFunc(docs, func(a, b uint64) int {
			x, y := sku(a), sku(b)
			return cmp.Or(cmp.Compare(indexer.SampleHash(x), indexer.SampleHash(y)), cmp.Compare(x, y))
		})
		docs = docs[:indexer.SampleSize]
	}
	slices.Sort(docs)
	list := make([]sampled, len(docs))
	for i, d := range docs {
		list[i] = sampled{doc: uint32(d), seg: segs[uint32(d>>32)]}
	}
	return list
}

// sample shows the hits of a chunk to the samplers.
func (f *finder) sample(h *chunkHits) {
	f.sampleBits(&f.samples[0], h, h.docs)
	for g := range h.except {
		f.sampleBits(&f.samples[1+g], h, h.except[g])
	}
}

func (f *finder) sampleBits(to *sampler, h *chunkHits, docs []uint64) {
	limit := func() int64 {
		if to.full {
			return int64(to.limit)
		}
		return math.MaxUint32
	}
	base, num := h.chunk<<codec.ChunkBits, uint64(h.seg.num)<<32
	above := int64(-1)
	if n := codec.OnesCount(docs); !to.full && n >= 4*indexer.SampleSize {
		// Of so many hits twice a sample is below this, most likely; if it is
		// not, those above are looked at, too.
		above = math.MaxUint32 / int64(n) * 2 * indexer.SampleSize
		h.seg.Seg.Hash.EachBelow(docs, base, above, func(doc int, hash int64) int64 {
			to.add(uint32(hash), num|uint64(doc))
			return min(above, limit())
		})
		if to.cut(); to.full && int64(to.limit) <= above {
			return
		}
	}
	h.seg.Seg.Hash.EachBelow(docs, base, limit(), func(doc int, hash int64) int64 {
		if hash > above {
			to.add(uint32(hash), num|uint64(doc))
		}
		return limit()
	})
}

// taken is a sample of which attributes can be described.
type taken struct {
	group int
	docs  []sampled
	attrs []attrSample // by segment and number
	segs  []attrRun
	memo  map[string]indexer.Sample
}

// attrSample is where a segment has an attribute of sampled documents.
type attrSample struct {
	seg  *seg
	attr int
	docs []uint16 // places in taken.docs, of one segment
}

// attrRun is where taken.attrs has what is of a segment.
type attrRun struct {
	seg      *seg
	from, to int
}

// attrNamed returns where segments have an attribute.
func (t *taken) attrNamed(name string) []attrSample {
	var list []attrSample
	for _, r := range t.segs {
		run := t.attrs[r.from:r.to]
		if i, ok := slices.BinarySearchFunc(run, r.seg.Seg.Attr(name), func(a attrSample, attr int) int { return a.attr - attr }); ok {
			if len(t.segs) == 1 {
				return run[i : i+1]
			}
			list = append(list, run[i])
		}
	}
	return list
}

// attrCount says how many sampled documents have an attribute.
type attrCount struct {
	name   string
	having int
}

// attrCounts returns all attributes, the most frequent first, and else by name.
func (t *taken) attrCounts() []attrCount {
	list := make([]attrCount, 0, len(t.attrs))
	for _, a := range t.attrs {
		list = append(list, attrCount{a.seg.Seg.AttrName(a.attr), len(a.docs)})
	}
	if len(t.segs) > 1 {
		slices.SortFunc(list, func(a, b attrCount) int { return strings.Compare(a.name, b.name) })
		n := 0
		for _, a := range list {
			if n > 0 && list[n-1].name == a.name {
				list[n-1].having += a.having
				continue
			}
			list[n] = a
			n++
		}
		list = list[:n]
	}
	// They are by name: numbers are sorted faster than names.
	order := make([]uint64, len(list))
	for i, a := range list {
		order[i] = uint64(len(t.docs)-a.having)<<32 | uint64(i)
	}
	slices.Sort(order)
	out := make([]attrCount, len(list))
	for i, k := range order {
		out[i] = list[uint32(k)]
	}
	return out
}

// take returns the sample for a field: that of the hits without the filters
// of its own.
func (h *hits) take(group int) *taken {
	if h.taken == nil {
		h.taken = make([]*taken, len(h.samples))
	}
	if h.taken[1+group] == nil {
		t := &taken{group: group, docs: h.samples[1+group].sample(h.q), memo: map[string]indexer.Sample{}}
		t.findRows()
		t.findAttrs()
		h.taken[1+group] = t
	}
	return h.taken[1+group]
}

// findRows finds out which units of the sampled documents count.
func (t *taken) findRows() {
	for i := range t.docs {
		x := &t.docs[i]
		s := x.seg
		if !s.picky || s.Seg.Flags.At(int(x.doc))&flagComplex == 0 {
			continue
		}
		from, to := s.rows(x.doc)
		for row := from; row < to; row++ {
			if s.eligible(row, true) {
				u := unitHit{fails: s.fails(x.doc, row, true)}
				if u.counts(t.group) {
					x.rows = append(x.rows, row)
				}
			}
		}
		x.some = len(x.rows) < int(to-from)
	}
}

// findAttrs finds out which documents have which attributes.
func (t *taken) findAttrs() {
	x := getScratch()
	type span struct{ from, to int }
	nodes := map[uint32]span{}
	for i := 0; i < len(t.docs); {
		s, from := t.docs[i].seg, i
		clear(nodes)
		if n := s.Seg.AttrNames.Len(); n > len(x.counts) {
			x.counts = make([]uint32, n)
		}
		list, found, total := x.list[:0], x.found[:0], 0
		for ; i < len(t.docs) && t.docs[i].seg == s; i++ {
			n := s.Seg.Node(t.docs[i].doc)
			at, ok := nodes[n]
			if !ok {
				at.from = len(list)
				list = s.Seg.NodeAttrs(list, n)
				at.to = len(list)
				nodes[n] = at
			}
			for _, a := range list[at.from:at.to] {
				if x.counts[a]++; x.counts[a] == 1 {
					found = append(found, a)
				}
			}
			total += at.to - at.from
		}
		slices.Sort(found)
		t.attrs = slices.Grow(t.attrs, len(found))
		t.segs = append(t.segs, attrRun{s, len(t.attrs), len(t.attrs) + len(found)})
		// One array for all lists: from here on, counts has the end of each.
		all, end := make([]uint16, total), uint32(0)
		for _, a := range found {
			n := x.counts[a]
			x.counts[a] = end
			end += n
		}
		for k := from; k < i; k++ {
			at := nodes[s.Seg.Node(t.docs[k].doc)]
			for _, a := range list[at.from:at.to] {
				all[x.counts[a]] = uint16(k)
				x.counts[a]++
			}
		}
		first := uint32(0)
		for _, a := range found {
			to := x.counts[a]
			x.counts[a] = 0
			t.attrs = append(t.attrs, attrSample{s, int(a), all[first:to:to]})
			first = to
		}
		x.list, x.found = list, found
	}
	x.put()
}

// scratch is memory that a sample is looked at with.
type scratch struct {
	counts []uint32 // zeroes, also afterwards
	list   []uint32
	found  []uint32
}

var scratchPool = sync.Pool{New: func() any { return new(scratch) }}

func getScratch() *scratch { return scratchPool.Get().(*scratch) }

func (x *scratch) put() { scratchPool.Put(x) }

// units calls f for each row of a sampled document that counts.
func (x *sampled) units(f func(row uint32)) {
	if x.some {
		for _, row := range x.rows {
			f(row)
		}
		return
	}
	for from, to := x.seg.rows(x.doc); from < to; from++ {
		f(from)
	}
}

// describe describes an attribute of the sample.
func (t *taken) describe(name string) (indexer.Sample, error) {
	if s, ok := t.memo[name]; ok {
		return s, nil
	}
	x := getScratch()
	s, err := t.look(name, x)
	if err == nil {
		x.put()
		t.memo[name] = s
	}
	return s, err
}

// describeAll is describe for several attributes at once.
func (t *taken) describeAll(names []string) ([]indexer.Sample, error) {
	out, errs := make([]indexer.Sample, len(names)), make([]error, len(names))
	var wg sync.WaitGroup
	half := len(names)
	if runtime.GOMAXPROCS(0) > 1 && len(t.docs) >= 64 {
		half = len(names) / 2
		wg.Go(func() { t.lookAt(names[half:], out[half:], errs[half:]) })
	}
	t.lookAt(names[:half], out, errs)
	wg.Wait()
	for i, name := range names {
		if errs[i] != nil {
			return nil, errs[i]
		}
		t.memo[name] = out[i]
	}
	return out, nil
}

// lookAt looks at attributes one after the other.
func (t *taken) lookAt(names []string, out []indexer.Sample, errs []error) {
	x := getScratch()
	for i, name := range names {
		if out[i], errs[i] = t.guarded(name, x); errs[i] != nil {
			return // and what x has may be no zeroes
		}
	}
	x.put()
}

func (t *taken) guarded(name string, x *scratch) (s indexer.Sample, err error) {
	defer guard(&err)
	return t.look(name, x)
}

// look describes an attribute.
func (t *taken) look(name string, x *scratch) (indexer.Sample, error) {
	out := indexer.Sample{Name: name, Hits: len(t.docs)}
	list := t.attrNamed(name)
	var counts map[string]int // if there are several segments
	if len(list) > 1 {
		counts = map[string]int{}
	}
	for _, a := range list {
		f, err := a.seg.Seg.Field(a.attr)
		if err != nil {
			return out, err
		}
		t.describeIn(&out, f, a.docs, x)
		if counts == nil {
			out.Counts = make([]int, 0, 64)
		}
		x.eachText(f.Texts.Len(), func(tx, n uint32) {
			if counts == nil {
				out.Counts = append(out.Counts, int(n))
			} else {
				counts[f.Texts.String(int(tx))] += int(n)
			}
		})
	}
	for _, n := range counts {
		out.Counts = append(out.Counts, n)
	}
	return out, nil
}

// maxTally is up to how many texts an array of all is better than a list of
// those that occur: a sample has few of a dictionary as large as the catalog.
const maxTally = 1 << 12

// eachText calls f for each of n texts in x.list, with how often it is there.
func (x *scratch) eachText(n int, f func(text, n uint32)) {
	if n > maxTally {
		slices.Sort(x.list)
		for i := 0; i < len(x.list); {
			from := i
			for i < len(x.list) && x.list[i] == x.list[from] {
				i++
			}
			f(x.list[from], uint32(i-from))
		}
		return
	}
	if n > len(x.counts) {
		x.counts = make([]uint32, maxTally)
	}
	for _, tx := range x.list {
		x.counts[tx]++
	}
	for _, tx := range x.list {
		if n := x.counts[tx]; n > 0 {
			x.counts[tx] = 0
			f(tx, n)
		}
	}
}

// describeIn adds what documents of one segment have. It leaves the texts of
// their values in x.list, each as often as there are documents that have it.
func (t *taken) describeIn(out *indexer.Sample, f *segment.Field, docs []uint16, x *scratch) {
	texts, vals := x.list[:0], x.found
	chunk := -1
	var k codec.ColumnChunk
	for _, i := range docs {
		d := &t.docs[i]
		if c := int(d.doc >> codec.ChunkBits); c != chunk {
			chunk, k = c, f.Any.Chunk(c)
		}
		vals = d.values(vals[:0], f, &k)
		if len(vals) == 0 {
			continue
		}
		out.Having++
		text, first := false, len(out.Nums)
		for n, v := range vals {
			if tx := f.Text(v); n == 0 || f.Text(vals[n-1]) != tx {
				texts = append(texts, tx)
			}
			if f.Type(v) != indexer.Number {
				text = true
			} else if num := f.Num(v); !slices.Contains(out.Nums[first:], num) {
				if out.Nums == nil {
					out.Nums = make([]float64, 0, len(docs))
				}
				out.Nums = append(out.Nums, num)
			}
		}
		if text {
			out.Texts++
		}
	}
	x.list, x.found = texts, vals
}

// values appends the different values that a sampled document has of a field,
// in order. k is the chunk of the field that the document is in.
func (x *sampled) values(dst []uint32, f *segment.Field, k *codec.ColumnChunk) []uint32 {
	if !x.some {
		return f.Append(dst, k.Get(x.doc&codec.ChunkMask))
	}
	for _, row := range x.rows {
		dst = f.Append(dst, codeOf(f, x.doc, row, true))
	}
	slices.Sort(dst)
	return slices.Compact(dst)
}
