package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"catalog/placeholder"
)

// removal is one call of Remove. What it asks and what it does go to the server
// in three pieces: the entries, which are locked; all that is to be known of
// their products; and what is deleted, with the commit. On a busy machine who
// waits for an answer waits for its turn as well, with everything locked.
type removal struct {
	*pruner
	schema *Schema
	out    []placeholder.Removal
	idle   time.Duration
	dry    bool
	at     map[int64]int            // entity id → index, of those not kept so far
	marks  map[int64]sql.NullString // entity id → the ledger's edit mark
	gone   []string                 // SKUs of entries without product
	edited []string                 // SKUs of entries whose products the merchant edited
	lines  lines
	filled []leftover // tables that have any row
}

// Remove implements placeholder.Pruner.
func (p *pruner) Remove(ctx context.Context, candidates []placeholder.Candidate, idle time.Duration, dry bool) ([]placeholder.Removal, error) {
	s := p.shop
	r := &removal{pruner: p, idle: idle, dry: dry || p.dry}
	err := s.withSchema(ctx, fmt.Sprintf("prune %d placeholders", len(candidates)), func(schema *Schema) error {
		r.schema = schema
		work := func(q queryer) error {
			r.out = make([]placeholder.Removal, len(candidates))
			for i, c := range candidates {
				r.out[i] = placeholder.Removal{Candidate: c}
			}
			return r.look(ctx, q)
		}
		if r.dry {
			return s.again(ctx, func() error { return work(s.db) })
		}
		return s.again(ctx, func() error {
			return s.onConn(ctx, func(ctx context.Context, conn *sql.Conn) error {
				if err := work(conn); err != nil {
					return err
				}
				return r.remove(ctx, conn)
			})
		})
	})
	if err != nil {
		return nil, err
	}
	return r.out, nil
}

