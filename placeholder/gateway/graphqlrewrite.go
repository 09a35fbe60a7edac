package gateway

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/lexer"
	"github.com/vektah/gqlparser/v2/parser"
)

// An argument that must change is replaced as a whole by a variable of our
// own, whose value is what the argument said, variables filled in, with the
// items changed. All other text of the query stays. Variables that nobody uses
// then lose their definition, which the GraphQL specification demands.

// rewrite returns the operation's query as Magento must see it and the
// variables to add, as members of a JSON object. ok is false when nothing has
// to change, or nothing can be changed within reason.
func (op *operation) rewrite(a answers, size int) (query, added string, ok bool) {
	simple := op.variantsOurs(a)
	var src *tokens
	var edits []edit
	var values, defs []string
	for i := range op.calls {
		c := &op.calls[i]
		input, changed := c.change(a, simple)
		if !changed {
			continue
		}
		if src == nil {
			if src = tokenize(op.query); src == nil {
				return "", "", false
			}
		}
		name := op.freeName(len(values))
		text := appendJSON(append(appendJSONString(nil, name), ':'), input, 4*size+1024)
		if len(text) > 4*size+1024 {
			return "", "", false
		}
		e, ok := src.replaceArgument(c, name)
		if !ok {
			return "", "", false
		}
		edits = append(edits, e)
		defs = append(defs, "$"+name+": "+c.typeOf(simple))
		if c.kind == itemVariant {
			edits = append(edits, src.renameField(c.field, addSimple)...)
		}
		values = append(values, string(text))
	}
	if values == nil {
		return "", "", false
	}
	d, ok := src.define(op.def, defs)
	if !ok {
		return "", "", false
	}
	edits = append(edits, d)
	if simple {
		edits = append(edits, src.renameType(addConfigurableOutput, addSimpleOutput)...)
	}
	query, ok = dropUnused(string(applyEdits([]byte(op.query), edits)), op.def)
	return query, strings.Join(values, ","), ok
}

// variantsOurs reports whether an add of configurables chooses a placeholder:
// then all such adds of the operation become simple ones, since the answer's
// fragments can only be of one type.
func (op *operation) variantsOurs(a answers) bool {
	for i := range op.calls {
		c := &op.calls[i]
		if c.kind == itemVariant && slices.ContainsFunc(c.items(), func(v *value) bool { return a.ours(c.sku(v)) }) {
			return true
		}
	}
	return false
}

// typeOf is the type of the call's argument once it is rewritten.
func (c *call) typeOf(simple bool) string {
	if c.kind == itemVariant && simple {
		m, _ := mutationOf(addSimple)
		return m.typ
	}
	return c.typ
}

// change returns the call's argument as Magento must see it.
func (c *call) change(a answers, simple bool) (*value, bool) {
	items := c.items()
	list := &value{kind: kindArray, items: make([]*value, len(items))}
	changed := c.kind == itemVariant && simple
	for i, item := range items {
		to := c.changeItem(item, a, simple)
		list.items[i] = to
		changed = changed || to != item
	}
	switch {
	case !changed:
		return nil, false
	case c.list == "":
		return list, true
	}
	return c.input.with(c.list, list), true
}

// changeItem returns an item as Magento must see it; item itself when that is
// the same.
func (c *call) changeItem(item *value, a answers, simple bool) *value {
	sku := c.sku(item)
	if sku == "" {
		return item
	}
	if c.kind == itemEntityID {
		if id := a.id(sku); id != 0 {
			return stringValue(strconv.FormatInt(id, 10))
		}
		return item
	}
	if s := a.spelling(sku); s != sku {
		if c.kind == itemFlat {
			item = item.with("sku", stringValue(s))
		} else {
			item = item.with("data", item.member("data").with("sku", stringValue(s)))
		}
	}
	switch {
	case c.kind == itemVariant && simple:
		item = item.without("parent_sku").without("variant_sku")
	case c.kind == itemFlat && a.ours(sku) && item.member("parent_sku").string() != "":
		item = withoutVariantOptions(item.without("parent_sku"))
	}
	return item
}

