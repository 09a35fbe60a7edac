package feedcache

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// records returns n records, each told apart by its number.
func records(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"sku":"A-%d","name":"number %d"}`, i, i*i)
	}
	return list
}

// partsOf is what a record comes to in these tests.
func partsOf(record string) []Part {
	n := len(record) % 4
	parts := []Part{{Key: []byte(record[:n]), Flags: uint8(n), Value: uint64(len(record)) << 40}}
	for i := range n {
		parts = append(parts, Part{Key: fmt.Appendf(nil, "%s-%d", record, i), Flags: 9, Value: uint64(i)})
	}
	return parts
}

func equalParts(a, b []Part) bool {
	return slices.EqualFunc(a, b, func(x, y Part) bool {
		return bytes.Equal(x.Key, y.Key) && x.Flags == y.Flags && x.Value == y.Value
	})
}

// write writes a cache of records in runs of some length.
func write(t testing.TB, dir string, fp Fingerprint, old *Cache, list []string, run int) {
	t.Helper()
	w, err := Create(dir, "x", fp, old)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Discard()
	for chunk := range slices.Chunk(list, run) {
		var r Run
		for _, rec := range chunk {
			r.Add(w.Sum([]byte(rec)), partsOf(rec))
		}
		w.Append(&r)
	}
	if w.Len() != int64(len(list)) {
		t.Fatalf("%d records, want %d", w.Len(), len(list))
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, dir string, fp Fingerprint) *Cache {
	t.Helper()
	c, err := Open(dir, "x", fp)
	if err != nil {
		t.Fatal(err)
	}
	if c != nil {
		t.Cleanup(func() { _ = c.Close() })
	}
	return c
}

// find looks a feed up in chunks of some length, as two workers do that take
// turns, and returns which records were found.
func find(t *testing.T, c *Cache, list []string, chunk int) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	finders := []*Finder{c.NewFinder(), c.NewFinder()}
	for i := 0; i < len(list); i += chunk {
		f := finders[i/chunk%2]
		f.Begin(int64(i))
		for j, rec := range list[i:min(i+chunk, len(list))] {
			entry := f.Find(int64(i+j), c.Sum([]byte(rec)))
			if entry == nil {
				continue
			}
			if got := Parts(nil, entry); !equalParts(got, partsOf(rec)) {
				t.Fatalf("%s: %v", rec, got)
			}
			found[rec] = true
		}
	}
	return found
}

// TestFind changes a feed in the ways in which feeds change, and asks how many
// of the records that stayed are missed.
func TestFind(t *testing.T) {
	const n = 20_000
	old := records(n)
	edited := func(edit func(*rand.Rand, int, string) []string) func() []string {
		return func() []string {
			rnd := rand.New(rand.NewPCG(1, 2))
			var list []string
			for i, rec := range old {
				list = append(list, edit(rnd, i, rec)...)
			}
			return list
		}
	}
	for name, c := range map[string]struct {
		feed   func() []string
		missed int // at most
	}{
		"the same": {func() []string { return old }, 0},
		"2 % changed, 1 % gone, 1 % new": {edited(func(rnd *rand.Rand, i int, rec string) []string {
			switch p := rnd.IntN(100); {
			case p < 2:
				return []string{rec + " "}
			case p < 3:
				return nil
			case p < 4:
				return []string{fmt.Sprint("new", i), rec}
			}
			return []string{rec}
		}), n / 100},
		"a stretch moved to the end":       {func() []string { return append(slices.Clone(old[5000:]), old[:5000]...) }, 2 * blockEntries},
		"a long stretch gone":              {func() []string { return append(slices.Clone(old[:3000]), old[15_000:]...) }, 2 * blockEntries},
		"a long stretch new in the middle": {func() []string { return slices.Insert(slices.Clone(old), 7000, records(30_000)[n:]...) }, 3 * blockEntries},
		"neighbours swapped":               {edited(func(_ *rand.Rand, i int, _ string) []string { return []string{old[i^1]} }), 0},
		"every record new":                 {func() []string { return records(2 * n)[n:] }, 0},
		"nothing":                          {func() []string { return nil }, 0},
		"another order altogether: no harm": {func() []string {
			l := slices.Clone(old)
			rand.New(rand.NewPCG(3, 4)).Shuffle(n, func(i, j int) { l[i], l[j] = l[j], l[i] })
			return l
		}, n},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, Fingerprint{1}, nil, old, 700)
			cache := open(t, dir, Fingerprint{1})
			if cache.Len() != n {
				t.Fatalf("%d records", cache.Len())
			}
			known := map[string]bool{}
			for _, rec := range old {
				known[rec] = true
			}
			feed := c.feed()
			found := find(t, cache, feed, 900)
			missed := 0
			for _, rec := range feed {
				if known[rec] && !found[rec] {
					missed++
				}
			}
			if missed > c.missed {
				t.Errorf("%d known records were missed, more than %d", missed, c.missed)
			}
		})
	}
}

// TestNights keeps what was found from one night to the next.
func TestNights(t *testing.T) {
	dir := t.TempDir()
	list := records(1000)
	write(t, dir, Fingerprint{}, nil, list, 128)
	for night := range 3 {
		old := open(t, dir, Fingerprint{})
		w, err := Create(dir, "x", Fingerprint{}, old)
		if err != nil {
			t.Fatal(err)
		}
		list = slices.Insert(list, night*100, fmt.Sprint("new ", night))
		f := old.NewFinder()
		var r Run
		for i, rec := range list {
			if e := f.Find(int64(i), w.Sum([]byte(rec))); e != nil {
				r.Keep(e)
			} else {
				r.Add(w.Sum([]byte(rec)), partsOf(rec))
			}
		}
		w.Append(&r)
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		if found := find(t, open(t, dir, Fingerprint{}), list, 100); len(found) != len(list) {
			t.Errorf("night %d: %d of %d found", night, len(found), len(list))
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}

// TestUnusable has files that must count as none.
func TestUnusable(t *testing.T) {
	dir := t.TempDir()
	if c := open(t, dir, Fingerprint{}); c != nil {
		t.Error("there is a cache where none was written")
	}
	write(t, dir, Fingerprint{1}, nil, records(500), 200)
	if c := open(t, dir, Fingerprint{2}); c != nil {
		t.Error("a cache of another fingerprint")
	}
	w, err := Create(dir, "x", Fingerprint{1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.Append(new(Run))
	w.Discard()
	if c := open(t, dir, Fingerprint{1}); c == nil || c.Len() != 500 {
		t.Error("one that was discarded has replaced the one before")
	}
}

// TestDamage flips and cuts what is on disk: nothing wrong may be found.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	list := records(700)
	write(t, dir, Fingerprint{1}, nil, list, 300)
	path := filepath.Join(dir, "x")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(whole); at += 1 + at/50 {
		for _, damaged := range [][]byte{whole[:at], flipped(whole, at)} {
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := Open(dir, "x", Fingerprint{1})
			if err != nil {
				t.Fatal(err)
			}
			if c == nil {
				continue
			}
			find(t, c, list, 100) // compares what it finds
			_ = c.Close()
		}
	}
}

func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1 << (at % 8)
	return b
}

func FuzzCache(f *testing.F) {
	dir := f.TempDir()
	write(f, dir, Fingerprint{1}, nil, records(300), 200)
	whole, err := os.ReadFile(filepath.Join(dir, "x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:headerBytes])
	f.Fuzz(func(_ *testing.T, data []byte) {
		c, err := read(bytes.NewReader(data), int64(len(data)), Fingerprint{1})
		if err != nil {
			return
		}
		finder := c.NewFinder()
		for i, rec := range records(300) {
			if e := finder.Find(int64(i), c.Sum([]byte(rec))); e != nil {
				Parts(nil, e)
			}
		}
	})
}

func FuzzEntry(f *testing.F) {
	f.Add(appendEntry(nil, 7, partsOf("abc")))
	f.Add(appendEntry(nil, 7, nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := cutEntry(data)
		if n > len(data) {
			t.Fatalf("an entry of %d bytes in %d", n, len(data))
		}
		if n > 0 {
			parts := Parts(nil, data[:n])
			again := appendEntry(nil, binary.LittleEndian.Uint64(data), parts)
			if !equalParts(parts, Parts(nil, again)) {
				t.Fatalf("%v reads back otherwise", parts)
			}
		}
	})
}

func BenchmarkFind(b *testing.B) {
	dir := b.TempDir()
	list := records(100_000)
	write(b, dir, Fingerprint{}, nil, list, 200)
	c := open(b, dir, Fingerprint{})
	sums := make([]uint64, len(list))
	for i, rec := range list {
		sums[i] = c.Sum([]byte(rec))
	}
	f := c.NewFinder()
	for i := 0; b.Loop(); i++ {
		if i %= len(sums); f.Find(int64(i), sums[i]) == nil {
			b.Fatal(i)
		}
	}
}
