package placeholder

import (
	"errors"
	"fmt"
	"time"
)

// The errors of a Shop. Implementations wrap them; callers use errors.Is.
var (
	// ErrUnavailable: the shop's database does not answer, or not in time, or
	// takes no writes now. Trying again later may help.
	ErrUnavailable = errors.New("shop database is unavailable")
	// ErrSchema: the database is not one of a shop we know, or is odd in a way
	// the error's text says; it needs a person.
	ErrSchema = errors.New("shop schema is not as expected")
	// ErrRights: the database user may not do what the error's text says.
	ErrRights = errors.New("database user lacks rights")
	// ErrCommerce: it is Adobe Commerce, whose products have row ids and
	// versions. It is ErrSchema.
	ErrCommerce = fmt.Errorf("%w: Adobe Commerce (row_id) is not supported", ErrSchema)
	// ErrLocked: another prune is running; see LockedError.
	ErrLocked = errors.New("prune is running")
	// ErrFenced: this prune's lock expired or was taken over.
	ErrFenced = errors.New("prune's lock was lost")
	// ErrClosed: the shop or service was closed.
	ErrClosed = errors.New("placeholder shop is closed")
)

// LockedError says who is pruning. It is ErrLocked.
type LockedError struct {
	Holder string
	Since  time.Time
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("prune is run by %s since %s", e.Holder, e.Since.UTC().Format(time.RFC3339))
}

// Is makes errors.Is(err, ErrLocked) true.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }
