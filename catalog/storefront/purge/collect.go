package purge

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"catalog/catalog"
	"catalog/catalog/storefront"
	"catalog/indexer"
)

// keys is what some changes make out of date, each key once.
type keys struct {
	soft, hard []string
	categories map[string]catalog.Seq // surrogate key → the earliest change
}

// collector finds the keys of changes. It is not safe for concurrent use.
type collector struct {
	store Store
	shop  func(context.Context) (*indexer.Shop, error)

	// places remembers what decided where products are shown when they changed
	// last, so that a change of texts alone leaves categories in peace. A
	// product that is not in it is taken to have moved.
	places map[uint64]uint64
	seed   maphash.Seed
}

// maxPlaces bounds collector.places: about 20 MB.
const maxPlaces = 1 << 19

func newCollector(s Store, shop func(context.Context) (*indexer.Shop, error)) *collector {
	return &collector{store: s, shop: shop, places: map[uint64]uint64{}, seed: maphash.MakeSeed()}
}

// touched is a product of which pages are out of date.
type touched struct {
	sku    catalog.Key
	seq    catalog.Seq // the earliest change
	gone   bool
	parent bool // of a variant that changed
	moved  bool // it, or a variant of it, is shown elsewhere
}

// collect returns the keys of changes.
func (c *collector) collect(ctx context.Context, changes []catalog.Change) (keys, error) {
	out := keys{categories: map[string]catalog.Seq{}}
	var list []*touched
	bySKU := map[catalog.Key]*touched{}
	for _, ch := range changes {
		switch ch.Kind {
		case catalog.KindProduct:
			t := bySKU[ch.Key]
			if t == nil {
				t = &touched{sku: ch.Key, seq: ch.Seq}
				bySKU[ch.Key] = t
				list = append(list, t)
			}
			t.gone = ch.Op == catalog.OpDelete
		case catalog.KindCategory:
			out.category(storefront.SurrogateKey(catalog.KindCategory, string(ch.Key)), ch.Seq)
		}
	}
	if len(list) == 0 {
		return out, nil
	}
	shop, err := c.shop(ctx)
	if err != nil {
		return out, fmt.Errorf("purge: reading the shop: %w", err)
	}
	list, bodies, err := c.products(ctx, list, bySKU)
	if err != nil {
		return out, err
	}
	for i, t := range list {
		if k := storefront.SurrogateKey(catalog.KindProduct, string(t.sku)); t.gone {
			out.hard = append(out.hard, k)
		} else {
			out.soft = append(out.soft, k)
		}
		if !t.moved {
			continue
		}
		for _, id := range categoriesOf(bodies[i], shop) {
			out.category(storefront.SurrogateKey(catalog.KindCategory, id), t.seq)
		}
	}
	return out, nil
}

func (k *keys) category(key string, seq catalog.Seq) {
	if old, ok := k.categories[key]; !ok || seq < old {
		k.categories[key] = seq
	}
}

// products finds out which of the changed products are shown elsewhere now, and
// returns them and their parents with the bodies of all.
func (c *collector) products(ctx context.Context, list []*touched, bySKU map[catalog.Key]*touched) ([]*touched, []catalog.Value, error) {
	bodies, err := c.bodies(ctx, list)
	if err != nil {
		return nil, nil, err
	}
	changed := len(list)
	for i, t := range list[:changed] {
		t.moved = c.moved(t, bodies[i])
		parents, err := c.store.Lookup(ctx, catalog.Ref{Type: catalog.RefVariant, Value: string(t.sku)})
		if err != nil {
			return nil, nil, fmt.Errorf("purge: looking for the parents of %q: %w", t.sku, err)
		}
		for _, p := range parents {
			up := bySKU[p]
			if up == nil {
				up = &touched{sku: p, seq: t.seq, parent: true}
				bySKU[p] = up
				list = append(list, up)
			}
			// A variant that moved does so in the pages of its parent.
			up.moved = up.moved || t.moved && up.parent
		}
	}
	more, err := c.bodies(ctx, list[changed:])
	return list, append(bodies, more...), err
}

func (c *collector) bodies(ctx context.Context, list []*touched) ([]catalog.Value, error) {
	if len(list) == 0 {
		return nil, nil
	}
	skus := make([]catalog.Key, len(list))
	for i, t := range list {
		skus[i] = t.sku
	}
	records, err := c.store.Get(ctx, catalog.KindProduct, skus...)
	if err != nil {
		return nil, fmt.Errorf("purge: reading products: %w", err)
	}
	out := make([]catalog.Value, len(records))
	for i, r := range records {
		out[i] = r.Body
	}
	return out, nil
}

// moved reports whether what decides where a product is shown may be another
// than when it was asked last.
func (c *collector) moved(t *touched, body catalog.Value) bool {
	var h maphash.Hash
	h.SetSeed(c.seed)
	_, _ = h.WriteString(string(t.sku))
	id := h.Sum64()
	if t.gone {
		delete(c.places, id)
		return true
	}
	h.Reset()
	hashPlace(&h, body)
	place := h.Sum64()
	old, known := c.places[id]
	if !known && len(c.places) >= maxPlaces {
		clear(c.places)
	}
	c.places[id] = place
	return !known || old != place
}

// elsewhere are the members of a product that decide neither where it is shown
// nor what it is found by among others of its category.
var elsewhere = []string{
	"description", "short_description", "images", "related", "upsell", "crosssell", "url_key", "cost", "unit", "tax_class", "weight",
}

// hashPlace adds to h what decides where a product is shown.
func hashPlace(h *maphash.Hash, body catalog.Value) {
	for name, v := range body.Members() {
		if slices.Contains(elsewhere, string(name)) {
			continue
		}
		_, _ = h.Write(name)
		_ = h.WriteByte(0)
		if string(name) != "stores" {
			_, _ = h.Write(v)
			continue
		}
		for store, over := range v.Members() {
			_, _ = h.Write(store)
			hashPlace(h, over)
		}
	}
}

// categoriesOf returns the IDs of the categories that a product names.
func categoriesOf(body catalog.Value, shop *indexer.Shop) []string {
	var out []string
	add := func(list catalog.Value) {
		for c := range list.Elements() {
			id, path := "", ""
			if c.Type() == catalog.ValueObject {
				id = catalog.Value(catalog.MemberValue(c, "id")).Text()
				path = catalog.Value(catalog.MemberValue(c, "path")).Text()
			} else {
				path = c.Text()
			}
			if path != "" {
				path = canonical(path)
				id = path
				if node := shop.Tree.ByPath(path); node != nil {
					id = node.ID
				}
			}
			if id != "" && !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	add(catalog.MemberValue(body, "categories"))
	for _, over := range catalog.Value(catalog.MemberValue(body, "stores")).Members() {
		add(catalog.MemberValue(over, "categories"))
	}
	return out
}

// canonical returns a path as the tree has it: without spaces around names,
// without empty names, and escaped no more than needed.
func canonical(path string) string {
	var names []string
	var name strings.Builder
	put := func() {
		if n := strings.TrimSpace(name.String()); n != "" {
			names = append(names, n)
		}
		name.Reset()
	}
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '\\' && i+1 < len(path) && (path[i+1] == '/' || path[i+1] == '\\'):
			i++
			name.WriteByte(path[i])
		case c == '/':
			put()
		default:
			name.WriteByte(c)
		}
	}
	put()
	return indexer.JoinPath(names...)
}
