package indexer_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/fixtures"
	"catalog/indexer"
)

func tiny(t *testing.T) *shop {
	s := newShop(t, storeViews)
	s.put(catalog.KindAttribute, string(fixtures.TinyAttributes()))
	s.put(catalog.KindCategory, string(fixtures.TinyCategories()))
	s.put(catalog.KindProduct, string(fixtures.TinyShop()))
	return s
}

func TestRunBuilds(t *testing.T) {
	s := tiny(t)
	rep := s.run()
	if !rep.Rebuilt || rep.Built == 0 || rep.Dead != 0 {
		t.Fatalf("report: %+v", rep)
	}
	s.verify()
	s.want(indexer.Query{Text: "hoodie"}, "MH-100")
	s.want(indexer.Query{Text: "hodie"}, "MH-100")
	s.want(indexer.Query{Text: "running sho"}, "SH-200")
	s.want(indexer.Query{Category: "Men/T-Shirts"}, "TS-BLUE TS-RED")
	s.want(indexer.Query{Text: "Kapuzenpullover", View: indexer.View{Store: "de"}}, "MH-100")
	if rep := s.run(); rep.Rebuilt || rep.Changes != 0 {
		t.Errorf("nothing changed, but: %+v", rep)
	}
}

func TestRunFollows(t *testing.T) {
	s := tiny(t)
	s.run()
	for _, step := range []struct {
		name string
		do   func()
		q    indexer.Query
		want string
	}{
		{"a price", func() { s.put(catalog.KindPrice, `{"sku":"TS-RED","price":99}`) }, indexer.Query{Filters: filter(t, "price=99")}, "TS-RED"},
		{
			"a variant's stock", func() { s.put(catalog.KindStock, `{"sku":"SH-200-42","qty":0}`, `{"sku":"SH-200-43","qty":0}`) },
			indexer.Query{Text: "vento", Filters: filter(t, "in_stock=true")},
			"",
		},
		{"a variant's record", func() {
			s.put(catalog.KindProduct, `{"sku":"SH-200-42","visibility":"none","attributes":{"size":47}}`)
		}, indexer.Query{Filters: filter(t, "size=47")}, "SH-200"},
		{"a variant goes", func() { s.remove(catalog.KindProduct, "SH-200-42") }, indexer.Query{Filters: filter(t, "size=47")}, ""},
		{"a product goes", func() { s.remove(catalog.KindProduct, "TS-RED") }, indexer.Query{Category: "Men/T-Shirts"}, "TS-BLUE"},
		{
			"a category gets a record", func() { s.put(catalog.KindCategory, `{"id":7,"path":"Men/T-Shirts","name":"Leibchen"}`) },
			indexer.Query{Category: "7"},
			"TS-BLUE",
		},
		{
			"a category's name", func() { s.put(catalog.KindCategory, `{"id":7,"path":"Men/T-Shirts","name":"Blusen"}`) },
			indexer.Query{Text: "Blusen"},
			"TS-BLUE",
		},
		{"a category goes", func() { s.remove(catalog.KindCategory, "7") }, indexer.Query{Category: "Men/T-Shirts"}, "TS-BLUE"},
		{"disabled", func() { s.put(catalog.KindProduct, `{"sku":"TS-BLUE","status":"disabled"}`) }, indexer.Query{Category: "Men/T-Shirts"}, ""},
	} {
		step.do()
		rep := s.run()
		if rep.Rebuilt {
			t.Errorf("%s: the index was built anew", step.name)
		}
		if got := s.hits(step.q); got != step.want {
			t.Errorf("%s: hits %q, want %q", step.name, got, step.want)
		}
		s.verify()
	}
}

