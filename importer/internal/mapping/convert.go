package mapping

import (
	"bytes"
	"strings"

	"catalog/catalog"
	"catalog/importer/internal/jsontext"
)

// conversion is the type that a value is turned into.
type conversion uint8

const (
	convNone         conversion = iota
	convLabel                   // text; objects and arrays stay what they are
	convText                    // text
	convNumber                  // number
	convQuantity                // number; objects stay
	convAmount                  // decimal without its currency; objects stay
	convCurrency                // code of the currency of an amount
	convBoolean                 // boolean
	convAvailability            // boolean, also of Google's and schema.org's words
	convStatus                  // enabled or disabled
	convDate                    // RFC 3339 or YYYY-MM-DD
	convList                    // array
	convJSON                    // what a text holds as JSON
)

// conversions are the types that can be asked for.
var conversions = map[string]conversion{
	"text": convText, "number": convNumber, "amount": convAmount, "currency": convCurrency,
	"boolean": convAvailability, "date": convDate, "list": convList, "json": convJSON,
}

// change does to one value what the source says, and appends the results.
func (p *Mapper) change(s *source, v value, out []value, list bool) ([]value, bool, error) {
	if v.raw[0] == '[' && s.conv != convJSON && !(s.category && s.array) {
		// Everything is done to the elements.
		for e := range elements(v) {
			var err error
			if empty(e.raw) {
				continue
			}
			if out, _, err = p.change(s, e, out, true); err != nil {
				return nil, false, err
			}
		}
		return out, true, nil
	}
	if v.raw[0] == '"' && (s.split != "" || s.trim) {
		return p.split(s, v, out, list)
	}
	return p.changeOne(s, v, out, list)
}

// split cuts a text into values, trimmed if there are several.
func (p *Mapper) split(s *source, v value, out []value, list bool) ([]value, bool, error) {
	parts := []string{string(jsontext.AppendText(nil, v.raw))}
	if s.split != "" {
		parts, list = strings.Split(parts[0], s.split), true
	}
	for _, part := range parts {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		mark := len(p.arena)
		p.arena = jsontext.AppendString(p.arena, part)
		var err error
		if out, _, err = p.changeOne(s, p.made(mark, v.off), out, list); err != nil {
			return nil, false, err
		}
	}
	return out, list, nil
}

// changeOne replaces and converts one value.
func (p *Mapper) changeOne(s *source, v value, out []value, list bool) ([]value, bool, error) {
	if s.values != nil && v.raw[0] != '{' && v.raw[0] != '[' {
		t := v.raw
		if t[0] == '"' {
			t = jsontext.AppendText(nil, t)
		}
		if to, ok := s.values[string(t)]; ok {
			if empty(to) {
				return out, list, nil
			}
			return append(out, value{to, v.off}), list, nil
		}
	}
	if s.category {
		v, err := p.category(s, v)
		if err != nil || v.raw == nil {
			return out, list, err
		}
		return append(out, v), list, nil
	}
	v, err := p.convert(s, v)
	if err != nil || v.raw == nil {
		return out, list, err
	}
	return append(out, v), list || s.conv == convList, nil
}

// convert returns v as the source's type; no value when nothing is left of it.
func (p *Mapper) convert(s *source, v value) (value, error) {
	c := v.raw[0]
	switch s.conv {
	case convNone, convList:
		return v, nil
	case convLabel:
		if c == '"' || c == '{' || c == '[' {
			return v, nil
		}
		return p.quoted(v), nil
	case convText:
		if c == '"' {
			return v, nil
		}
		if c == '{' || c == '[' {
			return value{}, p.wrong(s, v, catalog.ReasonType, "is no text")
		}
		return p.quoted(v), nil
	case convJSON:
		return p.inner(s, v)
	case convStatus:
		return p.status(v), nil
	}
	if c == '{' && s.lenient {
		return v, nil // an object of ours, which has rules of its own
	}
	switch s.conv {
	case convBoolean, convAvailability:
		return p.boolean(s, v)
	case convDate:
		return p.date(s, v)
	case convCurrency:
		return p.currency(s, v)
	}
	return p.number(s, v)
}

// quoted returns a number or boolean as a text.
func (p *Mapper) quoted(v value) value {
	mark := len(p.arena)
	p.arena = append(append(append(p.arena, '"'), v.raw...), '"')
	return p.made(mark, v.off)
}

// text returns the text of a scalar.
func (p *Mapper) text(s *source, v value) ([]byte, error) {
	switch v.raw[0] {
	case '"':
		return jsontext.AppendText(nil, v.raw), nil
	case '{', '[':
		return nil, p.wrong(s, v, catalog.ReasonType, "is no text")
	}
	return v.raw, nil
}

// inner returns the JSON that a text holds.
func (p *Mapper) inner(s *source, v value) (value, error) {
	if v.raw[0] != '"' {
		return v, nil
	}
	// A mapper without paths reads it by the same strict rules.
	m := (&Mapping{paths: &node{}, rest: toDrop}).NewMapper()
	m.doc = jsontext.AppendText(nil, v.raw)
	if err := m.only(); err != nil {
		return value{}, p.wrong(s, v, catalog.ReasonType, "holds no valid JSON: "+err.Error())
	}
	doc := bytes.TrimSpace(m.doc)
	if empty(doc) {
		return value{}, nil
	}
	return value{doc, v.off}, nil
}

// status returns flags as enabled or disabled, and texts as they are.
func (p *Mapper) status(v value) value {
	t := v.raw
	if t[0] == '"' {
		t = t[1 : len(t)-1]
	}
	switch strings.ToLower(string(t)) {
	case "1", "true", "yes", "active", "online", "enabled":
		return value{[]byte(`"enabled"`), v.off}
	case "0", "2", "false", "no", "inactive", "offline", "disabled":
		return value{[]byte(`"disabled"`), v.off}
	}
	return v
}

// flag reads the spellings of booleans, whatever their case, "_", "-" and
// spaces; with availability also those of being in stock.
func flag(t string, availability bool) (is, ok bool) {
	if i := strings.LastIndexByte(t, '/'); availability && i >= 0 {
		t = t[i+1:] // https://schema.org/InStock
	}
	bare := strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' {
			return -1
		}
		return r
	}, t)
	switch strings.ToLower(bare) {
	case "true", "1", "yes", "y", "on":
		return true, true
	case "false", "0", "no", "n", "off":
		return false, true
	case "instock", "available", "limitedavailability", "instoreonly", "onlineonly", "preorder", "presale", "backorder":
		return true, availability
	case "outofstock", "soldout", "unavailable", "discontinued":
		return false, availability
	}
	return false, false
}

func (p *Mapper) boolean(s *source, v value) (value, error) {
	t, err := p.text(s, v)
	if err != nil {
		return value{}, err
	}
	is, ok := flag(string(bytes.TrimSpace(t)), s.conv == convAvailability)
	switch {
	case !ok:
		return value{}, p.wrong(s, v, catalog.ReasonType, "is neither true nor false: "+excerpt(v.raw))
	case is:
		return value{[]byte("true"), v.off}, nil
	}
	return value{[]byte("false"), v.off}, nil
}
