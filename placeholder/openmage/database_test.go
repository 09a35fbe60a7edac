package openmage_test

import (
	"testing"

	"catalog/fixtures/mariadb"
	"catalog/fixtures/mariadbtest"
)

func TestLeastRights(t *testing.T) {
	for _, kind := range mariadbtest.Kinds(true) {
		t.Run(kind.String(), func(t *testing.T) { mariadbtest.LeastRights(t, server.Database(t, kind), !kind.True) })
	}
}

func TestReplica(t *testing.T) {
	mariadbtest.Replica(t, server.Database(t, mariadb.Kind{OpenMage: true}))
}

func TestLostConnections(t *testing.T) {
	mariadbtest.LostConnections(t, server.Database(t, mariadb.Kind{OpenMage: true}))
}

func TestManyLines(t *testing.T) {
	mariadbtest.ManyLines(t, server.Database(t, mariadb.Kind{OpenMage: true}))
}

func TestReadOnly(t *testing.T) {
	mariadbtest.ReadOnly(t, server.Database(t, mariadb.Kind{OpenMage: true}))
}

func TestCrash(t *testing.T) {
	t.Parallel()
	mariadbtest.Crash(t, mariadb.Kind{OpenMage: true})
}

func TestGrants(t *testing.T) {
	mariadbtest.Grants(t, server.Database(t, mariadb.Kind{OpenMage: true}), "testdata/grants.sql")
}
