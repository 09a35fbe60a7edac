package placeholder

import (
	"context"
	"time"
)

// TouchEvery is how old a ledger entry's last use may be before an Ensure of
// an unchanged placeholder writes it anew. Prune adds it to its grace time.
const TouchEvery = time.Hour

// MaxBatch is how many products Service hands to one Ensure or Refresh at
// most, and how many SKUs to one Find. Implementations may assume it.
const MaxBatch = 500

// MaxLive is how many keys Service hands to one Live at most.
const MaxLive = 2000

// Shop is one shop's database, as far as placeholders need it.
//
// Every method is safe for concurrent use by many goroutines and by many
// processes on the same database, honours its context, and after Close
// returns ErrClosed. All reads see all earlier commits (they go to the
// primary). Times are compared by the database's clock alone.
//
// An error means that nothing is known of the batch: each of its transactions
// happened wholly or not at all, and repeating the call is harmless. Errors
// are, for errors.Is: ErrUnavailable (connection, read-only server, time
// limit, deadlocks that did not go away), ErrSchema, ErrRights, ErrClosed, the
// context's.
//
// Two SKUs are the same if the collation of the shop's sku column says so;
// Result.Spelling and Found.Spelling give the row's own spelling.
type Shop interface {
	// Info describes the shop as it was found. It is cheap: implementations
	// keep what they read at start, read again when a write fails because of
	// the schema, and at most every few minutes otherwise.
	Info() Info

	// Find reports what the shop has under each SKU, in the order asked, with
	// one or two statements for them all. It writes nothing and takes no locks.
	// SKUs that no column could hold are simply not there.
	Find(ctx context.Context, skus []string) ([]Found, error)

	// Live returns the SKUs of live entries whose SKU, or whose Product.Parent,
	// is one of keys, byte by byte, in any order: one statement over the ledger
	// alone, since the follower asks it for every change of the catalog. Keys
	// are at most MaxLive.
	Live(ctx context.Context, keys []string) ([]string, error)

	// Ensure makes a placeholder for each product or refreshes it, and sets
	// its last use to now: all of them in one transaction of multi-row
	// statements. No two products have SKUs that are equal byte by byte, yet
	// two may be the same to the shop: the first wins, the other is Refused
	// with ReasonAlike. Results are in the order of products:
	//
	//	Created    there was none: the rows, and the ledger entry, are written
	//	Refreshed  our live placeholder differed: what differed was updated
	//	Present    our live placeholder had the same Product.Hash
	//	Foreign    the shop has a product of that SKU that is not ours, or is
	//	           no longer (edited since): nothing is written but, for the
	//	           latter, the ledger's state
	//	Refused    ReasonAlike: our live placeholder is that of another SKU of
	//	           the catalog, which the collation takes for the same;
	//	           ReasonLong, ReasonCharset: the sku column cannot hold it
	//
	// Products that are Fresh may go a shorter way to the same end, if none turns
	// out to be there after all. The order of work for all others: ledger first (claim by INSERT IGNORE of those that a
	// plain SELECT did not find, then SELECT … FOR UPDATE in the order of the
	// key), then the shop's products by SKU, lowest entity id first, then
	// INSERTs of what is missing. SELECT comes before any write: a repeated
	// call inserts nothing and burns no auto-increment. With
	// innodb_autoinc_lock_mode=2 ids of a multi-row INSERT are not consecutive:
	// they are selected, not computed. A placeholder that lost rows (its
	// product row, too: the merchant deleted it) gets them back.
	//
	// Deadlocks and lock timeouts (1213, 1205, Galera's certification
	// conflicts included) are retried a few times with backoff; one product's
	// trouble must not fail the others' for longer than that.
	Ensure(ctx context.Context, products []Product) ([]Result, error)

	// Refresh brings live placeholders to what products say and touches
	// nothing else: no product is made, no last use is written. Results:
	// Refreshed, Present (same hash), Foreign, or Unknown where no live
	// placeholder of that very SKU is. Updates change only values that differ;
	// a value that the product no longer has becomes NULL where its row
	// exists. One call is one transaction, of as few statements as the values
	// allow.
	Refresh(ctx context.Context, products []Product) ([]Result, error)

	// List returns ledger entries in the order of the shop's collation, those
	// after the SKU given; an empty one starts. Fewer than limit ends the list.
	List(ctx context.Context, after string, limit int) ([]Entry, error)

	// Counts describes the ledger and the tables.
	Counts(ctx context.Context) (Counts, error)

	// Check looks for what should not be, calling report for each finding, and
	// with repair puts it right: rows written again are the ledger's business
	// only (orphans deleted, entries without product dropped, their next
	// Ensure makes them anew). What needs the catalog to be repaired it reports
	// with NeedsRefresh, and drops the entry's hash when repair is set, so that
	// the next Refresh or Ensure writes all values. It is gentle: small
	// statements, and never a lock longer than a moment.
	Check(ctx context.Context, repair bool, report func(Finding) error) error

	// StartPrune takes the lock of prune, a row in the shop's database, for
	// holder, and loads what a whole run needs. While another has it, and has
	// renewed it within ttl, the error is a *LockedError. The lock's token is
	// higher than all before.
	StartPrune(ctx context.Context, holder string, ttl time.Duration, opts PruneOptions) (Pruner, error)

	// Close releases the shop's connections. It may be called more than once.
	Close() error
}

