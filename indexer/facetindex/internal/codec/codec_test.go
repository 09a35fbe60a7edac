package codec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// ids returns about n different numbers below limit, in order: scattered, or
// in a run.
func ids(r *rand.Rand, n, limit int) []uint32 {
	seen := map[uint32]bool{}
	from := r.IntN(limit)
	for i := range n {
		id := uint32(r.IntN(limit))
		if r.IntN(2) == 0 {
			id = uint32((from + i) % limit)
		}
		seen[id] = true
	}
	var out []uint32
	for id := range seen {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

func TestPostings(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 5, shortList, shortList + 1, 1000, 9000, 150_000} {
		limit := 200_000
		want := ids(r, n, limit)
		if n == 150_000 { // a full chunk
			want = nil
			for i := range uint32(ChunkSize + 10_000) {
				want = append(want, i)
			}
		}
		rd := NewReader(AppendPostings(nil, want))
		p, err := ReadPostings(rd, limit)
		if err != nil || rd.Len() != 0 {
			t.Fatalf("%d documents: %v, %d bytes left", n, err, rd.Len())
		}
		if got := p.AppendTo(nil); !slices.Equal(got, want) || p.Len() != len(want) {
			t.Fatalf("%d documents come back as %d", len(want), len(got))
		}
		mem := make([]uint32, 3)
		in, err := ReadPostingsIn(&mem, NewReader(AppendPostings(nil, want)), limit)
		if got := in.AppendTo(nil); err != nil || !slices.Equal(got, want) {
			t.Fatalf("%d documents come back as %d, %v", len(want), len(got), err)
		}
		if len(want) > 0 && p.First() != want[0] {
			t.Fatalf("the first of %d documents is %d, not %d", len(want), p.First(), want[0])
		}
		for chunk := range (limit + ChunkSize - 1) / ChunkSize {
			size := min(ChunkSize, limit-chunk*ChunkSize)
			set := p.Chunk(chunk)
			bitmap := make([]uint64, Words(size))
			set.OrInto(bitmap)
			vals := make([]uint8, size)
			set.Fill(vals, 7)
			other := make([]uint64, Words(size))
			for i := range other {
				other[i] = r.Uint64()
			}
			both := slices.Clone(other)
			set.AndInto(both, make([]uint64, Words(size)))
			if few := make([]uint64, Words(size)); set.Few() {
				if set.AndFew(few, &set); !slices.Equal(few, bitmap) {
					t.Errorf("chunk %d of %d documents: AndFew of itself differs", chunk, n)
				}
			}
			if OnesCount(bitmap) != set.Len() || set.CountAnd(other) != OnesCount(both) {
				t.Errorf("chunk %d of %d documents: counts differ", chunk, n)
			}
			for i := range uint32(size) {
				_, in := slices.BinarySearch(want, uint32(chunk)<<ChunkBits+i)
				if Has(bitmap, i) != in || (vals[i] == 7) != in || set.Contains(i) != in || Has(both, i) != (in && Has(other, i)) {
					t.Fatalf("document %d of chunk %d of %d documents is in some, not in others", i, chunk, n)
				}
			}
		}
	}
}

func TestColumn(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, top := range []uint32{1, 255, 256, 70_000} {
		for _, n := range []int{0, 1, 300, 30_000, 120_000} {
			limit := 150_000
			at := ids(r, n, limit)
			codes := make([]uint32, len(at))
			want := map[uint32]uint32{}
			for i := range codes {
				codes[i] = 1 + r.Uint32N(top)
				want[at[i]] = codes[i]
			}
			rd := NewReader(AppendColumn(nil, limit, at, codes))
			c, err := ReadColumn(rd, limit)
			if err != nil || rd.Len() != 0 || c.Len() != len(at) {
				t.Fatalf("%d codes: %v", n, err)
			}
			for i := range uint32(limit) {
				if c.Get(i) != want[i] {
					t.Fatalf("%d codes up to %d: Get(%d) = %d, want %d", n, top, i, c.Get(i), want[i])
				}
			}
			readInOrder(t, r, &c, limit, want)
			seen := 0
			c.Each(func(id, code uint32) {
				seen++
				if want[id] != code {
					t.Errorf("Each gives %d for %d, want %d", code, id, want[id])
				}
			})
			if seen != len(want) {
				t.Errorf("Each gives %d codes, want %d", seen, len(want))
			}
			countAndMatch(t, r, &c, limit, top, want)
		}
	}
}

// TestPackedEachBelow looks for the integers up to a limit that falls.
func TestPackedEachBelow(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 3))
	for _, n := range []int{1, 100, 128, 70_000, ChunkSize + 5000} {
		list := make([]int, n)
		for i := range list {
			list[i] = 1000 + i/5%300*1000 + r.IntN(5000) // blocks of low ones, here and there
		}
		p, err := ReadPacked(NewReader(AppendPacked(nil, list)))
		if err != nil {
			t.Fatal(err)
		}
		for chunk := range (n + ChunkSize - 1) / ChunkSize {
			base := chunk * ChunkSize
			hits := make([]uint64, Words(min(ChunkSize, n-base)))
			for i := range min(ChunkSize, n-base) {
				if r.IntN(3) == 0 {
					Put(hits, uint32(i))
				}
			}
			for _, least := range []int64{500, 1500, 3000, 1 << 40} {
				limit, found := int64(50_000), map[int]bool{}
				p.EachBelow(hits, base, limit, func(i int, v int64) int64 {
					if v > limit || v != int64(list[i]) || found[i] {
						t.Fatalf("the %d-th of %d is %d, up to %d; told of %d", i, n, list[i], limit, v)
					}
					found[i] = true
					limit = min(limit, max(limit-1, least))
					return limit
				})
				for _, i := range AppendBits(nil, hits) {
					if at := base + int(i); int64(list[at]) <= limit && !found[at] {
						t.Fatalf("the %d-th of %d, %d, is not above %d and was left out", at, n, list[at], limit)
					}
				}
			}
		}
	}
}

