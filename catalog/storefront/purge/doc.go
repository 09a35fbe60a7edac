// Package purge tells caches which pages are out of date: it follows the
// change log behind the index, and sends the surrogate keys of what changed to
// Varnish, to Fastly, to Cloudflare, or to what speaks like them.
//
// # Keys
//
// A page carries the key of each product that it shows, and that of the one
// category that it is a page of (storefront.SurrogateKey). A change of a
// product purges its key, and those of the products it is a variant of. If
// something changed that decides which pages show it, and where (not merely
// texts or images), it also purges the keys of its direct categories. A changed
// category record purges its own. Changes of price and stock purge nothing:
// pages that contain them live for seconds only.
//
// # When
//
// A key is sent a second after the index has passed its change, so that the
// cache is not filled with the old page again, not even by an answer that was
// under way. Purges are soft, except of products that
// were deleted: the old page may be served while the new one is fetched. A
// category's key is sent at most once in Options.Every, because in an import
// everything of a category changes.
//
// # What is never lost
//
// The place in the log is kept in the store, behind what all caches took. After
// a crash some keys are sent twice, none is left out. When the log no longer
// reaches back to that place, or the store was restored, everything is purged.
package purge
