package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"catalog/placeholder"
)

// holders tells which products somebody still wants, as the newest commits say.
// Orders are looked at after the carts: an order is committed before its cart
// is made inactive.
type holders struct {
	*removal
	in string // the products, as a list for IN

	inOrders, onLists, reviewed, stocks []int64
	known                               []int64 // stocks whose reservations were asked for
	reserved                            []string
}

func (h *holders) asks() []ask {
	asks := append([]ask{h.lines.ask(h.removal, h.in)}, h.askOrders())
	prefix := h.schema.Info.Prefix
	// What customers noted, or wrote about.
	if h.wishes {
		asks = append(asks, ask{query: "SELECT DISTINCT product_id FROM " + ident(prefix+"wishlist_item") + " WHERE product_id IN " + h.in, scan: column64(&h.onLists)})
	}
	if h.reviews {
		asks = append(asks, ask{
			query: "SELECT DISTINCT r.entity_pk_value FROM " + ident(prefix+"review") + " r JOIN " + ident(prefix+"review_entity") +
				" e ON e.entity_id=r.entity_id AND e.entity_code='product' WHERE r.entity_pk_value IN " + h.in,
			scan: column64(&h.reviewed),
		})
	}
	if h.waits == "" {
		return asks
	}
	asks = append(asks, ask{query: "SELECT DISTINCT stock_id FROM " + h.waits, scan: column64(&h.stocks)})
	// Most of the time these are the stocks that the last ones were in.
	if h.known = h.pruner.stocks.get(); len(h.known) > 0 {
		asks = append(asks, h.askReserved(h.known))
	}
	return asks
}

func (h *holders) askOrders() ask {
	f, prefix := h.shop.facts, h.schema.Info.Prefix
	if !f.OrderItemByProduct {
		return h.orders.recent(h.shop, prefix)
	}
	return ask{
		query: "SELECT STRAIGHT_JOIN DISTINCT i.product_id FROM " + ident(prefix+f.OrderItem) + " i JOIN " + ident(prefix+f.Order) +
			" o ON o.entity_id=i.order_id WHERE i.product_id IN " + h.in + " AND (o.state IS NULL OR o.state NOT IN (" + closedStates + "))",
		scan: column64(&h.inOrders),
	}
}

// askReserved asks for what the shop still reserves: for orders whose shipment
// is to come.
func (h *holders) askReserved(stocks []int64) ask {
	h.reserved = h.reserved[:0]
	c := &script{}
	c.add("SELECT sku FROM ", h.waits, " WHERE stock_id IN ", inList(stocks), " AND sku IN ")
	skus := make([]string, 0, len(h.at))
	for _, id := range h.ids() {
		skus = append(skus, h.out[h.at[id]].SKU)
	}
	c.values(skus)
	c.add(" GROUP BY sku HAVING SUM(quantity)<>0")
	return ask{query: c.text.String(), args: c.args, scan: func(rows *sql.Rows) error {
		var sku string
		err := rows.Scan(&sku)
		h.reserved = append(h.reserved, sku)
		return err
	}}
}

// decide keeps what is held.
func (h *holders) decide(ctx context.Context, q queryer) error {
	if err := h.askMore(ctx, q); err != nil {
		return err
	}
	h.keep(h.lines.held, placeholder.KeepCart)
	h.keep(h.inOrders, placeholder.KeepOrder)
	if !h.shop.facts.OrderItemByProduct {
		h.keep(h.orders.of(h.ids()), placeholder.KeepOrder)
	}
	h.keep(h.onLists, placeholder.KeepWishlist)
	h.keep(h.reviewed, placeholder.KeepExtra)
	bySKU := make(map[string]int64, len(h.at))
	for id, i := range h.at {
		bySKU[h.out[i].SKU] = id
	}
	for _, sku := range h.reserved {
		if id, ok := bySKU[sku]; ok {
			h.keep([]int64{id}, placeholder.KeepOrder)
		}
	}
	return nil
}

// askMore asks again what could not be asked, or not answered, at once.
func (h *holders) askMore(ctx context.Context, q queryer) error {
	var more []ask
	if h.lines.many {
		h.inOrders = nil
		more = append(more, h.lines.askHeld(h.removal, h.in), h.askOrders())
	}
	for _, stock := range h.stocks {
		if !slices.Contains(h.known, stock) {
			h.pruner.stocks.set(h.stocks)
			more = append(more, h.askReserved(h.stocks))
			break
		}
	}
	if len(more) == 0 {
		return nil
	}
	return askAll(ctx, q, more...)
}

// lineStep is how many cart lines are read and deleted at once.
const lineStep = 1000

// lines are the cart lines of the products of a removal.
type lines struct {
	held []int64 // products in carts that may still be ordered
	many bool    // there are more than lineStep: all is to be asked in pieces
	all  []line
}

// line is a line of a cart.
type line struct{ id, cart, product int64 }

