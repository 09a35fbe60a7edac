package exec

import (
	"cmp"
	"context"
	"slices"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
	"catalog/indexer/facetindex/internal/segment"
)

const flagComplex = segment.FlagComplex

// text takes from a bitmap of a chunk the documents that the words do not hit,
// and leaves the scores of the others in f.acc. It reports whether any are
// left.
func (f *finder) text(s *seg, chunk int, docs []uint64) bool {
	if f.acc == nil {
		f.acc = make([]uint32, codec.ChunkSize)
	}
	some := f.q.relaxed == indexer.RelaxedAny
	order := make([]int, len(s.words))
	for i := range order {
		order[i] = i
		if len(s.words[i].alts) == 0 && !some {
			return false
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(s.words[a].size, s.words[b].size) })
	var vals [][]uint8
	defer f.emptyBuffers()
	any := f.found[:len(docs)]
	clear(any)
	for _, i := range order {
		v, in := f.word(&s.words[i], chunk, s.size(chunk), docs)
		switch {
		case v == nil && some:
			continue
		case v == nil:
			return false
		case some:
			for j := range any {
				any[j] |= in[j]
			}
		default:
			left := uint64(0)
			for j := range docs {
				docs[j] &= in[j]
				left |= docs[j]
			}
			if left == 0 {
				return false
			}
		}
		vals = append(vals, v)
	}
	if some {
		for j := range docs {
			docs[j] &= any[j]
		}
	}
	f.sum(docs, vals)
	return len(vals) > 0
}

// sum adds up what the words count in the documents that are hit.
func (f *finder) sum(docs []uint64, vals [][]uint8) {
	switch len(vals) {
	case 1:
		v := vals[0]
		for j, w := range docs {
			for ; w != 0; w &= w - 1 {
				d := j<<6 | trailing(w)
				f.acc[d] = uint32(v[d])
			}
		}
	default:
		for j, w := range docs {
			for ; w != 0; w &= w - 1 {
				d := j<<6 | trailing(w)
				n := uint32(0)
				for _, v := range vals {
					n += uint32(v[d])
				}
				f.acc[d] = n
			}
		}
	}
}

// matched is a pair of buffers: what a word counts in each document of a
// chunk, and in which it counts anything. Both are empty when they are not in
// use.
type matched struct {
	vals []uint8
	in   []uint64
}

// empty empties the buffers. What is not in in is not in vals.
func (m *matched) empty() {
	for j, w := range m.in {
		if w != 0 {
			clear(m.vals[j<<6 : j<<6+64])
			m.in[j] = 0
		}
	}
}

// buffer returns a pair of empty buffers; f.used counts those in use.
func (f *finder) buffer() *matched {
	if f.used == len(f.vals) {
		f.vals = append(f.vals, &matched{make([]uint8, codec.ChunkSize), make([]uint64, codec.ChunkSize/64)})
	}
	m := f.vals[f.used]
	f.used++
	return m
}

// giveBack empties the buffers that were taken since there were used of them.
func (f *finder) giveBack(used int) {
	for f.used > used {
		f.used--
		f.vals[f.used].empty()
	}
}

func (f *finder) emptyBuffers() { f.giveBack(0) }

// word returns what a word counts in each document of a chunk, and in which
// anything; nil: in none. Only what it says of docs matters.
func (f *finder) word(w *wordMatch, chunk, size int, docs []uint64) ([]uint8, []uint64) {
	var out *matched
	for i := range w.alts {
		a := &w.alts[i]
		before := f.used
		m := f.phrase(a, chunk, docs)
		if m == nil {
			f.giveBack(before)
			continue
		}
		if a.synonym {
			m.each(docs, func(d int) { m.vals[d] = uint8(indexer.SynonymScore(int(m.vals[d]))) })
		}
		if out == nil {
			out = m // the first buffer that was taken
			f.giveBack(before + 1)
			continue
		}
		m.each(docs, func(d int) { out.vals[d] = max(out.vals[d], m.vals[d]) })
		for j := range docs {
			out.in[j] |= m.in[j] & docs[j]
		}
		f.giveBack(before)
	}
	if out == nil {
		return nil, nil
	}
	return out.vals[:size], out.in[:codec.Words(size)]
}

// each calls f for the documents of both m and docs.
func (m *matched) each(docs []uint64, f func(d int)) {
	for j, w := range docs {
		for w &= m.in[j]; w != 0; w &= w - 1 {
			f(j<<6 | trailing(w))
		}
	}
}

