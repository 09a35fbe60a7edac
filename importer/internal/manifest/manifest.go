// Package manifest remembers which records a feed has: 15 bytes each, and 7
// more where records are to be compared, outside the garbage-collected heap. It
// finds records of one key, tells which of them counts, compares all of them
// with the heads of a store, and answers whether a key is in the feed.
//
// A key is known by 88 bits of two seeded hashes. Two of n keys collide with
// a chance of n²/2⁸⁹: less than 10⁻¹⁴ for two million.
//
// The entries are filled concurrently through Adders, then Seal sorts them,
// and everything else follows; after Seal the methods are safe for concurrent
// use, except where they say otherwise.
package manifest

import (
	"cmp"
	"hash/maphash"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
)

// Flags say what an entry's record is made of.
type Flags uint8

// The flags of an entry.
const (
	Main      Flags = 1 << iota // has the record that the feed is about
	Price                       // has a price record
	Stock                       // has a stock record
	PriceNull                   // wants its price record gone
	StockNull                   // wants its stock record gone
	Variant                     // is embedded in the record at Ord, not one of its own
	Overlay                     // is a row that only makes sense folded into another
	Open                        // cannot be compared: to be processed in any case
)

// record is what is kept of one record of the feed, or of one variant embedded
// in a record, on its way through sorting.
type record struct {
	hash  hash
	ord   uint32 // of the record; of the parent for a Variant
	flags Flags
	value uint64
}

// hash is what is kept of a Key in its bucket: all but the bits that all keys
// of the bucket have in common.
type hash struct {
	head uint64
	tail uint16
}

func (k Key) bucket() uint64 { return k.hi >> (64 - bucketBits) }

func (k Key) hash() hash { return hash{k.hi<<bucketBits | uint64(k.lo>>24), uint16(k.lo >> 8)} }

func (h hash) less(o hash) bool { return h.head < o.head || h.head == o.head && h.tail < o.tail }

func compare(a, b record) int {
	if c := cmp.Compare(a.hash.head, b.hash.head); c != 0 {
		return c
	}
	if c := cmp.Compare(a.hash.tail, b.hash.tail); c != 0 {
		return c
	}
	return cmp.Compare(a.ord, b.ord)
}

// Entry is the place of a record in the manifest.
type Entry struct {
	c *chunk
	i int
}

// Ord returns the ordinal of the record; that of the parent for a Variant.
func (e Entry) Ord() uint32 { return e.c.keys.ords[e.i] }

// Flags returns what the record is made of.
func (e Entry) Flags() Flags {
	if e.c.flags != nil {
		return e.c.flags[e.i]
	}
	return Flags(atomic.LoadUint64(&e.c.values[e.i]))
}

// SetFlags replaces the flags. It is not safe for concurrent use with other
// calls.
func (e Entry) SetFlags(f Flags) {
	if e.c.flags != nil {
		e.c.flags[e.i] = f
		return
	}
	v := &e.c.values[e.i]
	*v = *v&^flagsMask | uint64(f)
}

// Value returns what was given to Add, less what was subtracted, or what was
// set since; 0 in a manifest without values. It has 56 bits.
func (e Entry) Value() uint64 {
	if e.c.values == nil {
		return 0
	}
	return atomic.LoadUint64(&e.c.values[e.i]) >> flagBits
}

// SetValue sets the value, also in a manifest without values. It is not safe
// for concurrent use with other calls about values.
func (e Entry) SetValue(v uint64) {
	if e.c.values == nil {
		e.c.values = new([chunkSize]uint64)
	}
	e.c.values[e.i] = v<<flagBits | e.c.values[e.i]&flagsMask
}

// Subtract takes v from the value; it is safe for concurrent use.
func (e Entry) Subtract(v uint64) { atomic.AddUint64(&e.c.values[e.i], -(v << flagBits)) }

const (
	buckets    = 256
	chunkSize  = 128 // records; a bucket's last chunk is half empty on average
	bucketBits = 8
	flagBits   = 8
	flagsMask  = 1<<flagBits - 1

	entriesPerPart = 16 // on average, in which find searches
)

// chunk has the records of a bucket, in no order until they are sorted. What
// belongs together is together where it is looked through, and nothing is
// aligned for nothing.
type chunk struct {
	keys   *chunkKeys
	flags  *[chunkSize]Flags  // nil with values
	values *[chunkSize]uint64 // nil without values; the lower bits are the flags then
}

type chunkKeys struct {
	heads [chunkSize]uint64
	ords  [chunkSize]uint32
	tails [chunkSize]uint16
}

