package storetest

import (
	"strings"

	"catalog/catalog"
)

func recordPromises() []promise {
	return []promise{
		{"NewStoreIsEmpty", newStoreIsEmpty},
		{"GetInTheOrderAsked", getInOrder},
		{"HeadsOfInTheOrderAsked", headsOfInOrder},
		{"NoKeysNoRecords", noKeys},
		{"KeysThatCannotBeAreAbsent", oddKeysAbsent},
		{"OutcomesOfOneRecord", outcomesOfOne},
		{"HeadDescribesTheBody", headDescribes},
		{"GivenHashIsKept", givenHash},
		{"UnchangedWritesNothing", unchangedWritesNothing},
		{"UnchangedMovesTheSource", unchangedMovesSource},
		{"ChangedMovesTheSource", changedMovesSource},
		{"DeletedIsGone", deletedIsGone},
		{"RecreatedAfterDelete", recreated},
		{"KindsDoNotMix", kindsDoNotMix},
		{"BodiesSurviveByteByByte", bodiesSurvive},
		{"AppliedIsVisible", appliedIsVisible},
	}
}

func newStoreIsEmpty(e *env) {
	for _, k := range catalog.Kinds() {
		if got := e.heads(k, catalog.All); len(got) != 0 {
			e.Errorf("%v has heads: %v", k, got)
		}
		if got := e.scan(k, catalog.All); len(got) != 0 {
			e.Errorf("%v has records: %v", k, got)
		}
	}
	if got := e.changes(catalog.Cursor{}); len(got) != 0 {
		e.Errorf("there are changes: %v", got)
	}
	if got := e.lookup(catalog.Ref{Type: catalog.RefURLKey, Value: "x"}); len(got) != 0 {
		e.Errorf("there are refs: %v", got)
	}
}

func getInOrder(e *env) {
	for _, k := range []catalog.Key{"a", "b", "c"} {
		e.apply(put(catalog.KindProduct, k, doc(k, 1)))
	}
	asked := []catalog.Key{"c", "nope", "a", "c"}
	for i, r := range e.get(catalog.KindProduct, asked...) {
		if asked[i] == "nope" {
			if r.Exists() || r.Key != "" || r.Body != nil {
				e.Errorf("a missing record is %+v, want a zero Record", r)
			}
			continue
		}
		if r.Key != asked[i] || string(r.Body) != doc(asked[i], 1) {
			e.Errorf("record %d is %q %s, want %q", i, r.Key, r.Body, asked[i])
		}
	}
}

func headsOfInOrder(e *env) {
	for _, k := range []catalog.Key{"a", "b", "c"} {
		e.apply(put(catalog.KindStock, k, doc(k, 1)))
	}
	asked := []catalog.Key{"c", "nope", "a", "c"}
	recs := e.get(catalog.KindStock, asked...)
	equal(e, "heads", e.headsOf(catalog.KindStock, asked...), headsIn(recs))
	if h := e.headsOf(catalog.KindStock, "nope")[0]; h != (catalog.Head{}) {
		e.Errorf("a missing head is %+v, want a zero Head", h)
	}
}

func noKeys(e *env) {
	e.apply(put(catalog.KindProduct, "a", `{}`))
	e.get(catalog.KindProduct)
	e.headsOf(catalog.KindProduct)
	tail := e.tail()
	e.apply()
	if got := e.tail(); got != tail {
		e.Errorf("an empty Apply moved the tail from %v to %v", tail, got)
	}
}

// oddKeysAbsent asks for keys that CheckKey would refuse: nobody can have
// written them, and reading them is no error.
func oddKeysAbsent(e *env) {
	e.apply(put(catalog.KindProduct, "a", `{}`))
	odd := []catalog.Key{"", " ", "\x00", "a\x00", "a\xff", "\xff\xff\xff", catalog.Key(strings.Repeat("a", 70_000))}
	for i, r := range e.get(catalog.KindProduct, odd...) {
		if r.Exists() {
			e.Errorf("there is a record of %.20q", odd[i])
		}
	}
	for i, h := range e.headsOf(catalog.KindProduct, odd...) {
		if h.Exists() {
			e.Errorf("there is a head of %.20q", odd[i])
		}
	}
}

