package gateway

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"catalog/placeholder"
)

// allOurs answers as if each SKU were a placeholder whose spelling is the SKU
// with an exclamation mark.
func allOurs(skus []string) answers {
	a := answers{}
	for i, s := range skus {
		a[s] = placeholder.Result{SKU: s, Status: placeholder.Created, Spelling: s + "!", EntityID: int64(100 + i)}
	}
	return a
}

// sorted returns a sorted copy.
func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

func FuzzGraphQL(f *testing.F) {
	for _, s := range []string{
		`{"query":"mutation{addProductsToCart(cartId:\"c\",cartItems:[{sku:\"a\",quantity:1}]){cart{id}}}"}`,
		`{"query":"mutation($i:[CartItemInput!]!){addProductsToCart(cartId:\"c\",cartItems:$i){cart{id}}}","variables":{"i":[{"sku":"a","quantity":1.0}]}}`,
		`{"variables":null,"query":"mutation M($s:String=\"x\"){a:addProductsToWishlist(wishlistItems:{sku:$s,parent_sku:\"p\"}){x}}","operationName":"M"}`,
		`[{"query":"mutation{addConfigurableProductsToCart(input:{cart_items:[{parent_sku:\"p\",data:{sku:\"ä\"}}]}){...F}}fragment F on AddConfigurableProductsToCartOutput{cart{id}}"}]`,
		`{"query":"mutation{createCompareList(input:{products:[1,\"sku:a\",\"b\"]}){uid} reorderItems(orderNumber:\"1\"){x}}","variables":{}}`,
		`{"query":"mutation($a:Int $b:String=\"x\" @d(x:1)){x:addSimpleProductsToCart(input:{cart_items:[{data:{sku:\"\"\"\n b\n\"\"\"}}]}){x}...F}fragment F on M{addVirtualProductsToCart(input:{cart_items:{data:{sku:$b}}}){x}}"}`,
		"{\"query\":\"\ufeffmutation{addProductsToCart(cartItems:[{sku:\\\"\xff\\\\u00e9\\\"}]){x}}#\\u00ff\"}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p := parseGraphQL(body)
		if p == nil {
			return
		}
		if out := p.rewrite(answers{}); out.body != nil || out.refusal != nil {
			t.Fatalf("without answers it became %s", out.body)
		}
		out := p.rewrite(allOurs(p.skus))
		if out.body == nil {
			return
		}
		if !json.Valid(out.body) {
			t.Fatalf("no JSON: %s", out.body)
		}
		before, _ := parseJSON(body)
		after, _ := parseJSON(out.body)
		if before.kind == kindArray && len(before.items) != 1 {
			return // some of them may have been left alone
		}
		want := cartSKUs(before)
		for i := range want {
			want[i] += "!"
		}
		if got := cartSKUs(after); !slices.Equal(sorted(got), sorted(want)) {
			t.Fatalf("%s\nbecame\n%s\nwith SKUs %q, want %q", body, out.body, got, want)
		}
	})
}

// cartSKUs returns the SKUs of a request but those of compare lists, which
// become ids.
func cartSKUs(root *value) (skus []string) {
	req := root.elements()[0]
	op := parseOperation(req.member("query").string(), req.member("operationName").string(), req.member("variables"))
	if op == nil {
		return nil
	}
	var p parsed
	for i := range op.calls {
		if c := &op.calls[i]; c.kind != itemEntityID && c.kind != itemOrder {
			for _, item := range c.items() {
				if s := c.sku(item); len(s) < 250 {
					p.add(s)
				}
			}
		}
	}
	return p.skus
}

