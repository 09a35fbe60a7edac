package storefront_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/storefront"
)

func TestProducts(t *testing.T) {
	h := newShop(t, storefront.Options{})
	t.Run("many, in the order asked", func(t *testing.T) {
		r := h.ok("/v1/products?sku=SHOE-2&sku=NONE&sku=SHOE-1&sku=OFF&sku=US&sku=SHOE-2")
		if got := list(r.at("products"), "sku"); !slices.Equal(got, []any{"SHOE-2", "SHOE-1"}) {
			t.Errorf("products %v", got)
		}
		if got := r.at("missing"); len(got.([]any)) != 3 {
			t.Errorf("missing %v, want NONE, the disabled and the other website's", got)
		}
	})
	t.Run("as a store sees it", func(t *testing.T) {
		r := h.ok("/v1/products/SHOE-1?store=de")
		for path, want := range map[string]any{"name": "Trailschuh", "url_key": "trailschuh", "claim": "leicht", "brand": "Hoka"} {
			if got := r.at("product", path); got != want {
				t.Errorf("%s is %v, want %v", path, got, want)
			}
		}
		if r.at("product", "attributes", "color") != "rot" || r.at("product", "attributes", "weight") != 250.0 {
			t.Errorf("attributes %v", r.at("product", "attributes"))
		}
		for _, name := range []string{"stores", "cost", "price", "prices", "stock"} {
			if r.at("product", name) != nil {
				t.Errorf("%s is shown", name)
			}
		}
		if got := h.ok("/v1/products/SHOE-1", "X-Store", "de").at("product", "name"); got != "Trailschuh" {
			t.Errorf("by header: %v", got)
		}
		if got := h.ok("/v1/products/SHOE-1").at("product", "name"); got != "Trail Shoe" {
			t.Errorf("default store: %v", got)
		}
		if h.get("/v1/products/US").StatusCode != 404 || h.get("/v1/products/US?store=us").StatusCode != 200 {
			t.Error("a product is not shown by its website")
		}
	})
	t.Run("chosen fields", func(t *testing.T) {
		r := h.ok("/v1/products/SHOE-1?fields=name,attributes.color")
		p := r.at("product").(map[string]any)
		if len(p) != 3 || p["name"] != "Trail Shoe" || dig(p, "attributes", "weight") != nil || dig(p, "attributes", "color") != "red" {
			t.Errorf("%v", p)
		}
	})
	t.Run("expanded", func(t *testing.T) {
		r := h.ok("/v1/products?sku=SHIRT&sku=SHOE-1&expand=variants,breadcrumbs")
		if r.at("variants", "SHIRT-L", "name") != "Shirt L" || r.at("breadcrumbs", "SHOE-1", 0, 1, "id") != "11" {
			t.Errorf("%s", r.body)
		}
	})
	t.Run("by POST", func(t *testing.T) {
		r := h.do("POST", "/v1/products", `{"skus":["SHOE-1"],"store":"de","fields":["name"]}`)
		if r.at("products", 0, "name") != "Trailschuh" || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s", r.body)
		}
	})
	t.Run("any SKU", func(t *testing.T) {
		for _, sku := range odd {
			if got := h.ok("/v1/products?"+url.Values{"sku": {sku}}.Encode()).at("products", 0, "sku"); got != sku {
				t.Errorf("%q by query: %v", sku, got)
			}
			path := strings.ReplaceAll(url.PathEscape(sku), "..", "%2E%2E")
			if got := h.ok("/v1/products/"+path).at("product", "sku"); got != sku {
				t.Errorf("%q by path: %v", sku, got)
			}
			if got := h.ok("/v1/live?"+url.Values{"sku": {sku}}.Encode()).at("items", 0, "price"); got != "5.00" {
				t.Errorf("price of %q: %v", sku, got)
			}
		}
	})
	t.Run("related", func(t *testing.T) {
		if got := list(h.ok("/v1/related?sku=SHOE-1").at("products"), "sku"); !slices.Equal(got, []any{"SHOE-2"}) {
			t.Errorf("%v", got)
		}
	})
}

