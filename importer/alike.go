package importer

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"catalog/catalog"
	"catalog/importer/export"
)

const (
	// alikeBatch is how many bodies are fetched at a time to be compared.
	alikeBatch = 1000
	// alikeTrial is how many bodies in a row may turn out to mean something else
	// before it is taken for granted of most.
	alikeTrial = 4000
	// alikeSample is how many of those that follow there are to one that is
	// still compared.
	alikeSample = 32
)

// keepAlike looks at writes whose bodies differ from the stored ones in their
// bytes: where they mean the same (members in another order, numbers or
// strings in another spelling) the stored body stays, so that a supplier whose
// export shuffles its members does not change two million products a night.
// Prices and stock, which are built here, have their members in one order
// anyway.
//
// It costs a look at the old body of each record that is to be changed, which
// is a block of the store for each of a few among many. Who shuffles does so
// with many records: once alikeTrial of them meant something else, samples of a
// batch are compared, and the rest of it only if one of these is alike. What
// slips through is written as a change, which it is, if of spelling only.
func (r *run) keepAlike(ctx context.Context, writes []catalog.Write) error {
	for _, kind := range []catalog.Kind{catalog.KindProduct, catalog.KindCategory, catalog.KindAttribute} {
		var at []int
		for i := range writes {
			if w := &writes[i]; w.Kind == kind && w.Body != nil {
				at = append(at, i)
			}
		}
		// In the order of their keys, as they stand in the store.
		slices.SortFunc(at, func(a, b int) int { return cmp.Compare(writes[a].Key, writes[b].Key) })
		if r.unlike >= alikeTrial {
			samples, rest := sampled(at)
			found, err := r.keepAlikeAmong(ctx, kind, writes, samples)
			if err != nil {
				return err
			}
			if !found {
				continue
			}
			at = rest
		}
		if _, err := r.keepAlikeAmong(ctx, kind, writes, at); err != nil {
			return err
		}
	}
	return nil
}

// sampled splits a list into one of alikeSample and the rest.
func sampled(at []int) (samples, rest []int) {
	for i, x := range at {
		if i%alikeSample == alikeSample/2 {
			samples = append(samples, x)
		} else {
			rest = append(rest, x)
		}
	}
	return samples, rest
}

// keepAlikeAmong looks at the writes at those places, and reports whether one
// of them means what is stored.
func (r *run) keepAlikeAmong(ctx context.Context, kind catalog.Kind, writes []catalog.Write, at []int) (found bool, err error) {
	var alike, unlike atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.o.Workers)
	for part := range slices.Chunk(at, alikeBatch) {
		g.Go(func() error {
			same, other, err := r.keepAlikeOf(ctx, kind, writes, part)
			alike.Add(same)
			unlike.Add(other)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return false, err
	}
	if r.unlike += unlike.Load(); alike.Load() > 0 {
		r.unlike = 0
	}
	return alike.Load() > 0, nil
}

func (r *run) keepAlikeOf(ctx context.Context, kind catalog.Kind, writes []catalog.Write, at []int) (alike, unlike int64, err error) {
	keys := make([]catalog.Key, len(at))
	for j, i := range at {
		keys[j] = writes[i].Key
	}
	old, err := r.store.Get(ctx, kind, keys...)
	if err != nil {
		return 0, 0, err
	}
	var c export.Canonicalizer
	var a, b []byte
	for j, i := range at {
		if !old[j].Exists() || old[j].Hash == writes[i].Hash {
			continue
		}
		var errA, errB error
		a, errA = c.Append(a[:0], old[j].Body)
		b, errB = c.Append(b[:0], writes[i].Body)
		if errA == nil && errB == nil && bytes.Equal(a, b) {
			writes[i].Body, writes[i].Hash = old[j].Body, old[j].Hash
			alike++
		} else {
			unlike++
		}
	}
	return alike, unlike, nil
}
