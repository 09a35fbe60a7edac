package mongostore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"

	"catalog/catalog"
	"catalog/catalog/internal/jsonscan"
)

// corrupt says what in the database is not as this package writes it.
func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{catalog.ErrCorrupt}, args...)...)
}

// maxLevels bounds the nesting of documents that are read: the server's own
// limit is 100.
const maxLevels = 200

// decoder writes BSON documents as JSON.
type decoder struct {
	out []byte
	as  []spelling
	n   int32
}

// appendBody appends the JSON of a document, with the spellings of its body.
func appendBody(dst, doc []byte, as []spelling) ([]byte, error) {
	d := decoder{out: dst, as: as}
	rest, err := d.document(doc, false, 0)
	switch {
	case err != nil:
		return nil, err
	case len(rest) > 0:
		return nil, corrupt("a document with %d bytes too many", len(rest))
	case len(d.as) > 0:
		return nil, corrupt("a spelling of token %d, of %d", d.as[0].n, d.n)
	}
	return d.out, nil
}

// spelt returns how the next token stands in the body, if that is kept.
func (d *decoder) spelt() (string, bool) {
	n := d.n
	d.n++
	if len(d.as) == 0 || d.as[0].n != n {
		return "", false
	}
	text := d.as[0].text
	d.as = d.as[1:]
	return text, true
}

// document appends the document or array that b starts with, and returns what
// follows it.
func (d *decoder) document(b []byte, array bool, level int) ([]byte, error) {
	if len(b) < 5 || level > maxLevels {
		return nil, corrupt("a document of %d bytes at level %d", len(b), level)
	}
	size := int64(binary.LittleEndian.Uint32(b))
	if size < 5 || size > int64(len(b)) || b[size-1] != 0 {
		return nil, corrupt("a document of %d bytes says it has %d", len(b), size)
	}
	rest, b := b[size:], b[4:size-1]
	brackets := "{}"
	if array {
		brackets = "[]"
	}
	d.out = append(d.out, brackets[0])
	for first := true; len(b) > 0; first = false {
		if !first {
			d.out = append(d.out, ',')
		}
		t := b[0]
		end := bytes.IndexByte(b, 0)
		if end < 1 {
			return nil, corrupt("a name without an end")
		}
		if !array {
			if text, ok := d.spelt(); ok {
				d.out = append(d.out, text...)
			} else {
				d.out = jsonscan.AppendQuoted(d.out, string(b[1:end]))
			}
			d.out = append(d.out, ':')
		}
		var err error
		if b, err = d.value(t, b[end+1:], level); err != nil {
			return nil, err
		}
	}
	d.out = append(d.out, brackets[1])
	return rest, nil
}

// value appends the value of type t that b starts with, and returns what
// follows it.
func (d *decoder) value(t byte, b []byte, level int) ([]byte, error) {
	switch t {
	case typeObject, typeArray:
		return d.document(b, t == typeArray, level+1)
	}
	size, ok := map[byte]int{typeDouble: 8, typeString: 4, typeBool: 1, typeNull: 0, typeInt32: 4, typeInt64: 8, typeDecimal: 16}[t]
	if !ok {
		return nil, corrupt("a value of BSON type 0x%02x, which is none of JSON", t)
	}
	if t == typeString && len(b) >= 4 {
		n := int64(binary.LittleEndian.Uint32(b)) + 4
		if n < 5 || n > int64(len(b)) || b[n-1] != 0 {
			return nil, corrupt("a string of %d bytes", n)
		}
		size = int(n)
	}
	if len(b) < size {
		return nil, corrupt("a value of BSON type 0x%02x is cut off", t)
	}
	v, rest := b[:size], b[size:]
	if text, ok := d.spelt(); ok {
		d.out = append(d.out, text...)
		return rest, nil
	}
	switch t {
	case typeString:
		d.out = jsonscan.AppendQuoted(d.out, string(v[4:size-1]))
	case typeBool:
		d.out = strconv.AppendBool(d.out, v[0] != 0)
	case typeNull:
		d.out = append(d.out, "null"...)
	case typeInt32:
		d.out = strconv.AppendInt(d.out, int64(int32(binary.LittleEndian.Uint32(v))), 10)
	case typeInt64:
		d.out = strconv.AppendInt(d.out, int64(binary.LittleEndian.Uint64(v)), 10)
	case typeDouble:
		f := math.Float64frombits(binary.LittleEndian.Uint64(v))
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, corrupt("the number %v, which is none of JSON", f)
		}
		d.out = appendDouble(d.out, f)
	case typeDecimal:
		num := bson.NewDecimal128(binary.LittleEndian.Uint64(v[8:]), binary.LittleEndian.Uint64(v))
		if num.IsNaN() || num.IsInf() != 0 {
			return nil, corrupt("the number %v, which is none of JSON", num)
		}
		d.out = append(d.out, num.String()...)
	}
	return rest, nil
}
