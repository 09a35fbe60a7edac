package storetest

import (
	"context"
	"fmt"
	"time"

	"catalog/catalog"
)

func batchPromises() []promise {
	return []promise{
		{"OneKeyInTheOrderGiven", oneKeyInOrder},
		{"ManyWritesOfMixedKinds", manyWrites},
		{"ManyBytes", manyBytes},
		{"OneKeyManyTimes", oneKeyManyTimes},
		{"LoadsThatOverlap", loadsThatOverlap},
		{"ManySourcesMove", manySourcesMove},
		{"CancelledIsHarmless", cancelledApply},
	}
}

func oneKeyInOrder(e *env) {
	const k = catalog.KindProduct
	res := e.outcomes([]catalog.Write{
		del(k, "a"), put(k, "a", `{"n":1}`), put(k, "b", `{"n":1}`), put(k, "a", `{"n":2}`), put(k, "a", `{"n":2}`),
		del(k, "a"), del(k, "a"), put(k, "a", `{"n":3}`), put(catalog.KindPrice, "a", `{"n":4}`), del(k, "b"),
	}, catalog.Absent, catalog.Created, catalog.Created, catalog.Updated, catalog.Unchanged,
		catalog.Deleted, catalog.Absent, catalog.Created, catalog.Created, catalog.Deleted)
	if got := e.body(k, "a"); got != `{"n":3}` {
		e.Errorf("the body is %q", got)
	}
	if h := e.headsOf(k, "a")[0]; h.Seq != res[7].Seq {
		e.Errorf("the head's Seq is %d, the last result's %d", h.Seq, res[7].Seq)
	}
	equal(e, "heads", keysOf(e.heads(k, catalog.All)), []catalog.Key{"a"})
	e.ok(Check(e.ctx, e.s))
	last := map[catalog.Key]catalog.Change{}
	for _, c := range e.changes(catalog.Cursor{}) {
		if c.Kind == k {
			last[c.Key] = c
		}
	}
	if a, b := last["a"], last["b"]; a.Op != catalog.OpPut || a.Seq != res[7].Seq || b.Op != catalog.OpDelete {
		e.Errorf("the last changes are %+v", last)
	}
}

// manyWrites loads one large batch, which stores may take by another road than
// small ones, and works on it with more of them.
func manyWrites(e *env) {
	n := 10_000 // of each kind
	if e.h.Slow {
		n = 400 // with five kinds still more than stores write in one go
	}
	batch := func(body func(i int) string) []catalog.Write {
		var out []catalog.Write
		for i := range n {
			key := catalog.Key(fmt.Sprintf("SKU-%07d", (i*7919)%n))
			for _, k := range catalog.Kinds() {
				w := put(k, key, body((i*7919)%n))
				if body((i*7919)%n) == "" {
					w = del(k, key)
				}
				if k == catalog.KindProduct && w.Body != nil {
					w.Refs = []catalog.Ref{urlKey("", string(w.Body))}
				}
				out = append(out, w)
			}
		}
		return out
	}
	first := batch(func(i int) string { return fmt.Sprintf(`{"n":%d,"v":1}`, i) })
	e.all(first, func(int) catalog.Outcome { return catalog.Created })
	before := e.tail()
	e.all(first, func(int) catalog.Outcome { return catalog.Unchanged })
	if got := e.tail(); got != before {
		e.Errorf("the tail went from %v to %v", before, got)
	}

	// A third each: changed, deleted, unchanged.
	second := batch(func(i int) string {
		return [...]string{fmt.Sprintf(`{"n":%d,"v":2}`, i), "", fmt.Sprintf(`{"n":%d,"v":1}`, i)}[i%3]
	})
	index := func(w int) int { return ((w / len(catalog.Kinds())) * 7919) % n }
	e.all(second, func(w int) catalog.Outcome {
		return [...]catalog.Outcome{catalog.Updated, catalog.Deleted, catalog.Unchanged}[index(w)%3]
	})
	for _, k := range catalog.Kinds() {
		recs := e.scan(k, catalog.All)
		if want := n - n/3; len(recs) != want {
			e.Fatalf("%d of %v, want %d", len(recs), k, want)
		}
		at := 0
		for i := range n {
			if i%3 == 1 {
				continue
			}
			want := fmt.Sprintf(`{"n":%d,"v":%d}`, i, 2-i%3/2)
			if r := recs[at]; r.Key != catalog.Key(fmt.Sprintf("SKU-%07d", i)) || string(r.Body) != want {
				e.Fatalf("record %d of %v is %q %s, want %s", at, k, r.Key, r.Body, want)
			}
			at++
		}
	}
	for i := 0; i < n; i += min(500, n/20) {
		v1, v2 := urlKey("", fmt.Sprintf(`{"n":%d,"v":1}`, i)), urlKey("", fmt.Sprintf(`{"n":%d,"v":2}`, i))
		key := catalog.Key(fmt.Sprintf("SKU-%07d", i))
		switch i % 3 {
		case 0:
			e.found(v1)
			e.found(v2, key)
		case 1:
			e.found(v1)
		case 2:
			e.found(v1, key)
		}
	}
	if got, want := len(e.changes(before)), len(catalog.Kinds())*(n-n/3); got != want {
		e.Errorf("the log has %d changes more, want %d", got, want)
	}
	e.ok(Check(e.ctx, e.s))
}

// all applies writes and checks the outcome of each.
func (e *env) all(writes []catalog.Write, want func(i int) catalog.Outcome) {
	e.Helper()
	for i, r := range e.apply(writes...) {
		if r.Outcome != want(i) {
			e.Fatalf("write %d of %v %q: %v, want %v", i, writes[i].Kind, writes[i].Key, r.Outcome, want(i))
		}
	}
}

