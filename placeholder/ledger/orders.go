package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// closedStates are the states of orders that are history.
const closedStates = "'complete','closed','canceled'"

// orders is the set of the products in open orders, where no index tells which
// orders a product is in. It is loaded once, in small steps; what was ordered
// since is read again for every batch. Several goroutines may share it after
// load.
type orders struct {
	mu       sync.Mutex
	products map[int64]bool
	last     int64          // the highest order item id that was there
	seen     map[int64]bool // items that were read, among the last ones
}

// inFlight is how many order items may have got their id before last and yet be
// committed after it was read. Those that were not seen are asked for again and
// again.
const inFlight = 1000

// step is how many orders one statement reads.
const step = 1000

// load reads the products of all open orders. A replica may do: what it has not
// yet comes after its own last item.
func (o *orders) load(ctx context.Context, s *Shop, r Reader) error {
	o.products, o.seen = map[int64]bool{}, map[int64]bool{}
	order, item := r.Table(s.facts.Order), r.Table(s.facts.OrderItem)
	var err error
	if o.last, _, err = scalar[int64](ctx, s.replica, "SELECT COALESCE(MAX(item_id),0) FROM "+item); err != nil {
		return err
	}
	states, err := orderStates(ctx, s, order)
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

// orderStates lists the states of orders, from one to the next in the index: to
// read all of it would take long.
func orderStates(ctx context.Context, s *Shop, order string) ([]sql.NullString, error) {
	states := []sql.NullString{{}} // none at all, which is open as well
	state, _, err := scalar[sql.NullString](ctx, s.replica, "SELECT MIN(state) FROM "+order)
	for err == nil && state.Valid {
		states = append(states, state)
		state, _, err = scalar[sql.NullString](ctx, s.replica, "SELECT MIN(state) FROM "+order+" WHERE state>?", state)
	}
	return states, err
}

// recent asks for the products ordered since the run began, and adds them.
func (o *orders) recent(s *Shop, prefix string) ask {
	type ordered struct {
		item, product int64
		open          bool
	}
	order, item := ident(prefix+s.facts.Order), ident(prefix+s.facts.OrderItem)
	var news []ordered
	return ask{
		query: fmt.Sprintf("SELECT STRAIGHT_JOIN i.item_id, i.product_id, o.state IS NULL OR o.state NOT IN (%s) FROM %s i JOIN %s o ON o.entity_id=i.order_id WHERE %s",
			closedStates, item, order, o.unseen()),
		scan: func(rows *sql.Rows) error {
			var it ordered
			var product sql.NullInt64
			if err := rows.Scan(&it.item, &product, &it.open); err != nil {
				return err
			}
			it.product = product.Int64
			news = append(news, it)
			return nil
		},
		done: func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			for _, it := range news {
				if it.open && it.product != 0 {
					o.products[it.product] = true
				}
				o.seen[it.item] = true
				o.last = max(o.last, it.item)
			}
			maps.DeleteFunc(o.seen, func(item int64, _ bool) bool { return item <= o.last-inFlight })
		},
	}
}

// unseen is the condition on items that may be new.
func (o *orders) unseen() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	first := max(0, o.last-inFlight)
	if len(o.seen) < inFlight/2 {
		return fmt.Sprintf("i.item_id>%d", first)
	}
	var gaps []int64
	for item := first + 1; item <= o.last; item++ {
		if !o.seen[item] {
			gaps = append(gaps, item)
		}
	}
	if len(gaps) == 0 {
		return fmt.Sprintf("i.item_id>%d", o.last)
	}
	return fmt.Sprintf("(i.item_id>%d OR i.item_id IN %s)", o.last, inList(gaps))
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
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return !o.products[id] })
}
