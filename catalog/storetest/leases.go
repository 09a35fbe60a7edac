package storetest

import (
	"errors"
	"fmt"
	"time"

	"catalog/catalog"
)

func leasePromises() []promise {
	return []promise{
		{"OneHolder", leaseOneHolder},
		{"LeasedErrorSaysWho", leasedError},
		{"NamesAreApart", leaseNames},
		{"Expires", leaseExpires},
		{"RenewProlongs", leaseRenew},
		{"ReleaseFrees", leaseRelease},
		{"LostIsFenced", leaseLost},
		{"HolderMayTakeItAgain", leaseAgain},
		{"TokensGrow", leaseTokens},
		{"Listed", leasesListed},
		{"OneOfMany", leaseOneOfMany},
	}
}

// short is the time of leases that a test lets expire.
const short = 60 * time.Millisecond

func (e *env) acquire(name, holder string, ttl time.Duration) catalog.LeaseInfo {
	e.Helper()
	l, err := e.s.Acquire(e.ctx, name, holder, ttl)
	e.ok(err)
	return l
}

// takeOver acquires a lease when the one before has expired.
func (e *env) takeOver(name, holder string) catalog.LeaseInfo {
	e.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(short / 20) {
		l, err := e.s.Acquire(e.ctx, name, holder, time.Hour)
		if err == nil {
			return l
		}
		e.is(err, catalog.ErrLeased)
	}
	e.Fatalf("the lease does not expire in %v", patience)
	return catalog.LeaseInfo{}
}

func leaseOneHolder(e *env) {
	a := e.acquire("import", "a", time.Hour)
	if a.Name != "import" || a.Holder != "a" || a.Token == 0 {
		e.Errorf("the lease is %+v", a)
	}
	if d := a.Expires.Sub(a.Since); d < time.Hour-time.Minute || d > time.Hour+time.Minute {
		e.Errorf("the lease is for %v, want an hour", d)
	}
	_, err := e.s.Acquire(e.ctx, "import", "b", time.Hour)
	e.is(err, catalog.ErrLeased)
	e.ok(e.s.Renew(e.ctx, a.Fence, time.Hour))
}

func leasedError(e *env) {
	a := e.acquire("import", "catalog import, pid 7 on host", time.Hour)
	_, err := e.s.Acquire(e.ctx, "import", "b", time.Hour)
	var leased *catalog.LeasedError
	if !errors.As(err, &leased) {
		e.Fatalf("the error is %v, want a LeasedError", err)
	}
	if leased.Name != a.Name || leased.Holder != a.Holder || leased.Since.Sub(a.Since).Abs() > time.Second {
		e.Errorf("the error says %+v, the lease is %+v", leased.LeaseInfo, a)
	}
}

func leaseNames(e *env) {
	a := e.acquire("import", "a", time.Hour)
	b := e.acquire("import/x", "b", time.Hour)
	c := e.acquire("impor", "c", time.Hour)
	e.ok(e.s.Release(e.ctx, b.Fence))
	e.ok(e.s.Renew(e.ctx, a.Fence, time.Hour))
	e.ok(e.s.Renew(e.ctx, c.Fence, time.Hour))
	e.is(e.s.Renew(e.ctx, catalog.Fence{Name: "impor", Token: a.Token}, time.Hour), catalog.ErrFenced)
}

func leaseExpires(e *env) {
	start := time.Now()
	a := e.acquire("import", "a", short)
	b := e.takeOver("import", "b")
	if waited := time.Since(start); waited < short-short/10 {
		e.Errorf("taken over after %v, it was for %v", waited, short)
	}
	if b.Token <= a.Token || b.Holder != "b" {
		e.Errorf("the lease %+v comes after %+v", b, a)
	}
	e.is(e.s.Renew(e.ctx, a.Fence, time.Hour), catalog.ErrFenced)
	e.is(e.s.Release(e.ctx, a.Fence), catalog.ErrFenced)
	e.ok(e.s.Renew(e.ctx, b.Fence, time.Hour))
}

