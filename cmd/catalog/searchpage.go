package main

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"

	"catalog/catalog"
	"catalog/indexer"
)

// searchPage is what search and browse print, as JSON with --json.
type searchPage struct {
	Total        int           `json:"total"`
	Hits         []hitRow      `json:"hits"`
	Facets       []facetRow    `json:"facets"`
	Categories   []categoryRow `json:"categories"`
	Relaxed      string        `json:"relaxed,omitempty"` // typos or any
	Sort         string        `json:"sort"`
	Next         string        `json:"next,omitempty"`
	Cursor       string        `json:"cursor"`
	Milliseconds float64       `json:"milliseconds"`
}

type hitRow struct {
	SKU     string `json:"sku"`
	Parent  string `json:"parent,omitempty"`
	Unit    string `json:"unit,omitempty"`
	Name    string `json:"name,omitempty"`
	Price   string `json:"price,omitempty"`
	Regular string `json:"regular,omitempty"`
	InStock bool   `json:"in_stock"`
	Score   int    `json:"score,omitempty"`
}

type facetRow struct {
	Field  string     `json:"field"`
	Label  string     `json:"label"`
	Unit   string     `json:"unit,omitempty"`
	Values []valueRow `json:"values"`
	More   int        `json:"more,omitempty"`
	Min    *float64   `json:"min,omitempty"`
	Max    *float64   `json:"max,omitempty"`
}

type valueRow struct {
	Value    string `json:"value"` // as a filter takes it
	Label    string `json:"label,omitempty"`
	Count    int    `json:"count"`
	Selected bool   `json:"selected,omitempty"`
}

type categoryRow struct {
	ID    string   `json:"id"`
	Path  []string `json:"path"`
	Count int      `json:"count"`
}

// newSearchPage joins a result with what the store knows of its hits.
func newSearchPage(ctx context.Context, s catalog.Store, e *indexer.Engine, view string, r *indexer.Result) (searchPage, error) {
	p := searchPage{
		Total: r.Total, Relaxed: r.Relaxed.String(), Sort: r.Sort.By, Next: r.Next, Cursor: r.At.String(),
		Hits: []hitRow{}, Facets: []facetRow{}, Categories: []categoryRow{},
	}
	if r.Sort.Desc {
		p.Sort = "-" + p.Sort
	}
	shop, err := e.Shop(ctx)
	if err != nil {
		return p, err
	}
	if p.Hits, err = hitRows(ctx, s, r.Hits, view); err != nil {
		return p, err
	}
	for _, f := range r.Facets {
		p.Facets = append(p.Facets, newFacetRow(f))
	}
	for _, c := range r.Categories {
		p.Categories = append(p.Categories, categoryRow{c.ID, shop.NamesOf(c.ID, view), c.Count})
	}
	return p, nil
}

func newFacetRow(f indexer.Facet) facetRow {
	row := facetRow{Field: f.Field, Label: f.Label, Unit: f.Unit, More: f.More, Values: []valueRow{}}
	for _, v := range f.Values {
		row.Values = append(row.Values, valueRow{v.Value, v.Label, v.Count, v.Selected})
	}
	for _, v := range f.Ranges {
		row.Values = append(row.Values, valueRow{Value: v.String(), Count: v.Count, Selected: v.Selected})
	}
	if len(f.Ranges) > 0 {
		row.Min, row.Max = &f.Min, &f.Max
	}
	return row
}

// hitRows returns hits with the names of their products.
func hitRows(ctx context.Context, s catalog.Store, hits []indexer.Hit, view string) ([]hitRow, error) {
	rows := make([]hitRow, len(hits))
	keys := make([]catalog.Key, 0, 2*len(hits))
	for _, h := range hits {
		keys = append(keys, catalog.Key(h.SKU), catalog.Key(cmp.Or(h.Parent, h.SKU)))
	}
	records, err := s.Get(ctx, catalog.KindProduct, keys...)
	if err != nil {
		return nil, err
	}
	for i, h := range hits {
		rows[i] = hitRow{SKU: h.SKU, Parent: h.Parent, InStock: h.InStock, Score: h.Score}
		if h.Unit != h.SKU {
			rows[i].Unit = h.Unit
		}
		if h.HasPrice {
			rows[i].Price = h.Price.String()
			if h.Regular != h.Price {
				rows[i].Regular = h.Regular.String()
			}
		}
		for _, r := range records[2*i : 2*i+2] { // a variant without a record has its parent's name
			if r.Exists() && rows[i].Name == "" {
				if rows[i].Name, err = nameOf(r.Body, view); err != nil {
					return nil, err
				}
			}
		}
	}
	return rows, nil
}

