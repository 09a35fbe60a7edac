package storefront

import (
	"strings"

	"catalog/catalog"
	"catalog/indexer"
)

// looks is how a document is shown: as a store view sees it, with the members
// that were chosen.
type looks struct {
	store   string
	website string
	fields  []string // names, or "attributes.NAME"; nil: all
}

func looksOf(v *indexer.StoreView, fields []string) looks {
	return looks{store: v.Code, website: v.Website, fields: fields}
}

// hidden are members of products that are nobody's business but the shop's.
func hidden(name string) bool {
	return name == "cost" || name == "stores" || name == catalog.KindMember
}

// perStore are the texts that may be objects of store → text.
func perStore(name string) bool {
	switch name {
	case "name", "description", "short_description", "url_key", "brand":
		return true
	}
	return false
}

// shown reports whether a store shows a product: it is enabled, and in the
// store's website.
func (l *looks) shown(body catalog.Value) bool {
	if len(body) == 0 {
		return false
	}
	var status, websites, over catalog.Value
	for name, v := range body.Members() {
		switch string(name) {
		case "status":
			status = v
		case "websites":
			websites = v
		case "stores":
			over = catalog.MemberValue(v, l.store)
		}
	}
	if over.Type() == catalog.ValueObject {
		if v := catalog.Value(catalog.MemberValue(over, "status")); v.Type() == catalog.ValueString {
			status = v
		}
	}
	return string(status) != `"disabled"` && l.sells(websites)
}

// sells reports whether the store is in one of a product's websites.
func (l *looks) sells(websites catalog.Value) bool {
	if t := websites.Type(); l.website == "" || t != catalog.ValueArray && t != catalog.ValueString {
		return true
	}
	for w := range websites.Elements() {
		if w.Text() == l.website {
			return true
		}
	}
	return false
}

// wants reports whether a member is chosen, and whether only parts of it are.
func (l *looks) wants(name string) (all, part bool) {
	if l.fields == nil {
		return true, false
	}
	for _, f := range l.fields {
		if f == name {
			return true, false
		}
		if len(f) > len(name) && f[len(name)] == '.' && strings.HasPrefix(f, name) {
			part = true
		}
	}
	return false, part
}

// append appends a product's or category's document as it looks, sku or id
// always among its members.
func (l *looks) append(dst []byte, body catalog.Value, key string) []byte {
	over := catalog.Value(catalog.MemberValue(catalog.MemberValue(body, "stores"), l.store))
	if over.Type() != catalog.ValueObject {
		over = nil
	}
	dst = append(dst, '{')
	first := true
	for name, v := range body.Members() {
		n := string(name)
		if hidden(n) {
			continue
		}
		all, part := l.wants(n)
		if !all && !part && n != key {
			continue
		}
		if perStore(n) && v.Type() == catalog.ValueObject {
			v = l.text(v)
		}
		if o := catalog.Value(catalog.MemberValue(over, n)); o != nil && o.Type() != catalog.ValueNull && n != key {
			if n == "attributes" && v.Type() == catalog.ValueObject && o.Type() == catalog.ValueObject {
				dst = l.openMember(dst, n, &first)
				dst = l.attributes(dst, v, o, !all)
				continue
			}
			v = o
		}
		switch {
		case part && !all && v.Type() == catalog.ValueObject:
			dst = l.openMember(dst, n, &first)
			dst = l.parts(dst, n, v)
		case part && !all:
		default:
			dst = member(dst, name, v, &first)
		}
	}
	for name, v := range over.Members() {
		n := string(name)
		if v.Type() == catalog.ValueNull || hidden(n) || catalog.MemberValue(body, n) != nil {
			continue
		}
		if all, _ := l.wants(n); all {
			dst = member(dst, name, v, &first)
		}
	}
	return append(dst, '}')
}

func (l *looks) openMember(dst []byte, name string, first *bool) []byte {
	if !*first {
		dst = append(dst, ',')
	}
	*first = false
	dst = appendString(dst, name)
	return append(dst, ':')
}

// parts appends the chosen members of an object.
func (l *looks) parts(dst []byte, name string, v catalog.Value) []byte {
	dst = append(dst, '{')
	first := true
	for k, m := range v.Members() {
		if l.picks(name, string(k)) {
			dst = member(dst, k, m, &first)
		}
	}
	return append(dst, '}')
}

// picks reports whether fields name a member of a member.
func (l *looks) picks(name, inner string) bool {
	for _, f := range l.fields {
		if len(f) == len(name)+1+len(inner) && f[len(name)] == '.' && strings.HasPrefix(f, name) && strings.HasSuffix(f, inner) {
			return true
		}
	}
	return false
}

// attributes appends attributes with those of the store's overlay upon them.
func (l *looks) attributes(dst []byte, base, over catalog.Value, some bool) []byte {
	const name = "attributes"
	dst = append(dst, '{')
	first := true
	for k, v := range base.Members() {
		if some && !l.picks(name, string(k)) {
			continue
		}
		if o := catalog.Value(catalog.MemberValue(over, string(k))); o != nil && o.Type() != catalog.ValueNull {
			v = o
		}
		dst = member(dst, k, v, &first)
	}
	for k, v := range over.Members() {
		if v.Type() == catalog.ValueNull || some && !l.picks(name, string(k)) || catalog.MemberValue(base, string(k)) != nil {
			continue
		}
		dst = member(dst, k, v, &first)
	}
	return append(dst, '}')
}

// text returns the text of the store of an object of store → text, falling
// back to that of all stores, or else the first.
func (l *looks) text(v catalog.Value) catalog.Value {
	var first, base catalog.Value
	for store, t := range v.Members() {
		if t.Type() != catalog.ValueString {
			continue
		}
		switch {
		case string(store) == l.store:
			return t
		case len(store) == 0 || string(store) == indexer.DefaultStore:
			if base == nil {
				base = t
			}
		case first == nil:
			first = t
		}
	}
	switch {
	case base != nil:
		return base
	case first != nil:
		return first
	}
	return catalog.Value("null")
}

// member returns a member of a document as it looks, nil if there is none.
func (l *looks) member(body catalog.Value, name string) catalog.Value {
	if over := catalog.Value(catalog.MemberValue(catalog.MemberValue(body, "stores"), l.store)); over.Type() == catalog.ValueObject {
		if v := catalog.Value(catalog.MemberValue(over, name)); v != nil && v.Type() != catalog.ValueNull {
			return v
		}
	}
	v := catalog.Value(catalog.MemberValue(body, name))
	if perStore(name) && v.Type() == catalog.ValueObject {
		v = l.text(v)
	}
	if v.Type() == catalog.ValueNull {
		return nil
	}
	return v
}