// ids are the products not kept so far, ascending.
func (r *removal) ids() []int64 {
	ids := make([]int64, 0, len(r.at))
	for id := range r.at {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// keep takes products out of what is removed.
func (r *removal) keep(ids []int64, why placeholder.Keep) {
	for _, id := range ids {
		if i, ok := r.at[id]; ok {
			r.out[i].Keep = why
			delete(r.at, id)
		}
	}
}

// look decides what is kept.
func (r *removal) look(ctx context.Context, q queryer) error {
	if err := r.entries(ctx, q); err != nil || len(r.at) == 0 {
		return err
	}
	ids := r.ids()
	rows := productRows{removal: r, ids: ids, there: map[int64]bool{}}
	held := holders{removal: r, in: inList(ids)}
	asks := append(rows.asks(), held.asks()...)
	if !r.dry {
		asks = append(asks, r.askFilled()...)
	}
	if err := askAll(ctx, q, asks...); err != nil {
		return err
	}
	rows.decide()
	if err := held.decide(ctx, q); err != nil {
		return err
	}
	for id := range r.at {
		if r.extra[id] {
			r.keep([]int64{id}, placeholder.KeepExtra)
		}
	}
	return nil
}

// entries begins the transaction, makes sure that the lock is still ours, locks
// the ledger's rows and reads them again.
func (r *removal) entries(ctx context.Context, q queryer) error {
	r.at, r.marks = make(map[int64]int, len(r.out)), make(map[int64]sql.NullString, len(r.out))
	r.gone, r.edited = nil, nil
	bySKU := make(map[string]int, len(r.out))
	skus := make([]string, len(r.out))
	for i := range r.out {
		c := &r.out[i]
		c.Keep = placeholder.KeepGone
		bySKU[c.SKU], skus[i] = i, c.SKU
	}
	c := &script{}
	var scans []func(rows *sql.Rows) error
	fenced := !r.dry
	if !r.dry {
		c.add("START TRANSACTION;", r.fenceQuery(), ";")
		scans = append(scans, func(*sql.Rows) error { fenced = false; return nil })
	}
	c.add("SELECT sku, entity_id, state, used<=UTC_TIMESTAMP(6)-INTERVAL ", strconv.FormatInt(r.idle.Microseconds(), 10),
		" MICROSECOND, mark FROM ", r.shop.ledger, " WHERE sku IN ")
	c.values(skus)
	c.add(" ORDER BY sku")
	if !r.dry {
		c.add(" FOR UPDATE")
	}
	scans = append(scans, func(rows *sql.Rows) error {
		var sku string
		var id int64
		var state int
		var unused bool
		var mark sql.NullString
		if err := rows.Scan(&sku, &id, &state, &unused, &mark); err != nil {
			return err
		}
		i, ok := bySKU[sku]
		switch {
		case !ok:
		case state != stateLive:
			r.out[i].Keep = placeholder.KeepEdited
		case id != r.out[i].EntityID || id == 0:
		case !unused:
			r.out[i].Keep = placeholder.KeepUsed
		default:
			r.out[i].Keep = ""
			r.at[id], r.marks[id] = i, mark
		}
		return nil
	})
	err := eachOf(ctx, q, scans, c.text.String(), c.args...)
	if err == nil && fenced {
		err = placeholder.ErrFenced
	}
	return err
}

// productRows locks the products, and keeps what the merchant edited and the
// highest id. An entry whose product is gone is removed as well.
type productRows struct {
	*removal
	ids     []int64
	highest sql.NullInt64
	edited  []int64
	there   map[int64]bool
}

func (r *productRows) asks() []ask {
	lock := "SELECT entity_id, updated_at FROM " + r.schema.product + " WHERE entity_id IN " + inList(r.ids) + " ORDER BY entity_id"
	if !r.dry {
		lock += " FOR UPDATE"
	}
	return []ask{
		{query: "SELECT MAX(entity_id) FROM " + r.schema.product, scan: func(rows *sql.Rows) error { return rows.Scan(&r.highest) }},
		{query: lock, scan: func(rows *sql.Rows) error {
			var id int64
			var mark sql.NullString
			if err := rows.Scan(&id, &mark); err != nil {
				return err
			}
			r.there[id] = true
			if mark != r.marks[id] {
				r.edited = append(r.edited, id)
			}
			return nil
		}},
	}
}

func (r *productRows) decide() {
	for _, id := range r.edited {
		r.removal.edited = append(r.removal.edited, r.out[r.at[id]].SKU)
	}
	r.keep(r.edited, placeholder.KeepEdited)
	r.keep([]int64{r.highest.Int64}, placeholder.KeepHighest)
	var gone []int64
	for _, id := range r.ids {
		if !r.there[id] {
			if i, ok := r.at[id]; ok {
				gone = append(gone, id)
				r.gone = append(r.gone, r.out[i].SKU)
			}
		}
	}
	r.keep(gone, placeholder.KeepGone)
}

// settle notes in the ledger what was found by the way, so that it is no
// candidate again: entries without product, and products that were edited.
func (r *removal) settle(c *script) {
	if len(r.gone) > 0 {
		c.next()
		c.delete(r.shop.ledger, "sku")
		c.values(r.gone)
	}
	if len(r.edited) > 0 {
		c.next()
		c.add("UPDATE ", r.shop.ledger, " SET state=", strconv.Itoa(stateTaken), " WHERE sku IN ")
		c.values(r.edited)
	}
}

// remove deletes all that belongs to the products that are left, and commits.
func (r *removal) remove(ctx context.Context, q queryer) error {
	c := &script{}
	r.settle(c)
	ids := r.ids()
	if len(ids) == 0 {
		c.next()
		c.add("COMMIT")
		return c.run(ctx, q)
	}
	if err := r.removeLines(ctx, q, c, ids); err != nil {
		return err
	}
	in := inList(ids)
	skus := make([]string, 0, len(ids))
	for _, id := range ids {
		skus = append(skus, r.out[r.at[id]].SKU)
	}
	for _, l := range r.filled {
		c.next()
		c.delete(ident(l.table), l.Column)
		if l.BySKU {
			c.values(skus)
		} else {
			c.add(in)
		}
		if l.And != "" {
			c.add(" AND ", strings.ReplaceAll(l.And, prefixMark, r.schema.Info.Prefix))
		}
	}
	step, statements := r.pace.next(), 0
	for some := range slices.Chunk(ids, step) {
		statements++
		c.next()
		c.delete(r.schema.product, "entity_id")
		c.add(inList(some))
	}
	c.next()
	c.delete(r.shop.ledger, "sku")
	c.values(skus)
	c.next()
	c.add("COMMIT")
	began := time.Now()
	if err := c.run(ctx, q); err != nil {
		return err
	}
	r.pace.note(step, time.Since(began)/time.Duration(statements))
	return nil
}

// askFilled asks for the tables of leftovers that have any row: many are empty
// most of the time, and to ask all of them is cheaper than one DELETE.
func (r *removal) askFilled() []ask {
	r.filled = r.filled[:0]
	all := r.schema.leftovers
	if len(all) == 0 {
		return nil
	}
	c := &script{}
	there := make([]bool, len(all))
	into := make([]any, len(all))
	for i, l := range all {
		c.add([]string{"SELECT ", ","}[min(i, 1)], "EXISTS(SELECT 1 FROM ", ident(l.table), ")")
		into[i] = &there[i]
	}
	return []ask{{query: c.text.String(), scan: func(rows *sql.Rows) error {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, l := range all {
			if there[i] {
				r.filled = append(r.filled, l)
			}
		}
		return nil
	}}}
}
