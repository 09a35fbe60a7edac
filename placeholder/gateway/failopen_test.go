package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"catalog/placeholder"
	"catalog/placeholder/gateway"
)

const (
	addPath = "/rest/V1/guest-carts/secret-cart/items"
	addBody = `{"cartItem":{"sku":"alike-a"}}`
)

// add sends an add-to-cart and returns how long it took and why it was not
// ensured, "" if it was.
func add(t *testing.T, target string) (took time.Duration, skipped string) {
	t.Helper()
	began := time.Now()
	res, body := send(t, "POST", target+addPath+"?token=secret-query", "application/json", []byte(addBody), "Authorization", "Bearer secret-token")
	if res.StatusCode != http.StatusOK || body != "ok" {
		t.Errorf("%s %s", res.Status, body)
	}
	_, skipped, _ = strings.Cut(res.Header.Get(gateway.DebugHeader), "skipped=")
	return time.Since(began), skipped
}

// TestFrozen has an Ensurer that does not answer and does not heed its
// context, as a database that was stopped: requests wait for no longer than
// the limit, then for nothing, and are ensured again after it thaws.
func TestFrozen(t *testing.T) {
	const limit, cooldown, slack = 250 * time.Millisecond, 300 * time.Millisecond, 400 * time.Millisecond
	s := newShop(t)
	var mu sync.Mutex
	frozen := make(chan struct{})
	sh := &shelf{before: func(context.Context) error {
		mu.Lock()
		c := frozen
		mu.Unlock()
		<-c
		return nil
	}}
	var log bytes.Buffer
	var logMu sync.Mutex
	g, srv := serve(t, s.URL, sh, gateway.Options{
		Limit: limit, Cooldown: cooldown, Debug: true,
		Logger: slog.New(slog.NewTextHandler(lockedWriter{&logMu, &log}, nil)),
	})

	for g.Stats().Breaker == gateway.Closed {
		took, skipped := add(t, srv.URL)
		if took < limit || took > limit+slack || skipped != "time-limit" {
			t.Fatalf("took %v, skipped by %q", took, skipped)
		}
		if _, body, _ := s.got(); string(body) != addBody {
			t.Fatalf("the shop got %s", body)
		}
		if n := g.Stats().Late; n > 5 {
			t.Fatalf("%d requests waited before the breaker opened", n)
		}
	}
	opened, fastest := time.Now(), limit
	for time.Since(opened) < cooldown/2 {
		took, skipped := add(t, srv.URL)
		if skipped != "breaker" {
			t.Fatalf("skipped by %q", skipped)
		}
		fastest = min(fastest, took)
	}
	if fastest > limit/2 {
		t.Errorf("with the breaker open requests take %v at least", fastest)
	}
	// One request tries, the others do not wait for it.
	time.Sleep(cooldown)
	var late, rejected atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			switch _, skipped := add(t, srv.URL); skipped {
			case "time-limit":
				late.Add(1)
			case "breaker":
				rejected.Add(1)
			}
		})
	}
	wg.Wait()
	if late.Load() != 1 || rejected.Load() != 7 {
		t.Errorf("%d requests tried, %d did not", late.Load(), rejected.Load())
	}
	mu.Lock()
	close(frozen)
	mu.Unlock()
	time.Sleep(cooldown + 50*time.Millisecond)
	for range 3 {
		if _, skipped := add(t, srv.URL); skipped != "" {
			t.Errorf("skipped by %q after it thawed", skipped)
		}
	}
	if _, body, _ := s.got(); string(body) != strings.ReplaceAll(addBody, "alike-a", "ALIKE-A") {
		t.Errorf("the shop got %s", body)
	}
	st := g.Stats()
	if st.Breaker != gateway.Closed || st.BreakerOpened != 2 || st.Late != 6 || st.Ensured != 3 || st.Rejected == 0 || st.LongestWait > limit+slack {
		t.Errorf("stats %+v", st)
	}
	logMu.Lock()
	defer logMu.Unlock()
	if l := log.String(); strings.Contains(l, "secret") || !strings.Contains(l, "state=open") || !strings.Contains(l, "state=closed") {
		t.Errorf("log:\n%s", l)
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (w lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func TestEnsurerFails(t *testing.T) {
	s := newShop(t)
	for _, tt := range []struct {
		name   string
		limit  time.Duration
		before func(context.Context) error
		want   func(gateway.Stats) bool
	}{
		{"an error", 0, func(context.Context) error { return placeholder.ErrUnavailable }, func(s gateway.Stats) bool { return s.Failed == 5 }},
		{"a panic", 0, func(context.Context) error { panic("x") }, func(s gateway.Stats) bool { return s.Failed == 5 }},
		{"it heeds its context", 20 * time.Millisecond, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, func(s gateway.Stats) bool { return s.Late == 5 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, srv := serve(t, s.URL, &shelf{before: tt.before}, gateway.Options{Debug: true, Limit: tt.limit})
			for i := range 6 {
				if _, skipped := add(t, srv.URL); skipped == "" || (skipped == "breaker") != (i == 5) {
					t.Errorf("request %d skipped by %q", i, skipped)
				}
				if _, body, _ := s.got(); string(body) != addBody {
					t.Errorf("the shop got %s", body)
				}
			}
			if st := g.Stats(); !tt.want(st) || st.Breaker != gateway.Open || st.Rejected != 1 {
				t.Errorf("stats %+v", st)
			}
		})
	}
}

// TestImpatientClients has clients leave while their SKUs are being ensured:
// that says nothing of the database.
func TestImpatientClients(t *testing.T) {
	s := newShop(t)
	asked := make(chan struct{})
	sh := &shelf{before: func(ctx context.Context) error {
		asked <- struct{}{}
		<-ctx.Done()
		return context.Cause(ctx)
	}}
	g, srv := serve(t, s.URL, sh, gateway.Options{Limit: time.Minute})
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-asked
			cancel()
		}()
		req, err := http.NewRequestWithContext(ctx, "POST", srv.URL+addPath, strings.NewReader(addBody))
		if err != nil {
			t.Fatal(err)
		}
		if res, err := srv.Client().Do(req); err == nil {
			_ = res.Body.Close()
		} else if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	for g.Stats().Gone < 10 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if st := g.Stats(); st.Gone != 10 || st.Breaker != gateway.Closed || st.Failed+st.Late != 0 {
		t.Errorf("stats %+v", st)
	}
}

// TestManyClients has many clients at once, for the race detector.
func TestManyClients(t *testing.T) {
	s := newShop(t)
	sh := &shelf{}
	g, srv := serve(t, s.URL, sh, gateway.Options{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 25 {
				send(t, "POST", srv.URL+addPath, "application/json", []byte(addBody))
				send(t, "GET", srv.URL+"/x", "", nil)
				g.Stats()
			}
		})
	}
	wg.Wait()
	if st := g.Stats(); st.Requests != 400 || st.Ensured != 200 || st.Rewritten != 200 || len(sh.skus()) != 200 {
		t.Errorf("stats %+v", st)
	}
}
