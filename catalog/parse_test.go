package catalog

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// TestParseProduct shows what leaves the document and what stays.
func TestParseProduct(t *testing.T) {
	tests := []struct {
		name, doc          string
		body, price, stock string // "-" for null
		refs               []Ref
		variants           map[string][2]string
	}{
		{
			name: "plain", doc: `{"sku":"A","name":"Shoe"}`,
			body: `{"sku":"A","name":"Shoe"}`,
		},
		{
			name: "white space goes", doc: " {\n\"sku\" : \"A\" , \"name\":\"a  b\",\"attributes\":{ \"x\" : [ 1, 2 ] } } ",
			body: `{"sku":"A","name":"a  b","attributes":{"x":[1,2]}}`,
		},
		{
			name: "flat price and stock", doc: `{"sku":"A","price":"9.90","currency":"EUR","name":"x","stock":5}`,
			body: `{"sku":"A","name":"x"}`, price: `{"sku":"A","prices":[{"currency":"EUR","price":9.90}]}`, stock: `{"sku":"A","qty":5}`,
		},
		{
			name: "price object, tiers, special", doc: `{"sku":"A","price":{"price":10,"special_price":8,"special_from":"2026-01-01","tier_prices":[{"qty":"10","price":"7.5"}]}}`,
			body: `{"sku":"A"}`, price: `{"sku":"A","prices":[{"price":10,"special_from":"2026-01-01","special_price":8,"tiers":[{"qty":10,"price":7.5}]}]}`,
		},
		{
			name: "prices", doc: `{"sku":"A","prices":[{"price":1.10,"group":"b2b"},{"price":1.20}]}`,
			body: `{"sku":"A"}`, price: `{"sku":"A","prices":[{"group":"b2b","price":1.10},{"price":1.20}]}`,
		},
		{name: "null deletes", doc: `{"sku":"A","price":null,"stock":null}`, body: `{"sku":"A"}`, price: "-", stock: "-"},
		{
			name: "what is no amount beside prices stays", doc: `{"sku":"A","msrp":9,"prices":[{"price":5}]}`,
			body: `{"sku":"A","msrp":9}`, price: `{"sku":"A","prices":[{"price":5}]}`,
		},
		{name: "a bare stock and a flag", doc: `{"sku":"A","stock":5,"in_stock":true}`, body: `{"sku":"A"}`, stock: `{"sku":"A","in_stock":true,"qty":5}`},
		{name: "a currency alone stays", doc: `{"sku":"A","currency":"EUR"}`, body: `{"sku":"A","currency":"EUR"}`},
		{
			name: "stock object and flat", doc: `{"sku":"A","stock":{"qty":"3","in_stock":"1","sources":[{"source":"x","qty":1}]},"qty":4}`,
			body: `{"sku":"A"}`, stock: `{"sku":"A","in_stock":true,"qty":4,"sources":[{"source":"x","qty":1}]}`,
		},
		{
			name: "numeric sku", doc: `{"sku":12345,"variants":[7,"x"]}`,
			body: `{"sku":"12345","variants":["7","x"]}`, refs: []Ref{{RefVariant, "", "7"}, {RefVariant, "", "x"}},
		},
		{
			name: "url keys", doc: `{"sku":"A","url_key":{"de":"schuh","en":"shoe"},"stores":{"fr":{"url_key":"chaussure","name":"C"}}}`,
			body: `{"sku":"A","url_key":{"de":"schuh","en":"shoe"},"stores":{"fr":{"url_key":"chaussure","name":"C"}}}`,
			refs: []Ref{{RefURLKey, "de", "schuh"}, {RefURLKey, "en", "shoe"}, {RefURLKey, "fr", "chaussure"}},
		},
		{
			name: "overlay price", doc: `{"sku":"A","stores":{"fr":{"price":5,"name":"C"}}}`,
			body: `{"sku":"A","stores":{"fr":{"name":"C"}}}`, price: `{"sku":"A","prices":[{"price":5,"store":"fr"}]}`,
		},
		{
			name: "embedded variants", doc: `{"sku":"P","price":1,"variants":[{"sku":"V1","attributes":{"size":"S"},"price":2,"stock":{"qty":1}},{"sku":"V2"},"V3"]}`,
			body:     `{"sku":"P","variants":[{"sku":"V1","attributes":{"size":"S"}},{"sku":"V2"},"V3"]}`,
			price:    `{"sku":"P","prices":[{"price":1}]}`,
			refs:     []Ref{{RefVariant, "", "V1"}, {RefVariant, "", "V2"}, {RefVariant, "", "V3"}},
			variants: map[string][2]string{"V1": {`{"sku":"V1","prices":[{"price":2}]}`, `{"sku":"V1","qty":1}`}},
		},
	}
	var p Parser
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r Parsed
			if err := p.Parse(KindProduct, []byte(tt.doc), &r); err != nil {
				t.Fatal(err)
			}
			if string(r.Body) != tt.body {
				t.Errorf("body  %s\nwant  %s", r.Body, tt.body)
			}
			if got := partText(r.Price); got != tt.price {
				t.Errorf("price %s\nwant  %s", got, tt.price)
			}
			if got := partText(r.Stock); got != tt.stock {
				t.Errorf("stock %s\nwant  %s", got, tt.stock)
			}
			if len(r.Refs)+len(tt.refs) > 0 && !reflect.DeepEqual(r.Refs, tt.refs) {
				t.Errorf("refs %v\nwant %v", r.Refs, tt.refs)
			}
			if len(r.Variants) != len(tt.variants) {
				t.Errorf("%d variants, want %d", len(r.Variants), len(tt.variants))
			}
			for _, v := range r.Variants {
				if got := [2]string{partText(v.Price), partText(v.Stock)}; got != tt.variants[string(v.SKU)] {
					t.Errorf("variant %s: %s", v.SKU, got)
				}
			}
		})
	}
}

