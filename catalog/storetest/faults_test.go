package storetest_test

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"catalog/catalog"
)

// fault is a way to break a promise, and the subtest that finds it.
type fault struct {
	found  string
	wrap   func(catalog.Store) catalog.Store
	reopen func(catalog.Store) catalog.Store
}

// broken is a store of which some methods are replaced.
type broken struct {
	catalog.Store
	mu sync.Mutex

	get       func(ctx context.Context, kind catalog.Kind, keys []catalog.Key) ([]catalog.Record, error)
	headsOf   func(ctx context.Context, kind catalog.Kind, keys []catalog.Key) ([]catalog.Head, error)
	lookup    func(ctx context.Context, ref catalog.Ref) ([]catalog.Key, error)
	apply     func(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error)
	scan      func(ctx context.Context, kind catalog.Kind, r catalog.Range) iter.Seq2[catalog.Record, error]
	changes   func(ctx context.Context, after catalog.Cursor) iter.Seq2[catalog.Change, error]
	wait      func(ctx context.Context, after catalog.Cursor) error
	trim      func(ctx context.Context, upTo catalog.Seq) (catalog.Seq, error)
	acquire   func(ctx context.Context, name, holder string, ttl time.Duration) (catalog.LeaseInfo, error)
	setMeta   func(ctx context.Context, name string, value []byte) error
	tail      func(ctx context.Context) (catalog.Cursor, error)
	closeOnce func() error
}

func (b *broken) Get(ctx context.Context, kind catalog.Kind, keys ...catalog.Key) ([]catalog.Record, error) {
	if b.get != nil {
		return b.get(ctx, kind, keys)
	}
	return b.Store.Get(ctx, kind, keys...)
}

func (b *broken) HeadsOf(ctx context.Context, kind catalog.Kind, keys ...catalog.Key) ([]catalog.Head, error) {
	if b.headsOf != nil {
		return b.headsOf(ctx, kind, keys)
	}
	return b.Store.HeadsOf(ctx, kind, keys...)
}

func (b *broken) Lookup(ctx context.Context, ref catalog.Ref) ([]catalog.Key, error) {
	if b.lookup != nil {
		return b.lookup(ctx, ref)
	}
	return b.Store.Lookup(ctx, ref)
}

func (b *broken) Apply(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error) {
	if b.apply != nil {
		return b.apply(ctx, writes)
	}
	return b.Store.Apply(ctx, writes)
}

func (b *broken) Scan(ctx context.Context, kind catalog.Kind, r catalog.Range) iter.Seq2[catalog.Record, error] {
	if b.scan != nil {
		return b.scan(ctx, kind, r)
	}
	return b.Store.Scan(ctx, kind, r)
}

func (b *broken) Changes(ctx context.Context, after catalog.Cursor) iter.Seq2[catalog.Change, error] {
	if b.changes != nil {
		return b.changes(ctx, after)
	}
	return b.Store.Changes(ctx, after)
}

func (b *broken) Wait(ctx context.Context, after catalog.Cursor) error {
	if b.wait != nil {
		return b.wait(ctx, after)
	}
	return b.Store.Wait(ctx, after)
}

func (b *broken) Trim(ctx context.Context, upTo catalog.Seq) (catalog.Seq, error) {
	if b.trim != nil {
		return b.trim(ctx, upTo)
	}
	return b.Store.Trim(ctx, upTo)
}

func (b *broken) Acquire(ctx context.Context, name, holder string, ttl time.Duration) (catalog.LeaseInfo, error) {
	if b.acquire != nil {
		return b.acquire(ctx, name, holder, ttl)
	}
	return b.Store.Acquire(ctx, name, holder, ttl)
}

func (b *broken) SetMeta(ctx context.Context, name string, value []byte) error {
	if b.setMeta != nil {
		return b.setMeta(ctx, name, value)
	}
	return b.Store.SetMeta(ctx, name, value)
}

func (b *broken) Tail(ctx context.Context) (catalog.Cursor, error) {
	if b.tail != nil {
		return b.tail(ctx)
	}
	return b.Store.Tail(ctx)
}

func (b *broken) Close() error {
	if b.closeOnce != nil {
		return b.closeOnce()
	}
	return b.Store.Close()
}

