package storetest

import (
	"context"
	"fmt"
	"time"

	"catalog/catalog"
)

func logPromises() []promise {
	return []promise{
		{"NewStoreHasAnEpoch", newEpoch},
		{"NamesEachChange", namesEachChange},
		{"AfterACursor", afterCursor},
		{"ForeignEpochIsTrimmed", foreignEpoch},
		{"BeyondTheTailIsTrimmed", beyondTail},
		{"Trim", trim},
		{"TrimAll", trimAll},
		{"TrimBeyondTheTail", trimBeyond},
		{"TrimLeavesRecords", trimLeavesRecords},
	}
}

func newEpoch(e *env) {
	a := e.tail()
	if a.Epoch == "" || a.Seq != 0 {
		e.Errorf("the tail of a new store is %v, want an epoch and Seq 0", a)
	}
	for _, c := range a.Epoch {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			e.Errorf("the epoch %q is not letters and digits alone", a.Epoch)
		}
	}
	if back, err := catalog.ParseCursor(a.String()); err != nil || back != a {
		e.Errorf("ParseCursor(%q) is %v, %v", a.String(), back, err)
	}
	b, err := e.open().Tail(e.ctx)
	e.ok(err)
	if a.Epoch == b.Epoch {
		e.Errorf("two stores have the epoch %q", a.Epoch)
	}
}

// namesEachChange also says that the two cursors before the first change, the
// zero one and that of a new store, are one place.
func namesEachChange(e *env) {
	start := e.tail()
	var want []catalog.Change
	step := func(w catalog.Write, op catalog.Op) {
		res := e.apply(w)[0]
		tail := e.tail()
		if op == 0 {
			return
		}
		seq := res.Seq
		if op == catalog.OpDelete {
			seq = tail.Seq
		}
		want = append(want, catalog.Change{Seq: seq, Kind: w.Kind, Op: op, Key: w.Key})
	}
	step(put(catalog.KindProduct, "a", `{"n":1}`), catalog.OpPut)
	step(put(catalog.KindProduct, "a", `{"n":1}`), 0)
	step(put(catalog.KindPrice, "a", `{"n":1}`), catalog.OpPut)
	step(put(catalog.KindStock, "é/ü", `{"n":1}`), catalog.OpPut)
	step(put(catalog.KindProduct, "a", `{"n":2}`), catalog.OpPut)
	step(del(catalog.KindProduct, "a"), catalog.OpDelete)
	step(del(catalog.KindProduct, "a"), 0)
	step(put(catalog.KindCategory, "Men\\/Women/Shoes", `{}`), catalog.OpPut)
	step(put(catalog.KindAttribute, "color", `{}`), catalog.OpPut)
	step(put(catalog.KindProduct, "a", `{"n":1}`), catalog.OpPut)
	equal(e, "changes", e.changes(catalog.Cursor{}), want)
	equal(e, "changes", e.changes(start), want)
	if got := e.tail(); got.Seq != want[len(want)-1].Seq {
		e.Errorf("the tail is %v, want Seq %d", got, want[len(want)-1].Seq)
	}
	e.ok(Check(e.ctx, e.s))
}

func afterCursor(e *env) {
	e.fill(300, 0)
	e.apply(put(catalog.KindProduct, "k000007", `{}`), del(catalog.KindProduct, "k000008"))
	all := e.changes(catalog.Cursor{})
	if len(all) != 302 {
		e.Fatalf("%d changes, want 302", len(all))
	}
	tail := e.tail()
	for i := 0; i < len(all); i += 43 {
		at := catalog.Cursor{Epoch: tail.Epoch, Seq: all[i].Seq}
		equal(e, fmt.Sprintf("changes after %v", at), e.changes(at), all[i+1:])
		if gap := at.Seq - 1; i > 0 && gap > all[i-1].Seq { // a Seq that is no change is a place as well
			at.Seq = gap
			equal(e, fmt.Sprintf("changes after %v", at), e.changes(at), all[i:])
		}
	}
	if got := e.changes(tail); len(got) != 0 {
		e.Errorf("changes after the tail: %v", got)
	}
}

// trimmed checks that Changes and Wait refuse a cursor.
func (e *env) trimmed(c catalog.Cursor) {
	e.Helper()
	n, err := drain(e.s.Changes(e.ctx, c))
	if n != 0 {
		e.Errorf("%d changes after %v before the error", n, c)
	}
	e.is(err, catalog.ErrTrimmed)
	ctx, cancel := context.WithTimeout(e.ctx, 5*time.Second)
	defer cancel()
	e.is(e.s.Wait(ctx, c), catalog.ErrTrimmed)
}

// foreignEpoch: a cursor of another epoch is refused, whatever its Seq.
func foreignEpoch(e *env) {
	other, err := e.open().Tail(e.ctx)
	e.ok(err)
	e.trimmed(other) // a new store's cursor of a new store
	e.fill(5, 0)
	for _, seq := range []catalog.Seq{0, 1, e.tail().Seq, 1 << 60} {
		e.trimmed(catalog.Cursor{Epoch: other.Epoch, Seq: seq})
	}
	e.trimmed(catalog.Cursor{Epoch: "", Seq: e.tail().Seq})
	e.trimmed(catalog.Cursor{Epoch: e.tail().Epoch + "x", Seq: e.tail().Seq})
}

