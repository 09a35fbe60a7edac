package gateway

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// What a GraphQL request may cost us: more passes untouched.
const (
	maxTokens  = 15_000  // of a document
	maxVisited = 100_000 // values and selections, since fragments and variables can multiply
)

// mutation is a field of type Mutation that needs products.
type mutation struct {
	argument string
	// list is where in the argument the items are; "" when it is the list.
	list string
	// kind says what an item looks like.
	kind itemKind
	// typ is the argument's type, for the variable that replaces it.
	typ string
}

// itemKind is how an item of a mutation names its product.
type itemKind uint8

const (
	itemFlat     itemKind = iota // {sku, parent_sku, selected_options}
	itemData                     // {data: {sku}}
	itemVariant                  // {parent_sku, data: {sku}}: a configurable's
	itemEntityID                 // the product's entity id
	itemOrder                    // an order's number
)

const (
	addConfigurable       = "addConfigurableProductsToCart"
	addConfigurableOutput = "AddConfigurableProductsToCartOutput"
	addSimple             = "addSimpleProductsToCart"
	addSimpleOutput       = "AddSimpleProductsToCartOutput"
)

// mutationOf returns what is known of a field of type Mutation.
func mutationOf(field string) (mutation, bool) {
	switch field {
	case "addProductsToCart", "addProductsToNewCart":
		return mutation{"cartItems", "", itemFlat, "[CartItemInput!]!"}, true
	case "addProductsToWishlist":
		return mutation{"wishlistItems", "", itemFlat, "[WishlistItemInput!]!"}, true
	case addSimple:
		return mutation{"input", "cart_items", itemData, "AddSimpleProductsToCartInput"}, true
	case "addVirtualProductsToCart":
		return mutation{"input", "cart_items", itemData, "AddVirtualProductsToCartInput"}, true
	case addConfigurable:
		return mutation{"input", "cart_items", itemVariant, "AddConfigurableProductsToCartInput"}, true
	case "createCompareList":
		return mutation{"input", "products", itemEntityID, "CreateCompareListInput"}, true
	case "addProductsToCompareList":
		return mutation{"input", "products", itemEntityID, "AddProductsToCompareListInput"}, true
	case "reorderItems":
		return mutation{"orderNumber", "", itemOrder, "String!"}, true
	}
	return mutation{}, false
}

// mentions is a quick look whether a body could hold such a mutation: names
// have no escapes in GraphQL, but their letters may have in JSON.
func mentions(b []byte) bool {
	for _, s := range []string{"ProductsTo", "createCompareList", "reorderItems", `\u00`} {
		if bytes.Contains(b, []byte(s)) {
			return true
		}
	}
	return false
}

// operation is the operation of a GraphQL request that will be executed.
type operation struct {
	query     string
	doc       *ast.QueryDocument
	def       *ast.OperationDefinition
	variables map[string]*value
	calls     []call
	visited   int
}

// call is a mutation of the operation.
type call struct {
	mutation
	field *ast.Field
	value *ast.Value // of the argument
	input *value     // with variables filled in
}

// parseOperation reads a request. It returns nil when it has no mutation that
// needs products, or none that Magento will understand.
func parseOperation(query, name string, variables *value) *operation {
	if !mentions([]byte(query)) {
		return nil
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, maxTokens)
	if err != nil {
		return nil
	}
	op := &operation{query: query, doc: doc, variables: map[string]*value{}}
	if variables != nil {
		for _, m := range variables.members {
			op.variables[m.name] = m.value
		}
	}
	for _, d := range doc.Operations {
		if d.Name == name || name == "" && len(doc.Operations) == 1 {
			op.def = d
		}
	}
	if op.def == nil || op.def.Operation != ast.Mutation {
		return nil
	}
	op.collect(op.def.SelectionSet, map[string]bool{})
	if len(op.calls) == 0 || op.visited > maxVisited {
		return nil
	}
	return op
}

