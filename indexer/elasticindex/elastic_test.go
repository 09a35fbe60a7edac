package elasticindex_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"catalog/fixtures/elastic"
	"catalog/fixtures/servertest"
	"catalog/indexer"
	"catalog/indexer/elasticindex"
	"catalog/indexer/indextest"
)

// envThorough makes the suite run as long as for an embedded index.
const envThorough = "CATALOG_TEST_THOROUGH"

// shared is the server of all tests that do not stop it.
var shared struct {
	once   sync.Once
	server *elastic.Server
	err    error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if s := shared.server; s != nil {
		if err := s.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// server returns the URL of a server.
func server(t testing.TB) string {
	t.Helper()
	servertest.Need(t, servertest.Elasticsearch)
	shared.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		shared.server, shared.err = elastic.Start(ctx, elastic.Options{})
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	servertest.Uses(t, servertest.Elasticsearch, shared.server.Name())
	return shared.server.URL()
}

// names keeps the names of indexes that are opened again.
var names sync.Map

// open returns the index of a name, a new one if that is empty.
func open(t testing.TB, url, name string, o elasticindex.Options) *elasticindex.Index {
	t.Helper()
	if name == "" {
		name = "test-" + strings.ToLower(rand.Text()[:10])
		t.Cleanup(func() { drop(t, url, name) })
	}
	x, err := elasticindex.Open([]string{url}, name, &o)
	if err != nil {
		t.Fatal(err)
	}
	names.Store(x, name)
	return x
}

func TestIndex(t *testing.T) {
	url := server(t)
	indextest.Run(t, indextest.Harness{
		New: func(t *testing.T) indexer.Index { return open(t, url, "", elasticindex.Options{}) },
		Reopen: func(t *testing.T, x indexer.Index) indexer.Index {
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			name, _ := names.Load(x)
			return open(t, url, name.(string), elasticindex.Options{})
		},
		Slow: os.Getenv(envThorough) == "",
	})
}