func partText(p Part) string {
	switch p.State {
	case PartNull:
		return "-"
	case PartSet:
		return string(p.Body)
	}
	return ""
}

func TestParseOtherKinds(t *testing.T) {
	tests := []struct {
		kind           Kind
		doc, key, body string
		want           Kind
	}{
		{KindPrice, `{"sku":"A","price":"1.50","group":"b2b"}`, "A", `{"sku":"A","prices":[{"group":"b2b","price":1.50}]}`, KindPrice},
		{KindPrice, `{"sku":"A","prices":[{"price":1},{"price":2,"currency":"USD"}],"currency":"EUR","note":"x"}`, "A", `{"sku":"A","prices":[{"currency":"EUR","note":"x","price":1},{"currency":"USD","note":"x","price":2}]}`, KindPrice},
		{KindPrice, `{"sku":"A","prices":null}`, "A", ``, KindPrice},
		{KindStock, `{"sku":"A","qty":"7","in_stock":"0","shelf":"B4"}`, "A", `{"sku":"A","in_stock":false,"qty":7,"shelf":"B4"}`, KindStock},
		{KindStock, `{"sku":"A","stock":null}`, "A", ``, KindStock},
		{KindCategory, `{"path":"Men/Shoes","name":{"de":"Schuhe"},"position":3}`, "Men/Shoes", `{"path":"Men/Shoes","name":{"de":"Schuhe"},"position":3}`, KindCategory},
		{KindCategory, `{"id":12,"path":"Men"}`, "12", `{"id":"12","path":"Men"}`, KindCategory},
		{KindAttribute, `{"code":"color","label":"Colour"}`, "color", `{"code":"color","label":"Colour"}`, KindAttribute},
		{KindProduct, `{"$kind":"stock","sku":"A","qty":1}`, "A", `{"sku":"A","qty":1}`, KindStock},
	}
	var p Parser
	for _, tt := range tests {
		var r Parsed
		if err := p.Parse(tt.kind, []byte(tt.doc), &r); err != nil {
			t.Errorf("%s: %v", tt.doc, err)
			continue
		}
		if string(r.Key) != tt.key || string(r.Body) != tt.body || r.Kind != tt.want {
			t.Errorf("%s: got %s %q %s", tt.doc, r.Kind, r.Key, r.Body)
		}
	}
}

