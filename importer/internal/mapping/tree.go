package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"

	"catalog/catalog"
	"catalog/importer/internal/jsontext"
)

// elements yields the elements of an array, which is valid JSON.
func elements(v value) iter.Seq[value] {
	return func(yield func(value) bool) {
		s := scanner{doc: v.raw, pos: 1}
		for c := s.space(); c != ']' && c != 0; c = s.space() {
			if c == ',' {
				s.pos++
				continue
			}
			start := s.pos
			s.skip(c)
			if !yield(value{v.raw[start:s.pos:s.pos], at(v.off, start)}) {
				return
			}
		}
	}
}

// members yields names, as JSON, and values of an object, which is valid JSON.
func members(v value) iter.Seq2[[]byte, value] {
	return func(yield func([]byte, value) bool) {
		s := scanner{doc: v.raw, pos: 1}
		for c := s.space(); c != '}' && c != 0; c = s.space() {
			if c == ',' {
				s.pos++
				continue
			}
			start := s.pos
			s.skip(c)
			name := v.raw[start:s.pos]
			s.space()
			s.pos++ // the colon
			c = s.space()
			start = s.pos
			s.skip(c)
			if !yield(name, value{v.raw[start:s.pos:s.pos], at(v.off, start)}) {
				return
			}
		}
	}
}

// at adds to an offset that may be unknown.
func at(off, n int) int {
	if off < 0 {
		return off
	}
	return off + n
}

// skip passes over the value that starts with c, which is valid JSON.
func (s *scanner) skip(c byte) {
	if c != '{' && c != '[' {
		_ = s.scalar(c) // it was read before
		return
	}
	for depth := 0; s.pos < len(s.doc); {
		switch s.doc[s.pos] {
		case '"':
			_, _ = s.str()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		s.pos++
		if depth == 0 {
			return
		}
	}
}

// prefix puts a path before that of an error.
func prefix(err error, path string) error {
	var inv *catalog.InvalidError
	if !errors.As(err, &inv) {
		return err
	}
	c := *inv
	if c.Path == "" {
		c.Path = path
	} else {
		c.Path = path + "." + c.Path
	}
	return &c
}

// Valid reports whether a document is JSON, and its texts Unicode: what Members
// and Elements can look through. How deep it is and what its numbers say is not
// looked at.
func Valid(doc []byte) bool {
	if !json.Valid(doc) {
		return false
	}
	for s := (scanner{doc: doc}); ; {
		i := bytes.IndexByte(doc[s.pos:], '"')
		if i < 0 {
			return true
		}
		s.pos += i
		if _, err := s.str(); err != nil {
			return false // not UTF-8, or half of a surrogate pair
		}
	}
}

// Members yields the names, without escapes, and the values of an object, which
// must be Valid. The names live until the next one.
func Members(object []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		var name []byte
		for k, v := range members(value{raw: object}) {
			name = jsontext.AppendText(name[:0], k)
			if !yield(name, v.raw) {
				return
			}
		}
	}
}

// Elements yields the elements of an array, which must be Valid.
func Elements(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for v := range elements(value{raw: array}) {
			if !yield(v.raw) {
				return
			}
		}
	}
}

// Text returns the text of a string, which must be valid JSON.
func Text(quoted []byte) string { return string(jsontext.AppendText(nil, quoted)) }