func TestURLKeys(t *testing.T) {
	h := newShop(t, storefront.Options{})
	for _, c := range []struct{ url, path, want string }{
		{"/v1/url-keys/trail-shoe", "sku", "SHOE-1"},
		{"/v1/url-keys/trailschuh?store=de", "sku", "SHOE-1"},
		{"/v1/url-keys/twin", "sku", "SAME-1"},
	} {
		if got := h.ok(c.url).at("product", c.path); got != c.want {
			t.Errorf("%s: %v, want %v", c.url, got, c.want)
		}
	}
	if got := h.ok("/v1/url-keys/twin").at("ambiguous").([]any); len(got) != 2 {
		t.Errorf("ambiguous: %v", got)
	}
	if got := h.ok("/v1/url-keys/shoes").at("category", "id"); got != "11" {
		t.Errorf("category: %v", got)
	}
	if r := h.get("/v1/url-keys/trail-shoe?store=de"); r.StatusCode != 404 {
		t.Errorf("a store that has a url_key of its own answers to the base one: %d", r.StatusCode)
	}
	// A changed url_key leads on.
	if r := h.do("PATCH", "/v1/records/products?key=SHOE-2", `{"url_key":"city-shoe"}`, "Authorization", "Bearer "+importToken); r.StatusCode != 200 {
		t.Fatalf("%s", r.body)
	}
	r := h.get("/v1/url-keys/road-shoe?store=de")
	if r.StatusCode != http.StatusMovedPermanently || r.Header.Get("Location") != "/v1/url-keys/city-shoe?store=de" {
		t.Errorf("%d to %q", r.StatusCode, r.Header.Get("Location"))
	}
	if got := h.ok(r.Header.Get("Location")).at("product", "sku"); got != "SHOE-2" {
		t.Errorf("leads to %v", got)
	}
}

func TestPages(t *testing.T) {
	h := newShop(t, storefront.Options{Redirects: map[string]string{"imprint": "/imprint.html"}})
	r := h.ok("/v1/browse?category=Men/Shoes&facet=color&size=1")
	if r.at("total") != 2.0 || r.at("breadcrumbs", 0, "id") != "10" || r.at("category", "description") != "All shoes" || r.at("next") == nil {
		t.Errorf("%s", r.body)
	}
	if r.at("facets", 0, "label") != "Color" || r.at("facets", 0, "values", 0, "label") == nil {
		t.Errorf("facets %v", r.at("facets"))
	}
	if l := r.at("products", 0, "images"); l != nil && len(l.([]any)) != 1 {
		t.Errorf("a card has the images %v", l)
	}
	next := h.ok("/v1/browse?category=Men/Shoes&size=1&after=" + url.QueryEscape(r.at("next").(string)))
	if next.at("products", 0, "sku") == r.at("products", 0, "sku") || next.at("next") != nil || next.at("page") != nil {
		t.Errorf("second page: %s", next.body)
	}
	if got := list(h.ok("/v1/browse?category=11&filter=color%3Dred").at("products"), "sku"); !slices.Equal(got, []any{"SHOE-1"}) {
		t.Errorf("filtered: %v", got)
	}
	post := h.do("POST", "/v1/search", `{"q":"shoe","filters":["color=red",{"field":"price","ranges":[{"from":50,"to":90}]}],"fields":["name","price","regular","in_stock"]}`)
	if got := post.at("products", 0); dig(got, "price") != "80.00" || dig(got, "regular") != "100.00" || dig(got, "in_stock") != true {
		t.Errorf("card with price: %s", post.body)
	}
	german := h.ok("/v1/browse?category=Men/Shoes&store=de&facet=color")
	if german.at("category", "name") != "Schuhe" || german.at("facets", 0, "label") != "Farbe" {
		t.Errorf("german page: %s", german.body)
	}
	typo := h.ok("/v1/search?q=trial+sheo")
	if typo.at("corrections", 0) != "trail shoe" {
		t.Errorf("corrected to %v: %s", typo.at("corrections"), typo.body)
	}
	if got := h.ok("/v1/search?q=imprint").at("redirect", "url"); got != "/imprint.html" {
		t.Errorf("redirect: %v", got)
	}
	if got := h.ok("/v1/search?q=shoe-1").at("redirect", "sku"); got != "SHOE-1" {
		t.Errorf("redirect to a SKU: %v", got)
	}
	if got := list(h.ok("/v1/search?q=shirt&variants=true&filter=size%3DS&fields=name,parent").at("products"), "parent"); !slices.Equal(got, []any{"SHIRT"}) {
		t.Errorf("variants: %v", got)
	}
	s := h.ok("/v1/suggest?q=sho")
	if len(s.at("products").([]any)) == 0 || s.at("categories", 0, "id") != "11" {
		t.Errorf("suggestions: %s", s.body)
	}
	tree := h.ok("/v1/categories?store=de")
	if tree.at("root", "children", 0, "name") != "Herren" || tree.at("root", "children", 0, "children", 0, "count") == nil {
		t.Errorf("tree: %s", tree.body)
	}
	if got := h.ok("/v1/category?category=Men").at("children", 0, "id"); got == nil {
		t.Error("no children")
	}
	if got := h.ok("/v1/attributes?name=color&store=de").at("attributes", 0, "options", 0, "label"); got != "Rot" {
		t.Errorf("attribute: %v", got)
	}
	if got := h.ok("/v1/explain?sku=OFF", "Authorization", "Bearer "+readToken).at("causes", 0, "reason"); got != "disabled" {
		t.Errorf("explain: %v", got)
	}
	if got := h.ok("/v1/stores").at("default"); got != "en" {
		t.Errorf("stores: %v", got)
	}
}

