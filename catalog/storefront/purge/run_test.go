package purge_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/catalog/storefront/purge"
	"catalog/indexer"
)

// world is a store, an index that is as far as it is told, and a cache.
type world struct {
	t      *testing.T
	store  *memstore.Store
	engine *indexer.Engine

	mu    sync.Mutex
	index catalog.Cursor
	sent  []string // keys, "!" before those of hard purges; "*" is everything
	fail  []error  // of the next purges
	many  int      // purges
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, store: memstore.New()}
	w.engine = indexer.NewEngine(nil, w.store, indexer.EngineOptions{})
	return w
}

func (w *world) String() string { return "test" }

func (w *world) Cursor(context.Context) (catalog.Cursor, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.index.IsZero() {
		return w.index, indexer.ErrNoIndex
	}
	return w.index, nil
}

func (w *world) Purge(_ context.Context, keys []string, soft bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.many++
	if len(w.fail) > 0 {
		err := w.fail[0]
		w.fail = w.fail[1:]
		return err
	}
	for _, k := range keys {
		if !soft {
			k = "!" + k
		}
		w.sent = append(w.sent, k)
	}
	return nil
}

func (w *world) PurgeAll(ctx context.Context) error { return w.Purge(ctx, []string{"*"}, true) }

// put writes records: a kind and a document each.
func (w *world) put(kind catalog.Kind, docs ...string) {
	w.t.Helper()
	var p catalog.Parser
	for _, doc := range docs {
		var r catalog.Parsed
		if err := p.Parse(kind, []byte(doc), &r); err != nil {
			w.t.Fatal(err)
		}
		w.write(catalog.Write{Kind: kind, Key: r.Key, Body: r.Body, Refs: r.Refs})
	}
}

func (w *world) write(x catalog.Write) {
	w.t.Helper()
	if _, err := w.store.Apply(w.t.Context(), []catalog.Write{x}); err != nil {
		w.t.Fatal(err)
	}
}

// indexed moves the index to the tail.
func (w *world) indexed() {
	w.t.Helper()
	tail, err := w.store.Tail(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.index = tail
}

// got lets time pass, and returns what was sent since the last call, sorted.
func (w *world) got(after time.Duration) string {
	time.Sleep(after)
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	out := slices.Sorted(slices.Values(w.sent))
	w.sent = nil
	return strings.Join(out, " ")
}

func (w *world) want(after time.Duration, want, when string) {
	w.t.Helper()
	if got := w.got(after); got != want {
		w.t.Errorf("%s, %q was purged, not %q", when, got, want)
	}
}

// run starts Run; the function that it returns ends it.
func (w *world) run(opts purge.Options) (stop func()) {
	opts.Store, opts.Index, opts.Shop, opts.Target = w.store, w, w.engine.Shop, w
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- purge.Run(ctx, opts) }()
	synctest.Wait()
	return func() {
		w.t.Helper()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			w.t.Errorf("Run ended with %v", err)
		}
	}
}

const (
	shoe  = `{"sku":"A/1","name":"Shoe","categories":["Men/Shoes"],"attributes":{"color":"red"}}`
	shoe2 = `{"sku":"A/1","name":"Shoe","categories":["Men/Shoes"],"attributes":{"color":"red"},"description":"new"}`
	shoe3 = `{"sku":"A/1","name":"Shoe","categories":["Men/Shoes"],"attributes":{"color":"blue"},"description":"new"}`
)

func TestChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(catalog.KindCategory, `{"id":"12","path":"Men/Shoes"}`)
		w.put(catalog.KindProduct, shoe)
		defer w.run(purge.Options{})()
		w.want(time.Minute, "", "without an index")
		w.indexed()
		w.want(time.Minute, "", "at the first start, about what was before")

		w.put(catalog.KindProduct, shoe2)
		w.want(time.Minute, "", "before the index passed the change")
		w.indexed()
		w.want(900*time.Millisecond, "", "while answers may be under way that were made before")
		w.want(1500*time.Millisecond, "p:A%2F1", "after it")
		w.want(time.Minute, "c:12", "of a product that is not known to have stayed")

		w.put(catalog.KindProduct, shoe)
		w.indexed()
		w.want(time.Minute, "p:A%2F1", "when only its text changed")
		w.put(catalog.KindProduct, shoe3)
		w.indexed()
		w.want(time.Minute, "c:12 p:A%2F1", "when it has another colour")

		w.put(catalog.KindPrice, `{"sku":"A/1","price":3}`)
		w.put(catalog.KindStock, `{"sku":"A/1","qty":3}`)
		w.put(catalog.KindAttribute, `{"code":"color","label":"Colour"}`)
		w.indexed()
		w.want(time.Minute, "", "after changes of price, stock and an attribute")

		w.put(catalog.KindCategory, `{"id":"12","path":"Men/Shoes","name":"All shoes"}`)
		w.indexed()
		w.want(2*time.Second, "", "before category pages have the new name")
		w.want(time.Minute, "c:12", "when they have")

		w.write(catalog.Write{Kind: catalog.KindProduct, Key: "A/1"})
		w.indexed()
		w.want(time.Minute, "!p:A%2F1", "when it was deleted")
	})
}

