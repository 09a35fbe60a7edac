package catalog

import (
	"errors"
	"fmt"
	"strconv"

	"catalog/catalog/internal/jsonscan"
)

// PartState says what a product document says of its price or stock.
type PartState uint8

// The states of a Part.
const (
	PartAbsent PartState = iota // says nothing: the record is left alone
	PartNull                    // explicit null: the record is deleted
	PartSet                     // Body is the record
)

// Part is the price or stock record that was split out of a document.
type Part struct {
	State PartState
	Body  []byte
}

// Variant is an embedded variant that carries a price or stock record.
type Variant struct {
	SKU          Key
	Price, Stock Part
}

// Parsed is a record as Parser reads it. Body, Refs and Variants live in the
// parser's memory until the next Reset.
type Parsed struct {
	Kind     Kind // differs from the kind asked for only where the record has a KindMember
	Key      Key
	Body     []byte // nil: delete (a price or stock record that is null)
	Refs     []Ref
	Price    Part
	Stock    Part
	Variants []Variant
}

// KindMember is the member, the first of a record, by which a feed of products
// carries records of other kinds: {"$kind":"price",…}. Export writes it.
const KindMember = "$kind"

// Parser reads records: it checks them against the rules of this package,
// splits price and stock out of products, and computes refs. It is not safe
// for concurrent use; its zero value works.
type Parser struct {
	scan jsonscan.Scanner
	buf  []byte // arena of bodies: old slices stay valid when it grows
	refs []Ref
	vars []Variant

	doc     []byte
	members []jsonscan.Member // scratch of nested objects
	elems   [][]byte
	entry   []jsonscan.Member
	kept    []span
	price   priceParts
	stock   stockParts
}

// Reset gives the parser buf to put bodies into, after which what it returned
// before is no longer its concern. A nil buf makes it allocate.
func (p *Parser) Reset(buf []byte) {
	p.buf = buf[:0]
	p.refs, p.vars = make([]Ref, 0, len(p.refs)), make([]Variant, 0, len(p.vars))
}

// Reuse lets the parser write over everything that it returned before.
func (p *Parser) Reuse() { p.buf, p.refs, p.vars = p.buf[:0], p.refs[:0], p.vars[:0] }

// Buffer returns the memory that Reset gave, as grown since.
func (p *Parser) Buffer() []byte { return p.buf }

// Parse reads doc as a record of kind k into r. Errors are *InvalidError; the
// key, if it could be read, is set in r then too.
func (p *Parser) Parse(k Kind, doc []byte, r *Parsed) error {
	*r = Parsed{Kind: k}
	if len(doc) > MaxBody {
		return &InvalidError{Reason: ReasonLarge, Offset: -1, Detail: fmt.Sprintf("the record has %d bytes, more than %d", len(doc), MaxBody)}
	}
	p.scan.MaxDepth = MaxDepth
	if err := p.scan.Object(doc); err != nil {
		// The key may stand before the fault: a reject that names it can be
		// found by its owner, and counts as present in a sync.
		p.doc = doc
		p.findKey(k, r)
		return invalidJSON(err)
	}
	p.doc = doc
	if k == KindProduct && len(p.scan.Members) > 0 && string(p.scan.Members[0].Key(doc)) == KindMember {
		kind, err := ParseKind(jsonscan.Text(p.scan.Members[0].Value(doc)))
		if err != nil {
			return &InvalidError{Reason: ReasonType, Path: KindMember, Offset: -1, Detail: err.Error()}
		}
		r.Kind, k = kind, kind
		p.scan.Members = p.scan.Members[1:]
		p.scan.Space = true // the body must be put together anew
	}
	if err := p.readKey(k, r); err != nil {
		return err
	}
	switch k {
	case KindProduct:
		return p.product(r)
	case KindPrice:
		return p.priceRecord(r)
	case KindStock:
		return p.stockRecord(r)
	case KindCategory:
		return p.category(r)
	case KindAttribute:
		return p.attribute(r)
	}
	return &InvalidError{Reason: ReasonType, Offset: -1, Detail: "unknown kind"}
}

