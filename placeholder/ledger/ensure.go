package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"

	"catalog/placeholder"
)

// Ensure implements placeholder.Shop.
func (s *Shop) Ensure(ctx context.Context, products []placeholder.Product) ([]placeholder.Result, error) {
	return s.write(ctx, fmt.Sprintf("ensure %d products", len(products)), products, true)
}

// Refresh implements placeholder.Shop.
func (s *Shop) Refresh(ctx context.Context, products []placeholder.Product) ([]placeholder.Result, error) {
	return s.write(ctx, fmt.Sprintf("refresh %d products", len(products)), products, false)
}

func (s *Shop) write(ctx context.Context, doing string, products []placeholder.Product, create bool) ([]placeholder.Result, error) {
	results := make([]placeholder.Result, len(products))
	err := s.withSchema(ctx, doing, func(schema *Schema) error {
		if create && s.create(ctx, schema, products, results) {
			return nil
		}
		return s.halve(ctx, schema, products, results, create)
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// halve writes a batch; when a value does not fit its column, each half by
// itself, until the product that is to blame is alone.
func (s *Shop) halve(ctx context.Context, schema *Schema, products []placeholder.Product, results []placeholder.Result, create bool) error {
	if len(products) == 0 {
		return nil
	}
	b := &batch{shop: s, schema: schema, products: products, results: results, create: create}
	err := s.transact2(ctx, b.prepare, b.run)
	if !badValue(err) {
		return err
	}
	if len(products) == 1 {
		p := &products[0]
		results[0] = placeholder.Result{
			SKU: p.SKU, Status: placeholder.Refused, Reason: placeholder.ReasonTrouble,
			Detail: "the shop's database does not take a value: " + err.Error(),
		}
		return nil
	}
	mid := len(products) / 2
	if err := s.halve(ctx, schema, products[:mid], results[:mid], create); err != nil {
		return err
	}
	return s.halve(ctx, schema, products[mid:], results[mid:], create)
}

// transact2 runs before, outside of any transaction, then f in one if before
// says that there is something to do; both again if that may help.
func (s *Shop) transact2(ctx context.Context, before func(context.Context) (bool, error), f func(context.Context, *sql.Tx) error) error {
	return s.again(ctx, func() error {
		more, err := before(ctx)
		if err != nil || !more {
			return err
		}
		return s.once(ctx, func(tx *sql.Tx) error { return f(ctx, tx) })
	})
}

// batch is one call of Ensure or Refresh.
type batch struct {
	shop     *Shop
	schema   *Schema
	products []placeholder.Product
	results  []placeholder.Result
	create   bool

	found  []found
	fresh  []int    // have no entry
	locked []int    // have one that must be locked and looked at again
	made   []int    // get a product
	differ []int    // live ones to be refreshed
	touch  []int    // live ones of which only the last use is written
	moved  []int    // live ones with another parent
	taken  []int    // entries whose products the merchant edited
	marks  []string // updated_at of the products made
	twins  []twin
	rival  []int // fresh ones for which the shop has a product after all
}

// prepare looks without locks and sorts the products by what is to be done. It
// answers those about which nothing is.
func (b *batch) prepare(ctx context.Context) (bool, error) {
	skus := make([]string, len(b.products))
	for i := range b.products {
		skus[i] = b.products[i].SKU
	}
	var err error
	// Of new ones the shop's products are looked at later, when the entries are
	// claimed; Refresh answers Foreign for them.
	if b.found, err = b.shop.find(ctx, b.shop.db, b.schema, skus, !b.create); err != nil {
		return false, err
	}
	b.fresh, b.locked = b.fresh[:0], b.locked[:0]
	for i := range b.products {
		f, p := &b.found[i], &b.products[i]
		b.results[i] = placeholder.Result{SKU: p.SKU, EntityID: f.EntityID, Spelling: f.Spelling}
		r := &b.results[i]
		if reason := b.schema.fits(p.SKU); reason != "" {
			r.Status, r.Reason = placeholder.Refused, reason
			r.Detail = fmt.Sprintf("the shop's SKU column holds %d characters of %s", b.schema.Info.SKUChars, b.schema.skuColumn.Charset)
			if !b.create {
				*r = placeholder.Result{SKU: p.SKU, Status: placeholder.Unknown}
			}
			continue
		}
		switch {
		case f.edited:
			b.locked = append(b.locked, i)
		case f.State == placeholder.StateForeign:
			r.Status = placeholder.Foreign
		case f.alike(p.SKU):
			b.refuseAlike(i)
		case f.State == placeholder.StateLive:
			if !b.create && f.Hash == p.Hash && (f.parent == p.Parent || p.Retired) {
				r.Status = placeholder.Present
				continue
			}
			b.locked = append(b.locked, i)
		case !b.create:
			*r = placeholder.Result{SKU: p.SKU, Status: placeholder.Unknown}
		case f.half:
			b.locked = append(b.locked, i)
		default:
			b.fresh = append(b.fresh, i)
		}
	}
	return len(b.fresh)+len(b.locked) > 0, nil
}

// refuseAlike answers that the shop takes product i for what it found.
func (b *batch) refuseAlike(i int) {
	f, p := &b.found[i], &b.products[i]
	if !b.create {
		b.results[i] = placeholder.Result{SKU: p.SKU, Status: placeholder.Unknown}
		return
	}
	b.results[i] = placeholder.Result{
		SKU: p.SKU, Status: placeholder.Refused, Reason: placeholder.ReasonAlike, EntityID: f.EntityID, Spelling: f.entry,
		Detail: fmt.Sprintf("the shop takes %q for the same as %q", p.SKU, f.entry),
	}
}

// run does the work in a transaction.
func (b *batch) run(ctx context.Context, tx *sql.Tx) error {
	b.made, b.differ, b.touch = b.made[:0], b.differ[:0], b.touch[:0]
	b.moved, b.taken, b.rival, b.twins = b.moved[:0], b.taken[:0], b.rival[:0], b.twins[:0]
	if err := b.claim(ctx, tx); err != nil {
		return err
	}
	if err := b.lock(ctx, tx); err != nil {
		return err
	}
	if err := b.makeProducts(ctx, tx); err != nil {
		return err
	}
	if err := b.refresh(ctx, tx); err != nil {
		return err
	}
	if err := b.record(ctx, tx); err != nil {
		return err
	}
	b.answerTwins()
	return nil
}

// lock locks entries in the order of their key and decides again, by what they
// say now.
func (b *batch) lock(ctx context.Context, tx *sql.Tx) error {
	if len(b.locked) == 0 {
		return nil
	}
	at := make(map[string]int, len(b.locked))
	var skus []any
	for _, i := range b.locked {
		at[b.found[i].entry] = i
		skus = append(skus, b.found[i].entry)
	}
	if _, err := list[string](ctx, tx, "SELECT sku FROM "+b.shop.ledger+" WHERE sku IN "+marks(len(skus))+" ORDER BY sku FOR UPDATE", skus...); err != nil {
		return err
	}
	seen := 0
	err := each(ctx, tx, func(rows *sql.Rows) error {
		f, err := scanEntry(rows)
		if err != nil {
			return err
		}
		i, ok := at[f.entry]
		if !ok {
			return nil
		}
		seen++
		return b.decide(i, f)
	}, "SELECT "+entryColumns+" FROM "+b.shop.ledger+" l LEFT JOIN "+b.schema.product+" p ON p.entity_id=l.entity_id WHERE l.sku IN "+marks(len(skus)), skus...)
	if err == nil && seen < len(at) {
		err = errAgain // pruned meanwhile
	}
	return err
}

// decide says what is to be done about product i, whose entry is locked.
func (b *batch) decide(i int, f found) error {
	b.found[i] = f
	r, p := &b.results[i], &b.products[i]
	*r = placeholder.Result{SKU: p.SKU, EntityID: f.EntityID, Spelling: f.Spelling}
	switch {
	case f.edited:
		b.taken = append(b.taken, i)
		r.Status = placeholder.Foreign
	case f.State == placeholder.StateForeign:
		r.Status = placeholder.Foreign
	case f.half && !b.create:
		*r = placeholder.Result{SKU: p.SKU, Status: placeholder.Unknown}
	case f.half:
		b.made = append(b.made, i)
	case f.Hash == p.Hash:
		r.Status = placeholder.Present
		if b.create {
			b.touch = append(b.touch, i)
		}
		if f.parent != p.Parent && !p.Retired {
			b.moved = append(b.moved, i)
		}
	default:
		r.Status = placeholder.Refreshed
		b.differ = append(b.differ, i)
	}
	return nil
}

// makeProducts inserts the rows of those that have no product.
func (b *batch) makeProducts(ctx context.Context, tx *sql.Tx) error {
	if err := b.findRivals(ctx, tx); err != nil || len(b.made) == 0 {
		return err
	}
	slices.Sort(b.made)
	skus := make([]string, 0, len(b.made))
	for _, i := range b.made {
		skus = append(skus, b.products[i].SKU)
	}
	wishes, err := b.wishes(ctx, tx)
	if err != nil {
		return err
	}
	insert := &script{}
	b.schema.insertProducts(insert, b.shop.facts, b.products, b.made, wishes)
	ids, marks, err := b.insertProducts(ctx, tx, insert, skus)
	if err != nil {
		return err
	}
	b.marks = make([]string, len(b.products))
	pl := plan{}
	for _, i := range b.made {
		p, r := &b.products[i], &b.results[i]
		id, ok := ids[p.SKU]
		if !ok {
			return fmt.Errorf("%w: a trigger changed the SKU %q as it was inserted", placeholder.ErrSchema, p.SKU)
		}
		b.marks[i] = marks[p.SKU]
		*r = placeholder.Result{SKU: p.SKU, Status: placeholder.Created, EntityID: id, Spelling: p.SKU}
		b.schema.add(b.shop.dialect, pl, p, strconv.FormatInt(id, 10))
	}
	c := &script{}
	for _, t := range b.schema.Tables {
		rows := pl[t]
		if t.BySKU {
			// An earlier product of that SKU may have left some.
			have, err := loadRows(ctx, tx, t, idsOf(rows))
			if err != nil {
				return err
			}
			if err := apply(ctx, tx, t, compare(t, have, rows, nil)); err != nil {
				return err
			}
			continue
		}
		c.insert(t, rows)
		if err := c.runLong(ctx, tx); err != nil {
			return err
		}
	}
	return c.run(ctx, tx)
}

// insertProducts runs the INSERT and tells the ids and edit marks by SKU. Ids of
// a statement with many rows need not be consecutive: they are read.
func (b *batch) insertProducts(ctx context.Context, tx *sql.Tx, c *script, skus []string) (ids map[string]int64, edits map[string]string, err error) {
	const columns = "entity_id, sku, updated_at"
	ids, edits = make(map[string]int64, len(skus)), make(map[string]string, len(skus))
	scan := func(rows *sql.Rows) error {
		var id int64
		var sku string
		var edit sql.NullString
		err := rows.Scan(&id, &sku, &edit)
		ids[sku], edits[sku] = id, edit.String
		return err
	}
	if b.schema.returning {
		c.add(" RETURNING ", columns)
		return ids, edits, each(ctx, tx, scan, c.text.String(), c.args...)
	}
	if err := c.run(ctx, tx); err != nil {
		return nil, nil, err
	}
	return ids, edits, each(ctx, tx, scan, "SELECT "+columns+" FROM "+b.schema.product+" WHERE sku IN "+marks(len(skus)), anys(skus)...)
}

// findRivals looks, now that the entries are ours, whether the shop has
// products of these SKUs: the merchant may have been faster.
func (b *batch) findRivals(ctx context.Context, tx *sql.Tx) error {
	if len(b.made) == 0 {
		return nil
	}
	at := make(map[string][]int, len(b.made))
	skus := make([]any, 0, len(b.made))
	for _, i := range b.made {
		sku := b.products[i].SKU
		at[sku] = append(at[sku], i)
		skus = append(skus, sku)
	}
	rivals := make([]found, len(b.products))
	if err := b.shop.findProducts(ctx, tx, b.schema, skus, at, rivals); err != nil {
		return err
	}
	rest := b.made[:0]
	for _, i := range b.made {
		if f := &rivals[i]; f.State == placeholder.StateForeign {
			b.results[i] = placeholder.Result{SKU: b.products[i].SKU, Status: placeholder.Foreign, EntityID: f.EntityID, Spelling: f.Spelling}
			b.rival = append(b.rival, i)
			continue
		}
		rest = append(rest, i)
	}
	b.made = rest
	return nil
}

// idsOf returns the ids of rows, each once.
func idsOf(rows []row) (ids []string) {
	seen := map[string]bool{}
	for i := range rows {
		if !seen[rows[i].id] {
			seen[rows[i].id] = true
			ids = append(ids, rows[i].id)
		}
	}
	return ids
}

// qtyOf is the quantity that the ledger remembers: what the catalog said, where
// the shop counts on from it.
func qtyOf(p *placeholder.Product) any {
	if p.Stock.Manage && p.Stock.InStock {
		return p.Stock.Qty
	}
	return nil
}

// parentOf is the parent that the ledger remembers.
func parentOf(p *placeholder.Product) any {
	if p.Parent == "" {
		return nil
	}
	return []byte(p.Parent)
}
