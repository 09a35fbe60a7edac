package exec

import (
	"bytes"
	"cmp"
	"math"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
	"catalog/indexer/facetindex/internal/segment"
)

// key orders the hits of one segment: a, b, tie and id ascending. Its members
// are made such that this is the order of indexer.Sort.Compare.
type key struct {
	a   uint64 // pin and points
	b   uint64 // the value; missing if there is none
	tie uint32
	id  uint32 // the number of the SKU
}

const missing = math.MaxUint64

func (k *key) less(o *key) bool {
	if k.a != o.a {
		return k.a < o.a
	}
	if k.b != o.b {
		return k.b < o.b
	}
	if k.tie != o.tie {
		return k.tie < o.tie
	}
	return k.id < o.id
}

// sortable makes a number of which the order is that of f.
func sortable(f float64, desc bool) uint64 {
	if f == 0 {
		f = 0 // also of a negative zero
	}
	u := math.Float64bits(f)
	if u>>63 != 0 {
		u = ^u
	} else {
		u |= 1 << 63
	}
	if desc {
		u = ^u
	}
	return u
}

// number is what sortable was made of.
func number(u uint64, desc bool) float64 {
	if desc {
		u = ^u
	}
	if u>>63 != 0 {
		return math.Float64frombits(u &^ (1 << 63))
	}
	return math.Float64frombits(^u)
}

// nameBits is above all ordinals of names.
const nameBits = 1 << 40

func nameKey(ord2 uint64, desc bool) uint64 {
	if desc {
		return nameBits - ord2
	}
	return ord2
}

// pinned puts pin and points into one number: the lower the better.
func pinned(pin, points int) uint64 { return uint64(pin)<<48 | uint64(1<<47-points)&(1<<48-1) }

func unpinned(a uint64) (pin, points int) { return int(a >> 48), 1<<47 - int(a&(1<<48-1)) }

// order makes keys.
type order struct {
	by     string
	desc   bool
	after  *key // hits are behind it; nil: all count
	flat   bool // hits without a position have all the same key
	scored bool // only the score and the words of the name count

	from, to int // where the segment has the positions in the category, if flat

	pos    map[uint32]int32 // positions in the category, if not flat
	posSet []uint64         // who has one
	field  *segment.Field
	best   []uint64 // by code: key of the least or greatest number
}

func (s *seg) newOrder() (*order, error) {
	o := &order{by: s.q.Sort.By, desc: s.q.Sort.Desc}
	switch o.by {
	case indexer.SortRelevance:
		o.scored = s.pins == nil && s.boosts == nil && s.q.After == nil && len(s.q.Words) > 0
	case indexer.SortPrice, indexer.SortName, indexer.SortNewest:
	case indexer.SortPosition:
		o.flat = s.pins == nil && s.boosts == nil && s.q.After == nil && len(s.q.Words) == 0 && !s.q.Variants
		if k, ok := s.Seg.Cats.Texts.Find([]byte(s.q.Category)); ok {
			from, to := s.Seg.PositionRange(k)
			if o.flat {
				o.from, o.to = from, to
				break
			}
			if from < to {
				o.pos = make(map[uint32]int32, to-from)
				o.posSet = make([]uint64, codec.Words(s.Seg.Docs))
			}
			for i := from; i < to; i++ {
				doc, pos := s.Seg.PositionAt(i)
				o.pos[doc] = pos
				codec.Put(o.posSet, doc)
			}
		}
	default:
		if i := s.Seg.Attr(o.by); i >= 0 {
			f, err := s.Seg.Field(i)
			if err != nil {
				return nil, err
			}
			o.field, o.best = f, bestOf(f, o.desc)
		}
	}
	if s.q.After != nil {
		o.after = s.afterKey(o)
	}
	return o, nil
}

// bestOf returns for each code the key of the number that sorts it first.
func bestOf(f *segment.Field, desc bool) []uint64 {
	best := make([]uint64, f.Codes())
	vals := make([]uint64, f.Values())
	for v := range vals {
		vals[v] = missing
		if f.Type(uint32(v)) != indexer.Text {
			vals[v] = sortable(f.Num(uint32(v)), desc)
		}
	}
	for code := range best {
		best[code] = missing
		switch {
		case code == 0:
		case f.Single(uint32(code)):
			best[code] = vals[code-1]
		default:
			for i, to := f.Members(uint32(code)); i < to; i++ {
				best[code] = min(best[code], vals[f.Member(i)])
			}
		}
	}
	return best
}

// keyOf returns the key of a hit: of a document, or in variants mode of the
// unit at row.
func (s *seg) keyOf(doc, row uint32, score int, complicated bool) key {
	o := s.order
	k := key{b: missing}
	if s.q.Variants {
		k.id = uint32(s.Seg.RowSKU.At(int(row)))
	} else {
		k.id = s.sku(doc)
	}
	switch o.by {
	case indexer.SortRelevance, indexer.SortPosition:
		pin, points := len(s.q.Pins), score
		if o.by == indexer.SortPosition {
			points = 0
		}
		if s.pins != nil {
			if i, ok := s.pins[k.id]; ok {
				pin = i
			}
		}
		if s.boosts != nil {
			points += s.points(doc, complicated)
		}
		k.a = pinned(pin, points)
		if o.by == indexer.SortRelevance {
			k.b = 0
			if len(s.q.Words) > 0 {
				k.tie = uint32(s.Seg.NameWords.At(int(doc)))
			}
		} else if o.pos != nil && codec.Has(o.posSet, doc) {
			k.b = sortable(float64(o.pos[doc]), o.desc)
		}
	case indexer.SortPrice:
		s.eachUnit(doc, row, complicated, func(r uint32) {
			if a, ok := s.amount(r); ok {
				f := sortable(float64(a), false)
				if k.b == missing || f < k.b {
					k.b = f
				}
			}
		})
		if o.desc && k.b != missing {
			k.b = ^k.b
		}
	case indexer.SortName:
		if n := s.Seg.NameKey.At(int(doc)); n > 0 {
			k.b = nameKey(2*uint64(n-1)+1, o.desc)
		}
	case indexer.SortNewest:
		if c := s.Seg.Created.At(int(doc)); c != 0 {
			k.b = sortable(float64(c), o.desc)
		}
	default:
		switch {
		case o.field == nil:
		case !complicated || !s.picky:
			k.b = o.best[o.field.Any.Get(doc)]
		default:
			s.eachUnit(doc, row, complicated, func(r uint32) {
				k.b = min(k.b, o.best[codeOf(o.field, doc, r, complicated)])
			})
		}
	}
	return k
}

