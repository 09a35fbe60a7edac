package importer_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/catalog/pebblestore"
	"catalog/catalog/storetest"
	"catalog/fixtures"
	"catalog/importer"
)

// generated returns a realistic feed with duplicates and malformed lines.
func generated(t *testing.T, o fixtures.Options) string {
	t.Helper()
	var feed bytes.Buffer
	if _, err := fixtures.Generate(context.Background(), &feed, o); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(feed.String(), "\n")
	for i := 0; i < len(lines); i += 97 {
		feed.WriteString(lines[i]) // again, at the end
	}
	return feed.String()
}

// TestWorkersAndStoresDoNotMatter imports the same two nights with one worker
// into memory and with several, in small batches, into Pebble.
func TestWorkersAndStoresDoNotMatter(t *testing.T) {
	records := int64(4000)
	if testing.Short() {
		records = 1500
	}
	tonight := generated(t, fixtures.Options{Records: records, Malformed: 0.01})
	tomorrow := generated(t, fixtures.Options{Records: records, Malformed: 0.01, Night: 1, Churn: 0.1})
	unlimited := importer.Guards{MaxUnreadable: importer.Limit{Set: true, None: true}}
	var want catalog.Store
	var reports []string
	for _, workers := range []int{1, 2, 5} {
		s := catalog.Store(memstore.New())
		if workers > 1 {
			p, err := pebblestore.Open(context.Background(), "store", &pebblestore.Options{FS: vfs.NewMem(), BulkBytes: int64(workers) * 100_000})
			if err != nil {
				t.Fatal(err)
			}
			s = p
		}
		t.Cleanup(func() { s.Close() })
		o := importer.Options{Workers: workers, BatchBytes: 1 << 20 / int64(workers)}
		first := mustLoad(t, s, o, tonight)
		o.Mode, o.Guards = importer.Sync, unlimited
		second := mustLoad(t, s, o, tomorrow)
		before := tail(t, s)
		third := mustLoad(t, s, o, tomorrow)
		if tail(t, s) != before {
			t.Error("the same feed again wrote something")
		}
		text := fmt.Sprint(first.Counts, *first.Prices, *first.Stock, first.Rejects, "\n", second.Counts, *second.Prices, *second.Stock, "\n", third.Counts)
		reports = append(reports, text)
		if text != reports[0] {
			t.Errorf("%d workers:\n%s\none worker:\n%s", workers, text, reports[0])
		}
		if want == nil {
			want = s
			continue
		}
		storetest.Equal(t, want, s)
	}
}

// TestNightsAreReportedExactly compares the report of the second night with
// what the generator says it changed.
func TestNightsAreReportedExactly(t *testing.T) {
	s := open(t)
	feed := func(night int) (string, fixtures.Summary) {
		var b bytes.Buffer
		sum, err := fixtures.Generate(context.Background(), &b, fixtures.Options{Records: 3000, Night: night})
		if err != nil {
			t.Fatal(err)
		}
		return b.String(), sum
	}
	first, _ := feed(0)
	mustLoad(t, s, importer.Options{}, first)
	second, sum := feed(1)
	rep := mustLoad(t, s, importer.Options{Mode: importer.Sync}, second)
	check := func(what string, got *importer.Counts, want fixtures.Counts) {
		t.Helper()
		if got.Read != want.Total || got.Created != want.New || got.Updated != want.Changed || got.Unchanged != want.Unchanged || got.Deleted != want.Gone {
			t.Errorf("%s: got %+v, want %+v", what, *got, want)
		}
	}
	check("products", &rep.Counts, sum.Products)
	check("prices", rep.Prices, sum.Prices)
	check("stock", rep.Stock, sum.Stock)
}