// broke makes a fault of a function that replaces methods.
func broke(found string, replace func(b *broken, s catalog.Store)) fault {
	return fault{found: found, wrap: func(s catalog.Store) catalog.Store {
		b := &broken{Store: s}
		replace(b, s)
		return b
	}}
}

// each passes on writes that f may have changed; f gets a copy.
func each(f func(i int, w *catalog.Write)) func(b *broken, s catalog.Store) {
	return func(b *broken, s catalog.Store) {
		b.apply = func(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error) {
			writes = slices.Clone(writes)
			for i := range writes {
				f(i, &writes[i])
			}
			return s.Apply(ctx, writes)
		}
	}
}

var faults = map[string]fault{
	"get in the order of keys": broke("Records/GetInTheOrderAsked", func(b *broken, s catalog.Store) {
		b.get = func(ctx context.Context, kind catalog.Kind, keys []catalog.Key) ([]catalog.Record, error) {
			return s.Get(ctx, kind, slices.Sorted(slices.Values(keys))...)
		}
	}),
	"missing heads with a key": broke("Records/HeadsOfInTheOrderAsked", func(b *broken, s catalog.Store) {
		b.headsOf = func(ctx context.Context, kind catalog.Kind, keys []catalog.Key) ([]catalog.Head, error) {
			heads, err := s.HeadsOf(ctx, kind, keys...)
			for i := range heads {
				heads[i].Key = keys[i]
			}
			return heads, err
		}
	}),
	"keys with a collation": broke("Keys/NoCollation", each(func(_ int, w *catalog.Write) {
		w.Key = catalog.Key(strings.ToLower(string(w.Key)))
	})),
	"trailing characters ignored": broke("Keys/PrefixesAreKeysOfTheirOwn", each(func(_ int, w *catalog.Write) {
		w.Key = catalog.Key(strings.TrimRight(string(w.Key), "-/!~"))
	})),
	"kinds in one space": broke("Records/KindsDoNotMix", each(func(_ int, w *catalog.Write) {
		w.Kind = catalog.KindProduct
	})),
	"unchanged written again": broke("Records/UnchangedWritesNothing", each(func(_ int, w *catalog.Write) {
		if w.Body != nil {
			w.Hash = catalog.Hash{1, byte(rand.Uint32()), byte(rand.Uint32()), byte(rand.Uint32())}
		}
	})),
	"source of the first writer": broke("Records/UnchangedMovesTheSource", each(func(_ int, w *catalog.Write) {
		w.Source = "first"
	})),
	"bodies normalised": broke("Records/BodiesSurviveByteByByte", each(func(_ int, w *catalog.Write) {
		if w.Body != nil {
			w.Body = []byte(strings.ReplaceAll(string(w.Body), "e\\u0301", "é"))
		}
	})),
	"valid writes before invalid ones": broke("Limits/InvalidWritesNothing", oneByOne),
	"if ignored":                       broke("If/DoesNotHold", each(func(_ int, w *catalog.Write) { w.If = nil })),
	"if checked before the write":      broke("If/CountersLoseNothing", checkThenWrite),
	"refs kept on delete":              broke("Refs/RemovedOnDelete", refsForever),
	"refs kept on update":              broke("Refs/ReplacedOnUpdate", refsForever),
	"refs in no order": broke("Refs/SeveralKeysInOrder", func(b *broken, s catalog.Store) {
		b.lookup = func(ctx context.Context, ref catalog.Ref) ([]catalog.Key, error) {
			keys, err := s.Lookup(ctx, ref)
			slices.Reverse(keys)
			return keys, err
		}
	}),
	"refs cut at NUL": broke("Refs/OddBytes", each(func(_ int, w *catalog.Write) {
		w.Refs = slices.Clone(w.Refs)
		for i := range w.Refs {
			w.Refs[i].Value, _, _ = strings.Cut(w.Refs[i].Value, "\x00")
		}
	})),
	"batch in the order of keys": broke("Batches/OneKeyInTheOrderGiven", func(b *broken, s catalog.Store) {
		b.apply = func(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error) {
			writes = slices.Clone(writes)
			slices.Reverse(writes)
			return s.Apply(ctx, writes)
		}
	}),
	"writes lost": broke("Model/ManyKeys", func(b *broken, s catalog.Store) {
		b.apply = func(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error) {
			if n := len(writes); n > 50 && writes[n-1].If == nil {
				res, err := s.Apply(ctx, writes[:n-1])
				return append(res, catalog.Result{Outcome: catalog.Created}), err
			}
			return s.Apply(ctx, writes)
		}
	}),
	"results kept by the store": broke("Buffers/ResultsBelongToTheCaller", func(b *broken, s catalog.Store) {
		var kept []catalog.Record
		b.get = func(ctx context.Context, kind catalog.Kind, keys []catalog.Key) (recs []catalog.Record, err error) {
			if kept == nil {
				kept, err = s.Get(ctx, kind, keys...)
			}
			return slices.Clone(kept), err
		}
	}),
	"arguments kept by the store": broke("Buffers/ArgumentsBelongToTheCaller", func(b *broken, s catalog.Store) {
		var kept []byte
		b.apply = func(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error) {
			kept = writes[0].Body
			return s.Apply(ctx, writes)
		}
		b.get = func(ctx context.Context, kind catalog.Kind, keys []catalog.Key) ([]catalog.Record, error) {
			recs, err := s.Get(ctx, kind, keys...)
			recs[0].Body = kept
			return recs, err
		}
	}),
	"scan deaf to its context": broke("Iterators/CancelInTheLoop", func(b *broken, s catalog.Store) {
		b.scan = func(ctx context.Context, kind catalog.Kind, r catalog.Range) iter.Seq2[catalog.Record, error] {
			return s.Scan(context.WithoutCancel(ctx), kind, r)
		}
	}),
	"changes deaf to their context": broke("Iterators/CancelledContext", func(b *broken, s catalog.Store) {
		b.changes = func(ctx context.Context, after catalog.Cursor) iter.Seq2[catalog.Change, error] {
			return s.Changes(context.WithoutCancel(ctx), after)
		}
	}),
	"changes that appear late":      broke("Concurrency/TailingReaderMissesNothing", lateChanges),
	"changes without those trimmed": broke("Log/Trim", gapChanges),
	"foreign epochs accepted": broke("Log/ForeignEpochIsTrimmed", func(b *broken, s catalog.Store) {
		b.changes = func(ctx context.Context, after catalog.Cursor) iter.Seq2[catalog.Change, error] {
			tail, _ := s.Tail(ctx)
			return s.Changes(ctx, catalog.Cursor{Epoch: tail.Epoch, Seq: after.Seq})
		}
	}),
	"trim past followers": broke("Followers/TrimKeepsWhatTheyNeed", func(b *broken, s catalog.Store) {
		b.trim = func(ctx context.Context, upTo catalog.Seq) (catalog.Seq, error) {
			all, err := s.Followers(ctx)
			for _, f := range all {
				err = errors.Join(err, s.Unfollow(ctx, f.Name))
			}
			last, trimmed := s.Trim(ctx, upTo)
			return last, errors.Join(err, trimmed)
		}
	}),
	"wait that does not wait": broke("Wait/EndsWithItsContext", func(b *broken, _ catalog.Store) {
		b.wait = func(context.Context, catalog.Cursor) error { return nil }
	}),
	"leases for everybody": broke("Leases/OneHolder", func(b *broken, s catalog.Store) {
		b.acquire = func(ctx context.Context, name, _ string, ttl time.Duration) (catalog.LeaseInfo, error) {
			return s.Acquire(ctx, name, "a", ttl)
		}
	}),
	"fences ignored": broke("Fences/LostLeaseIsRefused", func(b *broken, s catalog.Store) {
		b.setMeta = func(_ context.Context, name string, value []byte) error {
			return s.SetMeta(context.Background(), name, value)
		}
	}),
	"fences checked before the write": broke("Fences/TakeoverIsABarrier", func(b *broken, s catalog.Store) {
		b.apply = func(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error) {
			f, _ := catalog.FenceOf(ctx)
			if err := s.Renew(ctx, f, time.Hour); err != nil {
				return nil, err
			}
			time.Sleep(100 * time.Microsecond)
			return s.Apply(context.Background(), writes)
		}
	}),
	"head and body read apart": broke("Concurrency/HeadAndBodyAreOneVersion", func(b *broken, s catalog.Store) {
		b.get = func(ctx context.Context, kind catalog.Kind, keys []catalog.Key) ([]catalog.Record, error) {
			heads, err := s.HeadsOf(ctx, kind, keys...)
			if err != nil {
				return nil, err
			}
			time.Sleep(100 * time.Microsecond)
			recs, err := s.Get(ctx, kind, keys...)
			for i := range recs {
				recs[i].Head = heads[i]
			}
			return recs, err
		}
	}),
	"tail that lags": broke("Concurrency/TailCoversWhatIsVisible", func(b *broken, s catalog.Store) {
		var cached catalog.Cursor
		n := 0
		b.tail = func(ctx context.Context) (c catalog.Cursor, err error) {
			if n++; n%3 == 1 {
				cached, err = s.Tail(ctx)
			}
			return cached, err
		}
	}),
	"meta kept on nil": broke("Meta/SetGetDelete", func(b *broken, s catalog.Store) {
		b.setMeta = func(ctx context.Context, name string, value []byte) error {
			return s.SetMeta(ctx, name, append([]byte{}, value...))
		}
	}),
	"one epoch for all": broke("Log/NewStoreHasAnEpoch", func(b *broken, s catalog.Store) {
		b.tail = func(ctx context.Context) (catalog.Cursor, error) {
			c, err := s.Tail(ctx)
			return catalog.Cursor{Epoch: "1", Seq: c.Seq}, err
		}
	}),
	"closed but working": broke("Close/ErrClosedAfterwards", func(b *broken, _ catalog.Store) {
		b.closeOnce = func() error { return nil }
	}),
	"forgets followers": {
		found: "Reopen/KeepsEverything",
		wrap:  func(s catalog.Store) catalog.Store { return s },
		reopen: func(s catalog.Store) catalog.Store {
			if err := s.Unfollow(context.Background(), "start"); err != nil {
				panic(err)
			}
			return s
		},
	},
}

