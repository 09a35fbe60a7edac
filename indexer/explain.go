package indexer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"catalog/catalog"
)

// Reason is the stable code of why a product is not shown.
type Reason string

// The reasons, in the order in which they are looked for.
const (
	ReasonMissing    Reason = "missing"      // the store has no such product
	ReasonDead       Reason = "dead_letter"  // the index did not take it
	ReasonDisabled   Reason = "disabled"     // status, of the base record or the store's overlay
	ReasonWebsite    Reason = "website"      // it is not in the store's website
	ReasonVisibility Reason = "visibility"   // hidden from what was asked for
	ReasonUnits      Reason = "no_variants"  // a configurable without an enabled variant
	ReasonCategory   Reason = "no_category"  // it is not in the category asked for, or in none
	ReasonPending    Reason = "not_indexed"  // the index has not followed so far
	ReasonStock      Reason = "out_of_stock" // and the shop shows only what is in stock
	ReasonText       Reason = "text"         // words do not match
	ReasonFilter     Reason = "filtered_out" // no unit meets all filters
	ReasonVariant    Reason = "variant"      // it is shown as part of its product only
)

// Cause is one of the reasons why a product is not shown.
type Cause struct {
	Reason Reason
	Detail string // a sentence for people
}

// Explanation is why a product is, or is not, shown to who asks.
type Explanation struct {
	SKU     string
	Store   string
	Shown   bool
	Causes  []Cause  // why not; empty of one that is shown
	Notes   []string // what else there is to know: prices, views, parents
	Parents []string // products that it is a variant of
	Rank    int      // place among the hits, from 1; 0 of none
	Total   int      // hits
	Score   int
	Words   []WordMatch // where the words of the text were found
	Doc     *Document   // as the store's records make it now; nil if they make none
}

// WordMatch says how a word of the text was found.
type WordMatch struct {
	Word  string
	Found string // the word of the product; "" if none matches
	Class string
	Score int
}

// String returns the class's name for people.
func (c Class) String() string {
	return [NumClasses]string{"category", "name", "brand", "sku", "attribute", "description"}[c]
}

// Explain says why a product is or is not among the hits of a query; the zero
// Query asks whether it is shown at all.
func (e *Engine) Explain(ctx context.Context, sku string, q Query) (*Explanation, error) {
	shop, err := e.Shop(ctx)
	if err != nil {
		return nil, err
	}
	now := e.opts.Now()
	p, err := shop.Prepare(q, now)
	if err != nil {
		return nil, err
	}
	x := &explainer{Explanation: Explanation{SKU: sku, Store: p.Store}, e: e, shop: shop, p: p}
	if err := x.run(ctx, now); err != nil {
		return nil, err
	}
	x.Shown = x.Rank > 0
	if x.Shown {
		x.Causes = nil
	}
	return &x.Explanation, nil
}

type explainer struct {
	Explanation
	e    *Engine
	shop *Shop
	p    *Prepared
}

func (x *explainer) because(r Reason, format string, args ...any) {
	x.Causes = append(x.Causes, Cause{r, fmt.Sprintf(format, args...)})
}

func (x *explainer) note(format string, args ...any) {
	x.Notes = append(x.Notes, fmt.Sprintf(format, args...))
}

func (x *explainer) run(ctx context.Context, now time.Time) error {
	l := newLoader(x.e.store)
	if err := l.products(ctx, []string{x.SKU}); err != nil {
		return err
	}
	var err error
	if x.Parents, err = parents(ctx, x.e.store, x.SKU); err != nil {
		return err
	}
	body := l.get(catalog.KindProduct, x.SKU)
	if body == nil {
		if len(x.Parents) > 0 {
			x.because(ReasonVariant, "it is a variant of %s, and is shown as part of it only", strings.Join(x.Parents, ", "))
		} else {
			x.because(ReasonMissing, "the store has no product of that SKU")
		}
		return nil
	}
	docs := x.shop.Mapper().Map(Source{SKU: x.SKU, Body: body, Get: l.get}, now)
	for _, d := range docs {
		if slices.Contains(d.Stores, x.Store) {
			x.Doc = d
		}
	}
	if x.Doc == nil {
		x.hidden(body, docs)
		return nil
	}
	x.matches()
	if x.Rank, err = x.e.index.Rank(ctx, x.p, x.SKU); err != nil && !errors.Is(err, ErrNoIndex) {
		return err
	}
	if err == nil {
		count := *x.p
		count.Size, count.Offset, count.Facets = 1, 0, PreparedFacets{Labels: x.p.Facets.Labels}
		res, err := x.e.index.Search(ctx, &count)
		if err != nil {
			return err
		}
		x.Total = res.Total
	}
	if x.Rank == 0 && len(x.Causes) == 0 {
		if err := x.dead(ctx); err != nil {
			return err
		}
		if len(x.Causes) == 0 {
			x.because(ReasonPending, "its records make it a hit, but the index does not have it so yet: it is behind, or wrong (verify tells)")
		}
	}
	return nil
}

