package mapping

import (
	"fmt"
	"slices"
	"strings"

	"catalog/importer/internal/jsontext"
	"catalog/importer/yaml"
)

// decoder compiles one level of a mapping file.
type decoder struct {
	m     *Mapping
	depth int // of mappings within mappings
}

// maxMappings bounds mappings within mappings.
const maxMappings = 8

func fault(line int, format string, args ...any) error {
	return &yaml.Error{Line: line, Detail: fmt.Sprintf(format, args...)}
}

func decodeMapping(n *yaml.Node, s *scope, depth int) (*Mapping, error) {
	if depth > maxMappings {
		return nil, fault(n.Line, "mappings are nested too deeply")
	}
	if !n.Object {
		return nil, fault(n.Line, "a mapping is an object of fields")
	}
	d := &decoder{depth: depth, m: &Mapping{paths: &node{}, rest: s.rest, sep: "_", reserve: map[string]bool{}}}
	kids, err := d.object(n, s, true)
	if err != nil {
		return nil, err
	}
	d.m.targets = kids
	for _, t := range kids {
		d.m.reserve[t.name] = true
	}
	if d.m.reserve["price"] && d.m.reserve["prices"] {
		return nil, fault(n.Line, "price and prices exclude each other")
	}
	d.m.product = s.product && d.m.reserve["sku"]
	d.ownAttributes()
	return d.m, nil
}

// ownAttributes makes attributes that the feed has under our own name join
// those that the mapping makes.
func (d *decoder) ownAttributes() {
	m := d.m
	if m.rest == toDrop || m.rest == toKeep && len(m.attrs) == 0 && len(m.pairs) == 0 && !m.hasAttributes(m.paths) {
		return
	}
	if m.paths.members["attributes"] == nil {
		own := m.paths.add([]step{{key: "attributes", index: -1}})
		own.to, own.strip = toAttributes, true
	}
	m.reserve["attributes"] = true
}

// hasAttributes reports whether any path of the rest becomes an attribute.
func (m *Mapping) hasAttributes(n *node) bool {
	if n == nil {
		return false
	}
	if n.to == toAttributes || m.hasAttributes(n.elem) {
		return true
	}
	for _, c := range n.members {
		if m.hasAttributes(c) {
			return true
		}
	}
	for _, g := range n.globs {
		if m.hasAttributes(g.node) {
			return true
		}
	}
	return false
}

// object decodes the fields of one level. Only the top of a mapping has a rest.
func (d *decoder) object(n *yaml.Node, s *scope, top bool) ([]*target, error) {
	if !n.Object {
		return nil, fault(n.Line, "here an object of fields is needed: %s", names(s))
	}
	var kids []*target
	for _, f := range n.Fields {
		t, err := d.field(f, s, top, &kids)
		if err != nil {
			return nil, err
		}
		if t == nil {
			continue
		}
		if slices.ContainsFunc(kids, func(k *target) bool { return k.name == t.name }) {
			return nil, fault(f.Line, "%q is mapped twice", t.name)
		}
		if t.name == "sku" {
			kids = slices.Insert(kids, 0, t)
		} else {
			kids = append(kids, t)
		}
	}
	return kids, nil
}

// field decodes one field; nil when it adds no target of its own.
func (d *decoder) field(f yaml.Member, s *scope, top bool, kids *[]*target) (*target, error) {
	if r, ok := s.fields[f.Key]; ok {
		return d.target(f, r)
	}
	switch {
	case f.Key == "$schema" && top:
		return nil, nil
	case f.Key == "rest" && top:
		return nil, d.rest(f.Value)
	case f.Key == "fields":
		return nil, d.free(f.Value, kids)
	case s.product && f.Key == "attributes":
		return d.attributes(f, top)
	case s.product && f.Key == "variants":
		return d.target(f, rule{list: true, sub: productScope()})
	case s.product && f.Key == "stores" && top:
		return d.stores(f)
	}
	return nil, fault(f.Line, "unknown field %q; known are %s (others go under fields)", f.Key, names(s))
}

func names(s *scope) string {
	var all []string
	for n := range s.fields {
		all = append(all, n)
	}
	if s.product {
		all = append(all, "attributes", "stores", "variants")
	}
	slices.Sort(all)
	return strings.Join(append(all, "fields", "rest"), ", ")
}

func newTarget(name string) *target {
	return &target{name: name, key: append(jsontext.AppendString(nil, name), ':')}
}

