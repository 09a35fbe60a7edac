package copystore_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"catalog/catalog"
	"catalog/catalog/copystore"
	"catalog/catalog/memstore"
	"catalog/catalog/pebblestore"
	"catalog/catalog/storetest"
)

// put returns the write of a record, with its refs.
func put(t testing.TB, kind catalog.Kind, source, body string) catalog.Write {
	t.Helper()
	var p catalog.Parser
	var r catalog.Parsed
	if err := p.Parse(kind, []byte(body), &r); err != nil {
		t.Fatal(err)
	}
	return catalog.Write{Kind: r.Kind, Key: r.Key, Body: []byte(body), Source: source, Refs: r.Refs}
}

func apply(t testing.TB, s catalog.Store, writes ...catalog.Write) {
	t.Helper()
	if _, err := s.Apply(t.Context(), writes); err != nil {
		t.Fatal(err)
	}
}

// fill puts n products into a store, and something of each other kind.
func fill(t testing.TB, s catalog.Store, n int) {
	t.Helper()
	writes := []catalog.Write{
		put(t, catalog.KindAttribute, "pim", `{"code":"colour","label":"Colour"}`),
		put(t, catalog.KindCategory, "pim", `{"id":"shoes","path":"Shoes","url_key":"shoes"}`),
	}
	for i := range n {
		sku := fmt.Sprintf("SKU-%04d", i)
		writes = append(writes,
			put(t, catalog.KindProduct, "erp", fmt.Sprintf(`{"sku":%q,"url_key":{"de":"schuh-%d"},"weight":1.50,"variants":["V-%d"]}`, sku, i, i)),
			put(t, catalog.KindPrice, "prices", fmt.Sprintf(`{"sku":%q,"prices":[{"price":%d.10}]}`, sku, i+1)),
			put(t, catalog.KindStock, "wms", fmt.Sprintf(`{"sku":%q,"qty":%d}`, sku, i)))
	}
	apply(t, s, writes...)
	for name, value := range map[string]string{
		catalog.MetaStoreViews: `{"de":{"language":"de"}}`, "reports/1": `{}`, "former-urls/de/alt": "SKU-0001", "empty": "",
		"index/main/status": "derived",
	} {
		if err := s.SetMeta(t.Context(), name, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
}

// refs are some that fill makes.
var refs = []catalog.Ref{
	{Type: catalog.RefURLKey, Store: "de", Value: "schuh-3"},
	{Type: catalog.RefURLKey, Store: "de", Value: "neu"},
	{Type: catalog.RefCategoryURLKey, Value: "shoes"},
	{Type: catalog.RefVariant, Value: "V-2"},
}

// small batches make many of them.
func small() copystore.Options { return copystore.Options{BatchBytes: 2000, Holder: "a test"} }

// same fails the test unless to is a whole copy of from.
func same(t testing.TB, from, to catalog.Store, r *copystore.Report) {
	t.Helper()
	storetest.Equal(t, from, to, refs...)
	list := func(s catalog.Store) string {
		var b strings.Builder
		for m, err := range s.Metas(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(m.Name, "index/") && !strings.HasPrefix(m.Name, "copy/") {
				fmt.Fprintf(&b, "%q=%q\n", m.Name, m.Value)
			}
		}
		return b.String()
	}
	if a, b := list(from), list(to); a != b {
		t.Errorf("metas are\n%s, want\n%s", b, a)
	}
	if followers, err := from.Followers(t.Context()); err != nil || len(followers) > 0 {
		t.Errorf("followers left: %v, %v", followers, err)
	}
	if r == nil {
		return
	}
	stats, err := from.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range r.Kinds {
		kind, err := catalog.ParseKind(k.Kind)
		if err != nil || k.SourceCount != stats.Records[kind] || k.TargetCount != k.SourceCount || k.SourceDigest != k.TargetDigest || k.SourceDigest == "" {
			t.Errorf("%s: %+v, %v; the source has %d", k.Kind, k, err, stats.Records[kind])
		}
	}
	if r.Status != "ok" || r.Faults > 0 || r.Source == "" || r.Target == "" {
		t.Errorf("the report says %+v", r)
	}
}

func TestCopy(t *testing.T) {
	pebble := func(t testing.TB) catalog.Store {
		s, err := pebblestore.Open(t.Context(), filepath.Join(t.TempDir(), "store"), &pebblestore.Options{BulkBytes: 10_000})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	memory := func(testing.TB) catalog.Store { return memstore.New() }
	for name, open := range map[string][2]func(testing.TB) catalog.Store{
		"memory to memory": {memory, memory}, "memory to pebble": {memory, pebble},
		"pebble to memory": {pebble, memory}, "pebble to pebble": {pebble, pebble},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := open[0](t), open[1](t)
			fill(t, from, 60)
			r, err := copystore.Run(t.Context(), from, to, small())
			if err != nil {
				t.Fatal(err)
			}
			same(t, from, to, r)
			if got := r.Kinds[2]; got.Kind != "product" || got.Read != 60 || got.Created != 60 {
				t.Errorf("the report says %+v", got)
			}

			// The same again brings it up to date, from the log alone.
			apply(t, from, put(t, catalog.KindProduct, "erp", `{"sku":"NEW","url_key":{"de":"neu"}}`),
				put(t, catalog.KindPrice, "prices", `{"sku":"SKU-0007","prices":[{"price":0.5}]}`),
				catalog.Write{Kind: catalog.KindProduct, Key: "SKU-0003"}, catalog.Write{Kind: catalog.KindStock, Key: "SKU-0003"})
			if err := from.SetMeta(t.Context(), "empty", nil); err != nil {
				t.Fatal(err)
			}
			if r, err = copystore.Run(t.Context(), from, to, small()); err != nil {
				t.Fatal(err)
			}
			same(t, from, to, r)
			if !r.Resumed || r.Changes != 4 || r.Kinds[2].Read != 0 || r.Kinds[2].Created != 1 || r.Kinds[2].Deleted != 1 || r.Corrected != 0 {
				t.Errorf("the report says %+v", r)
			}
		})
	}
}

// TestOwners: that a record has another owner is not in the log.
func TestOwners(t *testing.T) {
	from, to := memstore.New(), memstore.New()
	fill(t, from, 10)
	if _, err := copystore.Run(t.Context(), from, to, small()); err != nil {
		t.Fatal(err)
	}
	apply(t, from, put(t, catalog.KindStock, "another", `{"sku":"SKU-0004","qty":4}`))
	r, err := copystore.Run(t.Context(), from, to, small())
	if err != nil || r.Corrected != 1 || r.Changes != 0 {
		t.Errorf("%v, %+v", err, r)
	}
	same(t, from, to, r)
}

func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(t *testing.T, from, to catalog.Store) (catalog.Store, catalog.Store)
		want error
	}{
		{"itself", func(_ *testing.T, from, _ catalog.Store) (catalog.Store, catalog.Store) { return from, from }, copystore.ErrSame},
		{"a full target", func(t *testing.T, from, to catalog.Store) (catalog.Store, catalog.Store) {
			apply(t, to, put(t, catalog.KindProduct, "x", `{"sku":"SURPLUS"}`), put(t, catalog.KindProduct, "x", `{"sku":"SKU-0001"}`))
			return from, to
		}, copystore.ErrNotEmpty},
		{"a target that was written to", func(t *testing.T, from, to catalog.Store) (catalog.Store, catalog.Store) {
			if _, err := copystore.Run(t.Context(), from, to, small()); err != nil {
				t.Fatal(err)
			}
			apply(t, to, put(t, catalog.KindProduct, "x", `{"sku":"SURPLUS"}`), put(t, catalog.KindProduct, "x", `{"sku":"SKU-0001"}`))
			return from, to
		}, copystore.ErrWritten},
		{"the copy of another store", func(t *testing.T, from, to catalog.Store) (catalog.Store, catalog.Store) {
			other := memstore.New()
			fill(t, other, 3)
			if _, err := copystore.Run(t.Context(), other, to, small()); err != nil {
				t.Fatal(err)
			}
			return from, to
		}, copystore.ErrOther},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from, to := catalog.Store(memstore.New()), catalog.Store(memstore.New())
			fill(t, from, 10)
			from, to = tt.make(t, from, to)
			before := content(t, to)
			if r, err := copystore.Run(t.Context(), from, to, small()); !errors.Is(err, tt.want) || r.Status != "failed" {
				t.Errorf("got %v, %s, want %v", err, r.Status, tt.want)
			}
			if after := content(t, to); after != before {
				t.Errorf("the target was changed: %s", after)
			}
			if errors.Is(tt.want, copystore.ErrSame) {
				return
			}
			o := small()
			o.Overwrite = true
			r, err := copystore.Run(t.Context(), from, to, o)
			if err != nil {
				t.Fatal(err)
			}
			same(t, from, to, r)
		})
	}
}

