package indexer

import "catalog/catalog"

// Result is the answer to a Query.
type Result struct {
	Hits       []Hit
	Total      int // of all pages; exact
	Facets     []Facet
	Categories []CategoryCount // children of the query's category, or the whole tree
	Relaxed    Relaxed         // what was given up to find anything
	Sort       Sort            // as applied
	Next       string          // cursor of the next page; "" when this is the last
	At         catalog.Cursor  // the index's: everything up to it is in the answer
}

// Hit is one product, or one unit if the query asks for variants.
type Hit struct {
	SKU      string
	Parent   string // of a unit that is a variant; else ""
	Unit     string // the cheapest eligible unit that meets the filters
	Score    int
	Price    Amount // of the product's cheapest eligible unit; valid if HasPrice
	Regular  Amount
	HasPrice bool
	InStock  bool // some eligible unit is
}

// Relaxed says how far a text query had to be widened.
type Relaxed uint8

// The steps, each tried only when the one before finds nothing.
const (
	RelaxedNot   Relaxed = iota // every word matches; typos only in words nobody uses
	RelaxedTypos                // every word matches, perhaps with typos
	RelaxedAny                  // some word matches
)

// String returns the step's name: "", "typos" or "any".
func (r Relaxed) String() string { return [...]string{"", "typos", "any"}[r] }

// Facet is a way to narrow the hits, with what each choice would leave.
type Facet struct {
	Field    string
	Label    string
	Unit     string       // "mm", if known
	Values   []FacetValue // of a facet of values, the most frequent first (or in option order)
	More     int          // how many values were left out
	Ranges   []FacetRange // of a facet of numbers, ascending
	Min, Max float64      // of a facet of numbers, among hits
}

// FacetValue is a value and how many hits have it.
type FacetValue struct {
	Value, Label string
	Count        int
	Selected     bool
}

// FacetRange is a range and how many hits fall into it.
type FacetRange struct {
	Range
	Count    int
	Selected bool
}

// CategoryCount is a category and how many hits are in it or below.
type CategoryCount struct {
	ID    string
	Count int
}

// AttributeMeta is what is known about an attribute beside its values.
type AttributeMeta struct {
	Label        string
	Unit         string
	Options      []string // values in the order they are shown
	OptionLabels map[string]string
	Hidden       bool // never a facet by itself
}
