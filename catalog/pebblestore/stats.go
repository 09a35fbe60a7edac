package pebblestore

import (
	"context"
	"strconv"

	"github.com/cockroachdb/pebble/v2"

	"catalog/catalog"
)

// Stats implements catalog.Store.
func (s *Store) Stats(ctx context.Context) (catalog.Stats, error) {
	stats, err := s.stats(ctx)
	return stats, wrap("stats", err)
}

func (s *Store) stats(ctx context.Context) (catalog.Stats, error) {
	if err := s.enter(ctx); err != nil {
		return catalog.Stats{}, err
	}
	defer s.leave()
	st, err := s.stored()
	if err != nil {
		return catalog.Stats{}, err
	}
	r := catalog.Stats{
		Backend:    "pebble",
		Location:   s.dir,
		Format:     formatVersion,
		Records:    make(map[catalog.Kind]int64),
		Sources:    make(map[string]int64),
		Tail:       st.cursor(),
		LogEntries: int64(st.tail - st.trimmed),
	}
	if r.LogEntries > 0 {
		r.LogFirst = st.trimmed + 1
	}
	for _, k := range catalog.Kinds() {
		r.Records[k] = st.counts[k]
	}
	for id, n := range st.owned {
		name, err := s.names.name(uint32(id))
		if err != nil {
			return catalog.Stats{}, err
		}
		if n > 0 {
			r.Sources[name] = n
		}
	}
	var m *pebble.Metrics
	if err := s.watch.guard(func() error { m = s.db.Metrics(); return nil }); err != nil {
		return catalog.Stats{}, err
	}
	// What is obsolete is about to be deleted, and not counted.
	r.DiskBytes = int64(m.WAL.PhysicalSize + m.Table.Local.LiveSize + m.BlobFiles.Local.LiveSize)
	r.Extra = map[string]string{
		"read_amplification": strconv.Itoa(m.ReadAmp()),
		"compaction_debt":    strconv.FormatUint(m.Compact.EstimatedDebt, 10),
		"compactions":        strconv.FormatInt(m.Compact.Count, 10),
	}
	return r, nil
}
