// Package facetindex is the embedded search index: no server, one directory,
// one process that writes.
//
// # How it is kept
//
// Documents are in immutable segments (see internal/segment for their format):
// dictionaries, posting lists and columns, cut into chunks of 64 K documents,
// mapped into memory. Products of the same categories are next to each other, so
// that a category page reads a few places of each column and not all of it. What
// all searches need is checked against its checksums when a file is opened;
// words, postings, attributes and names are, block by block, when they are used
// first, and all in the background. A batch of changes becomes a small segment
// in memory at once; a document that it replaces is marked as gone in its old
// segment. Small segments are merged as they gather; those in memory are written
// to disk every few seconds, together with others of the same size.
//
// Price and stock are not in segments but in columns beside them (see
// internal/live), one set for each segment: a change copies a few blocks, and
// touches neither text nor attributes.
//
// # Concurrency
//
// A search takes the current snapshot (a list of segments, columns and marks
// that never change) and never waits for a writer. Files stay until the last
// snapshot that needs them is gone. Writers take turns; merges run beside them.
//
// # Building
//
// A build deals products out to shards, each of which collects documents and
// writes what it has as a brief segment now and then. Settling merges these and
// what was not written yet into one; what is added after that is a small
// segment of its own, so that publishing, during which nobody else writes, takes
// no longer for a large catalog. Memory for documents, words and values is used
// again, so that a build leaves little garbage.
//
// # Memory
//
// Segments are mapped. What is kept beside them is small: the fields and names
// that were asked for, and up to 1 MiB of words that are close to others.
//
// Documents wait in memory until they are written, and live data of the time
// of a merge until it ends. Of both there is so much at most: then whoever
// brings more waits for the disk.
//
// # Durability
//
// MANIFEST names the files that make up the index, what is gone of each, the
// cursor, and the settings' fingerprint; it is replaced in one step when all
// it names is durable. Live data between two manifests is in a journal, so
// that a feed of prices is durable without any segment being written. The
// cursor is what the manifest says, or a later one that the journal has, if
// all changes up to it were of live data. What a crash leaves half-written is
// not named by any manifest, and removed when the index is opened; the journal
// is cut where it is not complete.
//
// An index of which a checksum does not hold is opened all the same, so that
// it can be built anew: until then everything else returns an error that is
// indexer.ErrCorrupt and names the file, and the section of a segment. It is the
// same from the moment on in which a checksum is found not to hold later.
//
// # Files, version 2
//
//	MANIFEST       "CATIDX", version (2 bytes), JSON, CRC-32C
//	NNNNNN.seg     documents: internal/segment
//	NNNNNN.live    price and stock of a segment's rows: internal/live
//	NNNNNN.log     journal: "CATJNL", version; records of length, CRC-32C, content.
//	               Version 2; 1, without changes of prices alone, is read, too
//	LOCK           locked while the index is open
package facetindex