// withoutVariantOptions leaves those selected_options out that choose a
// variant: base64 of configurable/ATTRIBUTE/VALUE.
func withoutVariantOptions(item *value) *value {
	options := item.member("selected_options")
	if options == nil || options.kind != kindArray {
		return item
	}
	kept := &value{kind: kindArray}
	for _, o := range options.items {
		b, err := base64.StdEncoding.DecodeString(o.string())
		if err != nil || !strings.HasPrefix(string(b), "configurable/") {
			kept.items = append(kept.items, o)
		}
	}
	if len(kept.items) == len(options.items) {
		return item
	}
	return item.with("selected_options", kept)
}

// freeName returns a name for the n-th variable of ours that no other has.
func (op *operation) freeName(n int) string {
	for name := "catalog" + strconv.Itoa(n); ; name += "_" {
		if op.def.VariableDefinitions.ForName(name) == nil && op.variables[name] == nil {
			return name
		}
	}
}

// tokens are the tokens of a query, with byte offsets.
type tokens struct {
	list []token
	at   map[int]int // rune offset, as positions have it → index in list
}

type token struct {
	kind       lexer.Type
	text       string
	start, end int
}

// tokenize returns a query's tokens, comments left out, or nil.
func tokenize(query string) *tokens {
	bytesAt := make([]int, 0, len(query)+1) // rune → byte
	for i := range query {
		bytesAt = append(bytesAt, i)
	}
	bytesAt = append(bytesAt, len(query))
	t := &tokens{at: map[int]int{}}
	lex := lexer.New(&ast.Source{Input: query})
	for {
		tok, err := lex.ReadToken()
		if err != nil || tok.Pos.Start >= len(bytesAt) || tok.Pos.End >= len(bytesAt) {
			return nil
		}
		switch tok.Kind {
		case lexer.EOF:
			return t
		case lexer.Comment:
			continue
		}
		t.at[tok.Pos.Start] = len(t.list)
		t.list = append(t.list, token{tok.Kind, tok.Value, bytesAt[tok.Pos.Start], bytesAt[tok.Pos.End]})
	}
}

// index returns the token at a position of the parser's.
func (t *tokens) index(p *ast.Position) (int, bool) {
	if p == nil {
		return 0, false
	}
	i, ok := t.at[p.Start]
	return i, ok
}

// kindAt is the kind of the i-th token, EOF behind the last.
func (t *tokens) kindAt(i int) lexer.Type {
	if i >= len(t.list) {
		return lexer.EOF
	}
	return t.list[i].kind
}

// valueEnd returns the index behind the value that begins at i.
func (t *tokens) valueEnd(i int) int {
	depth := 0
	for ; i < len(t.list); i++ {
		switch t.list[i].kind {
		case lexer.BraceL, lexer.BracketL:
			depth++
		case lexer.BraceR, lexer.BracketR:
			depth--
		case lexer.Dollar:
			continue // its name follows
		}
		if depth == 0 {
			return i + 1
		}
	}
	return i
}

// replaceArgument puts the variable in the place of the call's argument.
func (t *tokens) replaceArgument(c *call, name string) (edit, bool) {
	i, ok := t.index(c.value.Position)
	if !ok {
		return edit{}, false
	}
	last := t.valueEnd(i) - 1
	return edit{t.list[i].start, t.list[last].end, "$" + name}, true
}

// define adds definitions of variables to an operation.
func (t *tokens) define(def *ast.OperationDefinition, defs []string) (edit, bool) {
	i, ok := t.index(def.Position)
	if !ok {
		return edit{}, false
	}
	text := strings.Join(defs, ", ")
	i++ // behind "mutation"
	if t.kindAt(i) == lexer.Name {
		i++
	}
	if t.kindAt(i) == lexer.ParenL {
		at := t.list[i].end
		return edit{at, at, text + ", "}, true
	}
	at := t.list[i-1].end
	return edit{at, at, "(" + text + ")"}, true
}

