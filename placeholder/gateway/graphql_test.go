package gateway_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"catalog/placeholder/gateway"
)

// schema is the part of Magento's schema that the tests need, with which a
// rewritten request must be valid.
const schema = `
type Query { cart(cart_id: String!): Cart products: Int }
type Cart { id: ID! total_quantity: Float }
type UserError { code: String message: String }
type AddProductsToCartOutput { cart: Cart! user_errors: [UserError]! }
type AddProductsToWishlistOutput { user_errors: [UserError]! }
type AddSimpleProductsToCartOutput { cart: Cart! }
type AddVirtualProductsToCartOutput { cart: Cart! }
type AddConfigurableProductsToCartOutput { cart: Cart! }
type CompareList { uid: ID! }
type ReorderItemsOutput { cart: Cart! }
input EnteredOptionInput { uid: ID! value: String! }
input CustomizableOptionInput { id: Int uid: ID value_string: String! }
input CartItemInput { sku: String! quantity: Float! parent_sku: String selected_options: [ID!] entered_options: [EnteredOptionInput!] }
input WishlistItemInput { sku: String! quantity: Float! parent_sku: String selected_options: [ID!] entered_options: [EnteredOptionInput!] }
input SimpleProductCartItemInput { data: CartItemInput! customizable_options: [CustomizableOptionInput!] }
input AddSimpleProductsToCartInput { cart_id: String! cart_items: [SimpleProductCartItemInput]! }
input VirtualProductCartItemInput { data: CartItemInput! customizable_options: [CustomizableOptionInput!] }
input AddVirtualProductsToCartInput { cart_id: String! cart_items: [VirtualProductCartItemInput]! }
input ConfigurableProductCartItemInput { data: CartItemInput! customizable_options: [CustomizableOptionInput!] parent_sku: String variant_sku: String }
input AddConfigurableProductsToCartInput { cart_id: String! cart_items: [ConfigurableProductCartItemInput]! }
input CreateCompareListInput { products: [ID!] }
input AddProductsToCompareListInput { uid: ID! products: [ID!]! }
type Mutation {
  addProductsToCart(cartId: String!, cartItems: [CartItemInput!]!): AddProductsToCartOutput
  addProductsToNewCart(cartItems: [CartItemInput!]!): AddProductsToCartOutput
  addProductsToWishlist(wishlistId: ID!, wishlistItems: [WishlistItemInput!]!): AddProductsToWishlistOutput
  addSimpleProductsToCart(input: AddSimpleProductsToCartInput): AddSimpleProductsToCartOutput
  addVirtualProductsToCart(input: AddVirtualProductsToCartInput): AddVirtualProductsToCartOutput
  addConfigurableProductsToCart(input: AddConfigurableProductsToCartInput): AddConfigurableProductsToCartOutput
  createCompareList(input: CreateCompareListInput): CompareList
  addProductsToCompareList(input: AddProductsToCompareListInput): CompareList
  reorderItems(orderNumber: String!): ReorderItemsOutput
  createEmptyCart: String
}`

// request is a GraphQL request as JSON has it.
type request struct {
	Query         string          `json:"query"`
	OperationName string          `json:"operationName,omitempty"`
	Variables     json.RawMessage `json:"variables,omitempty"`
}