// invalidJSON turns the scanner's error into ours.
func invalidJSON(err error) error {
	var e *jsonscan.Error
	if !errors.As(err, &e) {
		return err
	}
	reason := ReasonJSON
	switch e.Code {
	case jsonscan.Encoding:
		reason = ReasonUTF8
	case jsonscan.NotObject:
		reason = ReasonObject
	case jsonscan.Duplicate:
		reason = ReasonDuplicate
	case jsonscan.Depth:
		reason = ReasonDepth
	}
	return &InvalidError{Reason: reason, Offset: e.Offset, Detail: e.Error()}
}

// keyMember returns the member that holds the key of kind k. A category
// without an id is known by its path.
func (p *Parser) keyMember(k Kind) *jsonscan.Member {
	names := [2]string{k.KeyField()}
	if k == KindCategory {
		names[1] = "path"
	}
	for _, name := range names {
		for i := range p.scan.Members {
			m := &p.scan.Members[i]
			if name != "" && string(m.Key(p.doc)) == name && m.Type != jsonscan.Null {
				return m
			}
		}
	}
	return nil
}

// findKey sets r.Key from a document that has a fault further on.
func (p *Parser) findKey(k Kind, r *Parsed) {
	if m := p.keyMember(k); m != nil {
		r.Key, _ = p.keyOf(k, m)
	}
}

func (p *Parser) readKey(k Kind, r *Parsed) error {
	m := p.keyMember(k)
	if m == nil {
		return &InvalidError{Reason: ReasonNoKey, Path: k.KeyField(), Offset: -1, Detail: "is missing"}
	}
	var err error
	r.Key, err = p.keyOf(k, m)
	return err
}

// keyOf returns the key that m holds: a string, or a whole number as it is
// written, since many systems count their articles.
func (p *Parser) keyOf(k Kind, m *jsonscan.Member) (Key, error) {
	v := m.Value(p.doc)
	switch m.Type {
	case jsonscan.String:
		key := jsonscan.Text(v)
		if err := k.CheckKey(key); err != nil {
			var e *InvalidError
			if errors.As(err, &e) {
				e.Path, e.Offset = string(m.Key(p.doc)), m.ValStart
			}
			return "", err
		}
		return Key(key), nil
	case jsonscan.Number:
		if isInteger(v) {
			return Key(v), nil
		}
	}
	return "", &InvalidError{Reason: ReasonKey, Path: string(m.Key(p.doc)), Offset: m.ValStart, Detail: "is " + m.Type.String() + "; a string or a whole number is needed"}
}

func isInteger(v []byte) bool {
	if len(v) > 40 {
		return false
	}
	for i, c := range v {
		if (c < '0' || c > '9') && (i > 0 || c != '-') {
			return false
		}
	}
	return true
}

// span is a part of the document that goes into the body as it is; text
// replaces it when set.
type span struct {
	member jsonscan.Member
	text   []byte // instead of the member's value
}

// body puts the kept members together as a compact object.
func (p *Parser) body(kept []span, space bool) []byte {
	start := len(p.buf)
	p.buf = append(p.buf, '{')
	for i, k := range kept {
		if i > 0 {
			p.buf = append(p.buf, ',')
		}
		p.buf = append(p.buf, p.doc[k.member.KeyStart-1:k.member.KeyEnd+1]...)
		p.buf = append(p.buf, ':')
		switch {
		case k.text != nil:
			p.buf = append(p.buf, k.text...)
		case space:
			p.buf = jsonscan.AppendCompact(p.buf, k.member.Value(p.doc))
		default:
			p.buf = append(p.buf, k.member.Value(p.doc)...)
		}
	}
	p.buf = append(p.buf, '}')
	return p.buf[start:len(p.buf):len(p.buf)]
}

// keyText returns the key as a JSON string where the document has a number.
func keyText(m *jsonscan.Member, key Key) []byte {
	if m.Type == jsonscan.String {
		return nil
	}
	return jsonscan.AppendQuoted(nil, string(key))
}

func (p *Parser) fault(reason Reason, m *jsonscan.Member, path, detail string) error {
	if path != "" {
		path += "."
	}
	return &InvalidError{Reason: reason, Path: path + string(m.Key(p.doc)), Offset: m.ValStart, Detail: detail}
}

func (p *Parser) wrongType(m *jsonscan.Member, path, want string) error {
	return p.fault(ReasonType, m, path, "is "+m.Type.String()+"; "+want+" is needed")
}

