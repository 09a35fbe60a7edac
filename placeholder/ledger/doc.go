// Package ledger is a placeholder.Shop over database/sql: what the shops of
// all dialects have in common. Packages magento2 and openmage say what differs
// (a Dialect) and open it.
//
// # Tables
//
// Two tables of our own stand beside the shop's, with the shop's prefix:
//
//	catalog_placeholder
//	  sku        PRIMARY KEY, type and collation of catalog_product_entity.sku
//	  entity_id  the product row; 0 only within the transaction that makes it
//	  state      1 live, 2 taken (the merchant edited it; it is theirs)
//	  disabled   1 when written as not for sale
//	  hash       placeholder.Product.Hash of what was last written; zeros: unknown
//	  qty        the quantity last written, where the shop manages stock
//	  parent     placeholder.Product.Parent: whose change changes it, too
//	  mark       the product's updated_at as we left it: another means edited
//	  made, used UTC, by the database's clock
//	catalog_placeholder_lock
//	  name       PRIMARY KEY: "prune"
//	  token      rises with every acquisition
//	  holder, since, expires
//
// The product row is written with an updated_at one second in the past, so
// that an edit within the second of its making is seen, too.
//
// # Transactions
//
// All run at READ COMMITTED, so that a statement sees what others committed
// before it, and no gaps are locked. Locks are taken in one order: claims of
// new SKUs, sorted by byte; the ledger's rows in the order of their key; the
// product rows; their values. A claim that meets another's waits for it, then
// starts over and finds what the other made.
//
// Deadlocks (1213, Galera's certification conflicts), lock time limits (1205)
// and lost connections start the transaction over a few times, with a backoff;
// everything a transaction does is computed from what it reads, so that doing
// it twice is doing it once. What a product's values break (1406, 1264, …)
// fails that product alone: the batch is halved until it is found.
package ledger
