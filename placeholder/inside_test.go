package placeholder

import (
	"fmt"
	"math/big"
	"sync"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	now := time.Now()
	l := newLimiter(10, 4)
	take := func(n int, clients ...string) (got int) {
		for range n {
			if _, ok := l.take(now, clients); ok {
				got++
			}
		}
		return got
	}
	if got := take(6, "a"); got != 4 {
		t.Errorf("one client got %d, want 4", got)
	}
	if got := take(3, "a", "b"); got != 3 {
		t.Errorf("with another client's help got %d, want 3", got)
	}
	if got := take(9, "b", "c"); got != 3 {
		t.Errorf("beyond the total got %d, want 3", got)
	}
	l.giveBack("a")
	if got := take(2, "a"); got != 1 {
		t.Errorf("after giving one back got %d, want 1", got)
	}
	now = now.Add(30 * time.Second)
	if got := take(9, "a"); got != 2 {
		t.Errorf("after half a minute a client got %d, want 2", got)
	}
	now = now.Add(-time.Hour) // a clock that is put back gives nothing
	if got := take(9, "a"); got != 0 {
		t.Errorf("an hour earlier a client got %d", got)
	}
	now = now.Add(24 * time.Hour)
	if got := take(9, "a"); got != 4 {
		t.Errorf("a day later a client got %d, want 4", got)
	}
	if _, ok := newLimiter(0, 0).take(now, nil); !ok {
		t.Error("no cap is a cap")
	}
}

// TestLimiterBounded: many clients do not fill the memory, nor get around the
// cap by being many.
func TestLimiterBounded(t *testing.T) {
	now := time.Now()
	l := newLimiter(0, 2)
	for i := range 3 * maxClients {
		l.take(now, []string{fmt.Sprint(i)})
	}
	if n := len(l.clients); n > maxClients+1 {
		t.Errorf("%d clients are remembered", n)
	}
	if _, ok := l.take(now, []string{"another"}); ok {
		t.Error("the attacker's next client has a bucket of its own")
	}
	now = now.Add(time.Hour)
	if _, ok := l.take(now, []string{"another"}); !ok {
		t.Error("an hour later nobody gets one")
	}
	if n := len(l.clients); n > 2 {
		t.Errorf("an hour later %d clients are remembered", n)
	}
}

func TestQueue(t *testing.T) {
	q := newQueue[int](3, 5, time.Millisecond)
	var mu sync.Mutex
	var wg sync.WaitGroup
	seen := map[int]int{}
	for range 3 {
		wg.Go(func() {
			for {
				batch := q.take(7)
				if len(batch) == 0 {
					return
				}
				mu.Lock()
				for _, n := range batch {
					seen[n]++
				}
				mu.Unlock()
			}
		})
	}
	for i := range 1000 {
		q.put(2*i, 2*i+1)
	}
	q.close()
	wg.Wait()
	if q.put(1) {
		t.Error("a closed queue takes items")
	}
	for i := range 2000 {
		if seen[i] != 1 {
			t.Fatalf("item %d was taken %d times", i, seen[i])
		}
	}
}

// TestQueueGathers: a worker waits for more while another is at work, not for
// ever, and not when it is alone.
func TestQueueGathers(t *testing.T) {
	q := newQueue[int](2, 3, time.Hour)
	got := make(chan int)
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				batch := q.take(10)
				if len(batch) == 0 {
					return
				}
				got <- len(batch)
				<-begin
			}
		})
	}
	q.put(1)
	if n := <-got; n != 1 {
		t.Errorf("a worker that is alone waits for %d", n)
	}
	q.put(2)
	select {
	case n := <-got:
		t.Errorf("%d are taken while another is at work", n)
	case <-time.After(20 * time.Millisecond):
	}
	q.put(3, 4)
	if n := <-got; n != 3 {
		t.Errorf("%d are taken, want the 3 that are enough", n)
	}
	q.put(5)
	begin <- struct{}{} // one of them is done: nobody is at work but the other
	begin <- struct{}{} // nor that
	if n := <-got; n != 1 {
		t.Errorf("%d are taken, want the one that is left", n)
	}
	q.close()
	begin <- struct{}{}
	wg.Wait()

	q = newQueue[int](2, 3, time.Millisecond)
	q.put(1)
	q.take(10)
	q.put(2) // and the first is being worked on
	if n := len(q.take(10)); n != 1 {
		t.Errorf("after its patience %d are taken", n)
	}
}

