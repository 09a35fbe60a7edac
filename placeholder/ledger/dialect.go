package ledger

import (
	"context"

	"catalog/placeholder"
)

// Facts are what differs between shops and can be said in a word. Names of
// tables are without prefix.
type Facts struct {
	Name                               string // placeholder.Info.Dialect
	Website, Group, Store              string // tables of the scopes
	Quote, QuoteItem, Order, OrderItem string
	TypeID                             bool   // products and values carry entity_type_id
	OrderItemByProduct                 bool   // OrderItem has an index on product_id
	GroupPrice                         string // the table of group prices; "" where tier prices are by group
	// LineFK: a foreign key removes cart lines with their product.
	LineFK bool
	// Cart is the condition under which a quote q may still be ordered; {prefix}
	// stands for the prefix, there and in Leftover.And.
	Cart string
	// Leftovers are tables that may hold rows of a product that no foreign key
	// removes with it.
	Leftovers []Leftover
	// Needed are the tables that opening fails without, Reads those that are
	// looked at where they are.
	Needed, Reads []string
}

// prefixMark stands for the prefix in conditions.
const prefixMark = "{prefix}"

// Leftover is a table with rows that must be deleted by hand. Tables that are
// not there are passed over.
type Leftover struct {
	Like   string // name, or "start%" for tables whose names go on with a number
	Column string // the one that holds the entity id or the sku
	BySKU  bool
	And    string // a further condition
	// Derived means that an index process makes the rows, so that Check may
	// delete those of products that are gone, whoever made them.
	Derived bool
}

// ReportEvent is the log of what visitors did, which tells of products by their
// ids for some types of event alone; both kinds of shop have it.
func ReportEvent() Leftover {
	return Leftover{
		Like: "report_event", Column: "object_id",
		And: "event_type_id IN (SELECT event_type_id FROM `{prefix}report_event_types` WHERE event_name IN " +
			"('catalog_product_view','sendfriend_product','catalog_product_compare_add_product','checkout_cart_add_product','wishlist_add_product'))",
	}
}

// Dialect is one kind of shop.
type Dialect interface {
	// Facts may be called any time.
	Facts() Facts
	// Load reads what only this dialect has, after the common look-ups, and
	// adds its tables to s. It keeps what it needs in s.Own.
	Load(ctx context.Context, q Reader, s *Schema) error
	// Rows puts the rows that only this dialect has. It is called at the same
	// time by many goroutines.
	Rows(s *Schema, p *placeholder.Product, put Put)
}

// Put adds a row that the product should have: the values of Table.Key and
// Table.Vals in their order, as the database writes them.
type Put func(t *Table, key, vals []string)

// Schema is what was found in the database, and where products have rows. It
// is not changed after it was loaded.
type Schema struct {
	Info   placeholder.Info
	Tables []*Table // in the order in which rows are inserted
	Own    any      // the dialect's

	product    string // quoted, with prefix
	entityType int
	set        int // attribute set
	values     map[string]*Table
	website    *Table
	category   *Table
	tiers      *Table
	stockItem  *Table
	leftovers  []leftover
	skuColumn  column
	returning  bool            // the server has INSERT … RETURNING
	seen       map[string]bool // the tables and views that the user sees, with prefix
	seenAll    bool            // there are no others
}

// leftover is a Leftover that is there.
type leftover struct {
	Leftover
	table string // with prefix
}

// column is how a column is declared.
type column struct {
	Type, Charset, Collation string
	Chars, Scale             int
}

// Table is a table in which products have rows.
type Table struct {
	Name  string // with the prefix
	ID    string // the column that holds the entity id, or the SKU
	BySKU bool
	Auto  string   // the auto-increment key; "" when ID and Key are the key
	Key   []string // tells the rows of one product apart
	Vals  []string // what is compared and updated
	// Const are columns that only INSERT writes.
	Const []Const
	// Scope is a condition on the rows that are ours; "" means all.
	Scope string
	// Spare says what becomes of rows that the product does not have: they are
	// left alone, or deleted, or their values become NULL. A NULL would hide
	// the row of the same key whose Key[Default] is "0": then they are deleted.
	Spare   Spare
	Default int
	// Optional means that products may have no row in it.
	Optional bool
}

// Const is a column with a value that is always the same.
type Const struct{ Column, Value string }

// Spare says what to do with rows that should not be.
type Spare uint8

// What to do with rows that should not be.
const (
	Leave Spare = iota
	Drop
	Null
)

// row is a row of one product.
type row struct {
	id   string // entity id or SKU
	key  []string
	vals []string
}

// plan collects rows by table.
type plan map[*Table][]row

// add puts the rows of p into the plan.
func (s *Schema) add(d Dialect, pl plan, p *placeholder.Product, id string) {
	put := func(t *Table, key, vals []string) {
		r := row{id, key, vals}
		if t.BySKU {
			r.id = p.SKU
		}
		pl[t] = append(pl[t], r)
	}
	s.commonRows(p, put)
	d.Rows(s, p, put)
}
