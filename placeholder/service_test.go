package placeholder_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/placeholder"
	"catalog/placeholder/memshop"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a catalog, a shop's database and a service between them.
type world struct {
	*testing.T
	store catalog.Store
	db    *memshop.DB
	shop  *memshop.Shop
	s     *placeholder.Service
}

func newWorld(t *testing.T, o placeholder.Options) *world {
	w := &world{T: t, store: memstore.New(), db: memshop.New(placeholder.Info{})}
	w.shop = w.db.Open()
	w.s = placeholder.New(w.store, w.shop, o)
	t.Cleanup(func() {
		if err := errors.Join(w.s.Close(), w.shop.Close(), w.store.Close()); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) put(sku, price string, members ...string) {
	w.Helper()
	doc := fmt.Sprintf(`{"sku":%q,"name":"Thing"`, sku)
	for _, m := range members {
		doc += "," + m
	}
	_, err := w.store.Apply(w.Context(), []catalog.Write{
		{Kind: catalog.KindProduct, Key: catalog.Key(sku), Body: []byte(doc + "}")},
		{Kind: catalog.KindPrice, Key: catalog.Key(sku), Body: fmt.Appendf(nil, `{"sku":%q,"prices":[{"price":%s}]}`, sku, price)},
	})
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) ensure(client string, skus ...string) []placeholder.Result {
	w.Helper()
	results, err := w.s.Ensure(w.Context(), client, skus)
	if err != nil {
		w.Fatal(err)
	}
	return results
}

func (w *world) statuses(client string, skus ...string) string {
	w.Helper()
	var out []placeholder.Status
	for i, r := range w.ensure(client, skus...) {
		if r.SKU != skus[i] {
			w.Errorf("answer %d is of %q, want %q", i, r.SKU, skus[i])
		}
		out = append(out, r.Status)
	}
	return fmt.Sprint(out)
}

// price returns the price that a placeholder has in the shop.
func (w *world) price(sku string) string {
	for _, id := range w.db.Same(sku) {
		p, _ := w.db.Product(id)
		for _, v := range p.Values {
			if v.Attribute == "price" && v.Store == 0 {
				return v.Text
			}
		}
	}
	return ""
}

func (w *world) eventually(what string, ok func() bool) {
	w.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.Fatalf("not within 10 s: %s", what)
		}
	}
}

// TestSpellings: who asks with another spelling is given the placeholder that
// the shop would put into the cart.
func TestSpellings(t *testing.T) {
	w := newWorld(t, placeholder.Options{})
	w.put("abc", "1")
	w.put("Twin", "1")
	w.put("TWIN", "2")
	if got := w.statuses("c", "abc ", "abc"); got != "[created created]" {
		t.Errorf("with and without a trailing space: %s", got)
	}
	for sku, want := range map[string]string{"abc ": "[present]", "ABC": "[present]", "äbc": "[present]", " abc": "[unknown]"} {
		if got := w.statuses("c", sku); got != want {
			t.Errorf("%q: %s, want %s", sku, got, want)
		}
	}
	if r := w.ensure("c", "ABC")[0]; r.Spelling != "abc" || r.EntityID == 0 {
		t.Errorf("ABC: %+v", r)
	}
	w.ensure("c", "Twin")
	if r := w.ensure("c", "TWIN")[0]; r.Reason != placeholder.ReasonAlike || r.Spelling != "Twin" {
		t.Errorf("TWIN: %+v", r)
	}
	// Asking by another spelling is use.
	w.db.Idle("abc", 100*time.Hour)
	w.ensure("c", "ABC")
	if f, _ := w.shop.Find(t.Context(), []string{"abc"}); f[0].Idle > time.Minute {
		t.Errorf("abc was last used %v ago", f[0].Idle)
	}
}

func TestCaps(t *testing.T) {
	w := newWorld(t, placeholder.Options{PerMinute: 6, PerClient: 4})
	var skus []string
	for i := range 10 {
		skus = append(skus, fmt.Sprint("s", i))
		w.put(skus[i], "1")
	}
	count := func(client string, skus ...string) map[placeholder.Status]int {
		n := map[placeholder.Status]int{}
		for _, r := range w.ensure(client, skus...) {
			n[r.Status]++
			if r.Status == placeholder.Refused && (r.Reason != placeholder.ReasonLimit || r.EntityID != 0) {
				t.Errorf("%+v", r)
			}
		}
		return n
	}
	if n := count("bot", skus[:6]...); n[placeholder.Created] != 4 || n[placeholder.Refused] != 2 {
		t.Errorf("one client: %v", n)
	}
	if n := count("bot", skus[:4]...); n[placeholder.Present] != 4 {
		t.Errorf("what is there counts against the cap: %v", n)
	}
	if n := count("shopper", skus[4:8]...); n[placeholder.Created] != 2 {
		t.Errorf("another client: %v", n)
	}
}

