package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"catalog/placeholder"
)

// lockWait is how long a statement waits for a row lock before it gives up, in
// seconds: a shopper waits for it.
const lockWait = 5

// connector gives connections whose session is set up as this package needs it.
type connector struct {
	driver.Connector
	setup []string
}

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	for _, q := range c.setup {
		if _, err := conn.(driver.ExecerContext).ExecContext(ctx, q, nil); err != nil {
			_ = conn.Close() // the first error tells more
			return nil, err
		}
	}
	return conn, nil
}

// openDB opens a pool for a DSN in go-sql-driver's form. It does not connect.
func openDB(dsn string, conns int, more ...string) (*sql.DB, error) {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		// The driver's error may quote the DSN, password included.
		return nil, fmt.Errorf("the DSN is not of the form user:password@tcp(host:3306)/database")
	}
	if cfg.DBName == "" {
		return nil, fmt.Errorf("the DSN names no database")
	}
	cfg.InterpolateParams = true // one round trip a statement
	cfg.ParseTime = false        // values are compared as the database writes them
	cfg.Loc = time.UTC
	cfg.MultiStatements = true      // and one for many of them, see script
	cfg.Logger = &mysql.NopLogger{} // what goes wrong is returned
	cfg.RejectReadOnly = true       // after a failover the old primary is let go
	cfg.ClientFoundRows = false
	if cfg.Collation == "" {
		cfg.Collation = "utf8mb4_general_ci" // known to every version
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 5 * time.Second
	}
	if cfg.ReadTimeout == 0 {
		cfg.ReadTimeout = 30 * time.Second
	}
	if cfg.WriteTimeout == 0 {
		cfg.WriteTimeout = 30 * time.Second
	}
	inner, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("the DSN: %w", err)
	}
	setup := append([]string{
		"SET SESSION time_zone='+00:00', sql_mode='STRICT_TRANS_TABLES', innodb_lock_wait_timeout=" + fmt.Sprint(lockWait),
		"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
	}, more...)
	db := sql.OpenDB(&connector{inner, setup})
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db, nil
}

// queryer is a pool, a connection or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// How often a transaction is tried: after deadlocks, which cost little; after
// what costs seconds, as a lost connection or a lock that nobody gives up; and
// when another was faster, which is progress, if not ours.
const (
	attempts   = 12
	dear       = 3
	collisions = 200
)

// transact runs f in a transaction, again if the database says that trying
// again may help. f must compute everything anew.
func (s *Shop) transact(ctx context.Context, f func(tx *sql.Tx) error) error {
	return s.again(ctx, func() error { return s.once(ctx, f) })
}

// again calls f until it succeeds or trying again will not help.
func (s *Shop) again(ctx context.Context, f func() error) error {
	for n, met := 1, 0; ; n++ {
		err := f()
		if err == nil || n >= attempts || !transient(err) || ctx.Err() != nil ||
			(lost(err) || number(err) == 1205) && n >= dear {
			return err
		}
		s.retries.Add(1)
		if errors.Is(err, errAgain) && met < collisions {
			met++
			n = 0 // the next is the first
		}
		// Those who met must not meet again at once.
		pause := time.Duration(n*n)*time.Millisecond + 100*time.Microsecond
		pause += rand.N(pause)
		if lost(err) {
			pause *= 20
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// once runs f in one transaction.
func (s *Shop) once(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback() // a connection that is gone has rolled back already
		return err
	}
	return tx.Commit()
}

// each calls scan for every row of a query.
func each(ctx context.Context, q queryer, scan func(rows *sql.Rows) error, query string, args ...any) error {
	return eachOf(ctx, q, []func(rows *sql.Rows) error{scan}, query, args...)
}

// eachOf is each for several queries that go to the server at once, one scan
// for each.
func eachOf(ctx context.Context, q queryer, scans []func(rows *sql.Rows) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for i, scan := range scans {
		if i > 0 && !rows.NextResultSet() {
			return errors.Join(rows.Err(), errAgain)
		}
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}

// ask is a query, what is done with each of its rows, and, unless nil, when all
// were read.
type ask struct {
	query string
	args  []any
	scan  func(rows *sql.Rows) error
	done  func()
}

// askAll sends queries to the server at once; each sees what was committed when
// its turn comes.
func askAll(ctx context.Context, q queryer, asks ...ask) error {
	var text strings.Builder
	var args []any
	scans := make([]func(rows *sql.Rows) error, len(asks))
	for i, a := range asks {
		if i > 0 {
			text.WriteByte(';')
		}
		text.WriteString(a.query)
		args = append(args, a.args...)
		scans[i] = a.scan
	}
	if err := eachOf(ctx, q, scans, text.String(), args...); err != nil {
		return err
	}
	for _, a := range asks {
		if a.done != nil {
			a.done()
		}
	}
	return nil
}

// column64 collects a column of numbers.
func column64(into *[]int64) func(rows *sql.Rows) error {
	return func(rows *sql.Rows) error {
		var n int64
		err := rows.Scan(&n)
		*into = append(*into, n)
		return err
	}
}

// scalar reads one value; found is false when there is no row.
func scalar[T any](ctx context.Context, q queryer, query string, args ...any) (v T, found bool, err error) {
	err = each(ctx, q, func(rows *sql.Rows) error {
		found = true
		return rows.Scan(&v)
	}, query, args...)
	return v, found, err
}

// list reads a column.
func list[T any](ctx context.Context, q queryer, query string, args ...any) (vs []T, err error) {
	err = each(ctx, q, func(rows *sql.Rows) error {
		var v T
		if err := rows.Scan(&v); err != nil {
			return err
		}
		vs = append(vs, v)
		return nil
	}, query, args...)
	return vs, err
}

// marks returns "(?,?,?)" for n values.
func marks(n int) string {
	if n == 0 {
		return "(NULL)" // nothing is equal to it
	}
	return "(" + strings.Repeat("?,", n-1) + "?)"
}

// anys turns values into arguments.
func anys[T any](vs []T) []any {
	out := make([]any, len(vs))
	for i, v := range vs {
		out[i] = v
	}
	return out
}

// ident quotes a name.
func ident(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// fail says what was being done when err came, as one of placeholder's errors.
func (s *Shop) fail(doing string, err error) error {
	if err == nil {
		return nil
	}
	if s.closed.Load() {
		err = placeholder.ErrClosed
	}
	return fmt.Errorf("%s: %s: %w", s.facts.Name, doing, classify(err))
}
