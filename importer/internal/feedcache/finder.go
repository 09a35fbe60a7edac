package feedcache

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// Finder finds records in a cache, best in about the order in which they stood
// in the feed. It looks at the record that should come next, then at those
// near it; a record that begins a block is found wherever it went, so that
// after a stretch that was moved a few records are missed, not the rest. Each
// goroutine has a Finder of its own.
type Finder struct {
	c     *Cache
	near  [3]loaded // the block that the last record was in, between its neighbours
	at    int       // the next entry of near[1]
	known bool      // near is set
}

// loaded is a block in memory.
type loaded struct {
	number int
	data   []byte
	sums   []uint64
	starts []uint32 // of the entries, and where the last ends
}

// NewFinder returns a Finder of a cache, or, of none, one that finds nothing.
func (c *Cache) NewFinder() *Finder { return &Finder{c: c} }

// Sum returns the sum of a record.
func (c *Cache) Sum(record []byte) uint64 { return xxh3.HashSeed(record, c.seed) }

// Begin goes to where a record of the feed probably is, by its number and by
// how far others of late were from theirs. It is for the start of a stretch
// that does not follow the one before.
func (f *Finder) Begin(ord int64) {
	if len(f.c.blocks) == 0 {
		return
	}
	place := ord + f.c.drift.Load()
	number := f.c.blockOf(place)
	f.move(number)
	f.at = int(min(max(place-f.c.blocks[number].from, 0), int64(f.c.blocks[number].count)))
}

// Find returns the entry of a record by its number in the feed and its sum; nil
// if it was not found. What it returns is valid until the next call.
func (f *Finder) Find(ord int64, sum uint64) []byte {
	if !f.known {
		f.Begin(ord)
		if !f.known {
			return nil
		}
	}
	if b := &f.near[1]; f.at < len(b.sums) && b.sums[f.at] == sum {
		f.at++
		return b.entry(f.at - 1)
	}
	return f.search(ord, sum)
}

// search looks further than at the next entry.
func (f *Finder) search(ord int64, sum uint64) []byte {
	for _, side := range [...]int{1, 2, 0} {
		b := &f.near[side]
		for i, s := range b.sums {
			if s == sum {
				return f.found(ord, b.number, i)
			}
		}
	}
	if number, ok := f.c.first[sum]; ok {
		f.move(int(number))
		if b := &f.near[1]; len(b.sums) > 0 && b.sums[0] == sum {
			return f.found(ord, b.number, 0)
		}
	}
	return nil
}

// found moves to behind an entry of a loaded block and returns it.
func (f *Finder) found(ord int64, number, i int) []byte {
	f.move(number)
	f.at = i + 1
	f.c.drift.Store(f.c.blocks[number].from + int64(i) - ord)
	return f.near[1].entry(i)
}

// move makes a block the one in the middle.
func (f *Finder) move(number int) {
	if f.known && f.near[1].number == number {
		return
	}
	old := f.near
	used := [3]bool{}
	var next [3]loaded
	var missing []int
	for i := range next {
		want := number - 1 + i
		next[i].number = -1
		for j := range old {
			if f.known && !used[j] && old[j].number == want && want >= 0 {
				next[i], used[j] = old[j], true
			}
		}
		if next[i].number < 0 {
			missing = append(missing, i)
		}
	}
	for j := range old {
		if !used[j] {
			i := missing[0]
			missing = missing[1:]
			next[i] = old[j]
			f.c.load(&next[i], number-1+i)
		}
	}
	f.near, f.known, f.at = next, true, 0
}

// load reads a block. One that is not there, or is damaged, has no entries.
func (c *Cache) load(b *loaded, number int) {
	b.number, b.sums, b.starts = number, b.sums[:0], b.starts[:0]
	if number < 0 || number >= len(c.blocks) {
		return
	}
	d := &c.blocks[number]
	if cap(b.data) < int(d.bytes) {
		b.data = make([]byte, d.bytes)
	}
	b.data = b.data[:d.bytes]
	if readAt(c.f, b.data, d.at) != nil || xxh3.HashSeed(b.data, c.seed) != d.sum {
		return
	}
	for at := 0; at < len(b.data); {
		n := cutEntry(b.data[at:])
		if n == 0 {
			b.sums, b.starts = b.sums[:0], b.starts[:0]
			return
		}
		b.sums = append(b.sums, binary.LittleEndian.Uint64(b.data[at:]))
		b.starts = append(b.starts, uint32(at))
		at += n
	}
	b.starts = append(b.starts, uint32(len(b.data)))
}

func (b *loaded) entry(i int) []byte { return b.data[b.starts[i]:b.starts[i+1]] }
