package elasticindex_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"catalog/indexer"
	"catalog/indexer/elasticindex"
	"catalog/indexer/indextest"
)

// strange is a name that means something in queries, keys and expressions.
const strange = "a.b*[\"\\x\x01\x02|(é"

// many returns more products than one request reaches, with more values of one
// attribute than one request counts.
func many(n int) []indexer.Op {
	list := make([]indexer.Op, n)
	for i := range list {
		sku := fmt.Sprintf("M-%05d", i)
		d := &indexer.Document{
			SKU: sku, Stores: []string{"en"}, Search: true, Browse: true, Created: int64(i % 97),
			Words: []indexer.Word{{Token: indexer.Token{Term: "thing", Stem: "en:thing"}, Class: indexer.ClassName}},
			Attrs: []indexer.Attr{
				{Name: strange, Values: []indexer.Value{{Text: strange + strconv.Itoa(i%2500)}}},
				{Name: "kind", Values: []indexer.Value{{Text: strconv.Itoa(i % 3), Num: float64(i % 3), Type: indexer.Number}}},
			},
			Units: []indexer.Unit{{SKU: sku, Live: indexer.Live{InStock: i%2 == 0}}},
		}
		if i%4 == 0 {
			for _, suffix := range []string{"-a", "-b"} {
				d.Units = append(d.Units, indexer.Unit{SKU: sku + suffix, Live: indexer.Live{InStock: true}})
			}
		}
		list[i] = indexer.Op{SKU: sku, Docs: []*indexer.Document{d}}
	}
	return list
}

// TestMany asks for more hits and more values than the server gives at once.
func TestMany(t *testing.T) {
	const n = 11_500
	x := open(t, server(t), "", elasticindex.Options{})
	defer x.Close()
	o := indextest.NewOracle()
	build(t, many(n), 1, x, o)
	same := func(q *indexer.Prepared) {
		t.Helper()
		got, err := x.Search(t.Context(), q)
		must(t, err)
		want, err := o.Search(t.Context(), q)
		must(t, err)
		got.At = want.At
		if d := indextest.Diff(got, want); d != "" {
			t.Errorf("%.500s", d)
		}
	}
	for _, q := range []*indexer.Prepared{
		{Size: 20_000, Sort: indexer.Sort{By: indexer.SortNewest, Desc: true}},
		{Size: 20_000, Variants: true, Sort: indexer.Sort{By: indexer.SortNewest}},
		{Size: 10, Offset: 11_000, Sort: indexer.Sort{By: indexer.SortRelevance}},
		{Size: 10, Offset: 9_999, Sort: indexer.Sort{By: indexer.SortRelevance}},
		{Size: 10, Facets: indexer.PreparedFacets{Names: []string{strange}, Auto: 3, Values: 2000}, Sort: indexer.Sort{By: indexer.SortRelevance}},
		{
			Size: 10, Facets: indexer.PreparedFacets{Names: []string{strange}, Values: 10}, Sort: indexer.Sort{By: strange},
			Filters: []indexer.Filter{{Field: strange, Values: []string{strange + "7"}}, {Field: "in_stock", Values: []string{"true"}}},
		},
		{Size: 10, Variants: true, Facets: indexer.PreparedFacets{Names: []string{strange}, Values: 10}, Sort: indexer.Sort{By: "kind"}},
	} {
		q.Store, q.Facets.Labels = "en", indextest.Labels
		same(q)
		// The page behind it, with the same facets.
		r, err := o.Search(t.Context(), q)
		must(t, err)
		if r.Next != "" {
			next := *q
			next.After, err = indexer.ParseKeyset(r.Next)
			must(t, err)
			same(&next)
		}
	}
	q := &indexer.Prepared{Store: "en", Size: 1, Sort: indexer.Sort{By: indexer.SortNewest}, Facets: indexer.PreparedFacets{Labels: indextest.Labels}}
	for _, sku := range []string{"M-00000", "M-11499", "nobody"} {
		want, err := o.Rank(t.Context(), q, sku)
		must(t, err)
		if got, err := x.Rank(t.Context(), q, sku); err != nil || got != want {
			t.Errorf("Rank of %s = %d, %v; want %d", sku, got, err, want)
		}
	}
	stats, err := x.Stats(t.Context())
	must(t, err)
	ref, err := o.Stats(t.Context())
	must(t, err)
	if stats.Documents != ref.Documents || stats.Units != ref.Units || stats.DiskBytes <= 0 || stats.Cursor != at(1) {
		t.Errorf("Stats = %+v, want %d documents with %d units", stats, ref.Documents, ref.Units)
	}
	attrs, err := x.Attributes(t.Context())
	must(t, err)
	want, err := o.Attributes(t.Context())
	must(t, err)
	if !slices.Equal(attrs, want) {
		t.Errorf("Attributes = %v, want %v", attrs, want)
	}
}

// TestOtherProcess looks at an index through another one's eyes: what Apply
// made visible, is; a scope of prices that is new, within a second.
func TestOtherProcess(t *testing.T) {
	url := server(t)
	writer := open(t, url, "", elasticindex.Options{})
	defer writer.Close()
	n, _ := names.Load(writer)
	reader := open(t, url, n.(string), elasticindex.Options{})
	defer reader.Close()
	product := func(group string) indexer.Op {
		p := indexer.Price{Scope: indexer.Scope{Currency: "EUR", Group: group}, Amount: 50_000, Regular: 50_000}
		return indexer.Op{SKU: "A", Docs: []*indexer.Document{{
			SKU: "A", Stores: []string{"en"}, Search: true, Browse: true,
			Units: []indexer.Unit{{SKU: "A", Live: indexer.Live{InStock: true, Prices: []indexer.Price{p}}}},
		}}}
	}
	query := func(group string) int {
		t.Helper()
		five := 5.0
		r, err := reader.Search(t.Context(), &indexer.Prepared{
			Store: "en", Size: 1, Scopes: []indexer.Scope{{Currency: "EUR", Group: group}}, Sort: indexer.Sort{By: indexer.SortPrice},
			Filters: []indexer.Filter{{Field: indexer.FieldPrice, Ranges: []indexer.Range{{From: &five, To: &five}}}},
			Facets:  indexer.PreparedFacets{Labels: indextest.Labels},
		})
		must(t, err)
		return r.Total
	}
	build(t, []indexer.Op{product("one")}, 1, writer)
	if n := query("one"); n != 1 {
		t.Errorf("another process finds %d, want 1", n)
	}
	if n := query("two"); n != 0 {
		t.Errorf("another process finds %d of a group without prices", n)
	}
	must(t, writer.Apply(t.Context(), []indexer.Op{product("two")}, at(2)))
	for end := time.Now().Add(3 * time.Second); query("two") != 1; {
		if time.Now().After(end) {
			t.Fatal("another process does not learn of a new group")
		}
	}
	if n := query("one"); n != 0 {
		t.Errorf("another process finds %d of a group that has no price now", n)
	}
	// A new generation, while the reader still knows the old one.
	build(t, []indexer.Op{product("three")}, 3, writer)
	for end := time.Now().Add(3 * time.Second); query("three") != 1; {
		if time.Now().After(end) {
			t.Fatal("another process does not see the new generation")
		}
	}
}
