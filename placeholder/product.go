package placeholder

import (
	"encoding/hex"
	"time"
)

// Hash is the digest of all that a Product says.
type Hash [16]byte

// IsZero reports whether h is unset.
func (h Hash) IsZero() bool { return h == Hash{} }

// String returns h in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Product is a placeholder as it should be in the shop: what Make computed
// from the catalog's records and the shop's Info. It is not changed once made.
type Product struct {
	SKU  string // as the catalog spells it
	Hash Hash   // of all the rest
	// WishID is the entity id that a new product should get if it is free; 0 is
	// none. It is for orders that are ordered again, and not in Hash.
	WishID int64
	// Fresh says that Find, asked a moment ago, found nothing under the SKU: a
	// hint for Ensure, which it may take for a short way. A wrong one costs time
	// and perhaps an auto-increment, nothing else. Not in Hash.
	Fresh bool
	// Retired means that it must not be sold any more (disabled, gone, without
	// price): nothing else is set, and Refresh only changes the status to 2.
	// Ensure never gets one.
	Retired bool
	// Parent is the SKU of the catalog's product whose document has this one as
	// a variant; "" of a product with a document of its own. The ledger keeps it
	// (binary collation, 255 bytes, indexed) for Shop.Live; it is not in Hash.
	Parent string
	Type   string // "simple" or "virtual"; a Refresh does not change it
	// Values are the EAV values, sorted by attribute, then store. Whatever the
	// placeholder has in the value tables beyond them becomes NULL.
	Values []Value
	// Websites are the ids of the websites that sell it, ascending; never none.
	Websites []int
	// Tiers are sorted as they are compared: website, group, quantity.
	Tiers []Tier
	Stock Stock
	// Categories are the ids of shop categories that cart rules ask for and the
	// product is in, ascending. Mostly none.
	Categories []int
}

// Value is one attribute's value in one store.
type Value struct {
	Attribute string // a code that Info.Attributes has
	Store     int    // store id; 0 is the default
	// Text is the value as its backend type takes it: a decimal as "12.5000",
	// an int as "2", a datetime as "2026-01-31 00:00:00", text as it is.
	// Decimals have exactly as many fraction digits as the column (Info).
	Text string
}

// Tier is a price from a quantity on; a group price is a tier from quantity 1.
type Tier struct {
	Website  int  // 0: all
	AllGroup bool // for all customer groups; Group is then 0
	Group    int
	Qty      string // decimal with four fraction digits
	Price    string // decimal as the price attribute has it
}

// Stock is what the stock tables say.
type Stock struct {
	// Manage lets the shop count: quantities are written once, when the
	// placeholder is made, and by Refresh when the catalog's change. Without
	// it use_config_manage_stock=0, manage_stock=0.
	Manage bool
	// InStock false makes the product not salable by all of storefront,
	// GraphQL and REST, and stay so after the shop's own reindex; carts keep
	// the line and show the error. (Not managed and out of stock is nothing
	// the shop knows: manage_stock=1 with is_in_stock=0 and qty 0 is.)
	InStock    bool
	Qty        string // decimal with four fraction digits; "0.0000" when not managed
	Backorders bool   // only with Manage
	MinSale    string // "" means that the shop's setting holds
	MaxSale    string // likewise
}

// Info is what a Shop found in its database.
type Info struct {
	Dialect string // "magento2", "openmage", "memory"
	Server  string // the database's version, for people
	Prefix  string // of table names

	Websites []Website // all but the admin's, by id
	// SKUChars is how many characters the sku column holds (64).
	SKUChars int
	// SKU4Byte and Text4Byte: the columns hold characters outside the Basic
	// Multilingual Plane.
	SKU4Byte, Text4Byte bool
	// Attributes are those that a Product may have values of: in the attribute
	// set that placeholders get, with a value table. status, visibility, name,
	// price and tax_class_id are always there, or opening is ErrSchema.
	Attributes map[string]Attribute
	// RuleAttributes are the codes that active cart price rules ask for,
	// sorted; each is in Attributes, too.
	RuleAttributes []string
	// RuleCategories: paths of the shop's categories that active cart rules
	// ask for → id, as "Men/Shoes" without the website's root.
	RuleCategories map[string]int
	PricePerSite   bool // catalog/price/scope is website
	TaxClasses     []TaxClass
	DefaultTax     int     // class id of products that say none; 0 when there is no class
	Groups         []Group // customer groups
	GroupPrices    bool    // the dialect has group or tier prices by group
	Read           time.Time
}

// Website is a website of the shop.
type Website struct {
	ID       int
	Code     string
	Currency string // its base currency: prices are in it
	Default  bool
	Stores   []StoreView
	StockID  int // the MSI stock it sells from; 1 is the default
}

// StoreView is a store view of a website.
type StoreView struct {
	ID   int
	Code string
}

// Attribute is a product attribute that has a value table.
type Attribute struct {
	ID      int
	Backend string // "int", "decimal", "varchar", "text", "datetime"
	Input   string // frontend_input: "select", "multiselect", "boolean", …
	Scale   int    // fraction digits of a decimal's column
	Chars   int    // how many characters a varchar's column holds
	// Options are a select's labels in the admin store, folded to lower case,
	// → option id; nil where it has none (or a source of its own).
	Options map[string]int
}

// TaxClass is a product tax class.
type TaxClass struct {
	ID   int
	Name string
}

// Group is a customer group.
type Group struct {
	ID   int
	Code string
}
