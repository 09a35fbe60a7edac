package elasticindex

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"catalog/indexer"
	"catalog/indexer/indextest"
)

func TestSortable(t *testing.T) {
	list := []float64{math.Inf(-1), -math.MaxFloat64, -1e9, -1.5, -1, -math.SmallestNonzeroFloat64, 0, math.SmallestNonzeroFloat64, 1, 1.5, 2, 1e9, math.MaxFloat64, math.Inf(1)}
	var keys []string
	for _, f := range list {
		k := string(sortable(nil, f))
		keys = append(keys, k)
		if got, ok := unsortable(k); !ok || got != f {
			t.Errorf("unsortable(%q) = %v, %v; want %v", k, got, ok, f)
		}
	}
	if !slices.IsSorted(keys) {
		t.Errorf("keys are not in order: %q", keys)
	}
	if a, b := sortable(nil, math.Copysign(0, -1)), sortable(nil, 0); !bytes.Equal(a, b) {
		t.Errorf("-0 is %s, 0 is %s", a, b)
	}
}

func FuzzUnsortable(f *testing.F) {
	f.Add("bff0000000000000")
	f.Add("")
	f.Add("+000000000000001")
	f.Fuzz(func(t *testing.T, s string) {
		v, ok := unsortable(s)
		if ok && len(s) != 16 {
			t.Errorf("%q is a number", s)
		}
		if ok && !math.IsNaN(v) && v != 0 {
			if got, _ := unsortable(string(sortable(nil, v))); got != v {
				t.Errorf("%v comes back as %v", v, got)
			}
		}
	})
}

func FuzzString(f *testing.F) {
	for _, s := range []string{"", "a", "\"\\\x00\x1f", "é世\u2028", "\xff\xc3", "a\xe4\xb8"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		b := appendString(nil, s)
		if err := json.Unmarshal(b, &got); err != nil || !utf8.Valid(b) {
			t.Fatalf("%q becomes %q: %v", s, b, err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); utf8.ValidString(s) && got != s || !utf8.ValidString(s) && strings.ReplaceAll(got, "\ufffd", "") != strings.ReplaceAll(want, "\ufffd", "") {
			t.Errorf("%q comes back as %q", s, got)
		}
	})
}

func FuzzBinary(f *testing.F) {
	w := indextest.NewWorld(1)
	for i := range 20 {
		for _, d := range w.Op(i).Docs {
			f.Add(appendBinary(nil, d))
		}
	}
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 30))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d, again indexer.Document
		if decodeBinary(base64.StdEncoding.EncodeToString(b), &d) != nil {
			return
		}
		c := appendBinary(nil, &d)
		if err := decodeBinary(base64.StdEncoding.EncodeToString(c), &again); err != nil {
			t.Fatalf("%x, which is %+v, does not come back: %v", b, d, err)
		}
		if !bytes.Equal(appendBinary(nil, &again), c) {
			t.Errorf("%+v comes back as %+v", d, again)
		}
	})
}

