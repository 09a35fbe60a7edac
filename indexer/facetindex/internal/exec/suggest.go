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
	s := &suggester{ctx: ctx, q: q, term: []byte(term), visible: map[*seg][]uint64{}}
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
	visible map[*seg][]uint64
}

// documents returns all that the store's search sees.
func (s *suggester) documents(g *seg) []uint64 {
	if b, ok := s.visible[g]; ok {
		return b
	}
	b := make([]uint64, codec.Words(g.Seg.Docs))
	const w = codec.ChunkSize / 64
	for c := range g.chunks() {
		set := g.visible.Chunk(c)
		part := b[c*w : min((c+1)*w, len(b))]
		set.OrInto(part)
		for i, d := range g.dead(c) {
			part[i] &^= d
		}
	}
	s.visible[g] = b
	return b
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
	count       int
}

// top returns the candidates with the greatest counts. It counts only as many
// as are needed to know.
func (s *suggester) top(list []*candidate, limit int, count func(place) (int, error)) ([]*candidate, error) {
	order := func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(b.count, a.count), brandFirst(a.field, b.field), strings.Compare(a.field, b.field), strings.Compare(a.text, b.text))
	}
	slices.SortFunc(list, func(a, b *candidate) int { return cmp.Compare(b.most, a.most) })
	var out []*candidate
	for _, c := range list {
		if len(out) == limit && (limit == 0 || c.most < out[limit-1].count) {
			break
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

func brandFirst(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == "brand":
		return -1
	case b == "brand":
		return 1
	}
	return 0
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
				c = &candidate{text: string(term)}
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
				n += countIn(&lists[c], p.seg, s.documents(p.seg))
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

// countIn returns how many documents of a list are in a bitmap of all.
func countIn(l *codec.Postings, g *seg, docs []uint64) int {
	if l.Len() == 0 {
		return 0
	}
	const w = codec.ChunkSize / 64
	n := 0
	for c := range g.chunks() {
		set := l.Chunk(c)
		n += set.CountAnd(docs[c*w : min((c+1)*w, len(docs))])
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
				p, e := f.Having.Get(text)
				if e != nil {
					err = e
					return
				}
				k := name{g.Seg.AttrNames.String(attr), f.Texts.String(text)}
				c := byName[k]
				if c == nil {
					c = &candidate{field: k.field, text: k.text}
					byName[k] = c
					list = append(list, c)
				}
				c.most += p.Len()
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
	docs := s.documents(p.seg)
	if !p.seg.picky {
		return countIn(&l, p.seg, docs), nil
	}
	n := 0
	var vals []uint32
	for _, doc := range l.AppendTo(nil) {
		if !codec.Has(docs, doc) {
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
