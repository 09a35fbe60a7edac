package elasticindex

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"

	"catalog/catalog"
)

// searchAnswer is the engine's answer to one search.
type searchAnswer struct {
	Status int
	Error  json.RawMessage
	Hits   struct {
		Total struct{ Value int }
		Hits  []found
	}
	Aggs map[string]json.RawMessage
}

// found is a hit as the engine tells it.
type found struct {
	Source json.RawMessage
	Fields columns
	Sort   []json.RawMessage
}

// columns is what is read of columns instead of _source, where there are many
// documents: the engine decompresses some of its neighbours for each _source.
type columns struct{ SKU, NK, D []string }

var errAnswer = errors.New("it is no JSON object")

// readAnswers reads the answer to several searches. Most of it are sources and
// columns of hundreds of documents, so it is looked through only once.
func readAnswers(body []byte) ([]searchAnswer, error) {
	body = bytes.TrimSpace(body)
	if len(body) < 2 || body[0] != '{' || body[len(body)-1] != '}' {
		return nil, errAnswer
	}
	var list []searchAnswer
	for r := range catalog.Value(catalog.MemberValue(body, "responses")).Elements() {
		var a searchAnswer
		a.read(r)
		list = append(list, a)
	}
	return list, nil
}

func (a *searchAnswer) read(v catalog.Value) {
	for name, m := range v.Members() {
		switch string(name) {
		case "status":
			a.Status = number(m)
		case "error":
			a.Error = json.RawMessage(m)
		case "aggregations":
			a.Aggs = map[string]json.RawMessage{}
			for name, agg := range m.Members() {
				a.Aggs[string(name)] = json.RawMessage(agg)
			}
		case "hits":
			for name, m := range m.Members() {
				switch string(name) {
				case "total":
					a.Hits.Total.Value = number(catalog.MemberValue(m, "value"))
				case "hits":
					for h := range m.Elements() {
						a.Hits.Hits = append(a.Hits.Hits, hitOf(h))
					}
				}
			}
		}
	}
}

func hitOf(v catalog.Value) (f found) {
	for name, m := range v.Members() {
		switch string(name) {
		case "_source":
			f.Source = json.RawMessage(m)
		case "sort":
			for s := range m.Elements() {
				f.Sort = append(f.Sort, json.RawMessage(s))
			}
		case "fields":
			for name, m := range m.Members() {
				switch string(name) {
				case "sku":
					f.Fields.SKU = texts(m)
				case "nk":
					f.Fields.NK = texts(m)
				case "d":
					f.Fields.D = texts(m)
				}
			}
		}
	}
	return f
}

func texts(v catalog.Value) []string {
	list := make([]string, 0, 1)
	for e := range v.Elements() {
		list = append(list, e.Text())
	}
	return list
}

// number reads a count; what is none is 0.
func number(v []byte) int {
	n, err := strconv.Atoi(string(v))
	if err != nil {
		return 0
	}
	return n
}
