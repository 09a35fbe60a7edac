package indexer

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/fixtures"
)

var june = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

const testViews = `{"default":{"language":"en","currency":"EUR","website":"eu"},"de":{"language":"de","website":"eu"},"us":{"language":"en","currency":"USD","website":"us"}}`

func mapperOf(t testing.TB, views string) *Mapper {
	t.Helper()
	stores, err := ParseStores([]byte(views), "")
	if err != nil {
		t.Fatal(err)
	}
	return NewMapper(stores, NewTree(), nil)
}

// mapped returns the documents of the first of some records.
func mapped(t testing.TB, m *Mapper, lines ...string) []*Document {
	t.Helper()
	r := records{}
	for _, l := range lines[1:] {
		r.read(t, catalog.KindProduct, l)
	}
	sku := r.read(t, catalog.KindProduct, lines[0])
	docs := m.Map(r.source(sku), june)
	for _, d := range docs {
		checkDocument(t, d)
	}
	return docs
}

// checkDocument checks what Document promises of itself.
func checkDocument(t testing.TB, d *Document) {
	t.Helper()
	sorted := func(what string, n int, less func(i, j int) bool) {
		for i := 1; i < n; i++ {
			if !less(i-1, i) {
				t.Errorf("%s: %s are not sorted or repeat at %d", d.SKU, what, i)
			}
		}
	}
	attrs := func(what string, list []Attr) {
		sorted(what, len(list), func(i, j int) bool { return list[i].Name < list[j].Name })
		for _, a := range list {
			sorted(a.Name, len(a.Values), func(i, j int) bool { return a.Values[i].Text < a.Values[j].Text })
			if len(a.Values) == 0 || len(a.Name) > MaxValue {
				t.Errorf("%s: attribute %.40q with %d values", d.SKU, a.Name, len(a.Values))
			}
			for _, v := range a.Values {
				if v.Text == "" || len(v.Text) > MaxValue || v.Num-v.Num != 0 {
					t.Errorf("%s: %s has %+v", d.SKU, a.Name, v)
				}
			}
		}
	}
	if len(d.Stores) == 0 || len(d.Units) == 0 || !d.Search && !d.Browse {
		t.Errorf("%s: nobody sees %+v", d.SKU, d)
	}
	sorted("stores", len(d.Stores), func(i, j int) bool { return d.Stores[i] < d.Stores[j] })
	sorted("words", len(d.Words), func(i, j int) bool { return d.Words[i].Term < d.Words[j].Term })
	sorted("categories", len(d.Categories), func(i, j int) bool { return d.Categories[i].ID < d.Categories[j].ID })
	sorted("units", len(d.Units), func(i, j int) bool { return d.Units[i].SKU < d.Units[j].SKU })
	attrs("attributes", d.Attrs)
	for _, w := range d.Words {
		if w.Term == "" || len(w.Term) > MaxTerm || len(w.Stem) > MaxTerm || w.Class >= NumClasses {
			t.Errorf("%s: word %+v", d.SKU, w)
		}
	}
	for _, u := range d.Units {
		attrs(u.SKU, u.Attrs)
		sorted("unit's stores", len(u.Stores), func(i, j int) bool { return u.Stores[i] < u.Stores[j] })
		sorted("prices", len(u.Live.Prices), func(i, j int) bool { return u.Live.Prices[i].Scope.Compare(u.Live.Prices[j].Scope) < 0 })
		for _, p := range u.Live.Prices {
			if p.Amount <= 0 || p.Regular < p.Amount {
				t.Errorf("%s: price %+v", u.SKU, p)
			}
		}
	}
}

// show writes a document in short.
func show(docs []*Document) string {
	var b strings.Builder
	for _, d := range docs {
		fmt.Fprintf(&b, "[%s|%s]", cmp.Or(d.View, "-"), strings.Join(d.Stores, ","))
		fmt.Fprintf(&b, " %s {%s}", d.Name, showAttrs(d.Attrs))
		for _, u := range d.Units {
			fmt.Fprintf(&b, " %s", u.SKU)
			if u.Stores != nil {
				fmt.Fprintf(&b, "@%s", strings.Join(u.Stores, ","))
			}
			fmt.Fprintf(&b, "{%s}", showAttrs(u.Attrs))
		}
		b.WriteString("; ")
	}
	return strings.TrimSuffix(b.String(), "; ")
}

