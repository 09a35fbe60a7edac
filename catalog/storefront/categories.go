package storefront

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// below reports whether a category is in a store view's tree.
func below(c *indexer.Category, v *indexer.StoreView) bool {
	root := indexer.JoinPath(v.Root...)
	return root == "" || strings.HasPrefix(c.Path, root+"/")
}

// maxCategoryText bounds what names a category, in bytes, and maxLevels the
// levels of its path.
const (
	maxCategoryText = 2 * catalog.MaxKey
	maxLevels       = 32
)

// categoryOf finds a category by its path below the view's root, by its path
// from the top, or by its ID.
func (st *shopState) categoryOf(ref string, v *indexer.StoreView) (*indexer.Category, error) {
	if ref == "" {
		return nil, badRequest("category", "is missing: name a category by path or id; /v1/categories lists them")
	}
	if len(ref) > maxCategoryText {
		return nil, badRequest("category", "%d bytes are longer than any path", len(ref))
	}
	names := indexer.SplitPath(ref)
	for _, c := range [...]*indexer.Category{
		st.Tree.ByPath(indexer.JoinPath(slices.Concat(v.Root, names)...)),
		st.Tree.ByPath(indexer.JoinPath(names...)),
		st.Tree.ByID(ref),
	} {
		if c != nil && below(c, v) {
			return c, nil
		}
	}
	return nil, notFound("category", "store %s has no category %q", v.Code, clip(ref))
}

// pathIn returns the path of a category below a view's root, as category takes
// it.
func pathIn(c *indexer.Category, v *indexer.StoreView) string {
	if len(v.Root) == 0 {
		return c.Path
	}
	return strings.TrimPrefix(c.Path, indexer.JoinPath(v.Root...)+"/")
}

// appendRef appends a category as others refer to it.
func appendRef(b []byte, c *indexer.Category, v *indexer.StoreView) []byte {
	b = append(b, `{"id":`...)
	b = appendString(b, c.ID)
	b = appendField(b, "path", pathIn(c, v))
	b = appendField(b, "name", c.NameIn(v.Code))
	return append(b, '}')
}

// appendCount appends a category and how many hits it has.
func appendCount(b []byte, c *indexer.Category, v *indexer.StoreView, n int) []byte {
	b = appendRef(b, c, v)
	b = appendInt(b[:len(b)-1], "count", n)
	return append(b, '}')
}

// appendCrumbs appends the way from the view's root to a category.
func (st *shopState) appendCrumbs(b []byte, c *indexer.Category, v *indexer.StoreView) []byte {
	b = append(b, '[')
	names := indexer.SplitPath(c.Path)
	n := 0
	for i := len(v.Root); i < min(len(names), maxLevels); i++ {
		up := st.Tree.ByPath(indexer.JoinPath(names[:i+1]...))
		if up == nil {
			continue
		}
		b = comma(b, n)
		n++
		b = appendRef(b, up, v)
	}
	return append(b, ']')
}

// appendCategory appends what is known of a category: its record as the store
// sees it, with id, path and name.
func (s *Server) appendCategory(ctx context.Context, b []byte, c *indexer.Category, v *indexer.StoreView) ([]byte, error) {
	b = append(b, `{"id":`...)
	b = appendString(b, c.ID)
	b = appendField(b, "path", pathIn(c, v))
	b = appendField(b, "name", c.NameIn(v.Code))
	b = appendBool(b, "recorded", c.Recorded)
	if c.Recorded {
		records, err := s.records(ctx, catalog.KindCategory, []string{c.ID})
		if err != nil {
			return b, err
		}
		if records[0].Exists() {
			l := looksOf(v, nil)
			first := false
			for name := range catalog.Value(records[0].Body).Members() {
				switch n := string(name); n {
				case "id", "path", "name", "recorded":
				default:
					if m := l.member(records[0].Body, n); m != nil && !hidden(n) {
						b = member(b, name, m, &first)
					}
				}
			}
		}
	}
	return append(b, '}'), nil
}

