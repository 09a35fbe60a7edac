package live

import (
	"math/rand/v2"
	"testing"

	"catalog/indexer"
)

// TestReader compares what readers of some scopes say, row by row and of many
// rows at once, with what the columns do.
func TestReader(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	w := NewWriter()
	for range 5000 {
		l := random(r, 4)
		if r.IntN(3) > 0 { // some blocks are sparse
			l.Prices = l.Prices[:min(1, len(l.Prices))]
		}
		w.Add(&l)
	}
	c := w.Columns()
	var scopes []int
	for _, group := range []string{"c", "a", "d"} {
		if k := c.Scope(indexer.Scope{Currency: "EUR", Group: group}); k >= 0 {
			scopes = append(scopes, k)
		}
	}
	for n := range len(scopes) + 1 {
		one, many := c.Reader(scopes[:n]), c.Reader(scopes[:n])
		var rows []uint32
		for row := uint32(r.IntN(3)); row < 5000; row += uint32(1 + r.IntN(3)) {
			rows = append(rows, row)
		}
		list := many.Append(nil, rows)
		for i, row := range rows {
			want, found := int64(None), false
			for _, s := range scopes[:n] {
				if a, ok := c.Amount(s, row); ok && !found {
					want, found = a, true
				}
			}
			got, ok := one.Amount(row)
			if ok != found || found && got != want || list[i] != want {
				t.Fatalf("row %d, %d scopes: %d, %v and %d, want %d, %v", row, n, got, ok, list[i], want, found)
			}
			if stocked := c.Stocked(row, min(row+3, 5000))&1 == 1; stocked != c.InStock(row) {
				t.Fatalf("row %d is in stock: %v", row, stocked)
			}
		}
	}
}
