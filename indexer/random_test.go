package indexer_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/indexer/facetindex"
	"catalog/indexer/indextest"
)

// opsEnv is the number of operations of TestRandomOperations.
const opsEnv = "CATALOG_TEST_INDEX_OPS"

// chance makes records in a small world, in which everything refers to
// everything.
type chance struct {
	*rand.Rand
	skus int
}

func (c chance) sku() string { return "S" + strconv.Itoa(c.IntN(c.skus)) }

// embedded returns the SKU of an embedded variant.
func (c chance) embedded() string { return "E" + strconv.Itoa(c.IntN(c.skus/3)) }

func (c chance) pick(list ...string) string { return list[c.IntN(len(list))] }

func (c chance) category() string {
	return c.pick(`"A"`, `"A/B"`, `"A/B/C"`, `"D"`, `{"id":"c1","position":3}`, `{"id":"c2"}`, `{"path":"A/B","position":1}`, `"D/E\\/F"`)
}

func (c chance) product(sku string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"sku":%q,"name":"Thing %d","attributes":{"color":%q,"size":%d}`, sku, c.IntN(9), c.pick("red", "blue"), c.IntN(4))
	maybe := func(percent int, f string, args ...any) {
		if c.IntN(100) < percent {
			fmt.Fprintf(&b, ","+f, args...)
		}
	}
	maybe(80, `"categories":[%s,%s]`, c.category(), c.category())
	maybe(10, `"status":"disabled"`)
	maybe(30, `"visibility":%q`, c.pick("none", "catalog", "search"))
	maybe(20, `"stores":{"de":{"name":"Ding %d","status":%q}}`, c.IntN(9), c.pick("enabled", "enabled", "disabled"))
	maybe(10, `"websites":[%q]`, c.pick("eu", "us"))
	maybe(10, `"type":"configurable"`)
	if c.IntN(100) < 30 {
		var list []string
		for range c.IntN(4) {
			if c.IntN(2) == 0 {
				list = append(list, strconv.Quote(c.sku()))
			} else {
				list = append(list, fmt.Sprintf(`{"sku":%q,"attributes":{"size":%d},"status":%q}`, c.embedded(), c.IntN(4), c.pick("enabled", "enabled", "disabled")))
			}
		}
		maybe(100, `"variants":[%s]`, strings.Join(list, ","))
	}
	b.WriteString("}")
	return b.String()
}

// unit returns the SKU of a product or of an embedded variant.
func (c chance) unit() string {
	if c.IntN(3) == 0 {
		return c.embedded()
	}
	return c.sku()
}

// step does one random thing to the store.
func (c chance) step(s *shop, passed *atomic.Int64) {
	s.Helper()
	switch c.IntN(12) {
	case 0, 1, 2, 3:
		sku := c.sku()
		s.put(catalog.KindProduct, c.product(sku))
	case 4:
		s.remove(catalog.KindProduct, c.sku())
	case 5, 6:
		from := s.opts.Now().Add(time.Duration(c.IntN(7200)-3600) * time.Second)
		s.put(catalog.KindPrice, fmt.Sprintf(`{"sku":%q,"prices":[{"price":%d,"special_price":%d,"special_from":%q,"special_to":%q},{"price":%d,"group":"vip"}]}`,
			c.unit(), 1+c.IntN(50), c.IntN(50), from.Format(time.RFC3339), from.Add(time.Hour).Format(time.RFC3339), 1+c.IntN(50)))
	case 7:
		s.put(catalog.KindStock, fmt.Sprintf(`{"sku":%q,"qty":%d}`, c.unit(), c.IntN(2)))
	case 8:
		s.remove([]catalog.Kind{catalog.KindPrice, catalog.KindStock}[c.IntN(2)], c.unit())
	case 9:
		s.put(catalog.KindCategory, c.pick(
			fmt.Sprintf(`{"id":"c1","path":%q,"name":"One %d"}`, c.pick("A/B", "X", "A"), c.IntN(3)),
			fmt.Sprintf(`{"id":"c2","path":%q,"stores":{"de":{"name":"Zwei %d"}}}`, c.pick("D", "A/B/C"), c.IntN(3)),
			fmt.Sprintf(`{"path":"A","name":"Aah %d","position":%d}`, c.IntN(3), c.IntN(3))))
	case 10:
		s.remove(catalog.KindCategory, c.pick("c1", "c2", "A"))
	case 11:
		passed.Add(int64(c.IntN(600)) * int64(time.Second))
	}
}

// operations returns how many random operations there are to be.
func operations(t *testing.T) int {
	v := os.Getenv(opsEnv)
	if v == "" {
		return 2500
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestRandomOperations changes everything at random, follows, and looks after
// each round whether the index is what the store says. A change that is missed
// shows here.
func TestRandomOperations(t *testing.T) {
	for _, mode := range []string{"again and again", "without live data", "following"} {
		t.Run(mode, func(t *testing.T) {
			ops := operations(t)
			c := chance{rand.New(rand.NewPCG(indextest.Seed(t), 1)), 25}
			s := newShop(t, `{"default":{"language":"en","currency":"EUR","website":"eu"},"de":{"language":"de","website":"eu"},"us":{"language":"en","website":"us"}}`)
			if mode == "without live data" {
				s.index = &picky{Index: s.index}
			}
			start := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
			var passed atomic.Int64
			s.opts.Now = func() time.Time { return start.Add(time.Duration(passed.Load())) }
			s.run()
			settle := func() {
				if rep := s.run(); rep.Rebuilt || rep.Dead > 0 {
					t.Errorf("report %+v", rep)
				}
				s.verify()
			}
			stop := func() {}
			if mode == "following" {
				settle = s.settle
				stop = s.follow()
			}
			if mode == "following" {
				ops /= 4 // it waits
			}
			for done := 0; done < ops && !t.Failed(); {
				for range 1 + c.IntN(60) {
					c.step(s, &passed)
					done++
				}
				settle()
				if t.Failed() {
					t.Logf("after %d operations", done)
				}
			}
			stop()
			// What was followed is what is built.
			s.opts.Rebuild = true
			before := s.hits(indexer.Query{Size: 100})
			s.run()
			if after := s.hits(indexer.Query{Size: 100}); before != after {
				t.Errorf("hits %q, built anew %q", before, after)
			}
		})
	}
}

// TestRandomOperationsEmbedded is TestRandomOperations for the embedded index,
// which flushes and merges all the time and is closed and opened now and then.
func TestRandomOperationsEmbedded(t *testing.T) {
	ops := operations(t)
	c := chance{rand.New(rand.NewPCG(indextest.Seed(t), 2)), 120}
	s := newShop(t, `{"default":{"language":"en","currency":"EUR","website":"eu"},"de":{"language":"de","website":"eu"},"us":{"language":"en","website":"us"}}`)
	dir := t.TempDir()
	reopen := func() {
		err := s.index.Close()
		if err == nil {
			s.index, err = facetindex.Open(t.Context(), dir, &facetindex.Options{
				FlushAfter: 50 * time.Millisecond, FlushDocs: 50, JournalBytes: 20_000, OnError: func(err error) { t.Error(err) },
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	reopen()
	start := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	var passed atomic.Int64
	s.opts.Now = func() time.Time { return start.Add(time.Duration(passed.Load())) }
	s.run()
	round := max(60, ops/2000)
	for done := 0; done < ops && !t.Failed(); {
		for range 1 + c.IntN(2*round) {
			c.step(s, &passed)
			done++
		}
		if c.IntN(20) == 0 {
			reopen()
		}
		if rep := s.run(); rep.Rebuilt || rep.Dead > 0 {
			t.Errorf("report %+v", rep)
		}
		s.verify()
		if t.Failed() {
			t.Logf("after %d operations", done)
		}
	}
	s.opts.Rebuild = true
	before := s.hits(indexer.Query{Size: indexer.MaxSize})
	s.run()
	if after := s.hits(indexer.Query{Size: indexer.MaxSize}); before != after {
		t.Errorf("hits %q, built anew %q", before, after)
	}
}

// follow follows in the background until stop is called.
func (s *shop) follow() (stop func()) {
	opts := s.opts
	opts.Follow, opts.Every = true, 5*time.Millisecond
	ctx, cancel := context.WithCancel(s.Context())
	done := make(chan error, 1)
	go func() {
		_, err := indexer.Run(ctx, s.store, s.index, opts)
		done <- err
	}()
	return func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			s.Errorf("run ended with %v", err)
		}
	}
}

// settle waits until the index that follows is what the store says.
func (s *shop) settle() {
	s.Helper()
	var v indexer.Verification
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		v, err = indexer.Verify(s.Context(), s.store, s.index, indexer.VerifyOptions{Name: "test", Now: s.opts.Now})
		if err != nil {
			s.Fatal(err)
		}
		if v.OK() && v.Counts[indexer.Stale] == 0 {
			return
		}
	}
	s.Errorf("the index does not become right: %+v", v)
}