func TestLive(t *testing.T) {
	h := newShop(t, storefront.Options{PublicGroups: []string{"retail"}})
	item := func(query string, headers ...string) any {
		t.Helper()
		return h.ok("/v1/live?"+query, headers...).at("items", 0)
	}
	bearer := "Bearer " + readToken
	signed := storefront.Customer{Group: "vip", Expires: h.now.Add(time.Hour)}.Sign(secret)
	for _, c := range []struct {
		name    string
		got     any
		price   any
		regular any
	}{
		{"reduced", item("sku=SHOE-1"), "80.00", "100.00"},
		{"from a quantity", item("sku=SHOE-1&quantity=7"), "75.00", "100.00"},
		{"from a larger one", item("sku=SHOE-1&quantity=10"), "70.00", "100.00"},
		{"in another currency", item("sku=SHOE-1&currency=USD"), "110.00", nil},
		{"in a website", item("sku=SHOE-1&website=us"), "110.00", nil},
		{"later", item("sku=SHOE-1&at=2027-01-01", "Authorization", bearer), "100.00", nil},
		{"of a group", item("sku=SHOE-1&group=vip", "Authorization", bearer), "60.00", nil},
		{"of a list", item("sku=SHOE-1&list=acme", "Authorization", bearer), "50.00", nil},
		{"of a signed customer", item("sku=SHOE-1", "X-Customer", signed), "60.00", nil},
		{"of a public group", item("sku=SHOE-1&group=retail"), "80.00", "100.00"},
		{"of the cheapest variant", item("sku=SHIRT"), "25.00", nil},
	} {
		if dig(c.got, "price") != c.price || dig(c.got, "regular") != c.regular {
			t.Errorf("%s: %v, want %v before %v", c.name, c.got, c.price, c.regular)
		}
	}
	shoe, shirt := item("sku=SHOE-1"), item("sku=SHIRT")
	if dig(shoe, "until") != "2027-01-01T00:00:00Z" || dig(shoe, "quantity") != 5.0 || dig(shoe, "tiers", 1, "price") != "70.00" {
		t.Errorf("%v", shoe)
	}
	if dig(shirt, "max_price") != "35.00" || dig(shirt, "unit") != "SHIRT-S" || dig(shirt, "in_stock") != true {
		t.Errorf("%v", shirt)
	}
	if got := item("sku=SHOE-2"); dig(got, "in_stock") != false {
		t.Errorf("%v", got)
	}
	r := h.ok("/v1/live?sku=NONE&sku=OFF&sku=SHIRT-S")
	if len(r.at("missing").([]any)) != 2 || len(r.at("items").([]any)) != 1 {
		t.Errorf("%s", r.body)
	}
	if got := h.ok("/v1/stock?sku=SHOE-1").at("items", 0, "price"); got != nil {
		t.Errorf("stock has a price: %v", got)
	}
	if got := h.do("POST", "/v1/prices", `{"skus":["SHOE-1"],"quantity":5}`).at("items", 0, "price"); got != "75.00" {
		t.Errorf("by POST: %v", got)
	}
}

