package segment

import (
	"slices"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
)

// writeFields writes attributes, stores and categories.
func (p *plan) writeFields(s *sections) {
	p.writeAttrs(s)

	pick := func(of func(source) field) *mergedField {
		list := make([]field, len(p.srcs))
		for i, src := range p.srcs {
			list[i] = of(src)
		}
		if f := p.mergeField(list); f != nil {
			return f
		}
		return &mergedField{docs: p.docs}
	}
	flags := make([]uint8, p.docs)
	for d, at := range p.order {
		flags[d] = p.srcs[at.src].flags(at.doc)
	}
	f := pick(source.stores)
	out := f.appendTo(nil, p.rows)
	for _, need := range [...]uint8{0, FlagSearch, FlagBrowse, FlagSearch | FlagBrowse} {
		out = p.appendLists(out, f, func(doc uint32, _ *valueRef) bool { return need == 0 || flags[doc]&need != 0 })
	}
	s.write("stores", out)
	s.write("sellers", pick(source.sellers).appendTo(nil, p.rows))

	f = pick(source.cats)
	out = f.appendTo(nil, p.rows)
	out = p.appendLists(out, f, func(uint32, *valueRef) bool { return true })
	s.write("cats", append(out, p.positions(f)...))
}

// appendLists appends for each text the documents that have a value of it that
// counts; none in a segment that is only merged.
func (p *plan) appendLists(dst []byte, f *mergedField, counts func(doc uint32, ref *valueRef) bool) []byte {
	if p.brief {
		return appendPostings(dst, make([][]uint32, f.texts.Len()))
	}
	return appendPostings(dst, f.postings(counts))
}

// positions writes for each category the documents that have a position.
func (p *plan) positions(f *mergedField) []byte {
	type entry struct {
		doc uint32
		pos int32
	}
	place := map[string]uint32{}
	for i := range f.nameEnd {
		place[string(f.name(i))] = uint32(i)
	}
	lists := make([][]entry, len(f.nameEnd))
	for i, src := range p.srcs {
		// A category's number at the source, by way of its text.
		var newOf []uint32
		for k := src.cats().texts(); k.Valid(); k.Next() {
			for k.Index() >= len(newOf) {
				newOf = append(newOf, none)
			}
			if n, ok := place[string(k.Key())]; ok {
				newOf[k.Index()] = n
			}
		}
		src.positions(func(cat, doc uint32, pos int32) {
			if d := p.docOf[i][doc]; d != none {
				lists[newOf[cat]] = append(lists[newOf[cat]], entry{d, pos})
			}
		})
	}
	var ends, docs []uint32
	var pos []int32
	for _, l := range lists {
		slices.SortFunc(l, func(a, b entry) int { return int(a.doc) - int(b.doc) })
		for _, e := range l {
			docs, pos = append(docs, e.doc), append(pos, e.pos)
		}
		ends = append(ends, uint32(len(docs)))
	}
	out := codec.AppendPacked(nil, ends)
	out = codec.AppendInts(out, docs)
	return codec.AppendInts(out, pos)
}

// writeAttrs writes a field for each attribute, which attributes each document
// has, and the words of their values.
func (p *plan) writeAttrs(s *sections) {
	lists := make([]keys, len(p.srcs))
	srcs := make([]fields, len(p.srcs))
	for i, src := range p.srcs {
		srcs[i] = src.attrs()
		lists[i] = srcs[i]
	}
	var names codec.DictWriter
	var ends []int64
	var total int64
	tree := newSchemaTree(p.docs)
	var words valueWords
	var buf []byte
	s.begin("attrs")
	for m := newMerger(lists); m.next(); {
		list := make([]field, len(p.srcs))
		for _, h := range m.from {
			list[h.src] = srcs[h.src].field()
		}
		f := p.mergeField(list)
		if f == nil {
			continue
		}
		attr := uint32(names.Len())
		names.Add(m.key)
		tree.add(attr, f.cols[colAny].ids)
		for t, ok := range f.isText {
			if !ok || p.brief {
				continue
			}
			words.add(attr, uint32(t), f.name(t))
		}
		buf = f.appendTo(buf[:0], p.rows)
		buf = p.appendLists(buf, f, func(_ uint32, r *valueRef) bool { return r.typ == indexer.Text })
		s.put(buf)
		total += int64(len(buf))
		ends = append(ends, total)
	}
	s.end()
	s.write("attrnames", codec.AppendInts(names.AppendTo(nil), ends))
	s.write("schema", tree.appendTo(nil))
	s.begin("valwords")
	words.writeTo(s)
	s.end()
}

// schemaTree says which attributes each document has: the names on the way
// from its node up to the root. Documents that have the same ones share their
// node, so that a catalog of families of products has few.
type schemaTree struct {
	node   []uint32 // by document; 0: the root
	parent []uint32
	attr   []uint32
	stamp  []uint32 // by node: attribute+1 that child is of
	child  []uint32
}

func newSchemaTree(docs int) *schemaTree {
	return &schemaTree{node: make([]uint32, docs), parent: []uint32{0}, attr: []uint32{0}, stamp: []uint32{0}, child: []uint32{0}}
}

// add says that documents have an attribute. Attributes come in order.
func (t *schemaTree) add(attr uint32, docs []uint32) {
	for _, d := range docs {
		n := t.node[d]
		if t.stamp[n] != attr+1 {
			t.stamp[n], t.child[n] = attr+1, uint32(len(t.parent))
			t.parent, t.attr = append(t.parent, n), append(t.attr, attr)
			t.stamp, t.child = append(t.stamp, 0), append(t.child, 0)
		}
		t.node[d] = t.child[n]
	}
}

func (t *schemaTree) appendTo(dst []byte) []byte {
	dst = codec.AppendInts(dst, t.node)
	dst = codec.AppendInts(dst, t.parent)
	return codec.AppendInts(dst, t.attr)
}
