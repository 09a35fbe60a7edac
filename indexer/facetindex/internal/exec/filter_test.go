package exec

import (
	"math"
	"math/rand/v2"
	"testing"

	"catalog/indexer"
)

// TestBounds compares the amounts of ranges with what the ranges contain.
func TestBounds(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	limit := func() *float64 {
		var f float64
		switch r.IntN(4) {
		case 0:
			return nil
		case 1:
			f = float64(r.IntN(300)-100) / 10
		case 2:
			f = indexer.Amount(r.Int64N(400_000) - 100_000).Float()
		default:
			f = (r.Float64() - 0.2) * 1e14
		}
		return &f
	}
	for range 2000 {
		x := indexer.Range{From: limit(), To: limit(), Open: r.IntN(2) == 0}
		b := boundsOf(&x)
		for range 50 {
			a := r.Int64N(400_000) - 100_000
			if near := x.From; near != nil && r.IntN(2) == 0 {
				a = int64(*near*indexer.AmountScale) + r.Int64N(5) - 2
			} else if near = x.To; near != nil && r.IntN(2) == 0 {
				a = int64(*near*indexer.AmountScale) + r.Int64N(5) - 2
			}
			if r.IntN(20) == 0 {
				a = []int64{math.MinInt64 + 1, math.MaxInt64}[r.IntN(2)]
			}
			if got, want := a >= b.lo && a <= b.hi, x.Contains(indexer.Amount(a).Float()); got != want {
				t.Fatalf("%d is in %+v: %v, want %v", a, x, got, want)
			}
		}
	}
}
