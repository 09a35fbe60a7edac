package mapping

import (
	"bytes"
	"fmt"

	"catalog/catalog"
	"catalog/importer/internal/jsontext"
)

// Mapper maps records. It is for one goroutine.
type Mapper struct {
	scanner
	shapes
	key     []byte    // of the member at hand, without escapes
	slots   [][]value // what the sources' paths gave, by slot
	kept    []byte    // members of the rest that stay, each with a comma after it
	used    []*attribute
	arena   []byte // what conversions make
	out     []byte
	objects uint64 // met so far
	subs    map[*Mapping]*Mapper
	base    int // where doc begins in the whole record, of mappers within mappers
}

// NewMapper returns a mapper for one goroutine.
func (m *Mapping) NewMapper() *Mapper {
	p := &Mapper{shapes: shapes{m: m}, slots: make([][]value, len(m.slots)), subs: map[*Mapping]*Mapper{}}
	p.reset()
	return p
}

// Map returns our record of a feed's record, a JSON object, valid until the
// next call. Its errors are *catalog.InvalidError, with the path in the feed's
// record. What it returns is JSON in UTF-8 without duplicate names, but is not
// checked against the rules of records.
func (p *Mapper) Map(doc []byte) ([]byte, error) {
	if len(doc) > catalog.MaxBody {
		return nil, &catalog.InvalidError{
			Reason: catalog.ReasonLarge, Offset: -1,
			Detail: fmt.Sprintf("has %d bytes, more than %d", len(doc), catalog.MaxBody),
		}
	}
	p.doc, p.pos = doc, 0
	if p.count > maxShapes {
		p.reset()
	}
	p.clear()
	first := p.space()
	if err := p.only(); err != nil {
		return nil, err
	}
	if first != '{' {
		return nil, &catalog.InvalidError{Reason: catalog.ReasonObject, Offset: 0, Detail: "is no object"}
	}
	if err := p.write(); err != nil {
		return nil, err
	}
	return p.out, nil
}

// only reads the one value that the document is.
func (p *Mapper) only() error {
	if _, err := p.value(p.root, 1); err != nil {
		return err
	}
	if p.space(); p.pos < len(p.doc) {
		return p.syntax("something follows the record")
	}
	return nil
}

// clear forgets the last record.
func (p *Mapper) clear() {
	for i := range p.slots {
		p.slots[i] = p.slots[i][:0]
	}
	for _, a := range p.used {
		a.values, a.list, a.used = a.values[:0], false, false
	}
	p.used, p.kept, p.arena, p.out = p.used[:0], p.kept[:0], p.arena[:0], p.out[:0]
}

// value reads one value and does with it what its shape says. It reports
// whether it wrote to kept.
func (p *Mapper) value(s *shape, depth int) (wrote bool, err error) {
	c := p.space()
	start := p.pos
	switch c {
	case '{', '[':
		if depth > catalog.MaxDepth {
			return false, p.invalid(catalog.ReasonDepth, fmt.Sprintf("is nested more than %d levels deep", catalog.MaxDepth))
		}
		if c == '{' {
			wrote, err = p.object(s, depth)
		} else {
			wrote, err = p.array(s, depth)
		}
	default:
		if err = p.scalar(c); err == nil && s.to == toAttributes && !s.removed {
			p.collect(s, value{p.doc[start:p.pos:p.pos], start})
		}
	}
	if err != nil {
		return false, err
	}
	raw := p.doc[start:p.pos:p.pos]
	for _, slot := range s.slots {
		p.slots[slot] = append(p.slots[slot], value{raw, start})
	}
	if s.to == toKeep && !s.removed && !s.covered && (s.plain || c != '{' && c != '[') {
		p.kept = append(p.kept, raw...)
		return true, nil
	}
	return wrote, nil
}

// collect adds a scalar to its attribute.
func (p *Mapper) collect(s *shape, v value) {
	if empty(v.raw) {
		return
	}
	a := p.attribute(s)
	p.use(a)
	a.list = a.list || s.many
	a.values = append(a.values, v)
}

func (p *Mapper) use(a *attribute) {
	if !a.used {
		a.used = true
		p.used = append(p.used, a)
	}
}

