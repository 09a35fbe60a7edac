package memshop

import (
	"cmp"
	"context"
	"slices"
	"time"

	"catalog/placeholder"
)

// StartPrune implements placeholder.Shop.
func (s *Shop) StartPrune(ctx context.Context, holder string, ttl time.Duration, o placeholder.PruneOptions) (placeholder.Pruner, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	d := s.db
	d.mu.Lock()
	defer d.mu.Unlock()
	if o.Dry {
		return &pruner{shop: s, ttl: ttl, dry: true}, nil
	}
	now := time.Now()
	if d.lock.holder != "" && now.Before(d.lock.expires) {
		return nil, &placeholder.LockedError{Holder: d.lock.holder, Since: d.lock.since}
	}
	d.lock = lock{token: d.lock.token + 1, holder: holder, since: now, expires: now.Add(ttl)}
	return &pruner{shop: s, ttl: ttl, token: d.lock.token}, nil
}

// pruner is a run of prune.
type pruner struct {
	shop  *Shop
	ttl   time.Duration
	token int64
	dry   bool
}

// Live implements placeholder.Pruner.
func (p *pruner) Live(ctx context.Context) (int64, error) {
	c, err := p.shop.Counts(ctx)
	return c.Live, err
}

func (p *pruner) held() error {
	l := &p.shop.db.lock
	if !p.dry && (l.token != p.token || l.holder == "" || time.Now().After(l.expires)) {
		return placeholder.ErrFenced
	}
	return nil
}

func (p *pruner) Candidates(ctx context.Context, idle time.Duration, after placeholder.Candidate, limit int) ([]placeholder.Candidate, error) {
	if err := p.shop.begin(ctx); err != nil {
		return nil, err
	}
	d := p.shop.db
	d.mu.Lock()
	defer d.mu.Unlock()
	cutoff := time.Now().Add(-idle)
	var out []placeholder.Candidate
	for _, e := range d.ledger {
		c := placeholder.Candidate{SKU: e.sku, EntityID: e.id, Used: e.used.UTC()}
		if e.taken || e.used.After(cutoff) || compareCandidates(c, after) <= 0 {
			continue
		}
		out = append(out, c)
	}
	slices.SortFunc(out, compareCandidates)
	return out[:min(limit, len(out))], nil
}

func compareCandidates(a, b placeholder.Candidate) int {
	return cmp.Or(a.Used.Compare(b.Used), cmp.Compare(fold(a.SKU), fold(b.SKU)))
}

func (p *pruner) Remove(ctx context.Context, candidates []placeholder.Candidate, idle time.Duration, dry bool) ([]placeholder.Removal, error) {
	if err := p.shop.begin(ctx); err != nil {
		return nil, err
	}
	d := p.shop.db
	dry = dry || p.dry
	if dry {
		d.mu.Lock()
	} else {
		skus := make([]string, len(candidates))
		for i, c := range candidates {
			skus[i] = c.SKU
		}
		if err := d.write(ctx, skus...); err != nil {
			return nil, err
		}
	}
	defer d.mu.Unlock()
	if err := p.held(); err != nil {
		return nil, err
	}
	cutoff := time.Now().Add(-idle)
	out := make([]placeholder.Removal, len(candidates))
	for i, c := range candidates {
		out[i] = placeholder.Removal{Candidate: c, Keep: d.keep(c, cutoff, dry)}
		if out[i].Keep == "" {
			out[i].Quotes = d.remove(c, dry)
		}
	}
	if !dry {
		d.lock.expires = time.Now().Add(p.ttl)
	}
	return out, nil
}

// keep says why a candidate must stay, "" if it need not.
func (d *DB) keep(c placeholder.Candidate, cutoff time.Time, dry bool) placeholder.Keep {
	e := d.ledger[fold(c.SKU)]
	switch {
	case e == nil || e.id != c.EntityID || d.products[e.id] == nil:
		return placeholder.KeepGone
	case e.used.After(cutoff):
		return placeholder.KeepUsed
	case e.taken || d.products[e.id].revision != e.revision:
		e.taken = e.taken || !dry
		return placeholder.KeepEdited
	}
	highest := int64(0)
	for id := range d.products {
		highest = max(highest, id)
	}
	if e.id == highest {
		return placeholder.KeepHighest
	}
	for _, c := range d.carts {
		if c.active && slices.Contains(c.lines, e.id) {
			return placeholder.KeepCart
		}
	}
	for _, o := range d.orders {
		switch o.state {
		case "complete", "closed", "canceled":
		default:
			if slices.Contains(o.lines, e.id) {
				return placeholder.KeepOrder
			}
		}
	}
	if d.wishes[e.id] {
		return placeholder.KeepWishlist
	}
	return ""
}

// remove deletes a candidate's product and tells how many carts lost a line.
func (d *DB) remove(c placeholder.Candidate, dry bool) int {
	quotes := 0
	for _, cart := range d.carts {
		if !slices.Contains(cart.lines, c.EntityID) {
			continue
		}
		quotes++
		if !dry {
			cart.recollect = true
			cart.lines = slices.DeleteFunc(cart.lines, func(id int64) bool { return id == c.EntityID })
		}
	}
	if !dry {
		d.drop(c.EntityID)
		delete(d.ledger, fold(c.SKU))
	}
	return quotes
}

func (p *pruner) Renew(ctx context.Context) error {
	if err := p.shop.begin(ctx); err != nil {
		return err
	}
	d := p.shop.db
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := p.held(); err != nil {
		return err
	}
	d.lock.expires = time.Now().Add(p.ttl)
	return nil
}

func (p *pruner) Close() error {
	d := p.shop.db
	d.mu.Lock()
	defer d.mu.Unlock()
	if p.held() == nil && !p.dry {
		d.lock.holder = ""
	}
	return nil
}
