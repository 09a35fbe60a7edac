package elasticindex

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"catalog/catalog"
	"catalog/indexer"
)

// source is what is read back of an Elasticsearch document.
type source struct {
	Kind, SKU, View, Unit, NK, D string
	Exts                         []string // SKUs, folded
	terms, stems                 [indexer.NumClasses]string
}

// read takes what documents are made of.
func (s *source) read(raw json.RawMessage) {
	for name, v := range catalog.Value(raw).Members() {
		if len(name) == 2 && name[1]-'0' < byte(indexer.NumClasses) {
			switch name[0] {
			case 't':
				s.terms[name[1]-'0'] = v.Text()
			case 's':
				s.stems[name[1]-'0'] = v.Text()
			}
			continue
		}
		switch string(name) {
		case "k":
			s.Kind = v.Text()
		case "sku":
			s.SKU = v.Text()
		case "view":
			s.View = v.Text()
		case "usku":
			s.Unit = v.Text()
		case "xf":
			s.Exts = texts(v)
		case "nk":
			s.NK = v.Text()
		case "d":
			s.D = v.Text()
		}
	}
}

// withWords is what is read of a hit whose score is computed.
var withWords = append([]string{"k", "sku", "view", "usku", "xf", "nk", "d"}, slices.Concat(termFields[:], stemFields[:])...)

// decode makes the document that an Elasticsearch document was made of; of a
// variant, its product's with that unit alone. The source says whose it is also
// when it is damaged.
func decode(raw json.RawMessage) (*indexer.Document, *source, error) {
	s := new(source)
	s.read(raw)
	d := &indexer.Document{SKU: s.SKU, View: s.View}
	if err := decodeBinary(s.D, d); err != nil {
		return nil, s, err
	}
	if err := decodeNameKey(s.NK, d); err != nil {
		return nil, s, err
	}
	n := 0
	for c := range s.terms {
		n += strings.Count(s.terms[c], "\n") + 1
	}
	d.Words = make([]indexer.Word, 0, n)
	for c := range s.terms {
		stems := split(s.stems[c])
		for i, t := range split(s.terms[c]) {
			w := indexer.Word{Token: indexer.Token{Term: t}, Class: indexer.Class(c)}
			if i < len(stems) {
				w.Stem = stems[i]
			}
			d.Words = append(d.Words, w)
		}
	}
	slices.SortFunc(d.Words, func(a, b indexer.Word) int { return strings.Compare(a.Term, b.Term) })
	return d, s, nil
}

// document makes a document, but for its words and its view, and for the name's
// key if that was not asked for.
func (c *columns) document() (*indexer.Document, error) {
	if len(c.SKU) != 1 || len(c.D) != 1 {
		return nil, errBinary
	}
	d := &indexer.Document{SKU: c.SKU[0]}
	if err := decodeBinary(c.D[0], d); err != nil {
		return nil, err
	}
	if len(c.NK) == 1 {
		return d, decodeNameKey(c.NK[0], d)
	}
	return d, nil
}

// decodeNameKey reads the key of a name that is not in field d.
func decodeNameKey(text string, d *indexer.Document) error {
	if text == "" || d.NameKey != nil {
		return nil
	}
	key, err := nameKeys.DecodeString(text)
	if err != nil {
		return fmt.Errorf("%w: field nk: %w", errBinary, err)
	}
	d.NameKey = key
	return nil
}

// score is Prepared.Score, which for a variant must know its siblings' SKUs.
func score(q *indexer.Prepared, d *indexer.Document, s *source, a attempt) int {
	c := *d
	c.Units = nil
	for _, sku := range s.Exts {
		c.Units = append(c.Units, indexer.Unit{SKU: sku})
	}
	typos := a.typos
	if typos == nil {
		typos = make([]bool, len(q.Words))
	}
	n, _ := q.Score(&c, a.relaxed, typos)
	return n
}
