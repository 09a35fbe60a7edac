package storetest

import (
	"fmt"
	"slices"

	"catalog/catalog"
)

func refPromises() []promise {
	return []promise{
		{"Found", refsFound},
		{"ReplacedOnUpdate", refsReplaced},
		{"RemovedOnDelete", refsRemoved},
		{"SeveralKeysInOrder", refsSeveralKeys},
		{"TypesAndStoresDoNotMix", refsDoNotMix},
		{"OddBytes", refsOddBytes},
		{"GivenTwice", refsTwice},
		{"WithinABatch", refsWithinBatch},
		{"KeptWhenUnchanged", refsKept},
		{"ListedByRecord", refsListed},
	}
}

func urlKey(store, value string) catalog.Ref {
	return catalog.Ref{Type: catalog.RefURLKey, Store: store, Value: value}
}

// putRefs is the write of a product with refs.
func putRefs(key catalog.Key, n int, refs ...catalog.Ref) catalog.Write {
	w := put(catalog.KindProduct, key, doc(key, n))
	w.Refs = refs
	return w
}

// found checks which keys a ref finds.
func (e *env) found(ref catalog.Ref, want ...catalog.Key) {
	e.Helper()
	equal(e, fmt.Sprintf("lookup of %+v", ref), e.lookup(ref), want)
}

// refsListed asks a store that is a catalog.Referrer for the refs of records;
// the others promise nothing.
func refsListed(e *env) {
	s, ok := e.s.(catalog.Referrer)
	if !ok {
		return
	}
	listed := func(kind catalog.Kind, key catalog.Key, want ...catalog.Ref) {
		e.Helper()
		keys := []catalog.Key{"not-there", key}
		heads, refs, err := s.RefsOf(e.ctx, kind, keys...)
		e.ok(err)
		equal(e, "the heads that come with refs", heads, e.headsOf(kind, keys...))
		if len(refs) != len(keys) || len(refs[0]) != 0 {
			e.Fatalf("RefsOf returns %+v for a key that is not there and one that is", refs)
		}
		if got := refs[1]; len(got) != len(want) {
			e.Fatalf("%v %q is found by %+v, want %+v", kind, key, got, want)
		}
		for _, ref := range want {
			if !slices.Contains(refs[1], ref) {
				e.Errorf("%v %q is found by %+v, want %+v among them", kind, key, refs[1], ref)
			}
		}
	}
	odd := catalog.Ref{Type: catalog.RefVariant, Value: "\x00\xff"}
	e.apply(putRefs("a", 1, urlKey("", "x"), urlKey("de", "x"), odd), putRefs("b", 1), put(catalog.KindPrice, "a", `[{"price":1}]`))
	listed(catalog.KindProduct, "a", urlKey("", "x"), urlKey("de", "x"), odd)
	listed(catalog.KindProduct, "b")
	listed(catalog.KindPrice, "a")
	e.apply(putRefs("a", 2, urlKey("", "y"), urlKey("de", "x")), putRefs("b", 2, odd))
	listed(catalog.KindProduct, "a", urlKey("", "y"), urlKey("de", "x"))
	listed(catalog.KindProduct, "b", odd)
	e.apply(del(catalog.KindProduct, "a"))
	listed(catalog.KindProduct, "a")

	heads, refs, err := s.RefsOf(e.ctx, catalog.KindProduct)
	if e.ok(err); len(heads) != 0 || len(refs) != 0 {
		e.Errorf("RefsOf of no keys returns %v, %v", heads, refs)
	}
}

func refsFound(e *env) {
	e.apply(putRefs("a", 1, urlKey("", "shoe"), urlKey("de", "schuh"), catalog.Ref{Type: catalog.RefVariant, Value: "a-1"}))
	e.found(urlKey("", "shoe"), "a")
	e.found(urlKey("de", "schuh"), "a")
	e.found(catalog.Ref{Type: catalog.RefVariant, Value: "a-1"}, "a")
	e.found(urlKey("", "nope"))

	c := put(catalog.KindCategory, "Men/Shoes", `{}`)
	c.Refs = []catalog.Ref{{Type: catalog.RefCategoryURLKey, Store: "de", Value: "schuhe"}}
	e.apply(c)
	e.found(c.Refs[0], "Men/Shoes")
}

func refsReplaced(e *env) {
	e.apply(putRefs("a", 1, urlKey("", "one"), urlKey("", "both"), urlKey("de", "eins")))
	e.apply(putRefs("a", 2, urlKey("", "two"), urlKey("", "both")))
	e.found(urlKey("", "one"))
	e.found(urlKey("de", "eins"))
	e.found(urlKey("", "two"), "a")
	e.found(urlKey("", "both"), "a")
	e.apply(putRefs("a", 3))
	e.found(urlKey("", "two"))
	e.found(urlKey("", "both"))
	e.apply(putRefs("a", 1, urlKey("", "one")))
	e.found(urlKey("", "one"), "a")
}

