package exec

import (
	"math"
	"slices"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
	"catalog/indexer/facetindex/internal/live"
	"catalog/indexer/facetindex/internal/segment"
)

// filter is a filter looked up in a segment.
type filter struct {
	f     *indexer.Filter
	kind  filterKind
	field *segment.Field // of an attribute; nil: no document has it
	match codec.Codes
	skus  map[uint32]bool
	lists []codec.Postings // of categories
	price []bounds         // of ranges
}

// bounds are the amounts from lo up to hi; there are none if lo is above hi.
type bounds struct{ lo, hi int64 }

// boundsOf returns the amounts that a range contains.
func boundsOf(r *indexer.Range) bounds {
	b := bounds{math.MinInt64, math.MaxInt64}
	var ok bool
	if b.lo, ok = firstAmount(func(a indexer.Amount) bool { return indexer.Range{From: r.From}.Contains(a.Float()) }); !ok {
		return bounds{1, 0}
	}
	if above, ok := firstAmount(func(a indexer.Amount) bool { return !indexer.Range{To: r.To, Open: r.Open}.Contains(a.Float()) }); ok {
		if above == math.MinInt64 {
			return bounds{1, 0}
		}
		b.hi = above - 1
	}
	return b
}

// firstAmount returns the least amount for which f is true, as it is for all
// greater ones; not ok if there is none.
func firstAmount(f func(indexer.Amount) bool) (least int64, ok bool) {
	lo, hi := int64(math.MinInt64), int64(math.MaxInt64)
	for lo < hi {
		m := lo + int64(uint64(hi-lo)/2)
		if f(indexer.Amount(m)) {
			hi = m
		} else {
			lo = m + 1
		}
	}
	return lo, f(indexer.Amount(lo))
}

// hasPrice reports whether an amount is what the filter asks for.
func (x *filter) hasPrice(a int64) bool {
	if x.f.Exists {
		return true
	}
	for _, b := range x.price {
		if b.lo <= a && a <= b.hi {
			return true
		}
	}
	return len(x.f.Values) > 0 && slices.Contains(x.f.Values, indexer.Amount(a).String())
}

type filterKind uint8

const (
	byAttr filterKind = iota
	byPrice
	byStock
	byCategory
	bySKU
	byCreated
	byNothing // a field that nobody knows: nothing has it
)

// newFilter looks a filter up.
func (s *seg) newFilter(f *indexer.Filter, attr bool) (*filter, error) {
	out := &filter{f: f, kind: byNothing}
	if attr {
		out.kind = byAttr
		i := s.Seg.Attr(f.Field)
		if i < 0 {
			return out, nil
		}
		field, err := s.Seg.Field(i)
		if err != nil {
			return nil, err
		}
		out.field = field
		out.match, err = s.matchCodes(field, f)
		return out, err
	}
	switch f.Field {
	case indexer.FieldPrice:
		out.kind = byPrice
		for i := range f.Ranges {
			out.price = append(out.price, boundsOf(&f.Ranges[i]))
		}
	case indexer.FieldStock:
		out.kind = byStock
	case indexer.FieldCategory:
		out.kind = byCategory
		for _, id := range f.Values {
			if k, ok := s.Seg.Cats.Texts.Find([]byte(id)); ok {
				p, err := s.Seg.InCat.Get(k)
				if err != nil {
					return nil, err
				}
				out.lists = append(out.lists, p)
			}
		}
	case indexer.FieldSKU:
		out.kind = bySKU
		out.skus = map[uint32]bool{}
		for _, v := range f.Values {
			if k, ok := s.Seg.SKUs.Find([]byte(v)); ok {
				out.skus[uint32(k)] = true
			}
		}
	case indexer.FieldCreated:
		out.kind = byCreated
	}
	return out, nil
}

// matchCodes returns the codes of a field that have a value that f asks for.
func (s *seg) matchCodes(field *segment.Field, f *indexer.Filter) (codec.Codes, error) {
	texts := map[uint32]bool{}
	for _, v := range f.Values {
		if k, ok := field.Texts.Find([]byte(v)); ok {
			texts[uint32(k)] = true
		}
	}
	if field.Plain() && len(f.Ranges) == 0 && !f.Exists {
		codes, err := s.codesOf(field, texts)
		return codec.FewCodes(codes), err
	}
	vals := make([]bool, field.Values())
	for v := range vals {
		n := uint32(v)
		vals[v] = texts[field.Text(n)] || len(f.Ranges) > 0 && field.Type(n) != indexer.Text && inRanges(f.Ranges, field.Num(n))
	}
	match := make([]bool, field.Codes())
	for code := 1; code < len(match); code++ {
		if field.Single(uint32(code)) {
			match[code] = f.Exists || vals[code-1]
			continue
		}
		i, to := field.Members(uint32(code))
		match[code] = f.Exists && i < to
		for ; i < to && !match[code]; i++ {
			match[code] = vals[field.Member(i)]
		}
	}
	return codec.AllCodes(match), nil
}

