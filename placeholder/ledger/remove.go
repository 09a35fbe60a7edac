package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"catalog/placeholder"
)

// removal is one call of Remove.
type removal struct {
	*pruner
	schema *Schema
	out    []placeholder.Removal
	idle   time.Duration
	at     map[int64]int            // entity id → index, of those not kept so far
	marks  map[int64]sql.NullString // entity id → the ledger's edit mark
	gone   []any                    // SKUs of entries without product
	edited []any                    // SKUs of entries whose products the merchant edited
}

// Remove implements placeholder.Pruner.
func (p *pruner) Remove(ctx context.Context, candidates []placeholder.Candidate, idle time.Duration, dry bool) ([]placeholder.Removal, error) {
	s := p.shop
	dry = dry || p.dry
	r := &removal{pruner: p, idle: idle}
	err := s.withSchema(ctx, fmt.Sprintf("prune %d placeholders", len(candidates)), func(schema *Schema) error {
		r.schema = schema
		work := func(q queryer) error {
			r.out = make([]placeholder.Removal, len(candidates))
			for i, c := range candidates {
				r.out[i] = placeholder.Removal{Candidate: c}
			}
			return r.look(ctx, q, dry)
		}
		if dry {
			return s.again(ctx, func() error { return work(s.db) })
		}
		return s.transact(ctx, func(tx *sql.Tx) error {
			if err := p.fence(ctx, tx); err != nil {
				return err
			}
			if err := work(tx); err != nil {
				return err
			}
			return r.remove(ctx, tx)
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
func (r *removal) look(ctx context.Context, q queryer, dry bool) error {
	if err := r.entries(ctx, q, dry); err != nil {
		return err
	}
	if err := r.productRows(ctx, q, dry); err != nil {
		return err
	}
	if len(r.at) == 0 {
		return nil
	}
	if err := r.held(ctx, q); err != nil {
		return err
	}
	for id := range r.at {
		if r.extra[id] {
			r.keep([]int64{id}, placeholder.KeepExtra)
		}
	}
	return nil
}

// entries locks the ledger's rows and reads them again.
func (r *removal) entries(ctx context.Context, q queryer, dry bool) error {
	r.at, r.marks = make(map[int64]int, len(r.out)), make(map[int64]sql.NullString, len(r.out))
	r.gone, r.edited = nil, nil
	bySKU := make(map[string]int, len(r.out))
	skus := make([]any, len(r.out))
	for i := range r.out {
		c := &r.out[i]
		c.Keep = placeholder.KeepGone
		bySKU[c.SKU], skus[i] = i, c.SKU
	}
	query := "SELECT sku, entity_id, state, used<=UTC_TIMESTAMP(6)-INTERVAL ? MICROSECOND, mark FROM " + r.shop.ledger + " WHERE sku IN " + marks(len(skus)) + " ORDER BY sku"
	if !dry {
		query += " FOR UPDATE"
	}
	return each(ctx, q, func(rows *sql.Rows) error {
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
	}, query, append([]any{r.idle.Microseconds()}, skus...)...)
}

// productRows locks the products, and keeps what the merchant edited and the
// highest id. An entry whose product is gone is removed as well.
func (r *removal) productRows(ctx context.Context, q queryer, dry bool) error {
	if len(r.at) == 0 {
		return nil
	}
	ids := r.ids()
	lock := "SELECT entity_id, updated_at FROM " + r.schema.product + " WHERE entity_id IN " + inList(ids) + " ORDER BY entity_id"
	if !dry {
		lock += " FOR UPDATE"
	}
	var highest sql.NullInt64
	var edited []int64
	there := map[int64]bool{}
	err := askAll(ctx, q,
		ask{query: "SELECT MAX(entity_id) FROM " + r.schema.product, scan: func(rows *sql.Rows) error { return rows.Scan(&highest) }},
		ask{query: lock, scan: func(rows *sql.Rows) error {
			var id int64
			var mark sql.NullString
			if err := rows.Scan(&id, &mark); err != nil {
				return err
			}
			there[id] = true
			if mark != r.marks[id] {
				edited = append(edited, id)
			}
			return nil
		}})
	if err != nil {
		return err
	}
	for _, id := range edited {
		r.edited = append(r.edited, r.out[r.at[id]].SKU)
	}
	r.keep(edited, placeholder.KeepEdited)
	r.keep([]int64{highest.Int64}, placeholder.KeepHighest)
	var gone []int64
	for _, id := range ids {
		if !there[id] {
			if i, ok := r.at[id]; ok {
				gone = append(gone, id)
				r.gone = append(r.gone, r.out[i].SKU)
			}
		}
	}
	r.keep(gone, placeholder.KeepGone)
	return nil
}

// held keeps what somebody still wants, as the newest commits say. Orders are
// looked at after the carts: an order is committed before its cart is made
// inactive.
func (r *removal) held(ctx context.Context, q queryer) error {
	in, prefix, f := inList(r.ids()), r.schema.Info.Prefix, r.shop.facts
	var inCarts, inOrders, onLists, reviewed, stocks []int64
	asks := []ask{{
		query: "SELECT STRAIGHT_JOIN DISTINCT i.product_id FROM " + ident(prefix+f.QuoteItem) + " i JOIN " + ident(prefix+f.Quote) +
			" q ON q.entity_id=i.quote_id WHERE i.product_id IN " + in + " AND (" + strings.ReplaceAll(f.Cart, prefixMark, prefix) + ")",
		scan: column64(&inCarts),
	}}
	if f.OrderItemByProduct {
		asks = append(asks, ask{
			query: "SELECT STRAIGHT_JOIN DISTINCT i.product_id FROM " + ident(prefix+f.OrderItem) + " i JOIN " + ident(prefix+f.Order) +
				" o ON o.entity_id=i.order_id WHERE i.product_id IN " + in + " AND (o.state IS NULL OR o.state NOT IN (" + closedStates + "))",
			scan: column64(&inOrders),
		})
	} else {
		asks = append(asks, r.orders.recent(r.shop, prefix))
	}
	// What customers noted, or wrote about.
	if r.wishes {
		asks = append(asks, ask{query: "SELECT DISTINCT product_id FROM " + ident(prefix+"wishlist_item") + " WHERE product_id IN " + in, scan: column64(&onLists)})
	}
	if r.reviews {
		asks = append(asks, ask{
			query: "SELECT DISTINCT r.entity_pk_value FROM " + ident(prefix+"review") + " r JOIN " + ident(prefix+"review_entity") +
				" e ON e.entity_id=r.entity_id AND e.entity_code='product' WHERE r.entity_pk_value IN " + in,
			scan: column64(&reviewed),
		})
	}
	if r.waits != "" {
		asks = append(asks, ask{query: "SELECT DISTINCT stock_id FROM " + r.waits, scan: column64(&stocks)})
	}
	if err := askAll(ctx, q, asks...); err != nil {
		return err
	}
	r.keep(inCarts, placeholder.KeepCart)
	r.keep(inOrders, placeholder.KeepOrder)
	if !f.OrderItemByProduct {
		r.keep(r.orders.of(r.ids()), placeholder.KeepOrder)
	}
	r.keep(onLists, placeholder.KeepWishlist)
	r.keep(reviewed, placeholder.KeepExtra)
	if len(stocks) == 0 || len(r.at) == 0 {
		return nil
	}
	return r.reserved(ctx, q, stocks)
}

// reserved keeps what the shop still reserves: for orders whose shipment is to
// come.
func (r *removal) reserved(ctx context.Context, q queryer, stocks []int64) error {
	bySKU := map[string]int64{}
	var skus []any
	for id, i := range r.at {
		bySKU[r.out[i].SKU] = id
		skus = append(skus, r.out[i].SKU)
	}
	held, err := list[string](ctx, q, "SELECT sku FROM "+r.waits+" WHERE stock_id IN "+inList(stocks)+" AND sku IN "+marks(len(skus))+
		" GROUP BY sku HAVING SUM(quantity)<>0", skus...)
	for _, sku := range held {
		if id, ok := bySKU[sku]; ok {
			r.keep([]int64{id}, placeholder.KeepOrder)
		}
	}
	return err
}

// settle notes in the ledger what was found by the way, so that it is no
// candidate again: entries without product, and products that were edited.
func (r *removal) settle(ctx context.Context, tx *sql.Tx) error {
	if len(r.gone) > 0 {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+r.shop.ledger+" WHERE sku IN "+marks(len(r.gone)), r.gone...); err != nil {
			return err
		}
	}
	if len(r.edited) > 0 {
		query := fmt.Sprintf("UPDATE %s SET state=%d WHERE sku IN %s", r.shop.ledger, stateTaken, marks(len(r.edited)))
		if _, err := tx.ExecContext(ctx, query, r.edited...); err != nil {
			return err
		}
	}
	return nil
}

// How many rows one statement deletes: cart lines, and products, each of which
// has the server look into some forty tables.
const (
	lineStep    = 1000
	productStep = 50
)

// remove deletes all that belongs to the products that are left.
func (r *removal) remove(ctx context.Context, tx *sql.Tx) error {
	if err := r.settle(ctx, tx); err != nil {
		return err
	}
	ids := r.ids()
	if len(ids) == 0 {
		return nil
	}
	in := inList(ids)
	if err := r.removeLines(ctx, tx, ids); err != nil {
		return err
	}
	skus := make([]string, 0, len(ids))
	for _, id := range ids {
		skus = append(skus, r.out[r.at[id]].SKU)
	}
	leftovers, err := r.filled(ctx, tx)
	if err != nil {
		return err
	}
	c := &script{}
	for _, l := range leftovers {
		c.next()
		c.add("DELETE FROM ", ident(l.table), " WHERE ", ident(l.Column), " IN ")
		if l.BySKU {
			c.values(skus)
		} else {
			c.add(in)
		}
		if l.And != "" {
			c.add(" AND ", strings.ReplaceAll(l.And, prefixMark, r.schema.Info.Prefix))
		}
	}
	for some := range slices.Chunk(ids, productStep) {
		c.next()
		c.add("DELETE FROM ", r.schema.product, " WHERE entity_id IN ", inList(some))
	}
	c.next()
	c.add("DELETE FROM ", r.shop.ledger, " WHERE sku IN ")
	c.values(skus)
	return c.run(ctx, tx)
}

// filled returns the tables of leftovers that have any row: many are empty
// most of the time, and to ask all of them is cheaper than one DELETE.
func (r *removal) filled(ctx context.Context, tx *sql.Tx) ([]leftover, error) {
	all := r.schema.leftovers
	if len(all) == 0 {
		return nil, nil
	}
	c := &script{}
	there := make([]bool, len(all))
	into := make([]any, len(all))
	for i, l := range all {
		c.add([]string{"SELECT ", ","}[min(i, 1)], "EXISTS(SELECT 1 FROM ", ident(l.table), ")")
		into[i] = &there[i]
	}
	err := each(ctx, tx, func(rows *sql.Rows) error { return rows.Scan(into...) }, c.text.String())
	if err != nil {
		return nil, err
	}
	var out []leftover
	for i, l := range all {
		if there[i] {
			out = append(out, l)
		}
	}
	return out, nil
}

// removeLines marks the stale carts that hold the products, so that their
// totals are computed anew, and deletes their lines.
func (r *removal) removeLines(ctx context.Context, tx *sql.Tx, ids []int64) error {
	if !r.shop.facts.LineFK {
		// Without an order, so that the index on product_id is used: in that of
		// item_id the server would rather read the table from its start.
		for {
			n, _, err := r.someLines(ctx, tx, "product_id IN "+inList(ids))
			if err != nil || n < lineStep {
				return err
			}
		}
	}
	// Here the lines stay until the products go: they are walked through.
	holding, err := list[int64](ctx, tx, "SELECT DISTINCT product_id FROM "+ident(r.schema.Info.Prefix+r.shop.facts.QuoteItem)+" WHERE product_id IN "+inList(ids))
	if err != nil {
		return err
	}
	for _, id := range holding {
		for after := int64(0); ; {
			n, last, err := r.someLines(ctx, tx, fmt.Sprintf("product_id=%d AND item_id>%d ORDER BY item_id", id, after))
			if err != nil {
				return err
			}
			if n < lineStep {
				break
			}
			after = last
		}
	}
	return nil
}

// someLines is removeLines for the first few that a condition finds; it returns
// how many there were, and the last one.
func (r *removal) someLines(ctx context.Context, tx *sql.Tx, where string) (n int, last int64, err error) {
	prefix := r.schema.Info.Prefix
	quote, item := ident(prefix+r.shop.facts.Quote), ident(prefix+r.shop.facts.QuoteItem)
	var lines, quotes []int64
	err = each(ctx, tx, func(rows *sql.Rows) error {
		var line, cart, product int64
		if err := rows.Scan(&line, &cart, &product); err != nil {
			return err
		}
		if i, ok := r.at[product]; ok {
			r.out[i].Quotes++
		}
		lines, quotes = append(lines, line), append(quotes, cart)
		return nil
	}, fmt.Sprintf("SELECT item_id, quote_id, product_id FROM %s WHERE %s LIMIT %d", item, where, lineStep))
	if err != nil || len(lines) == 0 {
		return 0, 0, err
	}
	slices.Sort(quotes)
	quotes = slices.Compact(quotes)
	// The shop removes carts by the age of updated_at: it must not be new.
	c := &script{}
	c.add("UPDATE ", quote, " SET trigger_recollect=1, updated_at=updated_at WHERE entity_id IN ", inList(quotes))
	if !r.shop.facts.LineFK {
		c.next()
		c.add("DELETE FROM ", item, " WHERE item_id IN ", inList(lines))
	}
	return len(lines), lines[len(lines)-1], c.run(ctx, tx)
}
