package elasticindex

import (
	"cmp"
	"encoding/json"
	"slices"

	"catalog/indexer"
)

// source is what is read back of an Elasticsearch document.
type source struct {
	Kind string   `json:"k"`
	SKU  string   `json:"sku"`
	View string   `json:"view"`
	Unit string   `json:"usku"`
	Exts []string `json:"xf"`
	D    string   `json:"d"`
	T0   []string `json:"t0"`
	T1   []string `json:"t1"`
	T2   []string `json:"t2"`
	T3   []string `json:"t3"`
	T4   []string `json:"t4"`
	T5   []string `json:"t5"`
	S0   []string `json:"s0"`
	S1   []string `json:"s1"`
	S2   []string `json:"s2"`
	S3   []string `json:"s3"`
	S4   []string `json:"s4"`
	S5   []string `json:"s5"`
}

// withWords is what is read of a hit whose score is computed.
var withWords = []string{"k", "sku", "view", "usku", "xf", "d", "t*", "s*"}

// decode makes the document that an Elasticsearch document was made of; of a
// variant, its product's with that unit alone.
func decode(raw json.RawMessage) (*indexer.Document, *source, error) {
	s := new(source)
	if err := json.Unmarshal(raw, s); err != nil {
		return nil, nil, err
	}
	d := &indexer.Document{SKU: s.SKU, View: s.View}
	if err := decodeBinary(s.D, d); err != nil {
		return nil, nil, err
	}
	stems := [...][]string{s.S0, s.S1, s.S2, s.S3, s.S4, s.S5}
	for c, terms := range [...][]string{s.T0, s.T1, s.T2, s.T3, s.T4, s.T5} {
		for i, t := range terms {
			w := indexer.Word{Token: indexer.Token{Term: t}, Class: indexer.Class(c)}
			if i < len(stems[c]) {
				w.Stem = stems[c][i]
			}
			d.Words = append(d.Words, w)
		}
	}
	slices.SortFunc(d.Words, func(a, b indexer.Word) int { return cmp.Compare(a.Term, b.Term) })
	return d, s, nil
}

// document makes a document, but for its words and its view.
func (c *columns) document() (*indexer.Document, error) {
	if len(c.SKU) != 1 || len(c.D) != 1 {
		return nil, errBinary
	}
	d := &indexer.Document{SKU: c.SKU[0]}
	return d, decodeBinary(c.D[0], d)
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