func (s *Server) getCategory(a *answer, r *request) error {
	st, v, err := s.view(a, r, r.q.get("store"))
	if err != nil {
		return err
	}
	c, err := st.categoryOf(r.q.get("category"), v)
	if err != nil {
		return err
	}
	return s.categoryPage(a, r, st, v, c)
}

// categoryPage answers with what is known of one category.
func (s *Server) categoryPage(a *answer, r *request, st *shopState, v *indexer.StoreView, c *indexer.Category) error {
	a.life = LifeSearch // its name may change without its key being purged
	a.keys.add(catalog.KindCategory, c.ID)
	b, err := s.appendCategory(r.Context(), append(a.body, `{"type":"category","category":`...), c, v)
	if err != nil {
		return err
	}
	b = append(b, `,"breadcrumbs":`...)
	b = st.appendCrumbs(b, c, v)
	b = append(b, `,"children":[`...)
	n := 0
	for _, kid := range st.Tree.Children(c.Path, v.Code) {
		if kid.Hidden {
			continue
		}
		b = comma(b, n)
		n++
		b = appendRef(b, kid, v)
	}
	a.body = append(b, "]}"...)
	return nil
}

func (s *Server) getCategories(a *answer, r *request) error {
	st, v, err := s.view(a, r, r.q.get("store"))
	if err != nil {
		return err
	}
	depth, err := r.q.number("depth", maxLevels, 1, maxLevels)
	if err != nil {
		return err
	}
	root, err := s.trees.get(r.Context(), s, v)
	if err != nil {
		return err
	}
	if ref := r.q.get("category"); ref != "" {
		c, err := st.categoryOf(ref, v)
		if err != nil {
			return err
		}
		a.keys.add(catalog.KindCategory, c.ID)
		if root = find(root, c.ID); root == nil { // it has no products
			root = &indexer.TreeNode{ID: c.ID, Name: c.NameIn(v.Code), Hidden: c.Hidden}
		}
	}
	a.life = LifeSearch
	b := append(a.body, `{"store":`...)
	b = appendString(b, v.Code)
	b = append(b, `,"root":`...)
	b = st.appendTree(b, root, v, depth)
	a.body = append(b, '}')
	return nil
}

func find(n *indexer.TreeNode, id string) *indexer.TreeNode {
	if n.ID == id {
		return n
	}
	for _, c := range n.Children {
		if f := find(c, id); f != nil {
			return f
		}
	}
	return nil
}

func (st *shopState) appendTree(b []byte, n *indexer.TreeNode, v *indexer.StoreView, depth int) []byte {
	path := ""
	if c := st.Tree.ByID(n.ID); c != nil && below(c, v) {
		path = pathIn(c, v)
	}
	b = append(b, `{"id":`...)
	b = appendString(b, n.ID)
	b = appendField(b, "path", path)
	b = appendField(b, "name", n.Name)
	b = appendInt(b, "count", n.Count)
	if n.Hidden {
		b = appendBool(b, "hidden", true)
	}
	b = append(b, `,"children":[`...)
	if depth > 0 {
		for i, c := range n.Children {
			b = comma(b, i)
			b = st.appendTree(b, c, v, depth-1)
		}
	}
	return append(b, "]}"...)
}

// trees keeps the tree of each store for a while: to count it means to look at
// all products.
type trees struct {
	mu   sync.Mutex
	kept map[string]*keptTree
}

type keptTree struct {
	mu   sync.Mutex // held while it is counted, so that one request does
	root *indexer.TreeNode
	shop *indexer.Shop
	at   time.Time
}

// treeLife is how old a kept tree may be.
const treeLife = 10 * time.Second

