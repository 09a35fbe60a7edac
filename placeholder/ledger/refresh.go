package ledger

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// refresh brings the rows of live placeholders to what their products say, by
// updates of what differs alone.
func (b *batch) refresh(ctx context.Context, tx *sql.Tx) error {
	if len(b.differ) == 0 {
		return nil
	}
	var retire, whole []int
	for _, i := range b.differ {
		if b.products[i].Retired {
			retire = append(retire, i)
		} else {
			whole = append(whole, i)
		}
	}
	if err := b.retire(ctx, tx, retire); err != nil {
		return err
	}
	pl := plan{}
	ids := make([]string, 0, len(whole))
	skus := make([]string, 0, len(whole))
	at := make(map[string]int, len(whole))
	for _, i := range whole {
		id := strconv.FormatInt(b.found[i].EntityID, 10)
		ids, skus = append(ids, id), append(skus, b.products[i].SKU)
		at[id] = i
		b.schema.add(b.shop.dialect, pl, &b.products[i], id)
	}
	for _, t := range b.schema.Tables {
		of := ids
		if t.BySKU {
			of = skus
		}
		have, err := loadRows(ctx, tx, t, of)
		if err != nil {
			return err
		}
		var keep func(r *row, col int) bool
		if t == b.schema.stockItem {
			keep = func(r *row, col int) bool { return col == stockQty && b.counts(at[r.id]) }
		}
		if err := apply(ctx, tx, t, compare(t, have, pl[t], keep)); err != nil {
			return err
		}
	}
	return nil
}

// counts reports whether the shop counts product i's stock, from a quantity
// that the catalog has not changed: then the shop's count stays.
func (b *batch) counts(i int) bool {
	qty := qtyOf(&b.products[i])
	was := b.found[i].qty
	return qty != nil && was.Valid && was.String == qty
}

// retire sets the status of products to 2, and no other value.
func (b *batch) retire(ctx context.Context, tx *sql.Tx, retire []int) error {
	if len(retire) == 0 {
		return nil
	}
	t := b.schema.statusTable()
	key := []string{strconv.Itoa(b.schema.attributeID("status")), "0"}
	var ids []string
	var want []row
	for _, i := range retire {
		id := strconv.FormatInt(b.found[i].EntityID, 10)
		ids = append(ids, id)
		want = append(want, row{id, key, []string{"2"}})
	}
	have, err := loadRows(ctx, tx, t, ids)
	if err != nil {
		return err
	}
	return apply(ctx, tx, t, compare(t, have, want, nil))
}

// record writes what was done into the ledger.
func (b *batch) record(ctx context.Context, tx *sql.Tx) error {
	if err := b.recordMade(ctx, tx); err != nil {
		return err
	}
	if err := b.recordRefreshed(ctx, tx); err != nil {
		return err
	}
	if len(b.touch) > 0 {
		if err := b.exec(ctx, tx, "UPDATE "+b.shop.ledger+" SET used=UTC_TIMESTAMP(6) WHERE sku IN ", b.touch); err != nil {
			return err
		}
	}
	for _, i := range b.moved {
		if err := b.exec(ctx, tx, "UPDATE "+b.shop.ledger+" SET parent=? WHERE sku IN ", []int{i}, parentOf(&b.products[i])); err != nil {
			return err
		}
	}
	if len(b.taken) > 0 {
		if err := b.exec(ctx, tx, "UPDATE "+b.shop.ledger+" SET state="+strconv.Itoa(stateTaken)+" WHERE sku IN ", b.taken); err != nil {
			return err
		}
	}
	if len(b.rival) > 0 {
		return b.exec(ctx, tx, "DELETE FROM "+b.shop.ledger+" WHERE sku IN ", b.rival)
	}
	return nil
}

// exec runs a statement for the entries of products.
func (b *batch) exec(ctx context.Context, tx *sql.Tx, query string, of []int, args ...any) error {
	for _, i := range of {
		args = append(args, b.entry(i))
	}
	_, err := tx.ExecContext(ctx, query+marks(len(of)), args...)
	return err
}

// entry is the spelling of product i's ledger entry.
func (b *batch) entry(i int) string {
	if e := b.found[i].entry; e != "" {
		return e
	}
	return b.products[i].SKU
}

// recordMade ties entries to the products that were made for them.
func (b *batch) recordMade(ctx context.Context, tx *sql.Tx) error {
	if len(b.made) == 0 {
		return nil
	}
	// A claim of this transaction has its time; an entry from before gets one.
	u := upsert{first: "used=IF(entity_id=0, used, UTC_TIMESTAMP(6)), made=IF(entity_id=0, made, UTC_TIMESTAMP(6)), state=" +
		strconv.Itoa(stateLive) + ", disabled=0", columns: []string{"entity_id", "mark", "hash", "qty", "parent"}}
	for _, i := range b.made {
		p := &b.products[i]
		u.add(b.entry(i), b.results[i].EntityID, b.marks[i], p.Hash[:], qtyOf(p), parentOf(p))
	}
	return u.exec(ctx, tx, b.shop.ledger)
}

// upsert updates entries that are there and locked, each with values of its
// own, in one statement whose time grows with their number alone.
type upsert struct {
	first   string // what all are set to, before the columns
	columns []string
	rows    int
	args    []any
}

func (u *upsert) add(sku string, values ...any) {
	u.rows++
	u.args = append(append(u.args, sku), values...)
}

func (u *upsert) exec(ctx context.Context, tx *sql.Tx, ledger string) error {
	if u.rows == 0 {
		return nil
	}
	one := "(?" + strings.Repeat(",?", len(u.columns)) + ",UTC_TIMESTAMP(6),UTC_TIMESTAMP(6))"
	query := "INSERT INTO " + ledger + " (sku," + strings.Join(u.columns, ",") + ",made,used) VALUES " +
		one + strings.Repeat(","+one, u.rows-1) + " ON DUPLICATE KEY UPDATE " + u.first
	for _, c := range u.columns {
		query += "," + c + "=VALUES(" + c + ")"
	}
	_, err := tx.ExecContext(ctx, query, u.args...)
	return err
}

// recordRefreshed notes what refreshed products say now. Retired ones say
// nothing but that.
func (b *batch) recordRefreshed(ctx context.Context, tx *sql.Tx) error {
	whole := upsert{first: "disabled=0", columns: []string{"hash", "qty", "parent"}}
	retired := upsert{first: "disabled=1", columns: []string{"hash"}}
	if b.create {
		whole.first += ", used=UTC_TIMESTAMP(6)"
	}
	for _, i := range b.differ {
		if p := &b.products[i]; p.Retired {
			retired.add(b.entry(i), p.Hash[:])
		} else {
			whole.add(b.entry(i), p.Hash[:], qtyOf(p), parentOf(p))
		}
	}
	if err := whole.exec(ctx, tx, b.shop.ledger); err != nil {
		return err
	}
	return retired.exec(ctx, tx, b.shop.ledger)
}
