package memshop

import (
	"context"
	"maps"
	"slices"
	"time"

	"catalog/placeholder"
)

// Ensure implements placeholder.Shop.
func (s *Shop) Ensure(ctx context.Context, products []placeholder.Product) ([]placeholder.Result, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	if err := s.db.write(ctx, skusOf(products)...); err != nil {
		return nil, err
	}
	defer s.db.mu.Unlock()
	now := time.Now()
	out := make([]placeholder.Result, len(products))
	for i := range products {
		out[i] = s.db.ensure(&products[i], now)
	}
	return out, nil
}

func skusOf(products []placeholder.Product) []string {
	skus := make([]string, len(products))
	for i := range products {
		skus[i] = products[i].SKU
	}
	return skus
}

func (d *DB) ensure(want *placeholder.Product, now time.Time) placeholder.Result {
	r := placeholder.Result{SKU: want.SKU}
	if reason, detail := placeholder.CheckSKU(&d.info, want.SKU); reason != "" {
		r.Status, r.Reason, r.Detail = placeholder.Refused, reason, detail
		return r
	}
	key := fold(want.SKU)
	e := d.ledger[key]
	if e == nil || d.products[e.id] == nil {
		if p := d.of(want.SKU); p != nil {
			r.Status, r.EntityID, r.Spelling = placeholder.Foreign, p.id, p.want.SKU
			delete(d.ledger, key)
			return r
		}
		id := want.WishID
		if id <= 0 || id > d.lastID || d.products[id] != nil {
			d.lastID++
			id = d.lastID
		}
		p := &product{id: id, values: map[valueKey]string{}}
		d.add(p, want.SKU)
		e = &entry{sku: want.SKU, id: p.id, made: now}
		d.ledger[key] = e
		d.put(e, p, want)
		e.used = now
		r.Status, r.EntityID, r.Spelling = placeholder.Created, p.id, want.SKU
		return r
	}
	p := d.products[e.id]
	r.EntityID, r.Spelling = p.id, p.want.SKU
	switch {
	case e.taken || p.revision != e.revision:
		e.taken = true
		r.Status = placeholder.Foreign
		return r
	case e.sku != want.SKU:
		r.Status, r.Reason = placeholder.Refused, placeholder.ReasonAlike
		r.Detail = "the shop takes it for the same as " + e.sku
		return r
	case e.hash == want.Hash:
		r.Status = placeholder.Present
	default:
		d.put(e, p, want)
		r.Status = placeholder.Refreshed
	}
	e.used = now
	return r
}

// put writes what a product should be.
func (d *DB) put(e *entry, p *product, want *placeholder.Product) {
	e.hash, e.parent = want.Hash, want.Parent
	if want.Retired {
		p.disabled = true
		p.values[valueKey{"status", 0}] = "2"
		return
	}
	p.disabled = false
	desired := make(map[valueKey]string, len(want.Values))
	for _, v := range want.Values {
		k := valueKey{v.Attribute, v.Store}
		desired[k] = v.Text
		if _, ok := p.values[k]; !ok {
			d.serial++
		}
	}
	p.values = desired
	typ := p.want.Type
	p.want = *want
	if typ != "" {
		p.want.Type = typ
	}
	p.want.Values = nil
	p.want.Websites = slices.Clone(want.Websites)
	p.want.Tiers = slices.Clone(want.Tiers)
}

// Refresh implements placeholder.Shop.
func (s *Shop) Refresh(ctx context.Context, products []placeholder.Product) ([]placeholder.Result, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	if err := s.db.write(ctx, skusOf(products)...); err != nil {
		return nil, err
	}
	defer s.db.mu.Unlock()
	out := make([]placeholder.Result, len(products))
	for i := range products {
		out[i] = s.db.refresh(&products[i])
	}
	return out, nil
}

func (d *DB) refresh(want *placeholder.Product) placeholder.Result {
	r := placeholder.Result{SKU: want.SKU, Status: placeholder.Unknown}
	e := d.ledger[fold(want.SKU)]
	if e == nil || e.sku != want.SKU || d.products[e.id] == nil {
		return r
	}
	p := d.products[e.id]
	r.EntityID, r.Spelling = p.id, e.sku
	switch {
	case e.taken || p.revision != e.revision:
		e.taken = true
		r.Status = placeholder.Foreign
	case e.hash == want.Hash:
		r.Status = placeholder.Present
	default:
		d.put(e, p, want)
		r.Status = placeholder.Refreshed
	}
	return r
}

// Ordered implements placeholder.OrderShop.
func (s *Shop) Ordered(ctx context.Context, orders []placeholder.OrderRef) ([]placeholder.Ordered, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	var out []placeholder.Ordered
	for _, o := range s.db.orders {
		if slices.ContainsFunc(orders, func(r placeholder.OrderRef) bool { return r.ID == o.id }) {
			for i, id := range o.lines {
				out = append(out, placeholder.Ordered{SKU: o.skus[i], EntityID: id})
			}
		}
	}
	return out, nil
}

// Check implements placeholder.Shop.
func (s *Shop) Check(ctx context.Context, repair bool, report func(placeholder.Finding) error) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	for _, f := range s.db.findings(repair) {
		if err := report(f); err != nil {
			return err
		}
	}
	return nil
}

func (d *DB) findings(repair bool) []placeholder.Finding {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []placeholder.Finding
	for _, key := range slices.Sorted(maps.Keys(d.ledger)) {
		e := d.ledger[key]
		f := placeholder.Finding{SKU: e.sku, EntityID: e.id, Repaired: repair}
		p := d.products[e.id]
		switch {
		case p == nil:
			f.Kind, f.Detail = placeholder.FindingLostProduct, "its product row is gone"
			if repair {
				delete(d.ledger, key)
			}
		case !e.taken && p.revision != e.revision:
			f.Kind, f.Detail = placeholder.FindingEdited, "the merchant edited it"
			e.taken = e.taken || repair
		case !e.taken && p.values[valueKey{"name", 0}] == "":
			f.Kind, f.Detail, f.Table, f.NeedsRefresh = placeholder.FindingLostRow, "it has no name", "values", true
			if repair {
				e.hash = placeholder.Hash{}
			}
		default:
			continue
		}
		out = append(out, f)
	}
	return out
}
