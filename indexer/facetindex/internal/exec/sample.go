package exec

import (
	"slices"
	"strings"
	"sync"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
	"catalog/indexer/facetindex/internal/segment"
)

// taken is a sample of which attributes can be described.
type taken struct {
	group int
	most  int // see query
	docs  []sampled
	attrs []attrSample // by segment and number
	segs  []attrRun
	memo  map[string]indexer.Sample

	nodes map[uint32]span // for findAttrs, as are these
	spans []span
	all   []uint16
}

// span is a part of a list.
type span struct{ from, to int }

var takenPool = sync.Pool{New: func() any {
	return &taken{memo: map[string]indexer.Sample{}, nodes: map[uint32]span{}}
}}

// release gives back the memory of a sample.
func (t *taken) release() {
	clear(t.docs) // they refer to segments, as others do
	clear(t.attrs)
	clear(t.segs)
	clear(t.memo)
	t.docs, t.attrs, t.segs, t.all = t.docs[:0], t.attrs[:0], t.segs[:0], t.all[:0]
	takenPool.Put(t)
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
		h.taken = make([]*taken, 1+len(h.q.groups))
	}
	if h.taken[1+group] == nil {
		t := takenPool.Get().(*taken)
		t.group, t.most, t.docs = group, h.q.most, h.sampleOf(t.docs, group)
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
	t.spans = slices.Grow(t.spans[:0], len(t.docs))[:len(t.docs)]
	nodes, spans := t.nodes, t.spans
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
			spans[i] = at
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
		at := len(t.all)
		t.all = slices.Grow(t.all, total)[:at+total]
		all, end := t.all[at:], uint32(0)
		for _, a := range found {
			n := x.counts[a]
			x.counts[a] = end
			end += n
		}
		for k := from; k < i; k++ {
			for _, a := range list[spans[k].from:spans[k].to] {
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
	texts  []times
	once   bool // each text is in texts once
	bag    bag
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
	if t.most > 1 && len(t.docs) >= 64 {
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
	fields := make([]*segment.Field, len(list))
	base := 0 // whose numbers of texts are those of all
	for i, a := range list {
		f, err := a.seg.Seg.Field(a.attr)
		if err != nil {
			return out, err
		}
		if fields[i] = f; f.Texts.Len() > fields[base].Texts.Len() {
			base = i
		}
	}
	var counts map[uint32]int // if there are several segments
	var others map[string]int // and texts that base does not have
	if len(list) > 1 {
		counts, others = map[uint32]int{}, map[string]int{}
	}
	for i, a := range list {
		f := fields[i]
		t.describeIn(&out, f, a.docs, x)
		var places []uint32
		switch {
		case counts == nil:
			out.Counts = make([]int, 0, len(x.texts))
		case i != base:
			places = f.TextsIn(fields[base])
		}
		x.eachText(f.Texts.Len(), func(tx, n uint32) {
			switch {
			case counts == nil:
				out.Counts = append(out.Counts, int(n))
			case i == base:
				counts[tx] += int(n)
			case places[tx] != segment.Nowhere:
				counts[places[tx]] += int(n)
			default:
				others[f.Texts.String(int(tx))] += int(n)
			}
		})
	}
	for _, n := range counts {
		out.Counts = append(out.Counts, n)
	}
	for _, n := range others {
		out.Counts = append(out.Counts, n)
	}
	return out, nil
}

// times is how often there is a number.
type times struct{ x, n uint32 }

// maxTally is up to how many numbers there can be for an array of all to be
// better than a bag: a sample has few of a dictionary as large as the catalog.
const maxTally = 1 << 14

// count calls f for each number in list, all of which are below n, with how
// often it is there.
func (x *scratch) count(list []uint32, n int, f func(x, n uint32)) {
	if n > maxTally {
		x.bag.reset(len(list))
		for _, k := range list {
			x.bag.add(k, 1)
		}
		x.bag.each(f)
		return
	}
	if n > len(x.counts) {
		x.counts = make([]uint32, max(n, 1<<10))
	}
	for _, k := range list {
		x.counts[k]++
	}
	for _, k := range list {
		if n := x.counts[k]; n > 0 {
			x.counts[k] = 0
			f(k, n)
		}
	}
}

// eachText calls f for each of n texts that is in x.texts, with how many
// documents have it.
func (x *scratch) eachText(n int, f func(text, n uint32)) {
	if x.once {
		for _, t := range x.texts {
			f(t.x, t.n)
		}
		return
	}
	if n <= len(x.counts) {
		for _, t := range x.texts {
			x.counts[t.x] += t.n
		}
		for _, t := range x.texts {
			if n := x.counts[t.x]; n > 0 {
				x.counts[t.x] = 0
				f(t.x, n)
			}
		}
		return
	}
	x.bag.reset(len(x.texts))
	for _, t := range x.texts {
		x.bag.add(t.x, t.n)
	}
	x.bag.each(f)
}

// describeIn adds what documents of one segment have. It leaves the texts of
// their values in x.texts.
func (t *taken) describeIn(out *indexer.Sample, f *segment.Field, docs []uint16, x *scratch) {
	x.texts, x.once = x.texts[:0], f.Plain()
	x.list = t.codes(x.list[:0], f, docs)
	if out.Nums == nil && f.Numbers() {
		out.Nums = make([]float64, 0, len(docs))
	}
	x.count(x.list, f.Codes(), func(code, n uint32) {
		if code != 0 {
			x.found = f.Append(x.found[:0], code)
			x.describe(out, f, x.found, n)
			x.once = x.once && f.Single(code)
		}
	})
	for _, i := range docs { // those of which only some units count
		if d := &t.docs[i]; d.some {
			x.found = x.found[:0]
			for _, row := range d.rows {
				x.found = f.Append(x.found, codeOf(f, d.doc, row, true))
			}
			slices.Sort(x.found)
			x.found = slices.Compact(x.found)
			x.describe(out, f, x.found, 1)
			x.once = false
		}
	}
}

// codes appends the codes of sampled documents, but of those of which only
// some units count.
func (t *taken) codes(dst []uint32, f *segment.Field, docs []uint16) []uint32 {
	chunk, at := -1, 0
	var k codec.ColumnChunk
	for _, i := range docs {
		d := &t.docs[i]
		if d.some {
			continue
		}
		if c := int(d.doc >> codec.ChunkBits); c != chunk {
			chunk, at, k = c, 0, f.Any.Chunk(c)
		}
		dst = append(dst, k.GetFrom(&at, d.doc&codec.ChunkMask))
	}
	return dst
}

// describe adds what n documents have that have the same values: different
// ones, in order.
func (x *scratch) describe(out *indexer.Sample, f *segment.Field, vals []uint32, n uint32) {
	if len(vals) == 0 {
		return
	}
	out.Having += int(n)
	text, first := false, len(out.Nums)
	for i, v := range vals {
		if tx := f.Text(v); i == 0 || f.Text(vals[i-1]) != tx {
			x.texts = append(x.texts, times{tx, n})
		}
		if f.Type(v) != indexer.Number {
			text = true
		} else if num := f.Num(v); !slices.Contains(out.Nums[first:], num) {
			out.Nums = append(out.Nums, num)
		}
	}
	for last := len(out.Nums); n > 1 && first < last; n-- {
		out.Nums = append(out.Nums, out.Nums[first:last]...)
	}
	if text {
		out.Texts += int(n)
	}
}
