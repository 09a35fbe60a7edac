package facetindex

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"slices"
	"sync"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/indexer/facetindex/internal/disk"
	"catalog/indexer/facetindex/internal/live"
	"catalog/indexer/facetindex/internal/segment"
)

// shardDocs is how many documents a shard collects before it writes them.
const shardDocs = 64 << 10

// builder is a new generation. Products are dealt out to shards by SKU, so
// that several goroutines can add some, and the last op of a product counts.
type builder struct {
	x           *Index
	fingerprint string
	seed        maphash.Seed
	shards      []*shard

	mu    sync.Mutex
	names []string
	ended bool
	busy  sync.WaitGroup
	base  *part // all that was added before Settle

	published bool // the index has taken over what was built
}

var _ indexer.Settler = (*builder)(nil)

// shard collects documents and writes segments.
type shard struct {
	mu    sync.Mutex
	b     *segment.Builder
	parts []*part
	gone  map[string]int // removed products: from this many parts
}

// Build implements indexer.Index.
func (x *Index) Build(ctx context.Context, fingerprint string) (indexer.Builder, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := x.state(); errors.Is(err, indexer.ErrClosed) {
		return nil, err
	}
	for _, old := range x.openBuilds() {
		if err := old.Abort(); err != nil {
			return nil, err
		}
	}
	b := &builder{x: x, fingerprint: fingerprint, seed: maphash.MakeSeed()}
	for range max(2, x.opts.Workers) {
		b.shards = append(b.shards, &shard{b: segment.NewBuilder(), gone: map[string]int{}})
	}
	x.mu.Lock()
	x.builds[b] = true
	x.mu.Unlock()
	return b, nil
}

var errEnded = errors.New("facetindex: the build has ended")

// Apply implements indexer.Builder.
func (b *builder) Apply(ctx context.Context, ops []indexer.Op) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	if b.ended {
		b.mu.Unlock()
		return errEnded
	}
	b.busy.Add(1)
	b.mu.Unlock()
	defer b.busy.Done()
	n := len(b.shards)
	of := make([]uint8, len(ops))
	for i := range ops {
		of[i] = uint8(maphash.String(b.seed, ops[i].SKU) % uint64(n))
	}
	todo := make([]bool, n)
	for _, k := range of {
		todo[k] = true
	}
	// Shards that are free come first, so that nobody waits without need.
	for _, wait := range []bool{false, true} {
		for k, s := range b.shards {
			if !todo[k] || !wait && !s.mu.TryLock() {
				continue
			}
			if wait {
				s.mu.Lock()
			}
			todo[k] = false
			if err := b.add(s, ops, of, uint8(k)); err != nil {
				return err
			}
		}
	}
	return nil
}

// add adds the ops of a shard, which it unlocks.
func (b *builder) add(s *shard, ops []indexer.Op, of []uint8, k uint8) error {
	defer s.mu.Unlock()
	for i := range ops {
		if of[i] != k {
			continue
		}
		s.b.Remove(ops[i].SKU)
		if len(ops[i].Docs) == 0 {
			s.gone[ops[i].SKU] = len(s.parts)
		}
		for _, d := range ops[i].Docs {
			s.b.Add(d)
		}
	}
	b.replace(ops, of, k)
	if s.b.Docs() >= shardDocs {
		return b.spill(s)
	}
	return nil
}

// replace marks what a shard's ops replace of what has settled.
func (b *builder) replace(ops []indexer.Op, of []uint8, k uint8) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.base == nil {
		return
	}
	var own []indexer.Op
	for i := range ops {
		if of[i] == k {
			own = append(own, ops[i])
		}
	}
	b.base.remove(own)
}

