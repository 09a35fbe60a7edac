package indexer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func testShop(t *testing.T, settings string) *Shop {
	t.Helper()
	stores, err := ParseStores([]byte(`{"default":{"language":"en","currency":"EUR"},"de":{"language":"de","root_category":"Root/German"}}`), "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseSettings([]byte(settings))
	if err != nil {
		t.Fatal(err)
	}
	tree := NewTree()
	for id, doc := range map[string]string{
		"1": `{"path":"Men","position":2}`, "2": `{"path":"Men/Shoes"}`, "3": `{"path":"Women","position":1}`,
		"4": `{"path":"Root/German/Herren"}`, "5": `{"path":"Root/German/Herren/Schuhe"}`,
	} {
		tree.add(parseCategory(id, []byte(doc)))
	}
	tree.link([]string{"Men/Hats"})
	attrs := attributes{
		"color": parseAttribute([]byte(`{"label":{"default":"Color","de":"Farbe"},"options":["red",{"value":"blue","label":{"default":"Blue","de":"Blau"}}]}`)),
		"mm":    parseAttribute([]byte(`{"unit":"mm","filterable":false}`)),
	}
	return newShop(stores, tree, attrs, s)
}

// phrase writes the words of an alternative.
func phrase(a Alternative) string {
	var toks []string
	for _, q := range a.Words {
		toks = append(toks, q.Term)
	}
	return strings.Join(toks, "+")
}

func TestPrepareText(t *testing.T) {
	s := testShop(t, `{"synonyms":["sneaker, trainer","tee => t-shirt","running shoe, jogger"],"stop_words":["bitte"]}`)
	for _, c := range []struct {
		text   string
		typing bool
		want   string   // the words; the last with a star if it may be the start of one
		also   []string // and what else is found
	}{
		{"Trail Shoes", false, "trail shoes*", nil},
		{"shoes for the men ", false, "shoes men", nil},
		{"the who", false, "the who*", nil},
		{"shoes for th", true, "shoes th*", nil},
		{"shoes for the", true, "shoes the*", nil},
		{"bitte shoes", false, "shoes*", nil},
		{"red sneakers", false, "red sneakers*", []string{"trainer"}},
		{"tee", false, "tee*", []string{"t+shirt"}},
		{"shirt tee x", false, "shirt tee x*", []string{"t+shirt"}},
		{"trainer red", false, "trainer red*", []string{"sneaker"}},
		{"running shoes red", false, "running+shoes red*", []string{"jogger"}},
		{"16GB ram", false, "16gb ram*", []string{"16+gb"}},
		{strings.Repeat("word ", 100) + "end", false, strings.TrimSpace(strings.Repeat("word ", MaxWords)), nil},
	} {
		p, err := s.prepare(Query{Text: c.text}, june, c.typing)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		var words, also []string
		for _, w := range p.Words {
			word := phrase(w.Alts[0])
			if w.Last {
				word += "*"
			}
			words = append(words, word)
			for _, a := range w.Alts[1:] {
				also = append(also, phrase(a))
			}
		}
		if got := strings.Join(words, " "); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
		for _, want := range c.also {
			if !slices.Contains(also, want) {
				t.Errorf("%q: %q is not among %q", c.text, want, also)
			}
		}
	}
	p, err := s.Prepare(Query{Text: "Laufschuhe", View: View{Store: "de"}}, june)
	if err != nil || !slices.Equal(p.Words[0].Alts[0].Words[0].Stems, []string{"de:laufschuh", "en:laufschuh"}) {
		t.Errorf("stems %+v, %v", p, err)
	}
}

func TestPrepareLooksUp(t *testing.T) {
	s := testShop(t, `{"in_stock_only":true}`)
	show := func(q Query) string {
		p, err := s.Prepare(q, june)
		if err != nil {
			if !errors.Is(err, ErrQuery) {
				t.Errorf("%+v: %v is no ErrQuery", q, err)
			}
			return "refused"
		}
		var out []string
		for i, f := range p.Filters {
			s := f.String()
			if p.Attribute[i] {
				s = "@" + s
			}
			out = append(out, s)
		}
		return fmt.Sprintf("%s/%s %s %s %s%v %d+%d", p.Store, p.Category, strings.Join(out, "&"), p.Facets.Children, p.Sort.By, p.Sort.Desc, p.Offset, p.Size)
	}
	f := func(text string) []Filter {
		f, err := ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		return []Filter{f}
	}
	for _, c := range []struct {
		q    Query
		want string
	}{
		{Query{}, "default/  [] relevancefalse 0+24"},
		{Query{Facets: Facets{Auto: 3}}, "default/  [3 1 Root] relevancefalse 0+24"},
		{Query{Category: "Men", Facets: Facets{Auto: 3}}, "default/1  [Men/Hats 2] positionfalse 0+24"},
		{Query{Category: "Men/Shoes"}, "default/2  [] positionfalse 0+24"},
		{Query{Category: "2"}, "default/2  [] positionfalse 0+24"},
		{Query{Category: "Men/Hats"}, "default/Men/Hats  [] positionfalse 0+24"},
		{Query{Category: "Herren/Schuhe", View: View{Store: "de"}}, "de/5  [] positionfalse 0+24"},
		{Query{Category: "Root/German/Herren", View: View{Store: "de"}, Facets: Facets{Tree: true}}, "de/4  [4 5] positionfalse 0+24"},
		{Query{Category: "Men", View: View{Store: "de"}}, "refused"},
		{Query{Category: "Nowhere"}, "refused"},
		{Query{View: View{Store: "fr"}}, "refused"},
		{Query{Text: "..."}, "refused"},
		{Query{Filters: f("price=5")}, "default/ price=5..5 [] relevancefalse 0+24"},
		{Query{Filters: f("attributes.price=5")}, "default/ @price=5 [] relevancefalse 0+24"},
		{Query{Filters: f("size=42.0")}, "default/ @size=42.0,42 [] relevancefalse 0+24"},
		{Query{Filters: f("category=Men/Shoes")}, "default/ category=2 [] relevancefalse 0+24"},
		{Query{Filters: f("category=None")}, "refused"},
		{Query{Filters: f("price=cheap")}, "refused"},
		{Query{Filters: f("in_stock=maybe")}, "refused"},
		{Query{Filters: f("in_stock=0..1")}, "refused"},
		{Query{Filters: []Filter{{Field: "x"}}}, "refused"},
		{Query{Filters: []Filter{{Exists: true}}}, "refused"},
		{Query{Sort: Sort{By: SortNewest}}, "default/  [] newesttrue 0+24"},
		{Query{Sort: Sort{By: "attributes.weight", Desc: true}}, "default/  [] weighttrue 0+24"},
		{Query{Sort: Sort{By: "attributes.price"}}, "refused"},
		{Query{Page: 3, Size: 10}, "default/  [] relevancefalse 20+10"},
		{Query{Page: 1001, Size: 10}, "refused"},
		{Query{Page: 1 << 62, Size: 500}, "refused"},
		{Query{Page: -1}, "refused"},
		{Query{Size: 501}, "refused"},
		{Query{After: "nonsense"}, "refused"},
		{Query{After: (&Keyset{Sort: Sort{By: SortPrice}}).String()}, "refused"},
		{Query{After: (&Keyset{Sort: Sort{By: SortPrice}}).String(), Sort: Sort{By: SortPrice}, Page: 9}, "default/  [] pricefalse 0+24"},
	} {
		if got := show(c.q); got != c.want {
			t.Errorf("%+v:\n got %s\nwant %s", c.q, got, c.want)
		}
	}
}

func TestPrepareSettings(t *testing.T) {
	s := testShop(t, `{"hidden":["gtin"],"facets":[
		{"show":["brand"]},
		{"category":"Men","show":["size","color"],"hide":["width"],"auto":2,"values":7}],
		"rules":[
		{"query":"Shoes","pin":["A","B"],"boost":[{"filters":["brand=Own"],"points":50}]},
		{"category":"Men/Shoes","stores":["default"],"bury":[{"skus":["Z"]}]},
		{"category":"Gone","pin":["X"]}]}`)
	p, err := s.Prepare(Query{Text: "the shoe", Facets: Facets{Auto: 6}}, june)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.Pins, []string{"A", "B"}) || len(p.Boosts) != 1 || p.Boosts[0].Points != 50 || p.Boosts[0].Filters[0].Field != "brand" {
		t.Errorf("merchandising: %v %+v", p.Pins, p.Boosts)
	}
	if f := p.Facets; !slices.Equal(f.Names, []string{"brand"}) || f.Auto != 5 || f.Values != 20 || !f.Exclude["gtin"] || !f.Exclude["mm"] || !f.Exclude["brand"] {
		t.Errorf("facets: %+v", f)
	}
	p, err = s.Prepare(Query{Category: "Men/Shoes", Facets: Facets{Auto: 6, Names: []string{"fit"}}}, june)
	if err != nil {
		t.Fatal(err)
	}
	if f := p.Facets; !slices.Equal(f.Names, []string{"fit", "size", "color"}) || f.Auto != 2 || f.Values != 7 || !f.Exclude["width"] {
		t.Errorf("facets: %+v", f)
	}
	if len(p.Pins) != 0 || len(p.Boosts) != 1 || p.Boosts[0].Points != -100 || p.Boosts[0].SKUs[0] != "Z" {
		t.Errorf("merchandising: %v %+v", p.Pins, p.Boosts)
	}
	if m := s.Meta("color", "de"); m.Label != "Farbe" || !slices.Equal(m.Options, []string{"red", "blue"}) || m.OptionLabels["blue"] != "Blau" {
		t.Errorf("color in German: %+v", m)
	}
	if m := s.Meta("mm", ""); m.Unit != "mm" || !m.Hidden {
		t.Errorf("mm: %+v", m)
	}
}

