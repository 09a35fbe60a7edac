package segment

import (
	"bytes"
	"testing"

	"catalog/indexer"
	"catalog/indexer/indextest"
)

// TestTogether writes a segment that is large enough for two goroutines, and
// merges it with itself.
func TestTogether(t *testing.T) {
	w := indextest.NewWorld(2)
	b := NewBuilder()
	want := map[string]int{} // rows by document
	for i := 0; b.Docs() < together+500; i++ {
		op := w.Op(i)
		for _, d := range op.Docs {
			b.Add(d)
			want[d.Key()] = len(d.Units)
		}
	}
	b.Remove(indextest.SKU(3))
	for _, view := range []string{"", "de", "en", "fr"} {
		delete(want, (&indexer.Document{SKU: indextest.SKU(3), View: view}).Key())
	}
	check := func(file []byte) *Segment {
		s, err := Open(file)
		if err != nil {
			t.Fatal(err)
		}
		if s.Docs != len(want) {
			t.Errorf("%d documents, want %d", s.Docs, len(want))
		}
		for doc := range uint32(s.Docs) {
			key := (&indexer.Document{SKU: s.SKUs.String(int(s.DocSKU.At(int(doc)))), View: s.ViewOf(doc)}).Key()
			if rows := int(s.First.At(int(doc)+1) - s.First.At(int(doc))); rows != want[key] {
				t.Fatalf("%q has %d rows, want %d", key, rows, want[key])
			}
		}
		return s
	}
	var one, two bytes.Buffer
	live, err := b.Write(&one)
	if err != nil {
		t.Fatal(err)
	}
	s := check(one.Bytes())
	if _, err := Merge(&two, []Input{{Segment: s, Live: live}, {Segment: s, Live: live}}); err != nil {
		t.Fatal(err)
	}
	check(two.Bytes())
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("a segment merged with itself is another")
	}
}