// TestPrivatePrices holds the server to D27: what a group or list pays is for
// those who may know, and never stored by caches.
func TestPrivatePrices(t *testing.T) {
	h := newShop(t, storefront.Options{PublicGroups: []string{"retail"}})
	customer := storefront.Customer{Group: "vip", Lists: []string{"acme"}, Expires: h.now.Add(time.Hour)}
	good := customer.Sign(secret)
	old := customer
	old.Expires = h.now
	for _, c := range []struct {
		name, query, header, value string
		status                     int
	}{
		{"nobody", "group=vip", "", "", 401},
		{"nobody, a list", "list=acme", "", "", 401},
		{"a wrong token", "group=vip", "Authorization", "Bearer nonsense-nonsense", 401},
		{"a token", "group=vip", "Authorization", "Bearer " + readToken, 200},
		{"signed", "group=vip&list=acme", "X-Customer", good, 200},
		{"signed for another group", "group=other", "X-Customer", good, 403},
		{"signed for another list", "list=other", "X-Customer", good, 403},
		{"signed by another", "", "X-Customer", customer.Sign([]byte("another secret, as long")), 401},
		{"changed", "", "X-Customer", strings.Replace(good, "vip", "viq", 1), 401},
		{"expired", "", "X-Customer", old.Sign(secret), 401},
		{"a public group", "group=retail", "", "", 200},
	} {
		for _, path := range []string{"/v1/prices?sku=SHOE-1&", "/v1/browse?category=Men/Shoes&sort=price&"} {
			r := h.get(path+c.query, c.header, c.value)
			if r.StatusCode != c.status {
				t.Errorf("%s, %s: %d, want %d: %s", c.name, path, r.StatusCode, c.status, r.body)
			}
			public := strings.HasPrefix(r.Header.Get("Cache-Control"), "public")
			if want := c.name == "a public group"; public != want {
				t.Errorf("%s, %s: Cache-Control %q", c.name, path, r.Header.Get("Cache-Control"))
			}
			if r.StatusCode == 200 && !strings.Contains(r.Header.Get("Vary"), "X-Customer") {
				t.Errorf("%s, %s: Vary %q", c.name, path, r.Header.Get("Vary"))
			}
		}
	}
}

