package pebblestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"catalog/catalog"
	"catalog/catalog/storetest"
)

// ledger knows what a store must hold after writes of which some failed.
type ledger struct {
	records map[string]expectation
	group   map[string][]string // keys that a failed Apply wrote: all or none are there
	metas   map[string][]byte   // acknowledged
	n       int
}

// expectation is what may be under a key: one body, or one of several after a
// failure that leaves open what happened. nil is an absent record.
type expectation struct {
	kind   catalog.Kind
	key    catalog.Key
	bodies [][]byte
}

func newLedger() *ledger {
	return &ledger{records: map[string]expectation{}, group: map[string][]string{}, metas: map[string][]byte{}}
}

// step applies one batch: three new records of three kinds, one that exists
// changed or deleted, and now and then meta or a trim.
func (l *ledger) step(ctx context.Context, s *Store, size int) error {
	l.n++
	var writes []catalog.Write
	put := func(kind catalog.Kind, key catalog.Key) {
		body := fmt.Appendf(nil, `{"sku":%q,"n":%d,"pad":%q}`, key, l.n, bytes.Repeat([]byte{'x'}, size))
		url := urlOf(kind, key, l.n)
		writes = append(writes, catalog.Write{Kind: kind, Key: key, Body: body, Source: fmt.Sprintf("source %d", l.n/4), Refs: []catalog.Ref{url}})
	}
	for _, kind := range []catalog.Kind{catalog.KindProduct, catalog.KindPrice, catalog.KindCategory} {
		put(kind, catalog.Key(fmt.Sprintf("new-%04d", l.n)))
	}
	put(catalog.KindProduct, "changing")
	if l.n%3 == 0 {
		writes = append(writes, catalog.Write{Kind: catalog.KindProduct, Key: catalog.Key(fmt.Sprintf("new-%04d", l.n-2))})
	}
	_, err := s.Apply(ctx, writes)
	l.note(writes, err)
	if err != nil {
		return err
	}
	if l.n%4 == 0 {
		name, value := fmt.Sprintf("meta-%d", l.n), fmt.Appendf(nil, "value %d", l.n)
		if err := s.SetMeta(ctx, name, value); err != nil {
			return err
		}
		l.metas[name] = value
	}
	if l.n%5 == 0 {
		if _, err := s.Trim(ctx, catalog.Seq(2*l.n)); err != nil {
			return err
		}
	}
	return nil
}

// note writes down what an Apply that ended with err may have done.
func (l *ledger) note(writes []catalog.Write, err error) {
	var fresh []string
	for _, w := range writes {
		id := fmt.Sprintf("%s %s", w.Kind, w.Key)
		e, known := l.records[id]
		e.kind, e.key = w.Kind, w.Key
		for n, ids := range l.group { // from now on it says nothing about that Apply
			l.group[n] = slices.DeleteFunc(ids, func(other string) bool { return other == id })
		}
		switch {
		case err == nil:
			e.bodies = [][]byte{w.Body}
		case !known:
			e.bodies = [][]byte{nil, w.Body}
			fresh = append(fresh, id)
		default:
			e.bodies = append(slices.Clip(e.bodies), w.Body)
		}
		l.records[id] = e
	}
	if err != nil {
		l.group[fmt.Sprint(l.n)] = fresh
	}
}

// verify checks that the store holds what it must, whole.
func (l *ledger) verify(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	there := map[string]bool{}
	for id, e := range l.records {
		recs, err := s.Get(ctx, e.kind, e.key)
		if err != nil {
			t.Fatal(err)
		}
		there[id] = recs[0].Exists()
		if !slices.ContainsFunc(e.bodies, func(b []byte) bool { return bytes.Equal(b, recs[0].Body) && (b != nil) == recs[0].Exists() }) {
			t.Fatalf("%s is %.60q, want one of %d bodies, the last %.60q", id, recs[0].Body, len(e.bodies), e.bodies[len(e.bodies)-1])
		}
		if recs[0].Exists() {
			l.verifyRef(t, s, recs[0])
		}
	}
	for n, ids := range l.group {
		for _, id := range ids {
			if there[id] != there[ids[0]] {
				t.Fatalf("Apply %s is there by half: %s %t, %s %t", n, ids[0], there[ids[0]], id, there[id])
			}
		}
	}
	for name, want := range l.metas {
		if v, err := s.Meta(ctx, name); err != nil || !bytes.Equal(v, want) {
			t.Fatalf("meta %s is %q, %v", name, v, err)
		}
	}
	if err := storetest.Check(ctx, s); err != nil { // heads, bodies, log and counts agree
		t.Fatal(err)
	}
}

