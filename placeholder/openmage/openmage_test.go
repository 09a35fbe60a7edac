package openmage_test

import (
	"testing"

	"catalog/fixtures/mariadbtest"
	"catalog/placeholder/shoptest"
)

var server mariadbtest.Server

func TestMain(m *testing.M) { mariadbtest.Main(m, &server) }

func TestShop(t *testing.T) {
	t.Parallel() // with all that has a server of its own, and waits for it
	for _, kind := range mariadbtest.Kinds(true) {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			shoptest.Run(t, func(t testing.TB) shoptest.Harness { return server.Database(t, kind).Harness() })
		})
	}
}
