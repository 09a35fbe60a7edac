package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"catalog/placeholder"
)

// Options say how a shop's database is used. The zero value is right for most.
type Options struct {
	// Prefix of the shop's tables; "" means that it is found out.
	Prefix string
	// Replica is the DSN of a replica, for what may be a little old: what is
	// counted, and the orders there were when a prune started.
	Replica string
	// Conns is how many connections are open at most; 0 means 8.
	Conns int
}

// reread is how old what was looked up may get.
const reread = 3 * time.Minute

// Shop is a placeholder.Shop in a MariaDB or MySQL database.
type Shop struct {
	dialect Dialect
	facts   Facts
	db      *sql.DB
	replica *sql.DB // db where there is none
	prefix  string  // as given
	galera  bool

	schema  atomic.Pointer[Schema]
	loading sync.Mutex // held by whoever reads the schema again
	retries atomic.Int64
	closed  atomic.Bool

	ledger, locks string // our tables, quoted
}

var _ placeholder.Shop = (*Shop)(nil)

// Open connects to the database of a DSN in the form of go-sql-driver/mysql,
// looks up what the shop is, checks the rights that are needed, and makes the
// ledger's tables where they are not there. Errors are those of
// placeholder.Shop, and name what is missing; none quotes the DSN.
func Open(ctx context.Context, dsn string, d Dialect, o Options) (*Shop, error) {
	s := &Shop{dialect: d, facts: d.Facts(), prefix: o.Prefix}
	if o.Conns <= 0 {
		o.Conns = 8
	}
	fail := func(doing string, err error) (*Shop, error) {
		err = s.fail(doing, err)
		return nil, errors.Join(err, s.Close())
	}
	probe, err := openDB(dsn, 1)
	if err != nil {
		return fail("open", err)
	}
	s.db, s.replica = probe, probe
	setup, galera, err := sessionFor(ctx, probe)
	s.galera = galera
	if err != nil {
		return fail("connect", err)
	}
	if len(setup) > 0 {
		if err := probe.Close(); err != nil {
			return fail("connect", err)
		}
		if s.db, err = openDB(dsn, o.Conns, setup...); err != nil {
			return fail("open", err)
		}
		s.replica = s.db
	} else {
		probe.SetMaxOpenConns(o.Conns)
		probe.SetMaxIdleConns(o.Conns)
	}
	if o.Replica != "" {
		if s.replica, err = openDB(o.Replica, 2); err != nil {
			s.replica = s.db
			return fail("open the replica", err)
		}
	}
	if err := s.load(ctx); err != nil {
		return fail("look up the shop", err)
	}
	prefix := s.schema.Load().Info.Prefix
	s.ledger, s.locks = ident(prefix+tableLedger), ident(prefix+tableLocks)
	if err := s.makeTables(ctx); err != nil {
		return fail("make the ledger's tables", err)
	}
	if err := s.checkRights(ctx); err != nil {
		return fail("check the user's rights", err)
	}
	return s, nil
}

// sessionFor returns what sessions need on this server beyond the usual, and
// whether it is a node of a Galera cluster.
func sessionFor(ctx context.Context, db *sql.DB) (setup []string, galera bool, err error) {
	vars := map[string]string{}
	err = each(ctx, db, func(rows *sql.Rows) error {
		var name string
		var value sql.NullString
		if err := rows.Scan(&name, &value); err != nil {
			return err
		}
		vars[strings.ToLower(name)] = value.String
		return nil
	}, "SHOW VARIABLES WHERE Variable_name IN ('wsrep_on','log_bin','binlog_format')")
	if err != nil {
		return nil, false, err
	}
	galera = vars["wsrep_on"] == "ON"
	if galera {
		// Another node may have committed what we must see.
		setup = append(setup, "SET SESSION wsrep_sync_wait=1")
	}
	if vars["log_bin"] == "ON" && vars["binlog_format"] == "STATEMENT" {
		// The server refuses to log statements at READ COMMITTED.
		setup = append(setup, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
	}
	return setup, galera, nil
}

// Close implements placeholder.Shop.
func (s *Shop) Close() error {
	if s.closed.Swap(true) || s.db == nil {
		return nil
	}
	err := s.db.Close()
	if s.replica != s.db {
		err = errors.Join(err, s.replica.Close())
	}
	return err
}

// Retries is how often a transaction was tried again so far.
func (s *Shop) Retries() int64 { return s.retries.Load() }

// Info implements placeholder.Shop.
func (s *Shop) Info() placeholder.Info { return s.schema.Load().Info }

// load reads the shop's tables anew.
func (s *Shop) load(ctx context.Context) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	schema, err := load(ctx, s.db, s.dialect, s.prefix)
	if err != nil {
		return err
	}
	s.schema.Store(schema)
	return nil
}

// current returns the schema, read again when it is old. When reading fails
// the old one serves on: the next write tells.
func (s *Shop) current(ctx context.Context) *Schema {
	schema := s.schema.Load()
	if time.Since(schema.Info.Read) < reread || !s.loading.TryLock() {
		return schema
	}
	defer s.loading.Unlock()
	fresh, err := load(ctx, s.db, s.dialect, s.prefix)
	if err != nil {
		return schema
	}
	s.schema.Store(fresh)
	return fresh
}

// withSchema runs f, and once more with a schema read anew if f failed because
// of it.
func (s *Shop) withSchema(ctx context.Context, doing string, f func(*Schema) error) error {
	if s.closed.Load() {
		return s.fail(doing, placeholder.ErrClosed)
	}
	err := f(s.current(ctx))
	if err != nil && wrongSchema(err) {
		if again := s.load(ctx); again != nil {
			return s.fail(doing, fmt.Errorf("%w; looking the shop up again: %w", err, again))
		}
		err = f(s.schema.Load())
	}
	return s.fail(doing, err)
}
