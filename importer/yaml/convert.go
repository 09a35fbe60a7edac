package yaml

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	goyaml "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"catalog/importer/internal/jsontext"
)

// converter turns the library's tree into ours.
type converter struct {
	anchors map[string]ast.Node
	open    map[string]bool // anchors being followed: an alias inside its own anchor has no end
	nodes   int
}

func parseYAML(data []byte) (n *Node, err error) {
	// The library's parser is not hardened against every input: what it cannot
	// take is a fault of the file, not of the program.
	defer func() {
		if r := recover(); r != nil {
			n, err = nil, &Error{Detail: fmt.Sprintf("is no valid YAML: %v", r)}
		}
	}()
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, syntaxError(err)
	}
	c := &converter{anchors: map[string]ast.Node{}, open: map[string]bool{}}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			return nil, fault(doc.Body, "a second document begins: one file holds one")
		}
		body = doc.Body
	}
	if body == nil {
		return &Node{Line: 1, Scalar: []byte("null")}, nil
	}
	return c.convert(body, 0)
}

// syntaxError takes message and line from the library's error.
func syntaxError(err error) error {
	var y goyaml.Error
	if errors.As(err, &y) {
		e := &Error{Detail: y.GetMessage()}
		if t := y.GetToken(); t != nil && t.Position != nil {
			e.Line = t.Position.Line
		}
		return e
	}
	return &Error{Detail: err.Error()}
}

func line(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

func fault(n ast.Node, format string, args ...any) error {
	return &Error{Line: line(n), Detail: fmt.Sprintf(format, args...)}
}

func (c *converter) convert(n ast.Node, depth int) (*Node, error) {
	if c.nodes++; c.nodes > maxNodes {
		return nil, fault(n, "the file has more than %d values", maxNodes)
	}
	if depth > maxDepth {
		return nil, fault(n, "is nested too deeply")
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return c.object(n, n.Values, depth)
	case *ast.MappingValueNode:
		return c.object(n, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		out := &Node{Line: line(n)}
		for _, v := range n.Values {
			item, err := c.convert(v, depth+1)
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, item)
		}
		return out, nil
	case *ast.AnchorNode:
		c.anchors[n.Name.String()] = n.Value
		return c.convert(n.Value, depth)
	case *ast.AliasNode:
		return c.alias(n, depth)
	}
	scalar, err := scalarJSON(n)
	if err != nil {
		return nil, err
	}
	return &Node{Line: line(n), Scalar: scalar}, nil
}

func (c *converter) alias(n *ast.AliasNode, depth int) (*Node, error) {
	name := n.Value.String()
	target, ok := c.anchors[name]
	if !ok || c.open[name] {
		return nil, fault(n, "the alias *%s has no anchor before it", name)
	}
	c.open[name] = true
	defer delete(c.open, name)
	return c.convert(target, depth)
}

func (c *converter) object(at ast.Node, values []*ast.MappingValueNode, depth int) (*Node, error) {
	out := &Node{Line: line(at), Object: true}
	seen := make(map[string]int, len(values))
	if len(values) > 0 {
		out.Line = line(values[0].Key)
	}
	for _, v := range values {
		key, err := keyText(v.Key)
		if err != nil {
			return nil, err
		}
		value, err := c.convert(v.Value, depth+1)
		if err != nil {
			return nil, err
		}
		if err := out.add(Member{Key: key, Line: line(v.Key), Value: value}, seen); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// keyText returns a mapping's key as text: strings, and other scalars as they
// are written, so that `1:` and `true:` are the keys that they look like.
func keyText(k ast.MapKeyNode) (string, error) {
	switch k := k.(type) {
	case *ast.StringNode:
		return k.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return k.GetToken().Value, nil
	case *ast.MergeKeyNode:
		return "", fault(k, "merge keys (<<) are not supported")
	}
	return "", fault(k, "a key must be text")
}

func scalarJSON(n ast.Node) ([]byte, error) {
	switch n := n.(type) {
	case nil:
		return []byte("null"), nil
	case *ast.NullNode:
		return []byte("null"), nil
	case *ast.BoolNode:
		return boolean(n.Value), nil
	case *ast.StringNode:
		return quote(n.Value), nil
	case *ast.LiteralNode:
		return quote(n.Value.Value), nil
	case *ast.IntegerNode:
		if jsontext.IsNumber(n.Token.Value) {
			return []byte(n.Token.Value), nil
		}
		return fmt.Append(nil, n.Value), nil // 0x1f, 1_000
	case *ast.FloatNode:
		if jsontext.IsNumber(n.Token.Value) {
			return []byte(n.Token.Value), nil
		}
		if math.IsInf(n.Value, 0) || math.IsNaN(n.Value) {
			break
		}
		return strconv.AppendFloat(nil, n.Value, 'g', -1, 64), nil
	}
	return nil, fault(n, "has no counterpart in JSON")
}
