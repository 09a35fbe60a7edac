package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"catalog/catalog"
)

func concurrencyPromises() []promise {
	return []promise{
		{"TailingReaderMissesNothing", tailingReader},
		{"LargeBatchesBesideSmallOnes", largeBesideSmall},
		{"ScanIsNotOlderThanTheTail", scanNotOlder},
		{"TailCoversWhatIsVisible", tailCovers},
		{"HeadAndBodyAreOneVersion", noTornReads},
		{"WritersOfOneKey", writersOfOneKey},
		{"TrimBesideAReader", trimBesideReader},
	}
}

// writeAll runs writers that apply batches of new and changed products, and
// returns when they are done.
func writeAll(ctx context.Context, s catalog.Store, writers, batches int) error {
	return together(writers, func(w int) error {
		rng := rand.New(rand.NewPCG(uint64(w), 1))
		for b := range batches {
			writes := make([]catalog.Write, 1+rng.IntN(20))
			for i := range writes {
				key := catalog.Key(fmt.Sprintf("k%03d", rng.IntN(500)))
				kind := catalog.Kinds()[rng.IntN(5)]
				writes[i] = put(kind, key, doc(key, w<<20|b<<8|i))
				if rng.IntN(5) == 0 {
					writes[i] = del(kind, key)
				}
			}
			if _, err := s.Apply(ctx, writes); err != nil {
				return fmt.Errorf("writer %d: %w", w, err)
			}
		}
		return nil
	})
}

// tailingReader (D2): readers follow the log while several writers append to
// it. Whoever assigns Seqs before their batch is visible lets a reader pass a
// change that it then never sees. And a change that is seen is there: its
// record is at least as new.
func tailingReader(e *env) {
	e.tailed(3, func(ctx context.Context) error { return writeAll(ctx, e.s, 4, e.few(80)) })
}

