package placeholder_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/placeholder"
	"catalog/placeholder/memshop"
)

var noon = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

// made makes a placeholder of JSON texts.
func made(t *testing.T, info placeholder.Info, rules placeholder.Rules, doc, prices, stock string) placeholder.Made {
	t.Helper()
	rec := placeholder.Records{SKU: "A"}
	if doc != "-" {
		rec.Document = catalog.Value(strings.TrimSuffix(`{"sku":"A",`+doc, ",") + "}")
	}
	if prices != "" {
		rec.Price = catalog.Value(`{"sku":"A","prices":[` + prices + `]}`)
	}
	if stock != "" {
		rec.Stock = catalog.Value(`{"sku":"A",` + stock + `}`)
	}
	return placeholder.Make(&info, rules, rec, noon)
}

// show lists a product's values, websites and tiers.
func show(p placeholder.Product) string {
	var b strings.Builder
	for _, v := range p.Values {
		if v.Attribute != "status" && v.Attribute != "visibility" {
			fmt.Fprintf(&b, "%s[%d]=%s ", v.Attribute, v.Store, v.Text)
		}
	}
	fmt.Fprintf(&b, "sites%v", p.Websites)
	for _, t := range p.Tiers {
		who := "all"
		if !t.AllGroup {
			who = fmt.Sprint("group", t.Group)
		}
		fmt.Fprintf(&b, " tier(%d %s %s=%s)", t.Website, who, t.Qty, t.Price)
	}
	return b.String()
}

func TestMakeVerdicts(t *testing.T) {
	const price = `{"price":9.99}`
	for _, c := range []struct {
		name               string
		doc, prices, stock string
		status             placeholder.Status
		reason             placeholder.Reason
	}{
		{"plain", ``, price, ``, "", ""},
		{"not in the catalog", "-", price, ``, placeholder.Unknown, ""},
		{"disabled", `"status":"disabled"`, price, ``, placeholder.Disabled, ""},
		{"no price record", ``, ``, ``, placeholder.Refused, placeholder.ReasonNoPrice},
		{"no entry", ``, `{"currency":"EUR"}`, ``, placeholder.Refused, placeholder.ReasonNoPrice},
		{"price 0", ``, `{"price":0.00}`, ``, placeholder.Refused, placeholder.ReasonNoPrice},
		{"price that rounds to 0", ``, `{"price":0.0000001}`, ``, placeholder.Refused, placeholder.ReasonNoPrice},
		{"price 0 with special", ``, `{"price":0,"special_price":5}`, ``, placeholder.Refused, placeholder.ReasonNoPrice},
		{"another currency", ``, `{"price":5,"currency":"CHF"}`, ``, placeholder.Refused, placeholder.ReasonNoPrice},
		{"a customer's list", ``, `{"price":5,"list":"acme"}`, ``, placeholder.Refused, placeholder.ReasonNoPrice},
		{"a group alone", ``, `{"price":5,"group":"wholesale"}`, ``, placeholder.Refused, placeholder.ReasonNoPrice},
		{"virtual", `"type":"virtual"`, price, ``, "", ""},
		{"configurable", `"type":"configurable"`, price, ``, placeholder.Refused, placeholder.ReasonParent},
		{"variants without type", `"variants":["B"]`, price, ``, placeholder.Refused, placeholder.ReasonParent},
		{"bundle", `"type":"bundle"`, price, ``, placeholder.Refused, placeholder.ReasonType},
		{"elsewhere", `"websites":["mars"]`, price, ``, placeholder.Refused, placeholder.ReasonWebsite},
		{"nowhere", `"websites":[]`, price, ``, placeholder.Refused, placeholder.ReasonWebsite},
		{"website without price", `"websites":["second"]`, price, ``, placeholder.Refused, placeholder.ReasonNoPrice},
		{"unknown tax class", `"tax_class":"luxury"`, price, ``, placeholder.Refused, placeholder.ReasonTaxClass},
		{"out of stock", ``, price, `"in_stock":false`, placeholder.Refused, placeholder.ReasonSoldOut},
		{"nothing left", ``, price, `"qty":0`, placeholder.Refused, placeholder.ReasonSoldOut},
		{"less than nothing", ``, price, `"qty":-3`, placeholder.Refused, placeholder.ReasonSoldOut},
		{"backorders", ``, price, `"qty":0,"in_stock":false,"backorders":true`, "", ""},
		{"not managed", ``, price, `"qty":0,"in_stock":false,"manage":false`, "", ""},
		{"some left", ``, price, `"qty":0.5`, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := made(t, memshop.DefaultInfo(), placeholder.Rules{}, c.doc, c.prices, c.stock)
			if m.Status != c.status || m.Reason != c.reason {
				t.Fatalf("%s %s (%s), want %s %s", m.Status, m.Reason, m.Detail, c.status, c.reason)
			}
			if retired := m.Status != "" && m.Reason != placeholder.ReasonSoldOut; m.Product.Retired != retired || m.Product.SKU != "A" || m.Product.Hash.IsZero() {
				t.Errorf("product %+v", m.Product)
			}
			if m.Reason == placeholder.ReasonSoldOut && (m.Product.Stock.InStock || len(m.Product.Values) == 0) {
				t.Errorf("a sold-out product is %+v", m.Product)
			}
		})
	}
}

