package catalog

import (
	"fmt"

	"catalog/catalog/internal/jsonscan"
)

// product reads a product document: the body is the document without its price
// and stock, which become parts.
func (p *Parser) product(r *Parsed) error {
	doc := p.doc
	kept := p.kept[:0]
	p.price.reset()
	p.stock.reset()
	cut := false
	for i := range p.scan.Members {
		m := &p.scan.Members[i]
		s := span{member: *m}
		key := m.Key(doc)
		var err error
		switch string(key) {
		case "sku":
			if s.text = keyText(m, r.Key); s.text != nil {
				cut = true
			}
		case "name", "description", "short_description", "brand":
			err = p.textOrStores(m, "")
		case "url_key":
			err = p.urlKeys(m, RefURLKey, r)
		case "type":
			err = p.wantString(m)
		case "status":
			err = p.wantOneOf(m, "enabled", "disabled")
		case "visibility":
			err = p.wantOneOf(m, "catalog_search", "catalog", "search", "none")
		case "categories":
			err = p.categories(m)
		case "attributes":
			if m.Type != jsonscan.Object && m.Type != jsonscan.Null {
				err = p.wrongType(m, "", "an object")
			}
		case "websites", "images", "related", "upsell", "crosssell":
			if m.Type != jsonscan.Array && m.Type != jsonscan.String && m.Type != jsonscan.Null {
				err = p.wrongType(m, "", "an array")
			}
		case "stores":
			err = p.overlays(m, RefURLKey, r, &s)
			cut = cut || s.text != nil
		case "variants":
			err = p.variants(m, r, &s)
			cut = cut || s.text != nil
		case "stock", "qty", "in_stock":
			p.stock.add(m)
			cut = true
			continue
		default:
			if isPriceMember(key) {
				p.price.add(m, key)
				continue
			}
		}
		if err != nil {
			return err
		}
		kept = append(kept, s)
	}
	for _, m := range p.price.leave() {
		kept = append(kept, span{member: m})
	}
	p.kept = kept
	cut = cut || p.price.any()
	var err error
	if r.Price, err = p.pricePart(r.Key); err != nil {
		return err
	}
	if r.Stock, err = p.stockPart(r.Key); err != nil {
		return err
	}
	switch {
	case cut || p.scan.Space:
		r.Body = p.body(kept, p.scan.Space)
	default:
		start := len(p.buf)
		p.buf = append(p.buf, doc...)
		r.Body = p.buf[start:len(p.buf):len(p.buf)]
	}
	return nil
}

func (p *Parser) wantString(m *jsonscan.Member) error {
	if m.Type != jsonscan.String && m.Type != jsonscan.Null {
		return p.wrongType(m, "", "a string")
	}
	return nil
}

func (p *Parser) wantOneOf(m *jsonscan.Member, allowed ...string) error {
	if m.Type == jsonscan.Null {
		return nil
	}
	if m.Type != jsonscan.String {
		return p.wrongType(m, "", "a string")
	}
	v := m.Value(p.doc)
	for _, a := range allowed {
		if string(v[1:len(v)-1]) == a {
			return nil
		}
	}
	return p.fault(ReasonType, m, "", fmt.Sprintf("is %.40s; it must be one of %q", v, allowed))
}

// categories checks an array of paths or of {path|id, position}; a single path
// may stand alone.
func (p *Parser) categories(m *jsonscan.Member) error {
	switch m.Type {
	case jsonscan.Null, jsonscan.String:
		return nil
	case jsonscan.Array:
	default:
		return p.wrongType(m, "", "an array of paths")
	}
	p.elems = jsonscan.AppendElements(p.elems[:0], m.Value(p.doc))
	for i, e := range p.elems {
		switch jsonscan.TypeOf(e) {
		case jsonscan.String:
		case jsonscan.Object:
			p.entry = jsonscan.AppendMembers(p.entry[:0], e)
			found := false
			for _, c := range p.entry {
				switch string(c.Key(e)) {
				case "path":
					found = c.Type == jsonscan.String
				case "id":
					found = found || c.Type == jsonscan.String || c.Type == jsonscan.Number
				}
			}
			if !found {
				return p.fault(ReasonType, m, "", fmt.Sprintf("element %d has neither path nor id", i))
			}
		default:
			return p.fault(ReasonType, m, "", fmt.Sprintf("element %d is %s; a path or an object is needed", i, jsonscan.TypeOf(e)))
		}
	}
	return nil
}

