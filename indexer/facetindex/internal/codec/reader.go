package codec

import (
	"encoding/binary"
	"fmt"
)

// Reader takes an encoding apart. After the first error everything it returns
// is empty.
type Reader struct {
	b   []byte
	err error
}

// NewReader returns a Reader of b.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// MakeReader is NewReader of a value.
func MakeReader(b []byte) Reader { return Reader{b: b} }

// Err returns the first error.
func (r *Reader) Err() error { return r.err }

// Len returns how many bytes are left.
func (r *Reader) Len() int { return len(r.b) }

func (r *Reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %w", what, ErrFormat)
	}
	r.b = nil
}

// Bytes returns the next n bytes in place.
func (r *Reader) Bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail("cut off")
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

// Uvarint returns the next variable number.
func (r *Reader) Uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail("number")
		return 0
	}
	r.b = r.b[n:]
	return v
}

// Varint returns the next signed variable number.
func (r *Reader) Varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail("number")
		return 0
	}
	r.b = r.b[n:]
	return v
}

// Count returns the next variable number, which counts things of at least
// size bytes each that follow.
func (r *Reader) Count(size uint64) int {
	n := r.Uvarint()
	if n > uint64(len(r.b))/max(size, 1) {
		r.fail("count")
		return 0
	}
	return int(n)
}

// Block returns the next bytes that AppendBlock wrote.
func (r *Reader) Block() []byte { return r.Bytes(r.Uvarint()) }

// String returns the next block as a string.
func (r *Reader) String() string { return string(r.Block()) }

// AppendBlock appends b behind its length.
func AppendBlock(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// AppendString appends s behind its length.
func AppendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}
