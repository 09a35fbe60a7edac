package storefront

import (
	"encoding/json"
	"net/http"

	"catalog/indexer"
)

// pageQuery is a query as requests make it.
type pageQuery struct {
	Q           string       `json:"q"`
	Category    string       `json:"category"`
	Filters     []filterText `json:"filters"`
	Facets      []string     `json:"facets"`
	AutoFacets  *int         `json:"auto_facets"`
	FacetValues int          `json:"facet_values"`
	Sort        string       `json:"sort"`
	Variants    bool         `json:"variants"`
	Page        int          `json:"page"`
	Size        int          `json:"size"`
	After       string       `json:"after"`
	Limit       int          `json:"limit"`
	Fields      []string     `json:"fields"`
	Store       string       `json:"store"`
	Currency    string       `json:"currency"`
	Group       string       `json:"group"`
	Lists       []string     `json:"lists"`
}

// filterText is a filter of a JSON body: a text as people write it, or an
// object.
type filterText struct{ indexer.Filter }

// UnmarshalJSON reads either form.
func (f *filterText) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var text string
		if err := json.Unmarshal(b, &text); err != nil {
			return decodeError(err)
		}
		var err error
		f.Filter, err = indexer.ParseFilter(text)
		if err != nil {
			return problemOf(err)
		}
		return nil
	}
	var o struct {
		Field  string   `json:"field"`
		Not    bool     `json:"not"`
		Exists bool     `json:"exists"`
		Values []string `json:"values"`
		Ranges []struct {
			From *float64 `json:"from"`
			To   *float64 `json:"to"`
			Open bool     `json:"open"`
		} `json:"ranges"`
	}
	if err := strictJSON(b, &o); err != nil {
		return err
	}
	if o.Field == "" {
		return badRequest("filters", "a filter names no field")
	}
	f.Filter = indexer.Filter{Field: o.Field, Not: o.Not, Exists: o.Exists, Values: o.Values}
	for _, r := range o.Ranges {
		f.Ranges = append(f.Ranges, indexer.Range{From: r.From, To: r.To, Open: r.Open})
	}
	if len(f.Values) == 0 && len(f.Ranges) == 0 {
		f.Exists = true
	}
	return nil
}

// Bounds of a query's parameters; the document has them, too.
const (
	maxAutoFacets   = 50
	maxFacets       = 50
	maxFacetValues  = 1000
	maxPage         = indexer.MaxHits
	autoFacets      = 8
	facetValues     = 20
	maxSuggestions  = 100
	maxQueryText    = 1000
	maxCursorLength = 4096
)

// readQuery reads the query of a request, whatever its method.
func (s *Server) readQuery(r *request) (*pageQuery, error) {
	q := &pageQuery{}
	if r.Method == http.MethodPost {
		if err := s.readJSON(r, q); err != nil {
			return nil, err
		}
		for _, n := range [...]struct {
			name    string
			n, most int
		}{
			{"page", q.Page, maxPage}, {"size", q.Size, indexer.MaxSize}, {"facet_values", q.FacetValues, maxFacetValues}, {"limit", q.Limit, maxSuggestions},
		} {
			if n.n < 0 || n.n > n.most {
				return nil, badRequest(n.name, "%d is no number from 1 to %d", n.n, n.most)
			}
		}
		if q.AutoFacets != nil && (*q.AutoFacets < 0 || *q.AutoFacets > maxAutoFacets) {
			return nil, badRequest("auto_facets", "%d is no number from 0 to %d", *q.AutoFacets, maxAutoFacets)
		}
		return q, s.checkQuery(q)
	}
	p := r.q
	q.Q, q.Category, q.Sort, q.After = p.get("q"), p.get("category"), p.get("sort"), p.get("after")
	q.Store, q.Currency, q.Group = p.get("store"), p.get("currency"), p.get("group")
	q.Fields = p.list("fields")
	q.Lists = p.all(nil, "list")
	q.Facets = p.all(nil, "facet")
	for _, text := range p.all(nil, "filter") {
		f, err := indexer.ParseFilter(text)
		if err != nil {
			bad := problemOf(err)
			bad.Where = "filter"
			return nil, bad
		}
		q.Filters = append(q.Filters, filterText{f})
	}
	var err error
	if p.has("auto_facets") {
		n, err := p.number("auto_facets", 0, 0, maxAutoFacets)
		if err != nil {
			return nil, err
		}
		q.AutoFacets = &n
	}
	if q.FacetValues, err = p.number("facet_values", 0, 1, maxFacetValues); err != nil {
		return nil, err
	}
	if q.Page, err = p.number("page", 0, 1, maxPage); err != nil {
		return nil, err
	}
	if q.Size, err = p.number("size", 0, 1, indexer.MaxSize); err != nil {
		return nil, err
	}
	if q.Limit, err = p.number("limit", 0, 1, maxSuggestions); err != nil {
		return nil, err
	}
	if q.Variants, err = p.flag("variants"); err != nil {
		return nil, err
	}
	return q, s.checkQuery(q)
}

// checkQuery refuses what would cost too much.
func (s *Server) checkQuery(q *pageQuery) error {
	l := s.opts.Limits
	values := 0
	for i := range q.Filters {
		values += len(q.Filters[i].Values) + len(q.Filters[i].Ranges)
	}
	switch {
	case len(q.Filters) > l.Filters:
		return badRequest("filter", "%d filters are more than %d", len(q.Filters), l.Filters)
	case values > l.Values:
		return badRequest("filter", "%d values of filters are more than %d", values, l.Values)
	case len(q.Facets) > maxFacets:
		return badRequest("facet", "%d facets are more than %d", len(q.Facets), maxFacets)
	case len(q.Q) > maxQueryText:
		return badRequest("q", "a text of %d bytes is longer than %d", len(q.Q), maxQueryText)
	case len(q.After) > maxCursorLength:
		return badRequest("after", "this is no cursor: take next of the page before as it is")
	case len(q.Category) > maxCategoryText:
		return badRequest("category", "%d bytes are longer than any path", len(q.Category))
	}
	return nil
}

// query turns it into the index's.
func (q *pageQuery) query(group string, lists []string) (indexer.Query, error) {
	out := indexer.Query{
		View: indexer.View{Store: q.Store, Currency: q.Currency, Group: group, Lists: lists},
		Text: q.Q, Category: q.Category, Variants: q.Variants, Page: q.Page, Size: q.Size, After: q.After,
	}
	for i := range q.Filters {
		out.Filters = append(out.Filters, q.Filters[i].Filter)
	}
	var err error
	if out.Sort, err = indexer.ParseSort(q.Sort); err != nil {
		bad := problemOf(err)
		bad.Where = "sort"
		return out, bad
	}
	out.Facets = indexer.Facets{Names: q.Facets, Auto: autoFacets, Values: facetValues}
	if q.AutoFacets != nil {
		out.Facets.Auto = *q.AutoFacets
	}
	if q.FacetValues > 0 {
		out.Facets.Values = q.FacetValues
	}
	return out, nil
}

// live reports whether the answer depends on price or stock.
func (q *pageQuery) live() bool {
	isLive := func(field string) bool { return field == indexer.FieldPrice || field == indexer.FieldStock }
	for i := range q.Filters {
		if isLive(q.Filters[i].Field) {
			return true
		}
	}
	for _, f := range q.Facets {
		if isLive(f) {
			return true
		}
	}
	sort, err := indexer.ParseSort(q.Sort)
	return err == nil && isLive(sort.By)
}
