package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"catalog/placeholder"
)

var _ placeholder.OrderShop = (*Shop)(nil)

// Ordered implements placeholder.OrderShop.
func (s *Shop) Ordered(ctx context.Context, orders []placeholder.OrderRef) ([]placeholder.Ordered, error) {
	var out []placeholder.Ordered
	err := s.withSchema(ctx, fmt.Sprintf("look up %d orders", len(orders)), func(schema *Schema) error {
		out = nil
		var ids, numbers []any
		for _, o := range orders {
			if o.Number != "" {
				numbers = append(numbers, o.Number)
			} else {
				ids = append(ids, o.ID)
			}
		}
		prefix := schema.Info.Prefix
		query := "SELECT DISTINCT i.sku, i.product_id FROM " + ident(prefix+s.facts.Order) + " o JOIN " + ident(prefix+s.facts.OrderItem) +
			" i ON i.order_id=o.entity_id WHERE i.product_id>0 AND i.sku<>'' AND COALESCE(i.product_type,'simple') IN ('simple','virtual') AND o."
		for _, by := range []struct {
			column string
			values []any
		}{{"entity_id", ids}, {"increment_id", numbers}} {
			if len(by.values) == 0 {
				continue
			}
			err := each(ctx, s.db, func(rows *sql.Rows) error {
				var it placeholder.Ordered
				err := rows.Scan(&it.SKU, &it.EntityID)
				out = append(out, it)
				return err
			}, query+by.column+" IN "+marks(len(by.values)), by.values...)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// wishes returns the entity ids that new products of the batch want and may
// have, by SKU: free ones, that the table has given before.
func (b *batch) wishes(ctx context.Context, tx *sql.Tx) (map[string]int64, error) {
	owner := map[int64]string{}
	for _, i := range b.made {
		if p := &b.products[i]; p.WishID > 0 {
			owner[p.WishID] = p.SKU
		}
	}
	if len(owner) == 0 {
		return nil, nil
	}
	highest, _, err := scalar[int64](ctx, tx, "SELECT COALESCE(MAX(entity_id),0) FROM "+b.schema.product)
	if err != nil {
		return nil, err
	}
	var ids []any
	for id := range owner {
		ids = append(ids, id)
	}
	used, err := list[int64](ctx, tx, "SELECT entity_id FROM "+b.schema.product+" WHERE entity_id IN "+marks(len(ids)), ids...)
	if err != nil {
		return nil, err
	}
	for _, id := range used {
		delete(owner, id)
	}
	free := map[string]int64{}
	for id, sku := range owner {
		if id < highest {
			free[sku] = id
		}
	}
	return free, nil
}
