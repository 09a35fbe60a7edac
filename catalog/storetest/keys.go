package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"catalog/catalog"
)

func keyPromises() []promise {
	return []promise{
		{"PrefixesAreKeysOfTheirOwn", prefixKeys},
		{"NoCollation", noCollation},
		{"Ranges", ranges},
		{"ManyKeysInOrder", manyKeys},
	}
}

// distinct writes a record for each key and checks that each is its own, and
// that they come in the order of their bytes.
func distinct(e *env, keys []catalog.Key) {
	e.Helper()
	for i, k := range keys {
		e.outcomes([]catalog.Write{put(catalog.KindProduct, k, doc("x", i))}, catalog.Created)
	}
	for i, k := range keys {
		if got := e.body(catalog.KindProduct, k); got != doc("x", i) {
			e.Errorf("%q: the body is %q, want %q", k, got, doc("x", i))
		}
	}
	sorted := slices.Sorted(slices.Values(keys))
	equal(e, "heads", keysOf(e.heads(catalog.KindProduct, catalog.All)), sorted)
	equal(e, "scan", keysOf(headsIn(e.scan(catalog.KindProduct, catalog.All))), sorted)

	for i, k := range keys {
		if i%2 == 0 {
			e.outcomes([]catalog.Write{del(catalog.KindProduct, k)}, catalog.Deleted)
		}
	}
	for i, h := range e.headsOf(catalog.KindProduct, keys...) {
		if h.Exists() != (i%2 == 1) {
			e.Errorf("%q exists: %v after every second key was deleted", keys[i], h.Exists())
		}
	}
}

// prefixKeys: stores that join or split keys at a separator take some of these
// for one another.
func prefixKeys(e *env) {
	distinct(e, []catalog.Key{
		"a", "a-b", "a/b", "a b", "a.b", "a:b", "aa", "ab", "a-", "a/", "a!", "a~", "a|b", "a%b", "a%2Fb",
		"a\\b", "a\"b", "a'b", "a$b", "$a", "_id", "a\u00a0b", "a-b-c", "a/b/c", "b", "0", "00", "1", "10", "9",
	})
}

// noCollation: what a database's collation, or a normalising file system,
// takes for the same is not the same here.
func noCollation(e *env) {
	distinct(e, []catalog.Key{
		"abc", "ABC", "Abc", "aBC", "é", "e\u0301", "e", "E", "É", "ß", "ss", "SS", "ẞ", "ı", "i", "I", "İ",
		"ä", "ae", "a\u0308", "a", "a.", "a\u200b", "a\u00ad", "a_", "ａ", "æ", "K", "\u212a", "１", "1", "①", "1.0", "01", "1e0",
		"😀", "😁", "\U0010fffd", "\ufffd", "\uffff", "null", "NULL", "true", "日本", "日本語",
	})
}

func ranges(e *env) {
	keys := []catalog.Key{"a", "a-b", "a/b", "aa", "ab", "b", "b1", "ba", "c", "é", "日本", "😀"}
	for _, k := range keys {
		e.apply(put(catalog.KindProduct, k, doc(k, 1)), put(catalog.KindPrice, k, doc(k, 2)))
	}
	all := []catalog.Range{
		catalog.All,
		{From: "a"},
		{From: "a-"},
		{From: "zzz"},
		{From: "😀"},
		{From: "😀!"},
		{To: "a"},
		{To: "b"},
		{To: "\xff"},
		{From: "a", To: "a"},
		{From: "a", To: "a\x00"},
		{From: "b", To: "a"},
		{From: "a", To: "b"},
		{From: "aa", To: "c"},
		{From: "\x00", To: "\xff\xff"},
		{From: "a\x00"},
		{From: "a\xff", To: "b\xff"},
		{From: "\xff"},
		catalog.Prefix(""), catalog.Prefix("a"), catalog.Prefix("b"), catalog.Prefix("a/"), catalog.Prefix("é"), catalog.Prefix("日"),
		catalog.Prefix("😀"), catalog.Prefix("nope"), catalog.Prefix("\xff"), catalog.Prefix("a\xff"),
	}
	for _, r := range all {
		var want []catalog.Key
		for _, k := range keys {
			if r.Contains(k) {
				want = append(want, k)
			}
		}
		what := fmt.Sprintf("from %q to %q", r.From, r.To)
		equal(e, what+": heads", keysOf(e.heads(catalog.KindProduct, r)), want)
		equal(e, what+": scan", keysOf(headsIn(e.scan(catalog.KindProduct, r))), want)
		equal(e, what+": prices", keysOf(e.heads(catalog.KindPrice, r)), want)
	}
}

func manyKeys(e *env) {
	n := e.few(6000)
	want := make([]catalog.Key, n)
	for i := range want {
		want[i] = catalog.Key(fmt.Sprintf("SKU-%d", i*7919))
	}
	shuffled := slices.Clone(want)
	rand.Shuffle(n, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for part := range slices.Chunk(shuffled, 777) {
		var writes []catalog.Write
		for _, k := range part {
			writes = append(writes, put(catalog.KindProduct, k, doc(k, 1)))
		}
		e.apply(writes...)
	}
	slices.Sort(want)
	equal(e, "heads", keysOf(e.heads(catalog.KindProduct, catalog.All)), want)
	recs := e.scan(catalog.KindProduct, catalog.All)
	equal(e, "scan", keysOf(headsIn(recs)), want)
	for _, r := range recs {
		if string(r.Body) != doc(r.Key, 1) {
			e.Fatalf("%q has the body %s", r.Key, r.Body)
		}
	}
	for i, r := range e.get(catalog.KindProduct, shuffled...) {
		if r.Key != shuffled[i] || string(r.Body) != doc(r.Key, 1) {
			e.Fatalf("Get of %q returns %q %s", shuffled[i], r.Key, r.Body)
		}
	}
	for i := range shuffled {
		if i%3 == 0 {
			shuffled[i] += "?"
		}
	}
	for i, h := range e.headsOf(catalog.KindProduct, shuffled...) {
		if there := i%3 != 0; h.Exists() != there || there && h.Key != shuffled[i] {
			e.Fatalf("HeadsOf %q returns %+v", shuffled[i], h)
		}
	}
}
