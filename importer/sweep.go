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
	keys           keyList       // in their order; at most maxGone
	seqs           []catalog.Seq // of their records
}

func (g *gone) note(h *catalog.Head, found bool) {
	g.owned++
	if found {
		return
	}
	if g.missing++; g.missing <= maxGone {
		g.keys.add(h.Key)
		g.seqs = append(g.seqs, h.Seq)
	}
}

// complete reports whether all that are missing are named.
func (g *gone) complete() bool { return g != nil && g.missing <= maxGone }

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

// find returns where key is in the list, whose keys are in order.
func (l *keyList) find(key []byte) (i int, ok bool) {
	i = sort.Search(l.len(), func(i int) bool { return bytes.Compare(l.at(i), key) >= 0 })
	return i, i < l.len() && bytes.Equal(l.at(i), key)
}

// missing returns how many records of the source are not in the feed, and how
// many there were when the import began.
func (r *run) missing(ctx context.Context) (missing, before int64, err error) {
	if g := r.gone[r.o.Kind]; g != nil {
		return g.missing, g.owned, nil
	}
	for h, err := range r.store.Heads(ctx, r.o.Kind, catalog.All) {
		if err != nil {
			return 0, 0, err
		}
		if h.Source != r.o.Source {
			continue
		}
		if before++; !r.inFeed(&h) {
			missing++
		}
	}
	if !r.o.DryRun {
		before -= r.acc.created()
	}
	return missing, before, nil
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
func (r *run) sweepKind(ctx context.Context, k catalog.Kind, keep func(context.Context, []catalog.Head) ([]catalog.Head, error)) error {
	var heads []catalog.Head
	flush := func() error {
		var err error
		if keep != nil {
			if heads, err = keep(ctx, heads); err != nil {
				return err
			}
		}
		err = r.deleteGone(ctx, k, heads)
		heads = heads[:0]
		return err
	}
	if g := r.gone[k]; g.complete() {
		for i, seq := range g.seqs {
			key := g.keys.at(i)
			if r.swept(k, key) {
				continue
			}
			heads = append(heads, catalog.Head{Kind: k, Key: catalog.Key(key), Seq: seq, Source: r.o.Source})
			if len(heads) == sweepBatch {
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
		if heads = append(heads, h); len(heads) == sweepBatch {
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
	if k == catalog.KindProduct || !products.complete() {
		return false
	}
	_, ok := products.keys.find(key)
	return ok
}

// deleteGone deletes those records of a kind that are as they were when the
// feed was compared with the store; with a product go its price and stock. What
// somebody has written since stays: a product with its price and stock, which
// are deleted only once the product is, and only as they were before.
func (r *run) deleteGone(ctx context.Context, k catalog.Kind, heads []catalog.Head) error {
	var parts [][]catalog.Head
	if k == catalog.KindProduct {
		for _, kind := range []catalog.Kind{catalog.KindPrice, catalog.KindStock} {
			of, err := r.partsOf(ctx, kind, heads)
			if err != nil {
				return err
			}
			parts = append(parts, of)
		}
	}
	gone, err := r.deleteHeads(ctx, heads)
	if err != nil {
		return err
	}
	var rest []catalog.Head
	for _, p := range parts {
		for i := range heads {
			if gone[i] && p[i].Exists() {
				rest = append(rest, p[i])
			}
		}
	}
	if _, err := r.deleteHeads(ctx, rest); err != nil {
		return err
	}
	r.prog.advance(int64(len(heads)), int64(len(heads)))
	return nil
}

// partsOf returns the heads of the prices or stock that go with products: most
// were seen when the feed was compared with the store. Those of a product that
// the feed embeds as a variant by now stay.
func (r *run) partsOf(ctx context.Context, kind catalog.Kind, products []catalog.Head) ([]catalog.Head, error) {
	parts := make([]catalog.Head, len(products))
	var ask []int
	var keys []catalog.Key
	g := r.gone[kind]
	for i := range products {
		key := products[i].Key
		if r.man.Has(r.man.OfString(string(key))) {
			continue
		}
		if g.complete() {
			if j, ok := g.keys.find([]byte(key)); ok {
				parts[i] = catalog.Head{Kind: kind, Key: key, Seq: g.seqs[j], Source: r.o.Source}
				continue
			}
		}
		ask, keys = append(ask, i), append(keys, key)
	}
	if len(keys) == 0 {
		return parts, nil
	}
	heads, err := r.store.HeadsOf(ctx, kind, keys...)
	if err != nil {
		return nil, err
	}
	for j, i := range ask {
		parts[i] = heads[j]
	}
	return parts, nil
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

// withoutProduct returns those heads whose keys are no SKUs of products.
func (r *run) withoutProduct(ctx context.Context, heads []catalog.Head) ([]catalog.Head, error) {
	keys := make([]catalog.Key, len(heads))
	for i := range heads {
		keys[i] = heads[i].Key
	}
	products, err := r.store.HeadsOf(ctx, catalog.KindProduct, keys...)
	if err != nil {
		return nil, err
	}
	out := heads[:0]
	for i := range heads {
		if !products[i].Exists() {
			out = append(out, heads[i])
		}
	}
	return out, nil
}
