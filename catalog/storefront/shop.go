package storefront

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"catalog/indexer"
)

// shopState is what is known of the shop, with what is computed from it once.
type shopState struct {
	*indexer.Shop
	mapper *indexer.Mapper
	codes  []string // of all stores

	mu     sync.Mutex
	asking map[priceView]*indexer.Prepared // of who is nobody in particular
}

// priceView is what prices depend on, but for groups and lists.
type priceView struct{ store, currency string }

// shopNow returns the shop as it is known now.
func (s *Server) shopNow(ctx context.Context) (*shopState, error) {
	shop, err := s.engine.Shop(ctx)
	if err != nil {
		return nil, err
	}
	st := s.shop.Load()
	if st == nil || st.Shop != shop {
		first := st == nil
		st = &shopState{Shop: shop, mapper: shop.Mapper(), asking: map[priceView]*indexer.Prepared{}}
		for _, v := range shop.Stores.All() {
			st.codes = append(st.codes, v.Code)
		}
		s.shop.Store(st)
		if !first {
			s.forgetAll() // stores may be in other websites now
		}
	}
	return st, nil
}

// otherCurrency returns a currency that is asked for, but "" if it is the one
// that the view has anyway: what is known of those who name none holds for them.
// In a shop that says nothing of its currency, prices without one count for who
// names one.
func (st *shopState) otherCurrency(view *indexer.StoreView, asked string) string {
	if asked == view.Currency && st.Stores.Default().Currency != "" {
		return ""
	}
	return asked
}

// maxAsking bounds what is kept of prices' scopes.
const maxAsking = 1000

// asks returns what looks up the prices of who asks.
func (st *shopState) asks(v indexer.View) (*indexer.Prepared, error) {
	if v.Group != "" || len(v.Lists) > 0 {
		return st.prepare(v)
	}
	key := priceView{v.Store, v.Currency}
	st.mu.Lock()
	p := st.asking[key]
	st.mu.Unlock()
	if p != nil {
		return p, nil
	}
	p, err := st.prepare(v)
	if err != nil {
		return nil, err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if len(st.asking) < maxAsking {
		st.asking[key] = p
	}
	return p, nil
}

func (st *shopState) prepare(v indexer.View) (*indexer.Prepared, error) {
	// Scopes do not depend on the time; a resolved price does.
	return st.Prepare(indexer.Query{View: v}, neverMind)
}

// storeOf returns the store view that a request asks for: by parameter, else
// by header, else the default one.
func (s *Server) storeOf(a *answer, r *request, st *shopState, named string) (*indexer.StoreView, error) {
	where := "store"
	if named == "" {
		a.varyStore = true
		if named = r.Header.Get("X-Store"); named != "" {
			where = "X-Store"
		}
	}
	if v := st.Stores.Find(named); v != nil {
		return v, nil
	}
	var codes []string
	for _, v := range st.Stores.All() {
		codes = append(codes, v.Code)
	}
	if len(codes) > 20 {
		codes = append(codes[:20], "…")
	}
	return nil, badRequest(where, "there is no store %q: use one of %s", clip(named), strings.Join(codes, ", "))
}

// view returns the shop and the store view of a request with parameters.
func (s *Server) view(a *answer, r *request, named string) (*shopState, *indexer.StoreView, error) {
	st, err := s.shopNow(r.Context())
	if err != nil {
		return nil, nil, err
	}
	v, err := s.storeOf(a, r, st, named)
	return st, v, err
}

// Bounds of what names who asks.
const (
	maxLists = 20
	maxName  = 255
)

// who decides whose prices a request may see: those of groups and lists that
// are not public need a token or a signed header.
func (s *Server) who(a *answer, r *request, group string, lists []string) (string, []string, error) {
	a.varyWho = true
	if len(lists) > maxLists {
		return "", nil, badRequest("list", "%d price lists are more than %d", len(lists), maxLists)
	}
	for _, name := range append(lists[:len(lists):len(lists)], group) {
		if len(name) > maxName {
			return "", nil, badRequest("group", "a name of %d bytes is longer than %d", len(name), maxName)
		}
	}
	private := len(lists) > 0 || group != "" && !s.groups[group]
	if header := r.Header.Get("X-Customer"); header != "" {
		c, err := parseCustomer(header, s.opts.Secret, s.opts.Now())
		if err != nil {
			return "", nil, err
		}
		a.life = LifePrivate
		if group != "" && group != c.Group && !s.groups[group] {
			return "", nil, problemf(http.StatusForbidden, "group", "the signed customer is not of group %q", clip(group))
		}
		for _, l := range lists {
			if !slices.Contains(c.Lists, l) {
				return "", nil, problemf(http.StatusForbidden, "list", "the signed customer has no price list %q", clip(l))
			}
		}
		if group == "" {
			group = c.Group
		}
		if len(lists) == 0 {
			lists = c.Lists
		}
		return group, lists, nil
	}
	if private {
		a.life = LifePrivate
		if err := s.need(r.Request, RoleRead); err != nil {
			p := problemOf(err)
			p.Where = "group"
			if len(lists) > 0 {
				p.Where = "list"
			}
			p.Detail = "prices of customer groups and price lists are not public: send a token of role read, or a signed X-Customer header; " + p.Detail
			return "", nil, p
		}
	}
	return group, lists, nil
}

// skusOf checks the SKUs of a request, each once.
func (s *Server) skusOf(list []string, where string) ([]string, error) {
	if len(list) == 0 {
		return nil, badRequest(where, "is missing: name at least one SKU, as ?sku=…&sku=…")
	}
	if len(list) > s.opts.Limits.SKUs {
		return nil, badRequest(where, "%d SKUs are more than %d: ask several times", len(list), s.opts.Limits.SKUs)
	}
	out := list[:0]
	if len(list) <= 32 {
		for i, sku := range list {
			if sku == "" {
				return nil, badRequest(where, "SKU %d is empty", i+1)
			}
			if !slices.Contains(out, sku) {
				out = append(out, sku)
			}
		}
		return out, nil
	}
	seen := make(map[string]bool, len(list))
	for i, sku := range list {
		if sku == "" {
			return nil, badRequest(where, "SKU %d is empty", i+1)
		}
		if !seen[sku] {
			seen[sku] = true
			out = append(out, sku)
		}
	}
	return out, nil
}

func (s *Server) getStores(a *answer, r *request) error {
	st, err := s.shopNow(r.Context())
	if err != nil {
		return err
	}
	a.life = LifeSearch
	b := append(a.body, `{"default":`...)
	b = appendString(b, st.Stores.Default().Code)
	b = append(b, `,"public_groups":`...)
	b = appendStrings(b, s.opts.PublicGroups)
	b = append(b, `,"stores":[`...)
	for i, v := range st.Stores.All() {
		b = comma(b, i)
		b = append(b, `{"code":`...)
		b = appendString(b, v.Code)
		b = appendField(b, "language", v.Language)
		b = appendField(b, "currency", v.Currency)
		b = appendField(b, "website", v.Website)
		b = append(b, `,"root":`...)
		b = appendStrings(b, v.Root)
		b = append(b, '}')
	}
	a.body = append(b, "]}"...)
	return nil
}

// decodeError says what is wrong with a JSON body.
func decodeError(err error) error {
	return fmt.Errorf("storefront: reading the body: %w", err)
}
