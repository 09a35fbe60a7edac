package elasticindex

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestReadAnswers(t *testing.T) {
	list, err := readAnswers([]byte(`{"responses":[
		{"hits":{"total":{"value":12},"hits":[
			{"_source":{"a":[1,"]}"]},"sort":[1.5,"x\"",null]},
			{"fields":{"sku":["A\u00e9"],"d":["+/="],"nk":["k"]},"sort":[]}]},
		 "aggregations":{"f":{"buckets":[{"key":"v"}]}},"status":200},
		{"error":{"type":"x"},"status":429}]}`))
	if err != nil || len(list) != 2 {
		t.Fatalf("readAnswers = %d answers, %v; want 2", len(list), err)
	}
	a := list[0]
	if a.Status != 200 || a.Error != nil || a.Hits.Total.Value != 12 || len(a.Hits.Hits) != 2 || string(a.Aggs["f"]) != `{"buckets":[{"key":"v"}]}` {
		t.Errorf("first answer: %+v", a)
	}
	source, fields := a.Hits.Hits[0], a.Hits.Hits[1]
	if string(source.Source) != `{"a":[1,"]}"]}` || len(source.Sort) != 3 || string(source.Sort[1]) != `"x\""` || string(source.Sort[2]) != "null" {
		t.Errorf("first hit: %+v", source)
	}
	if !slices.Equal(fields.Fields.SKU, []string{"Aé"}) || !slices.Equal(fields.Fields.D, []string{"+/="}) || !slices.Equal(fields.Fields.NK, []string{"k"}) || len(fields.Sort) != 0 {
		t.Errorf("second hit: %+v", fields)
	}
	if list[1].Status != 429 || string(list[1].Error) != `{"type":"x"}` {
		t.Errorf("second answer: %+v", list[1])
	}
	for _, bad := range []string{"", "[]", `{"responses":[`, "nonsense"} {
		if _, err := readAnswers([]byte(bad)); err == nil {
			t.Errorf("%q is taken for an answer", bad)
		}
	}
}

// FuzzAnswers reads what no engine sends, and sources that no encoder wrote.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"responses":[{"hits":{"hits":[{"_source":{"k":"b","t1":"a\nb","s1":"en:a","d":"AA=="},"sort":["a",1]}]},"status":200}]}`))
	f.Add([]byte(`{"responses":{"":[{}],"hits":null}}`))
	f.Add([]byte(`{"responses":[{"hits":{"hits":[{"fields":{"d":"x"}}]}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := readAnswers(body)
		if err != nil {
			return
		}
		for i := range list {
			for _, h := range list[i].Hits.Hits {
				d, src, err := decode(h.Source)
				if err == nil && (d.SKU != src.SKU || d.View != src.View) {
					t.Errorf("%s is of %q, and its source of %q", h.Source, d.SKU, src.SKU)
				}
				if d, err := h.Fields.document(); err == nil && json.Valid(body) && d.SKU != h.Fields.SKU[0] {
					t.Errorf("columns of %q become a document of %q", h.Fields.SKU[0], d.SKU)
				}
			}
		}
	})
}

// TestLines writes lists as lines and takes them apart again.
func TestLines(t *testing.T) {
	for _, list := range [][]string{{"a"}, {"a", "b", "c"}, {""}, {"", ""}, {"a\nb", "\x01", "\x02c", "\"\\", "é"}} {
		w := writer{b: []byte{'{'}}
		w.lines("x", list)
		var back map[string]string
		if err := json.Unmarshal(append(w.b, '}'), &back); err != nil {
			t.Fatalf("%q becomes %s: %v", list, w.b, err)
		}
		if got := split(back["x"]); !slices.Equal(got, list) {
			t.Errorf("%q comes back as %q", list, got)
		}
	}
}
