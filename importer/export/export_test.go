package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"catalog/catalog"
	"catalog/catalog/memstore"
)

// load puts lines into a store as the importer does, but for its pipeline.
func load(t *testing.T, kind catalog.Kind, lines ...string) catalog.Store {
	t.Helper()
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	for _, line := range lines {
		apply(t, store, kind, []byte(line))
	}
	return store
}

func apply(t *testing.T, store catalog.Store, kind catalog.Kind, line []byte) {
	t.Helper()
	var p catalog.Parser
	var r catalog.Parsed
	p.Reset(nil)
	if err := p.Parse(kind, line, &r); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	writes := []catalog.Write{{Kind: r.Kind, Key: r.Key, Body: r.Body, Refs: r.Refs}}
	part := func(kind catalog.Kind, key catalog.Key, part catalog.Part) {
		if part.State == catalog.PartSet {
			writes = append(writes, catalog.Write{Kind: kind, Key: key, Body: part.Body})
		}
	}
	part(catalog.KindPrice, r.Key, r.Price)
	part(catalog.KindStock, r.Key, r.Stock)
	for _, v := range r.Variants {
		part(catalog.KindPrice, v.SKU, v.Price)
		part(catalog.KindStock, v.SKU, v.Stock)
	}
	if _, err := store.Apply(t.Context(), writes); err != nil {
		t.Fatal(err)
	}
}

func exported(t *testing.T, store catalog.Store, o Options) (string, Counts) {
	t.Helper()
	var b bytes.Buffer
	counts, err := Run(t.Context(), store, &b, o)
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), counts
}

// shop has each way in which records can hang together.
func shop(t *testing.T) catalog.Store {
	return load(t, catalog.KindProduct,
		`{"sku":"b","name":"B","price":1.50,"stock":{"qty":3,"manage":true}}`,
		`{"sku":"a","z":1,"name":"A"}`,
		`{"sku":"c","name":"C","qty":7,"variants":[{"sku":"c-1","price":2,"qty":1},"b"]}`,
		`{"sku":"d","currency":"EUR"}`,
		`{"$kind":"price","sku":"d","price":9}`,
		`{"$kind":"stock","sku":"bb","qty":5}`,
		`{"$kind":"category","path":"Men/Shoes","name":"Shoes","position":2}`,
		`{"$kind":"attribute","code":"color","label":"Colour"}`,
	)
}

func TestRun(t *testing.T) {
	tests := []struct {
		name string
		o    Options
		want []string
	}{
		{"all", Options{}, []string{
			`{"$kind":"attribute","code":"color","label":"Colour"}`,
			`{"$kind":"category","path":"Men/Shoes","name":"Shoes","position":2}`,
			`{"sku":"a","z":1,"name":"A"}`,
			`{"sku":"b","name":"B","prices":[{"price":1.50}],"stock":{"manage":true,"qty":3}}`,
			`{"$kind":"stock","sku":"bb","qty":5}`,
			`{"sku":"c","name":"C","variants":[{"sku":"c-1"},"b"],"stock":{"qty":7}}`,
			`{"$kind":"price","sku":"c-1","prices":[{"price":2}]}`,
			`{"$kind":"stock","sku":"c-1","qty":1}`,
			`{"sku":"d","currency":"EUR"}`,
			`{"$kind":"price","sku":"d","prices":[{"price":9}]}`,
		}},
		{"canonical", Options{Canonical: true, Prefix: "b"}, []string{
			`{"name":"B","prices":[{"price":1.5}],"sku":"b","stock":{"manage":true,"qty":3}}`,
			`{"$kind":"stock","qty":5,"sku":"bb"}`,
		}},
		{"products", Options{Kinds: []catalog.Kind{catalog.KindProduct}}, []string{
			`{"sku":"a","z":1,"name":"A"}`, `{"sku":"b","name":"B"}`, `{"sku":"c","name":"C","variants":[{"sku":"c-1"},"b"]}`, `{"sku":"d","currency":"EUR"}`,
		}},
		{"prices", Options{Kinds: []catalog.Kind{catalog.KindPrice}}, []string{
			`{"sku":"b","prices":[{"price":1.50}]}`, `{"sku":"c-1","prices":[{"price":2}]}`, `{"sku":"d","prices":[{"price":9}]}`,
		}},
		{"stock", Options{Kinds: []catalog.Kind{catalog.KindStock, catalog.KindStock}, Prefix: "c"}, []string{
			`{"sku":"c","qty":7}`, `{"sku":"c-1","qty":1}`,
		}},
		{"products and prices", Options{Kinds: []catalog.Kind{catalog.KindPrice, catalog.KindProduct}, Prefix: "b"}, []string{
			`{"sku":"b","name":"B","prices":[{"price":1.50}]}`,
		}},
		{"categories", Options{Kinds: []catalog.Kind{catalog.KindCategory}}, []string{`{"path":"Men/Shoes","name":"Shoes","position":2}`}},
		{"prices and stock", Options{Kinds: []catalog.Kind{catalog.KindPrice, catalog.KindStock}, Prefix: "c"}, []string{
			`{"$kind":"stock","sku":"c","qty":7}`, `{"$kind":"price","sku":"c-1","prices":[{"price":2}]}`, `{"$kind":"stock","sku":"c-1","qty":1}`,
		}},
		{"nothing", Options{Prefix: "x"}, nil},
	}
	store := shop(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, counts := exported(t, store, tt.o)
			want := ""
			for _, line := range tt.want {
				want += line + "\n"
			}
			if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if counts.Lines != int64(len(tt.want)) {
				t.Errorf("%d lines counted, want %d", counts.Lines, len(tt.want))
			}
		})
	}
	_, counts := exported(t, store, Options{})
	want := map[catalog.Kind]int64{
		catalog.KindAttribute: 1, catalog.KindCategory: 1, catalog.KindProduct: 4, catalog.KindPrice: 3, catalog.KindStock: 4,
	}
	if fmt.Sprint(counts.Records) != fmt.Sprint(want) {
		t.Errorf("counted %v, want %v", counts.Records, want)
	}
}

