package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"

	"catalog/placeholder"
)

// errAgain starts a transaction over: what it found is no longer so.
var errAgain = errors.New("changed meanwhile")

// number returns the server's number of an error, 0 if it is none of its.
func number(err error) uint16 {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
}

// transient reports whether the same transaction may succeed when tried again.
func transient(err error) bool {
	if errors.Is(err, errAgain) || lost(err) || cutTrigger(err) {
		return true
	}
	switch number(err) {
	case 1213, 1205, // deadlock or certification conflict, lock wait
		1062,       // somebody else made the row since we looked
		1020,       // row changed since it was read
		1412,       // table definition changed
		1180, 1105: // Galera: an error during COMMIT, an abort by brute force
		return true
	}
	return false
}

// cutTrigger reports whether a trigger is said to have no SQL in its body, or to
// break off in it: what Galera makes of a transaction that it aborts while the
// server reads the triggers of its table. One that the shop really has broken
// fails each time, and its error is told after the last.
func cutTrigger(err error) bool {
	var e *mysql.MySQLError
	return errors.As(err, &e) && e.Number == 1064 && strings.Contains(e.Message, "has an error in its body")
}

// lost reports whether the connection, or the server behind it, is gone.
func lost(err error) bool {
	switch number(err) {
	case 1047, // Galera: the node is not ready
		1053,             // shutdown in progress
		1290, 1792, 1836, // read-only
		1927, 2006, 2013, // killed, gone away
		1077, 1079, 1080, 3169, 4031: // shut down, killed, idle too long
		return true
	}
	var ne net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || errors.As(err, &ne) && !errors.Is(err, context.DeadlineExceeded)
}

// badValue reports whether a value did not fit its column: one product's
// trouble.
func badValue(err error) bool {
	switch number(err) {
	case 1406, 1264, 1265, 1292, 1366, 1367, 1048, 1300:
		return true
	}
	return false
}

// wrongSchema reports whether the tables are not what was read at the start.
func wrongSchema(err error) bool {
	switch number(err) {
	case 1049, 1054, 1146, 1364, 1136, // no database, column, table; no default; column count
		1452, 1216, // a foreign key: an attribute, store or website is gone
		1449, 1471, 1356: // a trigger's definer is gone; a view is invalid
		return true
	}
	return errors.Is(err, placeholder.ErrSchema)
}

// noRight reports whether the user may not do it.
func noRight(err error) bool {
	switch number(err) {
	case 1044, 1045, 1142, 1143, 1227, 1370, 1410, 1698:
		return true
	}
	return false
}

// classify wraps err as one of placeholder's errors.
func classify(err error) error {
	var kind error
	switch {
	case errors.Is(err, placeholder.ErrClosed), errors.Is(err, placeholder.ErrUnavailable), errors.Is(err, placeholder.ErrSchema),
		errors.Is(err, placeholder.ErrRights), errors.Is(err, placeholder.ErrFenced), errors.Is(err, placeholder.ErrLocked),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case noRight(err):
		kind = placeholder.ErrRights
	case wrongSchema(err):
		kind = placeholder.ErrSchema
	case transient(err), errors.Is(err, sql.ErrConnDone), number(err) == 1040, number(err) == 1203, number(err) == 1021, number(err) == 1114:
		// 1040, 1203: too many connections; 1021, 1114: the disk or table is full.
		kind = placeholder.ErrUnavailable
	default:
		return err
	}
	return fmt.Errorf("%w: %w", kind, err)
}
