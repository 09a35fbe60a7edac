// Package pebblestore keeps a catalog in a directory of this machine: a
// catalog.Store on github.com/cockroachdb/pebble/v2, which one process at a time
// has open.
//
// # Directory
//
//	CATALOG      "catalog store, format 1": the version of all that follows
//	CATALOG.new  the same while the store is being made; then renamed
//	LOCK         locked by the process that has the store open; always empty
//	HOLDER       who that is, and since when (RFC 3339), a line each
//	tables/      Pebble's files
//	load/        tables that are being written; emptied by Open
//	checkpoint/  what Checkpoint made last, until whoever asked for it is through
//
// Version N of the format opens N-1 and brings it up to N. Open makes a store
// in an empty directory only, and leaves one that holds anything else alone.
// To copy a store, copy the directory while no process has it open, or what
// Checkpoint made; Renew makes a store of its own of that.
//
// # Keys
//
// The first byte of a key is its space. Numbers are unsigned varints except in
// keys, where they are big-endian; a string is its length and its bytes.
//
//	01                   the state: epoch, tail, end of what was trimmed, last lease token,
//	                     number of kinds and records of each, number of sources and
//	                     product heads of each
//	02 id[4]             name of a source; heads name theirs by id
//	03 seq[8]            log: entries of consecutive Seqs, the first of them in the key
//	05 name              follower: epoch, Seq, when it moved (signed, ns)
//	06 name              lease: token, since and expiry (signed, ns), holder to the end;
//	                     void once the store was opened again
//	07 name              meta: the value
//	11 SKU               product: head
//	12 SKU               price: head, body
//	13 SKU               stock: head, body
//	14 key               category: head, body
//	15 code              attribute: head, body
//	21 SKU               product: body
//	30 type value store key kind   ref: nothing; value and store end with 00 01, and
//	                     a zero byte in them is 00 ff
//
// A head is the hash (16 bytes), Seq, source, number of refs, and for each its
// type (1 byte), store and value. Bodies of products are apart because heads
// are read far more often than bodies that size: a listing of two million
// heads reads 80 MB instead of 2.4 GB.
//
// A log entry is a byte, of which the lowest three bits are the kind, 08 says
// that it is a deletion and 10 that the key is that of the entry before, and
// the key unless it is. Seqs have no gaps. A value holds up to 32 KiB of
// entries, of one commit; Trim replaces the one that it cuts.
//
// # Commits
//
// There is one writer at a time; readers never wait for it. Each commit writes
// its records, refs, log entries and the state together or not at all, and is
// durable when it returns. Small ones are a batch through Pebble's log. Larger
// ones (Options.BulkBytes) are written as sorted tables, several at once, in
// load/, around the page cache where the system lets them, synced, and become a
// part of the store by one ingestion: that costs a
// fifth of the processor time, for which the log, the memtable and the
// compactions of all its flushes would be spent. Tables of different spaces
// never overlap.
//
// To say whether a record is new takes no reading as long as loads bring mostly
// new ones: a filter in memory (1.5 to 3 bytes a record, made from a listing of
// the heads when looking for absent records has cost as much) is certain of
// nearly all. What exists is looked up in the order of keys by one iterator.
//
// Compactions wait until no bulk Apply has come for two seconds and nobody
// holds them (Store.Hold), or more than a hundred tables lie one over the other;
// beside others who want the processor they rest (Options.Yield). What is loaded
// is compressed for speed, in blocks of 8 KiB; the bottom level, where
// compactions bring it, by zstd in blocks of 24 KiB, without filters: at 8 KiB
// and with filters a catalog took 36 % of its feed's size, so it takes 33 %.
//
// # Errors of the disk
//
// A bulk Apply that cannot be written has changed nothing, and the store goes
// on. When Pebble's own log, manifest, flush or compaction cannot be written,
// nobody can say what reached the disk: all operations fail with the cause from
// then on, Close keeps the lock, and another process finds all that was
// acknowledged. Applies that would fill the disk are refused before that.
package pebblestore
