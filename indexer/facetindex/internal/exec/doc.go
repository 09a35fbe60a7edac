// Package exec answers queries over segments.
//
// A query runs twice over all chunks of 64 K documents of all segments, on as
// many processors as there are: first to find the hits of each chunk as a
// bitmap, with the best of them and a sample; then, when the sample has told
// which facets to show, to count these. Documents with one plain unit are
// handled as bitmaps and columns; of those whose units differ (complex ones)
// each unit is looked at, but only if something in the query tells them apart.
package exec

import (
	"iter"
	"sync"
	"sync/atomic"

	"catalog/indexer/facetindex/internal/codec"
	"catalog/indexer/facetindex/internal/live"
	"catalog/indexer/facetindex/internal/segment"
)

// View is a segment as a query sees it.
type View struct {
	Seg  *segment.Segment
	Live *live.Columns
	Dead Dead
}

// Dead has the documents of a segment that are gone: a bitmap for each chunk,
// nil where all are there. Bitmaps are shared by copies and never changed.
type Dead [][]uint64

// Has reports whether a document is gone.
func (d Dead) Has(doc uint32) bool {
	c := int(doc >> codec.ChunkBits)
	return c < len(d) && d[c] != nil && codec.Has(d[c], doc&codec.ChunkMask)
}

// With returns d with more documents gone, of a segment of n documents.
func (d Dead) With(docs []uint32, n int) Dead {
	out := make(Dead, (n+codec.ChunkSize-1)>>codec.ChunkBits)
	copy(out, d)
	fresh := map[int]bool{}
	for _, doc := range docs {
		c := int(doc >> codec.ChunkBits)
		if !fresh[c] {
			fresh[c] = true
			b := make([]uint64, codec.Words(min(codec.ChunkSize, n-c<<codec.ChunkBits)))
			copy(b, out[c])
			out[c] = b
		}
		codec.Put(out[c], doc&codec.ChunkMask)
	}
	return out
}

// Each yields the documents that are gone.
func (d Dead) Each() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for c, b := range d {
			for i, w := range b {
				for ; w != 0; w &= w - 1 {
					if !yield(uint32(c<<codec.ChunkBits | i<<6 | trailing(w))) {
						return
					}
				}
			}
		}
	}
}

// Count returns how many documents are gone.
func (d Dead) Count() int {
	n := 0
	for _, b := range d {
		n += codec.OnesCount(b)
	}
	return n
}

// Alive reports whether a document is still there.
func (v *View) Alive(doc uint32) bool { return !v.Dead.Has(doc) }

// chunks returns how many chunks the segment has.
func (v *View) chunks() int { return (v.Seg.Docs + codec.ChunkSize - 1) >> codec.ChunkBits }

// size returns how many documents a chunk has.
func (v *View) size(chunk int) int {
	return min(codec.ChunkSize, v.Seg.Docs-chunk<<codec.ChunkBits)
}

// dead returns the part of Dead that is of a chunk.
func (v *View) dead(chunk int) []uint64 {
	if chunk >= len(v.Dead) {
		return nil
	}
	return v.Dead[chunk]
}

// parallel calls f for 0 … n-1, by w goroutines; each has a number of its own.
// It stops at the first error.
func parallel(n, w int, f func(worker, i int) error) error {
	if w == 1 {
		for i := range n {
			if err := f(0, i); err != nil {
				return err
			}
		}
		return nil
	}
	var next atomic.Int64
	var first atomic.Pointer[error]
	var wg sync.WaitGroup
	work := func(worker int) {
		for first.Load() == nil {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			if err := guarded(f, worker, i); err != nil {
				first.CompareAndSwap(nil, &err)
			}
		}
	}
	for worker := 1; worker < w; worker++ {
		wg.Go(func() { work(worker) })
	}
	work(0)
	wg.Wait()
	if err := first.Load(); err != nil {
		return *err
	}
	return nil
}

// guarded calls f such that what is wrong with the bytes it reads does not end
// the program, wherever it runs.
func guarded(f func(worker, i int) error, worker, i int) (err error) {
	defer guard(&err)
	return f(worker, i)
}

// workers returns how many goroutines chunks with so many documents are worth.
func (q *query) workers(chunks, docs int) int {
	return max(1, min(q.most, chunks/4, docs/10_000))
}

// Family reports whether a document of a product has a unit that is something
// else than the product itself.
func (v *View) Family(sku string) bool {
	lo, hi := v.Seg.Find(sku)
	for doc := lo; doc < hi; doc++ {
		from, to := v.Seg.First.At(int(doc)), v.Seg.First.At(int(doc)+1)
		if v.Alive(doc) && (to-from != 1 || v.Seg.RowSKU.At(int(from)) != v.Seg.DocSKU.At(int(doc))) {
			return true
		}
	}
	return false
}
