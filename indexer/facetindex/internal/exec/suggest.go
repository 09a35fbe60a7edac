package exec

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
)

// Suggest completes the last word of a query.
func Suggest(ctx context.Context, views []View, p *indexer.Prepared, limit int) (out *indexer.Suggestions, err error) {
	defer guard(&err)
	first := *p
	first.Offset, first.Size, first.After = 0, limit, nil
	first.Facets = indexer.PreparedFacets{Labels: p.Facets.Labels}
	r, err := Search(ctx, views, &first)
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
	spare   []candidate
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

// candidate makes a candidate; there may be thousands.
func (s *suggester) candidate(field, text string) *candidate {
	if len(s.spare) == 0 {
		s.spare = make([]candidate, 64)
	}
	c := &s.spare[0]
	s.spare = s.spare[1:]
	c.field, c.text, c.places = field, text, c.first[:0]
	return c
}

// place is where a segment has what may be suggested.
type place struct {
	seg  *seg
	a, b int
}

// candidate is something that may be suggested, and how many documents have it
// at most.
type candidate struct {
	field, text string
	most        int
	places      []place
	first       [1]place
	count       int
}

// top returns the candidates with the greatest counts. It counts only as many
// as are needed to know.
func (s *suggester) top(list []*candidate, limit int, count func(place) (int, error)) ([]*candidate, error) {
	order := func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(b.count, a.count), indexer.CompareFields(a.field, b.field), strings.Compare(a.text, b.text))
	}
	slices.SortFunc(list, func(a, b *candidate) int { return cmp.Compare(b.most, a.most) })
	var out []*candidate
	for _, c := range list {
		if len(out) == limit && (limit == 0 || c.most < out[limit-1].count) {
			break
		}
		if len(out) == limit {
			// One that comes behind the last even if it has all that it can
			// have need not be counted.
			if c.count = c.most; order(c, out[limit-1]) > 0 {
				continue
			}
			c.count = 0
		}
		if err := s.ctx.Err(); err != nil {
			return nil, err
		}
		for _, p := range c.places {
			n, err := count(p)
			if err != nil {
				return nil, err
			}
			c.count += n
		}
		if c.count == 0 {
			continue
		}
		i, _ := slices.BinarySearchFunc(out, c, order)
		out = slices.Insert(out, i, c)
		out = out[:min(limit, len(out))]
	}
	return out, nil
}

func (s *suggester) words(limit int) ([]string, error) {
	byTerm := map[string]*candidate{}
	var list []*candidate
	for _, g := range s.q.segs {
		at, _ := g.Seg.Lexicon.Find(s.term)
		for it := g.Seg.Lexicon.Iter(at); it.Valid() && bytes.HasPrefix(it.Key(), s.term); it.Next() {
			most := int(g.Seg.Suggest.At(it.Index()))
			term := g.Seg.Term(it)
			if most == 0 || len(term) < len(s.term) {
				continue
			}
			c := byTerm[string(term)]
			if c == nil {
				c = s.candidate("", string(term))
				byTerm[c.text] = c
				list = append(list, c)
			}
			c.most += most
			c.places = append(c.places, place{seg: g, a: it.Index()})
		}
	}
	list, err := s.top(list, limit, func(p place) (int, error) {
		lists, err := p.seg.Seg.Postings(p.a)
		n := 0
		for c := range lists {
			if class := indexer.Class(c); class <= indexer.ClassAttribute && class != indexer.ClassSKU {
				n += s.countIn(&lists[c], p.seg)
			}
		}
		return n, err
	})
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

func (s *suggester) values(limit int) ([]indexer.ValueSuggestion, error) {
	type name struct{ field, text string }
	byName := map[name]*candidate{}
	var list []*candidate
	for _, g := range s.q.segs {
		seen := map[[2]int]bool{}
		at, _ := g.Seg.ValueWords.Find(s.term)
		var err error
		for it := g.Seg.ValueWords.Iter(at); it.Valid() && bytes.HasPrefix(it.Key(), s.term); it.Next() {
			g.Seg.ValuesOf(it.Index(), func(attr, text int) {
				if seen[[2]int{attr, text}] || err != nil {
					return
				}
				seen[[2]int{attr, text}] = true
				f, e := g.Seg.Field(attr)
				if e != nil {
					err = e
					return
				}
				most, e := f.Having.Count(text)
				if e != nil {
					err = e
					return
				}
				k := name{g.Seg.AttrName(attr), f.Texts.String(text)}
				c := byName[k]
				if c == nil {
					c = s.candidate(k.field, k.text)
					byName[k] = c
					list = append(list, c)
				}
				c.most += most
				c.places = append(c.places, place{g, attr, text})
			})
		}
		if err != nil {
			return nil, err
		}
	}
	list, err := s.top(list, limit, s.countValue)
	var out []indexer.ValueSuggestion
	for _, c := range list {
		out = append(out, indexer.ValueSuggestion{Field: c.field, Value: c.text, Count: c.count})
	}
	return out, err
}

// countValue returns how many documents of a segment have an eligible unit
// with a value.
func (s *suggester) countValue(p place) (int, error) {
	f, err := p.seg.Seg.Field(p.a)
	if err != nil {
		return 0, err
	}
	l, err := f.Having.Get(p.b)
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
			if slices.ContainsFunc(vals, func(v uint32) bool { return int(f.Text(v)) == p.b && f.Type(v) == indexer.Text }) {
				n++
				break
			}
		}
	}
	return n, nil
}
