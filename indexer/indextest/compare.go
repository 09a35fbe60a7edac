package indextest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"catalog/catalog"
	"catalog/indexer"
)

// Compare asks both indexes n random queries and fails on the first answers
// that differ.
func Compare(t *testing.T, w *World, x, o indexer.Index, n int) {
	t.Helper()
	for range n {
		if !compare(t, w.Query(), x, o) {
			return
		}
	}
}

func compare(t *testing.T, q *indexer.Prepared, x, o indexer.Index) bool {
	t.Helper()
	want, err := o.Search(t.Context(), q)
	must(t, err)
	got, err := x.Search(t.Context(), q)
	if err != nil {
		t.Errorf("Search: %v\nquery %s", err, dump(q))
		return false
	}
	got.At, want.At = catalog.Cursor{}, catalog.Cursor{}
	if diff := Diff(got, want); diff != "" {
		t.Errorf("%s\nquery %s\n got %s\nwant %s", diff, dump(q), dump(got), dump(want))
		return false
	}
	return true
}

// Diff says what differs first between two answers; "" if nothing does.
func Diff(got, want *indexer.Result) string {
	switch {
	case got.Total != want.Total:
		return fmt.Sprintf("Total = %d, want %d", got.Total, want.Total)
	case got.Relaxed != want.Relaxed:
		return fmt.Sprintf("Relaxed = %q, want %q", got.Relaxed, want.Relaxed)
	case len(got.Hits) != len(want.Hits):
		return fmt.Sprintf("%d hits, want %d", len(got.Hits), len(want.Hits))
	case got.Next != want.Next:
		return fmt.Sprintf("Next = %s, want %s", cursor(got.Next), cursor(want.Next))
	}
	for i := range got.Hits {
		if got.Hits[i] != want.Hits[i] {
			return fmt.Sprintf("hit %d is %+v, want %+v", i, got.Hits[i], want.Hits[i])
		}
	}
	for i := range min(len(got.Facets), len(want.Facets)) {
		if !equal(got.Facets[i], want.Facets[i]) {
			return fmt.Sprintf("facet %d is\n %s, want\n %s", i, dump(got.Facets[i]), dump(want.Facets[i]))
		}
	}
	if len(got.Facets) != len(want.Facets) {
		return fmt.Sprintf("%d facets, want %d", len(got.Facets), len(want.Facets))
	}
	if !equal(got.Categories, want.Categories) {
		return fmt.Sprintf("Categories = %v, want %v", got.Categories, want.Categories)
	}
	return ""
}

// equal compares by value, an empty slice being a nil one.
func equal(a, b any) bool { return reflect.DeepEqual(a, b) || dump(a) == dump(b) }

func cursor(s string) string {
	if k, err := indexer.ParseKeyset(s); err == nil {
		return dump(k)
	}
	return s
}

func dump(v any) string {
	if q, ok := v.(*indexer.Prepared); ok {
		c := *q
		c.Facets.Labels = nil
		v = struct {
			*indexer.Prepared
			Facets any
		}{&c, struct {
			Names        []string
			Auto, Values int
			Children     []string
			Exclude      map[string]bool
		}{c.Facets.Names, c.Facets.Auto, c.Facets.Values, c.Facets.Children, c.Facets.Exclude}}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%+v", v)
	}
	if string(b) == "null" {
		return "[]"
	}
	return string(b)
}

// CompareDigests fails when the indexes do not hold the same documents.
func CompareDigests(t *testing.T, x, o indexer.Index) {
	t.Helper()
	h := indexer.NewDigester()
	read := func(x indexer.Index) map[string]indexer.Digest {
		m := map[string]indexer.Digest{}
		for d, err := range x.Digests(t.Context(), h) {
			must(t, err)
			if _, ok := m[d.SKU+"\x00"+d.View]; ok {
				t.Errorf("document %q of view %q is there twice", d.SKU, d.View)
			}
			m[d.SKU+"\x00"+d.View] = d
		}
		return m
	}
	got, want := read(x), read(o)
	for k, d := range got {
		e, ok := want[k]
		if !ok {
			t.Errorf("document %q of view %q should not be there", d.SKU, d.View)
			continue
		}
		for p := range indexer.NumParts {
			if d.Parts[p] != e.Parts[p] {
				t.Errorf("document %q of view %q: %v differ", d.SKU, d.View, p)
			}
		}
	}
	for k, d := range want {
		if _, ok := got[k]; !ok {
			t.Errorf("document %q of view %q is missing", d.SKU, d.View)
		}
	}
}
