package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"catalog/placeholder"
)

// pruner is a run of prune.
type pruner struct {
	shop  *Shop
	token uint64
	ttl   time.Duration
	dry   bool

	orders  orders
	extra   map[int64]bool
	wishes  bool   // there is a wish list
	reviews bool   // there are reviews
	waits   string // the table of reservations; "" when there is none
	stocks  shared // that have reservations, when last looked
	pace    pace   // of deleting products
}

// shared is a list that several goroutines share. It is replaced, not changed.
type shared struct {
	mu   sync.Mutex
	list []int64
}

func (s *shared) get() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list
}

func (s *shared) set(list []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = list
}

var _ placeholder.Pruner = (*pruner)(nil)

// lockName is the row of the lock that a prune holds.
const lockName = "prune"

// StartPrune implements placeholder.Shop.
func (s *Shop) StartPrune(ctx context.Context, holder string, ttl time.Duration, opts placeholder.PruneOptions) (placeholder.Pruner, error) {
	p := &pruner{shop: s, ttl: ttl, dry: opts.Dry, extra: map[int64]bool{}}
	err := s.withSchema(ctx, "start prune", func(schema *Schema) error {
		if !opts.Dry {
			if err := p.acquire(ctx, holder); err != nil {
				return err
			}
		}
		err := p.begin(ctx, schema, opts)
		if err != nil && !opts.Dry {
			err = errors.Join(err, p.release(context.WithoutCancel(ctx)))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// acquire takes the lock if nobody has it.
func (p *pruner) acquire(ctx context.Context, holder string) error {
	s := p.shop
	return s.transact(ctx, func(tx *sql.Tx) error {
		var held *placeholder.LockedError
		err := each(ctx, tx, func(rows *sql.Rows) error {
			var who, since string
			var busy bool
			if err := rows.Scan(&p.token, &who, &since, &busy); err != nil {
				return err
			}
			if busy {
				held = &placeholder.LockedError{Holder: who, Since: parseTime(since)}
			}
			return nil
		}, "SELECT token, holder, since, expires>UTC_TIMESTAMP(6) FROM "+s.locks+" WHERE name=? FOR UPDATE", lockName)
		if err != nil {
			return err
		}
		if held != nil {
			return held
		}
		p.token++
		_, err = tx.ExecContext(ctx, "UPDATE "+s.locks+" SET token=?, holder=?, since=UTC_TIMESTAMP(6), expires=UTC_TIMESTAMP(6)+INTERVAL ? MICROSECOND WHERE name=?",
			p.token, holder, p.ttl.Microseconds(), lockName)
		return err
	})
}

// parseTime reads a time as the database writes it, in UTC; the zero time if it
// is none.
func parseTime(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", text)
	if err != nil {
		return time.Time{}
	}
	return t
}

// begin loads what the whole run needs.
func (p *pruner) begin(ctx context.Context, schema *Schema, opts placeholder.PruneOptions) error {
	r, err := newReader(ctx, p.shop.db, schema.Info.Prefix)
	if err != nil {
		return err
	}
	p.wishes, p.reviews = r.Has("wishlist_item"), r.Has("review") && r.Has("review_entity")
	if r.Has("inventory_reservation") {
		p.waits = r.Table("inventory_reservation")
	}
	for _, q := range opts.Extra {
		ids, err := list[sql.NullInt64](ctx, p.shop.db, q)
		if err != nil {
			return fmt.Errorf("the operator's query %q: %w", q, err)
		}
		for _, id := range ids {
			if id.Valid {
				p.extra[id.Int64] = true
			}
		}
	}
	if p.shop.facts.OrderItemByProduct {
		return nil
	}
	return p.orders.load(ctx, p.shop, r)
}

// Live implements placeholder.Pruner.
func (p *pruner) Live(ctx context.Context) (n int64, err error) {
	err = p.shop.again(ctx, func() error {
		n, _, err = scalar[int64](ctx, p.shop.db, fmt.Sprintf("SELECT COUNT(*) FROM %s WHERE state=%d", p.shop.ledger, stateLive))
		return err
	})
	return n, p.shop.fail("count placeholders", err)
}

// Candidates implements placeholder.Pruner.
func (p *pruner) Candidates(ctx context.Context, idle time.Duration, after placeholder.Candidate, limit int) ([]placeholder.Candidate, error) {
	s := p.shop
	query := "SELECT sku, entity_id, used FROM " + s.ledger + " WHERE state=? AND used<=UTC_TIMESTAMP(6)-INTERVAL ? MICROSECOND"
	args := []any{stateLive, idle.Microseconds()}
	if after.SKU != "" {
		used := after.Used.UTC().Format("2006-01-02 15:04:05.000000")
		query += " AND (used>? OR used=? AND sku>?)"
		args = append(args, used, used, after.SKU)
	}
	var out []placeholder.Candidate
	err := s.again(ctx, func() error {
		out = out[:0]
		return each(ctx, s.db, func(rows *sql.Rows) error {
			var c placeholder.Candidate
			var used string
			if err := rows.Scan(&c.SKU, &c.EntityID, &used); err != nil {
				return err
			}
			c.Used = parseTime(used)
			out = append(out, c)
			return nil
		}, query+" ORDER BY used, sku LIMIT ?", append(args, limit)...)
	})
	if err != nil {
		return nil, s.fail("list what may be pruned", err)
	}
	return out, nil
}

// Renew implements placeholder.Pruner.
func (p *pruner) Renew(ctx context.Context) error {
	if p.dry {
		return nil
	}
	err := p.shop.transact(ctx, func(tx *sql.Tx) error { return p.fence(ctx, tx) })
	return p.shop.fail("renew the lock of prune", err)
}

// fenceQuery gives a row if the lock is still ours. The lock's row stays locked
// until the transaction ends, so that nobody takes it over meanwhile: for
// reading, so that transactions of this run go on side by side. In a cluster
// that would hold nobody on another node: there it is written.
func (p *pruner) fenceQuery() string {
	read := fmt.Sprintf("SELECT 1 FROM %s WHERE name='%s' AND token=%d AND expires>UTC_TIMESTAMP(6)", p.shop.locks, lockName, p.token)
	if p.shop.galera {
		return fmt.Sprintf("UPDATE %s SET expires=GREATEST(UTC_TIMESTAMP(6)+INTERVAL %d MICROSECOND, expires+INTERVAL 1 MICROSECOND)"+
			" WHERE name='%s' AND token=%d AND expires>UTC_TIMESTAMP(6);", p.shop.locks, p.ttl.Microseconds(), lockName, p.token) + read
	}
	return read + " LOCK IN SHARE MODE"
}

// fence fails unless the lock is still ours, and prolongs it.
func (p *pruner) fence(ctx context.Context, tx *sql.Tx) error {
	res, err := tx.ExecContext(ctx, "UPDATE "+p.shop.locks+
		" SET expires=GREATEST(UTC_TIMESTAMP(6)+INTERVAL ? MICROSECOND, expires+INTERVAL 1 MICROSECOND) WHERE name=? AND token=? AND expires>UTC_TIMESTAMP(6)",
		p.ttl.Microseconds(), lockName, p.token)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		err = placeholder.ErrFenced
	}
	return err
}

// Close implements placeholder.Pruner.
func (p *pruner) Close() error {
	if p.dry || p.shop.closed.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return p.shop.fail("give up the lock of prune", p.release(ctx))
}

// release gives the lock up if it is ours.
func (p *pruner) release(ctx context.Context) error {
	_, err := p.shop.db.ExecContext(ctx, "UPDATE "+p.shop.locks+" SET expires=UTC_TIMESTAMP(6), holder='' WHERE name=? AND token=?", lockName, p.token)
	return err
}

// inList makes a list for IN of numbers, which need no escaping.
func inList(ids []int64) string {
	if len(ids) == 0 {
		return "(NULL)"
	}
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%d", id)
	}
	return "(" + b.String() + ")"
}
