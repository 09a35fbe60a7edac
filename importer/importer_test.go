package importer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/importer"
)

// load imports text as one feed and holds that the counting closes.
func load(t *testing.T, s catalog.Store, o importer.Options, feed string) (*importer.Report, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "feed.jsonl")
	if err := os.WriteFile(name, []byte(feed), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Feeds = []string{name}
	rep, err := importer.Run(context.Background(), s, o)
	closes(t, rep)
	return rep, err
}

func mustLoad(t *testing.T, s catalog.Store, o importer.Options, feed string) *importer.Report {
	t.Helper()
	rep, err := load(t, s, o, feed)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func closes(t *testing.T, rep *importer.Report) {
	t.Helper()
	sections := map[string]*importer.Counts{
		"main": &rep.Counts, "prices": rep.Prices, "stock": rep.Stock,
		"categories": rep.Categories, "attributes": rep.Attributes, "products": rep.ProductCounts,
	}
	for name, c := range sections {
		if c == nil {
			continue
		}
		sum := c.Created + c.Updated + c.Unchanged + c.Rejected + c.Merged + c.Duplicates
		switch {
		case rep.Mode == importer.Delete && name == "main":
			sum += c.Deleted + c.Absent
		case rep.Mode == importer.Delete:
			continue
		case name != "main" && rep.Mode != importer.Sync:
			sum += c.Deleted + c.Absent // nulls
		}
		if c.Read != sum {
			t.Errorf("%s do not close: %+v", name, *c)
		}
	}
}

// text returns a record's body, "" if it is not there.
func text(t *testing.T, s catalog.Store, k catalog.Kind, key catalog.Key) string {
	t.Helper()
	recs, err := s.Get(context.Background(), k, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(recs[0].Body)
}

func tail(t *testing.T, s catalog.Store) catalog.Seq {
	t.Helper()
	c, err := s.Tail(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return c.Seq
}

func expect(t *testing.T, what string, got *importer.Counts, want importer.Counts) {
	t.Helper()
	if got == nil {
		got = &importer.Counts{}
	}
	if *got != want {
		t.Errorf("%s: got %+v, want %+v", what, *got, want)
	}
}

func open(t *testing.T) catalog.Store {
	t.Helper()
	s := memstore.New()
	t.Cleanup(func() { s.Close() })
	return s
}

func TestUpsert(t *testing.T) {
	s := open(t)
	feed := `{"sku":"A","name":"a","price":1,"stock":1}
{"sku":"B","name":"b","price":2}

{"sku":"A","name":"a2","price":3}
{"name":"no sku"}
{"sku":"C","name":5}
`
	rep := mustLoad(t, s, importer.Options{}, feed)
	expect(t, "first", &rep.Counts, importer.Counts{Read: 5, Created: 2, Rejected: 2, Duplicates: 1})
	expect(t, "first prices", rep.Prices, importer.Counts{Read: 2, Created: 2})
	expect(t, "first stock", rep.Stock, importer.Counts{})
	if rep.Status != "rejects" || rep.Rejects[catalog.ReasonNoKey] != 1 || rep.Rejects[catalog.ReasonType] != 1 {
		t.Errorf("status %s, %v", rep.Status, rep.Rejects)
	}
	if got := text(t, s, catalog.KindProduct, "A"); got != `{"sku":"A","name":"a2"}` {
		t.Errorf("A is %s", got)
	}
	before := tail(t, s)
	rep = mustLoad(t, s, importer.Options{}, feed)
	expect(t, "again", &rep.Counts, importer.Counts{Read: 5, Unchanged: 2, Rejected: 2, Duplicates: 1})
	expect(t, "again prices", rep.Prices, importer.Counts{Read: 2, Unchanged: 2})
	if tail(t, s) != before {
		t.Error("the same feed again wrote something")
	}
	rep = mustLoad(t, s, importer.Options{}, `{"sku":"A","name":"a3","price":3,"stock":2}`+"\n"+`{"sku":"B","name":"b","price":null}`)
	expect(t, "changed", &rep.Counts, importer.Counts{Read: 2, Updated: 1, Unchanged: 1})
	expect(t, "changed prices", rep.Prices, importer.Counts{Read: 2, Unchanged: 1, Deleted: 1})
	expect(t, "changed stock", rep.Stock, importer.Counts{Read: 1, Created: 1})
}

// TestAnotherSpellingIsNoChange has the same documents with their members in
// another order, other white space and other spellings of numbers and text.
func TestAnotherSpellingIsNoChange(t *testing.T) {
	s := open(t)
	mustLoad(t, s, importer.Options{}, `{"sku":"A","name":"é","attributes":{"x":1,"y":[{"a":1,"b":2}]},"weight":1.50,"price":{"currency":"EUR","price":5},"stock":{"qty":1,"in_stock":true}}`)
	before := tail(t, s)
	rep := mustLoad(t, s, importer.Options{}, `{"weight":1.5,"name":"\u00e9","attributes":{"y":[{"b":2, "a":1}],"x":1.0},"sku":"A","stock":{"in_stock":true,"qty":1},"price":{"price":5,"currency":"EUR"}}`)
	expect(t, "products", &rep.Counts, importer.Counts{Read: 1, Unchanged: 1})
	expect(t, "prices", rep.Prices, importer.Counts{Read: 1, Unchanged: 1})
	expect(t, "stock", rep.Stock, importer.Counts{Read: 1, Unchanged: 1})
	if tail(t, s) != before {
		t.Error("something was written")
	}
}

func TestLastValidRecordWins(t *testing.T) {
	for _, first := range []string{"", `{"sku":"Z"}`} { // into an empty store, and into one that is not
		s := open(t)
		if first != "" {
			mustLoad(t, s, importer.Options{}, first)
		}
		feed := `{"sku":"A","n":1}
{"sku":"A","n":2}
{"sku":"A","n":3,"name":7}
{"sku":"A","n":4,"name":7}`
		rep := mustLoad(t, s, importer.Options{}, feed)
		if got := text(t, s, catalog.KindProduct, "A"); got != `{"sku":"A","n":2}` {
			t.Errorf("A is %s", got)
		}
		expect(t, "counts", &rep.Counts, importer.Counts{Read: 4, Created: 1, Rejected: 2, Duplicates: 1})
		before := tail(t, s)
		mustLoad(t, s, importer.Options{}, feed)
		if tail(t, s) != before {
			t.Error("the same feed again wrote something")
		}
	}
}

func TestEmbeddedVariants(t *testing.T) {
	s := open(t)
	feed := `{"sku":"P","variants":[{"sku":"V1","price":1,"stock":1},{"sku":"V2","price":2},{"sku":"V3","price":3}]}
{"sku":"V2","price":20}
{"sku":"V3","name":"no price of its own"}
{"sku":"Q","variants":[{"sku":"W","price":7}]}`
	mustLoad(t, s, importer.Options{}, feed)
	for sku, want := range map[catalog.Key]string{
		"V1": `{"sku":"V1","prices":[{"price":1}]}`, "V2": `{"sku":"V2","prices":[{"price":20}]}`,
		"V3": `{"sku":"V3","prices":[{"price":3}]}`, "W": `{"sku":"W","prices":[{"price":7}]}`,
	} {
		if got := text(t, s, catalog.KindPrice, sku); got != want {
			t.Errorf("price of %s is %s, want %s", sku, got, want)
		}
	}
	before := tail(t, s)
	rep := mustLoad(t, s, importer.Options{}, feed)
	if tail(t, s) != before {
		t.Error("the same feed again wrote something")
	}
	expect(t, "again", &rep.Counts, importer.Counts{Read: 4, Unchanged: 4})
	expect(t, "again prices", rep.Prices, importer.Counts{Read: 5, Unchanged: 4, Duplicates: 1})
	// A variant that is no longer there takes its price along.
	rep = mustLoad(t, s, importer.Options{Mode: importer.Sync, Guards: importer.Guards{MaxDelete: importer.Limit{Set: true, None: true}}},
		`{"sku":"P","variants":[{"sku":"V1","price":1,"stock":1}]}`+"\n"+`{"sku":"V2","price":20}`)
	if text(t, s, catalog.KindPrice, "W") != "" || text(t, s, catalog.KindPrice, "V3") != "" || text(t, s, catalog.KindProduct, "Q") != "" {
		t.Error("sync left something behind")
	}
	if text(t, s, catalog.KindPrice, "V1") == "" || text(t, s, catalog.KindPrice, "V2") == "" {
		t.Error("sync deleted too much")
	}
	expect(t, "sync", &rep.Counts, importer.Counts{Read: 2, Updated: 1, Unchanged: 1, Deleted: 2})
}

func TestPatch(t *testing.T) {
	s := open(t)
	mustLoad(t, s, importer.Options{}, `{"sku":"A","name":"a","attributes":{"x":1,"y":2},"url_key":"a","price":5,"stock":{"qty":1,"in_stock":true}}`)
	rep := mustLoad(t, s, importer.Options{Mode: importer.Patch}, `{"sku":"A","attributes":{"x":null,"z":3}}
{"sku":"B","name":"b"}
{"sku":"A","name":"a2","stock":{"qty":9},"url_key":null}`)
	expect(t, "patch", &rep.Counts, importer.Counts{Read: 3, Updated: 1, Rejected: 1, Merged: 1})
	if rep.Rejects[importer.ReasonUnknown] != 1 {
		t.Errorf("rejects %v", rep.Rejects)
	}
	if got := text(t, s, catalog.KindProduct, "A"); got != `{"sku":"A","name":"a2","attributes":{"y":2,"z":3}}` {
		t.Errorf("A is %s", got)
	}
	if got := text(t, s, catalog.KindStock, "A"); got != `{"sku":"A","in_stock":true,"qty":9}` {
		t.Errorf("stock is %s", got)
	}
	if keys, _ := s.Lookup(context.Background(), catalog.Ref{Type: catalog.RefURLKey, Value: "a"}); len(keys) != 0 {
		t.Errorf("the url_key is still known: %v", keys)
	}
}

func TestDelete(t *testing.T) {
	s := open(t)
	mustLoad(t, s, importer.Options{}, `{"sku":"A","price":1,"stock":1}`+"\n"+`{"sku":"B"}`)
	rep := mustLoad(t, s, importer.Options{Mode: importer.Delete}, `{"sku":"A"}
{"sku":"X"}
{"sku":"A"}
{"x":1}`)
	expect(t, "delete", &rep.Counts, importer.Counts{Read: 4, Deleted: 1, Absent: 1, Duplicates: 1, Rejected: 1})
	if text(t, s, catalog.KindPrice, "A") != "" || text(t, s, catalog.KindProduct, "A") != "" || text(t, s, catalog.KindProduct, "B") == "" {
		t.Error("the wrong records are gone")
	}
}

func products(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, `{"sku":"S%04d","name":"n","price":%d}`+"\n", i, i+1)
	}
	return b.String()
}

func TestSync(t *testing.T) {
	s := open(t)
	sync := importer.Options{Mode: importer.Sync, Source: "erp"}
	mustLoad(t, s, importer.Options{Source: "other"}, `{"sku":"OTHER"}`)
	mustLoad(t, s, sync, products(0, 100))
	rep := mustLoad(t, s, sync, products(5, 110))
	expect(t, "sync", &rep.Counts, importer.Counts{Read: 105, Created: 10, Unchanged: 95, Deleted: 5})
	if text(t, s, catalog.KindProduct, "OTHER") == "" {
		t.Error("another source's record is gone")
	}
	if text(t, s, catalog.KindPrice, "S0001") != "" {
		t.Error("the price of a deleted product is still there")
	}
	rep, err := load(t, s, sync, products(50, 120))
	if !errors.Is(err, importer.ErrRefused) || rep.Status != "refused" || len(rep.Refused) != 1 || rep.Refused[0].Guard != "max_delete" {
		t.Fatalf("45 of 105 gone: %v, %+v", err, rep.Refused)
	}
	expect(t, "refused", &rep.Counts, importer.Counts{Read: 70, Created: 10, Unchanged: 60})
	sync.Guards.MaxDelete = importer.Limit{Set: true, Count: 45}
	rep = mustLoad(t, s, sync, products(50, 120))
	expect(t, "raised", &rep.Counts, importer.Counts{Read: 70, Unchanged: 70, Deleted: 45})

	// A rejected record counts as present; one whose key is unknown holds all deletes back.
	rep = mustLoad(t, s, sync, products(51, 120)+`{"sku":"S0050","name":5}`)
	if rep.Deleted != 0 || rep.Rejected != 1 {
		t.Errorf("a rejected record was deleted: %+v", rep.Counts)
	}
	_, err = load(t, s, sync, products(51, 120)+`{"sk`)
	if !errors.Is(err, importer.ErrRefused) {
		t.Errorf("an unreadable record: %v", err)
	}
	if text(t, s, catalog.KindProduct, "S0050") == "" {
		t.Error("deleted although a record was unreadable")
	}
}

// TestSyncTurnsAProductIntoAVariant: what the feed has of a SKU that is no
// product of its own any more stays.
func TestSyncTurnsAProductIntoAVariant(t *testing.T) {
	s := open(t)
	sync := importer.Options{Mode: importer.Sync}
	mustLoad(t, s, sync, products(0, 30)+`{"sku":"P","price":3,"stock":1}`)
	tonight := products(0, 30) + `{"sku":"C","variants":[{"sku":"P","price":4,"stock":2}]}`
	rep := mustLoad(t, s, sync, tonight)
	expect(t, "products", &rep.Counts, importer.Counts{Read: 31, Created: 1, Unchanged: 30, Deleted: 1})
	if text(t, s, catalog.KindProduct, "P") != "" {
		t.Error("the product is still there")
	}
	for k, want := range map[catalog.Kind]string{
		catalog.KindPrice: `{"sku":"P","prices":[{"price":4}]}`,
		catalog.KindStock: `{"sku":"P","qty":2}`,
	} {
		if got := text(t, s, k, "P"); got != want {
			t.Errorf("%s is %q, want %q", k, got, want)
		}
	}
	before := tail(t, s)
	if mustLoad(t, s, sync, tonight); tail(t, s) != before {
		t.Error("the same feed again wrote something")
	}
}

func TestPriceGuard(t *testing.T) {
	s := open(t)
	mustLoad(t, s, importer.Options{}, products(0, 100))
	var bad strings.Builder
	for i := range 100 {
		p := i + 1
		if i < 6 {
			p = 0
		}
		fmt.Fprintf(&bad, `{"sku":"S%04d","price":%d}`+"\n", i, p)
	}
	before := tail(t, s)
	for _, kind := range []catalog.Kind{catalog.KindPrice, catalog.KindProduct} {
		rep, err := load(t, s, importer.Options{Kind: kind}, bad.String())
		if !errors.Is(err, importer.ErrRefused) || rep.Refused[0].Count != 6 || rep.Refused[0].Of != 100 {
			t.Fatalf("%s: %v %+v", kind, err, rep.Refused)
		}
		if tail(t, s) != before {
			t.Fatal("something was written")
		}
	}
	rep := mustLoad(t, s, importer.Options{Kind: catalog.KindPrice, Guards: importer.Guards{MaxPriceChange: importer.Limit{Set: true, Count: -1, Percent: 6}}}, bad.String())
	expect(t, "raised", &rep.Counts, importer.Counts{Read: 100, Updated: 6, Unchanged: 94})
}

func TestPriceRowsAreFolded(t *testing.T) {
	s := open(t)
	o := importer.Options{Kind: catalog.KindPrice}
	feed := `{"sku":"A","price":1}
{"sku":"A","price":2,"group":"b2b"}
{"sku":"B","price":5}
{"sku":"B","price":6}
{"sku":"A","price":3,"group":"b2b","currency":"USD"}`
	rep := mustLoad(t, s, o, feed)
	expect(t, "prices", &rep.Counts, importer.Counts{Read: 5, Created: 2, Merged: 2, Duplicates: 1})
	if got := text(t, s, catalog.KindPrice, "A"); got != `{"sku":"A","prices":[{"price":1},{"group":"b2b","price":2},{"currency":"USD","group":"b2b","price":3}]}` {
		t.Errorf("A is %s", got)
	}
	before := tail(t, s)
	mustLoad(t, s, o, feed)
	if tail(t, s) != before {
		t.Error("the same feed again wrote something")
	}
}

func TestOtherKindsInAFeedOfProducts(t *testing.T) {
	s := open(t)
	feed := `{"$kind":"category","path":"Men","name":"Men"}
{"$kind":"attribute","code":"color"}
{"sku":"A"}
{"$kind":"price","sku":"V","price":1}`
	rep := mustLoad(t, s, importer.Options{}, feed)
	expect(t, "products", &rep.Counts, importer.Counts{Read: 1, Created: 1})
	expect(t, "categories", rep.Categories, importer.Counts{Read: 1, Created: 1})
	expect(t, "prices", rep.Prices, importer.Counts{Read: 1, Created: 1})
	before := tail(t, s)
	mustLoad(t, s, importer.Options{Mode: importer.Sync}, feed)
	if tail(t, s) != before || text(t, s, catalog.KindPrice, "V") == "" {
		t.Error("sync with the same feed changed something")
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	s := open(t)
	mustLoad(t, s, importer.Options{}, products(0, 100))
	before := tail(t, s)
	rep := mustLoad(t, s, importer.Options{Mode: importer.Sync, DryRun: true}, products(5, 110))
	expect(t, "dry run", &rep.Counts, importer.Counts{Read: 105, Created: 10, Unchanged: 95, Deleted: 5})
	if tail(t, s) != before {
		t.Error("something was written")
	}
	reports, err := importer.Reports(context.Background(), s, 0)
	if err != nil || len(reports) != 1 {
		t.Errorf("%d reports kept, %v", len(reports), err)
	}
}

func TestRejectsFileCanBeFedInAgain(t *testing.T) {
	s := open(t)
	var rejects bytes.Buffer
	rep := mustLoad(t, s, importer.Options{Rejects: &rejects}, `{"sku":"A","name":1}`+"\n"+`{"sku":"B"`+"\n"+`{"sku":"C"}`)
	expect(t, "first", &rep.Counts, importer.Counts{Read: 3, Created: 1, Rejected: 2})
	var x importer.Reject
	if err := json.Unmarshal(bytes.SplitN(rejects.Bytes(), []byte("\n"), 2)[0], &x); err != nil || x.Line != 1 || x.Key != "A" || x.Reason != catalog.ReasonType {
		t.Fatalf("%v %+v", err, x)
	}
	mended := strings.ReplaceAll(rejects.String(), `"name":1`, `"name":"a"`)
	mended = strings.ReplaceAll(mended, `{\"sku\":\"B\"`, `{\"sku\":\"B\"}`)
	rep = mustLoad(t, s, importer.Options{}, mended)
	expect(t, "mended", &rep.Counts, importer.Counts{Read: 2, Created: 2})
	if got := text(t, s, catalog.KindProduct, "A"); got != `{"sku":"A","name":"a"}` {
		t.Errorf("A is %s", got)
	}
}

func TestNoKeyIsOneMessage(t *testing.T) {
	s := open(t)
	_, err := load(t, s, importer.Options{}, `{"id":"1","name":"x"}`+"\n"+`{"id":"2","name":"x"}`)
	if !errors.Is(err, importer.ErrUsage) || !strings.Contains(err.Error(), "id") {
		t.Errorf("got %v", err)
	}
	rep := mustLoad(t, s, importer.Options{SKU: "id"}, `{"id":"1","name":"x"}`+"\n"+`{"id":"2","name":"x"}`)
	expect(t, "by id", &rep.Counts, importer.Counts{Read: 2, Created: 2})
}

func TestMaxRejects(t *testing.T) {
	s := open(t)
	feed := products(0, 10) + strings.Repeat("{}\n", 20)
	_, err := load(t, s, importer.Options{Guards: importer.Guards{MaxRejects: importer.Limit{Set: true, Count: 19}}}, feed)
	if !errors.Is(err, importer.ErrTooManyRejects) {
		t.Errorf("20 rejects: %v", err)
	}
	if text(t, s, catalog.KindProduct, "S0001") == "" {
		t.Error("what was accepted is lost")
	}
	if _, err := load(t, s, importer.Options{Guards: importer.Guards{MaxRejects: importer.Limit{Set: true, Count: 20}}}, feed); err != nil {
		t.Errorf("20 of 20: %v", err)
	}
}

func TestOwnSchema(t *testing.T) {
	s := open(t)
	rep := mustLoad(t, s, importer.Options{Schema: []byte(`{"required":["ean"]}`)}, `{"sku":"A"}`+"\n"+`{"sku":"B","ean":"1"}`)
	expect(t, "schema", &rep.Counts, importer.Counts{Read: 2, Created: 1, Rejected: 1})
}

func TestSpellingsThatAShopTakesForOne(t *testing.T) {
	tests := []struct {
		feed string
		want int64
	}{
		{"abc ABC Abc xyz", 3},
		{"ABC abc", 2},
		{"Müller Muller MULLER Mueller", 3},
		{"a-1 a-2 A-3", 0},
		{"abc abc abc", 0}, // duplicates, not spellings
		{"é e\u0301", 2},
	}
	for _, tt := range tests {
		var feed strings.Builder
		for sku := range strings.FieldsSeq(tt.feed) {
			fmt.Fprintf(&feed, "{\"sku\":%q}\n", sku)
		}
		rep := mustLoad(t, open(t), importer.Options{}, feed.String())
		if got := rep.Warnings["sku_spelling"]; got != tt.want {
			t.Errorf("%s: %d, want %d", tt.feed, got, tt.want)
		}
	}
	rep := mustLoad(t, open(t), importer.Options{}, `{"sku":"`+strings.Repeat("ü", 65)+`"}`+"\n"+`{"sku":"`+strings.Repeat("ü", 64)+`"}`)
	if rep.Warnings["sku_over_64"] != 1 {
		t.Errorf("warnings %v", rep.Warnings)
	}
}
