package indexer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"catalog/catalog"
	"catalog/indexer/analysis"
)

// Shop is all that documents and queries are made with beside the products:
// store views, categories, attributes and settings, as they were at a moment.
// It is safe for concurrent use.
type Shop struct {
	Stores   *Stores
	Tree     *Tree
	Settings *Settings
	Print    string // fingerprint of what influences documents

	attrs    attributes
	synonyms map[string]*synonyms // by language
	stops    map[string]bool
	queries  sync.Pool // of *analysers

	wordsMu sync.Mutex
	words   map[string]*worded // names of categories, by store
}

// metaNamed is the name under which the categories are kept that only products
// name: a JSON array of paths. They are found while mapping; whoever answers
// queries in another process needs them, too.
const metaNamed = "index/categories"

// LoadShop reads a shop from the store.
func LoadShop(ctx context.Context, s catalog.Store, settings *Settings) (*Shop, error) {
	if settings == nil {
		settings = new(Settings)
	}
	views, err := metaOf(ctx, s, catalog.MetaStoreViews)
	if err != nil {
		return nil, err
	}
	stores, err := ParseStores(views, settings.DefaultStore)
	if err != nil {
		return nil, err
	}
	doc, err := metaOf(ctx, s, metaNamed)
	if err != nil {
		return nil, err
	}
	var named []string
	if doc != nil {
		if err := json.Unmarshal(doc, &named); err != nil {
			named = nil // it is kept anew when products are mapped
		}
	}
	tree, err := LoadTree(ctx, s, named)
	if err != nil {
		return nil, err
	}
	attrs, err := loadAttributes(ctx, s)
	if err != nil {
		return nil, err
	}
	return newShop(stores, tree, attrs, settings), nil
}

func newShop(stores *Stores, tree *Tree, attrs attributes, settings *Settings) *Shop {
	s := &Shop{Stores: stores, Tree: tree, attrs: attrs}
	s.Print = fingerprint(stores, attrs.silent(settings.NotSearched))
	s.setSettings(settings)
	return s
}

// With returns the shop with other settings, for those that only influence
// queries.
func (s *Shop) With(settings *Settings) *Shop {
	return newShop(s.Stores, s.Tree, s.attrs, settings)
}

func (s *Shop) setSettings(settings *Settings) {
	s.Settings = settings
	s.stops = map[string]bool{}
	for _, line := range settings.StopWords {
		s.stops[Fold(line)] = true
	}
	s.synonyms = map[string]*synonyms{}
	for i := range s.Stores.list {
		v := &s.Stores.list[i]
		if code := analysis.Code(v.Language); s.synonyms[code] == nil {
			s.synonyms[code] = newSynonyms(settings.Synonyms, v.Language)
		}
	}
	s.queries.New = func() any { return &analysers{} }
}

// Mapper returns a Mapper for the shop.
func (s *Shop) Mapper() *Mapper {
	return NewMapper(s.Stores, s.Tree, s.attrs.silent(s.Settings.NotSearched))
}

// Meta returns what a store is shown of an attribute.
func (s *Shop) Meta(name, store string) AttributeMeta { return s.attrs.meta(name, store) }

// metaOf returns a value kept in the store, nil if there is none.
func metaOf(ctx context.Context, s catalog.Store, name string) ([]byte, error) {
	b, err := s.Meta(ctx, name)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("indexer: reading %q: %w", name, err)
	}
	return b, nil
}