// TestStoreRowsFarApart has a SKU's store-view rows at the other end of the
// file, and some whose default row came in an earlier feed.
func TestStoreRowsFarApart(t *testing.T) {
	const n = 3000
	var b strings.Builder
	b.WriteString("sku,store_view_code,product_type,attribute_set_code,name,price,description\n")
	for i := range n {
		fmt.Fprintf(&b, "S%04d,,simple,Default,\"name, %d\",%d,%s\n", i, i, i+1, strings.Repeat("x", 800))
	}
	for i := n - 1; i >= 0; i-- {
		fmt.Fprintf(&b, "S%04d,de,,,\"Name „%d“\",,\n", i, i)
		if i%3 == 0 {
			fmt.Fprintf(&b, "S%04d,fr,,,nom %d,,\n", i, i)
		}
	}
	name := filepath.Join(t.TempDir(), "products.csv")
	if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t)
	run := func(o importer.Options, feed string) *importer.Report {
		t.Helper()
		o.Feeds = []string{feed}
		rep, err := importer.Run(context.Background(), s, o)
		if err != nil {
			t.Fatal(err)
		}
		closes(t, rep)
		return rep
	}
	rep := run(importer.Options{}, name)
	expect(t, "first", &rep.Counts, importer.Counts{Read: 3*n - n*2/3, Created: n, Merged: n + n/3})
	got := text(t, s, catalog.KindProduct, "S0003")
	for _, part := range []string{`"de":{"name":"Name „3“"}`, `"fr":{"name":"nom 3"}`, `"name":"name, 3"`} {
		if !strings.Contains(got, part) {
			t.Errorf("%s has no %s", got, part)
		}
	}
	before := tail(t, s)
	rep = run(importer.Options{}, name)
	expect(t, "again", &rep.Counts, importer.Counts{Read: 3*n - n*2/3, Unchanged: n, Merged: n + n/3})
	if tail(t, s) != before {
		t.Error("the same feed again wrote something")
	}
	// A feed of store rows alone changes only that store.
	alone := filepath.Join(t.TempDir(), "fr.csv")
	if err := os.WriteFile(alone, []byte("sku,store_view_code,product_type,attribute_set_code,name\nS0003,fr,,,autre nom\nNONE,fr,,,x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	rep = run(importer.Options{}, alone)
	expect(t, "alone", &rep.Counts, importer.Counts{Read: 2, Updated: 1, Rejected: 1})
	if want := strings.Replace(got, "nom 3", "autre nom", 1); text(t, s, catalog.KindProduct, "S0003") != want {
		t.Errorf("got  %s\nwant %s", text(t, s, catalog.KindProduct, "S0003"), want)
	}
}

// TestStoreThatFails stops an import by a store whose disk is full, and holds
// that the same command ends well when there is room again.
func TestStoreThatFails(t *testing.T) {
	feed := generated(t, fixtures.Options{Records: 2000})
	want := open(t)
	mustLoad(t, want, importer.Options{}, feed)
	full := &fullStore{Store: memstore.New(), room: 2500}
	t.Cleanup(func() { full.Close() })
	rep, err := load(t, full, importer.Options{BatchBytes: 100_000}, feed)
	if err == nil || rep.Status != "failed" || rep.Error == "" {
		t.Fatalf("%v, %+v", err, rep)
	}
	full.room = 1 << 30
	mustLoad(t, full, importer.Options{}, feed)
	storetest.Equal(t, want, full.Store)
}

// fullStore has room for a number of writes.
type fullStore struct {
	catalog.Store
	room int
}

func (f *fullStore) Apply(ctx context.Context, w []catalog.Write) ([]catalog.Result, error) {
	if f.room -= len(w); f.room < 0 {
		return nil, catalog.ErrFull
	}
	return f.Store.Apply(ctx, w)
}

// TestInterrupt cancels an import at some record and runs it again.
func TestInterrupt(t *testing.T) {
	feed := generated(t, fixtures.Options{Records: 3000})
	want := open(t)
	mustLoad(t, want, importer.Options{}, feed)
	for _, at := range []int{0, 1, 3} {
		s := open(t)
		ctx, cancel := context.WithCancel(context.Background())
		name := filepath.Join(t.TempDir(), "feed.jsonl")
		if err := os.WriteFile(name, []byte(feed), 0o600); err != nil {
			t.Fatal(err)
		}
		c := &cancelStore{Store: s, at: at, cancel: cancel}
		rep, err := importer.Run(ctx, c, importer.Options{Feeds: []string{name}, BatchBytes: 100_000})
		if rep.Status != "interrupted" || err == nil {
			t.Fatalf("%v, %s", err, rep.Status)
		}
		closes(t, rep)
		mustLoad(t, s, importer.Options{}, feed)
		storetest.Equal(t, want, s)
	}
}

// cancelStore cancels the import in the Apply of a number.
type cancelStore struct {
	catalog.Store
	at     int
	cancel func()
}

func (c *cancelStore) Apply(ctx context.Context, w []catalog.Write) ([]catalog.Result, error) {
	if c.at--; c.at < 0 {
		c.cancel()
	}
	return c.Store.Apply(ctx, w)
}
