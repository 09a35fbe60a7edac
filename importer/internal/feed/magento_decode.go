package feed

import (
	"bytes"

	"catalog/importer/internal/jsontext"
)

// emptyValue is how Magento's CSV says that a value is to be cleared; an empty
// cell only says nothing.
const emptyValue = "__EMPTY__VALUE__"

// magentoDecoder makes each row of Magento's product CSV a product document.
//
// Columns become members as package catalog describes them: the price columns
// "price", the stock columns "stock" (without those that the shop's own setting
// overrides), images "images", additional_attributes and columns that Magento
// does not have by itself "attributes", and so on. A row with a
// store_view_code becomes an overlay: what its cells say stands under
// "stores", except the type, the attribute set and the websites, which Magento
// repeats there but does not read; prices are flat members there, which package
// catalog takes for prices of that store.
type magentoDecoder struct {
	csvDecoder
	plan  *magentoPlan
	raw   []byte
	cells []cell
	list  [][]byte // pieces of a cell, reused
	attrs attributeSet
}

// Decode yields the rows.
func (d *magentoDecoder) Decode(c *Chunk, yield func(*Record) error) error {
	if c.reject != nil {
		return decodeReject(c, yield)
	}
	return d.rows(c, d.check, func(rec *Record, cells []cell) error {
		if rec.Err == nil {
			d.raw, d.cells = rec.rest(c), cells
			rec.Overlay = d.product()
			rec.JSON = d.out
		}
		return yield(rec)
	})
}

// HasField reports whether there is a column of that name; each becomes a field
// of the same or of a better name.
func (d *magentoDecoder) HasField(field string) bool { return d.header.index(field) >= 0 }

// Keys yields the cells of column sku; other fields are looked for in the
// documents.
func (d *magentoDecoder) Keys(c *Chunk, field string, yield func(ord int64, key []byte, overlay bool) error) error {
	if field != "sku" {
		return d.Decode(c, func(rec *Record) error {
			if rec.Err != nil {
				return nil
			}
			return yield(rec.Ord, memberText(rec.JSON, field), rec.Overlay)
		})
	}
	if c.reject != nil {
		return nil
	}
	return d.rows(c, false, func(rec *Record, cells []cell) error {
		if rec.Err != nil {
			return nil
		}
		d.raw, d.cells = rec.rest(c), cells
		var key []byte
		if sku := trim(d.cell(d.plan.sku)); len(sku) > 0 {
			key = sku
		}
		return yield(rec.Ord, key, len(d.storeCode()) > 0)
	})
}

// memberText returns the text of a top-level member, nil if there is none.
func memberText(obj []byte, field string) []byte {
	var key []byte
	want := jsontext.AppendString(nil, []byte(field))
	want = want[1 : len(want)-1]
	err := members(obj, func(name, value []byte) error {
		if bytes.Equal(name, want) {
			key = keyText(value)
		}
		return nil
	})
	if err != nil {
		return nil
	}
	return key
}

// cell returns a cell's content, valid until the next call.
func (d *magentoDecoder) cell(at int) []byte {
	if at < 0 {
		return nil
	}
	c := d.cells[at]
	text := c.text(d.raw, d.buf)
	if c.doubled {
		d.buf = text
	}
	return text
}

// storeCode returns the row's store view, empty for the default row.
func (d *magentoDecoder) storeCode() []byte {
	code := trim(d.cell(d.plan.store))
	if string(code) == "admin" { // Magento's name for what holds in all stores
		return nil
	}
	return code
}

// comma appends what separates a member from the one before.
func comma(out []byte) []byte {
	if c := out[len(out)-1]; c != '{' && c != '[' {
		return append(out, ',')
	}
	return out
}

// product writes the row to d.out and reports whether it is an overlay.
func (d *magentoDecoder) product() (overlay bool) {
	out := append(d.out[:0], `{"sku":`...)
	out = jsontext.AppendString(out, trim(d.cell(d.plan.sku)))
	if code := d.storeCode(); len(code) > 0 {
		overlay = true
		out = append(out, `,"stores":{`...)
		out = jsontext.AppendString(out, code)
		out = append(out, ":{"...)
	}
	for i := range d.plan.direct {
		if col := &d.plan.direct[i]; !overlay || !col.global {
			out = d.direct(out, col)
		}
	}
	out = d.attributes(out)
	out = d.images(out)
	out = d.variants(out)
	out = d.price(out, overlay)
	out = d.stock(out)
	if overlay {
		out = append(out, "}}"...)
	}
	d.out = append(out, '}')
	return overlay
}

