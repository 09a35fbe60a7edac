package indexer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"catalog/catalog"
)

func TestLivePrices(t *testing.T) {
	m := mapperOf(t, testViews)
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct{ name, price, now, want string }{
		{"one price", `{"price":9.9}`, "", "EUR 9.90"},
		{"no price of 0", `{"price":0}`, "", ""},
		{"fractions", `{"price":"0.00005"}`, "", "EUR 0.0001"},
		{"much too much", `{"price":1e300}`, "", ""},
		{"msrp is nothing", `{"price":5,"msrp":9}`, "", "EUR 5.00"},
		{"special", `{"price":9,"special_price":7}`, "", "EUR 7.00<9.00"},
		{"special that is more", `{"price":9,"special_price":12}`, "", "EUR 9.00"},
		{"special alone", `{"special_price":7}`, "", "EUR 7.00"},
		{"before", `{"price":9,"special_price":7,"special_from":"2026-06-02"}`, "2026-06-01T23:59:59Z", "EUR 9.00 until 2026-06-02T00:00:00Z"},
		{"the first second", `{"price":9,"special_price":7,"special_from":"2026-06-02"}`, "2026-06-02T00:00:00Z", "EUR 7.00<9.00"},
		{"the last second", `{"price":9,"special_price":7,"special_to":"2026-06-02"}`, "2026-06-02T23:59:59Z", "EUR 7.00<9.00 until 2026-06-03T00:00:00Z"},
		{"after", `{"price":9,"special_price":7,"special_to":"2026-06-02"}`, "2026-06-03T00:00:00Z", "EUR 9.00"},
		{"an instant", `{"price":9,"special_price":7,"special_to":"2026-06-02T10:00:00+02:00"}`, "2026-06-02T08:00:00Z", "EUR 7.00<9.00 until 2026-06-02T08:00:01Z"},
		{"after an instant", `{"price":9,"special_price":7,"special_to":"2026-06-02T10:00:00+02:00"}`, "2026-06-02T08:00:01Z", "EUR 9.00"},
		{"as Magento writes dates", `{"price":9,"special_price":7,"special_from":"2026-06-02 10:00:00"}`, "2026-06-02T09:00:00Z", "EUR 9.00 until 2026-06-02T10:00:00Z"},
		{"a date that is none", `{"price":9,"special_price":7,"special_to":"soon"}`, "", "EUR 9.00"},
		{"dates the wrong way round", `{"price":9,"special_price":7,"special_from":"2026-07-01","special_to":"2026-06-15"}`, "", "EUR 9.00"},
		{"a tier of one", `{"price":9,"tiers":[{"qty":1,"price":8},{"qty":10,"price":5}]}`, "", "EUR 8.00<9.00"},
		{"a tier in percent", `{"price":9,"tiers":[{"qty":1,"percent":10}]}`, "", "EUR 8.10<9.00"},
		{"a group's tier", `{"price":9,"tiers":[{"qty":1,"price":8,"group":"vip"}]}`, "", "EUR 9.00; EUR/vip 8.00<9.00"},
		{"a group", `{"prices":[{"price":9},{"price":7,"group":"vip"}]}`, "", "EUR 9.00; EUR/vip 7.00"},
		{"a group pays no more than all", `{"prices":[{"price":9,"special_price":6},{"price":7,"group":"vip"}]}`, "", "EUR 6.00<9.00; EUR/vip 6.00<7.00"},
		{"a list replaces", `{"prices":[{"price":9},{"price":11,"list":"acme"}]}`, "", "EUR 9.00; EUR//acme 11.00"},
		{"a website", `{"prices":[{"price":9},{"price":8,"website":"eu"},{"price":10,"website":"us"}]}`, "", "EUR 9.00; EUR@eu 8.00; USD@us 10.00"},
		{"a group in websites", `{"prices":[{"price":9},{"price":5,"website":"eu"},{"price":7,"group":"vip"}]}`, "", "EUR 9.00; EUR/vip 7.00; EUR@eu 5.00; EUR@eu/vip 5.00"},
		{"a store", `{"prices":[{"price":9},{"price":8,"store":"us"}]}`, "", "EUR 9.00; USD@@us 8.00"},
		{"two currencies", `{"prices":[{"price":9},{"price":10,"currency":"USD"}]}`, "", "EUR 9.00; USD 10.00"},
		{"the last of two", `{"prices":[{"price":9},{"price":8}]}`, "", "EUR 8.00"},
	} {
		now := june
		if c.now != "" {
			now = at(c.now)
		}
		r := records{}
		r.read(t, catalog.KindPrice, `{"sku":"A",`+c.price[1:])
		l := m.Live(r.get(catalog.KindPrice, "A"), nil, now)
		if got := showLive(l); got != c.want {
			t.Errorf("%s: %s\n got %s\nwant %s", c.name, c.price, got, c.want)
		}
		// What Next says is when it changes: not a second earlier.
		if !l.Next.IsZero() {
			before, after := m.Live(r.get(catalog.KindPrice, "A"), nil, l.Next.Add(-time.Second)), m.Live(r.get(catalog.KindPrice, "A"), nil, l.Next)
			if fmt.Sprint(before.Prices) != fmt.Sprint(l.Prices) || fmt.Sprint(after.Prices) == fmt.Sprint(l.Prices) {
				t.Errorf("%s: at %s %v, a second before %v, first %v", c.name, l.Next, after.Prices, before.Prices, l.Prices)
			}
		}
	}
}

