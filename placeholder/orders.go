package placeholder

import (
	"context"
	"errors"
	"fmt"
)

// OrderRef names an order: one of its fields is set.
type OrderRef struct {
	Number string // as customers see it (increment_id)
	ID     int64  // entity id
}

// Ordered is a product of an order.
type Ordered struct {
	SKU      string // as the order has it
	EntityID int64  // of the product that was ordered, which may be gone
}

// OrderShop is a Shop that can tell what was ordered, so that it can be
// ordered again: reordering looks for products by the entity ids that the
// order has, so a placeholder that was pruned must come back under its old id.
type OrderShop interface {
	Shop
	// Ordered returns the simple and virtual products of orders, in any order;
	// orders that are not there have none.
	Ordered(ctx context.Context, orders []OrderRef) ([]Ordered, error)
}

// EnsureOrders is Ensure for what orders hold, as far as it is gone; the
// answers are those of the SKUs. A product that is made gets the entity id that
// the order has, if it is free. Where the shop is no OrderShop nothing is done.
func (s *Service) EnsureOrders(ctx context.Context, client string, orders []OrderRef) ([]Result, error) {
	shop, ok := s.shop.(OrderShop)
	if !ok || len(orders) == 0 {
		return nil, nil
	}
	call, cancel := context.WithTimeoutCause(ctx, s.opts.Timeout, ErrUnavailable)
	defer cancel()
	items, err := shop.Ordered(call, orders)
	if err != nil {
		return nil, fmt.Errorf("placeholder: looking up %d orders: %w", len(orders), cause(call, err))
	}
	var skus []string
	wish := map[string]int64{}
	for _, it := range items {
		if _, ok := wish[it.SKU]; !ok {
			skus = append(skus, it.SKU)
		}
		wish[it.SKU] = it.EntityID
	}
	if len(skus) == 0 {
		return nil, nil
	}
	if len(skus) > MaxBatch {
		return nil, errors.New("placeholder: the orders hold too many products")
	}
	return s.ensure(ctx, client, skus, wish)
}
