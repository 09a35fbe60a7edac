package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"catalog/fixtures/mongo"
	"catalog/fixtures/servertest"
)

// TestMongoScripts plays the journeys of testdata/mongo, whose store is a
// database.
func TestMongoScripts(t *testing.T) {
	servertest.Need(t, servertest.MongoDB)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	server, err := mongo.Start(ctx, mongo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	servertest.Uses(t, servertest.MongoDB, server.Name())
	testscript.Run(t, testscript.Params{
		Dir: "testdata/mongo",
		Setup: func(e *testscript.Env) error {
			name := fmt.Sprintf("catalog_test_%d", time.Now().UnixNano())
			e.Setenv("CATALOG_STORE", server.URL(name))
			e.Setenv("DATABASE", name)
			e.Defer(func() {
				if err := server.Drop(context.Background(), name); err != nil {
					t.Error(err)
				}
			})
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"status": scriptStatus},
	})
}
