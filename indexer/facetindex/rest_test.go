package facetindex

import (
	"errors"
	"slices"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/indexer/facetindex/internal/segment"
	"catalog/indexer/indextest"
)

// TestSmall: what is merged when nothing changes.
func TestSmall(t *testing.T) {
	for _, c := range []struct{ docs, want []int }{
		{nil, nil},
		{[]int{5}, nil},
		{[]int{100, 10}, nil},
		{[]int{10, 100}, nil},
		{[]int{10, 15}, []int{10, 15}},
		{[]int{10, 20}, nil},
		{[]int{1900, 2, 31, 10, 7, 8}, []int{2, 7, 8, 10, 31}},
		{[]int{1900, 31, 3}, nil},
		{[]int{50, 31, 3}, []int{3, 31, 50}},
		{[]int{1000, 60, 50, 20, 1}, []int{1, 20, 50, 60}},
	} {
		var parts []*part
		for _, n := range c.docs {
			parts = append(parts, &part{seg: &segment.Segment{Docs: n}})
		}
		var got []int
		for _, i := range small(parts) {
			got = append(got, c.docs[i])
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("of %v are merged %v, want %v", c.docs, got, c.want)
		}
	}
}

// TestRest changes documents in small steps, each durable; then nothing changes,
// and few segments are left, which say the same.
func TestRest(t *testing.T) {
	ctx := t.Context()
	w, o := indextest.NewWorld(indextest.Seed(t)), indextest.NewOracle()
	x := opened(t, t.TempDir(), &Options{manual: true})
	b, err := x.Build(ctx, "fp")
	if err != nil {
		t.Fatal(err)
	}
	at := catalog.Cursor{Epoch: "e", Seq: 1}
	if err := b.Publish(ctx, at); err != nil {
		t.Fatal(err)
	}
	for i, n := range []int{300, 10, 20, 5, 30} {
		var ops []indexer.Op
		for k := range n {
			ops = append(ops, w.Op(1000*i+k))
		}
		at.Seq++
		if err := errors.Join(x.Apply(ctx, ops, at), o.Apply(ctx, ops, at), x.Sync(ctx)); err != nil {
			t.Fatal(err)
		}
	}
	before := len(x.parts)
	if err := x.flush(false); err != nil {
		t.Fatal(err)
	}
	if before < 4 || len(x.parts) != before {
		t.Fatalf("%d segments, and %d before anything rests", before, len(x.parts))
	}
	x.opts.rest = time.Nanosecond
	if err := x.flush(false); err != nil {
		t.Fatal(err)
	}
	if n := len(x.parts); n > 2 {
		t.Errorf("%d of %d segments are left", n, before)
	}
	indextest.CompareDigests(t, x, o)
	left := x.parts
	if err := x.flush(false); err != nil || !slices.Equal(left, x.parts) {
		t.Errorf("they are merged again, %v", err)
	}
}
