package catalog

import (
	"bytes"
	"iter"

	"catalog/catalog/internal/jsonscan"
)

// Value is a JSON value of a stored body, as it stands there. Its methods are
// for those who derive something from records; they take what Parse accepted,
// and of anything else yield nonsense, but never panic or hang.
type Value []byte

// ValueType is the type of a JSON value.
type ValueType = jsonscan.Type

// The types of values; the zero ValueType is that of nothing.
const (
	ValueObject = jsonscan.Object
	ValueArray  = jsonscan.Array
	ValueString = jsonscan.String
	ValueNumber = jsonscan.Number
	ValueTrue   = jsonscan.True
	ValueFalse  = jsonscan.False
	ValueNull   = jsonscan.Null
)

// Type returns the type of v.
func (v Value) Type() ValueType { return jsonscan.TypeOf(v) }

// Text returns the text of a string; of another value how it is written.
func (v Value) Text() string { return string(v.AppendText(nil)) }

// AppendText appends what Text returns.
func (v Value) AppendText(dst []byte) []byte {
	if v.Type() != ValueString || len(v) < 2 {
		return append(dst, v...)
	}
	s := v[1 : len(v)-1]
	if bytes.IndexByte(s, '\\') < 0 {
		return append(dst, s...)
	}
	return jsonscan.AppendUnquoted(dst, s)
}

// Members yields the names and values of an object, nothing of another value.
// A name is valid until the loop ends.
func (v Value) Members() iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		for i := skipToMembers(v); i >= 0 && i < len(v); {
			var key, val []byte
			key, val, i = nextMember(v, i)
			if key == nil {
				return
			}
			if bytes.IndexByte(key, '\\') >= 0 {
				key = jsonscan.AppendUnquoted(nil, key)
			}
			if !yield(key, Value(val)) {
				return
			}
		}
	}
}

// Elements yields the elements of an array; of another value, which a record
// may have in the place of an array of one, that value itself. Null and
// nothing have none.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		switch v.Type() {
		case ValueArray:
		case jsonscan.Invalid, ValueNull:
			return
		default:
			yield(v)
			return
		}
		for i := jsonscan.SkipSpace(v, 1); i < len(v) && v[i] != ']'; {
			end := jsonscan.Skip(v, i)
			if end <= i || !yield(v[i:end]) {
				return
			}
			i = jsonscan.SkipSpace(v, end)
			if i >= len(v) || v[i] != ',' {
				return
			}
			i = jsonscan.SkipSpace(v, i+1)
		}
	}
}
