// Package yaml reads the small YAML files that people write for this program
// (mappings, settings) into a tree that remembers lines, and converts them to
// JSON. It reads JSON files as well.
//
// Of YAML it takes what maps to JSON: one document of mappings with string
// keys, sequences and scalars, with anchors and aliases. Tags, merge keys,
// several documents, infinities and duplicate keys are errors.
package yaml

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Limits keep a hostile file from growing memory: bytes of a file, levels of
// nesting, and nodes after aliases are followed.
const (
	maxBytes = 4 << 20
	maxDepth = 64
	maxNodes = 200_000
)

// Error is a fault of a file with the place where it stands.
type Error struct {
	Line   int // from 1; 0 if unknown
	Detail string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Detail
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Detail)
}

// Node is a value of a file.
type Node struct {
	Line   int
	Scalar []byte   // JSON of a string, number, boolean or null; nil for the others
	Object bool     // Members are set, in the order of the file
	Items  []*Node  // of an array
	Fields []Member // of an object
}

// Member is a key of an object with its value.
type Member struct {
	Key   string
	Line  int
	Value *Node
}

// Parse reads a YAML or JSON file. Its errors are *Error. An empty file is null.
func Parse(data []byte) (*Node, error) {
	if len(data) > maxBytes {
		return nil, &Error{Detail: fmt.Sprintf("the file has more than %d bytes", maxBytes)}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && trimmed[0] == '{' && json.Valid(trimmed) {
		return parseJSON(data)
	}
	return parseYAML(data)
}

// ToJSON converts a YAML (or JSON) file to compact JSON, with the members in
// the order of the file. Its errors are *Error.
func ToJSON(data []byte) ([]byte, error) {
	n, err := Parse(data)
	if err != nil {
		return nil, err
	}
	return n.AppendJSON(nil), nil
}

// AppendJSON appends the value as compact JSON.
func (n *Node) AppendJSON(b []byte) []byte {
	switch {
	case n.Scalar != nil:
		return append(b, n.Scalar...)
	case n.Object:
		b = append(b, '{')
		for i, m := range n.Fields {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, quote(m.Key)...)
			b = append(b, ':')
			b = m.Value.AppendJSON(b)
		}
		return append(b, '}')
	}
	b = append(b, '[')
	for i, item := range n.Items {
		if i > 0 {
			b = append(b, ',')
		}
		b = item.AppendJSON(b)
	}
	return append(b, ']')
}

// IsNull reports whether the value is null.
func (n *Node) IsNull() bool { return string(n.Scalar) == "null" }

// Text returns the value of a string.
func (n *Node) Text() (string, bool) {
	var s string
	if len(n.Scalar) == 0 || n.Scalar[0] != '"' || json.Unmarshal(n.Scalar, &s) != nil {
		return "", false
	}
	return s, true
}

// quote returns s as a JSON string without HTML escapes.
func quote(s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(s) != nil { // strings cannot fail
		return []byte(`""`)
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// add appends a member unless its key is there already.
func (n *Node) add(m Member, seen map[string]int) error {
	if line, ok := seen[m.Key]; ok {
		return &Error{Line: m.Line, Detail: fmt.Sprintf("%q is set twice, first in line %d", m.Key, line)}
	}
	seen[m.Key] = m.Line
	n.Fields = append(n.Fields, m)
	return nil
}

// String returns the node of a text.
func String(s string) *Node { return &Node{Scalar: quote(s)} }