// overlays reads the member stores: an object of store → partial document.
// Prices in an overlay become price entries of that store; s then gets the
// text without them.
func (p *Parser) overlays(m *jsonscan.Member, t RefType, r *Parsed, s *span) error {
	if m.Type == jsonscan.Null {
		return nil
	}
	if m.Type != jsonscan.Object {
		return p.wrongType(m, "", "an object of store → fields")
	}
	v := m.Value(p.doc)
	stores := jsonscan.AppendMembers(nil, v)
	rewrite := false
	for _, st := range stores {
		if st.Type != jsonscan.Object {
			st := shift(st, m.ValStart)
			return p.wrongType(&st, "stores", "an object")
		}
		store := string(jsonscan.AppendUnquoted(nil, st.Key(v)))
		if len(store) > MaxSKU {
			st := shift(st, m.ValStart)
			return p.fault(ReasonKey, &st, "stores", "the store code is too long")
		}
		over := st.Value(v)
		p.members = jsonscan.AppendMembers(p.members[:0], over)
		for _, f := range p.members {
			at := shift(f, m.ValStart+st.ValStart)
			switch key := f.Key(over); string(key) {
			case "name", "description", "short_description", "brand":
				if f.Type != jsonscan.String && f.Type != jsonscan.Null {
					return p.wrongType(&at, "stores."+store, "a string")
				}
			case "url_key":
				if f.Type != jsonscan.String && f.Type != jsonscan.Null {
					return p.wrongType(&at, "stores."+store, "a string")
				}
				if f.Type == jsonscan.String {
					if err := p.addRef(&at, t, store, f.Value(over), r); err != nil {
						return err
					}
				}
			case "currency", "msrp":
			default:
				rewrite = rewrite || isPriceMember(key)
			}
		}
	}
	if !rewrite || s == nil {
		return nil
	}
	out := append([]byte(nil), '{')
	for i, st := range stores {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, v[st.KeyStart-1:st.KeyEnd+1]...)
		out = append(out, ':', '{')
		over := st.Value(v)
		first := true
		for _, f := range jsonscan.AppendMembers(nil, over) {
			if isPriceMember(f.Key(over)) {
				p.price.addStore(shift(f, m.ValStart+st.ValStart), string(jsonscan.AppendUnquoted(nil, st.Key(v))))
				continue
			}
			if !first {
				out = append(out, ',')
			}
			first = false
			out = append(out, over[f.KeyStart-1:f.KeyEnd+1]...)
			out = append(out, ':')
			out = jsonscan.AppendCompact(out, f.Value(over))
		}
		out = append(out, '}')
	}
	s.text = append(out, '}')
	return nil
}

// variants reads the member variants: an array of SKUs or of objects with one.
// Price and stock of embedded variants become parts; s then gets the text
// without them.
func (p *Parser) variants(m *jsonscan.Member, r *Parsed, s *span) error {
	if m.Type == jsonscan.Null {
		return nil
	}
	if m.Type != jsonscan.Array {
		return p.wrongType(m, "", "an array")
	}
	outer := p.price
	p.price = priceParts{}
	outerStock := p.stock
	p.stock = stockParts{}
	defer func() { p.price, p.stock = outer, outerStock }()

	v := m.Value(p.doc)
	elems := jsonscan.AppendElements(nil, v)
	varStart := len(p.vars)
	out := make([]byte, 0, len(v))
	out = append(out, '[')
	rewrite := false
	for i, e := range elems {
		pos := offsetIn(v, e)
		if i > 0 {
			out = append(out, ',')
		}
		if t := jsonscan.TypeOf(e); t == jsonscan.String || t == jsonscan.Number {
			mm := jsonscan.Member{KeyStart: m.KeyStart, KeyEnd: m.KeyEnd, ValStart: m.ValStart + pos, ValEnd: m.ValStart + pos + len(e), Type: t}
			sku, err := p.keyOf(KindProduct, &mm)
			if err != nil {
				return variantFault(err, i)
			}
			if t == jsonscan.Number {
				rewrite = true
				out = jsonscan.AppendQuoted(out, string(sku))
			} else {
				out = append(out, e...)
			}
			p.putRef(RefVariant, "", string(sku), r)
			continue
		} else if t != jsonscan.Object {
			return p.fault(ReasonType, m, "", fmt.Sprintf("element %d is %s; a SKU or an object is needed", i, t))
		}
		p.price.reset()
		p.stock.reset()
		var sku Key
		out = append(out, '{')
		first := true
		for _, f := range jsonscan.AppendMembers(p.members[:0], e) {
			key := f.Key(e)
			at := shift(f, m.ValStart+pos)
			switch string(key) {
			case "sku":
				var err error
				if sku, err = p.keyOf(KindProduct, &at); err != nil {
					return variantFault(err, i)
				}
				if f.Type == jsonscan.Number {
					rewrite = true
					out = appendComma(out, &first)
					out = append(out, `"sku":`...)
					out = jsonscan.AppendQuoted(out, string(sku))
					continue
				}
			case "stock", "qty", "in_stock":
				p.stock.add(&at)
				rewrite = true
				continue
			default:
				if isPriceMember(key) {
					p.price.add(&at, key)
					rewrite = true
					continue
				}
			}
			out = appendComma(out, &first)
			out = append(out, e[f.KeyStart-1:f.KeyEnd+1]...)
			out = append(out, ':')
			out = jsonscan.AppendCompact(out, f.Value(e))
		}
		if sku == "" {
			return p.fault(ReasonNoKey, m, "", fmt.Sprintf("element %d has no sku", i))
		}
		for _, m := range p.price.leave() {
			out = appendComma(out, &first)
			out = append(out, p.doc[m.KeyStart-1:m.KeyEnd+1]...)
			out = append(out, ':')
			out = jsonscan.AppendCompact(out, m.Value(p.doc))
		}
		out = append(out, '}')
		price, err := p.pricePart(sku)
		if err != nil {
			return variantFault(err, i)
		}
		stock, err := p.stockPart(sku)
		if err != nil {
			return variantFault(err, i)
		}
		if price.State != PartAbsent || stock.State != PartAbsent {
			p.vars = append(p.vars, Variant{SKU: sku, Price: price, Stock: stock})
		}
		p.putRef(RefVariant, "", string(sku), r)
	}
	if rewrite {
		s.text = append(out, ']')
	}
	r.Variants = p.vars[varStart:len(p.vars):len(p.vars)]
	return nil
}

func appendComma(dst []byte, first *bool) []byte {
	if *first {
		*first = false
		return dst
	}
	return append(dst, ',')
}

// offsetIn returns where part, a subslice of whole, starts in it.
func offsetIn(whole, part []byte) int { return cap(whole) - cap(part) }

// variantFault puts the variant's place before the path of its fault.
func variantFault(err error, i int) error {
	if e, ok := err.(*InvalidError); ok { //nolint:errorlint // made just above, never wrapped
		e.Path = fmt.Sprintf("variants[%d].%s", i, e.Path)
	}
	return err
}