func leaseRenew(e *env) {
	a := e.acquire("import", "a", time.Minute)
	e.ok(e.s.Renew(e.ctx, a.Fence, time.Hour))
	e.ok(e.s.Renew(e.ctx, a.Fence, time.Hour)) // the fence stays the same
	got, err := e.s.Leases(e.ctx)
	e.ok(err)
	if len(got) != 1 || got[0].Fence != a.Fence || time.Until(got[0].Expires) < 50*time.Minute {
		e.Errorf("the leases are %+v", got)
	}
	// Renew also shortens: the time counts from now.
	e.ok(e.s.Renew(e.ctx, a.Fence, short))
	e.takeOver("import", "b")
}

func leaseRelease(e *env) {
	a := e.acquire("import", "a", time.Hour)
	e.ok(e.s.Release(e.ctx, a.Fence))
	if got, err := e.s.Leases(e.ctx); err != nil || len(got) != 0 {
		e.Errorf("the leases are %v, %v", got, err)
	}
	b := e.acquire("import", "b", time.Hour)
	e.is(e.s.Release(e.ctx, a.Fence), catalog.ErrFenced)
	e.is(e.s.Renew(e.ctx, a.Fence, time.Hour), catalog.ErrFenced)
	e.ok(e.s.Renew(e.ctx, b.Fence, time.Hour))
}

// leaseLost: an expired lease is lost even if nobody took it.
func leaseLost(e *env) {
	a := e.acquire("import", "a", short)
	e.expired(a)
	e.is(e.s.Renew(e.ctx, a.Fence, time.Hour), catalog.ErrFenced)
	e.is(e.s.Release(e.ctx, a.Fence), catalog.ErrFenced)
	e.is(e.s.Renew(e.ctx, catalog.Fence{Name: "nobody has it", Token: 1}, time.Hour), catalog.ErrFenced)
	e.is(e.s.Release(e.ctx, catalog.Fence{Name: "nobody has it", Token: 1}), catalog.ErrFenced)
}

// expired returns when a lease is no longer listed.
func (e *env) expired(l catalog.LeaseInfo) {
	e.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(short / 20) {
		leases, err := e.s.Leases(e.ctx)
		e.ok(err)
		held := false
		for _, info := range leases {
			held = held || info.Fence == l.Fence
		}
		if !held {
			return
		}
	}
	e.Fatalf("the lease is still listed after %v", patience)
}

// leaseAgain: the same holder is not "another holder"; its former acquisition
// is fenced like that of any other.
func leaseAgain(e *env) {
	a := e.acquire("import", "a", time.Hour)
	b := e.acquire("import", "a", time.Hour)
	if b.Token <= a.Token {
		e.Errorf("the token %d comes after %d", b.Token, a.Token)
	}
	e.is(e.s.Renew(e.ctx, a.Fence, time.Hour), catalog.ErrFenced)
	e.ok(e.s.Renew(e.ctx, b.Fence, time.Hour))
}

func leaseTokens(e *env) {
	last := uint64(0)
	for i := range 20 {
		l := e.acquire("import", fmt.Sprint(i), time.Hour)
		if l.Token <= last {
			e.Fatalf("the token %d comes after %d", l.Token, last)
		}
		last = l.Token
		e.ok(e.s.Release(e.ctx, l.Fence))
	}
}

func leasesListed(e *env) {
	e.acquire("z", "one", time.Hour)
	e.acquire("a", "two", time.Hour)
	gone := e.acquire("m", "three", short)
	e.acquire("a/b", "four", time.Hour)
	e.expired(gone)
	got, err := e.s.Leases(e.ctx)
	e.ok(err)
	var names []string
	for _, l := range got {
		names = append(names, l.Name+" "+l.Holder)
	}
	equal(e, "leases", names, []string{"a two", "a/b four", "z one"})
}

func leaseOneOfMany(e *env) {
	const n = 10
	won := make([]catalog.LeaseInfo, n)
	e.ok(together(n, func(i int) error {
		l, err := e.s.Acquire(e.ctx, "import", fmt.Sprint(i), time.Hour)
		if errors.Is(err, catalog.ErrLeased) {
			return nil
		}
		won[i] = l
		return err
	}))
	winners := 0
	for _, l := range won {
		if l.Token != 0 {
			winners++
			e.ok(e.s.Renew(e.ctx, l.Fence, time.Hour))
		}
	}
	if winners != 1 {
		e.Errorf("%d holders of one lease", winners)
	}
}