// target decodes a field that we know.
func (d *decoder) target(f yaml.Member, r rule) (*target, error) {
	t := newTarget(f.Key)
	t.list, t.weak = r.list, r.weak
	var err error
	switch {
	case r.sub != nil && f.Value.Object && !isSource(f.Value):
		t.kids, err = d.object(f.Value, r.sub, false)
		t.array = r.list
		if err == nil && r.list {
			t.kids = []*target{{kids: t.kids}}
		}
	case r.entries && isObjects(f.Value):
		t.array = true
		for _, item := range f.Value.Items {
			kids, err := d.object(item, r.sub, false)
			if err != nil {
				return nil, err
			}
			t.kids = append(t.kids, &target{kids: kids})
		}
	default:
		t.src, err = d.source(f.Value, r)
		t.weak = t.weak || t.src != nil && t.src.op == opValue && r.conv != convNone && r.conv != convLabel
	}
	return t, err
}

// isSource reports whether an object is a source, and no object of fields.
func isSource(n *yaml.Node) bool {
	return slices.ContainsFunc(n.Fields, func(m yaml.Member) bool { _, ok := operations[m.Key]; return ok })
}

func isObjects(n *yaml.Node) bool {
	return len(n.Items) > 0 && !slices.ContainsFunc(n.Items, func(i *yaml.Node) bool { return !i.Object || isSource(i) })
}

// attributes decodes the explicit attributes. Those of the top level are kept
// apart, since the rest may add to them.
func (d *decoder) attributes(f yaml.Member, top bool) (*target, error) {
	if !f.Value.Object {
		return nil, fault(f.Line, "attributes is an object of name: source")
	}
	t := newTarget("attributes")
	for _, a := range f.Value.Fields {
		kid := newTarget(a.Key)
		var err error
		if kid.src, err = d.source(a.Value, rule{}); err != nil {
			return nil, err
		}
		t.kids = append(t.kids, kid)
	}
	if top {
		d.m.attrs = t.kids
		return nil, nil
	}
	return t, nil
}

// stores decodes the overlays.
func (d *decoder) stores(f yaml.Member) (*target, error) {
	if !f.Value.Object {
		return nil, fault(f.Line, "stores is an object of store code: fields")
	}
	t := newTarget("stores")
	for _, code := range f.Value.Fields {
		kid := newTarget(code.Key)
		var err error
		if kid.kids, err = d.object(code.Value, productScope(), false); err != nil {
			return nil, err
		}
		t.kids = append(t.kids, kid)
	}
	return t, nil
}

// free decodes fields of any name; dots in it make objects.
func (d *decoder) free(n *yaml.Node, kids *[]*target) error {
	if !n.Object {
		return fault(n.Line, "fields is an object of name: source")
	}
	for _, f := range n.Fields {
		steps, err := parsePath(f.Key, false)
		if err != nil {
			return fault(f.Line, "%v", err)
		}
		src, err := d.source(f.Value, rule{})
		if err != nil {
			return err
		}
		if err := place(kids, steps, src); err != nil {
			return fault(f.Line, "%q %v", f.Key, err)
		}
	}
	return nil
}

// place puts a source at a path of the output.
func place(kids *[]*target, steps []step, src *source) error {
	for i, s := range steps {
		if s.elem || s.index >= 0 {
			return fmt.Errorf("must name members only, no elements")
		}
		at := slices.IndexFunc(*kids, func(k *target) bool { return k.name == s.key })
		last := i == len(steps)-1
		if at < 0 {
			t := newTarget(s.key)
			if last {
				t.src = src
			}
			*kids = append(*kids, t)
			at = len(*kids) - 1
		} else if last || (*kids)[at].src != nil || (*kids)[at].array {
			return fmt.Errorf("is mapped twice")
		}
		kids = &(*kids)[at].kids
	}
	return nil
}

// slot returns the number of a new slot that reads path.
func (d *decoder) slot(n *yaml.Node, keep bool) (int, error) {
	path, ok := n.Text()
	if !ok {
		return 0, fault(n.Line, "a path is a text")
	}
	return d.slotAt(path, n.Line, keep)
}

func (d *decoder) slotAt(path string, line int, keep bool) (int, error) {
	steps, err := parsePath(path, false)
	if err != nil {
		return 0, fault(line, "%v", err)
	}
	at := d.m.paths.add(steps)
	at.consumed = at.consumed || !keep
	id := len(d.m.slots)
	at.slots = append(at.slots, id)
	d.m.slots = append(d.m.slots, slot{path: path, many: slices.ContainsFunc(steps, func(s step) bool { return s.elem })})
	return id, nil
}
