package storefront_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/catalog/packing"
	"catalog/catalog/storefront"
	"catalog/indexer"
	"catalog/indexer/facetindex"
)

// Tokens of tests.
const (
	readToken   = "read-read-read-read"
	importToken = "import-import-import"
	adminToken  = "admin-admin-admin-admin"
)

var secret = []byte("a secret of the shop and the server")

// shop is a server over a store in memory and a real index.
type shop struct {
	mu     sync.Mutex // of now, for advance
	t      testing.TB
	store  catalog.Store
	index  indexer.Index
	server *storefront.Server
	api    *document
	now    time.Time
}

// put writes records as a feed would.
func put(t testing.TB, s catalog.Store, kind catalog.Kind, docs ...string) {
	t.Helper()
	var p catalog.Parser
	p.Reset(nil)
	var writes []catalog.Write
	for _, doc := range docs {
		var r catalog.Parsed
		if err := p.Parse(kind, []byte(doc), &r); err != nil {
			t.Fatalf("%s: %v", doc, err)
		}
		add := func(kind catalog.Kind, key catalog.Key, part catalog.Part) {
			if part.State == catalog.PartSet {
				writes = append(writes, catalog.Write{Kind: kind, Key: key, Body: bytes.Clone(part.Body), Source: "feed"})
			}
		}
		writes = append(writes, catalog.Write{Kind: kind, Key: r.Key, Body: bytes.Clone(r.Body), Source: "feed", Refs: append([]catalog.Ref(nil), r.Refs...)})
		add(catalog.KindPrice, r.Key, r.Price)
		add(catalog.KindStock, r.Key, r.Stock)
		for _, v := range r.Variants {
			add(catalog.KindPrice, v.SKU, v.Price)
			add(catalog.KindStock, v.SKU, v.Stock)
		}
	}
	if _, err := s.Apply(context.Background(), writes); err != nil {
		t.Fatal(err)
	}
}

// stores are the store views of the test shop.
const stores = `{"en":{"language":"en","currency":"EUR","website":"eu"},
	"de":{"language":"de","currency":"EUR","website":"eu"},
	"us":{"language":"en","currency":"USD","website":"us"}}`

// odd are SKUs that are hard to put into URLs.
var odd = []string{"a/b", "50% off", `say "hi"`, "a,b;c", "snow☃man", "💡", "a+b", "a.b", "..", "?&=#", `back\slash`, "a b", "%2F", "<i>"}

func newShop(t testing.TB, opts storefront.Options) *shop {
	t.Helper()
	s := memstore.New()
	t.Cleanup(func() { _ = s.Close() })
	if err := s.SetMeta(context.Background(), catalog.MetaStoreViews, []byte(stores)); err != nil {
		t.Fatal(err)
	}
	put(t, s, catalog.KindCategory,
		`{"id":"10","path":"Men","name":{"default":"Men","de":"Herren"},"url_key":"men","position":1}`,
		`{"id":"11","path":"Men/Shoes","name":{"default":"Shoes","de":"Schuhe"},"url_key":"shoes","description":"All shoes"}`,
	)
	put(t, s, catalog.KindAttribute, `{"code":"color","label":{"default":"Color","de":"Farbe"},"options":[{"value":"red","label":{"default":"Red","de":"Rot"}},"blue"]}`)
	put(t, s, catalog.KindProduct,
		`{"sku":"SHOE-1","name":{"default":"Trail Shoe","de":"Trailschuh"},"brand":"Hoka","url_key":"trail-shoe","categories":["Men/Shoes"],
		  "attributes":{"color":"red","weight":250},"images":["a.jpg","b.jpg"],"cost":12,"related":["SHOE-2","GONE","OFF"],
		  "stores":{"de":{"url_key":"trailschuh","attributes":{"color":"rot"},"claim":"leicht"}},
		  "prices":[{"price":100,"special_price":80,"special_from":"2026-01-01","special_to":"2026-12-31","tiers":[{"qty":10,"price":70},{"qty":5,"price":75}]},
		            {"group":"vip","price":60},{"list":"acme","price":50},{"currency":"USD","price":110}],"stock":{"qty":5,"min_qty":1}}`,
		`{"sku":"SHOE-2","name":"Road Shoe","brand":"Asics","url_key":"road-shoe","categories":["Men/Shoes"],"attributes":{"color":"blue"},"price":90,"stock":0}`,
		`{"sku":"OFF","name":"Old Shoe","status":"disabled","categories":["Men/Shoes"],"price":1}`,
		`{"sku":"US","name":"American Shoe","websites":["us"],"categories":["Men/Shoes"],"price":1}`,
		`{"sku":"SHIRT","type":"configurable","name":"Shirt","url_key":"shirt","categories":["Men/Shirts"],"price":30,
		  "variants":[{"sku":"SHIRT-S","attributes":{"color":"red","size":"S"},"price":25,"stock":3},{"sku":"SHIRT-M","attributes":{"color":"blue","size":"M"},"stock":0},
		              {"sku":"SHIRT-X","status":"disabled","price":1},"SHIRT-L"]}`,
		`{"sku":"SHIRT-L","name":"Shirt L","visibility":"none","attributes":{"color":"blue","size":"L"},"price":35}`,
		`{"sku":"SAME-1","name":"Twin one","url_key":"twin"}`, `{"sku":"SAME-2","name":"Twin two","url_key":"twin"}`,
	)
	for _, sku := range odd {
		name, err := json.Marshal(sku)
		if err != nil {
			t.Fatal(err)
		}
		put(t, s, catalog.KindProduct, `{"sku":`+string(name)+`,"name":"Odd","categories":["Odd"],"price":5}`)
	}
	return serveShop(t, s, opts)
}

