package facetindex

import (
	"errors"
	"testing"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/indexer/indextest"
)

func FuzzManifest(f *testing.F) {
	m := &manifest{
		Fingerprint: "fp", Cursor: catalog.Cursor{Epoch: "e", Seq: 4}, NextFile: 9, Journal: "000001.log",
		Segments: []manifestSegment{{File: "000002.seg", Live: "000003.live", Dead: []byte{1, 1, 2, 3, 4, 5, 6, 7, 8}}},
	}
	b, err := m.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeManifest(b)
		if err != nil {
			if !errors.Is(err, indexer.ErrCorrupt) && !errors.Is(err, indexer.ErrFormat) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		for _, s := range m.Segments {
			if d, err := decodeDead(s.Dead, 100); err == nil {
				d.Count()
			}
		}
	})
}

func FuzzJournal(f *testing.F) {
	w := indextest.NewWorld(1)
	d := newFaultFS(-1)
	j, err := createJournal(d, "j")
	if err != nil {
		f.Fatal(err)
	}
	for i := range 5 {
		r := record{seq: uint64(i + 1), clean: i%2 == 0, at: catalog.Cursor{Epoch: "e", Seq: catalog.Seq(i)}, ops: []indexer.LiveOp{{SKU: "a", Live: w.Live()}}}
		if err := j.append(&r); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(d.files["j"].data, int64(0))
	f.Add(d.files["j"].data, j.size)
	f.Fuzz(func(t *testing.T, b []byte, length int64) {
		list, ends, err := readJournal("j", b, length)
		if err != nil && !errors.Is(err, indexer.ErrCorrupt) && !errors.Is(err, indexer.ErrFormat) {
			t.Errorf("an error of no kind: %v", err)
		}
		if len(list) != len(ends) {
			t.Errorf("%d records, %d ends", len(list), len(ends))
		}
		if len(b) > 8 { // what is behind the checksum
			if r, err := readRecord(b[8:]); err == nil {
				if again, err := readRecord(r.appendTo(nil)); err != nil || len(again.ops) != len(r.ops) {
					t.Errorf("a record is not what it was: %v", err)
				}
			}
		}
	})
}
