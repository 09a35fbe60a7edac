package storetest

import (
	"catalog/catalog"
)

func bufferPromises() []promise {
	return []promise{
		{"ArgumentsBelongToTheCaller", argumentsOwned},
		{"ResultsBelongToTheCaller", resultsOwned},
		{"ScanBodyIsValidInTheLoop", scanBody},
	}
}

// argumentsOwned overwrites all that was given to Apply and SetMeta.
func argumentsOwned(e *env) {
	body, value := []byte(`{"n":1}`), []byte("value")
	refs := []catalog.Ref{{Type: catalog.RefURLKey, Value: "one"}}
	seq := new(catalog.Seq)
	writes := []catalog.Write{{Kind: catalog.KindProduct, Key: "a", Body: body, Refs: refs, Source: "feed", If: seq}}
	e.apply(writes...)
	e.ok(e.s.SetMeta(e.ctx, "name", value))

	for i := range body {
		body[i] = 'x'
	}
	for i := range value {
		value[i] = 'x'
	}
	refs[0].Value = "two"
	*seq = 99
	writes[0] = catalog.Write{}

	if got := e.body(catalog.KindProduct, "a"); got != `{"n":1}` {
		e.Errorf("the body became %q", got)
	}
	equal(e, "lookup", e.lookup(catalog.Ref{Type: catalog.RefURLKey, Value: "one"}), []catalog.Key{"a"})
	if got, err := e.s.Meta(e.ctx, "name"); err != nil || string(got) != "value" {
		e.Errorf("the meta became %q, %v", got, err)
	}
	// The refs that the store keeps to undo them later are its own as well.
	e.apply(del(catalog.KindProduct, "a"))
	if got := e.lookup(catalog.Ref{Type: catalog.RefURLKey, Value: "one"}); len(got) != 0 {
		e.Errorf("the ref of a deleted record finds %v", got)
	}
}

// resultsOwned overwrites all that the store returned.
func resultsOwned(e *env) {
	ref := catalog.Ref{Type: catalog.RefURLKey, Value: "one"}
	w := put(catalog.KindProduct, "a", `{"n":1}`)
	w.Refs = []catalog.Ref{ref}
	e.apply(w)
	e.ok(e.s.SetMeta(e.ctx, "name", []byte("value")))
	e.ok(e.s.Follow(e.ctx, "f", e.tail()))

	rec := e.get(catalog.KindProduct, "a")
	clear(rec[0].Body)
	rec[0].Body = append(rec[0].Body, "more"...)
	rec[0] = catalog.Record{}
	clear(e.headsOf(catalog.KindProduct, "a"))
	clear(e.lookup(ref))
	v, err := e.s.Meta(e.ctx, "name")
	e.ok(err)
	clear(v)
	for m, err := range e.s.Metas(e.ctx, "") {
		e.ok(err)
		clear(m.Value)
	}
	followers, err := e.s.Followers(e.ctx)
	e.ok(err)
	clear(followers)
	stats, err := e.s.Stats(e.ctx)
	e.ok(err)
	clear(stats.Records)
	clear(stats.Sources)

	if got := e.body(catalog.KindProduct, "a"); got != `{"n":1}` {
		e.Errorf("the body became %q", got)
	}
	equal(e, "lookup", e.lookup(ref), []catalog.Key{"a"})
	if got, err := e.s.Meta(e.ctx, "name"); err != nil || string(got) != "value" {
		e.Errorf("the meta became %q, %v", got, err)
	}
	if got, err := e.s.Followers(e.ctx); err != nil || len(got) != 1 || got[0].Name != "f" {
		e.Errorf("the followers became %v, %v", got, err)
	}
	if got, err := e.s.Stats(e.ctx); err != nil || got.Records[catalog.KindProduct] != 1 {
		e.Errorf("the stats became %v, %v", got, err)
	}
}

// scanBody uses each body to the full inside the loop, with calls to the store
// in between.
func scanBody(e *env) {
	const n = 200
	for i := range n {
		key := catalog.Key(rune('A'+i%26)) + catalog.Key(doc("", i))
		e.apply(put(catalog.KindProduct, key, doc(key, i)))
	}
	seen := 0
	for r, err := range e.s.Scan(e.ctx, catalog.KindProduct, catalog.All) {
		e.ok(err)
		if got := e.body(catalog.KindProduct, r.Key); got != string(r.Body) {
			e.Fatalf("%q: Get returns %s, Scan yields %s", r.Key, got, r.Body)
		}
		if catalog.HashOf(r.Body) != r.Hash {
			e.Fatalf("%q: the body %s has another hash", r.Key, r.Body)
		}
		seen++
	}
	if seen != n {
		e.Errorf("scan yields %d records, want %d", seen, n)
	}
}
