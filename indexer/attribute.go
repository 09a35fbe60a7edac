package indexer

import (
	"context"
	"fmt"

	"catalog/catalog"
)

// attributes is what attribute records say, by code.
type attributes map[string]*attribute

// attribute is a record of one.
type attribute struct {
	label   string
	labels  map[string]string // by store
	unit    string
	units   map[string]string
	options []option
	hidden  bool // not filterable
	silent  bool // not searchable
}

type option struct {
	value, label string
	labels       map[string]string
}

func loadAttributes(ctx context.Context, s catalog.Store) (attributes, error) {
	out := attributes{}
	for rec, err := range s.Scan(ctx, catalog.KindAttribute, catalog.All) {
		if err != nil {
			return nil, fmt.Errorf("indexer: reading attributes: %w", err)
		}
		out[string(rec.Key)] = parseAttribute(rec.Body)
	}
	return out, nil
}

func parseAttribute(body catalog.Value) *attribute {
	a := &attribute{}
	put := func(m *map[string]string, store []byte, v catalog.Value) {
		if v.Type() != catalog.ValueString {
			return
		}
		if *m == nil {
			*m = map[string]string{}
		}
		(*m)[string(store)] = v.Text()
	}
	texts := func(v catalog.Value) (string, map[string]string) {
		var m map[string]string
		if v.Type() == catalog.ValueObject {
			for store, t := range v.Members() {
				put(&m, store, t)
			}
		}
		return baseText(v), m
	}
	var overlays catalog.Value
	for key, v := range body.Members() {
		switch string(key) {
		case "label":
			a.label, a.labels = texts(v)
		case "unit":
			a.unit, a.units = texts(v)
		case "filterable":
			a.hidden = !truth(v, true)
		case "searchable":
			a.silent = !truth(v, true)
		case "options":
			for e := range v.Elements() {
				o := option{}
				if e.Type() == catalog.ValueObject {
					o.value = optionText(catalog.MemberValue(e, "value"))
					o.label, o.labels = texts(catalog.MemberValue(e, "label"))
				} else {
					o.value = optionText(e)
				}
				if o.value != "" {
					a.options = append(a.options, o)
				}
			}
		case "stores":
			overlays = v
		}
	}
	for store, over := range overlays.Members() {
		put(&a.labels, store, catalog.MemberValue(over, "label"))
		put(&a.units, store, catalog.MemberValue(over, "unit"))
	}
	return a
}

// optionText returns the value of an option as values of documents have it.
func optionText(v catalog.Value) string {
	if v.Type() == catalog.ValueNumber {
		t, _, _ := numberValue(v)
		return t
	}
	if v == nil || v.Type() == catalog.ValueNull {
		return ""
	}
	return v.Text()
}

// meta returns what a store is shown of an attribute.
func (as attributes) meta(name, store string) AttributeMeta {
	a := as[name]
	if a == nil {
		return AttributeMeta{}
	}
	in := func(base string, m map[string]string) string {
		if t, ok := m[store]; ok {
			return t
		}
		return base
	}
	out := AttributeMeta{Label: in(a.label, a.labels), Unit: in(a.unit, a.units), Hidden: a.hidden}
	for _, o := range a.options {
		out.Options = append(out.Options, o.value)
		if l := in(o.label, o.labels); l != "" && l != o.value {
			if out.OptionLabels == nil {
				out.OptionLabels = map[string]string{}
			}
			out.OptionLabels[o.value] = l
		}
	}
	return out
}

// silent returns the attributes whose words are not searched.
func (as attributes) silent(more []string) map[string]bool {
	out := map[string]bool{}
	for name, a := range as {
		if a.silent {
			out[name] = true
		}
	}
	for _, name := range more {
		out[name] = true
	}
	return out
}
