package mapping

import (
	"strings"

	"catalog/catalog"
	"catalog/importer/internal/jsontext"
)

// category returns a category as our path, or as the object that it is.
func (p *Mapper) category(s *source, v value) (value, error) {
	switch v.raw[0] {
	case '{':
		return v, nil
	case '[': // with array: levels
		var levels []value
		for e := range elements(v) {
			levels = appendElements(levels, e)
		}
		return p.joinLevels(levels)
	}
	t, err := p.text(s, v)
	if err != nil {
		return value{}, err
	}
	path := strings.TrimSpace(string(t))
	if s.levels != nil && s.op != opJoin {
		levels := []string{path}
		if *s.levels != "" {
			levels = strings.Split(path, *s.levels)
		}
		path = levelPath(levels)
	}
	if path == "" {
		return value{}, nil
	}
	mark := len(p.arena)
	p.arena = jsontext.AppendString(p.arena, path)
	return p.made(mark, v.off), nil
}

// joinLevels returns the path whose levels are given one by one.
func (p *Mapper) joinLevels(vs []value) (value, error) {
	levels := make([]string, 0, len(vs))
	off := -1
	for _, v := range vs {
		if v.raw[0] == '{' {
			return value{}, &catalog.InvalidError{
				Reason: catalog.ReasonType, Offset: at(v.off, p.base),
				Path: "categories", Detail: "a level is no text",
			}
		}
		t := v.raw
		if t[0] == '"' {
			t = jsontext.AppendText(nil, t)
		}
		levels, off = append(levels, string(t)), v.off
	}
	path := levelPath(levels)
	if path == "" {
		return value{}, nil
	}
	mark := len(p.arena)
	p.arena = jsontext.AppendString(p.arena, path)
	return p.made(mark, off), nil
}

// levelPath joins levels to a path of ours; empty ones are left out.
func levelPath(levels []string) string {
	var b strings.Builder
	for _, l := range levels {
		if l = strings.TrimSpace(l); l == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('/')
		}
		for i := range len(l) {
			if l[i] == '/' || l[i] == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(l[i])
		}
	}
	return b.String()
}
