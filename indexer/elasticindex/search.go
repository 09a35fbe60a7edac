package elasticindex

import (
	"context"
	"encoding/json"
	"slices"

	"catalog/indexer"
)

// Search implements indexer.Searcher.
func (x *Index) Search(ctx context.Context, q *indexer.Prepared) (*indexer.Result, error) {
	var r *indexer.Result
	large := q.Size > maxWindow || q.After == nil && q.Offset+q.Size > maxWindow
	snapshot := large || len(q.Facets.Names) > 0 || q.Facets.Auto > 0
	err := x.search(ctx, q, snapshot, func(ctx context.Context, s *session) (err error) {
		r, err = s.search(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// page is what a query's page is made of.
type page struct {
	hits  []found
	total int
	more  bool
	aggs  map[string]json.RawMessage
	order order
	off   int // of scores
}

func (s *session) search(ctx context.Context) (*indexer.Result, error) {
	q := s.p.q
	var a attempt
	if q.After != nil {
		a.relaxed = q.After.Relaxed
	}
	first := a
	wanted := s.samplesWanted()
	samples := samples{}
	pg, rest, err := s.page(ctx, a, append([]object{cursorQuery()}, s.sampleQueries(a, wanted)...)...)
	if err != nil {
		return nil, err
	}
	r := &indexer.Result{Sort: q.Sort}
	if r.At, err = cursorOf(&rest[0]); err != nil {
		return nil, err
	}
	if pg.total == 0 && len(q.Words) > 0 {
		if pg, a, err = s.relax(ctx, pg, a); err != nil {
			return nil, err
		}
	}
	r.Total, r.Relaxed = pg.total, a.relaxed
	if err := s.hits(r, pg, a); err != nil {
		return nil, err
	}
	if r.Categories, err = s.categories(pg); err != nil {
		return nil, err
	}
	if len(wanted) == 0 {
		return r, nil
	}
	if a.relaxed != first.relaxed || a.typos != nil { // the samples were of another attempt
		if rest, err = s.run(ctx, s.sampleQueries(a, wanted)...); err != nil {
			return nil, err
		}
	} else {
		rest = rest[1:]
	}
	for i, key := range wanted {
		if samples[key], err = decodeSample(&rest[i]); err != nil {
			return nil, err
		}
	}
	r.Facets, err = s.facets(ctx, a, samples)
	return r, err
}

// relax goes on when no document was hit: first by typos in words that nobody
// uses, then further.
func (s *session) relax(ctx context.Context, pg *page, a attempt) (*page, attempt, error) {
	q := s.p.q
	typos, any, err := s.unknown(ctx)
	if err != nil {
		return nil, a, err
	}
	if a.relaxed == indexer.RelaxedNot && any {
		a.typos = typos
		if pg, _, err = s.page(ctx, a); err != nil {
			return nil, a, err
		}
	}
	at := a
	for q.After == nil && pg.total == 0 && at.relaxed < indexer.RelaxedAny {
		at.relaxed++
		if pg, _, err = s.page(ctx, at); err != nil {
			return nil, a, err
		}
	}
	if pg.total == 0 {
		at.relaxed, at.typos = indexer.RelaxedNot, typos
	}
	return pg, at, nil
}

// unknown says of each word whether no document that the store's search sees
// has it without a typo.
func (s *session) unknown(ctx context.Context) (typos []bool, any bool, err error) {
	q := s.p.q
	bodies := make([]object, len(q.Words))
	for i := range q.Words {
		bodies[i] = object{
			"size": 0, "track_total_hits": 1, "terminate_after": 1,
			"query": all(s.p.kinds(false), term("ws", q.Store), word(&q.Words[i], false, false)),
		}
	}
	answers, err := s.run(ctx, bodies...)
	if err != nil {
		return nil, false, err
	}
	typos = make([]bool, len(q.Words))
	for i := range answers {
		typos[i] = answers[i].Hits.Total.Value == 0
		any = any || typos[i]
	}
	return typos, any, nil
}

// query returns the conditions of hits, the filters of one field excepted.
func (s *session) query(a attempt, variants bool, except string, attr bool) []any {
	list := append([]any{s.p.kinds(variants)}, s.p.seen()...)
	return append(list, s.p.someUnit(s.p.filters(except, attr), variants)...)
}

// pageQuery returns the search for a page, but not where it begins.
func (s *session) pageQuery(a attempt) (object, *page) {
	q := s.p.q
	pg := &page{order: s.p.order()}
	b := object{"filter": s.query(a, q.Variants, "", false)}
	var scores []any
	if len(q.Words) > 0 {
		if pg.order.text {
			scores = append(scores, s.p.text(a, true))
			b["must"] = scores[:1:1]
		} else {
			b["filter"] = append(b["filter"].([]any), s.p.text(a, false))
		}
	}
	if pg.order.scoring {
		var boosts []any
		boosts, pg.off = s.p.boosts()
		if len(boosts) > 0 {
			b["should"], b["minimum_should_match"] = boosts, 0
		}
	}
	body := object{"query": object{"bool": b}, "sort": pg.order.sort, "track_total_hits": true}
	if len(q.Words) > 0 { // the score is computed of them
		body["_source"] = withWords
		return body, pg
	}
	if q.Sort.By == indexer.SortName { // the page behind begins with a key
		return fromColumns(body, "nk"), pg
	}
	return fromColumns(body), pg
}

// page searches for the page that is asked for. more are searches that go along.
func (s *session) page(ctx context.Context, a attempt, more ...object) (*page, []searchAnswer, error) {
	q := s.p.q
	body, pg := s.pageQuery(a)
	if n := len(q.Facets.Children); n > 0 {
		body["aggs"] = object{"c": object{"terms": object{"field": "c", "size": n, "include": q.Facets.Children}}}
	}
	skip, size := q.Offset, q.Size
	if q.After != nil {
		skip, size = 0, q.Size+1
		body["search_after"] = pg.order.after(q.Sort, &q.After.Key, pg.off)
	}
	from := skip
	if skip+size > maxWindow+1 {
		from = 0 // what was skipped is read and thrown away
	} else if from > 0 {
		body["from"] = from
	}
	chunk := min(maxWindow+1, skip-from+size)
	body["size"] = chunk
	answers, err := s.run(ctx, append([]object{body}, more...)...)
	if err != nil {
		return nil, nil, err
	}
	first := &answers[0]
	pg.total, pg.aggs = first.Hits.Total.Value, first.Aggs
	pg.hits = first.Hits.Hits
	delete(body, "aggs")
	delete(body, "from")
	last := pg.hits
	for len(last) > 0 && len(last) == chunk && len(pg.hits) < skip-from+size {
		body["search_after"] = last[len(last)-1].Sort[:len(pg.order.sort)]
		body["track_total_hits"] = false
		next, err := s.run(ctx, body)
		if err != nil {
			return nil, nil, err
		}
		last = next[0].Hits.Hits
		pg.hits = append(pg.hits, last...)
	}
	pg.hits = pg.hits[min(skip-from, len(pg.hits)):]
	if q.After != nil {
		pg.more = len(pg.hits) > q.Size
	} else {
		pg.more = skip+q.Size < pg.total
	}
	pg.hits = pg.hits[:min(q.Size, len(pg.hits))]
	return pg, answers[1:], nil
}

// hits turns what the engine found into hits.
func (s *session) hits(r *indexer.Result, pg *page, a attempt) error {
	q := s.p.q
	for i := range pg.hits {
		h, err := s.hit(&pg.hits[i], a)
		if err != nil {
			return err
		}
		r.Hits = append(r.Hits, q.HitOf(h.doc, h.unit, h.score))
		if i < len(pg.hits)-1 || !pg.more {
			continue
		}
		key := q.KeyOf(h.doc, h.unit, h.score)
		if n := slices.Index(pg.order.keys, keyPoints); n >= 0 {
			// A variant does not know whether its siblings are boosted.
			var points float64
			if err := json.Unmarshal(pg.hits[i].Sort[n], &points); err != nil {
				return err
			}
			key.Points = int(points) - pg.off
		}
		r.Next = (&indexer.Keyset{Sort: q.Sort, Key: key, Relaxed: a.relaxed}).String()
	}
	return nil
}

func (s *session) hit(f *found, a attempt) (h hit, err error) {
	q := s.p.q
	if len(q.Words) > 0 {
		var src *source
		if h.doc, src, err = decode(f.Source); err != nil {
			return h, err
		}
		h.score = score(q, h.doc, src, a)
	} else if h.doc, err = f.Fields.document(); err != nil {
		return h, err
	}
	if q.Variants && len(h.doc.Units) == 1 {
		h.unit = &h.doc.Units[0]
	}
	return h, nil
}

// categories reads the counts of the children.
func (s *session) categories(pg *page) ([]indexer.CategoryCount, error) {
	if pg.aggs["c"] == nil {
		return nil, nil
	}
	counts, err := readBuckets(pg.aggs["c"])
	if err != nil {
		return nil, err
	}
	n := map[string]int{}
	for i := range counts {
		n[counts[i].key()] = counts[i].Count
	}
	var out []indexer.CategoryCount
	for _, id := range s.p.q.Facets.Children {
		if n[id] > 0 {
			out = append(out, indexer.CategoryCount{ID: id, Count: n[id]})
		}
	}
	return out, nil
}

// hit is a document, or a unit of it, that is a hit.
type hit struct {
	doc   *indexer.Document
	unit  *indexer.Unit // set where hits are variants
	score int
}

// Rank implements indexer.Searcher. It reads the hits' keys in their order, so
// it takes time in proportion to the place.
func (x *Index) Rank(ctx context.Context, q *indexer.Prepared, sku string) (int, error) {
	whole := *q
	whole.Offset, whole.Size, whole.After, whole.Facets = 0, 1, nil, indexer.PreparedFacets{Labels: q.Facets.Labels}
	place := 0
	err := x.search(ctx, &whole, true, func(ctx context.Context, s *session) error {
		var err error
		place, err = s.rank(ctx, sku)
		return err
	})
	return place, err
}

func (s *session) rank(ctx context.Context, sku string) (int, error) {
	pg, _, err := s.page(ctx, attempt{})
	if err != nil {
		return 0, err
	}
	var a attempt
	if pg.total == 0 && len(s.p.q.Words) > 0 {
		if pg, a, err = s.relax(ctx, pg, a); err != nil {
			return 0, err
		}
	}
	if pg.total == 0 {
		return 0, nil
	}
	body, pg := s.pageQuery(a)
	delete(body, "docvalue_fields")
	body["_source"], body["track_total_hits"], body["size"] = false, false, maxWindow
	for before := 0; ; {
		answers, err := s.run(ctx, body)
		if err != nil {
			return 0, err
		}
		hits := answers[0].Hits.Hits
		for i := range hits {
			var got string
			if err := json.Unmarshal(hits[i].Sort[len(pg.order.sort)-1], &got); err != nil {
				return 0, err
			}
			if got == sku {
				return before + i + 1, nil
			}
		}
		if len(hits) < maxWindow {
			return 0, nil
		}
		before += len(hits)
		body["search_after"] = hits[len(hits)-1].Sort[:len(pg.order.sort)]
	}
}
