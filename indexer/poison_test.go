package indexer_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/schemas"
)

// picky is an index that does not take some products, and no ops at all for a
// while.
type picky struct {
	indexer.Index // not a LiveIndex
	bad           atomic.Pointer[string]
	down          atomic.Int32 // calls that fail
	late          atomic.Bool  // builders say what they do not take when they publish
}

var errDown = errors.New("no connection")

func (p *picky) Apply(ctx context.Context, ops []indexer.Op, at catalog.Cursor) error {
	if p.down.Add(-1) >= 0 {
		return errDown
	}
	good, rejected := p.sort(ops)
	if err := p.Index.Apply(ctx, good, at); err != nil {
		return err
	}
	return rejected
}

func (p *picky) sort(ops []indexer.Op) ([]indexer.Op, error) {
	var good []indexer.Op
	var rejected error
	for _, op := range ops {
		if bad := p.bad.Load(); bad != nil && *bad == op.SKU {
			rejected = &indexer.RejectedError{Products: map[string]error{op.SKU: errors.New("I do not like it")}}
		} else {
			good = append(good, op)
		}
	}
	return good, rejected
}

func (p *picky) Build(ctx context.Context, print string) (indexer.Builder, error) {
	b, err := p.Index.Build(ctx, print)
	return &pickyBuilder{Builder: b, p: p}, err
}

type pickyBuilder struct {
	indexer.Builder
	p    *picky
	late atomic.Pointer[error]
}

func (b *pickyBuilder) Apply(ctx context.Context, ops []indexer.Op) error {
	good, rejected := b.p.sort(ops)
	if err := b.Builder.Apply(ctx, good); err != nil {
		return err
	}
	if rejected != nil && b.p.late.Load() {
		b.late.Store(&rejected)
		return nil
	}
	return rejected
}

func (b *pickyBuilder) Publish(ctx context.Context, at catalog.Cursor) error {
	if err := b.Builder.Publish(ctx, at); err != nil {
		return err
	}
	if late := b.late.Load(); late != nil {
		return *late
	}
	return nil
}

// faulty is a store of which one record cannot be read.
type faulty struct {
	catalog.Store
	bad atomic.Pointer[string]
}

func (f *faulty) Get(ctx context.Context, k catalog.Kind, keys ...catalog.Key) ([]catalog.Record, error) {
	for _, key := range keys {
		if bad := f.bad.Load(); bad != nil && *bad == string(key) {
			return nil, catalog.ErrCorrupt
		}
	}
	return f.Store.Get(ctx, k, keys...)
}

func (s *shop) dead() string {
	s.Helper()
	var out []string
	for d, err := range indexer.DeadLetters(s.Context(), s.store, "test") {
		if err != nil || d.Error == "" || d.At.IsZero() {
			s.Fatalf("%+v, %v", d, err)
		}
		out = append(out, d.SKU)
	}
	return strings.Join(out, " ")
}

func TestPoison(t *testing.T) {
	t.Run("at once", func(t *testing.T) { testPoison(t, false) })
	t.Run("when published", func(t *testing.T) { testPoison(t, true) })
}

func testPoison(t *testing.T, late bool) {
	s := tiny(t)
	x := &picky{Index: s.index}
	x.late.Store(late)
	s.index = x
	sku := "TS-RED"
	x.bad.Store(&sku)
	if rep := s.run(); rep.Dead != 0 && s.dead() != sku {
		t.Errorf("built: %+v, dead letters %q", rep, s.dead())
	}
	s.want(indexer.Query{Category: "Men/T-Shirts"}, "TS-BLUE")
	if x, err := s.engine().Explain(t.Context(), sku, indexer.Query{}); err != nil || len(x.Causes) != 1 || x.Causes[0].Reason != indexer.ReasonDead {
		t.Errorf("explained: %+v, %v", x, err)
	}
	s.put(catalog.KindPrice, `{"sku":"TS-RED","price":3}`, `{"sku":"TS-BLUE","price":4}`)
	if rep := s.run(); rep.Rebuilt || s.dead() != sku {
		t.Errorf("followed: %+v, dead letters %q", rep, s.dead())
	}
	s.want(indexer.Query{Filters: filter(t, "price=..5", "brand=Fjordlin")}, "TS-BLUE")
	x.bad.Store(nil)
	s.run()
	if s.dead() != "" {
		t.Errorf("dead letters %q after it was mended", s.dead())
	}
	s.want(indexer.Query{Filters: filter(t, "price=..5", "brand=Fjordlin")}, "TS-BLUE TS-RED")
	s.verify()
}

func TestRecordThatCannotBeRead(t *testing.T) {
	s := tiny(t)
	f := &faulty{Store: s.store}
	s.store = f
	s.run()
	sku := "TS-RED"
	f.bad.Store(&sku)
	s.put(catalog.KindProduct, `{"sku":"TS-RED","name":"Changed"}`, `{"sku":"TS-BLUE","name":"Changed","categories":["X"]}`)
	if rep := s.run(); rep.Dead != 1 || s.dead() != sku {
		t.Errorf("%+v, dead letters %q", rep, s.dead())
	}
	s.want(indexer.Query{Category: "X"}, "TS-BLUE")
	f.bad.Store(nil)
	s.run()
	if s.dead() != "" {
		t.Errorf("dead letters %q after it was mended", s.dead())
	}
	s.verify()
}

// TestIndexIsDown: what does not arrive is sent again, and the lag is shown.
func TestIndexIsDown(t *testing.T) {
	s := tiny(t)
	x := &picky{Index: s.index}
	s.index = x
	s.run()
	x.down.Store(2)
	var worst atomic.Value
	s.opts.Progress = func(st indexer.Status) {
		if st.Error != "" {
			worst.Store(st)
		}
	}
	s.put(catalog.KindProduct, `{"sku":"TS-RED","name":"Changed","categories":["X"]}`)
	s.run()
	s.want(indexer.Query{Category: "X"}, "TS-RED")
	if st, ok := worst.Load().(indexer.Status); !ok || st.Behind == 0 || !strings.Contains(st.Error, errDown.Error()) {
		t.Errorf("status while it was down: %+v", st)
	}
	s.verify()
}

// TestLeaseLost: who lost the lease stops, and moves nothing any more.
func TestLeaseLost(t *testing.T) {
	s := tiny(t)
	s.opts.Follow, s.opts.TTL = true, 3*time.Second
	done := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() {
		_, err := indexer.Run(ctx, s.store, s.index, s.opts)
		done <- err
	}()
	for {
		if _, err := s.index.Cursor(ctx); err == nil {
			break
		}
		if ctx.Err() != nil {
			t.Fatal("no index was built")
		}
		time.Sleep(time.Millisecond)
	}
	// The holder's name is the same: its own lease is taken from it.
	if _, err := s.store.Acquire(ctx, "index/test", s.opts.Holder, time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, catalog.ErrFenced) {
		t.Errorf("run ended with %v", err)
	}
}

func TestSettingsSchema(t *testing.T) {
	doc, err := schemas.Get("index-settings")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct{ Examples []json.RawMessage }
	if err := json.Unmarshal(doc, &schema); err != nil || len(schema.Examples) == 0 {
		t.Fatal(err)
	}
	for _, x := range schema.Examples {
		if _, err := indexer.ParseSettings(x); err != nil {
			t.Errorf("%s: %v", x, err)
		}
	}
}
