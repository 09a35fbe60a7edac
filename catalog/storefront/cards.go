package storefront

import (
	"slices"

	"catalog/catalog"
	"catalog/indexer"
)

// cards is how the products of a list are shown.
type cards struct {
	looks
	price, regular, stock, unit, parent, score bool // of the hit
	firstImage                                 bool
}

// cardFields are the members of a card if nobody chooses others.
var cardFields = []string{"name", "url_key", "brand", "type", "images"}

func newCards(fields []string, v *indexer.StoreView) (*cards, error) {
	if len(fields) > maxFields {
		return nil, badRequest("fields", "%d names are more than %d", len(fields), maxFields)
	}
	c := &cards{looks: looksOf(v, cardFields), firstImage: true}
	if len(fields) == 0 {
		return c, nil
	}
	c.firstImage = false
	c.fields = make([]string, 0, len(fields))
	for _, f := range fields {
		switch f {
		case "price":
			c.price = true
		case "regular":
			c.regular = true
		case "in_stock":
			c.stock = true
		case "unit":
			c.unit = true
		case "parent":
			c.parent = true
		case "score":
			c.score = true
		case "image": // the first of them
			c.firstImage = true
			c.fields = append(c.fields, "images")
		default:
			c.fields = append(c.fields, f)
		}
	}
	return c, nil
}

// live reports whether cards show what changes without the product.
func (c *cards) live() bool { return c.price || c.regular || c.stock || c.unit }

// append appends a card: the chosen members of a product's document and, where
// chosen, those of the hit. parent is the document of the product that a
// variant without one of its own belongs to.
func (c *cards) append(b []byte, h *indexer.Hit, body, parent catalog.Value) []byte {
	start := len(b)
	switch {
	case body != nil:
		b = c.looks.append(b, body, "sku")
	case parent != nil && h != nil:
		b = c.variant(b, parent, h.SKU)
	case h != nil:
		b = append(b, `{"sku":`...)
		b = appendString(b, h.SKU)
		b = append(b, '}')
	}
	if c.firstImage {
		b = keepFirstImage(b, start)
	}
	if h == nil {
		return b
	}
	b = b[:len(b)-1]
	if c.price && h.HasPrice {
		b = appendField(b, "price", h.Price.String())
	}
	if c.regular && h.HasPrice && h.Regular != h.Price {
		b = appendField(b, "regular", h.Regular.String())
	}
	if c.stock {
		b = appendBool(b, "in_stock", h.InStock)
	}
	if c.unit && h.Unit != "" {
		b = appendField(b, "unit", h.Unit)
	}
	if (c.parent || parent != nil) && h.Parent != "" {
		b = appendField(b, "parent", h.Parent)
	}
	if c.score {
		b = appendInt(b, "score", h.Score)
	}
	return append(b, '}')
}

// variant appends the card of a variant that is part of its product's document:
// its own members before those of the product.
func (c *cards) variant(b []byte, parent catalog.Value, sku string) []byte {
	var own catalog.Value
	for v := range catalog.Value(catalog.MemberValue(parent, "variants")).Elements() {
		if v.Type() == catalog.ValueObject && catalog.Value(catalog.MemberValue(v, "sku")).Text() == sku {
			own = v
			break
		}
	}
	b = append(b, `{"sku":`...)
	b = appendString(b, sku)
	first := false
	for _, name := range c.fields {
		if name == "sku" {
			continue
		}
		v := catalog.Value(catalog.MemberValue(own, name))
		if v == nil {
			v = c.member(parent, name)
		}
		if v != nil && !hidden(name) {
			b = member(b, []byte(name), v, &first)
		}
	}
	return append(b, '}')
}

// keepFirstImage leaves one image in the card that starts at start.
func keepFirstImage(b []byte, start int) []byte {
	images := catalog.Value(catalog.MemberValue(b[start:], "images"))
	if images.Type() != catalog.ValueArray {
		return b
	}
	for first := range images.Elements() {
		end := cap(b) - cap(first) + len(first)
		last := cap(b) - cap(images) + len(images) - 1 // the closing bracket
		return slices.Delete(b, end, last)
	}
	return b
}
