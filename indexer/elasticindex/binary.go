package elasticindex

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"catalog/indexer"
)

var errBinary = errors.New("field d is damaged")

// appendBinary writes what the fields of an Elasticsearch document do not say
// of a document, or not as it was: everything but words, SKU and view, and the
// name's key unless its field has only the beginning of it.
func appendBinary(b []byte, d *indexer.Document) []byte {
	flags := byte(0)
	if d.Search {
		flags |= 1
	}
	if d.Browse {
		flags |= 2
	}
	if len(d.NameKey) > maxNameKey {
		flags |= 4
	}
	b = append(b, flags)
	b = putStrings(b, d.Stores)
	b = putString(b, d.Name)
	if len(d.NameKey) > maxNameKey {
		b = putString(b, string(d.NameKey))
	}
	b = binary.AppendVarint(b, int64(d.NameWords))
	b = binary.AppendVarint(b, d.Created)
	b = binary.AppendUvarint(b, uint64(len(d.Categories)))
	before := ""
	for i := range d.Categories {
		m := &d.Categories[i]
		n := shared(before, m.ID)
		b = binary.AppendUvarint(b, uint64(n))
		b = putString(b, m.ID[n:])
		before = m.ID
		placed := m.Position != indexer.NoPosition
		b = append(b, bit(m.Direct)|bit(placed)<<1)
		if placed {
			b = binary.AppendVarint(b, int64(m.Position))
		}
	}
	b = putAttrs(b, d.Attrs)
	b = binary.AppendUvarint(b, uint64(len(d.Units)))
	for i := range d.Units {
		u := &d.Units[i]
		b = putString(b, u.SKU)
		b = append(b, bit(u.Stores != nil), bit(u.Live.InStock))
		b = putStrings(b, u.Stores)
		b = putAttrs(b, u.Attrs)
		b = binary.AppendUvarint(b, uint64(len(u.Live.Prices)))
		for j := range u.Live.Prices {
			p := &u.Live.Prices[j]
			for _, s := range [...]string{p.Scope.Currency, p.Scope.Website, p.Scope.Group, p.Scope.List} {
				b = putString(b, s)
			}
			b = binary.AppendVarint(b, int64(p.Amount))
			b = binary.AppendVarint(b, int64(p.Regular))
		}
		b = append(b, bit(!u.Live.Next.IsZero()))
		if !u.Live.Next.IsZero() {
			b = binary.AppendVarint(b, u.Live.Next.Unix())
			b = binary.AppendUvarint(b, uint64(u.Live.Next.Nanosecond()))
		}
	}
	return b
}

// maxShared is how much of the one before it a category's ID may be said to
// begin with: more than an ID has.
const maxShared = 4096

// maxIDs is how much all of a document's categories may share: damaged data
// must not become much more than it was.
const maxIDs = 64 << 20

// shared is the length of what both begin with.
func shared(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && n < maxShared && a[n] == b[n] {
		n++
	}
	return n
}

func bit(v bool) byte {
	if v {
		return 1
	}
	return 0
}

func putString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func putStrings(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = putString(b, s)
	}
	return b
}

func putAttrs(b []byte, attrs []indexer.Attr) []byte {
	b = binary.AppendUvarint(b, uint64(len(attrs)))
	for i := range attrs {
		b = putString(b, attrs[i].Name)
		b = binary.AppendUvarint(b, uint64(len(attrs[i].Values)))
		for j := range attrs[i].Values {
			v := &attrs[i].Values[j]
			b = putString(b, v.Text)
			b = append(b, byte(v.Type))
			b = putNumber(b, v)
		}
	}
	return b
}

// How the number of a value is written.
const (
	numNone  = iota // 0, of a text
	numRaw          // 8 bytes
	numText         // the text, parsed
	numWhole        // a whole number
)

func putNumber(b []byte, v *indexer.Value) []byte {
	if v.Type == indexer.Text && math.Float64bits(v.Num) == 0 {
		return append(b, numNone)
	}
	if v.Num == math.Trunc(v.Num) && math.Abs(v.Num) < 1<<53 && (v.Num != 0 || !math.Signbit(v.Num)) {
		return binary.AppendVarint(append(b, numWhole), int64(v.Num))
	}
	if f, err := strconv.ParseFloat(v.Text, 64); err == nil && math.Float64bits(f) == math.Float64bits(v.Num) {
		return append(b, numText)
	}
	return binary.LittleEndian.AppendUint64(append(b, numRaw), math.Float64bits(v.Num))
}

