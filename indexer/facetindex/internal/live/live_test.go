package live

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"catalog/indexer"
)

var base = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func random(r *rand.Rand, scopes int) indexer.Live {
	l := indexer.Live{InStock: r.IntN(2) == 0}
	for s := range scopes {
		if r.IntN(scopes+1) > s {
			a := indexer.Amount(r.IntN(1_000_000))
			switch r.IntN(200) {
			case 0:
				a = math.MaxInt64
			case 1:
				a = -5
			}
			p := indexer.Price{Scope: indexer.Scope{Currency: "EUR", Group: string(rune('a' + s))}, Amount: a, Regular: a}
			if r.IntN(4) == 0 {
				p.Regular++
			}
			l.Prices = append(l.Prices, p)
		}
	}
	if r.IntN(8) == 0 {
		l.Next = base.Add(time.Duration(r.IntN(1e6)) * time.Millisecond)
	}
	return l
}

func check(t *testing.T, c *Columns, want []indexer.Live) {
	t.Helper()
	if c.Rows() != len(want) {
		t.Fatalf("%d rows, want %d", c.Rows(), len(want))
	}
	for i := range want {
		if got := c.Live(uint32(i)); !reflect.DeepEqual(got, want[i]) {
			t.Fatalf("row %d is\n %v, want\n %v", i, got, want[i])
		}
		for _, p := range want[i].Prices {
			a, ok := c.Amount(c.Scope(p.Scope), uint32(i))
			if !ok || a != int64(p.Amount) {
				t.Fatalf("row %d costs %d, %v; want %d", i, a, ok, p.Amount)
			}
		}
	}
}

// TestColumns writes rows, changes some again and again, copies them, writes
// them into a file, and expects the same each time; and the states before to
// be as they were.
func TestColumns(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, rows := range []int{0, 1, blockRows, 5000} {
		w := NewWriter()
		var want []indexer.Live
		for range rows {
			want = append(want, random(r, 4))
			w.Add(&want[len(want)-1])
		}
		c := w.Columns()
		check(t, c, want)
		for round := range 4 {
			before, old := c, slices.Clone(want)
			var list []Change
			for range min(rows, 300) {
				l := random(r, 4+round) // and scopes that are new
				row := uint32(r.IntN(rows))
				part := indexer.LivePart(r.IntN(3))
				list = append(list, Change{row, part, &l})
				merged := want[row]
				if part.Prices() {
					merged.Prices, merged.Next = l.Prices, l.Next
				}
				if part.Stock() {
					merged.InStock = l.InStock
				}
				want[row] = merged
			}
			c = c.With(list)
			check(t, c, want)
			check(t, before, old)
		}
		d, err := Decode(c.Encode())
		if err != nil {
			t.Fatal(err)
		}
		check(t, d, want)
		w = NewWriter()
		k := w.Copier(d)
		for i := range want {
			k.Add(uint32(i))
		}
		check(t, w.Columns(), want)
	}
}

func TestDue(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	w := NewWriter()
	var list []indexer.Live
	for range 3000 {
		list = append(list, random(r, 2))
		w.Add(&list[len(list)-1])
	}
	c := w.Columns()
	for _, after := range []time.Duration{-1, 0, 300 * time.Second, time.Hour} {
		now := base.Add(after)
		var due, want []uint32
		var next time.Time
		odd := func(row uint32) bool { return row%2 == 1 }
		for i, l := range list {
			switch {
			case l.Next.IsZero() || !odd(uint32(i)):
			case !l.Next.After(now):
				want = append(want, uint32(i))
			case next.IsZero() || l.Next.Before(next):
				next = l.Next
			}
		}
		got := c.Due(now, odd, func(row uint32) bool { due = append(due, row); return true })
		if !slices.Equal(due, want) || !got.Equal(next) {
			t.Errorf("at %v: %d rows are due, next %v; want %d, %v", now, len(due), got, len(want), next)
		}
	}
}

func encoded(rows int) []byte {
	r := rand.New(rand.NewPCG(5, 5))
	w := NewWriter()
	for range rows {
		l := random(r, 3)
		w.Add(&l)
	}
	return w.Columns().Encode()
}

func FuzzDecode(f *testing.F) {
	f.Add(encoded(3))
	f.Add(encoded(1500))
	f.Fuzz(func(t *testing.T, b []byte) {
		fixed := seal(b)
		for _, in := range [][]byte{b, fixed} {
			c, err := Decode(in)
			if err != nil {
				if !errors.Is(err, ErrCorrupt) && !errors.Is(err, indexer.ErrFormat) {
					t.Errorf("an error of no kind: %v", err)
				}
				continue
			}
			for row := range min(c.Rows(), 2000) {
				c.Live(uint32(row))
			}
			c.Due(base, func(uint32) bool { return true }, func(uint32) bool { return true })
		}
	})
}

// seal gives bytes a checksum that holds, so that what is behind it is fuzzed.
func seal(b []byte) []byte {
	if len(b) < 4 {
		return b
	}
	out := slices.Clone(b)
	binary.LittleEndian.PutUint32(out[len(out)-4:], crc32.Checksum(out[:len(out)-4], table))
	return out
}
