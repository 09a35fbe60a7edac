package storetest

import (
	"fmt"
	"time"

	"catalog/catalog"
)

func reopenPromises() []promise {
	return []promise{
		{"KeepsEverything", reopenKeeps},
		{"KeepsTheTrim", reopenTrimmed},
		{"EmptyStoreKeepsItsEpoch", reopenEmpty},
		{"Leases", reopenLeases},
		{"ManyTimes", reopenManyTimes},
		{"LargeBatch", reopenLarge},
	}
}

// state is all that a store tells about itself, for comparison.
func (e *env) state(refs ...catalog.Ref) string {
	e.Helper()
	out := e.dump(DumpOptions{Seqs: true, Log: true, Metas: true, Refs: refs})
	for _, f := range e.followers() {
		out += fmt.Sprintf("follower %q at %v moved %v behind %d\n", f.Name, f.At, f.Moved.UTC().Truncate(time.Millisecond), f.Behind)
	}
	leases, err := e.s.Leases(e.ctx)
	e.ok(err)
	for _, l := range leases {
		if e.h.EndsLeases {
			continue
		}
		out += fmt.Sprintf("lease %+v of %q since %v until %v\n", l.Fence, l.Holder,
			l.Since.UTC().Truncate(time.Millisecond), l.Expires.UTC().Truncate(time.Millisecond))
	}
	st, err := e.s.Stats(e.ctx)
	e.ok(err)
	return out + fmt.Sprintf("tail %v, log of %d from %d, %v, %v\n", e.tail(), st.LogEntries, st.LogFirst, st.Records, st.Sources)
}

func reopenKeeps(e *env) {
	e.fill(200, 5)
	refs := []catalog.Ref{urlKey("", "x"), urlKey("de", "y\x00z"), urlKey("", "gone"), {Type: catalog.RefVariant, Value: "v"}}
	e.apply(
		putRefs("r1", 1, refs[0], refs[1]), putRefs("r2", 1, refs[0], refs[3]), putRefs("r3", 1, refs[2]),
		put(catalog.KindCategory, "Men/Shoes", `{}`), put(catalog.KindAttribute, "é", `{}`), put(catalog.KindStock, "r1", `{}`),
		del(catalog.KindProduct, "k000007"), put(catalog.KindProduct, "k000008", `{}`),
	)
	moved := put(catalog.KindProduct, "k000009", doc("k000009", 9))
	moved.Source = "other"
	e.outcomes([]catalog.Write{moved, del(catalog.KindProduct, "r3")}, catalog.Unchanged, catalog.Deleted)
	e.ok(e.s.Follow(e.ctx, "search", e.tail()))
	e.ok(e.s.Follow(e.ctx, "start", catalog.Cursor{Epoch: e.tail().Epoch}))
	e.ok(e.s.SetMeta(e.ctx, "meta/000001", nil))
	e.acquire("import", "a", time.Hour)

	before := e.state(refs...)
	e.reopen()
	if after := e.state(refs...); after != before {
		e.Fatalf("before:\n%s\nafter:\n%s", before, after)
	}
	e.ok(Check(e.ctx, e.s))

	tail := e.tail()
	e.outcomes([]catalog.Write{moved}, catalog.Unchanged)
	res := e.outcomes([]catalog.Write{putRefs("r1", 2, refs[2])}, catalog.Updated)[0]
	if res.Seq <= tail.Seq {
		e.Errorf("Seq %d comes after %d", res.Seq, tail.Seq)
	}
	if got := e.changes(tail); len(got) != 1 || got[0].Key != "r1" {
		e.Errorf("the changes after the old tail are %v", got)
	}
	e.found(refs[0], "r2")
	e.found(refs[2], "r1")
}

// reopenTrimmed: an emptied log, records and all, starts no new numbers.
func reopenTrimmed(e *env) {
	e.apply(put(catalog.KindProduct, "a", `{}`), put(catalog.KindProduct, "b", `{}`))
	e.apply(del(catalog.KindProduct, "a"), del(catalog.KindProduct, "b"))
	tail := e.tail()
	_, err := e.s.Trim(e.ctx, tail.Seq)
	e.ok(err)
	for range 2 {
		e.reopen()
		if got := e.tail(); got != tail {
			e.Errorf("the tail went from %v to %v", tail, got)
		}
		e.trimmed(catalog.Cursor{})
		e.trimmed(catalog.Cursor{Epoch: tail.Epoch, Seq: tail.Seq - 1})
		if got := e.changes(tail); len(got) != 0 {
			e.Errorf("the log has %v", got)
		}
	}
	if res := e.apply(put(catalog.KindProduct, "a", `{}`))[0]; res.Seq <= tail.Seq {
		e.Errorf("Seq %d comes after %d", res.Seq, tail.Seq)
	}
	if got := e.changes(tail); len(got) != 1 {
		e.Errorf("the changes after the old tail are %v", got)
	}
}

