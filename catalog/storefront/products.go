package storefront

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"catalog/catalog"
	"catalog/indexer"
)

// productsQuery is what both forms of asking for products come to.
type productsQuery struct {
	SKUs   []string `json:"skus"`
	Store  string   `json:"store"`
	Fields []string `json:"fields"`
	Expand []string `json:"expand"`
}

func (s *Server) getProducts(a *answer, r *request) error {
	return s.products(a, r, productsQuery{
		SKUs: r.q.all(make([]string, 0, len(r.q)), "sku"), Store: r.q.get("store"), Fields: r.q.list("fields"), Expand: r.q.list("expand"),
	}, "sku")
}

func (s *Server) postProducts(a *answer, r *request) error {
	var q productsQuery
	if err := s.readJSON(r, &q); err != nil {
		return err
	}
	return s.products(a, r, q, "skus")
}

// products answers with documents, in the order asked.
func (s *Server) products(a *answer, r *request, q productsQuery, where string) error {
	skus, err := s.skusOf(q.SKUs, where)
	if err != nil {
		return err
	}
	x, err := s.newExpansion(a, r, q.Store, q.Fields, q.Expand)
	if err != nil {
		return err
	}
	records, err := s.records(r.Context(), catalog.KindProduct, skus)
	if err != nil {
		return err
	}
	a.life = LifeLong
	b := append(a.body, `{"products":[`...)
	n := 0
	var missing []string
	for i := range records {
		a.keys.add(catalog.KindProduct, skus[i])
		if !x.looks.shown(records[i].Body) {
			missing = append(missing, skus[i])
			continue
		}
		b = comma(b, n)
		n++
		b = x.looks.append(b, records[i].Body, "sku")
		x.note(skus[i], records[i].Body)
	}
	b = append(b, `],"missing":`...)
	b = appendStrings(b, missing)
	if b, err = x.appendMaps(r.Context(), b, a); err != nil {
		return err
	}
	a.body = append(b, '}')
	if len(missing) > 0 {
		a.shorten(LifeSearch)
	}
	if n == 0 {
		a.shorten(LifeMissing)
	}
	return nil
}

func (s *Server) getProduct(a *answer, r *request) error {
	sku := r.PathValue("sku")
	x, err := s.newExpansion(a, r, r.q.get("store"), r.q.list("fields"), r.q.list("expand"))
	if err != nil {
		return err
	}
	records, err := s.records(r.Context(), catalog.KindProduct, []string{sku})
	if err != nil {
		return err
	}
	if !x.looks.shown(records[0].Body) {
		return notFound("sku", "store %s has no product %q", x.looks.store, clip(sku))
	}
	a.header = append(a.header, [2]string{"Content-Location", "/v1/products?sku=" + url.QueryEscape(sku)})
	return s.productPage(a, r, x, sku, records[0].Body, nil)
}

// productPage answers with one product.
func (s *Server) productPage(a *answer, r *request, x *expansion, sku string, body []byte, ambiguous []string) error {
	a.life = LifeLong
	a.keys.add(catalog.KindProduct, sku)
	b := append(a.body, `{"type":"product","product":`...)
	b = x.looks.append(b, body, "sku")
	x.note(sku, body)
	var err error
	if b, err = x.appendOne(r.Context(), b, a, body); err != nil {
		return err
	}
	if len(ambiguous) > 1 {
		b = append(b, `,"ambiguous":`...)
		b = appendStrings(b, ambiguous)
		for _, sku := range ambiguous {
			a.keys.add(catalog.KindProduct, sku)
		}
	}
	a.body = append(b, '}')
	return nil
}

// records returns records by their keys; what cannot be a key is not there.
func (s *Server) records(ctx context.Context, kind catalog.Kind, keys []string) ([]catalog.Record, error) {
	list := make([]catalog.Key, len(keys))
	for i, k := range keys {
		list[i] = catalog.Key(k)
	}
	records, err := s.store.Get(ctx, kind, list...)
	if err != nil {
		return nil, fmt.Errorf("storefront: reading %s: %w", kind.Plural(), err)
	}
	return records, nil
}

// expansion is what products bring along beside themselves.
type expansion struct {
	s           *Server
	st          *shopState
	view        *indexer.StoreView
	looks       looks
	variants    bool
	breadcrumbs bool
	skus        []string // of variants that are products of their own
	crumbs      []byte   // members of an object SKU → breadcrumbs
}

func (s *Server) newExpansion(a *answer, r *request, store string, fields, expand []string) (*expansion, error) {
	st, view, err := s.view(a, r, store)
	if err != nil {
		return nil, err
	}
	if len(fields) > maxFields {
		return nil, badRequest("fields", "%d names are more than %d", len(fields), maxFields)
	}
	if len(fields) == 0 {
		fields = nil
	}
	x := &expansion{s: s, st: st, view: view, looks: looksOf(view, fields)}
	for _, e := range expand {
		switch e {
		case "variants":
			x.variants = true
		case "breadcrumbs":
			x.breadcrumbs = true
		default:
			return nil, badRequest("expand", "%q is neither variants nor breadcrumbs", clip(e))
		}
	}
	return x, nil
}

// maxFields bounds how many members can be chosen.
const maxFields = 100