// readInOrder reads a column by a cursor, with steps ahead and, seldom, back.
func readInOrder(t *testing.T, r *rand.Rand, c *Column, limit int, want map[uint32]uint32) {
	t.Helper()
	cur := c.Cursor()
	for chunk := range (limit + ChunkSize - 1) / ChunkSize {
		k, at := c.Chunk(chunk), 0
		for id := chunk * ChunkSize; id < min(limit, (chunk+1)*ChunkSize); id += 1 + r.IntN(1<<r.IntN(12)) {
			if got := k.GetFrom(&at, uint32(id&ChunkMask)); got != want[uint32(id)] {
				t.Fatalf("GetFrom has %d for %d, want %d", got, id, want[uint32(id)])
			}
		}
	}
	for id, step := 0, 1<<r.IntN(12); id < limit; id += r.IntN(2 * step) {
		if r.IntN(20) == 0 {
			id -= r.IntN(id + 1)
			step++
		}
		if got := cur.Get(uint32(id)); got != want[uint32(id)] {
			t.Fatalf("a cursor has %d for %d, want %d", got, id, want[uint32(id)])
		}
		to := min(id+r.IntN(100), limit)
		some := false
		for i := id; i < to; i++ {
			some = some || want[uint32(i)] != 0
		}
		if some && !cur.Any(uint32(id), uint32(to)) {
			t.Fatalf("a cursor says that none has a code from %d to %d", id, to)
		}
	}
}

