package facetindex

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"time"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/indexer/facetindex/internal/disk"
	"catalog/indexer/facetindex/internal/exec"
	"catalog/indexer/facetindex/internal/live"
	"catalog/indexer/facetindex/internal/segment"
)

// Segments of about the same size are merged when there are that many of them;
// and one alone when more than a third of its documents is gone.
const maxDiskParts = 6

// restAfter is how long no document may change before small segments are merged
// though they are few: a category's page of two million products takes 6 ms with
// one segment, 15 with fourteen small ones beside it.
const restAfter = 3 * time.Second

// background makes changes durable when it is time.
func (x *Index) background() {
	tick := time.NewTicker(min(x.opts.FlushAfter, time.Second))
	defer tick.Stop()
	for {
		select {
		case <-x.stop:
			return
		case <-x.wake:
		case <-tick.C:
		}
		if x.state() != nil {
			continue
		}
		x.maint.Lock()
		err := x.flush(false)
		x.maint.Unlock()
		if err != nil {
			x.opts.OnError(fmt.Errorf("facetindex: in the background: %w", err))
		}
	}
}

// Sync implements indexer.Index.
func (x *Index) Sync(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := x.state(); err != nil {
		return err
	}
	x.maint.Lock()
	defer x.maint.Unlock()
	if err := x.flush(true); err != nil {
		return fmt.Errorf("facetindex: flushing: %w", err)
	}
	return nil
}

// capture is the index at the moment of a flush.
type capture struct {
	parts   []*part
	dead    []exec.Dead
	lives   []*live.Columns
	dirty   []bool // live data is not what the file has
	merge   []int  // parts that become one
	cursor  catalog.Cursor
	seq     uint64
	changes uint64
	rewrite bool // live data of all parts, and the journal
}

// flush writes what is in memory to disk, if it is time or now is set, and
// merges. The caller holds x.maint.
func (x *Index) flush(now bool) error {
	x.mu.Lock()
	if !x.built {
		x.mu.Unlock()
		return nil
	}
	docs := x.changes != x.flushed
	due := docs && (now || x.memoryDocs() >= x.opts.FlushDocs || time.Since(x.waiting) >= x.opts.FlushAfter)
	c := x.plan(due)
	c.rewrite = (x.journal.size > x.opts.JournalBytes || x.journal.old) && (due || !docs)
	if !due && !c.rewrite && len(c.merge) == 0 {
		var err error
		if !docs && x.cursor != x.durable && x.journalAt.IsZero() {
			err = x.logLive(nil, x.cursor)
		}
		err = errors.Join(err, x.syncJournal())
		x.mu.Unlock()
		return err
	}
	x.waiting = time.Time{}
	x.merging, x.liveLog = true, nil
	for _, i := range c.merge {
		c.parts[i].pinned = true
	}
	x.mu.Unlock()
	err := x.write(c)
	x.mu.Lock()
	x.merging, x.liveLog = false, nil
	for _, i := range c.merge {
		c.parts[i].pinned = false
	}
	if err != nil && docs && x.waiting.IsZero() {
		x.waiting = time.Now()
	}
	x.mu.Unlock()
	return err
}

// seal tells the manifest how long the journal is, so that no part of it can
// be taken for what a crash left. The caller holds x.maint.
func (x *Index) seal() error {
	x.mu.Lock()
	if x.changes != x.flushed || x.journal.size == x.sealed {
		x.mu.Unlock()
		return nil
	}
	c := x.plan(false)
	c.merge = nil
	x.mu.Unlock()
	return x.write(c)
}

// syncJournal makes the journal durable. The caller holds x.mu.
func (x *Index) syncJournal() error {
	if err := x.journal.sync(); err != nil {
		return err
	}
	if !x.journalAt.IsZero() {
		x.durable, x.journalAt = x.journalAt, catalog.Cursor{}
	}
	return nil
}

