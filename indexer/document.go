package indexer

import (
	"strconv"
	"time"
)

// A Class is a group of fields whose words weigh the same.
type Class uint8

// The classes of text, the heaviest first.
const (
	ClassCategory Class = iota // its name: what the product is
	ClassName
	ClassBrand
	ClassSKU       // as a whole
	ClassAttribute // and words of categories' names
	ClassDescription
	NumClasses
)

// Weight returns what a word found in a field of class c counts.
func (c Class) Weight() int {
	return [NumClasses]int{11, 8, 6, 6, 6, 1}[c]
}

// Token is a word of a text.
type Token struct {
	Term string // folded: lower case, without marks; at most MaxTerm bytes
	Stem string // language, ":", stem; of the same language, words with the same stem match
}

// Limits of documents, in bytes.
const (
	MaxTerm  = 64  // of a term; longer words are cut
	MaxValue = 256 // of a value that can be filtered; longer ones are text only
)

// Document is a product as some store views see it: all that an index knows
// of it. Slices are sorted as said, without repetitions, so that equal
// documents are equal bit by bit.
type Document struct {
	SKU    string
	View   string   // "" for the base document; else the store whose overlay it is
	Stores []string // the stores that see it, sorted; never empty

	Search bool // found by search (visibility)
	Browse bool // listed in categories (visibility)

	// Words holds each term once, in the class of its heaviest field, sorted
	// by term.
	Words []Word

	Name      string // as displayed, for suggestions
	NameKey   []byte // collation key of Name in the document's language
	NameWords int    // how many words Name has: a shorter name is a closer match
	Created   int64  // seconds since 1970; 0: unknown

	// Categories holds the product's categories and all their ancestors, by ID.
	Categories []Membership
	Attrs      []Attr // of the product itself, by name
	Units      []Unit // by SKU; at least one
}

// Word is a token of a document and the class it was found in.
type Word struct {
	Token
	Class Class
}

// Membership says that a document is listed in a category.
type Membership struct {
	ID       string // the category's key: its id, or its escaped path
	Direct   bool   // named by the product itself, not an ancestor of one that is
	Position int32  // in a category named with one; NoPosition elsewhere
}

// NoPosition is the position of a product that has none: behind all others.
const NoPosition = int32(1<<31 - 1)

// Attr is an attribute and its values.
type Attr struct {
	Name   string
	Values []Value // by Text
}

// Value is one value of an attribute. Text is what filters and facets compare:
// a string as it is, a number in its canonical form, "true" or "false".
type Value struct {
	Text string
	Num  float64 // seconds since 1970 where Type is Date
	Type ValueType
}

// ValueType says what else than text a value is.
type ValueType uint8

// The types of values.
const (
	Text ValueType = iota
	Number
	Date // RFC 3339 or YYYY-MM-DD
)

// Unit is what is sold: a variant, or a product that has none.
type Unit struct {
	SKU    string
	Stores []string // that sell it, sorted; nil: all that see the document
	Attrs  []Attr   // its own, by name; they hide the product's of the same name
	Live   Live
}

// Live is what changes without the product: price and stock at one moment.
type Live struct {
	Prices  []Price   // by Scope
	InStock bool      // can be sold: in stock, not managed, or backorders allowed
	Next    time.Time // when Prices change by themselves; zero: never
}

// Price is what one unit of a product costs in a scope.
type Price struct {
	Scope   Scope
	Amount  Amount // what is paid
	Regular Amount // what it was before a special price; equal to Amount if there is none
}

// Scope says for whom a price holds. Empty members hold for everybody.
type Scope struct{ Currency, Website, Group, List string }

// Compare orders scopes by currency, website, group and list.
func (s Scope) Compare(o Scope) int {
	for _, p := range [...][2]string{{s.Currency, o.Currency}, {s.Website, o.Website}, {s.Group, o.Group}, {s.List, o.List}} {
		if p[0] < p[1] {
			return -1
		}
		if p[0] > p[1] {
			return 1
		}
	}
	return 0
}

// Amount is money in units of 1/10,000.
type Amount int64

// AmountScale is how many Amounts make one unit of a currency.
const AmountScale = 10_000

// Float returns a in units of its currency, as ranges compare it.
func (a Amount) Float() float64 { return float64(a) / AmountScale }

// String returns a as a decimal with at least two places.
func (a Amount) String() string {
	sign := ""
	n := int64(a)
	if n < 0 {
		sign, n = "-", -n
	}
	frac := strconv.Itoa(AmountScale + int(n%AmountScale))[1:]
	for len(frac) > 2 && frac[len(frac)-1] == '0' {
		frac = frac[:len(frac)-1]
	}
	return sign + strconv.FormatInt(n/AmountScale, 10) + "." + frac
}

// Key returns what tells documents apart.
func (d *Document) Key() string {
	if d.View == "" {
		return d.SKU
	}
	return d.SKU + "\x00" + d.View
}
