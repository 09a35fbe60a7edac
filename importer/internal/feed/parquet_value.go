package feed

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"catalog/catalog"
	"catalog/importer/internal/jsontext"
)

// leafValue appends a value as JSON.
type leafValue func(out []byte, v parquet.Value) ([]byte, *Reject)

// never makes a leafValue of a conversion that cannot fail.
func never(f func(out []byte, v parquet.Value) []byte) leafValue {
	return func(out []byte, v parquet.Value) ([]byte, *Reject) { return f(out, v), nil }
}

// logical is what a type means, whichever way the file says it.
type logical struct {
	text, json, decimal, date, timestamp, time, uuid, half, unsigned bool
	scale                                                            int
	unit                                                             time.Duration
	utc                                                              bool
}

func logicalOf(t parquet.Type) logical {
	var l logical
	if lt := t.LogicalType(); lt != nil && lt.Value != nil {
		switch v := lt.Value.(type) {
		case *format.StringType, *format.EnumType:
			l.text = true
		case *format.JsonType:
			l.json = true
		case *format.DecimalType:
			l.decimal, l.scale = true, int(v.Scale)
		case *format.DateType:
			l.date = true
		case *format.TimestampType:
			l.timestamp, l.unit, l.utc = true, unitOf(v.Unit), v.IsAdjustedToUTC
		case *format.TimeType:
			l.time, l.unit = true, unitOf(v.Unit)
		case *format.UUIDType:
			l.uuid = true
		case *format.Float16Type:
			l.half = true
		case *format.IntType:
			l.unsigned = !v.IsSigned
		}
		return l
	}
	ct := t.ConvertedType()
	if ct == nil {
		return l
	}
	switch *ct {
	case deprecated.UTF8, deprecated.Enum:
		l.text = true
	case deprecated.Json:
		l.json = true
	case deprecated.Date:
		l.date = true
	case deprecated.TimestampMillis:
		l.timestamp, l.unit, l.utc = true, time.Millisecond, true
	case deprecated.TimestampMicros:
		l.timestamp, l.unit, l.utc = true, time.Microsecond, true
	case deprecated.TimeMillis:
		l.time, l.unit = true, time.Millisecond
	case deprecated.TimeMicros:
		l.time, l.unit = true, time.Microsecond
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		l.unsigned = true
	}
	return l
}

func unitOf(u format.TimeUnit) time.Duration {
	switch u.Value.(type) {
	case *format.MilliSeconds:
		return time.Millisecond
	case *format.MicroSeconds:
		return time.Microsecond
	}
	return time.Nanosecond
}

// leafValueOf returns how the values of a type become JSON.
func leafValueOf(t parquet.Type) (leafValue, error) {
	l := logicalOf(t)
	if l.decimal && (l.scale < 0 || l.scale > 1000) {
		return nil, fmt.Errorf("a decimal of scale %d", l.scale)
	}
	switch t.Kind() {
	case parquet.Boolean:
		return never(func(out []byte, v parquet.Value) []byte { return strconv.AppendBool(out, v.Boolean()) }), nil
	case parquet.Int32, parquet.Int64:
		return intValue(l, t.Kind()), nil
	case parquet.Int96:
		return never(appendInt96), nil
	case parquet.Float:
		return func(out []byte, v parquet.Value) ([]byte, *Reject) { return appendFloat(out, float64(v.Float()), 32) }, nil
	case parquet.Double:
		return func(out []byte, v parquet.Value) ([]byte, *Reject) { return appendFloat(out, v.Double(), 64) }, nil
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return bytesValue(l, t), nil
	}
	return nil, errors.New("a type that is not known")
}

func intValue(l logical, k parquet.Kind) leafValue {
	get := func(v parquet.Value) int64 { return v.Int64() }
	if k == parquet.Int32 {
		get = func(v parquet.Value) int64 { return int64(v.Int32()) }
	}
	switch {
	case l.decimal:
		return never(func(out []byte, v parquet.Value) []byte {
			return appendDecimal(out, big.NewInt(get(v)), l.scale)
		})
	case l.date:
		return never(func(out []byte, v parquet.Value) []byte {
			return appendClock(out, time.Unix(get(v)*86400, 0), "2006-01-02")
		})
	case l.time:
		return never(func(out []byte, v parquet.Value) []byte {
			return appendClock(out, time.Unix(0, 0).Add(time.Duration(get(v))*l.unit), "15:04:05.999999999")
		})
	case l.timestamp:
		layout := "2006-01-02T15:04:05.999999999"
		if l.utc {
			layout = time.RFC3339Nano
		}
		per := int64(time.Second / l.unit)
		return never(func(out []byte, v parquet.Value) []byte {
			n := get(v)
			return appendClock(out, time.Unix(n/per, n%per*int64(l.unit)), layout)
		})
	case l.unsigned && k == parquet.Int32:
		return never(func(out []byte, v parquet.Value) []byte { return strconv.AppendUint(out, uint64(v.Uint32()), 10) })
	case l.unsigned:
		return never(func(out []byte, v parquet.Value) []byte { return strconv.AppendUint(out, v.Uint64(), 10) })
	}
	return never(func(out []byte, v parquet.Value) []byte { return strconv.AppendInt(out, get(v), 10) })
}

