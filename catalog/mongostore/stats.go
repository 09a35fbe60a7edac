package mongostore

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"catalog/catalog"
)

// Stats implements catalog.Store. It reads the log's blocks, without their
// entries, and counts no records.
func (s *Store) Stats(ctx context.Context) (catalog.Stats, error) {
	stats, err := s.stats(ctx, true)
	return stats, wrap(ctx, "stats", err)
}

// Counts implements catalog.Counter.
func (s *Store) Counts(ctx context.Context) (catalog.Stats, error) {
	stats, err := s.stats(ctx, false)
	return stats, wrap(ctx, "count", err)
}

func (s *Store) stats(ctx context.Context, size bool) (catalog.Stats, error) {
	if err := s.enter(ctx); err != nil {
		return catalog.Stats{}, err
	}
	defer s.leave()
	for {
		st, tail, err := s.view(ctx)
		if err != nil {
			return catalog.Stats{}, err
		}
		out, err := s.count(ctx, st, tail)
		if err != nil {
			return out, err
		}
		after, err := s.current(ctx)
		if err != nil {
			return out, err
		}
		if after.Epoch == st.Epoch && after.First == st.First { // nobody trimmed meanwhile
			if size {
				out.DiskBytes, err = s.size(ctx)
			}
			return out, err
		}
	}
}

func (s *Store) count(ctx context.Context, st *state, tail int64) (catalog.Stats, error) {
	out := catalog.Stats{
		Backend: "mongodb", Location: s.where, Format: st.Format, Tail: st.cursor(tail),
		Records: map[catalog.Kind]int64{}, Sources: map[string]int64{},
	}
	sum := counts{}
	sum.add(st.Base)
	pos, _, _ := s.order.at()
	err := s.blocks(ctx, st.First, max(tail, pos-1), func(b *block) {
		sum.add(b.Deltas)
		first := max(b.ID, st.Trimmed+1)
		if n := b.ID + b.Count - first; n > 0 {
			out.LogEntries += n
			if out.LogFirst == 0 {
				out.LogFirst = catalog.Seq(first)
			}
		}
	})
	for k, n := range sum {
		out.Records[k.kind] += n
		if k.kind == catalog.KindProduct && n != 0 {
			out.Sources[k.source] += n
		}
	}
	return out, err
}

// size returns what the database takes on disk, 0 where the server does not say.
func (s *Store) size(ctx context.Context) (int64, error) {
	var sizes struct {
		Storage float64 `bson:"storageSize"`
		Index   float64 `bson:"indexSize"`
	}
	err := s.try(ctx, func(ctx context.Context) error {
		return s.db.RunCommand(ctx, bson.D{{Key: "dbStats", Value: 1}}).Decode(&sizes)
	})
	if err != nil && (away(err) || ctx.Err() != nil) {
		return 0, err
	}
	return int64(sizes.Storage + sizes.Index), nil
}