// beyondTail: such a cursor is of a time before the store lost what a crash
// had not let it make durable. Whoever has it would miss what is written under
// the same Seqs again.
func beyondTail(e *env) {
	e.trimmed(catalog.Cursor{Epoch: e.tail().Epoch, Seq: 1})
	e.fill(5, 0)
	tail := e.tail()
	for _, beyond := range []catalog.Seq{1, 2, 1 << 60} {
		c := catalog.Cursor{Epoch: tail.Epoch, Seq: tail.Seq + beyond}
		e.trimmed(c)
		e.is(e.s.Follow(e.ctx, "ahead", c), catalog.ErrTrimmed)
	}
	if got := e.changes(tail); len(got) != 0 {
		e.Errorf("changes after the tail: %v", got)
	}
}

func trim(e *env) {
	e.fill(100, 0)
	all, epoch := e.changes(catalog.Cursor{}), e.tail().Epoch
	for _, at := range []int{0, 39, 39, 20, 79} {
		last, err := e.s.Trim(e.ctx, all[at].Seq)
		e.ok(err)
		if at == 20 {
			at = 39 // an earlier Trim had already dropped more
		} else if last != all[at].Seq && at != 39 {
			e.Errorf("Trim returns %d, want %d", last, all[at].Seq)
		}
		equal(e, "changes after the last one dropped", e.changes(catalog.Cursor{Epoch: epoch, Seq: all[at].Seq}), all[at+1:])
		e.trimmed(catalog.Cursor{})
		e.trimmed(catalog.Cursor{Epoch: epoch})
		if at > 0 {
			e.trimmed(catalog.Cursor{Epoch: epoch, Seq: all[at-1].Seq})
		}
		st, err := e.s.Stats(e.ctx)
		e.ok(err)
		if st.LogFirst != all[at+1].Seq || st.LogEntries != int64(len(all)-at-1) {
			e.Errorf("the log has %d entries from %d, want %d from %d", st.LogEntries, st.LogFirst, len(all)-at-1, all[at+1].Seq)
		}
	}
	if last, err := e.s.Trim(e.ctx, 0); err != nil || len(e.changes(e.tail())) != 0 {
		e.Errorf("Trim up to 0: %d, %v", last, err)
	}
}

// trimAll: an empty log still knows its tail.
func trimAll(e *env) {
	e.fill(10, 0)
	tail := e.tail()
	last, err := e.s.Trim(e.ctx, tail.Seq)
	e.ok(err)
	if last != tail.Seq {
		e.Errorf("Trim returns %d, want %d", last, tail.Seq)
	}
	if got := e.tail(); got != tail {
		e.Errorf("the tail is %v, want %v", got, tail)
	}
	if got := e.changes(tail); len(got) != 0 {
		e.Errorf("the log has %v", got)
	}
	st, err := e.s.Stats(e.ctx)
	e.ok(err)
	if st.LogFirst != 0 || st.LogEntries != 0 {
		e.Errorf("the log has %d entries from %d, want none", st.LogEntries, st.LogFirst)
	}
	e.trimmed(catalog.Cursor{})
	res := e.apply(put(catalog.KindProduct, "new", `{}`))[0]
	equal(e, "changes", e.changes(tail), []catalog.Change{{Seq: res.Seq, Kind: catalog.KindProduct, Op: catalog.OpPut, Key: "new"}})
}

func trimBeyond(e *env) {
	if last, err := e.s.Trim(e.ctx, 1<<50); err != nil || last != 0 {
		e.Errorf("Trim of an empty log: %d, %v", last, err)
	}
	if got := e.changes(catalog.Cursor{}); len(got) != 0 { // there was nothing to drop
		e.Errorf("the log has %v", got)
	}
	e.fill(10, 0)
	tail := e.tail()
	if last, err := e.s.Trim(e.ctx, 1<<50); err != nil || last != tail.Seq {
		e.Errorf("Trim: %d, %v; want %d", last, err, tail.Seq)
	}
	e.apply(put(catalog.KindProduct, "new", `{}`))
	if got := e.changes(tail); len(got) != 1 {
		e.Errorf("the log has %v, want the change after the trim", got)
	}
}

func trimLeavesRecords(e *env) {
	e.fill(10, 3)
	e.apply(putRefs("r", 1, urlKey("", "x")))
	before := e.dump(DumpOptions{Seqs: true, Refs: []catalog.Ref{urlKey("", "x")}})
	_, err := e.s.Trim(e.ctx, e.tail().Seq)
	e.ok(err)
	if after := e.dump(DumpOptions{Seqs: true, Refs: []catalog.Ref{urlKey("", "x")}}); after != before {
		e.Errorf("before:\n%safter:\n%s", before, after)
	}
	e.outcomes([]catalog.Write{put(catalog.KindProduct, "k000001", doc("k000001", 1))}, catalog.Unchanged)
}
