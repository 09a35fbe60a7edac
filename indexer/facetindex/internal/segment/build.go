package segment

import (
	"math"
	"slices"
	"strings"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/live"
)

// Builder collects documents for a new segment.
type Builder struct {
	skuTab  *interner
	lexTab  *interner // terms and packed stems
	recent  *recent   // nil while there are few documents
	packed  []byte
	keyTab  *interner
	attrTab *interner

	docList []builtDoc
	rowList []builtRow
	words   []uint32 // lexeme<<3 | class
	titles  []byte
	fieldOf []*builtField // by attribute
	storeF  *builtField
	sellerF *builtField
	catF    *builtField
	posList []builtPos

	live *live.Writer // of the rows, in the order they were added

	docsOf  []uint32        // by number of the SKU: its first document+1
	removed map[uint32]bool // documents that were replaced
	views   []string
	memo    []attrMemo
	effect  []*builtField
	ids     []uint32
}

type builtDoc struct {
	sku, view, first uint32
	words, title     uint32 // ends
	name             uint32 // key+1
	nameWords        int32
	created          int64
	flags            uint8
}

type builtRow struct{ sku uint32 }

type builtPos struct {
	doc uint32
	cat uint32 // value
	pos int32
}

// attrMemo is the attribute that stood at a place last time.
type attrMemo struct {
	name string
	f    *builtField
}

// NewBuilder returns an empty Builder.
func NewBuilder() *Builder {
	return &Builder{
		skuTab: newInterner(), lexTab: newInterner(), keyTab: newInterner(), attrTab: newInterner(),
		live: live.NewWriter(), storeF: newBuiltField(), sellerF: newBuiltField(), catF: newBuiltField(),
	}
}

// Reset forgets all documents, and keeps the memory for others.
func (b *Builder) Reset() {
	b.skuTab.reset()
	b.lexTab.reset()
	if b.recent != nil {
		b.recent.reset()
	}
	b.keyTab.reset()
	b.docList, b.rowList, b.words, b.titles, b.posList = b.docList[:0], b.rowList[:0], b.words[:0], b.titles[:0], b.posList[:0]
	b.docsOf, b.removed, b.views = b.docsOf[:0], nil, nil
	b.live = live.NewWriter()
	// Attributes keep their numbers: those that no document has are left out.
	for _, f := range b.fieldOf {
		f.reset()
	}
	b.storeF.reset()
	b.sellerF.reset()
	b.catF.reset()
}

// Docs returns how many documents were added.
func (b *Builder) Docs() int { return len(b.docList) }

// Bytes estimates what the builder holds.
func (b *Builder) Bytes() int {
	n := 40*len(b.docList) + 4*len(b.words) + len(b.titles) + 24*len(b.rowList) + len(b.keyTab.data) + 40*len(b.rowList)
	for _, f := range b.fieldOf {
		n += 8 * (len(f.any.ids) + len(f.own.ids) + len(f.unit.ids))
	}
	return n
}

// Add adds a document. It keeps nothing of d.
func (b *Builder) Add(d *indexer.Document) {
	doc := uint32(len(b.docList))
	first := uint32(len(b.rowList))
	e := builtDoc{sku: b.skuTab.of(d.SKU, ""), view: b.viewOf(d.View), first: first, nameWords: int32(d.NameWords), created: d.Created}
	for int(e.sku) >= len(b.docsOf) {
		b.docsOf = append(b.docsOf, 0)
	}
	if b.docsOf[e.sku] == 0 {
		b.docsOf[e.sku] = doc + 1
	}
	if d.Search {
		e.flags |= FlagSearch
	}
	if d.Browse {
		e.flags |= FlagBrowse
	}
	complicated := len(d.Units) != 1 || len(d.Units[0].Attrs) > 0 || d.Units[0].Stores != nil
	if complicated {
		e.flags |= FlagComplex
	}
	b.addWords(d.Words)
	if len(d.NameKey) > 0 {
		e.name = b.keyTab.of(string(d.NameKey), "") + 1
	}
	if cap(b.titles)-len(b.titles) < len(d.Name) {
		b.titles = slices.Grow(b.titles, max(len(d.Name), len(b.titles)))
	}
	b.titles = append(b.titles, d.Name...)
	e.words, e.title = uint32(len(b.words)), uint32(len(b.titles))

	b.storeF.any.add(doc, b.storeF.strings(b, d.Stores))
	b.categories(doc, d.Categories)
	for i := range d.Units {
		u := &d.Units[i]
		b.rowList = append(roomy(b.rowList), builtRow{b.skuTab.of(u.SKU, "")})
		b.live.Add(&u.Live)
		if u.Stores != nil {
			b.sellerF.unit.add(first+uint32(i), b.sellerF.strings(b, u.Stores))
		}
	}
	b.docList = append(roomy(b.docList), e)
	if complicated {
		b.complexAttrs(d, doc, first)
		return
	}
	for i := range d.Attrs {
		f := b.field(i, d.Attrs[i].Name)
		f.any.add(doc, f.set(b, d.Attrs[i].Values))
	}
}