func (t *trees) get(ctx context.Context, s *Server, v *indexer.StoreView) (*indexer.TreeNode, error) {
	t.mu.Lock()
	if t.kept == nil {
		t.kept = map[string]*keptTree{}
	}
	k := t.kept[v.Code]
	if k == nil {
		k = &keptTree{}
		t.kept[v.Code] = k
	}
	t.mu.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	shop, err := s.engine.Shop(ctx)
	if err != nil {
		return nil, err
	}
	if now := s.opts.Now(); k.root == nil || k.shop != shop || now.Sub(k.at) >= treeLife {
		root, err := s.engine.Tree(ctx, indexer.Query{View: indexer.View{Store: v.Code}})
		if err != nil {
			return nil, err
		}
		k.root, k.shop, k.at = root, shop, now
	}
	return k.root, nil
}

// getURLKey answers with the product or category that has a url_key.
func (s *Server) getURLKey(a *answer, r *request) error {
	key := r.PathValue("url_key")
	if len(key) > catalog.MaxKey {
		return notFound("url_key", "%d bytes are longer than any url_key", len(key))
	}
	x, err := s.newExpansion(a, r, r.q.get("store"), r.q.list("fields"), r.q.list("expand"))
	if err != nil {
		return err
	}
	ctx := r.Context()
	skus, body, err := s.productOfURL(ctx, x, key)
	if err != nil {
		return err
	}
	if len(skus) > 0 {
		return s.productPage(a, r, x, skus[0], body, skus)
	}
	ids, err := s.lookup(ctx, catalog.RefCategoryURLKey, x.view.Code, key)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if c := x.st.Tree.ByID(id); c != nil && below(c, x.view) {
			return s.categoryPage(a, r, x.st, x.view, c)
		}
	}
	moved, err := s.formerURL(ctx, x, key)
	if err != nil {
		return err
	}
	if moved != "" {
		a.status, a.location, a.life = http.StatusMovedPermanently, moved, LifeSearch
		a.body = append(a.body, "{}"...)
		return nil
	}
	return notFound("url_key", "store %s has neither product nor category with the url_key %q", x.view.Code, clip(key))
}

// lookup returns the keys of the records that have a url_key in a store, or
// else in all stores.
func (s *Server) lookup(ctx context.Context, t catalog.RefType, store, value string) ([]string, error) {
	for _, code := range [...]string{store, "", indexer.DefaultStore} {
		keys, err := s.store.Lookup(ctx, catalog.Ref{Type: t, Store: code, Value: value})
		if err != nil {
			return nil, fmt.Errorf("storefront: looking up url_key %q: %w", value, err)
		}
		if len(keys) > 0 {
			out := make([]string, len(keys))
			for i, k := range keys {
				out[i] = string(k)
			}
			return out, nil
		}
	}
	return nil, nil
}

// maxAmbiguous bounds how many products of one url_key are looked at.
const maxAmbiguous = 100

// productOfURL returns the products that a store shows under a url_key, by
// SKU, and the document of the first.
func (s *Server) productOfURL(ctx context.Context, x *expansion, key string) ([]string, []byte, error) {
	var found []string
	var body []byte
	for _, code := range [...]string{x.view.Code, "", indexer.DefaultStore} {
		keys, err := s.store.Lookup(ctx, catalog.Ref{Type: catalog.RefURLKey, Store: code, Value: key})
		if err != nil {
			return nil, nil, fmt.Errorf("storefront: looking up url_key %q: %w", key, err)
		}
		if len(keys) == 0 {
			continue
		}
		records, err := s.store.Get(ctx, catalog.KindProduct, keys[:min(len(keys), maxAmbiguous)]...)
		if err != nil {
			return nil, nil, fmt.Errorf("storefront: reading the products of url_key %q: %w", key, err)
		}
		for i := range records {
			// A store that has a url_key of its own does not answer to that of all.
			if x.looks.shown(records[i].Body) && x.looks.member(records[i].Body, "url_key").Text() == key {
				found = append(found, string(records[i].Key))
				if body == nil {
					body = records[i].Body
				}
			}
		}
		if len(found) > 0 {
			return found, body, nil
		}
	}
	return nil, nil, nil
}
