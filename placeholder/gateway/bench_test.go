package gateway

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"catalog/placeholder"
)

// everything is an Ensurer that has everything at once.
type everything struct{}

func (everything) Ensure(_ context.Context, _ string, skus []string) ([]placeholder.Result, error) {
	results := make([]placeholder.Result, len(skus))
	for i, s := range skus {
		results[i] = placeholder.Result{SKU: s, Status: placeholder.Present, Spelling: s, EntityID: 1}
	}
	return results, nil
}

// BenchmarkAdded measures what the gateway adds to a request that the shop
// answers at once, by sending each in turn to the shop and through the
// gateway.
func BenchmarkAdded(b *testing.B) {
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "ok")
	}))
	defer shop.Close()
	u, err := url.Parse(shop.URL)
	if err != nil {
		b.Fatal(err)
	}
	g, err := New(u, everything{}, Options{})
	if err != nil {
		b.Fatal(err)
	}
	front := httptest.NewServer(g)
	defer front.Close()
	for _, bb := range []struct {
		name, method, path, contentType, body string
	}{
		{"pass", "GET", "/some/page", "", ""},
		{"pass a query", "POST", "/graphql", "application/json", `{"query":"query($id:String!){cart(cart_id:$id){id items{quantity product{sku name}}}}","variables":{"id":"x"}}`},
		{"REST", "POST", "/rest/V1/guest-carts/x/items", "application/json", `{"cartItem":{"sku":"A","qty":1,"quote_id":"x"}}`},
		{"GraphQL", "POST", "/graphql", "application/json", `{"query":"mutation($id:String!,$items:[CartItemInput!]!){addProductsToCart(cartId:$id,cartItems:$items){cart{id total_quantity}user_errors{code message}}}","variables":{"id":"x","items":[{"sku":"A","quantity":1}]}}`},
		{"storefront", "POST", "/checkout/cart/add", "application/x-www-form-urlencoded", "form_key=x&sku=A&qty=1"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			client := front.Client()
			do := func(base string) time.Duration {
				began := time.Now()
				req, err := http.NewRequest(bb.method, base+bb.path, bytes.NewReader([]byte(bb.body)))
				if err != nil {
					b.Fatal(err)
				}
				req.Header.Set("Content-Type", bb.contentType)
				res, err := client.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				return time.Since(began)
			}
			var direct, through []time.Duration
			for b.Loop() {
				direct = append(direct, do(shop.URL))
				through = append(through, do(front.URL))
			}
			slices.Sort(direct)
			slices.Sort(through)
			n := len(direct)
			b.ReportMetric(float64((through[n/2] - direct[n/2]).Microseconds()), "added-p50-µs")
			b.ReportMetric(float64((through[n*99/100] - direct[n*99/100]).Microseconds()), "added-p99-µs")
		})
	}
}

// BenchmarkRead measures reading and rewriting alone.
func BenchmarkRead(b *testing.B) {
	body := []byte(`{"query":"mutation Add($id:String!,$items:[CartItemInput!]!){addProductsToCart(cartId:$id,cartItems:$items){cart{id total_quantity}user_errors{code message}}}","variables":{"id":"x","items":[{"sku":"A","parent_sku":"P","quantity":1}]}}`)
	b.Run("parse", func(b *testing.B) {
		for b.Loop() {
			parseGraphQL(body)
		}
	})
	p := parseGraphQL(body)
	a := answers{"A": {SKU: "A", Status: placeholder.Created, Spelling: "A"}}
	b.Run("rewrite", func(b *testing.B) {
		for b.Loop() {
			p.rewrite(a)
		}
	})
}
