// Package elasticindex is a search index in Elasticsearch 8, for shops that one
// machine does not serve: Open returns an indexer.Index that gives the answers
// of package indexer's functions, and keeps every generation, its cursor and
// its settings on the server.
//
// # What is on the server
//
// An index NAME is the alias catalog-NAME of one generation, catalog-NAME-n.
// Build makes the next one beside it, with the settings of a bulk load (no
// refresh, no replicas, no synchronous log); Publish gives it those of serving,
// its cursor, and the alias, in this order and the alias in one step, then
// removes the old one. So the serving generation never has a bulk load's
// settings, whatever crashes; should somebody else have left it with them, the
// first Apply of a process restores them. Build removes what was never
// published. An index template forbids that a late request makes an index of a
// generation that is gone. catalog-NAME-dict holds what all generations share,
// in one document that only grows, changed by compare-and-set: the numbers of
// price scopes, and a count of writers.
//
// The format version and the settings' fingerprint stand in the mapping's
// _meta, the cursor in a document of its own, written after everything before
// it was confirmed and refreshed together with it. An Apply that moves the
// cursor refreshes once, and its ops are durable and visible, also to other
// processes, when it returns. One that does not, a step of many, leaves the
// refresh to the next search of this process, to the Apply that moves the
// cursor, or to the engine, which does it within a second: a segment for each
// step would cost more than the step.
//
// The requests go through elastic-transport-go, the part of go-elasticsearch
// that picks nodes and authenticates. The rest of that client are types and
// functions for each of the engine's calls, of which a few plain requests need
// none: they are 860 packages to compile and a fifth of the binary.
//
// # Documents
//
// A product's Document becomes one Elasticsearch document. With one unit it is
// flat (kind b): the unit's fields stand in it, and no join is needed; these are
// nearly all. With several it is of kind p and its units are nested documents,
// so that a filter holds only if one of them meets it all; beside it each unit
// has a flat document of kind v, which is a hit where variants are asked for.
// Variants that did not change are not written again: their bodies' hashes are
// compared.
//
// The mapping is fixed; ten thousand attributes add no field to it. Fields of a
// unit, flat or below "u.": us stores, is in stock, id its SKUs, a names of
// attributes, kv0–kvf "name\x01value" and nu0–nuf "name\x01", type and the
// number as 16 hexadecimal digits that sort like it, in one of 16 fields by the
// name's hash; p prices as longs, scope number·2⁴⁸ + amount; nx when they
// change; sv words of values. Fields of a document: t0–t5 and s0–s5 terms and
// stems by class, side by side, t terms to complete words with; ws, wb stores
// that show it in search, in categories; es, ei stores with a unit they sell, or have in stock; c
// categories, ck and cv hashes and positions of those with a position; nk the
// name's collation key (its first 4,096 bytes, in a base64 that sorts like it), nw its words, cr when created,
// sh the sample hash, xf SKUs folded, as attributes for the statistics. Products
// with several units have their prices (mk, mv), stock (mo), stores (mx) and
// numbers (mn) once more as columns, because sorting cannot look into nested
// documents. d is the rest, in binary: what is displayed is decoded of it, and
// samples are read from its column. Variants have no t and sv: what is completed
// is counted in products. Terms, stems and names of attributes are text of one
// line each, which costs the engine less than an array of keywords, and what is
// only counted or sorted by is not indexed as well: the engine's time for a
// document is in proportion to its terms. Terms and values of over 8,000 characters
// are not searched; they do not fail the document.
//
// # What a query becomes
//
// Scores are the small integers of package indexer: each way in which a word
// can be found is a constant_score, a word the dis_max of its ways, and words
// are summed; a synonym's phrase has a condition for each count its weakest word
// may reach. Typos are fuzzy queries that are rewritten without a limit of
// expansions. Boosts are added, those that bury by giving points to all others;
// the sum must stay below 2²⁴, where single precision ends to be exact. Filters
// are terms and ranges, once on flat documents and once nested. A price is that
// of the first scope that has one: "in a range of scope 1, or in one of scope 2
// and without any in scope 1". Pins, positions, prices and attributes sort by
// scripts that never change; their parameters do. Pages go on behind a Keyset
// by search_after, without state on the server.
//
// Facets are chosen from the 256 hits with the lowest sample hash, read from
// columns, and then counted exactly: by terms of the attribute's field, for
// products with several units by nested ones that meet the filters, brought
// back to their products by reverse_nested. A facet that is filtered by itself
// is counted in a search of its own. A facet with more than 1,000 values, exact
// too, is counted in further requests. A search with facets takes two requests
// on one snapshot (a point in time), opened for it; without, it is one request.
// Result.At is read in the same snapshot. Deep pages, Rank and all that reads
// more than 10,000 hits go on in steps of that.
//
// # Writes
//
// Bulk requests are cut by bytes, and Options.Workers of them are under way.
// Every write has a version, the number of its writer and of its call, and
// external_gte: a request that was repeated, delayed, or sent by a process that
// lost its lease does not undo a newer one, nor bring back what was removed
// within the hour before (index.gc_deletes). The log's Seq would not do: builds
// and changes by time have none. A writer whose number is not the latest gets
// ErrSuperseded.
//
// 429, 5xx and lost connections are repeated with growing pauses, of a bulk
// request just the actions concerned, until nothing succeeded any more for
// Options.RetryFor: then ErrUnavailable. A write block, as of a full disk, is
// ErrReadOnly at once; the server lifts it when there is room, and the same
// call then succeeds. Products that the server refuses for what they are make
// an indexer.RejectedError, all others and the cursor being in; a Builder, which
// collects requests across calls, may tell of them in a later Apply or at
// Publish, which has published nevertheless.
//
// # Concurrency
//
// An Index is safe for concurrent use. Apply and Publish wait for each other.
// Builder.Apply may be called by several goroutines with different products.
// Searches meanwhile see the old generation or the new one; one that loses its
// snapshot to a Publish is begun again. Another process sees a new price scope
// within a second, everything else at once.
//
// # Verification
//
// Digests reads _source, of which the server makes postings and columns in the
// same step and under checksums: each document is made anew of it, and every
// searched field anew of that and compared byte by byte, those of variants with
// their product's.
package elasticindex
