package indexer

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Prepare looks up everything a query names, as of now. Errors are ErrQuery,
// and say what is wrong in words that can be shown to who asked.
func (s *Shop) Prepare(q Query, now time.Time) (*Prepared, error) { return s.prepare(q, now, false) }

// PrepareTyping is Prepare for a text that is being typed: its last word may
// be the start of another.
func (s *Shop) PrepareTyping(q Query, now time.Time) (*Prepared, error) {
	return s.prepare(q, now, true)
}

func (s *Shop) prepare(q Query, now time.Time, typing bool) (*Prepared, error) {
	view := s.Stores.Find(q.View.Store)
	if view == nil {
		codes := make([]string, 0, len(s.Stores.list))
		for _, v := range s.Stores.list {
			codes = append(codes, v.Code)
		}
		return nil, fmt.Errorf("there is no store %q, only %s: %w", q.View.Store, strings.Join(codes, ", "), ErrQuery)
	}
	p := &Prepared{
		Store:       view.Code,
		Scopes:      s.scopes(view, q.View),
		InStockOnly: s.Settings.InStockOnly,
		Variants:    q.Variants,
		Now:         now,
	}
	if text := strings.TrimSpace(q.Text); text != "" {
		p.Words = s.queryWords(q.Text, s.Stores.languages(view), typing)
		p.Exact = Fold(text)
		if len(p.Words) == 0 {
			return nil, fmt.Errorf("the text %q has no word: %w", text, ErrQuery)
		}
	}
	if q.Category != "" {
		c, err := s.category(view, q.Category)
		if err != nil {
			return nil, err
		}
		p.Category = c.ID
	}
	for _, f := range q.Filters {
		if err := s.prepareFilter(p, view, f); err != nil {
			return nil, err
		}
	}
	if err := prepareSort(p, q.Sort); err != nil {
		return nil, err
	}
	if err := preparePage(p, &q); err != nil {
		return nil, err
	}
	s.prepareFacets(p, view, &q)
	s.merchandise(p, view)
	return p, nil
}

// scopes returns where the prices of whoever asks are looked for: price lists
// in their order, then the customer group, then what all pay; each in the
// store, its website, then everywhere.
func (s *Shop) scopes(view *StoreView, who View) []Scope {
	currencies := []string{who.Currency}
	if who.Currency == "" {
		currencies[0] = view.Currency
	} else if s.Stores.Default().Currency == "" {
		currencies = append(currencies, "") // whatever the shop's currency is
	}
	websites := []string{StoreScope(view.Code)}
	if view.Website != "" {
		websites = append(websites, view.Website)
	}
	websites = append(websites, "")
	var out []Scope
	put := func(group, list string) {
		for _, c := range currencies {
			for _, w := range websites {
				out = append(out, Scope{Currency: c, Website: w, Group: group, List: list})
			}
		}
	}
	for _, list := range who.Lists {
		if list == "" {
			continue
		}
		if who.Group != "" {
			put(who.Group, list)
		}
		put("", list)
	}
	if who.Group != "" {
		put(who.Group, "")
	}
	put("", "")
	return out
}

// category finds a category by its path below the view's root, by its path
// from the top, or by its ID.
func (s *Shop) category(view *StoreView, ref string) (*Category, error) {
	names := SplitPath(ref)
	root := JoinPath(view.Root...)
	for _, c := range [...]*Category{
		s.Tree.ByPath(JoinPath(slices.Concat(view.Root, names)...)),
		s.Tree.ByPath(JoinPath(names...)),
		s.Tree.ByID(ref),
	} {
		if c != nil && (root == "" || c.Path == root || strings.HasPrefix(c.Path, root+"/")) {
			return c, nil
		}
	}
	return nil, fmt.Errorf("store %s has no category %q: %w", view.Code, ref, ErrQuery)
}

