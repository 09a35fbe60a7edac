package pebblestore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"

	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sync/errgroup"

	"catalog/catalog"
)

// shardBytes is about how much one table takes before it is compressed.
const shardBytes = 24 << 20

// loader names the tables of bulk Applies.
type loader struct {
	next int
}

// table is one to be built.
type table struct {
	path  string
	bytes int64
	emit  func(sink) error
}

// bulk stores p as sorted tables, which become a part of the store together.
// It goes around the write-ahead log and the memtable, and costs a fraction.
func (s *Store) bulk(ctx context.Context, p *plan) (err error) {
	s.sched.beginLoad()
	defer s.sched.endLoad()
	tables := s.tables(p)
	defer func() {
		if err != nil {
			s.discard(tables)
		}
	}()
	slices.SortFunc(tables, func(a, b table) int { return -cmp.Compare(a.bytes, b.bytes) })
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(s.workers())
	for i := range tables {
		g.Go(func() error { return s.build(gctx, &tables[i]) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	paths := make([]string, len(tables))
	for i := range tables {
		paths[i] = tables[i].path
	}
	// From here on it is done or not, whatever becomes of the caller.
	return s.watch.guard(func() error { return s.db.Ingest(context.WithoutCancel(ctx), paths) })
}

// workers is how many goroutines share the work of one operation.
func (s *Store) workers() int {
	if s.opts.Workers > 0 {
		return s.opts.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// tables divides p into tables that do not overlap: one or more a space, so
// that what belongs to different spaces never meets in a compaction.
func (s *Store) tables(p *plan) []table {
	tables := []table{s.table(int64(len(p.log.buf)), func(to sink) error { return p.emitSystem(to, &s.names) })}
	for _, k := range catalog.Kinds() {
		for _, outs := range p.shards(k) {
			tables = append(tables, s.table(outs.heads, func(to sink) error { return p.emitHeads(to, k, outs.outs) }))
			if outs.bodies > 0 {
				tables = append(tables, s.table(outs.bodies, func(to sink) error { return p.emitBodies(to, k, outs.outs) }))
			}
		}
	}
	if len(p.refs.items) > 0 {
		tables = append(tables, s.table(int64(len(p.refs.arena)), p.emitRefs))
	}
	return tables
}

func (s *Store) table(bytes int64, emit func(sink) error) table {
	s.load.next++
	path := s.opts.FS.PathJoin(s.dir, loadName, fmt.Sprintf("%06d.sst", s.load.next))
	return table{path: path, bytes: bytes, emit: emit}
}

// shard is a run of outs whose tables are of a good size.
type shard struct {
	outs          []out
	heads, bodies int64 // about as many bytes; bodies: those kept apart
}

func (p *plan) shards(k catalog.Kind) []shard {
	var shards []shard
	outs := p.outs[k]
	apart := hasBodyApart(k)
	var cur shard
	start := 0
	for n := range outs {
		w := &p.writes[outs[n].i]
		size := int64(len(w.Body) + len(w.Key))
		cur.heads += int64(len(w.Key)) + 64
		if !apart {
			cur.heads += size
		} else if outs[n].replaced {
			cur.bodies += size
		}
		if max(cur.heads, cur.bodies) >= shardBytes || n == len(outs)-1 {
			cur.outs = outs[start : n+1]
			shards = append(shards, cur)
			cur, start = shard{}, n+1
		}
	}
	return shards
}

// build writes one table and syncs it.
func (s *Store) build(ctx context.Context, t *table) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	f, err := s.opts.FS.Create(t.path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	if t, ok := f.(*tableFile); ok {
		t.goDirect()
	}
	f = vfs.NewSyncingFile(f, vfs.SyncingFileOptions{BytesPerSync: s.dbo.BytesPerSync})
	w := sstable.NewWriter(objstorageprovider.NewFileWritable(f), s.dbo.MakeWriterOptions(0, s.db.TableFormat()))
	defer func() { err = errors.Join(err, w.Close()) }()
	return t.emit(tableSink{w})
}

// discard removes tables that did not become a part of the store.
func (s *Store) discard(tables []table) {
	for i := range tables {
		err := s.opts.FS.Remove(tables[i].path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.opts.Logger.Warn("a table that was not used stays until the store is opened again", "path", tables[i].path, "err", err)
		}
	}
}