// direct appends the member that one column becomes.
func (d *magentoDecoder) direct(out []byte, col *magentoColumn) []byte {
	text := d.cell(col.at)
	if len(text) == 0 {
		return out
	}
	out = append(comma(out), col.key...)
	if string(text) == emptyValue {
		return append(out, "null"...)
	}
	switch col.role {
	case asNumber:
		return appendAmount(out, text)
	case asStatus:
		return appendStatus(out, trim(text))
	case asVisibility:
		return appendVisibility(out, trim(text))
	case asDate:
		return appendDate(out, trim(text), false)
	case asList:
		d.list = splitList(d.list[:0], text)
		return appendStrings(out, d.list)
	case asCategories:
		d.list = splitCategories(d.list[:0], text)
		return appendCategories(out, d.list)
	}
	return jsontext.AppendString(out, text)
}

// price appends the price entry; in an overlay its members by themselves.
func (d *magentoDecoder) price(out []byte, overlay bool) []byte {
	start, cleared := len(out), false
	if !overlay {
		out = append(comma(out), `"price":{`...)
	}
	inner := len(out)
	for i := range d.plan.price {
		col := &d.plan.price[i]
		text := trim(d.cell(col.at))
		if string(text) == emptyValue {
			cleared = cleared || col.name == "price"
			if overlay {
				out = append(append(comma(out), col.key...), "null"...)
			}
			continue
		}
		if len(text) == 0 {
			continue
		}
		out = append(comma(out), col.key...)
		if col.role == asDate {
			out = appendDate(out, text, true)
		} else {
			out = appendAmount(out, text)
		}
	}
	switch {
	case overlay:
		return out
	case len(out) > inner:
		return append(out, '}')
	case cleared:
		return append(comma(out[:start]), `"price":null`...)
	}
	return out[:start]
}

// stock appends the stock of the row.
func (d *magentoDecoder) stock(out []byte) []byte {
	start := len(out)
	out = append(comma(out), `"stock":{`...)
	inner := len(out)
	for i := range d.plan.stock {
		col := &d.plan.stock[i]
		if string(trim(d.cell(col.useConfig))) == "1" {
			continue
		}
		text := trim(d.cell(col.at))
		if len(text) == 0 || string(text) == emptyValue || col.unlessNo && isZero(text) {
			continue
		}
		out = append(comma(out), col.key...)
		switch {
		case !col.flag:
			out = appendAmount(out, text)
		case string(text) == "1":
			out = append(out, "true"...)
		case string(text) == "0":
			out = append(out, "false"...)
		default:
			out = jsontext.AppendString(out, text)
		}
	}
	if len(out) == inner {
		return out[:start]
	}
	return append(out, '}')
}

func isZero(text []byte) bool { return len(bytes.Trim(text, "0.")) == 0 }

// images appends the row's pictures: the main one, others with a role where
// they differ from it, then the gallery.
func (d *magentoDecoder) images(out []byte) []byte {
	start := len(out)
	out = append(comma(out), `"images":[`...)
	inner := len(out)
	var base, baseLabel []byte // the URL as JSON
	for _, im := range d.plan.images {
		url := trim(d.cell(im.at))
		if len(url) == 0 || string(url) == "no_selection" || string(url) == emptyValue {
			continue
		}
		from := len(out)
		out = comma(out)
		at := len(out) + len(`{"url":`)
		out = jsontext.AppendString(append(out, `{"url":`...), url)
		quoted := out[at:]
		label := d.cell(im.label)
		if base != nil && bytes.Equal(quoted, base) && (len(label) == 0 || bytes.Equal(label, baseLabel)) {
			out = out[:from] // what has no picture of its own has the main one
			continue
		}
		if base == nil && im.role == "base" {
			base, baseLabel = bytes.Clone(quoted), bytes.Clone(label)
		}
		if len(label) > 0 {
			out = jsontext.AppendString(append(out, `,"label":`...), label)
		}
		out = append(append(append(out, `,"role":"`...), im.role...), `"}`...)
	}
	out = d.galleryImages(out, inner)
	if len(out) == inner {
		return out[:start]
	}
	return append(out, ']')
}

// galleryImages appends the additional images that out does not have from
// inner on.
func (d *magentoDecoder) galleryImages(out []byte, inner int) []byte {
	gallery := d.cell(d.plan.gallery)
	if len(gallery) == 0 || string(gallery) == emptyValue {
		return out
	}
	d.list = splitList(d.list[:0], bytes.Clone(gallery)) // the label's cell may need d.buf
	urls := len(d.list)
	if labels := d.cell(d.plan.galleryLabels); len(labels) > 0 && string(labels) != emptyValue {
		d.list = splitLabels(d.list, labels)
	}
	for i, url := range d.list[:urls] {
		from := len(out)
		out = append(comma(out), `{"url":`...)
		at := len(out)
		out = jsontext.AppendString(out, url)
		if bytes.Contains(out[inner:at], append([]byte(`"url":`), out[at:]...)) {
			out = out[:from]
			continue
		}
		if j := urls + i; j < len(d.list) && len(d.list[j]) > 0 {
			out = jsontext.AppendString(append(out, `,"label":`...), d.list[j])
		}
		out = append(out, '}')
	}
	return out
}