func manyBytes(e *env) {
	n := e.few(48)
	var writes []catalog.Write
	for i := range n {
		key := catalog.Key(fmt.Sprintf("k%d", i))
		writes = append(writes, put(catalog.KindProduct, key, fmt.Sprintf(`{"n":%d,"x":%s}`, i, largest(1<<20))))
	}
	e.all(writes, func(int) catalog.Outcome { return catalog.Created })
	e.all(writes, func(int) catalog.Outcome { return catalog.Unchanged })
	for _, w := range writes {
		if e.body(catalog.KindProduct, w.Key) != string(w.Body) {
			e.Fatalf("%q has another body", w.Key)
		}
	}
}

// oneKeyManyTimes: the same key again and again in one large batch.
func oneKeyManyTimes(e *env) {
	n := e.few(5000)
	var writes []catalog.Write
	for i := range n {
		key := catalog.Key(fmt.Sprintf("k%d", i%7))
		w := putRefs(key, i, urlKey("", fmt.Sprint(i)))
		if i%11 == 0 {
			w = del(catalog.KindProduct, key)
		}
		writes = append(writes, w)
	}
	res := e.apply(writes...)
	for i := n - 7; i < n; i++ {
		h, w := e.headsOf(catalog.KindProduct, writes[i].Key)[0], writes[i]
		if w.Body == nil && h.Exists() || w.Body != nil && (h.Seq != res[i].Seq || h.Hash != catalog.HashOf(w.Body)) {
			e.Errorf("%q: the head is %+v, the last write came to %+v", w.Key, h, res[i])
		}
		if w.Body != nil {
			e.found(w.Refs[0], w.Key)
		}
		e.found(urlKey("", fmt.Sprint(i-7)))
	}
	e.ok(Check(e.ctx, e.s))
}

// loadsThatOverlap: large batches in the order of their keys, as an import of
// a sorted feed makes them, whose ranges lie inside one another.
func loadsThatOverlap(e *env) {
	n := e.few(9000)
	load := func(from, step, v int, want catalog.Outcome) {
		e.Helper()
		var writes []catalog.Write
		for i := from; i < n; i += step {
			key := catalog.Key(fmt.Sprintf("k%06d", i))
			writes = append(writes, putRefs(key, v, urlKey("", fmt.Sprint(v))))
		}
		e.all(writes, func(int) catalog.Outcome { return want })
	}
	load(0, 3, 1, catalog.Created)
	load(1, 3, 1, catalog.Created)
	load(0, 3, 1, catalog.Unchanged)
	load(2, 3, 1, catalog.Created)
	load(0, 2, 2, catalog.Updated)
	load(0, 2, 2, catalog.Unchanged)
	recs := e.scan(catalog.KindProduct, catalog.All)
	if len(recs) != n {
		e.Fatalf("%d records, want %d", len(recs), n)
	}
	for i, r := range recs {
		if want := doc(r.Key, 2-i%2); r.Key != catalog.Key(fmt.Sprintf("k%06d", i)) || string(r.Body) != want {
			e.Fatalf("record %d is %q %s, want %s", i, r.Key, r.Body, want)
		}
	}
	for v := 1; v <= 2; v++ {
		if got := e.lookup(urlKey("", fmt.Sprint(v))); len(got) != n/2 {
			e.Errorf("%d keys with the ref %d, want %d", len(got), v, n/2)
		}
	}
	e.ok(Check(e.ctx, e.s))
}

// manySourcesMove: a feed is taken over by another source.
func manySourcesMove(e *env) {
	n := e.few(4000)
	e.fill(n, 0)
	tail := e.tail()
	var writes []catalog.Write
	for i := range n {
		key := catalog.Key(fmt.Sprintf("k%06d", i))
		w := put(catalog.KindProduct, key, doc(key, i))
		if i%4 != 0 {
			w.Source = "other"
		}
		writes = append(writes, w)
	}
	e.all(writes, func(int) catalog.Outcome { return catalog.Unchanged })
	for i, h := range e.heads(catalog.KindProduct, catalog.All) {
		if h.Source != writes[i].Source {
			e.Fatalf("%q belongs to %q, want %q", h.Key, h.Source, writes[i].Source)
		}
	}
	if got := e.tail(); got != tail {
		e.Errorf("the tail went from %v to %v", tail, got)
	}
	e.ok(Check(e.ctx, e.s))
}

// cancelledApply: whatever part of a batch was written when it was cancelled,
// the store is at one with itself, and the batch can be applied again.
func cancelledApply(e *env) {
	for round := range 5 {
		var writes []catalog.Write
		for i := range e.few(4000) {
			key := catalog.Key(fmt.Sprintf("k%06d", i*(round+1)))
			writes = append(writes, putRefs(key, round, urlKey("", fmt.Sprint(round))))
		}
		ctx, cancel := context.WithTimeout(e.ctx, time.Duration(round)*3*time.Millisecond)
		_, err := e.s.Apply(ctx, writes)
		cancel()
		if err != nil {
			e.is(err, context.DeadlineExceeded)
		}
		e.ok(Check(e.ctx, e.s))
		e.apply(writes...)
		e.all(writes, func(int) catalog.Outcome { return catalog.Unchanged })
		if got := e.lookup(urlKey("", fmt.Sprint(round))); len(got) != len(writes) {
			e.Errorf("the ref finds %d keys, want %d", len(got), len(writes))
		}
	}
	e.ok(Check(e.ctx, e.s))
}
