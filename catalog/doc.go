// Package catalog is the vocabulary of a product catalog kept as schema-less
// JSON documents in a key-value store: the kinds of record, the rules that
// every record obeys, and the contract of the Store that keeps them.
//
// # Records
//
// A record is a JSON object with a Kind and a Key. Bodies are compact JSON
// (no white space outside strings), UTF-8, at most MaxBody bytes; numbers
// survive exactly as they were written.
//
//	kind       key                          body
//	product    SKU                          the document, without price and stock
//	price      SKU                          {"sku":…,"prices":[entry…]}
//	stock      SKU                          {"sku":…,"qty":…,"in_stock":…,…}
//	category   id, or its path              {"path":…,"name":…,"position":…,…}
//	attribute  code                         {"code":…,"label":…,"options":[…],…}
//
// A variant's price and stock are records of their own under the variant's
// SKU, whether the variant is a product of its own or lives inside its parent.
//
// # Price entries
//
// Each entry of a price record holds for one combination of qualifiers, all
// optional: currency, website, group (customer group), list (customer-specific
// price list). Its values: price (the list price), special_price with
// special_from and special_to (RFC 3339 or YYYY-MM-DD), cost, msrp, and tiers:
// [{"qty":10,"price":9.50},…]. Amounts are decimals: JSON numbers, or strings
// that hold one, never rounded, never negative.
//
// In a product document they may be given as "prices": [entry…], as "price":
// entry, or flat: "price": 9.99 beside "special_price", "special_from",
// "special_to", "currency", "msrp" and "tiers" (also "tier_prices"). All of
// these leave the document and make the price record; an explicit null of
// "price" or "prices" deletes it; when none of them is there the price record
// is left alone.
//
// # Stock
//
// "stock" of a product document is an object of qty, in_stock, manage,
// backorders, min_qty, max_qty, sources [{"source":…,"qty":…}], or a bare
// number (the qty), or null, which deletes the record. A top-level "qty" or
// "in_stock" counts as part of it. In a stock feed the same fields stand
// beside sku.
package catalog