func (c *chunk) set(i int, r record) {
	c.keys.heads[i], c.keys.tails[i], c.keys.ords[i] = r.hash.head, r.hash.tail, r.ord
	if c.flags != nil {
		c.flags[i] = r.flags
		return
	}
	c.values[i] = r.value<<flagBits | uint64(r.flags)
}

func (c *chunk) get(i int) record {
	e := Entry{c, i}
	return record{hash: c.hash(i), ord: e.Ord(), flags: e.Flags(), value: e.Value()}
}

func (c *chunk) hash(i int) hash { return hash{c.keys.heads[i], c.keys.tails[i]} }

type bucket struct {
	mu     sync.Mutex
	chunks []*chunk
	n      int      // records; all chunks but the last are full after Seal
	last   []uint8  // records of each chunk, until they are sorted
	starts []uint32 // where each part of the sorted entries starts, and the last ends
	shift  uint8    // makes of a hash, but for the bucket's bits, the number of its part
}

func (b *bucket) head(i int) uint64 { return b.chunks[i/chunkSize].keys.heads[i%chunkSize] }

func (b *bucket) hash(i int) hash { return b.chunks[i/chunkSize].hash(i % chunkSize) }

func (b *bucket) entry(i int) Entry { return Entry{b.chunks[i/chunkSize], i % chunkSize} }

// Manifest is the set of a feed's records.
type Manifest struct {
	seeds   [2]maphash.Seed
	values  bool
	buckets [buckets]bucket
	slabs   slabs
	count   int64
}

