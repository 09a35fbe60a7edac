package segment

import (
	"catalog/indexer"
)

// source is what a segment is written of: a Builder or another segment.
// Numbers of documents, rows, SKUs and so on are the source's own.
type source interface {
	docs() int
	rows() int
	first(doc uint32) uint32 // its first row; rows() for docs()
	skus() keys
	docSKU(doc uint32) uint32
	rowSKU(row uint32) uint32
	view(doc uint32) string
	flags(doc uint32) uint8
	created(doc uint32) int64
	nameKeys() keys
	nameKey(doc uint32) uint32 // its number+1; 0: none
	nameWords(doc uint32) int64
	title(doc uint32, buf []byte) []byte
	// lexemes are given the new number of each document, none of those that go.
	lexemes(p *plan, src int) lexemes
	attrs() fields
	stores() field
	sellers() field
	cats() field
	positions(f func(cat, doc uint32, pos int32)) // in any order; cat is a text of cats
}

// Flags of documents.
const (
	FlagSearch  = 1 << iota // found by search
	FlagBrowse              // listed in categories
	FlagComplex             // units have something of their own
)

// keys walks through different strings in order. Index is the number of the
// string at the source.
type keys interface {
	Valid() bool
	Key() []byte
	Index() int
	Next()
}

// lexemes walks through terms and their stems in order.
type lexemes interface {
	keys
	termLen() int
	// lists appends the new documents of each class, in no order.
	lists(dst *[indexer.NumClasses][]uint32)
}

// fields walks through attributes by name.
type fields interface {
	keys
	field() field
}

// field is an attribute, or what is kept like one.
type field interface {
	texts() keys
	numValues() int
	value(i int) valueRef                           // in order
	members(dst []uint32, code uint32) []uint32     // appends them
	column(which int) func(f func(id, code uint32)) // which: colAny, colOwn, colUnit; in any order
}

// valueRef is a value without its text.
type valueRef struct {
	text uint32 // number of the text
	typ  indexer.ValueType
	num  uint64 // bits
}

// The columns of a field.
const (
	colAny  = iota // documents: what any unit of theirs has
	colOwn         // complex documents: what their product has
	colUnit        // rows: what the unit has of its own
	numCols
)
