package importer

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"catalog/catalog"
	"catalog/importer/internal/feed"
)

func keptRecordsOf(n int) []feed.Record {
	var recs []feed.Record
	for i := range n {
		doc := fmt.Appendf(nil, `{"sku":"S%05d","name":%q}`, (i*7919)%n, bytes.Repeat([]byte{'x'}, i*7%3000))
		rec := feed.Record{Ord: int64(2 * i), Line: int64(2*i + 1), Offset: int64(i * 100), JSON: doc, Raw: doc}
		switch i % 10 {
		case 3:
			rec.Raw = fmt.Appendf(nil, "S%05d;row", i)
		case 4:
			rec.Overlay, rec.Raw, rec.Offset = true, nil, -1
		case 5:
			rec.JSON, rec.Raw = nil, []byte("broken")
			rec.Err = &feed.Reject{Reason: feed.ReasonQuote, Detail: "a quote"}
		}
		recs = append(recs, rec)
	}
	return recs
}

func sameRecord(a, b *feed.Record) bool {
	same := a.Ord == b.Ord && a.Line == b.Line && a.Offset == b.Offset && a.Overlay == b.Overlay &&
		bytes.Equal(a.JSON, b.JSON) && bytes.Equal(a.Raw, b.Raw) && (a.Err == nil) == (b.Err == nil)
	return same && (a.Err == nil || *a.Err == *b.Err)
}

// TestKeptRecordsComeBack keeps records of several chunks and reads them again:
// those without a key first, as they came, and the others by their keys; or
// all as they came.
func TestKeptRecordsComeBack(t *testing.T) {
	recs := keptRecordsOf(1000)
	key := func(rec *feed.Record) catalog.Key {
		if rec.Err != nil || rec.Overlay {
			return ""
		}
		return catalog.Key(quickKey(catalog.KindProduct, rec.JSON))
	}
	for _, inOrder := range []bool{false, true} {
		file, err := newKeptFile(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(file.close)
		k := &kept{file: file, size: 12345}
		for part := range slices.Chunk(recs, 90) {
			p := keptPart{inOrder: inOrder}
			for i := range part {
				p.add(&part[i], key(&part[i]))
			}
			if !k.add(&p) {
				t.Fatal("nothing was kept")
			}
		}
		if err := file.w.Flush(); err != nil {
			t.Fatal(err)
		}
		want := slices.Clone(recs)
		if !inOrder {
			slices.SortStableFunc(want, func(a, b feed.Record) int { return bytes.Compare([]byte(key(&a)), []byte(key(&b))) })
		}
		n, chunks, read := 0, 0, int64(0)
		dec := k.NewDecoder()
		err = k.Chunks(context.Background(), func(c *feed.Chunk) error {
			chunks, read = chunks+1, c.Read
			return dec.Decode(c, func(rec *feed.Record) error {
				if n >= len(want) || !sameRecord(rec, &want[n]) {
					t.Fatalf("in order %v: record %d is %+v", inOrder, n, rec)
				}
				n++
				return nil
			})
		})
		if err != nil || n != len(want) || chunks < 3 || read != 12345 {
			t.Errorf("in order %v: %v, %d records in %d chunks, %d bytes read", inOrder, err, n, chunks, read)
		}
	}
}

func TestTooMuchIsNotKept(t *testing.T) {
	file, err := newKeptFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(file.close)
	k := &kept{file: file}
	rec := feed.Record{JSON: []byte(`{}`)}
	var p keptPart
	for range keptRecords {
		p.add(&rec, "")
	}
	if !k.add(&p) {
		t.Fatal("the most was too much")
	}
	var one keptPart
	one.add(&rec, "")
	if k.add(&one) {
		t.Error("more than the most was kept")
	}
}

// FuzzKept holds that no bytes break the decoder, and that what it reads comes
// out of it again as it was.
func FuzzKept(f *testing.F) {
	var all []byte
	for _, rec := range keptRecordsOf(12) {
		all = appendKept(all, &rec)
		f.Add(appendKept(nil, &rec))
	}
	f.Add(all)
	f.Add(all[:len(all)-1])
	f.Add([]byte{0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = (&kept{}).NewDecoder().Decode(&feed.Chunk{Data: b}, func(rec *feed.Record) error {
			var again feed.Record
			var rej feed.Reject
			rest, err := cutKept(appendKept(nil, rec), &again, &rej)
			if err != nil || len(rest) > 0 || !sameRecord(rec, &again) {
				t.Fatalf("%v: %+v became %+v", err, rec, &again)
			}
			return nil
		})
	})
}