// serveShop indexes a store and serves it.
func serveShop(t testing.TB, s catalog.Store, opts storefront.Options) *shop {
	t.Helper()
	ctx := context.Background()
	x, err := facetindex.Open(ctx, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	h := &shop{t: t, store: s, index: x, api: openDocument(t), now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}
	h.follow()
	clock := func() time.Time {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.now
	}
	engine := indexer.NewEngine(x, s, indexer.EngineOptions{Now: clock, Settings: func() (*indexer.Settings, error) { return settings, nil }})
	opts.Now, opts.Index = clock, x
	for role, token := range map[storefront.Role]string{storefront.RoleRead: readToken, storefront.RoleImport: importToken, storefront.RoleAdmin: adminToken} {
		tk, err := storefront.NewToken(role, token)
		if err != nil {
			t.Fatal(err)
		}
		opts.Tokens = append(opts.Tokens, tk)
	}
	opts.Secret = secret
	h.server = storefront.New(s, engine, opts)
	t.Cleanup(func() { _ = h.server.Close() })
	return h
}

var settings = &indexer.Settings{DefaultStore: "en"}

// advance lets time pass, also where the server works in the background.
func (h *shop) advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// follow brings the index up to date.
func (h *shop) follow() {
	h.t.Helper()
	_, err := indexer.Run(context.Background(), h.store, h.index, indexer.Options{
		Now: func() time.Time { return h.now }, Settings: func() (*indexer.Settings, error) { return settings, nil },
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// reply is an answer, read.
type reply struct {
	*http.Response
	body []byte
	t    testing.TB
}

// json decodes the answer.
func (r *reply) json() map[string]any {
	r.t.Helper()
	var v map[string]any
	if err := json.Unmarshal(r.body, &v); err != nil {
		r.t.Fatalf("%s: %v", r.body, err)
	}
	return v
}

// at returns what stands at a path of names and places in the answer.
func (r *reply) at(path ...any) any {
	r.t.Helper()
	return dig(r.json(), path...)
}

func dig(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// list returns a member of each element of an array.
func list(v any, name string) []any {
	l, _ := v.([]any)
	out := make([]any, 0, len(l))
	for _, e := range l {
		out = append(out, dig(e, name))
	}
	return out
}

// do sends a request, and holds the answer to the document.
func (h *shop) do(method, url, body string, headers ...string) *reply {
	h.t.Helper()
	r := httptest.NewRequest(method, url, strings.NewReader(body))
	if body == "" {
		r = httptest.NewRequest(method, url, nil)
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, r)
	res := w.Result()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	plain := unpacked(h.t, res.Header.Get("Content-Encoding"), text)
	h.api.check(h.t, method, r.URL.Path, res, plain)
	return &reply{res, text, h.t}
}

func (h *shop) get(url string, headers ...string) *reply {
	h.t.Helper()
	return h.do(http.MethodGet, url, "", headers...)
}

// ok is get of what must be there.
func (h *shop) ok(url string, headers ...string) *reply {
	h.t.Helper()
	r := h.get(url, headers...)
	if r.StatusCode != http.StatusOK {
		h.t.Fatalf("GET %s: %d: %s", url, r.StatusCode, r.body)
	}
	return r
}

// unpacked undoes a Content-Encoding.
func unpacked(t testing.TB, encoding string, body []byte) []byte {
	t.Helper()
	var r io.Reader
	var err error
	switch encoding {
	case "":
		return body
	case "gzip":
		r, err = gzip.NewReader(bytes.NewReader(body))
	case "zstd":
		var z *packing.ZstdReader
		if z, err = packing.NewZstdReader(bytes.NewReader(body), 1<<20); err == nil {
			defer z.Close()
		}
		r = z
	default:
		t.Fatalf("nobody asked for Content-Encoding %q", encoding)
	}
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}
