package indexer

import (
	"bytes"
	"runtime"
	"slices"
	"time"

	"catalog/catalog"
	"catalog/indexer/analysis"
	"catalog/indexer/internal/memo"
)

// Source is what a product's documents are made of.
type Source struct {
	SKU  string
	Body []byte // of its record
	// Get returns the body of a record, nil if there is none: of its variants'
	// products, and of the prices and stock of all units. It is called by the
	// goroutine that called Map, and what it returned is not kept.
	Get func(k catalog.Kind, sku string) []byte
}

// Mapper makes documents of records. It is safe for concurrent use: it keeps
// what it learned of words and values in a session for each concurrent caller.
type Mapper struct {
	stores   *Stores
	tree     *Tree
	silent   map[string]bool // attributes whose words are not searched
	sessions chan *session
}

// NewMapper returns a Mapper for those stores and categories. Attributes in
// silent are not searched as text.
func NewMapper(stores *Stores, tree *Tree, silent map[string]bool) *Mapper {
	return &Mapper{stores: stores, tree: tree, silent: silent, sessions: make(chan *session, 2*runtime.GOMAXPROCS(0))}
}

// Map returns the documents of a product as of now: none if no store shows it.
// It takes any body that catalog.Parser accepts.
func (m *Mapper) Map(src Source, now time.Time) []*Document {
	s := m.session()
	docs := s.documents(src, now)
	m.done(s)
	return docs
}

// done gives a session back. One that panicked is not given back.
func (m *Mapper) done(s *session) {
	s.into(nil)
	select {
	case m.sessions <- s:
	default:
	}
}

func (m *Mapper) session() *session {
	select {
	case s := <-m.sessions:
		return s
	default:
		return newSession(m)
	}
}

// session is the memory of one caller at a time.
type session struct {
	m      *Mapper
	langs  map[string]*lang
	views  []*lang // by store
	main   *lang
	names  *memo.Memo[string]
	chains map[string][]*Category

	// of the product at hand
	base, view, over, vfields fields
	variants                  []variant
	path                      []byte
	text                      []byte
	stamp                     uint32
	words                     []Word
	orders                    []uint64 // by word: how its term starts
	sorted                    []uint64
	found                     []*analysis.Word
	attrs                     []attrValue
	members                   []Membership
	pricer                    pricer
	out                       memory
}

// memory is where a document's slices are: those of an arena, or nil.
type memory struct {
	words   *slab[Word]
	attrs   *slab[Attr]
	values  *slab[Value]
	units   *slab[Unit]
	members *slab[Membership]
	keys    *slab[byte]
}

func (s *session) into(a *arena) {
	if a == nil {
		s.out, s.pricer.prices = memory{}, nil
		return
	}
	s.out = memory{&a.words, &a.attrs, &a.values, &a.units, &a.members, &a.keys}
	s.pricer.prices = &a.prices
}

// lang is what a session remembers of a language.
type lang struct {
	*analysis.Analyzer
	collator *analysis.Collator
	kinds    map[string][]kindWord // by the names of categories
	values   *memo.Memo[known]     // by value as it is written in JSON
}

// known is an attribute value that was seen before, with its words.
type known struct {
	Value
	words []*analysis.Word
	long  bool // only text
}

// maxMemo is how many words, values and names a session remembers of each
// language, in each of two generations.
const maxMemo = 1 << 15

func newSession(m *Mapper) *session {
	s := &session{m: m, langs: map[string]*lang{}, names: memo.New[string](maxMemo), chains: map[string][]*Category{}}
	for i := range m.stores.list {
		s.views = append(s.views, s.language(m.stores.list[i].Language))
	}
	s.main = s.language(m.stores.Default().Language)
	return s
}

func (s *session) language(tag string) *lang {
	l := s.langs[tag]
	if l == nil {
		l = &lang{Analyzer: analysis.New(tag, maxMemo), collator: analysis.NewCollator(tag), kinds: map[string][]kindWord{}, values: memo.New[known](maxMemo)}
		s.langs[tag] = l
	}
	return l
}

// intern returns a name as a string, the same one each time.
func (s *session) intern(name []byte) string {
	n, hash, ok := s.names.Get(name)
	if !ok {
		n = new(string)
		*n = string(name)
		s.names.Put(hash, n)
	}
	return *n
}

// variant is a unit of a product that has several, or its only one.
type variant struct {
	sku      string
	own      []byte // its product record
	embedded []byte // its place in its product
	ok       []bool // stores that sell it; nil: all
	live     Live
}

