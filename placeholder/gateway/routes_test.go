package gateway_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"catalog/placeholder/gateway"
)

// TestRESTRoutes sends the same item to all forms of the routes.
func TestRESTRoutes(t *testing.T) {
	const item = `{"cartItem":{"sku":"A-1","qty":2,"quote_id":"x"}}`
	s := newShop(t)
	for _, tt := range []struct {
		method, path, body string
		want               string // SKUs, by comma
	}{
		{"POST", "/rest/V1/guest-carts/abc/items", item, "A-1"},
		{"POST", "/rest/V1/carts/mine/items", item, "A-1"},
		{"POST", "/rest/V1/carts/12/items", item, "A-1"},
		{"PUT", "/rest/V1/guest-carts/abc/items/3", item, "A-1"},
		{"PUT", "/rest/V1/carts/mine/items/3", item, "A-1"},
		{"PUT", "/rest/V1/carts/12/items/3", item, "A-1"},
		{"POST", "/rest/de/V1/carts/mine/items", item, "A-1"},
		{"POST", "/rest/all/V1/carts/mine/items", item, "A-1"},
		{"POST", "/index.php/rest/default/V1/carts/mine/items", item, "A-1"},
		{"POST", "/shop/index.php/rest/default/V1/carts/mine/items/", item, "A-1"},
		{"POST", "//rest//V1/carts/mine/items", item, "A-1"},
		{"POST", "/rest/v1/Carts/Mine/Items", item, "A-1"},
		{"POST", "/rest/async/V1/carts/mine/items", item, "A-1"},
		{"POST", "/rest/de/async/V1/guest-carts/abc/items", item, "A-1"},
		{"POST", "/rest/async/bulk/V1/carts/mine/items", `[` + item + `,{"cartItem":{"sku":"B"}},` + item + `]`, "A-1,B"},
		{"POST", "/rest/all/async/bulk/V1/guest-carts/byCartId/items", `[` + item + `]`, "A-1"},
		{"PUT", "/rest/all/async/bulk/V1/carts/mine/items/byItemId", `[` + item + `]`, "A-1"},
		{"POST", "/rest/V1/carts/mine/items", `{"cart_item":{"Sku":"A-1"}}`, "A-1"},
		{"POST", "/rest/V1/carts/mine/items", `{"cartItem":{"sku":42}}`, "42"},
		{"POST", "/rest/V1/carts/mine/items", `{"cartItem":{"sku":"A\u00e9\/1"}}`, "Aé/1"},
		{"POST", "/rest/V1/carts/mine/items", `{"cartItem":{"sku":"first","sku":"last"}}`, "last"},

		// What adds nothing, or is nothing that Magento understands.
		{"GET", "/rest/V1/carts/mine/items", "", ""},
		{"DELETE", "/rest/V1/carts/mine/items/3", "", ""},
		{"POST", "/rest/V1/carts/mine/estimate-shipping-methods", item, ""},
		{"POST", "/rest/V1/carts/mine", item, ""},
		{"POST", "/rest/V1/carts/mine/items/3/x", item, ""},
		{"POST", "/rest/V1/products", item, ""},
		{"POST", "/rest/carts/mine/items", item, ""},
		{"POST", "/a/b/c/d/rest/V1/carts/mine/items", item, ""},
		{"POST", "/rest/V1/carts/mine/items", `{"cartItem":{"sku":"A"`, ""},
		{"POST", "/rest/V1/carts/mine/items", `{"cartItem":{"sku":["A"]}}`, ""},
		{"POST", "/rest/V1/carts/mine/items", `{"cartItem":{"sku":""}}`, ""},
		{"POST", "/rest/V1/carts/mine/items", `"cartItem"`, ""},
		{"POST", "/rest/V1/carts/mine/items", ``, ""},
	} {
		sh := &shelf{}
		_, srv := serve(t, s.URL, sh, gateway.Options{})
		send(t, tt.method, srv.URL+tt.path, "application/json", []byte(tt.body))
		if got := strings.Join(sh.skus(), ","); got != tt.want {
			t.Errorf("%s %s %s: ensured %q, want %q", tt.method, tt.path, tt.body, got, tt.want)
		}
		if r, b, _ := s.got(); r.RequestURI != tt.path || string(b) != tt.body {
			t.Errorf("%s %s %s: the shop got %s with %s", tt.method, tt.path, tt.body, r.RequestURI, b)
		}
		// OpenMage has no such routes.
		sh = &shelf{}
		_, srv = serve(t, s.URL, sh, gateway.Options{OpenMage: true})
		send(t, tt.method, srv.URL+tt.path, "application/json", []byte(tt.body))
		if got := sh.skus(); len(got) != 0 {
			t.Errorf("OpenMage: %s %s ensured %q", tt.method, tt.path, got)
		}
	}
}

