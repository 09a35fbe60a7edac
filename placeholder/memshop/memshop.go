// Package memshop is a placeholder.Shop in memory: the contract in its
// simplest form, for the tests of everything that uses one. It has a merchant,
// carts, orders and wish lists, so that the suite can play the shop's part.
package memshop

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"catalog/placeholder"
)

// DB is the database that Shops share. Its methods are safe for concurrent use.
type DB struct {
	// Latency is how long each call of a Shop takes; set it before use.
	Latency time.Duration

	mu       sync.Mutex
	free     *sync.Cond // a hold was released
	info     placeholder.Info
	products map[int64]*product
	bySKU    map[string][]int64 // ids by folded SKU, ascending
	ledger   map[string]*entry  // by folded SKU
	held     map[string]bool    // folded SKUs that somebody else has locked
	carts    map[int64]*cart
	orders   []order
	wishes   map[int64]bool
	lastID   int64
	serial   int64
	fault    error
	faults   int
	lock     lock
	writes   int64
}

// product is a product with its rows.
type product struct {
	id       int64
	key      string // its folded SKU
	revision int64  // what tells that it was edited
	want     placeholder.Product
	values   map[valueKey]string
	disabled bool
}

type valueKey struct {
	attribute string
	store     int
}

// entry is a line of the ledger.
type entry struct {
	sku, parent string
	id          int64
	revision    int64
	hash        placeholder.Hash
	taken       bool
	made, used  time.Time
}

type cart struct {
	active, recollect bool
	lines             []int64
}

type order struct {
	id    int64
	state string
	lines []int64
	skus  []string // of the lines
}

type lock struct {
	token   int64
	holder  string
	since   time.Time
	expires time.Time
}

// New returns an empty database of a shop that info describes; the zero Info
// stands for DefaultInfo.
func New(info placeholder.Info) *DB {
	if info.Dialect == "" {
		info = DefaultInfo()
	}
	d := &DB{
		info: info, products: map[int64]*product{}, bySKU: map[string][]int64{}, ledger: map[string]*entry{}, held: map[string]bool{},
		carts: map[int64]*cart{}, wishes: map[int64]bool{},
	}
	d.free = sync.NewCond(&d.mu)
	return d
}

// DefaultInfo is the shop that shoptest.Harness asks for.
func DefaultInfo() placeholder.Info {
	attributes := map[string]placeholder.Attribute{}
	for i, code := range []string{
		"name", "status", "visibility", "tax_class_id", "price", "special_price",
		"special_from_date", "special_to_date", "weight", "cost", "color", "brand",
	} {
		a := placeholder.Attribute{ID: i + 1, Backend: "int"}
		switch code {
		case "name", "brand":
			a.Backend, a.Input, a.Chars = "varchar", "text", 255
		case "price", "special_price", "weight", "cost":
			a.Backend, a.Scale = "decimal", 6
		case "special_from_date", "special_to_date":
			a.Backend = "datetime"
		case "color":
			a.Input, a.Options = "select", map[string]int{"red": 7, "blue": 8}
		}
		attributes[code] = a
	}
	return placeholder.Info{
		Dialect: "memory", Server: "none", SKUChars: 64, Text4Byte: true,
		Websites: []placeholder.Website{
			{
				ID: 1, Code: "base", Currency: "EUR", Default: true, StockID: 1,
				Stores: []placeholder.StoreView{{ID: 1, Code: "default"}, {ID: 2, Code: "de"}},
			},
			{
				ID: 2, Code: "second", Currency: "USD", StockID: 1,
				Stores: []placeholder.StoreView{{ID: 3, Code: "second"}},
			},
		},
		Attributes: attributes, RuleAttributes: []string{"brand", "color"},
		RuleCategories: map[string]int{"Men/Shoes": 12}, PricePerSite: true,
		TaxClasses: []placeholder.TaxClass{{ID: 2, Name: "Taxable Goods"}, {ID: 5, Name: "Reduced"}}, DefaultTax: 2,
		Groups: []placeholder.Group{
			{ID: 0, Code: "NOT LOGGED IN"},
			{ID: 1, Code: "General"},
			{ID: 2, Code: "Wholesale"},
			{ID: 3, Code: "Retailer"},
		},
		GroupPrices: true,
	}
}

// fold maps the SKUs that are the same to a shop onto one.
func fold(sku string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.TrimRight(sku, " ")) {
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(unicode.ToLower(unicode.ToUpper(r)))
		}
	}
	return b.String()
}

// Shop is a placeholder.Shop on a DB.
type Shop struct {
	db     *DB
	mu     sync.Mutex
	closed bool
}

var _ placeholder.OrderShop = (*Shop)(nil)

// Open returns a Shop on d, as an instance of the service would have.
func (d *DB) Open() *Shop { return &Shop{db: d} }

