package remotestore_test

import (
	"testing"
	"time"

	"catalog/catalog/memstore"
	"catalog/catalog/remotestore"
)

// TestEndingKeepsLeases: when it is the server that ends, its clients live.
func TestEndingKeepsLeases(t *testing.T) {
	t.Parallel()
	behind := memstore.New()
	closing := make(chan struct{})
	c := share(t, behind, &remotestore.HandlerOptions{Trusted: true, Closing: closing})
	lease, err := c.Acquire(t.Context(), "index", "me", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	close(closing)
	time.Sleep(20 * time.Millisecond) // the client hears of it meanwhile, or not
	c.stop()
	if err := behind.Renew(t.Context(), lease.Fence, time.Hour); err != nil {
		t.Errorf("the lease of a client that lives: %v", err)
	}
	if err := c.SetMeta(t.Context(), "x", nil); err == nil {
		t.Error("a server that has ended answers")
	}
	if err := c.Store.Close(); err != nil {
		t.Fatal(err)
	}
}