// category reads a category record: known by its id, or by its path.
func (p *Parser) category(r *Parsed) error {
	kept := p.kept[:0]
	for i := range p.scan.Members {
		m := &p.scan.Members[i]
		s := span{member: *m}
		switch string(m.Key(p.doc)) {
		case "id":
			s.text = keyText(m, r.Key)
		case "path", "description", "image":
			if err := p.textOrStores(m, ""); err != nil {
				return err
			}
		case "name":
			if err := p.textOrStores(m, ""); err != nil {
				return err
			}
		case "url_key":
			if err := p.urlKeys(m, RefCategoryURLKey, r); err != nil {
				return err
			}
		case "position":
			if m.Type != jsonscan.Number && m.Type != jsonscan.Null {
				return p.wrongType(m, "", "a number")
			}
		case "stores":
			if err := p.overlays(m, RefCategoryURLKey, r, nil); err != nil {
				return err
			}
		}
		kept = append(kept, s)
	}
	p.kept = kept
	r.Body = p.body(kept, p.scan.Space)
	return nil
}

// attribute reads an attribute record.
func (p *Parser) attribute(r *Parsed) error {
	kept := p.kept[:0]
	for i := range p.scan.Members {
		m := &p.scan.Members[i]
		s := span{member: *m}
		switch string(m.Key(p.doc)) {
		case "code":
			s.text = keyText(m, r.Key)
		case "label":
			if err := p.textOrStores(m, ""); err != nil {
				return err
			}
		case "options":
			if m.Type != jsonscan.Array && m.Type != jsonscan.Null {
				return p.wrongType(m, "", "an array")
			}
		}
		kept = append(kept, s)
	}
	p.kept = kept
	r.Body = p.body(kept, p.scan.Space)
	return nil
}

// textOrStores checks a text that may differ per store: a string, or an object
// of store → string.
func (p *Parser) textOrStores(m *jsonscan.Member, path string) error {
	switch m.Type {
	case jsonscan.String, jsonscan.Null:
		return nil
	case jsonscan.Object:
		p.entry = jsonscan.AppendMembers(p.entry[:0], p.doc[m.ValStart:m.ValEnd])
		for _, e := range p.entry {
			if e.Type != jsonscan.String && e.Type != jsonscan.Null {
				e := shift(e, m.ValStart)
				return p.wrongType(&e, string(m.Key(p.doc)), "a string")
			}
		}
		return nil
	}
	return p.wrongType(m, path, "a string, or an object of store → string,")
}

// shift moves the spans of a member that was found in a part of the document.
func shift(m jsonscan.Member, by int) jsonscan.Member {
	m.KeyStart += by
	m.KeyEnd += by
	m.ValStart += by
	m.ValEnd += by
	return m
}

// urlKeys checks a url_key and makes its refs.
func (p *Parser) urlKeys(m *jsonscan.Member, t RefType, r *Parsed) error {
	if err := p.textOrStores(m, ""); err != nil {
		return err
	}
	switch m.Type {
	case jsonscan.String:
		return p.addRef(m, t, "", m.Value(p.doc), r)
	case jsonscan.Object:
		v := m.Value(p.doc)
		for _, e := range p.entry {
			if e.Type != jsonscan.String {
				continue
			}
			store := string(jsonscan.AppendUnquoted(nil, e.Key(v)))
			if err := p.addRef(m, t, store, e.Value(v), r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Parser) addRef(m *jsonscan.Member, t RefType, store string, quoted []byte, r *Parsed) error {
	value := jsonscan.Text(quoted)
	if len(value) > MaxKey || len(store) > MaxSKU {
		return p.fault(ReasonType, m, "", "has "+strconv.Itoa(len(value))+" bytes, more than "+strconv.Itoa(MaxKey))
	}
	if value == "" {
		return nil
	}
	p.putRef(t, store, value, r)
	return nil
}

// putRef adds a ref to the record, whose refs stand together in the arena.
func (p *Parser) putRef(t RefType, store, value string, r *Parsed) {
	p.refs = append(p.refs, Ref{t, store, value})
	n := len(p.refs)
	r.Refs = p.refs[n-len(r.Refs)-1 : n : n]
}