func TestRunRebuilds(t *testing.T) {
	s := tiny(t)
	s.run()
	for name, do := range map[string]func(){
		"a language": func() {
			if err := s.store.SetMeta(t.Context(), catalog.MetaStoreViews, []byte(`{"default":{"language":"fr"}}`)); err != nil {
				t.Fatal(err)
			}
		},
		"an attribute that is not searched": func() { s.put(catalog.KindAttribute, `{"code":"material","searchable":false}`) },
		"asked for":                         func() { s.opts.Rebuild = true },
		"a log that was trimmed": func() {
			s.put(catalog.KindPrice, `{"sku":"TS-RED","price":1}`)
			if err := s.store.Unfollow(t.Context(), "index/test"); err != nil {
				t.Fatal(err)
			}
			tail, err := s.store.Tail(t.Context())
			if err == nil {
				_, err = s.store.Trim(t.Context(), tail.Seq)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		do()
		if rep := s.run(); !rep.Rebuilt {
			t.Errorf("%s: not built anew: %+v", name, rep)
		}
		s.opts.Rebuild = false
		s.verify()
		list, err := s.store.Followers(t.Context())
		if err != nil || len(list) != 1 || list[0].Name != "index/test" || list[0].Behind != 0 {
			t.Errorf("%s: followers %+v, %v", name, list, err)
		}
	}
}

// TestRunWhileItChanges writes all the time, through a build and after it.
func TestRunWhileItChanges(t *testing.T) {
	s := tiny(t)
	s.run()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	inner, stop := context.WithCancel(ctx)
	s.opts.Follow, s.opts.Rebuild = true, true
	done := make(chan error, 1)
	go func() {
		_, err := indexer.Run(inner, s.store, s.index, s.opts)
		done <- err
	}()
	for i := range 300 {
		sku := fmt.Sprintf("N-%d", i%40)
		switch i % 4 {
		case 0, 1:
			s.put(catalog.KindProduct, fmt.Sprintf(`{"sku":%q,"name":"Number %d","price":%d,"categories":["C%d"]}`, sku, i, i+1, i%7))
		case 2:
			s.put(catalog.KindPrice, fmt.Sprintf(`{"sku":%q,"price":%d}`, sku, i+1))
		default:
			if i%3 == 0 {
				s.remove(catalog.KindProduct, sku)
			}
			s.put(catalog.KindCategory, fmt.Sprintf(`{"path":"C%d","name":"Shelf %d"}`, i%7, i))
		}
	}
	tail, err := s.store.Tail(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for {
		if at, err := s.index.Cursor(ctx); err == nil && at.Seq >= tail.Seq {
			break
		}
		if ctx.Err() != nil {
			t.Fatal("the index did not catch up")
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.verify()
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("run ended with %v", err)
	}
	if st, err := indexer.ReadStatus(ctx, s.store, "test"); err != nil || st.State != indexer.StateStopped || st.Behind != 0 {
		t.Errorf("status %+v, %v", st, err)
	}
	leases, err := s.store.Leases(ctx)
	if err != nil || len(leases) != 0 {
		t.Errorf("leases %+v, %v", leases, err)
	}
}

func TestOneRuns(t *testing.T) {
	for _, wait := range []bool{false, true} {
		s := tiny(t)
		s.opts.TTL = 2 * time.Second
		info, err := s.store.Acquire(t.Context(), "index/test", "another", s.opts.TTL)
		if err != nil {
			t.Fatal(err)
		}
		alive, die := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			for alive.Err() == nil {
				if err := s.store.Renew(t.Context(), info.Fence, s.opts.TTL); err != nil {
					t.Error(err)
				}
				time.Sleep(50 * time.Millisecond)
			}
		})
		if _, err := indexer.Run(t.Context(), s.store, s.index, s.opts); !errors.Is(err, catalog.ErrLeased) {
			t.Fatalf("a second one ran: %v", err)
		}
		// Another dies, without a word; the next takes over, whether it would
		// wait for one that lives or not.
		die()
		wg.Wait()
		s.opts.Wait = wait
		if rep := s.run(); !rep.Rebuilt {
			t.Errorf("report %+v", rep)
		}
		if err := s.store.Renew(t.Context(), info.Fence, time.Second); !errors.Is(err, catalog.ErrFenced) {
			t.Errorf("the first still has its lease: %v", err)
		}
	}
	// One that nobody renews, but that is for long, is not waited for.
	s := tiny(t)
	if _, err := s.store.Acquire(t.Context(), "index/test", "another", time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := indexer.Run(t.Context(), s.store, s.index, s.opts); !errors.Is(err, catalog.ErrLeased) {
		t.Fatalf("a second one ran: %v", err)
	}
}
