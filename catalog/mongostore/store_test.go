package mongostore_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"catalog/catalog"
	"catalog/catalog/mongostore"
	"catalog/catalog/storetest"
	"catalog/fixtures/mongo"
	"catalog/fixtures/servertest"
)

// shared is the server of all tests that do it no harm, started by the first.
var shared struct {
	once   sync.Once
	server *mongo.Server
	err    error
}

func server(t testing.TB) *mongo.Server {
	t.Helper()
	servertest.Need(t, servertest.MongoDB)
	shared.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		shared.server, shared.err = mongo.Start(ctx, mongo.Options{})
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	servertest.Uses(t, servertest.MongoDB, shared.server.Name())
	return shared.server
}

func TestMain(m *testing.M) {
	status := m.Run()
	if shared.server != nil {
		if err := shared.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
		}
	}
	os.Exit(status)
}

var databases atomic.Int64

// database returns the URL of a database of the test's own.
func database(t testing.TB, s *mongo.Server) string {
	name := fmt.Sprintf("catalog_test_%d_%d_%d", os.Getpid(), time.Now().UnixNano()%1e9, databases.Add(1))
	t.Cleanup(func() {
		if err := s.Drop(context.Background(), name); err != nil {
			t.Error(err)
		}
	})
	return s.URL(name)
}

func open(t testing.TB, url string, o *mongostore.Options) *mongostore.Store {
	t.Helper()
	s, err := mongostore.Open(context.Background(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// harness opens stores by o, each in a database of its own.
func harness(t testing.TB, o *mongostore.Options) storetest.Harness {
	urls := map[catalog.Store]string{}
	return storetest.Harness{
		Slow: server(t).Slow(),
		Open: func(t testing.TB) catalog.Store {
			url := database(t, server(t))
			s := open(t, url, o)
			urls[s] = url
			return s
		},
		Reopen: func(t testing.TB, s catalog.Store) catalog.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			again := open(t, urls[s], o)
			urls[again] = urls[s]
			return again
		},
	}
}

func TestStore(t *testing.T) {
	storetest.Run(t, harness(t, nil))
}

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, harness(b, nil))
}

// TestCloseEndsAll: Close leaves no goroutine behind.
func TestCloseEndsAll(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s := open(t, database(t, server(t)), nil)
	if _, err := s.Apply(t.Context(), []catalog.Write{{Kind: catalog.KindProduct, Key: "a", Body: []byte(`{}`)}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(t.Context(), catalog.Cursor{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	goleak.VerifyNone(t, before)
}