func countAndMatch(t *testing.T, r *rand.Rand, c *Column, limit int, top uint32, want map[uint32]uint32) {
	t.Helper()
	match := make([]bool, top+1)
	var few []uint32
	share := 1 + r.IntN(1+int(top))
	for i := 1; i < len(match); i++ {
		if match[i] = r.IntN(share) == 0; match[i] {
			few = append(few, uint32(i))
		}
	}
	for chunk := range (limit + ChunkSize - 1) / ChunkSize {
		size := min(ChunkSize, limit-chunk*ChunkSize)
		hits := make([]uint64, Words(size))
		for range 1 << r.IntN(16) {
			Put(hits, uint32(r.IntN(size)))
		}
		if r.IntN(2) == 0 { // as those of a category that is in one place
			for i, to := r.IntN(size), r.IntN(size); i < to; i++ {
				if r.IntN(8) > 0 {
					Put(hits, uint32(i))
				}
			}
		}
		list := AppendBits(nil, hits)
		counts := make([]uint32, top+1)
		k := c.Chunk(chunk)
		var buf []uint16
		some := MakeHits(hits, &buf)
		if some.Len != len(list) {
			t.Errorf("%d hits, want %d", some.Len, len(list))
		}
		k.Count(&some, counts)
		yes, no := slices.Clone(hits), slices.Clone(hits)
		set := AllCodes(match)
		if chunk%2 == 0 {
			set = FewCodes(few)
		}
		k.Match(yes, make([]uint64, len(hits)), &set, false)
		k.Match(no, make([]uint64, len(hits)), &set, true)
		check := make([]uint32, top+1)
		for _, h := range list {
			code := want[uint32(chunk)<<ChunkBits+uint32(h)]
			check[code]++
			if Has(yes, uint32(h)) != match[code] || Has(no, uint32(h)) == match[code] {
				t.Fatalf("Match of code %d is wrong", code)
			}
		}
		if !slices.Equal(counts[1:], check[1:]) {
			t.Errorf("Count differs in chunk %d", chunk)
		}
		for _, code := range k.AppendCodes(nil, &some) {
			check[code]--
		}
		if slices.Max(check[1:]) != 0 {
			t.Errorf("AppendCodes differs in chunk %d", chunk)
		}
	}
}

func TestDict(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 17, 1000} {
		var w DictWriter
		var want []string
		for i := range n {
			want = append(want, fmt.Sprintf("key %06d", i*3))
			w.Add([]byte(want[i]))
		}
		d, err := ReadDict(NewReader(w.AppendTo(nil)))
		if err != nil || d.Len() != n {
			t.Fatalf("%d strings: %v", n, err)
		}
		for i, s := range want {
			if got := d.String(i); got != s {
				t.Fatalf("string %d is %q, want %q", i, got, s)
			}
			if k, ok := d.Find([]byte(s)); k != i || !ok {
				t.Errorf("Find(%q) = %d, %v; want %d", s, k, ok, i)
			}
			if k, ok := d.Find([]byte(s + "!")); k != i+1 || ok {
				t.Errorf("Find behind %q = %d, %v; want %d", s, k, ok, i+1)
			}
		}
		i := n / 2
		for it := d.Iter(i); it.Valid(); it.Next() {
			if it.Index() != i || string(it.Key()) != want[i] {
				t.Fatalf("the iterator is at %d, %q; want %d", it.Index(), it.Key(), i)
			}
			i++
		}
		if i != n {
			t.Errorf("the iterator ends at %d of %d", i, n)
		}
	}
}

func TestInts(t *testing.T) {
	for _, list := range [][]int64{nil, {5}, {5, 5, 5}, {-3, 250}, {0, 300}, {1 << 20, 0}, {-1 << 63, 1<<63 - 1, 0}} {
		p, err := ReadInts(NewReader(AppendInts(nil, list)))
		if err != nil || p.Len() != len(list) {
			t.Fatalf("%v: %v", list, err)
		}
		for i, v := range list {
			if p.At(i) != v {
				t.Errorf("%v comes back with %d at %d", list, p.At(i), i)
			}
		}
		if p.Rising() != slices.IsSorted(list) {
			t.Errorf("%v: Rising = %v", list, p.Rising())
		}
	}
}