// nameOf returns a product's name in a store view.
func nameOf(body []byte, view string) (string, error) {
	if view != "" {
		var err error
		if body, err = overlaid(body, view); err != nil {
			return "", err
		}
	}
	name := catalog.Value(catalog.MemberValue(body, "name"))
	switch name.Type() {
	case catalog.ValueString:
		return name.Text(), nil
	case catalog.ValueObject:
		for _, v := range name.Members() {
			return v.Text(), nil
		}
	}
	return "", nil
}

// printPage writes a page for people.
func printPage(w io.Writer, page *searchPage) error {
	p := &printer{w: w}
	p.printf("%s products in %s ms, by %s", count(int64(page.Total)), strconv.FormatFloat(page.Milliseconds, 'f', -1, 64), page.Sort)
	switch page.Relaxed {
	case "typos":
		p.printf("; nothing matches as typed, so words may have typos")
	case "any":
		p.printf("; nothing matches all words, so any will do")
	}
	p.printf("\n")
	if len(page.Categories) > 0 {
		var parts []string
		for _, c := range page.Categories {
			name := c.ID
			if len(c.Path) > 0 {
				name = c.Path[len(c.Path)-1]
			}
			parts = append(parts, name+" ("+count(int64(c.Count))+")")
		}
		p.printf("\ncategories: %s\n", strings.Join(parts, ", "))
	}
	for i, f := range page.Facets {
		if i == 0 {
			p.printf("\n")
		}
		p.printf("%s\n", facetLine(f))
	}
	var rows [][]string
	for _, h := range page.Hits {
		price := h.Price
		if h.Regular != "" {
			price += " (" + h.Regular + ")"
		}
		stock := ""
		if !h.InStock {
			stock = "sold out"
		}
		rows = append(rows, []string{h.SKU, clipName(h.Name), price, stock})
	}
	if len(rows) > 0 {
		p.printf("\n%s", table(rows, 2))
	}
	if page.Next != "" {
		p.printf("\nnext page: --after %s\n", page.Next)
	}
	return p.err
}

func facetLine(f facetRow) string {
	var parts []string
	for _, v := range f.Values {
		text := cmp.Or(v.Label, v.Value)
		if v.Selected {
			text = "[" + text + "]"
		}
		parts = append(parts, text+" ("+count(int64(v.Count))+")")
	}
	if f.More > 0 {
		parts = append(parts, "and "+count(int64(f.More))+" more")
	}
	label := f.Label
	if f.Unit != "" {
		label += " in " + f.Unit
	}
	return label + ": " + strings.Join(parts, ", ")
}

// clipName cuts a long name, so that a row stays a row.
func clipName(s string) string {
	const most = 70
	r := []rune(s)
	if len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// treePage is a category and those below it, as JSON.
type treePage struct {
	ID       string      `json:"id,omitempty"`
	Name     string      `json:"name,omitempty"`
	Path     []string    `json:"path,omitempty"`
	Count    int         `json:"count"`
	Hidden   bool        `json:"hidden,omitempty"`
	Children []*treePage `json:"children,omitempty"`
}

func newTreePage(n *indexer.TreeNode) *treePage {
	t := &treePage{ID: n.ID, Name: n.Name, Path: slices.Clone(n.Path), Count: n.Count, Hidden: n.Hidden}
	for _, c := range n.Children {
		t.Children = append(t.Children, newTreePage(c))
	}
	return t
}
