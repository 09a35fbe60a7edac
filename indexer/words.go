package indexer

import (
	"cmp"
	"slices"
	"strings"

	"catalog/catalog"
	"catalog/indexer/analysis"
)

// begin starts the words of a document.
func (s *session) begin() {
	s.words, s.orders = s.words[:0], s.orders[:0]
	s.stamp++
	if s.stamp == 0 { // after 4 billion documents old marks would seem new
		s.langs = map[string]*lang{}
		for i := range s.views {
			s.views[i] = s.language(s.m.stores.list[i].Language)
		}
		s.main = s.language(s.m.stores.Default().Language)
		s.stamp = 1
	}
}

// add adds the words of a text in a class and returns how many it has.
func (s *session) add(l *lang, text []byte, c Class) int {
	s.found = l.Append(s.found[:0], text)
	for _, w := range s.found {
		s.addWord(w, c)
	}
	return len(s.found)
}

// addWord adds a word in a class, or moves it there if that is the heavier,
// with its parts.
func (s *session) addWord(w *analysis.Word, c Class) {
	if c == ClassDescription && w.Stop {
		return
	}
	if w.Mark == s.stamp {
		if p := &s.words[w.At]; c < p.Class {
			p.Class = c
		} else {
			return
		}
	} else {
		w.Mark, w.At = s.stamp, int32(len(s.words))
		s.orders = append(s.orders, w.Order)
		s.words = append(s.words, Word{Token{w.Term, w.Stem}, c})
	}
	s.addParts(w, c)
}

func (s *session) addParts(w *analysis.Word, c Class) {
	for _, p := range w.Parts() {
		s.addWord(p, c)
	}
}

// number adds a SKU: it is found by the whole, however it is divided, and by
// its parts if nothing better is, since they often are what other words are,
// too. The whole is not marked: where a text has it, its parts come with it.
func (s *session) number(l *lang, sku string) {
	s.text = append(s.text[:0], sku...)
	s.found = l.Append(s.found[:0], s.text)
	if len(s.found) != 1 {
		for _, w := range s.found {
			s.addWord(w, ClassDescription)
		}
		return
	}
	w := s.found[0]
	s.orders = append(s.orders, w.Order)
	s.words = append(s.words, Word{Token{w.Term, w.Stem}, ClassSKU})
	s.addParts(w, ClassDescription)
}

// description adds a text that may have markup.
func (s *session) description(l *lang, v catalog.Value) {
	if v.Type() == catalog.ValueObject {
		v = baseOf(v)
	}
	if v.Type() != catalog.ValueString {
		return
	}
	s.text = v[:min(len(v), maxText)].AppendText(s.text[:0])
	s.text = plainText(s.text)
	s.add(l, s.text, ClassDescription)
}

// Words are sorted by numbers: the start of their term, and their place in
// the last bits.
const (
	placeBits = 12
	maxPlaces = 1 << placeBits
)

// finish returns the document's words, each term once in its heaviest class.
func (s *session) finish() []Word {
	if len(s.words) > maxPlaces {
		return s.finishLong()
	}
	s.sorted = s.sorted[:0]
	for i, order := range s.orders {
		s.sorted = append(s.sorted, order&^(maxPlaces-1)|uint64(i))
	}
	slices.Sort(s.sorted)
	out := s.out.words.take(len(s.sorted))
	for i := 0; i < len(s.sorted); {
		k := i + 1
		for k < len(s.sorted) && s.sorted[k]>>placeBits == s.sorted[i]>>placeBits {
			k++
		}
		if k > i+1 {
			slices.SortFunc(s.sorted[i:k], func(a, b uint64) int {
				return compareWords(&s.words[a&(maxPlaces-1)], &s.words[b&(maxPlaces-1)])
			})
		}
		for ; i < k; i++ {
			if w := &s.words[s.sorted[i]&(maxPlaces-1)]; len(out) == 0 || out[len(out)-1].Term != w.Term {
				out = append(out, *w)
			}
		}
	}
	return out
}

// finishLong is finish for more words than there are places.
func (s *session) finishLong() []Word {
	slices.SortFunc(s.words, func(a, b Word) int { return compareWords(&a, &b) })
	out := s.out.words.take(len(s.words))
	for i := range s.words {
		if len(out) == 0 || out[len(out)-1].Term != s.words[i].Term {
			out = append(out, s.words[i])
		}
	}
	return out
}

