package exec

import (
	"bytes"
	"slices"
	"sync"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
	"catalog/indexer/facetindex/internal/segment"
)

// tokenMatch is what a token finds in a segment.
type tokenMatch struct {
	long []segment.LongMatch // what counts most last
	// Of short lists: those of the chunk i are from ends[i] and before ends[i+1].
	docs []uint32
	vals []uint8
	ends []int
	len  int // of all lists
}

// chunk returns what short lists have in a chunk.
func (t *tokenMatch) chunk(i int) (docs []uint32, vals []uint8) {
	from, to := t.ends[i], t.ends[i+1]
	return t.docs[from:to], t.vals[from:to]
}

// altMatch is a phrase: all of its tokens must be found.
type altMatch struct {
	tokens  []tokenMatch
	synonym bool
}

// wordMatch is a word of the query: any of its phrases.
type wordMatch struct {
	alts []altMatch
	size int // how many postings there are at most
}

// tokenBuf is memory for what a token finds.
type tokenBuf struct {
	found segment.Matches
	docs  []uint32
	vals  []uint8
	ends  []int
}

var tokenPool = sync.Pool{New: func() any { return new(tokenBuf) }}

// releaseWords gives back what words were looked up in: nobody may look for
// hits after it.
func (q *query) releaseWords() {
	for _, b := range q.tokens {
		b.found.Reset() // it has pointers into a segment
		tokenPool.Put(b)
	}
	q.tokens = nil
	for _, s := range q.segs {
		s.words, s.known = nil, nil
	}
}

// sorted returns what was found, short lists sorted by chunk.
func (b *tokenBuf) sorted(chunks int) tokenMatch {
	m := &b.found
	slices.SortFunc(m.Long, func(a, b segment.LongMatch) int { return int(a.Val) - int(b.Val) })
	n := len(m.Docs)
	b.docs, b.vals = slices.Grow(b.docs[:0], n)[:n], slices.Grow(b.vals[:0], n)[:n]
	b.ends = slices.Grow(b.ends[:0], chunks+1)[:chunks+1]
	// ends[i+1] is first where the chunk i begins, and last where it ends.
	clear(b.ends)
	for _, d := range m.Docs {
		if c := int(d>>codec.ChunkBits) + 2; c <= chunks {
			b.ends[c]++
		}
	}
	for c := 2; c <= chunks; c++ {
		b.ends[c] += b.ends[c-1]
	}
	for i, d := range m.Docs {
		at := &b.ends[d>>codec.ChunkBits+1]
		b.docs[*at], b.vals[*at] = d, m.Vals[i]
		*at++
	}
	return tokenMatch{long: m.Long, docs: b.docs, vals: b.vals, ends: b.ends, len: m.Len}
}

// matchWord looks a word up in a segment.
func (q *query) matchWord(s *segment.Segment, w *indexer.QueryWord, typos bool) (wordMatch, error) {
	var m wordMatch
	for i := range w.Alts {
		alt := &w.Alts[i]
		a := altMatch{synonym: alt.Synonym}
		for j := range alt.Words {
			t, err := q.matchToken(s, &alt.Words[j], !alt.Synonym && w.Last, !alt.Synonym && typos)
			if err != nil {
				return m, err
			}
			m.size += t.len
			a.tokens = append(a.tokens, t)
		}
		if len(a.tokens) > 0 && !slices.ContainsFunc(a.tokens, func(t tokenMatch) bool { return t.len == 0 }) {
			m.alts = append(m.alts, a)
		}
	}
	return m, nil
}

// matchToken finds the words of the lexicon that match t, as
// indexer.QueryToken.Quality says.
func (q *query) matchToken(s *segment.Segment, t *indexer.QueryToken, prefix, typos bool) (tokenMatch, error) {
	quality := map[int]int{} // of words that match otherwise than as a prefix
	better := func(lex, q int) {
		if q > quality[lex] {
			quality[lex] = q
		}
	}
	term := []byte(t.Term)
	at, _ := s.Lexicon.Find(term)
	from, to := at, at // words that begin with the term, if prefixes count
	for it := s.Lexicon.Iter(at); it.Valid() && bytes.HasPrefix(it.Key(), term); it.Next() {
		// The words that are whole come first.
		n := s.TermLen(it.Index())
		if n == len(term) {
			better(it.Index(), indexer.QualityExact)
		} else if n > len(term) {
			from, to = it.Index(), it.Index()
			break
		}
	}
	if prefix {
		to = s.Lexicon.PrefixEnd(term)
	}
	for _, stem := range t.Stems {
		for _, lex := range s.StemWords(nil, stem) {
			better(lex, indexer.QualityStem)
		}
	}
	if n := indexer.MaxTypos(t.Term); typos && n > 0 {
		for _, x := range s.Typos(t.Term, n) {
			if x.Edits == 2 {
				better(int(x.Word), indexer.QualityTypos)
			} else {
				better(int(x.Word), indexer.QualityTypo)
			}
		}
	}
	buf := tokenPool.Get().(*tokenBuf)
	q.tokens = append(q.tokens, buf)
	add := func(from, to, q int) error {
		var vals [indexer.NumClasses]uint8
		for c := range vals {
			vals[c] = uint8(indexer.Class(c).Weight() * q)
		}
		return s.Match(&buf.found, from, to, &vals)
	}
	var others []int // that match otherwise than as a prefix
	for lex, q := range quality {
		if q >= indexer.QualityPrefix || lex < from || lex >= to {
			others = append(others, lex)
		}
	}
	slices.Sort(others)
	for _, lex := range others {
		if err := add(lex, lex+1, quality[lex]); err != nil {
			return tokenMatch{}, err
		}
		if lex >= from && lex < to {
			if err := add(from, lex, indexer.QualityPrefix); err != nil {
				return tokenMatch{}, err
			}
			from = lex + 1
		}
	}
	if err := add(from, to, indexer.QualityPrefix); err != nil {
		return tokenMatch{}, err
	}
	return buf.sorted((s.Docs + codec.ChunkSize - 1) >> codec.ChunkBits), nil
}
