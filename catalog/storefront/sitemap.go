package storefront

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"catalog/catalog"
)

// sitemapSize is how many products one sitemap has, as the protocol allows.
const sitemapSize = 50_000

// sitemapLife is how old the division into sitemaps may be: finding it means
// to walk over all heads.
const sitemapLife = time.Hour

// sitemaps keeps where the sitemaps begin.
type sitemaps struct {
	mu     sync.Mutex
	starts []catalog.Key
	at     time.Time
}

func (m *sitemaps) get(ctx context.Context, s *Server) ([]catalog.Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := s.opts.Now()
	if !m.at.IsZero() && now.Sub(m.at) < sitemapLife {
		return m.starts, nil
	}
	starts := []catalog.Key{""}
	n := 0
	for h, err := range s.store.Heads(ctx, catalog.KindProduct, catalog.All) {
		if err != nil {
			return nil, fmt.Errorf("storefront: dividing products into sitemaps: %w", err)
		}
		if n++; n > sitemapSize {
			starts = append(starts, h.Key)
			n = 1
		}
	}
	m.starts, m.at = starts, now
	return starts, nil
}

// baseURL returns the address of this server as shoppers see it.
func (s *Server) baseURL(r *http.Request) string {
	if s.opts.BaseURL != "" {
		return strings.TrimRight(s.opts.BaseURL, "/")
	}
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

const sitemapSpace = ` xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">`

// getSitemap answers with the index of a store's sitemaps.
func (s *Server) getSitemap(a *answer, r *request) error {
	_, view, err := s.view(a, r, r.q.get("store"))
	if err != nil {
		return err
	}
	starts, err := s.sitemaps.get(r.Context(), s)
	if err != nil {
		return err
	}
	a.contentType, a.life = "application/xml", LifeSearch
	b := append(append(a.body, xml.Header...), `<sitemapindex`...)
	b = append(append(b, sitemapSpace...), '\n')
	for i, from := range starts {
		q := url.Values{"store": {view.Code}}
		if from != "" {
			q.Set("from", string(from))
		}
		if i+1 < len(starts) {
			q.Set("to", string(starts[i+1]))
		}
		b = append(b, `<sitemap><loc>`...)
		b = appendXML(b, s.baseURL(r.Request)+"/v1/sitemap-part.xml?"+q.Encode())
		b = append(b, "</loc></sitemap>\n"...)
	}
	a.body = append(b, "</sitemapindex>\n"...)
	return nil
}

// getSitemapPart answers with the products of a range of SKUs.
func (s *Server) getSitemapPart(a *answer, r *request) error {
	_, view, err := s.view(a, r, r.q.get("store"))
	if err != nil {
		return err
	}
	l := looksOf(view, nil)
	a.contentType, a.life = "application/xml", LifeSearch
	b := append(append(a.body, xml.Header...), `<urlset`...)
	b = append(append(b, sitemapSpace...), '\n')
	base := s.baseURL(r.Request)
	n := 0
	rng := catalog.Range{From: catalog.Key(r.q.get("from")), To: catalog.Key(r.q.get("to"))}
	for rec, err := range s.store.Scan(r.Context(), catalog.KindProduct, rng) {
		if err != nil {
			return fmt.Errorf("storefront: reading products for a sitemap: %w", err)
		}
		if !l.shown(rec.Body) || l.member(rec.Body, "visibility").Text() == "none" {
			continue
		}
		key := l.member(rec.Body, "url_key").Text()
		loc := strings.NewReplacer("{base}", base, "{store}", url.QueryEscape(view.Code), "{sku}", url.QueryEscape(string(rec.Key)), "{url_key}", url.PathEscape(key)).Replace(s.opts.ProductURL)
		if key == "" && strings.Contains(s.opts.ProductURL, "{url_key}") {
			continue
		}
		b = append(b, `<url><loc>`...)
		b = appendXML(b, loc)
		b = append(b, "</loc></url>\n"...)
		if n++; n == sitemapSize {
			break
		}
	}
	a.body = append(b, "</urlset>\n"...)
	return nil
}

func appendXML(b []byte, text string) []byte {
	_ = xml.EscapeText(&appender{&b}, []byte(text)) // memory takes all
	return b
}
