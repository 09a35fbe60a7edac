package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"catalog/placeholder"
)

// checkStep is how many entries one statement of Check looks at.
const checkStep = 500

// checked is an entry that Check looks at.
type checked struct {
	sku     string
	id      int64
	state   int
	product sql.NullString // its SKU
	same    bool           // the merchant has not edited it
}

// Check implements placeholder.Shop.
func (s *Shop) Check(ctx context.Context, repair bool, report func(placeholder.Finding) error) error {
	return s.withSchema(ctx, "check the ledger", func(schema *Schema) error {
		c := &checker{shop: s, schema: schema, repair: repair, report: report}
		for after := ""; ; {
			entries, err := c.entries(ctx, after)
			if err != nil {
				return err
			}
			if len(entries) == 0 {
				break
			}
			after = entries[len(entries)-1].sku
			if err := c.look(ctx, entries); err != nil {
				return err
			}
		}
		return c.orphans(ctx)
	})
}

// checker is one run of Check.
type checker struct {
	shop   *Shop
	schema *Schema
	repair bool
	report func(placeholder.Finding) error
}

func (c *checker) entries(ctx context.Context, after string) (out []checked, err error) {
	err = each(ctx, c.shop.db, func(rows *sql.Rows) error {
		var e checked
		err := rows.Scan(&e.sku, &e.id, &e.state, &e.product, &e.same)
		out = append(out, e)
		return err
	}, "SELECT l.sku, l.entity_id, l.state, p.sku, p.updated_at<=>l.mark FROM "+c.shop.ledger+" l LEFT JOIN "+c.schema.product+
		" p ON p.entity_id=l.entity_id WHERE l.sku>? ORDER BY l.sku LIMIT "+fmt.Sprint(checkStep), after)
	return out, err
}

// look checks a few entries.
func (c *checker) look(ctx context.Context, entries []checked) error {
	var live []checked
	for _, e := range entries {
		switch {
		case e.id == 0:
			if err := c.finding(ctx, placeholder.Finding{
				Kind: placeholder.FindingHalf, SKU: e.sku,
				Detail: "the entry was never finished",
			}, c.drop(e)); err != nil {
				return err
			}
		case !e.product.Valid:
			if err := c.finding(ctx, placeholder.Finding{
				Kind: placeholder.FindingLostProduct, SKU: e.sku, EntityID: e.id,
				Table: c.schema.Info.Prefix + "catalog_product_entity", Detail: "the product row is gone",
			}, c.drop(e)); err != nil {
				return err
			}
		case e.state == stateLive && !e.same:
			if err := c.finding(ctx, placeholder.Finding{
				Kind: placeholder.FindingEdited, SKU: e.sku, EntityID: e.id,
				Detail: "the merchant edited the product",
			}, c.take(e)); err != nil {
				return err
			}
		case e.state == stateLive:
			live = append(live, e)
		}
	}
	if len(live) == 0 {
		return nil
	}
	if err := c.duplicates(ctx, live); err != nil {
		return err
	}
	return c.lostRows(ctx, live)
}

// finding reports f, repaired first if that is asked for and possible.
func (c *checker) finding(ctx context.Context, f placeholder.Finding, repair func(context.Context) (bool, error)) error {
	if c.repair && repair != nil {
		err := c.shop.again(ctx, func() (err error) {
			f.Repaired, err = repair(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return c.report(f)
}

// exec runs a repair of one statement; it tells whether anything was as found.
func (c *checker) exec(query string, args ...any) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		res, err := c.shop.db.ExecContext(ctx, query, args...)
		if err != nil {
			return false, err
		}
		n, err := res.RowsAffected()
		return n > 0, err
	}
}

// drop removes an entry if its product is still not there.
func (c *checker) drop(e checked) func(context.Context) (bool, error) {
	return c.exec("DELETE l FROM "+c.shop.ledger+" l LEFT JOIN "+c.schema.product+" p ON p.entity_id=l.entity_id WHERE l.sku=? AND l.entity_id=? AND p.entity_id IS NULL",
		e.sku, e.id)
}

// take gives an entry's product to the merchant.
func (c *checker) take(e checked) func(context.Context) (bool, error) {
	return c.exec("UPDATE "+c.shop.ledger+" SET state=? WHERE sku=? AND entity_id=? AND state=?", stateTaken, e.sku, e.id, stateLive)
}

// forget drops an entry's hash, so that all its values are written again.
func (c *checker) forget(e checked) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		_, err := c.exec("UPDATE "+c.shop.ledger+" SET hash='' WHERE sku=? AND entity_id=?", e.sku, e.id)(ctx)
		return err == nil, err // it may have been dropped for another row already
	}
}

