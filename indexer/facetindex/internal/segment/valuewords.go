package segment

import (
	"bytes"
	"cmp"
	"slices"
	"unicode/utf8"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
)

// valueWords collects the words of values' texts, which are completed, and
// where each occurs. A catalog has millions of words that occur once: they are
// sorted, not looked up.
type valueWords struct {
	data []byte // words, one behind the other
	list []valueWord
}

// valueWord is a word in the text of an attribute.
type valueWord struct {
	head       uint64 // its first bytes, see head
	from, size uint32
	attr, text uint32
}

// add adds the words of a text, folded.
func (v *valueWords) add(attr, number uint32, text []byte) {
	for _, c := range text {
		if c >= utf8.RuneSelf {
			for _, w := range bytes.Fields([]byte(indexer.Fold(string(text)))) {
				v.data = append(v.data, w...)
				v.end(attr, number, len(w))
			}
			return
		}
	}
	size := 0
	for _, c := range text {
		switch c {
		case ' ', '\t', '\n', '\v', '\f', '\r':
			v.end(attr, number, size)
			size = 0
			continue
		}
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		v.data = append(v.data, c)
		size++
	}
	v.end(attr, number, size)
}

// end ends a word, the last bytes of data.
func (v *valueWords) end(attr, number uint32, size int) {
	if size == 0 {
		return
	}
	from := len(v.data) - size
	v.list = append(v.list, valueWord{head(v.data[from:]), uint32(from), uint32(size), attr, number})
}

func (v *valueWords) word(w *valueWord) []byte { return v.data[w.from : w.from+w.size] }

// writeTo writes the words in order, and for each where it occurs.
func (v *valueWords) writeTo(s *sections) {
	slices.SortFunc(v.list, func(a, b valueWord) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		if c := bytes.Compare(v.word(&a), v.word(&b)); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(a.attr, b.attr), cmp.Compare(a.text, b.text))
	})
	v.list = slices.CompactFunc(v.list, func(a, b valueWord) bool {
		return a.attr == b.attr && a.text == b.text && bytes.Equal(v.word(&a), v.word(&b))
	})
	var dict codec.DictWriter
	ends := []uint32{0}
	for i := range v.list {
		w := v.word(&v.list[i])
		if i == 0 || !bytes.Equal(w, v.word(&v.list[i-1])) {
			dict.Add(w)
			ends = append(ends, uint32(i))
		}
		ends[len(ends)-1] = uint32(i + 1)
	}
	s.put(dict.AppendTo(nil))
	s.put(codec.AppendPacked(nil, ends))
	place := make([]uint32, len(v.list))
	for i := range v.list {
		place[i] = v.list[i].attr
	}
	s.put(codec.AppendPacked(nil, place))
	for i := range v.list {
		place[i] = v.list[i].text
	}
	s.put(codec.AppendPacked(nil, place))
}
