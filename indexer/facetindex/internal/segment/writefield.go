package segment

import (
	"encoding/binary"
	"math"
	"slices"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
)

// mergedField is a field of the new segment.
type mergedField struct {
	texts   codec.DictWriter
	names   []byte   // the texts, one behind the other
	nameEnd []uint32 // where each ends
	refs    []valueRef
	sets    [][]uint32
	setTab  map[string]uint32
	cols    [numCols]pairs // in order
	isText  []bool         // by text: some value of it is of type Text
	docs    int
	scratch []byte
}

// mergeField puts together a field of several sources; nil where one has it
// not. A nil result means that no document that stays has it.
func (p *plan) mergeField(srcs []field) *mergedField {
	f := &mergedField{docs: p.docs, setTab: map[string]uint32{}}
	cols := make([][numCols]pairs, len(srcs))
	codes := make([][]uint32, len(srcs)) // new codes by old ones; 0: unknown
	found := false
	for i, src := range srcs {
		if src == nil {
			continue
		}
		for c := range numCols {
			newOf := p.docOf[i]
			if c == colUnit {
				newOf = p.rowOf[i]
			}
			col := &cols[i][c]
			src.column(c)(func(id, code uint32) {
				if n := newOf[id]; n != none {
					col.add(n, code)
					for int(code) >= len(codes[i]) {
						codes[i] = append(codes[i], 0)
					}
					codes[i][code] = none
				}
			})
			found = found || len(col.ids) > 0
		}
	}
	if !found {
		return nil
	}
	f.mergeValues(srcs, codes)
	for c := range numCols {
		n := p.docs
		if c == colUnit {
			n = p.rows
		}
		f.cols[c] = joinPairs(cols, c, codes, n)
	}
	return f
}

// mergeValues gives new codes to all that are in use.
func (f *mergedField) mergeValues(srcs []field, codes [][]uint32) {
	type entry struct {
		ref valueRef
		src int
		old uint32
	}
	var list []entry
	var ids []uint32
	lists := make([]keys, len(srcs))
	values := make([][]uint32, len(srcs)) // new by old
	used := make([][]bool, len(srcs))     // texts
	for i, src := range srcs {
		if src == nil {
			continue
		}
		lists[i] = src.texts()
		values[i] = make([]uint32, src.numValues())
		in := make([]bool, src.numValues())
		some := 0
		for code, state := range codes[i] {
			if state == none {
				ids = src.members(ids[:0], uint32(code))
				for _, v := range ids {
					if !in[v] {
						in[v] = true
						some++
					}
				}
			}
		}
		list = slices.Grow(list, some)
		for v, ok := range in {
			if ok {
				ref := src.value(v)
				used[i] = mark(used[i], ref.text)
				list = append(list, entry{ref, i, uint32(v)})
			}
		}
	}
	texts := make([][]uint32, len(srcs))
	for i := range texts {
		texts[i] = make([]uint32, len(used[i]))
	}
	for m := newMerger(lists); m.next(); {
		kept := false
		for _, h := range m.from {
			if h.index < len(used[h.src]) && used[h.src][h.index] {
				texts[h.src][h.index] = uint32(f.texts.Len())
				kept = true
			}
		}
		if kept {
			f.texts.Add(m.key)
			f.names = append(f.names, m.key...)
			f.nameEnd = append(f.nameEnd, uint32(len(f.names)))
		}
	}
	for i := range list {
		list[i].ref.text = texts[list[i].src][list[i].ref.text]
	}
	slices.SortFunc(list, func(a, b entry) int { return compareValues(a.ref.text, b.ref.text, &a.ref, &b.ref) })
	f.isText = make([]bool, f.texts.Len())
	for i := range list {
		e := &list[i]
		if n := len(f.refs); n == 0 || f.refs[n-1] != e.ref {
			f.refs = append(f.refs, e.ref)
		}
		values[e.src][e.old] = uint32(len(f.refs) - 1)
		if e.ref.typ == indexer.Text {
			f.isText[e.ref.text] = true
		}
	}
	for i, src := range srcs {
		for code, state := range codes[i] {
			if state != none {
				continue
			}
			ids = src.members(ids[:0], uint32(code))
			for j, v := range ids {
				ids[j] = values[i][v]
			}
			codes[i][code] = f.code(ids)
		}
	}
}

// code returns the code of a set of values.
func (f *mergedField) code(ids []uint32) uint32 {
	if len(ids) == 1 {
		return ids[0] + 1
	}
	slices.Sort(ids)
	f.scratch = f.scratch[:0]
	for _, id := range ids {
		f.scratch = binary.LittleEndian.AppendUint32(f.scratch, id)
	}
	k, ok := f.setTab[string(f.scratch)]
	if !ok {
		k = uint32(len(f.sets))
		f.sets = append(f.sets, slices.Clone(ids))
		f.setTab[string(f.scratch)] = k
	}
	return uint32(len(f.refs)) + 1 + k
}

// name returns a text by its number.
func (f *mergedField) name(i int) []byte {
	if i == 0 {
		return f.names[:f.nameEnd[0]]
	}
	return f.names[f.nameEnd[i-1]:f.nameEnd[i]]
}

