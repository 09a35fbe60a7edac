package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sort"

	"catalog/catalog"
	"catalog/importer/internal/manifest"
)

const (
	defaultMaxDelete = 10 // percent of the source's records
	// sweepBatch is how many keys are deleted at a time: in order, so that
	// hardly a block of the store is read for two batches.
	sweepBatch = 4000
	maxGone    = 250_000
)

// gone is what this source has of a kind, and the feed has not, as the join
// saw it before the import.
type gone struct {
	owned, missing int64
	keys           keyList // in their order; at most maxGone
}

func (g *gone) note(key catalog.Key, found bool) {
	g.owned++
	if found {
		return
	}
	if g.missing++; g.missing <= maxGone {
		g.keys.add(key)
	}
}

// keyList has keys in one piece of memory: each by itself, among the many that
// a pass over all heads brings and drops, would keep all that is around it from
// being used again.
type keyList struct {
	text []byte
	ends []uint32 // in the text, of each key
}

func (l *keyList) add(key catalog.Key) {
	l.text = append(l.text, key...)
	l.ends = append(l.ends, uint32(len(l.text)))
}

func (l *keyList) len() int { return len(l.ends) }

func (l *keyList) at(i int) []byte {
	start := uint32(0)
	if i > 0 {
		start = l.ends[i-1]
	}
	return l.text[start:l.ends[i]]
}

// has reports whether key is in the list, whose keys are in order.
func (l *keyList) has(key []byte) bool {
	i := sort.Search(l.len(), func(i int) bool { return bytes.Compare(l.at(i), key) >= 0 })
	return i < l.len() && bytes.Equal(l.at(i), key)
}

// missing returns how many records of the source are not in the feed, and how
// many there were when the import began.
func (r *run) missing(ctx context.Context) (missing, before int64, err error) {
	if g := r.gone[r.o.Kind]; g != nil {
		return g.missing, g.owned, nil
	}
	var g gone
	for h, err := range r.store.Heads(ctx, r.o.Kind, catalog.All) {
		if err != nil {
			return 0, 0, err
		}
		if h.Source == r.o.Source {
			g.note("", r.inFeed(&h))
		}
	}
	if !r.o.DryRun {
		g.owned -= r.acc.created()
	}
	return g.missing, g.owned, nil
}

// sweep deletes what the store has of this source and the feed has not. What
// makes the feed look incomplete holds the deletes back, and nothing else.
func (r *run) sweep(ctx context.Context) error {
	if !r.full {
		return nil // the store was empty: there is nothing but what the feed brought
	}
	r.prog.phase("deleting", 0)
	if in := r.truncated(); in != nil {
		r.acc.refuse(Refusal{
			Guard: "truncated", Count: in.report.Read,
			What: fmt.Sprintf("%s ends too early, after %d records: nothing was deleted, what could be read is in", in.Name, in.report.Read),
		})
		return nil
	}
	read, _ := r.acc.read()
	unreadable := r.acc.unreadable()
	limit := r.o.Guards.MaxUnreadable
	if !limit.Set {
		limit = Limit{Set: true}
	}
	if limit.exceeded(unreadable, read) {
		r.acc.refuse(Refusal{
			Guard: "max_unreadable", Option: "--max-unreadable", Count: unreadable, Of: read,
			What: fmt.Sprintf("%d records have no readable key, and may be any product: nothing was deleted; mend them, or raise --max-unreadable", unreadable),
		})
		return nil
	}
	missing, before, err := r.missing(ctx)
	if err != nil {
		return err
	}
	limit = r.o.Guards.MaxDelete
	if !limit.Set {
		limit = Limit{Set: true, Count: -1, Percent: defaultMaxDelete}
	}
	if missing > 0 && limit.exceeded(missing, before) {
		r.acc.refuse(Refusal{
			Guard: "max_delete", Option: "--max-delete", Count: missing, Of: before,
			What: fmt.Sprintf("%d of the %d records of source %q are not in the feed: none was deleted, all else is in; if they are really gone, raise --max-delete", missing, before, r.o.Source),
		})
		return nil
	}
	r.prog.phase("deleting", missing)
	if err := r.sweepKind(ctx, r.o.Kind, nil); err != nil {
		return err
	}
	if r.o.Kind != catalog.KindProduct {
		return nil
	}
	// Prices and stock that this source wrote for variants which are embedded
	// no longer, and are no products of their own.
	for _, k := range []catalog.Kind{catalog.KindPrice, catalog.KindStock} {
		if err := r.sweepKind(ctx, k, r.withoutProduct); err != nil {
			return err
		}
	}
	return nil
}

