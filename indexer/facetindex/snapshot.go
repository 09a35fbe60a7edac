package facetindex

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/indexer/facetindex/internal/disk"
	"catalog/indexer/facetindex/internal/exec"
	"catalog/indexer/facetindex/internal/live"
	"catalog/indexer/facetindex/internal/segment"
)

// part is a segment of the index with what changes beside it. live, dead and
// marked are the writer's; a snapshot has its own copies.
type part struct {
	name, liveName string // "" in memory
	liveSeq        uint64 // the journal's records up to it are in the file
	seg            *segment.Segment
	live           *live.Columns
	liveDirty      bool // live is not what the file has
	dead           exec.Dead
	marked         int  // documents that are gone
	pinned         bool // a merge in the background works on it

	disk     disk.FS
	maps     []disk.Mapping
	refs     atomic.Int32
	obsolete atomic.Bool // its files are removed with the last reference
}

// drop gives up a reference.
func (p *part) drop() error {
	if p.refs.Add(-1) > 0 {
		return nil
	}
	var err error
	for _, m := range p.maps {
		err = errors.Join(err, m.Close())
	}
	if p.obsolete.Load() {
		for _, name := range []string{p.name, p.liveName} {
			if name != "" {
				err = errors.Join(err, p.disk.Remove(name))
			}
		}
	}
	return err
}

func (p *part) memory() bool { return p.name == "" }

// docs returns how many documents are still there.
func (p *part) docs() int { return p.seg.Docs - p.marked }

func (p *part) view() exec.View { return exec.View{Seg: p.seg, Live: p.live, Dead: p.dead} }

// snapshot is the index as a reader sees it.
type snapshot struct {
	parts  []*part
	views  []exec.View
	cursor catalog.Cursor
	refs   atomic.Int32
}

func (s *snapshot) drop() error {
	if s.refs.Add(-1) > 0 {
		return nil
	}
	var err error
	for _, p := range s.parts {
		err = errors.Join(err, p.drop())
	}
	return err
}

// acquire returns the current snapshot, to be dropped after use.
func (x *Index) acquire() (*snapshot, error) {
	x.snapMu.Lock()
	defer x.snapMu.Unlock()
	switch {
	case x.closed:
		return nil, indexer.ErrClosed
	case x.broken != nil:
		return nil, x.broken
	case x.snap == nil:
		return nil, indexer.ErrNoIndex
	}
	x.snap.refs.Add(1)
	return x.snap, nil
}

// publish makes the writer's parts what readers see.
func (x *Index) publish() error {
	s := &snapshot{cursor: x.cursor}
	s.refs.Store(1)
	for _, p := range x.parts {
		p.refs.Add(1)
		s.parts = append(s.parts, p)
		s.views = append(s.views, p.view())
	}
	x.snapMu.Lock()
	old := x.snap
	x.snap = s
	x.snapMu.Unlock()
	if old != nil {
		return old.drop()
	}
	return nil
}

// memoryPart makes a part of a segment that is written into memory.
func (x *Index) memoryPart(write func(*bytes.Buffer) (*live.Columns, error)) (*part, error) {
	var buf bytes.Buffer
	cols, err := write(&buf)
	if err != nil {
		return nil, err
	}
	seg, err := segment.Open(buf.Bytes())
	if err != nil {
		return nil, err
	}
	p := &part{seg: seg, live: cols, disk: x.disk}
	p.refs.Store(1)
	return p, nil
}

// openPart opens a segment and its live data. A file of at least later bytes is
// verified as it is used.
func openPart(d disk.FS, name, liveName string, later int) (*part, error) {
	p := &part{name: name, liveName: liveName, disk: d}
	p.refs.Store(1)
	if err := p.load(later); err != nil {
		return nil, errors.Join(err, p.drop())
	}
	return p, nil
}

func (p *part) load(later int) error {
	b, err := p.open(p.name)
	if err != nil {
		return err
	}
	if len(b) >= later {
		p.seg, err = segment.OpenLater(b, p.name)
	} else {
		p.seg, err = segment.Open(b)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	if b, err = p.open(p.liveName); err != nil {
		return err
	}
	if p.live, err = live.Decode(b); err != nil {
		if errors.Is(err, live.ErrCorrupt) {
			err = fmt.Errorf("%w: %w", indexer.ErrCorrupt, err)
		}
		return fmt.Errorf("%s: %w", p.liveName, err)
	}
	if p.live.Rows() != p.seg.Rows {
		return fmt.Errorf("%s: %d rows, not %d: %w", p.liveName, p.live.Rows(), p.seg.Rows, indexer.ErrCorrupt)
	}
	// What was read for the checksums is more than what searches need.
	p.forget()
	return nil
}

// forget gives back the memory that the files were read in.
func (p *part) forget() {
	for _, m := range p.maps {
		m.Forget()
	}
}

func (p *part) open(name string) ([]byte, error) {
	m, err := p.disk.Map(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", indexer.ErrCorrupt, err) // the manifest names it
	}
	p.maps = append(p.maps, m)
	return m.Bytes(), nil
}
