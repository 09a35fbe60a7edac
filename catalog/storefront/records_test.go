package storefront_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"catalog/catalog"
	"catalog/catalog/storefront"
)

func TestRecords(t *testing.T) {
	h := newShop(t, storefront.Options{})
	auth := []string{"Authorization", "Bearer " + importToken}
	do := func(method, url, body string, headers ...string) *reply {
		t.Helper()
		return h.do(method, "/v1/records/"+url, body, append(auth, headers...)...)
	}
	price := func(sku string) any {
		t.Helper()
		return h.ok("/v1/prices?sku="+url.QueryEscape(sku)).at("items", 0, "price")
	}

	t.Run("make", func(t *testing.T) {
		r := do("PUT", "products?key=NEW", `{"name":"New","price":9.5,"stock":2}`, "If-None-Match", "*")
		if r.StatusCode != http.StatusCreated || r.at("price") != "created" || r.Header.Get("ETag") == "" {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		if price("NEW") != "9.50" || h.ok("/v1/products/NEW").at("product", "name") != "New" {
			t.Error("it is not served as it was written")
		}
		if r := do("PUT", "products?key=NEW", `{"name":"Again"}`, "If-None-Match", "*"); r.StatusCode != http.StatusPreconditionFailed {
			t.Errorf("made twice: %d", r.StatusCode)
		}
	})
	t.Run("replace under a condition", func(t *testing.T) {
		tag := do("GET", "products?key=NEW", "").Header.Get("ETag")
		if r := do("PUT", "products?key=NEW", `{"name":"Newer"}`, "If-Match", tag); r.StatusCode != 200 {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		r := do("PUT", "products?key=NEW", `{"name":"Newest"}`, "If-Match", tag)
		if r.StatusCode != http.StatusPreconditionFailed || r.Header.Get("ETag") == "" {
			t.Errorf("over a change: %d", r.StatusCode)
		}
		if price("NEW") != "9.50" {
			t.Error("a document without price changed the price")
		}
		if r := do("PUT", "products?key=NONE", `{"name":"x"}`, "If-Match", "*"); r.StatusCode != http.StatusPreconditionFailed {
			t.Errorf("If-Match * of nothing: %d", r.StatusCode)
		}
		if r := do("GET", "products?key=NEW", "", "If-None-Match", do("GET", "products?key=NEW", "").Header.Get("ETag")); r.StatusCode != 304 {
			t.Errorf("read again: %d", r.StatusCode)
		}
	})
	t.Run("patch", func(t *testing.T) {
		r := do("PATCH", "products?key=SHOE-1", `{"brand":null,"attributes":{"weight":300},"stock":{"qty":9},"price":120}`, "Content-Type", "application/merge-patch+json")
		if r.StatusCode != 200 || r.at("stock") != "updated" || r.at("price") != "updated" {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		p := h.ok("/v1/products/SHOE-1").at("product")
		if dig(p, "brand") != nil || dig(p, "attributes", "weight") != 300.0 || dig(p, "attributes", "color") != "red" {
			t.Errorf("%v", p)
		}
		if got := h.ok("/v1/stock?sku=SHOE-1").at("items", 0); dig(got, "quantity") != 9.0 || dig(got, "min_quantity") != 1.0 {
			t.Errorf("stock %v", got)
		}
		head, err := h.store.HeadsOf(t.Context(), catalog.KindProduct, "SHOE-1")
		if err != nil || head[0].Source != "feed" {
			t.Errorf("the record changed its owner to %q, %v", head[0].Source, err)
		}
	})
	t.Run("patch one price", func(t *testing.T) {
		if r := do("PUT", "prices?key=SHOE-2", `{"prices":[{"price":90},{"group":"vip","price":70}]}`); r.StatusCode != 200 {
			t.Fatalf("%s", r.body)
		}
		if r := do("PATCH", "prices?key=SHOE-2", `{"price":95}`); r.StatusCode != 200 {
			t.Fatalf("%s", r.body)
		}
		if r := do("PATCH", "prices?key=SHOE-2", `{"list":"acme","price":60}`); r.StatusCode != 200 {
			t.Fatalf("%s", r.body)
		}
		if n := len(do("GET", "prices?key=SHOE-2", "").at("prices").([]any)); n != 3 || price("SHOE-2") != "95" && price("SHOE-2") != "95.00" {
			t.Errorf("%d entries, %v", n, price("SHOE-2"))
		}
	})
	t.Run("patch stock", func(t *testing.T) {
		if r := do("PATCH", "stock?key=SHOE-2", `{"qty":4,"min_qty":2}`); r.StatusCode != 200 {
			t.Fatalf("%s", r.body)
		}
		if got := h.ok("/v1/stock?sku=SHOE-2").at("items", 0); dig(got, "quantity") != 4.0 || dig(got, "in_stock") != true {
			t.Errorf("%v", got)
		}
	})
	t.Run("delete", func(t *testing.T) {
		r := do("DELETE", "products?key=NEW", "")
		if r.StatusCode != 200 || r.at("price") != "deleted" || r.at("stock") != "deleted" {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		if r := do("DELETE", "products?key=NEW", ""); r.StatusCode != 404 {
			t.Errorf("twice: %d", r.StatusCode)
		}
	})
	t.Run("any SKU", func(t *testing.T) {
		for _, sku := range odd {
			key := url.QueryEscape(sku)
			if r := do("PATCH", "products?key="+key, `{"name":"Changed"}`); r.StatusCode != 200 {
				t.Errorf("%q: %s", sku, r.body)
			}
			if got := do("GET", "products?key="+key, "").at("sku"); got != sku {
				t.Errorf("%q is kept as %v", sku, got)
			}
		}
	})
	for _, c := range []struct {
		name, method, url, body string
		status                  int
		where                   string
	}{
		{"a broken document", "PUT", "products?key=X", `{"name":`, 422, ""},
		{"no object", "PUT", "products?key=X", `[]`, 422, ""},
		{"a member twice", "PUT", "products?key=X", `{"a":1,"a":2}`, 422, ""},
		{"a wrong type", "PUT", "products?key=X", `{"status":"maybe"}`, 422, "status"},
		{"a wrong price", "PUT", "prices?key=X", `{"price":-1}`, 422, "price"},
		{"another SKU", "PUT", "products?key=X", `{"sku":"Y"}`, 400, "sku"},
		{"another kind", "PUT", "products?key=X", `{"$kind":"stock","qty":1}`, 400, "sku"},
		{"no key", "PUT", "products", `{}`, 400, "key"},
		{"a key with a control character", "PUT", "products?key=a%01", `{}`, 400, "key"},
		{"an unknown kind", "PUT", "things?key=X", `{}`, 404, "kind"},
		{"nothing to patch", "PATCH", "products?key=NONE", `{}`, 404, "key"},
		{"a strange condition", "PUT", "products?key=X", `{}`, 400, "If-Match"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var headers []string
			if c.where == "If-Match" {
				headers = []string{"If-Match", "W/5"}
			}
			r := do(c.method, c.url, c.body, headers...)
			if r.StatusCode != c.status || c.where != "" && r.at("where") != c.where || r.at("detail") == nil {
				t.Errorf("%d %s", r.StatusCode, r.body)
			}
		})
	}
	t.Run("roles", func(t *testing.T) {
		for token, want := range map[string]int{"": 401, "unknown-unknown-unknown": 401, readToken: 403, importToken: 200, adminToken: 200} {
			headers := []string{"X-Nothing", ""}
			if token != "" {
				headers = []string{"Authorization", "Bearer " + token}
			}
			if r := h.do("PATCH", "/v1/records/products?key=SHOE-2", `{"name":"x"}`, headers...); r.StatusCode != want {
				t.Errorf("%q: %d, want %d", token, r.StatusCode, want)
			} else if want == 401 && !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%q: no WWW-Authenticate", token)
			}
		}
	})
	t.Run("too large", func(t *testing.T) {
		small := newShop(t, storefront.Options{Limits: storefront.Limits{Body: 100}})
		r := small.do("PUT", "/v1/records/products?key=X", `{"name":"`+strings.Repeat("x", 200)+`"}`, auth...)
		if r.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
	})
}
