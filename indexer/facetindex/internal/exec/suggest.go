package exec

import (
	"bytes"
	"context"
	"slices"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
	"catalog/indexer/facetindex/internal/segment"
)

// Suggest completes the last word of a query. So many workers at most share it.
func Suggest(ctx context.Context, views []View, p *indexer.Prepared, limit int, workers int) (out *indexer.Suggestions, err error) {
	defer guard(&err)
	first := *p
	first.Offset, first.Size, first.After = 0, limit, nil
	first.Facets = indexer.PreparedFacets{Labels: p.Facets.Labels}
	hits, err := newQuery(views, &first)
	if err != nil {
		return nil, err
	}
	hits.firstOnly, hits.most = true, workers
	r, err := hits.search(ctx)
	if err != nil {
		return nil, err
	}
	out = &indexer.Suggestions{Products: r.Hits}
	if len(p.Words) == 0 || len(p.Words[len(p.Words)-1].Alts) == 0 || len(p.Words[len(p.Words)-1].Alts[0].Words) == 0 {
		return out, nil
	}
	term := p.Words[len(p.Words)-1].Alts[0].Words[0].Term
	q, err := newQuery(views, &indexer.Prepared{Store: p.Store, Words: p.Words, InStockOnly: p.InStockOnly, Sort: indexer.Sort{By: indexer.SortName}})
	if err != nil {
		return nil, err
	}
	s := &suggester{ctx: ctx, q: q, term: []byte(term), visible: map[*seg][]*chunkBits{}}
	defer s.release()
	if out.Words, err = s.words(limit); err != nil {
		return nil, err
	}
	out.Values, err = s.values(limit)
	return out, err
}

// suggester counts what begins with a term.
type suggester struct {
	ctx     context.Context
	q       *query
	term    []byte
	visible map[*seg][]*chunkBits
}

// chunkBits is a bitmap of a chunk.
type chunkBits = [codec.ChunkSize / 64]uint64

// documents returns all of a chunk that the store's search sees.
func (s *suggester) documents(g *seg, chunk int) []uint64 {
	list := s.visible[g]
	if list == nil {
		list = make([]*chunkBits, g.chunks())
		s.visible[g] = list
	}
	n := codec.Words(g.size(chunk))
	if b := list[chunk]; b != nil {
		return b[:n]
	}
	list[chunk] = bitmapPool.Get().(*chunkBits)
	b := list[chunk][:n]
	clear(b)
	set := g.visible.Chunk(chunk)
	set.OrInto(b)
	for i, d := range g.dead(chunk) {
		b[i] &^= d
	}
	return b
}

// release gives bitmaps back.
func (s *suggester) release() {
	for _, list := range s.visible {
		for _, b := range list {
			if b != nil {
				bitmapPool.Put(b)
			}
		}
	}
	s.visible = nil
}

// countWord returns how many documents have a word in classes that are
// suggested: x is its first place in the lexicon, y that behind its last.
func (s *suggester) countWord(p place) (int, error) {
	n := 0
	for lex := p.x; lex < p.y; lex++ {
		lists, err := p.seg.Seg.Postings(int(lex))
		if err != nil {
			return 0, err
		}
		for c := range lists {
			if class := indexer.Class(c); class <= indexer.ClassAttribute && class != indexer.ClassSKU {
				n += s.countIn(&lists[c], p.seg)
			}
		}
	}
	return n, nil
}

// eachWord calls f for the words of a segment that begin with the term.
func (s *suggester) eachWord(g *seg, f func(x, y, most uint32)) error {
	at, _ := g.Seg.Lexicon.Find(s.term)
	var last []byte
	first, most := uint32(0), 0
	flush := func(end int) {
		if most > 0 {
			f(first, uint32(end), uint32(most))
		}
		most = 0
	}
	it := g.Seg.Lexicon.Iter(at)
	for ; it.Valid() && bytes.HasPrefix(it.Key(), s.term); it.Next() {
		term := g.Seg.Term(it)
		if !bytes.Equal(term, last) {
			flush(it.Index())
			first, last = uint32(it.Index()), append(last[:0], term...)
		}
		if len(term) >= len(s.term) {
			most += int(g.Seg.Suggest.At(it.Index()))
		}
	}
	flush(it.Index())
	return nil
}

