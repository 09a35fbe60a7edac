package mapping

import (
	"bytes"

	"catalog/catalog"
	"catalog/importer/internal/jsontext"
)

// eval appends the values of a source to vs, and reports whether they are many
// by nature: an array even when there is one.
func (p *Mapper) eval(s *source, vs []value) ([]value, bool, error) {
	from := len(vs)
	vs, many, err := p.given(s, vs)
	if err != nil {
		return nil, false, err
	}
	if s.changes() {
		var changed []value
		list := false
		for _, v := range vs[from:] {
			if changed, list, err = p.change(s, v, changed, list); err != nil {
				return nil, false, err
			}
		}
		many = many || list
		vs = append(vs[:from], changed...)
		if s.index >= 0 {
			many = false
			if len(vs)-from > s.index {
				vs[from] = vs[from+s.index]
				vs = vs[:from+1]
			} else {
				vs = vs[:from]
			}
		}
	}
	if len(vs) == from && s.fallback != nil && !empty(s.fallback) {
		vs = append(vs, value{s.fallback, -1})
		many = false
	}
	return vs, many, nil
}

// changes reports whether the source does anything to its values.
func (s *source) changes() bool {
	return s.conv != convNone || s.split != "" || s.index >= 0 || s.trim || s.values != nil || s.category
}

// given appends the values as they are before anything is done to them.
func (p *Mapper) given(s *source, vs []value) ([]value, bool, error) {
	switch s.op {
	case opPath:
		for _, v := range p.slots[s.slot] {
			if !empty(v.raw) {
				vs = append(vs, v)
			}
		}
		return vs, p.m.slots[s.slot].many, nil
	case opFirst:
		for _, sub := range s.subs {
			got, many, err := p.eval(sub, vs)
			if err != nil || len(got) > len(vs) {
				return got, many, err
			}
			vs = got
		}
		return vs, false, nil
	case opAll:
		for _, sub := range s.subs {
			got, _, err := p.eval(sub, nil)
			if err != nil {
				return nil, false, err
			}
			for _, v := range got {
				vs = appendElements(vs, v)
			}
		}
		return vs, true, nil
	case opJoin:
		v, err := p.join(s)
		if err != nil || v.raw == nil {
			return vs, false, err
		}
		return append(vs, v), false, nil
	case opTemplate:
		v, err := p.fill(s)
		if err != nil || v.raw == nil {
			return vs, false, err
		}
		return append(vs, v), false, nil
	case opEach:
		return p.each(s, vs)
	}
	if empty(s.value) {
		return vs, false, nil
	}
	return append(vs, value{s.value, -1}), false, nil
}

// appendElements appends v, or if it is an array its elements that are values,
// at any depth.
func appendElements(vs []value, v value) []value {
	if v.raw[0] != '[' {
		if empty(v.raw) {
			return vs
		}
		return append(vs, v)
	}
	for e := range elements(v) {
		vs = appendElements(vs, e)
	}
	return vs
}

// made returns what was appended to the arena since mark.
func (p *Mapper) made(mark int, off int) value {
	return value{p.arena[mark:len(p.arena):len(p.arena)], off}
}

// join joins the texts of all values; nothing when there is none. Joined
// levels become an array, for the path to be made of.
func (p *Mapper) join(s *source) (value, error) {
	var vs []value
	for _, sub := range s.subs {
		got, _, err := p.eval(sub, nil)
		if err != nil {
			return value{}, err
		}
		for _, v := range got {
			vs = appendElements(vs, v)
		}
	}
	if len(vs) == 0 {
		return value{}, nil
	}
	if s.category {
		return p.joinLevels(vs)
	}
	var b []byte
	for i, v := range vs {
		if i > 0 {
			b = append(b, s.with...)
		}
		t, err := p.text(s, v)
		if err != nil {
			return value{}, err
		}
		b = append(b, t...)
	}
	mark := len(p.arena)
	p.arena = jsontext.AppendString(p.arena, b)
	return p.made(mark, vs[0].off), nil
}

// fill fills in a template; nothing when a path has no value.
func (p *Mapper) fill(s *source) (value, error) {
	var b []byte
	off := -1
	for i, lit := range s.lits {
		b = append(b, lit...)
		if i == len(s.subs) {
			break
		}
		vs, _, err := p.eval(s.subs[i], nil)
		if err != nil || len(vs) == 0 {
			return value{}, err
		}
		t, err := p.text(s.subs[i], vs[0])
		if err != nil {
			return value{}, err
		}
		b, off = append(b, t...), vs[0].off
	}
	mark := len(p.arena)
	p.arena = jsontext.AppendString(p.arena, b)
	return p.made(mark, off), nil
}

// each maps objects by a mapping of their own.
func (p *Mapper) each(s *source, vs []value) ([]value, bool, error) {
	sub := p.subs[s.each]
	if sub == nil {
		sub = s.each.NewMapper()
		p.subs[s.each] = sub
	}
	var objects []value
	for _, v := range p.slots[s.slot] {
		objects = appendElements(objects, v)
	}
	for _, v := range objects {
		if v.raw[0] != '{' {
			return nil, false, p.wrong(s, v, catalog.ReasonType, "is no object")
		}
		sub.base = p.base + v.off
		out, err := sub.Map(v.raw)
		if err != nil {
			return nil, false, prefix(err, p.m.slots[s.slot].path)
		}
		if empty(out) {
			continue
		}
		mark := len(p.arena)
		p.arena = append(p.arena, out...)
		vs = append(vs, p.made(mark, v.off))
	}
	return vs, true, nil
}

// wrong is the error for a value that is not what it must be.
func (p *Mapper) wrong(s *source, v value, reason catalog.Reason, detail string) error {
	e := &catalog.InvalidError{Reason: reason, Path: p.where(s), Offset: -1, Detail: detail}
	if v.off >= 0 {
		e.Offset = p.base + v.off
	}
	return e
}

// where returns the first path that a source reads.
func (p *Mapper) where(s *source) string {
	if s.op == opPath || s.op == opEach {
		return p.m.slots[s.slot].path
	}
	for _, sub := range s.subs {
		if w := p.where(sub); w != "" {
			return w
		}
	}
	return ""
}

// excerpt shortens a value for a message.
func excerpt(raw []byte) string {
	const most = 60
	if len(raw) <= most {
		return string(raw)
	}
	return string(bytes.ToValidUTF8(raw[:most], nil)) + "…"
}
