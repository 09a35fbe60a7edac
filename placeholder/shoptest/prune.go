package shoptest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"catalog/placeholder"
)

func pruneTests() []test {
	return []test{
		{"remove", testRemove},
		{"candidates", testCandidates},
		{"keep", testKeep},
		{"orders", testOrders},
		{"stalecart", testStaleCart},
		{"highest", testHighest},
		{"dry", testDry},
		{"lock", testLock},
		{"fence", testFence},
		{"byage", testByAge},
		{"bycount", testByCount},
		{"again", testAgain},
	}
}

// old is how long ago the candidates of these tests were used; everything else
// in the database was just used.
const old = 1000 * time.Hour

// aged makes placeholders that were last used old ago, the first of them
// longest, and a newer one above them, so that none has the highest id.
func (e *env) aged(names ...string) []placeholder.Candidate {
	e.Helper()
	var out []placeholder.Candidate
	for i, name := range names {
		sku := e.sku(name)
		id := e.made(sku)
		e.h.Idle(e, sku, old-time.Duration(i)*time.Minute)
		out = append(out, placeholder.Candidate{SKU: sku, EntityID: id})
	}
	e.made(e.sku("~newest-" + fmt.Sprint(time.Now().UnixNano())))
	return out
}

func (e *env) start(opts placeholder.PruneOptions) placeholder.Pruner {
	e.Helper()
	p, err := e.shop.StartPrune(e.ctx, "suite", time.Minute, opts)
	if err != nil {
		e.Fatal(err)
	}
	e.Cleanup(func() {
		if err := p.Close(); err != nil && !errors.Is(err, placeholder.ErrClosed) {
			e.Error(err)
		}
	})
	return p
}

// remove removes candidates and returns why each was kept.
func (e *env) remove(p placeholder.Pruner, dry bool, candidates ...placeholder.Candidate) []placeholder.Keep {
	e.Helper()
	removals, err := p.Remove(e.ctx, candidates, old/2, dry)
	if err != nil {
		e.Fatal(err)
	}
	if len(removals) != len(candidates) {
		e.Fatalf("%d answers for %d candidates", len(removals), len(candidates))
	}
	var keeps []placeholder.Keep
	for i, r := range removals {
		if r.EntityID != candidates[i].EntityID {
			e.Fatalf("answer %d is of product %d, not %d", i, r.EntityID, candidates[i].EntityID)
		}
		keeps = append(keeps, r.Keep)
	}
	return keeps
}

// gone checks that a placeholder was removed wholly.
func (e *env) gone(c placeholder.Candidate) {
	e.Helper()
	if _, ok := e.h.Product(e, c.EntityID); ok {
		e.Errorf("product %d still has rows", c.EntityID)
	}
	if f := e.find(c.SKU); f.State != placeholder.StateNone {
		e.Errorf("%q is found as %+v", c.SKU, f)
	}
}

// testRemove: what prune removes leaves no row in any table.
func testRemove(e *env) {
	rows := func() map[string]int64 { return e.h.Rows(e) }
	full := plain
	full.doc = `"name":"Full","weight":1,"categories":["Men/Shoes"],"attributes":{"color":"red"},"brand":"B","stores":{"de":{"name":"Voll"}}`
	full.prices = `{"price":9,"special_price":8,"tiers":[{"qty":5,"price":7}]},{"group":"wholesale","price":6},{"currency":"USD","website":"second","price":12.5}`
	full.stock = `"qty":4,"in_stock":true`
	e.aged() // something above what follows was there before
	before := rows()
	var victims []placeholder.Candidate
	for i := range 30 {
		sku := e.sku(fmt.Sprintf("%02d", i))
		d := full
		if i%3 == 0 {
			d = plain
		}
		id := e.ensure(e.product(sku, d), placeholder.Created).EntityID
		if i%5 == 0 {
			// One that was changed often has no more rows to leave behind.
			e.refresh(e.product(sku, priced("5")), placeholder.Refreshed)
			e.refresh(placeholder.Retired(sku), placeholder.Refreshed)
		}
		e.h.Idle(e, sku, old)
		victims = append(victims, placeholder.Candidate{SKU: sku, EntityID: id})
	}
	with := rows()
	e.made(e.sku("footprint")) // the highest id, which stays
	one := rows()
	p := e.start(placeholder.PruneOptions{})
	for i, k := range e.remove(p, false, victims...) {
		if k != "" {
			e.Errorf("%s is kept: %s", victims[i].SKU, k)
		}
	}
	if err := p.Close(); err != nil {
		e.Fatal(err)
	}
	want := map[string]int64{}
	for table := range one {
		want[table] = before[table] + one[table] - with[table]
	}
	e.rowsAre(want, "as if the removed products had never been")
	for _, v := range victims {
		e.gone(v)
	}
}

