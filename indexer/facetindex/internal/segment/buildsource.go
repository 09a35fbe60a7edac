package segment

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"catalog/indexer"
)

// built is a Builder as a source.
type built struct{ *Builder }

// sortedKeys walks through an interner in order.
type sortedKeys struct {
	tab   *interner
	order []uint32
	i     int
}

func sorted(tab *interner) *sortedKeys {
	return &sortedKeys{tab: tab, order: inOrder(tab.len(),
		func(i uint32) uint64 { return head(tab.at(i)) },
		func(a, b uint32) int { return bytes.Compare(tab.at(a), tab.at(b)) })}
}

// inOrder returns the numbers of strings in order. Most are told apart by their
// first eight bytes, without looking for the rest.
func inOrder(n int, head func(i uint32) uint64, compare func(a, b uint32) int) []uint32 {
	type entry struct {
		head uint64
		k    uint32
	}
	list := make([]entry, n)
	for i := range list {
		list[i] = entry{head(uint32(i)), uint32(i)}
	}
	slices.SortFunc(list, func(a, b entry) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		return compare(a.k, b.k)
	})
	order := make([]uint32, len(list))
	for i := range list {
		order[i] = list[i].k
	}
	return order
}

// head returns the first bytes of a string as a number that orders as they do.
func head(s []byte) uint64 {
	if len(s) >= 8 {
		return binary.BigEndian.Uint64(s)
	}
	var a [8]byte
	copy(a[:], s)
	return binary.BigEndian.Uint64(a[:])
}

func (s *sortedKeys) Valid() bool { return s.i < len(s.order) }
func (s *sortedKeys) Key() []byte { return s.tab.at(s.order[s.i]) }
func (s *sortedKeys) Index() int  { return int(s.order[s.i]) }
func (s *sortedKeys) Next()       { s.i++ }

func (b *built) docs() int { return len(b.docList) }
func (b *built) rows() int { return len(b.rowList) }
func (b *built) first(doc uint32) uint32 {
	if int(doc) == len(b.docList) {
		return uint32(len(b.rowList))
	}
	return b.docList[doc].first
}
func (b *built) skus() keys                 { return sorted(b.skuTab) }
func (b *built) docSKU(doc uint32) uint32   { return b.docList[doc].sku }
func (b *built) rowSKU(row uint32) uint32   { return b.rowList[row].sku }
func (b *built) view(doc uint32) string     { return b.views[b.docList[doc].view] }
func (b *built) flags(doc uint32) uint8     { return b.docList[doc].flags }
func (b *built) created(doc uint32) int64   { return b.docList[doc].created }
func (b *built) nameKeys() keys             { return sorted(b.keyTab) }
func (b *built) nameKey(doc uint32) uint32  { return b.docList[doc].name }
func (b *built) nameWords(doc uint32) int64 { return int64(b.docList[doc].nameWords) }
func (b *built) title(doc uint32, buf []byte) []byte {
	from := uint32(0)
	if doc > 0 {
		from = b.docList[doc-1].title
	}
	return append(buf[:0], b.titles[from:b.docList[doc].title]...)
}
func (b *built) stores() field  { return newBuiltSource(b.storeF) }
func (b *built) sellers() field { return newBuiltSource(b.sellerF) }
func (b *built) cats() field    { return newBuiltSource(b.catF) }

func (b *built) positions(f func(cat, doc uint32, pos int32)) {
	for _, p := range b.posList {
		f(b.catF.refs[p.cat].text, p.doc, p.pos)
	}
}

// invert groups the words of the documents that stay by lexeme: as the new
// document<<3 | class, in order.
func (b *Builder) invert(p *plan, src int) [][]uint32 {
	counts := make([]uint32, b.lexTab.len()+1)
	for _, w := range b.words {
		counts[w>>3]++
	}
	all := make([]uint32, len(b.words))
	lists := make([][]uint32, b.lexTab.len())
	at := uint32(0)
	for i := range lists {
		lists[i] = all[at : at : at+counts[i]]
		at += counts[i]
	}
	for d, from := range p.order {
		if int(from.src) != src {
			continue
		}
		start := uint32(0)
		if from.doc > 0 {
			start = b.docList[from.doc-1].words
		}
		for _, w := range b.words[start:b.docList[from.doc].words] {
			lists[w>>3] = append(lists[w>>3], uint32(d)<<3|w&7)
		}
	}
	return lists
}

