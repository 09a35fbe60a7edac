package catalog

import (
	"errors"
	"fmt"
	"time"
)

// The errors of a Store. Stores wrap them once; callers use errors.Is.
var (
	// ErrNotFound: what was asked for by name is not there.
	ErrNotFound = errors.New("not found")
	// ErrConflict: at least one Write's If did not hold; the others were applied.
	ErrConflict = errors.New("changed by another writer")
	// ErrInvalid: the arguments break a rule of this package.
	ErrInvalid = errors.New("invalid")
	// ErrTrimmed: the changes after the cursor are no longer in the log, or the
	// cursor is of another epoch (the store was restored, copied or wiped): rebuild.
	ErrTrimmed = errors.New("changes no longer in the log")
	// ErrLeased: another holder has the lease; see LeasedError.
	ErrLeased = errors.New("held by another process")
	// ErrFenced: the caller's lease expired or was taken over.
	ErrFenced = errors.New("lease lost")
	// ErrLocked: another process has the embedded store open; see LockedError.
	ErrLocked = errors.New("store is in use")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("store is closed")
	// ErrFull: no space is left where the store writes.
	ErrFull = errors.New("no space left")
	// ErrReadOnly: the store's place cannot be written to.
	ErrReadOnly = errors.New("read-only")
	// ErrCorrupt: what the store reads back is not what it wrote.
	ErrCorrupt = errors.New("corrupt")
	// ErrVersion: the store was written by a newer version of this program.
	ErrVersion = errors.New("unknown format version")
)

// Reason is the stable code of why a record is not accepted. Codes never
// change their meaning; reports count by them.
type Reason string

// The reasons that the rules of this package give.
const (
	ReasonJSON      Reason = "invalid_json"  // not one JSON value, or cut off
	ReasonUTF8      Reason = "invalid_utf8"  // bytes that are not UTF-8, or a lone surrogate escape
	ReasonObject    Reason = "not_an_object" // JSON, but no object
	ReasonDuplicate Reason = "duplicate_key" // an object names a member twice
	ReasonDepth     Reason = "too_deep"      // more than MaxDepth levels
	ReasonLarge     Reason = "too_large"     // more than MaxBody bytes
	ReasonNoKey     Reason = "key_missing"   // no sku (path or id of a category, code of an attribute)
	ReasonKey       Reason = "key_invalid"   // too long, control characters, outer space, wrong type
	ReasonType      Reason = "field_type"    // a field we understand has a wrong type or value
	ReasonPrice     Reason = "price_invalid" // an amount is no decimal, or negative
	ReasonStock     Reason = "stock_invalid" // a quantity is no number, a flag no boolean
)

// InvalidError says which rule a record breaks, and where in it. It is
// ErrInvalid.
type InvalidError struct {
	Reason Reason
	Path   string // of the member, as "variants[3].sku"; "" for the whole record
	Offset int    // in bytes from the record's start; -1 if unknown
	Detail string // a sentence for people
}

func (e *InvalidError) Error() string {
	if e.Path == "" {
		return e.Detail
	}
	return e.Path + ": " + e.Detail
}

// Is makes errors.Is(err, ErrInvalid) true.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// ApplyError names the writes of an Apply that failed, by their index. It
// wraps the cause.
type ApplyError struct {
	Failed []int
	Err    error
}

func (e *ApplyError) Error() string {
	return fmt.Sprintf("%d writes failed: %v", len(e.Failed), e.Err)
}

func (e *ApplyError) Unwrap() error { return e.Err }

// LeasedError says who holds the lease that was asked for. It is ErrLeased.
type LeasedError struct{ LeaseInfo }

func (e *LeasedError) Error() string {
	return fmt.Sprintf("%s is held by %s since %s", e.Name, e.Holder, e.Since.Format(time.RFC3339))
}

// Is makes errors.Is(err, ErrLeased) true.
func (e *LeasedError) Is(target error) bool { return target == ErrLeased }

// LockedError says which process has an embedded store open. It is ErrLocked.
type LockedError struct {
	Dir    string
	Holder string // program, process id and host, as the lock file has them
	Since  time.Time
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("the store in %s is in use by %s since %s", e.Dir, e.Holder, e.Since.Format(time.RFC3339))
}

// Is makes errors.Is(err, ErrLocked) true.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }
