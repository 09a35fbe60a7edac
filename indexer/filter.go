package indexer

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseFilter reads a filter as people write it:
//
//	brand=Asics,Hoka       any of these values
//	price=50..120          from 50 to 120, both included; also 50.. and ..120
//	price=50..<100         below 100
//	created_at=2026-01..   dates as YYYY, YYYY-MM, YYYY-MM-DD or RFC 3339
//	color                  has any value
//	!color=red             none of these; !color has no value
//
// A value with a comma, an equals sign or dots that make no range stands in
// double quotes, or has a backslash before it; so has a name. Errors are
// ErrQuery.
func ParseFilter(text string) (Filter, error) {
	p := filterParser{text: text}
	f := Filter{}
	rest := strings.TrimSpace(text)
	if strings.HasPrefix(rest, "!") {
		f.Not = true
		rest = rest[1:]
	}
	p.rest = rest
	name, quoted, err := p.word("=")
	if err != nil {
		return Filter{}, err
	}
	f.Field = name
	if !quoted {
		f.Field = strings.TrimSpace(name)
	}
	if f.Field == "" {
		return Filter{}, p.fault("names no field")
	}
	if p.rest == "" {
		f.Exists = true
		return f, nil
	}
	for p.rest != "" {
		p.rest = p.rest[1:] // = or a comma
		word, quoted, err := p.word(",")
		if err != nil {
			return Filter{}, err
		}
		if !quoted {
			word = strings.TrimSpace(word)
			if r, ok := parseRange(word); ok {
				f.Ranges = append(f.Ranges, r)
				continue
			}
			if word == "" {
				return Filter{}, p.fault("has an empty value; in quotes it may be empty")
			}
		}
		f.Values = append(f.Values, word)
	}
	return f, nil
}

type filterParser struct{ text, rest string }

func (p *filterParser) fault(what string) error {
	return fmt.Errorf("filter %q %s: %w", p.text, what, ErrQuery)
}

// word reads up to the character that ends it, which stays. quoted says that
// it is to be taken literally.
func (p *filterParser) word(end string) (word string, quoted bool, err error) {
	s := p.rest
	trimmed := strings.TrimLeft(s, " \t")
	var out []byte
	if strings.HasPrefix(trimmed, `"`) {
		i := 1
		for ; i < len(trimmed) && trimmed[i] != '"'; i++ {
			if trimmed[i] == '\\' && i+1 < len(trimmed) {
				i++
			}
			out = append(out, trimmed[i])
		}
		if i >= len(trimmed) {
			return "", false, p.fault("has a quote that is not closed")
		}
		s = strings.TrimLeft(trimmed[i+1:], " \t")
		if s != "" && s[:1] != end {
			return "", false, p.fault("goes on behind a closing quote")
		}
		p.rest = s
		return string(out), true, nil
	}
	i := 0
	for ; i < len(s) && s[i] != end[0]; i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			quoted = true
		}
		out = append(out, s[i])
	}
	p.rest = s[i:]
	return string(out), quoted, nil
}

// parseRange reads from..to; not ok of anything else.
func parseRange(s string) (Range, bool) {
	from, to, ok := strings.Cut(s, "..")
	if !ok {
		return Range{}, false
	}
	var r Range
	if strings.HasPrefix(to, "<") {
		r.Open, to = true, to[1:]
		if to == "" {
			return Range{}, false
		}
	}
	if from == "" && to == "" {
		return Range{}, false
	}
	if from != "" {
		start, _, ok := limit(from)
		if !ok {
			return Range{}, false
		}
		r.From = &start
	}
	if to != "" {
		start, end, ok := limit(to)
		switch {
		case !ok:
			return Range{}, false
		case r.Open:
			r.To = &start
		default:
			// All of the last day, month or year is included.
			r.To, r.Open = &end, end > start
		}
	}
	return r, true
}

// limit reads a number, or a date as the seconds at which it starts and the
// next one starts.
func limit(s string) (start, end float64, ok bool) {
	if f, err := strconv.ParseFloat(s, 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) && !strings.ContainsAny(s, "xX_") {
		return f, f, true
	}
	if t, day, ok := ParseDate(s); ok {
		start = float64(t.Unix())
		if day {
			return start, start + 86400, true
		}
		return start, start, true
	}
	if t, err := time.Parse("2006-01", s); err == nil {
		return float64(t.Unix()), float64(t.AddDate(0, 1, 0).Unix()), true
	}
	return 0, 0, false
}

// String returns the filter as ParseFilter reads it.
func (f Filter) String() string {
	var b strings.Builder
	if f.Not {
		b.WriteByte('!')
	}
	b.WriteString(quote(f.Field))
	sep := byte('=')
	put := func(s string) {
		b.WriteByte(sep)
		b.WriteString(s)
		sep = ','
	}
	for _, v := range f.Values {
		put(quote(v))
	}
	for _, r := range f.Ranges {
		put(r.String())
	}
	return b.String()
}

// String returns the range as ParseFilter reads it.
func (r Range) String() string {
	s := ""
	if r.From != nil {
		s = strconv.FormatFloat(*r.From, 'f', -1, 64)
	}
	s += ".."
	if r.To != nil {
		if r.Open {
			s += "<"
		}
		s += strconv.FormatFloat(*r.To, 'f', -1, 64)
	}
	return s
}

// quote puts what could be misread in quotes.
func quote(s string) string {
	if s != "" && !strings.ContainsAny(s, `",=\!`) && !strings.Contains(s, "..") && strings.TrimSpace(s) == s {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// ParseSort reads an order as people write it: "price", "-price" or
// "price:desc". Errors are ErrQuery.
func ParseSort(text string) (Sort, error) {
	s := Sort{By: strings.TrimSpace(text)}
	if strings.HasPrefix(s.By, "-") {
		s.By, s.Desc = s.By[1:], true
	} else if by, dir, ok := strings.Cut(s.By, ":"); ok {
		switch strings.ToLower(strings.TrimSpace(dir)) {
		case "asc":
		case "desc":
			s.Desc = true
		default:
			return Sort{}, fmt.Errorf("order %q: behind the colon stands asc or desc: %w", text, ErrQuery)
		}
		s.By = strings.TrimSpace(by)
	}
	if s.By == "" && text != "" {
		return Sort{}, fmt.Errorf("order %q names no field: %w", text, ErrQuery)
	}
	return s, nil
}