// duplicates looks for other products of the same SKU.
func (c *checker) duplicates(ctx context.Context, live []checked) error {
	at := map[int64]bool{}
	var skus []any
	for _, e := range live {
		at[e.id] = true
		skus = append(skus, e.sku)
	}
	type double struct {
		sku   string
		id    int64
		other int64
	}
	var found []double
	err := each(ctx, c.shop.db, func(rows *sql.Rows) error {
		var d double
		err := rows.Scan(&d.sku, &d.id, &d.other)
		found = append(found, d)
		return err
	}, "SELECT l.sku, l.entity_id, p.entity_id FROM "+c.shop.ledger+" l JOIN "+c.schema.product+
		" p ON p.sku=l.sku AND p.entity_id<>l.entity_id WHERE l.sku IN "+marks(len(skus)), skus...)
	if err != nil {
		return err
	}
	for _, d := range found {
		// Which of the two is right only a person can say.
		if err := c.finding(ctx, placeholder.Finding{
			Kind: placeholder.FindingDuplicate, SKU: d.sku, EntityID: d.id,
			Table: c.schema.Info.Prefix + "catalog_product_entity", Detail: fmt.Sprintf("product %d has the same SKU", d.other),
		}, nil); err != nil {
			return err
		}
	}
	return nil
}

// lostRows looks for live placeholders that lack rows which every one has.
func (c *checker) lostRows(ctx context.Context, live []checked) error {
	byID := map[string]checked{}
	ids := make([]string, 0, len(live))
	for _, e := range live {
		id := fmt.Sprint(e.id)
		byID[id] = e
		ids = append(ids, id)
	}
	for _, t := range c.schema.Tables {
		if t.Optional {
			continue
		}
		have, err := loadRows(ctx, c.shop.db, t, ids)
		if err != nil {
			return err
		}
		there := map[string]int{}
		for i := range have {
			if t.Vals == nil || have[i].vals[0].Valid {
				there[place(have[i].id, c.rowKey(t, &have[i]))]++
			}
		}
		for _, id := range ids {
			for _, key := range c.required(t) {
				if there[place(id, key)] > 0 {
					continue
				}
				e := byID[id]
				f := placeholder.Finding{
					Kind: placeholder.FindingLostRow, SKU: e.sku, EntityID: e.id, Table: t.Name,
					Detail: "a row is missing: " + strings.Join(key, ", "), NeedsRefresh: true,
				}
				if err := c.finding(ctx, f, c.forget(e)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// required are the keys of the rows that every placeholder has in t.
func (c *checker) required(t *Table) (keys [][]string) {
	if t == c.schema.website {
		return [][]string{{}} // one at least
	}
	for _, code := range needed {
		a := c.schema.Info.Attributes[code]
		if c.schema.values[a.Backend] == t {
			keys = append(keys, []string{fmt.Sprint(a.ID), "0"})
		}
	}
	if t == c.schema.stockItem {
		return [][]string{{"1"}}
	}
	if keys == nil && !t.BySKU && !c.isValues(t) {
		return [][]string{{}}
	}
	return keys
}

func (c *checker) isValues(t *Table) bool {
	for _, v := range c.schema.values {
		if v == t {
			return true
		}
	}
	return false
}

// rowKey is the key of a row as required names it.
func (c *checker) rowKey(t *Table, r *stored) []string {
	if c.isValues(t) || t == c.schema.stockItem {
		return r.key
	}
	return nil
}

// orphans looks for rows of products that are gone, in tables without foreign
// key that an index process fills.
func (c *checker) orphans(ctx context.Context) error {
	for _, l := range c.schema.leftovers {
		if !l.Derived {
			continue
		}
		if err := c.orphansIn(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) orphansIn(ctx context.Context, l leftover) error {
	key, match := "p.entity_id", "t."+ident(l.Column)+"=p.entity_id"
	var after any = 0
	if l.BySKU {
		key, match, after = "p.sku", "t."+ident(l.Column)+"=p.sku", ""
	}
	and := ""
	if l.And != "" {
		and = " AND " + strings.ReplaceAll(l.And, prefixMark, c.schema.Info.Prefix)
	}
	col := ident(l.Column)
	for {
		// Steps of the index, whatever there is in them.
		ends, err := list[string](ctx, c.shop.db, "SELECT DISTINCT "+col+" FROM "+ident(l.table)+" WHERE "+col+">? ORDER BY "+col+" LIMIT "+fmt.Sprint(checkStep), after)
		if err != nil || len(ends) == 0 {
			return err
		}
		var end any = ends[len(ends)-1]
		if !l.BySKU {
			end = numeric(ends[len(ends)-1])
		}
		gone, err := list[string](ctx, c.shop.db, "SELECT DISTINCT t."+col+" FROM "+ident(l.table)+" t LEFT JOIN "+c.schema.product+" p ON "+match+
			" WHERE t."+col+">? AND t."+col+"<=? AND "+key+" IS NULL"+and, after, end)
		if err != nil {
			return err
		}
		for _, g := range gone {
			f := placeholder.Finding{Kind: placeholder.FindingOrphan, Table: l.table, Detail: "the product is gone"}
			var id any = g
			if l.BySKU {
				f.SKU = g
			} else {
				id = numeric(g)
				if n, ok := id.(int64); ok {
					f.EntityID = n
				}
			}
			repair := c.exec("DELETE t FROM "+ident(l.table)+" t LEFT JOIN "+c.schema.product+" p ON "+match+" WHERE t."+col+"=? AND "+key+" IS NULL"+and, id)
			if err := c.finding(ctx, f, repair); err != nil {
				return err
			}
		}
		after = end
	}
}
