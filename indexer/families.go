package indexer

import (
	"hash/maphash"
	"sync"

	"catalog/catalog"
)

// maxFamilies bounds what families remembers: about 20 bytes a product.
const maxFamilies = 4 << 20

// families remembers, for an index that cannot tell, which products have
// variants, so that a change of a price need not read the product: whoever has
// none is not asked for by others. What it says of a product holds until learn
// is told of a newer record, which happens for every change of a product. The
// zero value is ready. Safe for concurrent use.
type families struct {
	mu   sync.RWMutex
	seed maphash.Seed
	has  map[uint64]bool
	off  bool // the index knows it
}

// learn notes whether a product has variants.
func (f *families) learn(sku string, body []byte) {
	if f.off {
		return
	}
	has := hasVariants(body)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.has == nil {
		f.seed, f.has = maphash.MakeSeed(), map[uint64]bool{}
	}
	if len(f.has) >= maxFamilies {
		clear(f.has)
	}
	f.has[maphash.String(f.seed, sku)] = has
}

func hasVariants(body []byte) bool {
	for range catalog.Value(catalog.MemberValue(body, "variants")).Elements() {
		return true
	}
	return false
}

// unknown returns the products of which nothing was learned.
func (f *families) unknown(skus []string) []string {
	if f.off {
		return nil
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.has == nil {
		return skus
	}
	var out []string
	for _, sku := range skus {
		if _, ok := f.has[maphash.String(f.seed, sku)]; !ok {
			out = append(out, sku)
		}
	}
	return out
}

// is reports whether a product has variants; body is asked when nothing was
// learned.
func (f *families) is(sku string, body []byte) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.has != nil {
		if has, ok := f.has[maphash.String(f.seed, sku)]; ok {
			return has
		}
	}
	return hasVariants(body)
}