// plan decides what is merged. Nothing is if documents wait in memory and it
// is not time for them: the manifest knows only states as a whole. The caller
// holds x.mu.
func (x *Index) plan(due bool) *capture {
	c := &capture{parts: x.parts, cursor: x.cursor, seq: x.journalSeq, changes: x.changes}
	for _, p := range x.parts {
		c.dead = append(c.dead, p.dead)
		c.lives = append(c.lives, p.live)
		c.dirty = append(c.dirty, p.liveDirty)
	}
	if x.changes != x.flushed && !due {
		return c
	}
	tiers := map[int][]int{}
	size := 0
	for i, p := range x.parts {
		switch {
		case p.memory():
			c.merge = append(c.merge, i)
			size += p.docs()
		case p.marked*3 > p.seg.Docs:
			c.merge = append(c.merge, i)
			size += p.docs()
		default:
			t := tier(p.docs())
			tiers[t] = append(tiers[t], i)
		}
	}
	for t := 0; t < 16; t++ {
		n := len(tiers[t])
		if size > 0 && tier(size) == t {
			n++
		}
		if n > maxDiskParts {
			c.merge = append(c.merge, tiers[t]...)
			for _, i := range tiers[t] {
				size += x.parts[i].docs()
			}
		}
	}
	if len(c.merge) == 0 && x.changes == x.flushed && time.Since(x.applied) >= x.opts.rest {
		c.merge = small(x.parts)
	}
	return c
}

// small returns the segments, if there are several, that are best one: behind
// the smallest that is at least twice as large as all smaller ones together.
// What is merged again and again grows by half at least each time, so that a
// document is rewritten a few times at most.
func small(parts []*part) []int {
	order := make([]int, len(parts))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(parts[a].docs(), parts[b].docs()) })
	n, sum := 0, 0
	for k, i := range order {
		docs := parts[i].docs()
		if docs < 2*sum {
			n = k + 1
		}
		sum += docs
	}
	return order[:n]
}

// tier returns the class of size of a segment: each is eight times the one
// before.
func tier(docs int) int { return bits.Len(uint(docs)>>10) / 3 }

// write writes the capture to disk and makes it what the manifest says.
func (x *Index) write(c *capture) (err error) {
	var fresh *part
	var names []string // of files that are in vain if something fails
	defer func() {
		if err == nil {
			return
		}
		if fresh != nil {
			err = errors.Join(err, fresh.drop())
		}
		for _, n := range names {
			_ = x.disk.Remove(n) // opening the index removes it, too
		}
	}()
	if len(c.merge) > 0 {
		var list []segment.Input
		for _, i := range c.merge {
			list = append(list, segment.Input{Segment: c.parts[i].seg, Live: c.lives[i], Dead: deadOf(c.dead[i])})
		}
		fresh, err = x.writePart(&names, func(w io.Writer) (*live.Columns, error) {
			return segment.MergeApart(w, list, x.newSpool)
		})
		if err != nil {
			return err
		}
		fresh.liveSeq = c.seq
	}
	return x.commit(c, fresh, &names)
}

func deadOf(d exec.Dead) func(uint32) bool {
	if d == nil {
		return nil
	}
	return d.Has
}