// renameField calls another field, whose value keeps its name in the answer.
func (t *tokens) renameField(f *ast.Field, name string) []edit {
	i, ok := t.index(f.Position)
	if !ok {
		return nil
	}
	if t.kindAt(i+1) == lexer.Colon {
		i += 2
		return []edit{{t.list[i].start, t.list[i].end, name}}
	}
	return []edit{{t.list[i].end, t.list[i].end, ": " + name}}
}

// renameType changes the type of fragments.
func (t *tokens) renameType(from, to string) (edits []edit) {
	for i := 1; i < len(t.list); i++ {
		if tok := t.list[i]; tok.kind == lexer.Name && tok.text == from && t.list[i-1].text == "on" {
			edits = append(edits, edit{tok.start, tok.end, to})
		}
	}
	return edits
}

// dropUnused takes the definitions of those variables out that the operation
// used before and does not use now. ok is false if the query is no longer one.
func dropUnused(query string, before *ast.OperationDefinition) (string, bool) {
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, maxTokens+1000)
	if err != nil {
		return "", false
	}
	var def *ast.OperationDefinition
	for _, d := range doc.Operations {
		if d.Name == before.Name && d.Operation == before.Operation {
			def = d
		}
	}
	t := tokenize(query)
	if def == nil || t == nil {
		return "", false
	}
	used := usedVariables(doc, def)
	var edits []edit
	for _, v := range def.VariableDefinitions {
		if used[v.Variable] {
			continue
		}
		i, ok := t.index(v.Position)
		if !ok {
			return "", false
		}
		end := t.definitionEnd(i)
		if end == len(t.list) {
			return "", false
		}
		edits = append(edits, edit{t.list[i].start, t.list[end].start, ""})
	}
	return string(applyEdits([]byte(query), edits)), true
}

// definitionEnd returns the index of what follows the variable definition
// whose $ is at i: the next one's $, or the closing parenthesis.
func (t *tokens) definitionEnd(i int) int {
	depth := 0
	for i++; i < len(t.list); i++ {
		switch t.list[i].kind {
		case lexer.ParenL:
			depth++
		case lexer.ParenR:
			if depth == 0 {
				return i
			}
			depth--
		case lexer.Dollar:
			return i
		}
	}
	return i
}

// usedVariables returns the variables that an operation uses, fragments
// included.
func usedVariables(doc *ast.QueryDocument, def *ast.OperationDefinition) map[string]bool {
	used, seen := map[string]bool{}, map[string]bool{}
	var inValue func(*ast.Value)
	inValue = func(v *ast.Value) {
		if v == nil {
			return
		}
		if v.Kind == ast.Variable {
			used[v.Raw] = true
		}
		for _, c := range v.Children {
			inValue(c.Value)
		}
	}
	inDirectives := func(ds ast.DirectiveList) {
		for _, d := range ds {
			for _, arg := range d.Arguments {
				inValue(arg.Value)
			}
		}
	}
	var inSet func(ast.SelectionSet)
	inSet = func(set ast.SelectionSet) {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				for _, arg := range s.Arguments {
					inValue(arg.Value)
				}
				inDirectives(s.Directives)
				inSet(s.SelectionSet)
			case *ast.InlineFragment:
				inDirectives(s.Directives)
				inSet(s.SelectionSet)
			case *ast.FragmentSpread:
				inDirectives(s.Directives)
				if f := doc.Fragments.ForName(s.Name); f != nil && !seen[s.Name] {
					seen[s.Name] = true
					inDirectives(f.Directives)
					inSet(f.SelectionSet)
				}
			}
		}
	}
	inDirectives(def.Directives)
	inSet(def.SelectionSet)
	return used
}
