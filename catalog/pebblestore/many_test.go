package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/catalog/storetest"
)

// manyWrites returns writes to some of n products and their prices in no order:
// new bodies and refs, deletes, and conditions that hold or not.
func manyWrites(rnd *rand.Rand, n, writes, round int) []catalog.Write {
	var ws []catalog.Write
	for range writes {
		i := rnd.IntN(n)
		key := catalog.Key(fmt.Sprintf("SKU-%06d", i))
		w := catalog.Write{Kind: catalog.KindProduct, Key: key, Source: fmt.Sprint("s", i%3)}
		switch i % 5 {
		case 0:
			w.Kind, w.Body = catalog.KindPrice, fmt.Appendf(nil, `{"sku":%q,"prices":[{"price":%d}]}`, key, round)
		case 1:
			if round > 0 {
				break // a delete
			}
			fallthrough
		default:
			w.Body = fmt.Appendf(nil, `{"sku":%q,"round":%d}`, key, round*(i%2))
			w.Refs = []catalog.Ref{{Type: catalog.RefURLKey, Value: fmt.Sprint("u", i%50, round%2)}, {Type: catalog.RefVariant, Value: fmt.Sprint("v", i)}}
		}
		if i%7 == 0 {
			w.If = new(catalog.Seq)
		}
		ws = append(ws, w)
	}
	return ws
}

// TestManyKeysInParts applies and reads more keys at a time than one goroutine
// takes, and holds the outcome against the store in memory.
func TestManyKeysInParts(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for _, bulk := range []int64{1, 1 << 30} {
		o := Options{FS: vfs.NewMem(), Workers: 3, BulkBytes: bulk}
		want := memstore.New()
		t.Cleanup(func() { want.Close() })
		rnd := rand.New(rand.NewPCG(1, uint64(bulk)))
		for round := range 4 {
			// Opened anew, the store has no filter and looks everything up.
			s, err := Open(ctx, "store", &o)
			if err != nil {
				t.Fatal(err)
			}
			writes := manyWrites(rnd, 12_000, 20_000, round)
			got, err := s.Apply(ctx, writes)
			wantResults, wantErr := want.Apply(ctx, writes)
			if !errors.Is(err, catalog.ErrConflict) || !errors.Is(wantErr, catalog.ErrConflict) {
				t.Fatalf("round %d: %v, want %v", round, err, wantErr)
			}
			for i := range got {
				if got[i] != wantResults[i] {
					t.Fatalf("round %d: %s %s: %+v, want %+v", round, writes[i].Kind, writes[i].Key, got[i], wantResults[i])
				}
			}
			storetest.Equal(t, want, s)
			for _, k := range []catalog.Kind{catalog.KindProduct, catalog.KindPrice} {
				var keys []catalog.Key
				for range 5000 { // some twice, some not there
					keys = append(keys, catalog.Key(fmt.Sprintf("SKU-%06d", rnd.IntN(13_000))))
				}
				a, err := s.Get(ctx, k, keys...)
				if err != nil {
					t.Fatal(err)
				}
				b, err := want.Get(ctx, k, keys...)
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(a, b) {
					t.Errorf("round %d: other %s", round, k.Plural())
				}
				heads, err := s.HeadsOf(ctx, k, keys...)
				if err != nil {
					t.Fatal(err)
				}
				for i := range heads {
					if heads[i] != a[i].Head {
						t.Fatalf("round %d: head %+v of the record %+v", round, heads[i], a[i].Head)
					}
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestManyKeysEndEarly ends look-ups of many keys by a canceled context and by
// a head that is broken.
func TestManyKeysEndEarly(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, err := Open(ctx, "store", &Options{FS: vfs.NewMem(), Workers: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	var writes []catalog.Write
	var keys []catalog.Key
	for i := range 5000 {
		keys = append(keys, catalog.Key(fmt.Sprintf("SKU-%06d", i)))
		writes = append(writes, catalog.Write{Kind: catalog.KindProduct, Key: keys[i], Source: "s", Body: fmt.Appendf(nil, `{"sku":"SKU-%06d"}`, i)})
	}
	if _, err := s.Apply(ctx, writes); err != nil {
		t.Fatal(err)
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Get(canceled, catalog.KindProduct, keys...); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := s.db.Set(recordKey(nil, catalog.KindProduct, keys[4000]), []byte("x"), pebble.Sync); err != nil {
		t.Fatal(err)
	}
	s.filter = [len(s.filter)]*filter{}
	if _, err := s.Get(ctx, catalog.KindProduct, keys...); !errors.Is(err, catalog.ErrCorrupt) {
		t.Errorf("got %v", err)
	}
	writes[3].Body = []byte(`{"sku":"SKU-000003","name":"new"}`)
	if _, err := s.Apply(ctx, writes); !errors.Is(err, catalog.ErrCorrupt) {
		t.Errorf("got %v", err)
	}
}
