package gateway

import (
	"bytes"
	"encoding/xml"
	"mime"
	"strings"
)

// parseREST reads the body of a REST route that saves cart items:
// {"cartItem": {"sku": …}}, or an array of such for the bulk routes; or the
// same as XML. It returns nil for what Magento will not understand either.
func parseREST(contentType string, body []byte) *parsed {
	if isXML(contentType) {
		return parseRESTXML(body)
	}
	root, ok := parseJSON(body)
	if !ok {
		return nil
	}
	p := &parsed{}
	var items []*value
	for _, call := range root.elements() {
		item := restMember(call, "cartitem")
		if item == nil {
			continue
		}
		sku := restText(restMember(item.value, "sku"))
		if sku == "" {
			continue
		}
		items = append(items, item.value)
		if !p.add(sku) {
			return p
		}
	}
	p.rewrite = func(a answers) rewritten {
		if r := a.refusal(p.skus); r != nil {
			return rewritten{refusal: r}
		}
		var edits []edit
		for _, item := range items {
			edits = append(edits, restEdits(item, a)...)
		}
		if edits == nil {
			return rewritten{}
		}
		return rewritten{body: applyEdits(body, edits)}
	}
	return p
}

// restEdits makes an item's SKU as the shop spells it, and an item of a
// configurable, which names its parent, a simple one: Magento itself knows no
// parent_sku here.
func restEdits(item *value, a answers) (edits []edit) {
	m := restMember(item, "sku")
	sku := restText(m)
	if s := a.spelling(sku); s != sku {
		edits = append(edits, edit{m.value.start, m.value.end, string(appendJSONString(nil, s))})
	}
	if !a.ours(sku) {
		return edits
	}
	for i := range item.members {
		if restName(item.members[i].name) == "parentsku" {
			return append(edits, removeMember(item, i))
		}
	}
	return edits
}

// restName folds a member's name: Magento takes cartItem and cart_item alike.
func restName(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }

// restMember returns the last member of an object by its folded name.
func restMember(v *value, folded string) *member {
	if v == nil {
		return nil
	}
	for i := len(v.members) - 1; i >= 0; i-- {
		if restName(v.members[i].name) == folded {
			return &v.members[i]
		}
	}
	return nil
}

// restText returns a SKU that is written as a string or as a number.
func restText(m *member) string {
	if m == nil || m.value.kind != kindString && m.value.kind != kindNumber {
		return ""
	}
	return m.value.text
}

// isXML reports whether Magento reads a body of this type as XML.
func isXML(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && (t == "application/xml" || t == "text/xml" || t == "application/xhtml+xml")
}

// parseRESTXML reads <…><cartItem><sku>X</sku>…; such a body is never
// rewritten.
func parseRESTXML(body []byte) *parsed {
	p := &parsed{}
	var path []string
	var text strings.Builder
	dec := xml.NewDecoder(bytes.NewReader(body))
	for n := 0; ; n++ {
		tok, err := dec.Token()
		if n > maxVisited {
			p.excess = true
			return p
		}
		if err != nil {
			break // its end, or something that Magento refuses
		}
		switch t := tok.(type) {
		case xml.StartElement:
			path = append(path, restName(t.Name.Local))
			text.Reset()
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			if n := len(path); n >= 2 && path[n-1] == "sku" && path[n-2] == "cartitem" {
				if !p.add(text.String()) {
					return p
				}
			}
			path = path[:len(path)-1]
		}
	}
	p.rewrite = func(a answers) rewritten { return rewritten{refusal: a.refusal(p.skus)} }
	return p
}