// empty reports whether a value is none: null, "", [] or {}.
func empty(raw []byte) bool {
	switch len(raw) {
	case 2:
		return raw[0] == '"' || raw[0] == '[' || raw[0] == '{'
	case 4:
		return raw[0] == 'n'
	}
	return len(raw) > 2 && (raw[0] == '[' || raw[0] == '{') && len(bytes.TrimSpace(raw[1:len(raw)-1])) == 0
}

// object reads an object. Unless its shape is plain, it writes what is kept of
// it; the root's members without the braces.
func (p *Mapper) object(s *shape, depth int) (wrote bool, err error) {
	p.objects++
	id, open := p.objects, len(p.kept)
	root := s == p.root
	if !s.plain && !root {
		p.kept = append(p.kept, '{')
	}
	body := len(p.kept)
	p.pos++
	members := 0
	for c := p.space(); c != '}' || members == 0; members++ {
		if members == 0 && c == '}' {
			break
		}
		child, err := p.name(s, c, id)
		if err != nil {
			return false, err
		}
		mark := len(p.kept)
		if !s.plain {
			p.kept = append(p.kept, child.outKey...)
		}
		w, err := p.value(child, depth+1)
		if err != nil {
			return false, err
		}
		if !s.plain {
			p.kept = separate(p.kept, w, mark)
		}
		switch c = p.space(); c {
		case ',':
			p.pos++
			if c = p.space(); c == '}' {
				return false, p.syntax("a comma stands before }")
			}
		case '}':
		default:
			return false, p.syntax("a comma or } is missing")
		}
	}
	p.pos++
	if s.plain || root {
		return false, nil
	}
	return p.closed(s, open, body, members == 0, '}'), nil
}

// separate writes the comma after a member or element, or takes back what was
// written for it.
func separate(kept []byte, wrote bool, mark int) []byte {
	if wrote {
		return append(kept, ',')
	}
	return kept[:mark]
}

// closed ends a kept object or array; one of which nothing is left goes away,
// unless it was empty before.
func (p *Mapper) closed(s *shape, open, body int, empty bool, end byte) bool {
	switch {
	case len(p.kept) > body:
		p.kept[len(p.kept)-1] = end
	case empty && s.to == toKeep && !s.removed:
		p.kept = append(p.kept, end)
	default:
		p.kept = p.kept[:open]
		return false
	}
	return true
}

// name reads a member's name and the colon.
func (p *Mapper) name(s *shape, c byte, object uint64) (*shape, error) {
	if c != '"' {
		return nil, p.syntax("a name is missing")
	}
	start := p.pos
	escaped, err := p.str()
	if err != nil {
		return nil, err
	}
	quoted := p.doc[start:p.pos]
	key := quoted[1 : len(quoted)-1]
	if escaped {
		p.key = jsontext.AppendText(p.key[:0], quoted)
		key = p.key
	}
	child := p.member(s, key, quoted)
	if child.lastSeen == object {
		return nil, &catalog.InvalidError{
			Reason: catalog.ReasonDuplicate, Path: child.path(), Offset: p.base + start,
			Detail: "stands twice in one object",
		}
	}
	child.lastSeen = object
	if p.space() != ':' {
		return nil, p.syntax("a colon is missing")
	}
	p.pos++
	return child, nil
}

// array reads an array.
func (p *Mapper) array(s *shape, depth int) (wrote bool, err error) {
	open := len(p.kept)
	if !s.plain {
		p.kept = append(p.kept, '[')
	}
	body := len(p.kept)
	p.pos++
	elements := 0
	for c := p.space(); c != ']' || elements == 0; elements++ {
		if elements == 0 && c == ']' {
			break
		}
		mark := len(p.kept)
		w, err := p.value(p.element(s, elements), depth+1)
		if err != nil {
			return false, err
		}
		if !s.plain {
			p.kept = separate(p.kept, w, mark)
		}
		switch c = p.space(); c {
		case ',':
			p.pos++
			if c = p.space(); c == ']' {
				return false, p.syntax("a comma stands before ]")
			}
		case ']':
		default:
			return false, p.syntax("a comma or ] is missing")
		}
	}
	p.pos++
	if s.plain {
		return false, nil
	}
	return p.closed(s, open, body, elements == 0, ']'), nil
}

// path returns the shape's path for people.
func (s *shape) path() string {
	switch {
	case s.parent == nil:
		return ""
	case s.element:
		return s.parent.path() + "[]"
	}
	return QuotePath(s.parent.path(), s.name)
}