func TestCaching(t *testing.T) {
	h := newShop(t, storefront.Options{})
	for _, c := range []struct{ url, control, keys string }{
		{"/v1/products?sku=SHOE-1", "s-maxage=86400", "p:SHOE-1"},
		{"/v1/products?sku=SHOE-1&sku=NONE", "s-maxage=300", "p:SHOE-1 p:NONE"},
		{"/v1/products?sku=a%2Cb%3Bc", "s-maxage=86400", "p:a%2Cb%3Bc"},
		{"/v1/browse?category=Men/Shoes", "s-maxage=86400", "c:11 p:SHOE-1 p:SHOE-2"},
		{"/v1/browse?category=Men/Shoes&sort=price", "max-age=30", ""},
		{"/v1/browse?category=Men/Shoes&fields=name,in_stock", "max-age=30", ""},
		{"/v1/browse?category=Men/Shoes&filter=price%3D..99", "max-age=30", ""},
		{"/v1/search?q=trail", "s-maxage=300", "p:SHOE-1"},
		{"/v1/live?sku=SHOE-1", "max-age=30", ""},
		{"/v1/status", "no-store", ""},
	} {
		r := h.ok(c.url)
		if !strings.Contains(r.Header.Get("Cache-Control"), c.control) {
			t.Errorf("%s: Cache-Control %q, want %s", c.url, r.Header.Get("Cache-Control"), c.control)
		}
		if r.Header.Get("Surrogate-Key") != c.keys || r.Header.Get("xkey") != c.keys || r.Header.Get("Cache-Tag") != strings.ReplaceAll(c.keys, " ", ",") {
			t.Errorf("%s: keys %q, want %q", c.url, r.Header.Get("Surrogate-Key"), c.keys)
		}
		if strings.HasPrefix(c.control, "no") {
			continue
		}
		tag := r.Header.Get("ETag")
		if again := h.get(c.url, "If-None-Match", `"x", `+tag); again.StatusCode != 304 || again.Header.Get("ETag") != tag || again.Header.Get("Cache-Control") == "" {
			t.Errorf("%s: not 304 but %d", c.url, again.StatusCode)
		}
		if again := h.get(c.url, "If-None-Match", `"x"`); again.StatusCode != 200 {
			t.Errorf("%s: %d for another tag", c.url, again.StatusCode)
		}
	}
	t.Run("packed", func(t *testing.T) {
		put(t, h.store, catalog.KindProduct, `{"sku":"a/b","name":"`+strings.Repeat("long ", 500)+`","categories":["Odd"]}`)
		const big = "/v1/browse?category=Odd&fields=name,categories,parent,score&variants=true&auto_facets=20&facet=brand&facet=sku"
		plain := h.ok(big)
		tags := map[string]bool{plain.Header.Get("ETag"): true}
		for accept, want := range map[string]string{
			"br, gzip": "gzip", "gzip, deflate, br, zstd": "zstd", "zstd;q=0.2, gzip;q=0.8": "gzip",
		} {
			small := h.ok(big, "Accept-Encoding", accept)
			if got := small.Header.Get("Content-Encoding"); got != want || len(small.body) > len(plain.body)/2 {
				t.Errorf("%s: %q, %d of %d bytes", accept, got, len(small.body), len(plain.body))
			}
			if text := unpacked(t, want, small.body); string(text) != string(plain.body) {
				t.Errorf("%s: %s", accept, text)
			}
			tag := small.Header.Get("ETag")
			tags[tag] = true
			for _, again := range []string{accept, ""} { // a cache may ask with the tag of any
				if r := h.get(big, "If-None-Match", tag, "Accept-Encoding", again); r.StatusCode != 304 {
					t.Errorf("%s: %d for the tag %s, asked for with %q", accept, r.StatusCode, tag, again)
				}
			}
		}
		if len(tags) != 3 {
			t.Errorf("three codings have the tags %v", tags)
		}
		if r := h.ok(big, "Accept-Encoding", "zstd;q=0, gzip;q=0"); r.Header.Get("Content-Encoding") != "" {
			t.Errorf("who wants none gets %q", r.Header.Get("Content-Encoding"))
		}
	})
	t.Run("bounded keys", func(t *testing.T) {
		var q strings.Builder
		for i := range 200 {
			q.WriteString("&sku=SHOE-" + strings.Repeat("x", i%50) + strconv.Itoa(i))
		}
		r := h.ok("/v1/products?sku=SHOE-1" + q.String())
		if n := len(r.Header.Get("Surrogate-Key")); n > 4100 || !strings.Contains(r.Header.Get("Cache-Control"), "max-age=30") {
			t.Errorf("%d bytes of keys, %q", n, r.Header.Get("Cache-Control"))
		}
	})
	t.Run("a change changes the tag", func(t *testing.T) {
		before := h.ok("/v1/products?sku=SHOE-2").Header.Get("ETag")
		put(t, h.store, catalog.KindPrice, `{"sku":"SHOE-2","price":91}`)
		if h.ok("/v1/products?sku=SHOE-2").Header.Get("ETag") != before {
			t.Error("a price changed the product's page")
		}
		put(t, h.store, catalog.KindProduct, `{"sku":"SHOE-2","name":"New"}`)
		if h.ok("/v1/products?sku=SHOE-2").Header.Get("ETag") == before {
			t.Error("the tag stays when the product changes")
		}
	})
}