// Pruner is one run of prune over a Shop. Several goroutines may Remove at once,
// not the same candidates, and another Renew.
type Pruner interface {
	// Live counts the live entries.
	Live(ctx context.Context) (int64, error)

	// Candidates returns live entries last used at least idle ago, the least
	// recently used first, then by SKU; those after the candidate given, which
	// may be zero. Fewer than limit ends the list. It takes no locks.
	Candidates(ctx context.Context, idle time.Duration, after Candidate, limit int) ([]Candidate, error)

	// Remove deletes candidates in one transaction, leaving no row of theirs
	// in any table but the shop's history, except those it must keep; results
	// are in order. In that transaction it
	//
	//  1. reads the lock's row FOR SHARE or UPDATE: ErrFenced when the token is
	//     no longer this run's, or it expired; its renewal may be part of this,
	//     and is not to be relied on;
	//  2. locks the ledger's rows, and looks again: one that was used within
	//     idle is KeepUsed, one that is gone is KeepGone;
	//  3. locks the product rows, and reads the edit mark: KeepEdited; the
	//     highest entity id of the table: KeepHighest;
	//  4. looks at carts FIRST, then at orders (an order is committed before its
	//     cart is made inactive), with reads that see the newest commits:
	//     KeepCart, KeepOrder; wishlists: KeepWishlist; KeepExtra for the
	//     statements of PruneOptions;
	//  5. marks the stale quotes that hold the rest (trigger_recollect=1,
	//     updated_at=updated_at) and deletes their lines where no foreign key
	//     does, then index rows without foreign key, inventory rows by SKU, the
	//     product rows, the ledger's rows.
	//
	// With dry it does the looking alone, locks nothing, and answers Removed
	// for what it would remove. Callers pass at most 200.
	Remove(ctx context.Context, candidates []Candidate, idle time.Duration, dry bool) ([]Removal, error)

	// Renew prolongs the lock; ErrFenced if it was lost.
	Renew(ctx context.Context) error

	// Close gives the lock up if it is still held.
	Close() error
}

// PruneOptions are what a run of prune is told beforehand.
type PruneOptions struct {
	// Dry is a run that only looks: it takes no lock and never waits for one.
	Dry bool
	// Extra are queries of the operator's, each giving entity ids that must be
	// kept (of extensions' tables); they run once, at the start.
	Extra []string
}

// Candidate is a live ledger entry that prune may remove.
type Candidate struct {
	SKU      string // as the ledger spells it
	EntityID int64
	Used     time.Time // the ledger's last use, UTC
}

// Removal is what became of a candidate.
type Removal struct {
	Candidate
	Keep Keep // "" when it was removed
	// Quotes is how many stale quotes lost a line by it.
	Quotes int
}

// Keep says why prune kept a placeholder. Codes never change their meaning.
type Keep string

// The reasons to keep a placeholder.
const (
	KeepCart     Keep = "cart"       // a cart that may still be ordered holds it
	KeepOrder    Keep = "order"      // an order that is not complete, closed or cancelled
	KeepWishlist Keep = "wishlist"   // a customer's wish list
	KeepUsed     Keep = "used"       // used since it became a candidate
	KeepEdited   Keep = "edited"     // the merchant edited it: it is now theirs
	KeepHighest  Keep = "highest_id" // the table's highest entity id, which a restart might give again
	KeepExtra    Keep = "extra"      // one of the operator's own queries
	KeepGone     Keep = "gone"       // not in the ledger any more, or its product was already deleted
)

// Found is what a Shop has under a SKU.
type Found struct {
	State    State
	EntityID int64
	Spelling string // the row's own; equal to the SKU asked, or the same to the shop
	Hash     Hash   // of the Product last written; zero makes the next Ensure write all
	// Idle is how long ago the last use was written, by the database's clock.
	Idle time.Duration
}

// State is what a Found is.
type State uint8

// The states.
const (
	StateNone    State = iota // the shop has no such product (or a ledger entry whose product is gone)
	StateLive                 // our placeholder
	StateForeign              // a product that is not ours, or no longer
)

// Entry is a line of the ledger.
type Entry struct {
	SKU      string
	EntityID int64
	State    State // StateLive, StateForeign (taken), or StateNone: its product is gone
	Disabled bool  // written as not for sale
	Made     time.Time
	Used     time.Time
}

// Counts describes a ledger.
type Counts struct {
	Live, Disabled, Taken int64 // Disabled are among Live
	Oldest, Newest        time.Time
	// Tables are the shop's tables that hold placeholders' rows, with how many
	// rows of ours and in all; InAll may be the database's estimate.
	Tables []TableCount
}

// TableCount is how many rows a table has.
type TableCount struct {
	Name        string
	Ours, InAll int64 // -1 where not counted
}

// Finding is something that Check found.
type Finding struct {
	Kind         FindingKind
	SKU          string // "" where unknown
	EntityID     int64
	Table        string // where the row lacks, or is too many
	Detail       string // a sentence for people
	Repaired     bool
	NeedsRefresh bool // the catalog is needed to repair it
}

// FindingKind says what a Finding is. Codes never change their meaning.
type FindingKind string

// The kinds of finding.
const (
	FindingLostProduct FindingKind = "lost_product" // a live entry without its product row
	FindingLostRow     FindingKind = "lost_row"     // a placeholder without a row that it needs
	FindingOrphan      FindingKind = "orphan"       // a row of ours whose product is gone
	FindingDuplicate   FindingKind = "duplicate"    // two products of one SKU, one of them ours
	FindingEdited      FindingKind = "edited"       // the merchant edited it; repair makes it theirs
	FindingHalf        FindingKind = "half"         // a ledger entry that was never finished
)
