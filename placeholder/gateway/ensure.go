package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"catalog/placeholder"
)

// Ensurer makes products be in the shop. It must be safe for concurrent use
// and honour its context; one that does not holds up no request for longer
// than Options.Limit, and is waited for by Close.
type Ensurer interface {
	// Ensure answers for each SKU, which are all different, in any order.
	// Client is who asks for them, for a cap on what one may create. An error
	// means that nothing is known.
	Ensure(ctx context.Context, client string, skus []string) ([]placeholder.Result, error)
}

// OrderEnsurer is an Ensurer that can make the products of an order be in the
// shop again, so that it can be ordered anew: Magento looks them up by the
// entity ids that the order has. Without it reorders pass as they are.
type OrderEnsurer interface {
	Ensurer
	// EnsureOrders takes orders' numbers (increment ids, of GraphQL) or their
	// entity ids (of the storefront).
	EnsureOrders(ctx context.Context, client string, orders []Order) ([]placeholder.Result, error)
}

// Order names an order: one of its fields is set.
type Order struct {
	Number string // as customers see it
	ID     string // its entity id
}

// Why a request passed without being ensured.
var (
	errOpen   = errors.New("gateway: the breaker is open")
	errBusy   = errors.New("gateway: too many requests are being ensured")
	errLate   = errors.New("gateway: ensuring takes longer than the limit")
	errClosed = errors.New("gateway: it is closed")
)

// skipReason is a word for the debugging header.
func skipReason(err error) string {
	for _, r := range []struct {
		err  error
		word string
	}{
		{errOpen, "breaker"},
		{errBusy, "busy"},
		{errLate, "time-limit"},
		{errClosed, "closed"},
		{errTooLarge, "too-large"},
		{errEncoding, "encoding"},
		{errTooMany, "too-many"},
		{errMemory, "memory"},
		{context.Canceled, "cancelled"},
	} {
		if errors.Is(err, r.err) {
			return r.word
		}
	}
	return "error"
}

// ensure asks the Ensurer, for no longer than the limit. It has counted and
// logged the error that it returns.
func (g *Gateway) ensure(ctx context.Context, rt route, client string, p *parsed) ([]placeholder.Result, error) {
	if !g.enter() {
		g.stats.busy.Add(1)
		return nil, errClosed
	}
	done, ok := g.breaker.try()
	if !ok {
		g.leave()
		g.stats.rejected.Add(1)
		return nil, errOpen
	}
	select {
	case g.slots <- struct{}{}:
	default:
		done(undecided)
		g.leave()
		g.stats.busy.Add(1)
		return nil, errBusy
	}

	type answer struct {
		results []placeholder.Result
		err     error
	}
	began := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, g.opts.Limit, errLate)
	defer cancel()
	answered := make(chan answer, 1)
	go func() {
		defer g.leave()
		defer func() { <-g.slots }()
		results, err := g.ask(ctx, rt, client, p)
		answered <- answer{results, err}
	}()

	var a answer
	select {
	case a = <-answered:
		if a.err != nil && ctx.Err() != nil {
			a.err = context.Cause(ctx)
		}
	case <-ctx.Done():
		a.err = context.Cause(ctx)
	}
	took := time.Since(began)
	g.stats.ensureTime(took)
	switch {
	case a.err == nil:
		done(succeeded)
		g.stats.count(a.results)
		return a.results, nil
	case errors.Is(a.err, context.Canceled):
		done(undecided)
		g.stats.gone.Add(1)
		return nil, a.err
	case errors.Is(a.err, errLate) || errors.Is(a.err, context.DeadlineExceeded):
		g.stats.late.Add(1)
	default:
		g.stats.failed.Add(1)
	}
	done(failed)
	g.log.LogAttrs(ctx, slog.LevelWarn, "request passes without being ensured",
		slog.String("route", rt.String()), slog.Int("skus", len(p.skus)),
		slog.Duration("took", took), slog.Any("error", a.err))
	return nil, a.err
}

// ask calls the Ensurer. A panic of its is an error: the request shall pass.
func (g *Gateway) ask(ctx context.Context, rt route, client string, p *parsed) (results []placeholder.Result, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("gateway: ensuring panicked: %v", v)
		}
	}()
	if len(p.skus) > 0 {
		if results, err = g.ensurer.Ensure(ctx, client, p.skus); err != nil {
			return nil, err
		}
	}
	if oe, ok := g.ensurer.(OrderEnsurer); ok && len(p.orders) > 0 {
		orders := make([]Order, len(p.orders))
		for i, o := range p.orders {
			if rt == routeReorder {
				orders[i].ID = o
			} else {
				orders[i].Number = o
			}
		}
		more, err := oe.EnsureOrders(ctx, client, orders)
		if err != nil {
			return nil, err
		}
		results = append(results, more...)
	}
	return results, nil
}
