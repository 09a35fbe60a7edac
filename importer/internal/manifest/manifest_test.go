package manifest

import (
	"fmt"
	"sync"
	"testing"
)

func TestManifest(t *testing.T) {
	for _, n := range []int{0, 1, 10, 127, 5000, 100_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			m := New(n%2 == 0)
			defer m.Close()
			var wg sync.WaitGroup
			const workers = 3
			for w := range workers {
				wg.Go(func() {
					a := m.NewAdder()
					defer a.Flush()
					for i := w; i < n; i += workers {
						k := m.OfString(fmt.Sprint("key-", i))
						if k != m.Of([]byte(fmt.Sprint("key-", i))) {
							t.Error("bytes and string differ")
						}
						a.Add(k, uint32(i), Main, uint64(i))
						if i%10 == 0 { // every tenth key comes again, later
							a.Add(k, uint32(n+i), Main|Price, 0)
						}
					}
				})
			}
			wg.Wait()
			m.Seal(2)
			if want := int64(n + (n+9)/10); m.Len() != want {
				t.Fatalf("Len %d, want %d", m.Len(), want)
			}
			for i := range n {
				var ords []uint32
				m.Each(m.OfString(fmt.Sprint("key-", i)), func(e Entry) bool {
					ords = append(ords, e.Ord())
					return true
				})
				want := []uint32{uint32(i)}
				if i%10 == 0 {
					want = append(want, uint32(n+i))
				}
				if fmt.Sprint(ords) != fmt.Sprint(want) {
					t.Fatalf("key %d: ords %v, want %v", i, ords, want)
				}
			}
			for i := range 1000 {
				if m.Has(m.OfString(fmt.Sprint("other-", i))) {
					t.Fatal("has a key that was not added")
				}
			}
			groups, entries := 0, 0
			if err := m.Groups(func(g []Entry) error {
				groups++
				entries += len(g)
				g[len(g)-1].SetFlags(Open)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if groups != n || int64(entries) != m.Len() {
				t.Fatalf("%d groups of %d entries", groups, entries)
			}
			if n > 0 {
				var last Flags
				m.Each(m.OfString("key-0"), func(e Entry) bool { last = e.Flags(); return true })
				if last != Open {
					t.Fatalf("flags did not stay: %v", last)
				}
			}
		})
	}
}

func TestBits(t *testing.T) {
	b := NewBits(130)
	for _, i := range []uint32{0, 63, 64, 129} {
		b.Set(i)
	}
	b.Clear(63)
	for i := range uint32(300) {
		if want := i == 0 || i == 64 || i == 129; b.Has(i) != want {
			t.Errorf("Has(%d) = %v", i, b.Has(i))
		}
	}
}

func BenchmarkFind(b *testing.B) {
	const n = 2_000_000
	m := New(n%2 == 0)
	defer m.Close()
	a := m.NewAdder()
	for i := range n {
		a.Add(m.OfString(fmt.Sprint("key-", i)), uint32(i), Main, 0)
	}
	a.Flush()
	m.Seal(2)
	keys := make([]Key, 1<<18)
	for i := range keys {
		keys[i] = m.OfString(fmt.Sprint("key-", (i*7919)%n))
	}
	for _, batch := range []int{1, 64} {
		b.Run(fmt.Sprint("batch=", batch), func(b *testing.B) {
			i := 0
			for b.Loop() {
				i = (i + 1) % len(keys)
				if batch > 1 && i%batch == 0 {
					m.Touch(keys[i : i+batch])
				}
				if !m.Has(keys[i]) {
					b.Fatal("missing")
				}
			}
		})
	}
}

// Without their values, entries are what they were, and can get new ones.
func TestDropValues(t *testing.T) {
	const n = 10_000
	for _, values := range []bool{true, false} {
		m := New(values)
		defer m.Close()
		a := m.NewAdder()
		for i := range n {
			value := uint64(0)
			if values {
				value = uint64(i) + 1
			}
			a.Add(m.OfString(fmt.Sprint(i)), uint32(i), Main|Flags(i%3)<<1, value)
		}
		a.Flush()
		m.Seal(2)
		m.DropValues()
		for i := range n {
			found := 0
			m.Each(m.OfString(fmt.Sprint(i)), func(e Entry) bool {
				found++
				if e.Ord() != uint32(i) || e.Flags() != Main|Flags(i%3)<<1 || e.Value() != 0 {
					t.Fatalf("entry %d: ord %d, flags %b, value %d", i, e.Ord(), e.Flags(), e.Value())
				}
				e.SetValue(uint64(i))
				e.SetFlags(e.Flags() | Open)
				if e.Value() != uint64(i) || e.Flags() != Main|Flags(i%3)<<1|Open {
					t.Fatalf("entry %d afterwards: flags %b, value %d", i, e.Flags(), e.Value())
				}
				return true
			})
			if found != 1 {
				t.Fatalf("entry %d was found %d times", i, found)
			}
		}
	}
}
