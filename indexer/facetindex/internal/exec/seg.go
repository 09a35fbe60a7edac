package exec

import (
	"fmt"
	"math/bits"
	"slices"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
)

func trailing(w uint64) int { return bits.TrailingZeros64(w) }

// maxGroups is how many fields a query can filter by: one bit each.
const maxGroups = 63

// query is what a request means for all segments.
type query struct {
	*indexer.Prepared
	groups  []group
	segs    []*seg
	relaxed indexer.Relaxed
	unknown []bool // words that nobody has without typos
	tokens  []*tokenBuf
	least   uint8 // words that count less are left out

	firstOnly bool // only the first hits are asked for
	most      int  // goroutines that may share it; 0 is 1
}

// group has the filters of one field. The counts of a field's facet leave its
// group out.
type group struct {
	field   string
	attr    bool
	filters []int
}

// seg is a segment as a query looks at it.
type seg struct {
	*View
	q       *query
	num     int
	visible codec.Postings // documents that the store sees and the query may hit
	inCat   *codec.Postings
	scopes  []int        // of prices, the first that has one counts
	sellers *codec.Codes // that have the store among them; nil: no unit has any
	picky   bool         // units of a document differ in what the query asks
	filters []*filter
	groups  [][]*filter
	words   []wordMatch
	known   []*wordMatch // words looked up without typos; nil: not yet
	boosts  []boost
	pins    map[uint32]int // by number of the SKU
	exact   map[uint32]bool
	order   *order
}

// boost is a boost looked up in a segment.
type boost struct {
	points  int
	skus    map[uint32]bool
	filters []*filter
}

// newQuery looks a request up in all segments.
func newQuery(views []View, p *indexer.Prepared) (*query, error) {
	q := &query{Prepared: p}
	for i := range p.Filters {
		attr := p.IsAttribute(i)
		k := slices.IndexFunc(q.groups, func(g group) bool { return g.field == p.Filters[i].Field && g.attr == attr })
		if k < 0 {
			k = len(q.groups)
			q.groups = append(q.groups, group{field: p.Filters[i].Field, attr: attr})
		}
		q.groups[k].filters = append(q.groups[k].filters, i)
	}
	if len(q.groups) > maxGroups {
		return nil, fmt.Errorf("filters of %d fields: %w", len(q.groups), indexer.ErrQuery)
	}
	for i := range views {
		s, err := q.newSeg(&views[i], i)
		if err != nil {
			return nil, err
		}
		if s != nil {
			q.segs = append(q.segs, s)
		}
	}
	return q, nil
}

// newSeg looks the request up in one segment; nil if nothing of it can be hit.
func (q *query) newSeg(v *View, num int) (*seg, error) {
	s := &seg{View: v, q: q, num: num}
	store, ok := v.Seg.Stores.Texts.Find([]byte(q.Store))
	if !ok {
		return nil, nil
	}
	lists := &v.Seg.Shown
	switch {
	case len(q.Words) > 0:
		lists = &v.Seg.Searched
	case q.Category != "":
		lists = &v.Seg.Browsed
	}
	if len(q.Words) > 0 {
		if err := v.Seg.LoadWords(); err != nil {
			return nil, err
		}
	}
	var err error
	if s.visible, err = lists.Get(store); err != nil || s.visible.Len() == 0 {
		return nil, err
	}
	if q.Category != "" {
		k, ok := v.Seg.Cats.Texts.Find([]byte(q.Category))
		if !ok {
			// Words are told apart by all that the store's search sees.
			s.inCat = &codec.Postings{}
		} else {
			p, err := v.Seg.InCat.Get(k)
			if err != nil {
				return nil, err
			}
			s.inCat = &p
		}
	}
	for _, sc := range q.Scopes {
		if k := v.Live.Scope(sc); k >= 0 {
			s.scopes = append(s.scopes, k)
		}
	}
	if f := v.Seg.Sellers; f.Unit.Len() > 0 {
		codes, err := s.matchCodes(f, &indexer.Filter{Values: []string{q.Store}})
		if err != nil {
			return nil, err
		}
		s.sellers = &codes
	}
	for i := range q.Filters {
		f, err := s.newFilter(&q.Filters[i], q.IsAttribute(i))
		if err != nil {
			return nil, err
		}
		s.filters = append(s.filters, f)
	}
	for _, g := range q.groups {
		var list []*filter
		for _, i := range g.filters {
			list = append(list, s.filters[i])
		}
		s.groups = append(s.groups, list)
	}
	s.picky = q.InStockOnly || s.sellers != nil || len(q.Filters) > 0 || q.Variants
	if q.Sort.By == indexer.SortRelevance || q.Sort.By == indexer.SortPosition {
		if err := s.merchandise(); err != nil {
			return nil, err
		}
	}
	s.order, err = s.newOrder()
	return s, err
}

