// Package placeholder writes a product into Magento's or OpenMage's database
// the moment an item enters a cart, keeps it true to the catalog while it is
// there, and removes it again when nobody has used it for long: a
// placeholder, ten small rows that the shop's own checkout can sell.
//
//	Make               a catalog's records and the shop's facts → the Product
//	Service.Ensure     SKUs → a product in the shop for each, or why there is none
//	Service.Handler    the same as POST /v1/placeholders
//	Service.Follow     changes of the catalog → live placeholders
//	Prune              removes the least recently used
//
// A Shop is one shop's database. Its implementations (magento2 and openmage
// over ledger; memshop for tests) know tables, dialects and transactions, and
// nothing of catalog documents. This package knows catalog documents and
// rules, and nothing of tables. shoptest holds every Shop to the contract.
// gateway is the reverse proxy that calls Ensure before a shop.
//
// # What a placeholder is made of
//
// Websites are those of the product that the shop has and that have a price
// above 0 in their base currency; without one it is refused, never sold at
// 0.00. A price entry without currency has its website's or store's, or that of
// the shop's default website. The default website's price is that of all
// stores; where the shop has prices per website, stores that differ have their
// own. A special price with days is left to the shop, which knows days; one
// with a time of day is written while it holds, which Follow looks after. Tier
// and group prices are written; price lists of single customers are not, since
// the shop knows nothing like them.
//
// The name is that of the default, and of stores that have another; a variant
// without name has its parent's and what tells it from its siblings. Tax
// classes are found by name or id: none means the shop's default, "none" means
// none, and an unknown one is refused, since the tax would be wrong.
// Attributes and categories that active cart price rules ask for are written
// where the document has them. A variant is looked for among the products,
// then in the parent that has it embedded; a configurable is refused: one of
// its variants must be chosen.
//
// The shop's stock is not managed unless Rules say so; what is sold out
// without backorders is refused, and if it is in the shop already it stays
// visible in carts but cannot be ordered.
//
// # How Ensure works
//
// Requests meet in two queues: one reads the shop and the catalog and answers
// what needs no writing, the other writes. While a batch is under way the next
// one gathers, for a millisecond or two or half as long as a batch takes, so
// that load makes multi-row transactions and a single request waits for nobody.
// The first queue gathers while the second is at work as well: callers who were
// answered together come back together, and stay in one batch. All who ask for
// one SKU at the same time share the work.
// Written placeholders are compared with the catalog again after the commit,
// since a change may have come between: whoever commits last sees it, and
// Follow sees everything that comes after.
//
// The last use is written at most once in TouchEvery. Prune keeps what was
// used within its grace time and TouchEvery, so an answer holds for the grace
// time at least.
//
// # The ledger
//
// What is ours is told by a table of our own beside the shop's: the ledger.
// Its primary key is the SKU in the collation of the shop's own sku column, so
// that the database itself decides which spellings are one product; the shop's
// sku column has no unique key, so that the ledger's row lock is what keeps
// sixty-four callers from making sixty-four products. An entry is
//
//	sku         as the catalog spells it; PRIMARY KEY
//	parent      SKU of the catalog's product that has it as a variant, or ""
//	entity_id   of the product row; 0 while it is being made
//	state       live, or taken: the merchant edited it, it is theirs
//	hash        of the Product that was last written
//	edit mark   what tells that the merchant edited the product
//	last used   by the database's clock, at most TouchEvery too old
//
// and one more row, or a table of its own, is the lock of prune.
//
// # Life of a placeholder
//
//	none ──Ensure──► live ──Refresh──► live (other values; perhaps disabled)
//	                  │ ▲
//	                  │ └─Ensure (its product row was deleted by others: made anew)
//	                  ├─merchant edits──► taken: answered as Foreign, never written, never pruned
//	                  └─Pruner.Remove──► none
//
// # Rights
//
// The database user needs what 'catalog magento grants' prints as GRANT
// statements: SELECT on what is looked up; INSERT, UPDATE and DELETE on the
// tables that a placeholder has rows in and on the ledger's; UPDATE on the
// quotes that prune marks. Opening a Shop without a right fails with ErrRights
// and names it.
package placeholder