func TestSettingsFaults(t *testing.T) {
	for _, doc := range []string{
		`{"x":1}`, `[]`, `{}{}`, `{"rules":[{}]}`, `{"rules":[{"query":"a","boost":[{}]}]}`,
		`{"rules":[{"query":"a","boost":[{"filters":["="]}]}]}`, `{"rules":[{"query":"a","bury":[{"skus":["A"],"points":-1}]}]}`, `{"synonyms":["alone"]}`,
	} {
		if s, err := ParseSettings([]byte(doc)); !errors.Is(err, ErrSettings) {
			t.Errorf("%s: %+v, %v", doc, s, err)
		}
	}
	if _, err := ParseStores([]byte(`{"de":{}}`), "fr"); err == nil {
		t.Error("a default store that is none is taken")
	}
}

func TestFingerprint(t *testing.T) {
	seen := map[string]string{}
	for _, views := range []string{"", `{"a":{"language":"de"}}`, `{"a":{"language":"fr"}}`, `{"a":{"currency":"EUR"}}`, `{"a":{"root_category":"x"}}`, `{"a":{},"b":{}}`} {
		stores, err := ParseStores([]byte(views), "")
		if err != nil {
			t.Fatal(err)
		}
		for _, silent := range []map[string]bool{nil, {"x": true}} {
			p := fingerprint(stores, silent)
			if old, ok := seen[p]; ok {
				t.Errorf("%s %v has the fingerprint of %s", views, silent, old)
			}
			seen[p] = fmt.Sprint(views, silent)
		}
	}
}
