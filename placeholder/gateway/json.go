package gateway

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind is what a value is. GraphQL's values are the same as JSON's, but for
// enums, which JSON writes as strings.
type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

// value is a JSON value, or a GraphQL value with its variables filled in.
// Values are shared and never changed once made.
type value struct {
	kind kind
	// text is the decoded text of a string, and of the others but array and
	// object what stands in the source.
	text    string
	items   []*value
	members []member
	// start and end are where the value stands in the bytes it was parsed
	// from; both 0 when it comes from elsewhere.
	start, end int
}

// member is a name and value of an object.
type member struct {
	name  string
	value *value
	start int // of the quoted name
}

// parseJSON parses b, or reports false. Bytes in a value's span are b's.
func parseJSON(b []byte) (*value, bool) {
	if !json.Valid(b) {
		return nil, false
	}
	p := jsonParser{b: b}
	v := p.value()
	return v, true
}

// jsonParser walks bytes that json.Valid has accepted, so that it need not
// look for mistakes; that bounds its depth, too.
type jsonParser struct {
	b []byte
	i int
}

func (p *jsonParser) space() {
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

func (p *jsonParser) value() *value {
	p.space()
	v := &value{start: p.i}
	switch p.b[p.i] {
	case '{':
		v.kind = kindObject
		p.i++
		for p.space(); p.b[p.i] != '}'; p.space() {
			if p.b[p.i] == ',' {
				p.i++
				p.space()
			}
			m := member{start: p.i}
			m.name = p.string()
			p.space()
			p.i++ // the colon
			m.value = p.value()
			v.members = append(v.members, m)
		}
		p.i++
	case '[':
		v.kind = kindArray
		p.i++
		for p.space(); p.b[p.i] != ']'; p.space() {
			if p.b[p.i] == ',' {
				p.i++
			}
			v.items = append(v.items, p.value())
		}
		p.i++
	case '"':
		v.kind = kindString
		v.text = p.string()
	default:
		switch p.b[p.i] {
		case 'n':
			v.kind = kindNull
		case 't', 'f':
			v.kind = kindBool
		default:
			v.kind = kindNumber
		}
		for p.i < len(p.b) && !strings.ContainsRune(" \t\r\n,]}", rune(p.b[p.i])) {
			p.i++
		}
		v.text = string(p.b[v.start:p.i])
	}
	v.end = p.i
	return v
}

// string reads a quoted string.
func (p *jsonParser) string() string {
	start, plain := p.i, true
	for p.i++; p.b[p.i] != '"'; p.i++ {
		switch c := p.b[p.i]; {
		case c == '\\':
			plain = false
			p.i++
		case c >= utf8.RuneSelf:
			plain = false // which may be invalid UTF-8
		}
	}
	p.i++
	if plain {
		return string(p.b[start+1 : p.i-1])
	}
	var s string
	if json.Unmarshal(p.b[start:p.i], &s) != nil {
		return "" // cannot be: the bytes are valid
	}
	return s
}

// member returns the value of a name, nil if there is none. As in PHP the last
// of several counts.
func (v *value) member(name string) *value {
	if v == nil {
		return nil
	}
	for _, m := range slices.Backward(v.members) {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// elements returns v's items; anything but a list is a list of one, as
// GraphQL's input coercion has it.
func (v *value) elements() []*value {
	switch {
	case v == nil || v.kind == kindNull:
		return nil
	case v.kind == kindArray:
		return v.items
	}
	return []*value{v}
}

// string returns the text of a string that is not empty.
func (v *value) string() string {
	if v == nil || v.kind != kindString {
		return ""
	}
	return v.text
}

// without returns a copy of an object without a member.
func (v *value) without(name string) *value {
	c := &value{kind: kindObject}
	for _, m := range v.members {
		if m.name != name {
			c.members = append(c.members, m)
		}
	}
	return c
}

// with returns a copy of an object with a member's value replaced, in the
// same place.
func (v *value) with(name string, to *value) *value {
	c := &value{kind: kindObject, members: slices.Clone(v.members)}
	for i := range c.members {
		if c.members[i].name == name {
			c.members[i].value = to
		}
	}
	return c
}

// stringValue makes a value of a string.
func stringValue(s string) *value { return &value{kind: kindString, text: s} }

// appendJSON writes v, whose numbers keep their text. It stops early once out
// is longer than limit: variables that occur many times can grow without
// bound.
func appendJSON(out []byte, v *value, limit int) []byte {
	if len(out) > limit {
		return out
	}
	switch v.kind {
	case kindNull:
		return append(out, "null"...)
	case kindString:
		return appendJSONString(out, v.text)
	case kindArray:
		out = append(out, '[')
		for i, e := range v.items {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendJSON(out, e, limit)
		}
		return append(out, ']')
	case kindObject:
		out = append(out, '{')
		for i, m := range v.members {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(appendJSONString(out, m.name), ':')
			out = appendJSON(out, m.value, limit)
		}
		return append(out, '}')
	}
	return append(out, v.text...)
}

// appendJSONString quotes s without encoding/json's HTML escapes, so that
// text looks as it was sent.
func appendJSONString(out []byte, s string) []byte {
	out = append(out, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			out = append(out, '\\', byte(r))
		case r == '\n':
			out = append(out, `\n`...)
		case r < 0x20 || r == 0x2028 || r == 0x2029:
			out = append(out, `\u`...)
			h := strconv.FormatUint(uint64(r), 16)
			out = append(append(out, "0000"[len(h):]...), h...)
		default:
			out = utf8.AppendRune(out, r)
		}
	}
	return append(out, '"')
}

// edit replaces source[start:end] by text.
type edit struct {
	start, end int
	text       string
}

// applyEdits returns source with edits made, which do not overlap. Those at
// one place are made in the order given.
func applyEdits(source []byte, edits []edit) []byte {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b edit) int { return a.start - b.start })
	out := make([]byte, 0, len(source)+256)
	at := 0
	for _, e := range edits {
		if e.start < at {
			continue // within the one before
		}
		out = append(out, source[at:e.start]...)
		out = append(out, e.text...)
		at = e.end
	}
	return append(out, source[at:]...)
}

// removeMember returns the edit that takes members[i] out of the object in
// source, with one comma. Two neighbours must not be taken out at once.
func removeMember(o *value, i int) edit {
	m := o.members[i]
	switch {
	case i+1 < len(o.members):
		return edit{start: m.start, end: o.members[i+1].start}
	case i > 0:
		return edit{start: o.members[i-1].value.end, end: m.value.end}
	}
	return edit{start: m.start, end: m.value.end}
}
