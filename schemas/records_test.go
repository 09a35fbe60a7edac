package schemas_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"catalog/catalog"
)

// values are put into every member of every record. Together they hold each
// type, each spelling that some member takes, and each way to be wrong.
var values = []string{
	`null`, `true`, `false`, `0`, `1`, `2.5`, `-1`, `1e2`,
	`""`, `"a"`, `" a"`, `"a "`, `"a\u0000"`, `"a\u0085b"`, `"\u00a0a"`, `"ä b"`, `"true"`, `"TRUE"`, `"yes"`, `"on"`, `"1"`, `"-1"`, `"1.50"`, `"01"`, `"1,5"`, `"1e2"`,
	`"enabled"`, `"Enabled"`, `"catalog"`, `"none"`, `"2026-01-01"`,
	`[]`, `["a"]`, `[1]`, `[-1]`, `[null]`, `[true]`, `[[]]`, `[{}]`, `["a",1.5]`,
	`{}`, `{"de":"x"}`, `{"de":null}`, `{"de":1}`, `{"de":{}}`, `{"de":{"name":"x"}}`, `{"de":{"name":1}}`, `{"de":{"url_key":{}}}`, `{"de":null,"fr":{}}`,
	`[{"path":"a"}]`, `[{"path":1}]`, `[{"id":"a"}]`, `[{"id":1,"position":2}]`, `[{"id":true}]`, `[{"position":1}]`, `[{"id":null,"path":"a"}]`, `[{"path":1,"id":"a"}]`,
	`[{"sku":"a"}]`, `[{"sku":5}]`, `[{"sku":""}]`, `[{"sku":null}]`, `[{"sku":"a","price":1}]`, `[{"sku":"a","price":"x"}]`, `[{"sku":"a","price":{"price":-1}}]`, `[{"sku":"a","stock":{"qty":"x"}}]`, `[{"sku":"a","qty":1,"in_stock":"no"}]`, `[{"sku":"a","in_stock":"perhaps"}]`, `[{"sku":"a","price":null}]`,
	`{"price":1}`, `{"price":"x"}`, `{"price":null,"currency":"EUR"}`, `{"price":1,"currency":1}`, `{"price":1,"group":null}`, `{"price":1,"website":{}}`, `{"price":1,"list":2}`, `{"special_price":-0.5}`, `{"special_price":1,"special_from":1}`, `{"price":1,"special_to":"2026-01-01"}`, `{"price":1,"tiers":[{"qty":1,"price":2}]}`, `{"price":1,"tiers":{}}`, `{"price":1,"tiers":[1]}`, `{"price":1,"tiers":[{"qty":-1}]}`, `{"price":1,"tier_prices":[{"qty":"2","percent":null,"x":[]}]}`, `{"msrp":"1.0"}`, `{"cost":true}`,
	`[{"price":1}]`, `[{"price":1},{"price":"2","group":"b"}]`, `[{"price":true}]`, `[{"price":1},2]`, `[{"qty":1,"price":"2"}]`, `[{"qty":"x"}]`, `[{"qty":1,"price":-2}]`,
	`{"qty":1}`, `{"qty":"1"}`, `{"qty":"x"}`, `{"qty":true}`, `{"qty":-3,"min_qty":null}`, `{"in_stock":"no"}`, `{"in_stock":1}`, `{"in_stock":2}`, `{"manage":"on"}`, `{"manage":false}`, `{"backorders":"2"}`, `{"sources":[{"source":"a","qty":1}]}`, `{"sources":["a"]}`, `{"sources":{}}`, `{"min_qty":[]}`, `{"max_qty":"9"}`,
}

// beyond is what JSON Schema cannot say: a key is a number by its spelling, and
// a quantity within stock does not count where there is one outside.
var beyond = map[string]bool{
	`{"sku":1e2}`: true, `{"price":1,"sku":1e2}`: true, `{"qty":1,"sku":1e2}`: true,
	`{"id":1e2}`: true, `{"path":"a","id":1e2}`: true, `{"code":1e2}`: true,
	`{"sku":"a","qty":1,"stock":{"qty":"x"}}`: true, `{"sku":"a","qty":1,"stock":{"qty":true}}`: true,
}

