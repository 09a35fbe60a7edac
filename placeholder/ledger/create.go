package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"strconv"
	"time"

	"catalog/placeholder"
)

// create makes products of which Find said a moment ago that there is nothing
// under their SKUs, in two round trips. The entries come last, so that they are
// written once: two who make the same SKU meet at the ledger's key, where one
// of them fails and leaves nothing behind.
//
// Whatever else turns up, it leaves nothing behind either and answers false:
// the long way finds out what it was.
func (s *Shop) create(ctx context.Context, schema *Schema, products []placeholder.Product, results []placeholder.Result) bool {
	for i := range products {
		p := &products[i]
		if !p.Fresh || p.Retired || p.WishID != 0 || p.SKU == "" || schema.fits(p.SKU) != "" {
			return false
		}
	}
	// All lock entries in the order of the key.
	order := make([]int, len(products))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(x, y int) int { return cmp.Compare(products[x].SKU, products[y].SKU) })
	n := &creation{shop: s, schema: schema, products: products, order: order, made: make(map[string]madeProduct, len(products))}
	err := s.onConn(ctx, n.run)
	if err != nil {
		if ctx.Err() == nil {
			s.retries.Add(1)
		}
		return false
	}
	for i := range products {
		p := &products[i]
		results[i] = placeholder.Result{SKU: p.SKU, Status: placeholder.Created, EntityID: n.made[p.SKU].number, Spelling: p.SKU}
	}
	return true
}

// onConn runs f, which begins and commits a transaction by itself, on a
// connection, and rolls back what it leaves open.
func (s *Shop) onConn(ctx context.Context, f func(context.Context, *sql.Conn) error) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := f(ctx, conn); err != nil {
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, rerr := conn.ExecContext(undo, "ROLLBACK"); rerr != nil {
			// Nobody else may get what is in an unknown state.
			_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // its answer is what was passed
		}
		return err
	}
	return nil
}

// creation is one call of create.
type creation struct {
	shop     *Shop
	schema   *Schema
	products []placeholder.Product
	order    []int
	made     map[string]madeProduct // by SKU
}

// madeProduct is a new row of catalog_product_entity.
type madeProduct struct {
	id     string
	number int64
	mark   string // updated_at
}

func (n *creation) run(ctx context.Context, conn *sql.Conn) error {
	if err := n.makeProducts(ctx, conn); err != nil {
		return err
	}
	c := &script{}
	n.entries(c)
	pl := plan{}
	for _, i := range n.order {
		p := &n.products[i]
		m, ok := n.made[p.SKU]
		if !ok {
			return errAgain // a trigger changed it, which the long way tells
		}
		n.schema.add(n.shop.dialect, pl, p, m.id)
	}
	for _, t := range n.schema.Tables {
		c.insert(t, pl[t])
		if err := c.runLong(ctx, conn); err != nil {
			return err
		}
	}
	c.next()
	c.add("COMMIT")
	return c.run(ctx, conn)
}

// makeProducts looks once more whether the shop has such products, as a
// merchant's, and makes them.
func (n *creation) makeProducts(ctx context.Context, conn *sql.Conn) error {
	const columns = "entity_id, sku, updated_at"
	skus := make([]string, len(n.order))
	for at, i := range n.order {
		skus[at] = n.products[i].SKU
	}
	c := &script{}
	c.add("START TRANSACTION;SELECT p.entity_id FROM ", n.schema.product, " p WHERE p.sku IN ")
	c.values(skus)
	c.add(" LIMIT 1;")
	n.schema.insertProducts(c, n.shop.facts, n.products, n.order, nil)
	if n.schema.returning {
		c.add(" RETURNING ", columns)
	} else {
		c.add(";SELECT ", columns, " FROM ", n.schema.product, " WHERE sku IN ")
		c.values(skus)
	}
	rows, err := conn.QueryContext(ctx, c.text.String(), c.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if rows.Next() {
		return errAgain // somebody was faster
	}
	if !rows.NextResultSet() {
		return errors.Join(rows.Err(), errAgain)
	}
	for rows.Next() {
		var m madeProduct
		var sku string
		var mark sql.NullString
		if err := rows.Scan(&m.number, &sku, &mark); err != nil {
			return err
		}
		m.id, m.mark = strconv.FormatInt(m.number, 10), mark.String
		n.made[sku] = m
	}
	return rows.Err()
}

// insertProducts appends the INSERT of products; those that have a wish get its
// id if there are any.
func (s *Schema) insertProducts(c *script, f Facts, products []placeholder.Product, of []int, wishes map[string]int64) {
	c.add("INSERT INTO ", s.product, " (sku, type_id, attribute_set_id, has_options, required_options, created_at, updated_at")
	if f.TypeID {
		c.add(", entity_type_id")
	}
	if len(wishes) > 0 {
		c.add(", entity_id")
	}
	c.add(") VALUES ")
	set, typed := strconv.Itoa(s.set), strconv.Itoa(s.entityType)
	for at, i := range of {
		p := &products[i]
		kind := p.Type
		if kind == "" {
			kind = "simple"
		}
		if at > 0 {
			c.add(",")
		}
		c.add("(")
		c.value(p.SKU)
		c.add(",")
		c.value(kind)
		// A save within the same second must be seen.
		c.add(",", set, ",0,0,UTC_TIMESTAMP(),UTC_TIMESTAMP()-INTERVAL 1 SECOND")
		if f.TypeID {
			c.add(",", typed)
		}
		if len(wishes) > 0 {
			c.add(",")
			if id := wishes[p.SKU]; id != 0 {
				c.add(strconv.FormatInt(id, 10))
			} else {
				c.add("NULL") // the next one
			}
		}
		c.add(")")
	}
}

// entries appends the INSERT of the ledger's entries.
func (n *creation) entries(c *script) {
	c.add("INSERT INTO ", n.shop.ledger, " (sku,entity_id,mark,hash,qty,parent,made,used) VALUES ")
	for at, i := range n.order {
		p := &n.products[i]
		if at > 0 {
			c.add(",")
		}
		c.add("(")
		c.value(p.SKU)
		m := n.made[p.SKU]
		c.add(",", strconv.FormatInt(m.number, 10), ",")
		c.optional(m.mark)
		c.add(",")
		c.bytes(p.Hash[:])
		c.add(",")
		if p.Stock.Manage && p.Stock.InStock {
			c.value(p.Stock.Qty)
		} else {
			c.add("NULL")
		}
		c.add(",")
		if p.Parent == "" {
			c.add("NULL")
		} else {
			c.bytes([]byte(p.Parent))
		}
		c.add(",UTC_TIMESTAMP(6),UTC_TIMESTAMP(6))")
	}
}