// TestJoin: many callers share few transactions.
func TestJoin(t *testing.T) {
	w := newWorld(t, placeholder.Options{})
	w.db.Latency = 5 * time.Millisecond
	var wg sync.WaitGroup
	const n = 200
	for i := range n {
		w.put(fmt.Sprint("s", i), "1")
	}
	for i := range n {
		wg.Go(func() {
			results, err := w.s.Ensure(t.Context(), "c", []string{fmt.Sprint("s", i)})
			if err != nil || results[0].Status != placeholder.Created {
				t.Errorf("%+v, %v", results, err)
			}
		})
	}
	wg.Wait()
	if writes := w.db.Writes(); writes > n/4 {
		t.Errorf("%d products took %d transactions", n, writes)
	}
	if s := w.s.Stats(); s.Answers[placeholder.Created] != n || s.Asked != n || s.Failed != 0 || s.Batches != w.db.Writes() {
		t.Errorf("stats %+v", s)
	}
}

// TestStuckShop: a shop that does not answer makes errors in time, keeps
// nobody who can be answered, and is used again when it is back.
func TestStuckShop(t *testing.T) {
	w := newWorld(t, placeholder.Options{Timeout: 150 * time.Millisecond})
	w.put("a", "1")
	w.put("b", "1")
	w.ensure("c", "a")
	release := w.db.Hold("b")
	began := time.Now()
	if _, err := w.s.Ensure(t.Context(), "c", []string{"b"}); !errors.Is(err, placeholder.ErrUnavailable) {
		t.Errorf("a stuck shop: %v", err)
	}
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("it took %v", d)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := w.s.Ensure(ctx, "c", []string{"b"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an impatient caller: %v", err)
	}
	if got := w.statuses("c", "a"); got != "[present]" {
		t.Errorf("another SKU: %s", got)
	}
	release()
	if got := w.statuses("c", "b"); got != "[created]" && got != "[present]" {
		t.Errorf("afterwards: %s", got)
	}
}

// TestTooMany: a shop that does not keep up does not fill the memory.
func TestTooMany(t *testing.T) {
	w := newWorld(t, placeholder.Options{Timeout: time.Second})
	w.put("held", "1")
	release := w.db.Hold("held")
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	w.db.Latency = 100 * time.Millisecond
	refused := false
	for n := range 100 {
		var skus []string
		for i := range 400 {
			skus = append(skus, fmt.Sprint("none-", n, "-", i))
		}
		soon, stop := context.WithTimeout(ctx, time.Millisecond)
		_, err := w.s.Ensure(soon, "c", skus)
		stop()
		refused = refused || errors.Is(err, placeholder.ErrUnavailable)
	}
	cancel()
	if !refused {
		t.Error("40,000 SKUs wait, and nobody is refused")
	}
}

// TestPoison: a product that the shop cannot write fails alone.
func TestPoison(t *testing.T) {
	w := newWorld(t, placeholder.Options{})
	w.db.Latency = time.Millisecond
	for i := range 8 {
		w.put(fmt.Sprint("s", i), "1")
	}
	w.db.Fail(placeholder.ErrSchema, 1) // the first transaction, of all of them
	var skus []string
	for i := range 8 {
		skus = append(skus, fmt.Sprint("s", i))
	}
	for i, r := range w.ensure("c", skus...) {
		if r.Status != placeholder.Created {
			t.Errorf("product %d: %+v", i, r)
		}
	}
	w.db.Fail(placeholder.ErrSchema, 1)
	w.put("bad", "1")
	if _, err := w.s.Ensure(t.Context(), "c", []string{"bad"}); !errors.Is(err, placeholder.ErrSchema) {
		t.Errorf("alone: %v", err)
	}
}

func TestServiceClose(t *testing.T) {
	w := newWorld(t, placeholder.Options{})
	w.put("a", "1")
	release := w.db.Hold("a")
	defer release()
	done := make(chan error, 1)
	go func() {
		_, err := w.s.Ensure(context.Background(), "c", []string{"a"})
		done <- err
	}()
	followed := make(chan error, 1)
	go func() { followed <- w.s.Follow(context.Background()) }()
	w.eventually("it follows", func() bool { return w.s.Stats().Follow.Running })
	time.Sleep(20 * time.Millisecond)
	for range 2 {
		if err := w.s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; !errors.Is(err, placeholder.ErrClosed) {
		t.Errorf("who waited got %v", err)
	}
	if err := <-followed; !errors.Is(err, placeholder.ErrClosed) {
		t.Errorf("the follower got %v", err)
	}
	if _, err := w.s.Ensure(t.Context(), "c", []string{"a"}); !errors.Is(err, placeholder.ErrClosed) {
		t.Errorf("afterwards: %v", err)
	}
}

// follow runs Follow until the test ends.
func (w *world) follow(s *placeholder.Service) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Follow(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) && !errors.Is(err, placeholder.ErrClosed) {
			w.Errorf("following ended with %v", err)
		}
	}
	w.Cleanup(stop)
	return stop
}