// members returns the values of a code.
func (f *mergedField) members(code uint32, single *[1]uint32) []uint32 {
	if int(code) <= len(f.refs) {
		single[0] = code - 1
		return single[:]
	}
	return f.sets[int(code)-len(f.refs)-1]
}

// joinPairs puts a column of all sources in order.
func joinPairs(cols [][numCols]pairs, c int, codes [][]uint32, n int) pairs {
	total, from := 0, 0
	for i := range cols {
		if k := len(cols[i][c].ids); k > 0 {
			total += k
			from = i
		}
	}
	one := &cols[from][c]
	if len(one.ids) == total && slices.IsSorted(one.ids) {
		for i, code := range one.codes {
			one.codes[i] = codes[from][code]
		}
		return *one
	}
	out := pairs{make([]uint32, 0, total), make([]uint32, 0, total)}
	if total > n/16 { // by place
		all := make([]uint32, n)
		for i := range cols {
			for j, id := range cols[i][c].ids {
				all[id] = codes[i][cols[i][c].codes[j]]
			}
		}
		for id, code := range all {
			if code != 0 {
				out.add(uint32(id), code)
			}
		}
		return out
	}
	both := make([]uint64, 0, total)
	for i := range cols {
		for j, id := range cols[i][c].ids {
			both = append(both, uint64(id)<<32|uint64(codes[i][cols[i][c].codes[j]]))
		}
	}
	slices.Sort(both)
	for _, b := range both {
		out.add(uint32(b>>32), uint32(b))
	}
	return out
}

// postings returns for each text the documents of which some unit has a value
// of it that counts.
func (f *mergedField) postings(counts func(doc uint32, ref *valueRef) bool) [][]uint32 {
	sizes := make([]uint32, f.texts.Len()+1)
	lists := make([][]uint32, f.texts.Len())
	each := func(do func(doc, text uint32)) {
		var single [1]uint32
		for i, doc := range f.cols[colAny].ids {
			last := none
			for _, v := range f.members(f.cols[colAny].codes[i], &single) {
				if ref := &f.refs[v]; ref.text != last && counts(doc, ref) {
					last = ref.text
					do(doc, last)
				}
			}
		}
	}
	total := uint32(0)
	each(func(_, text uint32) { sizes[text]++; total++ })
	all := make([]uint32, total)
	at := uint32(0)
	for t := range lists {
		lists[t] = all[at : at : at+sizes[t]]
		at += sizes[t]
	}
	each(func(doc, text uint32) { lists[text] = append(lists[text], doc) })
	return lists
}

// appendPostings appends lists and where each ends.
func appendPostings(dst []byte, lists [][]uint32) []byte {
	var data []byte
	ends := make([]uint32, len(lists))
	for i, l := range lists {
		if len(l) > 0 {
			data = codec.AppendPostings(data, l)
		}
		ends[i] = uint32(len(data))
	}
	return codec.AppendBlock(codec.AppendPacked(dst, ends), data)
}

// isWhole reports whether a number is an integer that both kinds can hold.
func isWhole(n float64) bool {
	return math.Abs(n) <= 1<<53 && n == math.Trunc(n) && (n != 0 || !math.Signbit(n))
}

// appendTo appends the field as readField reads it.
func (f *mergedField) appendTo(dst []byte, rows int) []byte {
	dst = f.texts.AppendTo(dst)
	plain, numbers, whole := true, false, true
	types := make([]uint8, len(f.refs))
	for i := range f.refs {
		r := &f.refs[i]
		plain = plain && int(r.text) == i
		numbers = numbers || r.num != 0
		whole = whole && isWhole(math.Float64frombits(r.num))
		types[i] = uint8(r.typ)
	}
	flags := byte(0)
	for i, set := range []bool{!plain || len(f.refs) != f.texts.Len(), numbers && !whole, numbers && whole} {
		if set {
			flags |= 1 << i
		}
	}
	dst = append(dst, flags)
	dst = codec.AppendInts(dst, types)
	if flags&1 != 0 {
		texts := make([]uint32, len(f.refs))
		for i := range f.refs {
			texts[i] = f.refs[i].text
		}
		dst = codec.AppendPacked(dst, texts)
	}
	switch {
	case numbers && whole:
		nums := make([]int64, len(f.refs))
		for i := range f.refs {
			nums[i] = int64(math.Float64frombits(f.refs[i].num))
		}
		dst = codec.AppendPacked(dst, nums)
	case numbers:
		for i := range f.refs {
			dst = binary.LittleEndian.AppendUint64(dst, f.refs[i].num)
		}
	}
	var ends, members []uint32
	for _, s := range f.sets {
		members = append(members, s...)
		ends = append(ends, uint32(len(members)))
	}
	dst = codec.AppendPacked(dst, ends)
	dst = codec.AppendInts(dst, members)
	for c := range numCols {
		n := f.docs
		if c == colUnit {
			n = rows
		}
		dst = codec.AppendColumn(dst, n, f.cols[c].ids, f.cols[c].codes)
	}
	return dst
}
