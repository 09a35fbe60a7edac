package segment

import (
	"bytes"
	"sync"
	"unicode/utf8"
)

// Typo is a word of the lexicon that is close to another.
type Typo struct {
	Word  uint32 // its place
	Edits uint8  // how many letters are to be changed
}

// Typos returns the words within so many edits of a term that begin with the
// same letter, in order. The caller must not change them. What was looked up
// lately is remembered: shoppers write the same words again and again, and the
// lexicon never changes.
func (s *Segment) Typos(term string, most int) []Typo {
	k := typoKey{term, most}
	if list, ok := s.typos.get(k); ok {
		return list
	}
	list := s.walkTypos(term, most)
	s.typos.put(k, list)
	return list
}

// typoMemo is what Typos remembers: what was asked for since fresh was empty,
// and before that. It is safe for concurrent use.
type typoMemo struct {
	mu         sync.Mutex
	fresh, old map[typoKey][]Typo
	size       int // of fresh
}

type typoKey struct {
	term string
	most int
}

// Bounds of what is remembered, in bytes: some thousand words, twice.
const (
	maxTypoMemo  = 512 << 10
	maxTypoEntry = maxTypoMemo / 16
)

func (m *typoMemo) get(k typoKey) ([]Typo, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list, ok := m.fresh[k]
	if !ok {
		if list, ok = m.old[k]; ok {
			m.add(k, list)
		}
	}
	return list, ok
}

// put remembers a list.
func (m *typoMemo) put(k typoKey, list []Typo) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(k, list)
}

// add makes room by forgetting what was not asked for since it did so last. The
// caller holds m.mu.
func (m *typoMemo) add(k typoKey, list []Typo) {
	const entry, each = 100, 8
	size := entry + len(k.term) + each*len(list)
	if size > maxTypoEntry {
		return // a term of many kilobytes
	}
	if m.fresh == nil || m.size+size > maxTypoMemo {
		m.fresh, m.old, m.size = map[typoKey][]Typo{}, m.fresh, 0
	}
	if _, ok := m.fresh[k]; !ok {
		m.fresh[k], m.size = list, m.size+size
	}
}

// walkTypos is Typos without a memory. The lexicon is walked as a tree: one row
// of the table of edits is kept for each letter, and what no longer can come
// close is skipped.
func (s *Segment) walkTypos(term string, most int) (list []Typo) {
	want := []rune(term)
	if len(want) == 0 {
		return nil
	}
	first := utf8.AppendRune(nil, want[0])
	rows := [][]int{make([]int, len(want)+1)}
	for j := range rows[0] {
		rows[0][j] = j
	}
	var have []rune // letters that rows are computed for
	var ends []int  // where each ends in the word before
	at, _ := s.Lexicon.Find(first)
	it := s.Lexicon.Iter(at)
	var last []byte
	for it.Valid() && bytes.HasPrefix(it.Key(), first) {
		word := s.Term(it)
		// Keep the rows of the letters that it shares with the word before.
		shared := 0
		for shared < len(word) && shared < len(last) && word[shared] == last[shared] {
			shared++
		}
		k := 0
		for k < len(ends) && ends[k] <= shared {
			k++
		}
		have, ends = have[:k], ends[:k]
		pos := 0
		if k > 0 {
			pos = ends[k-1]
		}
		dead := false
		for pos < len(word) {
			r, n := utf8.DecodeRune(word[pos:])
			pos += n
			have, ends = append(have, r), append(ends, pos)
			if least := editRow(&rows, want, have); least > most {
				dead = true
				break
			}
		}
		last = append(last[:0], word...)
		if !dead {
			if n := rows[len(have)][len(want)]; n <= most {
				list = append(list, Typo{uint32(it.Index()), uint8(n)})
			}
			it.Next()
			continue
		}
		// Nothing that begins like this comes close. Mostly that is the next
		// few words.
		dull := last[:pos]
		for n := 0; it.Valid() && bytes.HasPrefix(it.Key(), dull); n++ {
			if n == 32 {
				it.Seek(s.Lexicon.PrefixEnd(dull))
				break
			}
			it.Next()
		}
	}
	return list
}

// editRow computes the row of the last letter of have, as indexer.Typos does,
// and returns the least number from which a longer word could go on: of this
// row and, because of transpositions, the one before.
func editRow(rows *[][]int, want, have []rune) int {
	i := len(have)
	if len(*rows) == i {
		*rows = append(*rows, make([]int, len(want)+1))
	}
	row, prev := (*rows)[i], (*rows)[i-1]
	row[0] = i
	least := i
	for j := 1; j <= len(want); j++ {
		cost := 1
		if have[i-1] == want[j-1] {
			cost = 0
		}
		n := min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
		if i > 1 && j > 1 && have[i-1] == want[j-2] && have[i-2] == want[j-1] {
			n = min(n, (*rows)[i-2][j-2]+1)
		}
		row[j] = n
		least = min(least, n)
	}
	for _, n := range prev {
		least = min(least, n+1)
	}
	return least
}
