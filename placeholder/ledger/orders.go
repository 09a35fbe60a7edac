package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// closedStates are the states of orders that are history.
const closedStates = "'complete','closed','canceled'"

// orders is the set of the products in open orders, where no index tells which
// orders a product is in. It is loaded once, in small steps; what was ordered
// since is read again for every batch.
type orders struct {
	products map[int64]bool
	last     int64 // the highest order item id that was there
}

// inFlight is how many order items may have got their id before last and yet be
// committed after it was read. They are read again and again.
const inFlight = 1000

// step is how many orders one statement reads.
const step = 1000

// load reads the products of all open orders. A replica may do: what it has not
// yet comes after its own last item.
func (o *orders) load(ctx context.Context, s *Shop, r Reader) error {
	o.products = map[int64]bool{}
	order, item := r.Table(s.facts.Order), r.Table(s.facts.OrderItem)
	var err error
	if o.last, _, err = scalar[int64](ctx, s.replica, "SELECT COALESCE(MAX(item_id),0) FROM "+item); err != nil {
		return err
	}
	states, err := list[sql.NullString](ctx, s.replica, "SELECT DISTINCT state FROM "+order)
	if err != nil {
		return err
	}
	for _, state := range states {
		switch state.String {
		case "complete", "closed", "canceled":
			continue
		}
		for after := int64(0); ; {
			ids, err := list[int64](ctx, s.replica, fmt.Sprintf("SELECT entity_id FROM %s WHERE state<=>? AND entity_id>? ORDER BY entity_id LIMIT %d", order, step), state, after)
			if err != nil {
				return err
			}
			if len(ids) == 0 {
				break
			}
			after = ids[len(ids)-1]
			if err := o.add(ctx, s.replica, "SELECT DISTINCT product_id FROM "+item+" WHERE order_id IN "+inList(ids)); err != nil {
				return err
			}
			if len(ids) < step {
				break
			}
		}
	}
	return nil
}

// recent asks for the products ordered since the run began, and adds them.
func (o *orders) recent(s *Shop, prefix string) ask {
	order, item := ident(prefix+s.facts.Order), ident(prefix+s.facts.OrderItem)
	return ask{
		query: fmt.Sprintf("SELECT STRAIGHT_JOIN i.item_id, i.product_id, o.state IS NULL OR o.state NOT IN (%s) FROM %s i JOIN %s o ON o.entity_id=i.order_id WHERE i.item_id>%d",
			closedStates, item, order, max(0, o.last-inFlight)),
		scan: func(rows *sql.Rows) error {
			var id int64
			var product sql.NullInt64
			var open bool
			if err := rows.Scan(&id, &product, &open); err != nil {
				return err
			}
			if product.Valid && open {
				o.products[product.Int64] = true
			}
			o.last = max(o.last, id)
			return nil
		},
	}
}

func (o *orders) add(ctx context.Context, q queryer, query string) error {
	ids, err := list[sql.NullInt64](ctx, q, query)
	for _, id := range ids {
		if id.Valid {
			o.products[id.Int64] = true
		}
	}
	return err
}

// of returns which of the products are in open orders.
func (o *orders) of(ids []int64) []int64 {
	return slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return !o.products[id] })
}
