package importer

import (
	"bytes"
	"context"

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
	for _, kind := range []catalog.Kind{catalog.KindProduct, catalog.KindCategory, catalog.KindAttribute} {
		var at []int
		for i := range writes {
			if w := &writes[i]; w.Kind == kind && w.Body != nil {
				at = append(at, i)
			}
		}
		for len(at) > 0 {
			n := min(len(at), alikeBatch)
			if err := r.keepAlikeOf(ctx, kind, writes, at[:n]); err != nil {
				return err
			}
			at = at[n:]
		}
	}
	return nil
}

func (r *run) keepAlikeOf(ctx context.Context, kind catalog.Kind, writes []catalog.Write, at []int) error {
	keys := make([]catalog.Key, len(at))
	for j, i := range at {
		keys[j] = writes[i].Key
	}
	heads, err := r.store.HeadsOf(ctx, kind, keys...)
	if err != nil {
		return err
	}
	keys = keys[:0]
	differ := at[:0]
	for j, i := range at {
		if heads[j].Exists() && heads[j].Hash != writes[i].Hash {
			keys = append(keys, writes[i].Key)
			differ = append(differ, i)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	old, err := r.store.Get(ctx, kind, keys...)
	if err != nil {
		return err
	}
	var c export.Canonicalizer
	var a, b []byte
	for j, i := range differ {
		if !old[j].Exists() {
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