// urlOf is the one ref of a record that step n wrote.
func urlOf(kind catalog.Kind, key catalog.Key, n int) catalog.Ref {
	return catalog.Ref{Type: catalog.RefURLKey, Store: kind.String(), Value: fmt.Sprintf("%s-%d", key, n)}
}

// verifyRef checks that a record is found by its ref, and by none that it had.
func (l *ledger) verifyRef(t *testing.T, s *Store, r catalog.Record) {
	t.Helper()
	for n := 1; n <= l.n; n++ {
		keys, err := s.Lookup(t.Context(), urlOf(r.Kind, r.Key, n))
		if err != nil {
			t.Fatal(err)
		}
		if want := bytes.Contains(r.Body, fmt.Appendf(nil, `"n":%d,`, n)); slices.Contains(keys, r.Key) != want {
			t.Fatalf("%s %q is found by its url of step %d: %t, want %t", r.Kind, r.Key, n, !want, want)
		}
	}
}

// injector fails the write operation of its index, and when it is sticky all
// after it.
type injector struct {
	left   atomic.Int64
	sticky bool
	err    error
	hits   atomic.Int64
}

func (i *injector) String() string { return "one write operation" }

func (i *injector) MaybeError(op errorfs.Op) error {
	if op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
		return nil
	}
	left := i.left.Add(-1)

	if left == -1 || left < -1 && i.sticky {
		i.hits.Add(1)
		return i.err
	}
	return nil
}

// TestEveryWriteFails lets the i-th operation that writes to the file system
// fail, for each i, and checks what is there after the process has died of it.
func TestEveryWriteFails(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 7
	}
	for _, mode := range []struct {
		name   string
		bulk   int64
		sticky bool
	}{
		{"batch", 1 << 20, false},
		{"bulk", 1, false},
		{"mixed then dead", 1500, true},
	} {
		t.Run(mode.name, func(t *testing.T) {
			t.Parallel()
			for i := 0; ; i += step {

				inj := &injector{sticky: mode.sticky, err: syscall.ENOSPC}
				inj.left.Store(int64(i))
				mem := vfs.NewCrashableMem()
				l := newLedger()
				err := runSteps(t.Context(), l, Options{FS: errorfs.Wrap(mem, inj), BulkBytes: mode.bulk, CacheBytes: 1 << 20})
				if err != nil && !errors.Is(err, catalog.ErrFull) {
					t.Fatalf("operation %d: the error is %v, want ErrFull", i, err)
				}
				rng := rand.New(rand.NewPCG(uint64(i), 7))
				percent := []int{0, 50, 100}[i%3]
				clone := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rng})
				checkClone(t, l, clone, fmt.Sprintf("operation %d failed, %d %% of what was not synced is there", i, percent))
				if inj.hits.Load() == 0 {
					if i < 50 {
						t.Fatalf("there were but %d operations", i)
					}
					return
				}
			}
		})
	}
}

// runSteps opens a store and writes to it until something fails for good. It
// returns the first error.
func runSteps(ctx context.Context, l *ledger, o Options) (first error) {
	s, err := Open(ctx, "/store", &o)
	if err != nil {
		return err
	}
	for n := range 8 {
		err := l.step(ctx, s, 10+n%3*400)
		if err != nil && first == nil {
			first = err
		}
		if s.watch.failure() != nil {
			break
		}
	}
	if err := s.Close(); err != nil && first == nil {
		first = err
	}
	return first
}

func checkClone(t *testing.T, l *ledger, fs vfs.FS, when string) {
	t.Helper()
	s, err := Open(t.Context(), "/store", &Options{FS: fs, CacheBytes: 1 << 20})
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", when, err)
		}
		if t.Failed() {
			t.Log(when)
		}
	}()
	l.verify(t, s)
}

// TestCrash copies the file system while batches of random sizes are written,
// each copy as a power failure at that moment might leave it.
func TestCrash(t *testing.T) {
	seeds := uint64(12)
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 1))
			mem := vfs.NewCrashableMem()
			s, err := Open(t.Context(), "/store", &Options{FS: mem, BulkBytes: 3000, CacheBytes: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			l := newLedger()
			for range 40 {
				if err := l.step(t.Context(), s, rng.IntN(1500)); err != nil {
					t.Fatal(err)
				}
				if rng.IntN(4) == 0 {
					percent := []int{0, 10, 50, 90}[rng.IntN(4)]
					clone := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rng})
					checkClone(t, l, clone, fmt.Sprintf("after step %d, %d %%", l.n, percent))
				}
			}
		})
	}
}