// TestRoundTrip reads what was exported into another store, which then has the
// same bodies.
func TestRoundTrip(t *testing.T) {
	store := shop(t)
	for _, canonical := range []bool{false, true} {
		text, _ := exported(t, store, Options{Canonical: canonical})
		again := load(t, catalog.KindProduct, strings.Split(strings.TrimSpace(text), "\n")...)
		a, _ := exported(t, store, Options{Canonical: true})
		b, _ := exported(t, again, Options{Canonical: true})
		if a != b {
			t.Errorf("canonical %v: was\n%s\nis\n%s", canonical, a, b)
		}
		for _, kind := range catalog.Kinds() {
			for rec, err := range store.Scan(t.Context(), kind, catalog.All) {
				if err != nil {
					t.Fatal(err)
				}
				got, err := again.Get(t.Context(), kind, rec.Key)
				if err != nil {
					t.Fatal(err)
				}
				if !canonical && !bytes.Equal(got[0].Body, rec.Body) {
					t.Errorf("%s %s: was %s, is %s", kind, rec.Key, rec.Body, got[0].Body)
				}
			}
		}
	}
}

// TestOrder exports more than a batch with several workers.
func TestOrder(t *testing.T) {
	var lines []string
	for i := range 3000 {
		lines = append(lines, fmt.Sprintf(`{"sku":"s%05d","text":%q,"price":%d}`, i, strings.Repeat("x", 500), i+1))
	}
	store := load(t, catalog.KindProduct, lines...)
	one, _ := exported(t, store, Options{Workers: 1, Canonical: true})
	many, counts := exported(t, store, Options{Workers: 7, Canonical: true})
	if one != many {
		t.Error("the number of workers changes what is written")
	}
	if n := strings.Count(many, "\n"); n != 3000 || counts.Records[catalog.KindPrice] != 3000 {
		t.Errorf("%d lines, %v", n, counts)
	}
}

type failingWriter struct{ after int }

var errFull = errors.New("no room")

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.after -= len(p); w.after < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestRunFails(t *testing.T) {
	var lines []string
	for i := range 3000 {
		lines = append(lines, fmt.Sprintf(`{"sku":"s%05d","text":%q}`, i, strings.Repeat("x", 900)))
	}
	store := load(t, catalog.KindProduct, lines...)
	if _, err := Run(t.Context(), store, &failingWriter{1 << 20}, Options{}); !errors.Is(err, errFull) {
		t.Errorf("full disk: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err := Run(ctx, store, &bytes.Buffer{}, Options{Progress: func(int64, int64) { cancel(errFull) }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, o := range []Options{{Format: "xml"}, {Compression: "rar"}} {
		if _, err := Run(t.Context(), store, &bytes.Buffer{}, o); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	store.Close()
	if _, err := Run(t.Context(), store, &bytes.Buffer{}, Options{}); !errors.Is(err, catalog.ErrClosed) {
		t.Errorf("closed store: %v", err)
	}
}
