package feed

import (
	"bytes"

	"catalog/importer/internal/jsontext"
)

// maxInterned is how many attribute names a decoder remembers.
const maxInterned = 1 << 16

// attributeSet collects the attributes of one row; the last value of a name
// wins, in the place of the first.
type attributeSet struct {
	ids   map[string]int // of names
	rows  []int64        // by id: the row that last had it
	slots []int          // by id: where in that row's list
	row   int64
	names [][]byte // as JSON, with colon
	vals  [][]byte // as JSON
	buf   []byte
}

func (s *attributeSet) reset() {
	if s.ids == nil || len(s.ids) > maxInterned {
		s.ids, s.rows, s.slots = make(map[string]int), nil, nil
	}
	s.row++
	s.names, s.vals, s.buf = s.names[:0], s.vals[:0], s.buf[:0]
}

// add adds one attribute; value appends its JSON.
func (s *attributeSet) add(name []byte, value func([]byte) []byte) {
	id, ok := s.ids[string(name)]
	if !ok {
		id = len(s.rows)
		s.ids[string(name)] = id
		s.rows, s.slots = append(s.rows, 0), append(s.slots, 0)
	}
	from := len(s.buf)
	s.buf = value(s.buf)
	v := s.buf[from:len(s.buf):len(s.buf)]
	if s.rows[id] == s.row {
		s.vals[s.slots[id]] = v
		return
	}
	s.rows[id], s.slots[id] = s.row, len(s.names)
	from = len(s.buf)
	s.buf = append(jsontext.AppendString(s.buf, name), ':')
	s.names = append(s.names, s.buf[from:len(s.buf):len(s.buf)])
	s.vals = append(s.vals, v)
}

// attributes appends the attributes of the row.
func (d *magentoDecoder) attributes(out []byte) []byte {
	d.attrs.reset()
	for i := range d.plan.attributes {
		col := &d.plan.attributes[i]
		if text := d.cell(col.at); len(text) > 0 {
			d.attrs.add([]byte(col.name), func(b []byte) []byte { return appendAttribute(b, text) })
		}
	}
	for rest := d.cell(d.plan.extra); len(rest) > 0; {
		var name, value []byte
		var wrapped bool
		name, value, wrapped, rest = nextPair(rest, ',')
		switch {
		case len(name) == 0, len(value) == 0:
			continue
		case string(name) == "has_options", string(name) == "required_options": // Magento's own book-keeping
			continue
		}
		d.attrs.add(name, func(b []byte) []byte {
			if wrapped {
				return appendWrapped(b, value)
			}
			return appendAttribute(b, value)
		})
	}
	if len(d.attrs.names) == 0 {
		return out
	}
	out = append(comma(out), `"attributes":{`...)
	for i, name := range d.attrs.names {
		out = append(append(comma(out), name...), d.attrs.vals[i]...)
	}
	return append(out, '}')
}

// appendAttribute appends an attribute's value: several, separated by "|", are
// an array.
func appendAttribute(out, text []byte) []byte {
	if string(text) == emptyValue {
		return append(out, "null"...)
	}
	if bytes.IndexByte(text, '|') < 0 {
		return jsontext.AppendString(out, text)
	}
	out = append(out, '[')
	for len(text) > 0 {
		var v []byte
		v, text, _ = bytes.Cut(text, []byte("|"))
		if len(v) > 0 {
			out = jsontext.AppendString(comma(out), v)
		}
	}
	return append(out, ']')
}

// appendWrapped appends the value of an attribute that stood in quotes. Several
// values stand in quotes each.
func appendWrapped(out, text []byte) []byte {
	if len(text) == 0 || text[0] != '"' {
		return appendAttribute(out, text)
	}
	start := len(out)
	out = append(out, '[')
	for rest := text; len(rest) > 0; {
		v, after, ok := quoted(rest)
		if !ok || len(after) > 0 && after[0] != '|' && after[0] != ',' {
			return jsontext.AppendString(out[:start], text)
		}
		out = jsontext.AppendString(comma(out), v)
		if rest = after; len(rest) > 0 {
			rest = rest[1:]
		}
	}
	return append(out, ']')
}

