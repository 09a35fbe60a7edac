package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"catalog/placeholder"
	"catalog/placeholder/gateway"
)

// ensurer stands for a placeholder.Service.
type ensurer struct{}

func (ensurer) Ensure(_ context.Context, client string, skus []string) ([]placeholder.Result, error) {
	fmt.Println("ensure", skus, "for", client)
	var results []placeholder.Result
	for _, sku := range skus {
		results = append(results, placeholder.Result{SKU: sku, Status: placeholder.Created, Spelling: sku, EntityID: 77})
	}
	return results, nil
}

// The storefront's form has a SKU; the shop's controller gets the product's
// entity id.
func Example() {
	shop := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Println("the shop gets", string(body))
	}))
	defer shop.Close()
	upstream, err := url.Parse(shop.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	g, err := gateway.New(upstream, ensurer{}, gateway.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	front := httptest.NewServer(g)
	defer func() {
		front.Close()
		_ = g.Close(context.Background())
	}()
	res, err := front.Client().Post(front.URL+"/checkout/cart/add", "application/x-www-form-urlencoded",
		strings.NewReader("form_key=k&sku=AB-12&qty=2"))
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = res.Body.Close()
	fmt.Println(g.Stats().Rewritten, "rewritten")
	// Output:
	// ensure [AB-12] for 127.0.0.1
	// the shop gets form_key=k&product=77&qty=2
	// 1 rewritten
}
