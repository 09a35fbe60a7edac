package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"catalog/catalog"
)

func ifPromises() []promise {
	return []promise{
		{"Holds", ifHolds},
		{"DoesNotHold", ifDoesNotHold},
		{"ZeroMeansAbsent", ifZero},
		{"OthersAreApplied", ifOthersApplied},
		{"WithinABatch", ifWithinBatch},
		{"CountersLoseNothing", ifCounters},
		{"OneOfManyCreates", ifOneCreates},
	}
}

// conflict applies writes of which those with the given indexes conflict.
func (e *env) conflict(writes []catalog.Write, failed ...int) []catalog.Result {
	e.Helper()
	res, err := e.s.Apply(e.ctx, writes)
	e.is(err, catalog.ErrConflict)
	if len(res) != len(writes) {
		e.Fatalf("%d results for %d writes", len(res), len(writes))
	}
	var got []int
	for i, r := range res {
		if r.Outcome == catalog.Conflict {
			got = append(got, i)
		}
	}
	equal(e, "conflicts", got, failed)
	if named := (*catalog.ApplyError)(nil); errors.As(err, &named) {
		equal(e, "writes the error names", named.Failed, failed)
	}
	return res
}

// when makes w conditional.
func when(seq catalog.Seq, w catalog.Write) catalog.Write {
	w.If = &seq
	return w
}

func ifHolds(e *env) {
	const k = catalog.KindProduct
	seq := e.outcomes([]catalog.Write{when(0, put(k, "a", `{"n":1}`))}, catalog.Created)[0].Seq
	e.outcomes([]catalog.Write{when(seq, put(k, "a", `{"n":1}`))}, catalog.Unchanged)
	seq = e.outcomes([]catalog.Write{when(seq, put(k, "a", `{"n":2}`))}, catalog.Updated)[0].Seq
	e.outcomes([]catalog.Write{when(seq, del(k, "a"))}, catalog.Deleted)
	e.outcomes([]catalog.Write{when(0, del(k, "a"))}, catalog.Absent)
}

func ifDoesNotHold(e *env) {
	const k = catalog.KindProduct
	old := e.apply(put(k, "a", `{"n":1}`))[0].Seq
	seq := e.apply(put(k, "a", `{"n":2}`))[0].Seq
	tail := e.tail()
	other := put(k, "a", `{"n":3}`)
	other.Source = "other"
	same := put(k, "a", `{"n":2}`)
	same.Source = "other"
	for name, w := range map[string]catalog.Write{
		"update": when(old, other), "update above": when(seq+1, other), "create": when(0, other),
		"unchanged": when(old, same), "delete": when(old, del(k, "a")),
	} {
		if res := e.conflict([]catalog.Write{w}, 0)[0]; res.Seq != seq {
			e.Errorf("%s: the result's Seq is %d, want %d as it is now", name, res.Seq, seq)
		}
	}
	if res := e.conflict([]catalog.Write{when(seq, put(k, "b", `{}`))}, 0)[0]; res.Seq != 0 {
		e.Errorf("the result's Seq is %d for a record that is not there", res.Seq)
	}
	if h := e.headsOf(k, "a")[0]; h.Seq != seq || h.Source != "feed" || e.body(k, "a") != `{"n":2}` {
		e.Errorf("a conflict wrote: %+v", h)
	}
	if got := e.changes(tail); len(got) != 0 {
		e.Errorf("conflicts are in the log: %v", got)
	}
}

// ifZero: the Seq of a deleted record is 0 again.
func ifZero(e *env) {
	const k = catalog.KindProduct
	e.outcomes([]catalog.Write{when(0, put(k, "a", `{}`))}, catalog.Created)
	e.conflict([]catalog.Write{when(0, put(k, "a", `{"n":2}`))}, 0)
	e.apply(del(k, "a"))
	e.outcomes([]catalog.Write{when(0, put(k, "a", `{"n":3}`))}, catalog.Created)
}

