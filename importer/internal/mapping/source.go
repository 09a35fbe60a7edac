package mapping

import (
	"encoding/json"
	"slices"
	"strings"

	"catalog/importer/yaml"
)

// operation is where a source takes its values from.
type operation uint8

const (
	opPath operation = iota
	opFirst
	opAll
	opJoin
	opTemplate
	opValue
	opEach
)

// operations are the keys that make an object a source.
var operations = map[string]operation{
	"path": opPath, "first": opFirst, "all": opAll, "join": opJoin, "template": opTemplate, "value": opValue, "each": opEach,
}

// source is where values of a target come from.
type source struct {
	op    operation
	slot  int       // of path and each
	subs  []*source // of first, all, join; of template, in the gaps of lits
	lits  []string  // of template
	with  string    // of join
	value []byte    // the constant
	each  *Mapping

	conv     conversion
	lenient  bool // conv is the field's own, not asked for
	decimal  byte
	split    string
	index    int // -1: all
	trim     bool
	values   map[string][]byte
	fallback []byte // of default

	category bool
	levels   *string
	array    bool // an array holds the levels of one category
}

// source decodes a source in any of its three forms.
func (d *decoder) source(n *yaml.Node, r rule) (*source, error) {
	s := &source{index: -1, conv: r.conv, lenient: true, category: r.category}
	switch {
	case n.Object:
		return s, d.sourceObject(n, s, r)
	case n.Scalar != nil:
		var err error
		s.slot, err = d.slot(n, false)
		return s, err
	}
	s.op = opFirst
	var err error
	s.subs, err = d.sources(n, false, r)
	return s, err
}

func (d *decoder) sources(n *yaml.Node, keep bool, r rule) ([]*source, error) {
	if n.Object || n.Scalar != nil || len(n.Items) == 0 {
		return nil, fault(n.Line, "here a list of sources is needed")
	}
	var all []*source
	for _, item := range n.Items {
		if keep && item.Scalar != nil {
			item = &yaml.Node{Line: item.Line, Object: true, Fields: []yaml.Member{
				{Key: "path", Line: item.Line, Value: item}, {Key: "keep", Line: item.Line, Value: &yaml.Node{Scalar: []byte("true")}},
			}}
		}
		s, err := d.source(item, rule{sub: r.sub})
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func (d *decoder) sourceObject(n *yaml.Node, s *source, r rule) error {
	ops, keep := 0, false
	for _, f := range n.Fields {
		if _, ok := operations[f.Key]; ok {
			ops++
		}
		if f.Key == "keep" {
			var err error
			if keep, err = truth(f); err != nil {
				return err
			}
		}
	}
	if ops == 0 && len(n.Fields) == 1 && n.Fields[0].Value.Scalar != nil {
		return fault(n.Line, "%q is no source; quote a path that has a colon in it", n.Fields[0].Key)
	}
	if ops != 1 {
		return fault(n.Line, "a source has exactly one of path, first, all, join, template, value and each")
	}
	withSet := false
	for _, f := range n.Fields {
		var err error
		switch op, ok := operations[f.Key]; {
		case ok:
			s.op = op
			err = d.operand(f, s, keep, r)
		case f.Key == "map" || f.Key == "keep":
		case f.Key == "with":
			withSet = true
			s.with, err = text(f)
		default:
			err = s.option(f, r)
		}
		if err != nil {
			return err
		}
	}
	if s.op == opJoin && !withSet {
		s.with = " "
	}
	if withSet && s.op != opJoin {
		return fault(n.Line, "\"with\" belongs to join")
	}
	return d.eachMapping(n, s, r)
}

// operand decodes what an operation works on.
func (d *decoder) operand(f yaml.Member, s *source, keep bool, r rule) (err error) {
	switch s.op {
	case opPath, opEach:
		s.slot, err = d.slot(f.Value, keep)
	case opFirst, opAll, opJoin:
		s.subs, err = d.sources(f.Value, keep, r)
	case opValue:
		s.value = f.Value.AppendJSON(nil)
		s.conv = convNone
	case opTemplate:
		err = d.template(f, s, keep)
	}
	return err
}

// template decodes a text with paths in braces.
func (d *decoder) template(f yaml.Member, s *source, keep bool) error {
	t, err := text(f)
	if err != nil {
		return err
	}
	for {
		open := strings.IndexByte(t, '{')
		if open < 0 {
			s.lits = append(s.lits, t)
			break
		}
		end := closingBrace(t[open:])
		if end < 0 {
			return fault(f.Line, "a } is missing in the template")
		}
		s.lits = append(s.lits, t[:open])
		slot, err := d.slotAt(t[open+1:open+end], f.Line, keep)
		if err != nil {
			return err
		}
		s.subs = append(s.subs, &source{slot: slot, index: -1})
		t = t[open+end+1:]
	}
	if len(s.subs) == 0 {
		return fault(f.Line, "the template has no {path} in it; a constant is a value")
	}
	return nil
}

// closingBrace returns the first unescaped closing brace of s, or -1.
func closingBrace(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '}':
			return i
		}
	}
	return -1
}