// graphqlCases are requests, the SKUs they need, and what the rewritten
// request must have: the query and the variables that our own ones stand for.
// An empty query is one that must pass as it came.
var graphqlCases = []struct {
	name  string
	in    request
	skus  string
	query string
	added string // the variables added
}{
	{name: "literal", in: request{Query: `mutation { addProductsToCart(cartId: "c", cartItems: [{sku: "a", quantity: 1}, {quantity: 2.50, sku: "b"}]) { cart { id } } }`}, skus: "a,b"},
	{name: "new cart, an item that is no list", in: request{Query: `mutation { addProductsToNewCart(cartItems: {sku: "a", quantity: 1}) { cart { id } } }`}, skus: "a"},
	{name: "variables", skus: "a,b", in: request{
		Query:     `mutation Add($id: String!, $items: [CartItemInput!]!) { addProductsToCart(cartId: $id, cartItems: $items) { cart { id } } }`,
		Variables: json.RawMessage(`{"id":"c","items":[{"sku":"a","quantity":1},{"sku":"b","quantity":1},{"sku":"a","quantity":3}]}`),
	}},
	{name: "nested variables and defaults", skus: "deep,given,dflt", in: request{
		Query:     `mutation ($s: String!, $one: CartItemInput!, $d: String = "dflt", $n: Float!) { addProductsToCart(cartId: "c", cartItems: [$one, {sku: $s, quantity: $n}, {sku: $d, quantity: 1}]) { cart { id } } }`,
		Variables: json.RawMessage(`{"s":"given","one":{"sku":"deep","quantity":1},"n":2}`),
	}},
	{name: "a whole default", skus: "x", in: request{Query: `mutation ($items: [CartItemInput!]! = [{sku: "x", quantity: 1}]) { addProductsToCart(cartId: "c", cartItems: $items) { cart { id } } }`}},
	{name: "aliases and several mutations", skus: "a,b,c,d", in: request{Query: `mutation {
		one: addProductsToCart(cartId: "c", cartItems: [{sku: "a", quantity: 1}]) { cart { id } }
		two: addSimpleProductsToCart(input: {cart_id: "c", cart_items: [{data: {sku: "b", quantity: 1}}]}) { cart { id } }
		createEmptyCart
		three: addVirtualProductsToCart(input: {cart_id: "c", cart_items: [{data: {sku: "c", quantity: 1}}]}) { cart { id } }
		four: addProductsToWishlist(wishlistId: 1, wishlistItems: [{sku: "d", quantity: 1}]) { user_errors { code } } }`}},
	{name: "fragments", skus: "a,b", in: request{Query: `mutation { ...F ... on Mutation { addProductsToCart(cartId: "c", cartItems: [{sku: "b", quantity: 1}]) { cart { id } } } }
		fragment F on Mutation { x: addProductsToCart(cartId: "c", cartItems: [{sku: "a", quantity: 1}]) { cart { id } } }`}},
	{name: "a fragment in itself", skus: "", in: request{Query: `mutation { ...F } fragment F on Mutation { ...F }  # ProductsToCart`}},
	{name: "skip and include", skus: "in", in: request{
		Query: `mutation ($no: Boolean!) { a: addProductsToCart(cartId: "c", cartItems: [{sku: "out", quantity: 1}]) @skip(if: true) { cart { id } }
			b: addProductsToCart(cartId: "c", cartItems: [{sku: "out2", quantity: 1}]) @include(if: $no) { cart { id } }
			c: addProductsToCart(cartId: "c", cartItems: [{sku: "in", quantity: 1}]) @skip(if: $no) { cart { id } } }`,
		Variables: json.RawMessage(`{"no":false}`),
	}},
	{name: "operationName", skus: "b", in: request{
		OperationName: "B",
		Query:         `mutation A { addProductsToCart(cartId: "c", cartItems: [{sku: "a", quantity: 1}]) { cart { id } } } mutation B { addProductsToCart(cartId: "c", cartItems: [{sku: "b", quantity: 1}]) { cart { id } } }`,
	}},
	{name: "which operation is not said", skus: "", in: request{
		Query: `mutation A { addProductsToCart(cartId: "c", cartItems: [{sku: "a", quantity: 1}]) { cart { id } } } query B { products }`,
	}},
	{name: "a query", skus: "", in: request{Query: `query { addProductsToCart(cartItems: [{sku: "a"}]) { id } }`}},
	{name: "block strings and escapes", skus: "bl\"ock,é/1", in: request{
		Query: `mutation { addProductsToCart(cartId: "c", cartItems: [{sku: """bl"ock""", quantity: 1}, {sku: "\u00e9\/1", quantity: 1}]) { cart { id } } }`,
	}},
	{name: "no GraphQL", skus: "", in: request{Query: `mutation { addProductsToCart(`}},

	{
		name: "shop's spelling in a literal", skus: "alike-a,b",
		in:    request{Query: `mutation { addProductsToCart(cartId: "c", cartItems: [{quantity: 2.50, sku: "alike-a"}, {sku: "b", quantity: 1}]) { cart { id } } }`},
		query: `mutation($catalog0: [CartItemInput!]!) { addProductsToCart(cartId: "c", cartItems: $catalog0) { cart { id } } }`,
		added: `"catalog0":[{"quantity":2.50,"sku":"ALIKE-A"},{"sku":"b","quantity":1}]`,
	},
	{
		name: "shop's spelling by variables, number text kept", skus: "alike-a",
		in: request{
			Query:     `mutation M($i: [CartItemInput!]!, $c: String!) { addProductsToCart(cartId: $c, cartItems: $i) { cart { id } } }`,
			Variables: json.RawMessage(`{"i":[{"sku":"alike-a","quantity":1.000}],"c":"x"}`),
		},
		query: `mutation M($catalog0: [CartItemInput!]!, $c: String!) { addProductsToCart(cartId: $c, cartItems: $catalog0) { cart { id } } }`,
		added: `"catalog0":[{"sku":"ALIKE-A","quantity":1.000}]`,
	},
	{
		name: "parent_sku of a placeholder", skus: "v,own-v",
		in: request{
			Query:     `mutation ($p: String, $o: [ID!]) { addProductsToCart(cartId: "c", cartItems: [{sku: "v", parent_sku: $p, quantity: 1, selected_options: $o}, {sku: "own-v", parent_sku: $p, quantity: 1}]) { cart { id } } }`,
			Variables: json.RawMessage(`{"p":"par\u0065nt","o":["Y29uZmlndXJhYmxlLzkzLzUy","Y3VzdG9tLW9wdGlvbi8xLzI="]}`),
		},
		query: `mutation ($catalog0: [CartItemInput!]!, ) { addProductsToCart(cartId: "c", cartItems: $catalog0) { cart { id } } }`,
		added: `"catalog0":[{"sku":"v","quantity":1,"selected_options":["Y3VzdG9tLW9wdGlvbi8xLzI="]},{"sku":"own-v","parent_sku":"parent","quantity":1}]`,
	},
	{
		name: "wish list", skus: "v",
		in:    request{Query: `mutation{addProductsToWishlist(wishlistId:1,wishlistItems:[{sku:"v",parent_sku:"p",quantity:1}]){user_errors{code}}}`},
		query: `mutation($catalog0: [WishlistItemInput!]!){addProductsToWishlist(wishlistId:1,wishlistItems:$catalog0){user_errors{code}}}`,
		added: `"catalog0":[{"sku":"v","quantity":1}]`,
	},
	{
		name: "configurable by variables", skus: "v",
		in: request{
			Query: `mutation Add($input: AddConfigurableProductsToCartInput) { addConfigurableProductsToCart(input: $input) { cart { ...C } ... on AddConfigurableProductsToCartOutput { __typename } ...O } }
			fragment C on Cart { id } fragment O on AddConfigurableProductsToCartOutput { cart { id } }`,
			Variables: json.RawMessage(`{"input":{"cart_id":"c","cart_items":[{"parent_sku":"conf-p","data":{"sku":"v","quantity":1.0},"customizable_options":[{"id":1,"value_string":"ü"}]}]}}`),
		},
		query: `mutation Add($catalog0: AddSimpleProductsToCartInput, ) { addConfigurableProductsToCart: addSimpleProductsToCart(input: $catalog0) { cart { ...C } ... on AddSimpleProductsToCartOutput { __typename } ...O } }
			fragment C on Cart { id } fragment O on AddSimpleProductsToCartOutput { cart { id } }`,
		added: `"catalog0":{"cart_id":"c","cart_items":[{"data":{"sku":"v","quantity":1.0},"customizable_options":[{"id":1,"value_string":"ü"}]}]}`,
	},
	{
		name: "configurables, one of them the merchant's own", skus: "own-v,v,alike-s",
		in: request{Query: `mutation { # ä € 😀
			a: addConfigurableProductsToCart(input: {cart_id: "ü😀", cart_items: [{parent_sku: "p", variant_sku: "own-v", data: {sku: "own-v", quantity: 1}}]}) { cart { id } }
			addConfigurableProductsToCart(input: {cart_id: "c", cart_items: [{parent_sku: "p", data: {sku: "v", quantity: 1}}]}) { cart { id } }
			addSimpleProductsToCart(input: {cart_id: "c", cart_items: [{data: {sku: "alike-s", quantity: 1}}]}) { cart { id } } }`},
		query: `mutation($catalog0: AddSimpleProductsToCartInput, $catalog1: AddSimpleProductsToCartInput, $catalog2: AddSimpleProductsToCartInput) { # ä € 😀
			a: addSimpleProductsToCart(input: $catalog0) { cart { id } }
			addConfigurableProductsToCart: addSimpleProductsToCart(input: $catalog1) { cart { id } }
			addSimpleProductsToCart(input: $catalog2) { cart { id } } }`,
		added: `"catalog0":{"cart_id":"ü😀","cart_items":[{"data":{"sku":"own-v","quantity":1}}]},"catalog1":{"cart_id":"c","cart_items":[{"data":{"sku":"v","quantity":1}}]},"catalog2":{"cart_id":"c","cart_items":[{"data":{"sku":"ALIKE-S","quantity":1}}]}`,
	},
	{
		name: "the merchant's own configurable", skus: "own-v",
		in: request{Query: `mutation { addConfigurableProductsToCart(input: {cart_id: "c", cart_items: [{parent_sku: "own-p", data: {sku: "own-v", quantity: 1}}]}) { cart { id } } }`},
	},
	{
		name: "compare lists", skus: "a,sku-2,no-3",
		in: request{
			Query:     `mutation ($p: [ID!]!) { createCompareList(input: {products: ["12", 13, "MTQ=", "sku:a"]}) { uid } addProductsToCompareList(input: {uid: "u", products: $p}) { uid } }`,
			Variables: json.RawMessage(`{"p":["sku-2","no-3",7]}`),
		},
		query: `mutation ($catalog0: CreateCompareListInput, $catalog1: AddProductsToCompareListInput, ) { createCompareList(input: $catalog0) { uid } addProductsToCompareList(input: $catalog1) { uid } }`,
		added: `"catalog0":{"products":["12",13,"MTQ=","1001"]},"catalog1":{"uid":"u","products":["1005","no-3",7]}`,
	},
	{
		name: "a variable of our name", skus: "alike-a",
		in:    request{Query: `mutation ($catalog0: String!) { addProductsToCart(cartId: $catalog0, cartItems: [{sku: "alike-a", quantity: 1}]) { cart { id } } }`, Variables: json.RawMessage(`{"catalog0":"c"}`)},
		query: `mutation ($catalog0_: [CartItemInput!]!, $catalog0: String!) { addProductsToCart(cartId: $catalog0, cartItems: $catalog0_) { cart { id } } }`,
		added: `"catalog0_":[{"sku":"ALIKE-A","quantity":1}]`,
	},
}

