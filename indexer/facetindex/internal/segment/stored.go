package segment

import (
	"sync"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
)

// stored is a segment as a source. What cannot be read of it is left out and
// noted in err.
type stored struct {
	*Segment
	titler *Titles

	mu  sync.Mutex
	err error
}

func (s *stored) docs() int                  { return s.Docs }
func (s *stored) rows() int                  { return s.Rows }
func (s *stored) first(doc uint32) uint32    { return uint32(s.First.At(int(doc))) }
func (s *stored) skus() keys                 { return s.SKUs.Iter(0) }
func (s *stored) docSKU(doc uint32) uint32   { return uint32(s.DocSKU.At(int(doc))) }
func (s *stored) rowSKU(row uint32) uint32   { return uint32(s.RowSKU.At(int(row))) }
func (s *stored) view(doc uint32) string     { return s.ViewOf(doc) }
func (s *stored) flags(doc uint32) uint8     { return uint8(s.Flags.At(int(doc))) }
func (s *stored) created(doc uint32) int64   { return s.Created.At(int(doc)) }
func (s *stored) nameKeys() keys             { return s.NameKeys.Iter(0) }
func (s *stored) nameKey(doc uint32) uint32  { return uint32(s.NameKey.At(int(doc))) }
func (s *stored) nameWords(doc uint32) int64 { return s.NameWords.At(int(doc)) }
func (s *stored) stores() field              { return &storedField{s.Stores} }
func (s *stored) sellers() field             { return &storedField{s.Sellers} }
func (s *stored) cats() field                { return &storedField{s.Cats} }

func (s *stored) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

func (s *stored) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *stored) title(doc uint32, buf []byte) []byte {
	if s.titler == nil {
		s.titler = s.Titles()
	}
	t, err := s.titler.Of(doc)
	if err != nil {
		s.note(err)
	}
	return append(buf[:0], t...)
}

func (s *stored) positions(f func(cat, doc uint32, pos int32)) {
	for cat := range s.Cats.Texts.Len() {
		s.Positions(cat, func(doc uint32, pos int32) { f(uint32(cat), doc, pos) })
	}
}

type storedLexemes struct {
	*codec.DictIter
	s     *stored
	docOf []uint32
	short []uint32
}

func (s *stored) lexemes(p *plan, src int) lexemes {
	if err := s.LoadWords(); err != nil {
		s.note(err)
	}
	return &storedLexemes{DictIter: s.Lexicon.Iter(0), s: s, docOf: p.docOf[src]}
}

func (l *storedLexemes) termLen() int { return l.s.TermLen(l.Index()) }

func (l *storedLexemes) lists(dst *[indexer.NumClasses][]uint32) {
	l.short = l.short[:0]
	lists, err := l.s.PostingsIn(&l.short, l.Index())
	if err != nil {
		l.s.note(err)
		return
	}
	for c := range lists {
		if lists[c].Len() == 0 {
			continue
		}
		n := len(dst[c])
		dst[c] = lists[c].AppendTo(dst[c])
		kept := dst[c][:n]
		for _, d := range dst[c][n:] {
			if to := l.docOf[d]; to != none {
				kept = append(kept, to)
			}
		}
		dst[c] = kept
	}
}

type storedFields struct {
	*codec.DictIter
	s *stored
}

func (s *stored) attrs() fields { return &storedFields{s.AttrNames.Iter(0), s} }

func (f *storedFields) field() field {
	x, err := f.s.Field(f.Index())
	if err != nil {
		f.s.note(err)
		return &storedField{&Field{}}
	}
	return &storedField{x}
}

type storedField struct{ f *Field }

func (f *storedField) texts() keys    { return f.f.Texts.Iter(0) }
func (f *storedField) numValues() int { return f.f.Values() }

func (f *storedField) value(i int) valueRef {
	v := uint32(i)
	return valueRef{text: f.f.Text(v), typ: f.f.Type(v), num: f.f.bits(v)}
}

func (f *storedField) members(dst []uint32, code uint32) []uint32 { return f.f.Append(dst, code) }

func (f *storedField) column(which int) func(f func(id, code uint32)) {
	return [numCols]*codec.Column{&f.f.Any, &f.f.Own, &f.f.Unit}[which].Each
}
