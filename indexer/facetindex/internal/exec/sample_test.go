package exec

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
	"catalog/indexer/facetindex/internal/segment"
)

// TestSampler takes samples of chunks with few and many hits or none, and with
// hashes that are not spread as hashes are, and compares them with sorting all.
func TestSampler(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for round := range 60 {
		const chunks = 5
		hashes := make([]int64, chunks*codec.ChunkSize)
		top := []uint32{1<<32 - 1, 5000, 1 << 28}[round%3]
		low := []uint32{0, 0, 1<<32 - 1 - 1<<28}[round%3]
		for i := range hashes {
			hashes[i] = int64(low + r.Uint32N(top))
		}
		data := codec.AppendInts(nil, hashes)
		ints, err := codec.ReadInts(codec.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		s := &seg{View: &View{Seg: &segment.Segment{Docs: len(hashes), Hash: ints}}, num: 2}
		h := &hits{}
		var want []uint64
		for c := range chunks {
			x := &chunkHits{seg: s, chunk: c, docs: make([]uint64, codec.ChunkSize/64)}
			some := []int{0, 100, 600, 1500, 40_000}[r.IntN(5)]
			if round%10 == 9 {
				some = 0 // in the whole segment: they are hits without another filter
			}
			for range some {
				d := r.Uint32N(codec.ChunkSize)
				if !codec.Has(x.docs, d) {
					codec.Put(x.docs, d)
					want = append(want, uint64(s.num)<<32|uint64(c<<codec.ChunkBits)|uint64(d))
				}
			}
			h.chunks = append(h.chunks, x)
		}
		slices.SortFunc(want, func(a, b uint64) int { return cmp.Compare(hashes[uint32(a)], hashes[uint32(b)]) })
		n := min(indexer.SampleSize, len(want))
		for 0 < n && n < len(want) && hashes[uint32(want[n])] == hashes[uint32(want[n-1])] {
			n++ // which of them is in the sample, whole hashes decide later
		}
		var got sampler
		got.addSeg(h.chunks, -1)
		got.cut()
		var have []uint64
		for _, k := range got.keys {
			have = append(have, got.docs[uint32(k)])
		}
		slices.Sort(have)
		want = want[:n]
		slices.Sort(want)
		if !slices.Equal(have, want) {
			t.Fatalf("round %d: a sample of %d documents is not that of the %d with the lowest hashes", round, len(have), len(want))
		}
	}
}
