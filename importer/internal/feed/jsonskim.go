package feed

import "bytes"

// skim finds the end of a JSON value without parsing it: it only follows
// strings and counts brackets. It goes on over several windows.
type skim struct {
	depth  int
	inText bool // inside a string
	escape bool // after a backslash in a string
	scalar bool // inside a number, a word or garbage
}

// The bytes that skim looks at outside strings.
const (
	skimPlain = iota
	skimQuote
	skimOpen
	skimClose
)

var skimClass = [256]uint8{'"': skimQuote, '{': skimOpen, '[': skimOpen, '}': skimClose, ']': skimClose}

// start prepares for the value that starts with c.
func (s *skim) start(c byte) {
	*s = skim{scalar: skimClass[c] != skimQuote && skimClass[c] != skimOpen}
}

// run reads on in b from i and returns where the value ends; not ok if it does
// not end in b.
func (s *skim) run(b []byte, i int) (end int, ok bool) {
	if s.scalar {
		for from := i; i < len(b); i++ {
			if c := b[i]; c == ',' || c == ']' && i > from || isSpace(c) {
				return i, true
			}
		}
		return i, false
	}
	for i < len(b) {
		if s.inText {
			if i, ok = s.text(b, i); !ok {
				return i, false
			}
			if s.depth == 0 {
				return i, true
			}
		}
		for i < len(b) && skimClass[b[i]] == skimPlain {
			i++
		}
		if i == len(b) {
			break
		}
		switch skimClass[b[i]] {
		case skimQuote:
			s.inText = true
		case skimOpen:
			s.depth++
		case skimClose:
			if s.depth--; s.depth <= 0 {
				return i + 1, true
			}
		}
		i++
	}
	return i, false
}

// text reads on inside a string and returns the place after its end.
func (s *skim) text(b []byte, i int) (int, bool) {
	if s.escape && i < len(b) {
		s.escape = false
		i++
	}
	for near := i + 24; i < len(b); i++ {
		switch b[i] {
		case '"':
			s.inText = false
			return i + 1, true
		case '\\':
			if i++; i == len(b) {
				s.escape = true
				return i, false
			}
		default:
			if i < near {
				continue
			}
			// A long string: jump to the next quote, unless a backslash comes first.
			q := bytes.IndexByte(b[i:], '"')
			if q < 0 {
				q = len(b) - i
			}
			if e := bytes.IndexByte(b[i:i+q], '\\'); e >= 0 {
				q = e
			}
			i += q - 1
		}
	}
	return i, false
}
