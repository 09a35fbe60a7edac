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
	if c.set {
		v := c.stock.Value(p.doc)
		switch c.stock.Type {
		case jsonscan.Object:
			p.entry = jsonscan.AppendMembers(p.entry[:0], v)
			if err := p.stockMembers(p.entry, v, "stock.", c.stock.ValStart, c.flat); err != nil {
				return Part{}, err
			}
		default:
			n := numberText(v, c.stock.Type)
			if n == nil {
				return Part{}, &InvalidError{Reason: ReasonStock, Path: "stock", Offset: c.stock.ValStart, Detail: "is " + c.stock.Type.String() + "; an object or a quantity is needed"}
			}
			p.buf = append(p.buf, `,"qty":`...)
			p.buf = append(p.buf, n...)
			for i, m := range c.flat {
				if string(m.Key(p.doc)) == "qty" {
					c.flat = append(c.flat[:i], c.flat[i+1:]...)
					break
				}
			}
		}
	}
	if err := p.stockMembers(c.flat, p.doc, "", 0, nil); err != nil {
		return Part{}, err
	}
	p.buf = append(p.buf, '}')
	return Part{State: PartSet, Body: p.buf[start:len(p.buf):len(p.buf)]}, nil
}

// stockMembers appends members of doc to the record being built: quantities as
// numbers, flags as booleans, nulls not at all, and none that over has too.
func (p *Parser) stockMembers(members []jsonscan.Member, doc []byte, path string, at int, over []jsonscan.Member) error {
next:
	for i := range members {
		m := &members[i]
		key, v := m.Key(doc), m.Value(doc)
		if m.Type == jsonscan.Null || string(key) == "sku" {
			continue
		}
		for j := range over {
			if string(over[j].Key(p.doc)) == string(key) {
				continue next
			}
		}
		p.buf = append(p.buf, ',')
		p.buf = append(p.buf, doc[m.KeyStart-1:m.KeyEnd+1]...)
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
			return &InvalidError{Reason: ReasonStock, Path: path + string(key), Offset: at + m.ValStart, Detail: fault}
		}
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