func FuzzREST(f *testing.F) {
	for _, s := range []string{
		`{"cartItem":{"sku":"a","qty":1.50,"parent_sku":"p"}}`,
		`[{"cart_item":{"parent_sku":"p","sku":"\u00e4"}},{"cartItem":{"sku":12}},{"cartItem":{"SKU":"x","sku":"y"}}]`,
		`{"cartItem":{"parent_sku":"a"},"cart_item":{"sku":"b"}}`,
		"{\"cartItem\":{\"sku\":\"\xff\\ud800\"}}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p := parseREST("application/json", body)
		if p == nil {
			return
		}
		if out := p.rewrite(answers{}); out.body != nil {
			t.Fatalf("without answers it became %s", out.body)
		}
		for _, s := range p.skus {
			if len(s) >= 250 {
				return
			}
		}
		out := p.rewrite(allOurs(p.skus))
		if len(p.skus) == 0 {
			return
		}
		again := parseREST("application/json", out.body)
		if again == nil {
			t.Fatalf("%s\nbecame\n%s", body, out.body)
		}
		want := slices.Clone(p.skus)
		for i := range want {
			want[i] += "!"
		}
		if !slices.Equal(again.skus, want) {
			t.Fatalf("%s\nbecame\n%s with SKUs %q, want %q", body, out.body, again.skus, want)
		}
		parseREST("text/xml", body)
	})
}

func FuzzStorefront(f *testing.F) {
	const boundary = "b"
	multi := "--b\r\nContent-Disposition: form-data; name=\"sku\"\r\n\r\nA\r\n--b\r\nContent-Disposition: form-data; name=\"product\"\r\n\r\n\r\n--b--\r\n"
	for _, s := range []string{"sku=a&product=&x=%20", "product=0&sku=a&sku=b", "/checkout/cart/add/product/0/sku/a%20b/x", "&&=&sku=a;b", multi} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, read := range map[string]func(string) place{
			"form":      urlencoded,
			"path":      func(s string) place { return pathParams(s, 3) },
			"multipart": func(s string) place { return multipart(s, boundary) },
		} {
			var out string
			p := parseAdd([]place{read(s)}, func(_ int, source string) rewritten {
				out = source
				return rewritten{}
			})
			if p == nil || len(p.skus) == 0 {
				continue
			}
			p.rewrite(allOurs(p.skus))
			again := read(out)
			sku, has := again.choose()
			if sku != nil || !has {
				t.Errorf("%s: %q became %q", name, s, out)
			}
			before := read(s)
			if got, want := others(again), others(before); !slices.Equal(got, want) {
				t.Errorf("%s: %q became %q, whose other fields are %q, not %q", name, s, out, got, want)
			}
		}
	})
}

// others are the fields that a rewrite must not touch.
func others(p place) (pairs []string) {
	for _, f := range p.fields {
		if f.name != "sku" && f.name != "product" && (f.name != "" || f.value != "") {
			pairs = append(pairs, f.name+"="+f.value)
		}
	}
	return pairs
}

// FuzzRequest sends anything anywhere: no answer but the shop's or a refusal,
// and never a panic.
func FuzzRequest(f *testing.F) {
	const types = "application/json"
	f.Add("POST", "/rest/V1/carts/mine/items", types, []byte(`{"cartItem":{"sku":"a"}}`), false)
	f.Add("PUT", "/index.php/rest/all/async/bulk/V1/carts/mine/items/byItemId", types, []byte(`[]`), false)
	f.Add("GET", "/graphql?query=mutation%7BaddProductsToCart(cartItems:%7Bsku:%22a%22%7D)%7Bx%7D%7D&variables=%7B%7D", "", []byte(nil), false)
	f.Add("POST", "/checkout/cart/add/sku/a/", "multipart/form-data; boundary=b", []byte("--b\r\n\r\n--b--"), true)
	f.Add("GET", "/checkout/cart/add/sku//%zz/product/?sku=1", "", []byte(nil), true)
	f.Add("POST", "/sales/order/reorder/order_id/1", "text/xml", []byte("<a>"), true)
	shop := roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		if _, err := url.ParseRequestURI(r.URL.RequestURI()); err != nil && !strings.HasPrefix(r.URL.Opaque, "/") {
			return nil, err
		}
		return &http.Response{StatusCode: http.StatusTeapot, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	})
	f.Fuzz(func(t *testing.T, method, target, contentType string, body []byte, openMage bool) {
		r, err := http.NewRequest(method, target, bytes.NewReader(body))
		if err != nil || !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "//") {
			return
		}
		r.RequestURI = target
		r.Header.Set("Content-Type", contentType)
		g, err := New(&url.URL{Scheme: "http", Host: "shop"}, everything{}, Options{OpenMage: openMage, Transport: shop})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		if w.Code != http.StatusTeapot {
			t.Errorf("%s %s: status %d %s", method, target, w.Code, w.Body)
		}
		if err := g.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
