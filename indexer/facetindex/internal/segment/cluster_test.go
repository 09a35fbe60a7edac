package segment

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"catalog/indexer/facetindex/internal/live"
	"catalog/indexer/indextest"
)

// builtOf writes a segment of the products of a world.
func builtOf(t *testing.T, w *indextest.World, n int) (*Segment, *live.Columns) {
	t.Helper()
	b := NewBuilder()
	for i := range n {
		for _, d := range w.Op(i).Docs {
			b.Add(d)
		}
	}
	var file bytes.Buffer
	cols, err := b.Write(&file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return s, cols
}

// findAll looks for every product of a new world in a segment.
func findAll(t *testing.T, s *Segment, w *indextest.World, n int) {
	t.Helper()
	total := 0
	for i := range n {
		op := w.Op(i)
		lo, hi := s.Find(op.SKU)
		if int(hi-lo) != len(op.Docs) {
			t.Fatalf("%q has %d documents, want %d", op.SKU, hi-lo, len(op.Docs))
		}
		total += len(op.Docs)
		for doc := lo; doc < hi; doc++ {
			if sku := s.SKUs.String(int(s.DocSKU.At(int(doc)))); sku != op.SKU {
				t.Errorf("document %d of %q is of %q", doc, op.SKU, sku)
			}
		}
	}
	if lo, hi := s.Find("no such SKU"); lo != hi {
		t.Errorf("what is not there has %d documents", hi-lo)
	}
	if s.Docs != total {
		t.Errorf("%d documents, want %d", s.Docs, total)
	}
}

// TestCluster wants products of the same categories next to each other, those
// that are in the same ones in the order of SKUs, and all of them to be found.
func TestCluster(t *testing.T) {
	const n = 600
	s, cols := builtOf(t, indextest.NewWorld(7), n)
	findAll(t, s, indextest.NewWorld(7), n)
	var before []string
	lastSKU, many := int64(-1), map[uint32]int{}
	for doc := range uint32(s.Docs) {
		if s.DocSKU.At(int(doc)) == lastSKU {
			continue // all documents of a product are where its first one is
		}
		code := s.Cats.Any.Get(doc)
		cats := []string{}
		for _, v := range s.Cats.Append(nil, code) {
			cats = append(cats, s.Cats.Texts.String(int(s.Cats.Text(v))))
		}
		slices.Sort(cats)
		cats = slices.Compact(cats)
		switch c := slices.Compare(before, cats); {
		case c > 0:
			t.Fatalf("document %d, of %q, is behind %q", doc, cats, before)
		case c == 0 && s.DocSKU.At(int(doc)) <= lastSKU:
			t.Fatalf("document %d, of %q, is not in the order of SKUs", doc, cats)
		}
		before, lastSKU = cats, s.DocSKU.At(int(doc))
		many[code]++
	}
	if len(many) < 3 || len(many) == n {
		t.Errorf("%d products in %d sets of categories show nothing", n, len(many))
	}

	// Merged with others, there is one order again.
	var file bytes.Buffer
	rest, restLive := builtOf(t, indextest.NewWorld(8), 50)
	gone := func(doc uint32) bool { // what the other segment has, too
		lo, hi := rest.Find(s.SKUs.String(int(s.DocSKU.At(int(doc)))))
		return lo < hi
	}
	if _, err := Merge(&file, []Input{{Segment: s, Live: cols, Dead: gone}, {Segment: rest, Live: restLive}}); err != nil {
		t.Fatal(err)
	}
	both, err := Open(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for doc := range uint32(both.Docs) {
		sku := both.SKUs.String(int(both.DocSKU.At(int(doc))))
		if lo, hi := both.Find(sku); doc < lo || doc >= hi {
			t.Fatalf("document %d of %q is not from %d to %d", doc, sku, lo, hi)
		}
	}
}

// TestVersion2 reads a file of a version in which documents were in the order of
// SKUs, and merges it.
func TestVersion2(t *testing.T) {
	file, err := os.ReadFile("testdata/version2.seg")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	findAll(t, s, indextest.NewWorld(2), 40)
	w := indextest.NewWorld(2)
	var merged, want bytes.Buffer
	b := NewBuilder()
	for i := range 40 {
		for _, d := range w.Op(i).Docs {
			b.Add(d)
		}
	}
	cols, err := b.Write(&want)
	if err != nil {
		t.Fatal(err)
	}
	// Live data is not in the file: any of as many rows does.
	if _, err := Merge(&merged, []Input{{Segment: s, Live: cols}}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(merged.Bytes(), want.Bytes()) {
		t.Error("a file of version 2 that was merged is not what is written of its documents")
	}
}
