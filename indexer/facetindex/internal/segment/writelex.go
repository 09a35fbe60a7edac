package segment

import (
	"math/bits"
	"slices"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
)

// writeLexicon writes the words, merged, and their postings.
func (p *plan) writeLexicon(s *sections) {
	lists := make([]keys, len(p.srcs))
	lex := make([]lexemes, len(p.srcs))
	for i, src := range p.srcs {
		lex[i] = src.lexemes(p, i)
		lists[i] = lex[i]
	}
	var (
		dict    codec.DictWriter
		lens    []uint32
		lengths []uint32 // of what is written of each word
		counts  []uint32 // documents that have the word, in classes that are suggested
		stems   = stemTable{tab: newInterner()}
		ls      [indexer.NumClasses][]uint32
		buf     []byte
		scratch = &sorter{words: make([]uint64, codec.Words(p.docs))}
	)
	s.begin("postings")
	for m := newMerger(lists); m.next(); {
		for c := range ls {
			ls[c] = ls[c][:0]
		}
		for _, h := range m.from {
			lex[h.src].lists(&ls)
		}
		buf = append(buf[:0], 0)
		suggested := 0
		for c := range ls {
			if len(ls[c]) > 0 {
				buf[0] |= 1 << c
				ls[c] = scratch.sort(ls[c])
				buf = codec.AppendPostings(buf, ls[c])
				if suggests(indexer.Class(c)) {
					suggested += len(ls[c])
				}
			}
		}
		if buf[0] == 0 {
			continue
		}
		termLen := lex[m.from[0].src].termLen()
		stems.add(m.key[:termLen], m.key[termLen+1:])
		dict.Add(m.key)
		lens = append(roomy(lens), uint32(termLen))
		s.put(buf)
		lengths = append(roomy(lengths), uint32(len(buf)))
		counts = append(roomy(counts), uint32(suggested))
	}
	s.end()

	if p.brief {
		stems = stemTable{tab: newInterner()}
	}
	s.begin("lexicon")
	s.put(dict.AppendTo(nil))
	dict = codec.DictWriter{}
	s.put(codec.AppendInts(nil, lens))
	s.put(codec.AppendPacked(nil, endsOf(lengths)))
	s.put(codec.AppendPacked(nil, counts))
	s.put(stems.appendTo(nil))
	s.end()
}

// endsOf returns where things of some lengths end that stand one behind the
// other.
func endsOf(lengths []uint32) []int64 {
	ends := make([]int64, len(lengths))
	total := int64(0)
	for i, n := range lengths {
		total += int64(n)
		ends[i] = total
	}
	return ends
}

// suggests reports whether words of a class are offered as completions.
func suggests(c indexer.Class) bool { return c <= indexer.ClassAttribute && c != indexer.ClassSKU }

// stemTable has for each stem the words that have it, except the word that is
// the stem.
type stemTable struct {
	tab    *interner
	n      uint32   // words that were added
	stemOf []uint32 // in their order
	words  []uint32
	buf    []byte
}

// add adds the next word.
func (t *stemTable) add(term, packed []byte) {
	if !ownStem(packed) {
		t.buf = unpackStem(t.buf[:0], term, packed)
		t.stemOf = append(t.stemOf, t.tab.of(string(t.buf), ""))
		t.words = append(t.words, t.n)
	}
	t.n++
}

func (t *stemTable) appendTo(dst []byte) []byte {
	var dict codec.DictWriter
	place := make([]uint32, t.tab.len())
	for k := sorted(t.tab); k.Valid(); k.Next() {
		place[k.Index()] = uint32(dict.Len())
		dict.Add(k.Key())
	}
	order := make([]uint32, len(t.words))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortStableFunc(order, func(a, b uint32) int { return int(place[t.stemOf[a]]) - int(place[t.stemOf[b]]) })
	ends := make([]uint32, t.tab.len())
	for i, k := range order {
		ends[place[t.stemOf[k]]]++
		order[i] = t.words[k]
	}
	for i := 1; i < len(ends); i++ {
		ends[i] += ends[i-1]
	}
	dst = dict.AppendTo(dst)
	dst = codec.AppendPacked(dst, ends)
	return codec.AppendInts(dst, order)
}

// sorter sorts lists of documents: long ones by a bitmap.
type sorter struct{ words []uint64 }

func (s *sorter) sort(list []uint32) []uint32 {
	if slices.IsSorted(list) {
		return list
	}
	if len(list) < 64 || len(list) < len(s.words)/16 {
		slices.Sort(list)
		return list
	}
	for _, d := range list {
		s.words[d>>6] |= 1 << (d & 63)
	}
	list = list[:0]
	for i, w := range s.words {
		for ; w != 0; w &= w - 1 {
			list = append(list, uint32(i<<6|bits.TrailingZeros64(w)))
		}
		s.words[i] = 0
	}
	return list
}