func showAttrs(attrs []Attr) string {
	var out []string
	for _, a := range attrs {
		var vals []string
		for _, v := range a.Values {
			vals = append(vals, v.Text+[...]string{"", "#", "@"}[v.Type])
		}
		out = append(out, a.Name+"="+strings.Join(vals, ","))
	}
	return strings.Join(out, " ")
}

func TestMapViews(t *testing.T) {
	m := mapperOf(t, testViews)
	for _, c := range []struct {
		name string
		docs []string
		want string
	}{
		{"all see one", []string{`{"sku":"A","name":"Shirt"}`}, "[-|de,default,us] Shirt {} A{}"},
		{
			"an overlay",
			[]string{`{"sku":"A","name":"Shirt","stores":{"de":{"name":"Hemd","attributes":{"color":"rot"}}},"attributes":{"color":"red","fit":"slim"}}`},
			"[-|default,us] Shirt {color=red fit=slim} A{}; [de|de] Hemd {color=rot fit=slim} A{}",
		},
		{"a name for each store", []string{`{"sku":"A","name":{"default":"Shirt","de":"Hemd"}}`}, "[-|default,us] Shirt {} A{}; [de|de] Hemd {} A{}"},
		{
			"an overlay that says the same",
			[]string{`{"sku":"A","name":"Shirt","stores":{"de":{"name":"Shirt","url_key":"hemd"},"us":{"url_key":"x"}}}`},
			"[-|default,us] Shirt {} A{}; [de|de] Shirt {} A{}",
		},
		{"an overlay of what is not indexed", []string{`{"sku":"A","name":"Shirt","stores":{"de":{"url_key":"hemd"}}}`}, "[-|de,default,us] Shirt {} A{}"},
		{"disabled", []string{`{"sku":"A","status":"disabled"}`}, ""},
		{"disabled in a store", []string{`{"sku":"A","name":"S","stores":{"us":{"status":"disabled"}}}`}, "[-|de,default] S {} A{}"},
		{"enabled in a store", []string{`{"sku":"A","name":"S","status":"disabled","stores":{"us":{"status":"enabled"}}}`}, "[us|us] S {} A{}"},
		{"hidden in a store", []string{`{"sku":"A","name":"S","stores":{"us":{"visibility":"none"}}}`}, "[-|de,default] S {} A{}"},
		{"a website", []string{`{"sku":"A","name":"S","websites":["us"]}`}, "[-|us] S {} A{}"},
		{"no website of ours", []string{`{"sku":"A","name":"S","websites":["asia"]}`}, ""},
		{"an unknown store", []string{`{"sku":"A","name":"S","stores":{"xx":{"name":"T"}}}`}, "[-|de,default,us] S {} A{}"},
		{"not visible", []string{`{"sku":"A","visibility":"none"}`}, ""},
		{
			"variants",
			[]string{
				`{"sku":"P","name":"S","type":"configurable","attributes":{"fit":"slim"},"variants":[{"sku":"P-2","attributes":{"size":"L","fit":"slim"}},"P-1","P-3","P-4"]}`,
				`{"sku":"P-1","visibility":"none","attributes":{"size":"M"},"gtin":"123"}`, `{"sku":"P-3","status":"disabled"}`,
			},
			"[-|de,default,us] S {fit=slim} P-1{gtin=123# size=M} P-2{size=L}",
		},
		{"a variant's place before its record", []string{
			`{"sku":"P","name":"S","variants":[{"sku":"P-1","attributes":{"size":"L"}}]}`,
			`{"sku":"P-1","attributes":{"size":"M","fit":"wide"}}`,
		}, "[-|de,default,us] S {} P-1{fit=wide size=L}"},
		{
			"a variant of one website",
			[]string{`{"sku":"P","name":"S","variants":[{"sku":"P-1"},{"sku":"P-2","websites":["us"]}]}`},
			"[-|de,default,us] S {} P-1{} P-2@us{}",
		},
		{"variants of one website only", []string{`{"sku":"P","name":"S","variants":[{"sku":"P-2","websites":["us"]}]}`}, "[-|us] S {} P-2{}"},
		{"no variant left", []string{`{"sku":"P","variants":[{"sku":"P-1","status":"disabled"},"P-2"]}`}, ""},
		{"a configurable without variants", []string{`{"sku":"P","type":"configurable"}`}, ""},
		{
			"a variant's overlay",
			[]string{`{"sku":"P","name":"S","variants":[{"sku":"P-1","attributes":{"color":"red"},"stores":{"de":{"attributes":{"color":"rot"}}}}]}`},
			"[-|default,us] S {} P-1{color=red}; [de|de] S {} P-1{color=rot}",
		},
	} {
		if got := show(mapped(t, m, c.docs...)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestMapAttributes(t *testing.T) {
	m := mapperOf(t, "")
	for doc, want := range map[string]string{
		`{"sku":"A","attributes":{"n":1.50,"e":1e3,"big":12345678901234567890,"neg":-0.0}}`:                                         "big=12345678901234567890# e=1000# n=1.5# neg=0#",
		`{"sku":"A","attributes":{"s":"42","z":"007","d":"2026-01-02","t":"1.5","gtin":"4012345678901"}}`:                           "d=2026-01-02@ gtin=4012345678901 s=42# t=1.5# z=007",
		`{"sku":"A","attributes":{"b":true,"c":false,"no":null,"e":"","sp":"  x "}}`:                                                "b=true c=false sp=x",
		`{"sku":"A","attributes":{"m":["b","a","b",1,"1",null]}}`:                                                                   "m=1#,a,b",
		`{"sku":"A","dim":{"w":1,"h":{"cm":2}},"slots":[{"size":"x"},{"size":"y"}],"gtin":"x"}`:                                     "dim.h.cm=2# dim.w=1# gtin=x slots.size=x,y",
		`{"sku":"A","brand":"Acme","weight":2,"tax_class":"x","cost":1,"images":["a"],"color":"red","attributes":{"color":"blue"}}`: "brand=Acme color=blue weight=2#",
		`{"sku":"A","attributes":{"long":"` + strings.Repeat("word ", 100) + `","x":1e400}}`:                                        "x=1e400",
	} {
		docs := mapped(t, m, doc)
		if got := showAttrs(docs[0].Attrs); got != want {
			t.Errorf("%s:\n got %s\nwant %s", doc, got, want)
		}
	}
}

func TestMapWords(t *testing.T) {
	d := mapped(t, mapperOf(t, testViews), `{"sku":"TS-1","name":"Running Shoes","brand":"Shoes & Co","description":"<p>The best&nbsp;shoe &amp; more.</p><style>p{x}</style>","categories":["Men/Running"],"attributes":{"color":"red","ram":"16GB"},"waterproof":true,"meta_title":"Sale"}`)[0]
	classes := map[string]Class{}
	for _, w := range d.Words {
		classes[w.Term] = w.Class
	}
	for term, want := range map[string]Class{
		"16gb": ClassAttribute, "16": ClassAttribute, "gb": ClassAttribute, "red": ClassAttribute,
		"best": ClassDescription, "shoe": ClassDescription, "sale": ClassDescription, "waterproof": ClassDescription,
		"co": ClassBrand, "men": ClassCategory,
	} {
		if got, ok := classes[term]; !ok || got != want {
			t.Errorf("%s is in %s (%v), want %s", term, got, ok, want)
		}
	}
	for _, term := range []string{"p", "style", "x", "the", "nbsp", "amp", "true"} {
		if _, ok := classes[term]; ok {
			t.Errorf("%s is searched", term)
		}
	}
	if d.NameWords != 2 || len(d.NameKey) == 0 {
		t.Errorf("name: %d words, key %x", d.NameWords, d.NameKey)
	}
}

func TestMapHuge(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(`{"sku":"A","name":"Huge","blob":"` + strings.Repeat("lorem ipsum ", 10_000) + `","attributes":{`)
	for i := range 5000 {
		fmt.Fprintf(&b, `"a%d":%d,`, i, i)
	}
	b.WriteString(`"last":1}}`)
	d := mapped(t, mapperOf(t, ""), b.String())[0]
	if len(d.Attrs) != maxAttrs-1 { // the blob counts, but is only text
		t.Errorf("%d attributes, want %d", len(d.Attrs), maxAttrs-1)
	}
	if !slices.ContainsFunc(d.Words, func(w Word) bool { return w.Term == "ipsum" || w.Term == "huge" }) {
		t.Error("its name is not searched")
	}
}

func TestMapCategories(t *testing.T) {
	tree := NewTree()
	tree.add(parseCategory("7", []byte(`{"id":"7","path":"Men/Shoes","name":{"default":"Shoes","de":"Schuhe"}}`)))
	tree.link(nil)
	stores, err := ParseStores([]byte(`{"de":{"language":"de","root_category":"Root"},"default":{"language":"en"}}`), "")
	if err != nil {
		t.Fatal(err)
	}
	m := NewMapper(stores, tree, nil)
	show := func(d *Document) string {
		var out []string
		for _, c := range d.Categories {
			s := c.ID
			if c.Direct {
				s += "!"
			}
			if c.Position != NoPosition {
				s += fmt.Sprint(c.Position)
			}
			out = append(out, s)
		}
		return strings.Join(out, " ")
	}
	for doc, want := range map[string]string{
		`{"sku":"A","categories":["Men/Shoes/Running"]}`:                     "7 Men Men/Shoes/Running!",
		`{"sku":"A","categories":[{"id":7,"position":3}]}`:                   "7!3 Men",
		`{"sku":"A","categories":[{"path":"Men","position":2},"Men/Shoes"]}`: "7! Men!2",
		`{"sku":"A","categories":"Audio\\/Video/Cables"}`:                    `Audio\/Video Audio\/Video/Cables!`,
		`{"sku":"A","categories":[{"id":"nobody knows"}]}`:                   "nobody knows!",
		`{"sku":"A","categories":["Men","Men",{"path":"Men","position":1}]}`: "Men!1",
		`{"sku":"A","categories":["/ /"]}`:                                   "",
	} {
		if got := show(mapped(t, m, doc)[0]); got != want {
			t.Errorf("%s: %q, want %q", doc, got, want)
		}
	}
}

// TestMapGenerated maps a generated shop and checks that all documents are as
// promised, and the same whatever was mapped before.
func TestMapGenerated(t *testing.T) {
	r := records{}
	var skus []string
	for line, err := range fixtures.Records(t.Context(), fixtures.Options{Records: 3000}) {
		if err != nil {
			t.Fatal(err)
		}
		skus = append(skus, r.read(t, catalog.KindProduct, string(line)))
	}
	views := `{"default":{"language":"en","currency":"EUR"},"de":{"language":"de"},"fr":{"language":"fr"}}`
	one, two := mapperOf(t, views), mapperOf(t, views)
	h := NewDigester()
	sums := map[string]Digest{}
	for _, sku := range skus {
		for _, d := range one.Map(r.source(sku), june) {
			checkDocument(t, d)
			sums[d.Key()] = h.Of(d)
		}
	}
	if len(sums) < 1000 {
		t.Fatalf("only %d documents", len(sums))
	}
	slices.Reverse(skus)
	n := 0
	for _, sku := range skus {
		for _, d := range two.Map(r.source(sku), june) {
			n++
			if sums[d.Key()] != h.Of(d) {
				t.Errorf("%s differs when mapped in another order", d.Key())
			}
		}
	}
	if n != len(sums) {
		t.Errorf("%d documents, then %d", len(sums), n)
	}
}

func FuzzMap(f *testing.F) {
	for _, line := range bytes.Split(fixtures.TinyShop(), []byte("\n")) {
		f.Add(line, []byte(`{"sku":"A","prices":[{"price":1,"group":"g","tiers":[{"qty":1,"percent":5}]}]}`))
	}
	f.Add([]byte(`{"sku":"A","name":{"de":"x"},"stores":{"de":{"variants":[],"categories":5}},"variants":[{"sku":"B","stores":{"de":1}},"A"]}`), []byte(`{"sku":"A","price":1e99,"special_price":"0.5","special_to":"2026-06-01"}`))
	stores, err := ParseStores([]byte(testViews), "")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, product, price []byte) {
		var p catalog.Parser
		var out catalog.Parsed
		if p.Parse(catalog.KindProduct, product, &out) != nil || out.Kind != catalog.KindProduct {
			return
		}
		sku, body := string(out.Key), slices.Clone(out.Body)
		var q catalog.Parser
		var pr catalog.Parsed
		if q.Parse(catalog.KindPrice, price, &pr) != nil {
			pr.Body = nil
		}
		src := Source{SKU: sku, Body: body, Get: func(k catalog.Kind, s string) []byte {
			switch k {
			case catalog.KindProduct:
				return body
			case catalog.KindPrice:
				return pr.Body
			}
			return nil
		}}
		for _, d := range NewMapper(stores, NewTree(), nil).Map(src, june) {
			checkDocument(t, d)
		}
	})
}
