package importer_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"catalog/catalog"
	"catalog/catalog/storetest"
	"catalog/fixtures"
	"catalog/importer"
)

// TestRecalled imports several nights with a folder that remembers feeds and
// without: all must come out the same, and most of it remembered.
func TestRecalled(t *testing.T) {
	records := int64(3000)
	if testing.Short() {
		records = 800
	}
	var nights []string
	for n := range 3 {
		nights = append(nights, generated(t, fixtures.Options{Records: records, Malformed: 0.01, Night: n, Churn: 0.05}))
	}
	mapped := make([]string, len(nights))
	for i, night := range nights {
		mapped[i] = strings.ReplaceAll(night, `"sku":`, `"id":`)
	}
	none, all := importer.Limit{Set: true, None: true}, importer.Limit{Set: true, Count: 1 << 40}
	for name, c := range map[string]struct {
		nights []string
		o      importer.Options
	}{
		"upsert": {nights, importer.Options{}},
		"sync":   {nights, importer.Options{Mode: importer.Sync}},
		"mapped": {mapped, importer.Options{Mode: importer.Sync, SKU: "id"}},
		"guard":  {nights, importer.Options{Mode: importer.Sync, Guards: importer.Guards{MaxPriceChange: all}}},
	} {
		t.Run(name, func(t *testing.T) {
			with, without := open(t), open(t)
			dir := filepath.Join(t.TempDir(), "feeds")
			for n, night := range append(c.nights, c.nights[len(c.nights)-1]) {
				o := c.o
				o.Source, o.Workers, o.BatchBytes = "nightly", 2, 400_000
				o.Guards.MaxUnreadable = none
				if !o.Guards.MaxPriceChange.Set {
					o.Guards.MaxPriceChange = none
				}
				plain := mustLoad(t, without, o, night)
				o.FeedCache = dir
				rep := mustLoad(t, with, o, night)
				got, want := fmt.Sprint(rep.Counts, *rep.Prices, *rep.Stock, rep.Rejects), fmt.Sprint(plain.Counts, *plain.Prices, *plain.Stock, plain.Rejects)
				if got != want {
					t.Errorf("night %d: got  %s\nwant %s", n, got, want)
				}
				storetest.Equal(t, without, with)
				if n > 0 && rep.Recalled < records*8/10 || n == 0 && rep.Recalled != 0 || len(rep.Warnings) != len(plain.Warnings) {
					t.Errorf("night %d: %d records were remembered; warnings %v", n, rep.Recalled, rep.Warnings)
				}
				if n == 1 {
					continue // what is remembered still holds
				}
				// Between two nights prices arrive by another way: what a line
				// came to is then not what the store has.
				prices := importer.Options{Kind: catalog.KindPrice, Source: "erp", Guards: importer.Guards{MaxPriceChange: none}}
				feed := firstSKUPrice(t, night)
				mustLoad(t, without, prices, feed)
				mustLoad(t, with, prices, feed)
			}
		})
	}
}

// emptied is a store that empties a feed when it is first asked for its heads,
// which an import does between its first reading of the feed and the next.
type emptied struct {
	catalog.Store
	feed string
}

func (e *emptied) Heads(ctx context.Context, kind catalog.Kind, r catalog.Range) iter.Seq2[catalog.Head, error] {
	if err := os.Truncate(e.feed, 0); err != nil {
		return func(yield func(catalog.Head, error) bool) { yield(catalog.Head{}, err) }
	}
	return e.Store.Heads(ctx, kind, r)
}

// TestKnownIsReadOnce: of a feed that is known but for a little, the little is
// kept, and the feed is not read a second time.
func TestKnownIsReadOnce(t *testing.T) {
	before := generated(t, fixtures.Options{Records: 1000})
	after := generated(t, fixtures.Options{Records: 1000, Night: 1, Churn: 0.05})
	for name, guards := range map[string]importer.Guards{
		"guard":    {},
		"no guard": {MaxPriceChange: importer.Limit{Set: true, None: true}},
	} {
		t.Run(name, func(t *testing.T) {
			o := importer.Options{Mode: importer.Sync, FeedCache: t.TempDir(), Guards: guards}
			s, want := open(t), open(t)
			mustLoad(t, s, o, before)
			feed := filepath.Join(t.TempDir(), "feed.jsonl")
			if err := os.WriteFile(feed, []byte(after), 0o600); err != nil {
				t.Fatal(err)
			}
			o.Feeds = []string{feed}
			rep, err := importer.Run(t.Context(), &emptied{s, feed}, o)
			if err != nil {
				t.Fatal(err)
			}
			closes(t, rep)
			o.FeedCache = ""
			mustLoad(t, want, o, before)
			plain := mustLoad(t, want, o, after)
			storetest.Equal(t, want, s)
			if rep.Counts != plain.Counts || *rep.Prices != *plain.Prices || *rep.Stock != *plain.Stock || rep.Updated == 0 {
				t.Errorf("got  %+v %+v %+v\nwant %+v %+v %+v", rep.Counts, rep.Prices, rep.Stock, plain.Counts, plain.Prices, plain.Stock)
			}
		})
	}
}

// firstSKUPrice returns a price feed that changes the price of the feed's first
// product.
func firstSKUPrice(t *testing.T, feed string) string {
	t.Helper()
	for line := range strings.Lines(feed) {
		for _, field := range []string{`"sku":"`, `"id":"`} {
			if _, rest, ok := strings.Cut(line, field); ok {
				sku, _, _ := strings.Cut(rest, `"`)
				return fmt.Sprintf("{\"sku\":%q,\"price\":123.45}\n", sku)
			}
		}
	}
	t.Fatal("no SKU")
	return ""
}

// TestRecalledOtherwise has what must not be remembered, or not be replaced.
func TestRecalledOtherwise(t *testing.T) {
	s := open(t)
	dir := t.TempDir()
	load := func(o importer.Options, text string) *importer.Report {
		t.Helper()
		o.FeedCache = dir
		return mustLoad(t, s, o, text)
	}
	load(importer.Options{}, products(0, 1000))
	rep := load(importer.Options{}, products(500, 510)) // a correction at noon
	expect(t, "correction", &rep.Counts, importer.Counts{Read: 10, Unchanged: 10})
	if rep = load(importer.Options{DryRun: true}, products(0, 1000)); rep.Recalled != 1000 {
		t.Errorf("after a small feed %d of 1000 were remembered", rep.Recalled)
	}
	if rep = load(importer.Options{Source: "other"}, products(0, 1000)); rep.Recalled != 0 {
		t.Errorf("%d were remembered of another source", rep.Recalled)
	}
	if rep = load(importer.Options{SKU: "name"}, products(0, 1000)); rep.Recalled != 0 {
		t.Errorf("%d were remembered of another mapping", rep.Recalled)
	}

	// A folder that cannot be made is no reason to fail.
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	rep = mustLoad(t, s, importer.Options{Source: "other", FeedCache: filepath.Join(file, "feeds")}, products(0, 1000))
	expect(t, "no folder", &rep.Counts, importer.Counts{Read: 1000, Updated: 0, Unchanged: 1000})
	if rep.Warnings["feed_cache"] == 0 {
		t.Errorf("warnings %v", rep.Warnings)
	}
}
