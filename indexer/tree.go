package indexer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"catalog/catalog"
)

// Category is a node of the tree. Immutable.
type Category struct {
	ID       string            // the record's key; of one that only products name, its path
	Path     string            // escaped, from the top
	Name     string            // in stores that have none of their own
	Names    map[string]string // by store
	Position float64           // among its siblings; NoPosition: behind all others
	Hidden   bool              // in_menu is false
	Recorded bool              // has a record; else only products name it
}

// NameIn returns the name in a store.
func (c *Category) NameIn(store string) string {
	if n, ok := c.Names[store]; ok {
		return n
	}
	return c.Name
}

// indexes reports whether documents in two versions of a category are alike.
func (c *Category) indexes(o *Category) bool {
	if c.ID != o.ID || c.Path != o.Path || c.Name != o.Name || len(c.Names) != len(o.Names) {
		return false
	}
	for s, n := range c.Names {
		if on, ok := o.Names[s]; !ok || on != n {
			return false
		}
	}
	return true
}

// Tree is the categories that have a record, and those that products name. Its
// methods are safe for concurrent use; records do not change in it, but
// mapping products adds the categories that only they name.
type Tree struct {
	mu     sync.RWMutex
	byID   map[string]*Category
	byPath map[string]*Category
	below  map[string][]*Category // by the parent's path, in no order
	news   int                    // categories that were added by naming
}

// NewTree returns a tree without categories.
func NewTree() *Tree {
	return &Tree{byID: map[string]*Category{}, byPath: map[string]*Category{}, below: map[string][]*Category{}}
}

// LoadTree reads the categories that have a record, and puts the paths beside
// them that products are known to name.
func LoadTree(ctx context.Context, s catalog.Store, named []string) (*Tree, error) {
	t := NewTree()
	for rec, err := range s.Scan(ctx, catalog.KindCategory, catalog.All) {
		if err != nil {
			return nil, fmt.Errorf("indexer: reading categories: %w", err)
		}
		t.add(parseCategory(string(rec.Key), rec.Body))
	}
	t.link(named)
	return t, nil
}

// link adds the ancestors that have no record, and finds out what is below
// what, after records were added.
func (t *Tree) link(named []string) {
	clear(t.below)
	paths := make([]string, 0, len(t.byPath))
	for p, c := range t.byPath {
		t.below[parentPath(p)] = append(t.below[parentPath(p)], c)
		paths = append(paths, p)
	}
	for _, p := range paths {
		t.Chain(SplitPath(parentPath(p)))
	}
	for _, p := range named {
		t.Chain(SplitPath(p))
	}
	t.news = 0
}

// add puts a category with a record in. Of two with one path the lower ID
// counts.
func (t *Tree) add(c *Category) {
	t.byID[c.ID] = c
	if old := t.byPath[c.Path]; old == nil || c.ID < old.ID {
		t.byPath[c.Path] = c
	}
}

func parseCategory(id string, body catalog.Value) *Category {
	c := &Category{ID: id, Recorded: true, Position: float64(NoPosition)}
	put := func(store, name string) {
		if c.Names == nil {
			c.Names = map[string]string{}
		}
		c.Names[store] = name
	}
	var path string
	for key, v := range body.Members() {
		switch string(key) {
		case "path":
			path = baseText(v)
		case "name":
			c.Name = baseText(v)
			if v.Type() == catalog.ValueObject {
				for store, n := range v.Members() {
					if !isBase(store) && n.Type() == catalog.ValueString {
						put(string(store), n.Text())
					}
				}
			}
		case "position":
			if f, err := strconv.ParseFloat(v.Text(), 64); err == nil {
				c.Position = f
			}
		case "in_menu":
			c.Hidden = !truth(v, true)
		case "stores":
			for store, over := range v.Members() {
				if n := catalog.Value(catalog.MemberValue(over, "name")); n.Type() == catalog.ValueString {
					put(string(store), n.Text())
				}
			}
		}
	}
	names := SplitPath(path)
	if len(names) == 0 {
		if path == "" && c.Name != "" {
			names = []string{c.Name}
		} else {
			names = []string{id}
		}
	}
	c.Path = JoinPath(names...)
	if c.Name == "" {
		c.Name = names[len(names)-1]
	}
	return c
}

// baseText returns the text that holds for stores without one of their own.
func baseText(v catalog.Value) string {
	if v.Type() == catalog.ValueObject {
		return catalog.Value(baseOf(v)).Text()
	}
	if v.Type() != catalog.ValueString {
		return ""
	}
	return v.Text()
}

