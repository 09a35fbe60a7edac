package importer_test

import (
	"strings"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/importer"
)

// What an import rejected is told when somebody asks for it by its key.
func TestRejections(t *testing.T) {
	ctx := t.Context()
	store := memstore.New()
	defer store.Close()
	night := time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)
	for i, feed := range []string{
		"{\"sku\":\"good\"}\n{\"sku\":\"bad\",\"status\":\"maybe\"}\n{\"name\":\"no key\"}\n",
		"{\"sku\":\"good\"}\n\n{\"sku\":\"bad\",\"price\":\"free\"}\n",
	} {
		_, err := importer.Run(ctx, store, importer.Options{
			Feeds: []string{"-"}, Stdin: strings.NewReader(feed), Source: "erp",
			Now: func() time.Time { return night.Add(time.Duration(i) * 24 * time.Hour) },
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := importer.Rejections(ctx, store, catalog.KindProduct, "bad")
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	if got[0].Reason != catalog.ReasonPrice || got[0].Line != 3 || got[0].Source != "erp" || !got[0].Started.Equal(night.Add(24*time.Hour)) {
		t.Errorf("the newest is %+v", got[0])
	}
	if got[1].Reason != catalog.ReasonType || got[1].Line != 2 || got[1].Import == got[0].Import {
		t.Errorf("the oldest is %+v", got[1])
	}
	for _, other := range []struct {
		kind catalog.Kind
		key  catalog.Key
	}{{catalog.KindProduct, "good"}, {catalog.KindProduct, ""}, {catalog.KindPrice, "bad"}} {
		if got, err := importer.Rejections(ctx, store, other.kind, other.key); err != nil || len(got) > 0 {
			t.Errorf("%v %q: %+v, %v", other.kind, other.key, got, err)
		}
	}
}
