package mapping

import (
	"fmt"
	"strconv"
	"strings"
)

// step is one step of a path.
type step struct {
	key   string // of a member
	glob  bool   // key is a pattern with stars
	elem  bool   // each element of an array
	index int    // of an element; -1 otherwise
}

// maxSteps bounds a path; no record is nested more deeply.
const maxSteps = 64

// parsePath reads a path. Stars are patterns only where globs is set.
func parsePath(s string, globs bool) ([]step, error) {
	var steps []step
	var key strings.Builder
	stars, named := false, false
	end := func() {
		if !named {
			return
		}
		k := key.String()
		if !stars {
			k = strings.ReplaceAll(k, starMark, "*")
		}
		steps = append(steps, step{key: k, glob: stars, index: -1})
		key.Reset()
		stars, named = false, false
	}
	afterElem := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
			if i == len(s) || !strings.ContainsRune(`.[]*{}\`, rune(s[i])) {
				return nil, fmt.Errorf("path %q: a backslash stands before one of . [ ] * { } \\", s)
			}
			if s[i] == '*' {
				key.WriteString(starMark)
			} else {
				key.WriteByte(s[i])
			}
			named, afterElem = true, false
		case c == '.':
			if !named && !afterElem {
				return nil, fmt.Errorf("path %q has an empty name", s)
			}
			end()
			afterElem = false
			if i == len(s)-1 {
				return nil, fmt.Errorf("path %q has an empty name", s)
			}
		case c == '[':
			end()
			st, n, err := parseIndex(s[i:])
			if err != nil {
				return nil, fmt.Errorf("path %q: %w", s, err)
			}
			steps = append(steps, st)
			i += n - 1
			afterElem = true
		case afterElem:
			return nil, fmt.Errorf("path %q: a dot is missing after ]", s)
		default:
			if c == '*' && globs {
				stars = true
			}
			key.WriteByte(c)
			named = true
		}
	}
	end()
	if len(steps) == 0 {
		return nil, fmt.Errorf("path %q is empty", s)
	}
	if len(steps) > maxSteps {
		return nil, fmt.Errorf("path %q has more than %d steps", s, maxSteps)
	}
	return steps, nil
}

// starMark stands for an escaped star while a name is read, and within patterns.
const starMark = "\x00*"

// parseIndex reads [], [*] or [n] at the start of s and returns its length.
func parseIndex(s string) (step, int, error) {
	n := strings.IndexByte(s, ']')
	if n < 0 {
		return step{}, 0, fmt.Errorf("a ] is missing")
	}
	inner := s[1:n]
	if inner == "" || inner == "*" {
		return step{elem: true, index: -1}, n + 1, nil
	}
	i, err := strconv.Atoi(inner)
	if err != nil || i < 0 || inner[0] == '+' {
		return step{}, 0, fmt.Errorf("[%s] is no index: use [], [0], [1], …", inner)
	}
	return step{index: i}, n + 1, nil
}

// QuotePath returns the path of the member key of parent, which may be "".
func QuotePath(parent, key string) string {
	var b strings.Builder
	b.WriteString(parent)
	if parent != "" {
		b.WriteByte('.')
	}
	for i := 0; i < len(key); i++ {
		if strings.IndexByte(`.[]*{}\`, key[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(key[i])
	}
	return b.String()
}

// matchGlob reports whether name matches a pattern in which stars stand for
// any characters.
func matchGlob(pattern, name string) bool {
	parts := strings.Split(strings.ReplaceAll(pattern, starMark, "\x00"), "*")
	for i := range parts {
		parts[i] = strings.ReplaceAll(parts[i], "\x00", "*")
	}
	if !strings.HasPrefix(name, parts[0]) {
		return false
	}
	name = name[len(parts[0]):]
	last := parts[len(parts)-1]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(name, p)
		if i < 0 {
			return false
		}
		name = name[i+len(p):]
	}
	return strings.HasSuffix(name, last)
}

// disposition says what becomes of a part of the rest.
type disposition uint8

const (
	toDefault disposition = iota // as its parent
	toKeep
	toAttributes
	toDrop
)

// node is a place in the tree of all paths that a mapping names.
type node struct {
	members map[string]*node
	globs   []globNode
	elem    *node
	index   map[int]*node

	slots    []int // sources that read the value here
	consumed bool  // the value is not part of the rest
	to       disposition
	strip    bool // its name is no part of an attribute's name
}

type globNode struct {
	pattern string
	node    *node
}

// add returns the node of a path, made if need be.
func (n *node) add(steps []step) *node {
	for _, s := range steps {
		n = n.next(s)
	}
	return n
}

func (n *node) next(s step) *node {
	switch {
	case s.elem:
		if n.elem == nil {
			n.elem = &node{}
		}
		return n.elem
	case s.index >= 0:
		if n.index == nil {
			n.index = map[int]*node{}
		}
		if n.index[s.index] == nil {
			n.index[s.index] = &node{}
		}
		return n.index[s.index]
	case s.glob:
		for _, g := range n.globs {
			if g.pattern == s.key {
				return g.node
			}
		}
		g := globNode{pattern: s.key, node: &node{}}
		n.globs = append(n.globs, g)
		return g.node
	}
	if n.members == nil {
		n.members = map[string]*node{}
	}
	if n.members[s.key] == nil {
		n.members[s.key] = &node{}
	}
	return n.members[s.key]
}

// inner reports whether paths go on below the node.
func (n *node) inner() bool {
	return len(n.members) > 0 || len(n.globs) > 0 || n.elem != nil || len(n.index) > 0
}