// hidden says why no document of a product is seen by the store.
func (x *explainer) hidden(body catalog.Value, docs []*Document) {
	s := newSession(x.shop.Mapper())
	var base, f fields
	s.read(&base, body, rankAttr)
	s.overlay(&f, &base, x.Store)
	if !enabled(&base) && !enabled(&f) {
		x.because(ReasonDisabled, "its status is disabled")
	} else if !enabled(&f) {
		x.because(ReasonDisabled, "its status is disabled in store %s", x.Store)
	}
	if ok := s.allowed(base.websites); ok != nil && !ok[x.shop.Stores.index(x.Store)] {
		x.because(ReasonWebsite, "its websites are %s, and store %s is in %q", base.websites, x.Store, x.shop.Stores.Find(x.Store).Website)
	}
	if search, browse := visible(&f); !search && !browse {
		x.because(ReasonVisibility, "its visibility is none")
		if len(x.Parents) > 0 {
			x.because(ReasonVariant, "it is a variant of %s, and is shown as part of it only", strings.Join(x.Parents, ", "))
		}
	}
	if len(x.Causes) == 0 {
		x.because(ReasonUnits, "it has no variant that is enabled and in this store's website")
	}
	for _, d := range docs {
		x.note("it is shown in %s", strings.Join(d.Stores, ", "))
	}
}

// matches says what of the query the product does not match.
func (x *explainer) matches() {
	d, p := x.Doc, x.p
	if p.Category != "" && !d.In(p.Category) {
		x.because(ReasonCategory, "it is not in the category asked for, but in %s", listOf(x.categories()))
	} else if len(d.Categories) == 0 {
		x.note("it is in no category: search alone finds it")
	}
	rest := *p
	rest.Category = ""
	if !rest.Seen(d) || p.Category != "" && len(p.Words) == 0 && !d.Browse {
		switch {
		case len(p.Words) > 0:
			x.because(ReasonVisibility, "its visibility keeps it out of searches")
		default:
			x.because(ReasonVisibility, "its visibility keeps it out of categories")
		}
	}
	missed := 0
	for i := range p.Words {
		m := p.Words[i].where(d)
		x.Words = append(x.Words, m)
		x.Score += m.Score
		if m.Score == 0 {
			missed++
		}
	}
	if missed > 0 {
		x.because(ReasonText, "%d of %d words are not found in it", missed, len(p.Words))
	}
	x.units()
}

// units says which filters keep all units out.
func (x *explainer) units() {
	d, p := x.Doc, x.p
	eligible, met := 0, 0
	kept := make([]int, len(p.Filters))
	for i := range d.Units {
		u := &d.Units[i]
		if pr, ok := p.PriceOf(u); ok {
			x.note("%s costs %s %s", u.SKU, pr.Amount, pr.Scope.Currency)
		} else {
			x.note("%s has no price for who asks", u.SKU)
		}
		if !p.Eligible(u) {
			continue
		}
		eligible++
		if p.Meets(d, u, "", false) {
			met++
		}
		for j := range p.Filters {
			if p.meet(d, u, &p.Filters[j], p.IsAttribute(j)) {
				kept[j]++
			}
		}
	}
	if len(x.Notes) > 20 {
		x.Notes = append(x.Notes[:20], "and so on")
	}
	if eligible == 0 {
		x.because(ReasonStock, "nothing of it can be sold in this store, and the shop shows only what is in stock")
		return
	}
	if met > 0 {
		return
	}
	for j := range p.Filters {
		if kept[j] == 0 {
			x.because(ReasonFilter, "nothing of it meets %s", p.Filters[j])
		}
	}
	if len(p.Filters) > 1 && !slices.Contains(kept, 0) {
		x.because(ReasonFilter, "no single one of its %d variants meets all filters together", eligible)
	}
}

// where returns how a word is found in a document, typos included.
func (w *QueryWord) where(d *Document) WordMatch {
	m := WordMatch{Word: w.Text, Score: w.Score(d, true)}
	if m.Score == 0 {
		return m
	}
	for i := range d.Words {
		one := Document{Words: d.Words[i : i+1]}
		if w.Score(&one, true) == m.Score {
			m.Found, m.Class = d.Words[i].Term, d.Words[i].Class.String()
			return m
		}
	}
	return m
}

// categories returns the paths of the categories that name the product.
func (x *explainer) categories() []string {
	var out []string
	for _, m := range x.Doc.Categories {
		if m.Direct {
			out = append(out, fmt.Sprintf("%q", strings.Join(x.shop.NamesOf(m.ID, x.Store), "/")))
		}
	}
	return out
}

func listOf(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// dead looks for a dead letter of the product, whatever the index's name.
func (x *explainer) dead(ctx context.Context) error {
	for m, err := range x.e.store.Metas(ctx, "index/") {
		if err != nil {
			return fmt.Errorf("indexer: reading dead letters: %w", err)
		}
		if strings.Contains(m.Name, "/dead/") && strings.HasSuffix(m.Name, "/dead/"+x.SKU) {
			x.because(ReasonDead, "it could not be indexed: %s", m.Value)
		}
	}
	return nil
}