// TestRecordSchemas holds that the schemas of records say what the code does:
// every value in every member is taken by both or refused by both.
func TestRecordSchemas(t *testing.T) {
	price := []string{"price", "prices", "special_price", "special_from", "special_to", "msrp", "currency", "tiers", "tier_prices"}
	stock := []string{"stock", "qty", "in_stock"}
	tests := []struct {
		kind    catalog.Kind
		bases   []string // each with room for more members
		members []string
	}{
		{catalog.KindProduct, []string{`"sku":"a"`, `"sku":"a","price":1`}, append(append([]string{
			"name", "description", "short_description", "brand", "url_key", "type", "status", "visibility", "categories", "attributes", "variants", "images",
			"websites", "related", "upsell", "crosssell", "stores", "weight", "tax_class", "cost", "unit", "created_at", "anything",
		}, price...), stock...)},
		{catalog.KindProduct, []string{""}, []string{"sku", "name"}},
		{catalog.KindPrice, []string{`"sku":"a"`, `"sku":"a","price":1`, `"sku":"a","price":null`}, append([]string{"website", "group", "list", "cost", "anything"}, price...)},
		{catalog.KindPrice, []string{`"price":1`}, []string{"sku"}},
		{catalog.KindStock, []string{`"sku":"a"`, `"sku":"a","qty":1`}, append([]string{"manage", "backorders", "min_qty", "max_qty", "sources", "anything"}, stock...)},
		{catalog.KindStock, []string{`"qty":1`}, []string{"sku"}},
		{catalog.KindCategory, []string{`"id":"a"`, `"path":"a"`, `"id":1`}, []string{"name", "description", "image", "url_key", "position", "in_menu", "stores", "anything"}},
		{catalog.KindCategory, []string{"", `"path":"a"`}, []string{"id"}},
		{catalog.KindCategory, []string{"", `"id":"a"`, `"id":null`}, []string{"path"}},
		{catalog.KindAttribute, []string{`"code":"a"`}, []string{"label", "options", "unit", "filterable", "searchable", "anything"}},
		{catalog.KindAttribute, []string{""}, []string{"code", "label"}},
	}
	taken := map[string][2]int{}
	for _, tt := range tests {
		s := compile(t, tt.kind.String())
		for _, base := range tt.bases {
			for _, member := range tt.members {
				for _, v := range append([]string{"absent"}, values...) {
					doc := record(base, member, v)
					if doc == "" || beyond[doc] {
						continue
					}
					var p catalog.Parser
					var r catalog.Parsed
					err := p.Parse(tt.kind, []byte(doc), &r)
					if err != nil && !errors.Is(err, catalog.ErrInvalid) {
						t.Fatalf("%s: %v", doc, err)
					}
					n := taken[tt.kind.String()]
					if err == nil {
						n[0]++
					} else {
						n[1]++
					}
					taken[tt.kind.String()] = n
					if bySchema := s.Validate(decode(t, []byte(doc))); (err == nil) != (bySchema == nil) {
						t.Errorf("%s %s:\n  the code: %v\n  the schema: %v", tt.kind, doc, err, bySchema)
					}
				}
			}
		}
	}
	for kind, n := range taken {
		if n[0] == 0 || n[1] == 0 {
			t.Errorf("%s: %d records are taken and %d refused: the test proves nothing", kind, n[0], n[1])
		}
	}
}

// record returns a record of base and one member, "" if base has it already.
func record(base, member, v string) string {
	doc := base
	if v != "absent" {
		if doc != "" {
			doc += ","
		}
		doc += fmt.Sprintf("%q:%s", member, v)
	}
	var have map[string]json.RawMessage
	if json.Unmarshal([]byte("{"+base+"}"), &have) == nil && have[member] != nil {
		return ""
	}
	return "{" + doc + "}"
}
