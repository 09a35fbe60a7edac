package mongostore

import (
	"encoding/binary"
	"math"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"

	"catalog/catalog/internal/jsonscan"
)

// maxNative is how large a body may be as BSON, together with what is kept
// beside it, and still be stored as a document: the server's limit of 16 MiB
// less the rest of the record. JSON of catalog.MaxBody can be more than that.
const maxNative = 15 << 20

// The types of BSON that a body may consist of.
const (
	typeDouble  = 0x01
	typeString  = 0x02
	typeObject  = 0x03
	typeArray   = 0x04
	typeBinary  = 0x05
	typeBool    = 0x08
	typeNull    = 0x0a
	typeInt32   = 0x10
	typeInt64   = 0x12
	typeDecimal = 0x13
)

// encoder turns JSON into BSON. It is not safe for concurrent use; what it
// returns is valid until its next use.
type encoder struct {
	scan  jsonscan.Scanner
	buf   []byte
	as    []spelling
	spare []byte
	docs  []byte // the buffer of a transaction
	n     int32  // tokens seen: names and values that are no objects or arrays
	extra int    // bytes of spellings
}

// spelling is how a token stands in a body whose BSON would be written another
// way: 1.10, "\/".
type spelling struct {
	n    int32
	text string
}

// body returns a body as a BSON document, with the spellings without which it
// would not come back byte by byte. ok is false for what no document can hold:
// such a body is kept as bytes alone.
func (e *encoder) body(json []byte) (doc []byte, as []spelling, ok bool) {
	e.buf, e.as, e.n, e.extra = e.buf[:0], e.as[:0], 0, 0
	if err := e.scan.Object(json); err != nil || e.scan.Space {
		return nil, nil, false
	}
	if _, ok := e.object(json, 0); !ok || len(e.buf)+e.extra > maxNative {
		return nil, nil, false
	}
	return e.buf, e.as, true
}

// object appends the object that starts at i and returns the place after it.
func (e *encoder) object(json []byte, i int) (int, bool) {
	start := e.begin()
	i++
	for json[i] != '}' {
		if json[i] == ',' {
			i++
		}
		end := jsonscan.Skip(json, i)
		at := e.reserve()
		text := e.text(json[i:end])
		for _, c := range text {
			if c == 0 { // no name of BSON has it
				return 0, false
			}
		}
		e.buf = append(append(e.buf, text...), 0)
		var ok bool
		if i, ok = e.value(json, end+1, at); !ok {
			return 0, false
		}
	}
	e.end(start)
	return i + 1, true
}

func (e *encoder) array(json []byte, i int) (int, bool) {
	start := e.begin()
	i++
	for index := int64(0); json[i] != ']'; index++ {
		if json[i] == ',' {
			i++
		}
		at := e.reserve()
		e.buf = append(strconv.AppendInt(e.buf, index, 10), 0)
		var ok bool
		if i, ok = e.value(json, i, at); !ok {
			return 0, false
		}
	}
	e.end(start)
	return i + 1, true
}

// value appends the value that starts at i, and puts its type at at.
func (e *encoder) value(json []byte, i, at int) (int, bool) {
	if len(e.buf) > maxNative {
		return 0, false
	}
	switch json[i] {
	case '{':
		e.buf[at] = typeObject
		return e.object(json, i)
	case '[':
		e.buf[at] = typeArray
		return e.array(json, i)
	}
	end := jsonscan.Skip(json, i)
	token := json[i:end]
	switch token[0] {
	case '"':
		e.buf[at] = typeString
		text := e.text(token)
		e.buf = binary.LittleEndian.AppendUint32(e.buf, uint32(len(text)+1))
		e.buf = append(append(e.buf, text...), 0)
	case 't', 'f':
		e.n++
		e.buf[at] = typeBool
		e.buf = append(e.buf, map[byte]byte{'t': 1, 'f': 0}[token[0]])
	case 'n':
		e.n++
		e.buf[at] = typeNull
	default:
		e.number(token, at)
	}
	return end, true
}

// text returns the text of a string or name.
func (e *encoder) text(token []byte) []byte {
	n := e.n
	e.n++
	inner := token[1 : len(token)-1]
	escaped := false
	for _, c := range inner {
		if c == '\\' {
			escaped = true
			break
		}
	}
	if !escaped {
		return inner
	}
	text := jsonscan.AppendUnquoted(nil, inner)
	if e.spare = jsonscan.AppendQuoted(e.spare[:0], string(text)); string(e.spare) != string(token) {
		e.spell(n, token)
	}
	return text
}

func (e *encoder) spell(n int32, token []byte) {
	e.as = append(e.as, spelling{n, string(token)})
	e.extra += len(token) + 32
}

// number appends a number: one that a person would ask for by writing it down
// is stored so that it is found. Whole numbers are int32 or int64; what has up
// to 15 digits is a double, which compares equal to the same literal in a query
// however it was spelt; what has more is a Decimal128.
func (e *encoder) number(token []byte, at int) {
	n := e.n
	e.n++
	if whole, err := strconv.ParseInt(string(token), 10, 64); err == nil && string(token) != "-0" {
		if whole == int64(int32(whole)) {
			e.buf[at] = typeInt32
			e.buf = binary.LittleEndian.AppendUint32(e.buf, uint32(whole))
			return
		}
		e.buf[at] = typeInt64
		e.buf = binary.LittleEndian.AppendUint64(e.buf, uint64(whole))
		return
	}
	f, ferr := strconv.ParseFloat(string(token), 64)
	if digits(token) > 15 || ferr != nil {
		if d, err := bson.ParseDecimal128(string(token)); err == nil {
			e.buf[at] = typeDecimal
			hi, lo := d.GetBytes()
			e.buf = binary.LittleEndian.AppendUint64(e.buf, lo)
			e.buf = binary.LittleEndian.AppendUint64(e.buf, hi)
			if d.String() != string(token) {
				e.spell(n, token)
			}
			return
		}
	}
	e.buf[at] = typeDouble // the nearest, or an infinity, where nothing fits
	e.buf = binary.LittleEndian.AppendUint64(e.buf, math.Float64bits(f))
	if e.spare = appendDouble(e.spare[:0], f); string(e.spare) != string(token) {
		e.spell(n, token)
	}
}

// digits counts the significant digits of a number as it is written.
func digits(token []byte) int {
	n, zeros := 0, 0
	for _, c := range token {
		switch {
		case c == 'e' || c == 'E':
			return n
		case c < '0' || c > '9':
		case c == '0' && n == 0: // leading
		case c == '0':
			zeros++
		default:
			n += zeros + 1
			zeros = 0
		}
	}
	return n
}

func appendDouble(dst []byte, f float64) []byte { return strconv.AppendFloat(dst, f, 'f', -1, 64) }

func (e *encoder) begin() int {
	start := len(e.buf)
	e.buf = append(e.buf, 0, 0, 0, 0)
	return start
}

func (e *encoder) end(start int) {
	e.buf = append(e.buf, 0)
	binary.LittleEndian.PutUint32(e.buf[start:], uint32(len(e.buf)-start))
}

// reserve leaves room for a type.
func (e *encoder) reserve() int {
	e.buf = append(e.buf, 0)
	return len(e.buf) - 1
}