func outcomesOfOne(e *env) {
	const k = catalog.KindProduct
	var last catalog.Seq
	for i, step := range []struct {
		write catalog.Write
		want  catalog.Outcome
		body  string
	}{
		{del(k, "a"), catalog.Absent, ""},
		{put(k, "a", `{"n":1}`), catalog.Created, `{"n":1}`},
		{put(k, "a", `{"n":1}`), catalog.Unchanged, `{"n":1}`},
		{put(k, "a", `{"n":2}`), catalog.Updated, `{"n":2}`},
		{put(k, "a", `{"n":1}`), catalog.Updated, `{"n":1}`},
		{del(k, "a"), catalog.Deleted, ""},
		{del(k, "a"), catalog.Absent, ""},
		{put(k, "a", `{"n":1}`), catalog.Created, `{"n":1}`},
	} {
		res := e.outcomes([]catalog.Write{step.write}, step.want)[0]
		head := e.headsOf(k, "a")[0]
		if res.Seq != head.Seq {
			e.Errorf("step %d: the result's Seq is %d, the head's %d", i, res.Seq, head.Seq)
		}
		if got := e.body(k, "a"); got != step.body || head.Exists() != (step.body != "") {
			e.Errorf("step %d: the body is %q (exists: %v), want %q", i, got, head.Exists(), step.body)
		}
		switch step.want {
		case catalog.Created, catalog.Updated:
			if res.Seq <= last {
				e.Errorf("step %d: Seq %d does not grow from %d", i, res.Seq, last)
			}
			last = res.Seq
		case catalog.Unchanged:
			if res.Seq != last {
				e.Errorf("step %d: Seq is %d, want %d as before", i, res.Seq, last)
			}
		default:
			if res.Seq != 0 {
				e.Errorf("step %d: Seq is %d for a record that is not there", i, res.Seq)
			}
		}
	}
}

func headDescribes(e *env) {
	res := e.apply(put(catalog.KindCategory, "Men/Shoes", `{"name":"Shoes"}`))[0]
	want := catalog.Head{
		Kind: catalog.KindCategory, Key: "Men/Shoes", Seq: res.Seq, Source: "feed",
		Hash: catalog.HashOf([]byte(`{"name":"Shoes"}`)),
	}
	equal(e, "HeadsOf", e.headsOf(catalog.KindCategory, "Men/Shoes"), []catalog.Head{want})
	equal(e, "Heads", e.heads(catalog.KindCategory, catalog.All), []catalog.Head{want})
	equal(e, "Get", headsIn(e.get(catalog.KindCategory, "Men/Shoes")), []catalog.Head{want})
	equal(e, "Scan", headsIn(e.scan(catalog.KindCategory, catalog.All)), []catalog.Head{want})
}

func givenHash(e *env) {
	w := put(catalog.KindProduct, "a", `{"n":1}`)
	w.Hash = catalog.HashOf(w.Body)
	e.outcomes([]catalog.Write{w}, catalog.Created)
	if h := e.headsOf(catalog.KindProduct, "a")[0]; h.Hash != w.Hash {
		e.Errorf("the hash is %v, want %v", h.Hash, w.Hash)
	}
	// With or without a given hash, the same body is the same.
	e.outcomes([]catalog.Write{put(catalog.KindProduct, "a", `{"n":1}`)}, catalog.Unchanged)
}

func unchangedWritesNothing(e *env) {
	w := put(catalog.KindProduct, "a", `{"n":1}`)
	first := e.apply(w)[0]
	tail := e.tail()
	second := e.outcomes([]catalog.Write{w, w}, catalog.Unchanged, catalog.Unchanged)
	if second[0].Seq != first.Seq {
		e.Errorf("Seq went from %d to %d", first.Seq, second[0].Seq)
	}
	if got := e.changes(tail); len(got) != 0 {
		e.Errorf("unchanged records are in the log: %v", got)
	}
	if got := e.tail(); got != tail {
		e.Errorf("the tail went from %v to %v", tail, got)
	}
}

func unchangedMovesSource(e *env) {
	w := put(catalog.KindProduct, "a", `{"n":1}`)
	w.Source = "one"
	e.apply(w)
	before, tail := e.headsOf(catalog.KindProduct, "a")[0], e.tail()
	w.Source = "two"
	e.outcomes([]catalog.Write{w}, catalog.Unchanged)

	want := before
	want.Source = "two"
	equal(e, "HeadsOf", e.headsOf(catalog.KindProduct, "a"), []catalog.Head{want})
	equal(e, "Heads", e.heads(catalog.KindProduct, catalog.All), []catalog.Head{want})
	equal(e, "Get", headsIn(e.get(catalog.KindProduct, "a")), []catalog.Head{want})
	equal(e, "Scan", headsIn(e.scan(catalog.KindProduct, catalog.All)), []catalog.Head{want})
	if got := e.changes(tail); len(got) != 0 {
		e.Errorf("a move to another source is in the log: %v", got)
	}
	if got := e.body(catalog.KindProduct, "a"); got != `{"n":1}` {
		e.Errorf("the body is %q", got)
	}
}