func showLive(l Live) string {
	var out []string
	for _, p := range l.Prices {
		s := p.Scope.Currency
		if p.Scope.Website != "" {
			s += "@" + p.Scope.Website
		}
		if p.Scope.Group != "" || p.Scope.List != "" {
			s += "/" + p.Scope.Group
		}
		if p.Scope.List != "" {
			s += "/" + p.Scope.List
		}
		s += " " + p.Amount.String()
		if p.Regular != p.Amount {
			s += "<" + p.Regular.String()
		}
		out = append(out, s)
	}
	s := strings.Join(out, "; ")
	if !l.Next.IsZero() {
		s += " until " + l.Next.Format(time.RFC3339)
	}
	return s
}

// TestLiveScopes asks as customers do: who sees which price.
func TestLiveScopes(t *testing.T) {
	stores, err := ParseStores([]byte(testViews), "")
	if err != nil {
		t.Fatal(err)
	}
	s := newShop(stores, NewTree(), nil, new(Settings))
	r := records{}
	r.read(t, catalog.KindPrice, `{"sku":"A","prices":[{"price":20},{"price":18,"website":"eu"},{"price":15,"group":"vip"},{"price":22,"currency":"USD"},{"price":17,"store":"de"},{"price":30,"list":"acme"},{"price":31,"list":"acme","group":"vip"}]}`)
	u := Unit{SKU: "A", Live: s.Mapper().Live(r.get(catalog.KindPrice, "A"), nil, june)}
	for _, c := range []struct {
		view View
		want string
	}{
		{View{}, "18.00"},
		{View{Store: "de"}, "17.00"},
		{View{Group: "vip"}, "15.00"},
		{View{Store: "de", Group: "vip"}, "15.00"},
		{View{Group: "unknown"}, "18.00"},
		{View{Store: "us"}, "22.00"},
		{View{Currency: "USD"}, "22.00"},
		{View{Currency: "GBP"}, ""},
		{View{Lists: []string{"none", "acme"}}, "30.00"},
		{View{Lists: []string{"acme"}, Group: "vip"}, "31.00"},
	} {
		p, err := s.Prepare(Query{View: c.view}, june)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if pr, ok := p.PriceOf(&u); ok {
			got = pr.Amount.String()
		}
		if got != c.want {
			t.Errorf("%+v pays %q, want %q", c.view, got, c.want)
		}
	}
}

// TestLiveWithoutSettings: a shop that says nothing of currencies finds the
// prices of its feed all the same.
func TestLiveWithoutSettings(t *testing.T) {
	stores, err := ParseStores(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	s := newShop(stores, NewTree(), nil, new(Settings))
	for price, want := range map[string]string{`{"sku":"A","price":5}`: "5.00", `{"sku":"A","price":5,"currency":"EUR"}`: "5.00"} {
		r := records{}
		r.read(t, catalog.KindPrice, price)
		u := Unit{Live: s.Mapper().Live(r.get(catalog.KindPrice, "A"), nil, june)}
		for _, v := range []View{{}, {Currency: "EUR"}} {
			p, err := s.Prepare(Query{View: v}, june)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := p.PriceOf(&u); got.Amount.String() != want {
				t.Errorf("%s, asked in %q: %s, want %s", price, v.Currency, got.Amount, want)
			}
		}
	}
}

func TestSalable(t *testing.T) {
	for stock, want := range map[string]bool{
		``:                                    true,
		`{"qty":1}`:                           true,
		`{"qty":0}`:                           false,
		`{"qty":-1}`:                          false,
		`{"qty":0.5}`:                         true,
		`{"in_stock":false,"qty":5}`:          false,
		`{"in_stock":true,"qty":0}`:           true,
		`{"qty":0,"backorders":1}`:            true,
		`{"qty":0,"backorders":0}`:            false,
		`{"in_stock":false,"backorders":"2"}`: true,
		`{"qty":0,"manage":false}`:            true,
		`{"qty":2,"out_of_stock_qty":3}`:      false,
		`{"sources":[{"source":"a","qty":0},{"source":"b","qty":2}]}`: true,
		`{"sources":[{"source":"a","qty":0}]}`:                        false,
		`{"sku":"A"}`:                                                 true,
	} {
		if got := salable([]byte(stock)); got != want {
			t.Errorf("%s: %v, want %v", stock, got, want)
		}
	}
}

func TestVariantsInherit(t *testing.T) {
	m := mapperOf(t, "")
	r := records{}
	sku := r.read(t, catalog.KindProduct, `{"sku":"P","price":10,"stock":{"in_stock":false},"variants":[{"sku":"P-1"},{"sku":"P-2","price":12,"qty":3}]}`)
	d := m.Map(r.source(sku), june)[0]
	if got := showLive(d.Units[0].Live) + fmt.Sprint(d.Units[0].Live.InStock); got != " 10.00false" {
		t.Errorf("the first has %s, not what its product has", got)
	}
	if got := showLive(d.Units[1].Live) + fmt.Sprint(d.Units[1].Live.InStock); got != " 12.00true" {
		t.Errorf("the second has %s", got)
	}
}

func FuzzAmount(f *testing.F) {
	for _, s := range []string{"1", "0.00005", "1e3", "99999999999999999999", "1.", ".5", "-1", "1e-400", "1.23456789"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, ok := parseAmount(b); ok && (a < 0 || a > maxAmount) {
			t.Fatalf("%q: %d", b, a)
		}
	})
}