func TestMakePrices(t *testing.T) {
	const rest = "name[0]=A "
	for _, c := range []struct{ name, prices, want string }{
		{"one currency", `{"price":9.99}`, "price[0]=9.990000 tax_class_id[0]=2 sites[1]"},
		{"both currencies", `{"price":9.99},{"price":12,"currency":"USD"}`, "price[0]=9.990000 price[3]=12.000000 tax_class_id[0]=2 sites[1 2]"},
		{"the same amount", `{"price":9.99},{"price":9.99,"currency":"USD"}`, "price[0]=9.990000 tax_class_id[0]=2 sites[1 2]"},
		{"website", `{"price":9},{"price":8,"website":"base"}`, "price[0]=8.000000 tax_class_id[0]=2 sites[1]"},
		{"store", `{"price":9},{"price":8,"store":"de"}`, "price[0]=9.000000 price[2]=8.000000 tax_class_id[0]=2 sites[1]"},
		{"only the other website", `{"price":12,"website":"second"}`, "price[0]=12.000000 tax_class_id[0]=2 sites[2]"},
		{"text and exponent", `{"price":"1.5e2"}`, "price[0]=150.000000 tax_class_id[0]=2 sites[1]"},
		{"rounding", `{"price":0.1234565}`, "price[0]=0.123457 tax_class_id[0]=2 sites[1]"},
		{
			"special with days", `{"price":9,"special_price":7,"special_from":"2026-01-01","special_to":"2026-02-01"}`,
			"price[0]=9.000000 special_from_date[0]=2026-01-01 00:00:00 special_price[0]=7.000000 special_to_date[0]=2026-02-01 00:00:00 tax_class_id[0]=2 sites[1]",
		},
		{
			"special in its time", `{"price":9,"special_price":7,"special_from":"2026-06-15T11:59:00Z","special_to":"2026-06-15T12:01:00Z"}`,
			"price[0]=9.000000 special_price[0]=7.000000 special_to_date[0]=2026-06-15 00:00:00 tax_class_id[0]=2 sites[1]",
		},
		{"special too early", `{"price":9,"special_price":7,"special_from":"2026-06-15T12:00:01Z"}`, "price[0]=9.000000 tax_class_id[0]=2 sites[1]"},
		{"special too late", `{"price":9,"special_price":7,"special_to":"2026-06-15T14:00:00+02:00"}`, "price[0]=9.000000 tax_class_id[0]=2 sites[1]"},
		{"special until when", `{"price":9,"special_price":7,"special_to":"whenever"}`, "price[0]=9.000000 tax_class_id[0]=2 sites[1]"},
		{"special 0", `{"price":9,"special_price":0}`, "price[0]=9.000000 tax_class_id[0]=2 sites[1]"},
		{
			"tiers", `{"price":9,"tiers":[{"qty":10,"price":7},{"qty":5,"percent":10},{"qty":0,"price":1},{"qty":20,"price":0}]}`,
			"price[0]=9.000000 tax_class_id[0]=2 sites[1] tier(0 all 5.0000=8.100000) tier(0 all 10.0000=7.000000)",
		},
		{
			"groups", `{"price":9},{"group":"wholesale","price":6,"tiers":[{"qty":3,"price":5}]},{"group":"nobody","price":1}`,
			"price[0]=9.000000 tax_class_id[0]=2 sites[1] tier(0 group2 1.0000=6.000000) tier(0 group2 3.0000=5.000000)",
		},
		{
			"tiers per website", `{"price":9,"tiers":[{"qty":5,"price":8}]},{"currency":"USD","price":12}`,
			"price[0]=9.000000 price[3]=12.000000 tax_class_id[0]=2 sites[1 2] tier(1 all 5.0000=8.000000)",
		},
		{
			"tiers of all", `{"price":9,"tiers":[{"qty":5,"price":8}]},{"currency":"USD","price":12,"tiers":[{"qty":"5.0","price":"8.00"}]}`,
			"price[0]=9.000000 price[3]=12.000000 tax_class_id[0]=2 sites[1 2] tier(1 all 5.0000=8.000000) tier(2 all 5.0000=8.000000)",
		},
		{"cost", `{"price":9,"cost":4}`, "cost[0]=4.000000 price[0]=9.000000 tax_class_id[0]=2 sites[1]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := made(t, memshop.DefaultInfo(), placeholder.Rules{}, ``, c.prices, ``)
			got := strings.Replace(show(m.Product), rest, "", 1)
			if got != c.want {
				t.Errorf("\ngot  %s\nwant %s (%s)", got, c.want, m.Detail)
			}
		})
	}
}

