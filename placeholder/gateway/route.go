package gateway

import (
	"net/http"
	"strings"
)

// route is what a request's path and method say that it does.
type route uint8

const (
	routeOther   route = iota // nothing to ensure: it streams through
	routeREST                 // cart items by REST
	routeGraphQL              //
	routeAdd                  // the storefront's adds by product id
	routeReorder              // the storefront's reorder
)

// String names the route for logs: paths hold the ids of carts, which are
// secrets of their owners.
func (r route) String() string {
	return [...]string{"other", "rest", "graphql", "storefront", "reorder"}[r]
}

// leading is how many path segments may come before those we look for: a base
// folder, index.php, a store code.
const leading = 3

// classify tells a request's route, and for routeAdd and routeReorder where
// in the path its parameters begin: the index of the segment, as segments
// numbers them.
func classify(method, escapedPath string, openmage bool) (r route, params int) {
	if method != http.MethodPost && method != http.MethodPut && method != http.MethodGet {
		return routeOther, 0
	}
	path := strings.ToLower(escapedPath)
	if !openmage {
		switch {
		case strings.Contains(path, "/rest/"):
			if method != http.MethodGet && isCartItems(segments(path)) {
				return routeREST, 0
			}
		case strings.Contains(path, "/graphql"):
			s := segments(path)
			if n := len(s); method != http.MethodPut && n > 0 && n <= leading+1 && s[n-1] == "graphql" {
				return routeGraphQL, 0
			}
		}
	}
	// Magento 2 answers GET with 404: nothing must be made for it.
	if method == http.MethodPut || method == http.MethodGet && !openmage {
		return routeOther, 0
	}
	for _, a := range storefront {
		if !strings.Contains(path, a.path) {
			continue
		}
		s := segments(path)
		for i := 0; i <= leading && i+3 <= len(s); i++ {
			if "/"+s[i]+"/"+s[i+1]+"/"+s[i+2] == a.path {
				return a.route, i + 3
			}
		}
	}
	return routeOther, 0
}

// storefront lists the controllers that take a product id or an order.
var storefront = []struct {
	path  string
	route route
}{
	{"/checkout/cart/add", routeAdd},
	{"/wishlist/index/add", routeAdd},
	{"/catalog/product_compare/add", routeAdd},
	{"/sales/order/reorder", routeReorder},
	{"/sales/guest/reorder", routeReorder},
}

// segments splits a path, leaving out empty segments as PHP's routers do.
func segments(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// isCartItems reports whether segments, in lower case, are those of a REST
// route that saves a cart's item.
func isCartItems(s []string) bool {
	i := 0
	for i < len(s) && s[i] != "rest" {
		i++
	}
	if i > leading || i == len(s) {
		return false
	}
	s = s[i+1:]
	if len(s) > 0 && s[0] != "async" && !isVersion(s[0]) {
		s = s[1:] // the store's code, or "all"
	}
	if len(s) > 0 && s[0] == "async" {
		s = s[1:]
		if len(s) > 0 && s[0] == "bulk" {
			s = s[1:]
		}
	}
	if len(s) < 4 || len(s) > 5 || !isVersion(s[0]) {
		return false
	}
	return (s[1] == "carts" || s[1] == "guest-carts") && s[3] == "items"
}

// isVersion reports whether s is "v1" or a later one.
func isVersion(s string) bool {
	return len(s) == 2 && s[0] == 'v' && s[1] >= '1' && s[1] <= '9'
}