func TestGraphQL(t *testing.T) {
	s := newShop(t)
	sch := gqlparser.MustLoadSchema(&ast.Source{Input: schema})
	for _, tt := range graphqlCases {
		t.Run(tt.name, func(t *testing.T) {
			body, err := json.Marshal(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			sh := &shelf{}
			_, srv := serve(t, s.URL, sh, gateway.Options{})
			send(t, "POST", srv.URL+"/graphql", "application/json", body)
			if got := strings.Join(sh.skus(), ","); got != tt.skus {
				t.Fatalf("ensured %q, want %q", got, tt.skus)
			}
			_, sent, _ := s.got()
			if tt.query == "" {
				if string(sent) != string(body) {
					t.Fatalf("the shop got\n%s", sent)
				}
				return
			}
			var got request
			if err := json.Unmarshal(sent, &got); err != nil {
				t.Fatalf("%v in %s", err, sent)
			}
			if got.Query != tt.query {
				t.Errorf("the query became\n%s\nwant\n%s", got.Query, tt.query)
			}
			// What we add comes first; the client's own follow.
			want := "{" + tt.added + "}"
			if len(tt.in.Variables) > 2 {
				var compact strings.Builder
				compact.WriteString("{" + tt.added + ",")
				compact.Write(remarshal(t, tt.in.Variables)[1:])
				want = compact.String()
			}
			if string(got.Variables) != want {
				t.Errorf("the variables became\n%s\nwant\n%s", got.Variables, want)
			}
			if _, err := gqlparser.LoadQueryWithRules(sch, got.Query, rules.NewDefaultRules()); err != nil {
				t.Errorf("the shop will refuse it: %v", err)
			}

			// The same by GET.
			q := url.Values{"query": {tt.in.Query}, "x": {"1"}}
			if tt.in.OperationName != "" {
				q.Set("operationName", tt.in.OperationName)
			}
			if tt.in.Variables != nil {
				q.Set("variables", string(tt.in.Variables))
			}
			send(t, "GET", srv.URL+"/graphql?"+q.Encode(), "", nil)
			r, _, _ := s.got()
			if f := r.URL.Query(); f.Get("query") != tt.query || f.Get("x") != "1" ||
				string(remarshal(t, []byte(f.Get("variables")))) != string(remarshal(t, []byte(want))) {
				t.Errorf("by GET the shop got %q", f)
			}
		})
	}
}

// remarshal returns b as json.Marshal writes a RawMessage.
func remarshal(t *testing.T, b []byte) []byte {
	t.Helper()
	out, err := json.Marshal(json.RawMessage(b))
	if err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return out
}

func TestGraphQLBatch(t *testing.T) {
	s := newShop(t)
	sh := &shelf{}
	_, srv := serve(t, s.URL, sh, gateway.Options{})
	send(t, "POST", srv.URL+"/index.php/graphql/", "application/json", []byte(`[ {"query":"{products}"},
		{"query":"mutation{addProductsToCart(cartId:\"c\",cartItems:[{sku:\"alike-a\",quantity:1}]){cart{id}}}", "variables" : null},
		{"variables":{ },"query":"mutation{addProductsToCart(cartId:\"c\",cartItems:[{sku:\"b\",quantity:1}]){cart{id}}}"}]`))
	if got := strings.Join(sh.skus(), ","); got != "alike-a,b" {
		t.Errorf("ensured %q", got)
	}
	_, got, _ := s.got()
	want := `[ {"query":"{products}"},
		{"query":"mutation($catalog0: [CartItemInput!]!){addProductsToCart(cartId:\"c\",cartItems:$catalog0){cart{id}}}", "variables" : {"catalog0":[{"sku":"ALIKE-A","quantity":1}]}},
		{"variables":{ },"query":"mutation{addProductsToCart(cartId:\"c\",cartItems:[{sku:\"b\",quantity:1}]){cart{id}}}"}]`
	if string(got) != want {
		t.Errorf("the shop got\n%s\nwant\n%s", got, want)
	}
}

func TestReorder(t *testing.T) {
	s := newShop(t)
	plain, sh := &shelf{}, &reorderShelf{}
	_, without := serve(t, s.URL, plain, gateway.Options{})
	_, with := serve(t, s.URL, sh, gateway.Options{})
	const q = `{"query":"mutation($n:String!){reorderItems(orderNumber:$n){cart{id}}}","variables":{"n":"000000012"}}`
	for _, u := range []string{without.URL, with.URL} {
		send(t, "POST", u+"/graphql", "application/json", []byte(q))
		send(t, "POST", u+"/sales/order/reorder/order_id/12/", "", nil)
		send(t, "POST", u+"/de/sales/order/reorder?order_id=13", "", nil)
		send(t, "POST", u+"/sales/guest/reorder/order_id/14/", "", nil)
		send(t, "POST", u+"/sales/order/reorder/order_id/x", "", nil)
	}
	want := []gateway.Order{{Number: "000000012"}, {ID: "12"}, {ID: "13"}, {ID: "14"}}
	if len(sh.orders) != len(want) {
		t.Fatalf("orders %v", sh.orders)
	}
	for i := range want {
		if sh.orders[i] != want[i] {
			t.Errorf("order %d is %v, want %v", i, sh.orders[i], want[i])
		}
	}
	if _, _, n := s.got(); n != 10 || len(plain.asked) != 0 {
		t.Errorf("the shop got %d requests", n)
	}
}

// TestGraphQLCannotBeMadeDear sends documents that multiply.
func TestGraphQLCannotBeMadeDear(t *testing.T) {
	s := newShop(t)
	item := `{"sku":"alike-a","quantity":1,"selected_options":["` + strings.Repeat("x", 5000) + `"]}`
	for _, tt := range []struct{ name, query, variables string }{
		{"a large variable many times", `mutation($i:CartItemInput!){addProductsToCart(cartId:"c",cartItems:[` + strings.Repeat("$i,", 4000) + `]){cart{id}}}`, `{"i":` + item + `}`},
		{
			"lists of lists", `mutation($i:[CartItemInput!]!){` + strings.Repeat(`x:addProductsToCart(cartId:"c",cartItems:$i){cart{id}}`, 500) + `}`,
			`{"i":[` + strings.Repeat(`{"sku":"a"},`, 1000) + `{"sku":"b"}]}`,
		},
		{"depth", `mutation{addProductsToCart(cartItems:` + strings.Repeat("[", 100_000) + `)}`, `{}`},
		{"fragments of fragments", `mutation{...A}fragment A on Mutation{...B ...B ...B}fragment B on Mutation{...C ...C ...C}fragment C on Mutation{` +
			strings.Repeat("...A ", 2000) + `}#ProductsTo`, `{}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body, err := json.Marshal(request{Query: tt.query, Variables: json.RawMessage(tt.variables)})
			if err != nil {
				t.Fatal(err)
			}
			_, srv := serve(t, s.URL, &shelf{}, gateway.Options{})
			send(t, "POST", srv.URL+"/graphql", "application/json", body)
			if _, sent, _ := s.got(); string(sent) != string(body) {
				t.Errorf("%d bytes became %d", len(body), len(sent))
			}
		})
	}
}
