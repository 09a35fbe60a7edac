// Package mongostore keeps a catalog in a database of MongoDB: a catalog.Store
// on go.mongodb.org/mongo-driver/v2, which any number of processes may have open
// at the same time. It takes MongoDB 5.0 or later as a replica set or a sharded
// cluster: it needs transactions and change streams.
//
// # Collections
//
// A record is a document in the collection of its kind: products, prices, stock,
// categories, attributes.
//
//	{
//	  _id:     "SKU-1",                     the key
//	  seq:     NumberLong(4711),            of the change that wrote it
//	  hash:    BinData(0, …),               of the body, 16 bytes
//	  source:  "erp",
//	  refs:    ["url//shoe", "url/de/schuh", "variant//SKU-1-42"],  type/store/value; "%" and "/" of a store are %25, %2F
//	  doc:     {sku: "SKU-1", name: "Shoe", attributes: {color: "red"}, "a.b": 1, weight: 1.1, …},
//	  spelled: [14, "1.10"]                 see below
//	}
//
// So an operator asks db.products.find({"doc.attributes.color": "red"}), and may
// make indexes for it. Documents are not to be changed by hand: neither index nor
// shop would learn of it, and hash would no longer be that of the body.
//
// doc is the body as BSON. Names keep their order, dots and dollars. Whole numbers
// are int or long; other numbers of up to 15 digits are doubles, so that a literal
// of a query finds them however they were spelt; longer ones are Decimal128. From
// it the body comes back byte by byte: tokens that would be written otherwise
// (1.10, 1e3, "\/") stand in spelled, each after its number in the order of the
// body, names and scalar values counted from 0. What no document can hold is kept
// as bytes in raw instead, and cannot be queried: white space outside strings,
// names with U+0000 or twice in one object, more than 15 MiB as BSON. (A body has
// at most 8 MiB, so that no record meets the server's limit of 16 MiB.)
//
// The other collections:
//
//	heads   _id, seq, hash, source of each product: an unchanged feed reads
//	        100 bytes a product instead of its document, and they stay in memory
//	log     the change log, see below
//	meta    {_id: name, value}
//	state   one document: format, epoch, the counters of the log, leases, followers
//
// Strings that are not UTF-8 or have U+0000 (sources, names, refs) are BinData.
// The index refs (sparse) of products and categories is the only one beside _id.
//
// # The log
//
// An Apply is divided into parts of 1,000 records or 4 MiB, each one transaction
// that writes the records and one block of the log:
//
//	{_id: NumberLong(4001), span: 1000, count: 1000, entries: "1+SKU-1\n1-SKU-2…", deltas: […], writer: …, at: …}
//
// Entries name kind, operation and key, and have the Seqs from _id on. deltas is
// what the block adds to the number of records, for products by source: Stats
// sums them up, exactly, and counts nothing.
//
// Visible in order: a writer reserves its Seqs by adding to state.next; its block
// then begins where the reservation does. It writes its records at once, beside
// others, but commits only when all Seqs before its own have their block. So what
// is visible is always the whole log up to some Seq, on a sharded cluster too.
// A transaction that another one disturbs gives its Seqs back as an empty block
// and begins anew with the heads as they are then.
//
// A writer that died, or sleeps, holds up those behind it. After Options.Patience
// one of them fills the gap with empty blocks. That decides: two documents cannot
// have the same _id, so the sleeper's transaction fails when it wakes. In the
// same way a commit whose answer was lost is looked into: its block is there, or
// is made impossible. Clocks decide nothing. (One who sleeps just between its block
// and its commit holds the others up until the server ends the transaction:
// transactionLifetimeLimitSeconds, a minute unless set otherwise.)
//
// A fence (catalog.WithFence) is checked in the update that reserves, since the
// leases are in the same document; and Acquire waits until all that was reserved
// before it is settled. Leases expire by the server's clock.
//
// Wait is woken by one change stream of the log for each Store.
//
// # Durability
//
// All writes are acknowledged by a majority, all reads but those of Get and Lookup
// are of the primary with read concern majority. A readPreference in the URL holds
// for these two: they may then return what is a moment old.
//
// Operations go on trying for Options.RetryFor while the server is away. What
// was acknowledged is there, what was not may be repeated.
//
// # Sharding
//
// Shard records and heads by their hashed key, before the first import, with
// enough chunks that each shard has some from the start:
//
//	sh.enableSharding("shop")
//	for (const c of ["products", "heads", "prices", "stock"])
//	  sh.shardCollection("shop." + c, {_id: "hashed"}, false, {numInitialChunks: 64})
//
// The reason: SKUs come in runs (a feed is sorted, new ones are higher than all
// before), so that ranges of keys would send a whole load to one shard, and each
// split would move what was just written; hashes spread every batch evenly. Reads
// by key go to one shard each; scans ask all and merge, which they do at the speed
// of all. Lookup by ref asks all shards. categories, attributes, meta, log and
// state are small and stay on the database's primary shard: the log is a block
// for 1,000 changes, and its blocks must be found in order.
//
// # Backup
//
// A copy that is of one moment (mongodump --oplog, snapshots of volumes) is a
// store. Before a restored copy is used, it must get a new epoch, so that index
// and shop, which may have seen what the copy does not have, start again:
//
//	db.state.updateOne({_id: "store"}, {$unset: {epoch: 1}})
//
// Open makes one. Format: state.format is 1. Version N of this package opens N-1.
package mongostore
