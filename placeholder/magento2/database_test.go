package magento2_test

import (
	"testing"

	"catalog/fixtures/mariadb"
	"catalog/fixtures/mariadbtest"
)

func TestLeastRights(t *testing.T) {
	for _, kind := range mariadbtest.Kinds(false) {
		if kind.OneStock {
			continue // nothing new in it
		}
		t.Run(kind.String(), func(t *testing.T) { mariadbtest.LeastRights(t, server.Database(t, kind), !kind.True) })
	}
}

func TestReplica(t *testing.T) { mariadbtest.Replica(t, server.Database(t, mariadb.Kind{})) }

func TestLostConnections(t *testing.T) {
	mariadbtest.LostConnections(t, server.Database(t, mariadb.Kind{}))
}

func TestManyLines(t *testing.T) { mariadbtest.ManyLines(t, server.Database(t, mariadb.Kind{})) }

func TestFewReads(t *testing.T) { mariadbtest.FewReads(t, server.Database(t, mariadb.Kind{})) }

func TestReadOnly(t *testing.T) { mariadbtest.ReadOnly(t, server.Database(t, mariadb.Kind{})) }

func TestCrash(t *testing.T) {
	t.Parallel()
	mariadbtest.Crash(t, mariadb.Kind{})
}

func TestGalera(t *testing.T) {
	t.Parallel()
	mariadbtest.Galera(t, mariadb.Kind{})
}

func TestGrants(t *testing.T) {
	mariadbtest.Grants(t, server.Database(t, mariadb.Kind{}), "testdata/grants.sql")
}