func content(t testing.TB, s catalog.Store) string {
	t.Helper()
	var b strings.Builder
	if err := storetest.Dump(t.Context(), &b, s, storetest.DumpOptions{Metas: true}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// faulty fails one write of the store, or stops with it like a process that is
// killed: nothing more reaches the store.
type faulty struct {
	catalog.Store
	at, n int
	after bool // the write is done, and the caller is not told
}

var errFault = errors.New("the connection broke")

func (f *faulty) fails(do func() error) error {
	f.n++
	switch {
	case f.n < f.at:
		return do()
	case f.n == f.at && f.after:
		if err := do(); err != nil {
			return err
		}
	}
	return errFault
}

func (f *faulty) Apply(ctx context.Context, w []catalog.Write) (r []catalog.Result, err error) {
	err = f.fails(func() error { r, err = f.Store.Apply(ctx, w); return err })
	return r, err
}

func (f *faulty) SetMeta(ctx context.Context, name string, v []byte) error {
	return f.fails(func() error { return f.Store.SetMeta(ctx, name, v) })
}

// TestEveryWriteFails ends the copy at each write to the target; the next run
// does the rest, while the source has changed.
func TestEveryWriteFails(t *testing.T) {
	for _, after := range []bool{false, true} {
		for i := 1; ; i++ {
			from, to := memstore.New(), memstore.New()
			fill(t, from, 20)
			f := &faulty{Store: to, at: i, after: after}
			_, err := copystore.Run(t.Context(), from, f, small())
			if f.n < f.at {
				if err != nil {
					t.Fatal(err)
				}
				if i < 20 {
					t.Errorf("a copy has %d writes only", i)
				}
				break
			}
			if !errors.Is(err, errFault) {
				t.Fatalf("write %d: got %v", i, err)
			}
			apply(t, from, put(t, catalog.KindProduct, "erp", `{"sku":"NEW","url_key":{"de":"neu"}}`), catalog.Write{Kind: catalog.KindProduct, Key: "SKU-0003"})
			if _, err := from.Trim(t.Context(), ^catalog.Seq(0)>>1); err != nil { // the copy's follower keeps the changes
				t.Fatal(err)
			}
			r, err := copystore.Run(t.Context(), from, to, small())
			if err != nil {
				t.Fatalf("after write %d: %v", i, err)
			}
			// Trim leaves nothing to check a log by, so the records are compared.
			if diff, err := storetest.Diff(t.Context(), from, to, 10); err != nil || len(diff) > 0 {
				t.Fatalf("after write %d: %q, %v", i, diff, err)
			}
			if i > 2 && !r.Resumed {
				t.Errorf("after write %d: not resumed", i)
			}
		}
	}
}

// TestTrimmed: the log was trimmed under the copy, whose follower was removed.
func TestTrimmed(t *testing.T) {
	from, to := memstore.New(), memstore.New()
	fill(t, from, 20)
	if _, err := copystore.Run(t.Context(), from, &faulty{Store: to, at: 8}, small()); !errors.Is(err, errFault) {
		t.Fatal(err)
	}
	if err := copystore.Abandon(t.Context(), from, memstore.New()); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("a copy that was not begun: %v", err)
	}
	for _, f := range followers(t, from) {
		if err := from.Unfollow(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	apply(t, from, catalog.Write{Kind: catalog.KindProduct, Key: "SKU-0001"}, catalog.Write{Kind: catalog.KindProduct, Key: "SKU-0015"})
	tail, err := from.Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := from.Trim(t.Context(), tail.Seq); err != nil {
		t.Fatal(err)
	}
	apply(t, from, catalog.Write{Kind: catalog.KindProduct, Key: "SKU-0002"})
	if _, err := copystore.Run(t.Context(), from, to, small()); err != nil {
		t.Fatal(err)
	}
	if diff, err := storetest.Diff(t.Context(), from, to, 10); err != nil || len(diff) > 0 {
		t.Fatalf("%q, %v", diff, err)
	}
}

func followers(t testing.TB, s catalog.Store) (names []string) {
	t.Helper()
	all, err := s.Followers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		names = append(names, f.Name)
	}
	return names
}

func TestAbandon(t *testing.T) {
	from, to := memstore.New(), memstore.New()
	fill(t, from, 20)
	if _, err := copystore.Run(t.Context(), from, &faulty{Store: to, at: 8}, small()); !errors.Is(err, errFault) {
		t.Fatal(err)
	}
	if len(followers(t, from)) != 1 {
		t.Fatal("an unfinished copy has no follower")
	}
	if err := copystore.Abandon(t.Context(), from, to); err != nil {
		t.Fatal(err)
	}
	if left := followers(t, from); len(left) > 0 {
		t.Errorf("left is %q", left)
	}
	if _, err := copystore.Run(t.Context(), from, to, small()); !errors.Is(err, copystore.ErrNotEmpty) {
		t.Errorf("what an abandoned copy left is taken for one: %v", err)
	}
}

// TestOneAtATime: two copies into one target exclude each other; that of one
// which was killed is waited for.
func TestOneAtATime(t *testing.T) {
	for held, want := range map[time.Duration]error{time.Minute: catalog.ErrLeased, 10 * time.Second: nil} {
		synctest.Test(t, func(t *testing.T) {
			from, to := memstore.New(), memstore.New()
			fill(t, from, 3)
			if _, err := to.Acquire(t.Context(), "copy", "somebody", held); err != nil {
				t.Fatal(err)
			}
			if _, err := copystore.Run(t.Context(), from, to, small()); !errors.Is(err, want) {
				t.Errorf("a lease of %v: got %v, want %v", held, err, want)
			}
		})
	}
}

// liar loses one record of each Apply and keeps another as something else.
type liar struct{ catalog.Store }

func (l liar) Apply(ctx context.Context, w []catalog.Write) ([]catalog.Result, error) {
	var kept []catalog.Write
	results := make([]catalog.Result, len(w))
	for i := range w {
		results[i].Outcome = catalog.Created
		switch w[i].Key {
		case "SKU-0001":
		case "SKU-0002":
			other := w[i]
			other.Body, other.Hash = []byte(`{"sku":"SKU-0002"}`), catalog.Hash{}
			kept = append(kept, other)
		default:
			kept = append(kept, w[i])
		}
	}
	_, err := l.Store.Apply(ctx, kept)
	return results, err
}

// TestDiffers: a target that loses or changes records is found out.
func TestDiffers(t *testing.T) {
	from, to := memstore.New(), memstore.New()
	fill(t, from, 10)
	r, err := copystore.Run(t.Context(), from, liar{to}, small())
	if !errors.Is(err, copystore.ErrDiffers) || r.Faults != 6 || r.Status != "differs" || len(r.Examples) != 6 {
		t.Errorf("%v: %+v", err, r)
	}
	if k := r.Kinds[2]; k.SourceCount != 10 || k.TargetCount != 9 || k.SourceDigest == k.TargetDigest {
		t.Errorf("products: %+v", k)
	}
	// The next run, into a store that keeps what it is given, mends it.
	if r, err = copystore.Run(t.Context(), from, to, small()); err != nil {
		t.Fatal(err)
	}
	same(t, from, to, r)
}

// rotten yields a body that is not what was written.
type rotten struct{ catalog.Store }

func (s rotten) Scan(ctx context.Context, kind catalog.Kind, r catalog.Range) iter.Seq2[catalog.Record, error] {
	return func(yield func(catalog.Record, error) bool) {
		for rec, err := range s.Store.Scan(ctx, kind, r) {
			if rec.Key == "SKU-0005" {
				rec.Body = []byte(`{"sku":"SKU-0005","qty":-1}`)
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

func TestCorrupt(t *testing.T) {
	from := memstore.New()
	fill(t, from, 10)
	if _, err := copystore.Run(t.Context(), rotten{from}, memstore.New(), small()); !errors.Is(err, catalog.ErrCorrupt) {
		t.Errorf("a source: %v", err)
	}
	r, err := copystore.Run(t.Context(), from, rotten{memstore.New()}, small())
	if !errors.Is(err, copystore.ErrDiffers) || r.Faults != 3 {
		t.Errorf("a target: %v, %+v", err, r)
	}
}

// TestWriterDuringCopy: the source changes from the copy's first moment to its
// last; a second run, when it rests, finds next to nothing left to do.
func TestWriterDuringCopy(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	from, to := memstore.New(), memstore.New()
	fill(t, from, 300)
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		rng := rand.New(rand.NewPCG(seed, 0))
		for i := 0; ; i++ {
			select {
			case <-stop:
				stopped <- nil
				return
			case <-time.After(50 * time.Microsecond):
			}
			sku := fmt.Sprintf("SKU-%04d", rng.IntN(400))
			w := catalog.Write{Kind: catalog.KindStock, Key: catalog.Key(sku)}
			switch rng.IntN(4) {
			case 0:
				w.Kind = catalog.KindProduct
				w.Body, w.Source = fmt.Appendf(nil, `{"sku":%q,"n":%d}`, sku, i), "erp"
			case 1:
				w.Kind = catalog.KindProduct
			case 2:
				w.Body, w.Source = fmt.Appendf(nil, `{"sku":%q,"qty":%d}`, sku, i), "wms"
			}
			if _, err := from.Apply(context.WithoutCancel(t.Context()), []catalog.Write{w}); err != nil {
				stopped <- err
				return
			}
		}
	}()
	o := small()
	o.Progress = func(copystore.Progress) { time.Sleep(2 * time.Millisecond) } // there is time to change things
	r, err := copystore.Run(t.Context(), from, to, o)
	close(stop)
	if werr := <-stopped; werr != nil {
		t.Fatal(werr)
	}
	if err != nil {
		t.Fatalf("%v: %+v", err, r)
	}
	if r.Changes == 0 {
		t.Error("the source did not change during the copy")
	}
	t.Logf("%d changes, %d corrected, %d moving", r.Changes, r.Corrected, r.Moving)
	if r, err = copystore.Run(t.Context(), from, to, small()); err != nil {
		t.Fatal(err)
	}
	same(t, from, to, r)
	if r.Corrected > 0 || r.Kinds[2].Read > 0 {
		t.Errorf("the second run has %+v", r)
	}
}

func TestInterrupted(t *testing.T) {
	from, to := memstore.New(), memstore.New()
	fill(t, from, 100)
	ctx, cancel := context.WithCancel(t.Context())
	o := small()
	o.Progress = func(copystore.Progress) { cancel() }
	if r, err := copystore.Run(ctx, from, to, o); !errors.Is(err, context.Canceled) || r.Status != "interrupted" {
		t.Fatalf("%v, %+v", err, r)
	}
	r, err := copystore.Run(t.Context(), from, to, small())
	if err != nil || !r.Resumed || r.Kinds[2].Unchanged > 20 {
		t.Errorf("%v: %+v", err, r)
	}
	same(t, from, to, r)
}