func TestRESTBodies(t *testing.T) {
	s := newShop(t)
	for _, tt := range []struct {
		name, body, want string // want "": as it came
		skus             string
	}{
		{
			"shop's spelling, numbers and order kept",
			`{ "x":1.50, "cartItem" : {"qty":1.00,"sku":"alike-\u0061","n":123456789012345678901234567890} }`,
			`{ "x":1.50, "cartItem" : {"qty":1.00,"sku":"ALIKE-A","n":123456789012345678901234567890} }`, "alike-a",
		},
		{
			"parent_sku of a placeholder, last", `{"cartItem":{"sku":"v","qty":1 , "parent_sku":"conf-p" }}`,
			`{"cartItem":{"sku":"v","qty":1 }}`, "v",
		},
		{"parent_sku first", `{"cartItem":{"parent_sku":"p", "sku":"v"}}`, `{"cartItem":{"sku":"v"}}`, "v"},
		{
			"parent_sku between, other spelling too", `{"cartItem":{"sku":"alike-v","parent_sku":"p","qty":2}}`,
			`{"cartItem":{"sku":"ALIKE-V","qty":2}}`, "alike-v",
		},
		{"the merchant's own variant keeps its parent", `{"cartItem":{"sku":"own-v","parent_sku":"p"}}`, "", "own-v"},
		{"unknown", `{"cartItem":{"sku":"no-v","parent_sku":"p"}}`, "", "no-v"},
		{
			"bulk", `[{"cartItem":{"sku":"a"}},{"cartItem":{"sku":"alike-b","parent_sku":"p"}},{"cartItem":{"sku":"own-c","parent_sku":"p"}}]`,
			`[{"cartItem":{"sku":"a"}},{"cartItem":{"sku":"ALIKE-B"}},{"cartItem":{"sku":"own-c","parent_sku":"p"}}]`, "a,alike-b,own-c",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sh := &shelf{}
			_, srv := serve(t, s.URL, sh, gateway.Options{})
			for _, encoding := range []string{"", "gzip", "deflate"} {
				body := compress(t, encoding, tt.body)
				var headers []string
				if encoding != "" {
					headers = []string{"Content-Encoding", encoding}
				}
				send(t, "POST", srv.URL+"/rest/V1/carts/mine/items", "application/json", body, headers...)
				r, got, _ := s.got()
				want, wantEncoding := []byte(tt.want), ""
				if tt.want == "" {
					want, wantEncoding = body, encoding
				}
				if !bytes.Equal(got, want) || r.Header.Get("Content-Encoding") != wantEncoding || r.ContentLength != int64(len(want)) {
					t.Errorf("%q: the shop got %q of %d bytes, %q", encoding, got, r.ContentLength, r.Header.Get("Content-Encoding"))
				}
			}
			if got := strings.Join(sh.skus()[:strings.Count(tt.skus, ",")+1], ","); got != tt.skus {
				t.Errorf("ensured %q", got)
			}
		})
	}
}

