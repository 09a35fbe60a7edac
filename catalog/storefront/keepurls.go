package storefront

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"

	"catalog/catalog"
)

// URLStore is the part of catalog.Store that URLKeeper needs.
type URLStore interface {
	Get(ctx context.Context, kind catalog.Kind, keys ...catalog.Key) ([]catalog.Record, error)
	HeadsOf(ctx context.Context, kind catalog.Kind, keys ...catalog.Key) ([]catalog.Head, error)
	Lookup(ctx context.Context, ref catalog.Ref) ([]catalog.Key, error)
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
	heads, err := k.store.HeadsOf(ctx, catalog.KindProduct, keys...)
	if err != nil {
		return 0, fmt.Errorf("storefront: looking for former url_keys: %w", err)
	}
	var changed []int
	keys = keys[:0]
	for j, i := range at {
		if !heads[j].Exists() || heads[j].Hash == writes[i].Hash {
			continue
		}
		other, err := k.gets(ctx, &writes[i])
		if err != nil {
			return 0, err
		}
		if other {
			changed, keys = append(changed, i), append(keys, writes[i].Key)
		}
	}
	return k.keep(ctx, writes, changed, keys)
}

// gets reports whether a write gives its product a url_key that it has not.
func (k *URLKeeper) gets(ctx context.Context, w *catalog.Write) (bool, error) {
	for _, ref := range w.Refs {
		if ref.Type != catalog.RefURLKey {
			continue
		}
		owners, err := k.store.Lookup(ctx, ref)
		if err != nil {
			return false, fmt.Errorf("storefront: looking up the url_key %q: %w", ref.Value, err)
		}
		own := false
		for _, o := range owners {
			own = own || o == w.Key
		}
		if !own {
			return true, nil
		}
	}
	return false, nil
}

// keep remembers what the products of some writes are found by and will not be.
func (k *URLKeeper) keep(ctx context.Context, writes []catalog.Write, changed []int, keys []catalog.Key) (left int, err error) {
	const some = 500 // bodies at a time
	kept := 0
	for start := 0; start < len(changed); start += some {
		end := min(start+some, len(changed))
		records, err := k.store.Get(ctx, catalog.KindProduct, keys[start:end]...)
		if err != nil {
			return left, fmt.Errorf("storefront: reading former url_keys: %w", err)
		}
		for j, r := range records {
			was := urlKeys(r.Body)
			for _, ref := range writes[changed[start+j]].Refs {
				delete(was, ref)
			}
			for ref := range was {
				if kept == MaxKeptURLs {
					left++
					continue
				}
				kept++
				if err := k.store.SetMeta(ctx, FormerURL(ref.Store, ref.Value), []byte(r.Key)); err != nil {
					return left, fmt.Errorf("storefront: remembering the url_key %q: %w", ref.Value, err)
				}
			}
		}
	}
	return left, nil
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
