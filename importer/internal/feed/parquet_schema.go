package feed

import (
	"fmt"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"catalog/importer/internal/jsontext"
)

// The kinds of node that become different JSON.
type nodeKind int

const (
	nodeLeaf nodeKind = iota
	nodeGroup
	nodeList // repeated; its child is the element
	nodeMap  // repeated; its children are key and value
)

// maxNesting is how deep a schema may nest; each level of JSON needs one or two.
const maxNesting = 200

// parquetNode is a node of a schema as it becomes JSON.
type parquetNode struct {
	kind     nodeKind
	name     string
	key      []byte // `"name":`
	optional bool
	def, rep int // levels at which the node is there (of a repeated one: has an element)
	children []*parquetNode
	leaf     int // number of the column; of other nodes that of the first below
	leaves   int // number of columns below
	value    leafValue
}

// flat reports a column that has one value in each row.
func (n *parquetNode) flat() bool { return n.kind == nodeLeaf && n.rep == 0 }

// parquetField is what is read at a time: a column, or the columns of a list or
// map, with the groups it stands in. Groups are not read as a whole: one may
// have thousands of columns.
type parquetField struct {
	*parquetNode
	groups []*parquetNode // outermost first
	first  bool           // of one of the groups: it tells whether that is there
}

// fields appends the fields at and below a node.
func (n *parquetNode) fields(list []parquetField, groups []*parquetNode) []parquetField {
	if n.kind != nodeGroup {
		first := len(groups) > 0 && groups[len(groups)-1].leaf == n.leaf
		return append(list, parquetField{n, groups, first})
	}
	groups = append(groups[:len(groups):len(groups)], n)
	for _, c := range n.children {
		list = c.fields(list, groups)
	}
	return list
}

// parquetFields returns the fields of a file.
func parquetFields(root *parquet.Column) ([]parquetField, error) {
	var fields []parquetField
	seen := make(map[string]bool)
	for _, c := range root.Columns() {
		if !utf8.ValidString(c.Name()) || c.Name() == "" {
			return nil, fmt.Errorf("%w: a column's name, %q, is empty or not UTF-8", ErrHeader, c.Name())
		}
		if seen[c.Name()] {
			return nil, fmt.Errorf("%w: two columns are both called %q", ErrHeader, c.Name())
		}
		seen[c.Name()] = true
		n, err := parquetTree(c, 0, 0, 0)
		if err != nil {
			return nil, err
		}
		fields = n.fields(fields, nil)
	}
	if len(fields) == 0 {
		return nil, fmt.Errorf("%w: the Parquet file has no columns", ErrHeader)
	}
	return fields, nil
}

// parquetTree makes the node of a column; def and rep are those of its parent.
func parquetTree(c *parquet.Column, def, rep, depth int) (*parquetNode, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("%w: the Parquet schema nests more than %d levels", ErrFormat, maxNesting)
	}
	if c.Repeated() { // a list that is not called one
		return repeatedNode(c, c, def, rep, depth)
	}
	n := newNode(c)
	n.optional = c.Optional()
	if n.optional {
		def++
	}
	n.def, n.rep = def, rep
	if c.Leaf() {
		return n, leafNode(n, c)
	}
	kids := c.Columns()
	if inner := isListOrMap(c); inner != nodeGroup && len(kids) == 1 && kids[0].Repeated() {
		l, err := repeatedNode(c, kids[0], def, rep, depth)
		if err != nil {
			return nil, err
		}
		l.optional = n.optional
		return l, nil
	}
	n.kind = nodeGroup
	return n, n.add(kids, depth)
}

func newNode(c *parquet.Column) *parquetNode {
	return &parquetNode{name: c.Name(), key: append(jsontext.AppendString(nil, []byte(c.Name())), ':')}
}

// add makes the nodes below n.
func (n *parquetNode) add(columns []*parquet.Column, depth int) error {
	for _, c := range columns {
		child, err := parquetTree(c, n.def, n.rep, depth+1)
		if err != nil {
			return err
		}
		n.children = append(n.children, child)
		n.leaves += child.leaves
	}
	if n.leaves == 0 {
		return fmt.Errorf("%w: the group %q of the Parquet schema has no columns", ErrFormat, n.name)
	}
	n.leaf = n.children[0].leaf
	return nil
}

// repeatedNode makes the node of a list or map: outer is the column that has
// its name, r the one that repeats (both are one where a list is not called so).
func repeatedNode(outer, r *parquet.Column, def, rep, depth int) (*parquetNode, error) {
	n := newNode(outer)
	n.kind = nodeList
	n.def, n.rep = def+1, rep+1
	kids := r.Columns()
	if outer != r && isListOrMap(outer) == nodeMap && len(kids) == 2 && kids[0].Leaf() {
		n.kind = nodeMap
		return n, n.add(kids, depth)
	}
	if outer != r && len(kids) == 1 && r.Name() != "array" && r.Name() != outer.Name()+"_tuple" {
		return n, n.add(kids, depth) // list → its only child is the element
	}
	element := newNode(r)
	element.def, element.rep = n.def, n.rep
	var err error
	if r.Leaf() {
		err = leafNode(element, r)
	} else {
		element.kind = nodeGroup
		err = element.add(kids, depth)
	}
	n.children, n.leaf, n.leaves = []*parquetNode{element}, element.leaf, element.leaves
	return n, err
}

// isListOrMap says what a group is called in the schema.
func isListOrMap(c *parquet.Column) nodeKind {
	if lt := c.Type().LogicalType(); lt != nil {
		switch lt.Value.(type) {
		case *format.ListType:
			return nodeList
		case *format.MapType:
			return nodeMap
		}
	}
	if ct := c.Type().ConvertedType(); ct != nil {
		switch *ct {
		case deprecated.List:
			return nodeList
		case deprecated.Map, deprecated.MapKeyValue:
			return nodeMap
		}
	}
	return nodeGroup
}

func leafNode(n *parquetNode, c *parquet.Column) error {
	n.leaf, n.leaves = c.Index(), 1
	var err error
	if n.value, err = leafValueOf(c.Type()); err != nil {
		return fmt.Errorf("%w: column %q: %v", ErrFormat, n.name, err)
	}
	return nil
}