func compress(t testing.TB, encoding, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch encoding {
	case "":
		return []byte(s)
	case "gzip":
		w = gzip.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	}
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRESTXML(t *testing.T) {
	const body = `<?xml version="1.0"?><request><cartItem><sku>A&amp;1</sku><qty>1</qty></cartItem><other><sku>no</sku></other></request>`
	s := newShop(t)
	sh := &shelf{}
	_, srv := serve(t, s.URL, sh, gateway.Options{})
	for _, ct := range []string{"application/xml; charset=utf-8", "text/xml"} {
		send(t, "POST", srv.URL+"/rest/V1/guest-carts/a/items", ct, []byte(body))
	}
	if got := sh.skus(); !slices.Equal(got, []string{"A&1", "A&1"}) {
		t.Errorf("ensured %q", got)
	}
	if _, b, _ := s.got(); string(b) != body {
		t.Errorf("the shop got %s", b)
	}
}

func TestRefusals(t *testing.T) {
	s := newShop(t)
	for _, tt := range []struct {
		name, path, contentType, body string
		status                        int
		want                          string // in the answer
	}{
		{
			"REST", "/rest/V1/carts/mine/items", "application/json",
			`{"cartItem":{"sku":"conf-1","product_option":{"extension_attributes":{"configurable_item_options":[{"option_id":"93","option_value":52}]}}}}`,
			400, `{"message":"The product \"conf-1\" has variants`,
		},
		{"REST XML", "/rest/V1/carts/mine/items", "text/xml", `<r><cartItem><sku>conf-1</sku></cartItem></r>`, 400, `{"message":"The product`},
		{
			"GraphQL", "/graphql", "application/json",
			`{"query":"mutation{addProductsToCart(cartId:\"c\",cartItems:[{sku:\"conf-1\",quantity:1,selected_options:[\"Y29uZmln\"]}]){cart{id}}}"}`,
			200, `{"errors":[{"message":"The product \"conf-1\" has variants`,
		},
		{
			"GraphQL batch", "/graphql", "application/json",
			`[{"query":"{x}"},{"query":"mutation{addProductsToCart(cartId:\"c\",cartItems:[{sku:\"conf-1\",quantity:1}]){cart{id}}}"}]`,
			200, `[{"errors":[{"message":"The product \"conf-1\" has variants`,
		},
		{"storefront", "/checkout/cart/add", "application/x-www-form-urlencoded", "sku=conf-1&super_attribute[93]=52", 400, `The product "conf-1" has variants`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, srv := serve(t, s.URL, &shelf{}, gateway.Options{})
			_, _, before := s.got()
			res, body := send(t, "POST", srv.URL+tt.path, tt.contentType, []byte(tt.body))
			if res.StatusCode != tt.status || !strings.HasPrefix(body, tt.want) {
				t.Errorf("%d %s", res.StatusCode, body)
			}
			if _, _, after := s.got(); after != before {
				t.Error("the shop got the request")
			}
			if st := g.Stats(); st.Refused != 1 {
				t.Errorf("stats %+v", st)
			}
		})
	}
}