// sweepKind deletes this source's records of a kind that the feed has not, and
// that keep lets through.
func (r *run) sweepKind(ctx context.Context, k catalog.Kind, keep func(context.Context, []catalog.Key) ([]catalog.Key, error)) error {
	var keys []catalog.Key
	flush := func() error {
		var err error
		if keep != nil {
			if keys, err = keep(ctx, keys); err != nil {
				return err
			}
		}
		err = r.deleteKeys(ctx, k, keys)
		keys = keys[:0]
		return err
	}
	if g := r.gone[k]; g != nil && g.missing <= maxGone {
		for i := range g.keys.len() {
			key := g.keys.at(i)
			if r.swept(k, key) {
				continue
			}
			if keys = append(keys, catalog.Key(key)); len(keys) == sweepBatch {
				if err := flush(); err != nil {
					return err
				}
			}
		}
		return flush()
	}
	for h, err := range r.store.Heads(ctx, k, catalog.All) {
		if err != nil {
			return err
		}
		if h.Source != r.o.Source || r.inFeed(&h) {
			continue
		}
		if keys = append(keys, h.Key); len(keys) == sweepBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// swept reports whether a key was swept already, as that of a product.
func (r *run) swept(k catalog.Kind, key []byte) bool {
	products := r.gone[catalog.KindProduct]
	return k != catalog.KindProduct && products != nil && products.missing <= maxGone && products.keys.has(key)
}

// deleteKeys deletes those records of a kind that this source still owns; with
// a product go its price and stock. What somebody else has written since is
// theirs, and stays: a product with its price and stock, which are deleted
// only once the product is, and only as they were before.
func (r *run) deleteKeys(ctx context.Context, k catalog.Kind, keys []catalog.Key) error {
	if len(keys) == 0 {
		return nil
	}
	var parts [][]catalog.Head
	if k == catalog.KindProduct {
		for _, part := range []catalog.Kind{catalog.KindPrice, catalog.KindStock} {
			heads, err := r.store.HeadsOf(ctx, part, keys...)
			if err != nil {
				return err
			}
			parts = append(parts, heads)
		}
	}
	heads, err := r.store.HeadsOf(ctx, k, keys...)
	if err != nil {
		return err
	}
	mine := heads[:0]
	for i, h := range heads {
		if h.Source == r.o.Source {
			mine = append(mine, h)
			for _, p := range parts {
				p[len(mine)-1] = p[i]
			}
		}
	}
	gone, err := r.deleteHeads(ctx, mine)
	if err != nil {
		return err
	}
	var rest []catalog.Head
	for _, p := range parts {
		for i := range mine {
			if gone[i] && p[i].Exists() {
				rest = append(rest, p[i])
			}
		}
	}
	if _, err := r.deleteHeads(ctx, rest); err != nil {
		return err
	}
	r.prog.advance(int64(len(keys)), int64(len(keys)))
	return nil
}

// deleteHeads deletes the records that still are as their heads say, and
// reports which it deleted.
func (r *run) deleteHeads(ctx context.Context, heads []catalog.Head) (gone []bool, err error) {
	if len(heads) == 0 {
		return nil, nil
	}
	writes := make([]catalog.Write, len(heads))
	for i := range heads {
		h := &heads[i]
		writes[i] = catalog.Write{Kind: h.Kind, Key: h.Key, Source: r.o.Source, If: &h.Seq}
	}
	results, err := r.store.Apply(ctx, writes)
	if err != nil && !errors.Is(err, catalog.ErrConflict) {
		return nil, err
	}
	gone = make([]bool, len(heads))
	for i, res := range results {
		if gone[i] = res.Outcome == catalog.Deleted; gone[i] {
			r.acc.add(heads[i].Kind, Counts{Deleted: 1})
		}
	}
	return gone, nil
}

// inFeed reports whether the feed has the record of a head, rejected or not.
func (r *run) inFeed(h *catalog.Head) bool {
	k := r.man.OfString(string(h.Key))
	if h.Kind != r.o.Kind {
		return r.man.Has(k)
	}
	found := false
	r.man.Each(k, func(e manifest.Entry) bool {
		found = e.Flags()&manifest.Variant == 0
		return !found
	})
	return found
}

// withoutProduct returns those of keys that are no SKUs of products.
func (r *run) withoutProduct(ctx context.Context, keys []catalog.Key) ([]catalog.Key, error) {
	heads, err := r.store.HeadsOf(ctx, catalog.KindProduct, keys...)
	if err != nil {
		return nil, err
	}
	out := keys[:0]
	for i, h := range heads {
		if !h.Exists() {
			out = append(out, keys[i])
		}
	}
	return out, nil
}
