package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
)

// claim makes entries for new SKUs. Who meets an entry that is being made
// waits for it here.
func (b *batch) claim(ctx context.Context, tx *sql.Tx) error {
	if len(b.fresh) == 0 {
		return nil
	}
	slices.SortFunc(b.fresh, func(x, y int) int { return cmp.Compare(b.products[x].SKU, b.products[y].SKU) })
	args := make([]any, 0, 4*len(b.fresh))
	query := "INSERT IGNORE INTO " + b.shop.ledger + " (sku, hash, qty, parent, made, used) VALUES "
	for n, i := range b.fresh {
		if n > 0 {
			query += ","
		}
		query += "(?,?,?,?,UTC_TIMESTAMP(6),UTC_TIMESTAMP(6))"
		p := &b.products[i]
		args = append(args, p.SKU, p.Hash[:], qtyOf(p), parentOf(p))
	}
	res, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	if n < int64(len(b.fresh)) {
		if err := b.sortOutClaims(ctx, tx, int(n)); err != nil {
			return err
		}
	}
	b.made = append(b.made, b.fresh...)
	return nil
}

// sortOutClaims finds out why not all claims were ours: another made entries
// meanwhile, which is reason to start over; or SKUs of this very batch are the
// same to the shop, of which the first stays.
func (b *batch) sortOutClaims(ctx context.Context, tx *sql.Tx, ours int) error {
	var skus []any
	for _, i := range b.fresh {
		skus = append(skus, b.products[i].SKU)
	}
	mine := map[string]bool{}
	err := each(ctx, tx, func(rows *sql.Rows) error {
		var sku string
		err := rows.Scan(&sku)
		mine[sku] = true
		return err
	}, "SELECT sku FROM "+b.shop.ledger+" WHERE entity_id=0 AND sku IN "+marks(len(skus)), skus...)
	if err != nil {
		return err
	}
	owner := map[string]int{} // entry → product
	var left []int
	for _, i := range b.fresh {
		if mine[b.products[i].SKU] {
			owner[b.products[i].SKU] = i
		} else {
			left = append(left, i)
		}
	}
	if len(owner) != ours {
		return errAgain
	}
	for _, i := range left {
		entry, ok, err := scalar[string](ctx, tx, "SELECT sku FROM "+b.shop.ledger+" WHERE sku=?", b.products[i].SKU)
		if err != nil {
			return err
		}
		o, own := owner[entry]
		if !ok || !own {
			return errAgain // another's: find it as such
		}
		if o > i { // the first of the batch wins, whichever sorts first
			p := &b.products[i]
			if _, err := tx.ExecContext(ctx, "UPDATE "+b.shop.ledger+" SET sku=?, hash=?, qty=?, parent=? WHERE sku=?",
				p.SKU, p.Hash[:], qtyOf(p), parentOf(p), entry); err != nil {
				return err
			}
			delete(owner, entry)
			owner[p.SKU] = i
			o, i = i, o
		}
		b.twins = append(b.twins, twin{i, b.products[o].SKU})
	}
	b.fresh = b.fresh[:0]
	for _, i := range owner {
		b.fresh = append(b.fresh, i)
	}
	return nil
}

// twin is a product that the shop takes for another of the same batch.
type twin struct {
	product int
	of      string // SKU
}

// answerTwins refuses them, now that the others have ids.
func (b *batch) answerTwins() {
	for _, w := range b.twins {
		f := &b.found[w.product]
		f.entry, f.EntityID = w.of, 0
		for i := range b.results {
			if b.results[i].SKU == w.of {
				f.EntityID = b.results[i].EntityID
			}
		}
		b.refuseAlike(w.product)
	}
}
