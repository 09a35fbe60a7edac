package mapping

import (
	"bytes"
	"strings"
	"time"

	"catalog/catalog"
	"catalog/importer/internal/jsontext"
)

// number returns a text as a number, of amounts without the currency. Numbers
// stay as they are written.
func (p *Mapper) number(s *source, v value) (value, error) {
	switch v.raw[0] {
	case '"':
	case '{', '[', 't', 'f':
		return value{}, p.wrong(s, v, catalog.ReasonType, "is no number: "+excerpt(v.raw))
	default:
		return v, nil
	}
	t := strings.TrimSpace(string(jsontext.AppendText(nil, v.raw)))
	if t == "" {
		return value{}, nil
	}
	if s.conv == convAmount {
		t = strings.TrimFunc(t, isCurrency)
	}
	mark := len(p.arena)
	b, detail := appendNumber(p.arena, t, s.decimal)
	if detail != "" {
		return value{}, p.wrong(s, v, numberReason(s.conv), detail+": "+excerpt(v.raw))
	}
	p.arena = b
	return p.made(mark, v.off), nil
}

func numberReason(c conversion) catalog.Reason {
	switch c {
	case convAmount:
		return catalog.ReasonPrice
	case convQuantity:
		return catalog.ReasonStock
	}
	return catalog.ReasonType
}

// isCurrency reports what can stand beside an amount: letters and signs of
// currencies, and spaces.
func isCurrency(r rune) bool {
	return r != '-' && r != '+' && r != '.' && r != ',' && (r < '0' || r > '9')
}

// appendNumber appends t as a number of JSON. decimal is the separator when it
// is known; a single comma before three digits says nothing about itself, so
// that it is an error else.
func appendNumber(b []byte, t string, decimal byte) ([]byte, string) {
	sign := ""
	switch {
	case strings.HasPrefix(t, "-"):
		sign, t = "-", t[1:]
	case strings.HasPrefix(t, "+"):
		t = t[1:]
	}
	if decimal == 0 {
		if n := jsontext.NumberLen([]byte(t)); n > 0 && n == len(t) {
			return append(append(b, sign...), t...), ""
		}
		var detail string
		if decimal, detail = guessDecimal(t); detail != "" {
			return nil, detail
		}
	}
	whole, frac := t, ""
	if i := strings.LastIndexByte(t, decimal); i >= 0 {
		whole, frac = t[:i], t[i+1:]
	}
	whole, ok := ungroup(whole, decimal)
	if !ok || !digits(whole) || !digits(frac) || whole == "" && frac == "" {
		return nil, "is no number"
	}
	whole = strings.TrimLeft(whole, "0")
	if whole == "" {
		whole = "0"
	}
	b = append(append(b, sign...), whole...)
	if frac != "" {
		b = append(append(b, '.'), frac...)
	}
	return b, ""
}

// guessDecimal returns the decimal separator that t must have.
func guessDecimal(t string) (byte, string) {
	dot, comma := strings.LastIndexByte(t, '.'), strings.LastIndexByte(t, ',')
	switch {
	case comma < 0:
		if strings.Count(t, ".") > 1 {
			return ',', ""
		}
		return '.', ""
	case dot >= 0:
		if dot > comma {
			return '.', ""
		}
		return ',', ""
	case strings.Count(t, ",") > 1:
		return '.', ""
	case len(t)-comma == 4:
		return 0, `can be read in two ways; set decimal to "," or "."`
	}
	return ',', ""
}

// ungroup takes the separators of thousands out of a whole number: groups of
// three, or not at all.
func ungroup(t string, decimal byte) (string, bool) {
	clean := strings.Map(func(r rune) rune {
		switch r {
		case '.', ',', '\'', '’', ' ', '\u00a0', '\u2009', '\u202f':
			return '\t'
		}
		return r
	}, t)
	if strings.IndexByte(t, decimal) >= 0 {
		return "", false
	}
	parts := strings.Split(clean, "\t")
	for i, g := range parts {
		if len(parts) > 1 && (i > 0 && len(g) != 3 || i == 0 && (g == "" || len(g) > 3)) {
			return "", false
		}
	}
	return strings.Join(parts, ""), true
}

func digits(t string) bool {
	for i := 0; i < len(t); i++ {
		if t[i] < '0' || t[i] > '9' {
			return false
		}
	}
	return true
}

// currency returns the currency of an amount: the code in it, or the one that
// its sign stands for. A bare number has none.
func (p *Mapper) currency(s *source, v value) (value, error) {
	if v.raw[0] != '"' {
		return value{}, nil
	}
	t := string(jsontext.AppendText(nil, v.raw))
	for _, word := range strings.FieldsFunc(t, func(r rune) bool { return r < 'A' || r > 'Z' && r < 'a' || r > 'z' }) {
		if len(word) == 3 {
			mark := len(p.arena)
			p.arena = jsontext.AppendString(p.arena, strings.ToUpper(word))
			return p.made(mark, v.off), nil
		}
	}
	for _, c := range [...]struct{ sign, code string }{{"€", `"EUR"`}, {"£", `"GBP"`}, {"US$", `"USD"`}, {"zł", `"PLN"`}} {
		if strings.Contains(t, c.sign) {
			return value{[]byte(c.code), v.off}, nil
		}
	}
	return value{}, nil
}

// dateLayouts are the spellings of dates that cannot be mistaken. The zone's
// colon and the seconds are often missing.
var dateLayouts = [...]string{
	time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04Z0700",
	"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 Z0700",
}

// localLayouts have no zone: they are taken as UTC.
var localLayouts = [...]string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04"}

// dayLayouts have no time.
var dayLayouts = [...]string{"2006-01-02", "20060102", "2006/01/02", "02.01.2006"}

// date returns a date as RFC 3339 or YYYY-MM-DD; numbers are Unix seconds.
func (p *Mapper) date(s *source, v value) (value, error) {
	t, err := p.text(s, v)
	if err != nil {
		return value{}, err
	}
	text := string(bytes.TrimSpace(t))
	if text == "" {
		return value{}, nil
	}
	emit := func(t time.Time, layout string) (value, error) {
		mark := len(p.arena)
		p.arena = append(t.AppendFormat(append(p.arena, '"'), layout), '"')
		return p.made(mark, v.off), nil
	}
	for _, l := range dayLayouts {
		if d, err := time.Parse(l, text); err == nil {
			return emit(d, time.DateOnly)
		}
	}
	for _, l := range dateLayouts {
		if d, err := time.Parse(l, text); err == nil {
			return emit(d, time.RFC3339Nano)
		}
	}
	for _, l := range localLayouts {
		if d, err := time.Parse(l, text); err == nil {
			return emit(d, time.RFC3339Nano)
		}
	}
	return value{}, p.wrong(s, v, catalog.ReasonType, "is no date: "+excerpt(v.raw))
}
