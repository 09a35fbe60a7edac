package importer_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"catalog/catalog"
	"catalog/catalog/storetest"
	"catalog/fixtures"
	"catalog/importer"
)

// TestNightWithAndWithoutPriceGuard imports the same nights, once with the
// guard, which keeps what changed for the load, and once without, where the
// load reads the feed itself: all must come out the same.
func TestNightWithAndWithoutPriceGuard(t *testing.T) {
	tonight := generated(t, fixtures.Options{Records: 3000, Malformed: 0.01})
	tomorrow := generated(t, fixtures.Options{Records: 3000, Malformed: 0.01, Night: 1, Churn: 0.05})
	others := "{\"sku\":\"P\",\"variants\":[{\"sku\":\"V\",\"price\":5}]}\n{\"$kind\":\"price\",\"sku\":\"V\",\"price\":6}\n" +
		"{\"$kind\":\"price\",\"sku\":\"A\",\"price\":7}\n{\"sku\":\"A\",\"price\":8}\n"
	place := regexp.MustCompile(`"feed":"[^"]*"`) // differs
	for name, night := range map[string]string{"products": tomorrow, "other kinds between": others + tomorrow} {
		t.Run(name, func(t *testing.T) {
			var want catalog.Store
			var wantText string
			for _, guarded := range []bool{false, true} {
				s := open(t)
				o := importer.Options{Workers: 2, BatchBytes: 400_000}
				mustLoad(t, s, o, tonight)
				var rejects bytes.Buffer
				o.Mode, o.Rejects = importer.Sync, &rejects
				none := importer.Limit{Set: true, None: true}
				o.Guards.MaxUnreadable = none
				if !guarded {
					o.Guards.MaxPriceChange = none
				} else {
					o.Guards.MaxPriceChange = importer.Limit{Set: true, Count: -1, Percent: 99}
				}
				rep := mustLoad(t, s, o, night)
				text := fmt.Sprint(rep.Counts, *rep.Prices, *rep.Stock, rep.Rejects, place.ReplaceAllString(rejects.String(), ""))
				if rep.Updated == 0 || rep.Rejected == 0 || rep.Duplicates == 0 || rep.Deleted == 0 {
					t.Fatalf("nothing to compare: %+v", rep.Counts)
				}
				if want == nil {
					want, wantText = s, text
					continue
				}
				if text != wantText {
					t.Errorf("got  %s\nwant %s", text, wantText)
				}
				storetest.Equal(t, want, s)
			}
		})
	}
}

// TestKeptFileHasNoPlace has a folder for spools that is not there: then the
// feed is read once more, and nothing else is different.
func TestKeptFileHasNoPlace(t *testing.T) {
	s := open(t)
	mustLoad(t, s, importer.Options{}, products(0, 100))
	o := importer.Options{Mode: importer.Sync, TempDir: filepath.Join(t.TempDir(), "none")}
	rep := mustLoad(t, s, o, products(5, 101))
	expect(t, "night", &rep.Counts, importer.Counts{Read: 96, Created: 1, Unchanged: 95, Deleted: 5})
}

// TestKeptFileIsGone leaves nothing behind in the folder for spools.
func TestKeptFileIsGone(t *testing.T) {
	s := open(t)
	mustLoad(t, s, importer.Options{}, products(0, 100))
	dir := t.TempDir()
	mustLoad(t, s, importer.Options{Mode: importer.Sync, TempDir: dir}, products(5, 101))
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v, %v are left", err, left)
	}
}

// meddler is a store that somebody else writes to just before an Apply that
// deletes a record of a kind.
type meddler struct {
	catalog.Store
	kind   catalog.Kind
	meddle func(catalog.Store)
}

func (m *meddler) Apply(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error) {
	for _, w := range writes {
		if f := m.meddle; f != nil && w.Body == nil && w.Kind == m.kind {
			m.meddle = nil
			f(m.Store)
		}
	}
	return m.Store.Apply(ctx, writes)
}

// TestSweepLeavesWhatOthersWrite has another writer bring a product back in
// the moment in which the sweep deletes it.
func TestSweepLeavesWhatOthersWrite(t *testing.T) {
	const key = "S0003"
	product := catalog.Write{Kind: catalog.KindProduct, Key: key, Source: "erp", Body: []byte(`{"sku":"S0003","name":"back"}`)}
	price := catalog.Write{Kind: catalog.KindPrice, Key: key, Source: "erp", Body: []byte(`{"sku":"S0003","prices":[{"price":77}]}`)}
	stock := catalog.Write{Kind: catalog.KindStock, Key: key, Source: "erp", Body: []byte(`{"sku":"S0003","qty":77}`)}
	tests := []struct {
		name   string
		before catalog.Kind // the delete of which kind the other one is ahead of
		writes []catalog.Write
	}{
		{"product alone", catalog.KindProduct, []catalog.Write{product}},
		{"all three", catalog.KindProduct, []catalog.Write{product, price, stock}},
		{"all three, when the product is gone", catalog.KindPrice, []catalog.Write{product, price, stock}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			var feed strings.Builder
			for i := range 100 {
				fmt.Fprintf(&feed, `{"sku":"S%04d","price":%d,"stock":%d}`+"\n", i, i+1, i+1)
			}
			mustLoad(t, s, importer.Options{}, feed.String())
			want := map[catalog.Kind]string{}
			m := &meddler{Store: s, kind: tt.before, meddle: func(s catalog.Store) {
				if _, err := s.Apply(context.Background(), tt.writes); err != nil {
					t.Fatal(err)
				}
				for _, k := range []catalog.Kind{catalog.KindProduct, catalog.KindPrice, catalog.KindStock} {
					want[k] = text(t, s, k, key)
				}
			}}
			lines := strings.SplitAfter(feed.String(), "\n")
			rep := mustLoad(t, m, importer.Options{Mode: importer.Sync}, strings.Join(lines[5:], ""))
			if len(want) == 0 {
				t.Fatal("nobody wrote in between")
			}
			for k, body := range want {
				if got := text(t, s, k, key); got != body || body == "" {
					t.Errorf("%s is %q, want %q", k, got, body)
				}
				if got := text(t, s, k, "S0002"); got != "" {
					t.Errorf("%s of another product is %q", k, got)
				}
			}
			if tt.before == catalog.KindProduct && (rep.Deleted != 4 || rep.Prices.Deleted != 4 || rep.Stock.Deleted != 4) {
				t.Errorf("%+v, prices %+v, stock %+v", rep.Counts, *rep.Prices, *rep.Stock)
			}
		})
	}
}