func reopenEmpty(e *env) {
	before := e.tail()
	e.reopen()
	if got := e.tail(); got != before {
		e.Errorf("the tail went from %v to %v", before, got)
	}
	newStoreIsEmpty(e)
}

// reopenLeases: a lease belongs to its holder, not to the handle it was taken
// through, unless that handle is all there is to a store; and tokens never
// start again.
func reopenLeases(e *env) {
	if e.h.EndsLeases {
		reopenEndsLeases(e)
		return
	}
	a, b := e.acquire("import", "a", time.Hour), e.acquire("sync", "b", time.Hour)
	e.ok(e.s.Release(e.ctx, b.Fence))
	e.reopen()
	_, err := e.s.Acquire(e.ctx, "import", "c", time.Hour)
	e.is(err, catalog.ErrLeased)
	e.ok(e.s.Renew(e.ctx, a.Fence, time.Hour))
	e.fenced(a.Fence, nil)
	e.fenced(b.Fence, catalog.ErrFenced)
	if c := e.acquire("sync", "c", time.Hour); c.Token <= b.Token {
		e.Errorf("the token %d comes after %d", c.Token, b.Token)
	}
	e.fenced(b.Fence, catalog.ErrFenced)
	e.ok(e.s.Release(e.ctx, a.Fence))
	e.reopen()
	if c := e.acquire("import", "c", time.Hour); c.Token <= a.Token {
		e.Errorf("the token %d comes after %d", c.Token, a.Token)
	}
}

func reopenEndsLeases(e *env) {
	a := e.acquire("import", "a", time.Hour)
	e.reopen()
	if held, err := e.s.Leases(e.ctx); err != nil || len(held) > 0 {
		e.Errorf("leases: %v, %v", held, err)
	}
	e.is(e.s.Renew(e.ctx, a.Fence, time.Hour), catalog.ErrFenced)
	e.is(e.s.Release(e.ctx, a.Fence), catalog.ErrFenced)
	e.fenced(a.Fence, catalog.ErrFenced)
	c := e.acquire("import", "c", time.Hour)
	if c.Token <= a.Token {
		e.Errorf("the token %d comes after %d", c.Token, a.Token)
	}
	e.fenced(a.Fence, catalog.ErrFenced)
	e.fenced(c.Fence, nil)
}

func reopenManyTimes(e *env) {
	for i := range 6 {
		key := catalog.Key(fmt.Sprintf("k%d", i))
		e.apply(putRefs(key, i, urlKey("", "same")), put(catalog.KindProduct, "same", doc("same", i)))
		e.reopen()
		if got := e.changes(catalog.Cursor{}); len(got) != 2*(i+1) {
			e.Fatalf("%d changes after %d batches of two", len(got), i+1)
		}
		if got := e.body(catalog.KindProduct, "same"); got != doc("same", i) {
			e.Fatalf("the body is %s, want %s", got, doc("same", i))
		}
		if got := e.lookup(urlKey("", "same")); len(got) != i+1 {
			e.Fatalf("the ref finds %v", got)
		}
	}
	e.ok(Check(e.ctx, e.s))
}

// reopenLarge: what is loaded in bulk is as durable as what is written singly.
func reopenLarge(e *env) {
	n := e.few(20_000)
	e.fill(n, 0)
	tail := e.tail()
	e.reopen()
	if got := e.tail(); got != tail {
		e.Errorf("the tail went from %v to %v", tail, got)
	}
	if got := len(e.changes(catalog.Cursor{})); got != n {
		e.Errorf("the log has %d changes", got)
	}
	if got := len(e.scan(catalog.KindProduct, catalog.All)); got != n {
		e.Errorf("%d records", got)
	}
	e.ok(Check(e.ctx, e.s))
}