// FuzzRead reads any bytes as each encoding: an error or a view that can be
// used, never a panic.
func FuzzRead(f *testing.F) {
	var w DictWriter
	for i := range 40 {
		w.Add(fmt.Appendf(nil, "word%03d", i))
	}
	list := make([]uint32, 5000)
	codes := make([]uint32, len(list))
	for i := range list {
		list[i], codes[i] = uint32(i*17), uint32(1+i%300)
	}
	f.Add(uint8(0), w.AppendTo(nil))
	f.Add(uint8(1), AppendInts(nil, codes))
	f.Add(uint8(4), AppendPacked(nil, list))
	f.Add(uint8(4), AppendPacked(nil, []int64{1 << 50, 3}))
	f.Add(uint8(2), AppendPostings(nil, list))
	f.Add(uint8(2), AppendPostings(nil, list[:20]))
	f.Add(uint8(3), AppendColumn(nil, 100_000, list, codes))
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		r := NewReader(b)
		const n = 100_000
		switch kind % 5 {
		case 0:
			d, err := ReadDict(r)
			if err != nil {
				return
			}
			for it := d.Iter(0); it.Valid() && it.Index() < 1000; it.Next() {
				d.Find(bytes.Clone(it.Key()))
			}
			if d.Len() > 0 {
				_ = d.String(d.Len() - 1)
			}
		case 1:
			p, err := ReadInts(r)
			for i := 0; err == nil && i < min(p.Len(), 1000); i++ {
				p.At(i)
			}
		case 2:
			p, err := ReadPostings(r, n)
			if err != nil {
				return
			}
			p.AppendTo(nil)
			for c := range 2 {
				set := p.Chunk(c)
				set.OrInto(make([]uint64, Words(min(ChunkSize, n-c*ChunkSize))))
				set.Fill(make([]uint8, min(ChunkSize, n-c*ChunkSize)), 1)
			}
		case 3:
			c, err := ReadColumn(r, n)
			if err != nil {
				return
			}
			c.Each(func(uint32, uint32) {})
			for i := range uint32(20) {
				c.Get(i * 4999)
			}
		case 4:
			p, err := ReadPacked(r)
			if err != nil || p.Len() == 0 || p.data == nil {
				return
			}
			p.At(p.Len() - 1)
			p.Within(math.MinInt64, math.MaxInt64)
			p.Rising()
		}
	})
}

func TestCutOff(t *testing.T) {
	whole := binary.AppendUvarint(nil, 10)
	whole = append(whole, "0123456789"...)
	for n := range len(whole) {
		r := NewReader(whole[:n])
		if r.Block(); r.Err() == nil {
			t.Errorf("%d of %d bytes are read without an error", n, len(whole))
		}
	}
}

func TestPacked(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for _, n := range []int{0, 1, packLen - 1, packLen, packLen + 1, 1000, 5000} {
		for name, of := range map[string]func(i int) int64{
			"equal":    func(int) int64 { return -7 },
			"rising":   func(i int) int64 { return int64(i) * 3 },
			"negative": func(i int) int64 { return -int64(i) },
			"bits":     func(int) int64 { return int64(r.Uint64N(2)) },
			"jumps":    func(i int) int64 { return int64(i/packLen)<<50 + int64(r.Uint64N(1<<20)) },
			"any":      func(int) int64 { return int64(r.Uint64()) },
			"widths":   func(i int) int64 { return int64(r.Uint64N(1<<(i/packLen%60) + 1)) },
		} {
			want := make([]int64, n)
			for i := range want {
				want[i] = of(i)
			}
			rd := NewReader(AppendPacked(nil, want))
			p, err := ReadPacked(rd)
			if err != nil || rd.Len() != 0 || p.Len() != n {
				t.Fatalf("%d %s integers come back as %d, %v", n, name, p.Len(), err)
			}
			for i := range want {
				if p.At(i) != want[i] {
					t.Fatalf("integer %d of %d %s ones is %d, want %d", i, n, name, p.At(i), want[i])
				}
			}
			if n == 0 {
				continue
			}
			lo, hi := slices.Min(want), slices.Max(want)
			if p.Rising() != slices.IsSorted(want) || !p.Within(lo, max(hi, hi+1)) && hi < hi+1 || p.Within(lo+1, hi) && lo < hi {
				t.Errorf("%d %s integers: Rising or Within is wrong", n, name)
			}
		}
	}
}