// compareWords orders words by term, and those of one by class.
func compareWords(a, b *Word) int {
	return cmp.Or(strings.Compare(a.Term, b.Term), cmp.Compare(a.Class, b.Class), strings.Compare(a.Stem, b.Stem))
}

// categories adds the categories of a product, with their ancestors, and the
// words of their names.
func (s *session) categories(d *Document, v catalog.Value, store string, main, own *lang) {
	s.members = s.members[:0]
	for e := range v.Elements() {
		ref, position := e, NoPosition
		if e.Type() == catalog.ValueObject {
			ref, position = nil, NoPosition
			var id catalog.Value
			for key, m := range e.Members() {
				switch string(key) {
				case "path":
					ref = m
				case "id":
					id = m
				case "position":
					if f, ok := number(m); ok && f >= -1<<31 && f < float64(NoPosition) {
						position = int32(f)
					}
				}
			}
			if ref.Type() != catalog.ValueString {
				s.member(s.chainOf(id, true), position)
				continue
			}
		}
		s.member(s.chainOf(ref, false), position)
	}
	if len(s.members) == 0 {
		return
	}
	slices.SortFunc(s.members, func(a, b Membership) int {
		if c := strings.Compare(a.ID, b.ID); c != 0 {
			return c
		}
		if a.Direct != b.Direct {
			if a.Direct {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Position, b.Position)
	})
	n := 0
	for i := range s.members {
		if n == 0 || s.members[i].ID != s.members[n-1].ID {
			s.members[n] = s.members[i]
			n++
		}
	}
	d.Categories = append(s.out.members.take(n), s.members[:n]...)
	skip := s.rootOf(store)
	for _, m := range d.Categories {
		c := s.m.tree.ByID(m.ID)
		if c == nil || skip[c.ID] {
			continue
		}
		l, name := main, c.Name
		if n, ok := c.Names[store]; ok && store != "" {
			l, name = own, n
		}
		for _, w := range s.kindsOf(l, name) {
			s.addWord(w.Word, w.class)
		}
	}
}

// rootOf returns the categories whose names nobody sees, since the store's
// tree starts below them.
func (s *session) rootOf(store string) map[string]bool {
	v := s.m.stores.Find(store)
	if v == nil || len(v.Root) == 0 {
		return nil
	}
	skip := make(map[string]bool, len(v.Root))
	for _, c := range s.m.tree.Chain(v.Root) {
		skip[c.ID] = true
	}
	return skip
}

// member adds the categories of a chain, the last of which the product names.
func (s *session) member(chain []*Category, position int32) {
	for i, c := range chain {
		m := Membership{ID: c.ID, Position: NoPosition}
		if i == len(chain)-1 {
			m.Direct, m.Position = true, position
		}
		s.members = append(s.members, m)
	}
}

// chainOf returns the category that a product names by path or ID, below its
// ancestors.
func (s *session) chainOf(ref catalog.Value, byID bool) []*Category {
	if byID {
		id := string(catalog.KeyText(ref))
		c := s.m.tree.ByID(id)
		switch {
		case c != nil && c.Recorded:
			return s.chainWith(c)
		case id != "":
			return []*Category{{ID: id}} // nothing is known of it but that
		}
		return nil
	}
	if ref.Type() != catalog.ValueString {
		return nil
	}
	if chain, ok := s.chains[string(ref)]; ok {
		return chain
	}
	names := SplitPath(ref.Text())
	chain := s.m.tree.Chain(names[:min(len(names), maxLevels)])
	if len(s.chains) >= maxMemo {
		clear(s.chains)
	}
	s.chains[string(ref)] = chain
	return chain
}

// chainWith returns the chain of a category with a record. Two categories may
// share a path: its own stands last.
func (s *session) chainWith(c *Category) []*Category {
	names := SplitPath(c.Path)
	chain := slices.Clone(s.m.tree.Chain(names[:min(len(names), maxLevels)]))
	if len(chain) > 0 {
		chain[len(chain)-1] = c
	}
	return chain
}