// baseOf returns the member of an object of store → text that holds for all
// stores: "default", or else the first.
func baseOf(v catalog.Value) catalog.Value {
	var first catalog.Value
	for store, text := range v.Members() {
		if isBase(store) {
			return text
		}
		if first == nil {
			first = text
		}
	}
	return first
}

// truth reads a flag in the spellings of feeds.
func truth(v catalog.Value, otherwise bool) bool {
	switch strings.ToLower(v.Text()) {
	case "true", "1", "yes":
		return true
	case "false", "0", "no", "none", "never":
		return false
	}
	return otherwise
}

// ByID returns the category of an ID, or nil.
func (t *Tree) ByID(id string) *Category {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byID[id]
}

// ByPath returns the category of an escaped path, or nil.
func (t *Tree) ByPath(path string) *Category {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byPath[path]
}

// Chain returns the category of a path and all its ancestors, from the top.
// Those that nothing has named before are added.
func (t *Tree) Chain(names []string) []*Category {
	out := make([]*Category, 0, len(names))
	path := ""
	for i, n := range names {
		if i > 0 {
			path += "/"
		}
		path += pathEscaper.Replace(n)
		c := t.ByPath(path)
		if c == nil {
			c = t.name(path, n)
		}
		out = append(out, c)
	}
	return out
}

// name adds a category that only products name.
func (t *Tree) name(path, name string) *Category {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.byPath[path]; c != nil {
		return c
	}
	c := &Category{ID: path, Path: path, Name: name, Position: float64(NoPosition)}
	t.byPath[path] = c
	t.below[parentPath(path)] = append(t.below[parentPath(path)], c)
	if t.byID[path] == nil {
		t.byID[path] = c
	}
	t.news++
	return c
}

// named returns the paths of categories that only products name, sorted.
func (t *Tree) named() []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	out := make([]string, 0, t.news)
	for p, c := range t.byPath {
		if !c.Recorded {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// additions returns how many categories products have named that were not
// there when the tree was loaded.
func (t *Tree) additions() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.news
}

// differs returns the IDs of the categories of which documents in two trees are
// not alike.
func (t *Tree) differs(o *Tree) map[string]bool {
	ids := map[string]bool{}
	for _, trees := range [...][2]*Tree{{t, o}, {o, t}} {
		for _, c := range trees[0].recorded() {
			if is := trees[1].ByID(c.ID); is == nil || !is.Recorded || !c.indexes(is) {
				ids[c.ID] = true
			}
		}
	}
	return ids
}

// recorded returns the categories that have a record.
func (t *Tree) recorded() []*Category {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var out []*Category
	for _, c := range t.byID {
		if c.Recorded {
			out = append(out, c)
		}
	}
	return out
}

// withPaths adds to ids those of all categories that have one of some paths.
func (t *Tree) withPaths(paths, ids map[string]bool) {
	if len(paths) == 0 {
		return
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	for id, c := range t.byID {
		if paths[c.Path] {
			ids[id] = true
		}
	}
}

// Children returns the categories right below a path ("": at the top), by
// position, then name in the store, then ID.
func (t *Tree) Children(path, store string) []*Category {
	t.mu.RLock()
	out := slices.Clone(t.below[path])
	t.mu.RUnlock()
	slices.SortFunc(out, func(a, b *Category) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.NameIn(store), b.NameIn(store)), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Node is a category with those below it.
type Node struct {
	*Category
	Children []*Node
}

// Below returns the tree below a path ("": all of it), siblings as Children
// has them. At most limit categories; the rest is left out.
func (t *Tree) Below(path, store string, limit int) *Node {
	root := &Node{Category: t.ByPath(path)}
	if root.Category == nil {
		root.Category = &Category{Path: path}
	}
	left := limit
	level := []*Node{root}
	for len(level) > 0 && left > 0 {
		var next []*Node
		for _, n := range level {
			for _, c := range t.Children(n.Path, store) {
				if left--; left < 0 {
					return root
				}
				kid := &Node{Category: c}
				n.Children = append(n.Children, kid)
				next = append(next, kid)
			}
		}
		level = next
	}
	return root
}

// parentPath returns the path without its last name, "" of a top one.
func parentPath(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] != '/' {
			continue
		}
		n := 0
		for j := i - 1; j >= 0 && path[j] == '\\'; j-- {
			n++
		}
		if n%2 == 0 {
			return path[:i]
		}
	}
	return ""
}