// nextPair takes the first name=value off a list. A separator ends the value
// only if another name follows it, since values may hold it. A value in quotes
// ("" is a quote in it) is returned without them, as wrapped.
func nextPair(b []byte, sep byte) (name, value []byte, wrapped bool, rest []byte) {
	n := pairName(b)
	if n == 0 { // no name: skip to the next one
		i := pairEnd(b, 0, sep)
		return nil, nil, false, b[min(i+1, len(b)):]
	}
	name = bytes.ToLower(trim(b[:n]))
	b = b[n+1:]
	if v, after, ok := quoted(b); ok && (len(after) == 0 || after[0] == sep && (pairName(after[1:]) > 0 || len(after) == 1)) {
		return name, v, true, after[min(1, len(after)):]
	}
	i := pairEnd(b, 0, sep)
	return name, b[:i], false, b[min(i+1, len(b)):]
}

// pairEnd returns the place, from i on, of the separator before the next pair,
// or the end.
func pairEnd(b []byte, i int, sep byte) int {
	for {
		j := bytes.IndexByte(b[i:], sep)
		if j < 0 {
			return len(b)
		}
		i += j
		if pairName(b[i+1:]) > 0 {
			return i
		}
		i++
	}
}

// pairName returns the length of the attribute code before the "=" at the
// start of b, with white space before it; 0 if there is none.
func pairName(b []byte) int {
	i := 0
	for i < len(b) && b[i] == ' ' {
		i++
	}
	from := i
	for i < len(b) && (b[i] == '_' || b[i] >= 'a' && b[i] <= 'z' || b[i] >= 'A' && b[i] <= 'Z' || b[i] >= '0' && b[i] <= '9') {
		i++
	}
	if i == from || i >= len(b) || b[i] != '=' || b[from] >= '0' && b[from] <= '9' {
		return 0
	}
	return i
}

// quoted takes the text in quotes off the start of b.
func quoted(b []byte) (text, rest []byte, ok bool) {
	if len(b) < 2 || b[0] != '"' {
		return nil, b, false
	}
	end, doubled := closingQuote(b, 1)
	if end < 0 {
		return nil, b, false
	}
	text = b[1:end]
	if doubled {
		text = bytes.ReplaceAll(text, []byte(`""`), []byte(`"`))
	}
	return text, b[end+1:], true
}

// variants appends the variants of a configurable product, and the labels of
// the attributes that tell them apart.
func (d *magentoDecoder) variants(out []byte) []byte {
	text := d.cell(d.plan.variants)
	if len(text) > 0 && string(text) != emptyValue {
		out = append(comma(out), `"variants":[`...)
		for len(text) > 0 {
			i := pairEnd(text, 0, '|')
			if one := text[:i]; len(trim(one)) > 0 {
				out = appendVariant(comma(out), one)
			}
			text = text[min(i+1, len(text)):]
		}
		out = append(out, ']')
	}
	labels := d.cell(d.plan.labels)
	if len(labels) > 0 && string(labels) != emptyValue {
		d.attrs.reset()
		for len(labels) > 0 {
			var name, value []byte
			name, value, _, labels = nextPair(labels, ',')
			if len(name) > 0 {
				d.attrs.add(name, func(b []byte) []byte { return jsontext.AppendString(b, value) })
			}
		}
		out = append(comma(out), `"variant_labels":{`...)
		for i, name := range d.attrs.names {
			out = append(append(comma(out), name...), d.attrs.vals[i]...)
		}
		out = append(out, '}')
	}
	return out
}

// appendVariant appends one variant: sku=…,size=….
func appendVariant(out, text []byte) []byte {
	out = append(out, '{')
	start := len(out)
	for rest := text; len(rest) > 0; {
		var name, value []byte
		name, value, _, rest = nextPair(rest, ',')
		if string(name) == "sku" && len(out) == start {
			out = jsontext.AppendString(append(out, `"sku":`...), trim(value))
		}
	}
	out = append(comma(out), `"attributes":{`...)
	var seen [][]byte
	for rest := text; len(rest) > 0; {
		var name, value []byte
		name, value, _, rest = nextPair(rest, ',')
		if len(name) == 0 || string(name) == "sku" || contains(seen, name) {
			continue
		}
		seen = append(seen, name)
		out = append(jsontext.AppendString(comma(out), name), ':')
		out = jsontext.AppendString(out, value)
	}
	return append(out, "}}"...)
}

func contains(list [][]byte, b []byte) bool {
	for _, l := range list {
		if bytes.Equal(l, b) {
			return true
		}
	}
	return false
}
