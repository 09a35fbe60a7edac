package exec

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"catalog/indexer"
)

// Search answers a query; the caller fills in Result.At. So many workers at
// most share it.
func Search(ctx context.Context, views []View, p *indexer.Prepared, workers int) (r *indexer.Result, err error) {
	defer guard(&err)
	q, err := newQuery(views, p)
	if err != nil {
		return nil, err
	}
	q.most = workers
	return q.search(ctx)
}

func (q *query) search(ctx context.Context) (r *indexer.Result, err error) {
	p := q.Prepared
	size := p.Size
	if p.After == nil {
		size += p.Offset
	}
	h, err := q.relax(ctx, size, len(p.Facets.Names) > 0 || p.Facets.Auto > 0 || len(p.Facets.Children) > 0)
	if err != nil {
		return nil, err
	}
	defer h.release()
	q.releaseWords()
	r = &indexer.Result{Total: h.total, Relaxed: q.relaxed, Sort: p.Sort}
	rest := h.first(size)
	more := h.total
	if p.After != nil {
		more = h.behind
	} else {
		rest = rest[min(p.Offset, len(rest)):]
		more -= min(p.Offset, h.total)
	}
	for i := range rest {
		r.Hits = append(r.Hits, rest[i].hit())
	}
	if n := len(rest); n > 0 && n < more {
		r.Next = (&indexer.Keyset{Sort: p.Sort, Key: rest[n-1].sortKey(), Relaxed: q.relaxed}).String()
	}
	r.Facets, r.Categories, err = h.facets(ctx)
	return r, err
}

// guard turns what bytes that are not what they should be can do into an
// error: they pass for an index, for their checksums hold.
func guard(err *error) {
	if x := recover(); x != nil {
		e, ok := x.(runtime.Error)
		if !ok {
			panic(x)
		}
		*err = fmt.Errorf("exec: %w: %v", indexer.ErrCorrupt, e)
	}
}

// relax finds hits, giving up more and more until there are some.
func (q *query) relax(ctx context.Context, size int, sampled bool) (*hits, error) {
	q.unknown = make([]bool, len(q.Words))
	if q.After != nil {
		q.relaxed = q.After.Relaxed
	}
	if len(q.Words) > 0 && q.relaxed == indexer.RelaxedNot {
		if err := q.findUnknown(ctx); err != nil {
			return nil, err
		}
	}
	h, err := q.find(ctx, size, sampled)
	for err == nil && q.After == nil && h.total == 0 && len(q.Words) > 0 && q.relaxed < indexer.RelaxedAny {
		h.release()
		q.relaxed++
		h, err = q.find(ctx, size, sampled)
	}
	if err != nil || h.total > 0 || q.relaxed == indexer.RelaxedNot {
		return h, err
	}
	// Nothing at all: facets that leave their own filters out are those of
	// the words as they are.
	h.release()
	q.relaxed = indexer.RelaxedNot
	if q.After != nil {
		if err := q.findUnknown(ctx); err != nil {
			return nil, err
		}
	}
	h, err = q.find(ctx, size, sampled)
	if err == nil {
		h.total, h.behind, h.best = 0, 0, nil
	}
	return h, err
}

// first returns the first n hits of all segments in order.
func (h *hits) first(n int) []cand {
	var all []cand
	for i := range h.best {
		all = append(all, h.best[i].list...)
	}
	slices.SortFunc(all, func(a, b cand) int { return compare(&a, &b) })
	return all[:min(n, len(all))]
}

// hit returns what is shown of a hit.
func (c *cand) hit() indexer.Hit {
	s := c.seg
	str := func(sku int64) string { return s.Seg.SKUs.String(int(sku)) }
	r := indexer.Hit{SKU: str(s.Seg.DocSKU.At(int(c.doc))), Score: c.score}
	complicated := s.Seg.Flags.At(int(c.doc))&flagComplex != 0
	from, to := s.rows(c.doc)
	if s.q.Variants {
		from, to = c.row, c.row+1
		if sku := s.Seg.RowSKU.At(int(c.row)); sku != s.Seg.DocSKU.At(int(c.doc)) {
			r.Parent, r.SKU = r.SKU, str(sku)
		}
	}
	var all, met cheapest
	for row := from; row < to; row++ {
		if !s.eligible(row, complicated) {
			continue
		}
		r.InStock = r.InStock || s.Live.InStock(row)
		all.add(s, row)
		if s.fails(c.doc, row, complicated) == 0 {
			met.add(s, row)
		}
	}
	if all.found && all.priced {
		r.Price, r.Regular, r.HasPrice = indexer.Amount(all.amount), indexer.Amount(all.regular), true
	}
	if met.found {
		r.Unit = str(s.Seg.RowSKU.At(int(met.row)))
	}
	return r
}

// cheapest is the unit with the lowest price; one with a price before one
// without, and the lowest SKU, which comes first, of equal ones.
type cheapest struct {
	found, priced   bool
	row             uint32
	amount, regular int64
}

func (c *cheapest) add(s *seg, row uint32) {
	a, r, ok := s.price(row)
	if c.found && (c.priced && !ok || c.priced == ok && a >= c.amount) {
		return
	}
	*c = cheapest{true, ok, row, a, r}
}

// Rank returns the place of a SKU among the hits, from 1; 0 if it is none.
func Rank(ctx context.Context, views []View, p *indexer.Prepared, sku string) (n int, err error) {
	defer guard(&err)
	all := *p
	all.Offset, all.Size, all.After = 0, 0, nil
	all.Facets = indexer.PreparedFacets{Labels: p.Facets.Labels}
	q, err := newQuery(views, &all)
	if err != nil {
		return 0, err
	}
	// Which step of relaxation, and how many hits, without an order.
	if _, err := q.relax(ctx, 0, false); err != nil {
		return 0, err
	}
	// The hit itself: the first of those of its SKU.
	only := all
	only.Filters = append(slices.Clone(all.Filters), indexer.Filter{Field: indexer.FieldSKU, Values: []string{sku}})
	only.Attribute = make([]bool, len(only.Filters))
	copy(only.Attribute, all.Attribute)
	only.Size = 1 << 20
	one, err := newQuery(views, &only)
	if err != nil {
		return 0, err
	}
	one.relaxed, one.unknown = q.relaxed, q.unknown
	h, err := one.find(ctx, only.Size, false)
	if err != nil {
		return 0, err
	}
	list := h.first(only.Size)
	i := slices.IndexFunc(list, func(c cand) bool { return string(c.sku()) == sku })
	if i < 0 {
		return 0, nil
	}
	all.After = &indexer.Keyset{Sort: p.Sort, Key: list[i].sortKey(), Relaxed: q.relaxed}
	unknown := q.unknown
	if q, err = newQuery(views, &all); err != nil {
		return 0, err
	}
	q.relaxed, q.unknown = all.After.Relaxed, unknown
	if h, err = q.find(ctx, 0, false); err != nil {
		return 0, err
	}
	equal := 0
	for k := range list {
		if string(list[k].sku()) == sku {
			equal++
		}
	}
	return h.total - h.behind - equal + 1, nil
}