// eachUnit calls f for the eligible units of a hit.
func (s *seg) eachUnit(doc, row uint32, complicated bool, f func(row uint32)) {
	if s.q.Variants {
		if s.eligible(row, complicated) {
			f(row)
		}
		return
	}
	for from, to := s.rows(doc); from < to; from++ {
		if s.eligible(from, complicated) {
			f(from)
		}
	}
}

// afterKey returns the key of the hits that come just behind a place.
func (s *seg) afterKey(o *order) *key {
	a := &s.q.After.Key
	k := &key{b: missing}
	switch o.by {
	case indexer.SortRelevance:
		k.a, k.b = pinned(a.Pin, a.Points), 0
	case indexer.SortPosition:
		k.a = pinned(a.Pin, a.Points)
		if !a.Missing {
			k.b = sortable(a.Num, o.desc)
		}
	case indexer.SortName:
		if !a.Missing {
			i, ok := s.Seg.NameKeys.Find(a.Text)
			ord := 2 * uint64(i)
			if ok {
				ord++
			}
			k.b = nameKey(ord, o.desc)
		}
	default:
		if !a.Missing {
			k.b = sortable(a.Num, o.desc)
		}
	}
	k.tie = uint32(a.Tie)
	// The id is the first that is behind the SKU.
	sku, ok := s.Seg.SKUs.Find([]byte(a.SKU))
	if ok {
		sku++
	}
	k.id = uint32(sku)
	return k
}

// sku returns the number of a document's SKU.
func (s *seg) sku(doc uint32) uint32 { return uint32(s.Seg.DocSKU.At(int(doc))) }

// cand is a hit that may be shown.
type cand struct {
	key
	seg      *seg
	doc, row uint32
	score    int
}

func (c *cand) sku() []byte {
	var a [64]byte
	if c.seg.q.Variants {
		return c.seg.Seg.SKUs.At(int(c.seg.Seg.RowSKU.At(int(c.row))), a[:0])
	}
	return c.seg.Seg.SKUs.At(int(c.seg.Seg.DocSKU.At(int(c.doc))), a[:0])
}

func (c *cand) name() []byte {
	if n := c.seg.Seg.NameKey.At(int(c.doc)); n > 0 {
		return c.seg.Seg.NameKeys.At(int(n-1), nil)
	}
	return nil
}

// compare orders hits of different segments.
func compare(x, y *cand) int {
	if x.seg == y.seg {
		if x.key.less(&y.key) {
			return -1
		}
		if y.key.less(&x.key) {
			return 1
		}
		return cmp.Compare(x.doc, y.doc)
	}
	if x.a != y.a {
		return cmp.Compare(x.a, y.a)
	}
	if x.seg.order.by == indexer.SortName && x.b != missing && y.b != missing {
		c := bytes.Compare(x.name(), y.name())
		if x.seg.order.desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	} else if x.b != y.b {
		return cmp.Compare(x.b, y.b)
	}
	if x.tie != y.tie {
		return cmp.Compare(x.tie, y.tie)
	}
	return bytes.Compare(x.sku(), y.sku())
}

// sortKey returns the key of a hit as others see it.
func (c *cand) sortKey() indexer.SortKey {
	q, o := c.seg.q, c.seg.order
	k := indexer.SortKey{SKU: string(c.sku()), Tie: int(c.tie)}
	switch o.by {
	case indexer.SortRelevance:
		k.Pin, k.Points = unpinned(c.a)
		return k
	case indexer.SortPosition:
		k.Pin, k.Points = unpinned(c.a)
	case indexer.SortName:
		k.Text = c.name()
		k.Missing = c.b == missing
		return k
	}
	if k.Missing = c.b == missing; !k.Missing {
		k.Num = number(c.b, q.Sort.Desc)
	}
	return k
}

// best keeps the first n hits of those it is shown.
type best struct {
	n    int
	list []cand // a heap, the last of them first
}

// full reports whether a hit with that key would not be kept.
func (b *best) full(k *key) bool { return len(b.list) == b.n && (b.n == 0 || !k.less(&b.list[0].key)) }

func (b *best) add(c cand) {
	l := b.list
	if len(l) == b.n {
		l[0] = c
		for i := 0; ; {
			j := 2*i + 1
			if j >= len(l) {
				return
			}
			if j+1 < len(l) && l[j].less(&l[j+1].key) {
				j++
			}
			if !l[i].less(&l[j].key) {
				return
			}
			l[i], l[j] = l[j], l[i]
			i = j
		}
	}
	l = append(l, c)
	for i := len(l) - 1; i > 0; {
		up := (i - 1) / 2
		if !l[up].less(&l[i].key) {
			break
		}
		l[i], l[up] = l[up], l[i]
		i = up
	}
	b.list = l
}