// writePart writes a segment and its live data into new files and opens them.
func (x *Index) writePart(names *[]string, write func(io.Writer) (*live.Columns, error)) (*part, error) {
	x.mu.Lock()
	name, liveName := x.newFile("seg"), x.newFile("live")
	x.mu.Unlock()
	*names = append(*names, name, liveName)
	var cols *live.Columns
	err := disk.Write(x.disk, name, func(w io.Writer) (err error) {
		cols, err = write(w)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := x.writeLive(liveName, cols); err != nil {
		return nil, err
	}
	return openPart(x.disk, name, liveName, x.opts.later)
}

func (x *Index) writeLive(name string, cols *live.Columns) error {
	return disk.Write(x.disk, name, func(w io.Writer) error {
		_, err := w.Write(cols.Encode())
		return err
	})
}

// commit makes the captured state, with one part in the place of those that
// were merged, durable by a new manifest, and then visible with all that
// happened since.
func (x *Index) commit(c *capture, fresh *part, names *[]string) error {
	merged := map[int]bool{}
	for _, i := range c.merge {
		merged[i] = true
	}
	x.mu.Lock()
	m := &manifest{Fingerprint: x.fingerprint, Cursor: c.cursor, Journal: x.journal.name, JournalSeq: c.seq, JournalLen: x.journal.size}
	err := x.journal.sync()
	x.mu.Unlock()
	if err != nil {
		return err
	}
	lives := map[*part]string{}
	for i, p := range c.parts {
		if merged[i] {
			continue
		}
		s := manifestSegment{File: p.name, Live: p.liveName, LiveSeq: p.liveSeq, Dead: encodeDead(c.dead[i])}
		if c.rewrite && c.dirty[i] {
			x.mu.Lock()
			s.Live, s.LiveSeq = x.newFile("live"), c.seq
			x.mu.Unlock()
			*names = append(*names, s.Live)
			if err := x.writeLive(s.Live, c.lives[i]); err != nil {
				return err
			}
			lives[p] = s.Live
		}
		m.Segments = append(m.Segments, s)
	}
	if fresh != nil && fresh.seg.Docs > 0 {
		m.Segments = append(m.Segments, manifestSegment{File: fresh.name, Live: fresh.liveName, LiveSeq: c.seq})
	}
	var next *journal
	x.mu.Lock()
	defer x.mu.Unlock()
	// A new journal begins with what came after the capture: so writers wait
	// until the manifest names it.
	if c.rewrite {
		if next, err = x.newJournal(c, names); err != nil {
			return err
		}
		m.Journal, m.JournalLen = next.name, next.size
	}
	m.NextFile = x.nextFile
	b, err := m.encode()
	if err == nil {
		err = disk.Replace(x.disk, manifestName, b)
	}
	if err != nil {
		if next != nil {
			err = errors.Join(err, next.file.Close())
		}
		return err
	}
	*names = nil
	x.sealed = m.JournalLen
	return x.adopt(c, fresh, next, lives)
}

// newJournal writes a journal of the live data since the capture. The caller
// holds x.mu.
func (x *Index) newJournal(c *capture, names *[]string) (*journal, error) {
	name := x.newFile("log")
	j, err := createJournal(x.disk, name)
	if err != nil {
		return nil, err
	}
	*names = append(*names, name)
	if x.journalSeq > c.seq {
		err = j.append(&record{seq: x.journalSeq, clean: x.changes == c.changes, at: x.cursor, ops: x.liveLog})
	}
	if err == nil {
		err = j.sync()
	}
	if err != nil {
		return nil, errors.Join(err, j.file.Close())
	}
	return j, nil
}

// adopt takes over what the manifest says by now. The caller holds x.mu.
func (x *Index) adopt(c *capture, fresh *part, next *journal, lives map[*part]string) error {
	var errs []error
	x.durable, x.flushed = c.cursor, c.changes
	x.journalAt = catalog.Cursor{}
	if x.changes == x.flushed && (next != nil || x.journalSeq == c.seq) {
		x.durable = x.cursor
	}
	if next != nil {
		errs = append(errs, x.journal.file.Close(), x.disk.Remove(x.journal.name))
		x.journal = next
	}
	for p, name := range lives {
		// The old file is still mapped by readers; its name is not needed.
		errs = append(errs, x.disk.Remove(p.liveName))
		p.liveName, p.liveSeq = name, c.seq
		p.liveDirty = p.live != c.lives[indexOf(c.parts, p)]
	}
	if len(c.merge) == 0 {
		return errors.Join(append(errs, x.publish())...)
	}
	var old []*part
	for _, i := range c.merge {
		p := c.parts[i]
		old = append(old, p)
		p.obsolete.Store(true)
		fresh.markSince(p, c.dead[i])
	}
	fresh.applyLive(x.liveLog)
	errs = append(errs, x.replaceParts(old, fresh), x.publish())
	return errors.Join(errs...)
}

func indexOf(parts []*part, p *part) int {
	for i := range parts {
		if parts[i] == p {
			return i
		}
	}
	return -1
}

// markSince marks the products of which documents are gone from old since then.
func (p *part) markSince(old *part, then exec.Dead) {
	var ops []indexer.Op
	for c, words := range old.dead {
		for i, w := range words {
			if c < len(then) && then[c] != nil {
				w &^= then[c][i]
			}
			for ; w != 0; w &= w - 1 {
				doc := uint32(c<<16 | i<<6 | bits.TrailingZeros64(w))
				ops = append(ops, indexer.Op{SKU: old.seg.SKUs.String(int(old.seg.DocSKU.At(int(doc))))})
			}
		}
	}
	p.remove(ops)
}