// prepareFilter checks a filter and adds it.
func (s *Shop) prepareFilter(p *Prepared, view *StoreView, f Filter) error {
	attr := !Reserved(f.Field)
	if name, ok := strings.CutPrefix(f.Field, "attributes."); ok {
		f.Field, attr = name, true
	}
	if f.Field == "" {
		return fmt.Errorf("a filter names no field: %w", ErrQuery)
	}
	if len(f.Values) == 0 && len(f.Ranges) == 0 && !f.Exists {
		return fmt.Errorf("the filter for %s says neither values nor a range: %w", f.Field, ErrQuery)
	}
	for _, r := range f.Ranges {
		if r.From != nil && math.IsNaN(*r.From) || r.To != nil && math.IsNaN(*r.To) {
			return fmt.Errorf("the filter for %s has a limit that is no number: %w", f.Field, ErrQuery)
		}
	}
	f.Values = slices.Clone(f.Values)
	f.Ranges = slices.Clone(f.Ranges)
	var err error
	switch {
	case attr:
		for _, v := range f.Values {
			if isNumber([]byte(v)) {
				if t, _, ok := canonicalNumber([]byte(v)); ok && !slices.Contains(f.Values, t) {
					f.Values = append(f.Values, t)
				}
			}
		}
	case f.Field == FieldPrice, f.Field == FieldCreated:
		err = valuesAsRanges(&f)
	case f.Field == FieldStock:
		for _, v := range f.Values {
			if v != "true" && v != "false" {
				err = fmt.Errorf("the filter for %s is true or false, not %q: %w", f.Field, v, ErrQuery)
			}
		}
		if len(f.Ranges) > 0 {
			err = fmt.Errorf("the filter for %s is true or false, not a range: %w", f.Field, ErrQuery)
		}
	case f.Field == FieldCategory:
		for i, v := range f.Values {
			c, cerr := s.category(view, v)
			if cerr != nil {
				err = cerr
				continue
			}
			f.Values[i] = c.ID
		}
	}
	if err != nil {
		return err
	}
	p.Filters = append(p.Filters, f)
	p.Attribute = append(p.Attribute, attr)
	return nil
}

// valuesAsRanges makes ranges of the values of a field that has only numbers.
func valuesAsRanges(f *Filter) error {
	for _, v := range f.Values {
		start, end, ok := limit(v)
		if !ok {
			return fmt.Errorf("the filter for %s needs a number, a date or a range, not %q: %w", f.Field, v, ErrQuery)
		}
		f.Ranges = append(f.Ranges, Range{From: &start, To: &end, Open: end > start})
	}
	f.Values = nil
	return nil
}

func prepareSort(p *Prepared, s Sort) error {
	if name, ok := strings.CutPrefix(s.By, "attributes."); ok {
		switch name {
		case SortRelevance, SortPosition, SortPrice, SortName, SortNewest:
			return fmt.Errorf("the order %s cannot be by an attribute of that name: %w", name, ErrQuery)
		}
		s.By = name
	}
	switch s.By {
	case "":
		s = Sort{By: SortRelevance}
		if len(p.Words) == 0 && p.Category != "" {
			s.By = SortPosition
		}
	case SortRelevance:
		s.Desc = false // the best first, always
	case SortNewest:
		s.Desc = !s.Desc // the greatest first
	case FieldCreated:
		s.By = SortNewest
	}
	p.Sort = s
	return nil
}

func preparePage(p *Prepared, q *Query) error {
	p.Size = q.Size
	switch {
	case q.Size == 0:
		p.Size = DefaultSize
	case q.Size < 0 || q.Size > MaxSize:
		return fmt.Errorf("a page has 1 to %d hits, not %d: %w", MaxSize, q.Size, ErrQuery)
	}
	if q.After != "" {
		k, err := ParseKeyset(q.After)
		if err != nil {
			return err
		}
		if k.Sort != p.Sort {
			return fmt.Errorf("the cursor is one of another order: %w", ErrQuery)
		}
		p.After = k
		return nil
	}
	if q.Page < 0 {
		return fmt.Errorf("pages count from 1: %w", ErrQuery)
	}
	page := max(q.Page, 1)
	if page > MaxHits/p.Size+1 || (page-1)*p.Size >= MaxHits {
		return fmt.Errorf("page %d is beyond the first %d hits: go on with the cursor of the page before: %w", page, MaxHits, ErrQuery)
	}
	p.Offset = (page - 1) * p.Size
	return nil
}

// maxTree is how many categories are counted at most.
const maxTree = 10_000