func TestClients(t *testing.T) {
	s := newShop(t)
	for _, tt := range []struct {
		name string
		opts gateway.Options
		xff  string
		want string
		sent string // X-Forwarded-For that the shop gets
	}{
		{"no proxy", gateway.Options{}, "", "127.0.0.1", "127.0.0.1"},
		{"a trusted proxy", gateway.Options{}, "203.0.113.7", "203.0.113.7", "203.0.113.7, 127.0.0.1"},
		{"two trusted proxies", gateway.Options{}, "198.51.100.1, 203.0.113.7, 10.1.2.3", "203.0.113.7", "198.51.100.1, 203.0.113.7, 10.1.2.3, 127.0.0.1"},
		{"with a port", gateway.Options{}, "203.0.113.7:4711", "203.0.113.7", "203.0.113.7:4711, 127.0.0.1"},
		{"the network of IPv6", gateway.Options{}, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1:2:3:4:5:6, 127.0.0.1"},
		{"IPv4 in IPv6", gateway.Options{}, "::ffff:203.0.113.7", "203.0.113.7", "::ffff:203.0.113.7, 127.0.0.1"},
		{"nonsense", gateway.Options{}, "203.0.113.7, unknown", "127.0.0.1", "203.0.113.7, unknown, 127.0.0.1"},
		{"nobody is trusted", gateway.Options{Trusted: gateway.PrivateNetworks()[:0]}, "203.0.113.7", "127.0.0.1", "127.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sh := &shelf{}
			_, srv := serve(t, s.URL, sh, tt.opts)
			headers := []string{"X-Forwarded-Proto", "https"}
			if tt.xff != "" {
				headers = append(headers, "X-Forwarded-For", tt.xff)
			}
			send(t, "POST", srv.URL+"/rest/V1/carts/mine/items", "application/json", []byte(`{"cartItem":{"sku":"A"}}`), headers...)
			if len(sh.clients) != 1 || sh.clients[0] != tt.want {
				t.Errorf("client %q, want %q", sh.clients, tt.want)
			}
			r, _, _ := s.got()
			if got := strings.Join(r.Header["X-Forwarded-For"], "|"); got != tt.sent {
				t.Errorf("X-Forwarded-For %q, want %q", got, tt.sent)
			}
			proto := "https"
			if tt.opts.Trusted != nil {
				proto = "http"
			}
			if got := r.Header.Get("X-Forwarded-Proto"); got != proto {
				t.Errorf("X-Forwarded-Proto %q, want %q", got, proto)
			}
			if r.Header.Get("X-Forwarded-Host") != r.Host || r.Host != strings.TrimPrefix(srv.URL, "http://") {
				t.Errorf("host %q, X-Forwarded-Host %q", r.Host, r.Header.Get("X-Forwarded-Host"))
			}
		})
	}
}

func TestHostOption(t *testing.T) {
	s := newShop(t)
	_, srv := serve(t, s.URL, &shelf{}, gateway.Options{Host: "shop.example"})
	send(t, http.MethodGet, srv.URL+"/", "", nil)
	if r, _, _ := s.got(); r.Host != "shop.example" || r.Header.Get("X-Forwarded-Host") == "shop.example" {
		t.Errorf("host %q, X-Forwarded-Host %q", r.Host, r.Header.Get("X-Forwarded-Host"))
	}
}

func TestUnreadBodiesPass(t *testing.T) {
	const item = `{"cartItem":{"sku":"A"}}`
	s := newShop(t)
	for _, tt := range []struct {
		name, encoding string
		body           []byte
	}{
		{"too large", "", []byte(item + strings.Repeat(" ", 2000))},
		{"too large once decompressed", "gzip", compress(t, "gzip", item+strings.Repeat(" ", 2000))},
		{"unknown compression", "br", []byte(item)},
		{"not the compression it says", "gzip", []byte(item)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, chunked := range []bool{false, true} {
				sh := &shelf{}
				g, srv := serve(t, s.URL, sh, gateway.Options{MaxBody: 1000})
				req, err := http.NewRequest("POST", srv.URL+"/rest/V1/carts/mine/items", bytes.NewReader(tt.body))
				if err != nil {
					t.Fatal(err)
				}
				if chunked {
					req.ContentLength = -1
				}
				req.Header.Set("Content-Encoding", tt.encoding)
				res, err := srv.Client().Do(req)
				if err != nil {
					t.Fatal(err)
				}
				_ = res.Body.Close()
				if _, b, _ := s.got(); !bytes.Equal(b, tt.body) || len(sh.skus()) != 0 || g.Stats().Unread != 1 {
					t.Errorf("chunked %v: the shop got %d of %d bytes, ensured %q, %+v", chunked, len(b), len(tt.body), sh.skus(), g.Stats())
				}
			}
		})
	}
}
