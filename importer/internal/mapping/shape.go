package mapping

import (
	"slices"
	"strings"

	"catalog/importer/internal/jsontext"
)

// shape is what a mapper knows about one distinct path of the feed. Shapes are
// made when a path is first met, so that what the mapping says about a path is
// worked out once and not for each record.
type shape struct {
	parent  *shape
	name    string // of the member
	element bool   // of an array, and without a name
	nodes   []*node
	members map[string]*shape
	elem    *shape
	indexed map[int]*shape

	slots    []int
	removed  bool        // named by a source or dropped: not part of the rest
	to       disposition // of the rest
	plain    bool        // no path goes on below: the value has one fate
	covered  bool        // the parent is plain, and kept or removed as a whole
	attr     *attribute  // of the rest; found when first needed
	many     bool        // inside an array
	outKey   []byte      // the member's name in the output, with the colon
	lastSeen uint64      // the object in which the member was last seen
}

// attribute collects the values of one attribute of the record at hand.
type attribute struct {
	key    []byte // the name as JSON, with the colon
	values []value
	list   bool // to be written as an array
	used   bool // by the record at hand
}

// value is a piece of JSON and where it stood in the record.
type value struct {
	raw []byte
	off int
}

// maxShapes bounds what a mapper remembers of hostile feeds, in which every
// record has other names: it forgets all between two records.
const maxShapes = 1 << 16

// shapes makes the shapes of a mapper.
type shapes struct {
	m     *Mapping
	root  *shape
	attrs map[string]*attribute
	count int
}

func (t *shapes) reset() {
	t.attrs = map[string]*attribute{}
	t.count = 0
	t.root = t.make(&shape{nodes: []*node{t.m.paths}, to: t.m.rest})
}

// member returns the shape of the member key, whose text in JSON is quoted.
func (t *shapes) member(s *shape, key, quoted []byte) *shape {
	if c, ok := s.members[string(key)]; ok {
		return c
	}
	c := &shape{parent: s, name: string(key), many: s.many}
	for _, n := range s.nodes {
		if e, ok := n.members[c.name]; ok {
			c.nodes = append(c.nodes, e)
		}
		for _, g := range n.globs {
			if matchGlob(g.pattern, c.name) {
				c.nodes = append(c.nodes, g.node)
			}
		}
	}
	if s.members == nil {
		s.members = map[string]*shape{}
	}
	s.members[c.name] = t.make(c)
	c.outKey = append(append(c.outKey, quoted...), ':')
	// The fields of the mapping come first. One more "_" after every name that
	// could be taken for a moved one keeps all names apart.
	if s == t.root && t.m.reserve[strings.TrimRight(c.name, "_")] {
		c.outKey = append(jsontext.AppendString(nil, c.name+"_"), ':')
	}
	return c
}

// element returns the shape of the i-th element. Elements share one shape but
// for those that the mapping names by their index.
func (t *shapes) element(s *shape, i int) *shape {
	named := false
	for _, n := range s.nodes {
		if n.index[i] != nil {
			named = true
		}
	}
	if !named {
		if s.elem == nil {
			s.elem = t.make(t.newElement(s, -1))
		}
		return s.elem
	}
	if s.indexed[i] == nil {
		if s.indexed == nil {
			s.indexed = map[int]*shape{}
		}
		s.indexed[i] = t.make(t.newElement(s, i))
	}
	return s.indexed[i]
}

func (t *shapes) newElement(s *shape, i int) *shape {
	c := &shape{parent: s, element: true, many: true}
	for _, n := range s.nodes {
		if n.elem != nil {
			c.nodes = append(c.nodes, n.elem)
		}
		if i >= 0 && n.index[i] != nil {
			c.nodes = append(c.nodes, n.index[i])
		}
	}
	return c
}

// make works out the shape's fate.
func (t *shapes) make(s *shape) *shape {
	t.count++
	s.plain = s.parent != nil
	if s.parent != nil {
		s.to, s.removed, s.covered = s.parent.to, s.parent.removed, s.parent.plain
	}
	for _, n := range s.nodes {
		s.slots = append(s.slots, n.slots...)
		if n.inner() {
			s.plain = false
		}
		if n.to != toDefault {
			s.to, s.removed = n.to, false
		}
	}
	for _, n := range s.nodes {
		s.removed = s.removed || n.consumed
	}
	s.removed = s.removed || s.to == toDrop
	return s
}

// attribute returns the attribute that the scalars of s belong to: the names on
// the way to it, joined, but for stripped ones.
func (t *shapes) attribute(s *shape) *attribute {
	if s.attr != nil {
		return s.attr
	}
	var names []string
	for c := s; c.parent != nil; c = c.parent {
		stripped := slices.ContainsFunc(c.nodes, func(n *node) bool { return n.strip })
		if !c.element && (len(names) == 0 || !stripped) {
			names = append(names, c.name)
		}
	}
	slices.Reverse(names)
	s.attr = t.named(strings.Join(names, t.m.sep))
	return s.attr
}

// named returns the attribute of a name.
func (t *shapes) named(name string) *attribute {
	a := t.attrs[name]
	if a == nil {
		a = &attribute{key: append(jsontext.AppendString(nil, name), ':')}
		t.attrs[name] = a
	}
	return a
}