// addWords adds the words of a document.
func (b *Builder) addWords(words []indexer.Word) {
	if cap(b.words)-len(b.words) < len(words) {
		b.words = slices.Grow(b.words, max(len(words), len(b.words)))
	}
	if b.recent == nil && len(b.docList) > manyDocs {
		b.recent = newRecent()
	}
	for i := range words {
		w := &words[i]
		if b.recent == nil {
			b.words = append(b.words, b.lexeme(w)<<3|uint32(w.Class))
			continue
		}
		r := b.recent.word(w)
		if r.number == 0 || r.term != w.Term || r.stem != w.Stem {
			*r = recentWord{w.Term, w.Stem, b.lexeme(w) + 1}
		}
		b.words = append(b.words, (r.number-1)<<3|uint32(w.Class))
	}
}

// lexeme returns the number of a word.
func (b *Builder) lexeme(w *indexer.Word) uint32 {
	b.packed = packStem(b.packed[:0], w.Term, w.Stem)
	return b.lexTab.of(w.Term, string(b.packed))
}

// Remove removes the documents of a product that were added.
func (b *Builder) Remove(sku string) {
	k := b.skuTab.of(sku, "")
	if int(k) >= len(b.docsOf) || b.docsOf[k] == 0 {
		return
	}
	if b.removed == nil {
		b.removed = map[uint32]bool{}
	}
	for doc := b.docsOf[k] - 1; int(doc) < len(b.docList); doc++ {
		if b.docList[doc].sku == k {
			b.removed[doc] = true
		}
	}
	b.docsOf[k] = 0
}

// dead tells the documents that were replaced; nil: there are none.
func (b *Builder) dead() func(doc uint32) bool {
	if len(b.removed) == 0 {
		return nil
	}
	return func(doc uint32) bool { return b.removed[doc] }
}

// complexAttrs adds the attributes of a document whose units differ.
func (b *Builder) complexAttrs(d *indexer.Document, doc, first uint32) {
	b.effect = b.effect[:0]
	touch := func(f *builtField) {
		if f.seen != doc+1 {
			f.seen, f.effect = doc+1, f.effect[:0]
			f.having, f.product = 0, nil
			b.effect = append(b.effect, f)
		}
	}
	for i := range d.Attrs {
		f := b.field(i, d.Attrs[i].Name)
		f.own.add(doc, f.set(b, d.Attrs[i].Values))
		touch(f)
		f.product = d.Attrs[i].Values
	}
	for i := range d.Units {
		for j := range d.Units[i].Attrs {
			a := &d.Units[i].Attrs[j]
			f := b.field(len(d.Attrs)+j, a.Name)
			code := f.set(b, a.Values)
			f.unit.add(first+uint32(i), code)
			touch(f)
			f.having++
			f.effect = f.append(f.effect, code)
		}
	}
	for _, f := range b.effect {
		if f.having < len(d.Units) && f.product != nil {
			f.effect = f.append(f.effect, f.set(b, f.product))
		}
		f.any.add(doc, f.setOf(f.effect))
	}
}

func (b *Builder) categories(doc uint32, list []indexer.Membership) {
	b.ids = b.ids[:0]
	for i := range list {
		m := &list[i]
		typ := indexer.ValueType(0)
		if m.Direct {
			typ = 1
		}
		id := b.catF.value(m.ID, typ, 0)
		b.ids = append(b.ids, id)
		if m.Position != indexer.NoPosition {
			b.posList = append(b.posList, builtPos{doc: doc, cat: id, pos: m.Position})
		}
	}
	if len(list) > 0 {
		b.catF.any.add(doc, b.catF.setOf(b.ids))
	}
}

// field returns the attribute of a name that is expected at place i.
func (b *Builder) field(i int, name string) *builtField {
	for i >= len(b.memo) {
		b.memo = append(b.memo, attrMemo{})
	}
	if m := &b.memo[i]; m.f != nil && m.name == name {
		return m.f
	}
	k := b.attrTab.of(name, "")
	if int(k) == len(b.fieldOf) {
		f := newBuiltField()
		f.name = string(b.attrTab.at(k))
		b.fieldOf = append(b.fieldOf, f)
	}
	f := b.fieldOf[k]
	b.memo[i] = attrMemo{f.name, f}
	return f
}

