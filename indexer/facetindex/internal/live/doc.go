// Package live keeps price and stock of rows in columns that change without
// the documents they belong to.
//
// Columns are immutable: a change copies the blocks of 1,024 rows that it
// touches and shares all others, so that a reader sees one state for as long
// as it likes. There is a column for each scope of prices, one for the moment
// when a row's prices change by themselves, and a bitmap of what is in stock.
// In a block of which a quarter of the rows have a price all rows have a
// place, of four bytes where the amounts fit, of eight where not; in a
// sparser one only those that have one.
//
// # File format, version 1
//
//	magic "CATLIV" and version (2 bytes)
//	rows
//	stock: bitmap
//	columns: scope and blocks; the first is that of next changes
//	CRC-32C of everything before
package live

import "catalog/indexer"

// Rows of a block.
const (
	blockBits = 10
	blockRows = 1 << blockBits
	blockMask = blockRows - 1
)

// Columns has the live data of the rows of a segment.
type Columns struct {
	rows   int
	stock  []*stockBlock
	next   column // seconds as amounts, nanoseconds as regular ones
	scopes []indexer.Scope
	prices []column
}

type stockBlock [blockRows / 64]uint64

// column has a block for each 1,024 rows; nil where no row has anything.
type column []*block

func blocksOf(rows int) int { return (rows + blockMask) >> blockBits }

// Rows returns how many rows there are.
func (c *Columns) Rows() int { return c.rows }

// InStock reports whether a row's unit can be sold.
func (c *Columns) InStock(row uint32) bool {
	return c.stock[row>>blockBits][row&blockMask>>6]>>(row&63)&1 != 0
}

// Scope returns the number of a scope's prices, -1 if there are none.
func (c *Columns) Scope(s indexer.Scope) int {
	for i := range c.scopes {
		if c.scopes[i] == s {
			return i
		}
	}
	return -1
}

// Price returns a row's price in the scope of that number.
func (c *Columns) Price(scope int, row uint32) (amount, regular int64, ok bool) {
	b := c.prices[scope][row>>blockBits]
	if b == nil {
		return 0, 0, false
	}
	return b.get(row & blockMask)
}

// Amount is Price without the regular one.
func (c *Columns) Amount(scope int, row uint32) (amount int64, ok bool) {
	b := c.prices[scope][row>>blockBits]
	if b == nil {
		return 0, false
	}
	return b.amount(row & blockMask)
}
