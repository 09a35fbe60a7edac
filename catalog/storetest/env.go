package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"catalog/catalog"
)

// env is what a subtest works with: a store of its own, and calls that end the
// test when the store returns an error.
type env struct {
	*testing.T
	ctx context.Context
	h   Harness
	s   catalog.Store
}

// open opens one more store.
func (e *env) open() catalog.Store {
	e.Helper()
	s := e.h.Open(e.T)
	e.Cleanup(func() { s.Close() }) // most tests are not about Close
	return s
}

// reopen closes the store and opens it again.
func (e *env) reopen() {
	e.Helper()
	s := e.h.Reopen(e.T, e.s)
	e.Cleanup(func() { s.Close() })
	e.s = s
}

// ok ends the test on an error.
func (e *env) ok(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// is ends the test when err is not want.
func (e *env) is(err, want error) {
	e.Helper()
	if !errors.Is(err, want) {
		e.Fatalf("the error is %v, want %v", err, want)
	}
}

// put is the write of a body, with a source of its own.
func put(kind catalog.Kind, key catalog.Key, body string) catalog.Write {
	return catalog.Write{Kind: kind, Key: key, Body: []byte(body), Source: "feed"}
}

// del is the write that deletes a key.
func del(kind catalog.Kind, key catalog.Key) catalog.Write {
	return catalog.Write{Kind: kind, Key: key, Source: "feed"}
}

// doc returns a small document.
func doc(key catalog.Key, n int) string { return fmt.Sprintf(`{"sku":%q,"n":%d}`, key, n) }

func (e *env) apply(writes ...catalog.Write) []catalog.Result {
	e.Helper()
	res, err := e.s.Apply(e.ctx, writes)
	e.ok(err)
	if len(res) != len(writes) {
		e.Fatalf("%d results for %d writes", len(res), len(writes))
	}
	return res
}

// outcomes applies writes and checks what each comes to.
func (e *env) outcomes(writes []catalog.Write, want ...catalog.Outcome) []catalog.Result {
	e.Helper()
	res := e.apply(writes...)
	for i, w := range want {
		if res[i].Outcome != w {
			e.Fatalf("write %d of %s %q: %v, want %v", i, writes[i].Kind, writes[i].Key, res[i].Outcome, w)
		}
	}
	return res
}

func (e *env) get(kind catalog.Kind, keys ...catalog.Key) []catalog.Record {
	e.Helper()
	recs, err := e.s.Get(e.ctx, kind, keys...)
	e.ok(err)
	if len(recs) != len(keys) {
		e.Fatalf("%d records for %d keys", len(recs), len(keys))
	}
	return recs
}

// body returns the body of a record, "" when it is not there.
func (e *env) body(kind catalog.Kind, key catalog.Key) string {
	e.Helper()
	return string(e.get(kind, key)[0].Body)
}

func (e *env) headsOf(kind catalog.Kind, keys ...catalog.Key) []catalog.Head {
	e.Helper()
	heads, err := e.s.HeadsOf(e.ctx, kind, keys...)
	e.ok(err)
	if len(heads) != len(keys) {
		e.Fatalf("%d heads for %d keys", len(heads), len(keys))
	}
	return heads
}

func (e *env) heads(kind catalog.Kind, r catalog.Range) []catalog.Head {
	e.Helper()
	return collect(e, e.s.Heads(e.ctx, kind, r))
}

// scan returns the records of a range; it copies each body in the loop, since
// it is valid only there.
func (e *env) scan(kind catalog.Kind, r catalog.Range) []catalog.Record {
	e.Helper()
	return collect(e, owned(e.s.Scan(e.ctx, kind, r)))
}

func (e *env) lookup(ref catalog.Ref) []catalog.Key {
	e.Helper()
	keys, err := e.s.Lookup(e.ctx, ref)
	e.ok(err)
	return keys
}

func (e *env) tail() catalog.Cursor {
	e.Helper()
	c, err := e.s.Tail(e.ctx)
	e.ok(err)
	return c
}

// changes returns the changes after a cursor, having checked their order.
func (e *env) changes(after catalog.Cursor) []catalog.Change {
	e.Helper()
	out := collect(e, e.s.Changes(e.ctx, after))
	last := after.Seq
	for _, c := range out {
		if c.Seq <= last {
			e.Fatalf("change %d comes after %d", c.Seq, last)
		}
		last = c.Seq
	}
	return out
}

// collect returns all that an iterator yields.
func collect[T any](e *env, seq iter.Seq2[T, error]) []T {
	e.Helper()
	var out []T
	for v, err := range seq {
		e.ok(err)
		out = append(out, v)
	}
	return out
}

// drain returns how many values an iterator yields, and the error it ends with.
func drain[T any](seq iter.Seq2[T, error]) (n int, err error) {
	for _, e := range seq {
		if err != nil {
			return n, errors.Join(errors.New("the iterator went on after an error"), err)
		}
		if err = e; e == nil {
			n++
		}
	}
	return n, err
}

// owned yields records whose bodies stay valid after the iteration.
func owned(seq iter.Seq2[catalog.Record, error]) iter.Seq2[catalog.Record, error] {
	return func(yield func(catalog.Record, error) bool) {
		for r, err := range seq {
			r.Body = bytes.Clone(r.Body)
			if !yield(r, err) {
				return
			}
		}
	}
}

// equal compares two slices and names the first difference.
func equal[T comparable](e *env, what string, got, want []T) {
	e.Helper()
	if len(got) <= 20 && len(want) <= 20 {
		if !slices.Equal(got, want) {
			e.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
		}
		return
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			e.Fatalf("%s: %d is %+v, want %+v", what, i, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		e.Fatalf("%s: %d, want %d", what, len(got), len(want))
	}
}

// keysOf returns the keys of heads.
func keysOf(heads []catalog.Head) []catalog.Key {
	out := make([]catalog.Key, len(heads))
	for i, h := range heads {
		out[i] = h.Key
	}
	return out
}

// headsIn returns the heads of records.
func headsIn(recs []catalog.Record) []catalog.Head {
	out := make([]catalog.Head, len(recs))
	for i, r := range recs {
		out[i] = r.Head
	}
	return out
}
