package facetindex

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/indexer/facetindex/internal/exec"
)

// read calls f with the current snapshot.
func read[T any](ctx context.Context, x *Index, f func(*snapshot) (T, error)) (out T, err error) {
	if err := ctx.Err(); err != nil {
		return out, err
	}
	s, err := x.acquire()
	if err != nil {
		return out, err
	}
	defer func() {
		if e := s.drop(); e != nil && err == nil {
			err = fmt.Errorf("facetindex: %w", e)
		}
	}()
	if out, err = f(s); err != nil {
		x.noteDamage(err)
	}
	return out, err
}

// beginSearch counts a search that begins, and returns how many goroutines may
// share it: one that is alone has all.
func (x *Index) beginSearch() (workers int) {
	if x.searches.Add(1) > 1 {
		return 1
	}
	return x.opts.Workers
}

// Search implements indexer.Searcher.
func (x *Index) Search(ctx context.Context, q *indexer.Prepared) (*indexer.Result, error) {
	return read(ctx, x, func(s *snapshot) (*indexer.Result, error) {
		defer x.searches.Add(-1)
		r, err := exec.Search(ctx, s.views, q, x.beginSearch())
		if err != nil {
			return nil, err
		}
		r.At = s.cursor
		return r, nil
	})
}

// Suggest implements indexer.Searcher.
func (x *Index) Suggest(ctx context.Context, q *indexer.Prepared, limit int) (*indexer.Suggestions, error) {
	return read(ctx, x, func(s *snapshot) (*indexer.Suggestions, error) {
		defer x.searches.Add(-1)
		return exec.Suggest(ctx, s.views, q, limit, x.beginSearch())
	})
}

// Rank implements indexer.Searcher.
func (x *Index) Rank(ctx context.Context, q *indexer.Prepared, sku string) (int, error) {
	return read(ctx, x, func(s *snapshot) (int, error) { return exec.Rank(ctx, s.views, q, sku) })
}

// Attributes implements indexer.Searcher.
func (x *Index) Attributes(ctx context.Context) ([]indexer.AttributeStats, error) {
	return read(ctx, x, func(s *snapshot) ([]indexer.AttributeStats, error) { return exec.Attributes(ctx, s.views) })
}

// Due implements indexer.Index.
func (x *Index) Due(ctx context.Context, now time.Time, limit int) ([]string, time.Time, error) {
	var next time.Time
	skus, err := read(ctx, x, func(s *snapshot) (skus []string, err error) {
		skus, next, err = exec.Due(ctx, s.views, now, limit)
		return skus, err
	})
	return skus, next, err
}

// Families implements indexer.FamilyIndex.
func (x *Index) Families(ctx context.Context, skus []string) (map[string][]string, error) {
	return read(ctx, x, func(s *snapshot) (map[string][]string, error) {
		out := map[string][]string{}
		for _, sku := range skus {
			var units []string
			for i := range s.views {
				if s.views[i].Family(sku) {
					units = appendUnits(units, &s.views[i], sku)
				}
			}
			if units != nil {
				out[sku] = units
			}
		}
		return out, nil
	})
}

// appendUnits appends the units of a product's documents, all of which are in
// one segment.
func appendUnits(dst []string, v *exec.View, sku string) []string {
	var units []int
	for doc, end := v.Seg.Find(sku); doc < end; doc++ {
		if !v.Alive(doc) {
			continue
		}
		for row, to := v.Seg.First.At(int(doc)), v.Seg.First.At(int(doc)+1); row < to; row++ {
			units = append(units, int(v.Seg.RowSKU.At(int(row))))
		}
	}
	slices.Sort(units)
	for _, u := range slices.Compact(units) {
		dst = append(dst, v.Seg.SKUs.String(u))
	}
	return dst
}

// Digests implements indexer.Index.
func (x *Index) Digests(ctx context.Context, h *indexer.Digester) iter.Seq2[indexer.Digest, error] {
	return func(yield func(indexer.Digest, error) bool) {
		_, err := read(ctx, x, func(s *snapshot) (struct{}, error) {
			for d, err := range exec.Digests(ctx, s.views, h) {
				if err != nil {
					x.noteDamage(err)
				}
				if !yield(d, err) {
					break
				}
			}
			return struct{}{}, nil
		})
		if err != nil {
			yield(indexer.Digest{}, err)
		}
	}
}

// Cursor implements indexer.Index.
func (x *Index) Cursor(ctx context.Context) (catalog.Cursor, error) {
	if err := ctx.Err(); err != nil {
		return catalog.Cursor{}, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.durable, x.state()
}

// Fingerprint implements indexer.Index.
func (x *Index) Fingerprint(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.fingerprint, x.state()
}

// Stats implements indexer.Index.
func (x *Index) Stats(ctx context.Context) (indexer.IndexStats, error) {
	out, err := read(ctx, x, func(s *snapshot) (indexer.IndexStats, error) {
		out := indexer.IndexStats{Backend: "facetindex", Location: x.dir}
		memory, gone := 0, 0
		for i, v := range s.views {
			dead := v.Dead.Count()
			gone += dead
			out.Documents += int64(v.Seg.Docs - dead)
			out.Units += int64(v.Seg.Rows)
			for doc := range v.Dead.Each() {
				out.Units -= v.Seg.First.At(int(doc)+1) - v.Seg.First.At(int(doc))
			}
			if s.parts[i].memory() {
				memory++
			}
			for _, m := range s.parts[i].maps {
				out.DiskBytes += int64(len(m.Bytes()))
			}
		}
		out.Extra = map[string]string{
			"segments":        strconv.Itoa(len(s.views)),
			"memory segments": strconv.Itoa(memory),
			"gone documents":  strconv.Itoa(gone),
		}
		return out, nil
	})
	x.mu.Lock()
	defer x.mu.Unlock()
	out.Cursor, out.Fingerprint = x.durable, x.fingerprint
	if x.journal != nil {
		out.DiskBytes += x.journal.size
	}
	return out, err
}
