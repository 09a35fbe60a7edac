package gateway

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func newBreaker(log *[]State) *breaker {
	return &breaker{cooldown: time.Minute, changed: func(s State) { *log = append(*log, s) }}
}

// run tries once and reports whether that was allowed.
func (b *breaker) run(o outcome) bool {
	done, ok := b.try()
	if ok {
		done(o)
	}
	return ok
}

func TestBreakerOpensAfterFailuresInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []State
		b := newBreaker(&log)
		for i := range failuresInRow {
			if b.now() != Closed || !b.run(failed) {
				t.Fatalf("open after %d failures", i)
			}
			b.run(undecided)
		}
		if b.now() != Open || b.run(succeeded) {
			t.Fatal("not open")
		}
		time.Sleep(time.Minute - time.Nanosecond)
		if b.run(succeeded) {
			t.Error("open for less than the cooldown")
		}
		time.Sleep(time.Nanosecond)
		done, ok := b.try()
		if !ok || b.now() != HalfOpen || b.run(succeeded) {
			t.Fatal("half-open lets not exactly one try")
		}
		done(failed)
		if b.now() != Open || b.run(succeeded) {
			t.Fatal("a failed try did not open it again")
		}
		time.Sleep(time.Minute)
		if done, ok = b.try(); !ok {
			t.Fatal("no second try")
		}
		done(undecided)
		if done, ok = b.try(); !ok {
			t.Fatal("an undecided try is not repeated at once")
		}
		done(succeeded)
		if b.now() != Closed || !b.run(failed) || b.now() != Closed {
			t.Error("not closed")
		}
		if want := []State{Open, HalfOpen, Open, HalfOpen, Open, HalfOpen, Closed}; !slices.Equal(log, want) {
			t.Errorf("changes %v, want %v", log, want)
		}
	})
}

func TestBreakerOpensWhenHalfFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			every int // n-th fails
			want  State
		}{{2, Open}, {3, Closed}} {
			var log []State
			b := newBreaker(&log)
			for i := range 10 * window {
				o := succeeded
				if i%tt.every == 0 {
					o = failed
				}
				b.run(o)
			}
			if b.now() != tt.want {
				t.Errorf("each %d-th fails: %v", tt.every, b.now())
			}
		}
	})
}

// TestBreakerIgnoresWhatBeganEarlier has answers come after a change.
func TestBreakerIgnoresWhatBeganEarlier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []State
		b := newBreaker(&log)
		var late []func(outcome)
		for range 20 {
			done, _ := b.try()
			late = append(late, done)
		}
		for i, done := range late[:10] {
			if done(failed); i >= failuresInRow-1 && b.now() != Open {
				t.Fatal("not open")
			}
		}
		for _, done := range late[10:15] {
			done(succeeded)
		}
		if b.now() != Open {
			t.Error("an old success closed it")
		}
		time.Sleep(time.Minute)
		done, _ := b.try()
		done(succeeded)
		for _, done := range late[15:] {
			done(failed)
		}
		if b.now() != Closed {
			t.Error("old failures opened it")
		}
	})
}
