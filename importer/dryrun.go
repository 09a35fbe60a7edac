package importer

import (
	"context"

	"catalog/catalog"
)

// dryStore tells what writes would come to, and writes nothing.
type dryStore struct{ catalog.Store }

// Apply compares writes with the heads of the store.
func (d *dryStore) Apply(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error) {
	results := make([]catalog.Result, len(writes))
	for _, kind := range catalog.Kinds() {
		var keys []catalog.Key
		var at []int
		for i := range writes {
			if writes[i].Kind == kind {
				keys = append(keys, writes[i].Key)
				at = append(at, i)
			}
		}
		if len(keys) == 0 {
			continue
		}
		heads, err := d.HeadsOf(ctx, kind, keys...)
		if err != nil {
			return nil, err
		}
		for j, h := range heads {
			w := &writes[at[j]]
			results[at[j]] = catalog.Result{Outcome: wouldBe(w, &h), Seq: h.Seq}
		}
	}
	return results, nil
}

func wouldBe(w *catalog.Write, h *catalog.Head) catalog.Outcome {
	switch {
	case w.If != nil && *w.If != h.Seq:
		return catalog.Conflict
	case w.Body == nil && h.Exists():
		return catalog.Deleted
	case w.Body == nil:
		return catalog.Absent
	case !h.Exists():
		return catalog.Created
	case h.Hash == catalog.HashOf(w.Body):
		return catalog.Unchanged
	}
	return catalog.Updated
}

// SetMeta keeps nothing.
func (d *dryStore) SetMeta(context.Context, string, []byte) error { return nil }

// Counts implements catalog.Counter.
func (d *dryStore) Counts(ctx context.Context) (catalog.Stats, error) {
	return catalog.Counts(ctx, d.Store)
}
