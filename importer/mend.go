package importer

import (
	"context"
	"errors"
	"slices"
	"sync"

	"catalog/catalog"
	"catalog/importer/internal/manifest"
)

// unsettledPrefix starts the names of the Metas that say that an import which
// reads its feed once has begun, and not come to its end.
const unsettledPrefix = "import/unsettled/"

func (r *run) unsettledName() string {
	name := unsettledPrefix + r.o.Kind.Plural() + "/" + r.o.Source
	return name[:min(len(name), catalog.MaxKey)]
}

// mender finds the prices and stock that an import which read its feed once,
// and perhaps was killed, wrote for records that others of the feed replace,
// and that these do not have themselves: of such records nothing should have
// reached the store. It takes away what it knows to be just that.
type mender struct {
	mu    sync.Mutex
	parts []strayPart
	void  map[uint32]bool  // records with a key that were rejected
	back  map[partKey]bool // what records have that count since a later one was rejected
}

type partKey struct {
	kind catalog.Kind
	key  catalog.Key
}

func (m *mender) reject(ord uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.void == nil {
		m.void = map[uint32]bool{}
	}
	m.void[ord] = true
}

// strayPart is a price or stock that a replaced record has.
type strayPart struct {
	partKey
	hash catalog.Hash
	ord  uint32 // of the record
}

// openMend finds out whether there may be something to be mended.
func (r *run) openMend(ctx context.Context) error {
	if r.o.DryRun || r.o.Kind != catalog.KindProduct || !r.replaces() {
		return nil
	}
	_, err := r.store.Meta(ctx, r.unsettledName())
	switch {
	case errors.Is(err, catalog.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	r.mend = new(mender)
	return nil
}

// mends reports whether the second pass has to look at replaced records.
func (r *run) mends() bool { return r.mend != nil && r.full && r.dropped > 0 }

// eachPart calls f for each price and stock that a record sets, its variants'
// as well, with the flag of its kind.
func eachPart(p *catalog.Parsed, f func(catalog.Kind, manifest.Flags, catalog.Key, catalog.Part)) {
	both := func(key catalog.Key, price, stock catalog.Part) {
		if price.State == catalog.PartSet {
			f(catalog.KindPrice, manifest.Price, key, price)
		}
		if stock.State == catalog.PartSet {
			f(catalog.KindStock, manifest.Stock, key, stock)
		}
	}
	both(p.Key, p.Price, p.Stock)
	for i := range p.Variants {
		v := &p.Variants[i]
		both(v.SKU, v.Price, v.Stock)
	}
}

// keep notes what a record has that counts after all. The manifest has
// forgotten of its variants what they bring.
func (m *mender) keep(p *catalog.Parsed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.back == nil {
		m.back = map[partKey]bool{}
	}
	eachPart(p, func(k catalog.Kind, _ manifest.Flags, key catalog.Key, _ catalog.Part) {
		m.back[partKey{k, key}] = true
	})
}

// stray notes what a replaced record may have left in the store.
func (l *loader) stray(doc []byte, ord uint32) {
	var p catalog.Parsed
	l.replaced.Reuse()
	if l.replaced.Parse(l.r.o.Kind, doc, &p) != nil {
		return // it was a reject, and is nothing now
	}
	l.r.mend.mu.Lock()
	defer l.r.mend.mu.Unlock()
	eachPart(&p, func(k catalog.Kind, f manifest.Flags, key catalog.Key, part catalog.Part) {
		if !l.r.counts(key, f) {
			l.r.mend.parts = append(l.r.mend.parts, strayPart{partKey{k, key}, catalog.HashOf(part.Body), ord})
		}
	})
}

// counts reports whether a record that counts has what one of the flags says,
// under that key.
func (r *run) counts(key catalog.Key, flags manifest.Flags) bool {
	found := false
	r.man.Each(r.man.OfString(string(key)), func(e manifest.Entry) bool {
		found = e.Flags()&flags != 0 && !r.drop.Has(e.Ord()) && !r.mend.void[e.Ord()]
		return !found
	})
	return found
}

// settle takes away what is left of replaced records, and notes that the
// import came to its end.
func (r *run) settle(ctx context.Context) error {
	if r.mend == nil || r.truncated() != nil {
		return nil // the rest of the feed may tell more
	}
	for part := range slices.Chunk(r.mend.parts, alikeBatch) {
		if err := r.takeAway(ctx, part); err != nil {
			return err
		}
	}
	return r.store.SetMeta(ctx, r.unsettledName(), nil)
}

// takeAway deletes those of parts that are in the store as the replaced record
// has them, brought by this source, and that no record has after all.
func (r *run) takeAway(ctx context.Context, parts []strayPart) error {
	var writes []catalog.Write
	for _, kind := range []catalog.Kind{catalog.KindPrice, catalog.KindStock} {
		var of []strayPart
		var keys []catalog.Key
		flags := manifest.Price | manifest.Open // open: it may have one
		if kind == catalog.KindStock {
			flags = manifest.Stock | manifest.Open
		}
		for _, p := range parts {
			if p.kind == kind && r.drop.Has(p.ord) && !r.mend.back[p.partKey] && !r.counts(p.key, flags) {
				of, keys = append(of, p), append(keys, p.key)
			}
		}
		heads, err := r.store.HeadsOf(ctx, kind, keys...)
		if err != nil {
			return err
		}
		for i, h := range heads {
			if h.Hash == of[i].hash && h.Source == r.o.Source {
				writes = append(writes, catalog.Write{Kind: kind, Key: of[i].key, Source: r.o.Source, If: &h.Seq})
			}
		}
	}
	if len(writes) == 0 {
		return nil
	}
	// Somebody who has written it in the meantime knows better; and of two
	// writes to one key the second finds nothing.
	if _, err := r.store.Apply(ctx, writes); err != nil && !errors.Is(err, catalog.ErrConflict) {
		return err
	}
	return nil
}