func changedMovesSource(e *env) {
	w := put(catalog.KindProduct, "a", `{"n":1}`)
	e.apply(w)
	w.Source, w.Body = "other", []byte(`{"n":2}`)
	e.apply(w)
	if h := e.headsOf(catalog.KindProduct, "a")[0]; h.Source != "other" {
		e.Errorf("the source is %q, want %q", h.Source, "other")
	}
}

func deletedIsGone(e *env) {
	const k = catalog.KindProduct
	e.apply(put(k, "a", `{}`), put(k, "b", `{}`), put(k, "c", `{}`))
	e.outcomes([]catalog.Write{del(k, "b")}, catalog.Deleted)
	if e.get(k, "b")[0].Exists() || e.headsOf(k, "b")[0].Exists() {
		e.Error("the record is still there")
	}
	want := []catalog.Key{"a", "c"}
	equal(e, "Heads", keysOf(e.heads(k, catalog.All)), want)
	equal(e, "Scan", keysOf(headsIn(e.scan(k, catalog.All))), want)
}

// recreated: a tombstone, or a hash that stayed behind, must not make the same
// body look unchanged.
func recreated(e *env) {
	w := put(catalog.KindProduct, "a", `{"n":1}`)
	first := e.apply(w)[0]
	e.apply(del(catalog.KindProduct, "a"))
	tail := e.tail()
	again := e.outcomes([]catalog.Write{w}, catalog.Created)[0]
	if again.Seq <= first.Seq || again.Seq <= tail.Seq {
		e.Errorf("Seq is %d, want more than %d", again.Seq, tail.Seq)
	}
	if got := e.body(catalog.KindProduct, "a"); got != `{"n":1}` {
		e.Errorf("the body is %q", got)
	}
}

func kindsDoNotMix(e *env) {
	for i, k := range catalog.Kinds() {
		e.outcomes([]catalog.Write{put(k, "same", doc("same", i))}, catalog.Created)
	}
	for i, k := range catalog.Kinds() {
		if got := e.body(k, "same"); got != doc("same", i) {
			e.Errorf("%v: the body is %q", k, got)
		}
		recs := e.scan(k, catalog.All)
		if len(recs) != 1 || recs[0].Kind != k || string(recs[0].Body) != doc("same", i) {
			e.Errorf("%v: scan yields %+v", k, recs)
		}
		equal(e, k.String()+" heads", e.heads(k, catalog.All), headsIn(recs))
	}
	e.outcomes([]catalog.Write{del(catalog.KindPrice, "same")}, catalog.Deleted)
	for _, k := range catalog.Kinds() {
		if got := e.headsOf(k, "same")[0].Exists(); got != (k != catalog.KindPrice) {
			e.Errorf("%v exists: %v after the price was deleted", k, got)
		}
	}
}

// bodiesSurvive: a store keeps bytes, it does not know what they mean.
func bodiesSurvive(e *env) {
	bodies := map[catalog.Key]string{
		"numbers": `{"a":1.10,"b":1e400,"c":-0,"d":12345678901234567890.000}`,
		"order":   `{"z":1,"a":2,"10":3,"9":4}`,
		"text":    `{"a":"é e\u0301 \u0000 \ud83d\ude00 😀 <&>\/"}`,
		"mongo":   `{"$set":1,"a.b":2,"":3,"_id":4}`,
		"deep":    strings.Repeat(`{"a":`, 63) + `1` + strings.Repeat(`}`, 63),
		"small":   `{}`,
		"long":    `{"a":"` + strings.Repeat("x", 300_000) + `"}`,
	}
	for k, b := range bodies {
		e.apply(put(catalog.KindProduct, k, b))
	}
	for k, b := range bodies {
		if got := e.body(catalog.KindProduct, k); got != b {
			e.Errorf("%s: got %.200s\nwant %.200s", k, got, b)
		}
	}
	for _, r := range e.scan(catalog.KindProduct, catalog.All) {
		if string(r.Body) != bodies[r.Key] {
			e.Errorf("scan of %s: got %.200s\nwant %.200s", r.Key, r.Body, bodies[r.Key])
		}
	}
}

func appliedIsVisible(e *env) {
	for i := range 50 {
		key := catalog.Key(strings.Repeat("k", i+1))
		res := e.apply(put(catalog.KindProduct, key, doc(key, i)))[0]
		if tail := e.tail(); tail.Seq < res.Seq {
			e.Fatalf("the tail is %d after %d was acknowledged", tail.Seq, res.Seq)
		}
		if got := e.body(catalog.KindProduct, key); got != doc(key, i) {
			e.Fatalf("the body is %q right after Apply", got)
		}
		if got := e.heads(catalog.KindProduct, catalog.All); len(got) != i+1 {
			e.Fatalf("%d heads after %d records", len(got), i+1)
		}
	}
}
