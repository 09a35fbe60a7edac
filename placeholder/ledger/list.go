package ledger

import (
	"context"
	"database/sql"

	"catalog/placeholder"
)

// List implements placeholder.Shop.
func (s *Shop) List(ctx context.Context, after string, limit int) ([]placeholder.Entry, error) {
	var out []placeholder.Entry
	err := s.withSchema(ctx, "list the ledger", func(schema *Schema) error {
		return s.again(ctx, func() error {
			out = out[:0]
			return each(ctx, s.db, func(rows *sql.Rows) error {
				var e placeholder.Entry
				var state int
				var made, used string
				var there bool
				if err := rows.Scan(&e.SKU, &e.EntityID, &state, &e.Disabled, &made, &used, &there); err != nil {
					return err
				}
				e.Made, e.Used = parseTime(made), parseTime(used)
				switch {
				case !there:
				case state == stateTaken:
					e.State = placeholder.StateForeign
				default:
					e.State = placeholder.StateLive
				}
				out = append(out, e)
				return nil
			}, "SELECT l.sku, l.entity_id, l.state, l.disabled, l.made, l.used, p.entity_id IS NOT NULL FROM "+s.ledger+" l LEFT JOIN "+
				schema.product+" p ON p.entity_id=l.entity_id WHERE l.sku>? ORDER BY l.sku LIMIT ?", after, limit)
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Counts implements placeholder.Shop.
func (s *Shop) Counts(ctx context.Context) (placeholder.Counts, error) {
	var c placeholder.Counts
	err := s.withSchema(ctx, "count placeholders", func(schema *Schema) error {
		c = placeholder.Counts{}
		err := each(ctx, s.db, func(rows *sql.Rows) error {
			var oldest, newest sql.NullString
			if err := rows.Scan(&c.Live, &c.Disabled, &c.Taken, &oldest, &newest); err != nil {
				return err
			}
			c.Oldest, c.Newest = parseTime(oldest.String), parseTime(newest.String)
			return nil
		}, "SELECT COALESCE(SUM(state=1),0), COALESCE(SUM(state=1 AND disabled=1),0), COALESCE(SUM(state=2),0), "+
			"MIN(IF(state=1,used,NULL)), MAX(IF(state=1,used,NULL)) FROM "+s.ledger)
		if err != nil {
			return err
		}
		estimates, err := s.estimates(ctx)
		if err != nil {
			return err
		}
		prefix := schema.Info.Prefix
		c.Tables = append(c.Tables,
			placeholder.TableCount{Name: prefix + tableLedger, Ours: c.Live + c.Taken, InAll: c.Live + c.Taken},
			placeholder.TableCount{Name: prefix + "catalog_product_entity", Ours: c.Live, InAll: estimates[prefix+"catalog_product_entity"]})
		ours, err := s.countRows(ctx, schema, c.Live)
		if err != nil {
			return err
		}
		for i, t := range schema.Tables {
			c.Tables = append(c.Tables, placeholder.TableCount{Name: t.Name, Ours: ours[i], InAll: estimates[t.Name]})
		}
		return nil
	})
	return c, err
}

// Rows of ours are counted up to countAtMost entries, countStep at a time.
const (
	countAtMost = 50_000
	countStep   = 2_000
)

// countRows counts the rows of live placeholders in each table, in small
// statements; -1 for all when there are too many placeholders to do so.
func (s *Shop) countRows(ctx context.Context, schema *Schema, live int64) ([]int64, error) {
	out := make([]int64, len(schema.Tables))
	if live > countAtMost {
		for i := range out {
			out[i] = -1
		}
		return out, nil
	}
	for after := ""; ; {
		var ids []string
		var skus []string
		err := each(ctx, s.replica, func(rows *sql.Rows) error {
			var sku, id string
			err := rows.Scan(&sku, &id)
			skus, ids = append(skus, sku), append(ids, id)
			return err
		}, "SELECT sku, entity_id FROM "+s.ledger+" WHERE state=1 AND sku>? ORDER BY sku LIMIT ?", after, countStep)
		if err != nil || len(skus) == 0 {
			return out, err
		}
		after = skus[len(skus)-1]
		for i, t := range schema.Tables {
			of := ids
			if t.BySKU {
				of = skus
			}
			n, _, err := scalar[int64](ctx, s.replica, "SELECT COUNT(*) FROM "+ident(t.Name)+" WHERE "+ident(t.ID)+" IN "+marks(len(of)), t.ids(of)...)
			if err != nil {
				return nil, err
			}
			out[i] += n
		}
	}
}

// estimates are the database's guesses of how many rows its tables have.
func (s *Shop) estimates(ctx context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	err := each(ctx, s.db, func(rows *sql.Rows) error {
		var name string
		var n int64
		err := rows.Scan(&name, &n)
		out[name] = n
		return err
	}, "SELECT TABLE_NAME, COALESCE(TABLE_ROWS,-1) FROM information_schema.TABLES WHERE TABLE_SCHEMA=DATABASE() AND TABLE_TYPE='BASE TABLE'"+
		" AND (TABLE_NAME LIKE '%catalog%' OR TABLE_NAME LIKE '%inventory%')")
	return out, err
}
