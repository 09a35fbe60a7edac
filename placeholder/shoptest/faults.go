package shoptest

import (
	"errors"

	"catalog/placeholder"
)

func faultTests() []test {
	return []test{
		{"deadlock", func(e *env) { testFault(e, Deadlock) }},
		{"lost", func(e *env) { testFault(e, Lost) }},
	}
}

// testFault: deadlocks are got over; whatever else fails is said, happened
// wholly or not at all, and can be repeated.
func testFault(e *env, fault Fault) {
	calls := map[string]func(p placeholder.Product) error{
		"ensure": func(p placeholder.Product) error {
			_, err := e.shop.Ensure(e.ctx, []placeholder.Product{p})
			return err
		},
		"refresh": func(p placeholder.Product) error {
			_, err := e.shop.Refresh(e.ctx, []placeholder.Product{p})
			return err
		},
		"prune": func(placeholder.Product) error {
			_, err := placeholder.Prune(e.ctx, e.shop, placeholder.PruneConfig{UnusedFor: old / 2})
			return err
		},
	}
	for name, call := range calls {
		for n := 1; n <= 3; n++ {
			sku := e.sku(name + string(rune('0'+n)))
			if name != "ensure" {
				e.made(sku)
			}
			p := e.product(sku, priced("6"))
			p.Fresh = n%2 == 1
			if !e.h.Inject(e, fault, n) {
				return
			}
			err := call(p)
			e.h.Inject(e, fault, 0)
			switch {
			case err == nil:
			case fault == Deadlock:
				e.Errorf("%s with %d deadlocks: %v", name, n, err)
			case !errors.Is(err, placeholder.ErrUnavailable):
				e.Errorf("%s with %d lost connections: %v", name, n, err)
			}
			if name == "prune" {
				continue
			}
			results := e.ensureAll(p)
			if !results[0].Status.InShop() {
				e.Errorf("%s: afterwards %+v", name, results[0])
			}
			e.is(results[0].EntityID, p)
			if same := e.h.Same(e, sku); len(same) != 1 {
				e.Errorf("%s: the shop has the products %v", name, same)
			}
		}
	}
	e.clean()
}