// eachMapping decodes the mapping of an each.
func (d *decoder) eachMapping(n *yaml.Node, s *source, r rule) error {
	at := slices.IndexFunc(n.Fields, func(m yaml.Member) bool { return m.Key == "map" })
	if (at >= 0) != (s.op == opEach) {
		return fault(n.Line, "each and map belong together")
	}
	if at < 0 {
		return nil
	}
	sub := r.sub
	if sub == nil {
		sub = &scope{rest: toDrop}
	}
	var err error
	s.each, err = decodeMapping(n.Fields[at].Value, sub, d.depth+1)
	return err
}

// option decodes how values are changed.
func (s *source) option(f yaml.Member, r rule) (err error) {
	switch f.Key {
	case "type":
		name, _ := f.Value.Text()
		c, ok := conversions[name]
		if !ok {
			return fault(f.Line, "unknown type; known are text, number, amount, currency, boolean, date, list, json")
		}
		s.conv, s.lenient = c, false
	case "decimal":
		t, _ := f.Value.Text()
		if t != "." && t != "," {
			return fault(f.Line, `decimal is "." or ","`)
		}
		s.decimal = t[0]
	case "split":
		if s.split, err = text(f); err == nil && s.split == "" {
			err = fault(f.Line, "split needs a separator")
		}
	case "index":
		if json.Unmarshal(f.Value.AppendJSON(nil), &s.index) != nil || s.index < 0 {
			err = fault(f.Line, "index is a number from 0")
		}
	case "trim":
		s.trim, err = truth(f)
	case "values":
		if !f.Value.Object {
			return fault(f.Line, "values is an object of text: constant")
		}
		s.values = map[string][]byte{}
		for _, v := range f.Value.Fields {
			s.values[v.Key] = v.Value.AppendJSON(nil)
		}
	case "default":
		s.fallback = f.Value.AppendJSON(nil)
	case "levels", "array":
		if !r.category {
			return fault(f.Line, "%s belongs to categories", f.Key)
		}
		t, err := text(f)
		if err != nil {
			return err
		}
		if f.Key == "levels" {
			s.levels = &t
		} else if s.array = t == "levels"; !s.array && t != "paths" {
			return fault(f.Line, "array is paths or levels")
		}
	default:
		return fault(f.Line, "unknown key %q of a source", f.Key)
	}
	return err
}

func text(f yaml.Member) (string, error) {
	s, ok := f.Value.Text()
	if !ok {
		return "", fault(f.Line, "%s is a text", f.Key)
	}
	return s, nil
}

func truth(f yaml.Member) (bool, error) {
	switch string(f.Value.Scalar) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fault(f.Line, "%s is true or false", f.Key)
}
