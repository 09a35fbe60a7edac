package shoptest

import (
	"slices"
	"strings"

	"catalog/placeholder"
)

func spellingTests() []test {
	return []test{
		{"same", testSame},
		{"samebatch", testSameBatch},
		{"merchant", testMerchantSpelling},
		{"length", testLength},
		{"charset", testCharset},
		{"odd", testOdd},
	}
}

// spellings are two SKUs that the collation takes for one.
var spellings = [][2]string{
	{"case-abc", "CASE-ABC"}, {"accent-cafe", "accent-café"}, {"space", "space "}, {"mixed-Ünï", "MIXED-uni"},
}

// testSame: the database decides what is the same SKU.
func testSame(e *env) {
	if !e.h.Traits().Collates {
		return
	}
	for _, pair := range spellings {
		first, second := e.sku(pair[0]), e.sku(pair[1])
		id := e.made(first)
		if f := e.find(second); f.State != placeholder.StateLive || f.EntityID != id || f.Spelling != first {
			e.Errorf("%q: found %+v, want that of %q", second, f, first)
		}
		if strings.HasSuffix(second, " ") {
			continue // no SKU of a catalog ends so
		}
		before := e.stored(id)
		r := e.ensure(e.product(second, priced("1")), placeholder.Refused)
		if r.Reason != placeholder.ReasonAlike || r.EntityID != id || r.Spelling != first {
			e.Errorf("%q: %+v", second, r)
		}
		e.refresh(e.product(second, priced("1")), placeholder.Unknown)
		e.unchanged(id, before)
		if ids := e.h.Same(e, second); !slices.Equal(ids, []int64{id}) {
			e.Errorf("%q: the shop has the products %v", second, ids)
		}
	}
}

// testSameBatch: of two such in one batch the first is made.
func testSameBatch(e *env) {
	if !e.h.Traits().Collates {
		return
	}
	first, second := e.sku("twin"), e.sku("TWIN")
	results := e.ensureAll(e.product(e.sku("before"), plain), e.product(first, plain), e.product(second, priced("1")), e.product(e.sku("after"), plain))
	e.status(results[0], placeholder.Created)
	e.status(results[3], placeholder.Created)
	e.status(results[1], placeholder.Created)
	e.status(results[2], placeholder.Refused)
	if results[2].Reason != placeholder.ReasonAlike {
		e.Errorf("the second is refused for %s", results[2].Reason)
	}
	e.is(results[1].EntityID, e.product(first, plain))
	if ids := e.h.Same(e, second); !slices.Equal(ids, []int64{results[1].EntityID}) {
		e.Errorf("the shop has the products %v", ids)
	}
}

func testMerchantSpelling(e *env) {
	if !e.h.Traits().Collates {
		return
	}
	for _, pair := range spellings[:2] {
		id := e.h.AddProduct(e, e.sku(pair[1]))
		r := e.ensure(e.product(e.sku(pair[0]), plain), placeholder.Foreign)
		if r.EntityID != id || r.Spelling != e.sku(pair[1]) {
			e.Errorf("%q: %+v, want product %d of %q", pair[0], r, id, pair[1])
		}
	}
}

func testLength(e *env) {
	chars := e.shop.Info().SKUChars
	fits := e.sku("")
	fits += strings.Repeat("é", chars-len(fits))
	p := e.product(fits, plain)
	id := e.ensure(p, placeholder.Created).EntityID
	e.is(id, p)
	rows := e.h.Rows(e)
	long := p
	long.SKU += "x"
	if r := e.ensure(long, placeholder.Refused); r.Reason != placeholder.ReasonLong {
		e.Errorf("refused for %s", r.Reason)
	}
	if f := e.find(long.SKU); f.State != placeholder.StateNone {
		e.Errorf("a SKU that is too long is found as %+v", f)
	}
	e.refresh(long, placeholder.Unknown)
	e.sameRows(rows)
	// One that is refused is no harm to its batch.
	results := e.ensureAll(long, e.product(e.sku("ok"), plain))
	e.status(results[0], placeholder.Refused)
	e.status(results[1], placeholder.Created)
}

func testCharset(e *env) {
	p := e.product(e.sku("x"), plain)
	p.SKU = e.sku("🎁")
	info := e.shop.Info()
	if info.SKU4Byte {
		e.ensure(p, placeholder.Created)
		return
	}
	rows := e.h.Rows(e)
	if r := e.ensure(p, placeholder.Refused); r.Reason != placeholder.ReasonCharset {
		e.Errorf("refused for %s", r.Reason)
	}
	if f := e.find(p.SKU); f.State != placeholder.StateNone {
		e.Errorf("found %+v", f)
	}
	if live, err := e.shop.Live(e.ctx, []string{p.SKU}); err != nil || len(live) != 0 {
		e.Errorf("live: %v, %v", live, err)
	}
	e.refresh(p, placeholder.Unknown)
	e.sameRows(rows)
}

// testOdd: SKUs of all kinds go in and come back.
func testOdd(e *env) {
	for _, name := range []string{`a/b/c 12,5`, `15" \ 'Pro'`, `50%_off`, `日本-001`, `-- ; #`, `a?b&c=d`, `Straße`, `0`, ` lead`} {
		sku := e.sku(name)
		p := e.product(sku, plain)
		r := e.ensure(p, placeholder.Created)
		e.is(r.EntityID, p)
		if f := e.find(sku); f.State != placeholder.StateLive || f.Spelling != sku || f.EntityID != r.EntityID {
			e.Errorf("%q: found %+v", sku, f)
		}
		if live, err := e.shop.Live(e.ctx, []string{sku}); err != nil || !slices.Equal(live, []string{sku}) {
			e.Errorf("%q: live are %q, %v", sku, live, err)
		}
	}
}