// ask asks for the lines, unless there are many.
func (l *lines) ask(r *removal, in string) ask {
	f, prefix := r.shop.facts, r.schema.Info.Prefix
	*l = lines{}
	return ask{
		// Without an order, so that the index on product_id is used: in that of
		// item_id the server would rather read the table from its start.
		query: fmt.Sprintf("SELECT STRAIGHT_JOIN i.item_id, i.quote_id, i.product_id, COALESCE(%s,0) FROM %s i LEFT JOIN %s q ON q.entity_id=i.quote_id WHERE i.product_id IN %s LIMIT %d",
			strings.ReplaceAll(f.Cart, prefixMark, prefix), ident(prefix+f.QuoteItem), ident(prefix+f.Quote), in, lineStep+1),
		scan: func(rows *sql.Rows) error {
			var it line
			var held bool
			if err := rows.Scan(&it.id, &it.cart, &it.product, &held); err != nil {
				return err
			}
			if held {
				l.held = append(l.held, it.product)
			}
			l.all = append(l.all, it)
			l.many = len(l.all) > lineStep
			return nil
		},
	}
}

// askHeld asks for the products in carts that may still be ordered alone.
func (l *lines) askHeld(r *removal, in string) ask {
	f, prefix := r.shop.facts, r.schema.Info.Prefix
	l.held = nil
	return ask{
		query: "SELECT STRAIGHT_JOIN DISTINCT i.product_id FROM " + ident(prefix+f.QuoteItem) + " i JOIN " + ident(prefix+f.Quote) +
			" q ON q.entity_id=i.quote_id WHERE i.product_id IN " + in + " AND (" + strings.ReplaceAll(f.Cart, prefixMark, prefix) + ")",
		scan: column64(&l.held),
	}
}

// removeLines marks the stale carts that hold the products, so that their
// totals are computed anew, and deletes their lines: by c, or, when there are
// many, some by itself and the rest by c.
func (r *removal) removeLines(ctx context.Context, q queryer, c *script, ids []int64) error {
	if !r.lines.many {
		r.lines.all = slices.DeleteFunc(r.lines.all, func(l line) bool { _, ok := r.at[l.product]; return !ok })
		r.deleteLines(c, r.lines.all)
		return nil
	}
	if err := c.run(ctx, q); err != nil {
		return err
	}
	if !r.shop.facts.LineFK {
		for {
			some, err := r.someLines(ctx, q, c, "product_id IN "+inList(ids))
			if err != nil || len(some) < lineStep {
				return err
			}
		}
	}
	// Here the lines stay until the products go: they are walked through.
	holding, err := list[int64](ctx, q, "SELECT DISTINCT product_id FROM "+ident(r.schema.Info.Prefix+r.shop.facts.QuoteItem)+" WHERE product_id IN "+inList(ids))
	if err != nil {
		return err
	}
	for _, id := range holding {
		for after := int64(0); ; {
			some, err := r.someLines(ctx, q, c, fmt.Sprintf("product_id=%d AND item_id>%d ORDER BY item_id", id, after))
			if err != nil {
				return err
			}
			if len(some) < lineStep {
				break
			}
			after = some[len(some)-1].id
		}
	}
	return nil
}

// someLines is removeLines for the first few that a condition finds, which it
// returns.
func (r *removal) someLines(ctx context.Context, q queryer, c *script, where string) (some []line, err error) {
	err = each(ctx, q, func(rows *sql.Rows) error {
		var l line
		err := rows.Scan(&l.id, &l.cart, &l.product)
		some = append(some, l)
		return err
	}, fmt.Sprintf("SELECT item_id, quote_id, product_id FROM %s WHERE %s LIMIT %d", ident(r.schema.Info.Prefix+r.shop.facts.QuoteItem), where, lineStep))
	if err != nil {
		return nil, err
	}
	r.deleteLines(c, some)
	return some, c.run(ctx, q)
}

// deleteLines marks the carts of lines and deletes these, where no foreign key
// does.
func (r *removal) deleteLines(c *script, some []line) {
	if len(some) == 0 {
		return
	}
	ids, carts := make([]int64, len(some)), make([]int64, len(some))
	for i, l := range some {
		ids[i], carts[i] = l.id, l.cart
		if at, ok := r.at[l.product]; ok {
			r.out[at].Quotes++
		}
	}
	slices.Sort(ids)
	slices.Sort(carts)
	prefix, f := r.schema.Info.Prefix, r.shop.facts
	// The shop removes carts by the age of updated_at: it must not be new.
	c.next()
	c.add("UPDATE ", ident(prefix+f.Quote), " SET trigger_recollect=1, updated_at=updated_at WHERE entity_id IN ", inList(slices.Compact(carts)))
	if !f.LineFK {
		c.next()
		c.delete(ident(prefix+f.QuoteItem), "item_id")
		c.add(inList(ids))
	}
}
