package placeholder

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// find looks a batch of SKUs up in the shop and in the catalog, answers what
// needs no writing, and hands on the rest.
func (s *Service) find(batch []*flight) {
	ctx, cancel := s.call()
	defer cancel()
	again, err := s.look(ctx, batch)
	if err == nil && len(again) > 0 {
		err = s.lookAgain(ctx, again)
	}
	if err != nil {
		s.finish(batch, fmt.Errorf("placeholder: looking up %d SKUs: %w", len(batch), cause(ctx, err)))
		return
	}
	var answered, write []*flight
	for _, f := range batch {
		if f.result.Status == "" || f.made.Product.SKU != "" {
			write = append(write, f)
		} else {
			answered = append(answered, f)
		}
	}
	s.finish(answered, nil)
	if len(write) > 0 && !s.dirty.put(write...) {
		s.finish(write, ErrClosed)
	}
}

// cause prefers why a context ended to that it ended.
func cause(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// look decides on flights: one with a result and no product in made is
// answered; one with a product is to be written, and keeps a result that it
// already has. It returns those that the shop knows under another spelling,
// which alone the catalog may have.
func (s *Service) look(ctx context.Context, batch []*flight) (again []*flight, err error) {
	info := s.shop.Info()
	skus := make([]string, len(batch))
	for i, f := range batch {
		skus[i] = f.sku
	}
	found, err := s.shop.Find(ctx, skus)
	if err != nil {
		return nil, err
	}
	tail, err := s.store.Tail(ctx)
	if err != nil {
		return nil, err
	}
	sources, err := load(ctx, s.store, skus)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	for i, f := range batch {
		f.src, f.tail = sources[i], tail
		f.made = Make(&info, s.opts.Rules, f.src.Records, now)
		f.made.Product.WishID = f.wish
		if f.decide(found[i]) {
			again = append(again, f)
		}
	}
	return again, nil
}

// decide is look for one flight; it reports whether to look again under the
// shop's spelling, which result then has.
func (f *flight) decide(found Found) (again bool) {
	answer := func(status Status, reason Reason, detail string) {
		f.result.Status, f.result.Reason, f.result.Detail = status, reason, detail
		f.made = Made{}
	}
	f.result = Result{SKU: f.sku, EntityID: found.EntityID, Spelling: found.Spelling}
	f.fresh = found.State == StateNone
	switch {
	case found.State == StateForeign:
		answer(Foreign, "", "")
	case found.State == StateLive && found.Spelling != f.sku:
		if f.made.Status == Unknown {
			return true
		}
		answer(Refused, ReasonAlike, fmt.Sprintf("the shop takes it for the same as %q", found.Spelling))
	case f.made.Status != "" && (f.fresh || found.Hash == f.made.Product.Hash):
		answer(f.made.Status, f.made.Reason, f.made.Detail)
	case f.made.Status != "":
		// Our placeholder must learn of it.
		made := f.made
		answer(made.Status, made.Reason, made.Detail)
		f.made = made
	case found.State == StateLive && found.Hash == f.made.Product.Hash && found.Idle < TouchEvery:
		answer(Present, "", "")
	}
	return false
}

// lookAgain gives flights the answer of their shop's spelling: the placeholder
// that the shop would put into the cart must be true, and not be pruned.
func (s *Service) lookAgain(ctx context.Context, again []*flight) error {
	batch := make([]*flight, len(again))
	for i, f := range again {
		batch[i] = &flight{sku: f.result.Spelling, clients: f.clients}
	}
	if _, err := s.look(ctx, batch); err != nil {
		return err
	}
	for i, f := range again {
		sku := f.sku
		f.src, f.tail, f.made, f.fresh, f.result = batch[i].src, batch[i].tail, batch[i].made, batch[i].fresh, batch[i].result
		f.result.SKU = sku
		if f.result.Status == "" && f.made.Product.SKU == "" {
			f.result.Status = Unknown
		}
	}
	return nil
}

// write ensures or refreshes a batch of flights.
func (s *Service) write(batch []*flight) {
	ctx, cancel := s.call()
	defer cancel()
	var fresh, ensure, refresh []*flight
	for _, f := range batch {
		switch {
		case f.result.Status != "":
			refresh = append(refresh, f)
		case f.fresh && !s.charge(f):
			f.result.Status, f.result.Reason = Refused, ReasonLimit
			f.result.Detail = "too many new placeholders in the last minute"
			s.finish([]*flight{f}, nil)
		case f.fresh:
			f.made.Product.Fresh = true
			fresh = append(fresh, f)
		default:
			ensure = append(ensure, f)
		}
	}
	s.writeAll(ctx, fresh, s.ensureProducts)
	s.writeAll(ctx, ensure, s.ensureProducts)
	s.writeAll(ctx, refresh, func(ctx context.Context, p []Product) ([]Result, error) {
		_, err := s.shop.Refresh(ctx, p)
		return nil, err
	})
}

func (s *Service) ensureProducts(ctx context.Context, products []Product) ([]Result, error) {
	s.stats.batches.Add(1)
	return s.shop.Ensure(ctx, products)
}

// charge takes the cap's token for a new placeholder.
func (s *Service) charge(f *flight) bool {
	s.mu.Lock()
	clients := f.clients
	s.mu.Unlock()
	who, ok := s.limit.take(time.Now(), clients)
	f.payer = who
	return ok
}

// writeAll gives a batch to put, and its answers to those who wait. A batch
// that fails for what is in it is halved until what fails is alone.
func (s *Service) writeAll(ctx context.Context, batch []*flight, put func(context.Context, []Product) ([]Result, error)) {
	if len(batch) == 0 {
		return
	}
	products := distinct(batch)
	results, err := put(ctx, products)
	if err == nil {
		bySKU := make(map[string]*Result, len(results))
		for i := range results {
			bySKU[products[i].SKU] = &results[i]
		}
		for _, f := range batch {
			if r := bySKU[f.made.Product.SKU]; r != nil {
				sku := f.result.SKU
				f.result = *r
				f.result.SKU = sku
				if f.fresh && r.Status != Created {
					s.limit.giveBack(f.payer)
				}
			}
		}
		err = s.converge(ctx, batch)
	}
	switch {
	case err == nil:
		s.finish(batch, nil)
	case len(batch) > 1 && curable(ctx, err):
		s.writeAll(ctx, batch[:len(batch)/2], put)
		s.writeAll(ctx, batch[len(batch)/2:], put)
	default:
		s.log.Warn("placeholders were not written", "skus", len(batch), "error", err)
		s.finish(batch, fmt.Errorf("placeholder: writing %d products: %w", len(batch), cause(ctx, err)))
	}
}

// curable reports whether a smaller batch may do better: not when the database
// is away, or its time is up.
func curable(ctx context.Context, err error) bool {
	return ctx.Err() == nil && !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrClosed) && !errors.Is(err, ErrRights)
}

