package indextest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"catalog/indexer"
)

// World makes documents and queries that have a lot to do with each other:
// few words, some of them a typo or a prefix apart, few values, many ties. It
// is not safe for concurrent use.
type World struct {
	*rand.Rand
	Stores     []string
	Categories []string // of the form "a", "a/b", "a/b/c"
	Base       time.Time
}

// NewWorld returns a world; the same seed makes the same one.
func NewWorld(seed uint64) *World {
	w := &World{Rand: rand.New(rand.NewPCG(seed, 1)), Stores: []string{"de", "en", "fr"}, Base: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, a := range []string{"men", "women", "garden"} {
		w.Categories = append(w.Categories, a)
		for _, b := range []string{"shoes", "sale"} {
			w.Categories = append(w.Categories, a+"/"+b)
			for _, c := range []string{"trail", "road", "kids"} {
				w.Categories = append(w.Categories, a+"/"+b+"/"+c)
			}
		}
	}
	return w
}

// words of the world; the suffixes s, er and ing are what its stemmer cuts.
var words = strings.Fields(`shoe shoes shoer shop show snow trail trails train trainer training rain red read bed
	running runner run waterproof waterprof waterpoof carpet carpets basket baskets casket jacket
	jackets light lights lighter night x1 x2 x10 16gb 32gb über café naïve 靴 鞋子 leather lether feather weather`)

// TokenOf returns the token of a word in a language.
func TokenOf(lang, word string) indexer.Token {
	term := indexer.Fold(word)
	stem := term
	for _, suffix := range []string{"ing", "er", "s"} {
		if s, ok := strings.CutSuffix(term, suffix); ok && len(s) > 2 {
			stem = s
			break
		}
	}
	return indexer.Token{Term: term, Stem: lang + ":" + stem}
}

func pick[T any](w *World, list []T) T { return list[w.IntN(len(list))] }

// chance is true in n of 100 cases.
func (w *World) chance(n int) bool { return w.IntN(100) < n }

// SKU returns the i-th SKU.
func SKU(i int) string { return fmt.Sprintf("P-%04d", i) }

// Op returns the documents of product i, or its removal now and then.
func (w *World) Op(i int) indexer.Op {
	op := indexer.Op{SKU: SKU(i)}
	if w.chance(4) {
		return op
	}
	stores := slices.Clone(w.Stores)
	if w.chance(20) { // not sold everywhere
		stores = slices.Delete(stores, 0, 1)
	}
	units := w.units(op.SKU)
	for len(stores) > 0 && w.chance(15) {
		n := w.IntN(len(stores))
		d := w.document(op.SKU, stores[n], units)
		d.Stores = []string{stores[n]}
		op.Docs = append(op.Docs, d)
		stores = slices.Delete(stores, n, n+1)
	}
	if len(stores) > 0 {
		d := w.document(op.SKU, "", units)
		d.Stores = stores
		op.Docs = append(op.Docs, d)
	}
	slices.SortFunc(op.Docs, func(a, b *indexer.Document) int { return strings.Compare(a.View, b.View) })
	return op
}

func (w *World) document(sku, view string, units []indexer.Unit) *indexer.Document {
	lang := view
	if lang == "" {
		lang = "en"
	}
	d := &indexer.Document{SKU: sku, View: view, Search: !w.chance(10), Browse: !w.chance(10), Units: units}
	classes := map[string]indexer.Word{}
	put := func(word string, c indexer.Class) {
		t := TokenOf(lang, word)
		if old, ok := classes[t.Term]; !ok || c < old.Class {
			classes[t.Term] = indexer.Word{Token: t, Class: c}
		}
	}
	var name []string
	for range 1 + w.IntN(4) {
		name = append(name, pick(w, words))
		put(name[len(name)-1], indexer.ClassName)
	}
	for range w.IntN(8) {
		put(pick(w, words), indexer.Class(2+w.IntN(4)))
	}
	for _, part := range strings.Split(strings.ToLower(sku), "-") {
		put(part, indexer.ClassSKU)
	}
	for _, word := range classes {
		d.Words = append(d.Words, word)
	}
	slices.SortFunc(d.Words, func(a, b indexer.Word) int { return strings.Compare(a.Term, b.Term) })
	if !w.chance(5) {
		d.Name = strings.Join(name, " ")
		d.NameKey = []byte(indexer.Fold(d.Name))
		d.NameWords = len(name)
	}
	if !w.chance(20) {
		d.Created = w.Base.Unix() + int64(w.IntN(50))*86400
	}
	w.categories(d)
	d.Attrs = w.attrs("brand", "size", "color", "weight", "date", "mixed", "rare"+strconv.Itoa(w.IntN(40)))
	return d
}

func (w *World) categories(d *indexer.Document) {
	members := map[string]indexer.Membership{}
	for range w.IntN(3) {
		id := pick(w, w.Categories)
		m := indexer.Membership{ID: id, Direct: true, Position: indexer.NoPosition}
		if w.chance(60) {
			m.Position = int32(w.IntN(12))
		}
		members[id] = m
		for i := strings.LastIndexByte(id, '/'); i > 0; i = strings.LastIndexByte(id[:i], '/') {
			if _, ok := members[id[:i]]; !ok {
				members[id[:i]] = indexer.Membership{ID: id[:i], Position: indexer.NoPosition}
			}
		}
	}
	for _, m := range members {
		d.Categories = append(d.Categories, m)
	}
	slices.SortFunc(d.Categories, func(a, b indexer.Membership) int { return strings.Compare(a.ID, b.ID) })
}

// attrs returns values of some of the attributes.
func (w *World) attrs(names ...string) []indexer.Attr {
	var out []indexer.Attr
	slices.Sort(names)
	for _, name := range names {
		if !w.chance(70) {
			continue
		}
		vals := map[string]indexer.Value{}
		for range 1 + w.IntN(2) {
			v := w.value(name)
			vals[v.Text] = v
		}
		a := indexer.Attr{Name: name}
		for _, v := range vals {
			a.Values = append(a.Values, v)
		}
		slices.SortFunc(a.Values, func(x, y indexer.Value) int { return strings.Compare(x.Text, y.Text) })
		out = append(out, a)
	}
	return out
}

func (w *World) value(name string) indexer.Value {
	number := func(f float64) indexer.Value {
		return indexer.Value{Text: strconv.FormatFloat(f, 'f', -1, 64), Num: f, Type: indexer.Number}
	}
	switch name {
	case "brand":
		return indexer.Value{Text: pick(w, []string{"Asics", "Hoka", "Ön", "Shoer & Sons", "Light Night"})}
	case "size":
		return number(float64(36 + w.IntN(10)))
	case "color":
		return indexer.Value{Text: pick(w, []string{"red", "blue", "green", "Red", "dark red"})}
	case "weight":
		return number(float64(w.IntN(4000)) / 8)
	case "date":
		t := w.Base.AddDate(0, 0, w.IntN(30))
		return indexer.Value{Text: t.Format(time.DateOnly), Num: float64(t.Unix()), Type: indexer.Date}
	case "mixed":
		if w.chance(50) {
			return number(float64(w.IntN(5)))
		}
		return indexer.Value{Text: "n/a"}
	}
	return indexer.Value{Text: pick(w, []string{"true", "false"})}
}

func (w *World) units(sku string) []indexer.Unit {
	if w.chance(60) {
		return []indexer.Unit{{SKU: sku, Live: w.Live()}}
	}
	var units []indexer.Unit
	for i := range 1 + w.IntN(5) {
		u := indexer.Unit{SKU: sku + "-" + strconv.Itoa(i), Attrs: w.attrs("color", "size"), Live: w.Live()}
		if w.chance(15) {
			u.Stores = []string{"de", "fr"}[:1+w.IntN(2)]
		}
		units = append(units, u)
	}
	return units
}

// Live returns prices and stock of a unit.
func (w *World) Live() indexer.Live {
	l := indexer.Live{InStock: !w.chance(25)}
	put := func(s indexer.Scope) {
		a := indexer.Amount(w.IntN(200)) * 2500
		p := indexer.Price{Scope: s, Amount: a, Regular: a}
		if w.chance(30) {
			p.Regular += 10_000
		}
		l.Prices = append(l.Prices, p)
	}
	if !w.chance(10) {
		put(indexer.Scope{Currency: "EUR"})
		if w.chance(30) {
			put(indexer.Scope{Currency: "EUR", Group: "wholesale"})
		}
		if w.chance(10) {
			put(indexer.Scope{Currency: "EUR", List: "L1"})
		}
		if w.chance(20) {
			put(indexer.Scope{Currency: "EUR", Website: "eu"})
		}
		slices.SortFunc(l.Prices, func(a, b indexer.Price) int { return a.Scope.Compare(b.Scope) })
		if w.chance(30) {
			put(indexer.Scope{Currency: "USD"})
		}
	}
	if w.chance(10) {
		l.Next = w.Base.Add(time.Duration(1+w.IntN(1000)) * time.Hour)
	}
	return l
}
