package exec

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
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

// sample appends the sample, by segment and document.
func (s *sampler) sample(list []sampled, q *query) []sampled {
	s.cut()
	docs := s.spare[:0]
	for _, k := range s.keys {
		docs = append(docs, s.docs[uint32(k)])
	}
	s.spare = docs
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
	list = slices.Grow(list, len(docs))
	for _, d := range docs {
		list = append(list, sampled{doc: uint32(d), seg: segs[uint32(d>>32)]})
	}
	return list
}

// sampleOf appends the sample of the hits, or of what they were without the
// filters of a group.
func (h *hits) sampleOf(list []sampled, group int) []sampled {
	s := samplerPool.Get().(*sampler)
	s.reset()
	for rest := h.chunks; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].seg == rest[0].seg {
			n++
		}
		s.addSeg(rest[:n], group)
		rest = rest[n:]
	}
	list = s.sample(list, h.q)
	samplerPool.Put(s)
	return list
}

var samplerPool = sync.Pool{New: func() any { return new(sampler) }}

// without returns the hits of a chunk, or what they were without the filters
// of a group.
func (c *chunkHits) without(group int) []uint64 {
	if group < 0 || c.except == nil {
		return c.docs
	}
	return c.except[group]
}

// addSeg adds the hits of a segment, or those of them that can be in a sample.
func (s *sampler) addSeg(list []*chunkHits, group int) {
	g, total := list[0].seg, 0
	for _, c := range list {
		total += codec.OnesCount(c.without(group))
	}
	if total == 0 {
		return // they are hits only without another group's filters
	}
	above := int64(-1)
	if g.Seg.Docs >= 4*codec.ChunkSize && total/indexer.SampleSize > g.Seg.Docs/total {
		// Of many hits those in the sample are found faster by their hashes.
		low, limit := g.Seg.Lowest()
		if s.walk(low, list, group) {
			return
		}
		above = limit
	}
	// Hashes are spread evenly: so many are likely to be up to here.
	if likely := int64(enoughHashes) << 32 / int64(total); likely < math.MaxUint32 && likely > above {
		n := 0
		for _, c := range list {
			n += s.scan(c, c.without(group), above, likely)
		}
		if n >= indexer.SampleSize || s.full && int64(s.limit) <= likely {
			return
		}
		above = likely
	}
	for _, c := range list {
		s.scan(c, c.without(group), above, math.MaxUint32)
	}
}

// enoughHashes is as many as there are almost certainly not below SampleSize of,
// where so many are expected.
const enoughHashes = indexer.SampleSize + indexer.SampleSize/3

// walk adds hits that are among the documents with the lowest hashes, and
// reports whether there are as many of them as a sample needs.
func (s *sampler) walk(low []uint64, list []*chunkHits, group int) bool {
	g := list[0].seg
	chunks := make([][]uint64, g.chunks())
	for _, c := range list {
		chunks[c.chunk] = c.without(group)
	}
	num, n, last := uint64(g.num)<<32, 0, uint64(0)
	for _, k := range low {
		if n >= indexer.SampleSize && k>>32 != last {
			return true
		}
		doc := uint32(k)
		if codec.Has(chunks[doc>>codec.ChunkBits], doc&codec.ChunkMask) {
			s.add(uint32(k>>32), num|uint64(doc))
			n, last = n+1, k>>32
		}
	}
	return n >= indexer.SampleSize
}

// scan adds the hits of a chunk whose hashes are greater than above and at most
// most, if they may be in the sample, and returns how many.
func (s *sampler) scan(h *chunkHits, docs []uint64, above, most int64) (n int) {
	num := uint64(h.seg.num) << 32
	limit := func() int64 {
		if s.full {
			return min(most, int64(s.limit))
		}
		return most
	}
	h.seg.Seg.Hash.EachBelow(docs, h.chunk<<codec.ChunkBits, limit(), func(doc int, hash int64) int64 {
		if hash > above {
			s.add(uint32(hash), num|uint64(doc))
			n++
		}
		return limit()
	})
	return n
}
