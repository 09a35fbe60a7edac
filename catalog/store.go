package catalog

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
)

// Store keeps the records of a catalog, their heads and refs, and the log of
// their changes. It is the truth: indexes and shops are derived from it.
//
// Every method is safe for concurrent use, honours its context, and after
// Close returns ErrClosed. Arguments belong to the caller again when a method
// returns; what a method returns belongs to the caller, except where an
// iterator says otherwise. Keys are compared byte by byte, never by a
// database's collation; a key that breaks the rules is simply not there when
// it is read. Iterators may be ranged over more than once, and their loops may
// call the store.
type Store interface {
	// Get returns the records of keys in the order asked; one that is not
	// there is a zero Record.
	Get(ctx context.Context, kind Kind, keys ...Key) ([]Record, error)

	// HeadsOf returns the heads of keys in the order asked; one that is not
	// there is a zero Head. It reads no bodies.
	HeadsOf(ctx context.Context, kind Kind, keys ...Key) ([]Head, error)

	// Heads yields the heads of a kind in the order of their keys. Like Scan
	// it may see some concurrent writes and not others, but everything up to
	// any Tail taken before.
	Heads(ctx context.Context, kind Kind, r Range) iter.Seq2[Head, error]

	// Lookup returns the keys of the records that have ref, in order.
	Lookup(ctx context.Context, ref Ref) ([]Key, error)

	// Apply performs writes; results are in their order. Each write is atomic
	// together with its refs and its log entry. Writes to one key take effect
	// in the order given. A body equal to the stored one (same Hash) is
	// Unchanged: no log entry, no new Seq; if only its Source differs, the
	// head's Source changes.
	//
	// On nil everything is durable and visible. On error any subset may be;
	// an *ApplyError names the failed writes, and repeating them is harmless.
	// When an If does not hold, that write's result is Conflict, the error is
	// ErrConflict, and all other writes were applied. A write that breaks a
	// rule (kind, key, body size, ref size) fails the whole call with
	// ErrInvalid before anything is written. Large batches (up to some 100 MiB)
	// are welcome: stores load them in bulk.
	Apply(ctx context.Context, writes []Write) ([]Result, error)

	// Scan yields the records of a kind in the order of their keys. It is
	// never older than the Tail taken before it started. A yielded Body is
	// valid until the next iteration only.
	Scan(ctx context.Context, kind Kind, r Range) iter.Seq2[Record, error]

	// Tail returns the cursor of the newest visible change.
	Tail(ctx context.Context) (Cursor, error)

	// Changes yields the changes after a cursor in the order of their Seq and
	// ends at the tail. Seqs become visible in order: a reader that has seen N
	// never later finds one below N. The zero Cursor is before the first
	// change ever. ErrTrimmed when the log no longer has them all, or the
	// cursor is of another epoch or beyond the tail.
	Changes(ctx context.Context, after Cursor) iter.Seq2[Change, error]

	// Wait returns when there are changes after the cursor, without polling
	// where the store can help it. ErrTrimmed as in Changes.
	Wait(ctx context.Context, after Cursor) error

	// Follow registers a follower of the log, or moves it: all changes up to
	// at are no longer needed by it. Trim keeps what followers need.
	// ErrTrimmed when at is of another epoch or beyond the tail.
	Follow(ctx context.Context, name string, at Cursor) error

	// Unfollow forgets a follower; ErrNotFound if there is none of that name.
	Unfollow(ctx context.Context, name string) error

	// Followers lists the registered followers by name.
	Followers(ctx context.Context) ([]Follower, error)

	// Trim drops log entries up to and including upTo, but none that a
	// registered follower still needs. It returns the last Seq dropped.
	Trim(ctx context.Context, upTo Seq) (Seq, error)

	// Acquire takes the lease of that name for ttl. While another holder's
	// lease has not expired the error is a *LeasedError; the same holder may
	// take its own again, which fences the acquisition before. Each
	// acquisition has a higher Token than all before. An expired lease is lost
	// even if nobody took it. Of a store that one process has open, leases end
	// with that process at the latest, since they were held through it.
	Acquire(ctx context.Context, name, holder string, ttl time.Duration) (LeaseInfo, error)

	// Renew prolongs a lease to ttl from now; ErrFenced if it was lost.
	Renew(ctx context.Context, f Fence, ttl time.Duration) error

	// Release gives a lease up; ErrFenced if it was lost.
	Release(ctx context.Context, f Fence) error

	// Leases lists the leases that have not expired, by name.
	Leases(ctx context.Context) ([]LeaseInfo, error)

	// Meta returns a small value kept beside the records: reports, settings,
	// whatever outlives a process. ErrNotFound if it is not there.
	Meta(ctx context.Context, name string) ([]byte, error)

	// SetMeta keeps a value of at most MaxBody bytes, which may be empty; nil
	// deletes it.
	SetMeta(ctx context.Context, name string, value []byte) error

	// Metas yields the names and values that start with prefix, by name.
	Metas(ctx context.Context, prefix string) iter.Seq2[MetaEntry, error]

	// Stats describes the store.
	Stats(ctx context.Context) (Stats, error)

	// Close releases the store. It may be called more than once.
	Close() error
}

// Compacter is a Store that can tidy what it keeps on disk.
type Compacter interface {
	// Compact rewrites the store's files so that they are as small and as fast
	// to read as they get. It is never needed for correctness.
	Compact(ctx context.Context) error
	// Untidy reports whether so much was loaded since the last time that
	// reading suffers, and Compact is worth its time.
	Untidy() bool
}

