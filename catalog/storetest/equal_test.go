package storetest_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/catalog/storetest"
)

// sample returns a store with the given products.
func sample(t testing.TB, writes ...catalog.Write) *memstore.Store {
	t.Helper()
	s := memstore.New()
	t.Cleanup(func() { s.Close() })
	for _, w := range writes {
		if _, err := s.Apply(t.Context(), []catalog.Write{w}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func product(key catalog.Key, body, source string, refs ...catalog.Ref) catalog.Write {
	return catalog.Write{Kind: catalog.KindProduct, Key: key, Body: []byte(body), Source: source, Refs: refs}
}

// recorder is a test that may fail without harm.
type recorder struct {
	testing.TB
	failed []string
}

func (r *recorder) Helper()           {}
func (r *recorder) Error(args ...any) { r.failed = append(r.failed, fmt.Sprint(args...)) }
func (r *recorder) Errorf(f string, args ...any) {
	r.failed = append(r.failed, fmt.Sprintf(f, args...))
}

func TestEqual(t *testing.T) {
	ref := catalog.Ref{Type: catalog.RefURLKey, Value: "x"}
	a, b, c := product("a", `{"n":1}`, "erp", ref), product("b", `{"n":2}`, "erp"), product("c", `{"n":3}`, "erp")
	one := sample(t, a, b, c)
	price := c
	price.Kind = catalog.KindPrice
	for name, tt := range map[string]struct {
		other []catalog.Write
		equal bool
	}{
		"same":            {[]catalog.Write{a, b, c}, true},
		"other order":     {[]catalog.Write{c, a, b}, true},
		"by detours":      {[]catalog.Write{product("a", `{}`, "x"), c, a, product("d", `{}`, "x"), b, {Kind: catalog.KindProduct, Key: "d"}}, true},
		"first missing":   {[]catalog.Write{b, c}, false},
		"last missing":    {[]catalog.Write{a, b}, false},
		"one more":        {[]catalog.Write{a, b, c, product("d", `{}`, "erp")}, false},
		"one more before": {[]catalog.Write{a, b, c, product("A", `{}`, "erp")}, false},
		"other body":      {[]catalog.Write{a, b, product("c", `{"n":4}`, "erp")}, false},
		"other source":    {[]catalog.Write{a, b, product("c", `{"n":3}`, "pim")}, false},
		"other kind":      {[]catalog.Write{a, b, price}, false},
		"other refs":      {[]catalog.Write{product("a", `{"n":1}`, "erp"), b, c}, false},
		"empty":           {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			other := sample(t, tt.other...)
			for _, pair := range [][2]catalog.Store{{one, other}, {other, one}} {
				r := &recorder{TB: t}
				storetest.Equal(r, pair[0], pair[1], ref)
				if (len(r.failed) == 0) != tt.equal {
					t.Errorf("equal: %v, want %v: %q", !tt.equal, tt.equal, r.failed)
				}
			}
		})
	}
}

func TestDiffStopsAtItsLimit(t *testing.T) {
	var writes []catalog.Write
	for i := range 50 {
		writes = append(writes, product(catalog.Key(fmt.Sprint(i)), `{}`, ""))
	}
	lines, err := storetest.Diff(t.Context(), sample(t), sample(t, writes...), 7)
	if err != nil || len(lines) != 7 {
		t.Errorf("%d lines, %v; want 7", len(lines), err)
	}
}

// TestCheck lets a store lie in one answer after the other.
func TestCheck(t *testing.T) {
	fill := func() *broken {
		return &broken{Store: sample(t, product("a", `{"n":1}`, ""), product("b", `{}`, ""), catalog.Write{Kind: catalog.KindProduct, Key: "b"}, product("c", `{"n":2}`, ""))}
	}
	if err := storetest.Check(t.Context(), fill()); err != nil {
		t.Errorf("a store that is right: %v", err)
	}
	without := func(seq catalog.Seq) func(b *broken) {
		return func(b *broken) {
			b.changes = func(ctx context.Context, after catalog.Cursor) iter.Seq2[catalog.Change, error] {
				return func(yield func(catalog.Change, error) bool) {
					for c, err := range b.Store.Changes(ctx, after) {
						if c.Seq != seq && !yield(c, err) {
							return
						}
					}
				}
			}
		}
	}
	scanned := func(change func(*catalog.Record) bool) func(b *broken) {
		return func(b *broken) {
			b.scan = func(ctx context.Context, kind catalog.Kind, r catalog.Range) iter.Seq2[catalog.Record, error] {
				return func(yield func(catalog.Record, error) bool) {
					for rec, err := range b.Store.Scan(ctx, kind, r) {
						if change(&rec) && !yield(rec, err) {
							return
						}
					}
				}
			}
		}
	}
	for name, lie := range map[string]func(*broken){
		"put not in the log":    without(1),
		"delete not in the log": without(3),
		"tail not in the log":   without(4),
		"tail too low": func(b *broken) {
			b.tail = func(ctx context.Context) (catalog.Cursor, error) {
				c, err := b.Store.Tail(ctx)
				c.Seq--
				return c, err
			}
		},
		"record not scanned": scanned(func(r *catalog.Record) bool { return r.Key != "c" }),
		"other body":         scanned(func(r *catalog.Record) bool { r.Body = []byte(`{}`); return true }),
		"other seq":          scanned(func(r *catalog.Record) bool { r.Seq++; return true }),
	} {
		s := fill()
		lie(s)
		if err := storetest.Check(t.Context(), s); err == nil {
			t.Errorf("%s: not found", name)
		}
	}
}

func TestCheckOfATrimmedStore(t *testing.T) {
	s := sample(t, product("a", `{"n":1}`, ""), product("b", `{}`, ""), product("c", `{}`, ""))
	for upTo := range catalog.Seq(4) {
		if _, err := s.Trim(t.Context(), upTo); err != nil {
			t.Fatal(err)
		}
		if err := storetest.Check(t.Context(), s); err != nil {
			t.Errorf("trimmed to %d: %v", upTo, err)
		}
	}
}

func ExampleDump() {
	ctx := context.Background()
	s := memstore.New()
	defer s.Close()
	ref := catalog.Ref{Type: catalog.RefURLKey, Store: "de", Value: "schuh"}
	writes := []catalog.Write{{Kind: catalog.KindProduct, Key: "SKU-1", Body: []byte(`{"sku":"SKU-1"}`), Source: "erp", Refs: []catalog.Ref{ref}}}
	if _, err := s.Apply(ctx, writes); err != nil {
		fmt.Println(err)
	}
	var out strings.Builder
	if err := storetest.Dump(ctx, &out, s, storetest.DumpOptions{Seqs: true, Log: true, Refs: []catalog.Ref{ref}}); err != nil {
		fmt.Println(err)
	}
	fmt.Print(out.String())
	// Output:
	// record product "SKU-1" source="erp" hash=f9ea148857cce99caaf99f282fde75e5 seq=1 body={"sku":"SKU-1"}
	// ref 1 "de" "schuh" = ["SKU-1"]
	// change 1 put product "SKU-1"
}
