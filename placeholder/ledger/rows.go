package ledger

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
)

// stored is a row as it is in the database.
type stored struct {
	id, auto string
	key      []string
	vals     []sql.NullString
}

// loadRows reads the rows of t that belong to the products with these ids and
// are ours to change.
func loadRows(ctx context.Context, q queryer, t *Table, ids []string) ([]stored, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	cols := []string{ident(t.ID)}
	if t.Auto != "" {
		cols = append(cols, ident(t.Auto))
	}
	for _, k := range t.Key {
		cols = append(cols, ident(k))
	}
	for _, v := range t.Vals {
		cols = append(cols, ident(v))
	}
	query := "SELECT " + strings.Join(cols, ",") + " FROM " + ident(t.Name) + " WHERE " + ident(t.ID) + " IN " + marks(len(ids))
	if t.Scope != "" {
		query += " AND " + t.Scope
	}
	var out []stored
	err := each(ctx, q, func(rows *sql.Rows) error {
		r := stored{key: make([]string, len(t.Key)), vals: make([]sql.NullString, len(t.Vals))}
		into := []any{&r.id}
		if t.Auto != "" {
			into = append(into, &r.auto)
		}
		for i := range r.key {
			into = append(into, &r.key[i])
		}
		for i := range r.vals {
			into = append(into, &r.vals[i])
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		out = append(out, r)
		return nil
	}, query, t.ids(ids)...)
	return out, err
}

// ids makes arguments of ids: numbers, so that a number's index is used,
// unless they are SKUs.
func (t *Table) ids(ids []string) []any {
	if t.BySKU {
		return anys(ids)
	}
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = numeric(id)
	}
	return out
}

// numeric makes an argument of the text of a number.
func numeric(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	return text
}

// change is a value that differs.
type change struct {
	at  *stored
	col int
	val sql.NullString
}

// difference is what makes stored rows into wanted ones.
type difference struct {
	insert []row
	change []change
	drop   []*stored
}

func (d *difference) empty() bool { return len(d.insert)+len(d.change)+len(d.drop) == 0 }

// place names a row among all of a table.
func place(id string, key []string) string { return id + "\x00" + strings.Join(key, "\x00") }

// compare returns what is to be done to t's rows have, so that they are want.
// keep says which values of a row stay as they are; it may be nil.
func compare(t *Table, have []stored, want []row, keep func(r *row, col int) bool) (d difference) {
	fold := func(s string) string { return s }
	if t.BySKU {
		fold = strings.ToLower // a cart's SKU and ours are one to the database
	}
	at := make(map[string]*stored, len(have))
	for i := range have {
		at[place(fold(have[i].id), have[i].key)] = &have[i]
	}
	for i := range want {
		r := &want[i]
		p := place(fold(r.id), r.key)
		h := at[p]
		if h == nil {
			d.insert = append(d.insert, *r)
			continue
		}
		delete(at, p)
		for c, v := range r.vals {
			if (!h.vals[c].Valid || h.vals[c].String != v) && (keep == nil || !keep(r, c)) {
				d.change = append(d.change, change{h, c, sql.NullString{String: v, Valid: true}})
			}
		}
	}
	if t.Spare == Leave {
		return d
	}
	wanted := make(map[string]bool, len(want))
	for i := range want {
		wanted[place(fold(want[i].id), want[i].key)] = true
	}
	for i := range have { // in the order read, so that the same is done in the same order
		h := &have[i]
		if at[place(fold(h.id), h.key)] != h {
			continue
		}
		if t.Spare == Drop || h.key[t.Default] != "0" && wanted[place(fold(h.id), t.general(h.key))] {
			d.drop = append(d.drop, h)
			continue
		}
		for c, v := range h.vals {
			if v.Valid {
				d.change = append(d.change, change{at: h, col: c})
			}
		}
	}
	return d
}

// general is the key of the row that holds where this one is not.
func (t *Table) general(key []string) []string {
	key = slices.Clone(key)
	key[t.Default] = "0"
	return key
}

// apply makes the changes, each of differing values alone.
func apply(ctx context.Context, tx queryer, t *Table, d difference) error {
	if err := updateRows(ctx, tx, t, d.change); err != nil {
		return err
	}
	if err := dropRows(ctx, tx, t, d.drop); err != nil {
		return err
	}
	c := &script{}
	c.insert(t, d.insert)
	return c.run(ctx, tx)
}

// updateChunk is how many rows an UPDATE changes at most: its CASE is read
// from the start for each.
const updateChunk = 100

// updateRows changes values. Rows are told apart by the auto-increment key, or
// by the product among those of the same Key.
func updateRows(ctx context.Context, tx queryer, t *Table, changes []change) error {
	groups := map[string][]change{}
	var order []string
	for _, c := range changes {
		g := t.Vals[c.col]
		if t.Auto == "" {
			g = place(g, c.at.key)
		}
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], c)
	}
	for _, g := range order {
		for part := range slices.Chunk(groups[g], updateChunk) {
			if err := updateColumn(ctx, tx, t, part); err != nil {
				return err
			}
		}
	}
	return nil
}

func updateColumn(ctx context.Context, tx queryer, t *Table, part []change) error {
	same := true
	for _, c := range part[1:] {
		same = same && c.val == part[0].val
	}
	by := ident(t.ID)
	if t.Auto != "" {
		by = ident(t.Auto)
	}
	var b strings.Builder
	var args []any
	b.WriteString("UPDATE " + ident(t.Name) + " SET " + ident(t.Vals[part[0].col]) + "=")
	if same {
		b.WriteByte('?')
		args = append(args, part[0].val)
	} else {
		b.WriteString("CASE " + by)
		for _, c := range part {
			b.WriteString(" WHEN ? THEN ?")
			args = append(args, rowID(t, c.at), c.val)
		}
		b.WriteString(" END")
	}
	b.WriteString(" WHERE " + by + " IN " + marks(len(part)))
	for _, c := range part {
		args = append(args, rowID(t, c.at))
	}
	if t.Auto == "" {
		for i, k := range t.Key {
			b.WriteString(" AND " + ident(k) + "=?")
			args = append(args, part[0].at.key[i])
		}
	}
	_, err := tx.ExecContext(ctx, b.String(), args...)
	return err
}

func rowID(t *Table, r *stored) any {
	switch {
	case t.Auto != "":
		return numeric(r.auto)
	case t.BySKU:
		return r.id
	}
	return numeric(r.id)
}

// dropRows deletes rows.
func dropRows(ctx context.Context, tx queryer, t *Table, rows []*stored) error {
	groups := map[string][]*stored{}
	var order []string
	for _, r := range rows {
		g := ""
		if t.Auto == "" {
			g = place("", r.key)
		}
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], r)
	}
	for _, g := range order {
		for part := range slices.Chunk(groups[g], maxRows) {
			by := ident(t.ID)
			if t.Auto != "" {
				by = ident(t.Auto)
			}
			query := "DELETE FROM " + ident(t.Name) + " WHERE " + by + " IN " + marks(len(part))
			var args []any
			for _, r := range part {
				args = append(args, rowID(t, r))
			}
			if t.Auto == "" {
				for i, k := range t.Key {
					query += " AND " + ident(k) + "=?"
					args = append(args, part[0].key[i])
				}
			}
			if _, err := tx.ExecContext(ctx, query, args...); err != nil {
				return err
			}
		}
	}
	return nil
}