// distinct returns the products of flights, each SKU once: two spellings of
// one SKU may have been looked up as one.
func distinct(batch []*flight) []Product {
	seen := make(map[string]bool, len(batch))
	products := make([]Product, 0, len(batch))
	for _, f := range batch {
		if sku := f.made.Product.SKU; !seen[sku] {
			seen[sku] = true
			products = append(products, f.made.Product)
		}
	}
	return products
}

// converge looks whether the catalog changed while placeholders were written
// from what it said before: whoever follows the change log may have come by
// before they were there. Those that changed are written again.
func (s *Service) converge(ctx context.Context, batch []*flight) error {
	tail, err := s.store.Tail(ctx)
	if err != nil {
		return err
	}
	var sources []source
	for _, f := range batch {
		if f.tail != tail {
			sources = append(sources, f.src)
		}
	}
	if len(sources) == 0 {
		return nil
	}
	verdicts, err := s.settle(ctx, sources)
	if err != nil {
		return err
	}
	for _, f := range batch {
		if v, ok := verdicts[f.src.SKU]; ok && v.Status != "" && f.result.Status != Foreign {
			f.result.Status, f.result.Reason, f.result.Detail = v.Status, v.Reason, v.Detail
		}
	}
	return nil
}

// settle refreshes those placeholders whose records are no longer what sources
// say, until they are, and returns what was made of them.
func (s *Service) settle(ctx context.Context, sources []source) (map[string]Made, error) {
	verdicts := map[string]Made{}
	for len(sources) > 0 {
		skus, err := changed(ctx, s.store, sources)
		if err != nil || len(skus) == 0 {
			return verdicts, err
		}
		if sources, err = load(ctx, s.store, skus); err != nil {
			return nil, err
		}
		info := s.shop.Info()
		products := make([]Product, len(sources))
		for i := range sources {
			made := Make(&info, s.opts.Rules, sources[i].Records, time.Now())
			verdicts[sources[i].SKU], products[i] = made, made.Product
		}
		if _, err := s.shop.Refresh(ctx, products); err != nil {
			return nil, err
		}
	}
	return verdicts, nil
}
