package elasticindex

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"catalog/indexer"
)

// below walks into an answer.
func below(aggs map[string]json.RawMessage, path ...string) (json.RawMessage, error) {
	for i, name := range path {
		raw := aggs[name]
		if raw == nil || i == len(path)-1 {
			return raw, nil
		}
		aggs = nil
		if err := json.Unmarshal(raw, &aggs); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// Attributes implements indexer.Searcher.
func (x *Index) Attributes(ctx context.Context) ([]indexer.AttributeStats, error) {
	var list []indexer.AttributeStats
	err := x.search(ctx, &indexer.Prepared{}, true, func(ctx context.Context, s *session) (err error) {
		list, err = s.attributes(ctx)
		return err
	})
	return list, err
}

func (s *session) attributes(ctx context.Context) ([]indexer.AttributeStats, error) {
	stats := map[string]*indexer.AttributeStats{}
	comp := object{"size": maxWindow, "sources": []any{object{"v": object{"terms": object{"field": "as"}}}}}
	for {
		answers, err := s.run(ctx, object{
			"size": 0, "track_total_hits": false, "query": s.p.kinds(false), "aggs": object{"c": object{"composite": comp}},
		})
		if err != nil {
			return nil, err
		}
		buckets, err := compositeBuckets(answers[0].Aggs)
		if err != nil {
			return nil, err
		}
		for i := range buckets {
			name, kind, _ := strings.Cut(buckets[i].key(), sep)
			a := stats[name]
			if a == nil {
				a = &indexer.AttributeStats{Name: unescaper.Replace(name)}
				stats[name] = a
			}
			n := buckets[i].Count
			a.Products += n
			if kind == "n" || kind == "e" {
				a.Numbers += n
			}
			if kind == "d" || kind == "e" {
				a.Dates += n
			}
		}
		if len(buckets) < maxWindow {
			break
		}
		comp["after"] = object{"v": buckets[len(buckets)-1].key()}
	}
	list := make([]indexer.AttributeStats, 0, len(stats))
	for _, a := range stats {
		list = append(list, *a)
	}
	slices.SortFunc(list, func(a, b indexer.AttributeStats) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// Due implements indexer.Index.
func (x *Index) Due(ctx context.Context, now time.Time, limit int) ([]string, time.Time, error) {
	var skus []string
	var next time.Time
	err := x.search(ctx, &indexer.Prepared{}, true, func(ctx context.Context, s *session) (err error) {
		skus, next, err = s.due(ctx, now, limit)
		return err
	})
	return skus, next, err
}

func (s *session) due(ctx context.Context, now time.Time, limit int) ([]string, time.Time, error) {
	moment := now.UnixMilli()
	span := func(field, op string) object { return object{"range": object{field: object{op: moment}}} }
	least := func(field string) object {
		return object{"filter": span(field, "gt"), "aggs": object{"m": object{"min": object{"field": field}}}}
	}
	inner := nestedPrefix + fieldNext
	aggs := object{
		"f": least(fieldNext),
		"n": object{"nested": object{"path": "u"}, "aggs": object{"q": least(inner)}},
	}
	body := fromColumns(object{
		"query": all(s.p.kinds(false), anyOf(span(fieldNext, "lte"), nested(span(inner, "lte")))),
		"size":  min(limit, 1000), "sort": []any{object{"sku": "asc"}, object{"view": "asc"}},
		"track_total_hits": false, "aggs": aggs, "post_filter": everything(),
	})
	// The aggregations look at all documents, not at those that are due.
	due := body["query"]
	body["query"], body["post_filter"] = s.p.kinds(false), due
	var next time.Time
	seen := map[string]bool{}
	var skus []string
	for len(skus) < limit {
		answers, err := s.run(ctx, body)
		if err != nil {
			return nil, next, err
		}
		if body["aggs"] != nil {
			if next, err = leastOf(answers[0].Aggs); err != nil {
				return nil, next, err
			}
			delete(body, "aggs")
			delete(body, "post_filter")
			body["query"] = due
		}
		hits := answers[0].Hits.Hits
		for i := range hits {
			d, err := hits[i].Fields.document()
			if err != nil {
				return nil, next, err
			}
			for j := range d.Units {
				u := &d.Units[j]
				if n := u.Live.Next; !n.IsZero() && nextMillis(&u.Live) <= moment && !seen[u.SKU] && len(skus) < limit {
					seen[u.SKU] = true
					skus = append(skus, u.SKU)
				}
			}
		}
		if len(hits) < body["size"].(int) {
			break
		}
		body["search_after"] = hits[len(hits)-1].Sort[:2]
	}
	return skus, next, nil
}

// leastOf reads the least of the two minima.
func leastOf(aggs map[string]json.RawMessage) (time.Time, error) {
	var next time.Time
	for _, path := range [...][]string{{"f", "m"}, {"n", "q", "m"}} {
		raw, err := below(aggs, path...)
		if err != nil {
			return next, err
		}
		var m struct {
			Value *float64 `json:"value"`
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			return next, err
		}
		if m.Value == nil {
			continue
		}
		if t := time.UnixMilli(int64(*m.Value)).UTC(); next.IsZero() || t.Before(next) {
			next = t
		}
	}
	return next, nil
}

// Stats implements indexer.Index.
func (x *Index) Stats(ctx context.Context) (indexer.IndexStats, error) {
	s := indexer.IndexStats{Backend: "elasticsearch", Location: x.where + "/" + x.alias}
	at, err := x.Cursor(ctx)
	if err != nil {
		return s, err
	}
	s.Cursor = at
	ctx, leave, err := x.enter(ctx)
	if err != nil {
		return s, err
	}
	defer leave()
	g, err := x.current(ctx)
	if err != nil {
		return s, err
	}
	if err := x.show(ctx); err != nil {
		return s, err
	}
	s.Fingerprint = g.Fingerprint
	s.Extra = map[string]string{"generation": g.name}
	var counts struct {
		Aggs map[string]json.RawMessage `json:"aggregations"`
	}
	if err := x.read(ctx, "POST", "/"+g.name+"/_search", object{"size": 0, "aggs": object{
		"k": object{"terms": object{"field": "k"}},
		"n": object{"nested": object{"path": "u"}},
	}}, &counts); err != nil {
		return s, wrap(err, "count")
	}
	kinds, err := readBuckets(counts.Aggs["k"])
	if err != nil {
		return s, wrap(err, "count")
	}
	for i := range kinds {
		switch n := int64(kinds[i].Count); kinds[i].key() {
		case kindBoth:
			s.Documents += n
			s.Units += n
		case kindProduct:
			s.Documents += n
		}
	}
	var n bucket
	if err := json.Unmarshal(counts.Aggs["n"], &n); err != nil {
		return s, wrap(err, "count")
	}
	s.Units += int64(n.Count)
	var stats struct {
		All struct {
			Total struct {
				Store struct {
					Size int64 `json:"size_in_bytes"`
				} `json:"store"`
			} `json:"total"`
		} `json:"_all"`
	}
	err = x.read(ctx, "GET", "/"+g.name+"/_stats/store", nil, &stats)
	s.DiskBytes = stats.All.Total.Store.Size
	return s, wrap(err, "measure")
}
