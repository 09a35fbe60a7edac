package facetindex

import (
	"testing"

	"catalog/indexer"
	"catalog/indexer/indextest"
)

func TestIndex(t *testing.T) {
	dirs := map[indexer.Index]string{}
	open := func(t *testing.T, dir string) indexer.Index {
		x, err := Open(t.Context(), dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		dirs[x] = dir
		return x
	}
	indextest.Run(t, indextest.Harness{
		New: func(t *testing.T) indexer.Index { return open(t, t.TempDir()) },
		Reopen: func(t *testing.T, x indexer.Index) indexer.Index {
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, dirs[x])
		},
	})
}
