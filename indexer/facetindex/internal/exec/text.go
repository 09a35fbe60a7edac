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
	f.used = 0
	var vals [][]uint8
	any := f.found[:len(docs)]
	clear(any)
	for _, i := range order {
		v, in := f.word(&s.words[i], chunk, s.size(chunk))
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
// chunk, and in which it counts anything.
type matched struct {
	vals []uint8
	in   []uint64
}

// buffer returns a pair of empty buffers; f.used counts those in use.
func (f *finder) buffer(size int) ([]uint8, []uint64) {
	if f.used == len(f.vals) {
		f.vals = append(f.vals, matched{make([]uint8, codec.ChunkSize), make([]uint64, codec.ChunkSize/64)})
	}
	m := f.vals[f.used]
	f.used++
	vals, in := m.vals[:size], m.in[:codec.Words(size)]
	clear(vals)
	clear(in)
	return vals, in
}

// word returns what a word counts in each document of a chunk, and in which
// anything; nil: in none.
func (f *finder) word(w *wordMatch, chunk, size int) ([]uint8, []uint64) {
	var out []uint8
	var in []uint64
	for i := range w.alts {
		a := &w.alts[i]
		before := f.used
		vals, docs := f.phrase(a, chunk, size)
		if vals == nil {
			f.used = before
			continue
		}
		if a.synonym {
			var table [128]uint8
			for v := range table {
				table[v] = uint8(indexer.SynonymScore(v))
			}
			for d, v := range vals {
				vals[d] = table[v]
			}
		}
		if out == nil {
			out, in = vals, docs
			f.used = before + 1 // the phrase's result is in its first buffer
			continue
		}
		for d, v := range vals {
			out[d] = max(out[d], v)
		}
		for j := range in {
			in[j] |= docs[j]
		}
		f.used = before
	}
	return out, in
}

// phrase returns what a phrase counts: what its worst word does.
func (f *finder) phrase(a *altMatch, chunk, size int) ([]uint8, []uint64) {
	out, in := f.token(a.tokens[0], chunk, size)
	if out == nil {
		return nil, nil
	}
	for i := 1; i < len(a.tokens); i++ {
		vals, docs := f.token(a.tokens[i], chunk, size)
		if vals == nil {
			return nil, nil
		}
		for d, v := range vals {
			out[d] = min(out[d], v)
		}
		for j := range in {
			in[j] &= docs[j]
		}
		f.used--
	}
	return out, in
}

// token returns what a token counts.
func (f *finder) token(t tokenMatch, chunk, size int) ([]uint8, []uint64) {
	var vals []uint8
	var in []uint64
	for i := range t {
		set := t[i].docs.Chunk(chunk)
		if set.Len() == 0 {
			continue
		}
		if vals == nil {
			vals, in = f.buffer(size)
		}
		set.Fill(vals, t[i].value)
		set.OrInto(in)
	}
	return vals, in
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
		if a := &m.alts[i]; !a.synonym && len(a.tokens) == 1 {
			for _, x := range a.tokens[0] {
				if doc := x.docs.First(); x.value > 0 && s.visible.Contains(doc) && s.Alive(doc) {
					return true
				}
			}
		}
	}
	for chunk := range s.chunks() {
		set := s.visible.Chunk(chunk)
		if set.Len() == 0 {
			continue
		}
		f.used = 0
		vals, in := f.word(m, chunk, s.size(chunk))
		if vals == nil {
			continue
		}
		set.AndInto(in, f.tmp)
		for i, w := range s.dead(chunk) {
			in[i] &^= w
		}
		// A synonym's score may be rounded down to nothing.
		for i, w := range in {
			for ; w != 0; w &= w - 1 {
				if vals[i<<6|trailing(w)] > 0 {
					return true
				}
			}
		}
	}
	return false
}
