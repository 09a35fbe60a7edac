package indexer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"catalog/catalog"
)

// Engine answers queries with an index and what the store says of the shop. It
// is safe for concurrent use. Categories, attributes, store views and settings
// are current within Refresh.
type Engine struct {
	index Searcher
	store catalog.Store
	opts  EngineOptions

	mu      sync.Mutex
	shop    *Shop
	at      catalog.Cursor // up to where the log was looked through
	views   string         // as they were read
	named   string
	checked time.Time
	loading bool
}

// EngineOptions say how an Engine works. The zero value of each field works.
type EngineOptions struct {
	Settings func() (*Settings, error) // as in Options
	Refresh  time.Duration             // how old what is known of the shop may be; 0: 1 s
	Now      func() time.Time
	Warn     func(error) // told what keeps the shop from being read anew; the old one stays
}

// NewEngine returns an Engine. It reads what it needs when it is first asked.
func NewEngine(x Searcher, s catalog.Store, opts EngineOptions) *Engine {
	if opts.Settings == nil {
		none := new(Settings)
		opts.Settings = func() (*Settings, error) { return none, nil }
	}
	if opts.Refresh <= 0 {
		opts.Refresh = time.Second
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Warn == nil {
		opts.Warn = func(error) {}
	}
	return &Engine{index: x, store: s, opts: opts}
}

// Shop returns the shop as it is known now.
func (e *Engine) Shop(ctx context.Context) (*Shop, error) {
	e.mu.Lock()
	shop := e.shop
	if shop != nil && (e.loading || e.opts.Now().Sub(e.checked) < e.opts.Refresh) {
		e.mu.Unlock()
		return shop, nil
	}
	if shop == nil {
		// Whoever comes first loads; the others wait for it.
		defer e.mu.Unlock()
		err := e.refresh(ctx)
		return e.shop, err
	}
	e.loading = true
	e.mu.Unlock()
	// One caller looks for news; the others go on with what is known.
	err := e.refresh(ctx)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.loading, e.checked = false, e.opts.Now()
	if err != nil && ctx.Err() == nil {
		e.opts.Warn(err)
	}
	return e.shop, nil
}

// refresh reads the shop if something of it changed. Either mu is held, or
// loading is set by the caller.
func (e *Engine) refresh(ctx context.Context) error {
	settings, err := e.opts.Settings()
	if err != nil {
		if e.shop == nil {
			return err
		}
		e.opts.Warn(err)
		settings = e.shop.Settings
	}
	views, err := metaOf(ctx, e.store, catalog.MetaStoreViews)
	if err != nil {
		return err
	}
	named, err := metaOf(ctx, e.store, metaNamed)
	if err != nil {
		return err
	}
	tail, news, err := e.news(ctx)
	if err != nil {
		return err
	}
	shop := e.shop
	switch {
	case shop == nil || news || string(views) != e.views || string(named) != e.named:
		if shop, err = LoadShop(ctx, e.store, settings); err != nil {
			return err
		}
	case settings != shop.Settings:
		shop = shop.With(settings)
	}
	if !e.loading { // mu is held
		e.set(shop, tail, views, named)
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.set(shop, tail, views, named)
	return nil
}

func (e *Engine) set(shop *Shop, at catalog.Cursor, views, named []byte) {
	e.shop, e.at, e.views, e.named, e.checked = shop, at, string(views), string(named), e.opts.Now()
}

// news reports whether categories or attributes changed since the last time.
func (e *Engine) news(ctx context.Context) (catalog.Cursor, bool, error) {
	tail, err := e.store.Tail(ctx)
	if err != nil {
		return tail, false, fmt.Errorf("indexer: reading the tail: %w", err)
	}
	if e.shop == nil || tail.Epoch != e.at.Epoch {
		return tail, true, nil
	}
	at := e.at
	for c, err := range e.store.Changes(ctx, e.at) {
		if errors.Is(err, catalog.ErrTrimmed) {
			return tail, true, nil
		}
		if err != nil {
			return tail, false, fmt.Errorf("indexer: reading the log: %w", err)
		}
		at.Seq = c.Seq
		if c.Kind == catalog.KindCategory || c.Kind == catalog.KindAttribute {
			return tail, true, nil
		}
	}
	return at, false, nil
}

// Search answers a query. Errors are ErrQuery, ErrNoIndex, or the index's.
func (e *Engine) Search(ctx context.Context, q Query) (*Result, error) {
	shop, err := e.Shop(ctx)
	if err != nil {
		return nil, err
	}
	p, err := shop.Prepare(q, e.opts.Now())
	if err != nil {
		return nil, err
	}
	return e.index.Search(ctx, p)
}

// Browse answers a query that must name a category.
func (e *Engine) Browse(ctx context.Context, q Query) (*Result, error) {
	if q.Category == "" {
		return nil, fmt.Errorf("no category is named: %w", ErrQuery)
	}
	return e.Search(ctx, q)
}

// Completion is what Suggest finds.
type Completion struct {
	Suggestions
	Categories []CategorySuggestion
}

// CategorySuggestion is a category whose name matches.
type CategorySuggestion struct {
	ID   string
	Path []string // names in the store, from its root
}

// DefaultSuggestions is how many of each kind Suggest returns if not told.
const DefaultSuggestions = 8

// Suggest completes a text that is being typed: products, categories,
// attribute values and words, at most limit of each.
func (e *Engine) Suggest(ctx context.Context, q Query, limit int) (*Completion, error) {
	if limit <= 0 {
		limit = DefaultSuggestions
	}
	limit = min(limit, 100)
	out := &Completion{}
	if strings.TrimSpace(q.Text) == "" {
		return out, nil
	}
	shop, err := e.Shop(ctx)
	if err != nil {
		return nil, err
	}
	q.Sort, q.After, q.Page, q.Facets = Sort{}, "", 0, Facets{}
	q.Size = limit
	p, err := shop.PrepareTyping(q, e.opts.Now())
	if err != nil {
		return nil, err
	}
	s, err := e.index.Suggest(ctx, p, limit)
	if err != nil {
		return nil, err
	}
	out.Suggestions = *s
	out.Categories = shop.suggestCategories(p, limit)
	return out, nil
}

// TreeNode is a category of a view's tree, with its hits.
type TreeNode struct {
	ID       string
	Path     []string // names in the store, from its root
	Name     string
	Hidden   bool // not in menus
	Count    int  // products in it or below
	Children []*TreeNode
}

// Tree returns the categories of a view that have products, with how many. q
// may narrow them as it narrows a search.
func (e *Engine) Tree(ctx context.Context, q Query) (*TreeNode, error) {
	shop, err := e.Shop(ctx)
	if err != nil {
		return nil, err
	}
	q.Facets = Facets{Tree: true}
	q.Size, q.Page, q.After = 1, 0, ""
	p, err := shop.Prepare(q, e.opts.Now())
	if err != nil {
		return nil, err
	}
	res, err := e.index.Search(ctx, p)
	if err != nil {
		return nil, err
	}
	counts := make(map[string]int, len(res.Categories))
	for _, c := range res.Categories {
		counts[c.ID] = c.Count
	}
	view := shop.Stores.Find(p.Store)
	root := shop.Tree.Below(JoinPath(view.Root...), view.Code, maxTree)
	out := treeNode(root, view.Code, nil, counts)
	out.Count = res.Total
	return out, nil
}

func treeNode(n *Node, store string, path []string, counts map[string]int) *TreeNode {
	out := &TreeNode{ID: n.ID, Path: path, Name: n.NameIn(store), Hidden: n.Hidden, Count: counts[n.ID]}
	for _, c := range n.Children {
		if counts[c.ID] > 0 {
			below := append(path[:len(path):len(path)], c.NameIn(store))
			out.Children = append(out.Children, treeNode(c, store, below, counts))
		}
	}
	return out
}

// NamesOf returns the names of a category and its ancestors in a store, from
// the store's root; nil if there is no such category.
func (s *Shop) NamesOf(id, store string) []string {
	c, view := s.Tree.ByID(id), s.Stores.Find(store)
	if c == nil || view == nil {
		return nil
	}
	var out []string
	names := SplitPath(c.Path)
	for i, up := range s.Tree.Chain(names[:min(len(names), maxLevels)]) {
		if i >= len(view.Root) {
			out = append(out, up.NameIn(view.Code))
		}
	}
	return out
}
