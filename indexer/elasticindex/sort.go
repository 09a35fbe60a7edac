package elasticindex

import (
	"encoding/json"
	"math"
	"slices"

	"catalog/indexer"
)

// order is how hits are sorted, and what of it is a score.
type order struct {
	sort    []any
	scoring bool // the query must score: text and boosts, or boosts alone
	text    bool // the text's score counts
	keys    []sortKey
}

// sortKey is what a level of the order sorts by.
type sortKey int

const (
	keyPin sortKey = iota
	keyPoints
	keyNum    // number, missing ones being noNumber
	keyLong   // long field, missing ones being what the engine says
	keyString // collation key
	keyTie
	keySKU
)

func (p *plan) order() order {
	q := p.q
	o := order{}
	dir := map[bool]string{false: "asc", true: "desc"}[q.Sort.Desc]
	add := func(k sortKey, s any) {
		o.keys = append(o.keys, k)
		o.sort = append(o.sort, s)
	}
	sku := "sku"
	if q.Variants {
		sku = "usku"
	}
	if q.Sort.By == indexer.SortRelevance || q.Sort.By == indexer.SortPosition {
		if len(q.Pins) > 0 {
			pins := map[string]int{}
			for i, s := range slices.Backward(q.Pins) { // the first counts
				pins[s] = i
			}
			add(keyPin, script("asc", scriptPin, object{"pins": pins, "n": len(q.Pins), "f": sku}))
		}
		o.text = q.Sort.By == indexer.SortRelevance && len(q.Words) > 0
		o.scoring = o.text || len(q.Boosts) > 0
		if o.scoring {
			add(keyPoints, "_score")
		}
	}
	switch q.Sort.By {
	case indexer.SortRelevance:
		if len(q.Words) > 0 {
			add(keyTie, object{"nw": "asc"})
		}
	case indexer.SortPosition:
		add(keyNum, script(dir, scriptPosition, object{"h": categoryHash(q.Category), "m": noNumber(q.Sort.Desc)}))
	case indexer.SortPrice:
		add(keyNum, script(dir, scriptPrice, p.priceParams(noNumber(q.Sort.Desc))))
	case indexer.SortName:
		add(keyString, object{"nk": object{"order": dir, "missing": "_last"}})
	case indexer.SortNewest:
		add(keyLong, object{"cr": object{"order": dir, "missing": "_last"}})
	default:
		add(keyNum, script(dir, scriptAttribute, object{
			"f": fieldNumbers(q.Sort.By), "p": escape(q.Sort.By) + sep, "store": q.Store + sep, "in": q.InStockOnly,
			"desc": q.Sort.Desc, "m": noNumber(q.Sort.Desc),
		}))
	}
	add(keySKU, object{sku: "asc"})
	return o
}

// noNumber is what scripts return for hits without a number: the last.
func noNumber(desc bool) float64 {
	if desc {
		return -math.MaxFloat64
	}
	return math.MaxFloat64
}

func (p *plan) priceParams(missing float64) object {
	ids, bases := make([]int, 0, len(p.scopes)), make([]int64, 0, len(p.scopes))
	for _, s := range p.scopes {
		ids, bases = append(ids, s), append(bases, scopeBase(s))
	}
	return object{"s": ids, "b": bases, "store": p.q.Store + sep, "in": p.q.InStockOnly, "m": missing}
}

func script(dir, source string, params object) object {
	return object{"_script": object{"type": "number", "order": dir, "script": object{"source": source, "params": params}}}
}

// after returns the values of search_after that stand for a key.
func (o *order) after(s indexer.Sort, k *indexer.SortKey, offset int) []any {
	out := make([]any, len(o.keys))
	for i, key := range o.keys {
		switch key {
		case keyPin:
			out[i] = k.Pin
		case keyPoints:
			out[i] = k.Points + offset
		case keyNum:
			if out[i] = k.Num; k.Missing {
				out[i] = noNumber(s.Desc)
			}
		case keyLong:
			switch {
			case !k.Missing:
				out[i] = int64(k.Num)
			case s.Desc:
				out[i] = json.Number("-9223372036854775808")
			default:
				out[i] = json.Number("9223372036854775807")
			}
		case keyString:
			if !k.Missing {
				out[i] = nameKey(k.Text)
			}
		case keyTie:
			out[i] = k.Tie
		case keySKU:
			out[i] = k.SKU
		}
	}
	return out
}