func (s *Shop) prepareFacets(p *Prepared, view *StoreView, q *Query) {
	f := PreparedFacets{
		Auto:    q.Facets.Auto,
		Values:  q.Facets.Values,
		Exclude: map[string]bool{},
		Labels:  func(name string) AttributeMeta { return s.attrs.meta(name, view.Code) },
	}
	for _, n := range q.Facets.Names {
		if n = strings.TrimPrefix(n, "attributes."); !slices.Contains(f.Names, n) {
			f.Names = append(f.Names, n)
		}
	}
	for _, n := range s.Settings.Hidden {
		f.Exclude[n] = true
	}
	for n, a := range s.attrs {
		if a.hidden {
			f.Exclude[n] = true
		}
	}
	if r := s.facetRule(view, p.Category); r != nil && f.Auto > 0 {
		for _, n := range r.Show {
			if !slices.Contains(f.Names, n) {
				f.Names = append(f.Names, n)
			}
		}
		for _, n := range r.Hide {
			f.Exclude[n] = true
		}
		f.Auto = max(0, f.Auto-len(r.Show))
		if r.Auto != nil {
			f.Auto = *r.Auto
		}
		if f.Values == 0 {
			f.Values = r.Values
		}
	}
	if f.Values == 0 {
		f.Values = 20
	}
	for _, n := range f.Names {
		f.Exclude[n] = true
	}
	if len(f.Names) > 0 || f.Auto > 0 || q.Facets.Tree {
		f.Children = s.children(p, view, q.Facets.Tree)
	}
	p.Facets = f
}

// children returns the categories whose hits are counted.
func (s *Shop) children(p *Prepared, view *StoreView, all bool) []string {
	path := JoinPath(view.Root...)
	if p.Category != "" && !all {
		if c := s.Tree.ByID(p.Category); c != nil {
			path = c.Path
		}
	}
	var out []string
	if !all {
		for _, c := range s.Tree.Children(path, view.Code) {
			out = append(out, c.ID)
		}
		return out[:min(len(out), maxTree)]
	}
	var walk func(n *Node)
	walk = func(n *Node) {
		for _, c := range n.Children {
			out = append(out, c.ID)
			walk(c)
		}
	}
	walk(s.Tree.Below(path, view.Code, maxTree))
	return out
}

// facetRule returns the rule of the deepest category that holds for one.
func (s *Shop) facetRule(view *StoreView, category string) *FacetRule {
	var path string
	if c := s.Tree.ByID(category); c != nil && category != "" {
		path = c.Path
	}
	var best *FacetRule
	depth := -1
	for i := range s.Settings.Facets {
		r := &s.Settings.Facets[i]
		at := ""
		if r.Category != "" {
			c, err := s.category(view, r.Category)
			if err != nil {
				continue
			}
			if at = c.Path; path != at && !strings.HasPrefix(path, at+"/") {
				continue
			}
		}
		if n := len(at); n > depth {
			best, depth = r, n
		}
	}
	return best
}

// merchandise applies the rules that hold for a query.
func (s *Shop) merchandise(p *Prepared, view *StoreView) {
	if len(s.Settings.Rules) == 0 {
		return
	}
	key := phraseKey(p.Words)
	for i := range s.Settings.Rules {
		r := &s.Settings.Rules[i]
		if len(r.Stores) > 0 && !slices.Contains(r.Stores, view.Code) {
			continue
		}
		if r.Query != "" && (len(p.Words) == 0 || phraseKey(s.queryWords(r.Query, s.Stores.languages(view), false)) != key) {
			continue
		}
		if r.Category != "" {
			if c, err := s.category(view, r.Category); err != nil || c.ID != p.Category {
				continue
			}
		} else if p.Category != "" && r.Query == "" {
			continue
		}
		for _, sku := range r.Pin {
			if !slices.Contains(p.Pins, sku) {
				p.Pins = append(p.Pins, sku)
			}
		}
		for _, w := range r.Boost {
			s.boost(p, view, w, 1)
		}
		for _, w := range r.Bury {
			s.boost(p, view, w, -1)
		}
	}
}

// boost adds a weight; one whose filters make no sense any more is left out.
func (s *Shop) boost(p *Prepared, view *StoreView, w Weight, sign int) {
	b := Boost{SKUs: w.SKUs, Points: sign * w.Points}
	if w.Points == 0 {
		b.Points = sign * 100
	}
	var scratch Prepared
	for _, text := range w.Filters {
		f, err := ParseFilter(text)
		if err != nil || s.prepareFilter(&scratch, view, f) != nil {
			return
		}
	}
	for i, f := range scratch.Filters {
		if scratch.Attribute[i] && Reserved(f.Field) {
			return // boosts have no way to say so
		}
	}
	b.Filters = scratch.Filters
	p.Boosts = append(p.Boosts, b)
}

// phraseKey is equal for texts of the same words.
func phraseKey(words []QueryWord) string {
	var out []string
	for _, w := range words {
		for _, t := range w.Alts[0].Words {
			out = append(out, t.Stems[0])
		}
	}
	return strings.Join(out, " ")
}