// documents makes the documents of a product.
func (s *session) documents(src Source, now time.Time) []*Document {
	base := &s.base
	base.reset()
	s.read(base, src.Body, rankAttr)
	if search, browse := visible(base); base.stores == nil && (!enabled(base) || !search && !browse) {
		return nil // as most variants: no store can say otherwise
	}
	s.units(src, now)
	if len(s.variants) == 0 {
		return nil
	}
	list := s.m.stores.list
	differs := make([]bool, len(list))
	s.overlayStores(base, differs)
	for i := range s.variants {
		s.variantOverlays(&s.variants[i], differs)
	}
	ok := s.allowed(base.websites)

	s.overlay(&s.view, base, "")
	main := s.document(src.SKU, &s.view, "", s.main, s.main)
	var docs []*Document
	var shown []int // stores that see the base document
	for i := range list {
		switch {
		case ok != nil && !ok[i]:
		case !differs[i]:
			shown = append(shown, i)
		default:
			s.overlay(&s.view, base, list[i].Code)
			d := s.document(src.SKU, &s.view, list[i].Code, s.views[i], s.main)
			if main != nil && d != nil && alike(main, d) {
				shown = append(shown, i)
			} else if d != nil && s.show(d, []int{i}) {
				docs = append(docs, d)
			}
		}
	}
	if main != nil && s.show(main, shown) {
		docs = append(docs, nil)
		copy(docs[1:], docs)
		docs[0] = main
	}
	return docs
}

// show sets the stores of a document and its units, and reports whether there
// are any.
func (s *session) show(d *Document, stores []int) bool {
	list := s.m.stores.list
	restricted := slices.ContainsFunc(s.variants, func(v variant) bool { return v.ok != nil })
	for _, i := range stores {
		if !restricted || slices.ContainsFunc(s.variants, func(v variant) bool { return v.ok == nil || v.ok[i] }) {
			d.Stores = append(d.Stores, list[i].Code)
		}
	}
	if !restricted || len(d.Stores) == 0 {
		return len(d.Stores) > 0
	}
	units := d.Units[:0]
	for i, u := range d.Units {
		v := &s.variants[i]
		if v.ok != nil {
			for _, code := range d.Stores {
				if v.ok[s.m.stores.index(code)] {
					u.Stores = append(u.Stores, code)
				}
			}
			switch len(u.Stores) {
			case 0:
				continue
			case len(d.Stores):
				u.Stores = nil
			}
		}
		units = append(units, u)
	}
	d.Units = units
	return true
}

// alike reports whether two documents differ in nothing but who sees them.
func alike(a, b *Document) bool {
	return a.Search == b.Search && a.Browse == b.Browse && a.Name == b.Name && bytes.Equal(a.NameKey, b.NameKey) &&
		a.NameWords == b.NameWords && a.Created == b.Created &&
		slices.Equal(a.Words, b.Words) && slices.Equal(a.Categories, b.Categories) && sameAttrs(a.Attrs, b.Attrs) &&
		slices.EqualFunc(a.Units, b.Units, func(x, y Unit) bool { return x.SKU == y.SKU && sameAttrs(x.Attrs, y.Attrs) })
}

func sameAttrs(a, b []Attr) bool {
	return slices.EqualFunc(a, b, func(x, y Attr) bool { return x.Name == y.Name && slices.Equal(x.Values, y.Values) })
}

// document makes the document of a product as one view has it; nil if the
// view does not show it.
func (s *session) document(sku string, f *fields, view string, own, main *lang) *Document {
	if !enabled(f) {
		return nil
	}
	search, browse := visible(f)
	if !search && !browse {
		return nil
	}
	d := &Document{SKU: sku, View: view, Search: search, Browse: browse, Created: created(f.created)}
	s.begin()
	pick := func(overlaid bool) *lang {
		if overlaid {
			return own
		}
		return main
	}
	name := f.name
	if name.Type() == catalog.ValueObject {
		name = baseOf(name)
	}
	if name.Type() == catalog.ValueString {
		s.text = name.AppendText(s.text[:0])
		s.text = s.text[:min(len(s.text), maxText)]
		d.Name = string(s.text)
		l := pick(f.own.name)
		d.NameWords = s.add(l, s.text, ClassName)
		var key []byte
		if s.out.keys != nil {
			key = s.out.keys.take(analysis.MaxKey)
		}
		d.NameKey = l.collator.Key(key, d.Name)
	}
	s.categories(d, f.categories, view, main, own)
	s.attributes(d, f, pick(f.own.brand), main, own)
	s.description(pick(f.own.short), f.short)
	s.description(pick(f.own.long), f.long)
	for _, t := range f.texts {
		s.description(main, t)
	}
	s.number(main, sku) // last: parts that a name has, too, stand there already
	d.Words = s.finish()
	return d
}

func created(v catalog.Value) int64 {
	if v.Type() != catalog.ValueString {
		return 0
	}
	t, _, ok := ParseDate(v.Text())
	if !ok {
		return 0
	}
	return t.Unix()
}
