package storefront

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"catalog/catalog"
	"catalog/indexer"
)

// browse answers with a category's page.
func (s *Server) browse(a *answer, r *request) error {
	q, err := s.readQuery(r)
	if err != nil {
		return err
	}
	if q.Category == "" {
		return badRequest("category", "is missing: name a category by path or id; /v1/categories lists them")
	}
	return s.page(a, r, q)
}

// search answers with search results.
func (s *Server) search(a *answer, r *request) error {
	q, err := s.readQuery(r)
	if err != nil {
		return err
	}
	return s.page(a, r, q)
}

// asked is a request for products as the engine gets it, and what its answer is
// made with.
type asked struct {
	st       *shopState
	view     *indexer.StoreView
	cards    *cards
	group    string            // of who asks, where prices depend on it
	live     bool              // price or stock shape the answer
	category *indexer.Category // nil: none
	query    indexer.Query
}

// ask turns a request into what is asked of the engine.
func (s *Server) ask(a *answer, r *request, q *pageQuery) (*asked, error) {
	x := new(asked)
	var err error
	if x.st, x.view, err = s.view(a, r, q.Store); err != nil {
		return nil, err
	}
	q.Store = x.view.Code
	if x.cards, err = newCards(q.Fields, x.view); err != nil {
		return nil, err
	}
	x.live = q.live() || x.cards.live() || x.st.Settings.InStockOnly
	var lists []string
	if x.live || q.Group != "" || len(q.Lists) > 0 {
		if x.group, lists, err = s.who(a, r, q.Group, q.Lists); err != nil {
			return nil, err
		}
	}
	if x.query, err = q.query(x.group, lists); err != nil {
		return nil, err
	}
	if q.Category == "" {
		return x, nil
	}
	if x.category, err = x.st.categoryOf(q.Category, x.view); err != nil {
		return nil, err
	}
	x.query.Category = x.category.ID
	if x.st.Tree.ByID(x.category.ID) != x.category { // another record has that path for its ID
		x.query.Category = x.category.Path
	}
	return x, nil
}

// page answers with everything that a page of products needs.
func (s *Server) page(a *answer, r *request, q *pageQuery) error {
	ctx := r.Context()
	x, err := s.ask(a, r, q)
	if err != nil {
		return err
	}
	st, view, cards, category, live := x.st, x.view, x.cards, x.category, x.live
	res, err := s.engine.Search(ctx, x.query)
	if err != nil {
		return err
	}
	records, parents, err := s.hitRecords(ctx, res.Hits)
	if err != nil {
		return err
	}
	for i := range res.Facets { // the shop's settings may add some
		live = live || res.Facets[i].Field == indexer.FieldPrice || res.Facets[i].Field == indexer.FieldStock
	}
	if a.life == LifeNone {
		switch {
		case live:
			a.life = LifePrice
		case category == nil || q.Q != "":
			a.life = LifeSearch
		default:
			a.life = LifeLong
		}
	}
	if category != nil && a.life >= LifeSearch {
		a.keys.add(catalog.KindCategory, category.ID)
	}
	p := &pageWriter{s: s, a: a, st: st, view: view, q: q, cards: cards, group: x.group}
	b := p.head(a.body, &x.query, res)
	b = append(b, `,"products":[`...)
	for i := range res.Hits {
		b = comma(b, i)
		b = cards.append(b, &res.Hits[i], records[i], parents[i])
		if a.life >= LifeSearch {
			a.keys.add(catalog.KindProduct, res.Hits[i].SKU)
		}
	}
	b = append(b, `],"facets":[`...)
	for i := range res.Facets {
		b = comma(b, i)
		b = p.facet(b, &res.Facets[i])
	}
	b = p.categories(append(b, ']'), res)
	if category != nil {
		if b, err = s.appendCategory(ctx, appendName(b, "category"), category, view); err != nil {
			return err
		}
		b = st.appendCrumbs(appendName(b, "breadcrumbs"), category, view)
	}
	if q.Q != "" {
		s.searches.note(q.Q, res.Total)
		b = p.advice(b, res, records)
	}
	a.body = append(b, '}')
	a.header = append(a.header, [2]string{"X-Index-Cursor", res.At.String()})
	return nil
}

// hitRecords returns the documents of hits, and of the products of variants
// that have none.
func (s *Server) hitRecords(ctx context.Context, hits []indexer.Hit) (bodies, parents []catalog.Value, err error) {
	keys := make([]string, 0, len(hits))
	for i := range hits {
		keys = append(keys, hits[i].SKU)
	}
	records, err := s.records(ctx, catalog.KindProduct, keys)
	if err != nil {
		return nil, nil, err
	}
	bodies, parents = make([]catalog.Value, len(hits)), make([]catalog.Value, len(hits))
	var want []string
	var at []int
	for i := range records {
		bodies[i] = records[i].Body
		if bodies[i] == nil && hits[i].Parent != "" {
			want, at = append(want, hits[i].Parent), append(at, i)
		}
	}
	if len(want) == 0 {
		return bodies, parents, nil
	}
	if records, err = s.records(ctx, catalog.KindProduct, want); err != nil {
		return nil, nil, err
	}
	for j, i := range at {
		parents[i] = records[j].Body
	}
	return bodies, parents, nil
}

