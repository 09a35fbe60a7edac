// Package indexer makes what the store holds searchable: it maps records to
// documents, follows the change log into an Index, and answers queries.
//
// It owns the meaning of both sides, so that every index gives the same
// answers: Document is all that an index may know about a product, Prepared is
// all that it may know about a request, and the functions of match.go say
// which documents a request hits, in which order, and what its facets count.
// Indexes are free in how they get there; package indextest holds them to it.
//
// # Documents, views and units
//
// A product becomes one Document for all store views that see it alike, and
// one more for each view whose overlay makes it differ. A Document lists the
// stores that see it; no store sees two documents of one product. So an index
// knows nothing of overlays and fallbacks.
//
// What is sold are units: a product without variants is its own single unit, a
// configurable has one for each enabled variant. Attributes, price and stock
// are those of units (a unit has its product's attributes where it has none of
// that name itself). A filter, and a facet's count, holds for a document only
// if one eligible unit meets all of them together.
//
// # What becomes of a record
//
// Members of attributes are attributes, and so are all members of a record that
// have no meaning of their own: objects within them with dots in their names,
// elements of arrays as several values. A variant's place in its product goes
// before its own record, an overlay of a store before both. What is longer than
// MaxValue is only searched. A text of up to seven digits, or with decimals, is
// a number, and so are all JSON numbers; longer texts of digits name things.
// created_at, and texts that are dates, are seconds. Categories are named by
// path or id; those that only products name are part of the tree, too.
//
// # Live data
//
// Price and stock of a unit (Live) are computed for a moment: special prices
// and tiers are already resolved to one amount per scope. Live.Next says when
// that will change by itself; Run asks the index for what is Due.
//
// # Text
//
// A Token has a term, which is the word as it is written but folded, and a
// stem, which carries its language ("de:lauf"). A document's text is analysed
// in the language it is written in; a query in the language of its store and
// in that of the base texts. Scores are small integers (see Score), not
// statistics of the corpus: they can be explained, are the same on every index
// and shard, and do not change when other products do.
package indexer
