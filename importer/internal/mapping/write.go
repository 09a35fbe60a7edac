package mapping

import (
	"bytes"
	"slices"

	"catalog/catalog"
	"catalog/importer/internal/jsontext"
)

// write writes our record: the mapped fields, the attributes, the kept rest.
func (p *Mapper) write() error {
	p.out = append(p.out, '{')
	for _, t := range p.m.targets {
		_, err := p.field(t)
		if err != nil {
			return err
		}
	}
	if err := p.writeAttributes(); err != nil {
		return err
	}
	p.out = append(p.out, p.kept...)
	p.close('}')
	return nil
}

// close ends an object or array, in place of the last comma.
func (p *Mapper) close(end byte) {
	if p.out[len(p.out)-1] == ',' {
		p.out[len(p.out)-1] = end
		return
	}
	p.out = append(p.out, end)
}

// field writes one member, and a comma after it. It reports whether it wrote
// more than what qualifies others.
func (p *Mapper) field(t *target) (strong bool, err error) {
	mark := len(p.out)
	p.out = append(p.out, t.key...)
	body := len(p.out)
	if t.src != nil {
		if err := p.writeSource(t); err != nil {
			return false, err
		}
		strong = len(p.out) > body && !t.weak
	} else if strong, err = p.writeKids(t); err != nil {
		return false, err
	}
	if len(p.out) == body {
		p.out = p.out[:mark]
		return false, nil
	}
	p.out = append(p.out, ',')
	return strong, nil
}

// writeKids writes an object or the array of objects of a target, or nothing
// when none of its members says anything.
func (p *Mapper) writeKids(t *target) (strong bool, err error) {
	mark := len(p.out)
	open, end := byte('{'), byte('}')
	if t.array {
		open, end = '[', ']'
	}
	p.out = append(p.out, open)
	for _, k := range t.kids {
		s, err := p.field(k)
		if err != nil {
			return false, err
		}
		strong = strong || s
	}
	if !strong {
		p.out = p.out[:mark]
		return false, nil
	}
	p.close(end)
	return true, nil
}

// writeSource writes what a source gives, or nothing.
func (p *Mapper) writeSource(t *target) error {
	vs, many, err := p.eval(t.src, nil)
	if err != nil {
		return err
	}
	if len(vs) == 0 {
		if p.m.product && t.name == "sku" && t == p.m.targets[0] {
			return &catalog.InvalidError{Reason: catalog.ReasonNoKey, Path: p.where(t.src), Offset: -1, Detail: "is missing or empty, and it is the sku"}
		}
		return nil
	}
	if !many && !t.list && len(vs) == 1 {
		p.out = append(p.out, vs[0].raw...)
		return nil
	}
	if t.name == "sku" && len(vs) == 1 && t == p.m.targets[0] {
		p.out = append(p.out, vs[0].raw...)
		return nil
	}
	p.out = append(p.out, '[')
	for _, v := range vs {
		if t.list {
			for _, e := range appendElements(nil, v) {
				p.out = append(append(p.out, e.raw...), ',')
			}
			continue
		}
		p.out = append(append(p.out, v.raw...), ',')
	}
	p.close(']')
	return nil
}

// writeAttributes writes the attributes that the mapping names, then those of
// the rest by name, so that a feed that gives its members in another order next
// time gives the same records.
func (p *Mapper) writeAttributes() error {
	rest := len(p.used)
	for _, t := range p.m.attrs {
		vs, many, err := p.eval(t.src, nil)
		if err != nil {
			return err
		}
		for _, v := range vs {
			p.add(t.name, v, many)
		}
	}
	if err := p.addPairs(); err != nil {
		return err
	}
	if len(p.used) == 0 {
		return nil
	}
	mark := len(p.out)
	p.out = append(p.out, `"attributes":{`...)
	body := len(p.out)
	for _, a := range p.used[rest:] {
		p.writeAttribute(a)
	}
	slices.SortFunc(p.used[:rest], func(a, b *attribute) int { return bytes.Compare(a.key, b.key) })
	for _, a := range p.used[:rest] {
		p.writeAttribute(a)
	}
	if len(p.out) == body {
		p.out = p.out[:mark]
		return nil
	}
	p.close('}')
	p.out = append(p.out, ',')
	return nil
}

// add adds a value to an attribute: of arrays the elements, of objects the
// members, under names joined as those of the rest.
func (p *Mapper) add(name string, v value, many bool) {
	switch {
	case empty(v.raw):
	case v.raw[0] == '[':
		for e := range elements(v) {
			p.add(name, e, true)
		}
	case v.raw[0] == '{':
		for k, e := range members(v) {
			p.add(name+p.m.sep+string(jsontext.AppendText(nil, k)), e, many)
		}
	default:
		a := p.named(name)
		p.use(a)
		a.list = a.list || many
		a.values = append(a.values, v)
	}
}

// addPairs adds the attributes that arrays of objects name.
func (p *Mapper) addPairs() error {
	for _, pair := range p.m.pairs {
		var objects []value
		for _, v := range p.slots[pair.slot] {
			objects = appendElements(objects, v)
		}
		for _, o := range objects {
			if o.raw[0] != '{' {
				return &catalog.InvalidError{
					Reason: catalog.ReasonType, Path: p.m.slots[pair.slot].path, Offset: at(o.off, p.base),
					Detail: "is no object of a name and a value",
				}
			}
			var name string
			var v value
			for k, m := range members(o) {
				switch string(jsontext.AppendText(nil, k)) {
				case pair.name:
					if m.raw[0] == '"' {
						name = string(jsontext.AppendText(nil, m.raw))
					}
				case pair.value:
					v = m
				}
			}
			if name != "" && v.raw != nil {
				p.add(name, v, false)
			}
		}
	}
	return nil
}

// fewValues are compared one by one.
const fewValues = 16

// writeAttribute writes an attribute with its distinct values.
func (p *Mapper) writeAttribute(a *attribute) {
	if len(a.values) == 0 {
		return
	}
	distinct := a.values[:1]
	var seen map[string]struct{}
	if len(a.values) > fewValues {
		seen = map[string]struct{}{string(a.values[0].raw): {}}
	}
	for _, v := range a.values[1:] {
		if !contains(distinct, seen, v.raw) {
			distinct = append(distinct, v)
			if seen != nil {
				seen[string(v.raw)] = struct{}{}
			}
		}
	}
	p.out = append(p.out, a.key...)
	if len(distinct) == 1 && !a.list {
		p.out = append(append(p.out, distinct[0].raw...), ',')
		return
	}
	p.out = append(p.out, '[')
	for _, v := range distinct {
		p.out = append(append(p.out, v.raw...), ',')
	}
	p.close(']')
	p.out = append(p.out, ',')
}

func contains(vs []value, seen map[string]struct{}, raw []byte) bool {
	if seen != nil {
		_, ok := seen[string(raw)]
		return ok
	}
	for _, v := range vs {
		if bytes.Equal(v.raw, raw) {
			return true
		}
	}
	return false
}