func (b *Builder) viewOf(view string) uint32 {
	i := slices.Index(b.views, view)
	if i < 0 {
		i = len(b.views)
		b.views = append(b.views, strings.Clone(view))
	}
	return uint32(i)
}

// builtField is a field that is being collected. A code is here a value's
// number doubled, or a set's doubled and one more.
type builtField struct {
	name   string
	tab    *interner
	refs   []valueRef // by number
	same   map[uint32][]uint32
	sets   [][]uint32
	setTab map[string]uint32

	any, own, unit pairs

	seen    uint32 // document+1 that effect is of
	effect  []uint32
	having  int
	product []indexer.Value
	key     []byte
}

type pairs struct{ ids, codes []uint32 }

func (p *pairs) add(id, code uint32) {
	p.ids, p.codes = append(roomy(p.ids), id), append(roomy(p.codes), code)
}

func (p *pairs) reset() { p.ids, p.codes = p.ids[:0], p.codes[:0] }

func newBuiltField() *builtField { return &builtField{tab: newInterner()} }

// reset forgets all values, and keeps the memory for others.
func (f *builtField) reset() {
	f.tab.reset()
	f.refs, f.same, f.sets, f.setTab = f.refs[:0], nil, f.sets[:0], nil
	f.any.reset()
	f.own.reset()
	f.unit.reset()
	f.seen = 0
}

// value returns the number of a value.
func (f *builtField) value(text string, typ indexer.ValueType, num float64) uint32 {
	t := f.tab.of(text, "")
	bits := math.Float64bits(num)
	matches := func(r *valueRef) bool { return r.typ == typ && r.num == bits }
	if int(t) == len(f.refs) && f.same == nil {
		f.refs = append(f.refs, valueRef{t, typ, bits})
		return t
	}
	// Numbers of texts and values agree until a text has a second value.
	if f.same == nil {
		if matches(&f.refs[t]) {
			return t
		}
		f.same = map[uint32][]uint32{}
		for i := range f.refs {
			f.same[uint32(i)] = []uint32{uint32(i)}
		}
	}
	for _, v := range f.same[t] {
		if matches(&f.refs[v]) {
			return v
		}
	}
	v := uint32(len(f.refs))
	f.refs = append(f.refs, valueRef{t, typ, bits})
	f.same[t] = append(f.same[t], v)
	return v
}

// set returns the code of an attribute's values.
func (f *builtField) set(b *Builder, vals []indexer.Value) uint32 {
	if len(vals) == 1 {
		v := &vals[0]
		return b.value(f, v) << 1
	}
	b.ids = b.ids[:0]
	for i := range vals {
		v := &vals[i]
		b.ids = append(b.ids, b.value(f, v))
	}
	return f.setOf(b.ids)
}

// value returns the number of a field's value.
func (b *Builder) value(f *builtField, v *indexer.Value) uint32 {
	if b.recent == nil {
		return f.value(v.Text, v.Type, v.Num)
	}
	r, num := b.recent.value(v.Text), math.Float64bits(v.Num)
	if r.field != f || r.text != v.Text || r.typ != v.Type || r.num != num {
		*r = recentValue{f, v.Text, num, v.Type, f.value(v.Text, v.Type, v.Num)}
	}
	return r.number
}

// strings returns the code of a set of texts.
func (f *builtField) strings(b *Builder, list []string) uint32 {
	b.ids = b.ids[:0]
	for _, s := range list {
		b.ids = append(b.ids, f.value(s, 0, 0))
	}
	return f.setOf(b.ids)
}

// setOf returns the code of a set of values, which it sorts.
func (f *builtField) setOf(ids []uint32) uint32 {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 1 {
		return ids[0] << 1
	}
	f.key = f.key[:0]
	for _, id := range ids {
		f.key = append(f.key, byte(id), byte(id>>8), byte(id>>16), byte(id>>24))
	}
	if k, ok := f.setTab[string(f.key)]; ok {
		return k<<1 | 1
	}
	if f.setTab == nil {
		f.setTab = map[string]uint32{}
	}
	k := uint32(len(f.sets))
	f.sets = append(f.sets, slices.Clone(ids))
	f.setTab[string(f.key)] = k
	return k<<1 | 1
}

// append appends the values of a code.
func (f *builtField) append(dst []uint32, code uint32) []uint32 {
	if code&1 == 0 {
		return append(dst, code>>1)
	}
	return append(dst, f.sets[code>>1]...)
}
