package ledger

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	var p pace
	if got := p.next(); got != paceFirst {
		t.Fatalf("it begins with %d products, want %d", got, paceFirst)
	}
	for range 20 {
		p.note(p.next(), time.Millisecond)
	}
	if got := p.next(); got != paceMost {
		t.Errorf("after quick statements it is %d products, want %d", got, paceMost)
	}
	p.note(paceMost, 2*paceLong)
	p.note(paceMost, 2*paceLong)
	if got := p.next(); got != paceMost/2 {
		t.Errorf("after two slow statements of one time it is %d products, want %d", got, paceMost/2)
	}
	p.note(paceMost, time.Millisecond) // of a statement that was begun before
	p.note(paceMost/2, paceLong/2)
	if got := p.next(); got != paceMost/2 {
		t.Errorf("neither an old statement nor one of middling time changes it, yet it is %d, not %d", got, paceMost/2)
	}
	for range 20 {
		p.note(p.next(), 2*paceLong)
	}
	if got := p.next(); got != paceLeast {
		t.Errorf("after slow statements it is %d products, want %d", got, paceLeast)
	}
	for range 3 {
		p.note(p.next(), time.Millisecond)
	}
	if got := p.next(); got <= paceLeast {
		t.Errorf("it stays at %d products after quick statements", got)
	}
}
