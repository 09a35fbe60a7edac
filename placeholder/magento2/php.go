package magento2

import (
	"fmt"
	"strings"

	"catalog/placeholder"
)

// php is a value of a PHP file that returns an array of constants.
type php struct {
	scalar string
	list   map[string]*php // of an array
}

// at returns the value under keys, nil if there is none.
func (v *php) at(keys ...string) *php {
	for _, k := range keys {
		if v == nil {
			return nil
		}
		v = v.list[k]
	}
	return v
}

// text returns the scalar under a key, "" if there is none.
func (v *php) text(key string) string {
	if s := v.at(key); s != nil {
		return s.scalar
	}
	return ""
}

// maxPHPDepth bounds how deep arrays nest.
const maxPHPDepth = 64

// parsePHP reads "<?php return [ … ];" with arrays in both notations, strings,
// numbers, constants, and comments. Values that are expressions (calls,
// concatenations) are read as "".
func parsePHP(text string) (*php, error) {
	p := &phpParser{rest: text}
	at := strings.Index(text, "return")
	if !strings.Contains(text, "<?php") || at < 0 {
		return nil, fmt.Errorf("%w: it is no PHP file that returns an array", placeholder.ErrSchema)
	}
	p.rest = text[at+len("return"):]
	v := p.value(0)
	if p.err == "" && v.list == nil {
		p.err = "it returns no array"
	}
	if p.err != "" {
		return nil, fmt.Errorf("%w: %s", placeholder.ErrSchema, p.err)
	}
	return v, nil
}

type phpParser struct {
	rest string
	err  string // the first fault
}

func (p *phpParser) fail(what string) {
	if p.err == "" {
		p.err = what
		p.rest = ""
	}
}

// space skips white space and comments.
func (p *phpParser) space() {
	for {
		p.rest = strings.TrimLeft(p.rest, " \t\r\n")
		end := ""
		switch {
		case strings.HasPrefix(p.rest, "//"), strings.HasPrefix(p.rest, "#") && !strings.HasPrefix(p.rest, "#["):
			end = "\n"
		case strings.HasPrefix(p.rest, "/*"):
			end = "*/"
		default:
			return
		}
		_, p.rest, _ = strings.Cut(p.rest, end)
	}
}

// eat takes a token if it is next.
func (p *phpParser) eat(token string) bool {
	p.space()
	if len(p.rest) >= len(token) && strings.EqualFold(p.rest[:len(token)], token) {
		p.rest = p.rest[len(token):]
		return true
	}
	return false
}

// value reads a value, and what is done with it up to the next comma or
// bracket.
func (p *phpParser) value(depth int) *php {
	if depth > maxPHPDepth {
		p.fail("its arrays nest too deep")
		return &php{}
	}
	v := &php{}
	switch {
	case p.eat("["):
		v = p.array(depth, "]")
	case p.eat("array"):
		if !p.eat("(") {
			p.fail("array without a bracket")
			return v
		}
		v = p.array(depth, ")")
	default:
		p.space()
		if p.rest != "" && (p.rest[0] == '\'' || p.rest[0] == '"') {
			v.scalar = p.quoted()
		} else {
			v.scalar = p.word()
		}
	}
	if p.skip() {
		return &php{} // an expression
	}
	return v
}

// skip reads on to what ends a value; it reports whether there was anything.
func (p *phpParser) skip() (any bool) {
	depth := 0
	for {
		p.space()
		if p.rest == "" {
			return any
		}
		c := p.rest[0]
		switch {
		case depth == 0 && (c == ',' || c == ']' || c == ')' || c == ';' || strings.HasPrefix(p.rest, "=>")):
			return any
		case c == '\'' || c == '"':
			p.quoted()
			any = true
			continue
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		}
		any = true
		p.rest = p.rest[1:]
	}
}

// array reads elements up to the closing bracket.
func (p *phpParser) array(depth int, closing string) *php {
	v := &php{list: map[string]*php{}}
	for n := 0; ; n++ {
		if p.eat(closing) {
			return v
		}
		if p.rest == "" {
			p.fail("it ends within an array")
			return v
		}
		e := p.value(depth + 1)
		key := fmt.Sprint(n)
		if p.eat("=>") {
			key = e.scalar
			e = p.value(depth + 1)
		}
		v.list[key] = e
		if !p.eat(",") && !strings.HasPrefix(p.rest, closing) {
			p.fail("an array has neither a comma nor an end")
			return v
		}
	}
}

// quoted reads a string in either kind of quotes.
func (p *phpParser) quoted() string {
	quote := p.rest[0]
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		c := p.rest[i]
		switch {
		case c == quote:
			p.rest = p.rest[i+1:]
			return b.String()
		case c == '\\' && i+1 < len(p.rest):
			next := p.rest[i+1]
			switch {
			case next == '\\' || next == quote || quote == '"' && next == '$':
				b.WriteByte(next)
				i++
			default:
				b.WriteByte(c)
			}
		default:
			b.WriteByte(c)
		}
	}
	p.fail("it ends within a string")
	return ""
}

// word reads a number or a constant.
func (p *phpParser) word() string {
	n := strings.IndexFunc(p.rest, func(r rune) bool {
		return !(r == '_' || r == '.' || r == '-' || r == '\\' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	})
	if n < 0 {
		n = len(p.rest)
	}
	w := p.rest[:n]
	p.rest = p.rest[n:]
	if strings.EqualFold(w, "null") || strings.EqualFold(w, "false") {
		return ""
	}
	return w
}