// decodeBinary reads what appendBinary wrote, in base64, into d.
func decodeBinary(text string, d *indexer.Document) error {
	raw := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(raw, []byte(text))
	if err != nil {
		return fmt.Errorf("%w: %w", errBinary, err)
	}
	r := reader{s: string(raw[:n])}
	r.document(d)
	if r.bad || r.s != "" {
		return errBinary
	}
	return nil
}

// reader reads binary data; bad is set when there is too little of it.
type reader struct {
	s   string
	bad bool
}

func (r *reader) document(d *indexer.Document) {
	flags := r.byte()
	d.Search, d.Browse = flags&1 != 0, flags&2 != 0
	d.Stores = r.strings()
	d.Name = r.string()
	if flags&4 != 0 {
		d.NameKey = []byte(r.string())
	}
	d.NameWords = int(r.varint())
	d.Created = r.varint()
	d.Categories = make([]indexer.Membership, 0, r.count())
	before, sum := "", uint64(0)
	for range cap(d.Categories) {
		n := r.uvarint()
		if sum += n; n > uint64(min(len(before), maxShared)) || sum > maxIDs {
			r.bad, r.s = true, ""
			return
		}
		m := indexer.Membership{ID: before[:n] + r.string(), Position: indexer.NoPosition}
		flags := r.byte()
		m.Direct = flags&1 != 0
		if flags&2 != 0 {
			m.Position = int32(r.varint())
		}
		d.Categories, before = append(d.Categories, m), m.ID
	}
	d.Attrs = r.attrs()
	d.Units = make([]indexer.Unit, r.count())
	for i := range d.Units {
		r.unit(&d.Units[i])
	}
}

func (r *reader) unit(u *indexer.Unit) {
	u.SKU = r.string()
	has := r.byte() == 1
	u.Live.InStock = r.byte() == 1
	u.Stores = r.strings()
	if has && u.Stores == nil {
		u.Stores = []string{}
	}
	u.Attrs = r.attrs()
	if n := r.count(); n > 0 {
		u.Live.Prices = make([]indexer.Price, n)
	}
	for i := range u.Live.Prices {
		p := &u.Live.Prices[i]
		p.Scope = indexer.Scope{Currency: r.string(), Website: r.string(), Group: r.string(), List: r.string()}
		p.Amount, p.Regular = indexer.Amount(r.varint()), indexer.Amount(r.varint())
	}
	if r.byte() == 1 {
		sec := r.varint()
		u.Live.Next = time.Unix(sec, int64(r.uvarint())).UTC()
	}
}

func (r *reader) attrs() []indexer.Attr {
	n := r.count()
	if n == 0 {
		return nil
	}
	list := make([]indexer.Attr, n)
	for i := range list {
		list[i].Name = r.string()
		if n := r.count(); n > 0 {
			list[i].Values = make([]indexer.Value, n)
		}
		for j := range list[i].Values {
			v := &list[i].Values[j]
			v.Text, v.Type = r.string(), indexer.ValueType(r.byte())
			v.Num = r.number(v.Text)
		}
	}
	return list
}

// number reads what putNumber wrote.
func (r *reader) number(text string) float64 {
	switch r.byte() {
	case numRaw:
		if s := r.take(8); s != "" {
			return math.Float64frombits(binary.LittleEndian.Uint64([]byte(s)))
		}
	case numWhole:
		return float64(r.varint())
	case numText:
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f
		}
		r.bad = true
	}
	return 0
}

func (r *reader) take(n uint64) string {
	if n > uint64(len(r.s)) {
		r.bad, r.s = true, ""
		return ""
	}
	s := r.s[:n]
	r.s = r.s[n:]
	return s
}

func (r *reader) byte() byte {
	if s := r.take(1); s != "" {
		return s[0]
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		b := r.byte()
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
	r.bad, r.s = true, ""
	return 0
}

func (r *reader) varint() int64 {
	n := r.uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

// count reads a number of elements, each of which has a byte at least.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.s)) {
		r.bad, r.s = true, ""
		return 0
	}
	return int(n)
}

func (r *reader) string() string { return r.take(r.uvarint()) }

func (r *reader) strings() []string {
	n := r.count()
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = r.string()
	}
	return list
}
