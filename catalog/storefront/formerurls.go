package storefront

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"catalog/catalog"
)

// formerURLs is the prefix of the names under which the store keeps, as Meta,
// which product had a url_key before: "former-urls/STORE/URL_KEY" → SKU, STORE
// being empty for all stores. Whoever replaces a product's url_key may write
// them; this package does when it writes a product.
const formerURLs = "former-urls/"

// FormerURL returns the name of the Meta that says which product had a url_key
// in a store ("": all) before.
func FormerURL(store, urlKey string) string { return formerURLs + store + "/" + urlKey }

// keepFormerURLs remembers the url_keys that a product has no more. That it
// cannot is no reason to fail a write that has been done.
func (s *Server) keepFormerURLs(ctx context.Context, sku catalog.Key, before, after []byte) {
	was, is := urlKeys(before), urlKeys(after)
	for ref := range was {
		if is[ref] || after == nil {
			continue
		}
		if err := s.store.SetMeta(ctx, FormerURL(ref.Store, ref.Value), []byte(sku)); err != nil {
			s.opts.Log.WarnContext(ctx, "a former url_key is not remembered", "sku", sku, "url_key", ref.Value, "cause", err)
		}
	}
}

// urlKeys returns the url_keys of a product.
func urlKeys(doc []byte) map[catalog.Ref]bool {
	out := map[catalog.Ref]bool{}
	if doc == nil {
		return out
	}
	var parser catalog.Parser
	var p catalog.Parsed
	if err := parser.Parse(catalog.KindProduct, doc, &p); err != nil {
		return out // it was stored by rules that are no more
	}
	for _, ref := range p.Refs {
		if ref.Type == catalog.RefURLKey {
			out[ref] = true
		}
	}
	return out
}

// formerURL returns where the product is now that had a url_key before, "" if
// none had.
func (s *Server) formerURL(ctx context.Context, x *expansion, key string) (string, error) {
	for _, code := range [...]string{x.view.Code, ""} {
		sku, err := s.store.Meta(ctx, FormerURL(code, key))
		if errors.Is(err, catalog.ErrNotFound) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("storefront: reading the former url_key %q: %w", key, err)
		}
		records, err := s.records(ctx, catalog.KindProduct, []string{string(sku)})
		if err != nil {
			return "", err
		}
		body := records[0].Body
		if !x.looks.shown(body) {
			continue
		}
		query := url.Values{"store": {x.view.Code}}
		if now := x.looks.member(body, "url_key").Text(); now != "" && now != key {
			return "/v1/url-keys/" + url.PathEscape(now) + "?" + query.Encode(), nil
		}
		query.Set("sku", string(sku))
		return "/v1/products?" + query.Encode(), nil
	}
	return "", nil
}
