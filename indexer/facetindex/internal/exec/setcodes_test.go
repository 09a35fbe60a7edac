package exec

import (
	"bytes"
	"slices"
	"testing"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/segment"
	"catalog/indexer/indextest"
)

// TestSetsOf finds sets by the documents that have them, and compares them with
// those found among all sets.
func TestSetsOf(t *testing.T) {
	w := indextest.NewWorld(11)
	b := segment.NewBuilder()
	for i := range 800 {
		for _, d := range w.Op(i).Docs {
			b.Add(d)
		}
	}
	var file bytes.Buffer
	if _, err := b.Write(&file); err != nil {
		t.Fatal(err)
	}
	sg, err := segment.Open(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	s := &seg{View: &View{Seg: sg}}
	tried, found := 0, 0
	for a := range sg.AttrNames.Len() {
		f, err := sg.Field(a)
		if err != nil {
			t.Fatal(err)
		}
		if !f.Plain() {
			continue
		}
		for v := range uint32(f.Texts.Len()) {
			texts := map[uint32]bool{v: true}
			if v > 0 && v%3 == 0 {
				texts[v-1] = true
			}
			got, ok, err := s.setsOf(f, texts, sg.Docs*2)
			if err != nil {
				t.Fatal(err)
			}
			text := true
			var alone []uint32
			for k := range texts {
				text = text && f.Type(k) == indexer.Text
				alone = append(alone, k+1)
			}
			if ok != text {
				t.Fatalf("%q: found by documents: %v, want %v", sg.AttrName(a), ok, text)
			}
			if !ok {
				continue
			}
			tried++
			found += len(got)
			slices.Sort(alone)
			want := f.SetsWith(slices.Clone(alone), texts)
			got = append(got, alone...)
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, want) {
				t.Fatalf("%q: the sets with %q are %d, want %d", sg.AttrName(a), f.Texts.String(int(v)), got, want)
			}
			if _, ok, err := s.setsOf(f, texts, -1); ok || err != nil {
				t.Fatalf("%q: more documents than none are looked at: %v", sg.AttrName(a), err)
			}
		}
	}
	if tried == 0 || found == 0 {
		t.Errorf("%d texts in %d sets show nothing", tried, found)
	}
}
