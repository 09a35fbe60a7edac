// Package storefront serves a catalog over HTTP: products, category pages,
// search, prices and stock, in answers that browsers and CDNs can cache. The
// routes and what they answer are described by an OpenAPI document that is
// part of the package (Document).
//
// # Answers
//
// Stored documents are JSON already: answers are put together from their
// bytes in pooled buffers and never decoded. A document is shown as one store
// view sees it (view.go); price and stock are answers of their own (live.go),
// so that a page stays cached while they change.
//
// # Caching
//
// Every answer belongs to a Life. Documents, trees and pages without price or
// stock live long in shared caches and carry surrogate keys by which they are
// purged: "p:SKU" of each product shown, "c:ID" of the category. The keys of
// one answer are bounded; an answer that would need more lives short instead.
// Answers with price or stock live for seconds and have no keys. What only
// one customer may see is never stored.
//
// # Who may what
//
// Reading is open. Prices of customer groups and price lists need a token, or
// a header that the shop has signed (Customer); writing needs a token of role
// import. Tokens are compared in constant time and never logged.
package storefront

import _ "embed"

//go:embed openapi.yaml
var document []byte

// Document returns the OpenAPI 3.1 document of the routes. The caller must not
// change it.
func Document() []byte { return document }
