package catalog

import (
	"fmt"

	"catalog/catalog/internal/jsonscan"
)

// stockParts collects the stock members of a product, a variant or a stock
// feed's record until the stock record is made of them.
type stockParts struct {
	flat  []jsonscan.Member
	stock jsonscan.Member // "stock" when it is an object or a number
	set   bool
	null  bool
}

func (c *stockParts) reset() { *c = stockParts{flat: c.flat[:0]} }

func (c *stockParts) add(m *jsonscan.Member) {
	isStock := m.KeyEnd-m.KeyStart == len("stock")
	switch {
	case isStock && m.Type == jsonscan.Null:
		c.null = true
	case isStock:
		c.stock, c.set = *m, true
	case m.Type != jsonscan.Null:
		c.flat = append(c.flat, *m)
	}
}

// stockPart makes the stock record of what was collected.
func (p *Parser) stockPart(sku Key) (Part, error) {
	c := &p.stock
	if !c.set && len(c.flat) == 0 {
		if c.null {
			return Part{State: PartNull}, nil
		}
		return Part{}, nil
	}
	start := len(p.buf)
	p.buf = append(p.buf, `{"sku":`...)
	p.buf = jsonscan.AppendQuoted(p.buf, string(sku))
	members := p.members[:0]
	path := ""
	var qty []byte // of a bare number
	if c.set {
		v := c.stock.Value(p.doc)
		switch {
		case c.stock.Type == jsonscan.Object:
			path = "stock."
			members = jsonscan.AppendMembers(members, v)
			for i := range members {
				members[i] = shift(members[i], c.stock.ValStart)
			}
		case numberText(v, c.stock.Type) == nil:
			return Part{}, &InvalidError{Reason: ReasonStock, Path: "stock", Offset: c.stock.ValStart, Detail: "is " + c.stock.Type.String() + "; an object or a quantity is needed"}
		case memberOf(c.flat, p.doc, &qtyMember, qtyName) < 0:
			qty = numberText(v, c.stock.Type)
		}
	}
	// What stands flat in the document goes before what stands in stock.
	n := 0
	for _, m := range members {
		if memberOf(c.flat, p.doc, &m, p.doc) < 0 {
			members[n] = m
			n++
		}
	}
	members = append(members[:n], c.flat...)
	p.members = members
	sortMembers(members, p.doc)
	if err := p.stockMembers(members, path, qty); err != nil {
		return Part{}, err
	}
	p.buf = append(p.buf, '}')
	return Part{State: PartSet, Body: p.buf[start:len(p.buf):len(p.buf)]}, nil
}

// qtyMember is the member qty of the document qtyName, to look for others of
// that name.
var (
	qtyName   = []byte("qty")
	qtyMember = jsonscan.Member{KeyEnd: len(qtyName)}
)

// stockMembers appends members of the document to the record being built:
// quantities as numbers, flags as booleans, nulls not at all. A qty that is
// given apart goes where its name belongs.
func (p *Parser) stockMembers(members []jsonscan.Member, path string, qty []byte) error {
	putQty := func() {
		p.buf = append(p.buf, `,"qty":`...)
		p.buf = append(p.buf, qty...)
		qty = nil
	}
	for i := range members {
		m := &members[i]
		key, v := m.Key(p.doc), m.Value(p.doc)
		if m.Type == jsonscan.Null || string(key) == "sku" {
			continue
		}
		if qty != nil && string(key) > "qty" {
			putQty()
		}
		p.buf = append(p.buf, ',')
		p.buf = append(p.buf, p.doc[m.KeyStart-1:m.KeyEnd+1]...)
		p.buf = append(p.buf, ':')
		fault := ""
		switch string(key) {
		case "qty", "min_qty", "max_qty":
			n := numberText(v, m.Type)
			if n == nil {
				fault = fmt.Sprintf("is %.40s; a number is needed", v)
			}
			p.buf = append(p.buf, n...)
		case "in_stock", "manage":
			b, ok := flag(v, m.Type)
			if !ok {
				fault = fmt.Sprintf("is %.40s; true or false is needed", v)
			}
			p.buf = append(p.buf, b...)
		case "sources":
			if m.Type != jsonscan.Array {
				fault = "is " + m.Type.String() + "; an array of {source, qty} is needed"
				break
			}
			for j, e := range jsonscan.AppendElements(nil, v) {
				if jsonscan.TypeOf(e) != jsonscan.Object {
					fault = fmt.Sprintf("element %d is %s; an object {source, qty} is needed", j, jsonscan.TypeOf(e))
				}
			}
			p.buf = jsonscan.AppendCompact(p.buf, v)
		default:
			p.buf = jsonscan.AppendCompact(p.buf, v)
		}
		if fault != "" {
			return &InvalidError{Reason: ReasonStock, Path: path + string(key), Offset: m.ValStart, Detail: fault}
		}
	}
	if qty != nil {
		putQty()
	}
	return nil
}

// flag reads a boolean, also in the spellings of spreadsheets.
func flag(v []byte, t jsonscan.Type) (string, bool) {
	if t == jsonscan.String {
		v = v[1 : len(v)-1]
	}
	switch string(v) {
	case "true", "1", "yes", "TRUE", "True":
		return "true", true
	case "false", "0", "no", "FALSE", "False":
		return "false", true
	}
	return "", false
}

// stockRecord reads a record of a stock feed: the fields of stock beside sku,
// or stock as in a product.
func (p *Parser) stockRecord(r *Parsed) error {
	p.stock.reset()
	for i := range p.scan.Members {
		m := &p.scan.Members[i]
		if string(m.Key(p.doc)) == "stock" {
			p.stock.add(m)
		} else if string(m.Key(p.doc)) != "sku" && m.Type != jsonscan.Null {
			p.stock.flat = append(p.stock.flat, *m)
		}
	}
	if len(p.stock.flat) == 0 && !p.stock.set && !p.stock.null {
		return &InvalidError{Reason: ReasonStock, Offset: -1, Detail: "the record has no quantity"}
	}
	part, err := p.stockPart(r.Key)
	if err != nil {
		return err
	}
	r.Body = part.Body
	return nil
}