// TestQueueGathersForNext: a worker that is alone waits while the queue that its
// batches go on to has work, whose callers will be back; not for ever, and not
// when nobody is at work there.
func TestQueueGathersForNext(t *testing.T) {
	next := newQueue[int](1, 0, 0)
	q := newQueue[int](1, 3, 20*time.Millisecond)
	q.before(next)
	began := time.Now()
	q.put(1) // next's worker has not come for work yet, so it is busy
	if n := len(q.take(10)); n != 1 || time.Since(began) < q.patience {
		t.Fatalf("%d are taken after %v, before patience is over, while the next queue is at work", n, time.Since(began))
	}
	q.patience = time.Hour
	q.put(1, 2)
	got := make(chan int)
	go func() { got <- len(q.take(10)) }()
	select {
	case n := <-got:
		t.Errorf("%d are taken while the next queue is at work", n)
	case <-time.After(20 * time.Millisecond):
	}
	q.put(3)
	if n := <-got; n != 3 {
		t.Errorf("%d are taken, want the 3 that are enough", n)
	}
	q.put(1)
	go func() { got <- len(q.take(10)) }()
	select {
	case n := <-got:
		t.Errorf("%d are taken while the next queue is at work", n)
	case <-time.After(20 * time.Millisecond):
	}
	var wg sync.WaitGroup
	wg.Go(func() { next.take(10) }) // its worker waits for work
	select {
	case n := <-got:
		if n != 1 {
			t.Errorf("nobody is at work, and %d are taken", n)
		}
	case <-time.After(10 * time.Second):
		t.Error("the worker does not learn that nobody is at work any more")
	}
	q.put(1)
	if n := len(q.take(10)); n != 1 {
		t.Errorf("nobody is at work, and %d are taken", n)
	}
	next.close()
	wg.Wait()
}

func TestDiscounted(t *testing.T) {
	for _, c := range [][3]string{{"10", "15", "8.5000"}, {"9.99", "0", "9.9900"}, {"9.99", "100", "0.0000"}, {"9.99", "101", ""}, {"9.99", "-1", ""}, {"9.99", "", ""}} {
		if got := discounted(c[0], c[1], 4); got != c[2] {
			t.Errorf("%s less %s %% is %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

func TestSplitPath(t *testing.T) {
	for path, want := range map[string]string{
		"": "[]", "a": "[a]", "a/b": "[a b]", `a\/b/c`: `[a\/b c]`, `a\\/b`: `[a\\ b]`, "a/": "[a]", `a\`: `[a\]`,
	} {
		if got := fmt.Sprint(splitPath(path)); got != want {
			t.Errorf("%q: %s, want %s", path, got, want)
		}
	}
}

// FuzzFixed: the quick way to write a decimal says what arithmetic says.
func FuzzFixed(f *testing.F) {
	for _, s := range []string{"0", "1.5", "-2", "1e3", "1.00005", "0.99995", "007.10", ".5", "5.", "1e99", "1/3", "0x1p4", "99999999999999999999999.123456789", ""} {
		f.Add(s, uint8(4))
	}
	f.Fuzz(func(t *testing.T, text string, scale uint8) {
		n := int(scale % 8)
		got := fixed(text, n)
		r, ok := decimal(text)
		switch {
		case !ok && got != "":
			t.Fatalf("%q is %q, but no decimal", text, got)
		case ok && got != r.FloatString(n):
			t.Fatalf("%q is %q, want %q", text, got, r.FloatString(n))
		}
		if got == "" {
			return
		}
		back, ok := new(big.Rat).SetString(got)
		if !ok || (back.Sign() <= 0) != isZero(got) {
			t.Fatalf("%q: isZero is %v", got, isZero(got))
		}
	})
}
