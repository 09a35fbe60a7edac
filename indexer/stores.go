package indexer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"catalog/catalog"
	"catalog/indexer/analysis"
)

// StoreView is one of the shop's stores: a language, a currency and a part of
// the category tree.
type StoreView struct {
	Code     string
	Language string   // as de or de-CH; "" is English
	Currency string   // ISO 4217; "" is the default store's
	Website  string   // "" sees all products
	Root     []string // names of the categories that its tree starts below
}

// DefaultStore is the code of the store of a shop that has no settings, and
// the preferred one of a shop that has.
const DefaultStore = "default"

// Stores is the shop's store views, by code. Immutable; the zero value is not
// of use, see ParseStores.
type Stores struct {
	list []StoreView
	main int // index of the default store
}

// ParseStores reads what the store keeps as catalog.MetaStoreViews; nil makes
// the one store of a shop without settings. The default store is the one named
// so, else one called DefaultStore, else the first by code.
func ParseStores(doc []byte, main string) (*Stores, error) {
	s := &Stores{}
	for code, v := range catalog.Value(doc).Members() {
		view := StoreView{Code: string(code)}
		for name, f := range v.Members() {
			switch string(name) {
			case "language":
				view.Language = f.Text()
			case "currency":
				view.Currency = f.Text()
			case "website":
				view.Website = f.Text()
			case "root_category":
				view.Root = SplitPath(f.Text())
			}
		}
		s.list = append(s.list, view)
	}
	if len(s.list) == 0 {
		s.list = []StoreView{{Code: DefaultStore}}
	}
	slices.SortFunc(s.list, func(a, b StoreView) int { return cmp.Compare(a.Code, b.Code) })
	want := main
	if want == "" {
		want = DefaultStore
	}
	s.main = slices.IndexFunc(s.list, func(v StoreView) bool { return v.Code == want })
	if s.main < 0 {
		if main != "" {
			return nil, fmt.Errorf("indexer: default store %q: there is no such store: %w", main, catalog.ErrNotFound)
		}
		s.main = 0
	}
	def := s.list[s.main]
	for i := range s.list {
		v := &s.list[i]
		if v.Language == "" {
			v.Language = cmp.Or(def.Language, "en")
		}
		if v.Currency == "" {
			v.Currency = def.Currency
		}
	}
	return s, nil
}

// All returns the stores by code. The caller must not change them.
func (s *Stores) All() []StoreView { return s.list }

// Default returns the default store.
func (s *Stores) Default() *StoreView { return &s.list[s.main] }

// Find returns the store of a code, the default one of "", or nil.
func (s *Stores) Find(code string) *StoreView {
	if code == "" {
		return s.Default()
	}
	if i := s.index(code); i >= 0 {
		return &s.list[i]
	}
	return nil
}

func (s *Stores) index(code string) int {
	i, ok := slices.BinarySearchFunc(s.list, code, func(v StoreView, c string) int { return cmp.Compare(v.Code, c) })
	if !ok {
		return -1
	}
	return i
}

// isBase reports whether a name among those of stores stands for all of them.
func isBase(code []byte) bool { return len(code) == 0 || string(code) == DefaultStore }

// languages returns the language codes in which a store's documents may be
// written: its own and that of base texts.
func (s *Stores) languages(v *StoreView) []string {
	own, base := analysis.Code(v.Language), analysis.Code(s.Default().Language)
	if own == base {
		return []string{own}
	}
	return []string{own, base}
}

// SplitPath returns the names of a category's path: \/ is a slash in a name
// and \\ a backslash. Empty names are left out.
func SplitPath(path string) []string {
	if path == "" {
		return nil
	}
	var names []string
	if strings.IndexByte(path, '\\') < 0 {
		for n := range strings.SplitSeq(path, "/") {
			if n = strings.TrimSpace(n); n != "" {
				names = append(names, n)
			}
		}
		return names
	}
	var name []byte
	put := func() {
		if n := strings.TrimSpace(string(name)); n != "" {
			names = append(names, n)
		}
		name = name[:0]
	}
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '\\' && i+1 < len(path) && (path[i+1] == '/' || path[i+1] == '\\'):
			i++
			name = append(name, path[i])
		case c == '/':
			put()
		default:
			name = append(name, c)
		}
	}
	put()
	return names
}

var pathEscaper = strings.NewReplacer(`\`, `\\`, `/`, `\/`)

// JoinPath returns the path of names as records have it.
func JoinPath(names ...string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = pathEscaper.Replace(n)
	}
	return strings.Join(out, "/")
}