// largeBesideSmall: batches that a store may load in bulk, beside small ones.
func largeBesideSmall(e *env) {
	e.tailed(2, func(ctx context.Context) error {
		return together(3, func(w int) error {
			if w > 0 {
				return writeAll(ctx, e.s, 1, e.few(150))
			}
			for b := range 4 {
				var writes []catalog.Write
				for i := range e.few(6000) {
					key := catalog.Key(fmt.Sprintf("k%03d-%d", i%1000, i/1000))
					writes = append(writes, put(catalog.KindProduct, key, doc(key, b*i%7)))
				}
				if _, err := e.s.Apply(ctx, writes); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// lastKey is the key of the last write of a test.
const lastKey catalog.Key = "the last one"

// tailed runs a number of readers beside what writes, and compares what they
// saw with the log afterwards.
func (e *env) tailed(readers int, write func(context.Context) error) {
	e.Helper()
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	seen := make([][]catalog.Change, readers)
	errs := make([]error, readers)
	for i := range readers {
		wg.Go(func() {
			if seen[i], errs[i] = tailLog(ctx, e.s, i); errs[i] != nil {
				cancel()
			}
		})
	}
	err := write(ctx)
	e.apply(put(catalog.KindProduct, lastKey, `{}`))
	wg.Wait()
	e.ok(errors.Join(errs...))
	e.ok(err)
	want := e.changes(catalog.Cursor{})
	for i := range readers {
		equal(e, fmt.Sprintf("reader %d", i), seen[i], want)
	}
	e.ok(Check(e.ctx, e.s))
}

// tailLog reads the log up to the change of the last key. The n-th reader has
// habits of its own; the first leaves its loops in the middle.
func tailLog(ctx context.Context, s catalog.Store, n int) (seen []catalog.Change, err error) {
	var at catalog.Cursor
	for {
		if err := s.Wait(ctx, at); err != nil {
			return seen, err
		}
		tail, err := s.Tail(ctx)
		if err != nil {
			return seen, err
		}
		for c, err := range s.Changes(ctx, at) {
			if err != nil {
				return seen, err
			}
			if c.Seq <= at.Seq {
				return seen, fmt.Errorf("change %d comes after %d", c.Seq, at.Seq)
			}
			seen = append(seen, c)
			at = catalog.Cursor{Epoch: tail.Epoch, Seq: c.Seq}
			if len(seen)%(n+3) == 0 && c.Op == catalog.OpPut {
				if err := asNew(ctx, s, c); err != nil {
					return seen, err
				}
			}
			if n == 0 && len(seen)%17 == 0 {
				break
			}
		}
		if n != 0 && at.Seq < tail.Seq {
			return seen, fmt.Errorf("changes end at %d, the tail was %d before", at.Seq, tail.Seq)
		}
		if len(seen) > 0 && seen[len(seen)-1].Key == lastKey {
			return seen, nil
		}
	}
}

// asNew checks that the record of a visible change is there, unless a later
// change took it away.
func asNew(ctx context.Context, s catalog.Store, c catalog.Change) error {
	heads, err := s.HeadsOf(ctx, c.Kind, c.Key)
	if err != nil || heads[0].Seq >= c.Seq {
		return err
	}
	tail, err := s.Tail(ctx)
	if err != nil {
		return err
	}
	for later, err := range s.Changes(ctx, catalog.Cursor{Epoch: tail.Epoch, Seq: c.Seq}) {
		if err != nil {
			return err
		}
		if later.Kind == c.Kind && later.Key == c.Key {
			return nil
		}
	}
	return fmt.Errorf("the log has %+v, the head is %+v", c, heads[0])
}

// scanNotOlder (D5): what the log says at the tail, a scan or a listing of
// heads that starts afterwards shows.
func scanNotOlder(e *env) {
	ctx, cancel := context.WithCancel(e.ctx) // cancelled when all is written
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	var writing error
	wg.Go(func() {
		defer cancel()
		writing = together(3, func(w int) error {
			for i := range e.few(150) {
				key := catalog.Key(fmt.Sprintf("k%02d", (i*7+w)%40))
				if _, err := e.s.Apply(e.ctx, []catalog.Write{put(catalog.KindProduct, key, doc(key, w*1000+i))}); err != nil {
					return err
				}
			}
			return nil
		})
	})
	for ended := false; !ended; {
		ended = ctx.Err() != nil // once more after the last write
		tail := e.tail()
		last := map[catalog.Key]catalog.Seq{}
		for _, c := range e.changes(catalog.Cursor{}) {
			if c.Seq <= tail.Seq {
				last[c.Key] = c.Seq
			}
		}
		for what, heads := range map[string][]catalog.Head{
			"Scan":  headsIn(e.scan(catalog.KindProduct, catalog.All)),
			"Heads": e.heads(catalog.KindProduct, catalog.All),
		} {
			got := map[catalog.Key]catalog.Seq{}
			for _, h := range heads {
				got[h.Key] = h.Seq
			}
			for key, seq := range last {
				if got[key] < seq {
					e.Fatalf("%s has %q at %d, the log up to %d has it at %d", what, key, got[key], tail.Seq, seq)
				}
			}
		}
	}
	wg.Wait()
	e.ok(writing)
}

// tailCovers: whatever was seen of a change, by Changes, by Wait or in a head,
// the tail that is asked for afterwards is not before it, and never goes back.
func tailCovers(e *env) {
	ctx, cancel := context.WithCancel(e.ctx) // cancelled when all is written
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	var writing error
	wg.Go(func() {
		defer cancel()
		writing = writeAll(e.ctx, e.s, 3, e.few(150))
	})
	var last catalog.Cursor
	for ctx.Err() == nil {
		for _, look := range []struct {
			what string
			at   func() catalog.Seq
		}{
			{"Changes yields", func() (seq catalog.Seq) {
				for _, c := range e.changes(last) {
					seq = c.Seq
				}
				return seq
			}},
			{"HeadsOf returns", func() catalog.Seq { return e.headsOf(catalog.KindStock, "k007")[0].Seq }},
			{"Heads yields", func() (seq catalog.Seq) {
				for _, h := range e.heads(catalog.KindProduct, catalog.All) {
					seq = max(seq, h.Seq)
				}
				return seq
			}},
			{"Stats has the tail", func() catalog.Seq {
				st, err := e.s.Stats(e.ctx)
				e.ok(err)
				return st.Tail.Seq
			}},
			{"Tail was before", func() catalog.Seq { return last.Seq }},
		} {
			seq := look.at()
			if tail := e.tail(); tail.Seq < seq {
				e.Fatalf("%s %d, then the tail is %d", look.what, seq, tail.Seq)
			} else {
				last = tail
			}
		}
	}
	wg.Wait()
	e.ok(writing)
}

// noTornReads: a store that keeps heads and bodies apart must read both of one
// write.
func noTornReads(e *env) {
	ctx, cancel := context.WithCancel(e.ctx) // cancelled when all is written
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	var writing error
	wg.Go(func() {
		defer cancel()
		writing = writeAll(e.ctx, e.s, 3, e.few(150))
	})
	keys := make([]catalog.Key, e.few(500))
	for i := range keys {
		keys[i] = catalog.Key(fmt.Sprintf("k%03d", i))
	}
	for ended := false; !ended; {
		ended = ctx.Err() != nil
		for _, kind := range catalog.Kinds() {
			for i, r := range e.get(kind, keys...) {
				if r.Exists() && (r.Key != keys[i] || r.Kind != kind || r.Hash != catalog.HashOf(r.Body)) {
					e.Fatalf("Get returns %+v with the body %s", r.Head, r.Body)
				}
			}
			for _, r := range e.scan(kind, catalog.All) {
				if r.Kind != kind || r.Hash != catalog.HashOf(r.Body) {
					e.Fatalf("Scan yields %+v with the body %s", r.Head, r.Body)
				}
			}
		}
	}
	wg.Wait()
	e.ok(writing)
}

// writersOfOneKey: whatever the order, the record, its head, its refs and the
// log are of one and the same writer.
func writersOfOneKey(e *env) {
	writers, times := 6, e.few(40)
	e.ok(together(writers, func(w int) error {
		for i := range times {
			n := w*times + i
			_, err := e.s.Apply(e.ctx, []catalog.Write{
				putRefs("a", n, urlKey("", fmt.Sprint(n))),
				putRefs("b", n, urlKey("", fmt.Sprint(n))),
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	e.ok(Check(e.ctx, e.s))
	for _, key := range []catalog.Key{"a", "b"} {
		body, found := e.body(catalog.KindProduct, key), 0
		for n := range writers * times {
			for _, k := range e.lookup(urlKey("", fmt.Sprint(n))) {
				if k != key {
					continue
				}
				if found++; body != doc(key, n) {
					e.Errorf("%q has the ref %d and the body %s", key, n, body)
				}
			}
		}
		if found != 1 {
			e.Errorf("%q has %d refs, want 1", key, found)
		}
	}
	if got := len(e.changes(catalog.Cursor{})); got != 2*writers*times {
		e.Errorf("the log has %d changes, want %d", got, 2*writers*times)
	}
}

// trimBesideReader: while the log is trimmed behind it, a follower reads all
// that it needs; a reader without a registration is told, never given a gap.
func trimBesideReader(e *env) {
	n := e.few(200)
	e.ok(e.s.Follow(e.ctx, "reader", catalog.Cursor{}))
	ctx, cancel := context.WithCancel(e.ctx) // cancelled when all is written
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	var writing, trimming error
	wg.Go(func() {
		defer cancel()
		for i := range n {
			if _, err := e.s.Apply(e.ctx, []catalog.Write{put(catalog.KindProduct, "a", doc("a", i))}); err != nil {
				writing = err
				return
			}
		}
	})
	wg.Go(func() {
		for ctx.Err() == nil {
			if _, err := e.s.Trim(e.ctx, 1<<50); err != nil {
				trimming = err
				return
			}
			n, err := drain(e.s.Changes(e.ctx, catalog.Cursor{}))
			if err != nil && (n != 0 || !errors.Is(err, catalog.ErrTrimmed)) {
				trimming = fmt.Errorf("%d changes, then: %w", n, err)
				return
			}
		}
	})
	seen := 0
	at := e.tail()
	at.Seq = 0
	for ended := false; !ended; {
		ended = ctx.Err() != nil
		for _, c := range e.changes(at) {
			at.Seq = c.Seq
			seen++
		}
		e.ok(e.s.Follow(e.ctx, "reader", at))
	}
	wg.Wait()
	e.ok(errors.Join(writing, trimming))
	if seen != n {
		e.Errorf("the follower saw %d changes, want %d", seen, n)
	}
}
