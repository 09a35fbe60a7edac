package indextest

import (
	"slices"
	"strings"

	"catalog/indexer"
)

// Query returns a prepared query.
func (w *World) Query() *indexer.Prepared {
	q := &indexer.Prepared{Store: pick(w, w.Stores), Size: 1 + w.IntN(30), InStockOnly: w.chance(30), Variants: w.chance(15), Now: w.Base}
	eur := indexer.Scope{Currency: "EUR"}
	switch w.IntN(4) {
	case 0:
		q.Scopes = []indexer.Scope{{Currency: "EUR", List: "L1"}, {Currency: "EUR", Group: "wholesale"}, eur}
	case 1:
		q.Scopes = []indexer.Scope{{Currency: "EUR", Website: "eu"}, eur}
	case 2:
		q.Scopes = []indexer.Scope{{Currency: "USD"}}
	default:
		q.Scopes = []indexer.Scope{eur}
	}
	if w.chance(50) {
		w.text(q)
	}
	if w.chance(40) {
		q.Category = pick(w, w.Categories)
	}
	for range w.IntN(4) {
		q.Filters = append(q.Filters, w.filter())
	}
	w.facets(q)
	w.sort(q)
	if w.chance(20) {
		for range 1 + w.IntN(3) {
			q.Pins = append(q.Pins, SKU(w.IntN(200)))
		}
		slices.Sort(q.Pins)
		q.Pins = slices.Compact(q.Pins)
	}
	if w.chance(20) {
		q.Boosts = append(q.Boosts, indexer.Boost{Filters: []indexer.Filter{w.filter()}, Points: 5}, indexer.Boost{SKUs: []string{SKU(w.IntN(200)), SKU(w.IntN(200))}, Points: -20})
	}
	if w.chance(30) {
		q.Offset = w.IntN(40)
	}
	return q
}

func (w *World) text(q *indexer.Prepared) {
	n := 1 + w.IntN(3)
	langs := []string{"en", q.Store}
	token := func(word string) indexer.QueryToken {
		t := indexer.QueryToken{}
		for _, l := range langs {
			d := TokenOf(l, word)
			t.Term = d.Term
			if !slices.Contains(t.Stems, d.Stem) {
				t.Stems = append(t.Stems, d.Stem)
			}
		}
		return t
	}
	var typed []string
	for i := range n {
		word := pick(w, words)
		switch r := []rune(word); {
		case w.chance(15) && len(r) > 3: // a typo
			k := 1 + w.IntN(len(r)-2)
			switch w.IntN(4) {
			case 0:
				r[k], r[k+1] = r[k+1], r[k]
			case 1:
				r[k] = 'q'
			case 2:
				r = slices.Delete(r, k, k+1)
			default:
				r = slices.Insert(r, k, 'e')
			}
			word = string(r)
		case w.chance(20) && len(r) > 2:
			word = string(r[:2+w.IntN(len(r)-2)])
		case w.chance(3):
			word = "zzzzzz"
		}
		typed = append(typed, word)
		qw := indexer.QueryWord{Text: word, Last: i == n-1, Alts: []indexer.Alternative{{Words: []indexer.QueryToken{token(word)}}}}
		if w.chance(15) {
			alt := indexer.Alternative{Synonym: true}
			for range 1 + w.IntN(2) {
				alt.Words = append(alt.Words, token(pick(w, words)))
			}
			qw.Alts = append(qw.Alts, alt)
		}
		q.Words = append(q.Words, qw)
	}
	q.Exact = indexer.Fold(strings.Join(typed, " "))
	if w.chance(10) { // a SKU
		sku := SKU(w.IntN(200))
		q.Exact, q.Words = indexer.Fold(sku), nil
		for _, part := range strings.Split(strings.ToLower(sku), "-") {
			q.Words = append(q.Words, indexer.QueryWord{Text: part, Alts: []indexer.Alternative{{Words: []indexer.QueryToken{token(part)}}}})
		}
		q.Words[len(q.Words)-1].Last = true
	}
}

func (w *World) filter() indexer.Filter {
	f := indexer.Filter{Not: w.chance(15)}
	between := func(lo, hi float64) {
		a, b := lo+w.Float64()*(hi-lo), lo+w.Float64()*(hi-lo)
		a, b = float64(int(min(a, b))), float64(int(max(a, b)))
		r := indexer.Range{From: &a, To: &b, Open: w.chance(30)}
		switch w.IntN(5) {
		case 0:
			r.From = nil
		case 1:
			r.To = nil
		}
		f.Ranges = append(f.Ranges, r)
	}
	switch w.IntN(10) {
	case 0:
		f.Field = indexer.FieldPrice
		between(0, 50)
		if w.chance(20) {
			f.Ranges, f.Exists = nil, true
		}
	case 1:
		f.Field, f.Values = indexer.FieldStock, []string{pick(w, []string{"true", "false"})}
	case 2:
		f.Field, f.Values = indexer.FieldCategory, []string{pick(w, w.Categories), pick(w, w.Categories)}
	case 3:
		f.Field, f.Values = indexer.FieldSKU, []string{SKU(w.IntN(200)), SKU(w.IntN(200)) + "-1", SKU(w.IntN(200))}
	case 4:
		f.Field = indexer.FieldCreated
		between(float64(w.Base.Unix()), float64(w.Base.Unix()+50*86400))
	case 5:
		f.Field = "weight"
		between(0, 500)
	case 6:
		f.Field = pick(w, []string{"date", "mixed", "nothing", "rare1"})
		f.Exists = true
	case 7:
		f.Field, f.Values = "size", []string{"38", "40", "41"}
		if w.chance(30) {
			between(36, 46)
		}
	default:
		f.Field = pick(w, []string{"color", "brand"})
		for range 1 + w.IntN(2) {
			f.Values = append(f.Values, w.value(f.Field).Text)
		}
	}
	return f
}

func (w *World) facets(q *indexer.Prepared) {
	q.Facets.Values = 3 + w.IntN(10)
	q.Facets.Labels = Labels
	if w.chance(50) {
		return
	}
	q.Facets.Auto = w.IntN(6)
	for _, name := range []string{"price", "in_stock", "color", "size", "weight", "mixed", "nothing", "brand"} {
		if w.chance(25) {
			q.Facets.Names = append(q.Facets.Names, name)
		}
	}
	if w.chance(20) {
		q.Facets.Exclude = map[string]bool{"brand": true}
	}
	if w.chance(50) {
		q.Facets.Children = w.Categories[:w.IntN(len(w.Categories))]
	}
}

// Labels is what the world knows about its attributes.
func Labels(name string) indexer.AttributeMeta {
	switch name {
	case "size":
		return indexer.AttributeMeta{Label: "Size", Unit: "EU", Options: []string{"40", "39", "38"}}
	case "color":
		return indexer.AttributeMeta{Label: "Colour", OptionLabels: map[string]string{"red": "Rot"}}
	}
	return indexer.AttributeMeta{}
}

func (w *World) sort(q *indexer.Prepared) {
	q.Sort.Desc = w.chance(50)
	switch w.IntN(8) {
	case 0:
		q.Sort.By = indexer.SortPrice
	case 1:
		q.Sort.By = indexer.SortName
	case 2:
		q.Sort.By = indexer.SortNewest
	case 3:
		q.Sort.By = pick(w, []string{"weight", "date", "mixed", "size", "nothing"})
	default:
		q.Sort = indexer.Sort{By: indexer.SortRelevance}
		if q.Category != "" && w.chance(70) {
			q.Sort.By = indexer.SortPosition
		}
	}
}
