package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/placeholder"
	"catalog/placeholder/gateway"
	"catalog/placeholder/memshop"
)

// magento plays the shop on a memshop: it buys by SKU, compared byte by byte,
// or by entity id, and knows nothing of the catalog.
type magento struct {
	t     *testing.T
	db    *memshop.DB
	mu    sync.Mutex
	lines []string // SKUs as the shop spells them
}

func (m *magento) buy(ids []int64, sku string) bool {
	for _, id := range ids {
		p, ok := m.db.Product(id)
		if !ok || sku != "" && p.SKU != sku || m.db.Buy(id, "base") != nil {
			continue
		}
		m.mu.Lock()
		m.lines = append(m.lines, p.SKU)
		m.mu.Unlock()
		return true
	}
	return false
}

func (m *magento) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	bought := false
	switch r.URL.Path {
	case "/rest/V1/carts/mine/items":
		var b struct{ CartItem struct{ SKU string } }
		if json.Unmarshal(body, &b) == nil {
			bought = m.buy(m.db.Same(b.CartItem.SKU), b.CartItem.SKU)
		}
	case "/graphql":
		// The items stand in the variable i, or in ours.
		var b struct {
			Variables struct{ I, Catalog0 json.RawMessage }
		}
		var items []struct {
			SKU    string
			Parent string `json:"parent_sku"`
		}
		if err := json.Unmarshal(body, &b); err != nil {
			m.t.Error(err)
		}
		in := b.Variables.I
		if b.Variables.Catalog0 != nil {
			in = b.Variables.Catalog0
		}
		if err := json.Unmarshal(in, &items); err != nil {
			m.t.Error(err)
		}
		bought = true
		for _, i := range items {
			bought = bought && i.Parent == "" && m.buy(m.db.Same(i.SKU), i.SKU)
		}
	case "/checkout/cart/add":
		r.URL.RawQuery = string(body)
		if id, err := strconv.ParseInt(r.URL.Query().Get("product"), 10, 64); err == nil {
			bought = m.buy([]int64{id}, "")
		}
	}
	if !bought {
		w.WriteHeader(http.StatusNotFound)
	}
}

// TestService puts a gateway with all that belongs to it before the shop and
// buys what only the catalog has.
func TestService(t *testing.T) {
	store := memstore.New()
	defer func() { _ = store.Close() }()
	var writes []catalog.Write
	for sku, more := range map[string]string{
		"R1": "", "R2": "", "G1": "", "G2": "", "S1": "", "Theirs": "", "Off": `,"status":"disabled"`,
		"Parent": `,"type":"configurable","variants":[{"sku":"V1"}]`, "V1": "",
	} {
		writes = append(writes,
			catalog.Write{Kind: catalog.KindProduct, Key: catalog.Key(sku), Body: []byte(fmt.Sprintf(`{"sku":%q,"name":"N"%s}`, sku, more))},
			catalog.Write{Kind: catalog.KindPrice, Key: catalog.Key(sku), Body: []byte(fmt.Sprintf(`{"sku":%q,"prices":[{"price":9.99}]}`, sku))})
	}
	if _, err := store.Apply(t.Context(), writes); err != nil {
		t.Fatal(err)
	}
	db := memshop.New(placeholder.Info{})
	db.AddProduct("THEIRS") // which the shop takes for the same
	shop := db.Open()
	defer func() { _ = shop.Close() }()
	service := placeholder.New(store, shop, placeholder.Options{})
	defer func() { _ = service.Close() }()

	m := &magento{t: t, db: db}
	up := upstream(t, m.ServeHTTP)
	g, srv := serve(t, up, service, gateway.Options{Debug: true})

	const graphql = `{"query":"mutation($i:[CartItemInput!]!){addProductsToCart(cartId:\"c\",cartItems:$i){cart{id}}}","variables":{"i":%s}}`
	for _, tt := range []struct {
		path, contentType, body string
		status                  int
		lines                   []string
	}{
		{"/rest/V1/carts/mine/items", "application/json", `{"cartItem":{"sku":"R1","qty":1}}`, 200, []string{"R1"}},
		{"/rest/V1/carts/mine/items", "application/json", `{"cartItem":{"sku":"Theirs","qty":1}}`, 200, []string{"THEIRS"}},
		{"/rest/V1/carts/mine/items", "application/json", `{"cartItem":{"sku":"Nobody","qty":1}}`, 404, nil},
		{"/rest/V1/carts/mine/items", "application/json", `{"cartItem":{"sku":"Off","qty":1}}`, 404, nil},
		{"/rest/V1/carts/mine/items", "application/json", `{"cartItem":{"sku":"Parent","qty":1}}`, 400, nil},
		{"/graphql", "application/json", fmt.Sprintf(graphql, `[{"sku":"G1","quantity":1},{"sku":"Theirs","quantity":2},{"sku":"V1","parent_sku":"Parent","quantity":1}]`), 200, []string{"G1", "THEIRS", "V1"}},
		{"/graphql", "application/json", fmt.Sprintf(graphql, `[{"sku":"G2 ","quantity":1}]`), 200, []string{"G2"}},
		{"/checkout/cart/add", formType, "sku=S1", 200, []string{"S1"}},
		{"/checkout/cart/add", formType, "sku=Theirs", 200, []string{"THEIRS"}},
	} {
		m.lines = nil
		res, _ := send(t, "POST", srv.URL+tt.path, tt.contentType, []byte(tt.body))
		if res.StatusCode != tt.status || !slices.Equal(m.lines, tt.lines) {
			t.Errorf("%s %s: status %d, bought %q, %s", tt.path, tt.body, res.StatusCode, m.lines, res.Header.Get(gateway.DebugHeader))
		}
	}
	st := g.Stats()
	if st.SKUs[placeholder.Created] != 5 || st.SKUs[placeholder.Foreign] != 3 || st.SKUs[placeholder.Unknown] != 1 ||
		st.SKUs[placeholder.Disabled] != 1 || st.Refused != 1 || st.Failed+st.Late != 0 {
		t.Errorf("stats %+v", st)
	}
}