// Close implements placeholder.Shop.
func (s *Shop) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// begin is the start of every call.
func (s *Shop) begin(ctx context.Context) error {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return placeholder.ErrClosed
	}
	if s.db.Latency > 0 {
		select {
		case <-time.After(s.db.Latency):
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// write locks the database for a transaction that writes skus: it waits for
// those that others hold, and meets the faults that were injected.
func (d *DB) write(ctx context.Context, skus ...string) error {
	stop := context.AfterFunc(ctx, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.free.Broadcast()
	})
	defer stop()
	d.mu.Lock()
	for slices.ContainsFunc(skus, func(s string) bool { return d.held[fold(s)] }) {
		if err := ctx.Err(); err != nil {
			d.mu.Unlock()
			return err
		}
		d.free.Wait()
	}
	if d.faults > 0 {
		d.faults--
		err := d.fault
		if !errors.Is(err, errDeadlock) {
			d.mu.Unlock()
			return err
		}
	}
	d.writes++
	return nil
}

var errDeadlock = fmt.Errorf("memshop: deadlock: %w", placeholder.ErrUnavailable)

// Info implements placeholder.Shop.
func (s *Shop) Info() placeholder.Info {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	return s.db.info
}

// add puts a product where it can be found.
func (d *DB) add(p *product, sku string) {
	d.products[p.id] = p
	key := fold(sku)
	p.key = key
	d.bySKU[key] = append(d.bySKU[key], p.id)
	slices.Sort(d.bySKU[key])
}

// drop removes a product, if it is there.
func (d *DB) drop(id int64) {
	p := d.products[id]
	if p == nil {
		return
	}
	delete(d.products, id)
	if d.bySKU[p.key] = slices.DeleteFunc(d.bySKU[p.key], func(i int64) bool { return i == id }); len(d.bySKU[p.key]) == 0 {
		delete(d.bySKU, p.key)
	}
}

// of returns the lowest product of a SKU, or nil.
func (d *DB) of(sku string) *product {
	if ids := d.bySKU[fold(sku)]; len(ids) > 0 {
		return d.products[ids[0]]
	}
	return nil
}

// found describes what the shop has of a SKU.
func (d *DB) found(sku string, now time.Time) placeholder.Found {
	if e := d.ledger[fold(sku)]; e != nil {
		p := d.products[e.id]
		switch {
		case p == nil:
		case e.taken || p.revision != e.revision:
			return placeholder.Found{State: placeholder.StateForeign, EntityID: e.id, Spelling: p.want.SKU}
		default:
			return placeholder.Found{State: placeholder.StateLive, EntityID: e.id, Spelling: e.sku, Hash: e.hash, Idle: now.Sub(e.used)}
		}
	}
	if p := d.of(sku); p != nil {
		return placeholder.Found{State: placeholder.StateForeign, EntityID: p.id, Spelling: p.want.SKU}
	}
	return placeholder.Found{}
}

// Find implements placeholder.Shop.
func (s *Shop) Find(ctx context.Context, skus []string) ([]placeholder.Found, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	now := time.Now()
	out := make([]placeholder.Found, len(skus))
	for i, sku := range skus {
		out[i] = s.db.found(sku, now)
	}
	return out, nil
}

// Live implements placeholder.Shop.
func (s *Shop) Live(ctx context.Context, keys []string) ([]string, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	asked := make(map[string]bool, len(keys))
	for _, k := range keys {
		asked[k] = true
	}
	var out []string
	for _, e := range s.db.ledger {
		if !e.taken && (asked[e.sku] || e.parent != "" && asked[e.parent]) {
			out = append(out, e.sku)
		}
	}
	return out, nil
}

// List implements placeholder.Shop.
func (s *Shop) List(ctx context.Context, after string, limit int) ([]placeholder.Entry, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	d := s.db
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []placeholder.Entry
	for key, e := range d.ledger {
		if after != "" && key <= fold(after) {
			continue
		}
		out = append(out, d.entryOf(e))
	}
	slices.SortFunc(out, func(a, b placeholder.Entry) int { return cmp.Compare(fold(a.SKU), fold(b.SKU)) })
	return out[:min(limit, len(out))], nil
}

func (d *DB) entryOf(e *entry) placeholder.Entry {
	out := placeholder.Entry{SKU: e.sku, EntityID: e.id, Made: e.made.UTC(), Used: e.used.UTC()}
	switch p := d.products[e.id]; {
	case p == nil:
	case e.taken || p.revision != e.revision:
		out.State = placeholder.StateForeign
	default:
		out.State, out.Disabled = placeholder.StateLive, p.disabled
	}
	return out
}

// Counts implements placeholder.Shop.
func (s *Shop) Counts(ctx context.Context) (placeholder.Counts, error) {
	if err := s.begin(ctx); err != nil {
		return placeholder.Counts{}, err
	}
	d := s.db
	d.mu.Lock()
	defer d.mu.Unlock()
	var c placeholder.Counts
	for _, e := range d.ledger {
		switch of := d.entryOf(e); of.State {
		case placeholder.StateForeign:
			c.Taken++
		case placeholder.StateLive:
			c.Live++
			if of.Disabled {
				c.Disabled++
			}
			if c.Oldest.IsZero() || of.Used.Before(c.Oldest) {
				c.Oldest = of.Used
			}
			if of.Used.After(c.Newest) {
				c.Newest = of.Used
			}
		}
	}
	c.Tables = []placeholder.TableCount{{Name: "product", Ours: c.Live, InAll: int64(len(d.products))}}
	return c, nil
}
