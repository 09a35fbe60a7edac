package memstore_test

import (
	"testing"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/catalog/storetest"
)

func harness() storetest.Harness {
	return storetest.Harness{Open: func(testing.TB) catalog.Store { return memstore.New() }}
}

func TestStore(t *testing.T) { storetest.Run(t, harness()) }

func BenchmarkStore(b *testing.B) { storetest.Bench(b, harness()) }
