package indexer

import (
	"testing"

	"catalog/catalog"
)

// records is what a store would have of feeds, by kind and key.
type records map[catalog.Kind]map[string][]byte

func (r records) put(k catalog.Kind, key string, body []byte) {
	if r[k] == nil {
		r[k] = map[string][]byte{}
	}
	r[k][key] = append([]byte(nil), body...)
}

func (r records) get(k catalog.Kind, key string) []byte { return r[k][key] }

// read takes a record as the importer would.
func (r records) read(t testing.TB, k catalog.Kind, doc string) string {
	t.Helper()
	var p catalog.Parser
	var out catalog.Parsed
	if err := p.Parse(k, []byte(doc), &out); err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	r.put(out.Kind, string(out.Key), out.Body)
	parts := append([]catalog.Variant{{SKU: out.Key, Price: out.Price, Stock: out.Stock}}, out.Variants...)
	for _, v := range parts {
		if v.Price.State == catalog.PartSet {
			r.put(catalog.KindPrice, string(v.SKU), v.Price.Body)
		}
		if v.Stock.State == catalog.PartSet {
			r.put(catalog.KindStock, string(v.SKU), v.Stock.Body)
		}
	}
	return string(out.Key)
}

func (r records) source(sku string) Source {
	return Source{SKU: sku, Body: r.get(catalog.KindProduct, sku), Get: r.get}
}