func bytesValue(l logical, t parquet.Type) leafValue {
	fixed := t.Kind() == parquet.FixedLenByteArray
	switch {
	case l.json:
		return func(out []byte, v parquet.Value) ([]byte, *Reject) {
			b := v.ByteArray()
			if !json.Valid(b) {
				return out, &Reject{ReasonCell, fmt.Sprintf("%.60q is no JSON", b)}
			}
			return append(out, b...), nil
		}
	case l.text:
		return func(out []byte, v parquet.Value) ([]byte, *Reject) {
			b := v.ByteArray()
			if !utf8.Valid(b) {
				return out, &Reject{catalog.ReasonUTF8, fmt.Sprintf("%.60q is not UTF-8", b)}
			}
			return jsontext.AppendString(out, b), nil
		}
	case l.decimal:
		return never(func(out []byte, v parquet.Value) []byte { return appendDecimal(out, bigEndian(v.ByteArray()), l.scale) })
	case l.uuid && t.Length() == 16:
		return never(appendUUID)
	case l.half && fixed && t.Length() == 2:
		return func(out []byte, v parquet.Value) ([]byte, *Reject) {
			return appendFloat(out, halfFloat(binary.LittleEndian.Uint16(v.ByteArray())), 32)
		}
	}
	return never(func(out []byte, v parquet.Value) []byte {
		if b := v.ByteArray(); !fixed && utf8.Valid(b) {
			return jsontext.AppendString(out, b)
		}
		out = append(out, '"')
		out = base64.StdEncoding.AppendEncode(out, v.ByteArray())
		return append(out, '"')
	})
}

func appendFloat(out []byte, f float64, bits int) ([]byte, *Reject) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return out, &Reject{ReasonCell, fmt.Sprintf("%v is no number that JSON has", f)}
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return strconv.AppendFloat(out, f, 'f', -1, bits), nil
	}
	return strconv.AppendFloat(out, f, 'g', -1, bits), nil
}

func appendClock(out []byte, t time.Time, layout string) []byte {
	out = append(out, '"')
	out = t.UTC().AppendFormat(out, layout)
	return append(out, '"')
}

// appendInt96 appends a timestamp of old writers: nanoseconds and Julian day.
func appendInt96(out []byte, v parquet.Value) []byte {
	n := v.Int96()
	nanos := int64(n[0]) | int64(n[1])<<32
	return appendClock(out, time.Unix((int64(n[2])-2440588)*86400, nanos), time.RFC3339Nano)
}

// appendDecimal appends n with the point scale digits from the right.
func appendDecimal(out []byte, n *big.Int, scale int) []byte {
	if n.Sign() < 0 {
		out = append(out, '-')
		n = new(big.Int).Neg(n)
	}
	if scale == 0 {
		return n.Append(out, 10)
	}
	digits := n.Append(make([]byte, 0, 40), 10)
	for len(digits) <= scale {
		digits = append([]byte{'0'}, digits...)
	}
	point := len(digits) - scale
	out = append(append(out, digits[:point]...), '.')
	return append(out, digits[point:]...)
}

// bigEndian reads a number in two's complement.
func bigEndian(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

func appendUUID(out []byte, v parquet.Value) []byte {
	b := v.ByteArray()
	out = append(out, '"')
	for i, part := range [][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:16]} {
		if i > 0 {
			out = append(out, '-')
		}
		out = hex.AppendEncode(out, part)
	}
	return append(out, '"')
}

// halfFloat widens a 16-bit float.
func halfFloat(h uint16) float64 {
	sign, exp, frac := 1.0, int(h>>10&0x1f), float64(h&0x3ff)
	if h&0x8000 != 0 {
		sign = -1
	}
	switch {
	case exp == 31 && frac != 0:
		return math.NaN()
	case exp == 31:
		return math.Inf(int(sign))
	case exp == 0:
		return sign * math.Ldexp(frac, -24)
	}
	return sign * math.Ldexp(1024+frac, exp-25)
}