// TestFollowAfterTrim: what changed while nobody followed, and was trimmed
// from the log, is found by going through all placeholders.
func TestFollowAfterTrim(t *testing.T) {
	w := newWorld(t, placeholder.Options{})
	w.put("a", "1")
	w.ensure("c", "a")
	stop := w.follow(w.s)
	w.eventually("it follows", func() bool { f, _ := w.store.Followers(t.Context()); return len(f) == 1 })
	w.put("a", "2")
	w.eventually("price 2", func() bool { return w.price("a") == "2.000000" })
	stop()
	w.put("a", "3")
	if err := w.store.Unfollow(t.Context(), "placeholder"); err != nil {
		t.Fatal(err)
	}
	tail, err := w.store.Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Trim(t.Context(), tail.Seq); err != nil {
		t.Fatal(err)
	}
	w.follow(w.s)
	w.eventually("price 3", func() bool { return w.price("a") == "3.000000" })
}

// TestFollowTwice: of two followers one works; when it ends the other does.
func TestFollowTwice(t *testing.T) {
	w := newWorld(t, placeholder.Options{})
	other := placeholder.New(w.store, w.shop, placeholder.Options{})
	defer other.Close()
	w.put("a", "1")
	w.ensure("c", "a")
	stop := w.follow(w.s)
	w.eventually("one follows", func() bool { return w.s.Stats().Follow.Running })
	w.follow(other)
	w.put("a", "2")
	w.eventually("price 2", func() bool { return w.price("a") == "2.000000" })
	if other.Stats().Follow.Running {
		t.Error("both follow")
	}
	stop()
	if w.s.Stats().Follow.Running {
		t.Error("it still follows")
	}
}

// TestFollowTrouble: a shop that is away is waited for, and nothing is missed.
func TestFollowTrouble(t *testing.T) {
	w := newWorld(t, placeholder.Options{})
	w.put("a", "1")
	w.ensure("c", "a")
	w.follow(w.s)
	w.eventually("it follows", func() bool { return w.s.Stats().Follow.Running })
	w.db.Fail(placeholder.ErrUnavailable, 2)
	w.put("a", "2")
	w.eventually("price 2", func() bool { return w.price("a") == "2.000000" })
	w.db.Fail(placeholder.ErrSchema, 1) // one that fails for itself is left out
	w.put("a", "3")
	w.put("a", "4")
	w.eventually("price 4", func() bool { return w.price("a") == "4.000000" })
}

// TestSweepTimes: a special price with a time of day begins by itself.
func TestSweepTimes(t *testing.T) {
	w := newWorld(t, placeholder.Options{Sweep: 20 * time.Millisecond})
	begin := time.Now().Add(300 * time.Millisecond).UTC().Format(time.RFC3339Nano)
	w.put("a", fmt.Sprintf(`9,"special_price":7,"special_from":%q`, begin))
	special := func() bool {
		p, _ := w.db.Product(w.db.Same("a")[0])
		for _, v := range p.Values {
			if v.Attribute == "special_price" {
				return true
			}
		}
		return false
	}
	w.ensure("c", "a")
	if special() {
		t.Fatal("it has begun already")
	}
	w.follow(w.s)
	w.eventually("it begins", special)
}

func TestPruneConfig(t *testing.T) {
	w := newWorld(t, placeholder.Options{})
	w.put("a", "1")
	w.ensure("c", "a")
	for _, c := range []placeholder.PruneConfig{{}, {UnusedFor: -1}, {ByCount: true, Keep: -1}, {UnusedFor: 1, Grace: -1}, {UnusedFor: 1, Pause: -1}} {
		if _, err := placeholder.Prune(t.Context(), w.shop, c); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := placeholder.Prune(ctx, w.shop, placeholder.PruneConfig{UnusedFor: 1}); !errors.Is(err, context.Canceled) || r.Finished {
		t.Errorf("when cancelled: %+v, %v", r, err)
	}
}