// visit counts a step; false is one too many.
func (op *operation) visit() bool {
	op.visited++
	return op.visited <= maxVisited
}

// collect finds the mutations of a selection set of type Mutation.
func (op *operation) collect(set ast.SelectionSet, seen map[string]bool) {
	for _, s := range set {
		if !op.visit() {
			return
		}
		switch s := s.(type) {
		case *ast.Field:
			m, ok := mutationOf(s.Name)
			if !ok || op.skipped(s.Directives) {
				continue
			}
			if arg := s.Arguments.ForName(m.argument); arg != nil && arg.Value != nil {
				if in := op.fill(arg.Value); in != nil {
					op.calls = append(op.calls, call{mutation: m, field: s, value: arg.Value, input: in})
				}
			}
		case *ast.InlineFragment:
			if !op.skipped(s.Directives) {
				op.collect(s.SelectionSet, seen)
			}
		case *ast.FragmentSpread:
			f := op.doc.Fragments.ForName(s.Name)
			if f == nil || seen[s.Name] || op.skipped(s.Directives) {
				continue
			}
			seen[s.Name] = true
			op.collect(f.SelectionSet, seen)
		}
	}
}

// skipped reports whether @skip or @include leave a selection out.
func (op *operation) skipped(directives ast.DirectiveList) bool {
	for _, d := range directives {
		arg := d.Arguments.ForName("if")
		if arg == nil || arg.Value == nil {
			continue
		}
		v := op.fill(arg.Value)
		if v == nil || v.kind != kindBool {
			continue
		}
		if d.Name == "skip" && v.text == "true" || d.Name == "include" && v.text == "false" {
			return true
		}
	}
	return false
}

// fill returns a GraphQL value with its variables replaced by what they stand
// for; nil for a variable that is not given and has no default, which is as
// good as absent.
func (op *operation) fill(v *ast.Value) *value {
	if v == nil || !op.visit() {
		return nil
	}
	switch v.Kind {
	case ast.Variable:
		if given := op.variables[v.Raw]; given != nil {
			return given
		}
		if def := op.def.VariableDefinitions.ForName(v.Raw); def != nil && def.DefaultValue != nil {
			return op.fill(def.DefaultValue)
		}
		return nil
	case ast.ListValue:
		list := &value{kind: kindArray}
		for _, c := range v.Children {
			e := op.fill(c.Value)
			if e == nil {
				e = &value{kind: kindNull}
			}
			list.items = append(list.items, e)
		}
		return list
	case ast.ObjectValue:
		o := &value{kind: kindObject}
		for _, c := range v.Children {
			if e := op.fill(c.Value); e != nil {
				o.members = append(o.members, member{name: c.Name, value: e})
			}
		}
		return o
	case ast.IntValue, ast.FloatValue:
		return &value{kind: kindNumber, text: v.Raw}
	case ast.BooleanValue:
		return &value{kind: kindBool, text: v.Raw}
	case ast.NullValue:
		return &value{kind: kindNull}
	}
	return stringValue(v.Raw) // strings, block strings and enums
}

// items returns the items of a call.
func (c *call) items() []*value {
	if c.list == "" {
		return c.input.elements()
	}
	return c.input.member(c.list).elements()
}

// sku returns the SKU that an item names, "" if none.
func (c *call) sku(item *value) string {
	switch c.kind {
	case itemFlat:
		return item.member("sku").string()
	case itemData, itemVariant:
		return item.member("data").member("sku").string()
	case itemEntityID:
		return compareSKU(item.string())
	}
	return ""
}

// compareSKU returns the SKU that stands in the place of an entity id, "" for
// an id, plain or in the base64 that GraphQL calls a uid.
func compareSKU(id string) string {
	if sku, ok := strings.CutPrefix(id, "sku:"); ok {
		return sku
	}
	if id == "" || digits(id) {
		return ""
	}
	if b, err := base64.StdEncoding.DecodeString(id); err == nil && digits(string(b)) {
		return ""
	}
	return id
}

