package remotestore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"catalog/catalog"
	"catalog/catalog/memstore"
)

// TestCloseEndsAll: neither a client nor a handler leaves a goroutine behind.
func TestCloseEndsAll(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s := share(t, memstore.New(), local)
	if _, err := s.Acquire(t.Context(), "lease", "me", time.Hour); err != nil {
		t.Fatal(err)
	}
	release := s.Store.(catalog.Loader).Hold() // which this store cannot
	tail, err := s.Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if err := s.Wait(ctx, tail); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Wait: %v", err)
	}
	if _, err := s.Apply(t.Context(), []catalog.Write{product("a", `{}`), product("b", `{}`)}); err != nil {
		t.Error(err)
	}
	for range s.Scan(t.Context(), catalog.KindProduct, catalog.All) {
		break
	}
	release()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	goleak.VerifyNone(t, before)
}