// pageWriter writes the parts of a page.
type pageWriter struct {
	s     *Server
	a     *answer
	st    *shopState
	view  *indexer.StoreView
	q     *pageQuery
	cards *cards
	group string
}

// head appends what says which page this is.
func (p *pageWriter) head(b []byte, iq *indexer.Query, res *indexer.Result) []byte {
	b = append(b, `{"store":`...)
	b = appendString(b, p.view.Code)
	if p.q.Q != "" {
		b = appendField(b, "q", p.q.Q)
	}
	b = appendInt(b, "total", res.Total)
	if iq.After == "" {
		b = appendInt(b, "page", max(iq.Page, 1))
	}
	size := iq.Size
	if size == 0 {
		size = indexer.DefaultSize
	}
	b = appendInt(b, "size", size)
	if res.Next != "" {
		b = appendField(b, "next", res.Next)
	}
	sort := res.Sort.By
	if res.Sort.Desc {
		sort = "-" + sort
	}
	b = appendField(b, "sort", sort)
	return appendStrings(appendName(b, "sorts"), p.sorts(sort))
}

// sorts returns what the page can be sorted by.
func (p *pageWriter) sorts(now string) []string {
	out := make([]string, 0, 6)
	if p.q.Q != "" {
		out = append(out, indexer.SortRelevance)
	}
	if p.q.Category != "" {
		out = append(out, indexer.SortPosition)
	}
	out = append(out, indexer.SortPrice, "-"+indexer.SortPrice, indexer.SortName, indexer.SortNewest)
	if !slices.Contains(out, now) {
		out = append(out, now)
	}
	return out
}

// facet appends a facet; each choice brings the filter that makes it.
func (p *pageWriter) facet(b []byte, f *indexer.Facet) []byte {
	label := f.Label
	if label == "" {
		label = f.Field
	}
	b = append(b, `{"field":`...)
	b = appendString(b, f.Field)
	b = appendField(b, "label", label)
	if f.Unit != "" {
		b = appendField(b, "unit", f.Unit)
	}
	if len(f.Ranges) > 0 {
		b = append(b, `,"type":"ranges"`...)
		if !math.IsInf(f.Min, 0) && !math.IsNaN(f.Min) && !math.IsInf(f.Max, 0) && !math.IsNaN(f.Max) {
			b = strconv.AppendFloat(appendName(b, "min"), f.Min, 'g', -1, 64)
			b = strconv.AppendFloat(appendName(b, "max"), f.Max, 'g', -1, 64)
		}
	} else {
		b = append(b, `,"type":"values"`...)
	}
	if f.More > 0 {
		b = appendInt(b, "more", f.More)
	}
	b = append(b, `,"values":[`...)
	n := 0
	choice := func(value, label string, count int, selected bool, filter indexer.Filter) {
		b = comma(b, n)
		n++
		b = append(b, `{"value":`...)
		b = appendString(b, value)
		b = appendField(b, "label", label)
		b = appendInt(b, "count", count)
		if selected {
			b = appendBool(b, "selected", true)
		}
		b = appendField(b, "filter", filter.String())
		b = append(b, '}')
	}
	for _, v := range f.Values {
		label := v.Label
		if label == "" {
			label = v.Value
		}
		choice(v.Value, label, v.Count, v.Selected, indexer.Filter{Field: f.Field, Values: []string{v.Value}})
	}
	for _, v := range f.Ranges {
		choice(v.String(), v.String(), v.Count, v.Selected, indexer.Filter{Field: f.Field, Ranges: []indexer.Range{v.Range}})
	}
	return append(b, "]}"...)
}

// categories appends the categories below, with their hits.
func (p *pageWriter) categories(b []byte, res *indexer.Result) []byte {
	b = append(b, `,"categories":[`...)
	n := 0
	for _, c := range res.Categories {
		node := p.st.Tree.ByID(c.ID)
		if node == nil || node.Hidden || c.Count == 0 {
			continue
		}
		b = comma(b, n)
		n++
		b = appendCount(b, node, p.view, c.Count)
	}
	return append(b, ']')
}

// advice appends what to tell who searched: what was given up, what was
// perhaps meant, where to go at once.
func (p *pageWriter) advice(b []byte, res *indexer.Result, bodies []catalog.Value) []byte {
	if res.Relaxed != indexer.RelaxedNot {
		b = appendField(b, "relaxed", res.Relaxed.String())
	}
	b = p.redirect(b, res)
	if meant := correction(p.q.Q, bodies, &p.cards.looks); meant != "" {
		b = appendStrings(appendName(b, "corrections"), []string{meant})
	}
	return b
}

// redirect appends where a text leads at once: where the shop says, or to the
// product whose SKU it is.
func (p *pageWriter) redirect(b []byte, res *indexer.Result) []byte {
	text := indexer.Fold(strings.TrimSpace(p.q.Q))
	if url := p.s.opts.Redirects[text]; url != "" {
		b = append(b, `,"redirect":{"type":"url"`...)
		b = appendField(b, "url", url)
		return append(b, '}')
	}
	if len(res.Hits) > 0 && res.Hits[0].Score >= indexer.ExactPoints && indexer.Fold(res.Hits[0].SKU) == text {
		b = append(b, `,"redirect":{"type":"product"`...)
		b = appendField(b, "sku", res.Hits[0].SKU)
		return append(b, '}')
	}
	return b
}