func TestCategoriesOfProducts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.indexed()
		w.put(catalog.KindProduct, `{"sku":"zero"}`)
		w.indexed()
		defer w.run(purge.Options{})()
		w.got(time.Minute)
		w.put(catalog.KindCategory, `{"id":"7","path":"Audio\\/Video/Cables"}`)
		w.put(catalog.KindProduct, `{"sku":"a","categories":[" Audio\\/Video / Cables ",{"path":"Sale","position":3},{"id":"99"}],"stores":{"de":{"categories":["Angebote"]}}}`)
		w.indexed()
		w.want(time.Minute, "c:7 c:99 c:Angebote c:Sale p:a", "of a product in categories of all forms")
	})
}

func TestVariants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(catalog.KindProduct, `{"sku":"P","type":"configurable","categories":["Men"],"variants":["P-1","P-2"]}`, `{"sku":"P-1","visibility":"none"}`)
		w.indexed()
		defer w.run(purge.Options{})()
		w.got(time.Minute)
		w.put(catalog.KindProduct, `{"sku":"P-1","visibility":"none","attributes":{"size":"M"}}`)
		w.indexed()
		w.want(time.Minute, "c:Men p:P p:P-1", "after a variant changed its size")
		w.put(catalog.KindProduct, `{"sku":"P-1","visibility":"none","attributes":{"size":"M"},"description":"x"}`)
		w.indexed()
		w.want(time.Minute, "p:P p:P-1", "after a variant changed its text")
	})
}

func TestOncePerTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(catalog.KindProduct, `{"sku":"zero"}`)
		w.indexed()
		defer w.run(purge.Options{})()
		w.got(time.Minute)
		start := time.Now()
		for i := range 200 { // for 100 s
			w.put(catalog.KindProduct, `{"sku":"s`+strconv.Itoa(i)+`","categories":["Men"]}`)
			w.indexed()
			time.Sleep(500 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		c, p := 0, 0
		for _, k := range w.sent {
			if k == "c:Men" {
				c++
			} else {
				p++
			}
		}
		if most := int(time.Since(start)/(30*time.Second)) + 1; c < 4 || c > most || p != 200 {
			t.Errorf("the category was purged %d times in %s, products %d times", c, time.Since(start), p)
		}
		if last := w.sent[len(w.sent)-1]; last != "c:Men" {
			t.Errorf("the last purge was of %s: what changed last is not shown", last)
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(catalog.KindProduct, `{"sku":"zero"}`)
		w.indexed()
		var keys int
		defer w.run(purge.Options{Metrics: purge.Metrics{Sent: func(n int, _ time.Duration) { keys += n }}})()
		w.got(time.Minute)
		const n = 5000
		for i := range n {
			w.put(catalog.KindProduct, `{"sku":"s`+strconv.Itoa(i)+`"}`)
		}
		for range 3 {
			for i := range 100 {
				w.put(catalog.KindProduct, `{"sku":"s0","description":"`+strconv.Itoa(i)+time.Now().String()+`"}`)
			}
		}
		w.indexed()
		time.Sleep(time.Minute)
		synctest.Wait()
		distinct := slices.Compact(slices.Sorted(slices.Values(w.sent)))
		if len(distinct) != n || len(w.sent) > n+1 || keys != len(w.sent) {
			t.Errorf("%d keys were sent, %d of them distinct, %d counted; there are %d products", len(w.sent), len(distinct), keys, n)
		}
		if w.many > 5 {
			t.Errorf("that took %d purges", w.many)
		}
	})
}

