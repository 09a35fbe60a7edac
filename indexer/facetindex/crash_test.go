package facetindex

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/indexer/indextest"
)

// story is a deterministic sequence of changes to an index. It notes what
// every cursor stands for.
type story struct {
	w      *indextest.World
	o      *indextest.Oracle
	h      *indexer.Digester
	states map[catalog.Seq]map[string]indexer.Digest
	seq    int
	synced catalog.Seq // what must be found after a crash
}

func newStory(seed uint64) *story {
	s := &story{w: indextest.NewWorld(seed), o: indextest.NewOracle(), h: indexer.NewDigester(), states: map[catalog.Seq]map[string]indexer.Digest{}}
	return s
}

func digests(ctx context.Context, x indexer.Index, h *indexer.Digester) (map[string]indexer.Digest, error) {
	m := map[string]indexer.Digest{}
	for d, err := range x.Digests(ctx, h) {
		if err != nil {
			return nil, err
		}
		m[d.SKU+"\x00"+d.View] = d
	}
	return m, nil
}

func (s *story) next(ctx context.Context) (catalog.Cursor, error) {
	s.seq++
	at := catalog.Cursor{Epoch: "e", Seq: catalog.Seq(s.seq)}
	var err error
	s.states[at.Seq], err = digests(ctx, s.o, s.h)
	return at, err
}

// tell changes x and the oracle alike, until x fails.
func (s *story) tell(ctx context.Context, x *Index) error {
	if err := s.build(ctx, x); err != nil {
		return err
	}
	for step := range 40 {
		var err error
		switch k := s.w.IntN(10); {
		case k < 4:
			err = s.apply(ctx, x)
		case k < 7:
			err = s.live(ctx, x)
		case k < 8:
			if err = x.Sync(ctx); err == nil {
				s.synced = catalog.Seq(s.seq)
			}
		case k < 9:
			x.maint.Lock()
			err = x.flush(s.w.IntN(2) == 0)
			x.maint.Unlock()
		case step%13 == 0:
			err = s.build(ctx, x)
		}
		if err != nil {
			return err
		}
		c, err := x.Cursor(ctx)
		if err != nil {
			return err
		}
		s.synced = max(s.synced, c.Seq)
	}
	return x.Close()
}

func (s *story) build(ctx context.Context, x *Index) error {
	b, err := x.Build(ctx, "fp"+strconv.Itoa(s.seq))
	if err != nil {
		return err
	}
	fresh := indextest.NewOracle()
	var ops []indexer.Op
	for i := range 30 {
		ops = append(ops, s.w.Op(i))
	}
	if err := b.Apply(ctx, ops); err != nil {
		return err
	}
	if err := fresh.Apply(ctx, ops, catalog.Cursor{}); err != nil {
		return err
	}
	if s.w.IntN(2) == 0 {
		ops := []indexer.Op{s.w.Op(s.w.IntN(40))}
		if err := b.(indexer.Settler).Settle(ctx); err != nil {
			return err
		}
		if err := errors.Join(b.Apply(ctx, ops), fresh.Apply(ctx, ops, catalog.Cursor{})); err != nil {
			return err
		}
	}
	s.o = fresh
	at, err := s.next(ctx)
	if err != nil {
		return err
	}
	if err := b.Publish(ctx, at); err != nil {
		return err
	}
	s.synced = at.Seq
	return nil
}

func (s *story) apply(ctx context.Context, x *Index) error {
	var ops []indexer.Op
	seen := map[string]bool{}
	for range 1 + s.w.IntN(6) {
		if op := s.w.Op(s.w.IntN(40)); !seen[op.SKU] {
			seen[op.SKU] = true
			ops = append(ops, op)
		}
	}
	if err := s.o.Apply(ctx, ops, catalog.Cursor{}); err != nil {
		return err
	}
	at, err := s.next(ctx)
	if err != nil {
		return err
	}
	return x.Apply(ctx, ops, at)
}

func (s *story) live(ctx context.Context, x *Index) error {
	var ops []indexer.LiveOp
	for i := range s.w.IntN(5) {
		sku := indextest.SKU(s.w.IntN(40))
		if s.w.IntN(3) == 0 {
			sku += "-" + strconv.Itoa(i)
		}
		ops = append(ops, indexer.LiveOp{SKU: sku, Part: indexer.LivePart(s.w.IntN(3)), Live: s.w.Live()})
	}
	if err := s.o.ApplyLive(ctx, ops, catalog.Cursor{}); err != nil {
		return err
	}
	at, err := s.next(ctx)
	if err != nil {
		return err
	}
	return x.ApplyLive(ctx, ops, at)
}

