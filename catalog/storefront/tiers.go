package storefront

import (
	"bytes"
	"slices"
	"strconv"

	"catalog/catalog"
)

// The indexer resolves prices at a quantity of one (Mapper.Live). What holds
// at a larger quantity is resolved by the same code, from the record as it
// would be if its tiers began at one.

// maxTiers bounds the quantities of one record that are looked at.
const maxTiers = 50

var tiersName = []byte(`"tiers"`)

// quantified returns a price record as it holds at the quantity asked for.
func (l *liveAnswer) quantified(record []byte) []byte {
	if l.quantity == 0 || !bytes.Contains(record, tiersName) {
		return record
	}
	return atQuantity(record, l.quantity)
}

// tierQuantities returns the quantities at which prices of a record change,
// ascending.
func tierQuantities(record []byte) []float64 {
	if !bytes.Contains(record, tiersName) {
		return nil
	}
	var out []float64
	for _, entry := range catalog.PriceEntries(record) {
		for t := range catalog.Value(catalog.MemberValue(entry, "tiers")).Elements() {
			if q := tierQuantity(t); q > 1 && len(out) < maxTiers && !slices.Contains(out, q) {
				out = append(out, q)
			}
		}
	}
	slices.Sort(out)
	return out
}

// tierQuantity returns from which quantity a tier holds; 0 of what is no
// number, which no tier is.
func tierQuantity(t catalog.Value) float64 {
	v := catalog.Value(catalog.MemberValue(t, "qty"))
	if v == nil {
		return 1
	}
	q, err := strconv.ParseFloat(v.Text(), 64)
	if err != nil || q < 0 || q > maxQuantity {
		return 0
	}
	return q
}

// atQuantity returns a price record in which those tiers begin at one that
// hold at a quantity: for each group and website the one with the largest.
func atQuantity(record []byte, quantity float64) []byte {
	out := append(make([]byte, 0, len(record)+16), `{"prices":[`...)
	for i, entry := range catalog.PriceEntries(record) {
		out = comma(out, i)
		out = append(out, '{')
		first := true
		for name, v := range catalog.Value(entry).Members() {
			if string(name) != "tiers" {
				out = member(out, name, v, &first)
				continue
			}
			if !first {
				out = append(out, ',')
			}
			first = false
			out = append(out, `"tiers":[`...)
			for j, t := range tiersAt(v, quantity) {
				out = comma(out, j)
				out = append(out, `{"qty":1`...)
				for n, m := range t.Members() {
					if string(n) != "qty" {
						none := false
						out = member(out, n, m, &none)
					}
				}
				out = append(out, '}')
			}
			out = append(out, ']')
		}
		out = append(out, '}')
	}
	return append(out, "]}"...)
}

// tiersAt returns the tiers that hold at a quantity.
func tiersAt(tiers catalog.Value, quantity float64) []catalog.Value {
	type best struct {
		who string
		qty float64
		at  int
	}
	var found []best
	var out []catalog.Value
	for t := range tiers.Elements() {
		q := tierQuantity(t)
		if q == 0 || q > quantity {
			continue
		}
		who := string(catalog.MemberValue(t, "group")) + "\x00" + string(catalog.MemberValue(t, "website"))
		i := slices.IndexFunc(found, func(b best) bool { return b.who == who })
		switch {
		case i < 0:
			found = append(found, best{who, q, len(out)})
			out = append(out, t)
		case q >= found[i].qty:
			found[i].qty = q
			out[found[i].at] = t
		}
	}
	return out
}