func (s *suggester) words(limit int) ([]string, error) {
	o := options{
		each: s.eachWord,
		name: func(p place) (string, string) {
			return "", string(p.seg.Seg.Term(p.seg.Seg.Lexicon.Iter(int(p.x))))
		},
		find: func(g *seg, _, text string) (place, bool) {
			term := []byte(text)
			from, _ := g.Seg.Lexicon.Find(term)
			it := g.Seg.Lexicon.Iter(from)
			for it.Valid() && bytes.Equal(g.Seg.Term(it), term) {
				it.Next()
			}
			return place{g, uint32(from), uint32(it.Index())}, it.Index() > from
		},
		most: func(p place) (int, error) {
			n := 0
			for lex := p.x; lex < p.y; lex++ {
				n += int(p.seg.Seg.Suggest.At(int(lex)))
			}
			return n, nil
		},
		count: s.countWord,
	}
	list, err := s.top(&o, limit)
	var out []string
	for _, c := range list {
		out = append(out, c.text)
	}
	return out, err
}

// countIn returns how many documents of a list the store's search sees.
func (s *suggester) countIn(l *codec.Postings, g *seg) int {
	if l.Len() == 0 {
		return 0
	}
	n := 0
	for c := range g.chunks() {
		if set := l.Chunk(c); set.Len() > 0 {
			n += set.CountAnd(s.documents(g, c))
		}
	}
	return n
}

// eachValue calls f for the values of a segment that have a word which begins
// with the term, for some more than once.
func (s *suggester) eachValue(g *seg, f func(x, y, most uint32)) error {
	if err := g.Seg.LoadValueWords(); err != nil {
		return err
	}
	var err error
	from, _ := g.Seg.ValueWords.Find(s.term)
	to := g.Seg.ValueWords.PrefixEnd(s.term)
	g.Seg.ValuesOf(from, to, func(attr, text int) {
		if err != nil {
			return
		}
		field, e := g.Seg.Field(attr)
		if e != nil {
			err = e
			return
		}
		most, e := field.Having.Count(text)
		if e != nil {
			err = e
			return
		}
		f(uint32(attr), uint32(text), uint32(most))
	})
	return err
}

func (s *suggester) values(limit int) ([]indexer.ValueSuggestion, error) {
	field := func(p place) (*segment.Field, error) { return p.seg.Seg.Field(int(p.x)) }
	o := options{
		each: s.eachValue,
		name: func(p place) (string, string) {
			f, err := field(p)
			if err != nil {
				return "", "" // was read before
			}
			return p.seg.Seg.AttrName(int(p.x)), f.Texts.String(int(p.y))
		},
		find: func(g *seg, name, text string) (place, bool) {
			attr := g.Seg.Attr(name)
			if attr < 0 {
				return place{}, false
			}
			p := place{seg: g, x: uint32(attr)}
			f, err := field(p)
			if err != nil {
				return p, false // the error comes up when it is read again
			}
			i, ok := f.Texts.Find([]byte(text))
			p.y = uint32(i)
			return p, ok
		},
		most: func(p place) (int, error) {
			f, err := field(p)
			if err != nil {
				return 0, err
			}
			return f.Having.Count(int(p.y))
		},
		count: s.countValue,
	}
	for _, g := range s.q.segs {
		if o.first == nil {
			o.first = map[*seg]uint32{}
		}
		o.first[g] = uint32(g.Seg.Attr("brand"))
	}
	list, err := s.top(&o, limit)
	var out []indexer.ValueSuggestion
	for _, c := range list {
		out = append(out, indexer.ValueSuggestion{Field: c.field, Value: c.text, Count: c.count})
	}
	return out, err
}

// countValue returns how many documents of a segment have an eligible unit
// with a value.
func (s *suggester) countValue(p place) (int, error) {
	f, err := p.seg.Seg.Field(int(p.x))
	if err != nil {
		return 0, err
	}
	l, err := f.Having.Get(int(p.y))
	if err != nil {
		return 0, err
	}
	if !p.seg.picky {
		return s.countIn(&l, p.seg), nil
	}
	n := 0
	var vals []uint32
	for _, doc := range l.AppendTo(nil) {
		if !codec.Has(s.documents(p.seg, int(doc>>codec.ChunkBits)), doc&codec.ChunkMask) {
			continue
		}
		complicated := p.seg.Seg.Flags.At(int(doc))&flagComplex != 0
		from, to := p.seg.rows(doc)
		for row := from; row < to; row++ {
			if !p.seg.eligible(row, complicated) {
				continue
			}
			vals = f.Append(vals[:0], codeOf(f, doc, row, complicated))
			if slices.ContainsFunc(vals, func(v uint32) bool { return f.Text(v) == p.y && f.Type(v) == indexer.Text }) {
				n++
				break
			}
		}
	}
	return n, nil
}