// oneByOne validates each write only when it is its turn.
func oneByOne(b *broken, s catalog.Store) {
	b.apply = func(ctx context.Context, writes []catalog.Write) (out []catalog.Result, err error) {
		for _, w := range writes {
			res, err := s.Apply(ctx, []catalog.Write{w})
			if err != nil {
				return nil, err
			}
			out = append(out, res...)
		}
		return out, nil
	}
}

// checkThenWrite compares before it writes instead of while it does.
func checkThenWrite(b *broken, s catalog.Store) {
	b.apply = func(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error) {
		w := writes[0]
		if heads, err := s.HeadsOf(ctx, w.Kind, w.Key); err != nil || w.If != nil && *w.If != heads[0].Seq {
			return []catalog.Result{{Outcome: catalog.Conflict}}, errors.Join(err, catalog.ErrConflict)
		}
		time.Sleep(100 * time.Microsecond)
		w.If = nil
		return s.Apply(ctx, []catalog.Write{w})
	}
}

// refsForever finds by each ref what ever had it.
func refsForever(b *broken, s catalog.Store) {
	ever := map[catalog.Ref][]catalog.Key{}
	b.apply = func(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error) {
		for _, w := range writes {
			for _, r := range w.Refs {
				ever[r] = append(ever[r], w.Key)
			}
		}
		return s.Apply(ctx, writes)
	}
	b.lookup = func(_ context.Context, ref catalog.Ref) ([]catalog.Key, error) {
		return slices.Compact(slices.Sorted(slices.Values(ever[ref]))), nil
	}
}

// lateChanges leaves out a change now and then, until it is asked again: as a
// store does whose writers number their changes before they commit them.
func lateChanges(b *broken, s catalog.Store) {
	held := map[catalog.Seq]bool{}
	b.changes = func(ctx context.Context, after catalog.Cursor) iter.Seq2[catalog.Change, error] {
		return func(yield func(catalog.Change, error) bool) {
			for c, err := range s.Changes(ctx, after) {
				b.mu.Lock()
				hide := c.Seq%10 == 0 && !held[c.Seq]
				held[c.Seq] = true
				b.mu.Unlock()
				if !hide && !yield(c, err) {
					return
				}
			}
		}
	}
}

// gapChanges goes on after a gap in the log as if nothing were missing.
func gapChanges(b *broken, s catalog.Store) {
	b.changes = func(ctx context.Context, after catalog.Cursor) iter.Seq2[catalog.Change, error] {
		if st, err := s.Stats(ctx); err == nil && st.LogFirst > 0 && after.Seq < st.LogFirst {
			after = catalog.Cursor{Epoch: st.Tail.Epoch, Seq: st.LogFirst - 1}
		}
		return s.Changes(ctx, after)
	}
}
