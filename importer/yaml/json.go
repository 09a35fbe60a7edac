package yaml

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// jsonParser reads JSON into nodes.
type jsonParser struct {
	data []byte
	dec  *json.Decoder
	line int // of offset at
	at   int64
}

func parseJSON(data []byte) (*Node, error) {
	p := &jsonParser{data: data, dec: json.NewDecoder(bytes.NewReader(data)), line: 1}
	p.dec.UseNumber()
	n, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &Error{Line: p.here(), Detail: "something follows the JSON object"}
	}
	return n, nil
}

// here returns the line on which the last token ended.
func (p *jsonParser) here() int {
	to := p.dec.InputOffset()
	p.line += bytes.Count(p.data[p.at:to], []byte{'\n'})
	p.at = to
	return p.line
}

func (p *jsonParser) value(depth int) (*Node, error) {
	t, err := p.dec.Token()
	line := p.here()
	if err != nil {
		return nil, &Error{Line: line, Detail: err.Error()}
	}
	n := &Node{Line: line}
	switch t := t.(type) {
	case json.Delim:
		if depth == maxDepth {
			return nil, &Error{Line: line, Detail: "is nested too deeply"}
		}
		if t == '[' {
			return n, p.items(n, depth)
		}
		n.Object = true
		return n, p.members(n, depth)
	case string:
		n.Scalar = quote(t)
	case json.Number:
		n.Scalar = []byte(t)
	case bool:
		n.Scalar = boolean(t)
	default:
		n.Scalar = []byte("null")
	}
	return n, nil
}

func (p *jsonParser) items(n *Node, depth int) error {
	for p.dec.More() {
		item, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		n.Items = append(n.Items, item)
	}
	_, err := p.dec.Token()
	return err
}

func (p *jsonParser) members(n *Node, depth int) error {
	seen := map[string]int{}
	for p.dec.More() {
		t, err := p.dec.Token()
		line := p.here()
		key, ok := t.(string)
		if err != nil || !ok {
			return &Error{Line: line, Detail: "is no valid JSON"}
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		if err := n.add(Member{Key: key, Line: line, Value: v}, seen); err != nil {
			return err
		}
	}
	_, err := p.dec.Token()
	return err
}

func boolean(b bool) []byte {
	if b {
		return []byte("true")
	}
	return []byte("false")
}
