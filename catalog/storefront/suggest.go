package storefront

import (
	"catalog/catalog"
	"catalog/indexer"
)

// suggest answers with completions of what is being typed.
func (s *Server) suggest(a *answer, r *request) error {
	q, err := s.readQuery(r)
	if err != nil {
		return err
	}
	x, err := s.ask(a, r, q)
	if err != nil {
		return err
	}
	st, view, cards := x.st, x.view, x.cards
	res, err := s.engine.Suggest(r.Context(), x.query, q.Limit)
	if err != nil {
		return err
	}
	records, parents, err := s.hitRecords(r.Context(), res.Products)
	if err != nil {
		return err
	}
	if a.life == LifeNone {
		a.life = LifeSearch
		if x.live {
			a.life = LifePrice
		}
	}
	b := append(a.body, `{"products":[`...)
	for i := range res.Products {
		b = comma(b, i)
		b = cards.append(b, &res.Products[i], records[i], parents[i])
		if a.life >= LifeSearch {
			a.keys.add(catalog.KindProduct, res.Products[i].SKU)
		}
	}
	b = append(b, `],"categories":[`...)
	n := 0
	for _, c := range res.Categories {
		if node := st.Tree.ByID(c.ID); node != nil {
			b = comma(b, n)
			n++
			b = appendRef(b, node, view)
		}
	}
	b = append(b, `],"values":[`...)
	for i, v := range res.Values {
		meta := st.Meta(v.Field, view.Code)
		label := meta.OptionLabels[v.Value]
		if label == "" {
			label = v.Value
		}
		b = comma(b, i)
		b = append(b, `{"field":`...)
		b = appendString(b, v.Field)
		b = appendField(b, "label", label)
		b = appendField(b, "value", v.Value)
		b = appendInt(b, "count", v.Count)
		b = appendField(b, "filter", indexer.Filter{Field: v.Field, Values: []string{v.Value}}.String())
		b = append(b, '}')
	}
	b = appendStrings(append(b, `],"words":`...), res.Words)
	a.body = append(b, '}')
	return nil
}

// getExplain answers why a product is, or is not, shown.
func (s *Server) getExplain(a *answer, r *request) error {
	sku := r.q.get("sku")
	if sku == "" {
		return badRequest("sku", "is missing")
	}
	if err := catalog.KindProduct.CheckKey(sku); err != nil {
		p := problemOf(err)
		p.Where = "sku"
		return p
	}
	q, err := s.readQuery(r)
	if err != nil {
		return err
	}
	st, view, err := s.view(a, r, q.Store)
	if err != nil {
		return err
	}
	q.Store = view.Code
	if q.Category != "" {
		if _, err := st.categoryOf(q.Category, view); err != nil {
			return err
		}
	}
	iq, err := q.query(q.Group, q.Lists)
	if err != nil {
		return err
	}
	x, err := s.engine.Explain(r.Context(), sku, iq)
	if err != nil {
		return err
	}
	b := append(a.body, `{"sku":`...)
	b = appendString(b, x.SKU)
	b = appendField(b, "store", x.Store)
	b = appendBool(b, "shown", x.Shown)
	b = append(b, `,"causes":[`...)
	for i, c := range x.Causes {
		b = comma(b, i)
		b = append(b, `{"reason":`...)
		b = appendString(b, string(c.Reason))
		b = appendField(b, "detail", c.Detail)
		b = append(b, '}')
	}
	b = appendStrings(append(b, `],"notes":`...), x.Notes)
	b = appendStrings(appendName(b, "parents"), x.Parents)
	b = appendInt(b, "rank", x.Rank)
	b = appendInt(b, "total", x.Total)
	b = appendInt(b, "score", x.Score)
	b = append(b, `,"words":[`...)
	for i, w := range x.Words {
		b = comma(b, i)
		b = append(b, `{"word":`...)
		b = appendString(b, w.Word)
		b = appendField(b, "found", w.Found)
		b = appendField(b, "class", w.Class)
		b = appendInt(b, "score", w.Score)
		b = append(b, '}')
	}
	a.body = append(b, "]}"...)
	a.life = LifePrivate
	return nil
}