// TestParseRejects holds the reason of every rule.
func TestParseRejects(t *testing.T) {
	long := strings.Repeat("x", MaxSKU+1)
	tests := []struct {
		kind   Kind
		doc    string
		reason Reason
		key    Key // what is known of the key all the same
	}{
		{KindProduct, ``, ReasonJSON, ""},
		{KindProduct, `{"sku":"A"`, ReasonJSON, "A"},
		{KindProduct, `{"sku":"A",}`, ReasonJSON, "A"},
		{KindProduct, `{"sku":"A"} {}`, ReasonJSON, "A"},
		{KindProduct, `{"sku":"A","x":01}`, ReasonJSON, "A"},
		{KindProduct, `[1]`, ReasonObject, ""},
		{KindProduct, `"x"`, ReasonObject, ""},
		{KindProduct, "{\"sku\":\"A\",\"x\":\"\xff\"}", ReasonUTF8, "A"},
		{KindProduct, `{"sku":"A","x":"\ud800"}`, ReasonUTF8, "A"},
		{KindProduct, "{\"sku\":\"A\",\"x\":\"\x00\"}", ReasonJSON, "A"},
		{KindProduct, `{"sku":"A","x":1,"x":2}`, ReasonDuplicate, "A"},
		{KindProduct, `{"sku":"A","x":1,"\u0078":2}`, ReasonDuplicate, "A"},
		{KindProduct, `{"sku":"A","o":{"x":1,"x":2}}`, ReasonDuplicate, "A"},
		{KindProduct, `{"sku":"A","x":` + strings.Repeat("[", 65) + strings.Repeat("]", 65) + `}`, ReasonDepth, "A"},
		{KindProduct, `{"name":"x"}`, ReasonNoKey, ""},
		{KindProduct, `{"sku":null}`, ReasonNoKey, ""},
		{KindProduct, `{"sku":""}`, ReasonKey, ""},
		{KindProduct, `{"sku":" A"}`, ReasonKey, ""},
		{KindProduct, `{"sku":"A\n"}`, ReasonKey, ""},
		{KindProduct, `{"sku":"` + long + `"}`, ReasonKey, ""},
		{KindProduct, `{"sku":1.5}`, ReasonKey, ""},
		{KindProduct, `{"sku":["A"]}`, ReasonKey, ""},
		{KindProduct, `{"sku":"A","name":5}`, ReasonType, "A"},
		{KindProduct, `{"sku":"A","status":"on"}`, ReasonType, "A"},
		{KindProduct, `{"sku":"A","attributes":[]}`, ReasonType, "A"},
		{KindProduct, `{"sku":"A","categories":[5]}`, ReasonType, "A"},
		{KindProduct, `{"sku":"A","stores":{"de":5}}`, ReasonType, "A"},
		{KindProduct, `{"sku":"A","variants":[{"x":1}]}`, ReasonNoKey, "A"},
		{KindProduct, `{"sku":"A","variants":{}}`, ReasonType, "A"},
		{KindProduct, `{"sku":"A","price":"9,90"}`, ReasonPrice, "A"},
		{KindProduct, `{"sku":"A","price":-1}`, ReasonPrice, "A"},
		{KindProduct, `{"sku":"A","prices":[5]}`, ReasonPrice, "A"},
		{KindProduct, `{"sku":"A","price":{"price":1,"currency":5}}`, ReasonPrice, "A"},
		{KindProduct, `{"sku":"A","stock":"many"}`, ReasonStock, "A"},
		{KindProduct, `{"sku":"A","stock":{"qty":"x"}}`, ReasonStock, "A"},
		{KindProduct, `{"sku":"A","variants":[{"sku":"V","price":"x"}]}`, ReasonPrice, "A"},
		{KindProduct, `{"$kind":"nonsense","sku":"A"}`, ReasonType, ""},
		{KindPrice, `{"sku":"A"}`, ReasonPrice, "A"},
		{KindStock, `{"sku":"A"}`, ReasonStock, "A"},
		{KindCategory, `{"name":"x"}`, ReasonNoKey, ""},
		{KindAttribute, `{"label":"x"}`, ReasonNoKey, ""},
	}
	var p Parser
	for _, tt := range tests {
		var r Parsed
		err := p.Parse(tt.kind, []byte(tt.doc), &r)
		var inv *InvalidError
		if !errors.As(err, &inv) || !errors.Is(err, ErrInvalid) {
			t.Errorf("%.60s: got %v, want a reject", tt.doc, err)
			continue
		}
		if inv.Reason != tt.reason || r.Key != tt.key {
			t.Errorf("%.60s: got %s %q (%v), want %s %q", tt.doc, inv.Reason, r.Key, err, tt.reason, tt.key)
		}
	}
}
