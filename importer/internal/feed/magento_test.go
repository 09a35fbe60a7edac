package feed

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// magentoRow reads one row of the given columns.
func magentoRow(t *testing.T, row map[string]string) (map[string]any, bool) {
	t.Helper()
	header, line := []string{"sku", "product_online"}, []string{"A", ""}
	for k, v := range row {
		if k == "sku" || k == "product_online" {
			line[map[string]int{"sku": 0, "product_online": 1}[k]] = v
			continue
		}
		header = append(header, k)
		line = append(line, `"`+strings.ReplaceAll(v, `"`, `""`)+`"`)
	}
	recs, err := readFile(t, "m.csv", strings.Join(header, ",")+"\n"+strings.Join(line, ",")+"\n", Options{})
	if err != nil || len(recs) != 1 || recs[0].Reason != "" {
		t.Fatalf("%v: %v, %v", row, recs, err)
	}
	var doc map[string]any
	d := json.NewDecoder(strings.NewReader(recs[0].JSON))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		t.Fatalf("%s: %v", recs[0].JSON, err)
	}
	if doc["sku"] != "A" {
		t.Errorf("sku %v", doc["sku"])
	}
	delete(doc, "sku")
	return doc, recs[0].Overlay
}

func TestMagentoRows(t *testing.T) {
	type row = map[string]string
	for _, tt := range []struct {
		name    string
		row     row
		want    string
		overlay bool
	}{
		{
			"plain",
			row{"name": "N", "attribute_set_code": "Top", "product_type": "simple", "weight": "1.50", "tax_class_name": "Taxable Goods"},
			`{"name":"N","attribute_set":"Top","type":"simple","weight":1.50,"tax_class":"Taxable Goods"}`, false,
		},
		{"html", row{"description": "<p class=\"x\">a</p>\r\n<p>b\\c</p>"}, `{"description":"<p class=\"x\">a</p>\r\n<p>b\\c</p>"}`, false},
		{"status on", row{"product_online": "1"}, `{"status":"enabled"}`, false},
		{"status off", row{"product_online": "0"}, `{"status":"disabled"}`, false},
		{"status off, as stored", row{"product_online": "2"}, `{"status":"disabled"}`, false},
		{"visibility", row{"visibility": "Catalog, Search"}, `{"visibility":"catalog_search"}`, false},
		{"visibility none", row{"visibility": "Not Visible Individually"}, `{"visibility":"none"}`, false},
		{"visibility odd", row{"visibility": "Sometimes"}, `{"visibility":"Sometimes"}`, false},
		{
			"categories",
			row{"categories": "Default Category/Men/Tops,Default Category/Eco, Default Category"},
			`{"categories":["Default Category/Men/Tops","Default Category/Eco","Default Category"]}`, false,
		},
		{"categories spaced", row{"categories": " Root / A / B ,Root/C"}, `{"categories":["Root/A/B","Root/C"]}`, false},
		{"categories quoted", row{"categories": `"Root/A, B/C",Root/D`}, `{"categories":["Root/A, B/C","Root/D"]}`, false},
		{"categories comma", row{"categories": "Root/Bags, Belts,Root/D"}, `{"categories":["Root/Bags, Belts","Root/D"]}`, false},
		{"categories flat", row{"categories": "Men, Women"}, `{"categories":["Men","Women"]}`, false},
		{"categories escapes", row{"categories": `Root/A\/B,Root/C\D`}, `{"categories":["Root/A\\/B","Root/C\\\\D"]}`, false},
		{"websites", row{"product_websites": "base,de"}, `{"websites":["base","de"]}`, false},
		{"links", row{"related_skus": "B,C", "upsell_skus": `"D,1",E`, "crosssell_skus": "F"}, `{"related":["B","C"],"upsell":["D,1","E"],"crosssell":["F"]}`, false},
		{"cleared", row{"meta_title": "__EMPTY__VALUE__"}, `{"meta_title":null}`, false},
		{
			"dates",
			row{"created_at": "1/31/24, 2:05 PM", "updated_at": "2024-02-03 04:05:06", "new_from_date": "3/4/24", "new_to_date": "2024-01-01"},
			`{"created_at":"2024-01-31T14:05:00Z","updated_at":"2024-02-03T04:05:06Z","new_from_date":"3/4/24","new_to_date":"2024-01-01"}`, false,
		},
		{
			"price",
			row{"price": "52.0000", "special_price": "40", "special_price_from_date": "1/2/24", "special_price_to_date": "2024-03-01 00:00:00", "msrp_price": "60", "cost": "20"},
			`{"price":{"price":52.0000,"special_price":40,"special_from":"2024-01-02","special_to":"2024-03-01","msrp":60,"cost":20}}`, false,
		},
		{"price text", row{"price": "1,299.00"}, `{"price":{"price":"1,299.00"}}`, false},
		{"price cleared", row{"price": "__EMPTY__VALUE__"}, `{"price":null}`, false},
		{"no price", row{"price": "", "special_price": "__EMPTY__VALUE__"}, `{}`, false},
		{
			"stock",
			row{
				"qty": "100.0000", "is_in_stock": "1", "manage_stock": "1", "use_config_manage_stock": "0", "allow_backorders": "1",
				"use_config_backorders": "1", "min_cart_qty": "2", "use_config_min_sale_qty": "0", "max_cart_qty": "9", "use_config_max_sale_qty": "1", "out_of_stock_qty": "-5", "website_id": "0", "qty_increments": "0",
			},
			`{"stock":{"qty":100.0000,"in_stock":true,"manage":true,"min_qty":2,"out_of_stock_qty":-5}}`, false,
		},
		{
			"images",
			row{
				"base_image": "/a.jpg", "base_image_label": "A", "small_image": "/a.jpg", "thumbnail_image": "/t.jpg", "swatch_image": "no_selection",
				"additional_images": "/a.jpg,/b.jpg,/c.jpg", "additional_image_labels": "A,,See \"C\"",
			},
			`{"images":[{"url":"/a.jpg","label":"A","role":"base"},{"url":"/t.jpg","role":"thumbnail"},{"url":"/b.jpg"},{"url":"/c.jpg","label":"See \"C\""}]}`, false,
		},
		{"attributes", row{"additional_attributes": "has_options=0,required_options=0,size=XS,color=Black"}, `{"attributes":{"size":"XS","color":"Black"}}`, false},
		{
			"attributes with commas",
			row{"additional_attributes": "a=1, 2, and 3 = x,b=y=z,c=|p|q,d=,e=5\" x 7\""},
			`{"attributes":{"a":"1, 2, and 3 = x","b":"y=z","c":["p","q"],"e":"5\" x 7\""}}`, false,
		},
		{
			"attributes in quotes",
			row{"additional_attributes": `a="x,b=1",c="say ""hi""",d="""P""|""Q,R""",e="plain`},
			`{"attributes":{"a":"x,b=1","c":"say \"hi\"","d":["P","Q,R"],"e":"\"plain"}}`, false,
		},
		{"attributes twice", row{"additional_attributes": "a=1,b=2,a=3", "b": "col", "fabric": "Cotton|Wool"}, `{"attributes":{"b":"2","fabric":["Cotton","Wool"],"a":"3"}}`, false},
		{"attribute cleared", row{"additional_attributes": "a=__EMPTY__VALUE__"}, `{"attributes":{"a":null}}`, false},
		{
			"variants",
			row{"configurable_variations": "sku=A-S,size=S,color=Red, dark|sku=A-M,size=M", "configurable_variation_labels": "size=Size,color=Colour, all"},
			`{"variants":[{"sku":"A-S","attributes":{"size":"S","color":"Red, dark"}},{"sku":"A-M","attributes":{"size":"M"}}],"variant_labels":{"size":"Size","color":"Colour, all"}}`, false,
		},
		{
			"overlay",
			row{"store_view_code": "de", "product_type": "simple", "attribute_set_code": "Top", "product_websites": "base", "name": "Hemd", "description": "", "price": "9.5", "qty": "3", "additional_attributes": "color=Rot"},
			`{"stores":{"de":{"name":"Hemd","price":9.5,"stock":{"qty":3},"attributes":{"color":"Rot"}}}}`, true,
		},
		{"admin", row{"store_view_code": "admin", "name": "N"}, `{"name":"N"}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, overlay := magentoRow(t, tt.row)
			var want map[string]any
			d := json.NewDecoder(strings.NewReader(tt.want))
			d.UseNumber()
			if err := d.Decode(&want); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) || overlay != tt.overlay {
				t.Errorf("overlay %v, got  %v\nwant %v", overlay, got, want)
			}
		})
	}
}

// realData returns the folder of real feeds that the environment names.
func realData(t testing.TB) string {
	dir := os.Getenv("CATALOG_TEST_DATA")
	if dir == "" {
		t.Skip("CATALOG_TEST_DATA is not set: real feeds are tried where they are")
	}
	return dir
}

func TestMagentoRealFeed(t *testing.T) {
	r, in := openInput(t, filepath.Join(realData(t), "magento-products.csv.gz"), Options{})
	if in.Format != Magento || in.Compression != Gzip {
		t.Errorf("recognised as %s, %s", in.Format, in.Compression)
	}
	recs, err := readAll(t, r)
	if err != nil || len(recs) != 1994 {
		t.Fatal(len(recs), err)
	}
	variants, kinds := 0, map[string]int{}
	for _, rec := range recs {
		var doc struct {
			Type, Status, Visibility string
			Categories               []string
			Attributes               map[string]any
			Price, Stock             map[string]json.Number
			Variants                 []struct {
				SKU        string
				Attributes map[string]string
			}
		}
		if rec.Reason != "" || rec.Overlay {
			t.Fatalf("line %d: %s", rec.Line, rec.Reason)
		}
		if err := json.Unmarshal(bytes.ReplaceAll([]byte(rec.JSON), []byte(`"in_stock":true`), []byte(`"in_stock":1`)), &doc); err != nil {
			t.Fatalf("line %d: %v in %s", rec.Line, err, rec.JSON)
		}
		kinds[doc.Type]++
		variants += len(doc.Variants)
		for _, v := range doc.Variants {
			if v.SKU == "" || v.Attributes["size"] == "" || v.Attributes["color"] == "" {
				t.Errorf("line %d: variant %v", rec.Line, v)
			}
		}
		if len(doc.Categories) == 0 || doc.Price["price"] == "" && doc.Type == "simple" || doc.Stock["qty"] == "" || doc.Status != "enabled" {
			t.Errorf("line %d: %s", rec.Line, rec.JSON)
		}
	}
	if kinds["simple"] != 1847 || kinds["configurable"] != 147 || variants != 1847 {
		t.Errorf("%v, %d variants", kinds, variants)
	}
}