func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(catalog.KindProduct, `{"sku":"zero"}`)
		w.indexed()
		failed := 0
		stop := w.run(purge.Options{Metrics: purge.Metrics{Failed: func(error) { failed++ }}})
		w.got(time.Minute)
		broken := errors.New("no route to host")
		w.fail = []error{broken, broken, broken, broken, broken}
		w.put(catalog.KindProduct, `{"sku":"a"}`)
		w.indexed()
		w.want(3*time.Second, "", "while the cache is away")
		w.want(time.Minute, "p:a", "when it is back")
		if failed != 5 {
			t.Errorf("%d failures were told of 5", failed)
		}

		// A process that ends while the cache is away leaves the key to the next.
		w.fail = slices.Repeat([]error{broken}, 50)
		w.put(catalog.KindProduct, `{"sku":"b","categories":["Men"]}`)
		w.indexed()
		w.want(5*time.Second, "", "while the cache is away again")
		stop()
		w.fail = nil
		stop = w.run(purge.Options{})
		w.want(2*time.Second, "p:b", "by the next process")
		stop() // before the category's time has come
		defer w.run(purge.Options{})()
		w.want(time.Minute, "c:Men p:b", "by the one after it")
	})
}

func TestRefusedKey(t *testing.T) {
	w := newWorld(t)
	w.put(catalog.KindProduct, `{"sku":"zero"}`)
	w.indexed()
	c := newCache(t)
	c.answer = func(s seen) int {
		if slices.Contains(s.keys, "p:bad") {
			return 400
		}
		return 0
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	started := make(chan struct{}, 1)
	go func() {
		done <- purge.Run(ctx, purge.Options{Store: w.store, Index: w, Shop: w.engine.Shop, Target: target(t, c.URL, ""), Metrics: purge.Metrics{Behind: func(int64) {
			select {
			case started <- struct{}{}:
			default:
			}
		}}})
	}()
	<-started
	for len(followers(t, w.store)) == 0 {
		time.Sleep(time.Millisecond)
	}
	for i := range 20 {
		w.put(catalog.KindProduct, `{"sku":"s`+strconv.Itoa(i)+`"}`)
	}
	w.put(catalog.KindProduct, `{"sku":"bad"}`, `{"sku":"last"}`)
	w.indexed()
	good := func() []string {
		c.mu.Lock()
		defer c.mu.Unlock()
		var out []string
		for _, s := range c.asked {
			if !slices.Contains(s.keys, "p:bad") {
				out = append(out, s.keys...)
			}
		}
		return out
	}
	deadline := time.Now().Add(10 * time.Second)
	for len(good()) < 21 && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	if got := good(); len(got) != 21 || !slices.Contains(got, "p:last") {
		t.Errorf("the cache took %v", got)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func followers(t *testing.T, s *memstore.Store) []catalog.Follower {
	t.Helper()
	f, err := s.Followers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestLostPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(catalog.KindProduct, `{"sku":"zero"}`)
		w.indexed()
		stop := w.run(purge.Options{})
		w.got(time.Minute)
		stop()
		name := followers(t, w.store)[0]
		w.put(catalog.KindProduct, `{"sku":"a"}`, `{"sku":"b"}`)
		w.indexed()

		// Another store in its place: what was cached is of no use.
		w.store = memstore.New()
		w.engine = indexer.NewEngine(nil, w.store, indexer.EngineOptions{})
		w.put(catalog.KindProduct, `{"sku":"a"}`)
		lost := &restored{w.store, name}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- purge.Run(ctx, purge.Options{Store: lost, Index: w, Shop: w.engine.Shop, Target: w})
		}()
		w.want(time.Minute, "", "before the index is built anew")
		w.indexed()
		w.want(time.Minute, "*", "after it was")
		w.put(catalog.KindProduct, `{"sku":"c"}`)
		w.indexed()
		w.want(time.Minute, "p:c", "then")
		cancel()
		<-done
	})
}

// restored is a store with a follower whose place is of another epoch.
type restored struct {
	*memstore.Store
	old catalog.Follower
}

func (r *restored) Followers(context.Context) ([]catalog.Follower, error) {
	return []catalog.Follower{r.old}, nil
}

func TestOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(catalog.KindProduct, `{"sku":"zero"}`)
		w.indexed()
		stop := w.run(purge.Options{Holder: "one"})
		defer w.run(purge.Options{Holder: "two"})()
		w.got(time.Minute)
		w.put(catalog.KindProduct, `{"sku":"a"}`)
		w.indexed()
		w.want(time.Minute, "p:a", "by one of two processes")
		stop()
		w.put(catalog.KindProduct, `{"sku":"b"}`)
		w.indexed()
		w.want(time.Minute, "p:b", "by the other, when the first had ended")
	})
}
