package elasticindex

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"

	"catalog/indexer"
)

// Digests implements indexer.Index. What is searched is what _source holds:
// the engine makes its postings and columns of it in the same step, and guards
// them by checksums of its own. So each document is made anew of its _source,
// the fields that are searched are made anew of that, and must be the same; a
// part with a field that is not has a wrong digest. Variants must be those of
// their products.
func (x *Index) Digests(ctx context.Context, h *indexer.Digester) iter.Seq2[indexer.Digest, error] {
	return func(yield func(indexer.Digest, error) bool) {
		stopped := false
		// A snapshot may go away once documents were yielded: no second try.
		err := x.search(ctx, &indexer.Prepared{}, true, func(ctx context.Context, s *session) error {
			if stopped {
				return errGone
			}
			stopped = true
			return s.digests(ctx, h, func(d indexer.Digest) bool { return yield(d, nil) })
		})
		if err != nil {
			yield(indexer.Digest{}, err)
		}
	}
}

// readAhead is how many documents are read at once.
const readAhead = 1000

type digestPage struct {
	hits []found
	err  error
}

func (s *session) digests(ctx context.Context, h *indexer.Digester, yield func(indexer.Digest) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	pages := make(chan digestPage, 1)
	done := make(chan struct{})
	defer func() { cancel(); <-done }()
	go func() {
		defer close(done)
		s.scan(ctx, pages)
	}()
	v := verifier{h: h, enc: encoder{scope: func(sc indexer.Scope) (int, error) { return s.x.scopes.number(ctx, sc) }}}
	for p := range pages {
		if p.err != nil {
			return p.err
		}
		for i := range p.hits {
			v.add(p.hits[i].Source)
			if v.ready != nil && !yield(*v.ready) {
				return nil
			}
		}
	}
	if v.finish(); v.ready != nil {
		yield(*v.ready)
	}
	return ctx.Err()
}

// scan reads all documents, a product's variants behind it.
func (s *session) scan(ctx context.Context, pages chan<- digestPage) {
	defer close(pages)
	body := object{
		"query": not(term("k", kindMeta)), "size": readAhead, "track_total_hits": false,
		"sort": []any{object{"sku": "asc"}, object{"view": "asc"}, object{"k": "asc"}, object{"usku": "asc"}},
	}
	for {
		var p digestPage
		answers, err := s.run(ctx, body)
		if err == nil {
			p.hits = answers[0].Hits.Hits
		}
		p.err = err
		select {
		case pages <- p:
		case <-ctx.Done():
			return
		}
		if err != nil || len(p.hits) < readAhead {
			return
		}
		body["search_after"] = p.hits[len(p.hits)-1].Sort[:4]
	}
}

// verifier checks documents, and makes a digest of each product's and its
// variants'.
type verifier struct {
	h       *indexer.Digester
	enc     encoder
	current *indexer.Digest
	doc     *indexer.Document // of current
	base    string            // SKU whose base document has come
	variant int               // variants of doc that have come
	ready   *indexer.Digest   // complete
}

// spoil makes a part of a digest wrong.
func spoil(d *indexer.Digest, p indexer.Part) { d.Parts[p] ^= 0x9e3779b97f4a7c15 }

func (v *verifier) add(raw json.RawMessage) {
	v.ready = nil
	d, src, err := decode(raw)
	if err != nil { // not one of ours, or damaged: everything about it is wrong
		v.finish()
		v.doc = nil
		g := indexer.Digest{SKU: src.SKU, View: src.View}
		for p := range indexer.NumParts {
			spoil(&g, p)
		}
		v.current = &g
		return
	}
	if src.Kind != kindVariant {
		v.finish()
		g := v.h.Of(d)
		v.current, v.doc, v.variant = &g, d, 0
		base := v.base != d.SKU
		v.base = d.SKU
		v.compare(raw, d, src.Kind, -1, base)
		return
	}
	// A variant behind its product, in the order of the units.
	if v.doc == nil || v.doc.SKU != d.SKU || v.doc.View != d.View || len(d.Units) != 1 ||
		v.variant >= len(v.doc.Units) || v.doc.Units[v.variant].SKU != src.Unit {
		if v.current != nil {
			spoil(v.current, indexer.PartUnits)
		}
		return
	}
	v.compare(raw, v.doc, kindVariant, v.variant, false)
	v.variant++
}

// finish ends the product under way.
func (v *verifier) finish() {
	v.ready = v.current
	if v.doc != nil && len(v.doc.Units) > 1 && v.variant != len(v.doc.Units) {
		spoil(v.ready, indexer.PartUnits)
	}
	v.current, v.doc = nil, nil
}

// compare makes the fields of a document anew and spoils the parts that differ.
func (v *verifier) compare(raw json.RawMessage, d *indexer.Document, kind string, n int, base bool) {
	if kind == kindBoth {
		n = 0
	}
	v.enc.items, v.enc.ends, v.enc.w.b = v.enc.items[:0], v.enc.ends[:0], v.enc.w.b[:0]
	if n >= len(d.Units) || v.enc.add(d, kind, n, base) != nil {
		spoil(v.current, indexer.PartUnits)
		return
	}
	if bytes.Equal(v.enc.w.b, raw) {
		return
	}
	var have, want map[string]json.RawMessage
	if json.Unmarshal(raw, &have) != nil || json.Unmarshal(v.enc.w.b, &want) != nil {
		spoil(v.current, indexer.PartShown)
		return
	}
	parts := map[indexer.Part]bool{}
	for name := range want {
		if !bytes.Equal(have[name], want[name]) {
			parts[partOf(name)] = true
		}
	}
	for name := range have {
		if _, ok := want[name]; !ok {
			parts[partOf(name)] = true
		}
	}
	for p := range parts {
		spoil(v.current, p)
	}
}

// partOf says which part a field belongs to; several are of all parts of units.
func partOf(field string) indexer.Part {
	switch field {
	case "k", "ws", "wb", "x", "view", "sku":
		return indexer.PartShown
	case "nk", "nw", "cr", "sh":
		return indexer.PartSort
	case "c", "ck", "cv":
		return indexer.PartCategories
	case "as":
		return indexer.PartAttrs
	case "t":
		return indexer.PartWords
	case fieldPrices, fieldNext, "mk", "mv":
		return indexer.PartPrice
	case fieldInStock, "mo", "ei":
		return indexer.PartStock
	}
	if len(field) == 2 && (field[0] == 't' || field[0] == 's') && field[1] <= '5' {
		return indexer.PartWords
	}
	return indexer.PartUnits
}