func ifOthersApplied(e *env) {
	const k = catalog.KindProduct
	e.apply(put(k, "a", `{"n":1}`), put(k, "b", `{"n":1}`), put(k, "c", `{"n":1}`))
	tail := e.tail()
	res := e.conflict([]catalog.Write{
		put(k, "d", `{"n":2}`),
		when(0, put(k, "a", `{"n":2}`)),
		put(k, "b", `{"n":2}`),
		when(tail.Seq+9, del(k, "c")),
		del(k, "c"),
		put(k, "b", `{"n":2}`),
	}, 1, 3)
	for i, want := range []catalog.Outcome{catalog.Created, catalog.Conflict, catalog.Updated, catalog.Conflict, catalog.Deleted, catalog.Unchanged} {
		if res[i].Outcome != want {
			e.Errorf("write %d: %v, want %v", i, res[i].Outcome, want)
		}
	}
	for key, want := range map[catalog.Key]string{"a": `{"n":1}`, "b": `{"n":2}`, "c": "", "d": `{"n":2}`} {
		if got := e.body(k, key); got != want {
			e.Errorf("%q has the body %q, want %q", key, got, want)
		}
	}
	if got := e.changes(tail); len(got) != 3 {
		e.Errorf("the log has %v, want three changes", got)
	}
}

func ifWithinBatch(e *env) {
	const k = catalog.KindProduct
	e.conflict([]catalog.Write{
		when(0, put(k, "a", `{"n":1}`)), when(0, put(k, "a", `{"n":2}`)),
		del(k, "a"), when(0, put(k, "a", `{"n":3}`)),
	}, 1)
	if got := e.body(k, "a"); got != `{"n":3}` {
		e.Errorf("the body is %q", got)
	}
}

// ifCounters: many goroutines count in one document by compare-and-set.
func ifCounters(e *env) {
	const writers = 8
	times := e.few(24)
	errs := together(writers, func(int) error {
		for range times {
			if err := increment(e.ctx, e.s, "counter"); err != nil {
				return err
			}
		}
		return nil
	})
	e.ok(errs)
	if got, want := e.body(catalog.KindProduct, "counter"), doc("counter", writers*times); got != want {
		e.Errorf("the counter is %s, want %s", got, want)
	}
	if got := e.changes(catalog.Cursor{}); len(got) != writers*times {
		e.Errorf("the log has %d changes, want %d", len(got), writers*times)
	}
}

// increment adds 1 to a counter, however often others come first.
func increment(ctx context.Context, s catalog.Store, key catalog.Key) error {
	for {
		recs, err := s.Get(ctx, catalog.KindProduct, key)
		if err != nil {
			return err
		}
		n := 0
		if recs[0].Exists() {
			if _, err := fmt.Sscanf(string(recs[0].Body), `{"sku":"counter","n":%d}`, &n); err != nil {
				return fmt.Errorf("%s: %w", recs[0].Body, err)
			}
		}
		_, err = s.Apply(ctx, []catalog.Write{when(recs[0].Seq, put(catalog.KindProduct, key, doc(key, n+1)))})
		if !errors.Is(err, catalog.ErrConflict) {
			return err
		}
	}
}

func ifOneCreates(e *env) {
	const writers, rounds = 8, 10
	for round := range rounds {
		key := catalog.Key(fmt.Sprintf("k%d", round))
		outcomes := make([]catalog.Outcome, writers)
		e.ok(together(writers, func(i int) error {
			res, err := e.s.Apply(e.ctx, []catalog.Write{when(0, put(catalog.KindProduct, key, doc(key, i)))})
			if err != nil && !errors.Is(err, catalog.ErrConflict) {
				return err
			}
			outcomes[i] = res[0].Outcome
			return nil
		}))
		created := -1
		for i, o := range outcomes {
			switch {
			case o == catalog.Created && created < 0:
				created = i
			case o != catalog.Conflict:
				e.Fatalf("the outcomes are %v, want one created and conflicts", outcomes)
			}
		}
		if created < 0 || e.body(catalog.KindProduct, key) != doc(key, created) {
			e.Fatalf("the outcomes are %v, the body is %s", outcomes, e.body(catalog.KindProduct, key))
		}
	}
}

// together runs f(0) to f(n-1) at once and waits for all.
func together(n int, f func(i int) error) error {
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