// phrase returns what a phrase counts: what its worst word does. What it says
// is right for docs alone.
func (f *finder) phrase(a *altMatch, chunk int, docs []uint64) *matched {
	out := f.token(&a.tokens[0], chunk, docs)
	for i := 1; i < len(a.tokens) && out != nil; i++ {
		m := f.token(&a.tokens[i], chunk, docs)
		if m == nil {
			return nil
		}
		for j, w := range out.in[:len(docs)] {
			if w == 0 {
				continue
			}
			both := w & m.in[j] & docs[j]
			for w &^= both; w != 0; w &= w - 1 {
				out.vals[j<<6|trailing(w)] = 0
			}
			out.in[j] = both
		}
		out.each(docs, func(d int) { out.vals[d] = min(out.vals[d], m.vals[d]) })
		f.giveBack(f.used - 1)
	}
	return out
}

// manyTimes is how many times more documents a list must have than are asked
// for to be looked up in, and not read.
const manyTimes = 16

// token returns what a token counts; nil: it is in no document of the chunk.
// What it says is right for docs alone.
func (f *finder) token(t *tokenMatch, chunk int, docs []uint64) *matched {
	var m *matched
	few := -1 // how many docs are asked for; -1: not known yet
	for i := range t.long {
		x := &t.long[i]
		if x.Val < f.q.least {
			continue
		}
		set := x.Chunk(chunk)
		if set.Len() == 0 {
			continue
		}
		if m == nil {
			m = f.buffer()
		}
		if few < 0 && set.Len() >= manyTimes {
			few = codec.OnesCount(docs)
			f.few = f.few[:0]
			if few*manyTimes <= codec.ChunkSize {
				f.few = codec.AppendBits(f.few, docs)
			}
		}
		if few >= 0 && few*manyTimes <= set.Len() {
			for _, d := range f.few {
				if set.Contains(uint32(d)) {
					m.vals[d] = x.Val
					codec.Put(m.in, uint32(d))
				}
			}
			continue
		}
		set.Fill(m.vals[:len(docs)<<6], x.Val)
		set.OrInto(m.in[:len(docs)])
	}
	short, vals := t.chunk(chunk)
	if len(short) > 0 && m == nil {
		m = f.buffer()
	}
	for i, d := range short {
		if vals[i] >= f.q.least {
			d &= codec.ChunkMask
			m.vals[d] = max(m.vals[d], vals[i])
			codec.Put(m.in, d)
		}
	}
	return m
}

// findUnknown finds out which words nobody has without typos: no document that
// the store's search sees.
func (q *query) findUnknown(ctx context.Context) error {
	q.unknown = make([]bool, len(q.Words))
	f := newFinder(q, 0, false)
	defer f.release()
	for i := range q.Words {
		known := false
		for _, s := range q.segs {
			if err := ctx.Err(); err != nil {
				return err
			}
			m, err := q.matchWord(s.Seg, &q.Words[i], false)
			if err != nil {
				return err
			}
			if s.known == nil {
				s.known = make([]*wordMatch, len(q.Words))
			}
			s.known[i] = &m
			if known = f.occurs(s, &m); known {
				break
			}
		}
		q.unknown[i] = !known
	}
	return nil
}

// occurs reports whether a visible document has a word.
func (f *finder) occurs(s *seg, m *wordMatch) bool {
	if len(m.alts) == 0 {
		return false
	}
	// Most words have a first document that is visible.
	for i := range m.alts {
		a := &m.alts[i]
		if a.synonym || len(a.tokens) > 1 {
			continue
		}
		t := &a.tokens[0]
		for _, x := range t.long {
			if doc := x.First(); x.Val > 0 && s.visible.Contains(doc) && s.Alive(doc) {
				return true
			}
		}
		for k, doc := range t.docs {
			if t.vals[k] > 0 && s.visible.Contains(doc) && s.Alive(doc) {
				return true
			}
		}
	}
	for chunk := range s.chunks() {
		set := s.visible.Chunk(chunk)
		if set.Len() == 0 {
			continue
		}
		if f.occursIn(s, m, chunk, &set) {
			return true
		}
	}
	return false
}

// occursIn is occurs for a chunk, and what is visible of it.
func (f *finder) occursIn(s *seg, m *wordMatch, chunk int, visible *codec.Set) bool {
	docs := f.found[:codec.Words(s.size(chunk))]
	clear(docs)
	visible.OrInto(docs)
	for i, w := range s.dead(chunk) {
		docs[i] &^= w
	}
	defer f.emptyBuffers()
	vals, in := f.word(m, chunk, s.size(chunk), docs)
	if vals == nil {
		return false
	}
	// A synonym's score may be rounded down to nothing.
	for i, w := range docs {
		for w &= in[i]; w != 0; w &= w - 1 {
			if vals[i<<6|trailing(w)] > 0 {
				return true
			}
		}
	}
	return false
}