type builtLexemes struct {
	tab   *interner
	words [][]uint32 // by lexeme: new document<<3 | class
	order []uint32
	i     int
	key   []byte
}

func (b *built) lexemes(p *plan, src int) lexemes {
	var key []byte
	order := inOrder(b.lexTab.len(), func(i uint32) uint64 {
		t, s := b.lexTab.pair(i)
		if len(t) < 8 {
			key = lexemeKey(key[:0], t, s)
			t = key
		}
		return head(t)
	}, func(x, y uint32) int {
		tx, sx := b.lexTab.pair(x)
		ty, sy := b.lexTab.pair(y)
		return compareLexemes(tx, sx, ty, sy)
	})
	return &builtLexemes{tab: b.lexTab, words: b.invert(p, src), order: order}
}

// compareLexemes orders as lexemeKey does.
func compareLexemes(termA, stemA, termB, stemB []byte) int {
	n := min(len(termA), len(termB))
	if c := bytes.Compare(termA[:n], termB[:n]); c != 0 || len(termA) == len(termB) {
		return cmp.Or(c, bytes.Compare(stemA, stemB))
	}
	return bytes.Compare(lexemeKey(nil, termA, stemA), lexemeKey(nil, termB, stemB))
}

func (l *builtLexemes) Valid() bool { return l.i < len(l.order) }
func (l *builtLexemes) Index() int  { return int(l.order[l.i]) }
func (l *builtLexemes) Next()       { l.i++ }
func (l *builtLexemes) Key() []byte {
	t, s := l.tab.pair(l.order[l.i])
	l.key = lexemeKey(l.key[:0], t, s)
	return l.key
}

func (l *builtLexemes) termLen() int {
	s := &l.tab.spans[l.order[l.i]]
	return int(s.cut - s.from)
}

func (l *builtLexemes) lists(dst *[indexer.NumClasses][]uint32) {
	for _, w := range l.words[l.order[l.i]] {
		dst[w&7] = append(dst[w&7], w>>3)
	}
}

type builtFields struct {
	*sortedKeys
	b *built
}

func (b *built) attrs() fields      { return &builtFields{sorted(b.attrTab), b} }
func (f *builtFields) field() field { return newBuiltSource(f.b.fieldOf[f.Index()]) }

// builtSource is a field of a Builder with its values in order.
type builtSource struct {
	f     *builtField
	keys  *sortedKeys
	order []uint32 // values in order
	place []uint32 // of each value in that order
}

func newBuiltSource(f *builtField) *builtSource {
	s := &builtSource{f: f, keys: sorted(f.tab), order: make([]uint32, len(f.refs)), place: make([]uint32, len(f.refs))}
	rank := make([]uint32, f.tab.len())
	for i, t := range s.keys.order {
		rank[t] = uint32(i)
	}
	for i := range s.order {
		s.order[i] = uint32(i)
	}
	slices.SortFunc(s.order, func(x, y uint32) int {
		return compareValues(rank[f.refs[x].text], rank[f.refs[y].text], &f.refs[x], &f.refs[y])
	})
	for i, v := range s.order {
		s.place[v] = uint32(i)
	}
	return s
}

// compareValues orders values whose texts have the given places.
func compareValues(textA, textB uint32, a, b *valueRef) int {
	return cmp.Or(cmp.Compare(textA, textB), cmp.Compare(a.typ, b.typ), cmp.Compare(a.num, b.num))
}

func (s *builtSource) texts() keys          { return s.keys }
func (s *builtSource) numValues() int       { return len(s.order) }
func (s *builtSource) value(i int) valueRef { return s.f.refs[s.order[i]] }

// Codes that leave the builder: 0 none, 1 … n values in order, above it sets.
func (s *builtSource) code(c uint32) uint32 {
	if c&1 == 0 {
		return s.place[c>>1] + 1
	}
	return uint32(len(s.order)) + 1 + c>>1
}

func (s *builtSource) members(dst []uint32, code uint32) []uint32 {
	if int(code) <= len(s.order) {
		return append(dst, code-1)
	}
	for _, v := range s.f.sets[int(code)-len(s.order)-1] {
		dst = append(dst, s.place[v])
	}
	return dst
}

func (s *builtSource) column(which int) func(f func(id, code uint32)) {
	p := [numCols]*pairs{&s.f.any, &s.f.own, &s.f.unit}[which]
	return func(f func(id, code uint32)) {
		for i, id := range p.ids {
			f(id, s.code(p.codes[i]))
		}
	}
}
