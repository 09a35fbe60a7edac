package storefront

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// waiting returns what has to happen before the server can serve.
func (s *Server) waiting(ctx context.Context) []string {
	if s.stopping.Load() {
		return []string{"the server is stopping"}
	}
	var out []string
	if _, err := s.store.Tail(ctx); err != nil {
		out = append(out, "the store does not answer")
	}
	if x := s.opts.Index; x != nil {
		switch _, err := x.Cursor(ctx); {
		case errors.Is(err, indexer.ErrNoIndex):
			text := "the search index is being built"
			if f, err := indexer.ReadStatus(ctx, s.store, s.opts.IndexName); err == nil && f.Built > 0 {
				text = fmt.Sprintf("%s: %d products so far", text, f.Built)
			}
			return append(out, text)
		case err != nil:
			return append(out, "the search index does not answer")
		}
		f, err := indexer.ReadStatus(ctx, s.store, s.opts.IndexName)
		switch lag := time.Duration(f.Lag * float64(time.Second)); {
		case errors.Is(err, catalog.ErrNotFound):
		case err != nil:
			out = append(out, "the state of the search index cannot be read")
		case f.Behind > 0 && lag > s.opts.MaxLag:
			out = append(out, fmt.Sprintf("the search index is %d changes and %s behind, more than %s", f.Behind, lag.Round(time.Second), s.opts.MaxLag))
		}
	}
	if !s.warmed.Load() {
		out = append(out, "the first queries have not been answered yet")
	}
	return out
}

// warm asks what shoppers ask, until it is answered: then the shop's settings
// are known, and the index's files are in memory.
func (s *Server) warm() {
	wait := 100 * time.Millisecond
	for !s.warmOnce() {
		select {
		case <-s.done.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, 2*time.Second)
	}
	s.warmed.Store(true)
}

// warmQueries bounds the category pages that are asked for.
const warmQueries = 10

func (s *Server) warmOnce() bool {
	ctx, cancel := context.WithTimeout(s.done, time.Minute)
	defer cancel()
	st, err := s.shopNow(ctx)
	if err != nil {
		return false
	}
	v := st.Stores.Default()
	root, err := s.trees.get(ctx, s, v)
	if err != nil {
		return false
	}
	list := root.Children
	for i := 0; i < len(list) && len(list) < warmQueries; i++ {
		list = append(list[:len(list):len(list)], list[i].Children...)
	}
	for _, n := range list[:min(len(list), warmQueries)] {
		q := indexer.Query{View: indexer.View{Store: v.Code}, Category: n.ID, Facets: indexer.Facets{Auto: autoFacets, Values: facetValues}}
		res, err := s.engine.Search(ctx, q)
		if errors.Is(err, indexer.ErrQuery) {
			continue // the category is gone again
		}
		if err != nil {
			return false
		}
		if _, _, err := s.hitRecords(ctx, res.Hits); err != nil {
			return false
		}
	}
	return true
}

func (s *Server) livez(a *answer, _ *request) error {
	a.body = append(a.body, `{"status":"ok"}`...)
	return nil
}

func (s *Server) readyz(a *answer, r *request) error {
	ctx, cancel := context.WithTimeout(r.Context(), statusTimeout)
	defer cancel()
	waiting := s.waiting(ctx)
	if len(waiting) == 0 {
		a.body = append(a.body, `{"status":"ok"}`...)
		return nil
	}
	a.status = http.StatusServiceUnavailable
	state := `{"status":"waiting","waiting":`
	if s.stopping.Load() {
		state = `{"status":"stopping","waiting":`
	}
	a.body = append(appendStrings(append(a.body, state...), waiting), '}')
	return nil
}
