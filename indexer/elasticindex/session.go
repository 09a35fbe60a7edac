package elasticindex

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// fromColumns asks for columns: sku, d, and more.
func fromColumns(body object, more ...string) object {
	body["_source"], body["stored_fields"], body["docvalue_fields"] = false, "_none_", append([]string{"sku", "d"}, more...)
	return body
}

// session is one call of a Searcher: a plan, and a snapshot if there is more
// than one request.
type session struct {
	x   *Index
	p   plan
	pit string
}

// search runs f with a session, once more when another generation was
// published or a snapshot went away meanwhile.
func (x *Index) search(ctx context.Context, q *indexer.Prepared, snapshot bool, f func(context.Context, *session) error) error {
	ctx, leave, err := x.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	for n := 0; ; n++ {
		err = x.searchOnce(ctx, q, snapshot, f)
		if !errors.Is(err, errGone) || n == 5 || catalog.Sleep(ctx, pause(n)/4) != nil {
			break
		}
	}
	if errors.Is(err, errGone) && ctx.Err() == nil {
		return indexer.ErrNoIndex
	}
	return wrap(x.ended(ctx, err), "search")
}

func (x *Index) searchOnce(ctx context.Context, q *indexer.Prepared, snapshot bool, f func(context.Context, *session) error) error {
	if err := x.readable(ctx); err != nil {
		return err
	}
	if err := x.show(ctx); err != nil {
		return err
	}
	scopes, err := x.scopes.known(ctx, q.Scopes)
	if err != nil {
		return err
	}
	s := &session{x: x, p: plan{q: q, scopes: scopes}}
	if snapshot {
		if err := s.open(ctx); err != nil {
			return err
		}
		defer s.close(ctx)
	}
	if err := s.boosted(ctx); err != nil {
		return err
	}
	return f(ctx, s)
}

// open takes a snapshot of the index, which all requests of the session see.
func (s *session) open(ctx context.Context) error {
	var answer struct {
		ID string `json:"id"`
	}
	err := s.x.read(ctx, http.MethodPost, "/"+s.x.alias+"/_pit?keep_alive=2m", nil, &answer)
	s.pit = answer.ID
	return err
}

// close gives the snapshot back; a caller need not wait for that.
func (s *session) close(ctx context.Context) {
	_, leave, err := s.x.enter(context.WithoutCancel(ctx))
	if err != nil {
		return // the index is being closed: the server forgets it in two minutes
	}
	go func() {
		defer leave()
		ctx, cancel := context.WithTimeout(s.x.ctx, 10*time.Second)
		defer cancel()
		// Should it fail, the server forgets the snapshot by itself.
		_ = s.x.do(ctx, request{method: http.MethodDelete, path: "/_pit", body: mustJSON(object{"id": s.pit}), timeout: s.x.o.SearchTimeout, patience: -1}, nil)
	}()
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return nil // maps of strings cannot fail
	}
	return b
}

// run sends searches, all in one request.
func (s *session) run(ctx context.Context, bodies ...object) ([]searchAnswer, error) {
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	enc.SetEscapeHTML(false)
	head := object{"allow_partial_search_results": false}
	if s.pit == "" {
		head["index"] = s.x.alias
	}
	for _, b := range bodies {
		if s.pit != "" {
			b["pit"] = object{"id": s.pit, "keep_alive": "2m"}
		}
		for _, v := range [...]object{head, b} {
			if err := enc.Encode(v); err != nil {
				return nil, fmt.Errorf("query: %w", err)
			}
		}
	}
	body, err := s.x.roundTrips(ctx, request{
		method: http.MethodPost, path: "/_msearch?filter_path=responses.status,responses.error,responses.hits.total,responses.hits.hits._source,responses.hits.hits.fields,responses.hits.hits.sort,responses.aggregations",
		body: lines.Bytes(), lines: true, timeout: s.x.o.SearchTimeout, patience: min(s.x.o.RetryFor, 2*time.Second),
	})
	if err != nil {
		return nil, err
	}
	answers, err := readAnswers(body)
	if err != nil {
		return nil, fmt.Errorf("answer to a search: %w", err)
	}
	if len(answers) != len(bodies) {
		return nil, fmt.Errorf("%d answers to %d searches", len(answers), len(bodies))
	}
	for i := range answers {
		if r := &answers[i]; r.Error != nil {
			return nil, newStatusError(r.Status, mustJSON(object{"error": r.Error}))
		}
	}
	return answers, nil
}

// cursorQuery asks for the cursor that the same snapshot has.
func cursorQuery() object {
	return object{"query": term("k", kindMeta), "size": 1, "track_total_hits": false}
}

func cursorOf(a *searchAnswer) (catalog.Cursor, error) {
	var m metaSource
	if len(a.Hits.Hits) == 0 {
		return catalog.Cursor{}, nil
	}
	err := json.Unmarshal(a.Hits.Hits[0].Source, &m)
	return m.cursor(), err
}

// boosted finds the products with several units that boosts hold for, where
// their variants are the hits.
func (s *session) boosted(ctx context.Context) error {
	q := s.p.q
	if !q.Variants || (q.Sort.By != indexer.SortRelevance && q.Sort.By != indexer.SortPosition) {
		return nil
	}
	whole := *q
	whole.Variants = false
	p := plan{q: &whole, scopes: s.p.scopes}
	for i := range q.Boosts {
		if len(q.Boosts[i].Filters) == 0 {
			continue
		}
		if s.p.boosted == nil {
			s.p.boosted = make([][]string, len(q.Boosts))
		}
		body := object{
			"size": maxWindow, "track_total_hits": false, "_source": false, "sort": []any{object{"dk": "asc"}},
			"query": all(append(p.seen(), term("k", kindProduct), p.boosting(i))...),
		}
		for {
			answers, err := s.run(ctx, body)
			if err != nil {
				return err
			}
			hits := answers[0].Hits.Hits
			for j := range hits {
				var key string
				if err := json.Unmarshal(hits[j].Sort[0], &key); err != nil {
					return err
				}
				s.p.boosted[i] = append(s.p.boosted[i], key)
			}
			if len(hits) < maxWindow {
				break
			}
			if len(s.p.boosted[i]) >= maxTerms {
				return fmt.Errorf("a boost for more than %d configurable products: %w", maxTerms, indexer.ErrQuery)
			}
			body["search_after"] = hits[len(hits)-1].Sort[:1]
		}
	}
	return nil
}