// TestCrash crashes the machine at every operation on files in turn, or at as
// many as CATALOG_TEST_CRASHES says, and looks at what is found afterwards:
// exactly what the cursor stands for, and nothing older than what was durable.
func TestCrash(t *testing.T) {
	rounds := 100
	if s := os.Getenv("CATALOG_TEST_CRASHES"); s != "" {
		var err error
		if rounds, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	seed := indextest.Seed(t)
	for round := range rounds {
		crash(t, seed+uint64(round/50), round)
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
}

func crash(t *testing.T, seed uint64, round int) {
	ctx := t.Context()
	r := rand.New(rand.NewPCG(seed, uint64(round)))
	at := r.IntN(400)
	d := newFaultFS(at)
	rest := time.Duration(round % 2) // 1 ns, so that it merges whenever nothing waits; or never
	opts := func(d *faultFS) *Options {
		return &Options{disk: d, manual: true, FlushDocs: 30, JournalBytes: 2000, rest: rest}
	}
	s := newStory(seed)
	x, err := Open(ctx, "", opts(d))
	if err == nil {
		err = s.tell(ctx, x)
	}
	if err != nil && !errors.Is(err, errCrash) {
		t.Fatalf("crash after %d operations: %v", at, err)
	}
	found := d.crashed(r)
	if x, err = Open(ctx, "", opts(found)); err != nil {
		t.Fatalf("opening after a crash after %d operations: %v", at, err)
	}
	defer func() {
		if err := x.Close(); err != nil {
			t.Errorf("closing after a crash: %v", err)
		}
	}()
	c, err := x.Cursor(ctx)
	if errors.Is(err, indexer.ErrNoIndex) && s.synced == 0 {
		return
	}
	if err != nil {
		t.Fatalf("after a crash after %d operations: %v", at, err)
	}
	if c.Seq < s.synced {
		t.Fatalf("crash after %d operations: the cursor is %d, but %d was durable", at, c.Seq, s.synced)
	}
	want, ok := s.states[c.Seq]
	if !ok {
		t.Fatalf("crash after %d operations: the cursor is %d, which there never was", at, c.Seq)
	}
	got, err := digests(ctx, x, s.h)
	if err != nil {
		t.Fatal(err)
	}
	for k, d := range want {
		if got[k] != d {
			t.Errorf("crash after %d operations, cursor %d: %q is not what it was (there: %v)", at, c.Seq, k, got[k].SKU != "")
		}
	}
	if len(got) != len(want) {
		t.Errorf("crash after %d operations, cursor %d: %d documents, want %d", at, c.Seq, len(got), len(want))
	}
}

// TestFlippedBits flips a bit in each region of each file, and expects the
// index to say so, to name the file, and to be as new after a rebuild.
func TestFlippedBits(t *testing.T) {
	t.Run("at once", func(t *testing.T) { flipBits(t, laterBytes) })
	t.Run("later", func(t *testing.T) { flipBits(t, 1) })
}

func flipBits(t *testing.T, later int) {
	ctx := t.Context()
	d := newFaultFS(-1)
	opts := func(d *faultFS) *Options { return &Options{disk: d, manual: true, later: later} }
	x, err := Open(ctx, "", opts(d))
	if err != nil {
		t.Fatal(err)
	}
	s := newStory(7)
	if err := s.build(ctx, x); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := errors.Join(s.apply(ctx, x), x.Sync(ctx), s.live(ctx, x), s.live(ctx, x)); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	tried := map[string]int{}
	for name, f := range d.files {
		ext := name[len(name)-3:]
		for i := 0; i < len(f.data); i += 1 + len(f.data)/300 {
			tried[ext]++
			f.data[i] ^= 1 << (i % 8)
			damaged(t, opts(d.crashed(rand.New(rand.NewPCG(1, 1)))), name, i, tried[ext]%50 == 1)
			f.data[i] ^= 1 << (i % 8)
		}
	}
	if tried["seg"] == 0 || tried["ive"] == 0 || tried["log"] == 0 || tried["EST"] == 0 {
		t.Errorf("not all kinds of files were tried: %v", tried)
	}
	if x, err = Open(ctx, "", opts(d)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(x.state(), x.Close()); err != nil {
		t.Errorf("after all bits are as they were: %v", err)
	}
}

func damaged(t *testing.T, opts *Options, name string, at int, rebuild bool) {
	ctx := t.Context()
	x, err := Open(ctx, "", opts)
	if err != nil {
		t.Fatalf("%s, byte %d: opening: %v", name, at, err)
	}
	if opts.later == 1 {
		if err := x.verify(ctx, nil); !errors.Is(err, indexer.ErrCorrupt) && !errors.Is(err, indexer.ErrFormat) {
			t.Errorf("%s, byte %d: verifying all says %v", name, at, err)
		}
	}
	_, err = x.Search(ctx, &indexer.Prepared{Store: "en", Size: 1, Sort: indexer.Sort{By: indexer.SortName}, Facets: indexer.PreparedFacets{Labels: indextest.Labels}})
	if !errors.Is(err, indexer.ErrCorrupt) && !errors.Is(err, indexer.ErrFormat) {
		t.Errorf("%s, byte %d: a search says %v", name, at, err)
	} else if !strings.Contains(err.Error(), name) {
		t.Errorf("%s, byte %d: the error does not name the file: %v", name, at, err)
	}
	if rebuild {
		s := newStory(9)
		if err := s.build(ctx, x); err != nil {
			t.Errorf("%s, byte %d: rebuilding: %v", name, at, err)
		}
		indextest.CompareDigests(t, x, s.o)
	}
	if err := x.Close(); err != nil {
		t.Errorf("%s, byte %d: closing: %v", name, at, err)
	}
}
