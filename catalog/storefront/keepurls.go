package storefront

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"

	"catalog/catalog"
)

// URLStore is the part of a catalog.Store that URLKeeper needs.
type URLStore interface {
	catalog.Referrer
	SetMeta(ctx context.Context, name string, value []byte) error
}

// URLKeeper remembers the url_keys that products are about to lose, whoever
// writes them, so that they lead on to the new ones. It is safe for concurrent
// use.
type URLKeeper struct {
	store URLStore

	mu    sync.Mutex
	fresh []uint64 // bits of the products that may be there; nil: all may
	count int
	seed  maphash.Seed
}

const (
	// freshBits is how many bits tell which products may be there: 8 MiB.
	freshBits = 1 << 26
	// maxFresh is how many products they are for; beyond they would be full.
	maxFresh = freshBits / 8
	// MaxKeptURLs is how many url_keys of one call are remembered: each is a
	// durable write of its own.
	MaxKeptURLs = 5000
)

// NewURLKeeper returns a keeper for a store. Of one that is empty it remembers
// which products were made, so that filling it takes no reads.
func NewURLKeeper(s URLStore, empty bool) *URLKeeper {
	k := &URLKeeper{store: s, seed: maphash.MakeSeed()}
	if empty {
		k.fresh = make([]uint64, freshBits/64)
	}
	return k
}

// Keep is called before writes are applied. It remembers the url_keys that
// products have now, and will not have any more once something replaces them:
// a product that loses its url_key without another is found by SKU alone.
// Where the writes are then not made nothing is wrong, since a url_key that a
// product still has comes before any that one had. It reports how many
// url_keys beyond MaxKeptURLs were not remembered.
func (k *URLKeeper) Keep(ctx context.Context, writes []catalog.Write) (left int, err error) {
	var at []int
	for i := range writes {
		if w := &writes[i]; w.Kind == catalog.KindProduct && w.Body != nil && k.mayBeThere(w.Key) {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return 0, nil
	}
	keys := make([]catalog.Key, len(at))
	for j, i := range at {
		keys[j] = writes[i].Key
	}
	heads, refs, err := k.store.RefsOf(ctx, catalog.KindProduct, keys...)
	if err != nil {
		return 0, fmt.Errorf("storefront: looking for former url_keys: %w", err)
	}
	kept := 0
	for j, i := range at {
		if !heads[j].Exists() || heads[j].Hash == writes[i].Hash {
			continue
		}
		for _, ref := range lost(refs[j], writes[i].Refs) {
			if kept == MaxKeptURLs {
				left++
				continue
			}
			kept++
			if err := k.store.SetMeta(ctx, FormerURL(ref.Store, ref.Value), []byte(keys[j])); err != nil {
				return left, fmt.Errorf("storefront: remembering the url_key %q: %w", ref.Value, err)
			}
		}
	}
	return left, nil
}

// lost returns the url_keys that a product had and will not have, if it gets
// one that it had not.
func lost(had, gets []catalog.Ref) []catalog.Ref {
	isNew := func(ref catalog.Ref) bool { return ref.Type == catalog.RefURLKey && !slices.Contains(had, ref) }
	if !slices.ContainsFunc(gets, isNew) {
		return nil
	}
	var out []catalog.Ref
	for i, ref := range had {
		if ref.Type == catalog.RefURLKey && !slices.Contains(gets, ref) && !slices.Contains(had[:i], ref) {
			out = append(out, ref)
		}
	}
	return out
}

// mayBeThere reports whether a product may be in the store, and notes that it
// may be from now on.
func (k *URLKeeper) mayBeThere(key catalog.Key) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fresh == nil {
		return true
	}
	h := maphash.String(k.seed, string(key))
	one, two := h%freshBits, (h>>32)%freshBits
	known := k.fresh[one/64]>>(one%64)&1 == 1 && k.fresh[two/64]>>(two%64)&1 == 1
	if known {
		return true
	}
	k.fresh[one/64] |= 1 << (one % 64)
	k.fresh[two/64] |= 1 << (two % 64)
	if k.count++; k.count > maxFresh {
		k.fresh = nil
	}
	return false
}