// New returns an empty manifest, whose entries have values or not. Close it
// after use.
func New(values bool) *Manifest {
	return &Manifest{values: values, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// Close frees the manifest's memory.
func (m *Manifest) Close() { m.slabs.close() }

// DropValues frees the memory of the values, which all are 0 from then on. It
// is not safe for concurrent use with other calls.
func (m *Manifest) DropValues() {
	if !m.values {
		return
	}
	m.values = false
	for i := range m.buckets {
		for _, c := range m.buckets[i].chunks {
			c.flags = m.slabs.flags()
			for j, v := range c.values {
				c.flags[j] = Flags(v)
			}
			c.values = nil
		}
	}
	m.slabs.values.close()
}

// Key is the hash of a key.
type Key struct {
	hi uint64
	lo uint32
}

// Of returns the hash of a key, given as bytes.
func (m *Manifest) Of(key []byte) Key {
	return Key{maphash.Bytes(m.seeds[0], key), uint32(maphash.Bytes(m.seeds[1], key)) &^ 0xff}
}

// OfString returns the hash of a key.
func (m *Manifest) OfString(key string) Key {
	return Key{maphash.String(m.seeds[0], key), uint32(maphash.String(m.seeds[1], key)) &^ 0xff}
}

// Parts returns the hash as numbers, of which KeyOf makes it again.
func (k Key) Parts() (hi uint64, lo uint32) { return k.hi, k.lo }

// KeyOf returns the Key that Parts was called on.
func KeyOf(hi uint64, lo uint32) Key { return Key{hi, lo} }

// Adder adds entries from one goroutine. Flush it at the end.
type Adder struct {
	m    *Manifest
	open [buckets]*chunk
	used [buckets]uint8
	n    int64
}

// NewAdder returns an Adder of m.
func (m *Manifest) NewAdder() *Adder { return &Adder{m: m} }

// Add adds an entry.
func (a *Adder) Add(k Key, ord uint32, f Flags, value uint64) {
	b := k.bucket()
	c := a.open[b]
	if c == nil {
		c = a.m.slabs.chunk(a.m.values)
		a.open[b] = c
	}
	c.set(int(a.used[b]), record{k.hash(), ord, f, value})
	a.n++
	if a.used[b]++; a.used[b] == chunkSize {
		a.m.buckets[b].take(c, chunkSize)
		a.open[b], a.used[b] = nil, 0
	}
}

// Flush hands what was added to the manifest.
func (a *Adder) Flush() {
	for b, c := range a.open {
		if c != nil && a.used[b] > 0 {
			a.m.buckets[b].take(c, int(a.used[b]))
		}
		a.open[b], a.used[b] = nil, 0
	}
	atomic.AddInt64(&a.m.count, a.n)
	a.n = 0
}

func (b *bucket) take(c *chunk, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.chunks = append(b.chunks, c)
	b.last = append(b.last, uint8(n))
	b.n += n
}

// Len returns how many entries there are.
func (m *Manifest) Len() int64 { return atomic.LoadInt64(&m.count) }

// Seal sorts the entries, on as many goroutines as workers says.
func (m *Manifest) Seal(workers int) {
	var next atomic.Int32
	var wg sync.WaitGroup
	for range max(workers, 1) {
		wg.Go(func() {
			var buf []record
			for {
				i := int(next.Add(1)) - 1
				if i >= buckets {
					return
				}
				buf = m.buckets[i].sort(buf)
			}
		})
	}
	wg.Wait()
}

// sort brings the bucket's entries in order, in place but for a buffer that is
// used again for the next bucket.
func (b *bucket) sort(buf []record) []record {
	buf = buf[:0]
	for i, c := range b.chunks {
		for j := range int(b.last[i]) {
			buf = append(buf, c.get(j))
		}
	}
	slices.SortFunc(buf, compare)
	for i := range buf {
		b.chunks[i/chunkSize].set(i%chunkSize, buf[i])
	}
	b.last = nil
	b.index(buf)
	return buf
}

// find returns the index of the first entry of k in its bucket, or of where it
// would be. The bits of the hash that follow those of the bucket lead to the
// few entries among which it is.
func (b *bucket) find(h hash) int {
	if b.n == 0 {
		return 0
	}
	part := h.head >> b.shift
	lo, hi := int(b.starts[part]), int(b.starts[part+1])
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		// The tails are elsewhere in memory, and hardly ever needed.
		if head := b.head(mid); head < h.head || head == h.head && b.hash(mid).less(h) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// index notes where each part of the sorted bucket starts.
func (b *bucket) index(sorted []record) {
	partBits := max(bits.Len(uint(len(sorted)/entriesPerPart)), 1)
	b.shift = uint8(64 - partBits)
	b.starts = make([]uint32, 1<<partBits+1)
	part := uint64(0)
	for i := range sorted {
		for p := sorted[i].hash.head >> b.shift; part < p; {
			part++
			b.starts[part] = uint32(i)
		}
	}
	for part++; part < uint64(len(b.starts)); part++ {
		b.starts[part] = uint32(len(sorted))
	}
}

// Each calls f for each entry of key k, in the order of their Ord, until f
// returns false. The entries may be changed, but not concurrently.
func (m *Manifest) Each(k Key, f func(Entry) bool) {
	b := &m.buckets[k.bucket()]
	h := k.hash()
	for i := b.find(h); i < b.n; i++ {
		if b.head(i) != h.head || b.hash(i) != h || !f(b.entry(i)) {
			return
		}
	}
}

// Touch brings what Each needs for keys into the processor's caches. Looking
// up one key waits for memory several times in a row; touching many at once
// waits for all of them together. What it returns means nothing.
func (m *Manifest) Touch(keys []Key) (sum uint64) {
	for _, k := range keys {
		b := &m.buckets[k.bucket()]
		if b.n > 0 {
			sum += uint64(b.starts[k.hash().head>>b.shift])
		}
	}
	for _, k := range keys {
		b := &m.buckets[k.bucket()]
		if b.n == 0 {
			continue
		}
		part := k.hash().head >> b.shift
		lo, hi := int(b.starts[part]), int(b.starts[part+1])
		for i := lo; i < hi; i += 8 { // a cache line holds eight
			sum += b.head(i)
		}
	}
	for _, k := range keys {
		b := &m.buckets[k.bucket()]
		if i := b.find(k.hash()); i < b.n {
			e := b.entry(i)
			sum += uint64(e.c.keys.tails[e.i]) + uint64(e.Flags())
		}
	}
	return sum
}

// Has reports whether the feed has a record of key k, or embeds it.
func (m *Manifest) Has(k Key) bool {
	found := false
	m.Each(k, func(Entry) bool {
		found = true
		return false
	})
	return found
}

// Groups calls f for each run of entries of one key, in the order of their
// Ord, sorted by nothing that means anything. The slice is reused; changes to
// the entries stay. It stops at the first error, and returns it.
func (m *Manifest) Groups(f func([]Entry) error) error {
	var group []Entry
	for i := range m.buckets {
		b := &m.buckets[i]
		for j := 0; j < b.n; {
			first := b.hash(j)
			group = append(group[:0], b.entry(j))
			for j++; j < b.n && b.hash(j) == first; j++ {
				group = append(group, b.entry(j))
			}
			if err := f(group); err != nil {
				return err
			}
		}
	}
	return nil
}