func testCandidates(e *env) {
	want := e.aged("a", "b", "c", "d", "e")
	edited := e.aged("edited")[0]
	e.h.EditProduct(e, edited.EntityID)
	e.ensure(e.product(edited.SKU, plain), placeholder.Foreign)
	p := e.start(placeholder.PruneOptions{Dry: true})
	var got []placeholder.Candidate
	var after placeholder.Candidate
	for {
		batch, err := p.Candidates(e.ctx, old/2, after, 2)
		if err != nil {
			e.Fatal(err)
		}
		for _, c := range batch {
			if !c.Used.After(after.Used) && c.Used.Before(after.Used) {
				e.Errorf("%+v comes after %+v", c, after)
			}
			after = c
			if slices.ContainsFunc(want, func(w placeholder.Candidate) bool { return w.SKU == c.SKU }) {
				got = append(got, c)
			}
			if c.SKU == edited.SKU {
				e.Errorf("an edited product is a candidate")
			}
		}
		if len(batch) < 2 {
			break
		}
	}
	if len(got) != len(want) {
		e.Fatalf("candidates are %+v, want %+v", got, want)
	}
	for i := range want {
		if got[i].SKU != want[i].SKU || got[i].EntityID != want[i].EntityID {
			e.Errorf("candidate %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}

// testKeep: each reason, all in one batch beside one that goes.
func testKeep(e *env) {
	names := []string{"cart", "order", "wish", "used", "edited", "gone", "victim"}
	c := e.aged(names...)
	e.h.AddCart(e, true, c[0].EntityID)
	e.h.AddOrder(e, "processing", c[1].EntityID)
	e.h.AddWish(e, c[2].EntityID)
	p := e.start(placeholder.PruneOptions{})
	e.ensure(e.product(c[3].SKU, plain), placeholder.Present)
	e.h.EditProduct(e, c[4].EntityID)
	e.h.DeleteProduct(e, c[5].EntityID)
	want := []placeholder.Keep{
		placeholder.KeepCart, placeholder.KeepOrder, placeholder.KeepWishlist, placeholder.KeepUsed,
		placeholder.KeepEdited, placeholder.KeepGone, "",
	}
	if got := e.remove(p, false, c...); !slices.Equal(got, want) {
		e.Fatalf("kept for %q, want %q", got, want)
	}
	for i := range 5 {
		e.stored(c[i].EntityID)
	}
	e.gone(c[6])
	if f := e.find(c[4].SKU); f.State != placeholder.StateForeign {
		e.Errorf("the edited one is found as %+v", f)
	}
}

// testOrders: an order that is over keeps nothing, and does not need the
// product any more; one that is not keeps it.
func testOrders(e *env) {
	states := []string{"new", "pending_payment", "processing", "holded", "payment_review", "complete", "closed", "canceled"}
	c := e.aged(states...)
	var orders []int64
	for i, state := range states {
		orders = append(orders, e.h.AddOrder(e, state, c[i].EntityID))
	}
	p := e.start(placeholder.PruneOptions{})
	shown := make([]string, len(orders))
	for i, id := range orders {
		shown[i] = e.h.OrderItems(e, id)
	}
	late := e.aged("late")[0]
	e.h.AddOrder(e, "new", late.EntityID) // placed while prune is running
	for i, keep := range e.remove(p, false, append(slices.Clone(c), late)...) {
		want := placeholder.KeepOrder
		if i >= 5 && i < len(states) {
			want = ""
		}
		if keep != want {
			e.Errorf("order %d: kept for %q, want %q", i, keep, want)
		}
	}
	for i, id := range orders {
		if now := e.h.OrderItems(e, id); now != shown[i] || now == "" {
			e.Errorf("order %s shows\n%s, showed\n%s", states[i], now, shown[i])
		}
	}
}

// testStaleCart: a cart that nobody will order keeps nothing, and is reckoned
// up again without the line.
func testStaleCart(e *env) {
	c := e.aged("a", "b")
	stay := e.made(e.sku("stay"))
	cart := e.h.AddCart(e, false, c[0].EntityID, stay)
	untouched := e.h.AddCart(e, false, stay)
	p := e.start(placeholder.PruneOptions{})
	removals, err := p.Remove(e.ctx, c, old/2, false)
	if err != nil {
		e.Fatal(err)
	}
	if removals[0].Keep != "" || removals[0].Quotes != 1 || removals[1].Keep != "" || removals[1].Quotes != 0 {
		e.Errorf("%+v", removals)
	}
	lines, recollect := e.h.Cart(e, cart)
	if !slices.Equal(lines, []int64{stay}) || !recollect {
		e.Errorf("the cart holds %v, recollect %v", lines, recollect)
	}
	if lines, recollect := e.h.Cart(e, untouched); !slices.Equal(lines, []int64{stay}) || recollect {
		e.Errorf("the other cart holds %v, recollect %v", lines, recollect)
	}
	e.gone(c[0])
}

func testHighest(e *env) {
	sku := e.sku("a")
	id := e.made(sku)
	e.h.Idle(e, sku, old)
	c := placeholder.Candidate{SKU: sku, EntityID: id}
	p := e.start(placeholder.PruneOptions{})
	if got := e.remove(p, false, c); got[0] != placeholder.KeepHighest {
		e.Errorf("kept for %q", got[0])
	}
	e.made(e.sku("b"))
	if got := e.remove(p, false, c); got[0] != "" {
		e.Errorf("kept for %q", got[0])
	}
}

func testDry(e *env) {
	c := e.aged("a", "b")
	e.h.AddCart(e, true, c[1].EntityID)
	rows := e.h.Rows(e)
	running := e.start(placeholder.PruneOptions{}) // a real one does not hinder it
	p := e.start(placeholder.PruneOptions{Dry: true})
	want := []placeholder.Keep{"", placeholder.KeepCart}
	if got := e.remove(p, true, c...); !slices.Equal(got, want) {
		e.Errorf("kept for %q, want %q", got, want)
	}
	if got := e.remove(running, true, c...); !slices.Equal(got, want) {
		e.Errorf("kept for %q, want %q", got, want)
	}
	if err := running.Close(); err != nil {
		e.Fatal(err)
	}
	e.stored(c[0].EntityID)
	now := e.h.Rows(e)
	for table, n := range now {
		if n < rows[table] {
			e.Errorf("%s has %d rows, had %d", table, n, rows[table])
		}
	}
}

// testLock: one at a time.
func testLock(e *env) {
	other := e.h.Open(e)
	p := e.start(placeholder.PruneOptions{})
	_, err := other.StartPrune(e.ctx, "other", time.Minute, placeholder.PruneOptions{})
	var locked *placeholder.LockedError
	if !errors.As(err, &locked) || !errors.Is(err, placeholder.ErrLocked) || locked.Holder != "suite" {
		e.Fatalf("a second prune: %v", err)
	}
	if age := time.Since(locked.Since); age < -time.Minute || age > time.Hour {
		e.Errorf("locked since %v", locked.Since)
	}
	if err := p.Renew(e.ctx); err != nil {
		e.Error(err)
	}
	for range 2 {
		if err := p.Close(); err != nil {
			e.Error(err)
		}
	}
	q, err := other.StartPrune(e.ctx, "other", time.Minute, placeholder.PruneOptions{})
	if err != nil {
		e.Fatal(err)
	}
	if err := q.Close(); err != nil {
		e.Error(err)
	}
}

// testFence: a run that slept over its lock's end removes nothing more.
func testFence(e *env) {
	c := e.aged("a")
	slow, err := e.shop.StartPrune(e.ctx, "slow", 2*time.Second, placeholder.PruneOptions{})
	if err != nil {
		e.Fatal(err)
	}
	defer slow.Close()
	var next placeholder.Pruner
	for {
		next, err = e.h.Open(e).StartPrune(e.ctx, "next", time.Minute, placeholder.PruneOptions{})
		if !errors.Is(err, placeholder.ErrLocked) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		e.Fatal(err)
	}
	if _, err := slow.Remove(e.ctx, c, old/2, false); !errors.Is(err, placeholder.ErrFenced) {
		e.Errorf("removing with a lost lock: %v", err)
	}
	if err := slow.Renew(e.ctx); !errors.Is(err, placeholder.ErrFenced) {
		e.Errorf("renewing a lost lock: %v", err)
	}
	if err := slow.Close(); err != nil {
		e.Error(err)
	}
	e.stored(c[0].EntityID)
	// Closing the lost one gave up nobody else's lock.
	if got := e.remove(next, false, c...); got[0] != "" {
		e.Errorf("kept for %q", got[0])
	}
	if err := next.Close(); err != nil {
		e.Error(err)
	}
}

// sweepAged removes what other tests of this package aged, so that counts are
// this test's own.
func (e *env) sweepAged() {
	e.Helper()
	if _, err := placeholder.Prune(e.ctx, e.shop, placeholder.PruneConfig{UnusedFor: old / 2}); err != nil {
		e.Fatal(err)
	}
}

func testByAge(e *env) {
	e.sweepAged()
	c := e.aged("a", "b", "c")
	cart := e.h.AddCart(e, true, c[1].EntityID)
	for _, dry := range []bool{true, false} {
		r, err := placeholder.Prune(e.ctx, e.shop, placeholder.PruneConfig{UnusedFor: old / 2, Dry: dry})
		if err != nil {
			e.Fatal(err)
		}
		if r.Removed != 2 || r.Kept[placeholder.KeepCart] < 1 || !r.Finished || r.Dry != dry || r.Looked < 3 || r.Before < 3 {
			e.Errorf("report %+v", r)
		}
	}
	e.gone(c[0])
	e.gone(c[2])
	e.stored(c[1].EntityID)
	if lines, recollect := e.h.Cart(e, cart); !slices.Equal(lines, []int64{c[1].EntityID}) || recollect {
		e.Errorf("the cart holds %v, recollect %v", lines, recollect)
	}
	// What is younger than the age stays, and what is within the grace, too.
	young := e.aged("young")[0]
	if r, err := placeholder.Prune(e.ctx, e.shop, placeholder.PruneConfig{UnusedFor: 2 * old}); err != nil || r.Removed != 0 {
		e.Errorf("removed %d, %v", r.Removed, err)
	}
	if r, err := placeholder.Prune(e.ctx, e.shop, placeholder.PruneConfig{UnusedFor: time.Second, Grace: 2 * old}); err != nil || r.Removed != 0 {
		e.Errorf("removed %d within the grace time, %v", r.Removed, err)
	}
	e.stored(young.EntityID)
}

func testByCount(e *env) {
	e.sweepAged()
	c := e.aged("a", "b", "c", "d")
	counts, err := e.shop.Counts(e.ctx)
	if err != nil {
		e.Fatal(err)
	}
	r, err := placeholder.Prune(e.ctx, e.shop, placeholder.PruneConfig{ByCount: true, Keep: counts.Live - 2})
	if err != nil || r.Removed != 2 {
		e.Fatalf("removed %d, want 2: %v", r.Removed, err)
	}
	e.gone(c[0]) // the least recently used
	e.gone(c[1])
	e.stored(c[2].EntityID)
	e.stored(c[3].EntityID)
	r, err = placeholder.Prune(e.ctx, e.shop, placeholder.PruneConfig{ByCount: true})
	if err != nil || r.Removed != 2 {
		e.Errorf("removed %d, want the 2 that are old enough: %v", r.Removed, err)
	}
}

// testAgain: what prune removed comes back as a new product.
func testAgain(e *env) {
	c := e.aged("a")[0]
	p := e.start(placeholder.PruneOptions{})
	if got := e.remove(p, false, c); got[0] != "" {
		e.Fatalf("kept for %q", got[0])
	}
	if got := e.remove(p, false, c); got[0] != placeholder.KeepGone {
		e.Errorf("a second time: kept for %q", got[0])
	}
	again := e.product(c.SKU, plain)
	r := e.ensure(again, placeholder.Created)
	if r.EntityID == c.EntityID {
		e.Errorf("the entity id %d was given again", c.EntityID)
	}
	e.is(r.EntityID, again)
	e.buyable(r.EntityID, "base", true)
	if got := e.remove(p, false, c); got[0] != placeholder.KeepGone {
		e.Errorf("the old one of the two: kept for %q", got[0])
	}
	e.stored(r.EntityID)
}
