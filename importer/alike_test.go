package importer_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"catalog/catalog"
	"catalog/importer"
)

// bodiesRead is a store that counts the products asked for.
type bodiesRead struct {
	catalog.Store
	n atomic.Int64
}

func (s *bodiesRead) Get(ctx context.Context, k catalog.Kind, keys ...catalog.Key) ([]catalog.Record, error) {
	if k == catalog.KindProduct {
		s.n.Add(int64(len(keys)))
	}
	return s.Store.Get(ctx, k, keys...)
}

// TestAnotherSpellingOfMany changes thirteen thousand records: their old bodies are
// not read all. Behind them, and among them, come others that are but spelt
// otherwise: these stay as they are.
func TestAnotherSpellingOfMany(t *testing.T) {
	feed := func(night int) string {
		var b strings.Builder
		text := strings.Repeat("long ", 60) // so that there are many batches
		for i := range 16_000 {
			switch {
			case night == 0:
				fmt.Fprintf(&b, `{"sku":"K%05d","name":"n%d %s","weight":1.5}`+"\n", i, i, text)
			case i >= 13_000 || night == 2 && i%10 == 0:
				fmt.Fprintf(&b, `{"weight":1.50,"name":"n%d %s","sku":"K%05d"}`+"\n", i, text, i)
			default:
				fmt.Fprintf(&b, `{"sku":"K%05d","name":"m%d %s","weight":1.5}`+"\n", i, i, text)
			}
		}
		return b.String()
	}
	for night, want := range map[int]struct{ respelt, read int64 }{
		1: {3000, 11_000},
		2: {4300, 16_000},
	} {
		s := &bodiesRead{Store: open(t)}
		mustLoad(t, s, importer.Options{}, feed(0))
		s.n.Store(0)
		rep := mustLoad(t, s, importer.Options{BatchBytes: 1 << 20, Workers: 2}, feed(night))
		// Of a batch's last few there may be no sample.
		if n := want.respelt - rep.Unchanged; n < 0 || n > 32 {
			t.Errorf("night %d: %d of %d records that are spelt otherwise were written", night, n, want.respelt)
		}
		if n := s.n.Load(); n > want.read {
			t.Errorf("night %d: the bodies of %d products were read, want %d at most", night, n, want.read)
		}
	}
}