// Loader is a Store that can put off the work it does in the background.
type Loader interface {
	// Hold keeps that work back until release is called, for an import that
	// needs the processor for itself. More than one may hold.
	Hold() (release func())
}

// Counter is a Store that knows how many records it has sooner than all that
// Stats says: a database may look through its files for what they take.
type Counter interface {
	// Counts returns Stats without DiskBytes.
	Counts(ctx context.Context) (Stats, error)
}

// Counts returns what s says of itself, perhaps without DiskBytes.
func Counts(ctx context.Context, s Store) (Stats, error) {
	if c, ok := s.(Counter); ok {
		return c.Counts(ctx)
	}
	return s.Stats(ctx)
}

// Referrer is a Store that knows which refs a record is found by without
// reading its body.
type Referrer interface {
	// RefsOf returns what HeadsOf returns, and for each record the refs that
	// Lookup finds it by, in no order that means anything.
	RefsOf(ctx context.Context, kind Kind, keys ...Key) ([]Head, [][]Ref, error)
}

// Range is a half-open interval of keys; an empty To has no upper end.
type Range struct{ From, To Key }

// All is the range of all keys.
var All = Range{}

// Prefix returns the range of the keys that start with p.
func Prefix(p Key) Range {
	b := []byte(p)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return Range{From: p, To: Key(b[:i+1])}
		}
	}
	return Range{From: p}
}

// Contains reports whether k is in r.
func (r Range) Contains(k Key) bool { return k >= r.From && (r.To == "" || k < r.To) }

// Cursor is a place in the change log of one epoch of a store. A restored,
// copied or wiped store has a new epoch, so that old cursors are noticed.
type Cursor struct {
	Epoch string // letters and digits; "" only in the zero Cursor
	Seq   Seq
}

// IsZero reports whether c is before the first change ever.
func (c Cursor) IsZero() bool { return c == Cursor{} }

// String returns c as ParseCursor reads it.
func (c Cursor) String() string { return c.Epoch + ":" + strconv.FormatUint(uint64(c.Seq), 10) }

// ParseCursor reads what Cursor.String wrote.
func ParseCursor(s string) (Cursor, error) {
	epoch, num, ok := strings.Cut(s, ":")
	n, err := strconv.ParseUint(num, 10, 64)
	if !ok || err != nil {
		return Cursor{}, fmt.Errorf("catalog: cursor %q: %w", s, ErrInvalid)
	}
	return Cursor{Epoch: epoch, Seq: Seq(n)}, nil
}

// Follower is a registered reader of the change log.
type Follower struct {
	Name   string
	At     Cursor
	Moved  time.Time // when it last called Follow
	Behind int64     // how far At is behind the tail, in Seqs
}

// Fence identifies one acquisition of a lease.
type Fence struct {
	Name  string
	Token uint64
}

// LeaseInfo describes a lease.
type LeaseInfo struct {
	Fence
	Holder  string // who, where: for people
	Since   time.Time
	Expires time.Time
}

// MetaStoreViews is the name under which the shop's store views are kept as
// Meta: a JSON object of store code → {language, currency, website,
// root_category}.
const MetaStoreViews = "settings/stores"

// MetaEntry is a value kept by SetMeta.
type MetaEntry struct {
	Name  string
	Value []byte
}

// Stats describes a store.
type Stats struct {
	Backend    string           // "pebble", "memory", …
	Location   string           // without secrets
	Format     int              // version of the layout; 0 where there is none
	Records    map[Kind]int64   // exact
	Sources    map[string]int64 // product heads by owner, where that is cheap; else nil
	Tail       Cursor
	LogFirst   Seq   // the oldest Seq still in the log; 0 when it is empty
	LogEntries int64 // how many entries the log has
	DiskBytes  int64 // 0 where unknown
	Extra      map[string]string
}

type fenceKey struct{}

// WithFence returns a context under which Apply, SetMeta and Follow succeed
// only while the lease is still held by this acquisition, and are ErrFenced
// after: a writer that was paused beyond its lease does no harm when it wakes.
func WithFence(ctx context.Context, f Fence) context.Context {
	return context.WithValue(ctx, fenceKey{}, f)
}

// FenceOf returns the fence that WithFence put into ctx. Stores call it.
func FenceOf(ctx context.Context) (Fence, bool) {
	f, ok := ctx.Value(fenceKey{}).(Fence)
	return f, ok
}

// Validate reports the rule that w breaks, as ErrInvalid. Every store calls it
// for each write before it writes anything.
func (w *Write) Validate() error {
	if w.Kind < KindProduct || w.Kind > KindAttribute {
		return &InvalidError{Reason: ReasonType, Offset: -1, Detail: fmt.Sprintf("unknown kind %d", w.Kind)}
	}
	if err := w.Kind.CheckKey(string(w.Key)); err != nil {
		return err
	}
	if len(w.Body) > MaxBody {
		return &InvalidError{Reason: ReasonLarge, Offset: -1, Detail: fmt.Sprintf("the record has %d bytes, more than %d", len(w.Body), MaxBody)}
	}
	for _, r := range w.Refs {
		if len(r.Value) > MaxKey || len(r.Store) > MaxSKU {
			return &InvalidError{Reason: ReasonLarge, Offset: -1, Detail: fmt.Sprintf("a ref of %d bytes is longer than %d", len(r.Value), MaxKey)}
		}
	}
	return nil
}
