// Package shoptest is the conformance suite of placeholder.Shop: a Shop that
// passes Run keeps what the contract promises, whatever the database.
//
//	func TestShop(t *testing.T) { shoptest.Run(t, newHarness) }
package shoptest

import (
	"testing"
	"time"

	"catalog/catalog"
	"catalog/placeholder"
)

// Harness is one shop's database, empty of products and carts, together with
// what the shop itself and its merchant do to it: the suite plays their part
// with statements as the shop runs them. Methods end the test when they fail;
// all are safe for concurrent use. What they make is gone with the database.
//
// The shop has at least two websites: the default one, base, with the store
// views default and de, in EUR; and second, with the view second, in USD; a
// price scope by website, the tax classes "Taxable Goods" (the default) and
// "Reduced", and the customer groups 0 to 3 of a fresh installation
// (wholesale is 2).
type Harness interface {
	// Open returns a Shop on the database, each time a new one, as another
	// instance of the service would have. The suite closes it.
	Open(t testing.TB) placeholder.Shop

	// Catalog returns an empty catalog, each time a new one.
	Catalog(t testing.TB) catalog.Store

	// AddProduct makes a product as the merchant does, in both websites.
	AddProduct(t testing.TB, sku string) int64
	// EditProduct saves a product as the merchant does: a new name, and what
	// else tells that it was saved.
	EditProduct(t testing.TB, id int64)
	// DeleteProduct deletes a product as the merchant does.
	DeleteProduct(t testing.TB, id int64)
	// LoseRow deletes one row that a placeholder needs, behind everybody's
	// back: that of its name.
	LoseRow(t testing.TB, id int64)

	// Product reads a product's rows; ok is false when it has none at all.
	Product(t testing.TB, id int64) (s Stored, ok bool)
	// Same returns the ids of all products that the shop takes for this SKU.
	Same(t testing.TB, sku string) []int64
	// Buy puts a product into a new cart as the shop does, on every path it
	// has (storefront, REST, GraphQL …), reads the cart again and places an
	// order, undoing it all after. The error says which path failed and why.
	Buy(t testing.TB, id int64, website string) error

	// AddCart makes a cart that holds products. Active says that its customer
	// may still order it (Magento: is_active; OpenMage: it is not old).
	AddCart(t testing.TB, active bool, products ...int64) int64
	// Cart returns what a cart holds, in order, and whether it is marked to be
	// reckoned up again.
	Cart(t testing.TB, id int64) (products []int64, recollect bool)
	// AddOrder makes an order in that state: "new", "processing", "complete" …
	AddOrder(t testing.TB, state string, products ...int64) int64
	// OrderItems reads what a page of an order shows, as text that is equal
	// before and after a prune.
	OrderItems(t testing.TB, id int64) string
	// AddWish puts a product on a customer's wish list.
	AddWish(t testing.TB, id int64)

	// Idle makes the ledger believe that a placeholder was last used that long
	// ago.
	Idle(t testing.TB, sku string, ago time.Duration)
	// Hold locks the ledger's entry of a SKU, and what stands for its product,
	// until release is called, as a transaction of another instance would: who
	// wants to write them waits.
	Hold(t testing.TB, sku string) (release func())
	// Rows counts the rows of every table of the schema, the ledger included,
	// but for change logs that only grow.
	Rows(t testing.TB) map[string]int64
	// Serial returns what an auto-increment of the value tables gave last, or
	// some number that grows with it: repeating an Ensure must not burn any.
	Serial(t testing.TB) int64
	// Inject makes the next n statements that write fail, each with its
	// transaction, as a deadlock or a lost connection does, and returns false
	// where the harness cannot.
	Inject(t testing.TB, f Fault, n int) bool

	// Traits says what is different about this shop.
	Traits() Traits
}

// Fault is a way for a database to fail.
type Fault uint8

// The faults.
const (
	Deadlock Fault = iota + 1 // retried by the Shop itself: the caller sees nothing
	Lost                      // the connection broke: ErrUnavailable, or a retry
)

// Traits are what shops do differently.
type Traits struct {
	// CartLosesLine: deleting a product deletes the lines of all carts
	// (OpenMage's foreign key), and every cart that is not old counts as active.
	CartLosesLine bool
	// Collates: the SKU's collation folds case, accents and trailing spaces.
	Collates bool
	// NullsInPlace: a value that goes leaves its row, so that its return burns
	// no auto-increment. All databases have this.
	NullsInPlace bool
}

// Stored is a product as the shop's tables have it.
type Stored struct {
	SKU        string
	Type       string
	Values     map[placeholder.Value]bool // rows that are not NULL
	Websites   []int
	Tiers      []placeholder.Tier // as Product.Tiers, sorted
	Categories []int
	Managed    bool
	InStock    bool // every stock table agrees that it is salable
	Qty        string
}

// Value returns the value of an attribute in a store, "" if it has none.
func (s Stored) Value(attribute string, store int) string {
	for v := range s.Values {
		if v.Attribute == attribute && v.Store == store {
			return v.Text
		}
	}
	return ""
}
