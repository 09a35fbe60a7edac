package exec

import (
	"slices"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
	"catalog/indexer/facetindex/internal/segment"
)

// filter is a filter looked up in a segment.
type filter struct {
	f     *indexer.Filter
	kind  filterKind
	field *segment.Field // of an attribute; nil: no document has it
	match []bool         // by code; false for none
	skus  map[uint32]bool
	lists []codec.Postings // of categories
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
		out.field, out.match = field, matchCodes(field, f)
		return out, nil
	}
	switch f.Field {
	case indexer.FieldPrice:
		out.kind = byPrice
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

// matchCodes returns for each code of a field whether it has a value that f
// asks for.
func matchCodes(field *segment.Field, f *indexer.Filter) []bool {
	vals := make([]bool, field.Values())
	texts := map[uint32]bool{}
	for _, v := range f.Values {
		if k, ok := field.Texts.Find([]byte(v)); ok {
			texts[uint32(k)] = true
		}
	}
	if field.Plain() && len(f.Ranges) == 0 {
		for k := range texts {
			vals[k] = true
		}
	} else {
		for v := range vals {
			n := uint32(v)
			vals[v] = texts[field.Text(n)] || len(f.Ranges) > 0 && field.Type(n) != indexer.Text && inRanges(f.Ranges, field.Num(n))
		}
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
	return match
}

func inRanges(ranges []indexer.Range, f float64) bool {
	return slices.ContainsFunc(ranges, func(r indexer.Range) bool { return r.Contains(f) })
}

// meets reports whether a unit meets the filter.
func (f *filter) meets(s *seg, doc, row uint32, complicated bool) bool {
	return f.has(s, doc, row, complicated) != f.f.Not
}

func (f *filter) has(s *seg, doc, row uint32, complicated bool) bool {
	switch f.kind {
	case byAttr:
		return f.field != nil && f.match[codeOf(f.field, doc, row, complicated)]
	case byPrice:
		a, _, ok := s.price(row)
		return ok && (f.f.Exists || inRanges(f.f.Ranges, indexer.Amount(a).Float()) ||
			len(f.f.Values) > 0 && slices.Contains(f.f.Values, indexer.Amount(a).String()))
	case byStock:
		text := "false"
		if s.Live.InStock(row) {
			text = "true"
		}
		return f.f.Exists || slices.Contains(f.f.Values, text)
	case byCategory:
		return f.f.Exists && s.Seg.Cats.Any.Get(doc) != 0 || slices.ContainsFunc(f.lists, func(p codec.Postings) bool { return p.Contains(doc) })
	case bySKU:
		return f.f.Exists || f.skus[uint32(s.Seg.DocSKU.At(int(doc)))] || f.skus[uint32(s.Seg.RowSKU.At(int(row)))]
	case byCreated:
		c := s.Seg.Created.At(int(doc))
		return c != 0 && (f.f.Exists || inRanges(f.f.Ranges, float64(c)))
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
func (f *filter) keep(s *seg, chunk int, docs, tmp []uint64) {
	switch f.kind {
	case byAttr:
		if f.field == nil || f.field.Any.Len() == 0 {
			if !f.f.Not {
				clear(docs)
			}
			return
		}
		k := f.field.Any.Chunk(chunk)
		k.Match(docs, tmp, f.match, f.f.Not)
	case byCategory:
		if f.f.Exists {
			f.keepEach(s, chunk, docs)
			return
		}
		tmp = tmp[:len(docs)]
		clear(tmp)
		for i := range f.lists {
			set := f.lists[i].Chunk(chunk)
			set.OrInto(tmp)
		}
		for i := range docs {
			if f.f.Not {
				docs[i] &^= tmp[i]
			} else {
				docs[i] &= tmp[i]
			}
		}
	case byPrice:
		f.keepPrices(s, chunk, docs)
	default:
		f.keepEach(s, chunk, docs)
	}
}

// keepPrices is keep for prices: every hit is looked at, so it is worth to be
// quick.
func (f *filter) keepPrices(s *seg, chunk int, docs []uint64) {
	base := chunk << codec.ChunkBits
	keepIf(docs, func(d uint32) bool {
		a, ok := s.amount(uint32(s.Seg.First.At(base + int(d))))
		if !ok {
			return f.f.Not
		}
		x, has := indexer.Amount(a).Float(), f.f.Exists
		for i := range f.f.Ranges {
			has = has || f.f.Ranges[i].Contains(x)
		}
		if len(f.f.Values) > 0 && !has {
			has = slices.Contains(f.f.Values, indexer.Amount(a).String())
		}
		return has != f.f.Not
	})
}

func (f *filter) keepEach(s *seg, chunk int, docs []uint64) {
	base := uint32(chunk) << codec.ChunkBits
	keepIf(docs, func(d uint32) bool {
		doc := base + d
		return f.meets(s, doc, uint32(s.Seg.First.At(int(doc))), false)
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
