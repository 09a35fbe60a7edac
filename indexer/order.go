package indexer

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// SortKey is where a hit stands in the order of a query. Only the members that
// the order uses are set.
type SortKey struct {
	Pin     int     // index in Prepared.Pins; their number when not pinned (relevance and position only)
	Points  int     // relevance: score and boosts; position: boosts. Descending
	Missing bool    // the hit has no value: last in either direction
	Num     float64 // price in Amounts, position, seconds, or an attribute's number
	Text    []byte  // collation key of the name
	Tie     int     // relevance with a text: Document.NameWords. Ascending
	SKU     string  // of the hit. Ascending
}

// Compare orders hits as s says: negative when a comes before b.
func (s Sort) Compare(a, b *SortKey) int {
	if c := cmp.Compare(a.Pin, b.Pin); c != 0 {
		return c
	}
	if c := cmp.Compare(b.Points, a.Points); c != 0 {
		return c
	}
	if a.Missing != b.Missing {
		if a.Missing {
			return 1
		}
		return -1
	}
	c := cmp.Compare(a.Num, b.Num)
	if c == 0 {
		c = bytes.Compare(a.Text, b.Text)
	}
	if s.Desc {
		c = -c
	}
	if c != 0 {
		return c
	}
	if c := cmp.Compare(a.Tie, b.Tie); c != 0 {
		return c
	}
	return strings.Compare(a.SKU, b.SKU)
}

// KeyOf returns the sort key of document d, or of its unit u if the query asks
// for variants (else nil), when it is a hit with that score.
func (q *Prepared) KeyOf(d *Document, u *Unit, score int) SortKey {
	k := SortKey{SKU: d.SKU}
	units := d.Units
	if u != nil {
		k.SKU, units = u.SKU, []Unit{*u}
	}
	switch q.Sort.By {
	case SortRelevance:
		k.Pin = q.pin(k.SKU)
		k.Points = score + q.points(d)
		if len(q.Words) > 0 {
			k.Tie = d.NameWords
		}
	case SortPosition:
		k.Pin = q.pin(k.SKU)
		k.Points = q.points(d)
		k.Missing = true
		for _, m := range d.Categories {
			if m.ID == q.Category && m.Position != NoPosition {
				k.Num, k.Missing = float64(m.Position), false
			}
		}
	case SortPrice:
		k.Missing = true
		for i := range units {
			if p, ok := q.PriceOf(&units[i]); ok && q.Eligible(&units[i]) && (k.Missing || float64(p.Amount) < k.Num) {
				k.Num, k.Missing = float64(p.Amount), false
			}
		}
	case SortName:
		k.Text = d.NameKey
		k.Missing = len(d.NameKey) == 0
	case SortNewest:
		k.Num, k.Missing = float64(d.Created), d.Created == 0
	default: // an attribute: the least number ascending, the greatest descending
		k.Missing = true
		for i := range units {
			if !q.Eligible(&units[i]) {
				continue
			}
			for _, v := range d.Values(&units[i], q.Sort.By) {
				if v.Type != Text && (k.Missing || q.Sort.Desc && v.Num > k.Num || !q.Sort.Desc && v.Num < k.Num) {
					k.Num, k.Missing = v.Num, false
				}
			}
		}
	}
	return k
}

func (q *Prepared) pin(sku string) int {
	if i := slices.Index(q.Pins, sku); i >= 0 {
		return i
	}
	return len(q.Pins)
}

// points sums the boosts that hold for a document.
func (q *Prepared) points(d *Document) int {
	n := 0
	for i := range q.Boosts {
		if q.boosted(d, &q.Boosts[i]) {
			n += q.Boosts[i].Points
		}
	}
	return n
}

func (q *Prepared) boosted(d *Document, b *Boost) bool {
	if slices.Contains(b.SKUs, d.SKU) {
		return true
	}
	if len(b.Filters) == 0 {
		return false
	}
	return slices.ContainsFunc(d.Units, func(u Unit) bool {
		return q.Eligible(&u) && q.meets(d, &u, b.Filters, "")
	})
}