func refsRemoved(e *env) {
	e.apply(putRefs("a", 1, urlKey("", "x"), urlKey("", "y")), putRefs("b", 1, urlKey("", "y")))
	e.apply(del(catalog.KindProduct, "a"))
	e.found(urlKey("", "x"))
	e.found(urlKey("", "y"), "b")
	e.apply(putRefs("a", 1)) // without the refs it once had
	e.found(urlKey("", "x"))
	e.apply(del(catalog.KindProduct, "b"))
	e.found(urlKey("", "y"))
}

func refsSeveralKeys(e *env) {
	want := []catalog.Key{"A", "a", "a-b", "a/b", "ab", "b", "é", "日本"}
	for i := range want {
		e.apply(putRefs(want[(i*3)%len(want)], 1, urlKey("", "same")))
	}
	e.found(urlKey("", "same"), want...)
	e.apply(putRefs("a-b", 2, urlKey("", "other")))
	e.found(urlKey("", "same"), "A", "a", "a/b", "ab", "b", "é", "日本")
	e.found(urlKey("", "other"), "a-b")
}

func refsDoNotMix(e *env) {
	e.apply(
		putRefs("p1", 1, urlKey("", "x")),
		putRefs("p2", 1, urlKey("de", "x")),
		putRefs("p3", 1, urlKey("d", "ex")),
		putRefs("p4", 1, urlKey("dex", "")),
		putRefs("p5", 1, catalog.Ref{Type: catalog.RefVariant, Value: "x"}),
		putRefs("p6", 1, urlKey("", "dex")),
		putRefs("p7", 1, urlKey("DE", "x")),
		putRefs("p8", 1, urlKey("", "X")),
	)
	e.found(urlKey("", "x"), "p1")
	e.found(urlKey("de", "x"), "p2")
	e.found(urlKey("d", "ex"), "p3")
	e.found(urlKey("dex", ""), "p4")
	e.found(catalog.Ref{Type: catalog.RefVariant, Value: "x"}, "p5")
	e.found(urlKey("", "dex"), "p6")
	e.found(urlKey("DE", "x"), "p7")
	e.found(urlKey("", "X"), "p8")
	e.found(catalog.Ref{Type: catalog.RefCategoryURLKey, Value: "x"})
	e.found(catalog.Ref{Value: "x"})
}

// refsOddBytes: store and value come from documents, unlike keys they may hold
// any bytes, those that separate or escape in some layout too.
func refsOddBytes(e *env) {
	values := []string{
		"a", "a\x00", "a\x00b", "a\x00\x00", "a\x00\x01", "a\x00\xff", "a\x01", "a\xff", "a\xff\xff", "\x00", "\x00\x00", "\xff", "\xff\xff",
		"a b", "a/b", "a%00b", "a'b\"c", "$a", "a.b", "é", "e\u0301", "\xc3", "a\n", " a ", "",
	}
	var refs []catalog.Ref
	for _, v := range values {
		refs = append(refs, urlKey("", v), urlKey(v, ""), urlKey(v, v), urlKey("a", v), urlKey(v, "a\x00b"))
	}
	unique := map[catalog.Ref]catalog.Key{}
	for i, r := range refs {
		if _, ok := unique[r]; ok {
			continue
		}
		key := catalog.Key(fmt.Sprintf("k%03d", i))
		unique[r] = key
		e.apply(putRefs(key, i, r))
	}
	for r, k := range unique {
		e.found(r, k)
	}
	// Keys that continue where a value ends: the pair must be kept apart.
	e.apply(putRefs("b", 1, urlKey("s", "va")), putRefs("ab", 1, urlKey("s", "v")))
	e.found(urlKey("s", "va"), "b")
	e.found(urlKey("s", "v"), "ab")
	e.found(urlKey("s", "vab"))
	for r, k := range unique {
		e.apply(del(catalog.KindProduct, k))
		e.found(r)
	}
}

func refsTwice(e *env) {
	e.apply(putRefs("a", 1, urlKey("", "x"), urlKey("", "x")))
	e.found(urlKey("", "x"), "a")
	e.apply(putRefs("a", 2, urlKey("", "x")))
	e.found(urlKey("", "x"), "a")
	e.apply(del(catalog.KindProduct, "a"))
	e.found(urlKey("", "x"))
}

// refsWithinBatch: the refs to be removed are those of the write before, which
// is not yet in the store.
func refsWithinBatch(e *env) {
	e.apply(
		putRefs("a", 1, urlKey("", "one")),
		putRefs("b", 1, urlKey("", "one")),
		putRefs("a", 2, urlKey("", "two")),
		del(catalog.KindProduct, "b"),
		putRefs("c", 1, urlKey("", "three")),
		del(catalog.KindProduct, "c"),
		putRefs("c", 2, urlKey("", "four")),
	)
	e.found(urlKey("", "one"))
	e.found(urlKey("", "two"), "a")
	e.found(urlKey("", "three"))
	e.found(urlKey("", "four"), "c")
}

func refsKept(e *env) {
	w := putRefs("a", 1, urlKey("", "x"))
	e.apply(w)
	e.outcomes([]catalog.Write{w}, catalog.Unchanged)
	w.Source = "other"
	e.outcomes([]catalog.Write{w}, catalog.Unchanged)
	e.found(urlKey("", "x"), "a")
	e.apply(del(catalog.KindProduct, "a"))
	e.found(urlKey("", "x"))
}
