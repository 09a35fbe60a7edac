package facetindex

import (
	"errors"
	"os"
	"slices"
	"testing"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/indexer/indextest"
)

// TestLargeBuild builds and merges so many documents that parts of a segment
// are kept in a file of their own, of which nothing must be left.
func TestLargeBuild(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	w, o := indextest.NewWorld(indextest.Seed(t)), indextest.NewOracle()
	x := opened(t, dir, &Options{manual: true})
	b, err := x.Build(ctx, "fp")
	if err != nil {
		t.Fatal(err)
	}
	op := func(i int) indexer.Op {
		op := w.Op(i)
		op.Docs = op.Docs[:min(1, len(op.Docs))]
		return op
	}
	const docs = 10_200
	at := catalog.Cursor{Epoch: "e", Seq: 1}
	n := 0
	for i := 0; n < docs; i++ {
		ops := []indexer.Op{op(i)}
		n += len(ops[0].Docs)
		if err := errors.Join(b.Apply(ctx, ops), o.Apply(ctx, ops, at)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Publish(ctx, at); err != nil {
		t.Fatal(err)
	}
	indextest.CompareDigests(t, x, o)
	var gone []indexer.Op // so many that the segment is merged
	for i := range 4500 {
		gone = append(gone, indexer.Op{SKU: indextest.SKU(i)})
	}
	at.Seq++
	if err := errors.Join(x.Apply(ctx, gone, at), o.Apply(ctx, gone, at), x.Sync(ctx)); err != nil {
		t.Fatal(err)
	}
	indextest.CompareDigests(t, x, o)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	named := []string{manifestName, lockName, x.journal.name}
	for _, p := range x.parts {
		named = append(named, p.name, p.liveName)
	}
	for _, e := range entries {
		if !slices.Contains(named, e.Name()) {
			t.Errorf("%s is left", e.Name())
		}
	}
}
