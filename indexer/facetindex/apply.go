package facetindex

import (
	"bytes"
	"context"
	"fmt"
	"math/bits"
	"time"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/indexer/facetindex/internal/live"
	"catalog/indexer/facetindex/internal/segment"
)

// maxMemoryParts is how many segments of about the same size are in memory
// before they are merged.
const maxMemoryParts = 6

const (
	// maxWaiting is how many times FlushDocs documents may be in memory: then
	// whoever brings more waits, or writes them to disk himself.
	maxWaiting = 4
	// maxLiveLog is how much live data is kept at most of what came while
	// segments are merged.
	maxLiveLog = 1 << 19
)

// room waits until there is memory for more, so that an index on a slow disk
// takes no more of it for being slow.
func (x *Index) room() error {
	x.mu.Lock()
	docs, ops := x.memoryDocs() >= maxWaiting*x.opts.FlushDocs, len(x.liveLog) >= x.opts.liveLog
	x.mu.Unlock()
	if !docs && !ops {
		return nil
	}
	x.maint.Lock()
	defer x.maint.Unlock()
	x.mu.Lock()
	docs = x.memoryDocs() >= maxWaiting*x.opts.FlushDocs
	x.mu.Unlock()
	if !docs || x.state() != nil {
		return nil
	}
	return x.flush(true)
}

// Apply implements indexer.Index.
func (x *Index) Apply(ctx context.Context, ops []indexer.Op, at catalog.Cursor) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := x.room(); err != nil {
		return fmt.Errorf("facetindex: making room for %d changes: %w", len(ops), err)
	}
	// What the new documents become is made before the lock is taken.
	last := map[string]int{}
	for i := range ops {
		last[ops[i].SKU] = i
	}
	b := segment.NewBuilder()
	for i := range ops {
		if last[ops[i].SKU] != i {
			continue
		}
		for _, d := range ops[i].Docs {
			b.Add(d)
		}
	}
	var fresh *part
	if b.Docs() > 0 {
		var err error
		if fresh, err = x.memoryPart(func(w *bytes.Buffer) (*live.Columns, error) { return b.Write(w) }); err != nil {
			return fmt.Errorf("facetindex: applying %d changes: %w", len(ops), err)
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.state(); err != nil {
		return err
	}
	if len(ops) == 0 {
		return x.logLive(nil, at)
	}
	for _, p := range x.parts {
		p.remove(ops)
	}
	if fresh != nil {
		x.parts = append(x.parts, fresh)
	}
	x.changes++
	x.applied = time.Now()
	if x.waiting.IsZero() {
		x.waiting = x.applied
	}
	if !at.IsZero() {
		x.cursor = at
	}
	if err := x.tidyMemory(); err != nil {
		return fmt.Errorf("facetindex: applying %d changes: %w", len(ops), err)
	}
	if x.memoryDocs() >= x.opts.FlushDocs {
		x.poke()
	}
	return x.publish()
}

// remove marks the documents of products as gone.
func (p *part) remove(ops []indexer.Op) {
	var gone []uint32
	for i := range ops {
		for lo, hi := p.seg.Find(ops[i].SKU); lo < hi; lo++ {
			if !p.dead.Has(lo) {
				gone = append(gone, lo)
			}
		}
	}
	p.mark(gone)
}

func (p *part) mark(gone []uint32) {
	if len(gone) > 0 {
		p.dead = p.dead.With(gone, p.seg.Docs)
		p.marked = p.dead.Count()
	}
}

func (x *Index) memoryDocs() int {
	n := 0
	for _, p := range x.parts {
		if p.memory() {
			n += p.docs()
		}
	}
	return n
}

// tidyMemory merges segments in memory when there are many of a size, and
// drops those of which nothing is left. Parts that a merge in the background
// works on stay.
func (x *Index) tidyMemory() error {
	for {
		tiers := map[int][]*part{}
		var pick []*part
		for _, p := range x.parts {
			if !p.memory() || x.merging && p.pinned {
				continue
			}
			t := bits.Len(uint(p.seg.Docs)) / 3
			tiers[t] = append(tiers[t], p)
			if len(tiers[t]) > maxMemoryParts {
				pick = tiers[t]
			}
		}
		if pick == nil {
			return nil
		}
		fresh, err := x.memoryPart(func(w *bytes.Buffer) (*live.Columns, error) { return segment.Merge(w, inputs(pick)) })
		if err != nil {
			return err
		}
		if err := x.replaceParts(pick, fresh); err != nil {
			return err
		}
	}
}

// inputs returns parts as they are now, to be merged.
func inputs(parts []*part) []segment.Input {
	var list []segment.Input
	for _, p := range parts {
		in := segment.Input{Segment: p.seg, Live: p.live}
		if dead := p.dead; p.marked > 0 {
			in.Dead = dead.Has
		}
		list = append(list, in)
	}
	return list
}

// replaceParts puts one part in the place of others; it may be nil or empty.
func (x *Index) replaceParts(old []*part, fresh *part) error {
	gone := map[*part]bool{}
	for _, p := range old {
		gone[p] = true
	}
	var list []*part
	for _, p := range x.parts {
		if !gone[p] {
			list = append(list, p)
		}
	}
	if fresh != nil && fresh.seg.Docs > 0 {
		list = append(list, fresh)
	} else if fresh != nil {
		fresh.obsolete.Store(true)
		if err := fresh.drop(); err != nil {
			return err
		}
	}
	x.parts = list
	for _, p := range old {
		if err := p.drop(); err != nil {
			return err
		}
	}
	return nil
}

// ApplyLive implements indexer.LiveIndex.
func (x *Index) ApplyLive(ctx context.Context, ops []indexer.LiveOp, at catalog.Cursor) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := x.room(); err != nil {
		return fmt.Errorf("facetindex: making room for %d prices and stocks: %w", len(ops), err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.state(); err != nil {
		return err
	}
	for _, p := range x.parts {
		p.applyLive(ops)
	}
	if x.merging {
		x.liveLog = append(x.liveLog, ops...)
	}
	return x.logLive(ops, at)
}

// logLive writes live data into the journal and publishes it.
func (x *Index) logLive(ops []indexer.LiveOp, at catalog.Cursor) error {
	if !at.IsZero() {
		x.cursor = at
	}
	clean := x.changes == x.flushed
	if len(ops) > 0 || clean && !at.IsZero() {
		x.journalSeq++
		r := record{seq: x.journalSeq, clean: clean, at: at, ops: ops}
		if err := x.journal.append(&r); err != nil {
			return fmt.Errorf("facetindex: writing %s: %w", x.journal.name, err)
		}
		if clean && !at.IsZero() {
			x.journalAt = at
		}
		if x.journal.size > x.opts.JournalBytes {
			x.poke()
		}
	}
	return x.publish()
}

// applyLive changes the rows of units.
func (p *part) applyLive(ops []indexer.LiveOp) {
	var changes []live.Change
	var rows []uint32
	for i := range ops {
		sku, ok := p.seg.SKUs.Find([]byte(ops[i].SKU))
		if !ok {
			continue
		}
		rows = p.seg.RowsOf(rows[:0], sku)
		for _, row := range rows {
			changes = append(changes, live.Change{Row: row, Part: ops[i].Part, Live: &ops[i].Live})
		}
	}
	if len(changes) > 0 {
		p.live = p.live.With(changes)
		p.liveDirty = true
	}
}

// poke makes the background look what there is to do.
func (x *Index) poke() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}