// Settle implements indexer.Settler: it makes one segment of all.
func (b *builder) Settle(ctx context.Context) error {
	b.mu.Lock()
	done := b.ended || b.base != nil
	b.mu.Unlock()
	if done {
		return nil
	}
	fresh, err := b.finish(ctx)
	if err != nil {
		return errors.Join(fmt.Errorf("facetindex: settling: %w", err), b.Abort())
	}
	for _, s := range b.shards {
		for _, p := range s.parts {
			err = errors.Join(err, p.drop())
		}
		s.parts, s.b, s.gone = nil, segment.NewBuilder(), map[string]int{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.base = fresh
	return err
}

// spill writes what a shard has collected, to be merged at the end.
func (b *builder) spill(s *shard) error {
	p, err := b.write(s.b.WriteBrief)
	if err != nil {
		return fmt.Errorf("facetindex: building: %w", err)
	}
	s.b.Reset()
	s.parts = append(s.parts, p)
	return nil
}

func (b *builder) write(f func(io.Writer) (*live.Columns, error)) (*part, error) {
	var names []string
	p, err := b.x.writePart(&names, f)
	b.mu.Lock()
	b.names = append(b.names, names...)
	b.mu.Unlock()
	if err == nil {
		p.obsolete.Store(true) // until it is published
	}
	return p, err
}

// Publish implements indexer.Builder.
func (b *builder) Publish(ctx context.Context, at catalog.Cursor) error {
	if err := b.end(ctx); err != nil {
		return err
	}
	fresh, err := b.finish(ctx)
	if err != nil {
		return errors.Join(fmt.Errorf("facetindex: publishing: %w", err), b.forget())
	}
	x := b.x
	x.maint.Lock()
	defer x.maint.Unlock()
	var parts []*part
	for _, p := range []*part{b.base, fresh} {
		if p != nil && p.docs() > 0 {
			parts = append(parts, p)
			p.refs.Add(1) // the index's; the build gives up its own
		}
	}
	err = x.publishBuild(b, parts, at)
	if fresh != nil {
		err = errors.Join(err, fresh.drop())
	}
	if err != nil {
		for _, p := range parts {
			if !b.published {
				err = errors.Join(err, p.drop())
			}
		}
		return errors.Join(fmt.Errorf("facetindex: publishing: %w", err), b.forget())
	}
	return b.forget()
}

// end lets nobody add anything more.
func (b *builder) end(ctx context.Context) error {
	b.mu.Lock()
	ended := b.ended
	b.ended = true
	b.mu.Unlock()
	if ended {
		return errEnded
	}
	b.busy.Wait()
	return ctx.Err()
}

// spillAll writes what is left when most is written already, so that merging has
// the memory for itself.
func (b *builder) spillAll() error {
	if !slices.ContainsFunc(b.shards, func(s *shard) bool { return len(s.parts) > 1 }) {
		return nil
	}
	errs := make([]error, len(b.shards))
	var wg sync.WaitGroup
	for i, s := range b.shards {
		wg.Go(func() {
			if s.b.Docs() > 0 {
				errs[i] = b.spill(s)
			}
			s.b = nil
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// finish makes one segment of all; nil if there are no documents.
func (b *builder) finish(ctx context.Context) (*part, error) {
	if err := b.spillAll(); err != nil {
		return nil, err
	}
	var list []segment.Input
	for _, s := range b.shards {
		for sku, n := range s.gone {
			for _, p := range s.parts[:n] {
				p.remove([]indexer.Op{{SKU: sku}})
			}
		}
		for _, p := range s.parts {
			list = append(list, segment.Input{Segment: p.seg, Live: p.live, Dead: deadOf(p.dead), Forget: p.forget})
		}
		if s.b != nil && s.b.Docs() > 0 {
			list = append(list, segment.Input{Builder: s.b})
		}
	}
	if err := ctx.Err(); err != nil || len(list) == 0 {
		return nil, err
	}
	return b.write(func(w io.Writer) (*live.Columns, error) { return segment.MergeApart(w, list, b.x.newSpool) })
}

// forget gives up what the build has left.
func (b *builder) forget() error {
	b.x.mu.Lock()
	delete(b.x.builds, b)
	b.x.mu.Unlock()
	var err error
	for _, s := range b.shards {
		for _, p := range s.parts {
			err = errors.Join(err, p.drop())
		}
		s.parts, s.b = nil, nil
	}
	if b.base != nil {
		err = errors.Join(err, b.base.drop())
		b.base = nil
	}
	return err
}

// Abort implements indexer.Builder.
func (b *builder) Abort() error { return b.abort() }

func (b *builder) abort() error {
	b.mu.Lock()
	ended := b.ended
	b.ended = true
	b.mu.Unlock()
	if ended {
		return nil
	}
	b.busy.Wait()
	return b.forget()
}

// publishBuild makes a generation the one that serves. The caller holds
// x.maint.
func (x *Index) publishBuild(b *builder, parts []*part, at catalog.Cursor) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.state(); errors.Is(err, indexer.ErrClosed) {
		return err
	}
	name := x.newFile("log")
	j, err := createJournal(x.disk, name)
	if err != nil {
		return err
	}
	m := &manifest{Fingerprint: b.fingerprint, Cursor: at, NextFile: x.nextFile, Journal: name, JournalLen: j.size}
	for _, p := range parts {
		m.Segments = append(m.Segments, manifestSegment{File: p.name, Live: p.liveName, Dead: encodeDead(p.dead)})
	}
	err = j.sync()
	var content []byte
	if err == nil {
		content, err = m.encode()
	}
	if err == nil {
		err = disk.Replace(x.disk, manifestName, content)
	}
	if err != nil {
		return errors.Join(err, j.file.Close(), x.disk.Remove(name))
	}
	old, oldJournal := x.parts, x.journal
	x.parts, b.published = parts, true
	for _, p := range parts {
		p.obsolete.Store(false)
		p.liveSeq = 0
	}
	x.cursor, x.durable, x.fingerprint, x.built = at, at, b.fingerprint, true
	x.journal, x.journalSeq, x.journalAt, x.sealed = j, 0, catalog.Cursor{}, j.size
	x.flushed = x.changes
	x.snapMu.Lock()
	x.broken = nil
	x.snapMu.Unlock()
	err = x.publish()
	for _, name := range x.stale {
		if rerr := x.disk.Remove(name); !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}
	x.stale = nil
	for _, p := range old {
		p.obsolete.Store(true)
		err = errors.Join(err, p.drop())
	}
	if oldJournal != nil {
		err = errors.Join(err, oldJournal.file.Close(), x.disk.Remove(oldJournal.name))
	}
	return err
}
