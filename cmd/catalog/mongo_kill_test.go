package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"catalog/catalog/mongostore"
	"catalog/catalog/pebblestore"
	"catalog/catalog/storetest"
	"catalog/fixtures/mongo"
	"catalog/fixtures/servertest"
)

// TestMongoKills: an import and a sync into a database go on when the server is
// killed and started again, and a sync ends in the same store when the program
// itself was killed before.
func TestMongoKills(t *testing.T) {
	servertest.Need(t, servertest.MongoDB)
	k, _ := newKiller(t, "CATALOG_TEST_KILLS", 1)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	srv, err := mongo.StartLocal(ctx, mongo.Options{Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	url := srv.URL("catalog_test_kills")
	k.run(t, 0, "generate", "--records", "2000", "-o", "night0.jsonl")
	k.run(t, 0, "generate", "--records", "2000", "--night", "1", "--churn", "20%", "-o", "night1.jsonl")
	first := []string{"import", "--no-index", "--source", "erp", "--batch-bytes", "200000", "night0.jsonl"}
	second := []string{"import", "--no-index", "--source", "erp", "--mode", "sync", "--batch-bytes", "200000", "night1.jsonl"}
	for i, args := range [][]string{first, second} {
		k.run(t, 0, append(args, "--store", "pebble:./whole")...)
		into := append(args, "--store", url)
		if i == 1 { // whoever comes next has to be patient with it
			k.killed(t, into, time.Duration(50+k.rng.IntN(400))*time.Millisecond)
		}
		done := make(chan error, 1)
		go func() {
			time.Sleep(time.Duration(50+k.rng.IntN(300)) * time.Millisecond)
			done <- errors.Join(srv.Kill(), srv.Restart(ctx))
		}()
		k.run(t, 0, into...)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	whole, err := pebblestore.Open(ctx, k.dir+"/whole", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	s, err := mongostore.Open(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	storetest.Equal(t, whole, s)
}