// TestMakeGlobalPrices: a shop without prices per website has one price.
func TestMakeGlobalPrices(t *testing.T) {
	info := memshop.DefaultInfo()
	info.PricePerSite = false
	m := made(t, info, placeholder.Rules{}, ``, `{"price":9,"tiers":[{"qty":5,"price":8}]},{"currency":"USD","price":12}`, ``)
	if got, want := show(m.Product), "name[0]=A price[0]=9.000000 tax_class_id[0]=2 sites[1 2] tier(0 all 5.0000=8.000000)"; got != want {
		t.Errorf("\ngot  %s\nwant %s", got, want)
	}
}

func TestMakeTexts(t *testing.T) {
	info := memshop.DefaultInfo()
	info.Text4Byte = false
	for _, c := range []struct{ name, doc, want string }{
		{"plain", `"name":"Chair"`, "name[0]=Chair"},
		{"no name", `"brand":"x"`, "name[0]=A"},
		{"four bytes", `"name":"🎁 Gift 🎁 card"`, "name[0]=Gift  card"},
		{"only four bytes", `"name":"🎁"`, "name[0]=A"},
		{"control characters", `"name":" a\tb\nc "`, "name[0]=a b c"},
		{"overlay", `"name":"Chair","stores":{"de":{"name":"Stuhl"},"fr":{"name":"Chaise"}}`, "name[0]=Chair name[2]=Stuhl"},
		{"the same overlay", `"name":"Chair","stores":{"de":{"name":"Chair"}}`, "name[0]=Chair"},
		{"an object", `"name":{"default":"Chair","de":"Stuhl"}`, "name[0]=Chair name[2]=Stuhl"},
		{"an object without default", `"name":{"fr":"Chaise","de":"Stuhl"}`, "name[0]=Stuhl"},
		{"long", `"name":"` + strings.Repeat("é", 300) + `"`, "name[0]=" + strings.Repeat("é", 255)},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := made(t, info, placeholder.Rules{}, c.doc, `{"price":1}`, ``)
			var names []string
			for _, v := range m.Product.Values {
				if v.Attribute == "name" {
					names = append(names, fmt.Sprintf("name[%d]=%s", v.Store, v.Text))
				}
			}
			if got := strings.Join(names, " "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestMakeVariant(t *testing.T) {
	parent := catalog.Value(`{"sku":"P","name":"Shirt","type":"configurable","tax_class":"Reduced","weight":2,"attributes":{"color":"blue","size":"L"},"stores":{"de":{"name":"Hemd"}},"websites":["base"],"status":"enabled"}`)
	for _, c := range []struct{ name, variant, want string }{
		{"inherits", `{"sku":"A","attributes":{"size":"M","color":"red"}}`, "color[0]=7 name[0]=Shirt, M, red name[2]=Hemd, M, red price[0]=1.000000 tax_class_id[0]=5 weight[0]=2.000000 sites[1]"},
		{"own", `{"sku":"A","name":"Red shirt","weight":3,"tax_class":"none"}`, "color[0]=8 name[0]=Red shirt price[0]=1.000000 tax_class_id[0]=0 weight[0]=3.000000 sites[1]"},
		{"virtual", `{"sku":"A","name":"Red shirt","type":"virtual"}`, "color[0]=8 name[0]=Red shirt price[0]=1.000000 tax_class_id[0]=5 sites[1]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			info := memshop.DefaultInfo()
			m := placeholder.Make(&info, placeholder.Rules{}, placeholder.Records{
				SKU: "A", Document: parent, Variant: catalog.Value(c.variant), Parent: "P", Price: catalog.Value(`{"prices":[{"price":1}]}`),
			}, noon)
			if got := show(m.Product); got != c.want || m.Status != "" || m.Product.Parent != "P" {
				t.Errorf("\ngot  %s (%s %s)\nwant %s", got, m.Status, m.Detail, c.want)
			}
		})
	}
}

func TestMakeRules(t *testing.T) {
	info := memshop.DefaultInfo()
	info.Attributes["tags"] = placeholder.Attribute{Backend: "varchar", Input: "multiselect", Chars: 255, Options: map[string]int{"new": 3, "eco": 4}}
	info.Attributes["power"] = placeholder.Attribute{Backend: "decimal", Scale: 2}
	info.Attributes["boxed"] = placeholder.Attribute{Backend: "int", Input: "boolean"}
	info.Attributes["since"] = placeholder.Attribute{Backend: "datetime"}
	info.RuleAttributes = []string{"boxed", "color", "power", "since", "tags"}
	for _, c := range []struct {
		name, doc, want string
		categories      []int
	}{
		{"none", `"attributes":{}`, "", nil},
		{
			"all", `"attributes":{"color":"Blue","tags":["eco","New","?"],"power":"7.505","boxed":true},"since":"2026-01-02T03:04:05Z"`,
			"boxed=1 color=8 power=7.51 since=2026-01-02 00:00:00 tags=4,3", nil,
		},
		{"what the shop does not know", `"attributes":{"color":"mauve","boxed":"perhaps","power":"much","since":"soon","tags":{"a":1}}`, "", nil},
		{"category", `"categories":["Men/Shoes"]`, "", []int{12}},
		{"below it, under a root", `"categories":["Root/Men/Shoes/Running",{"path":"Men/Shoes"}]`, "", []int{12}},
		{"another", `"categories":["Men\\/Shoes","Women/Men/Shoes/x/y","Shoes"]`, "", []int{12}},
		{"escaped", `"categories":["Men\\/Shoes"]`, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := made(t, info, placeholder.Rules{}, c.doc, `{"price":1}`, ``)
			var got []string
			for _, v := range m.Product.Values {
				if slices.Contains(info.RuleAttributes, v.Attribute) {
					got = append(got, v.Attribute+"="+v.Text)
				}
			}
			if s := strings.Join(got, " "); s != c.want || !slices.Equal(m.Product.Categories, c.categories) {
				t.Errorf("got %q %v, want %q %v (%s)", s, m.Product.Categories, c.want, c.categories, m.Detail)
			}
		})
	}
}

func TestMakeStock(t *testing.T) {
	for _, c := range []struct {
		stock  string
		manage bool
		want   placeholder.Stock
	}{
		{``, false, placeholder.Stock{InStock: true, Qty: "0.0000"}},
		{``, true, placeholder.Stock{InStock: true, Qty: "0.0000"}},
		{`"qty":5`, false, placeholder.Stock{InStock: true, Qty: "0.0000"}},
		{`"qty":5,"min_qty":2,"max_qty":0`, true, placeholder.Stock{Manage: true, InStock: true, Qty: "5.0000", MinSale: "2.0000"}},
		{`"qty":5,"in_stock":false`, true, placeholder.Stock{Manage: true, Qty: "5.0000"}},
		{`"qty":0,"backorders":1`, true, placeholder.Stock{Manage: true, InStock: true, Backorders: true, Qty: "0.0000"}},
		{`"qty":0,"in_stock":true`, false, placeholder.Stock{InStock: true, Qty: "0.0000"}},
		{`"qty":0,"in_stock":true`, true, placeholder.Stock{Manage: true, Qty: "0.0000"}},
		{`"manage":false,"qty":3`, true, placeholder.Stock{InStock: true, Qty: "0.0000"}},
		{`"in_stock":true`, true, placeholder.Stock{InStock: true, Qty: "0.0000"}},
	} {
		m := made(t, memshop.DefaultInfo(), placeholder.Rules{ManageStock: c.manage}, ``, `{"price":1}`, c.stock)
		if m.Product.Stock != c.want {
			t.Errorf("{%s} managed %v: %+v, want %+v", c.stock, c.manage, m.Product.Stock, c.want)
		}
	}
}

func TestMakeTaxClass(t *testing.T) {
	rules := placeholder.Rules{TaxClasses: map[string]string{"luxury": "taxable goods", "food": "5"}}
	for class, want := range map[string]string{"": "2", "standard": "2", "none": "0", "reduced": "5", "Taxable Goods": "2", "luxury": "2", "food": "5", "5": "5"} {
		m := made(t, memshop.DefaultInfo(), rules, `"tax_class":"`+class+`"`, `{"price":1}`, ``)
		if got := show(m.Product); !strings.Contains(got, "tax_class_id[0]="+want+" ") {
			t.Errorf("%q: %s (%s)", class, got, m.Detail)
		}
	}
}

func TestMakeSKU(t *testing.T) {
	info := memshop.DefaultInfo()
	for sku, want := range map[string]placeholder.Reason{
		strings.Repeat("é", 64): "", strings.Repeat("x", 65): placeholder.ReasonLong, "a🎁": placeholder.ReasonCharset, "a\xff": placeholder.ReasonCharset,
	} {
		if got, _ := placeholder.CheckSKU(&info, sku); got != want {
			t.Errorf("%q: %q, want %q", sku, got, want)
		}
	}
}

// TestHash: equal products have equal hashes, and each part counts.
func TestHash(t *testing.T) {
	hash := func(doc, prices, stock string) placeholder.Hash {
		return made(t, memshop.DefaultInfo(), placeholder.Rules{}, doc, prices, stock).Product.Hash
	}
	base := hash(`"name":"a","weight":1`, `{"price":9.9}`, ``)
	for _, same := range []placeholder.Hash{
		hash(`"weight":"1.00","name":"a","description":"other"`, `{"price":"9.90"}`, ``),
		hash(`"name":"a","weight":1`, `{"price":9.9},{"list":"x","price":1}`, `"qty":4`),
	} {
		if same != base {
			t.Errorf("%s is not %s", same, base)
		}
	}
	seen := map[placeholder.Hash]int{base: -1}
	for i, other := range []placeholder.Hash{
		hash(`"name":"b","weight":1`, `{"price":9.9}`, ``), hash(`"name":"a","weight":2`, `{"price":9.9}`, ``), hash(`"name":"a","weight":1`, `{"price":9.91}`, ``),
		hash(`"name":"a","weight":1`, `{"price":9.9}`, `"qty":0`), hash(`"name":"a","weight":1,"type":"virtual"`, `{"price":9.9}`, ``),
		hash(`"name":"a","weight":1,"categories":"Men/Shoes"`, `{"price":9.9}`, ``), hash(`"name":"a","weight":1`, `{"price":9.9,"tiers":[{"qty":2,"price":1}]}`, ``),
		hash(`"name":"a","weight":1`, `{"price":9.9},{"currency":"USD","price":9.9}`, ``), hash(`"status":"disabled"`, ``, ``),
	} {
		if k, ok := seen[other]; ok {
			t.Errorf("product %d has the hash of %d", i, k)
		}
		seen[other] = i
	}
}

// FuzzMake: whatever a record says, Make answers, always the same, and what it
// makes keeps the contract of Product.
func FuzzMake(f *testing.F) {
	f.Add(`{"sku":"A","name":"Chair","type":"simple","weight":1e3,"attributes":{"color":["red"]},"categories":["a/b"],"stores":{"de":{"name":"x"}}}`, `{"prices":[{"price":"1e5","tiers":[{"qty":2,"percent":50}]}]}`, `{"qty":3}`)
	f.Add(`{"sku":"A","variants":[{"sku":"B"}]}`, `{"prices":[{"price":-1}]}`, `{"in_stock":"false"}`)
	f.Add(`[]`, `{"prices":{"price":1e999999999}}`, `nonsense`)
	f.Fuzz(func(t *testing.T, doc, price, stock string) {
		info := memshop.DefaultInfo()
		rec := placeholder.Records{SKU: "A", Document: catalog.Value(doc), Price: catalog.Value(price), Stock: catalog.Value(stock)}
		m := placeholder.Make(&info, placeholder.Rules{ManageStock: len(doc)%2 == 0}, rec, noon)
		if again := placeholder.Make(&info, placeholder.Rules{ManageStock: len(doc)%2 == 0}, rec, noon); again.Product.Hash != m.Product.Hash {
			t.Fatal("made differently a second time")
		}
		p := m.Product
		if m.Status != "" && m.Reason != placeholder.ReasonSoldOut {
			return
		}
		last := placeholder.Value{}
		for _, v := range p.Values {
			a, ok := info.Attributes[v.Attribute]
			if !ok || v.Text == "" || v.Attribute == last.Attribute && v.Store <= last.Store || v.Attribute < last.Attribute {
				t.Fatalf("value %+v after %+v", v, last)
			}
			if a.Chars > 0 && len([]rune(v.Text)) > a.Chars {
				t.Fatalf("%s has %d characters", v.Attribute, len([]rune(v.Text)))
			}
			if v.Attribute == "price" && (strings.HasPrefix(v.Text, "-") || strings.Trim(v.Text, "0.") == "") {
				t.Fatalf("price %s", v.Text)
			}
			last = v
		}
		if len(p.Websites) == 0 || !slices.IsSorted(p.Websites) {
			t.Fatalf("websites %v", p.Websites)
		}
	})
}
