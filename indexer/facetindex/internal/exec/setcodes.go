package exec

import (
	"slices"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/segment"
)

// fewMembers is up to how many members of sets all of them are looked at to find
// the sets with a value: an attribute that names things has one for each product.
const fewMembers = 1 << 12

// codesOf returns the codes of a plain field that have any of some texts: those
// of the texts alone, and of the sets with one of them, all in order.
func (s *seg) codesOf(f *segment.Field, texts map[uint32]bool) ([]uint32, error) {
	codes := make([]uint32, 0, len(texts))
	for k := range texts {
		codes = append(codes, k+1) // a value's number is that of its text
	}
	if n := f.SetMembers(); n > fewMembers {
		sets, ok, err := s.setsOf(f, texts, n/16)
		if ok || err != nil {
			codes = append(codes, sets...)
			slices.Sort(codes)
			return slices.Compact(codes), err
		}
	}
	return f.SetsWith(codes, texts), nil
}

// setsOf returns the codes of sets with one of some texts that any document has,
// found by the lists of documents with these texts; not ok if there are none, or
// more documents in them than most.
func (s *seg) setsOf(f *segment.Field, texts map[uint32]bool, most int) (codes []uint32, ok bool, err error) {
	var docs []uint32
	for k := range texts {
		if f.Type(k) != indexer.Text || int(k) >= f.Having.Len() {
			return nil, false, nil
		}
		list, err := f.Having.Get(int(k))
		if err != nil {
			return nil, false, err
		}
		if len(docs)+list.Len() > most {
			return nil, false, nil
		}
		docs = list.AppendTo(docs)
	}
	add := func(code uint32) {
		if code == 0 || f.Single(code) {
			return
		}
		for i, to := f.Members(code); i < to; i++ {
			if texts[f.Member(i)] {
				codes = append(codes, code)
				return
			}
		}
	}
	slices.Sort(docs)
	all, own, unit := f.Any.Cursor(), f.Own.Cursor(), f.Unit.Cursor()
	for _, doc := range docs {
		add(all.Get(doc))
		if s.Seg.Flags.At(int(doc))&flagComplex == 0 {
			continue
		}
		add(own.Get(doc))
		for row, to := s.rows(doc); row < to; row++ {
			add(unit.Get(row))
		}
	}
	return codes, true, nil
}
