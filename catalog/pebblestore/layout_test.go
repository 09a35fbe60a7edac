package pebblestore

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"catalog/catalog"
	"catalog/catalog/storetest"
)

// TestLayout shows every key and value that writes leave; -rewrite renews the
// expected output.
func TestLayout(t *testing.T) {
	for name, bulk := range map[string]int64{"batch": 1 << 20, "bulk": 1} {
		t.Run(name, func(t *testing.T) { // both paths leave the same
			s := mustOpen(t, "/s", Options{FS: vfs.NewMem(), BulkBytes: bulk})
			datadriven.RunTest(t, "testdata/layout", func(t *testing.T, d *datadriven.TestData) string {
				switch d.Cmd {
				case "apply":
					return applyText(t, s, d.Input)
				case "trim":
					var upTo int
					d.ScanArgs(t, "to", &upTo)
					last, err := s.Trim(t.Context(), catalog.Seq(upTo))
					return fmt.Sprintf("%d %v\n", last, err)
				case "keys":
					return dumpKeys(t, s)
				}
				return "unknown command"
			})
		})
	}
}

// applyText applies lines of: kind key source body [type:store:value…], where
// the body - deletes.
func applyText(t *testing.T, s *Store, text string) string {
	var writes []catalog.Write
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		kind, err := catalog.ParseKind(f[0])
		if err != nil {
			t.Fatal(err)
		}
		w := catalog.Write{Kind: kind, Key: catalog.Key(f[1]), Source: f[2]}
		if f[3] != "-" {
			w.Body = []byte(f[3])
		}
		for _, ref := range f[4:] {
			p := strings.Split(ref, ":")
			n, err := strconv.Atoi(p[0])
			if err != nil {
				t.Fatal(err)
			}
			w.Refs = append(w.Refs, catalog.Ref{Type: catalog.RefType(n), Store: p[1], Value: p[2]})
		}
		writes = append(writes, w)
	}
	res, err := s.Apply(t.Context(), writes)
	var b strings.Builder
	for _, r := range res {
		fmt.Fprintln(&b, r.Outcome, r.Seq)
	}
	if err != nil {
		fmt.Fprintln(&b, err)
	}
	return b.String()
}

func dumpKeys(t *testing.T, s *Store) string {
	it, err := s.db.NewIter(&pebble.IterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for it.First(); it.Valid(); it.Next() {
		key, value := it.Key(), it.Value()
		if key[0] == spaceState { // the epoch is random
			st, err := parseState(value)
			if err != nil {
				t.Fatal(err)
			}
			value = value[1+len(st.epoch):]
		}
		fmt.Fprintf(&b, "%q = %q\n", key, value)
	}
	if err := it.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var writeFixture = flag.Bool("fixture.write", false, "write testdata/v1 anew; only for a new format version")

// TestOpensFormer opens stores that former versions of the format left.
func TestOpensFormer(t *testing.T) {
	if *writeFixture {
		s, err := Open(t.Context(), "testdata/v1", nil)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for version := 1; version <= formatVersion; version++ {
		t.Run(fmt.Sprintf("v%d", version), func(t *testing.T) {
			dir := t.TempDir()
			copyDir(t, fmt.Sprintf("testdata/v%d", version), dir)
			s := mustOpen(t, dir, Options{})
			fresh := mustOpen(t, "/s", Options{FS: vfs.NewMem()})
			fill(t, fresh)
			refs := []catalog.Ref{{Type: catalog.RefURLKey, Store: "de", Value: "schuh"}, {Type: catalog.RefVariant, Value: "A-1"}}
			storetest.Equal(t, s, fresh, refs...)
			if v, err := s.Meta(t.Context(), "settings"); err != nil || string(v) != "{}" {
				t.Errorf("meta is %q, %v", v, err)
			}
			if f, err := s.Followers(t.Context()); err != nil || len(f) != 1 || f[0].At.Seq != 2 {
				t.Errorf("followers are %+v, %v", f, err)
			}
			fill(t, s) // and can be written to
		})
	}
}

// fill makes the content of the fixtures.
func fill(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	for n, o := range []int64{1 << 20, 1} { // through the log, and as tables
		s.opts.BulkBytes = o
		sku := catalog.Key([]string{"A", "B"}[n])
		_, err := s.Apply(ctx, []catalog.Write{
			{Kind: catalog.KindProduct, Key: sku, Source: "erp", Body: fmt.Appendf(nil, `{"sku":%q,"name":"Schuh"}`, sku), Refs: []catalog.Ref{
				{Type: catalog.RefURLKey, Store: "de", Value: "schuh"}, {Type: catalog.RefVariant, Value: string(sku) + "-1"},
			}},
			{Kind: catalog.KindPrice, Key: sku, Source: "erp", Body: fmt.Appendf(nil, `{"sku":%q,"prices":[{"price":9.99}]}`, sku)},
			{Kind: catalog.KindStock, Key: sku, Source: "wms", Body: fmt.Appendf(nil, `{"sku":%q,"qty":5}`, sku)},
			{Kind: catalog.KindCategory, Key: "Shoes", Source: "erp", Body: []byte(`{"path":"Shoes"}`)},
			{Kind: catalog.KindAttribute, Key: "size", Source: "erp", Body: []byte(`{"code":"size"}`)},
			{Kind: catalog.KindProduct, Key: "gone", Source: "erp", Body: []byte(`{"sku":"gone"}`)},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Apply(ctx, []catalog.Write{{Kind: catalog.KindProduct, Key: "gone"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.SetMeta(ctx, "settings", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	tail, err := s.Tail(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Follow(ctx, "index", catalog.Cursor{Epoch: tail.Epoch, Seq: 2}); err != nil {
		t.Fatal(err)
	}
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}
