package segment

import (
	"bytes"
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
		lex[i] = src.lexemes()
		lists[i] = lex[i]
	}
	var (
		dict    codec.DictWriter
		lens    []uint32
		ends    []int64
		counts  []uint32 // documents that have the word, in classes that are suggested
		stems   = newInterner()
		stemOf  []uint32
		old, ls [indexer.NumClasses][]uint32
		buf     []byte
		scratch = &sorter{words: make([]uint64, codec.Words(p.docs))}
		total   int64
	)
	s.begin("postings")
	for m := newMerger(lists); m.next(); {
		termLen, any := 0, 0
		for c := range ls {
			ls[c] = ls[c][:0]
		}
		for _, h := range m.from {
			for c := range old {
				old[c] = old[c][:0]
			}
			termLen = lex[h.src].termLen()
			lex[h.src].lists(&old)
			docOf := p.docOf[h.src]
			for c := range old {
				for _, d := range old[c] {
					if n := docOf[d]; n != none {
						ls[c] = append(ls[c], n)
						any++
					}
				}
			}
		}
		if any == 0 {
			continue
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
		dict.Add(m.key)
		lens = append(lens, uint32(termLen))
		s.put(buf)
		total += int64(len(buf))
		ends = append(ends, total)
		counts = append(counts, uint32(suggested))
		stemOf = append(stemOf, stems.of(string(m.key[termLen+1:]), ""))
	}
	s.end()

	out := dict.AppendTo(nil)
	out = codec.AppendInts(out, lens)
	out = codec.AppendInts(out, ends)
	out = codec.AppendInts(out, counts)
	s.write("lexicon", append(out, stemTable(stems, stemOf)...))
}

// suggests reports whether words of a class are offered as completions.
func suggests(c indexer.Class) bool { return c <= indexer.ClassAttribute && c != indexer.ClassSKU }

// stemTable writes for each stem the words that have it.
func stemTable(stems *interner, stemOf []uint32) []byte {
	var dict codec.DictWriter
	place := make([]uint32, stems.len())
	for k := sorted(stems); k.Valid(); k.Next() {
		place[k.Index()] = uint32(dict.Len())
		dict.Add(k.Key())
	}
	order := make([]uint32, len(stemOf))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortStableFunc(order, func(a, b uint32) int { return int(place[stemOf[a]]) - int(place[stemOf[b]]) })
	ends := make([]uint32, stems.len())
	for _, s := range stemOf {
		ends[place[s]]++
	}
	for i := 1; i < len(ends); i++ {
		ends[i] += ends[i-1]
	}
	out := dict.AppendTo(nil)
	out = codec.AppendInts(out, ends)
	return codec.AppendInts(out, order)
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

// wordsOf returns the words of a value's text that are completed, folded.
func wordsOf(text []byte) [][]byte { return bytes.Fields([]byte(indexer.Fold(string(text)))) }