// merchandise looks pins and boosts up.
func (s *seg) merchandise() error {
	for i, sku := range s.q.Pins {
		if k, ok := s.Seg.SKUs.Find([]byte(sku)); ok {
			if s.pins == nil {
				s.pins = map[uint32]int{}
			}
			if _, ok := s.pins[uint32(k)]; !ok {
				s.pins[uint32(k)] = i
			}
		}
	}
	for i := range s.q.Boosts {
		b := boost{points: s.q.Boosts[i].Points, skus: map[uint32]bool{}}
		for _, sku := range s.q.Boosts[i].SKUs {
			if k, ok := s.Seg.SKUs.Find([]byte(sku)); ok {
				b.skus[uint32(k)] = true
			}
		}
		for j := range s.q.Boosts[i].Filters {
			f := &s.q.Boosts[i].Filters[j]
			x, err := s.newFilter(f, !indexer.Reserved(f.Field))
			if err != nil {
				return err
			}
			b.filters = append(b.filters, x)
		}
		s.boosts = append(s.boosts, b)
	}
	return nil
}

// eligible reports whether a unit can be sold to whoever asks.
func (s *seg) eligible(row uint32, complicated bool) bool {
	if complicated && s.sellers != nil {
		if code := s.Seg.Sellers.Unit.Get(row); code != 0 && !s.sellers.Has(code) {
			return false
		}
	}
	return !s.q.InStockOnly || s.Live.InStock(row)
}

// price returns what a unit costs whoever asks.
func (s *seg) price(row uint32) (amount, regular int64, ok bool) {
	for _, sc := range s.scopes {
		if amount, regular, ok = s.Live.Price(sc, row); ok {
			return
		}
	}
	return 0, 0, false
}

// amount is price without the regular one.
func (s *seg) amount(row uint32) (int64, bool) {
	for _, sc := range s.scopes {
		if a, ok := s.Live.Amount(sc, row); ok {
			return a, true
		}
	}
	return 0, false
}

// rows returns the rows of a document: those from the first and below the
// second.
func (s *seg) rows(doc uint32) (from, to uint32) {
	return uint32(s.Seg.First.At(int(doc))), uint32(s.Seg.First.At(int(doc) + 1))
}

// fails returns the groups whose filters a unit does not meet, one bit each.
func (s *seg) fails(doc, row uint32, complicated bool) uint64 {
	mask := uint64(0)
	for g, list := range s.groups {
		for _, f := range list {
			if !f.meets(s, doc, row, complicated) {
				mask |= 1 << g
				break
			}
		}
	}
	return mask
}

// points sums the boosts that hold for a document.
func (s *seg) points(doc uint32, complicated bool) int {
	n := 0
	for i := range s.boosts {
		if b := &s.boosts[i]; b.skus[uint32(s.Seg.DocSKU.At(int(doc)))] || b.holds(s, doc, complicated) {
			n += b.points
		}
	}
	return n
}

func (b *boost) holds(s *seg, doc uint32, complicated bool) bool {
	if len(b.filters) == 0 {
		return false
	}
	from, to := s.rows(doc)
	for row := from; row < to; row++ {
		if s.eligible(row, complicated) && !slices.ContainsFunc(b.filters, func(f *filter) bool { return !f.meets(s, doc, row, complicated) }) {
			return true
		}
	}
	return false
}

// lookUpWords looks the words up for a step of relaxation.
func (s *seg) lookUpWords() error {
	s.words = s.words[:0]
	for i := range s.q.Words {
		typos := s.q.relaxed > indexer.RelaxedNot || s.q.unknown[i]
		if !typos && s.known != nil && s.known[i] != nil {
			s.words = append(s.words, *s.known[i])
			continue
		}
		m, err := s.q.matchWord(s.Seg, &s.q.Words[i], typos)
		if err != nil {
			return err
		}
		s.words = append(s.words, m)
	}
	if s.q.Exact != "" && s.exact == nil {
		s.exact = map[uint32]bool{}
		for _, sku := range s.Seg.FoldedSKUs(nil, s.q.Exact) {
			for lo, hi := s.Seg.DocsOf(sku); lo < hi; lo++ {
				s.exact[lo] = true
			}
			for _, row := range s.Seg.RowsOf(nil, sku) {
				s.exact[s.Seg.DocOf(row)] = true
			}
		}
	}
	return nil
}
