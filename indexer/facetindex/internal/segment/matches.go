package segment

import (
	"fmt"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
)

// Matches gathers the documents that have any of some words, and what they
// count in each of them.
type Matches struct {
	Docs []uint32 // of short lists, in no order
	Vals []uint8  // what each of Docs counts
	Long []LongMatch
	Len  int // of all lists
}

// LongMatch is a list of documents that count the same.
type LongMatch struct {
	codec.Postings
	Val uint8
}

// Reset empties m and keeps its memory.
func (m *Matches) Reset() {
	clear(m.Long)
	*m = Matches{Docs: m.Docs[:0], Vals: m.Vals[:0], Long: m.Long[:0]}
}

// Match adds the documents that have one of the words from one on and below
// another. vals is what one counts by the class that it has the word in.
func (s *Segment) Match(m *Matches, from, to int, vals *[indexer.NumClasses]uint8) error {
	if from >= to {
		return nil
	}
	at := int64(0)
	if from > 0 {
		at = s.lexEnds.At(from - 1)
	}
	if err := s.check.check("postings", at, s.lexEnds.At(to-1)); err != nil {
		return s.named(err)
	}
	for lex := from; lex < to; lex++ {
		end := s.lexEnds.At(lex)
		if err := s.matchWord(m, s.postings[at:end], vals); err != nil {
			return &CorruptError{File: s.file, Section: "postings", Cause: fmt.Errorf("word %d: %w", lex, err)}
		}
		at = end
	}
	return nil
}

func (s *Segment) matchWord(m *Matches, b []byte, vals *[indexer.NumClasses]uint8) error {
	r := codec.MakeReader(b)
	mask := r.Bytes(1)
	if r.Err() != nil {
		return r.Err()
	}
	for c := range vals {
		if mask[0]>>c&1 == 0 {
			continue
		}
		first := len(m.Docs)
		var long codec.Postings
		var err error
		if m.Docs, long, err = codec.AppendShort(m.Docs, &r, s.Docs); err != nil {
			return err
		}
		if n := long.Len(); n > 0 {
			m.Long = append(m.Long, LongMatch{long, vals[c]})
			m.Len += n
		}
		for range m.Docs[first:] {
			m.Vals = append(m.Vals, vals[c])
		}
		m.Len += len(m.Docs) - first
	}
	return nil
}
