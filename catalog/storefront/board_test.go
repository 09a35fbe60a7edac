package storefront

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestBoard does what it likes to a small board, and compares it with a map:
// what it tells is what was put last, and it never takes more room than it may.
// Only where there is none it may have forgotten something, the oldest first.
func TestBoard(t *testing.T) {
	for _, most := range []int{0, 40, 300, 5000, 1 << 20} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			type item struct {
				view uint16
				end  time.Time
				json string
				put  int
			}
			rng := rand.New(rand.NewPCG(uint64(most), 3)) //nolint:gosec // repeated
			b, model := newBoard(most), map[uint64]item{}
			now := time.Unix(1_800_000_000, 0)
			skus := make([]string, 100)
			for i := range skus {
				skus[i] = fmt.Sprintf("%s-%d", [...]string{"A", `"q"\`, "Ü/,", "x"}[i%4], i)
			}
			for step := range 20_000 {
				key := rng.Uint64N(uint64(len(skus)))
				sku := skus[key]
				switch rng.IntN(10) {
				case 0:
					b.forget(key)
					delete(model, key)
				case 1, 2, 3, 4:
					x := item{view: uint16(rng.IntN(3)), json: string(said(sku, strings.Repeat("9", rng.IntN(60)))), put: step} //nolint:gosec // small
					if rng.IntN(3) == 0 {
						x.end = now.Add(time.Duration(rng.IntN(3)-1) * time.Second)
					}
					b.put(key, x.view, x.end, []byte(x.json))
					model[key] = x
				case 5:
					if step%100 == 0 {
						b.clear()
						clear(model)
					}
				default:
					view := uint16(rng.IntN(3)) //nolint:gosec // small
					want, there := model[key]
					right := there && want.view == view && (want.end.IsZero() || now.Before(want.end))
					got := b.get(key, view, sku, now)
					if got != nil && (!right || string(got) != want.json) {
						t.Fatalf("step %d: %q of view %d, want %+v", step, got, view, want)
					}
					if got == nil && right && most == 1<<20 {
						t.Fatalf("step %d: nothing, want %+v", step, want)
					}
					if b.get(key, view, "other", now) != nil {
						t.Fatal("what is said of one is told of another")
					}
				}
				if len(b.text) > most || cap(b.text) > 2*most+1000 || b.dead > len(b.text) {
					t.Fatalf("step %d: %d bytes of %d, room for %d, %d dead", step, len(b.text), most, cap(b.text), b.dead)
				}
			}
			if most == 5000 && len(b.at) < 10 {
				t.Errorf("%d items are in %d bytes", len(b.at), len(b.text))
			}
		})
	}
}

// TestBoardForgetsTheOldest fills a board twice over.
func TestBoardForgetsTheOldest(t *testing.T) {
	b := newBoard(10_000)
	const n = 500
	for i := range uint64(n) {
		b.put(i, 1, time.Time{}, said(fmt.Sprint(i), "1.00"))
	}
	kept, first := 0, -1
	for i := range n {
		if b.get(uint64(i), 1, fmt.Sprint(i), time.Time{}) != nil {
			kept++
			if first < 0 {
				first = i
			}
		}
	}
	if kept < n/4 || first != n-kept || !b.full() && len(b.text) < 8000 {
		t.Errorf("%d are kept, from number %d", kept, first)
	}
	b.put(1000, 1, time.Time{}, said("1000", strings.Repeat("9", longest)))
	if b.get(1000, 1, "1000", time.Time{}) != nil {
		t.Error("what has no room is kept")
	}
}
