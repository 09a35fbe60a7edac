package segment

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"catalog/indexer"
	"catalog/indexer/indextest"
)

// TestTypos compares the walk through the lexicon with a look at each of its
// words, by several goroutines at once, each word more than once.
func TestTypos(t *testing.T) {
	w := indextest.NewWorld(2)
	b := NewBuilder()
	for i := range 300 {
		for _, d := range w.Op(i).Docs {
			b.Add(d)
		}
	}
	var file bytes.Buffer
	if _, err := b.Write(&file); err != nil {
		t.Fatal(err)
	}
	s, err := Open(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for it := s.Lexicon.Iter(0); it.Valid(); it.Next() {
		words = append(words, string(s.Term(it)))
	}
	want := func(term string, most int) (list []Typo) {
		for i, word := range words {
			if n := indexer.Typos(term, word, most); n >= 0 {
				list = append(list, Typo{uint32(i), uint8(n)})
			}
		}
		return list
	}
	r := rand.New(rand.NewPCG(1, 2))
	terms := []string{"", "a", "\xff", "日本", "zzzzzzzz"}
	for range 40 {
		term := []rune(words[r.IntN(len(words))])
		if len(term) > 1 {
			term[1+r.IntN(len(term)-1)] = rune('a' + r.IntN(26))
		}
		terms = append(terms, string(term))
	}
	found := 0
	var all sync.WaitGroup
	for g := range 3 {
		all.Go(func() {
			for range 2 {
				for _, term := range terms {
					for most := 1; most <= 2; most++ {
						got := s.Typos(term, most)
						if !slices.Equal(got, want(term, most)) {
							t.Errorf("%q within %d: %v, want %v", term, most, got, want(term, most))
						}
						if g == 0 {
							found += len(got)
						}
					}
				}
			}
		})
	}
	all.Wait()
	if found < len(terms) {
		t.Errorf("only %d words are close to any of %d", found, len(terms))
	}
}

// TestTypoMemo fills what is remembered: it never has more than it may, nor
// anything else than was put there, and keeps what is asked for again and again.
func TestTypoMemo(t *testing.T) {
	var m typoMemo
	often := typoKey{"lamp", 1}
	m.put(often, []Typo{{7, 1}})
	for i := range 100_000 {
		k := typoKey{fmt.Sprint("word", i), 1}
		list := make([]Typo, i%50)
		m.put(k, list)
		if got, ok := m.get(k); !ok || len(got) != len(list) {
			t.Fatalf("%v: %d words, %t", k, len(got), ok)
		}
		if got, ok := m.get(often); !ok || !slices.Equal(got, []Typo{{7, 1}}) {
			t.Fatalf("after %d others: %v, %t", i, got, ok)
		}
		if m.size > maxTypoMemo {
			t.Fatalf("%d bytes", m.size)
		}
	}
	if n := len(m.fresh) + len(m.old); n < 1000 || n > 20_000 {
		t.Errorf("%d words are known", n)
	}
	long := typoKey{string(make([]byte, maxTypoEntry)), 1}
	m.put(long, nil)
	if _, ok := m.get(long); ok {
		t.Error("a term of many kilobytes is remembered")
	}
}
