package shoptest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"catalog/placeholder"
)

func ensureTests() []test {
	return []test{
		{"info", testInfo},
		{"nothing", testNothing},
		{"create", testCreate},
		{"repeat", testRepeat},
		{"fresh", testFresh},
		{"batch", testBatch},
		{"touch", testTouch},
		{"list", testList},
		{"live", testLive},
		{"counts", testCounts},
		{"closed", testClosed},
		{"cancelled", testCancelled},
	}
}

// testInfo: what everything else relies on.
func testInfo(e *env) {
	info := e.shop.Info()
	if info.Dialect == "" || info.SKUChars < 1 {
		e.Errorf("dialect %q, SKUs of %d characters", info.Dialect, info.SKUChars)
	}
	for _, code := range []string{"name", "status", "visibility", "price", "tax_class_id"} {
		if a, ok := info.Attributes[code]; !ok || a.Backend == "" {
			e.Errorf("attribute %s: %+v", code, a)
		}
	}
	websites := map[string]placeholder.Website{}
	for _, w := range info.Websites {
		websites[w.Code] = w
	}
	if b := websites["base"]; !b.Default || b.Currency != "EUR" || len(b.Stores) < 2 {
		e.Errorf("website base is %+v", b)
	}
	if s := websites["second"]; s.Default || s.Currency != "USD" || len(s.Stores) != 1 {
		e.Errorf("website second is %+v", s)
	}
	if !info.PricePerSite || info.DefaultTax == 0 || len(info.Groups) < 4 {
		e.Errorf("prices per website %v, default tax class %d, %d groups", info.PricePerSite, info.DefaultTax, len(info.Groups))
	}
}

func testNothing(e *env) {
	before := e.h.Rows(e)
	if results := e.ensureAll(); len(results) != 0 {
		e.Errorf("%d answers", len(results))
	}
	if results, err := e.shop.Refresh(e.ctx, nil); err != nil || len(results) != 0 {
		e.Errorf("refreshing nothing: %d answers, %v", len(results), err)
	}
	if found, err := e.shop.Find(e.ctx, nil); err != nil || len(found) != 0 {
		e.Errorf("finding nothing: %d answers, %v", len(found), err)
	}
	if live, err := e.shop.Live(e.ctx, nil); err != nil || len(live) != 0 {
		e.Errorf("live of nothing: %v, %v", live, err)
	}
	if f := e.find(e.sku("none")); f.State != placeholder.StateNone || f.EntityID != 0 {
		e.Errorf("found %+v", f)
	}
	e.sameRows(before)
}

func testCreate(e *env) {
	sku := e.sku("a")
	p := e.product(sku, plain)
	r := e.ensure(p, placeholder.Created)
	if r.Spelling != sku {
		e.Errorf("it is spelled %q", r.Spelling)
	}
	e.is(r.EntityID, p)
	e.buyable(r.EntityID, "base", true)
	e.buyable(r.EntityID, "second", true)
	f := e.find(sku)
	if f.State != placeholder.StateLive || f.EntityID != r.EntityID || f.Spelling != sku || f.Hash != p.Hash {
		e.Errorf("found %+v, want product %d with hash %s", f, r.EntityID, p.Hash)
	}
	if f.Idle < 0 || f.Idle > time.Minute {
		e.Errorf("it was last used %v ago", f.Idle)
	}
	if ids := e.h.Same(e, sku); !slices.Equal(ids, []int64{r.EntityID}) {
		e.Errorf("the shop has the products %v", ids)
	}
}

// testRepeat: what is there is only read.
func testRepeat(e *env) {
	p := e.product(e.sku("a"), plain)
	id := e.ensure(p, placeholder.Created).EntityID
	rows, serial := e.h.Rows(e), e.h.Serial(e)
	for range 20 {
		if r := e.ensure(p, placeholder.Present); r.EntityID != id {
			e.Fatalf("product %d became %d", id, r.EntityID)
		}
		e.refresh(p, placeholder.Present)
	}
	e.sameRows(rows)
	if now := e.h.Serial(e); now != serial {
		e.Errorf("repeating burnt %d values of an auto-increment", now-serial)
	}
	e.is(id, p)
}

func testBatch(e *env) {
	var products []placeholder.Product
	for i := range placeholder.MaxBatch {
		d := priced(fmt.Sprintf("%d.50", i+1))
		if i%3 == 0 {
			d.doc += `,"type":"virtual"`
		}
		products = append(products, fresh(e.product(e.sku(fmt.Sprintf("%04d", (i*7919)%10000)), d)))
	}
	ids := map[int64]bool{}
	for i, r := range e.ensureAll(products...) {
		e.status(r, placeholder.Created)
		ids[r.EntityID] = true
		if i%50 == 0 {
			e.is(r.EntityID, products[i])
		}
	}
	if len(ids) != len(products) {
		e.Fatalf("%d products have %d ids", len(products), len(ids))
	}
	// Old, changed and new ones in one batch.
	mixed := slices.Clone(products[:10])
	for i := range 5 {
		mixed[i] = e.product(products[i].SKU, priced("77"))
	}
	mixed = append(mixed, e.product(e.sku("new"), plain))
	for i, r := range e.ensureAll(mixed...) {
		want := placeholder.Present
		switch {
		case i < 5:
			want = placeholder.Refreshed
		case i == 10:
			want = placeholder.Created
		}
		e.status(r, want)
		e.is(r.EntityID, withType(mixed[i], e.stored(r.EntityID).Type))
	}
}