// note remembers what a product brings along.
func (x *expansion) note(sku string, body catalog.Value) {
	if x.variants {
		for v := range catalog.Value(catalog.MemberValue(body, "variants")).Elements() {
			if v.Type() == catalog.ValueString && len(x.skus) < x.s.opts.Limits.SKUs {
				x.skus = append(x.skus, v.Text())
			}
		}
	}
	if x.breadcrumbs {
		if len(x.crumbs) > 0 {
			x.crumbs = append(x.crumbs, ',')
		}
		x.crumbs = appendString(x.crumbs, sku)
		x.crumbs = append(x.crumbs, ':')
		x.crumbs = x.appendBreadcrumbs(x.crumbs, body)
	}
}

// appendMaps appends what several products bring along.
func (x *expansion) appendMaps(ctx context.Context, b []byte, a *answer) ([]byte, error) {
	b, err := x.appendVariants(ctx, b, a)
	if x.breadcrumbs {
		b = append(b, `,"breadcrumbs":{`...)
		b = append(b, x.crumbs...)
		b = append(b, '}')
	}
	return b, err
}

// appendOne appends what one product brings along.
func (x *expansion) appendOne(ctx context.Context, b []byte, a *answer, body catalog.Value) ([]byte, error) {
	b, err := x.appendVariants(ctx, b, a)
	if x.breadcrumbs {
		b = append(b, `,"breadcrumbs":`...)
		b = x.appendBreadcrumbs(b, body)
	}
	return b, err
}

func (x *expansion) appendVariants(ctx context.Context, b []byte, a *answer) ([]byte, error) {
	if !x.variants {
		return b, nil
	}
	slices.Sort(x.skus)
	skus := slices.Compact(x.skus)
	b = append(b, `,"variants":{`...)
	records, err := x.s.records(ctx, catalog.KindProduct, skus)
	if err != nil {
		return b, err
	}
	n := 0
	for i := range records {
		if !x.looks.shown(records[i].Body) {
			continue
		}
		b = comma(b, n)
		n++
		b = appendString(b, skus[i])
		b = append(b, ':')
		b = x.looks.append(b, records[i].Body, "sku")
		a.keys.add(catalog.KindProduct, skus[i])
	}
	return append(b, '}'), nil
}

// appendBreadcrumbs appends, for each of a product's categories, the way to it.
func (x *expansion) appendBreadcrumbs(b []byte, body catalog.Value) []byte {
	b = append(b, '[')
	n := 0
	for e := range x.looks.member(body, "categories").Elements() {
		c := x.category(e)
		if c == nil {
			continue
		}
		b = comma(b, n)
		n++
		b = x.st.appendCrumbs(b, c, x.view)
	}
	return append(b, ']')
}

// category returns the category that an element of categories names, nil of
// one that the store's tree does not have.
func (x *expansion) category(e catalog.Value) *indexer.Category {
	path, id := e, catalog.Value(nil)
	if e.Type() == catalog.ValueObject {
		path, id = catalog.MemberValue(e, "path"), catalog.MemberValue(e, "id")
	}
	var c *indexer.Category
	if id != nil {
		c = x.st.Tree.ByID(id.Text())
	}
	if c == nil && path.Type() == catalog.ValueString {
		c = x.st.Tree.ByPath(indexer.JoinPath(indexer.SplitPath(path.Text())...))
	}
	if c == nil || !below(c, x.view) {
		return nil
	}
	return c
}

func (s *Server) getRelated(a *answer, r *request) error {
	sku := r.q.get("sku")
	if sku == "" {
		return badRequest("sku", "is missing")
	}
	kind := r.q.get("kind")
	switch kind {
	case "":
		kind = "related"
	case "related", "upsell", "crosssell":
	default:
		return badRequest("kind", "%q is neither related, upsell nor crosssell", clip(kind))
	}
	size, err := r.q.number("size", 12, 1, 100)
	if err != nil {
		return err
	}
	_, view, err := s.view(a, r, r.q.get("store"))
	if err != nil {
		return err
	}
	cards, err := newCards(r.q.list("fields"), view)
	if err != nil {
		return err
	}
	if cards.live() {
		return badRequest("fields", "related products have no price or stock in their cards: ask /v1/live for them")
	}
	records, err := s.records(r.Context(), catalog.KindProduct, []string{sku})
	if err != nil {
		return err
	}
	if !cards.looks.shown(records[0].Body) {
		return notFound("sku", "store %s has no product %q", view.Code, clip(sku))
	}
	var skus []string
	for e := range cards.looks.member(records[0].Body, kind).Elements() {
		if e.Type() == catalog.ValueObject {
			e = catalog.MemberValue(e, "sku")
		}
		if e.Type() == catalog.ValueString && len(skus) < 2*size {
			skus = append(skus, e.Text())
		}
	}
	a.life = LifeLong
	a.keys.add(catalog.KindProduct, sku)
	if records, err = s.records(r.Context(), catalog.KindProduct, skus); err != nil {
		return err
	}
	b := append(a.body, `{"products":[`...)
	n := 0
	for i := range records {
		a.keys.add(catalog.KindProduct, skus[i])
		if n < size && cards.looks.shown(records[i].Body) {
			b = comma(b, n)
			n++
			b = cards.append(b, nil, records[i].Body, nil)
		}
	}
	a.body = append(b, "]}"...)
	return nil
}
