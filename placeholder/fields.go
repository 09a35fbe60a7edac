package placeholder

import (
	"strings"

	"catalog/catalog"
)

// fields are the members of a document that placeholders need. A variant's own
// members go before its parent's.
type fields struct {
	kind     string // "type"
	parent   bool   // has variants of its own
	disabled bool
	taxClass string
	weight   string
	cost     string
	websites []string // nil: all

	name    catalog.Value // text, or an object of store → text
	variant catalog.Value // a variant's name
	stores  catalog.Value // the document's overlays
	overlay catalog.Value // the variant's overlays
	docs    [2]catalog.Value
	attrs   [2]catalog.Value // attributes: the variant's, the document's
	paths   catalog.Value    // categories
	suffix  string           // what tells a nameless variant from its siblings
}

// read fills f from rec.
func (f *fields) read(rec Records) {
	for key, v := range rec.Document.Members() {
		switch string(key) {
		case "variants":
			for range v.Elements() {
				f.parent = rec.Variant == nil
				break
			}
		case "name":
			f.name = v
		case "stores":
			f.stores = v
		case "attributes":
			f.attrs[1] = v
		case "categories":
			f.paths = v
		case "type":
			if rec.Variant == nil {
				f.kind = textOf(v)
			}
		default:
			f.common(string(key), v)
		}
	}
	f.docs[1] = rec.Document
	if rec.Variant == nil {
		return
	}
	f.docs[0] = rec.Variant
	for key, v := range rec.Variant.Members() {
		switch string(key) {
		case "name":
			f.variant = v
		case "stores":
			f.overlay = v
		case "attributes":
			f.attrs[0] = v
		case "categories":
			f.paths = v
		case "type":
			f.kind = textOf(v)
		default:
			f.common(string(key), v)
		}
	}
	var suffix []string
	for _, v := range f.attrs[0].Members() {
		if t := v.Type(); t == catalog.ValueString || t == catalog.ValueNumber {
			suffix = append(suffix, v.Text())
		}
	}
	f.suffix = strings.Join(suffix, ", ")
}

// common reads what a variant and a document have alike.
func (f *fields) common(key string, v catalog.Value) {
	if v.Type() == catalog.ValueNull {
		return
	}
	switch key {
	case "status":
		f.disabled = f.disabled || textOf(v) == "disabled"
	case "tax_class":
		f.taxClass = strings.TrimSpace(textOf(v))
	case "weight":
		f.weight = numberOf(v)
	case "cost":
		f.cost = numberOf(v)
	case "websites":
		f.websites = []string{}
		for e := range v.Elements() {
			f.websites = append(f.websites, textOf(e))
		}
	}
}

// textOf returns a string's text, or how a number is written; "" of the rest.
func textOf(v catalog.Value) string {
	switch v.Type() {
	case catalog.ValueString, catalog.ValueNumber:
		return v.Text()
	}
	return ""
}

// numberOf returns a decimal: a number, an amount as text, or the value of an
// object such as {"value":1.5,"unit":"kg"}.
func numberOf(v catalog.Value) string {
	if v.Type() == catalog.ValueObject {
		for key, e := range v.Members() {
			if string(key) == "value" {
				return textOf(e)
			}
		}
	}
	return strings.TrimSpace(textOf(v))
}

// member returns a member of an object, or nil.
func member(v catalog.Value, name string) catalog.Value {
	for key, e := range v.Members() {
		if string(key) == name {
			return e
		}
	}
	return nil
}

// inStore returns the text of a member that is text, or an object of
// store → text; own is the text of all stores.
func inStore(v catalog.Value, store string) (text string, own bool) {
	if v.Type() == catalog.ValueObject {
		return textOf(member(v, store)), true
	}
	return textOf(v), false
}

// defaultName returns the name that holds where no store has its own: of names
// that are all of stores, that of the default website's first store.
func (f *fields) defaultName(info *Info) string {
	plain := func(v catalog.Value) string {
		if v.Type() != catalog.ValueObject {
			return textOf(v)
		}
		codes := []string{"", "default", "admin"}
		for _, w := range info.Websites {
			for _, s := range w.Stores {
				if w.Default {
					codes = append(codes, s.Code)
				}
			}
		}
		for _, code := range codes {
			if n := textOf(member(v, code)); n != "" {
				return n
			}
		}
		for _, e := range v.Members() {
			if n := textOf(e); n != "" {
				return n
			}
		}
		return ""
	}
	if n := plain(f.variant); n != "" {
		return n
	}
	return f.suffixed(plain(f.name))
}

// storeName returns the name that a store has of its own, or "".
func (f *fields) storeName(store string) string {
	if n := textOf(member(member(f.overlay, store), "name")); n != "" {
		return n
	}
	if f.variant != nil {
		n, _ := inStore(f.variant, store)
		return n
	}
	if n := textOf(member(member(f.stores, store), "name")); n != "" {
		return f.suffixed(n)
	}
	if n, own := inStore(f.name, store); own {
		return f.suffixed(n)
	}
	return ""
}

// suffixed appends what tells the variant from its siblings.
func (f *fields) suffixed(name string) string {
	if name == "" || f.suffix == "" {
		return name
	}
	return name + ", " + f.suffix
}

// attribute returns the value of an attribute or member of that name, the
// variant's before its parent's; nil if there is none.
func (f *fields) attribute(code string) catalog.Value {
	for _, in := range [...]catalog.Value{f.attrs[0], f.docs[0], f.attrs[1], f.docs[1]} {
		if v := member(in, code); v != nil && v.Type() != catalog.ValueNull {
			return v
		}
	}
	return nil
}