// withType is p of a type that a refresh does not change.
func withType(p placeholder.Product, kind string) placeholder.Product {
	p.Type = kind
	return p
}

// testTouch: Ensure writes the last use, Refresh does not.
func testTouch(e *env) {
	sku := e.sku("a")
	e.made(sku)
	e.h.Idle(e, sku, 30*time.Hour)
	if f := e.find(sku); f.Idle < 29*time.Hour || f.Idle > 31*time.Hour {
		e.Fatalf("last used %v ago, want 30h", f.Idle)
	}
	e.refresh(e.product(sku, priced("5")), placeholder.Refreshed)
	if f := e.find(sku); f.Idle < 29*time.Hour {
		e.Errorf("a refresh counts as use: last used %v ago", f.Idle)
	}
	e.ensure(e.product(sku, priced("5")), placeholder.Present)
	if f := e.find(sku); f.Idle > time.Minute {
		e.Errorf("after Ensure it was last used %v ago", f.Idle)
	}
}

func testList(e *env) {
	var want []string
	for i := range 25 {
		sku := e.sku(fmt.Sprintf("%02d", i))
		want = append(want, sku)
		e.made(sku)
	}
	var got []string
	seen := map[string]bool{}
	for after, rounds := "", 0; rounds < 10_000; rounds++ {
		entries, err := e.shop.List(e.ctx, after, 7)
		if err != nil {
			e.Fatal(err)
		}
		for _, entry := range entries {
			if seen[entry.SKU] {
				e.Fatalf("%q is listed twice", entry.SKU)
			}
			seen[entry.SKU] = true
			if slices.Contains(want, entry.SKU) {
				got = append(got, entry.SKU)
				if entry.State != placeholder.StateLive || entry.EntityID == 0 || time.Since(entry.Used) > time.Hour || time.Since(entry.Made) > time.Hour {
					e.Errorf("listed as %+v", entry)
				}
			}
		}
		if len(entries) < 7 {
			break
		}
		after = entries[len(entries)-1].SKU
	}
	if !slices.Equal(got, want) {
		e.Errorf("listed %v, want %v", got, want)
	}
}

func testLive(e *env) {
	own, child, edited := e.sku("own"), e.sku("child"), e.sku("edited")
	e.made(own)
	e.h.EditProduct(e, e.made(edited))
	e.ensure(e.product(edited, plain), placeholder.Foreign)
	p := e.product(child, plain)
	p.Parent = e.sku("parent")
	e.ensure(p, placeholder.Created)
	keys := []string{e.sku("none"), own, p.Parent, edited}
	live, err := e.shop.Live(e.ctx, keys)
	if err != nil {
		e.Fatal(err)
	}
	slices.Sort(live)
	if want := []string{child, own}; !slices.Equal(slices.Compact(live), want) {
		e.Errorf("live are %v, want %v", live, want)
	}
}

func testCounts(e *env) {
	before, err := e.shop.Counts(e.ctx)
	if err != nil {
		e.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c"} {
		e.made(e.sku(name))
	}
	e.refresh(placeholder.Retired(e.sku("b")), placeholder.Refreshed)
	after, err := e.shop.Counts(e.ctx)
	if err != nil {
		e.Fatal(err)
	}
	if after.Live-before.Live != 3 || after.Disabled-before.Disabled != 1 || after.Taken != before.Taken {
		e.Errorf("%+v became %+v by three more, one of them disabled", before, after)
	}
	if after.Newest.Before(after.Oldest) || time.Since(after.Newest) > time.Hour {
		e.Errorf("used from %v to %v", after.Oldest, after.Newest)
	}
}

func testClosed(e *env) {
	s := e.h.Open(e)
	p := e.product(e.sku("a"), plain)
	for range 2 {
		if err := s.Close(); err != nil {
			e.Fatal(err)
		}
	}
	calls := map[string]func() error{
		"Find":    func() error { _, err := s.Find(e.ctx, []string{"a"}); return err },
		"Live":    func() error { _, err := s.Live(e.ctx, []string{"a"}); return err },
		"Ensure":  func() error { _, err := s.Ensure(e.ctx, []placeholder.Product{p}); return err },
		"Refresh": func() error { _, err := s.Refresh(e.ctx, []placeholder.Product{p}); return err },
		"List":    func() error { _, err := s.List(e.ctx, "", 1); return err },
		"Counts":  func() error { _, err := s.Counts(e.ctx); return err },
		"Check":   func() error { return s.Check(e.ctx, false, func(placeholder.Finding) error { return nil }) },
		"StartPrune": func() error {
			_, err := s.StartPrune(e.ctx, "test", time.Minute, placeholder.PruneOptions{})
			return err
		},
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, placeholder.ErrClosed) {
			e.Errorf("%s after Close: %v", name, err)
		}
	}
}

func testCancelled(e *env) {
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	p := e.product(e.sku("a"), plain)
	if _, err := e.shop.Ensure(ctx, []placeholder.Product{p}); !errors.Is(err, context.Canceled) {
		e.Errorf("ensuring when cancelled: %v", err)
	}
	if _, err := e.shop.Find(ctx, []string{p.SKU}); !errors.Is(err, context.Canceled) {
		e.Errorf("finding when cancelled: %v", err)
	}
	e.ensure(p, placeholder.Created)
}