func inRanges(ranges []indexer.Range, f float64) bool {
	return slices.ContainsFunc(ranges, func(r indexer.Range) bool { return r.Contains(f) })
}

// meets reports whether a unit meets the filter.
func (x *filter) meets(s *seg, doc, row uint32, complicated bool) bool {
	return x.has(s, doc, row, complicated) != x.f.Not
}

func (x *filter) has(s *seg, doc, row uint32, complicated bool) bool {
	switch x.kind {
	case byAttr:
		return x.field != nil && x.match.Has(codeOf(x.field, doc, row, complicated))
	case byPrice:
		a, ok := s.amount(row)
		return ok && x.hasPrice(a)
	case byStock:
		text := "false"
		if s.Live.InStock(row) {
			text = "true"
		}
		return x.f.Exists || slices.Contains(x.f.Values, text)
	case byCategory:
		return x.f.Exists && s.Seg.Cats.Any.Get(doc) != 0 || slices.ContainsFunc(x.lists, func(p codec.Postings) bool { return p.Contains(doc) })
	case bySKU:
		return x.f.Exists || x.skus[uint32(s.Seg.DocSKU.At(int(doc)))] || x.skus[uint32(s.Seg.RowSKU.At(int(row)))]
	case byCreated:
		c := s.Seg.Created.At(int(doc))
		return c != 0 && (x.f.Exists || inRanges(x.f.Ranges, float64(c)))
	}
	return false
}

// codeOf returns what a unit has of a field: its own, or its product's.
func codeOf(f *segment.Field, doc, row uint32, complicated bool) uint32 {
	if !complicated {
		return f.Any.Get(doc)
	}
	if code := f.Unit.Get(row); code != 0 {
		return code
	}
	return f.Own.Get(doc)
}

// keep takes from a bitmap of plain documents of a chunk those that do not
// meet the filter.
func (x *filter) keep(f *finder, s *seg, chunk int, docs []uint64) {
	switch x.kind {
	case byAttr:
		if x.field == nil || x.field.Any.Len() == 0 {
			if !x.f.Not {
				clear(docs)
			}
			return
		}
		k := x.field.Any.Chunk(chunk)
		k.Match(docs, f.tmp, &x.match, x.f.Not)
	case byCategory:
		if x.f.Exists {
			x.keepEach(s, chunk, docs)
			return
		}
		tmp := f.tmp[:len(docs)]
		clear(tmp)
		for i := range x.lists {
			set := x.lists[i].Chunk(chunk)
			set.OrInto(tmp)
		}
		for i := range docs {
			if x.f.Not {
				docs[i] &^= tmp[i]
			} else {
				docs[i] &= tmp[i]
			}
		}
	case byPrice:
		x.keepPrices(f, s, chunk, docs)
	default:
		x.keepEach(s, chunk, docs)
	}
}

// keepPrices is keep for prices.
func (x *filter) keepPrices(f *finder, s *seg, chunk int, docs []uint64) {
	f.rows = s.Seg.First.Gather(f.rows[:0], docs, chunk<<codec.ChunkBits)
	f.amounts = f.reader(s).amounts.Append(f.amounts[:0], f.rows)
	amounts := f.amounts
	if len(x.price) == 1 && len(x.f.Values) == 0 && !x.f.Exists && x.price[0].lo > live.None {
		lo, hi := x.price[0].lo, x.price[0].hi
		for i, w := range docs {
			keep := uint64(0)
			for m := w; m != 0; m &= m - 1 {
				a := amounts[0]
				amounts = amounts[1:]
				if (a >= lo && a <= hi) != x.f.Not {
					keep |= m & -m
				}
			}
			docs[i] = keep
		}
		return
	}
	for i, w := range docs {
		for m := w; m != 0; m &= m - 1 {
			a := amounts[0]
			amounts = amounts[1:]
			if (a != live.None && x.hasPrice(a)) == x.f.Not {
				docs[i] &^= m & -m
			}
		}
	}
}

func (x *filter) keepEach(s *seg, chunk int, docs []uint64) {
	base := uint32(chunk) << codec.ChunkBits
	keepIf(docs, func(d uint32) bool {
		doc := base + d
		return x.meets(s, doc, uint32(s.Seg.First.At(int(doc))), false)
	})
}

// keepIf keeps the bits for which f is true.
func keepIf(b []uint64, f func(i uint32) bool) {
	for i, w := range b {
		for m := w; m != 0; m &= m - 1 {
			if j := uint32(i<<6 | trailing(m)); !f(j) {
				b[i] &^= 1 << (j & 63)
			}
		}
	}
}
