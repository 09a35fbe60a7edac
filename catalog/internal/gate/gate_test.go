package gate_test

import (
	"context"
	"errors"
	"testing"

	"catalog/catalog"
	"catalog/catalog/internal/gate"
)

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestGate(t *testing.T) {
	g := gate.New()
	for range 2 {
		if err := g.Enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.Enter(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("whose context has ended is let in: %v", err)
	}
	if isClosed(g.Closed()) {
		t.Error("it is shut from the start")
	}
	idle, first := g.Shut()
	if !first || !isClosed(g.Closed()) {
		t.Error("it was shut before")
	}
	if again, first := g.Shut(); first || again != idle {
		t.Error("it is shut twice")
	}
	if err := g.Enter(t.Context()); !errors.Is(err, catalog.ErrClosed) {
		t.Errorf("somebody is let in: %v", err)
	}
	g.Leave()
	if isClosed(idle) {
		t.Error("one who is inside is forgotten")
	}
	g.Leave()
	if !isClosed(idle) {
		t.Error("nobody is inside")
	}
}

func TestShutEmpty(t *testing.T) {
	if idle, first := gate.New().Shut(); !first || !isClosed(idle) {
		t.Error("nobody was ever inside")
	}
}
