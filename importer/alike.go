package importer

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"catalog/catalog"
	"catalog/importer/export"
)

// alikeBatch is how many bodies are fetched at a time to be compared.
const alikeBatch = 1000

// keepAlike looks at writes whose bodies differ from the stored ones in their
// bytes: where they mean the same (members in another order, numbers or
// strings in another spelling) the stored body stays, so that a supplier whose
// export shuffles its members does not change two million products a night.
// It costs a look at the old body of each record that is to be changed; prices
// and stock, which are built here, have their members in one order anyway.
func (r *run) keepAlike(ctx context.Context, writes []catalog.Write) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.o.Workers)
	for _, kind := range []catalog.Kind{catalog.KindProduct, catalog.KindCategory, catalog.KindAttribute} {
		var at []int
		for i := range writes {
			if w := &writes[i]; w.Kind == kind && w.Body != nil {
				at = append(at, i)
			}
		}
		// In the order of their keys, as they stand in the store.
		slices.SortFunc(at, func(a, b int) int { return cmp.Compare(writes[a].Key, writes[b].Key) })
		for part := range slices.Chunk(at, alikeBatch) {
			g.Go(func() error { return r.keepAlikeOf(ctx, kind, writes, part) })
		}
	}
	return g.Wait()
}

func (r *run) keepAlikeOf(ctx context.Context, kind catalog.Kind, writes []catalog.Write, at []int) error {
	keys := make([]catalog.Key, len(at))
	for j, i := range at {
		keys[j] = writes[i].Key
	}
	old, err := r.store.Get(ctx, kind, keys...)
	if err != nil {
		return err
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
		}
	}
	return nil
}