// TestDecode makes documents of what was written for them.
func TestDecode(t *testing.T) {
	w := indextest.NewWorld(2)
	numbers := map[indexer.Scope]int{}
	enc := encoder{scope: func(s indexer.Scope) (int, error) {
		if _, ok := numbers[s]; !ok {
			numbers[s] = len(numbers)
		}
		return numbers[s], nil
	}}
	h := indexer.NewDigester()
	for i := range 300 {
		op := w.Op(i)
		for _, d := range op.Docs {
			d.Units[0].Live.Next = time.Unix(1e9, 7).UTC()
		}
		items, err := enc.product(op.Docs)
		if err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		n := 0
		for _, it := range items {
			if ids[it.id] || it.extra == (it.id == op.SKU) {
				t.Errorf("product %s has _id %q twice, or extra %v is wrong", op.SKU, it.id, it.extra)
			}
			ids[it.id] = true
			if !json.Valid(it.body) {
				t.Fatalf("no JSON: %s", it.body)
			}
			d, src, err := decode(it.body)
			if err != nil {
				t.Fatal(err)
			}
			if src.Kind == kindVariant {
				if len(d.Units) != 1 || d.Units[0].SKU != src.Unit {
					t.Errorf("variant %q has units %v", src.Unit, d.Units)
				}
				continue
			}
			if want := op.Docs[n]; h.Of(d) != h.Of(want) || fmt.Sprint(d.Units) != fmt.Sprint(want.Units) {
				t.Fatalf("%.2000s comes back as %.2000s", fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", d))
			}
			n++
		}
		if n != len(op.Docs) {
			t.Errorf("%d of %d documents of %s", n, len(op.Docs), op.SKU)
		}
	}
}

func TestIntegers(t *testing.T) {
	f := func(v float64) *float64 { return &v }
	values := []float64{-1e300, -20, -0.10005, -0.1, 0, 0.00005, 0.1, 0.3, 1, 1.00001, 19.99, 20, 1e18, math.Inf(1)}
	amounts := []int64{-200_001, -200_000, -1001, -1000, -999, -1, 0, 1, 999, 1000, 1001, 3000, 9999, 10_000, 10_001, 199_899, 199_900, 199_901, 200_000, 1 << 45}
	for _, lo := range values {
		for _, hi := range values {
			for _, r := range []indexer.Range{{From: f(lo), To: f(hi)}, {From: f(lo), To: f(hi), Open: true}, {From: f(lo)}, {To: f(hi)}, {To: f(hi), Open: true}, {}} {
				from, to, ok := integers(r, indexer.AmountScale)
				for _, a := range amounts {
					want := r.Contains(indexer.Amount(a).Float())
					if got := ok && a >= from && a <= to; got != want {
						t.Fatalf("%v..%v open %v: %d is in %d..%d, %v: %v, want %v", r.From, r.To, r.Open, a, from, to, ok, got, want)
					}
				}
			}
		}
	}
}

func FuzzAmount(f *testing.F) {
	for _, s := range []string{"19.99", "0.00", "-3.50", "1.2345", "1.23450", "01.00", "", "-", ".", "1.", "99999999999999999999.00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if a, ok := parseAmount(s); ok && a.String() != s {
			t.Errorf("%q is read as %v", s, a)
		}
	})
}

func TestAmount(t *testing.T) {
	for _, a := range []indexer.Amount{0, 1, 10, 100, 1000, 10_000, 199_900, 123_456_789, -35_000} {
		if got, ok := parseAmount(a.String()); !ok || got != a {
			t.Errorf("%q is read as %v, %v", a.String(), got, ok)
		}
	}
}

func TestParseURL(t *testing.T) {
	nodes, name, o, err := ParseURL("https://us%40er:p%3Aw@a:9200,b:9201/shop-eu?shards=3&replicas=1&api_key=k")
	if err != nil || !slices.Equal(nodes, []string{"https://a:9200", "https://b:9201"}) || name != "shop-eu" ||
		o.User != "us@er" || o.Password != "p:w" || o.Shards != 3 || o.Replicas != 1 || o.APIKey != "k" {
		t.Errorf("ParseURL = %v, %q, %+v, %v", nodes, name, o, err)
	}
	if _, name, _, err := ParseURL("http://localhost:9200"); err != nil || name != DefaultName {
		t.Errorf("a URL without a name: %q, %v", name, err)
	}
	for _, bad := range []string{"", "localhost:9200", "ftp://a", "http://", "http://a,", "http://a?ca=/does/not/exist", "http://a?shards=x", "http://a?what=1", "http://a b"} {
		if _, _, _, err := ParseURL(bad); err == nil {
			t.Errorf("ParseURL(%q) takes it", bad)
		}
	}
	for _, bad := range []string{"", "Shop", "a/b", "a-000001", "a-dict", "-a", "a*"} {
		if _, err := Open([]string{"http://a"}, bad, nil); err == nil {
			t.Errorf("Open takes the name %q", bad)
		}
	}
}

func TestEscape(t *testing.T) {
	seen := map[string]string{}
	for _, s := range []string{"a", "a\x01", "a\x02", "a\x02a", "a\x01a", "\x01\x02", "\x02\x01", "\x02a"} {
		e := escape(s)
		if strings.Contains(e, sep) || unescaper.Replace(e) != s {
			t.Errorf("%q is escaped as %q and comes back as %q", s, e, unescaper.Replace(e))
		}
		if old, ok := seen[e]; ok {
			t.Errorf("%q and %q are escaped alike", s, old)
		}
		seen[e] = s
	}
}
