package indexer

import "time"

// Query is a request as callers make it. The zero Query asks for the first
// page of everything.
type Query struct {
	View     View
	Text     string   // what was typed
	Category string   // path ("Men/Shoes"), as the view's tree has it, or id
	Filters  []Filter // all must hold
	Facets   Facets
	Sort     Sort
	Variants bool   // hits are units instead of products
	Page     int    // from 1; 0 is 1. ErrQuery beyond MaxHits hits: use After
	Size     int    // hits a page; 0 is DefaultSize, at most MaxSize
	After    string // Result.Next of the page before; Page is ignored then
}

// Limits of a query.
const (
	DefaultSize = 24
	MaxSize     = 500
	MaxHits     = 10_000 // that can be reached by page number
	MaxWords    = 32     // of a text; what follows is ignored
)

// View says who asks.
type View struct {
	Store    string   // store code; "" is the default store
	Currency string   // "" is the store's
	Group    string   // customer group
	Lists    []string // price lists, the first that has a price wins
}

// Filter restricts a query. Values, Ranges and Exists of one filter are
// alternatives.
type Filter struct {
	Field  string // an attribute, or a Field* constant
	Not    bool   // no unit value may meet it
	Values []string
	Ranges []Range
	Exists bool // has any value
}

// Fields that are not attributes. An attribute of the same name is reached as
// "attributes.NAME".
const (
	FieldPrice    = "price"
	FieldStock    = "in_stock" // "true" or "false"
	FieldCategory = "category" // id or path
	FieldSKU      = "sku"      // of the product or the unit
	FieldCreated  = "created_at"
)

// Range is an interval of numbers or dates (seconds since 1970).
type Range struct {
	From, To *float64 // nil: no limit
	Open     bool     // To itself is outside
}

// Contains reports whether f is in r.
func (r Range) Contains(f float64) bool {
	if r.From != nil && f < *r.From {
		return false
	}
	return r.To == nil || f < *r.To || f == *r.To && !r.Open
}

// Facets says which facets a query wants.
type Facets struct {
	Names  []string // these, in this order
	Auto   int      // and so many chosen by the index (see ChooseFacets)
	Values int      // values per facet; 0 is 20
	Tree   bool     // and the counts of all categories, not of the children only
}

// Sort orders hits. Hits without the value come last in either direction;
// ties are broken by SKU, ascending, always.
type Sort struct {
	By   string // Sort* or an attribute's name; "" is relevance with a text, position with a category
	Desc bool
}

// Sort orders.
const (
	SortRelevance = "relevance"
	SortPosition  = "position" // in the query's category
	SortPrice     = "price"    // of the cheapest eligible unit
	SortName      = "name"     // collated
	SortNewest    = "newest"   // created_at, newest first
)

// Prepared is a query with everything looked up: what an index gets.
type Prepared struct {
	Store        string
	Scopes       []Scope // of prices; the first in which a unit has one counts
	InStockOnly  bool    // units out of stock are not eligible
	Words        []QueryWord
	Exact        string   // the text, folded, to be compared with folded SKUs
	Category     string   // key of the category; "" none
	Filters      []Filter // fields without prefix "attributes."; a category is a key
	Attribute    []bool   // per filter: Field names an attribute, even if it looks reserved
	Facets       PreparedFacets
	Sort         Sort // By is never empty
	Variants     bool
	Offset, Size int
	After        *Keyset
	Pins         []string // SKUs that come first, in this order, if they are hits at all
	Boosts       []Boost
	Now          time.Time
}

// PreparedFacets is Facets with settings applied.
type PreparedFacets struct {
	Names    []string
	Auto     int
	Values   int
	Children []string                        // categories to count: keys
	Exclude  map[string]bool                 // never chosen
	Labels   func(name string) AttributeMeta // never nil
}

// QueryWord is a word of the text, or a synonym's phrase in its place.
type QueryWord struct {
	Text string        // as typed
	Alts []Alternative // any of these; the first is the word itself
	Last bool          // the last word of the text: also a prefix
}

// Alternative is a phrase whose words must all be there; a word itself is a
// phrase of one.
type Alternative struct {
	Words   []QueryToken
	Synonym bool
}

// QueryToken is a word to look for.
type QueryToken struct {
	Term  string
	Stems []string // in the languages of the view's documents
}

// Boost adds points to documents with a unit that meets all filters.
type Boost struct {
	Filters []Filter
	SKUs    []string // or: these
	Points  int      // below 0: bury
}
