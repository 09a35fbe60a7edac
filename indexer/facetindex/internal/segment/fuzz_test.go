package segment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
	"catalog/indexer/indextest"
)

func encoded(f testing.TB, products int) []byte {
	w := indextest.NewWorld(1)
	b := NewBuilder()
	for i := range products {
		for _, d := range w.Op(i).Docs {
			b.Add(d)
		}
	}
	var buf bytes.Buffer
	if _, err := b.Write(&buf); err != nil {
		f.Fatal(err)
	}
	return buf.Bytes()
}

// FuzzSegment changes bytes of a segment, makes its checksums hold again, and
// reads all of it: errors, but no panics, except those of indexes out of range
// that a query turns into errors.
func FuzzSegment(f *testing.F) {
	whole := encoded(f, 12)
	for i := range 200 {
		f.Add(uint32(i*len(whole)/200), uint8(i*7+1), uint32(i*31), uint8(3))
	}
	f.Fuzz(func(t *testing.T, at uint32, to uint8, at2 uint32, to2 uint8) {
		b := bytes.Clone(whole)
		b[int(at)%len(b)] ^= to
		b[int(at2)%len(b)] ^= to2
		if _, err := Open(b); err != nil && !errors.Is(err, indexer.ErrCorrupt) && !errors.Is(err, indexer.ErrFormat) {
			t.Errorf("an error of no kind: %v", err)
		}
		if !reseal(b) {
			return
		}
		open := Open
		if at%2 == 0 {
			open = func(b []byte) (*Segment, error) { return OpenLater(b, "file") }
		}
		s, err := open(b)
		if err == nil {
			err = errors.Join(s.LoadWords(), s.LoadValueWords())
		}
		if err != nil {
			if !errors.Is(err, indexer.ErrCorrupt) && !errors.Is(err, indexer.ErrFormat) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		if err := s.Verify(t.Context(), nil); err != nil {
			t.Errorf("checksums that were made to hold do not: %v", err)
		}
		for i := range s.AttrNames.Len() {
			if _, err := s.Field(i); err != nil && !errors.Is(err, indexer.ErrCorrupt) {
				t.Errorf("an error of no kind: %v", err)
			}
		}
		for i := range s.Lexicon.Len() {
			if _, err := s.Postings(i); err != nil && !errors.Is(err, indexer.ErrCorrupt) {
				t.Errorf("an error of no kind: %v", err)
			}
		}
		titles := s.Titles()
		var buf []uint32
		for doc := range uint32(s.Docs) {
			if _, err := titles.Of(doc); err != nil && !errors.Is(err, indexer.ErrCorrupt) {
				t.Errorf("an error of no kind: %v", err)
			}
			buf = s.DocAttrs(buf[:0], doc)
			s.ViewOf(doc)
			s.Find(s.SKUs.String(int(s.DocSKU.At(int(doc)))))
		}
	})
}

// reseal makes the checksums of a segment hold; false if its table is gone.
func reseal(b []byte) bool {
	foot := b[len(b)-footLen:]
	start, n := binary.LittleEndian.Uint64(foot), uint64(binary.LittleEndian.Uint32(foot[8:]))
	if start > uint64(len(b)) || n > uint64(len(b))-start {
		return false
	}
	toc := b[start : start+n]
	type entry struct {
		name      string
		off, size uint64
		sum       []byte
	}
	var list []entry
	r := codec.NewReader(toc)
	for range r.Count(7) {
		e := entry{name: r.String(), off: r.Uvarint(), size: r.Uvarint(), sum: r.Bytes(4)}
		if r.Err() != nil || e.off > start || e.size > start-e.off {
			return false
		}
		list = append(list, e)
	}
	for _, e := range list {
		if e.name != sumsName {
			continue
		}
		for i := uint64(0); i<<checkBits < e.off && 4*i+4 <= e.size; i++ {
			part := b[i<<checkBits : min((i+1)<<checkBits, e.off)]
			binary.LittleEndian.PutUint32(b[e.off+4*i:], crc32.Checksum(part, crcTable))
		}
	}
	for _, e := range list {
		binary.LittleEndian.PutUint32(e.sum, crc32.Checksum(b[e.off:e.off+e.size], crcTable))
	}
	binary.LittleEndian.PutUint32(foot[12:], crc32.Checksum(toc, crcTable))
	return true
}