// digits reports whether s has digits alone.
func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// needs adds to p what the operation's calls need; false when that is too
// much.
func (op *operation) needs(p *parsed) bool {
	for i := range op.calls {
		c := &op.calls[i]
		for _, item := range c.items() {
			if !op.visit() {
				p.excess = true
				return false
			}
			if c.kind == itemOrder {
				if n := item.string(); n != "" && len(p.orders) < maxSKUs {
					p.orders = append(p.orders, n)
				}
				continue
			}
			if !p.add(c.sku(item)) {
				return false
			}
		}
	}
	return true
}

// parseGraphQL reads the body of a POST: a request, or an array of them.
func parseGraphQL(body []byte) *parsed {
	if !mentions(body) {
		return nil
	}
	root, ok := parseJSON(body)
	if !ok {
		return nil
	}
	p := &parsed{}
	batch := 0
	if root.kind == kindArray {
		batch = len(root.items)
	}
	ops := map[*value]*operation{}
	var order []*value
	for _, req := range root.elements() {
		variables := req.member("variables")
		op := parseOperation(req.member("query").string(), req.member("operationName").string(), variables)
		if op == nil {
			continue
		}
		if len(order) >= maxSKUs || !op.needs(p) {
			p.excess = true
			return p
		}
		ops[req], order = op, append(order, req)
	}
	p.rewrite = func(a answers) rewritten {
		if r := a.refusal(p.skus); r != nil {
			r.batch = batch
			return rewritten{refusal: r}
		}
		var edits []edit
		for _, req := range order {
			query, added, ok := ops[req].rewrite(a, len(body))
			if ok {
				edits = append(edits, requestEdits(req, query, added)...)
			}
		}
		if edits == nil {
			return rewritten{}
		}
		return rewritten{body: applyEdits(body, edits)}
	}
	return p
}

// requestEdits puts another query into a request and adds variables, written
// as members of a JSON object.
func requestEdits(req *value, query, added string) []edit {
	q := req.member("query")
	edits := []edit{{q.start, q.end, string(appendJSONString(nil, query))}}
	switch v := req.member("variables"); {
	case v == nil:
		edits = append(edits, edit{q.end, q.end, `,"variables":{` + added + `}`})
	case v.kind != kindObject || len(v.members) == 0:
		edits = append(edits, edit{v.start, v.end, "{" + added + "}"})
	default:
		edits = append(edits, edit{v.start + 1, v.start + 1, added + ","})
	}
	return edits
}

// parseGraphQLQuery reads the query of a GET.
func parseGraphQLQuery(raw string) *parsed {
	last := map[string]field{}
	for _, f := range urlencoded(raw).fields {
		last[f.name] = f
	}
	var variables *value
	if s := last["variables"].value; s != "" {
		var ok bool
		if variables, ok = parseJSON([]byte(s)); !ok {
			return nil
		}
	}
	p := &parsed{}
	op := parseOperation(last["query"].value, last["operationName"].value, variables)
	if op == nil || !op.needs(p) {
		return p
	}
	p.rewrite = func(a answers) rewritten {
		if r := a.refusal(p.skus); r != nil {
			return rewritten{refusal: r}
		}
		query, added, ok := op.rewrite(a, len(raw))
		if !ok {
			return rewritten{}
		}
		vars := "{" + added + "}"
		if variables != nil && len(variables.members) > 0 {
			vars = "{" + added + "," + strings.TrimSpace(last["variables"].value)[1:]
		}
		q := last["query"]
		edits := []edit{{q.start, q.end, "query=" + url.QueryEscape(query)}}
		if v, ok := last["variables"]; ok {
			edits = append(edits, edit{v.start, v.end, "variables=" + url.QueryEscape(vars)})
		} else {
			edits = append(edits, edit{q.end, q.end, "&variables=" + url.QueryEscape(vars)})
		}
		raw := string(applyEdits([]byte(raw), edits))
		return rewritten{query: &raw}
	}
	return p
}
